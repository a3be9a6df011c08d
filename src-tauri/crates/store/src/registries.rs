//! `registries` and `registry_credentials`.

use crate::row::{Columns, json, json_of, millis, word};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use slipway_core::ids::{CredentialId, RegistryId};
use slipway_core::image::{CredentialSource, RegistryHost, RegistryKind};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

/// What a person says about an OCI registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrySpec {
    /// Its name, unique.
    pub name: String,
    /// Its host.
    pub host: RegistryHost,
    /// Speak plain HTTP.
    pub plain_http: bool,
    /// Certificates of an own authority, PEM.
    pub ca_pem: Option<String>,
}

/// One registry. The row of *Local engine* is always there and has no host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryRecord {
    /// Its id.
    pub id: RegistryId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RegistryKind,
    /// Its host; `None` for *Local engine* only.
    pub host: Option<RegistryHost>,
    /// Speak plain HTTP.
    pub plain_http: bool,
    /// Certificates of an own authority, PEM.
    pub ca_pem: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// One credential of a registry.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialRecord {
    /// Its id.
    pub id: CredentialId,
    /// Its registry.
    pub registry: RegistryId,
    /// Its name, unique in the registry.
    pub name: String,
    /// How it gets its secret.
    pub source: CredentialSource,
    /// When it was tested last.
    pub last_test_at: Option<DateTime<Utc>>,
    /// The report of that test, as the application stored it.
    pub last_test: Option<serde_json::Value>,
}

impl CredentialRecord {
    /// Reads the report of the last test.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] when it has another shape.
    pub fn last_test_as<T: DeserializeOwned>(&self) -> Result<Option<T>, StoreError> {
        self.last_test
            .clone()
            .map(serde_json::from_value)
            .transpose()
            .map_err(|e| StoreError::BadRow { column: "last_test", why: e.to_string() })
    }
}

fn registry(row: &SqliteRow) -> Result<RegistryRecord, StoreError> {
    Ok(RegistryRecord {
        id: RegistryId(row.int("id")?),
        name: row.text("name")?,
        kind: row.word("kind")?,
        host: row.word_of("host")?,
        plain_http: row.flag("plain_http")?,
        ca_pem: row.text_of("ca_pem")?,
        created_at: row.time("created_at")?,
    })
}

fn credential(row: &SqliteRow) -> Result<CredentialRecord, StoreError> {
    Ok(CredentialRecord {
        id: CredentialId(row.int("id")?),
        registry: RegistryId(row.int("registry_id")?),
        name: row.text("name")?,
        source: row.json("source")?,
        last_test_at: row.time_of("last_test_at")?,
        last_test: row.json_of("last_test")?,
    })
}

impl Store {
    /// Adds an OCI registry.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] at `name`.
    pub async fn insert_registry(&self, spec: &RegistrySpec, now: DateTime<Utc>) -> Result<RegistryId, StoreError> {
        let mut tx = self.write().await?;
        let id = insert(&mut tx, spec, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns a registry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn registry(&self, id: RegistryId) -> Result<RegistryRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM registries WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        registry(&row.ok_or_else(|| StoreError::not_found("registry", id))?)
    }

    /// Returns the row of *Local engine*.
    ///
    /// # Errors
    /// As every read.
    pub async fn local_engine(&self) -> Result<RegistryRecord, StoreError> {
        let row =
            sqlx::query("SELECT * FROM registries WHERE kind = 'local_engine'").fetch_optional(self.read()).await?;
        registry(&row.ok_or_else(|| StoreError::not_found("registry", "Local engine"))?)
    }

    /// Returns all registries, *Local engine* first, then by name.
    ///
    /// # Errors
    /// As every read.
    pub async fn registries(&self) -> Result<Vec<RegistryRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM registries ORDER BY kind <> 'local_engine', name, id")
            .fetch_all(self.read())
            .await?;
        rows.iter().map(registry).collect()
    }

