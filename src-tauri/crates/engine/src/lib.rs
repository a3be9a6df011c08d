//! Docker: BuildKit session, progress, tag, push, images.

pub mod transport;

pub use transport::{EngineStream, TlsMaterial, Transport};
