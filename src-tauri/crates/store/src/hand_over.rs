//! How a firing comes to be: an event meets a trigger's condition, or a person wants it.

use crate::firings::{FiringRecord, Newer, end, newer_on_target, record, supersede_older};
use crate::row::{Columns, json, millis, word};
use crate::{Store, StoreError, targets};
use chrono::{DateTime, Utc};
use slipway_core::deploy::{DeployTarget, HealthGate};
use slipway_core::ids::{FiringId, ImageRepositoryId, ObservationId, TagEventId, TargetId, TriggerId};
use slipway_core::trigger::{EventOrder, FiringKind, FiringReason, FiringState, TargetPin, TargetVersion, TriggerSpec};
use sqlx::{Sqlite, Transaction};

/// A trigger whose condition an event meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFiring {
    /// Which trigger.
    pub trigger: TriggerId,
    /// Which event.
    pub event: TagEventId,
    /// The image as a deploy names it.
    pub version: TargetVersion,
}

/// What a person wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonsFiring {
    /// What kind of wish; [`FiringKind::RollBack`] pins the target.
    pub kind: FiringKind,
    /// To what.
    pub target: DeployTarget,
    /// The image's repository, when it is one of ours.
    pub repository: Option<ImageRepositoryId>,
    /// When it counts as serving.
    pub gate: HealthGate,
    /// The image.
    pub version: TargetVersion,
    /// The earlier firing that is gone back to.
    pub back_to: Option<FiringId>,
}

impl Store {
    /// Hands events to triggers: the events count as handled, and each firing is there, once. A firing on a pinned target, or
    /// one that something newer has overtaken, is a record only; otherwise it waits, and what waited before it ends. Returns
    /// the firings of this call that are new.
    ///
    /// # Errors
    /// As every write.
    pub async fn hand_over(
        &self,
        events: &[TagEventId],
        firings: &[NewFiring],
        now: DateTime<Utc>,
    ) -> Result<Vec<FiringRecord>, StoreError> {
        let mut tx = self.write().await?;
        let mut made = Vec::new();
        for new in firings {
            made.extend(insert_triggered(&mut tx, new, now).await?);
        }
        for event in events {
            sqlx::query("UPDATE tag_events SET handled = 1 WHERE id = ?").bind(event.0).execute(&mut *tx).await?;
        }
        let mut records = Vec::new();
        for id in made {
            let row = sqlx::query("SELECT * FROM firings WHERE id = ?").bind(id.0).fetch_one(&mut *tx).await?;
            records.push(record(&row)?);
        }
        tx.commit().await?;
        Ok(records)
    }

    /// Writes a person's wish. It is observed now, so whatever waits for the target ends; a rollback pins the target.
    ///
    /// # Errors
    /// As every write.
    pub async fn insert_persons_firing(
        &self,
        wish: &PersonsFiring,
        now: DateTime<Utc>,
    ) -> Result<FiringId, StoreError> {
        let mut tx = self.write().await?;
        let target = targets::ensure(&mut tx, &wish.target, now).await?;
        let event: i64 = sqlx::query_scalar(
            "INSERT INTO tag_events (repository_id, tag, source, observed_at, handled) VALUES (?, ?, 'manual', ?, 1) \
             RETURNING id",
        )
        .bind(wish.repository.map(|repository| repository.0))
        .bind(wish.version.tag.as_ref().map(|tag| tag.as_str()))
        .bind(millis(now))
        .fetch_one(&mut *tx)
        .await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO firings (kind, target_id, target, repository_id, gate, event_id, source, tag, image, back_to, \
             state, observed_at, created_at) VALUES (?, ?, ?, ?, ?, ?, 'manual', ?, ?, ?, 'waiting', ?10, ?10) RETURNING id",
        )
        .bind(word(&wish.kind)?)
        .bind(target.0)
        .bind(json(&wish.target)?)
        .bind(wish.repository.map(|repository| repository.0))
        .bind(json(&wish.gate)?)
        .bind(event)
        .bind(wish.version.tag.as_ref().map(|tag| tag.as_str()))
        .bind(json(&wish.version.image)?)
        .bind(wish.back_to.map(|firing| firing.0))
        .bind(millis(now))
        .fetch_one(&mut *tx)
        .await?;
        let id = FiringId(id);
        let order = EventOrder { event: TagEventId(event), observation: None };
        supersede_older(&mut tx, id, target, order, now).await?;
        if wish.kind == FiringKind::RollBack {
            let pin = TargetPin { firing: id, version: wish.version.clone(), since: now };
            sqlx::query("UPDATE targets SET pin = ? WHERE id = ?")
                .bind(json(&pin)?)
                .bind(target.0)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(id)
    }
}

async fn insert_triggered(
    tx: &mut Transaction<'_, Sqlite>,
    new: &NewFiring,
    now: DateTime<Utc>,
) -> Result<Option<FiringId>, StoreError> {
    let trigger = sqlx::query(
        "SELECT target_id, spec FROM triggers WHERE id = ? AND enabled = 1 AND deleted_at IS NULL AND seen_event < ?",
    )
    .bind(new.trigger.0)
    .bind(new.event.0)
    .fetch_optional(&mut **tx)
    .await?;
    let Some(trigger) = trigger else { return Ok(None) };
    let target = TargetId(trigger.int("target_id")?);
    let spec: TriggerSpec = trigger.json("spec")?;
    let event = sqlx::query("SELECT * FROM tag_events WHERE id = ?").bind(new.event.0).fetch_one(&mut **tx).await?;
    let order = EventOrder { event: new.event, observation: event.int_of("observation_id")?.map(ObservationId) };
    let reason = if targets::pin_of(tx, target).await?.is_some() {
        Some((FiringState::Skipped, FiringReason::Paused))
    } else {
        let newer = newer_on_target(tx, target, order, Newer::ThereOrComing).await?;
        newer.map(|firing| (FiringState::Superseded, FiringReason::NewerRuns { firing }))
    };
    let id: Option<i64> = sqlx::query_scalar(
        "INSERT INTO firings (kind, target_id, target, repository_id, trigger_id, trigger_name, condition, gate, event_id, \
         observation_id, build_id, source, tag, image, state, observed_at, created_at) \
         VALUES ('trigger', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 'waiting', ?14, ?15) \
         ON CONFLICT DO NOTHING RETURNING id",
    )
    .bind(target.0)
    .bind(json(&spec.target)?)
    .bind(event.int_of("repository_id")?)
    .bind(new.trigger.0)
    .bind(&spec.name)
    .bind(json(&spec.condition)?)
    .bind(json(&spec.gate)?)
    .bind(new.event.0)
    .bind(order.observation.map(|observation| observation.0))
    .bind(event.int_of("build_id")?)
    .bind(event.text("source")?)
    .bind(new.version.tag.as_ref().map(|tag| tag.as_str()))
    .bind(json(&new.version.image)?)
    .bind(event.int("observed_at")?)
    .bind(millis(now))
    .fetch_optional(&mut **tx)
    .await?;
    let Some(id) = id.map(FiringId) else { return Ok(None) };
    match reason {
        Some((state, reason)) => end(tx, id, state, &reason, now).await?,
        None => supersede_older(tx, id, target, order, now).await?,
    }
    Ok(Some(id))
}
