//! A migration that is killed: what the next start finds is the schema of before or of after, with everything in it.

use super::at;
use crate::Store;
use crate::health::MIGRATIONS;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Executor, Row};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How many steps of SQLite's machine lie between two moments at which it could be killed.
const STEPS: i32 = 80;

/// Rows of every release: enough to fill many pages.
const ROWS: &str = "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 300) \
    INSERT INTO settings SELECT 'kept ' || value, hex(randomblob(200)) FROM n; \
    INSERT INTO code_repositories (name, location, created_at) VALUES ('kept', '{}', 1)";
const FILES: [&str; 2] = ["state.db", "state.db-wal"];

async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // No room: what is not committed reaches the file too.
        .pragma("cache_size", "5")
        .pragma("cache_spill", "5");
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// The schema of the first `count` migrations.
fn release(count: usize) -> Migrator {
    Migrator::with_migrations(MIGRATIONS.iter().take(count).cloned().collect())
}

async fn schema(connection: &mut SqliteConnection) -> String {
    let query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE '%sqlx%' ORDER BY type, name";
    let rows = connection.fetch_all(query).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join(";\n")
}

/// The database and its log as a killed process leaves them. The third file is made anew by whoever opens them next.
fn files(folder: &Path) -> [Vec<u8>; 2] {
    FILES.map(|name| std::fs::read(folder.join(name)).unwrap_or_default())
}

fn put(folder: &Path, files: &[Vec<u8>; 2]) {
    std::fs::create_dir(folder).unwrap();
    for (name, bytes) in FILES.iter().zip(files) {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Keeps a copy of what a kill would leave now, unless the last one is the same.
fn keep(from: &Path, copies: &Path, seen: &mut BTreeSet<u64>) {
    let now = files(from);
    let mut hasher = DefaultHasher::new();
    now.hash(&mut hasher);
    if seen.insert(hasher.finish()) {
        put(&copies.join(format!("{:04}", seen.len())), &now);
    }
}

/// Makes the database of a release, with rows in it, and returns what every moment of its way to the next release leaves.
async fn moments(place: &Path, count: usize) -> Vec<PathBuf> {
    let database = place.join("state.db");
    let mut connection = connect(&database).await;
    if count > 0 {
        release(count).run(&mut connection).await.unwrap();
        connection.execute(ROWS).await.unwrap();
    }
    let copies = place.join("copies");
    std::fs::create_dir(&copies).unwrap();
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let (shared, of, to) = (Arc::clone(&seen), place.to_owned(), copies.clone());
    connection.lock_handle().await.unwrap().set_progress_handler(STEPS, move || {
        keep(&of, &to, &mut shared.lock().unwrap());
        true
    });
    release(count + 1).run(&mut connection).await.unwrap();
    keep(place, &copies, &mut seen.lock().unwrap());
    connection.close().await.unwrap();
    let mut found: Vec<PathBuf> = std::fs::read_dir(copies).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[tokio::test]
async fn f20_killed_at_any_moment_of_a_migration_the_schema_is_the_old_or_a_newer_one_and_whole() {
    // A kill loses nothing that was written, so that memory will do for a disk, and it is quicker.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let place = place.unwrap();
    let all = MIGRATIONS.iter().count();
    let mut legal = Vec::new();
    for count in 0..=all {
        let mut connection = connect(&place.path().join(format!("release-{count}.db"))).await;
        release(count).run(&mut connection).await.unwrap();
        legal.push(schema(&mut connection).await);
    }
    for count in 0..all {
        let here = place.path().join(count.to_string());
        std::fs::create_dir(&here).unwrap();
        let moments = moments(&here, count).await;
        let mut reached = BTreeSet::new();
        for moment in moments {
            let beside = moment.with_extension("looked-at");
            put(&beside, &files(&moment));
            let mut connection = connect(&beside.join("state.db")).await;
            let found = schema(&mut connection).await;
            let release = legal.iter().position(|schema| *schema == found);
            reached.insert(release.unwrap_or_else(|| panic!("{}: between two releases:\n{found}", moment.display())));
            connection.close().await.unwrap();
            let opened = Store::open(&moment, at(0)).await.unwrap();
            assert_eq!(opened.recovery, None, "{}", moment.display());
            let mut connection = connect(&moment.join("state.db")).await;
            assert_eq!(schema(&mut connection).await, legal[all], "{}", moment.display());
            let kept = "SELECT (SELECT count(*) FROM settings WHERE key LIKE 'kept %'), \
                        (SELECT count(*) FROM code_repositories WHERE name = 'kept')";
            let kept = connection.fetch_one(kept).await.unwrap();
            let rows = if count == 0 { (0, 0) } else { (300, 1) };
            assert_eq!((kept.get::<i64, _>(0), kept.get::<i64, _>(1)), rows, "{}", moment.display());
            opened.store.close().await;
        }
        assert_eq!(reached, BTreeSet::from([count, count + 1]), "both releases were seen");
    }
}
