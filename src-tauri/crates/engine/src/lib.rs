//! Docker: BuildKit session, progress, tag, push, images.

mod build_errors;
mod client;
mod context;
pub mod dockerfile;
mod push;
mod registry_errors;
mod session;
mod solve;
pub mod transport;

pub use transport::{EngineStream, TlsMaterial, Transport};
