//! How one attempt runs, whatever the action: plan, apply, watch, and undo when either fails.

use super::{
    Applied, DeployAction, DeployJob, DeployJournal, JournalMark, Planned, Refusal, Standing, StepKind, TargetState,
};
use crate::failure::Retry;
use crate::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// How an attempt ended; the record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeployOutcome {
    /// The new image serves.
    Deployed {
        /// What runs.
        after: TargetState,
        /// Milliseconds between the old one's stop and the new one's start; `None` where the two overlap.
        gap_ms: Option<u64>,
    },
    /// The target ran this content already.
    Unchanged {
        /// What runs.
        after: TargetState,
    },
    /// Nothing was touched, because it could not have been done faithfully.
    Refused {
        /// Every reason.
        reasons: Vec<Refusal>,
    },
    /// It failed before the target was touched.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// It failed, and what served before serves again, proven.
    RolledBack {
        /// Why.
        failure: Failure,
        /// What runs.
        after: TargetState,
    },
    /// It failed, and what served before could not be brought back: a person has to look.
    Broken {
        /// Why it failed.
        failure: Failure,
        /// Why undoing failed.
        undo: Failure,
    },
}

/// Runs one attempt from its plan to its end. A failure of `plan` itself is [`DeployOutcome::Failed`].
///
/// `planned` is called with the plan before anything is touched, to be written down; its failure ends the attempt.
///
/// # Errors
/// The attempt stays open and is [`resume`]d later: the journal cannot be written or read, or the engine or the cluster is
/// away while it is planned or undone.
pub async fn deploy<F, W>(
    action: &dyn DeployAction,
    job: &DeployJob,
    journal: &dyn DeployJournal,
    cancel: &CancellationToken,
    planned: F,
) -> Result<DeployOutcome, Failure>
where
    F: FnOnce(Planned) -> W + Send,
    W: Future<Output = Result<(), Failure>> + Send,
{
    let made = match action.plan(job).await {
        Ok(made) => made,
        Err(failure) if failure.code.retry() == Retry::WhenBack => return Err(failure),
        Err(failure) => return Ok(DeployOutcome::Failed { failure }),
    };
    planned(made.clone()).await?;
    let plan = match made {
        Planned::Ready { plan } => plan,
        Planned::Unchanged { before } => return Ok(DeployOutcome::Unchanged { after: before }),
        Planned::Refused { reasons, .. } => return Ok(DeployOutcome::Refused { reasons }),
    };
    match action.apply(job, &plan, journal, cancel).await {
        Ok(Applied::InPlace) => finish(action, job, journal, cancel).await,
        Ok(Applied::Unchanged) => Ok(DeployOutcome::Unchanged { after: plan.before }),
        Err(failure) => take_back(action, job, journal, failure).await,
    }
}

/// Ends an attempt that another process began. `None` when nothing of it can be seen: the caller may run it anew.
///
/// # Errors
/// When the target or the journal cannot be read now: try again later.
pub async fn resume(
    action: &dyn DeployAction,
    job: &DeployJob,
    journal: &dyn DeployJournal,
    cancel: &CancellationToken,
) -> Result<Option<DeployOutcome>, Failure> {
    match action.standing(job, journal).await? {
        Standing::Untouched => Ok(None),
        Standing::InPlace => finish(action, job, journal, cancel).await.map(Some),
        Standing::Halfway => {
            let failure = Failure::new(ErrorCode::Interrupted, "the application stopped in the middle of the update");
            take_back(action, job, journal, failure).await.map(Some)
        }
    }
}

async fn finish(
    action: &dyn DeployAction,
    job: &DeployJob,
    journal: &dyn DeployJournal,
    cancel: &CancellationToken,
) -> Result<DeployOutcome, Failure> {
    match action.watch(job, journal, cancel).await {
        Ok(after) => Ok(DeployOutcome::Deployed { after, gap_ms: gap_ms(journal).await? }),
        Err(failure) => take_back(action, job, journal, failure).await,
    }
}

/// Undoes what an attempt did, because of `failure`. May be asked again when it ended [`DeployOutcome::Broken`].
///
/// # Errors
/// When the target cannot be reached now: try again later.
pub async fn take_back(
    action: &dyn DeployAction,
    job: &DeployJob,
    journal: &dyn DeployJournal,
    failure: Failure,
) -> Result<DeployOutcome, Failure> {
    journal.line(&format!("failed: {}", failure.message)).await;
    match action.undo(job, journal).await {
        Ok(Some(after)) => Ok(DeployOutcome::RolledBack { failure, after }),
        Ok(None) => Ok(DeployOutcome::Failed { failure }),
        Err(undo) if undo.code.retry() == Retry::WhenBack => Err(undo),
        Err(undo) => {
            journal.line(&format!("undoing failed: {}", undo.message)).await;
            Ok(DeployOutcome::Broken { failure, undo })
        }
    }
}

async fn gap_ms(journal: &dyn DeployJournal) -> Result<Option<u64>, Failure> {
    let entries = journal.entries().await?;
    let gaps = entries.iter().filter(|entry| entry.kind == StepKind::StartNew && entry.mark == JournalMark::Done);
    Ok(gaps.filter_map(|entry| entry.facts.get("gap_ms")?.parse().ok()).max())
}
