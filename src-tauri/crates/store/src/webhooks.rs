//! `webhooks` and `webhook_deliveries`: what code hosts were asked to call, how that stands, and what came in.

use crate::row::{Columns, json_of, millis, word};
use crate::{Store, StoreError, secrets};
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::Failure;
use slipway_core::host::{HostBase, HostProvider, RepositoryPath};
use slipway_core::ids::{CodeRepositoryId, SecretId, SourceAccountId, WebhookId};
use slipway_core::webhook::WebhookRefusal;
use sqlx::sqlite::SqliteRow;

/// Hosts keep deliveries for a few days and play them again on a person's wish (GitHub: three).
const DELIVERIES_KEPT: TimeDelta = TimeDelta::days(7);

/// One webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookRecord {
    /// Its id.
    pub id: WebhookId,
    /// What a delivery wakes; `None` once it was removed.
    pub code: Option<CodeRepositoryId>,
    /// Whose token makes and removes it; `None` once it was unbound.
    pub account: Option<SourceAccountId>,
    /// What runs at the host.
    pub provider: HostProvider,
    /// Where the host lives.
    pub base: HostBase,
    /// The repository's path there.
    pub repository: RepositoryPath,
    /// The last part of its address.
    pub path: String,
    /// What deliveries are signed with, sealed.
    pub secret: SecretId,
    /// It should be at the host; otherwise it should be gone from there.
    pub wanted: bool,
    /// Where the host was asked to deliver to; `None` while it was not asked.
    pub url: Option<String>,
    /// The host's id of it; `None` while it is not known to be there.
    pub hook: Option<String>,
    /// It was there, and somebody removed it at the host.
    pub vanished: bool,
    /// The host delivers; some stop after failed deliveries.
    pub active: bool,
    /// When it was wanted.
    pub created_at: DateTime<Utc>,
    /// When the host was asked last, with whatever result; `None` asks for a look at once.
    pub checked_at: Option<DateTime<Utc>>,
    /// What asking the host failed with last.
    pub last_failure: Option<Failure>,
    /// Deliveries that were taken.
    pub delivered: u64,
    /// When the last one was taken.
    pub last_delivery_at: Option<DateTime<Utc>>,
    /// Deliveries that were refused.
    pub refused: u64,
    /// Why the last one was.
    pub last_refusal: Option<WebhookRefusal>,
    /// When it was.
    pub last_refused_at: Option<DateTime<Utc>>,
}

/// A webhook that is wanted.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// What a delivery wakes.
    pub code: CodeRepositoryId,
    /// Whose token makes it.
    pub account: SourceAccountId,
    /// What runs at the host.
    pub provider: HostProvider,
    /// Where the host lives.
    pub base: HostBase,
    /// The repository's path there.
    pub repository: RepositoryPath,
    /// The last part of its address.
    pub path: String,
    /// What deliveries are signed with, sealed.
    pub sealed: Vec<u8>,
}

/// How asking a host about a webhook went.
#[derive(Debug, Clone, PartialEq)]
pub enum WebhookChecked {
    /// It is there.
    There {
        /// The host's id of it.
        hook: String,
        /// The host delivers.
        active: bool,
    },
    /// It is not there any more.
    Vanished,
    /// Nothing is known.
    Failed(Failure),
}

fn record(row: &SqliteRow) -> Result<WebhookRecord, StoreError> {
    Ok(WebhookRecord {
        id: WebhookId(row.int("id")?),
        code: row.int_of("code_repository_id")?.map(CodeRepositoryId),
        account: row.int_of("account_id")?.map(SourceAccountId),
        provider: row.word("provider")?,
        base: row.word("base_url")?,
        repository: RepositoryPath(row.text("repository")?),
        path: row.text("path")?,
        secret: SecretId(row.int("secret")?),
        wanted: row.flag("wanted")?,
        url: row.text_of("url")?,
        hook: row.text_of("hook")?,
        vanished: row.flag("vanished")?,
        active: row.flag("active")?,
        created_at: row.time("created_at")?,
        checked_at: row.time_of("checked_at")?,
        last_failure: row.json_of("last_failure")?,
        delivered: row.count("delivered")?,
        last_delivery_at: row.time_of("last_delivery_at")?,
        refused: row.count("refused")?,
        last_refusal: row.word_of("last_refusal")?,
        last_refused_at: row.time_of("last_refused_at")?,
    })
}

