//! Flows through the whole product: its real program, with a real engine, registry, git server and keychain.

mod product;
pub mod walkthrough;

pub use product::{Product, program};
