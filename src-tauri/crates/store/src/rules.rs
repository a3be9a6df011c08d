//! `build_rules`: deleted rules stay as rows, because build records name them.

use crate::queue::cancel_waiting;
use crate::row::{Columns, json, millis};
use crate::{Store, StoreError, rule_refs};
use chrono::{DateTime, Utc};
use slipway_core::ids::{BuildId, CodeRepositoryId, ImageRepositoryId, RuleId};
use slipway_core::rule::RuleSpec;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

/// One build rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRecord {
    /// Its id.
    pub id: RuleId,
    /// The repository that it fills.
    pub repository: ImageRepositoryId,
    /// What the person said.
    pub spec: RuleSpec,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// What deleting a rule left to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeletedRule {
    /// Waiting builds that were cancelled with it.
    pub cancelled: Vec<BuildId>,
    /// Builds that are running still: the person is asked about them.
    pub running: Vec<BuildId>,
}

fn record(row: &SqliteRow) -> Result<RuleRecord, StoreError> {
    Ok(RuleRecord {
        id: RuleId(row.int("id")?),
        repository: ImageRepositoryId(row.int("repository_id")?),
        spec: row.json("spec")?,
        deleted_at: row.time_of("deleted_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

impl Store {
    /// Adds a rule. Everything that its code repository holds now counts as handled: only later pushes build.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] at `spec.name`; [`StoreError::NotFound`] without the repository or the code.
    pub async fn insert_rule(
        &self,
        repository: ImageRepositoryId,
        spec: &RuleSpec,
        now: DateTime<Utc>,
    ) -> Result<RuleId, StoreError> {
        let mut tx = self.write().await?;
        let id = insert(&mut tx, repository, spec, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns a rule, also a deleted one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn rule(&self, id: RuleId) -> Result<RuleRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM build_rules WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("rule", id))?)
    }

    /// Returns the rules of a repository that are not deleted, by name.
    ///
    /// # Errors
    /// As every read.
    pub async fn rules_of_repository(&self, repository: ImageRepositoryId) -> Result<Vec<RuleRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM build_rules WHERE repository_id = ? AND deleted_at IS NULL ORDER BY name, id")
                .bind(repository.0)
                .fetch_all(self.read())
                .await?;
        rows.iter().map(record).collect()
    }

    /// Returns the rules over a code repository that are not deleted, whatever their switch says, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn rules_of_code(&self, code: CodeRepositoryId) -> Result<Vec<RuleRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM build_rules WHERE code_repository_id = ? AND deleted_at IS NULL ORDER BY id")
                .bind(code.0)
                .fetch_all(self.read())
                .await?;
        rows.iter().map(record).collect()
    }

    /// Returns all rules that are not deleted, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn rules(&self) -> Result<Vec<RuleRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM build_rules WHERE deleted_at IS NULL ORDER BY id")
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Changes a rule. With other code it begins anew, and like after turning its switch on everything that is there now
    /// counts as handled.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (also when it is deleted), [`StoreError::NameTaken`] at `spec.name`.
    pub async fn update_rule(&self, id: RuleId, spec: &RuleSpec, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        update(&mut tx, id, spec, now).await?;
        Ok(tx.commit().await?)
    }

    /// Turns a rule's switch. Turned on, everything that is there now counts as handled: pushes while it was off do not
    /// build afterwards.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (also when it is deleted).
    pub async fn set_auto_trigger(&self, id: RuleId, on: bool, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let row = sqlx::query("SELECT spec, auto_trigger FROM build_rules WHERE id = ? AND deleted_at IS NULL")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| StoreError::not_found("rule", id))?;
        let was_on = row.flag("auto_trigger")?;
        let mut spec: RuleSpec = row.json("spec")?;
        spec.auto_trigger = on;
        sqlx::query("UPDATE build_rules SET spec = ?, auto_trigger = ?, updated_at = ? WHERE id = ?")
            .bind(json(&spec)?)
            .bind(on)
            .bind(millis(now))
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if on && !was_on {
            rule_refs::handle_all_heads(&mut tx, id, spec.code).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Deletes a rule: its waiting builds are cancelled, its records stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (also when it is deleted already).
    pub async fn delete_rule(&self, id: RuleId, now: DateTime<Utc>) -> Result<DeletedRule, StoreError> {
        let mut tx = self.write().await?;
        let done =
            sqlx::query("UPDATE build_rules SET deleted_at = ?1, updated_at = ?1 WHERE id = ?2 AND deleted_at IS NULL")
                .bind(millis(now))
                .bind(id.0)
                .execute(&mut *tx)
                .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("rule", id));
        }
        let rows = sqlx::query(
            "SELECT id, state FROM builds WHERE rule_id = ? AND state IN ('queued', 'running', 'paused') ORDER BY id",
        )
        .bind(id.0)
        .fetch_all(&mut *tx)
        .await?;
        let mut result = DeletedRule::default();
        for row in rows {
            let build = BuildId(row.int("id")?);
            if cancel_waiting(&mut tx, build, now).await? {
                result.cancelled.push(build);
            } else {
                result.running.push(build);
            }
        }
        tx.commit().await?;
        Ok(result)
    }
}

fn no_parent(error: StoreError, repository: ImageRepositoryId, code: CodeRepositoryId) -> StoreError {
    match error.in_use_as("rule") {
        StoreError::InUse { .. } => StoreError::not_found("image or code repository", format!("{repository} / {code}")),
        other => other,
    }
}

pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    repository: ImageRepositoryId,
    spec: &RuleSpec,
    now: DateTime<Utc>,
) -> Result<RuleId, StoreError> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO build_rules (repository_id, code_repository_id, name, spec, auto_trigger, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) RETURNING id",
    )
    .bind(repository.0)
    .bind(spec.code.0)
    .bind(&spec.name)
    .bind(json(spec)?)
    .bind(spec.auto_trigger)
    .bind(millis(now))
    .fetch_one(&mut *tx)
    .await
    .map_err(|e| no_parent(StoreError::from(e).name_taken_at("spec.name"), repository, spec.code))?;
    rule_refs::handle_all_heads(tx, RuleId(id), spec.code).await?;
    Ok(RuleId(id))
}

pub(crate) async fn update(
    tx: &mut SqliteConnection,
    id: RuleId,
    spec: &RuleSpec,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT repository_id, code_repository_id, auto_trigger FROM build_rules WHERE id = ? AND deleted_at IS NULL",
    )
    .bind(id.0)
    .fetch_optional(&mut *tx)
    .await?
    .ok_or_else(|| StoreError::not_found("rule", id))?;
    let repository = ImageRepositoryId(row.int("repository_id")?);
    let same_code = row.int_of("code_repository_id")? == Some(spec.code.0);
    let turned_on = spec.auto_trigger && !row.flag("auto_trigger")?;
    sqlx::query(
        "UPDATE build_rules SET code_repository_id = ?, name = ?, spec = ?, auto_trigger = ?, updated_at = ? WHERE id = ?",
    )
    .bind(spec.code.0)
    .bind(&spec.name)
    .bind(json(spec)?)
    .bind(spec.auto_trigger)
    .bind(millis(now))
    .bind(id.0)
    .execute(&mut *tx)
    .await
    .map_err(|e| no_parent(StoreError::from(e).name_taken_at("spec.name"), repository, spec.code))?;
    if !same_code {
        sqlx::query("DELETE FROM rule_refs WHERE rule_id = ?").bind(id.0).execute(&mut *tx).await?;
    }
    if !same_code || turned_on {
        rule_refs::handle_all_heads(tx, id, spec.code).await?;
    }
    Ok(())
}
