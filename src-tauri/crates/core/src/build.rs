//! Builds: one run, its states, stages and steps (`product.md` section 5).

use crate::Failure;
use crate::code::{CommitDetails, CommitId, RefName, RepoPath};
use crate::ids::{BuildId, CodeRepositoryId, ObservationId, RuleId};
use crate::image::{ContentIdentity, Digest, ImageId, Platform, Tag};
use crate::rule::{BuildOptions, Strategy, VersionRule};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The number that people see (`#12`), counted per image repository, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct BuildNumber(pub i64);

/// Why a build exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BuildKind {
    /// A push matched the rule.
    Push,
    /// "Build now".
    Manual,
    /// An uploaded Dockerfile (使用Dockerfile进行构建).
    Dockerfile,
    /// The same inputs again.
    Rerun,
    /// An image uploaded by hand: nothing is built.
    Upload,
}

/// Where a build stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BuildState {
    /// Waits in the queue.
    Queued,
    /// A worker holds it; its stage says what it does.
    Running,
    /// All tags are where they belong.
    Succeeded,
    /// It ended with an error.
    Failed,
    /// A person cancelled it.
    Cancelled,
    /// A newer push of the ref took its place before it started.
    Superseded,
    /// The push did not need a build (skip word, path filter); the reason says why.
    Skipped,
    /// It waits for something outside to come back (engine, network, keychain); goes on by itself.
    Paused,
}

impl BuildState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Superseded,
        Self::Skipped,
        Self::Paused,
    ];

    /// Returns the state's text in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Skipped => "skipped",
            Self::Paused => "paused",
        }
    }

    /// Returns true when nothing will change it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Superseded | Self::Skipped)
    }

    /// Returns whether a build may go from this state to that one.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(
                next,
                Self::Running | Self::Cancelled | Self::Superseded | Self::Skipped | Self::Failed | Self::Paused
            ),
            Self::Running => {
                matches!(
                    next,
                    Self::Succeeded | Self::Failed | Self::Cancelled | Self::Paused | Self::Queued | Self::Skipped
                )
            }
            Self::Paused => {
                matches!(next, Self::Queued | Self::Running | Self::Cancelled | Self::Superseded | Self::Failed)
            }
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Superseded | Self::Skipped => false,
        }
    }
}

/// What a list of builds is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BuildColumn {
    /// What needs looking at first: what is not over, failed, then the others.
    State,
    /// The name of the image repository.
    Repository,
    /// The name of the rule; builds without one come last.
    Rule,
    /// How long it took; what did not begin, or is not over, comes last.
    Duration,
    /// When it ended; for what is not over, when it was made.
    Time,
}

/// How a list of builds is sorted. Equal ones stay newest first where the column has few values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct BuildOrder {
    /// By this column.
    pub column: BuildColumn,
    /// The largest first.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub descending: bool,
}

/// The stages of a build, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Fetch the commit, resolve paths and names.
    Checkout,
    /// Build on the engine.
    Build,
    /// Tag and push, verified at the registry.
    Push,
    /// Hand the new tags to the triggers.
    Triggers,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 4] = [Self::Checkout, Self::Build, Self::Push, Self::Triggers];
}

