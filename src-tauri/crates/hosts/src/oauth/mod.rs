//! The ways in: authorization code with PKCE over a loopback redirect, device flow, refresh, a GitHub App from a manifest.

mod code;
mod device;
mod exchange;
pub(crate) mod loopback;
mod manifest;
pub(crate) mod page;

pub(crate) use code::begin_code;
pub(crate) use device::{Sleep, begin_device};
pub(crate) use exchange::{Endpoints, refresh};
pub(crate) use loopback::FIXED_PORT;
pub(crate) use manifest::begin_manifest;
