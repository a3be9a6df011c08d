//! `known_tags`, `tag_watches`, `tag_events`: what tags held, how looking at them goes, and what changed.

use crate::row::{Columns, json, millis, word};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::ids::{BuildId, ImageRepositoryId, ObservationId, PublicationId, TagEventId};
use slipway_core::image::{ContentIdentity, Digest, ImageId, Tag};
use slipway_core::trigger::{EventOrder, TagEventSource};
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use std::collections::BTreeMap;

/// What a look saw under one tag. In a registry the digest tells two images apart, on an engine the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTag {
    /// The tag.
    pub tag: Tag,
    /// The manifest digest.
    pub digest: Option<Digest>,
    /// The engine's id.
    pub image: Option<ImageId>,
    /// What it holds, where that was seen too.
    pub content: Option<ContentIdentity>,
}

/// What a tag held when it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownTag {
    /// The tag.
    pub tag: Tag,
    /// The manifest digest.
    pub digest: Option<Digest>,
    /// The engine's id.
    pub image: Option<ImageId>,
    /// A build of ours put it there.
    pub ours: bool,
    /// When it was seen.
    pub checked_at: DateTime<Utc>,
}

/// How looking at a repository's tags goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagWatch {
    /// Given back to [`Store::record_tag_look`]: what the look began with.
    pub began: LookBegan,
    /// The next look shows tags that were there before: unknown ones fire nothing.
    pub baseline: bool,
    /// Looks that failed in a row.
    pub failures: u32,
    /// Not to be looked at before.
    pub next_look_at: Option<DateTime<Utc>>,
    /// The last look that went well.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// What the last look failed with.
    pub last_failure: Option<Failure>,
}

/// Where the rows stood when a look began: what changed since wins over what the look saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookBegan {
    wanted: i64,
    last_move: i64,
}

/// A tag was created or updated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagEventRecord {
    /// Its id: greater is observed later.
    pub id: TagEventId,
    /// Of which repository.
    pub repository: ImageRepositoryId,
    /// Which tag.
    pub tag: Tag,
    /// Who did it.
    pub source: TagEventSource,
    /// The build that published it.
    pub build: Option<BuildId>,
    /// The push that the build came from.
    pub observation: Option<ObservationId>,
    /// The manifest digest.
    pub digest: Option<Digest>,
    /// The engine's id.
    pub image: Option<ImageId>,
    /// What it holds.
    pub content: Option<ContentIdentity>,
    /// When it was seen.
    pub observed_at: DateTime<Utc>,
}

impl TagEventRecord {
    /// Returns its place in time.
    #[must_use]
    pub fn order(&self) -> EventOrder {
        EventOrder { event: self.id, observation: self.observation }
    }
}

fn record(row: &SqliteRow) -> Result<TagEventRecord, StoreError> {
    Ok(TagEventRecord {
        id: TagEventId(row.int("id")?),
        repository: ImageRepositoryId(row.int("repository_id")?),
        tag: row.word("tag")?,
        source: row.word("source")?,
        build: row.int_of("build_id")?.map(BuildId),
        observation: row.int_of("observation_id")?.map(ObservationId),
        digest: row.word_of("digest")?,
        image: row.word_of("image_id")?,
        content: row.word_of("content_identity")?,
        observed_at: row.time("observed_at")?,
    })
}

/// Returns the newest event's id; 0 when there is none.
pub(crate) async fn newest(tx: &mut Transaction<'_, Sqlite>) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM tag_events").fetch_one(&mut **tx).await?)
}

