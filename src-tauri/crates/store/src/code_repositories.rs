//! `code_repositories`: where code comes from, and how the last look went.

use crate::row::{Columns, json, json_of, millis, word_of};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::code::{CodeLocation, RefName};
use slipway_core::host::RepositoryPath;
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

/// One code repository.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeRepositoryRecord {
    /// Its id.
    pub id: CodeRepositoryId,
    /// Its name, unique.
    pub name: String,
    /// Where it lives.
    pub location: CodeLocation,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When its refs were recorded for the first time; `None` before. Nothing seen by the first look builds.
    pub first_looked_at: Option<DateTime<Utc>>,
    /// When it was looked at last, with whatever result.
    pub last_check_at: Option<DateTime<Utc>>,
    /// When a look last succeeded.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// What the last look failed with; `None` after a success.
    pub last_failure: Option<Failure>,
    /// The branch that HEAD names.
    pub default_branch: Option<RefName>,
    /// Seconds between looks as the person set them; `None` is the adaptive default.
    pub poll_interval_seconds: Option<u32>,
    /// When to look next; `None` is at once.
    pub next_check_at: Option<DateTime<Utc>>,
    /// The account that opens it; `None` for code that needs none.
    pub account: Option<AccountPlace>,
}

/// Where code lies at a code host, and the account that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPlace {
    /// The account; `None` after it was unbound.
    pub account: Option<SourceAccountId>,
    /// The host's name of the account ([`crate::SourceAccountRecord::key`]): outlives the account.
    pub key: String,
    /// The repository's path at the host.
    pub path: RepositoryPath,
    /// The host's id of the repository: the same after a rename.
    pub repository: String,
}

/// How a look at the remote went.
#[derive(Debug, Clone, PartialEq)]
pub enum LookResult {
    /// It answered.
    Ok {
        /// The branch that HEAD names.
        default_branch: Option<RefName>,
    },
    /// It failed.
    Failed(Failure),
}

fn record(row: &SqliteRow) -> Result<CodeRepositoryRecord, StoreError> {
    Ok(CodeRepositoryRecord {
        id: CodeRepositoryId(row.int("id")?),
        name: row.text("name")?,
        location: row.json("location")?,
        created_at: row.time("created_at")?,
        first_looked_at: row.time_of("first_looked_at")?,
        last_check_at: row.time_of("last_check_at")?,
        last_ok_at: row.time_of("last_ok_at")?,
        last_failure: row.json_of("last_failure")?,
        default_branch: row.word_of("default_branch")?,
        poll_interval_seconds: row.small_of("poll_interval_seconds")?,
        next_check_at: row.time_of("next_check_at")?,
        account: account_place(row)?,
    })
}

fn account_place(row: &SqliteRow) -> Result<Option<AccountPlace>, StoreError> {
    let Some(key) = row.text_of("account_key")? else { return Ok(None) };
    Ok(Some(AccountPlace {
        account: row.int_of("account_id")?.map(SourceAccountId),
        key,
        path: RepositoryPath(row.text("account_path")?),
        repository: row.text("account_repository")?,
    }))
}

