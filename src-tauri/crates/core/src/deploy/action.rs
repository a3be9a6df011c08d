//! The contract of every action, and the journal that makes its steps durable.

use super::{DeployImage, DeployPlan, DeployTarget, HealthGate, Planned, StepKind, TargetState};
use crate::ids::SecretId;
use crate::image::RegistryLogin;
use crate::{Failure, Secret};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

/// Names one attempt, unique over every data folder that uses the engine (`<owner>-<firing>`): lower-case letters, digits
/// and hyphens, at most 40. It is the value of the label `slipway.deploy` on what the attempt makes, and a webhook's
/// idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct DeployKey(pub String);

/// One attempt to bring one image to one target.
#[derive(Debug, Clone)]
pub struct DeployJob {
    /// Names the attempt.
    pub key: DeployKey,
    /// Where to.
    pub target: DeployTarget,
    /// What.
    pub image: DeployImage,
    /// The login for the image's registry, sent to that registry only.
    pub login: RegistryLogin,
    /// When the new one counts as serving.
    pub gate: HealthGate,
    /// The opened secrets that the target names.
    pub secrets: BTreeMap<SecretId, Secret>,
    /// When the tag was seen to move, for webhooks.
    pub occurred_at: DateTime<Utc>,
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Which step.
    pub kind: StepKind,
    /// To what it is done.
    pub subject: String,
    /// Before or after.
    pub mark: JournalMark,
    /// Ids and names that finishing or undoing needs; never secrets, never a whole configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// Which half of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalMark {
    /// It is about to act.
    Intended,
    /// It acted.
    Done,
    /// It was tried and failed.
    Failed,
}

/// Where an attempt writes what it does. One journal per [`DeployKey`].
#[async_trait]
pub trait DeployJournal: Send + Sync {
    /// Writes one entry; it is on disk when this returns. An attempt whose entry cannot be written does not act.
    async fn write(&self, entry: JournalEntry) -> Result<(), Failure>;
    /// Returns everything written for this attempt, in order, also by an earlier process.
    async fn entries(&self) -> Result<Vec<JournalEntry>, Failure>;
    /// Adds a line to the attempt's log, for people. Foreign text in it is free of control characters.
    async fn line(&self, text: &str);
}

/// What `apply` came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The new image is in its place, not proven yet.
    InPlace,
    /// Once the image was there to be looked at, it held what runs already: nothing was touched.
    Unchanged,
}

/// Where a target stands after the process that worked on it died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing of the attempt can be seen: it may be planned anew.
    Untouched,
    /// The new one is in its place (and perhaps not proven yet): watch it.
    InPlace,
    /// Something is left half done: undo.
    Halfway,
}

/// One way to bring an image to a target. An implementation holds no state of an attempt: everything is found again by the
/// job, the journal and the labels on what was made.
///
/// Rules: each call to the outside has a deadline. `cancel` ends `apply` and `watch` with [`crate::ErrorCode::Cancelled`];
/// the caller then undoes. Dropping a future in the middle is a crash: [`DeployAction::standing`] sorts it out. Calling
/// `undo` and `standing` twice is safe. Nothing that the target does not name and that we did not make is touched.
#[async_trait]
pub trait DeployAction: Send + Sync + 'static {
    /// Looks at what the target runs now. [`crate::ErrorCode::TargetGone`] when it does not exist.
    async fn inspect(&self, target: &DeployTarget) -> Result<TargetState, Failure>;

    /// Decides what would be done, without touching anything.
    async fn plan(&self, job: &DeployJob) -> Result<Planned, Failure>;

    /// Puts the new image in place. Refuses with [`crate::ErrorCode::TargetChanged`] when the target is no longer what the
    /// plan was made for. On an error the target may be half way: the caller undoes.
    async fn apply(
        &self,
        job: &DeployJob,
        plan: &DeployPlan,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<Applied, Failure>;

    /// Waits until the new one serves ([`crate::ErrorCode::TargetUnhealthy`] when it does not, in time), tidies up what the
    /// attempt no longer needs, and returns what runs. The measured gap, where there is one, is in the journal: fact
    /// `gap_ms` of the done [`StepKind::StartNew`].
    async fn watch(
        &self,
        job: &DeployJob,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<TargetState, Failure>;

    /// Brings back what served before the attempt and proves that it serves. `None` when there was nothing to undo.
    async fn undo(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Option<TargetState>, Failure>;

    /// Says where the target stands after a crash, from the journal and from what is really there.
    async fn standing(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Standing, Failure>;
}
