//! Opening the data folder: lock, check, recovery, backup, migration, connections.

use crate::data_dir::{DataDir, private_file, sync_folder};
use crate::health::{self, Depth, Health, MIGRATIONS};
use crate::{StoreError, row::millis};
use chrono::{DateTime, Utc};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection as _, Sqlite, Transaction};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many backups are kept.
const BACKUPS_KEPT: usize = 5;
/// How many readers may work at the same time.
const READERS: u32 = 4;
/// How long a connection waits for another one's lock. Only the check-pointer can hold one, and briefly.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Writers take the write lock at the start, so that no transaction fails half-way for want of it.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// The open store. Cheap to clone; all clones share the connections and the lock.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: SqlitePool,
    readers: SqlitePool,
    dir: DataDir,
    /// Dropped last of all: the lock covers the connections.
    lock: Mutex<Option<File>>,
}

/// The result of [`Store::open`].
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What had to be done about a damaged database; `None` normally. To be shown to the person.
    pub recovery: Option<Recovery>,
}

/// A damaged database was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// What was wrong.
    pub damage: String,
    /// Where the damaged file is now (`-wal` and `-shm` beside it, when there were any).
    pub kept_aside: PathBuf,
    /// The backup that took its place; `None` when there was no sound one and the store began empty.
    pub restored_from: Option<PathBuf>,
}

impl Store {
    /// Opens the store of a data folder, making the folder when it is missing. `now` names backups and kept files.
    ///
    /// Order: folders, lock, SQLite's version, soundness, recovery, backup, migration.
    ///
    /// # Errors
    /// [`StoreError::AlreadyRunning`], [`StoreError::ReadOnly`], [`StoreError::DiskFull`], [`StoreError::Newer`] (the
    /// database is untouched), [`StoreError::OldSqlite`], or what else the system says.
    pub async fn open(data_dir: impl Into<PathBuf>, now: DateTime<Utc>) -> Result<Opened, StoreError> {
        let dir = DataDir::new(data_dir);
        dir.create()?;
        let lock = dir.lock()?;
        health::assert_sqlite_version().await?;
        let (recovery, health) = make_sound(&dir, now).await?;
        private_file(&dir.database())?;

        let options = SqliteConnectOptions::new()
            .filename(dir.database())
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("trusted_schema", "OFF")
            // 16 MB per connection: the lists' indexes stay in it. No memory map: a file that is cut from outside would
            // end the process instead of failing one query.
            .pragma("cache_size", "-16000");
        let writer = pool(1).connect_with(options.clone().optimize_on_close(true, 400)).await?;
        let readers = pool(READERS).connect_lazy_with(options.pragma("query_only", "ON"));
        let store = Self { inner: Arc::new(Inner { writer, readers, dir, lock: Mutex::new(Some(lock)) }) };
        if health == (Health::Sound { pending: true, empty: false }) {
            store.backup(now).await?;
        }
        MIGRATIONS.run(&store.inner.writer).await?;
        Ok(Opened { store, recovery })
    }

    /// Returns the layout of the data folder.
    #[must_use]
    pub fn data_dir(&self) -> &DataDir {
        &self.inner.dir
    }

    /// Copies the database into `backups/` and keeps the newest five. Safe at any time; readers and the writer go on
    /// afterwards. Called before every migration; the application calls it once a day too.
    ///
    /// # Errors
    /// As every write.
    pub async fn backup(&self, now: DateTime<Utc>) -> Result<PathBuf, StoreError> {
        let dir = &self.inner.dir;
        let target = dir.backup_file(now);
        // VACUUM INTO takes an empty file that exists: this is how the copy is private from its first byte.
        let unfinished = dir.backups().join("unfinished");
        remove_if_there(&unfinished)?;
        private_file(&unfinished)?;
        let name = unfinished.to_str().ok_or_else(|| {
            StoreError::io("name", &unfinished, std::io::Error::other("the path of the data folder is not UTF-8"))
        })?;
        sqlx::query("VACUUM INTO ?").bind(name).execute(&self.inner.writer).await?;
        File::open(&unfinished).and_then(|file| file.sync_all()).map_err(|e| StoreError::io("sync", &unfinished, e))?;
        rename(&unfinished, &target)?;
        sync_folder(&dir.backups())?;
        for old in dir.list_backups()?.into_iter().skip(BACKUPS_KEPT) {
            remove_if_there(&old)?;
        }
        Ok(target)
    }

    /// Reads every page of the database and returns what is wrong with it; `None` when it is sound. The next start puts
    /// right what was found. A start reads a small database whole; the application calls this in the background, because
    /// of large ones, and because disks fail at any time.
    ///
    /// # Errors
    /// As every read.
    pub async fn check(&self) -> Result<Option<String>, StoreError> {
        // Not one of the readers: the check of the search index (FTS5's xIntegrity, as of 3.51.3) believes the structure that
        // its connection read last, and takes what the writer added since for damage.
        let complaints = async {
            let mut connection = SqliteConnection::connect_with(&self.inner.readers.connect_options()).await?;
            let complaints = health::complaints(&mut connection).await;
            connection.close().await?;
            complaints
        };
        let damage = match complaints.await {
            Err(StoreError::Corrupt(why)) => Some(why),
            other => other?,
        };
        if damage.is_some() {
            private_file(&self.inner.dir.damaged_mark())?;
        }
        Ok(damage)
    }

