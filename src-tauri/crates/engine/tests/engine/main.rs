//! The engine port against the real engine and a real registry of this machine. They fail where there is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod hanging;
mod image_store;
mod images;
mod pulls;
mod pushes;
mod resolving;
mod support;
mod tls;
