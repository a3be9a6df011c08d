//! Deploying an image: one file per action, one contract (`slipway_core::deploy`).

mod compose;
mod container;
mod directory;
mod docker;
mod kubernetes;
mod replace;
mod run_image;
mod swarm;
mod trail;
mod webhook;

pub use compose::ComposeAction;
pub use container::ContainerAction;
pub use directory::EngineDirectory;
pub use docker::EngineCalls;
pub use kubernetes::{KubeContext, KubernetesAction, KubernetesDirectory, kube_contexts};
pub use swarm::SwarmAction;
pub use webhook::{Resolve, WebhookAction, WebhookPace, system_resolver};
