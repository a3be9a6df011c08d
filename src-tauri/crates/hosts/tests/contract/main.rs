//! The crate against scripted hosts, an emulator and a standards-complete authorization server.
#![allow(clippy::unwrap_used)]

mod deliveries;
mod everywhere;
mod hostile;
mod keeper;
mod refreshing;
mod server;
