//! Who put what under the tags of a repository, with the builds behind it, and which builds keep an uploaded folder.

use crate::row::{Columns, millis};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::build::{BuildInputs, BuildNumber};
use slipway_core::ids::{BuildId, CodeRepositoryId, ImageRepositoryId};
use slipway_core::image::{ContentIdentity, Digest, ImageId, Tag};
use slipway_core::version::VersionBuild;
use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteRow;
use std::collections::{HashMap, HashSet};

/// The last time that Slipway put something under a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagOrigin {
    /// Which tag.
    pub tag: Tag,
    /// The manifest digest; none on *Local engine*.
    pub digest: Option<Digest>,
    /// The engine's id of the image.
    pub image: Option<ImageId>,
    /// The tag or digest that it was copied from.
    pub copied_from: Option<String>,
    /// When.
    pub moved_at: DateTime<Utc>,
    /// The build that did it; none for a copy, or when its record was deleted.
    pub build: Option<VersionBuild>,
}

/// A tag that a person copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTag {
    /// The tag that was set.
    pub tag: Tag,
    /// What it was copied from: a tag, a digest, or `name:tag` of another repository.
    pub from: String,
    /// The manifest digest; none on *Local engine*.
    pub digest: Option<Digest>,
    /// The engine's id of the image, when it is known.
    pub image: Option<ImageId>,
    /// What it holds, when that is known.
    pub content: Option<ContentIdentity>,
}

const ORIGIN: &str = "SELECT t.id AS move_id, t.tag, t.digest, t.image_id, t.copied_from, t.moved_at, b.id, b.number, b.kind, \
     b.code_repository_id, b.ref_name, b.commit_details, b.inputs FROM tag_moves t LEFT JOIN builds b ON b.id = t.build_id ";

fn origin(row: &SqliteRow) -> Result<TagOrigin, StoreError> {
    Ok(TagOrigin {
        tag: row.word("tag")?,
        digest: row.word_of("digest")?,
        image: row.word_of("image_id")?,
        copied_from: row.text_of("copied_from")?,
        moved_at: row.time("moved_at")?,
        build: build(row)?,
    })
}

fn build(row: &SqliteRow) -> Result<Option<VersionBuild>, StoreError> {
    let Some(id) = row.int_of("id")? else { return Ok(None) };
    let inputs: BuildInputs = row.json("inputs")?;
    Ok(Some(VersionBuild {
        id: BuildId(id),
        number: BuildNumber(row.int("number")?),
        kind: row.word("kind")?,
        rule_name: inputs.rule_name,
        code: row.int_of("code_repository_id")?.map(CodeRepositoryId),
        ref_name: row.word_of("ref_name")?,
        commit: row.json_of("commit_details")?,
    }))
}

impl Store {
    /// Returns every tag of a repository that Slipway ever set, with the time of the last move.
    ///
    /// # Errors
    /// As every read.
    pub async fn tag_times(&self, repository: ImageRepositoryId) -> Result<HashMap<String, DateTime<Utc>>, StoreError> {
        let rows =
            sqlx::query("SELECT tag, MAX(moved_at) AS moved_at FROM tag_moves WHERE repository_id = ? GROUP BY tag")
                .bind(repository.0)
                .fetch_all(self.read())
                .await?;
        rows.iter().map(|row| Ok((row.text("tag")?, row.time("moved_at")?))).collect()
    }

    /// Returns who set these tags last, by tag.
    ///
    /// # Errors
    /// As every read.
    pub async fn tag_origins(
        &self,
        repository: ImageRepositoryId,
        tags: &[&Tag],
    ) -> Result<HashMap<Tag, TagOrigin>, StoreError> {
        let mut found = HashMap::new();
        for some in tags.chunks(500) {
            let mut query = QueryBuilder::new(ORIGIN);
            query.push("WHERE t.id IN (SELECT MAX(id) FROM tag_moves WHERE repository_id = ");
            query.push_bind(repository.0).push(" AND tag IN (");
            let mut list = query.separated(", ");
            for tag in some {
                list.push_bind(tag.as_str());
            }
            query.push(") GROUP BY tag)");
            for row in query.build().fetch_all(self.read()).await? {
                let origin = origin(&row)?;
                found.insert(origin.tag.clone(), origin);
            }
        }
        Ok(found)
    }

    /// Returns the last move of any tag of a repository that put these digests there, by digest: what somebody else tagged
    /// may still have been built here.
    ///
    /// # Errors
    /// As every read.
    pub async fn digest_origins(
        &self,
        repository: ImageRepositoryId,
        digests: &[&Digest],
    ) -> Result<HashMap<Digest, TagOrigin>, StoreError> {
        let mut found = HashMap::new();
        for some in digests.chunks(500) {
            let mut query = QueryBuilder::new(ORIGIN);
            query.push("WHERE t.repository_id = ").push_bind(repository.0).push(" AND t.digest IN (");
            let mut list = query.separated(", ");
            for digest in some {
                list.push_bind(digest.as_str());
            }
            query.push(") AND b.id IS NOT NULL ORDER BY t.id");
            for row in query.build().fetch_all(self.read()).await? {
                let origin = origin(&row)?;
                if let Some(digest) = origin.digest.clone() {
                    found.insert(digest, origin);
                }
            }
        }
        Ok(found)
    }

    /// Returns what the newest build of a repository that published anything put there: digest, or image on *Local engine*.
    ///
    /// # Errors
    /// As every read.
    pub async fn newest_built(
        &self,
        repository: ImageRepositoryId,
    ) -> Result<Option<(Option<Digest>, Option<ImageId>)>, StoreError> {
        let row = sqlx::query(
            "SELECT digest, image_id FROM tag_moves WHERE repository_id = ? AND build_id IS NOT NULL ORDER BY id DESC LIMIT 1",
        )
        .bind(repository.0)
        .fetch_optional(self.read())
        .await?;
        row.map(|row| Ok((row.word_of("digest")?, row.word_of("image_id")?))).transpose()
    }

    /// Writes that a person copied a tag.
    ///
    /// # Errors
    /// As every write.
    pub async fn record_copy(
        &self,
        repository: ImageRepositoryId,
        copied: &CopiedTag,
        changed: bool,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO tag_moves (repository_id, tag, digest, image_id, content_identity, changed, moved_at, copied_from) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(repository.0)
        .bind(copied.tag.as_str())
        .bind(copied.digest.as_ref().map(Digest::as_str))
        .bind(copied.image.as_ref().map(|image| &image.0))
        .bind(copied.content.as_ref().map(|content| &content.0))
        .bind(changed)
        .bind(millis(now))
        .bind(&copied.from)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Returns the names of all folders of uploads that builds still need.
    ///
    /// # Errors
    /// As every read.
    pub async fn upload_folders(&self) -> Result<HashSet<String>, StoreError> {
        let names = sqlx::query_scalar("SELECT DISTINCT upload_folder FROM builds WHERE upload_folder IS NOT NULL")
            .fetch_all(self.read())
            .await?;
        Ok(names.into_iter().collect())
    }
}
