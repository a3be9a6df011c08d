//! The actions against a real engine.
#![allow(clippy::unwrap_used)]
