//! Deploying an image: one file per action, one contract (`slipway_core::deploy`).

mod container;
mod docker;
mod replace;
mod trail;

pub use container::ContainerAction;
pub use docker::EngineCalls;
