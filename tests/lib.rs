//! Flows through the whole product: its real program, with a real engine, registry, git server and keychain.

pub mod fuzz;
mod image_files;
mod product;
pub mod walkthrough;

pub use image_files::{ImageFile, image_files};
pub use product::{Product, program};