/// One stage of one build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct StageRecord {
    /// Which.
    pub stage: Stage,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None` while it runs.
    pub ended_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<StageOutcome>,
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StageOutcome {
    /// It did its work.
    Succeeded,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// There was nothing to do (no push on *Local engine*).
    Skipped,
}

/// The inputs of a build, resolved and kept: running it again needs nothing else, and they are the parameters (构建参数).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct BuildInputs {
    /// The rule, when one started it.
    pub rule: Option<RuleId>,
    /// The rule's name then.
    pub rule_name: Option<String>,
    /// Which code; `None` for an uploaded Dockerfile.
    pub code: Option<CodeRepositoryId>,
    /// The ref; `None` when a bare commit was asked for.
    pub ref_name: Option<RefName>,
    /// The commit.
    pub commit: Option<CommitId>,
    /// The observation that started it; decides what is newer.
    pub observation: Option<ObservationId>,
    /// Path of the Dockerfile.
    pub dockerfile_path: RepoPath,
    /// The build directory.
    pub context_dir: RepoPath,
    /// How tags are rendered.
    pub version: VersionRule,
    /// Fixed tags instead of rendered ones.
    #[serde(default)]
    pub fixed_tags: Vec<Tag>,
    /// Capture groups of the rule's pattern on this ref, for the templates: number and name to text.
    #[serde(default)]
    pub groups: std::collections::BTreeMap<String, String>,
    /// The overwrite tag, when this build moves it.
    pub overwrite_tag: Option<Tag>,
    /// How it is built.
    pub options: BuildOptions,
    /// The rule's strategy.
    #[serde(default)]
    pub strategy: Strategy,
    /// What was uploaded by hand instead of code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
}

/// What a person uploaded. `folder` names what the data folder keeps as long as a build needs it, so that it can be run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Upload {
    /// A Dockerfile with what it copies (使用Dockerfile进行构建).
    Dockerfile {
        /// Where it is kept.
        folder: String,
        /// Where the context came from: a folder or an archive; none when there is only the Dockerfile.
        context: Option<String>,
        /// Files of the context.
        files: u64,
        /// Bytes of the context.
        bytes: u64,
    },
    /// An image of the local engine.
    LocalImage {
        /// The name that was picked.
        name: String,
        /// The image behind it then.
        image: ImageId,
    },
    /// An archive as `docker save` writes it.
    Archive {
        /// Where it is kept, when it was sent; none for a file that stays where it is.
        folder: Option<String>,
        /// The file on this machine, or the name under which it was sent.
        path: String,
        /// Which image of the archive; none when it has one.
        image: Option<String>,
    },
}

/// A reason for skipping, pausing or superseding, as a code with facts; translated by the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BuildReason {
    /// The commit message holds a skip word.
    SkipWord {
        /// The word.
        word: String,
    },
    /// No changed file passes the path filters.
    PathFilter {
        /// How many files changed.
        changed: usize,
        /// One of them, for the sentence.
        example: Option<String>,
    },
    /// A newer push took its place.
    SupersededBy {
        /// The build that covers it.
        build: BuildId,
    },
    /// The ref went away before the build started.
    RefDeleted,
    /// Waiting for something outside.
    Waiting {
        /// What failed.
        failure: Failure,
    },
}

/// Why a build that is not running waits; computed, never stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WaitReason {
    /// All places of the engine are taken.
    Slots {
        /// How many builds are ahead of it.
        ahead: usize,
    },
    /// An earlier build of the same rule and ref is running.
    SameRef {
        /// That build.
        build: BuildId,
    },
    /// It is tried again later.
    Backoff {
        /// When.
        until: DateTime<Utc>,
        /// What failed.
        failure: Failure,
    },
    /// Something outside is away.
    Outside {
        /// What failed.
        failure: Failure,
    },
}

/// A finished image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct BuiltImage {
    /// The engine's id.
    pub id: ImageId,
    /// What it holds.
    pub content: ContentIdentity,
    /// Bytes in the engine's store.
    pub size: u64,
    /// The platforms that were built.
    pub platforms: Vec<Platform>,
}

/// Where one tag of a build stands: a publication is a row before the tag moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PublicationState {
    /// Not done yet.
    Waiting,
    /// On its way.
    Pushing,
    /// There, verified.
    Done,
    /// It already held this content.
    Unchanged,
    /// A later observation moved this tag before; nothing was overwritten.
    KeptNewer,
    /// It failed for good.
    Failed,
}

/// The result of publishing one tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Published {
    /// The manifest digest at the registry; `None` on *Local engine*.
    pub digest: Option<Digest>,
}

/// What is shown about the commit of a build.
pub type BuildCommit = CommitDetails;
