//! `rule_refs`: what each rule has done about each ref. The remote head against `handled_observation` decides.

use crate::row::Columns;
use crate::{Store, StoreError};
use slipway_core::code::{CommitId, RefName};
use slipway_core::ids::{CodeRepositoryId, ObservationId, RuleId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

/// What a rule has done about a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleRefRecord {
    /// The rule.
    pub rule: RuleId,
    /// The ref.
    pub ref_name: RefName,
    /// The last observation that was decided about (built, skipped, ignored); `None` when none was.
    pub handled: Option<ObservationId>,
    /// The commit of the newest observation that built successfully: the base of path filters.
    pub built_commit: Option<CommitId>,
    /// That observation.
    pub built_observation: Option<ObservationId>,
}

fn record(row: &SqliteRow) -> Result<RuleRefRecord, StoreError> {
    Ok(RuleRefRecord {
        rule: RuleId(row.int("rule_id")?),
        ref_name: row.word("ref_name")?,
        handled: Some(row.int("handled_observation")?).filter(|id| *id > 0).map(ObservationId),
        built_commit: row.word_of("built_commit")?,
        built_observation: row.int_of("built_observation")?.map(ObservationId),
    })
}

impl Store {
    /// Returns what a rule has done, by ref name.
    ///
    /// # Errors
    /// As every read.
    pub async fn rule_refs(&self, rule: RuleId) -> Result<Vec<RuleRefRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM rule_refs WHERE rule_id = ? ORDER BY ref_name")
            .bind(rule.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Returns what a rule has done about one ref; `None` when nothing yet.
    ///
    /// # Errors
    /// As every read.
    pub async fn rule_ref(&self, rule: RuleId, ref_name: &RefName) -> Result<Option<RuleRefRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM rule_refs WHERE rule_id = ? AND ref_name = ?")
            .bind(rule.0)
            .bind(ref_name.as_str())
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// Marks an observation as decided without a build. Never goes back to an earlier one.
    ///
    /// # Errors
    /// As every write.
    pub async fn set_handled(
        &self,
        rule: RuleId,
        ref_name: &RefName,
        observation: ObservationId,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        set_handled(&mut tx, rule, ref_name, observation).await?;
        Ok(tx.commit().await?)
    }

    /// Notes what a rule built. Never goes back to an earlier observation. [`Store::finish`] does this by itself for a
    /// build that succeeded.
    ///
    /// # Errors
    /// As every write.
    pub async fn set_built(
        &self,
        rule: RuleId,
        ref_name: &RefName,
        commit: &CommitId,
        observation: ObservationId,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        set_built(&mut tx, rule, ref_name.as_str(), commit.as_str(), observation).await?;
        Ok(tx.commit().await?)
    }

    /// Marks everything that a code repository holds now as decided for a rule.
    ///
    /// # Errors
    /// As every write.
    pub async fn set_all_handled(&self, rule: RuleId, code: CodeRepositoryId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        handle_all_heads(&mut tx, rule, code).await?;
        Ok(tx.commit().await?)
    }
}

pub(crate) async fn set_handled(
    tx: &mut SqliteConnection,
    rule: RuleId,
    ref_name: &RefName,
    observation: ObservationId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO rule_refs (rule_id, ref_name, handled_observation) VALUES (?, ?, ?) ON CONFLICT (rule_id, ref_name) \
         DO UPDATE SET handled_observation = MAX(handled_observation, excluded.handled_observation)",
    )
    .bind(rule.0)
    .bind(ref_name.as_str())
    .bind(observation.0)
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn set_built(
    tx: &mut SqliteConnection,
    rule: RuleId,
    ref_name: &str,
    commit: &str,
    observation: ObservationId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO rule_refs (rule_id, ref_name, built_commit, built_observation) VALUES (?, ?, ?, ?) \
         ON CONFLICT (rule_id, ref_name) DO UPDATE SET built_commit = excluded.built_commit, \
         built_observation = excluded.built_observation \
         WHERE built_observation IS NULL OR built_observation < excluded.built_observation",
    )
    .bind(rule.0)
    .bind(ref_name)
    .bind(commit)
    .bind(observation.0)
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn handle_all_heads(
    tx: &mut SqliteConnection,
    rule: RuleId,
    code: CodeRepositoryId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO rule_refs (rule_id, ref_name, handled_observation) \
         SELECT ?1, ref_name, MAX(id) FROM observations WHERE code_repository_id = ?2 GROUP BY ref_name \
         ON CONFLICT (rule_id, ref_name) \
         DO UPDATE SET handled_observation = MAX(handled_observation, excluded.handled_observation)",
    )
    .bind(rule.0)
    .bind(code.0)
    .execute(tx)
    .await?;
    Ok(())
}
