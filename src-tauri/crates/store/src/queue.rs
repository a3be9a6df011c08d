//! How builds move between states. Every move is a compare-and-set on the state, guarded by
//! [`BuildState::may_become`]: of two callers one wins, the other one gets `false`.

use crate::builds::{BuildRecord, record};
use crate::notices::{self, Ended};
use crate::row::{Columns, json_of, millis, word};
use crate::{Store, StoreError, build_stages, rule_refs};
use chrono::{DateTime, Utc};
use serde::Serialize;
use slipway_core::Failure;
use slipway_core::build::{BuildReason, BuildState, Stage, StageOutcome};
use slipway_core::ids::{BuildId, ObservationId, RuleId};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

/// What happens to an optional column.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It becomes empty.
    Clear,
    /// It gets this value.
    Set(T),
}

impl<T> Change<T> {
    fn map<U>(&self, into: impl FnOnce(&T) -> Result<U, StoreError>) -> Result<Option<Option<U>>, StoreError> {
        Ok(match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(value) => Some(Some(into(value)?)),
        })
    }
}

/// What else changes together with the state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BuildPatch {
    /// Why it is skipped, superseded or paused.
    pub reason: Change<BuildReason>,
    /// What it failed with.
    pub failure: Change<Failure>,
    /// Not to be claimed before.
    pub not_before: Change<DateTime<Utc>>,
    /// When the present stage has to be over.
    pub deadline_at: Change<DateTime<Utc>>,
    /// The stage.
    pub stage: Change<Stage>,
}

impl Store {
    /// Moves a build from one state to another. Returns false when it was not in the first one (any more).
    ///
    /// Leaving [`BuildState::Running`] gives the owner and the deadline back; a final state sets the end time, ends open
    /// stages and clears the waiting time.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when no build may go this way; [`StoreError::NotFound`].
    pub async fn transition(
        &self,
        id: BuildId,
        from: BuildState,
        to: BuildState,
        patch: &BuildPatch,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let moved = transition(&mut tx, id, from, to, patch, now).await?;
        tx.commit().await?;
        Ok(moved)
    }

    /// Takes a waiting build: it runs now, in the hands of this run of the application. Returns false when it does not
    /// wait (any more), must wait longer, or is to be cancelled.
    ///
    /// # Errors
    /// As every write.
    pub async fn claim(&self, id: BuildId, boot_id: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE builds SET state = 'running', boot_id = ?1, attempt = attempt + 1, not_before = NULL, \
             started_at = COALESCE(started_at, ?2), reason = NULL, failure = NULL \
             WHERE id = ?3 AND state IN ('queued', 'paused') AND cancel_requested = 0 \
             AND (not_before IS NULL OR not_before <= ?2)",
        )
        .bind(boot_id)
        .bind(millis(now))
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Returns the builds that wait and may be tried now, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn list_runnable(&self, now: DateTime<Utc>) -> Result<Vec<BuildRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM builds WHERE state IN ('queued', 'running', 'paused') AND state <> 'running' \
             AND (not_before IS NULL OR not_before <= ?) ORDER BY id",
        )
        .bind(millis(now))
        .fetch_all(self.read())
        .await?;
        rows.iter().map(record).collect()
    }

    /// Returns all builds that are not over, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn non_final(&self) -> Result<Vec<BuildRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM builds WHERE state IN ('queued', 'running', 'paused') ORDER BY id")
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Ends a build, whatever unfinished state it is in, with the failure or reason that belongs to it. A success also
    /// notes what its rule built on its ref, for the path filters. Returns false when it was over already.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] when it may not end like this from where it is.
    pub async fn finish(
        &self,
        id: BuildId,
        to: BuildState,
        failure: Option<&Failure>,
        reason: Option<&BuildReason>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        if !to.is_final() {
            return Err(StoreError::WrongState(format!("{} is no end", to.as_str())));
        }
        let mut tx = self.write().await?;
        let from = state_of(&mut tx, id).await?;
        if from.is_final() {
            return Ok(false);
        }
        let patch = BuildPatch {
            reason: reason.cloned().map_or(Change::Clear, Change::Set),
            failure: failure.cloned().map_or(Change::Clear, Change::Set),
            ..BuildPatch::default()
        };
        let moved = transition(&mut tx, id, from, to, &patch, now).await?;
        if to == BuildState::Succeeded {
            note_built(&mut tx, id).await?;
        }
        if moved {
            notices::note_untold(&mut tx, Ended::Build(id)).await?;
        }
        tx.commit().await?;
        Ok(moved)
    }

    /// Asks for the end of a build. A waiting one is cancelled at once; a running one gets the mark, and its worker stops.
    /// Returns the state afterwards. Asking twice, or for a build that is over, changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn request_cancel(&self, id: BuildId, now: DateTime<Utc>) -> Result<BuildState, StoreError> {
        let mut tx = self.write().await?;
        cancel_waiting(&mut tx, id, now).await?;
        let state = state_of(&mut tx, id).await?;
        if state == BuildState::Running {
            sqlx::query("UPDATE builds SET cancel_requested = 1 WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(state)
    }
}

