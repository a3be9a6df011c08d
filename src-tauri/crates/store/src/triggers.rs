//! `triggers`: deleted ones stay as rows, because records of firings name them.

use crate::firings::skip_waiting_of_trigger;
use crate::row::{Columns, json, millis};
use crate::{Store, StoreError, tag_events, targets};
use chrono::{DateTime, Utc};
use slipway_core::ids::{FiringId, ImageRepositoryId, TagEventId, TargetId, TriggerId};
use slipway_core::trigger::{TargetPin, TriggerSpec};
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};

/// One image trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerRecord {
    /// Its id.
    pub id: TriggerId,
    /// Whose tags fire it.
    pub repository: ImageRepositoryId,
    /// What it updates.
    pub target: TargetId,
    /// What the person said.
    pub spec: TriggerSpec,
    /// Events up to this one do not fire it.
    pub seen_event: TagEventId,
    /// What its target is pinned to: it is paused.
    pub pin: Option<TargetPin>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT t.*, g.pin FROM triggers t JOIN targets g ON g.id = t.target_id ", $rest)
    };
}

fn record(row: &SqliteRow) -> Result<TriggerRecord, StoreError> {
    Ok(TriggerRecord {
        id: TriggerId(row.int("id")?),
        repository: ImageRepositoryId(row.int("repository_id")?),
        target: TargetId(row.int("target_id")?),
        spec: row.json("spec")?,
        seen_event: TagEventId(row.int("seen_event")?),
        pin: row.json_of("pin")?,
        deleted_at: row.time_of("deleted_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

impl Store {
    /// Adds a trigger. Tags that are there now do not fire it.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] at `spec.name`; [`StoreError::NotFound`] without the repository.
    pub async fn insert_trigger(
        &self,
        repository: ImageRepositoryId,
        spec: &TriggerSpec,
        now: DateTime<Utc>,
    ) -> Result<TriggerId, StoreError> {
        let mut tx = self.write().await?;
        let id = insert(&mut tx, repository, spec, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns a trigger, also a deleted one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn trigger(&self, id: TriggerId) -> Result<TriggerRecord, StoreError> {
        let row = sqlx::query(select!("WHERE t.id = ?")).bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("trigger", id))?)
    }

    /// Returns the triggers that are not deleted, by name; of one repository when it is given.
    ///
    /// # Errors
    /// As every read.
    pub async fn triggers(&self, repository: Option<ImageRepositoryId>) -> Result<Vec<TriggerRecord>, StoreError> {
        let rows = sqlx::query(select!(
            "WHERE t.deleted_at IS NULL AND (?1 IS NULL OR t.repository_id = ?1) ORDER BY t.name, t.id"
        ))
        .bind(repository.map(|repository| repository.0))
        .fetch_all(self.read())
        .await?;
        rows.iter().map(record).collect()
    }

    /// Returns the triggers of a target that are not deleted, by name.
    ///
    /// # Errors
    /// As every read.
    pub async fn triggers_of_target(&self, target: TargetId) -> Result<Vec<TriggerRecord>, StoreError> {
        let rows = sqlx::query(select!("WHERE t.deleted_at IS NULL AND t.target_id = ? ORDER BY t.name, t.id"))
            .bind(target.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Changes a trigger. After turning it on, or with another condition, what is there now counts as seen.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (also when it is deleted), [`StoreError::NameTaken`] at `spec.name`.
    pub async fn update_trigger(
        &self,
        id: TriggerId,
        spec: &TriggerSpec,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        update(&mut tx, id, spec, now).await?;
        Ok(tx.commit().await?)
    }

    /// Deletes a trigger. Firings of it that wait end; one that runs goes on; records stay. Returns those that run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (also when it is deleted already).
    pub async fn delete_trigger(&self, id: TriggerId, now: DateTime<Utc>) -> Result<Vec<FiringId>, StoreError> {
        let mut tx = self.write().await?;
        let done =
            sqlx::query("UPDATE triggers SET deleted_at = ?1, updated_at = ?1 WHERE id = ?2 AND deleted_at IS NULL")
                .bind(millis(now))
                .bind(id.0)
                .execute(&mut *tx)
                .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("trigger", id));
        }
        skip_waiting_of_trigger(&mut tx, id, now).await?;
        let running: Vec<i64> =
            sqlx::query_scalar("SELECT id FROM firings WHERE trigger_id = ? AND state = 'running' ORDER BY id")
                .bind(id.0)
                .fetch_all(&mut *tx)
                .await?;
        tx.commit().await?;
        Ok(running.into_iter().map(FiringId).collect())
    }
}

pub(crate) async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    repository: ImageRepositoryId,
    spec: &TriggerSpec,
    now: DateTime<Utc>,
) -> Result<TriggerId, StoreError> {
    let target = targets::ensure(tx, &spec.target, now).await?;
    let seen = tag_events::newest(tx).await?;
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO triggers (repository_id, target_id, name, spec, enabled, seen_event, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) RETURNING id",
    )
    .bind(repository.0)
    .bind(target.0)
    .bind(&spec.name)
    .bind(json(spec)?)
    .bind(spec.enabled)
    .bind(seen)
    .bind(millis(now))
    .fetch_one(&mut **tx)
    .await
    .map_err(|error| match StoreError::from(error).name_taken_at("spec.name").in_use_as("trigger") {
        StoreError::InUse { .. } => StoreError::not_found("image repository", repository),
        other => other,
    })?;
    tag_events::want_baseline(tx, repository).await?;
    Ok(TriggerId(id))
}

pub(crate) async fn update(
    tx: &mut Transaction<'_, Sqlite>,
    id: TriggerId,
    spec: &TriggerSpec,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = sqlx::query("SELECT repository_id, spec, seen_event FROM triggers WHERE id = ? AND deleted_at IS NULL")
        .bind(id.0)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| StoreError::not_found("trigger", id))?;
    let repository = ImageRepositoryId(row.int("repository_id")?);
    let old: TriggerSpec = row.json("spec")?;
    let begins = spec.enabled && (!old.enabled || old.condition != spec.condition);
    let seen = if begins { tag_events::newest(tx).await? } else { row.int("seen_event")? };
    let target = targets::ensure(tx, &spec.target, now).await?;
    sqlx::query(
        "UPDATE triggers SET target_id = ?, name = ?, spec = ?, enabled = ?, seen_event = ?, updated_at = ? \
         WHERE id = ?",
    )
    .bind(target.0)
    .bind(&spec.name)
    .bind(json(spec)?)
    .bind(spec.enabled)
    .bind(seen)
    .bind(millis(now))
    .bind(id.0)
    .execute(&mut **tx)
    .await
    .map_err(|error| StoreError::from(error).name_taken_at("spec.name"))?;
    if begins {
        tag_events::want_baseline(tx, repository).await?;
    }
    if !spec.enabled || old.target.key() != spec.target.key() {
        skip_waiting_of_trigger(tx, id, now).await?;
    }
    Ok(())
}
