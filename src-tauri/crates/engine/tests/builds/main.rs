//! Builds on the real engine of this machine (`DOCKER_HOST`, else the usual socket). They fail where there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod contexts;
mod endings;
mod failures;
mod steps;
mod support;
