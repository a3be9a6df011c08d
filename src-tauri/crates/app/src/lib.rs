//! Composition: opens, wires, starts and stops the watcher, the queue and recovery.
//!
//! [`Slipway`] is the whole product without a window. Use cases are its methods, one file per object. Behind it run two
//! kinds of tasks: [`watch`] turns moved refs into build rows, [`queue`] turns build rows into published tags through the
//! stages in `pipeline`. The rows are the truth: memory only wakes tasks, and `recovery` settles at start what an earlier
//! run left open.

mod access;
pub mod accounts;
mod authority;
mod away;
pub mod build_comparison;
pub mod build_log;
pub mod builds;
pub mod channels;
pub mod checklist;
pub mod code_repositories;
mod commit_reports;
pub mod configuration;
mod copy_tag;
mod data_folder;
mod deploy_needs;
pub mod diagnostics;
pub mod disk_budget;
pub mod dockerfile_builds;
mod events;
pub mod fail_point;
pub mod firings;
#[doc(hidden)]
pub mod fuzzing;
pub mod health;
mod housekeeping;
pub mod image_repositories;
pub mod inbox;
mod leftovers;
mod namespaces;
mod newest_tag;
mod pipeline;
pub mod preflight;
pub mod program_log;
mod queue;
mod recovery;
pub mod registries;
pub mod retention;
mod room;
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
pub mod webhooks;
mod wiring;

pub use access::{OutsideLogins, StoredProxy};
pub use copy_tag::{CopyTag, TagCopied};
pub use data_folder::data_folder;
pub use events::AppEvent;
pub use settings::Settings;
pub use slipway::{BuildProxies, DeployActions, Engines, OpenOptions, Pace, Ports, ServiceDirectories, Slipway};

pub use queue::QueuedBuild;

pub(crate) use slipway::Parts;