    /// Changes an OCI registry.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (also for *Local engine*, which has nothing to change), [`StoreError::NameTaken`].
    pub async fn update_registry(&self, id: RegistryId, spec: &RegistrySpec) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        update(&mut tx, id, spec).await?;
        Ok(tx.commit().await?)
    }

    /// Removes an OCI registry with its credentials.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] (also for *Local engine*), [`StoreError::InUse`] while it has image repositories.
    pub async fn delete_registry(&self, id: RegistryId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("DELETE FROM registries WHERE id = ? AND kind = 'oci'")
            .bind(id.0)
            .execute(&mut *tx)
            .await
            .map_err(|e| StoreError::from(e).in_use_as("registry"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("registry", id));
        }
        Ok(tx.commit().await?)
    }

    /// Adds a credential to a registry.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] at `name`; [`StoreError::NotFound`] without the registry.
    pub async fn insert_credential(
        &self,
        registry: RegistryId,
        name: &str,
        source: &CredentialSource,
    ) -> Result<CredentialId, StoreError> {
        let mut tx = self.write().await?;
        let id = insert_credential(&mut tx, registry, name, source).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Returns a credential.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn credential(&self, id: CredentialId) -> Result<CredentialRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM registry_credentials WHERE id = ?")
            .bind(id.0)
            .fetch_optional(self.read())
            .await?;
        credential(&row.ok_or_else(|| StoreError::not_found("credential", id))?)
    }

    /// Returns the credentials of one registry, or all of them, by name.
    ///
    /// # Errors
    /// As every read.
    pub async fn credentials(&self, registry: Option<RegistryId>) -> Result<Vec<CredentialRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM registry_credentials WHERE ?1 IS NULL OR registry_id = ?1 ORDER BY registry_id, name, id",
        )
        .bind(registry.map(|id| id.0))
        .fetch_all(self.read())
        .await?;
        rows.iter().map(credential).collect()
    }

    /// Changes a credential; its last test is forgotten, it was about the old one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NameTaken`] at `name`.
    pub async fn update_credential(
        &self,
        id: CredentialId,
        name: &str,
        source: &CredentialSource,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE registry_credentials SET name = ?, source = ?, last_test_at = NULL, last_test = NULL, told_refused = 0 WHERE id = ?",
        )
        .bind(name)
        .bind(json(source)?)
        .bind(id.0)
        .execute(&mut *tx)
        .await
        .map_err(|e| StoreError::from(e).name_taken_at("name"))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("credential", id));
        }
        Ok(tx.commit().await?)
    }

    /// Notes the report of a test.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn record_credential_test<T: Serialize + Sync>(
        &self,
        id: CredentialId,
        report: &T,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query("UPDATE registry_credentials SET last_test_at = ?, last_test = ? WHERE id = ?")
            .bind(millis(now))
            .bind(json_of(Some(report))?)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("credential", id));
        }
        Ok(tx.commit().await?)
    }

    /// Removes a credential.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::InUse`] while an image repository names it.
    pub async fn delete_credential(&self, id: CredentialId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let used: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM image_repositories WHERE json_extract(spec, '$.credential') = ?)",
        )
        .bind(id.0)
        .fetch_one(&mut *tx)
        .await?;
        if used {
            return Err(StoreError::InUse { what: "credential" });
        }
        let done = sqlx::query("DELETE FROM registry_credentials WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("credential", id));
        }
        Ok(tx.commit().await?)
    }
}

pub(crate) async fn insert(
    tx: &mut SqliteConnection,
    spec: &RegistrySpec,
    now: DateTime<Utc>,
) -> Result<RegistryId, StoreError> {
    let id = sqlx::query_scalar(
        "INSERT INTO registries (name, kind, host, plain_http, ca_pem, created_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(&spec.name)
    .bind(word(&RegistryKind::Oci)?)
    .bind(spec.host.as_str())
    .bind(spec.plain_http)
    .bind(spec.ca_pem.as_deref())
    .bind(millis(now))
    .fetch_one(&mut *tx)
    .await
    .map_err(|e| StoreError::from(e).name_taken_at("name"))?;
    Ok(RegistryId(id))
}

pub(crate) async fn update(tx: &mut SqliteConnection, id: RegistryId, spec: &RegistrySpec) -> Result<(), StoreError> {
    let done = sqlx::query(
        "UPDATE registries SET name = ?, host = ?, plain_http = ?, ca_pem = ? WHERE id = ? AND kind = 'oci'",
    )
    .bind(&spec.name)
    .bind(spec.host.as_str())
    .bind(spec.plain_http)
    .bind(spec.ca_pem.as_deref())
    .bind(id.0)
    .execute(&mut *tx)
    .await
    .map_err(|e| StoreError::from(e).name_taken_at("name"))?;
    if done.rows_affected() == 0 {
        return Err(StoreError::not_found("registry", id));
    }
    Ok(())
}

pub(crate) async fn insert_credential(
    tx: &mut SqliteConnection,
    registry: RegistryId,
    name: &str,
    source: &CredentialSource,
) -> Result<CredentialId, StoreError> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM registries WHERE id = ?)")
        .bind(registry.0)
        .fetch_one(&mut *tx)
        .await?;
    if !known {
        return Err(StoreError::not_found("registry", registry));
    }
    let id = sqlx::query_scalar(
        "INSERT INTO registry_credentials (registry_id, name, source) VALUES (?, ?, ?) RETURNING id",
    )
    .bind(registry.0)
    .bind(name)
    .bind(json(source)?)
    .fetch_one(&mut *tx)
    .await
    .map_err(|e| StoreError::from(e).name_taken_at("name"))?;
    Ok(CredentialId(id))
}
