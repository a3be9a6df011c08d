//! `source_accounts`: logins at code hosts, their health, and where their sealed tokens lie.

use crate::oauth_applications::{OauthApplication, application};
use crate::row::{Columns, json, json_of, millis, word};
use crate::{Store, StoreError, secrets};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::host::{Granted, HostBase, HostIdentity, HostProvider, MovedMark, Need, RateState, TokenKind};
use slipway_core::ids::{CodeRepositoryId, SecretId, SourceAccountId};
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};

/// One account.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceAccountRecord {
    /// Its id.
    pub id: SourceAccountId,
    /// What runs at the host.
    pub provider: HostProvider,
    /// Where the host lives. Never changes: the tokens belong there.
    pub base: HostBase,
    /// Certificates of an own authority, PEM.
    pub ca_pem: Option<String>,
    /// The host's own id of the account.
    pub host_id: String,
    /// The login name.
    pub login: String,
    /// The name for people.
    pub name: String,
    /// How the tokens came about.
    pub token_kind: TokenKind,
    /// What it is wanted for.
    pub needs: Vec<Need>,
    /// What was granted.
    pub granted: Granted,
    /// Asked for and not granted.
    pub missing: Vec<String>,
    /// When the token ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// The sealed tokens.
    pub tokens: SecretId,
    /// The OAuth application that the tokens came from.
    pub application: Option<OauthApplication>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was authorized last.
    pub authorized_at: DateTime<Utc>,
    /// When it was asked for last, with whatever result.
    pub last_check_at: Option<DateTime<Utc>>,
    /// When the host last answered well.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// What the host answered last, when that was a failure.
    pub last_failure: Option<Failure>,
    /// Why its rules are paused.
    pub paused: Option<Failure>,
    /// What the last cheap look saw.
    pub mark: Option<MovedMark>,
    /// When it last looked at what moved.
    pub looked_at: Option<DateTime<Utc>>,
    /// When it looks next.
    pub next_look_at: Option<DateTime<Utc>>,
    /// The host's budget, as the last look told.
    pub rate: Option<RateState>,
}

impl SourceAccountRecord {
    /// Returns the host's name of the account: the same when it is authorized anew after it was unbound.
    #[must_use]
    pub fn key(&self) -> String {
        key(self.provider, &self.base, &self.host_id)
    }
}

fn key(provider: HostProvider, base: &HostBase, host_id: &str) -> String {
    format!("{} {base} {host_id}", provider.as_str())
}

/// What authorizing found out.
#[derive(Debug, Clone)]
pub struct AccountFacts {
    /// What runs at the host.
    pub provider: HostProvider,
    /// Where the host lives.
    pub base: HostBase,
    /// Certificates of an own authority, PEM.
    pub ca_pem: Option<String>,
    /// Whose it is and what it may.
    pub identity: HostIdentity,
    /// How the tokens came about.
    pub token_kind: TokenKind,
    /// What it is wanted for.
    pub needs: Vec<Need>,
    /// The sealed tokens.
    pub sealed: Vec<u8>,
    /// The OAuth application, with its secret sealed anew: the account keeps its own copy.
    pub client: Option<(String, Option<Vec<u8>>, Option<u16>)>,
}

/// How asking a host went.
#[derive(Debug, Clone)]
pub enum AccountChecked {
    /// It answered.
    Ok(HostIdentity),
    /// It failed; the account works on.
    Failed(Failure),
}

/// What unbinding took away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountRemovalRows {
    /// Code repositories that nobody opens any more.
    pub code: Vec<CodeRepositoryId>,
}

fn record(row: &SqliteRow) -> Result<SourceAccountRecord, StoreError> {
    Ok(SourceAccountRecord {
        id: SourceAccountId(row.int("id")?),
        provider: row.word("provider")?,
        base: row.word("base_url")?,
        ca_pem: row.text_of("ca_pem")?,
        host_id: row.text("host_id")?,
        login: row.text("login")?,
        name: row.text("name")?,
        token_kind: row.word("token_kind")?,
        needs: row.json("needs")?,
        granted: row.json("granted")?,
        missing: row.json("missing")?,
        expires_at: row.time_of("expires_at")?,
        tokens: SecretId(row.int("tokens")?),
        application: application(row)?,
        created_at: row.time("created_at")?,
        authorized_at: row.time("authorized_at")?,
        last_check_at: row.time_of("last_check_at")?,
        last_ok_at: row.time_of("last_ok_at")?,
        last_failure: row.json_of("last_failure")?,
        paused: row.json_of("paused")?,
        mark: row.text_of("mark")?.map(MovedMark),
        looked_at: row.time_of("looked_at")?,
        next_look_at: row.time_of("next_look_at")?,
        rate: row.json_of("rate")?,
    })
}

