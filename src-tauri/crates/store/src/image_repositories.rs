//! `image_repositories`: the repositories that builds fill.

use crate::row::{Columns, json, json_of, millis};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::build::BuildNumber;
use slipway_core::ids::{BuildId, ImageRepositoryId, RegistryId};
use slipway_core::image::ImageRepositorySpec;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, SqliteConnection};

/// One image repository.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRepositoryRecord {
    /// Its id.
    pub id: ImageRepositoryId,
    /// What the person said, with registry and name.
    pub spec: ImageRepositorySpec,
    /// The number that the next build gets.
    pub next_build_number: BuildNumber,
    /// Why nothing can be pushed there; `None` when it can.
    pub read_only_reason: Option<Failure>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// One image repository in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRepositorySummary {
    /// The repository.
    pub record: ImageRepositoryRecord,
    /// Rules that are not deleted.
    pub rules: u64,
    /// Build records.
    pub builds: u64,
    /// Builds that are not over.
    pub active_builds: u64,
    /// The newest build.
    pub last_build: Option<BuildId>,
}

/// Which image repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageRepositoryFilter {
    /// In this registry.
    pub registry: Option<RegistryId>,
    /// Whose name or summary contains this, whatever the case.
    pub search: String,
    /// How many to leave out in front.
    pub offset: u32,
    /// How many at most; 0 means all.
    pub limit: u32,
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRepositoryPage {
    /// The repositories by name.
    pub items: Vec<ImageRepositorySummary>,
    /// How many fit the filter in all.
    pub total: u64,
}

fn record(row: &SqliteRow) -> Result<ImageRepositoryRecord, StoreError> {
    Ok(ImageRepositoryRecord {
        id: ImageRepositoryId(row.int("id")?),
        spec: row.json("spec")?,
        next_build_number: BuildNumber(row.int("next_build_number")?),
        read_only_reason: row.json_of("read_only_reason")?,
        created_at: row.time("created_at")?,
    })
}

fn summary(row: &SqliteRow) -> Result<ImageRepositorySummary, StoreError> {
    Ok(ImageRepositorySummary {
        record: record(row)?,
        rules: row.count("rules")?,
        builds: row.count("builds")?,
        active_builds: row.count("active_builds")?,
        last_build: row.int_of("last_build")?.map(BuildId),
    })
}

fn push_filter(query: &mut QueryBuilder<sqlx::Sqlite>, filter: &ImageRepositoryFilter) {
    query.push(" WHERE 1");
    if let Some(registry) = filter.registry {
        query.push(" AND r.registry_id = ").push_bind(registry.0);
    }
    if !filter.search.is_empty() {
        // Names are lower case by their grammar; `lower` folds what a person wrote into the summary in ASCII.
        let text = filter.search.to_lowercase();
        query.push(" AND (instr(r.name, ").push_bind(text.clone()).push(") > 0");
        query.push(" OR instr(lower(json_extract(r.spec, '$.summary')), ").push_bind(text).push(") > 0)");
    }
}

