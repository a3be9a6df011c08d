//! `build_stages`: when each stage of a build began and how it ended.

use crate::row::{Columns, millis, word};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::build::{Stage, StageOutcome, StageRecord};
use slipway_core::ids::BuildId;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

fn record(row: &SqliteRow) -> Result<StageRecord, StoreError> {
    Ok(StageRecord {
        stage: row.word("stage")?,
        started_at: row.time("started_at")?,
        ended_at: row.time_of("ended_at")?,
        outcome: row.word_of("outcome")?,
    })
}

impl Store {
    /// Notes that a running build enters a stage and until when the stage has to end. Entering it again (a retry, a
    /// restart) keeps its first start.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when the build is not running.
    pub async fn begin_stage(
        &self,
        build: BuildId,
        stage: Stage,
        deadline_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE builds SET stage = ?, deadline_at = ? WHERE id = ? AND state = 'running'")
            .bind(word(&stage)?)
            .bind(deadline_at.map(millis))
            .bind(build.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::WrongState(format!("build {build} is not running")));
        }
        sqlx::query(
            "INSERT INTO build_stages (build_id, stage, started_at) VALUES (?, ?, ?) \
             ON CONFLICT (build_id, stage) DO UPDATE SET ended_at = NULL, outcome = NULL",
        )
        .bind(build.0)
        .bind(word(&stage)?)
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Notes how a stage ended.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the stage never began.
    pub async fn end_stage(
        &self,
        build: BuildId,
        stage: Stage,
        outcome: StageOutcome,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE build_stages SET ended_at = ?, outcome = ? WHERE build_id = ? AND stage = ?")
            .bind(millis(now))
            .bind(word(&outcome)?)
            .bind(build.0)
            .bind(word(&stage)?)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("stage of build", build));
        }
        Ok(tx.commit().await?)
    }

    /// Returns the stages of a build in their order.
    ///
    /// # Errors
    /// As every read.
    pub async fn stages(&self, build: BuildId) -> Result<Vec<StageRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM build_stages WHERE build_id = ?").bind(build.0).fetch_all(self.read()).await?;
        let mut stages = rows.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        stages.sort_by_key(|record| record.stage);
        Ok(stages)
    }
}

/// Ends whatever stage of a build is open.
pub(crate) async fn end_open(
    tx: &mut SqliteConnection,
    build: BuildId,
    outcome: StageOutcome,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE build_stages SET ended_at = ?, outcome = ? WHERE build_id = ? AND ended_at IS NULL")
        .bind(millis(now))
        .bind(word(&outcome)?)
        .bind(build.0)
        .execute(tx)
        .await?;
    Ok(())
}
