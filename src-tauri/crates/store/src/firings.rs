//! `firings`: one row for each time that a trigger or a person updates a target, there before anything happens.

use crate::notices::{self, Ended};
use crate::row::{Columns, json, json_of, millis, word};
use crate::{Store, StoreError, targets};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::deploy::{DeployOutcome, DeployTarget, HealthGate, Planned, StepKind};
use slipway_core::ids::{BuildId, FiringId, ImageRepositoryId, ObservationId, TagEventId, TargetId, TriggerId};
use slipway_core::trigger::{
    EventOrder, FiringKind, FiringReason, FiringState, TagCondition, TagEventSource, TargetVersion,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};

/// One firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiringRecord {
    /// Its id.
    pub id: FiringId,
    /// Who wanted it.
    pub kind: FiringKind,
    /// What is updated.
    pub target: TargetId,
    /// The target as the trigger or the person named it.
    pub deploy_target: DeployTarget,
    /// The image's repository, when it is one of ours.
    pub repository: Option<ImageRepositoryId>,
    /// The trigger; `None` for a person's wish.
    pub trigger: Option<TriggerId>,
    /// The trigger's name at that time.
    pub trigger_name: Option<String>,
    /// The trigger's condition at that time.
    pub condition: Option<TagCondition>,
    /// When the new image counts as serving.
    pub gate: HealthGate,
    /// Its place in time.
    pub order: EventOrder,
    /// The build that published the image.
    pub build: Option<BuildId>,
    /// Where the image came from.
    pub source: TagEventSource,
    /// What the target gets.
    pub version: TargetVersion,
    /// The earlier firing that is gone back to.
    pub back_to: Option<FiringId>,
    /// Where it stands.
    pub state: FiringState,
    /// What it is at.
    pub step: Option<StepKind>,
    /// How often it was begun.
    pub attempt: u32,
    /// Not to be begun before.
    pub not_before: Option<DateTime<Utc>>,
    /// A person wants it to end.
    pub cancel_requested: bool,
    /// When the tag was seen.
    pub observed_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was begun first.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// What its last attempt planned.
    pub plan: Option<Planned>,
    /// How it ended.
    pub outcome: Option<DeployOutcome>,
    /// Why it waits, or did nothing.
    pub reason: Option<FiringReason>,
    /// What the last attempt failed with.
    pub failure: Option<Failure>,
}

/// What became of the wish to begin a firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimedFiring {
    /// It runs now.
    Claimed(Box<FiringRecord>),
    /// It ended instead: paused, switched off, or something newer is there.
    Ended,
    /// It is not waiting any more.
    Gone,
}

pub(crate) fn record(row: &SqliteRow) -> Result<FiringRecord, StoreError> {
    Ok(FiringRecord {
        id: FiringId(row.int("id")?),
        kind: row.word("kind")?,
        target: TargetId(row.int("target_id")?),
        deploy_target: row.json("target")?,
        repository: row.int_of("repository_id")?.map(ImageRepositoryId),
        trigger: row.int_of("trigger_id")?.map(TriggerId),
        trigger_name: row.text_of("trigger_name")?,
        condition: row.json_of("condition")?,
        gate: row.json("gate")?,
        order: EventOrder {
            event: TagEventId(row.int("event_id")?),
            observation: row.int_of("observation_id")?.map(ObservationId),
        },
        build: row.int_of("build_id")?.map(BuildId),
        source: row.word("source")?,
        version: TargetVersion { tag: row.word_of("tag")?, image: row.json("image")? },
        back_to: row.int_of("back_to")?.map(FiringId),
        state: row.word("state")?,
        step: row.word_of("step")?,
        attempt: row.small("attempt")?,
        not_before: row.time_of("not_before")?,
        cancel_requested: row.flag("cancel_requested")?,
        observed_at: row.time("observed_at")?,
        created_at: row.time("created_at")?,
        started_at: row.time_of("started_at")?,
        ended_at: row.time_of("ended_at")?,
        plan: row.json_of("plan")?,
        outcome: row.json_of("outcome")?,
        reason: row.json_of("reason")?,
        failure: row.json_of("failure")?,
    })
}

