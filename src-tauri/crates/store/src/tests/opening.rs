//! The data folder: layout, rights, lock, damage, schema.

use super::{at, empty, setup};
use crate::health::{Depth, Health, MIGRATIONS, inspect, version_is_enough};
use crate::{DataDir, Store, StoreError};
use slipway_core::{ErrorCode, Failure};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Executor};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    file.write_all(bytes).unwrap();
}

/// A closed data folder with a setting `kept` = 1 in a backup and = 2 only in the database.
async fn folder_with_backup() -> (tempfile::TempDir, DataDir) {
    let (dir, store) = empty().await;
    store.set_setting("kept", &1).await.unwrap();
    store.backup(at(10)).await.unwrap();
    store.set_setting("kept", &2).await.unwrap();
    let data = store.data_dir().clone();
    store.close().await;
    (dir, data)
}

#[tokio::test]
async fn migrates_from_empty_and_opens_again() {
    let (dir, store) = empty().await;
    store.set_setting("a", &"b").await.unwrap();
    store.close().await;
    let again = Store::open(dir.path().join("data"), at(5)).await.unwrap();
    assert_eq!(again.recovery, None);
    assert_eq!(again.store.setting::<String>("a").await.unwrap().as_deref(), Some("b"));
    let names: Vec<_> =
        std::fs::read_dir(again.store.data_dir().root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    for name in ["lock", "state.db", "logs", "mirrors", "backups"] {
        assert!(names.iter().any(|found| found == name), "{name} is missing");
    }
    // Nothing was migrated on the second start, so nothing was backed up.
    assert!(again.store.data_dir().list_backups().unwrap().is_empty());
}

#[tokio::test]
async fn p4_writes_are_durable_and_references_are_checked() {
    let (_dir, store) = empty().await;
    let mut tx = store.write().await.unwrap();
    for (pragma, expected) in
        [("PRAGMA journal_mode", "wal"), ("PRAGMA synchronous", "2"), ("PRAGMA foreign_keys", "1")]
    {
        let row = tx.fetch_one(pragma).await.unwrap();
        let value = sqlx::Row::try_get::<String, _>(&row, 0)
            .or_else(|_| sqlx::Row::try_get::<i64, _>(&row, 0).map(|number| number.to_string()));
        assert_eq!(value.unwrap(), expected, "{pragma}");
    }
}

#[test]
fn the_wal_reset_bug_is_refused() {
    for (version, enough) in
        [("3.51.2", false), ("3.51.3", true), ("3.52.0", true), ("3.50.9", false), ("4.0.0", true), ("", false)]
    {
        assert_eq!(version_is_enough(version), enough, "{version}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn t29_the_folder_belongs_to_the_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("data");
    std::fs::create_dir(&root).unwrap();
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).unwrap();
    let store = Store::open(&root, at(0)).await.unwrap().store;
    store.set_setting("a", &1).await.unwrap();
    store.setting::<i64>("a").await.unwrap();
    let backup = store.backup(at(1)).await.unwrap();
    let data = store.data_dir();
    for folder in [data.root().to_owned(), data.logs(), data.mirrors(), data.backups()] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    let wal = root.join("state.db-wal");
    for file in [data.database(), data.lock_file(), wal, root.join("state.db-shm"), backup] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn f23_a_second_instance_is_refused_and_touches_nothing() {
    let (dir, store) = empty().await;
    let root = dir.path().join("data");
    let before = std::fs::read(store.data_dir().database()).unwrap();
    let error = Store::open(&root, at(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::AlreadyRunning(_)), "{error}");
    assert_eq!(Failure::from(error).code, ErrorCode::AlreadyRunning);
    assert_eq!(std::fs::read(store.data_dir().database()).unwrap(), before);
    // Closing gives the lock back.
    store.close().await;
    Store::open(&root, at(2)).await.unwrap();
}

#[tokio::test]
async fn f24_a_lock_file_that_a_power_loss_left_holds_nobody_up() {
    let (dir, store) = empty().await;
    store.set_setting("kept", &1).await.unwrap();
    let data = store.data_dir().clone();
    store.close().await;
    // Other programs write who holds the lock. The process with this number runs, as after a start of the machine.
    std::fs::write(data.lock_file(), "1\nboot-of-yesterday\n").unwrap();
    let again = Store::open(data.root(), at(1)).await.unwrap();
    assert_eq!(again.recovery, None);
    assert_eq!(again.store.setting::<i64>("kept").await.unwrap(), Some(1));
    assert!(dir.path().exists());
}

#[tokio::test]
async fn f18_a_newer_schema_is_refused_and_untouched() {
    let (_dir, store) = empty().await;
    let data = store.data_dir().clone();
    store.close().await;
    let options = SqliteConnectOptions::new().filename(data.database());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (99990101000000, 'later', 1, x'00', 0)",
        )
        .await
        .unwrap();
    connection.close().await.unwrap();
    let before = std::fs::read(data.database()).unwrap();
    let error = Store::open(data.root(), at(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99_990_101_000_000, .. }), "{error}");
    assert_eq!(Failure::from(error).code, ErrorCode::DatabaseNewer);
    assert_eq!(std::fs::read(data.database()).unwrap(), before);
    assert!(data.list_backups().unwrap().is_empty());
}

#[tokio::test]
async fn f18_damage_is_kept_aside_and_the_newest_backup_takes_over() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("flipped page", |path| overwrite(path, 4096 * 3, &[0xa5; 4096])),
        ("truncated file", |path| {
            std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(4096 * 5 + 100).unwrap();
        }),
        ("garbage file", |path| std::fs::write(path, b"this is no database at all, whatever its name says").unwrap()),
        ("emptied file", |path| std::fs::write(path, b"").unwrap()),
    ];
    for (name, damage) in damages {
        let (_dir, data) = folder_with_backup().await;
        damage(&data.database());
        let damaged = std::fs::read(data.database()).unwrap();
        let opened = Store::open(data.root(), at(20)).await.unwrap();
        let recovery = opened.recovery.unwrap_or_else(|| panic!("{name} went unnoticed"));
        assert_eq!(recovery.restored_from, Some(data.backup_file(at(10))), "{name}");
        assert!(recovery.kept_aside.starts_with(data.root()), "{name}");
        assert_eq!(std::fs::read(&recovery.kept_aside).unwrap(), damaged, "{name}");
        assert_eq!(opened.store.setting::<i64>("kept").await.unwrap(), Some(1), "{name}");
        opened.store.set_setting("kept", &3).await.unwrap();
        opened.store.close().await;
        // The next start is an ordinary one.
        let again = Store::open(data.root(), at(30)).await.unwrap();
        assert_eq!(again.recovery, None, "{name}");
        assert_eq!(again.store.setting::<i64>("kept").await.unwrap(), Some(3), "{name}");
    }
}

