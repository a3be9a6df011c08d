//! Reading firings: lists, the queue, the history of a target, journals and lines.

use crate::firings::{FiringRecord, record};
use crate::row::{Columns, json, millis, word, word_of};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::deploy::{JournalEntry, JournalMark};
use slipway_core::ids::{BuildId, FiringId, ImageRepositoryId, TargetId, TriggerId};
use slipway_core::trigger::{FiringKind, FiringState};
use sqlx::QueryBuilder;
use sqlx::sqlite::Sqlite;

/// What a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FiringFilter {
    /// Of this image repository.
    pub repository: Option<ImageRepositoryId>,
    /// Of this trigger.
    pub trigger: Option<TriggerId>,
    /// Of this target.
    pub target: Option<TargetId>,
    /// Of this build.
    pub build: Option<BuildId>,
    /// In this state.
    pub state: Option<FiringState>,
    /// Of this kind.
    pub kind: Option<FiringKind>,
    /// Whose trigger's name or tag contains this.
    pub search: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiringPage {
    /// Newest first.
    pub items: Vec<FiringRecord>,
    /// How many fit the filter in all.
    pub total: u64,
    /// There are older ones.
    pub more: bool,
}

/// A line of a firing's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiringLine {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub text: String,
}

impl FiringFilter {
    fn push(&self, query: &mut QueryBuilder<Sqlite>) -> Result<(), StoreError> {
        query.push(" WHERE 1");
        let ids = [
            ("repository_id", self.repository.map(|id| id.0)),
            ("trigger_id", self.trigger.map(|id| id.0)),
            ("target_id", self.target.map(|id| id.0)),
            ("build_id", self.build.map(|id| id.0)),
        ];
        for (column, id) in ids {
            if let Some(id) = id {
                query.push(" AND ").push(column).push(" = ").push_bind(id);
            }
        }
        for (column, text) in [("state", word_of(self.state.as_ref())?), ("kind", word_of(self.kind.as_ref())?)] {
            if let Some(text) = text {
                query.push(" AND ").push(column).push(" = ").push_bind(text);
            }
        }
        if !self.search.is_empty() {
            query.push(" AND (instr(lower(COALESCE(trigger_name, '')), ").push_bind(self.search.to_lowercase());
            query.push(") OR instr(lower(COALESCE(tag, '')), ").push_bind(self.search.to_lowercase()).push("))");
        }
        Ok(())
    }
}

impl Store {
    /// Returns a firing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn firing(&self, id: FiringId) -> Result<FiringRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM firings WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("firing", id))?)
    }

    /// Returns a page of firings, newest first, of those before an id.
    ///
    /// # Errors
    /// As every read.
    pub async fn list_firings(
        &self,
        filter: &FiringFilter,
        before: Option<FiringId>,
        limit: u32,
    ) -> Result<FiringPage, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM firings");
        filter.push(&mut query)?;
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(before.0);
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let rows = query.build().fetch_all(self.read()).await?;
        let mut items: Vec<FiringRecord> = rows.iter().map(record).collect::<Result<_, _>>()?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let mut query = QueryBuilder::new("SELECT COUNT(*) AS total FROM firings");
        filter.push(&mut query)?;
        let total = query.build().fetch_one(self.read()).await?.count("total")?;
        Ok(FiringPage { items, total, more })
    }

    /// Returns everything unfinished, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn unfinished_firings(&self) -> Result<Vec<FiringRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM firings WHERE state IN ('waiting', 'running') ORDER BY id")
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Returns the firings of a target that brought their image there, newest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn deployed_firings(&self, target: TargetId, limit: u32) -> Result<Vec<FiringRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM firings WHERE target_id = ? AND state = 'succeeded' ORDER BY end_order DESC, id DESC LIMIT ?",
        )
        .bind(target.0)
        .bind(limit)
        .fetch_all(self.read())
        .await?;
        rows.iter().map(record).collect()
    }

    /// Adds an entry to the journal of an attempt; a begun step is what the firing is at.
    ///
    /// # Errors
    /// As every write.
    pub async fn add_firing_entry(
        &self,
        firing: FiringId,
        attempt: u32,
        entry: &JournalEntry,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO firing_journal (firing_id, attempt, at, entry) VALUES (?, ?, ?, ?)")
            .bind(firing.0)
            .bind(attempt)
            .bind(millis(now))
            .bind(json(entry)?)
            .execute(&mut *tx)
            .await?;
        if entry.mark == JournalMark::Intended {
            sqlx::query("UPDATE firings SET step = ? WHERE id = ? AND state = 'running'")
                .bind(word(&entry.kind)?)
                .bind(firing.0)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Returns the journal of an attempt, in order, with the time of each entry.
    ///
    /// # Errors
    /// As every read.
    pub async fn firing_entries(
        &self,
        firing: FiringId,
        attempt: u32,
    ) -> Result<Vec<(DateTime<Utc>, JournalEntry)>, StoreError> {
        let rows = sqlx::query("SELECT at, entry FROM firing_journal WHERE firing_id = ? AND attempt = ? ORDER BY id")
            .bind(firing.0)
            .bind(attempt)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(|row| Ok((row.time("at")?, row.json("entry")?))).collect()
    }

    /// Adds a line to a firing's log.
    ///
    /// # Errors
    /// As every write.
    pub async fn add_firing_line(&self, firing: FiringId, text: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO firing_lines (firing_id, at, text) VALUES (?, ?, ?)")
            .bind(firing.0)
            .bind(millis(now))
            .bind(text)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Returns the log of a firing.
    ///
    /// # Errors
    /// As every read.
    pub async fn firing_lines(&self, firing: FiringId) -> Result<Vec<FiringLine>, StoreError> {
        let rows = sqlx::query("SELECT at, text FROM firing_lines WHERE firing_id = ? ORDER BY id")
            .bind(firing.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(|row| Ok(FiringLine { at: row.time("at")?, text: row.text("text")? })).collect()
    }
}
