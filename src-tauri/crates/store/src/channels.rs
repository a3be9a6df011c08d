//! `channels`, `channel_messages`: notification channels and what they are to be told. Messages are written together with
//! what they are about ([`crate::notices`]), so that none is lost between the two.

use crate::row::{Columns, json, millis, word};
use crate::{Store, StoreError, secrets};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::channel::{ChannelEvent, ChannelKind, ChannelMessage};
use slipway_core::ids::{ChannelId, ChannelMessageId, SecretId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

/// Messages that wait for one channel at most; the oldest go. More than a group could be told in the hour that each has.
const MOST_WAITING: i64 = 200;

/// A channel as a person wants it; address and secret are sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSpec {
    /// Its name.
    pub name: String,
    /// Whose shape its messages have.
    pub kind: ChannelKind,
    /// Where to.
    pub address: SecretId,
    /// The host of the address, with its port when it has one of its own.
    pub host: String,
    /// The signing secret or token.
    pub secret: Option<SecretId>,
    /// A person allowed an address in a private network.
    pub allow_private: bool,
    /// What it is told.
    pub events: Vec<ChannelEvent>,
    /// It is on.
    pub enabled: bool,
}

/// A channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelRecord {
    /// Its id.
    pub id: ChannelId,
    /// As a person wants it.
    pub spec: ChannelSpec,
    /// When a message was taken last.
    pub sent_at: Option<DateTime<Utc>>,
    /// What the last message that was given up failed with, and when; gone with the next that is taken.
    pub failed: Option<(Failure, DateTime<Utc>)>,
}

/// A message that waits for its channel.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenMessage {
    /// Its id.
    pub id: ChannelMessageId,
    /// Its channel.
    pub channel: ChannelId,
    /// What is to be told.
    pub message: ChannelMessage,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Tries that failed.
    pub attempt: u32,
    /// Not to be tried before.
    pub next_try_at: Option<DateTime<Utc>>,
    /// What the last try failed with.
    pub failure: Option<Failure>,
}

fn record(row: &SqliteRow) -> Result<ChannelRecord, StoreError> {
    Ok(ChannelRecord {
        id: ChannelId(row.int("id")?),
        spec: ChannelSpec {
            name: row.text("name")?,
            kind: row.word("kind")?,
            address: SecretId(row.int("address")?),
            host: row.text("host")?,
            secret: row.int_of("secret")?.map(SecretId),
            allow_private: row.flag("allow_private")?,
            events: row.json("events")?,
            enabled: row.flag("enabled")?,
        },
        sent_at: row.time_of("sent_at")?,
        failed: row.json_of("failure")?.zip(row.time_of("failed_at")?),
    })
}

fn message(row: &SqliteRow) -> Result<OpenMessage, StoreError> {
    Ok(OpenMessage {
        id: ChannelMessageId(row.int("id")?),
        channel: ChannelId(row.int("channel_id")?),
        message: row.json("message")?,
        created_at: row.time("created_at")?,
        attempt: row.small("attempt")?,
        next_try_at: row.time_of("next_try_at")?,
        failure: row.json_of("failure")?,
    })
}