impl Store {
    /// Returns all webhooks, wanted or on their way out.
    ///
    /// # Errors
    /// As every read.
    pub async fn webhooks(&self) -> Result<Vec<WebhookRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM webhooks ORDER BY id").fetch_all(self.read()).await?;
        rows.iter().map(record).collect()
    }

    /// Returns one webhook.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn webhook(&self, id: WebhookId) -> Result<WebhookRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM webhooks WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("webhook", id))?)
    }

    /// Writes down that a webhook is wanted, before any host is asked. Returns the one that is wanted already, if any.
    ///
    /// # Errors
    /// As every write.
    pub async fn want_webhook(&self, new: &NewWebhook, now: DateTime<Utc>) -> Result<WebhookId, StoreError> {
        let mut tx = self.write().await?;
        let wanted: Option<i64> =
            sqlx::query_scalar("SELECT id FROM webhooks WHERE code_repository_id = ? AND wanted = 1")
                .bind(new.code.0)
                .fetch_optional(&mut *tx)
                .await?;
        if let Some(wanted) = wanted {
            return Ok(WebhookId(wanted));
        }
        let purpose = format!("webhook of {}", new.repository);
        let secret = secrets::insert(&mut tx, &purpose, &new.sealed, now).await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO webhooks (code_repository_id, account_id, provider, base_url, repository, path, secret, created_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(new.code.0)
        .bind(new.account.0)
        .bind(new.provider.as_str())
        .bind(new.base.as_str())
        .bind(&new.repository.0)
        .bind(&new.path)
        .bind(secret.0)
        .bind(millis(now))
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(WebhookId(id))
    }

    /// Writes down that a webhook should be gone from its host, which is asked at the next occasion.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn unwant_webhook(&self, id: WebhookId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE webhooks SET wanted = 0, checked_at = NULL, last_failure = NULL WHERE id = ?")
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("webhook", id));
        }
        Ok(tx.commit().await?)
    }

    /// Notes where a host is about to be asked to deliver to. What it made before is not known any more.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn begin_webhook(&self, id: WebhookId, url: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE webhooks SET url = ?, hook = NULL, vanished = 0, active = 1 WHERE id = ?")
            .bind(url)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("webhook", id));
        }
        Ok(tx.commit().await?)
    }

    /// Notes what a host said about a webhook. Nothing happens when it was forgotten meanwhile; it is asked again at once when
    /// what is wanted is no longer `wanted`, as it was when the host was asked.
    ///
    /// # Errors
    /// As every write.
    pub async fn record_webhook_check(
        &self,
        id: WebhookId,
        checked: &WebhookChecked,
        wanted: bool,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        match checked {
            WebhookChecked::There { hook, active } => {
                sqlx::query(
                    "UPDATE webhooks SET hook = ?, active = ?, vanished = 0, last_failure = NULL, checked_at = ? \
                     WHERE id = ?",
                )
                .bind(hook)
                .bind(active)
                .bind(millis(now))
                .bind(id.0)
                .execute(&mut *tx)
                .await?
            }
            WebhookChecked::Vanished => {
                sqlx::query(
                    "UPDATE webhooks SET hook = NULL, vanished = 1, last_failure = NULL, checked_at = ? WHERE id = ?",
                )
                .bind(millis(now))
                .bind(id.0)
                .execute(&mut *tx)
                .await?
            }
            WebhookChecked::Failed(failure) => {
                sqlx::query("UPDATE webhooks SET last_failure = ?, checked_at = ? WHERE id = ?")
                    .bind(json_of(Some(failure))?)
                    .bind(millis(now))
                    .bind(id.0)
                    .execute(&mut *tx)
                    .await?
            }
        };
        sqlx::query("UPDATE webhooks SET checked_at = NULL, last_failure = NULL WHERE id = ? AND wanted != ?")
            .bind(id.0)
            .bind(wanted)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a webhook with its secret and its deliveries. Missing is fine.
    ///
    /// # Errors
    /// As every write.
    pub async fn forget_webhook(&self, id: WebhookId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let secret: Option<i64> = sqlx::query_scalar("DELETE FROM webhooks WHERE id = ? RETURNING secret")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?;
        secrets::forget(&mut tx, &[secret.map(SecretId)]).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a delivery once: returns false when the same one was taken before. With `wakes` the code is looked at next at
    /// once, also after a crash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the webhook was forgotten meanwhile.
    pub async fn take_delivery(
        &self,
        id: WebhookId,
        replay_key: &str,
        wakes: bool,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM webhook_deliveries WHERE webhook_id = ? AND seen_at < ?")
            .bind(id.0)
            .bind(millis(now - DELIVERIES_KEPT))
            .execute(&mut *tx)
            .await?;
        let taken = sqlx::query(
            "INSERT INTO webhook_deliveries (webhook_id, replay_key, seen_at) SELECT id, ?2, ?3 FROM webhooks WHERE id = ?1 \
             ON CONFLICT DO NOTHING",
        )
        .bind(id.0)
        .bind(replay_key)
        .bind(millis(now))
        .execute(&mut *tx)
        .await?
        .rows_affected()
            == 1;
        if !taken {
            let known: Option<i64> =
                sqlx::query_scalar("SELECT id FROM webhooks WHERE id = ?").bind(id.0).fetch_optional(&mut *tx).await?;
            return known.map(|_| false).ok_or_else(|| StoreError::not_found("webhook", id));
        }
        sqlx::query("UPDATE webhooks SET delivered = delivered + 1, last_delivery_at = ? WHERE id = ?")
            .bind(millis(now))
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if wakes {
            sqlx::query(
                "UPDATE code_repositories SET next_check_at = NULL \
                 WHERE id = (SELECT code_repository_id FROM webhooks WHERE id = ?)",
            )
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Counts a delivery that was refused. Nothing happens when the webhook was forgotten meanwhile.
    ///
    /// # Errors
    /// As every write.
    pub async fn refuse_delivery(
        &self,
        id: WebhookId,
        refusal: WebhookRefusal,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE webhooks SET refused = refused + 1, last_refusal = ?, last_refused_at = ? WHERE id = ?")
            .bind(word(&refusal)?)
            .bind(millis(now))
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }
}
