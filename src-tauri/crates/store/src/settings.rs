//! `settings`: one JSON value per key.

use crate::row::{Columns, json};
use crate::{Store, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::SqliteConnection;

impl Store {
    /// Returns a setting; `None` when it was never set.
    ///
    /// # Errors
    /// As every read; [`StoreError::BadRow`] when the value has another shape.
    pub async fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let row = sqlx::query("SELECT value FROM settings WHERE key = ?").bind(key).fetch_optional(self.read()).await?;
        row.map(|row| row.json("value")).transpose()
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// As every write.
    pub async fn set_setting<T: Serialize + Sync>(&self, key: &str, value: &T) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        set(&mut tx, key, value).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a setting. Missing is fine.
    ///
    /// # Errors
    /// As every write.
    pub async fn remove_setting(&self, key: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM settings WHERE key = ?").bind(key).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

pub(crate) async fn set<T: Serialize + Sync>(
    tx: &mut SqliteConnection,
    key: &str,
    value: &T,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .bind(key)
    .bind(json(value)?)
    .execute(tx)
    .await?;
    Ok(())
}
