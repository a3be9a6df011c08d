//! `publications`: one row for each tag that a build has to publish, there before the tag moves.

use crate::row::{Columns, json_of, millis, word};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::build::PublicationState;
use slipway_core::ids::{BuildId, PublicationId};
use slipway_core::image::{Digest, ImageReference, Tag};
use sqlx::sqlite::SqliteRow;

/// A tag to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPublication {
    /// The tag.
    pub tag: Tag,
    /// The full reference that is pushed, as the engine is told.
    pub target: String,
}

/// Where one tag of a build stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicationRecord {
    /// Its id.
    pub id: PublicationId,
    /// Whose.
    pub build: BuildId,
    /// The tag.
    pub tag: Tag,
    /// The full reference.
    pub target: String,
    /// Where it stands.
    pub state: PublicationState,
    /// How often it was tried.
    pub attempt: u32,
    /// Not to be tried again before.
    pub not_before: Option<DateTime<Utc>>,
    /// The verified manifest digest; `None` before, and on *Local engine*.
    pub digest: Option<Digest>,
    /// When the tag was seen where it belongs.
    pub moved_at: Option<DateTime<Utc>>,
    /// What the last attempt failed with.
    pub failure: Option<Failure>,
}

impl PublicationRecord {
    /// Parses the full reference.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] when it breaks the grammar.
    pub fn target_reference(&self) -> Result<ImageReference, StoreError> {
        ImageReference::parse(&self.target).map_err(|e| StoreError::BadRow { column: "target", why: e.to_string() })
    }
}

fn record(row: &SqliteRow) -> Result<PublicationRecord, StoreError> {
    Ok(PublicationRecord {
        id: PublicationId(row.int("id")?),
        build: BuildId(row.int("build_id")?),
        tag: row.word("tag")?,
        target: row.text("target")?,
        state: row.word("state")?,
        attempt: row.small("attempt")?,
        not_before: row.time_of("not_before")?,
        digest: row.word_of("digest")?,
        moved_at: row.time_of("moved_at")?,
        failure: row.json_of("failure")?,
    })
}

impl Store {
    /// Writes the intent to publish these tags, in this order. Tags that the build has already stay as they are. Returns
    /// all publications of the build.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the build.
    pub async fn create_publications(
        &self,
        build: BuildId,
        publications: &[NewPublication],
    ) -> Result<Vec<PublicationRecord>, StoreError> {
        let mut tx = self.write().await?;
        let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM builds WHERE id = ?)")
            .bind(build.0)
            .fetch_one(&mut *tx)
            .await?;
        if !known {
            return Err(StoreError::not_found("build", build));
        }
        for publication in publications {
            sqlx::query(
                "INSERT INTO publications (build_id, tag, target, state) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (build_id, tag) DO NOTHING",
            )
            .bind(build.0)
            .bind(publication.tag.as_str())
            .bind(&publication.target)
            .bind(word(&PublicationState::Waiting)?)
            .execute(&mut *tx)
            .await?;
        }
        let rows = sqlx::query("SELECT * FROM publications WHERE build_id = ? ORDER BY id")
            .bind(build.0)
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        rows.iter().map(record).collect()
    }

    /// Returns the publications of a build in their order.
    ///
    /// # Errors
    /// As every read.
    pub async fn publications(&self, build: BuildId) -> Result<Vec<PublicationRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM publications WHERE build_id = ? ORDER BY id")
            .bind(build.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Notes that an attempt begins. Returns false when the publication is finished already.
    ///
    /// # Errors
    /// As every write.
    pub async fn start_publication(&self, id: PublicationId) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE publications SET state = 'pushing', attempt = attempt + 1, not_before = NULL \
             WHERE id = ? AND state IN ('waiting', 'pushing')",
        )
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that an attempt failed and another one follows. Returns false when the publication is finished already.
    ///
    /// # Errors
    /// As every write.
    pub async fn retry_publication(
        &self,
        id: PublicationId,
        not_before: Option<DateTime<Utc>>,
        failure: Option<&Failure>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE publications SET state = 'waiting', not_before = ?, failure = ? \
             WHERE id = ? AND state IN ('waiting', 'pushing')",
        )
        .bind(not_before.map(millis))
        .bind(json_of(failure)?)
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends the open publications of builds that are over: the application was killed between the two.
    ///
    /// # Errors
    /// As every write.
    pub async fn end_publications_of_ended_builds(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE publications SET state = 'failed', not_before = NULL, \
             failure = COALESCE((SELECT b.failure FROM builds b WHERE b.id = build_id), failure) \
             WHERE state IN ('waiting', 'pushing') \
             AND build_id NOT IN (SELECT id FROM builds WHERE state IN ('queued', 'running', 'paused'))",
        )
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Ends a publication. For [`PublicationState::Done`] and [`PublicationState::Unchanged`] the tag's history gets its
    /// entry and the triggers their event in the same transaction. Returns false when it was finished already: a tag moves at most once per build.
    ///
    /// # Errors
    /// [`StoreError::WrongState`] when the state is no end; [`StoreError::NotFound`].
    pub async fn finish_publication(
        &self,
        id: PublicationId,
        state: PublicationState,
        digest: Option<&Digest>,
        failure: Option<&Failure>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        if matches!(state, PublicationState::Waiting | PublicationState::Pushing) {
            return Err(StoreError::WrongState("a publication does not end in this state".into()));
        }
        let placed = matches!(state, PublicationState::Done | PublicationState::Unchanged);
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE publications SET state = ?, digest = ?, moved_at = ?, failure = ?, not_before = NULL \
             WHERE id = ? AND state IN ('waiting', 'pushing')",
        )
        .bind(word(&state)?)
        .bind(digest.map(Digest::as_str))
        .bind(placed.then(|| millis(now)))
        .bind(json_of(failure)?)
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM publications WHERE id = ?)")
                .bind(id.0)
                .fetch_one(&mut *tx)
                .await?;
            return if known { Ok(false) } else { Err(StoreError::not_found("publication", id)) };
        }
        if placed {
            sqlx::query(
                "INSERT INTO tag_moves (repository_id, tag, build_id, observation_id, digest, image_id, content_identity, \
                 changed, moved_at) \
                 SELECT b.repository_id, p.tag, b.id, b.observation_id, p.digest, b.image_id, b.content_identity, ?, ? \
                 FROM publications p JOIN builds b ON b.id = p.build_id WHERE p.id = ?",
            )
            .bind(state == PublicationState::Done)
            .bind(millis(now))
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
            crate::tag_events::record_published(&mut tx, id, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
