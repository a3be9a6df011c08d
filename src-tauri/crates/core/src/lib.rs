//! Slipway's model, decisions and ports: what the product means, without any I/O and without a clock of its own.
//!
//! - [`ids`], [`code`], [`image`], [`rule`], [`build`], [`log`], [`network`]: the objects of `product.md` section 1.
//! - [`matching`], [`naming`], [`paths`], [`skip_words`], [`decide`]: which push builds what, under which tags.
//! - [`dockerignore`], [`dockerfile_path`], [`content`], [`image_config`], [`version`], [`namespace`]: build contexts and what an image holds.
//! - [`retention`]: which versions may go.
//! - [`deploy`]: bringing an image to what runs. [`disk_budget`]: which images of ours go when there are too many.
//! - [`mask`], [`control`]: what may be shown. [`rule_check`]: what may be saved.
//! - [`host`]: code hosts: accounts, lists, what moved, hooks, and the ports to them.
//! - [`channel`]: telling chat groups and programs what changed.
//! - [`webhook`]: why a delivery to the listener is refused.
//! - [`ports`]: what the outside must be able to do (git, engine, registry, vault, clock).
//! - [`failure`]: the closed list of error codes with their class, retry rule and next step.

pub mod build;
pub mod channel;
pub mod code;
pub mod configuration;
pub mod content;
pub mod control;
pub mod decide;
pub mod deploy;
pub mod disk_budget;
pub mod dockerfile_path;
pub mod dockerignore;
pub mod failure;
pub mod health;
pub mod host;
pub mod ids;
pub mod image;
pub mod image_config;
pub mod log;
pub mod mask;
pub mod matching;
pub mod namespace;
pub mod naming;
pub mod network;
pub mod notice;
pub mod paths;
pub mod ports;
pub mod retention;
pub mod rule;
pub mod rule_check;
pub mod scrub;
pub mod secret;
pub mod skip_words;
pub mod ssh;
pub mod starter;
pub mod trigger;
pub mod version;
pub mod webhook;

pub use failure::{ErrorClass, ErrorCode, Failure};
pub use secret::Secret;