/// The next look at this repository may show tags that were there before: they fire nothing.
pub(crate) async fn want_baseline(
    tx: &mut Transaction<'_, Sqlite>,
    repository: ImageRepositoryId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tag_watches (repository_id) VALUES (?) \
         ON CONFLICT (repository_id) DO UPDATE SET wanted = wanted + 1, next_look_at = NULL",
    )
    .bind(repository.0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A build put a tag where it belongs: an event, and known from now on, so that no look finds our own push.
pub(crate) async fn record_published(
    tx: &mut Transaction<'_, Sqlite>,
    publication: PublicationId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO tag_events (repository_id, tag, source, build_id, observation_id, digest, image_id, \
         content_identity, observed_at) \
         SELECT b.repository_id, p.tag, CASE b.kind WHEN 'upload' THEN 'upload' ELSE 'build' END, b.id, \
         b.observation_id, p.digest, b.image_id, b.content_identity, ?2 \
         FROM publications p JOIN builds b ON b.id = p.build_id WHERE p.id = ?1 ON CONFLICT DO NOTHING",
    )
    .bind(publication.0)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "INSERT INTO known_tags (repository_id, tag, digest, image_id, ours, checked_at) \
         SELECT b.repository_id, p.tag, p.digest, b.image_id, 1, ?2 \
         FROM publications p JOIN builds b ON b.id = p.build_id WHERE p.id = ?1 \
         ON CONFLICT (repository_id, tag) DO UPDATE SET digest = excluded.digest, image_id = excluded.image_id, \
         ours = 1, checked_at = excluded.checked_at",
    )
    .bind(publication.0)
    .bind(millis(now))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl Store {
    /// Returns how looking at a repository goes. Asked before a look begins.
    ///
    /// # Errors
    /// As every read.
    pub async fn tag_watch(&self, repository: ImageRepositoryId) -> Result<TagWatch, StoreError> {
        let row = sqlx::query(
            "SELECT w.*, (SELECT COALESCE(MAX(id), 0) FROM tag_moves) AS last_move FROM (SELECT 1) \
             LEFT JOIN tag_watches w ON w.repository_id = ?",
        )
        .bind(repository.0)
        .fetch_one(self.read())
        .await?;
        let wanted = row.int_of("wanted")?.unwrap_or(1);
        Ok(TagWatch {
            began: LookBegan { wanted, last_move: row.int("last_move")? },
            baseline: row.int_of("reached")?.unwrap_or(0) < wanted,
            failures: row.small_of("failures")?.unwrap_or(0),
            next_look_at: row.time_of("next_look_at")?,
            last_ok_at: row.time_of("last_ok_at")?,
            last_failure: row.json_of("last_failure")?,
        })
    }

    /// Returns what is known of a repository's tags, by tag.
    ///
    /// # Errors
    /// As every read.
    pub async fn known_tags(&self, repository: ImageRepositoryId) -> Result<BTreeMap<Tag, KnownTag>, StoreError> {
        let rows = sqlx::query("SELECT * FROM known_tags WHERE repository_id = ? ORDER BY tag")
            .bind(repository.0)
            .fetch_all(self.read())
            .await?;
        rows.iter()
            .map(|row| {
                let tag: Tag = row.word("tag")?;
                let known = KnownTag {
                    tag: tag.clone(),
                    digest: row.word_of("digest")?,
                    image: row.word_of("image_id")?,
                    ours: row.flag("ours")?,
                    checked_at: row.time("checked_at")?,
                };
                Ok((tag, known))
            })
            .collect()
    }

    /// Writes what a look saw and returns the events that it made. `gone` are known tags that are no more: when one comes
    /// back it counts as created. What a build of ours is publishing, or has published since the look began, is left to it.
    ///
    /// # Errors
    /// As every write.
    #[allow(clippy::too_many_arguments, reason = "one look is one transaction")]
    pub async fn record_tag_look(
        &self,
        repository: ImageRepositoryId,
        began: LookBegan,
        source: TagEventSource,
        seen: &[SeenTag],
        gone: &[Tag],
        next_look_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Vec<TagEventId>, StoreError> {
        let mut tx = self.write().await?;
        let reached: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(reached), 0) FROM tag_watches WHERE repository_id = ?")
                .bind(repository.0)
                .fetch_one(&mut *tx)
                .await?;
        let baseline = reached < began.wanted;
        let mut events = Vec::new();
        for one in seen {
            if is_ours_to_say(&mut tx, repository, &one.tag, began).await? {
                continue;
            }
            let known = sqlx::query("SELECT digest, image_id FROM known_tags WHERE repository_id = ? AND tag = ?")
                .bind(repository.0)
                .bind(one.tag.as_str())
                .fetch_optional(&mut *tx)
                .await?;
            let fires = match &known {
                None => !baseline,
                // In a registry the digest decides. One that was only listed before is filled in.
                Some(known) if one.digest.is_some() => {
                    known.word_of::<Digest>("digest")?.is_some_and(|known| Some(known) != one.digest)
                }
                Some(known) => known.word_of::<ImageId>("image_id")?.is_some_and(|known| Some(known) != one.image),
            };
            sqlx::query(
                "INSERT INTO known_tags (repository_id, tag, digest, image_id, ours, checked_at) \
                 VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT (repository_id, tag) DO UPDATE SET \
                 digest = excluded.digest, image_id = excluded.image_id, ours = CASE WHEN ?6 THEN 0 ELSE ours END, \
                 checked_at = excluded.checked_at",
            )
            .bind(repository.0)
            .bind(one.tag.as_str())
            .bind(one.digest.as_ref().map(Digest::as_str))
            .bind(one.image.as_ref().map(|image| image.0.as_str()))
            .bind(millis(now))
            .bind(fires)
            .execute(&mut *tx)
            .await?;
            if fires {
                events.push(insert_seen(&mut tx, repository, source, one, now).await?);
            }
        }
        for tag in gone {
            if !is_ours_to_say(&mut tx, repository, tag, began).await? {
                sqlx::query("DELETE FROM known_tags WHERE repository_id = ? AND tag = ?")
                    .bind(repository.0)
                    .bind(tag.as_str())
                    .execute(&mut *tx)
                    .await?;
            }
        }
        sqlx::query(
            "INSERT INTO tag_watches (repository_id, wanted, reached, failures, next_look_at, last_ok_at) \
             VALUES (?1, ?2, ?2, 0, ?3, ?4) ON CONFLICT (repository_id) DO UPDATE SET reached = MAX(reached, ?2), \
             failures = 0, next_look_at = ?3, last_ok_at = ?4, last_failure = NULL",
        )
        .bind(repository.0)
        .bind(began.wanted)
        .bind(next_look_at.map(millis))
        .bind(millis(now))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(events)
    }

    /// Notes that a look failed.
    ///
    /// # Errors
    /// As every write.
    pub async fn record_tag_look_failure(
        &self,
        repository: ImageRepositoryId,
        failure: &Failure,
        next_look_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO tag_watches (repository_id, failures, next_look_at, last_failure) VALUES (?1, 1, ?2, ?3) \
             ON CONFLICT (repository_id) DO UPDATE SET failures = failures + 1, next_look_at = ?2, last_failure = ?3",
        )
        .bind(repository.0)
        .bind(millis(next_look_at))
        .bind(json(failure)?)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Returns events whose triggers have not been asked, oldest first: those of a build once it is over (it asks for its own
    /// before), all others at once.
    ///
    /// # Errors
    /// As every read.
    pub async fn open_tag_events(&self) -> Result<Vec<TagEventRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT e.* FROM tag_events e LEFT JOIN builds b ON b.id = e.build_id \
             WHERE e.handled = 0 AND (b.id IS NULL OR b.state NOT IN ('queued', 'running', 'paused')) ORDER BY e.id",
        )
        .fetch_all(self.read())
        .await?;
        rows.iter().map(record).collect()
    }

    /// Returns the events of a build whose triggers have not been asked, in the order of its tags.
    ///
    /// # Errors
    /// As every read.
    pub async fn open_tag_events_of_build(&self, build: BuildId) -> Result<Vec<TagEventRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM tag_events WHERE build_id = ? AND handled = 0 ORDER BY id")
            .bind(build.0)
            .fetch_all(self.read())
            .await?;
        rows.iter().map(record).collect()
    }

    /// Returns the newest event of a tag; `None` when nothing was seen since it is watched.
    ///
    /// # Errors
    /// As every read.
    pub async fn last_tag_event(
        &self,
        repository: ImageRepositoryId,
        tag: &Tag,
    ) -> Result<Option<TagEventRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM tag_events WHERE repository_id = ? AND tag = ? ORDER BY id DESC LIMIT 1")
            .bind(repository.0)
            .bind(tag.as_str())
            .fetch_optional(self.read())
            .await?;
        row.as_ref().map(record).transpose()
    }
}