/// SQL with "this row was observed later than the event `?2` of the observation `?3`" at its end, see
/// [`EventOrder::is_before`].
macro_rules! later {
    ($head:literal, $tail:literal) => {
        concat!(
            $head,
            "(CASE WHEN observation_id IS NOT NULL AND ?3 IS NOT NULL AND observation_id <> ?3 ",
            "THEN observation_id > ?3 ELSE event_id > ?2 END)",
            $tail
        )
    };
}

/// Which firings count against an earlier one.
#[derive(Clone, Copy)]
pub(crate) enum Newer {
    /// Those whose image the target runs.
    There,
    /// Those, and what is on its way.
    ThereOrComing,
}

/// Returns what was observed later than this and counts.
pub(crate) async fn newer_on_target(
    tx: &mut Transaction<'_, Sqlite>,
    target: TargetId,
    order: EventOrder,
    newer: Newer,
) -> Result<Option<FiringId>, StoreError> {
    let query = match newer {
        Newer::There => sqlx::query_scalar(later!(
            "SELECT id FROM firings WHERE target_id = ?1 AND state IN ('succeeded', 'unchanged') AND ",
            " ORDER BY id DESC LIMIT 1"
        )),
        Newer::ThereOrComing => sqlx::query_scalar(later!(
            "SELECT id FROM firings WHERE target_id = ?1 AND state IN ('waiting', 'running', 'succeeded', 'unchanged') AND ",
            " ORDER BY id DESC LIMIT 1"
        )),
    };
    let id: Option<i64> = query
        .bind(target.0)
        .bind(order.event.0)
        .bind(order.observation.map(|observation| observation.0))
        .fetch_optional(&mut **tx)
        .await?;
    Ok(id.map(FiringId))
}

