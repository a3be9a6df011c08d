//! Code hosts: GitHub, GitLab, Gitee, CODING, Gitea/Forgejo and Bitbucket behind the two ports of [`slipway_core::host`].
//!
//! - One folder per provider with the same file names in each: `mod.rs` (addresses, headers, refusals), `account.rs`,
//!   `repositories.rs`, `code.rs` (refs, commits, trees), `moved.rs`, `hooks.rs`, `status.rs`, `authorize.rs`.
//!   [`provider`] is what each has to give.
//! - [`transport`]: requests, caps, redirects, failures. [`session`] and [`refresh`]: in whose name.
//! - [`oauth`]: the ways in.
//!
//! Facts about hosts are from `reference/source-hosts.md`; what it calls unverified is read tolerantly.

mod bitbucket;
mod coding;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod gitea;
mod gitee;
mod github;
mod gitlab;
mod hosts;
mod lists;
mod oauth;
mod probe;
mod provider;
mod refresh;
mod session;
mod signature;
mod transport;

pub use hosts::Hosts;
