//! Is a database file sound, and which schema does it have?

use crate::StoreError;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};
use std::path::Path;

/// The schema, oldest migration first.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The first SQLite without the WAL-reset bug (sqlite.org/wal.html#walresetbug): 3.51.3.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// What an existing database file is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Sound. `pending` tells whether this binary has migrations that it lacks; `empty` that it has no schema at all.
    Sound { pending: bool, empty: bool },
    /// Damaged; why.
    Corrupt(String),
    /// Written by a newer Slipway.
    Newer { found: i64, known: i64 },
}

/// Asserts that the SQLite inside is new enough. `sqlite_version()` is the text of `sqlite3_libversion_number`.
pub(crate) async fn assert_sqlite_version() -> Result<(), StoreError> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await?;
    connection.close().await?;
    if version_is_enough(&version) { Ok(()) } else { Err(StoreError::OldSqlite(version)) }
}

pub(crate) fn version_is_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= OLDEST_SQLITE
}

/// Up to this size every page is checked at every start; it takes about 0.1 s.
const ALWAYS_CHECKED_BYTES: u64 = 32 << 20;

/// How closely a database is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Header and schema only.
    Schema,
    /// Every page.
    Pages,
}

impl Depth {
    /// Chooses for a start. A large database is not read whole while a person waits; [`crate::Store::check`] does that in
    /// the background, and says to the next start what it found.
    pub(crate) fn at_start(bytes: u64, found_damaged: bool) -> Self {
        if found_damaged || bytes <= ALWAYS_CHECKED_BYTES { Self::Pages } else { Self::Schema }
    }
}

/// Looks at a database without changing its file: the schema first, then damage.
///
/// # Errors
/// Only what is no verdict about the file: missing rights, a full disk, a broken system.
pub(crate) async fn inspect(path: &Path, depth: Depth) -> Result<Health, StoreError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).create_if_missing(false);
    let verdict = match SqliteConnection::connect_with(&options).await {
        Ok(mut connection) => {
            let verdict = examine(&mut connection, depth).await;
            // A read-only connection has nothing to write; an error here says nothing about the file.
            let _ = connection.close().await;
            verdict
        }
        Err(error) => Err(error.into()),
    };
    match verdict {
        Err(StoreError::Corrupt(why)) => Ok(Health::Corrupt(why)),
        other => other,
    }
}

async fn examine(connection: &mut SqliteConnection, depth: Depth) -> Result<Health, StoreError> {
    // The schema comes before the check: a newer database may use what this SQLite or this check does not know.
    let has_schema: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations')")
            .fetch_one(&mut *connection)
            .await?;
    let found: i64 = if has_schema {
        sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations").fetch_one(&mut *connection).await?
    } else {
        0
    };
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    if found > known {
        return Ok(Health::Newer { found, known });
    }
    if depth == Depth::Pages
        && let Some(damage) = complaints(connection).await?
    {
        return Ok(Health::Corrupt(damage));
    }
    Ok(Health::Sound { pending: found < known, empty: found == 0 })
}

/// Reads every page and returns what is wrong with them.
pub(crate) async fn complaints(connection: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
    let lines: Vec<String> = sqlx::query("PRAGMA quick_check(5)")
        .try_map(|row: sqlx::sqlite::SqliteRow| row.try_get::<String, _>(0))
        .fetch_all(connection)
        .await?;
    Ok(if lines.iter().all(|line| line == "ok") { None } else { Some(lines.join("; ")) })
}
