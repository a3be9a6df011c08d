//! The application with the real store in a temporary folder and scripted fakes of everything outside.
#![allow(clippy::unwrap_used)]

mod accounts;
mod authorizing;
mod cancel;
mod inbox;
mod mirrors;
mod path;
mod publish;
mod restart;
mod rules;
mod sample;
mod secrets;
mod triggers;
mod watching;
mod world;
