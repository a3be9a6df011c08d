//! Mirrors, refs, trees, diffs and build contexts straight from git objects.
//!
//! [`GitCodeStore`] implements [`slipway_core::ports::CodeStore`]. Each code repository has one bare mirror on disk; nothing is
//! ever checked out and no program is started.
//!
//! - `http`, `protocol`, `packet`: Git's smart HTTP, protocol version 2, on `reqwest`.
//! - `fetch`, `nested`: filling mirrors, those of submodules too.
//! - `local`, `copy`, `watch`, `begin`: clones on this machine.
//! - `mirror`, `pack`, `housekeeping`: what is kept on disk.
//! - `inspect`: commits, differences, folders and files of a mirror.
//! - `context`, `submodules`: a commit's folder as a build context.

mod begin;
mod blocking;
mod context;
mod copy;
mod error;
mod fetch;
mod housekeeping;
mod http;
mod inspect;
mod library;
mod local;
mod mirror;
mod nested;
mod pack;
mod packet;
mod protocol;
mod store;
mod submodules;
mod watch;

pub use begin::{NewFile, begin_clone};
pub use store::GitCodeStore;