/// Ends firings of a target that wait and were observed before this one.
pub(crate) async fn supersede_older(
    tx: &mut Transaction<'_, Sqlite>,
    by: FiringId,
    target: TargetId,
    order: EventOrder,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(later!(
        "UPDATE firings SET state = 'superseded', ended_at = ?4, not_before = NULL, reason = ?5 \
         WHERE target_id = ?1 AND state = 'waiting' AND id <> ?6 AND NOT ",
        ""
    ))
    .bind(target.0)
    .bind(order.event.0)
    .bind(order.observation.map(|observation| observation.0))
    .bind(millis(now))
    .bind(json(&FiringReason::SupersededBy { firing: by })?)
    .bind(by.0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends firings of a trigger that wait: it was switched off, deleted, or updates something else now.
pub(crate) async fn skip_waiting_of_trigger(
    tx: &mut Transaction<'_, Sqlite>,
    trigger: TriggerId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE firings SET state = 'skipped', ended_at = ?, not_before = NULL, reason = ? \
         WHERE trigger_id = ? AND state = 'waiting'",
    )
    .bind(millis(now))
    .bind(json(&FiringReason::SwitchedOff)?)
    .bind(trigger.0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a firing that does nothing.
pub(crate) async fn end(
    tx: &mut Transaction<'_, Sqlite>,
    id: FiringId,
    state: FiringState,
    reason: &FiringReason,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE firings SET state = ?, reason = ?, ended_at = ?, not_before = NULL WHERE id = ?")
        .bind(word(&state)?)
        .bind(json(reason)?)
        .bind(millis(now))
        .bind(id.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

impl Store {
    /// Begins a firing that waits, if it is still to be done.
    ///
    /// # Errors
    /// As every write.
    pub async fn claim_firing(&self, id: FiringId, now: DateTime<Utc>) -> Result<ClaimedFiring, StoreError> {
        let mut tx = self.write().await?;
        let row = sqlx::query("SELECT * FROM firings WHERE id = ? AND state = 'waiting'")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = row else { return Ok(ClaimedFiring::Gone) };
        let firing = record(&row)?;
        if firing.kind == FiringKind::Trigger {
            let ended = if targets::pin_of(&mut tx, firing.target).await?.is_some() {
                Some((FiringState::Skipped, FiringReason::Paused))
            } else if !is_on(&mut tx, firing.trigger).await? {
                Some((FiringState::Skipped, FiringReason::SwitchedOff))
            } else {
                newer_on_target(&mut tx, firing.target, firing.order, Newer::There)
                    .await?
                    .map(|firing| (FiringState::Superseded, FiringReason::NewerRuns { firing }))
            };
            if let Some((state, reason)) = ended {
                end(&mut tx, id, state, &reason, now).await?;
                tx.commit().await?;
                return Ok(ClaimedFiring::Ended);
            }
        }
        let row = sqlx::query(
            "UPDATE firings SET state = 'running', step = NULL, attempt = attempt + 1, not_before = NULL, reason = NULL, \
             plan = NULL, started_at = COALESCE(started_at, ?) WHERE id = ? RETURNING *",
        )
        .bind(millis(now))
        .bind(id.0)
        .fetch_one(&mut *tx)
        .await?;
        let claimed = record(&row)?;
        tx.commit().await?;
        Ok(ClaimedFiring::Claimed(Box::new(claimed)))
    }

    /// Notes what a running firing plans.
    ///
    /// # Errors
    /// As every write.
    pub async fn set_firing_plan(&self, id: FiringId, plan: &Planned) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE firings SET plan = ? WHERE id = ?").bind(json(plan)?).bind(id.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Lets a running firing wait again. Returns false when it does not run.
    ///
    /// # Errors
    /// As every write.
    pub async fn wait_firing(
        &self,
        id: FiringId,
        reason: &FiringReason,
        failure: &Failure,
        not_before: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE firings SET state = 'waiting', step = NULL, reason = ?, failure = ?, not_before = ? \
             WHERE id = ? AND state = 'running'",
        )
        .bind(json(reason)?)
        .bind(json(failure)?)
        .bind(millis(not_before))
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends a running firing, and notes that the end is to be told. Returns false when it does not run. A rollback that did not
    /// bring its image there leaves the target pinned: the person said that no trigger is to touch it.
    ///
    /// # Errors
    /// As every write.
    pub async fn finish_firing(
        &self,
        id: FiringId,
        state: FiringState,
        outcome: Option<&DeployOutcome>,
        failure: Option<&Failure>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE firings SET state = ?, step = NULL, outcome = ?, failure = ?, reason = NULL, ended_at = ? \
             WHERE id = ? AND state = 'running'",
        )
        .bind(word(&state)?)
        .bind(json_of(outcome)?)
        .bind(json_of(failure)?)
        .bind(millis(now))
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        let ended = done.rows_affected() == 1;
        if ended {
            notices::note_untold(&mut tx, Ended::Update(id)).await?;
        }
        tx.commit().await?;
        Ok(ended)
    }

    /// Notes that a person wants a firing to end; one that waits ends at once. Returns where it stands now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn request_cancel_of_firing(&self, id: FiringId, now: DateTime<Utc>) -> Result<FiringState, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE firings SET state = 'cancelled', ended_at = ?, not_before = NULL WHERE id = ? AND state = 'waiting'")
            .bind(millis(now))
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE firings SET cancel_requested = 1 WHERE id = ? AND state = 'running'")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        let row = sqlx::query("SELECT state FROM firings WHERE id = ?").bind(id.0).fetch_optional(&mut *tx).await?;
        let state = row.ok_or_else(|| StoreError::not_found("firing", id))?.word("state")?;
        tx.commit().await?;
        Ok(state)
    }

    /// Removes the record of a firing that is over.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] while it is not over, or while its target is pinned to it.
    pub async fn delete_firing(&self, id: FiringId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let row = sqlx::query(
            "SELECT f.state, json_extract(t.pin, '$.firing') AS pinned_by FROM firings f \
             JOIN targets t ON t.id = f.target_id WHERE f.id = ?",
        )
        .bind(id.0)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or_else(|| StoreError::not_found("firing", id))?;
        if !row.word::<FiringState>("state")?.is_final() {
            return Err(StoreError::WrongState("the update is not over".into()));
        }
        if row.int_of("pinned_by")? == Some(id.0) {
            return Err(StoreError::WrongState("the target is pinned by this record".into()));
        }
        sqlx::query("DELETE FROM firings WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

async fn is_on(tx: &mut Transaction<'_, Sqlite>, trigger: Option<TriggerId>) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM triggers WHERE id = ? AND enabled = 1 AND deleted_at IS NULL)")
        .bind(trigger.map(|trigger| trigger.0))
        .fetch_one(&mut **tx)
        .await?)
}
