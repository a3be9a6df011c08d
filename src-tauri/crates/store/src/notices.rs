//! `notices`: the inbox. A notice that belongs to a change of state is written together with the mark that it was told.

use crate::row::{Columns, json, millis};
use crate::{Store, StoreError, channels};
use chrono::{DateTime, Utc};
use slipway_core::build::BuildState;
use slipway_core::channel::ChannelMessage;
use slipway_core::code::RefName;
use slipway_core::ids::{BuildId, CodeRepositoryId, CredentialId, FiringId, NoticeId, RuleId, TargetId};
use slipway_core::notice::NoticeFacts;
use slipway_core::trigger::FiringState;
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, sqlite::SqliteQueryResult};

/// How many notices are kept; older ones go.
const KEPT: i64 = 500;

/// One notice.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeRecord {
    /// Its id.
    pub id: NoticeId,
    /// What it says.
    pub facts: NoticeFacts,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When a person read it.
    pub read_at: Option<DateTime<Utc>>,
}

/// A page of the inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticePage {
    /// Newest first.
    pub items: Vec<NoticeRecord>,
    /// Unread notices in all.
    pub unread: u64,
    /// Notices in all.
    pub total: u64,
    /// Ask for notices before this one to get the next page; `None` on the last page.
    pub next: Option<NoticeId>,
}

fn record(row: &SqliteRow) -> Result<NoticeRecord, StoreError> {
    Ok(NoticeRecord {
        id: NoticeId(row.int("id")?),
        facts: row.json("facts")?,
        created_at: row.time("created_at")?,
        read_at: row.time_of("read_at")?,
    })
}

/// What ended and is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A build.
    Build(BuildId),
    /// An update of a target.
    Update(FiringId),
}

/// Notes, with the end itself, that it is not told yet: whoever is killed before leaves it for the next start.
pub(crate) async fn note_untold(connection: &mut SqliteConnection, ended: Ended) -> Result<(), StoreError> {
    let (sql, id) = match ended {
        Ended::Build(id) => ("INSERT INTO untold_ends (build_id) VALUES (?)", id.0),
        Ended::Update(id) => ("INSERT INTO untold_updates (firing_id) VALUES (?)", id.0),
    };
    sqlx::query(sql).bind(id).execute(connection).await?;
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    facts: &NoticeFacts,
    now: DateTime<Utc>,
) -> Result<NoticeId, StoreError> {
    let id: i64 = sqlx::query_scalar("INSERT INTO notices (facts, created_at) VALUES (?, ?) RETURNING id")
        .bind(json(facts)?)
        .bind(millis(now))
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM notices WHERE id <= (SELECT id FROM notices ORDER BY id DESC LIMIT 1 OFFSET ?)")
        .bind(KEPT)
        .execute(connection)
        .await?;
    Ok(NoticeId(id))
}

