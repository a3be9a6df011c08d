//! Composition: opens, wires, starts and stops the watcher, the queue and recovery.
//!
//! [`Slipway`] is the whole product without a window. Use cases are its methods, one file per object. Behind it run two
//! kinds of tasks: [`watch`] turns moved refs into build rows, [`queue`] turns build rows into published tags through the
//! stages in `pipeline`. The rows are the truth: memory only wakes tasks, and `recovery` settles at start what an earlier
//! run left open.

mod access;
pub mod accounts;
mod away;
pub mod build_log;
pub mod builds;
pub mod checklist;
pub mod code_repositories;
mod copy_tag;
mod data_folder;
pub mod dockerfile_builds;
mod events;
pub mod firings;
mod housekeeping;
pub mod image_repositories;
pub mod inbox;
mod namespaces;
mod newest_tag;
mod pipeline;
pub mod preflight;
mod queue;
mod recovery;
pub mod registries;
pub mod rules;
pub mod sample;
pub mod settings;
mod slipway;
pub mod starters;
pub mod targets;
pub mod triggers;
pub mod uploads;
pub mod versions;
mod watch;
mod wiring;

pub use access::{OutsideLogins, StoredProxy};
pub use copy_tag::{CopyTag, TagCopied};
pub use data_folder::data_folder;
pub use events::AppEvent;
pub use settings::Settings;
pub use slipway::{BuildProxies, DeployActions, Engines, OpenOptions, Pace, Ports, ServiceDirectories, Slipway};

pub use queue::QueuedBuild;

pub(crate) use slipway::Parts;
