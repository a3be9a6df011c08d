//! The application with the real store in a temporary folder and scripted fakes of everything outside.
#![allow(clippy::unwrap_used)]

mod cancel;
mod mirrors;
mod path;
mod publish;
mod restart;
mod rules;
mod secrets;
mod watching;
mod world;