impl Store {
    /// Writes a notice and the message for the channels, what there is of both.
    ///
    /// # Errors
    /// As every write.
    pub async fn insert_notice(
        &self,
        facts: Option<&NoticeFacts>,
        news: Option<&ChannelMessage>,
        now: DateTime<Utc>,
    ) -> Result<Option<NoticeId>, StoreError> {
        let mut tx = self.write().await?;
        let id = insert_both(&mut tx, facts, news, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns the builds, and then the updates, that ended and whose end was not told, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn untold_ends(&self) -> Result<Vec<Ended>, StoreError> {
        let builds: Vec<i64> =
            sqlx::query_scalar("SELECT build_id FROM untold_ends ORDER BY build_id").fetch_all(self.read()).await?;
        let updates: Vec<i64> = sqlx::query_scalar("SELECT firing_id FROM untold_updates ORDER BY firing_id")
            .fetch_all(self.read())
            .await?;
        let builds = builds.into_iter().map(|id| Ended::Build(BuildId(id)));
        Ok(builds.chain(updates.into_iter().map(|id| Ended::Update(FiringId(id)))).collect())
    }

    /// Notes that the end of a build or an update is told, with the notice about it and the message for the channels when
    /// there is something to say. Once: a second time writes nothing.
    ///
    /// # Errors
    /// As every write.
    pub async fn tell_end(
        &self,
        ended: Ended,
        facts: Option<&NoticeFacts>,
        news: Option<&ChannelMessage>,
        now: DateTime<Utc>,
    ) -> Result<Option<NoticeId>, StoreError> {
        let (sql, id) = match ended {
            Ended::Build(id) => ("DELETE FROM untold_ends WHERE build_id = ?", id.0),
            Ended::Update(id) => ("DELETE FROM untold_updates WHERE firing_id = ?", id.0),
        };
        let mut tx = self.write().await?;
        let done = sqlx::query(sql).bind(id).execute(&mut *tx).await?;
        let id = insert_when_changed(&mut tx, &done, facts, news, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Notes whether a code repository counts as unreachable, and writes the notice about it when that is a change.
    ///
    /// # Errors
    /// As every write.
    pub async fn tell_unreachable(
        &self,
        code: CodeRepositoryId,
        unreachable: bool,
        facts: Option<&NoticeFacts>,
        news: Option<&ChannelMessage>,
        now: DateTime<Utc>,
    ) -> Result<Option<NoticeId>, StoreError> {
        let known: Option<bool> = sqlx::query_scalar("SELECT told_unreachable FROM code_repositories WHERE id = ?")
            .bind(code.0)
            .fetch_optional(self.read())
            .await?;
        if known.is_none_or(|known| known == unreachable) {
            return Ok(None);
        }
        let mut tx = self.write().await?;
        let done =
            sqlx::query("UPDATE code_repositories SET told_unreachable = ?1 WHERE id = ?2 AND told_unreachable <> ?1")
                .bind(unreachable)
                .bind(code.0)
                .execute(&mut *tx)
                .await?;
        let id = insert_when_changed(&mut tx, &done, facts, news, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Notes whether a credential was refused, and writes the notice about it when that is a change.
    ///
    /// # Errors
    /// As every write.
    pub async fn tell_refused(
        &self,
        credential: CredentialId,
        refused: bool,
        facts: Option<&NoticeFacts>,
        news: Option<&ChannelMessage>,
        now: DateTime<Utc>,
    ) -> Result<Option<NoticeId>, StoreError> {
        let known: Option<bool> = sqlx::query_scalar("SELECT told_refused FROM registry_credentials WHERE id = ?")
            .bind(credential.0)
            .fetch_optional(self.read())
            .await?;
        if known.is_none_or(|known| known == refused) {
            return Ok(None);
        }
        let mut tx = self.write().await?;
        let done =
            sqlx::query("UPDATE registry_credentials SET told_refused = ?1 WHERE id = ?2 AND told_refused <> ?1")
                .bind(refused)
                .bind(credential.0)
                .execute(&mut *tx)
                .await?;
        let id = insert_when_changed(&mut tx, &done, facts, news, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns how the newest other build of a rule and ref that succeeded or failed ended; `None` when there is none.
    ///
    /// # Errors
    /// As every read.
    pub async fn outcome_before(
        &self,
        rule: RuleId,
        ref_name: Option<&RefName>,
        build: BuildId,
    ) -> Result<Option<BuildState>, StoreError> {
        let row = sqlx::query(
            "SELECT state FROM builds INDEXED BY builds_list_of_rule WHERE rule_id = ? AND ref_name IS ? AND id < ? \
             AND state IN ('succeeded', 'failed') ORDER BY id DESC LIMIT 1",
        )
        .bind(rule.0)
        .bind(ref_name.map(RefName::as_str))
        .bind(build.0)
        .fetch_optional(self.read())
        .await?;
        row.map(|row| row.word("state")).transpose()
    }

    /// Returns how the newest earlier update of a target ended that says whether updating it works; `None` when there is none.
    ///
    /// # Errors
    /// As every read.
    pub async fn update_before(&self, target: TargetId, firing: FiringId) -> Result<Option<FiringState>, StoreError> {
        let row = sqlx::query(
            "SELECT state FROM firings WHERE target_id = ? AND id < ? \
             AND state IN ('succeeded', 'unchanged', 'failed', 'rolled_back', 'broken') ORDER BY id DESC LIMIT 1",
        )
        .bind(target.0)
        .bind(firing.0)
        .fetch_optional(self.read())
        .await?;
        row.map(|row| row.word("state")).transpose()
    }

    /// Returns how many builds were made for pushes from one moment until another.
    ///
    /// # Errors
    /// As every read.
    pub async fn pushes_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM builds WHERE kind = 'push' AND created_at BETWEEN ? AND ?")
            .bind(millis(from))
            .bind(millis(to))
            .fetch_one(self.read())
            .await?;
        row.count("n")
    }

    /// Returns a page of the inbox, newest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn notices(
        &self,
        before: Option<NoticeId>,
        limit: u32,
        unread_only: bool,
    ) -> Result<NoticePage, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM notices WHERE id < ?1 AND (NOT ?2 OR read_at IS NULL) ORDER BY id DESC LIMIT ?3",
        )
        .bind(before.map_or(i64::MAX, |id| id.0))
        .bind(unread_only)
        .bind(i64::from(limit) + 1)
        .fetch_all(self.read())
        .await?;
        let mut items: Vec<NoticeRecord> = rows.iter().map(record).collect::<Result<_, _>>()?;
        let has_more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let counts = sqlx::query("SELECT COUNT(*) AS total, COUNT(*) - COUNT(read_at) AS unread FROM notices")
            .fetch_one(self.read())
            .await?;
        Ok(NoticePage {
            next: items.last().filter(|_| has_more).map(|last| last.id),
            items,
            unread: counts.count("unread")?,
            total: counts.count("total")?,
        })
    }

    /// Returns one notice.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn notice(&self, id: NoticeId) -> Result<NoticeRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM notices WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("notice", id))?)
    }

    /// Marks one notice, or all up to one, as read. What is read already stays as it is.
    ///
    /// # Errors
    /// As every write.
    pub async fn mark_notices_read(&self, which: Which, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let (sql, id) = match which {
            Which::One(id) => ("UPDATE notices SET read_at = ? WHERE read_at IS NULL AND id = ?", id),
            Which::UpTo(id) => ("UPDATE notices SET read_at = ? WHERE read_at IS NULL AND id <= ?", id),
        };
        sqlx::query(sql).bind(millis(now)).bind(id.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Removes all notices up to one.
    ///
    /// # Errors
    /// As every write.
    pub async fn clear_notices(&self, up_to: NoticeId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM notices WHERE id <= ?").bind(up_to.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Removes notices that were read before a moment.
    ///
    /// # Errors
    /// As every write.
    pub async fn forget_read_notices(&self, before: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM notices WHERE read_at < ?").bind(millis(before)).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

/// Which notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// This one.
    One(NoticeId),
    /// This one and all older ones: never one that came after the person looked.
    UpTo(NoticeId),
}

async fn insert_when_changed(
    connection: &mut SqliteConnection,
    done: &SqliteQueryResult,
    facts: Option<&NoticeFacts>,
    news: Option<&ChannelMessage>,
    now: DateTime<Utc>,
) -> Result<Option<NoticeId>, StoreError> {
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    insert_both(connection, facts, news, now).await
}

async fn insert_both(
    connection: &mut SqliteConnection,
    facts: Option<&NoticeFacts>,
    news: Option<&ChannelMessage>,
    now: DateTime<Utc>,
) -> Result<Option<NoticeId>, StoreError> {
    if let Some(news) = news {
        channels::tell(connection, news, now).await?;
    }
    match facts {
        Some(facts) => insert(connection, facts, now).await.map(Some),
        None => Ok(None),
    }
}
