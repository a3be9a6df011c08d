//! `retention`: the rules by which old versions go, and how the last run of each went.

use crate::row::{Columns, json, json_of, millis};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::ids::ImageRepositoryId;
use slipway_core::retention::{RetentionRule, RetentionRun};
use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteRow;

/// The retention of one image repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRecord {
    /// Whose.
    pub repository: ImageRepositoryId,
    /// The rule; none: switched off.
    pub rule: Option<RetentionRule>,
    /// When a person saved it.
    pub saved_at: DateTime<Utc>,
    /// How the last run went, by whomever it was started.
    pub last_run: Option<RetentionRun>,
    /// When a build, an upload or a copy last put something there.
    pub pushed_at: Option<DateTime<Utc>>,
}

const RECORD: &str = "SELECT r.*, (SELECT MAX(m.moved_at) FROM tag_moves m WHERE m.repository_id = r.repository_id) \
     AS pushed_at FROM retention r ";

fn record(row: &SqliteRow) -> Result<RetentionRecord, StoreError> {
    Ok(RetentionRecord {
        repository: ImageRepositoryId(row.int("repository_id")?),
        rule: row.json_of("rule")?,
        saved_at: row.time("saved_at")?,
        last_run: row.json_of("last_run")?,
        pushed_at: row.time_of("pushed_at")?,
    })
}

impl Store {
    /// Returns the retention of a repository; `None` when nobody ever set one and nothing ever ran.
    ///
    /// # Errors
    /// As every read.
    pub async fn retention(&self, repository: ImageRepositoryId) -> Result<Option<RetentionRecord>, StoreError> {
        let mut query = QueryBuilder::new(RECORD);
        query.push("WHERE r.repository_id = ").push_bind(repository.0);
        let row = query.build().fetch_optional(self.read()).await?;
        row.as_ref().map(record).transpose()
    }

    /// Returns every retention that has a rule.
    ///
    /// # Errors
    /// As every read.
    pub async fn retention_rules(&self) -> Result<Vec<RetentionRecord>, StoreError> {
        let mut query = QueryBuilder::<sqlx::Sqlite>::new(RECORD);
        query.push("WHERE r.rule IS NOT NULL ORDER BY r.repository_id");
        let rows = query.build().fetch_all(self.read()).await?;
        rows.iter().map(record).collect()
    }

    /// Sets the rule of a repository, or none.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the repository.
    pub async fn save_retention(
        &self,
        repository: ImageRepositoryId,
        rule: Option<&RetentionRule>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "INSERT INTO retention (repository_id, rule, saved_at) SELECT id, ?2, ?3 FROM image_repositories WHERE id = ?1 \
             ON CONFLICT (repository_id) DO UPDATE SET rule = excluded.rule, saved_at = excluded.saved_at",
        )
        .bind(repository.0)
        .bind(json_of(rule)?)
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("image repository", repository));
        }
        Ok(tx.commit().await?)
    }

    /// Writes how a run went. Nothing is written when the repository is gone.
    ///
    /// # Errors
    /// As every write.
    pub async fn note_retention_run(
        &self,
        repository: ImageRepositoryId,
        run: &RetentionRun,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO retention (repository_id, saved_at, last_run) SELECT id, ?2, ?3 FROM image_repositories \
             WHERE id = ?1 ON CONFLICT (repository_id) DO UPDATE SET last_run = excluded.last_run",
        )
        .bind(repository.0)
        .bind(millis(run.at))
        .bind(json(run)?)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
