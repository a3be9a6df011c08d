//! Slipway's model, decisions and ports: what the product means, without any I/O and without a clock of its own.
//!
//! - [`ids`], [`code`], [`image`], [`rule`], [`build`], [`log`], [`network`]: the objects of `product.md` section 1.
//! - [`matching`], [`naming`], [`paths`], [`dockerignore`], [`decide`], [`mask`]: decisions, all pure.
//! - [`ports`]: what the outside must be able to do (git, engine, registry, vault, clock).
//! - [`failure`]: the closed list of error codes with their class, retry rule and next step.

pub mod build;
pub mod code;
pub mod failure;
pub mod ids;
pub mod image;
pub mod log;
pub mod network;
pub mod ports;
pub mod rule;
pub mod secret;

pub use failure::{ErrorClass, ErrorCode, Failure};
pub use secret::Secret;
