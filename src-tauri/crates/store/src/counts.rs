//! How much is stored, for the diagnostics.

use crate::{Store, StoreError};

/// The tables whose rows grow with use.
const TABLES: &[&str] = &[
    "code_repositories",
    "source_accounts",
    "registries",
    "registry_credentials",
    "image_repositories",
    "build_rules",
    "observations",
    "builds",
    "build_steps",
    "publications",
    "tag_moves",
    "targets",
    "triggers",
    "tag_events",
    "firings",
    "webhooks",
    "notices",
    "channels",
    "channel_messages",
    "secrets",
];

impl Store {
    /// Returns how many rows each table has.
    ///
    /// # Errors
    /// As every read.
    pub async fn row_counts(&self) -> Result<Vec<(&'static str, i64)>, StoreError> {
        let each = TABLES.iter().map(|table| format!("SELECT COUNT(*) FROM {table}"));
        let all = each.collect::<Vec<_>>().join(" UNION ALL ");
        // Only the names above are in it.
        let counts: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(all)).fetch_all(self.read()).await?;
        Ok(TABLES.iter().copied().zip(counts).collect())
    }

    /// Returns the version of SQLite inside.
    ///
    /// # Errors
    /// As every read.
    pub async fn sqlite_version(&self) -> Result<String, StoreError> {
        Ok(sqlx::query_scalar("SELECT sqlite_version()").fetch_one(self.read()).await?)
    }
}
