//! Docker: BuildKit session, progress, tag, push, images.

mod client;
pub mod dockerfile;
mod push;
mod registry_errors;
pub mod transport;

pub use transport::{EngineStream, TlsMaterial, Transport};