#[tokio::test]
async fn f18_without_a_sound_backup_it_begins_empty_and_keeps_the_logs_of_the_old_one() {
    let (_dir, data) = folder_with_backup().await;
    overwrite(&data.backup_file(at(10)), 4096 * 3, &[0xa5; 4096]);
    std::fs::write(data.database(), b"garbage").unwrap();
    std::fs::write(data.root().join("state.db-wal"), b"old log").unwrap();
    let opened = Store::open(data.root(), at(20)).await.unwrap();
    let recovery = opened.recovery.unwrap();
    assert_eq!(recovery.restored_from, None);
    let mut log = recovery.kept_aside.into_os_string();
    log.push("-wal");
    assert_eq!(std::fs::read(log).unwrap(), b"old log");
    assert_eq!(opened.store.setting::<i64>("kept").await.unwrap(), None);
    assert_eq!(opened.store.registries().await.unwrap().len(), 1);
}

#[tokio::test]
async fn f18_a_recovery_that_was_interrupted_is_finished_without_the_stale_log() {
    let (_dir, data) = folder_with_backup().await;
    // As if it had died after the damaged database was renamed away.
    std::fs::copy(data.backup_file(at(10)), data.restoring_file()).unwrap();
    std::fs::rename(data.database(), data.corrupt_file(at(15))).unwrap();
    std::fs::write(data.root().join("state.db-wal"), b"stale").unwrap();
    let opened = Store::open(data.root(), at(20)).await.unwrap();
    assert_eq!(opened.store.setting::<i64>("kept").await.unwrap(), Some(1));
    assert!(data.root().join("state.db.corrupt-20270115T080020000Z-wal").exists());
    assert!(!data.restoring_file().exists());
}

#[tokio::test]
async fn f17_a_read_only_database_is_told_apart() {
    let (_dir, store) = empty().await;
    let mut tx = store.write().await.unwrap();
    tx.execute("PRAGMA query_only = ON").await.unwrap();
    let refused = tx.execute("DELETE FROM settings").await.unwrap_err();
    tx.execute("PRAGMA query_only = OFF").await.unwrap();
    let error = StoreError::from(refused);
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    assert_eq!(Failure::from(error).code, ErrorCode::DataReadOnly);
}

#[test]
fn f17_f16_file_errors_are_told_apart() {
    use std::io::ErrorKind;
    for (kind, code) in [
        (ErrorKind::ReadOnlyFilesystem, ErrorCode::DataReadOnly),
        (ErrorKind::PermissionDenied, ErrorCode::DataReadOnly),
        (ErrorKind::StorageFull, ErrorCode::DiskFull),
        (ErrorKind::QuotaExceeded, ErrorCode::DiskFull),
        (ErrorKind::NotADirectory, ErrorCode::Internal),
    ] {
        assert_eq!(StoreError::io("open", "data/state.db", kind.into()).code(), code, "{kind}");
    }
}

/// The whole way, with a file system that refuses: the folder's rights where they count, else (root) the file system of
/// the kernel's own settings, where nobody can make folders.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn f17_a_folder_that_cannot_be_written_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let locked = dir.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    let rights_count = std::fs::File::create(locked.join("probe")).is_err();
    let parent = if rights_count { locked.clone() } else { "/sys/kernel".into() };
    let error = Store::open(parent.join("slipway-test"), at(0)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DataReadOnly, "{error}");
}

