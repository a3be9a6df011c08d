//! The code store against real repositories, a real `git http-backend` over TLS, and hosts that misbehave.

// The fixtures make exec bits and symbolic links.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod context;
mod hostile_hosts;
mod local_clone;
mod mirrors;
mod remote;
mod ssh;
mod submodules;
mod support;
mod watch;
