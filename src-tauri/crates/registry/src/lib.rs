//! OCI registries: reading and moving tags, deleting, testing rights, and finding logins.
//!
//! - [`OciRegistries`]: the [`slipway_core::ports::Registries`] port.
//! - [`credentials`]: logins from Docker's configuration, a credential helper, or a command.
//! - [`mirrors`]: reading through ordered mirrors.
//!
//! Built directly on `reqwest` with the handshake of `reference/registries.md` section 1, not on `oci-client`: that crate has
//! no delete and no way to begin and cancel an upload (the push test), does not name the hop that failed, and leaves caps,
//! redirects and the binding of a login to a host to itself. What the port needs of the protocol is a few calls.

mod challenge;
mod client;
mod copy;
pub mod credentials;
mod errors;
mod exchange;
#[doc(hidden)]
pub mod fuzzing;
pub mod mirrors;
mod paging;
mod projects;
mod registries;
mod rights;
mod token;

pub use registries::OciRegistries;
