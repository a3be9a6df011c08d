//! `secrets`: sealed bytes. The store never sees what is inside.

use crate::row::millis;
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::ids::SecretId;
use sqlx::SqliteConnection;

/// Stores sealed bytes with the row that names them.
pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    purpose: &str,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<SecretId, StoreError> {
    let id = sqlx::query_scalar("INSERT INTO secrets (purpose, sealed, created_at) VALUES (?, ?, ?) RETURNING id")
        .bind(purpose)
        .bind(sealed)
        .bind(millis(now))
        .fetch_one(tx)
        .await?;
    Ok(SecretId(id))
}

/// Forgets secrets with the row that named them. Missing is fine.
pub(crate) async fn forget(tx: &mut SqliteConnection, secrets: &[Option<SecretId>]) -> Result<(), StoreError> {
    for secret in secrets.iter().flatten() {
        sqlx::query("DELETE FROM secrets WHERE id = ?").bind(secret.0).execute(&mut *tx).await?;
    }
    Ok(())
}

impl Store {
    /// Stores sealed bytes; `purpose` says to a person what they are for.
    ///
    /// # Errors
    /// As every write.
    pub async fn insert_secret(
        &self,
        purpose: &str,
        sealed: &[u8],
        now: DateTime<Utc>,
    ) -> Result<SecretId, StoreError> {
        let mut tx = self.write().await?;
        let id = insert(&mut tx, purpose, sealed, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Puts other sealed bytes in place of a secret.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn replace_secret(&self, id: SecretId, sealed: &[u8], now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE secrets SET sealed = ?, created_at = ? WHERE id = ?")
            .bind(sealed)
            .bind(millis(now))
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("secret", id));
        }
        Ok(tx.commit().await?)
    }

    /// Returns the sealed bytes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn secret(&self, id: SecretId) -> Result<Vec<u8>, StoreError> {
        sqlx::query_scalar("SELECT sealed FROM secrets WHERE id = ?")
            .bind(id.0)
            .fetch_optional(self.read())
            .await?
            .ok_or_else(|| StoreError::not_found("secret", id))
    }

    /// Forgets a secret. Missing is fine.
    ///
    /// # Errors
    /// As every write.
    pub async fn delete_secret(&self, id: SecretId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        forget(&mut tx, &[Some(id)]).await?;
        Ok(tx.commit().await?)
    }
}
