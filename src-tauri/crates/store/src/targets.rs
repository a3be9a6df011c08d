//! `targets`: what firings bring images to, with the pin that a rollback leaves.

use crate::row::{Columns, json, millis};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::deploy::DeployTarget;
use slipway_core::ids::{FiringId, TargetId};
use slipway_core::trigger::TargetPin;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};

/// A deploy target that a trigger or a firing names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRecord {
    /// Its id.
    pub id: TargetId,
    /// What it is, as it was named last.
    pub target: DeployTarget,
    /// What a person pinned it to.
    pub pin: Option<TargetPin>,
    /// When it was named first.
    pub created_at: DateTime<Utc>,
}

fn record(row: &SqliteRow) -> Result<TargetRecord, StoreError> {
    Ok(TargetRecord {
        id: TargetId(row.int("id")?),
        target: row.json("target")?,
        pin: row.json_of("pin")?,
        created_at: row.time("created_at")?,
    })
}

/// Returns the row of a target, made when it is not there.
pub(crate) async fn ensure(
    tx: &mut Transaction<'_, Sqlite>,
    target: &DeployTarget,
    now: DateTime<Utc>,
) -> Result<TargetId, StoreError> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO targets (key, target, created_at) VALUES (?, ?, ?) \
         ON CONFLICT (key) DO UPDATE SET target = excluded.target RETURNING id",
    )
    .bind(target.key())
    .bind(json(target)?)
    .bind(millis(now))
    .fetch_one(&mut **tx)
    .await?;
    Ok(TargetId(id))
}

/// Returns what a target is pinned to.
pub(crate) async fn pin_of(
    tx: &mut Transaction<'_, Sqlite>,
    target: TargetId,
) -> Result<Option<TargetPin>, StoreError> {
    let row = sqlx::query("SELECT pin FROM targets WHERE id = ?").bind(target.0).fetch_optional(&mut **tx).await?;
    row.map_or(Ok(None), |row| row.json_of("pin"))
}

impl Store {
    /// Returns a target.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn target(&self, id: TargetId) -> Result<TargetRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM targets WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("target", id))?)
    }

    /// Returns the row of what this names; `None` when nobody had to do with it yet.
    ///
    /// # Errors
    /// As every read.
    pub async fn find_target(&self, target: &DeployTarget) -> Result<Option<TargetRecord>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM targets WHERE key = ?").bind(target.key()).fetch_optional(self.read()).await?;
        row.as_ref().map(record).transpose()
    }

    /// Returns all targets, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn targets(&self) -> Result<Vec<TargetRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM targets ORDER BY id").fetch_all(self.read()).await?;
        rows.iter().map(record).collect()
    }

    /// Returns the row of a target, made when it is not there.
    ///
    /// # Errors
    /// As every write.
    pub async fn ensure_target(&self, target: &DeployTarget, now: DateTime<Utc>) -> Result<TargetId, StoreError> {
        let mut tx = self.write().await?;
        let id = ensure(&mut tx, target, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Takes a pin away. The newest firing that was left out because of it waits again: what was missed in a pause is caught
    /// up with, newest only. Returns that firing.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when it is not pinned.
    pub async fn unpin_target(&self, id: TargetId, now: DateTime<Utc>) -> Result<Option<FiringId>, StoreError> {
        let mut tx = self.write().await?;
        let Some(pin) = pin_of(&mut tx, id).await? else {
            return Err(StoreError::WrongState("the target is not pinned".into()));
        };
        sqlx::query("UPDATE targets SET pin = NULL WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        // Only what came after the pin was left out because of it.
        let left_out: Option<i64> = sqlx::query_scalar(
            "SELECT f.id FROM firings f JOIN triggers t ON t.id = f.trigger_id \
             WHERE f.target_id = ?1 AND f.id > ?2 AND f.kind = 'trigger' AND f.state = 'skipped' \
             AND json_extract(f.reason, '$.kind') = 'paused' AND t.enabled = 1 AND t.deleted_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM firings later WHERE later.target_id = ?1 AND later.event_id > f.event_id \
                             AND later.state IN ('waiting', 'running', 'succeeded', 'unchanged')) \
             ORDER BY f.event_id DESC LIMIT 1",
        )
        .bind(id.0)
        .bind(pin.firing.0)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(firing) = left_out {
            sqlx::query(
                "UPDATE firings SET state = 'waiting', reason = NULL, ended_at = NULL, created_at = ? WHERE id = ?",
            )
            .bind(millis(now))
            .bind(firing)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(left_out.map(FiringId))
    }
}