/// The secrets that an account's row names.
fn secrets_of(row: &SqliteRow) -> Result<[Option<SecretId>; 2], StoreError> {
    Ok([Some(SecretId(row.int("tokens")?)), row.int_of("client_secret")?.map(SecretId)])
}

impl Store {
    /// Adds an account, or authorizes the one that is there for the same person at the same host: its code repositories and
    /// rules stay, a pause ends. Code of an account that was unbound comes back to it. Returns the id, and whether it is new.
    ///
    /// # Errors
    /// As every write.
    pub async fn authorize_account(
        &self,
        facts: &AccountFacts,
        now: DateTime<Utc>,
    ) -> Result<(SourceAccountId, bool), StoreError> {
        let mut tx = self.write().await?;
        let old = sqlx::query(
            "SELECT id, tokens, client_secret FROM source_accounts WHERE provider = ? AND base_url = ? AND host_id = ?",
        )
        .bind(facts.provider.as_str())
        .bind(facts.base.as_str())
        .bind(&facts.identity.id)
        .fetch_optional(&mut *tx)
        .await?;
        let purpose = format!("{} at {}", facts.identity.login, facts.base.host());
        let tokens = secrets::insert(&mut tx, &purpose, &facts.sealed, now).await?;
        let client_secret = match facts.client.as_ref().and_then(|(_, secret, _)| secret.as_ref()) {
            Some(sealed) => Some(secrets::insert(&mut tx, &format!("application of {purpose}"), sealed, now).await?),
            None => None,
        };
        let is_new = old.is_none();
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO source_accounts (provider, base_url, host_id, ca_pem, login, name, token_kind, needs, granted, missing, \
             expires_at, tokens, client_id, client_secret, redirect_port, created_at, authorized_at, last_check_at, last_ok_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?16, ?16, ?16) \
             ON CONFLICT (provider, base_url, host_id) DO UPDATE SET ca_pem = excluded.ca_pem, login = excluded.login, \
             name = excluded.name, token_kind = excluded.token_kind, needs = excluded.needs, granted = excluded.granted, \
             missing = excluded.missing, expires_at = excluded.expires_at, tokens = excluded.tokens, \
             client_id = excluded.client_id, client_secret = excluded.client_secret, redirect_port = excluded.redirect_port, \
             authorized_at = excluded.authorized_at, last_check_at = excluded.last_check_at, last_ok_at = excluded.last_ok_at, \
             last_failure = NULL, paused = NULL, next_look_at = NULL RETURNING id",
        )
        .bind(facts.provider.as_str())
        .bind(facts.base.as_str())
        .bind(&facts.identity.id)
        .bind(facts.ca_pem.as_deref())
        .bind(&facts.identity.login)
        .bind(&facts.identity.name)
        .bind(word(&facts.token_kind)?)
        .bind(json(&facts.needs)?)
        .bind(json(&facts.identity.granted)?)
        .bind(json(&facts.identity.missing)?)
        .bind(facts.identity.expires_at.map(millis))
        .bind(tokens.0)
        .bind(facts.client.as_ref().map(|(id, ..)| id.as_str()))
        .bind(client_secret.map(|id| id.0))
        .bind(facts.client.as_ref().and_then(|(_, _, port)| *port))
        .bind(millis(now))
        .fetch_one(&mut *tx)
        .await?;
        if let Some(old) = old {
            secrets::forget(&mut tx, &secrets_of(&old)?).await?;
        }
        // Authorizing again means: look at once.
        sqlx::query("UPDATE code_repositories SET account_id = ?1, next_check_at = NULL WHERE account_key = ?2")
            .bind(id)
            .bind(key(facts.provider, &facts.base, &facts.identity.id))
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok((SourceAccountId(id), is_new))
    }

    /// Returns an account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn source_account(&self, id: SourceAccountId) -> Result<SourceAccountRecord, StoreError> {
        let row =
            sqlx::query("SELECT * FROM source_accounts WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("source account", id))?)
    }

    /// Returns all accounts, by host and login.
    ///
    /// # Errors
    /// As every read.
    pub async fn source_accounts(&self) -> Result<Vec<SourceAccountRecord>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM source_accounts ORDER BY base_url, login, id").fetch_all(self.read()).await?;
        rows.iter().map(record).collect()
    }

    /// Changes the authority that an account's host is checked by.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn update_source_account(&self, id: SourceAccountId, ca_pem: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE source_accounts SET ca_pem = ? WHERE id = ?")
            .bind(ca_pem)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("source account", id));
        }
        Ok(tx.commit().await?)
    }

    /// Notes what an account is wanted for, so that authorizing again asks for it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_account_needs(&self, id: SourceAccountId, needs: &[Need]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE source_accounts SET needs = ? WHERE id = ?")
            .bind(json(&needs)?)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("source account", id));
        }
        Ok(tx.commit().await?)
    }

    /// Puts a new pair of tokens in place of the old one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn replace_account_tokens(
        &self,
        id: SourceAccountId,
        sealed: &[u8],
        expires_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE secrets SET sealed = ?, created_at = ? WHERE id = (SELECT tokens FROM source_accounts WHERE id = ?)",
        )
        .bind(sealed)
        .bind(millis(now))
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("source account", id));
        }
        sqlx::query("UPDATE source_accounts SET expires_at = ? WHERE id = ?")
            .bind(expires_at.map(millis))
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Notes how asking the host went. A good answer ends a pause; returns whether it did.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn record_account_check(
        &self,
        id: SourceAccountId,
        result: &AccountChecked,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_paused: Option<bool> =
            sqlx::query_scalar("SELECT paused IS NOT NULL FROM source_accounts WHERE id = ?")
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
        let was_paused = was_paused.ok_or_else(|| StoreError::not_found("source account", id))?;
        match result {
            AccountChecked::Ok(identity) => {
                sqlx::query(
                    "UPDATE source_accounts SET last_check_at = ?1, last_ok_at = ?1, last_failure = NULL, paused = NULL, \
                     login = ?2, name = ?3, granted = ?4, missing = ?5, expires_at = COALESCE(?6, expires_at) WHERE id = ?7",
                )
                .bind(millis(now))
                .bind(&identity.login)
                .bind(&identity.name)
                .bind(json(&identity.granted)?)
                .bind(json(&identity.missing)?)
                .bind(identity.expires_at.map(millis))
                .bind(id.0)
                .execute(&mut *tx)
                .await?;
                if was_paused {
                    look_at_once(&mut tx, id).await?;
                }
            }
            AccountChecked::Failed(failure) => {
                sqlx::query("UPDATE source_accounts SET last_check_at = ?, last_failure = ? WHERE id = ?")
                    .bind(millis(now))
                    .bind(json(failure)?)
                    .bind(id.0)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        tx.commit().await?;
        Ok(was_paused && matches!(result, AccountChecked::Ok(_)))
    }

    /// Pauses an account: the host does not take its token any more. Returns false when it was paused already.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn pause_source_account(
        &self,
        id: SourceAccountId,
        why: &Failure,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let was_paused: Option<bool> =
            sqlx::query_scalar("SELECT paused IS NOT NULL FROM source_accounts WHERE id = ?")
                .bind(id.0)
                .fetch_optional(&mut *tx)
                .await?;
        let was_paused = was_paused.ok_or_else(|| StoreError::not_found("source account", id))?;
        sqlx::query("UPDATE source_accounts SET last_check_at = ?1, last_failure = ?2, paused = ?2 WHERE id = ?3")
            .bind(millis(now))
            .bind(json(why)?)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(!was_paused)
    }

    /// Notes what a cheap look saw and when the next one is due; one that went well comes with a `rate`. What moved is looked
    /// at next, also after a crash.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn record_account_look(
        &self,
        id: SourceAccountId,
        mark: Option<&MovedMark>,
        rate: Option<&RateState>,
        moved: &[CodeRepositoryId],
        next_look_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE source_accounts SET mark = COALESCE(?1, mark), rate = COALESCE(?2, rate), looked_at = ?3, \
             last_ok_at = IIF(?2 IS NULL, last_ok_at, ?3), last_failure = IIF(?2 IS NULL, last_failure, NULL), \
             next_look_at = ?4 WHERE id = ?5",
        )
        .bind(mark.map(|mark| mark.0.as_str()))
        .bind(json_of(rate)?)
        .bind(millis(now))
        .bind(millis(next_look_at))
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("source account", id));
        }
        for code in moved {
            sqlx::query("UPDATE code_repositories SET next_check_at = NULL WHERE id = ?")
                .bind(code.0)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Removes an account with its secrets. Code repositories that it opened stay, closed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn delete_source_account(&self, id: SourceAccountId) -> Result<AccountRemovalRows, StoreError> {
        let mut tx = self.write().await?;
        let code: Vec<i64> = sqlx::query_scalar("SELECT id FROM code_repositories WHERE account_id = ? ORDER BY id")
            .bind(id.0)
            .fetch_all(&mut *tx)
            .await?;
        let row = sqlx::query("DELETE FROM source_accounts WHERE id = ? RETURNING tokens, client_secret")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| StoreError::not_found("source account", id))?;
        secrets::forget(&mut tx, &secrets_of(&row)?).await?;
        tx.commit().await?;
        Ok(AccountRemovalRows { code: code.into_iter().map(CodeRepositoryId).collect() })
    }
}

async fn look_at_once(tx: &mut Transaction<'_, Sqlite>, id: SourceAccountId) -> Result<(), StoreError> {
    sqlx::query("UPDATE source_accounts SET next_look_at = NULL WHERE id = ?").bind(id.0).execute(&mut **tx).await?;
    sqlx::query("UPDATE code_repositories SET next_check_at = NULL WHERE account_id = ?")
        .bind(id.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