/// Writes a message for every channel that wants one of its events.
pub(crate) async fn tell(
    tx: &mut SqliteConnection,
    news: &ChannelMessage,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let wanting = sqlx::query("SELECT * FROM channels WHERE enabled = 1").fetch_all(&mut *tx).await?;
    for row in &wanting {
        let channel = record(row)?;
        // The receiver reads what it asked for: the first event that this channel wants.
        let events: Vec<ChannelEvent> =
            news.events.iter().copied().filter(|event| channel.spec.events.contains(event)).collect();
        if events.is_empty() {
            continue;
        }
        let news = ChannelMessage { events, ..news.clone() };
        sqlx::query("INSERT INTO channel_messages (channel_id, message, created_at) VALUES (?, ?, ?)")
            .bind(channel.id.0)
            .bind(json(&news)?)
            .bind(millis(now))
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM channel_messages WHERE channel_id = ?1 AND id <= \
             (SELECT id FROM channel_messages WHERE channel_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(channel.id.0)
        .bind(MOST_WAITING)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn one(connection: &mut SqliteConnection, id: ChannelId) -> Result<ChannelRecord, StoreError> {
    let row = sqlx::query("SELECT * FROM channels WHERE id = ?").bind(id.0).fetch_optional(connection).await?;
    record(&row.ok_or_else(|| StoreError::not_found("channel", id))?)
}

impl Store {
    /// Returns all channels by name.
    ///
    /// # Errors
    /// As every read.
    pub async fn channels(&self) -> Result<Vec<ChannelRecord>, StoreError> {
        sqlx::query("SELECT * FROM channels ORDER BY name, id")
            .fetch_all(self.read())
            .await?
            .iter()
            .map(record)
            .collect()
    }

    /// Returns one channel.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn channel(&self, id: ChannelId) -> Result<ChannelRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM channels WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("channel", id))?)
    }

    /// Adds a channel.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] at `name`.
    pub async fn insert_channel(&self, spec: &ChannelSpec, now: DateTime<Utc>) -> Result<ChannelId, StoreError> {
        let mut tx = self.write().await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO channels (name, kind, address, host, secret, allow_private, events, enabled, created_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(&spec.name)
        .bind(word(&spec.kind)?)
        .bind(spec.address.0)
        .bind(&spec.host)
        .bind(spec.secret.map(|id| id.0))
        .bind(spec.allow_private)
        .bind(json(&spec.events)?)
        .bind(spec.enabled)
        .bind(millis(now))
        .fetch_one(&mut *tx)
        .await
        .map_err(|e| StoreError::from(e).name_taken_at("name"))?;
        tx.commit().await?;
        Ok(ChannelId(id))
    }

    /// Changes a channel. Secrets that it names no longer are forgotten. What waits is tried at once, and goes when the
    /// channel is off; what failed before is of no concern any more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NameTaken`] at `name`.
    pub async fn update_channel(&self, id: ChannelId, spec: &ChannelSpec) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let old = one(&mut tx, id).await?.spec;
        sqlx::query(
            "UPDATE channels SET name = ?, kind = ?, address = ?, host = ?, secret = ?, allow_private = ?, events = ?, \
             enabled = ?, failure = NULL, failed_at = NULL WHERE id = ?",
        )
        .bind(&spec.name)
        .bind(word(&spec.kind)?)
        .bind(spec.address.0)
        .bind(&spec.host)
        .bind(spec.secret.map(|id| id.0))
        .bind(spec.allow_private)
        .bind(json(&spec.events)?)
        .bind(spec.enabled)
        .bind(id.0)
        .execute(&mut *tx)
        .await
        .map_err(|e| StoreError::from(e).name_taken_at("name"))?;
        let waiting = if spec.enabled {
            "UPDATE channel_messages SET next_try_at = NULL WHERE channel_id = ?"
        } else {
            "DELETE FROM channel_messages WHERE channel_id = ?"
        };
        sqlx::query(waiting).bind(id.0).execute(&mut *tx).await?;
        let gone =
            [Some(old.address).filter(|old| *old != spec.address), old.secret.filter(|old| Some(*old) != spec.secret)];
        secrets::forget(&mut tx, &gone).await?;
        Ok(tx.commit().await?)
    }

    /// Removes a channel with its secrets and with what waits for it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_channel(&self, id: ChannelId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let old = one(&mut tx, id).await?.spec;
        sqlx::query("DELETE FROM channels WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        secrets::forget(&mut tx, &[Some(old.address), old.secret]).await?;
        Ok(tx.commit().await?)
    }

    /// Returns the messages that wait, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn open_messages(&self) -> Result<Vec<OpenMessage>, StoreError> {
        let rows = sqlx::query("SELECT * FROM channel_messages ORDER BY id").fetch_all(self.read()).await?;
        rows.iter().map(message).collect()
    }

    /// Notes that a message was taken.
    ///
    /// # Errors
    /// As every write.
    pub async fn message_taken(&self, open: &OpenMessage, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM channel_messages WHERE id = ?").bind(open.id.0).execute(&mut *tx).await?;
        sqlx::query("UPDATE channels SET sent_at = ?, failure = NULL, failed_at = NULL WHERE id = ?")
            .bind(millis(now))
            .bind(open.channel.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Notes that a try failed; it is tried again then.
    ///
    /// # Errors
    /// As every write.
    pub async fn message_waits(
        &self,
        open: &OpenMessage,
        failure: &Failure,
        next_try_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE channel_messages SET attempt = attempt + 1, next_try_at = ?, failure = ? WHERE id = ?")
            .bind(millis(next_try_at))
            .bind(json(failure)?)
            .bind(open.id.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Notes that a message is not tried any more; the channel says so.
    ///
    /// # Errors
    /// As every write.
    pub async fn message_given_up(
        &self,
        open: &OpenMessage,
        failure: &Failure,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("DELETE FROM channel_messages WHERE id = ?").bind(open.id.0).execute(&mut *tx).await?;
        // A person who changed or switched off the channel meanwhile does not need to hear of it.
        if done.rows_affected() > 0 {
            sqlx::query("UPDATE channels SET failure = ?, failed_at = ? WHERE id = ?")
                .bind(json(failure)?)
                .bind(millis(now))
                .bind(open.channel.0)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }
}
