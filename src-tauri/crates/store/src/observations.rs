//! `observations`: every move of a ref that was seen. Its id says what is newer; nothing else does.

use crate::row::{Columns, millis};
use crate::{Store, StoreError, rule_refs};
use chrono::{DateTime, Utc};
use slipway_core::code::{CommitId, RefName};
use slipway_core::ids::{CodeRepositoryId, ObservationId, RuleId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use std::collections::HashMap;

/// One move of a ref as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservationRecord {
    /// Its id.
    pub id: ObservationId,
    /// Where.
    pub code: CodeRepositoryId,
    /// Which ref.
    pub ref_name: RefName,
    /// What it pointed at; `None` when it was gone.
    pub object: Option<CommitId>,
    /// The commit behind it, where the remote told.
    pub commit: Option<CommitId>,
    /// When.
    pub observed_at: DateTime<Utc>,
}

/// A ref that moved, appeared or went away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMove {
    /// Which ref.
    pub ref_name: RefName,
    /// What it points at now; `None` when it is gone.
    pub object: Option<CommitId>,
    /// The commit behind it, where the remote told.
    pub commit: Option<CommitId>,
}

/// What [`Store::record_moves`] wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedMoves {
    /// This was the first look at the repository: all of it counts as handled for every rule.
    pub first_look: bool,
    /// The new observations, in the order of the moves. A move that says what is known already is not among them.
    pub observations: Vec<ObservationRecord>,
}

const HEADS: &str = "SELECT o.* FROM observations o WHERE o.code_repository_id = ?1 AND o.id IN \
     (SELECT MAX(id) FROM observations WHERE code_repository_id = ?1 GROUP BY ref_name) ORDER BY o.ref_name";

fn record(row: &SqliteRow) -> Result<ObservationRecord, StoreError> {
    Ok(ObservationRecord {
        id: ObservationId(row.int("id")?),
        code: CodeRepositoryId(row.int("code_repository_id")?),
        ref_name: row.word("ref_name")?,
        object: row.word_of("object")?,
        commit: row.word_of("commit_id")?,
        observed_at: row.time("observed_at")?,
    })
}

impl Store {
    /// Returns the latest observation of every ref of a code repository, by ref name; deleted refs are among them with
    /// no object.
    ///
    /// # Errors
    /// As every read.
    pub async fn heads(&self, code: CodeRepositoryId) -> Result<Vec<ObservationRecord>, StoreError> {
        let rows = sqlx::query(HEADS).bind(code.0).fetch_all(self.read()).await?;
        rows.iter().map(record).collect()
    }

    /// Returns one observation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn observation(&self, id: ObservationId) -> Result<ObservationRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM observations WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("observation", id))?)
    }

    /// Returns the observations of a code repository after this one (`None`: from the beginning), oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn observations_since(
        &self,
        code: CodeRepositoryId,
        after: Option<ObservationId>,
    ) -> Result<Vec<ObservationRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM observations WHERE code_repository_id = ? AND id > ? ORDER BY id")
            .bind(code.0)
            .bind(after.map_or(0, |id| id.0))
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Returns the observations that a rule has not decided about, oldest first, deletions among them. With "newest per
    /// ref" only the last one of each ref matters; with "every push" all of them do.
    ///
    /// # Errors
    /// As every read.
    pub async fn unhandled_observations(&self, rule: RuleId) -> Result<Vec<ObservationRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT o.* FROM build_rules u JOIN observations o ON o.code_repository_id = u.code_repository_id \
             LEFT JOIN rule_refs r ON r.rule_id = u.id AND r.ref_name = o.ref_name \
             WHERE u.id = ? AND u.deleted_at IS NULL AND o.id > COALESCE(r.handled_observation, 0) ORDER BY o.id",
        )
        .bind(rule.0)
        .fetch_all(self.read())
        .await?;
        rows.iter().map(record).collect()
    }

    /// Records moves of refs in one transaction. Saying again what is known writes nothing, so two looks at the same time
    /// are harmless. The first call for a repository is its first look (also without any ref): what it saw counts as
    /// handled for every rule over this code, and nothing builds.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the code repository.
    pub async fn record_moves(
        &self,
        code: CodeRepositoryId,
        moves: &[RefMove],
        now: DateTime<Utc>,
    ) -> Result<RecordedMoves, StoreError> {
        let mut tx = self.write().await?;
        let row = sqlx::query("SELECT first_looked_at FROM code_repositories WHERE id = ?")
            .bind(code.0)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| StoreError::not_found("code repository", code))?;
        let first_look = row.int_of("first_looked_at")?.is_none();
        let mut known: HashMap<RefName, Option<CommitId>> = HashMap::new();
        for row in sqlx::query(HEADS).bind(code.0).fetch_all(&mut *tx).await? {
            let head = record(&row)?;
            known.insert(head.ref_name, head.object);
        }
        let mut observations = Vec::new();
        for moved in moves {
            if *known.get(&moved.ref_name).unwrap_or(&None) == moved.object {
                continue;
            }
            observations.push(insert(&mut tx, code, moved, now).await?);
            known.insert(moved.ref_name.clone(), moved.object.clone());
        }
        if first_look {
            sqlx::query("UPDATE code_repositories SET first_looked_at = ? WHERE id = ?")
                .bind(millis(now))
                .bind(code.0)
                .execute(&mut *tx)
                .await?;
            let rules = sqlx::query("SELECT id FROM build_rules WHERE code_repository_id = ? AND deleted_at IS NULL")
                .bind(code.0)
                .fetch_all(&mut *tx)
                .await?;
            for rule in rules {
                rule_refs::handle_all_heads(&mut tx, RuleId(rule.int("id")?), code).await?;
            }
        }
        tx.commit().await?;
        Ok(RecordedMoves { first_look, observations })
    }
}

async fn insert(
    tx: &mut SqliteConnection,
    code: CodeRepositoryId,
    moved: &RefMove,
    now: DateTime<Utc>,
) -> Result<ObservationRecord, StoreError> {
    let row = sqlx::query(
        "INSERT INTO observations (code_repository_id, ref_name, object, commit_id, observed_at) \
         VALUES (?, ?, ?, ?, ?) RETURNING *",
    )
    .bind(code.0)
    .bind(moved.ref_name.as_str())
    .bind(moved.object.as_ref().map(CommitId::as_str))
    .bind(moved.commit.as_ref().map(CommitId::as_str))
    .bind(millis(now))
    .fetch_one(tx)
    .await?;
    record(&row)
}
