//! Firings: one row for each time that a trigger, or a person, updates a target.

use crate::Failure;
use crate::deploy::DeployImage;
use crate::ids::FiringId;
use crate::image::Tag;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who wanted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FiringKind {
    /// A trigger's condition matched.
    Trigger,
    /// A person updated the target.
    Update,
    /// A person went back to an earlier image: the target is pinned to it.
    RollBack,
    /// A person ran an image as a new service.
    Run,
}

/// Where a firing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FiringState {
    /// In the queue of its target.
    Waiting,
    /// A worker is at it.
    Running,
    /// The target runs the image, proven.
    Succeeded,
    /// The target runs this content already: nothing was touched.
    Unchanged,
    /// It failed before anything was touched.
    Failed,
    /// It failed, and what ran before serves again, proven.
    RolledBack,
    /// It failed, and what ran before could not be proven to serve again: a person must look.
    Broken,
    /// A later one for the same target took its place.
    Superseded,
    /// A person cancelled it.
    Cancelled,
    /// It was not to be done; the reason says why.
    Skipped,
}

impl FiringState {
    /// Returns whether nothing follows.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}

/// Why a firing ended without doing anything, or waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FiringReason {
    /// Its trigger is paused, because a person rolled the target back.
    Paused,
    /// Its trigger was switched off or deleted before its turn came.
    SwitchedOff,
    /// A firing that was observed later took its place.
    SupersededBy {
        /// Which.
        firing: FiringId,
    },
    /// The target runs what was observed later.
    NewerRuns {
        /// The firing that put it there.
        firing: FiringId,
    },
    /// Something outside is away; it goes on by itself.
    Outside {
        /// What is away.
        failure: Failure,
    },
    /// The next try comes later.
    Backoff {
        /// When.
        until: DateTime<Utc>,
        /// What the last try failed with.
        failure: Failure,
    },
}

/// A target that a person rolled back: triggers leave it alone until they are resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TargetPin {
    /// The firing that rolled back.
    pub firing: FiringId,
    /// What the target is pinned to.
    pub version: TargetVersion,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// An image that a target ran or is to run, with the tag that people know it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TargetVersion {
    /// The tag; `None` when only the image itself is known.
    pub tag: Option<Tag>,
    /// The exact image.
    pub image: DeployImage,
}
