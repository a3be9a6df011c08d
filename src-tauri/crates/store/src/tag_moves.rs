//! `tag_moves`: who set each tag, in order. Decides whether an earlier push may still overwrite a tag (it may not).

use crate::row::Columns;
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::ids::{BuildId, ImageRepositoryId, ObservationId};
use slipway_core::image::{ContentIdentity, Digest, ImageId, Tag};
use sqlx::sqlite::SqliteRow;

/// One time that a build put a tag where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagMoveRecord {
    /// Its id: greater is later.
    pub id: i64,
    /// Which repository.
    pub repository: ImageRepositoryId,
    /// Which tag.
    pub tag: Tag,
    /// Which build; `None` when its record was deleted.
    pub build: Option<BuildId>,
    /// The observation that the build came from; `None` for one that a person asked for without a ref.
    pub observation: Option<ObservationId>,
    /// The manifest digest; `None` on *Local engine*.
    pub digest: Option<Digest>,
    /// The engine's id of the image.
    pub image: Option<ImageId>,
    /// What it holds.
    pub content: Option<ContentIdentity>,
    /// False when the tag held this already.
    pub changed: bool,
    /// When.
    pub moved_at: DateTime<Utc>,
}

fn record(row: &SqliteRow) -> Result<TagMoveRecord, StoreError> {
    Ok(TagMoveRecord {
        id: row.int("id")?,
        repository: ImageRepositoryId(row.int("repository_id")?),
        tag: row.word("tag")?,
        build: row.int_of("build_id")?.map(BuildId),
        observation: row.int_of("observation_id")?.map(ObservationId),
        digest: row.word_of("digest")?,
        image: row.word_of("image_id")?,
        content: row.word_of("content_identity")?,
        changed: row.flag("changed")?,
        moved_at: row.time("moved_at")?,
    })
}

impl Store {
    /// Returns who set this tag last; `None` when no build did.
    ///
    /// # Errors
    /// As every read.
    pub async fn last_move(
        &self,
        repository: ImageRepositoryId,
        tag: &Tag,
    ) -> Result<Option<TagMoveRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM tag_moves WHERE repository_id = ? AND tag = ? ORDER BY id DESC LIMIT 1")
            .bind(repository.0)
            .bind(tag.as_str())
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// Returns the last move of any tag of a repository; `None` when no build set one.
    ///
    /// # Errors
    /// As every read.
    pub async fn last_move_of_repository(
        &self,
        repository: ImageRepositoryId,
    ) -> Result<Option<TagMoveRecord>, StoreError> {
        let row =
            sqlx::query("SELECT * FROM tag_moves WHERE id = (SELECT MAX(id) FROM tag_moves WHERE repository_id = ?)")
                .bind(repository.0)
                .fetch_optional(self.read())
                .await?;
        row.as_ref().map(record).transpose()
    }

    /// Returns the latest observation that ever set this tag, or had begun to when it was interrupted: the registry may have
    /// it already. A push that was observed before it must leave the tag alone.
    ///
    /// # Errors
    /// As every read.
    pub async fn newest_observation_of_tag(
        &self,
        repository: ImageRepositoryId,
        tag: &Tag,
    ) -> Result<Option<ObservationId>, StoreError> {
        let id: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(observation_id) FROM (
                 SELECT observation_id FROM tag_moves WHERE repository_id = ?1 AND tag = ?2
                 UNION ALL
                 SELECT builds.observation_id FROM builds JOIN publications ON publications.build_id = builds.id
                 WHERE builds.state IN ('queued', 'running', 'paused') AND builds.repository_id = ?1
                     AND publications.tag = ?2 AND publications.state = 'pushing'
             )",
        )
        .bind(repository.0)
        .bind(tag.as_str())
        .fetch_one(self.read())
        .await?;
        Ok(id.map(ObservationId))
    }

    /// Returns the history of a repository's tags after this move (0: from the beginning), oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn tag_moves_since(
        &self,
        repository: ImageRepositoryId,
        after: i64,
    ) -> Result<Vec<TagMoveRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM tag_moves WHERE repository_id = ? AND id > ? ORDER BY id")
            .bind(repository.0)
            .bind(after)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }
}
