//! Deploying an image: one file per action, one contract (`slipway_core::deploy`).

mod compose;
mod container;
mod directory;
mod docker;
#[doc(hidden)]
pub mod fuzzing;
mod kubernetes;
mod outgoing;
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
pub use outgoing::{ChannelSender, Resolve, system_resolver};
pub use swarm::SwarmAction;
pub use webhook::{WebhookAction, WebhookPace};