impl Store {
    /// Adds an image repository.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] at `spec.name` when the registry has one of this name; [`StoreError::NotFound`] without
    /// the registry.
    pub async fn insert_image_repository(
        &self,
        spec: &ImageRepositorySpec,
        read_only_reason: Option<&Failure>,
        now: DateTime<Utc>,
    ) -> Result<ImageRepositoryId, StoreError> {
        let mut tx = self.write().await?;
        let id = insert(&mut tx, spec, read_only_reason, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns an image repository.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn image_repository(&self, id: ImageRepositoryId) -> Result<ImageRepositoryRecord, StoreError> {
        let row =
            sqlx::query("SELECT * FROM image_repositories WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("image repository", id))?)
    }

    /// Returns image repositories by name, with counts.
    ///
    /// # Errors
    /// As every read.
    pub async fn image_repositories(&self, filter: &ImageRepositoryFilter) -> Result<ImageRepositoryPage, StoreError> {
        let mut count = QueryBuilder::new("SELECT COUNT(*) FROM image_repositories r");
        push_filter(&mut count, filter);
        let total: i64 = count.build_query_scalar().fetch_one(self.read()).await?;

        let mut query = QueryBuilder::new(
            "SELECT r.*, \
             (SELECT COUNT(*) FROM build_rules u WHERE u.repository_id = r.id AND u.deleted_at IS NULL) AS rules, \
             (SELECT COUNT(*) FROM builds b WHERE b.repository_id = r.id) AS builds, \
             (SELECT COUNT(*) FROM builds b INDEXED BY builds_not_final \
               WHERE b.repository_id = r.id AND b.state IN ('queued', 'running', 'paused')) AS active_builds, \
             (SELECT MAX(b.id) FROM builds b WHERE b.repository_id = r.id) AS last_build \
             FROM image_repositories r",
        );
        push_filter(&mut query, filter);
        let limit = if filter.limit == 0 { -1 } else { i64::from(filter.limit) };
        query.push(" ORDER BY r.name, r.id LIMIT ").push_bind(limit);
        query.push(" OFFSET ").push_bind(i64::from(filter.offset));
        let rows = query.build().fetch_all(self.read()).await?;
        let items = rows.iter().map(summary).collect::<Result<_, _>>()?;
        Ok(ImageRepositoryPage { items, total: u64::try_from(total).unwrap_or(0) })
    }

    /// Changes an image repository.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NameTaken`] at `spec.name`.
    pub async fn update_image_repository(
        &self,
        id: ImageRepositoryId,
        spec: &ImageRepositorySpec,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        update(&mut tx, id, spec).await?;
        Ok(tx.commit().await?)
    }

    /// Notes whether anything can be pushed there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_read_only_reason(
        &self,
        id: ImageRepositoryId,
        reason: Option<&Failure>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        set_read_only(&mut tx, id, reason).await?;
        Ok(tx.commit().await?)
    }

    /// Removes an image repository with its rules, build records and tag history. Images stay where they are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::InUse`] while a build of it is not over.
    pub async fn delete_image_repository(&self, id: ImageRepositoryId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let busy: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM builds WHERE repository_id = ? AND state IN ('queued', 'running', 'paused'))",
        )
        .bind(id.0)
        .fetch_one(&mut *tx)
        .await?;
        if busy {
            return Err(StoreError::InUse { what: "image repository" });
        }
        let done = sqlx::query("DELETE FROM image_repositories WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("image repository", id));
        }
        Ok(tx.commit().await?)
    }
}

fn no_registry(error: StoreError, registry: RegistryId) -> StoreError {
    match error.in_use_as("registry") {
        StoreError::InUse { .. } => StoreError::not_found("registry", registry),
        other => other,
    }
}

pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    spec: &ImageRepositorySpec,
    read_only_reason: Option<&Failure>,
    now: DateTime<Utc>,
) -> Result<ImageRepositoryId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO image_repositories (registry_id, name, spec, read_only_reason, created_at) \
         VALUES (?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(spec.registry.0)
    .bind(spec.name.as_str())
    .bind(json(spec)?)
    .bind(json_of(read_only_reason)?)
    .bind(millis(now))
    .fetch_one(&mut *tx)
    .await
    .map_err(|e| no_registry(StoreError::from(e).name_taken_at("spec.name"), spec.registry))?;
    Ok(ImageRepositoryId(id))
}

pub(crate) async fn update(
    tx: &mut SqliteConnection,
    id: ImageRepositoryId,
    spec: &ImageRepositorySpec,
) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE image_repositories SET registry_id = ?, name = ?, spec = ? WHERE id = ?")
        .bind(spec.registry.0)
        .bind(spec.name.as_str())
        .bind(json(spec)?)
        .bind(id.0)
        .execute(&mut *tx)
        .await
        .map_err(|e| no_registry(StoreError::from(e).name_taken_at("spec.name"), spec.registry))?;
    if done.rows_affected() == 0 {
        return Err(StoreError::not_found("image repository", id));
    }
    Ok(())
}

pub(crate) async fn set_read_only(
    tx: &mut SqliteConnection,
    id: ImageRepositoryId,
    reason: Option<&Failure>,
) -> Result<(), StoreError> {
    let done = sqlx::query("UPDATE image_repositories SET read_only_reason = ? WHERE id = ?")
        .bind(json_of(reason)?)
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::not_found("image repository", id));
    }
    Ok(())
}