/// Whether a build of ours is publishing this tag, or has done so since the look began.
async fn is_ours_to_say(
    tx: &mut Transaction<'_, Sqlite>,
    repository: ImageRepositoryId,
    tag: &Tag,
    began: LookBegan,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM tag_moves WHERE repository_id = ?1 AND tag = ?2 AND id > ?3) \
         OR EXISTS (SELECT 1 FROM builds b JOIN publications p ON p.build_id = b.id \
                    WHERE b.repository_id = ?1 AND b.state IN ('queued', 'running', 'paused') AND p.tag = ?2 \
                    AND (p.state = 'pushing' OR (p.state = 'waiting' AND p.attempt > 0)))",
    )
    .bind(repository.0)
    .bind(tag.as_str())
    .bind(began.last_move)
    .fetch_one(&mut **tx)
    .await?)
}

async fn insert_seen(
    tx: &mut Transaction<'_, Sqlite>,
    repository: ImageRepositoryId,
    source: TagEventSource,
    seen: &SeenTag,
    now: DateTime<Utc>,
) -> Result<TagEventId, StoreError> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO tag_events (repository_id, tag, source, digest, image_id, content_identity, observed_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(repository.0)
    .bind(seen.tag.as_str())
    .bind(word(&source)?)
    .bind(seen.digest.as_ref().map(Digest::as_str))
    .bind(seen.image.as_ref().map(|image| image.0.as_str()))
    .bind(seen.content.as_ref().map(|content| content.0.as_str()))
    .bind(millis(now))
    .fetch_one(&mut **tx)
    .await?;
    Ok(TagEventId(id))
}
