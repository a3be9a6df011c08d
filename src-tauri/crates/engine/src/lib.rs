//! Docker: BuildKit session, progress, tag, push, images.

mod build_errors;
mod calls;
mod client;
mod context;
mod docker;
pub mod dockerfile;
mod endpoint;
mod engine_facts;
#[doc(hidden)]
pub mod fuzzing;
mod image_store;
mod images;
mod load;
mod news;
mod proxies;
mod pull;
mod push;
mod registry_errors;
mod resolve;
mod session;
mod solve;
mod transfer;
pub mod transport;
mod typed_calls;

pub use calls::engine_calls;
pub use docker::DockerEngine;
pub use endpoint::{Endpoint, Surroundings};
pub use images::private_tag;
pub use proxies::proxy_build_args;
pub use transport::{EngineStream, TlsMaterial, Transport};