#[tokio::test]
async fn f16_a_full_disk_is_told_apart_and_writing_goes_on_when_there_is_room() {
    let (_dir, store) = empty().await;
    let mut tx = store.write().await.unwrap();
    tx.execute("PRAGMA max_page_count = 1").await.unwrap();
    tx.commit().await.unwrap();
    let big = "x".repeat(2_000_000);
    let error = store.set_setting("big", &big).await.unwrap_err();
    assert!(matches!(error, StoreError::DiskFull), "{error}");
    // SQLite has rolled back by itself here. The connection is replaced, and the limit (the full disk) goes with it.
    for n in 0..2 {
        store.set_setting("n", &n).await.unwrap();
    }
    store.set_setting("big", &big).await.unwrap();
    assert_eq!(store.setting::<String>("big").await.unwrap(), Some(big));
    assert_eq!(store.setting::<i64>("n").await.unwrap(), Some(1));
}

#[tokio::test]
async fn backups_are_whole_and_five_are_kept() {
    let s = setup().await;
    for n in 0..7 {
        s.store.set_setting("n", &n).await.unwrap();
        s.store.backup(at(100 + n)).await.unwrap();
    }
    let backups = s.store.data_dir().list_backups().unwrap();
    assert_eq!(backups.len(), 5);
    assert_eq!(backups[0], s.store.data_dir().backup_file(at(106)));
    assert_eq!(inspect(&backups[0], Depth::Pages).await.unwrap(), Health::Sound { pending: false, empty: false });
    assert!(s.dir.path().exists());
}

#[tokio::test]
async fn an_older_schema_is_backed_up_before_it_is_migrated() {
    let (_dir, store) = empty().await;
    let data = store.data_dir().clone();
    store.close().await;
    // A database of an imagined older release: one migration, older than ours, and a table that ours does not know.
    std::fs::remove_file(data.database()).unwrap();
    let options = SqliteConnectOptions::new().filename(data.database()).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection
        .execute(
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
             installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
             checksum BLOB NOT NULL, execution_time BIGINT NOT NULL); \
             CREATE TABLE old_things (id INTEGER PRIMARY KEY); \
             INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (20200101000000, 'older', 1, x'00', 0)",
        )
        .await
        .unwrap();
    connection.close().await.unwrap();
    // The imagined migration is not in this binary, so migrating is refused; the backup was made before that.
    let error = Store::open(data.root(), at(50)).await.unwrap_err();
    assert!(matches!(error, StoreError::Migration(_)), "{error}");
    assert_eq!(data.list_backups().unwrap(), vec![data.backup_file(at(50))]);
    assert_eq!(
        inspect(&data.backup_file(at(50)), Depth::Pages).await.unwrap(),
        Health::Sound { pending: true, empty: false }
    );
    assert!(MIGRATIONS.iter().count() >= 1);
}

#[test]
fn a_start_reads_a_large_database_whole_only_when_it_was_found_damaged() {
    for (bytes, found_damaged, depth) in [
        (0, false, Depth::Pages),
        (32 << 20, false, Depth::Pages),
        (1 << 30, false, Depth::Schema),
        (1 << 30, true, Depth::Pages),
    ] {
        assert_eq!(Depth::at_start(bytes, found_damaged), depth, "{bytes} {found_damaged}");
    }
}

#[tokio::test]
async fn f18_the_background_check_finds_damage_that_a_quick_start_overlooks() {
    let (_dir, data) = folder_with_backup().await;
    let store = Store::open(data.root(), at(20)).await.unwrap().store;
    assert_eq!(store.check().await.unwrap(), None);
    store.close().await;
    let store = Store::open(data.root(), at(30)).await.unwrap().store;
    // A page in the middle that no query at the start reads.
    let pages = std::fs::metadata(data.database()).unwrap().len() / 4096;
    overwrite(&data.database(), 4096 * (pages / 2), &[0xa5; 4096]);
    assert!(store.check().await.unwrap().is_some());
    store.close().await;
    assert_eq!(inspect(&data.database(), Depth::Schema).await.unwrap(), Health::Sound { pending: false, empty: false });
    assert!(data.damaged_mark().exists(), "what was found is not forgotten");
    let opened = Store::open(data.root(), at(40)).await.unwrap();
    assert!(opened.recovery.is_some() && !data.damaged_mark().exists());
    assert_eq!(opened.store.check().await.unwrap(), None);
}

/// SQLite's check of a search index believes what its connection knew of the index before, and takes what others wrote since
/// for damage.
#[tokio::test]
async fn f18_what_was_written_between_two_checks_is_no_damage() {
    let s = setup().await;
    for number in 0..3 {
        s.store.create_build(&s.manual_build(), at(1)).await.unwrap();
        assert_eq!(s.store.check().await.unwrap(), None, "after build {number}");
    }
}
