//! What a person meets after a bad day with the database: the real program, its files changed behind its back.

use serde_json::json;
use slipway_flows::Product;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};

#[tokio::test]
async fn f18_the_database_of_a_newer_program_is_refused_and_left_as_it_is() {
    let mut product = Product::start().await;
    product.kill().await;
    let database = product.data_dir().join("state.db");
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&database)).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99990101000000, 'later', 1, x'00', 0)";
    connection.execute(newer).await.unwrap();
    // The last to close folds the log into the file.
    connection.close().await.unwrap();
    let before = std::fs::read(&database).unwrap();
    assert!(!product.kill_and_start_with(&[]).await, "it ends, and does not open what it does not know");
    assert!(std::fs::read(&database).unwrap() == before, "the file was changed");
    assert_eq!(std::fs::read_dir(product.data_dir().join("backups")).unwrap().count(), 0);
    // The newer program finds everything as it was.
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&database)).await.unwrap();
    connection.execute("DELETE FROM _sqlx_migrations WHERE version = 99990101000000").await.unwrap();
    connection.close().await.unwrap();
    product.kill_and_start_again().await;
    assert_eq!(product.must("system.status", json!({})).await["database_recovery"], json!(null));
}

#[tokio::test]
async fn f18_a_damaged_database_without_a_good_backup_is_kept_aside_and_told() {
    let mut product = Product::start().await;
    product.kill().await;
    let garbage = b"this is no database, and long enough to be read as one".to_vec();
    std::fs::write(product.data_dir().join("state.db"), &garbage).unwrap();
    for log in ["state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(product.data_dir().join(log));
    }
    product.kill_and_start_again().await;
    let recovery = product.must("system.status", json!({})).await["database_recovery"].clone();
    assert_eq!(recovery["restored_from"], json!(null), "{recovery}");
    let kept = recovery["kept_aside"].as_str().unwrap();
    assert_eq!(std::fs::read(kept).unwrap(), garbage);
    let inbox = product.must("inbox.list", json!({})).await;
    assert_eq!(inbox["items"][0]["facts"]["kind"], "database_recovered", "{inbox}");
    // Ordinary work goes on.
    product.must("registries.add", json!({ "form": { "name": "ours", "host": "registry.test" } })).await;
}