/// Cancels a build that waits; returns false when it does not.
pub(crate) async fn cancel_waiting(
    tx: &mut SqliteConnection,
    id: BuildId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let from = state_of(&mut *tx, id).await?;
    if !matches!(from, BuildState::Queued | BuildState::Paused) {
        return Ok(false);
    }
    sqlx::query("UPDATE builds SET cancel_requested = 1 WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
    let patch =
        BuildPatch { reason: Change::Clear, failure: Change::Set(Failure::cancelled()), ..BuildPatch::default() };
    transition(tx, id, from, BuildState::Cancelled, &patch, now).await
}

async fn state_of(tx: &mut SqliteConnection, id: BuildId) -> Result<BuildState, StoreError> {
    sqlx::query("SELECT state FROM builds WHERE id = ?")
        .bind(id.0)
        .fetch_optional(tx)
        .await?
        .ok_or_else(|| StoreError::not_found("build", id))?
        .word("state")
}

fn text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    Ok(json_of(Some(value))?.unwrap_or_default())
}

async fn transition(
    tx: &mut SqliteConnection,
    id: BuildId,
    from: BuildState,
    to: BuildState,
    patch: &BuildPatch,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    if !from.may_become(to) {
        return Err(StoreError::WrongState(format!("a build that is {} cannot become {}", from.as_str(), to.as_str())));
    }
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("UPDATE builds SET state = ");
    query.push_bind(to.as_str());
    if let Some(reason) = patch.reason.map(text)? {
        query.push(", reason = ").push_bind(reason);
    }
    if let Some(failure) = patch.failure.map(text)? {
        query.push(", failure = ").push_bind(failure);
    }
    if let Some(stage) = patch.stage.map(word)? {
        query.push(", stage = ").push_bind(stage);
    }
    if to.is_final() {
        query.push(", ended_at = ").push_bind(millis(now)).push(", not_before = NULL");
    } else if let Some(not_before) = patch.not_before.map(|at| Ok(millis(*at)))? {
        query.push(", not_before = ").push_bind(not_before);
    }
    if to == BuildState::Running {
        if let Some(deadline) = patch.deadline_at.map(|at| Ok(millis(*at)))? {
            query.push(", deadline_at = ").push_bind(deadline);
        }
        query.push(", started_at = COALESCE(started_at, ").push_bind(millis(now)).push(")");
    } else {
        query.push(", boot_id = NULL, deadline_at = NULL");
    }
    query.push(" WHERE id = ").push_bind(id.0).push(" AND state = ").push_bind(from.as_str());
    if query.build().execute(&mut *tx).await?.rows_affected() == 0 {
        // Tells a build that is elsewhere from one that is not there.
        state_of(tx, id).await?;
        return Ok(false);
    }
    if to.is_final() {
        let outcome = match to {
            BuildState::Succeeded => StageOutcome::Succeeded,
            BuildState::Failed => StageOutcome::Failed,
            BuildState::Skipped => StageOutcome::Skipped,
            _ => StageOutcome::Cancelled,
        };
        build_stages::end_open(tx, id, outcome, now).await?;
    }
    Ok(true)
}

async fn note_built(tx: &mut SqliteConnection, id: BuildId) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT rule_id, ref_name, commit_id, observation_id FROM builds WHERE id = ?")
        .bind(id.0)
        .fetch_one(&mut *tx)
        .await?;
    if let (Some(rule), Some(ref_name), Some(commit), Some(observation)) =
        (row.int_of("rule_id")?, row.text_of("ref_name")?, row.text_of("commit_id")?, row.int_of("observation_id")?)
    {
        rule_refs::set_built(tx, RuleId(rule), &ref_name, &commit, ObservationId(observation)).await?;
    }
    Ok(())
}
