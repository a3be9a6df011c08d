//! Mirrors, refs, trees, diffs and build contexts straight from git objects.
//!
//! [`GitCodeStore`] implements [`slipway_core::ports::CodeStore`]. Each code repository has one bare mirror on disk; nothing is
//! ever checked out. The one program that is started is the user's `ssh`, for code over SSH.
//!
//! - `transport`, `http`, `ssh`: the ways to a host.
//! - `protocol`, `advertised`, `stream`, `packet`: what is said there, in Git's protocol version 2 or, over SSH, an older one.
//! - `fetch`, `nested`: filling mirrors, those of submodules too.
//! - `local`, `copy`, `watch`, `begin`: clones on this machine.
//! - `mirror`, `pack`, `housekeeping`: what is kept on disk.
//! - `inspect`: commits, differences, folders and files of a mirror.
//! - `context`, `submodules`: a commit's folder as a build context.

mod advertised;
mod begin;
mod blocking;
mod context;
mod copy;
mod error;
mod fetch;
#[doc(hidden)]
pub mod fuzzing;
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
mod ssh;
mod store;
mod stream;
mod submodules;
mod transport;
mod watch;

pub use begin::{NewFile, begin_clone};
pub use store::GitCodeStore;