impl Store {
    /// Adds a code repository.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] at `name`.
    pub async fn insert_code_repository(
        &self,
        name: &str,
        location: &CodeLocation,
        account: Option<&AccountPlace>,
        poll_interval_seconds: Option<u32>,
        now: DateTime<Utc>,
    ) -> Result<CodeRepositoryId, StoreError> {
        let mut tx = self.write().await?;
        let id = insert(&mut tx, name, location, account, poll_interval_seconds, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns a code repository.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn code_repository(&self, id: CodeRepositoryId) -> Result<CodeRepositoryRecord, StoreError> {
        let row =
            sqlx::query("SELECT * FROM code_repositories WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("code repository", id))?)
    }

    /// Returns all code repositories by name.
    ///
    /// # Errors
    /// As every read.
    pub async fn code_repositories(&self) -> Result<Vec<CodeRepositoryRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM code_repositories ORDER BY name, id").fetch_all(self.read()).await?;
        rows.iter().map(record).collect()
    }

    /// Returns the code repositories that an account opens, by name.
    ///
    /// # Errors
    /// As every read.
    pub async fn code_repositories_of(
        &self,
        account: SourceAccountId,
    ) -> Result<Vec<CodeRepositoryRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM code_repositories WHERE account_id = ? ORDER BY name, id")
            .bind(account.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Changes name, place and interval of a code repository. It is looked at next at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NameTaken`] at `name`.
    pub async fn update_code_repository(
        &self,
        id: CodeRepositoryId,
        name: &str,
        location: &CodeLocation,
        account: Option<&AccountPlace>,
        poll_interval_seconds: Option<u32>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        update(&mut tx, id, name, location, account, poll_interval_seconds).await?;
        Ok(tx.commit().await?)
    }

    /// Follows code that its host renamed, unless somebody has edited it since `old` was read. Its name goes along when it was
    /// the path and the new one is free. Returns whether it was followed.
    ///
    /// # Errors
    /// As every write.
    pub async fn follow_code_repository(
        &self,
        old: &CodeRepositoryRecord,
        location: &CodeLocation,
        place: &AccountPlace,
    ) -> Result<bool, StoreError> {
        let Some(before) = &old.account else { return Ok(false) };
        let mut tx = self.write().await?;
        let row =
            sqlx::query("SELECT * FROM code_repositories WHERE id = ?").bind(old.id.0).fetch_optional(&mut *tx).await?;
        let Some(now) = row.as_ref().map(record).transpose()? else { return Ok(false) };
        if now.location != old.location || now.account != old.account {
            return Ok(false);
        }
        let path = place.path.0.as_str();
        let taken =
            sqlx::query("SELECT 1 FROM code_repositories WHERE name = ?").bind(path).fetch_optional(&mut *tx).await?;
        let name = if now.name == before.path.0 && taken.is_none() { path } else { &now.name };
        update(&mut tx, old.id, name, location, Some(place), now.poll_interval_seconds).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Notes how a look went and when the next one is due.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn record_look(
        &self,
        id: CodeRepositoryId,
        result: &LookResult,
        next_check_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done =
            match result {
                LookResult::Ok { default_branch } => {
                    sqlx::query(
                        "UPDATE code_repositories SET last_check_at = ?1, last_ok_at = ?1, last_failure = NULL, \
                     default_branch = COALESCE(?2, default_branch), next_check_at = ?3 WHERE id = ?4",
                    )
                    .bind(millis(now))
                    .bind(word_of(default_branch.as_ref())?)
                    .bind(next_check_at.map(millis))
                    .bind(id.0)
                    .execute(&mut *tx)
                    .await?
                }
                LookResult::Failed(failure) => sqlx::query(
                    "UPDATE code_repositories SET last_check_at = ?, last_failure = ?, next_check_at = ? WHERE id = ?",
                )
                .bind(millis(now))
                .bind(json_of(Some(failure))?)
                .bind(next_check_at.map(millis))
                .bind(id.0)
                .execute(&mut *tx)
                .await?,
            };
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("code repository", id));
        }
        Ok(tx.commit().await?)
    }

    /// Removes a code repository with its observations. Build records stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InUse`] while a rule that is not deleted, or a build that is not over,
    /// needs it.
    pub async fn delete_code_repository(&self, id: CodeRepositoryId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let used: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM build_rules WHERE code_repository_id = ?1 AND deleted_at IS NULL) \
             OR EXISTS (SELECT 1 FROM builds WHERE code_repository_id = ?1 AND state IN ('queued', 'running', 'paused'))",
        )
        .bind(id.0)
        .fetch_one(&mut *tx)
        .await?;
        if used {
            return Err(StoreError::InUse { what: "code repository" });
        }
        let done = sqlx::query("DELETE FROM code_repositories WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("code repository", id));
        }
        Ok(tx.commit().await?)
    }
}

pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    name: &str,
    location: &CodeLocation,
    account: Option<&AccountPlace>,
    poll_interval_seconds: Option<u32>,
    now: DateTime<Utc>,
) -> Result<CodeRepositoryId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO code_repositories (name, location, poll_interval_seconds, created_at, account_id, account_key, \
         account_path, account_repository) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(name)
    .bind(json(location)?)
    .bind(poll_interval_seconds)
    .bind(millis(now))
    .bind(account.and_then(|place| place.account).map(|id| id.0))
    .bind(account.map(|place| place.key.as_str()))
    .bind(account.map(|place| place.path.0.as_str()))
    .bind(account.map(|place| place.repository.as_str()))
    .fetch_one(&mut *tx)
    .await
    .map_err(|e| StoreError::from(e).name_taken_at("name"))?;
    Ok(CodeRepositoryId(id))
}

pub(crate) async fn update(
    tx: &mut SqliteConnection,
    id: CodeRepositoryId,
    name: &str,
    location: &CodeLocation,
    account: Option<&AccountPlace>,
    poll_interval_seconds: Option<u32>,
) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE code_repositories SET name = ?, location = ?, poll_interval_seconds = ?, next_check_at = NULL, \
         account_id = ?, account_key = ?, account_path = ?, account_repository = ? WHERE id = ?",
    )
    .bind(name)
    .bind(json(location)?)
    .bind(poll_interval_seconds)
    .bind(account.and_then(|place| place.account).map(|id| id.0))
    .bind(account.map(|place| place.key.as_str()))
    .bind(account.map(|place| place.path.0.as_str()))
    .bind(account.map(|place| place.repository.as_str()))
    .bind(id.0)
    .execute(&mut *tx)
    .await
    .map_err(|e| StoreError::from(e).name_taken_at("name"))?;
    if done.rows_affected() == 0 {
        return Err(StoreError::not_found("code repository", id));
    }
    Ok(())
}
