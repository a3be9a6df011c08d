//! `build_steps`: the steps of a build as the engine told them; the last update of a step wins.

use crate::row::{Columns, millis};
use crate::{Store, StoreError};
use slipway_core::ids::BuildId;
use slipway_core::log::{StepKey, StepUpdate};
use sqlx::sqlite::SqliteRow;

/// One step of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// The step as the engine told it last.
    pub update: StepUpdate,
    /// Its place: steps stand in the order in which they were first seen, from 0.
    pub ordinal: u32,
    /// The engine clipped its log.
    pub clipped: bool,
    /// Warnings of the Dockerfile frontend, one per line.
    pub warning: Option<String>,
}

fn record(row: &SqliteRow) -> Result<StepRecord, StoreError> {
    Ok(StepRecord {
        update: StepUpdate {
            key: StepKey(row.text("key")?),
            name: row.text("name")?,
            stage: row.text_of("stage")?,
            position: row.small_of("position_n")?.zip(row.small_of("position_m")?),
            internal: row.flag("internal")?,
            started: row.time_of("started_at")?,
            completed: row.time_of("ended_at")?,
            cached: row.flag("cached")?,
            error: row.text_of("error")?,
            lines: row.small_of("line_from")?.zip(row.small_of("line_to")?),
        },
        ordinal: row.small("ordinal")?,
        clipped: row.flag("clipped")?,
        warning: row.text_of("warning")?,
    })
}

impl Store {
    /// Writes steps as they are now, all in one transaction: callers collect updates and write them a few times a second.
    ///
    /// # Errors
    /// As every write; without the build it fails.
    pub async fn upsert_steps(&self, build: BuildId, steps: &[StepUpdate]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        for step in steps {
            sqlx::query(
                "INSERT INTO build_steps (build_id, key, ordinal, name, stage, position_n, position_m, internal, \
                 started_at, ended_at, cached, error, line_from, line_to) \
                 VALUES (?1, ?2, (SELECT COALESCE(MAX(ordinal) + 1, 0) FROM build_steps WHERE build_id = ?1), \
                 ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
                 ON CONFLICT (build_id, key) DO UPDATE SET name = excluded.name, stage = excluded.stage, \
                 position_n = excluded.position_n, position_m = excluded.position_m, internal = excluded.internal, \
                 started_at = excluded.started_at, ended_at = excluded.ended_at, cached = excluded.cached, \
                 error = excluded.error, line_from = excluded.line_from, line_to = excluded.line_to",
            )
            .bind(build.0)
            .bind(&step.key.0)
            .bind(&step.name)
            .bind(step.stage.as_deref())
            .bind(step.position.map(|(n, _)| n))
            .bind(step.position.map(|(_, m)| m))
            .bind(step.internal)
            .bind(step.started.map(millis))
            .bind(step.completed.map(millis))
            .bind(step.cached)
            .bind(step.error.as_deref())
            .bind(step.lines.map(|(from, _)| from))
            .bind(step.lines.map(|(_, to)| to))
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Notes that the engine clipped a step's log. An unknown step is ignored.
    ///
    /// # Errors
    /// As every write.
    pub async fn set_step_clipped(&self, build: BuildId, key: &StepKey) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE build_steps SET clipped = 1 WHERE build_id = ? AND key = ?")
            .bind(build.0)
            .bind(&key.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Adds a warning to a step. An unknown step is ignored.
    ///
    /// # Errors
    /// As every write.
    pub async fn add_step_warning(&self, build: BuildId, key: &StepKey, warning: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE build_steps SET warning = COALESCE(warning || char(10), '') || ?1 WHERE build_id = ?2 AND key = ?3 \
             AND instr(char(10) || COALESCE(warning, '') || char(10), char(10) || ?1 || char(10)) = 0",
        )
        .bind(warning)
        .bind(build.0)
        .bind(&key.0)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Forgets the steps of a build: it is built anew.
    ///
    /// # Errors
    /// As every write.
    pub async fn clear_steps(&self, build: BuildId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM build_steps WHERE build_id = ?").bind(build.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Returns the steps of a build in their order.
    ///
    /// # Errors
    /// As every read.
    pub async fn steps(&self, build: BuildId) -> Result<Vec<StepRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM build_steps WHERE build_id = ? ORDER BY ordinal")
            .bind(build.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }
}
