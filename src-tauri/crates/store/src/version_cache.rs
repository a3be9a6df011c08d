//! `cache.db`: what registries said about manifests. Everything in it can be asked again: a damaged or foreign file is
//! thrown away, no write waits for the disk, and no failure of it is a failure of the product.

use crate::data_dir::{DataDir, private_file};
use crate::row::{Columns, json, millis};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_core::image::{Digest, Platform};
use sqlx::QueryBuilder;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::collections::HashMap;

/// The layout of the file; another number makes it anew.
const LAYOUT: i64 = 2;
/// Manifests kept at most; the oldest go first.
const MOST_MANIFESTS: i64 = 100_000;

/// What a list shows about a manifest. Manifests never change, so neither does this.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFacts {
    /// Bytes of layers and configurations, all platforms together.
    pub size: u64,
    /// Its platforms.
    pub platforms: Vec<Platform>,
    /// The newest creation time written in its images.
    pub created: Option<DateTime<Utc>>,
    /// The manifests of an index, which it needs; none for a single image.
    pub parts: Vec<Digest>,
}

/// The open cache; cheap to clone.
#[derive(Debug, Clone)]
pub struct VersionCache {
    pool: SqlitePool,
}

impl Store {
    /// Opens the disposable cache beside the database, making it anew when it cannot be used.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::ReadOnly`], or what else the system says.
    pub async fn version_cache(&self) -> Result<VersionCache, StoreError> {
        match VersionCache::open(self.data_dir()).await {
            Ok(cache) => Ok(cache),
            Err(error) => {
                tracing::warn!(%error, "the cache is made anew");
                for file in ["cache.db", "cache.db-wal", "cache.db-shm"] {
                    match std::fs::remove_file(self.data_dir().root().join(file)) {
                        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                            return Err(StoreError::io("remove", self.data_dir().root().join(file), e));
                        }
                        _ => {}
                    }
                }
                VersionCache::open(self.data_dir()).await
            }
        }
    }
}

impl VersionCache {
    async fn open(dir: &DataDir) -> Result<Self, StoreError> {
        let file = dir.root().join("cache.db");
        private_file(&file)?;
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off)
            .pragma("trusted_schema", "OFF");
        let pool = SqlitePoolOptions::new()
            .max_connections(2)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await?;
        let layout: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&pool).await?;
        if layout == 0 {
            sqlx::raw_sql(
                "CREATE TABLE manifests (digest TEXT PRIMARY KEY NOT NULL, facts TEXT NOT NULL, kept_at INTEGER NOT NULL) WITHOUT ROWID;
                 CREATE INDEX manifests_age ON manifests (kept_at);
                 CREATE TABLE heads (place TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL,
                                     PRIMARY KEY (place, tag)) WITHOUT ROWID;
                 PRAGMA user_version = 2;",
            )
            .execute(&pool)
            .await?;
        } else if layout != LAYOUT {
            return Err(StoreError::Corrupt(format!("the cache has layout {layout}")));
        }
        Ok(Self { pool })
    }

    /// Returns the digests under the tags of a place (`host/name`), as they were last seen.
    ///
    /// # Errors
    /// As every read.
    pub async fn heads(&self, place: &str) -> Result<HashMap<String, Digest>, StoreError> {
        let rows =
            sqlx::query("SELECT tag, digest FROM heads WHERE place = ?").bind(place).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.text("tag")?, row.word("digest")?))).collect()
    }

    /// Keeps the digests under some tags.
    ///
    /// # Errors
    /// As every write.
    pub async fn keep_heads(&self, place: &str, heads: &[(String, Digest)]) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        for (tag, digest) in heads {
            sqlx::query("INSERT OR REPLACE INTO heads (place, tag, digest) VALUES (?, ?, ?)")
                .bind(place)
                .bind(tag)
                .bind(digest.as_str())
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Returns what is known about these manifests.
    ///
    /// # Errors
    /// As every read.
    pub async fn manifests(&self, digests: &[Digest]) -> Result<HashMap<Digest, ManifestFacts>, StoreError> {
        let mut found = HashMap::new();
        for some in digests.chunks(500) {
            let mut query = QueryBuilder::new("SELECT digest, facts FROM manifests WHERE digest IN (");
            let mut list = query.separated(", ");
            for digest in some {
                list.push_bind(digest.as_str());
            }
            query.push(")");
            for row in query.build().fetch_all(&self.pool).await? {
                found.insert(row.word("digest")?, row.json("facts")?);
            }
        }
        Ok(found)
    }

    /// Keeps what is known about some manifests.
    ///
    /// # Errors
    /// As every write.
    pub async fn keep_manifests(
        &self,
        manifests: &[(Digest, ManifestFacts)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await?;
        for (digest, facts) in manifests {
            sqlx::query("INSERT OR REPLACE INTO manifests (digest, facts, kept_at) VALUES (?, ?, ?)")
                .bind(digest.as_str())
                .bind(json(facts)?)
                .bind(millis(now))
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query("DELETE FROM manifests WHERE kept_at < (SELECT kept_at FROM manifests ORDER BY kept_at DESC LIMIT 1 OFFSET ?)")
            .bind(MOST_MANIFESTS)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