    /// Closes all connections (the write-ahead log is folded into the database) and gives the lock back.
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
        drop(self.inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Begins the one transaction of a writing method.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        match self.inner.writer.begin_with(BEGIN).await {
            // After a full disk or an I/O error SQLite rolls back by itself. sqlx does not notice, counts the transaction
            // as open still, and would refuse every later one: this connection has to go.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                if let Err(error) = self.inner.writer.acquire().await?.close().await {
                    // It is gone all the same; what it wanted to tidy up on the way does not matter.
                    tracing::warn!(%error, "closing the writer after a failed transaction");
                }
                Ok(self.inner.writer.begin_with(BEGIN).await?)
            }
            other => Ok(other?),
        }
    }

    /// The connections for reading.
    pub(crate) fn read(&self) -> &SqlitePool {
        &self.inner.readers
    }
}

fn pool(size: u32) -> SqlitePoolOptions {
    // Local connections do not go stale: no reaping.
    SqlitePoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(60))
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Makes sure that the file at the database's place is sound, whatever was there before.
async fn make_sound(dir: &DataDir, now: DateTime<Utc>) -> Result<(Option<Recovery>, Health), StoreError> {
    let database = dir.database();
    finish_interrupted_recovery(dir, now)?;
    let size = match std::fs::metadata(&database) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Ok((None, Health::Sound { pending: true, empty: true }));
        }
        Err(e) => return Err(StoreError::io("read", &database, e)),
    };
    // SQLite takes an empty file for an empty database. Where there is more beside it, it was cut to nothing.
    let has_log = has_content(&beside(&database, "-wal"));
    let emptied = size == 0 && (has_log || !dir.list_backups()?.is_empty());
    let health = if emptied {
        Health::Corrupt("the file is empty".into())
    } else {
        health::inspect(&database, Depth::at_start(size, dir.damaged_mark().exists())).await?
    };
    match health {
        Health::Sound { .. } => {
            remove_if_there(&dir.damaged_mark())?;
            Ok((None, health))
        }
        Health::Newer { found, known } => Err(StoreError::Newer { found, known }),
        Health::Corrupt(damage) => {
            tracing::error!(%damage, at = millis(now), "the database is damaged, it is kept aside");
            let (restored_from, health) = prepare_backup(dir).await?;
            let kept_aside = dir.corrupt_file(now);
            put_aside(&database, &kept_aside)?;
            finish_interrupted_recovery(dir, now)?;
            remove_if_there(&dir.damaged_mark())?;
            Ok((Some(Recovery { damage, kept_aside, restored_from }), health))
        }
    }
}

/// Copies the newest sound backup to the place from which [`finish_interrupted_recovery`] takes it.
async fn prepare_backup(dir: &DataDir) -> Result<(Option<PathBuf>, Health), StoreError> {
    let restoring = dir.restoring_file();
    for backup in dir.list_backups()? {
        let health = health::inspect(&backup, Depth::Pages).await?;
        if !matches!(health, Health::Sound { .. }) {
            tracing::warn!(backup = %backup.display(), ?health, "this backup cannot be used");
            continue;
        }
        let unfinished = dir.root().join("state.db.copying");
        private_file(&unfinished)?;
        std::fs::copy(&backup, &unfinished).map_err(|e| StoreError::io("copy", &backup, e))?;
        private_file(&unfinished)?.sync_all().map_err(|e| StoreError::io("sync", &unfinished, e))?;
        rename(&unfinished, &restoring)?;
        return Ok((Some(backup), health));
    }
    Ok((None, Health::Sound { pending: true, empty: true }))
}

/// Puts a prepared backup into place. Recovery renames the damaged database away first, so a missing database together
/// with a prepared backup means that it was interrupted there. A log without its database must never meet another one.
fn finish_interrupted_recovery(dir: &DataDir, now: DateTime<Utc>) -> Result<(), StoreError> {
    let database = dir.database();
    let restoring = dir.restoring_file();
    if database.exists() {
        return remove_if_there(&restoring);
    }
    put_logs_aside(&database, &dir.corrupt_file(now))?;
    if restoring.exists() {
        rename(&restoring, &database)?;
    }
    sync_folder(dir.root())
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn has_content(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0)
}

fn put_aside(database: &Path, aside: &Path) -> Result<(), StoreError> {
    rename(database, aside)?;
    put_logs_aside(database, aside)
}

fn put_logs_aside(database: &Path, aside: &Path) -> Result<(), StoreError> {
    for suffix in ["-wal", "-shm"] {
        let log = beside(database, suffix);
        if log.exists() {
            rename(&log, &beside(aside, suffix))?;
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(|e| StoreError::io("rename", from, e))
}

fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("remove", path, e)),
        _ => Ok(()),
    }
}
