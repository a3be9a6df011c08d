//! The crate against scripted hosts, an emulator of GitHub and an authorization server that knows the standards.
#![allow(clippy::unwrap_used)]

mod authorities;
mod browser;
mod deliveries;
mod everywhere;
mod github;
mod hostile;
mod keeper;
mod refreshing;
mod server;
mod signing_in;
