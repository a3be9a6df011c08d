//! B6: what watching costs while nothing moves.

use crate::figures::Figure;
use crate::forge::{Forge, Traffic};
use crate::process::{TICKS_PER_SECOND, ticks};
use futures::StreamExt as _;
use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::time::Duration;

const REPOSITORIES: usize = 1_000;
/// When the start is over, and how long is looked at: three questions to the account, and its share of looks at repositories.
const SETTLED_AFTER: Duration = Duration::from_secs(20);
const WATCHED_FOR: Duration = Duration::from_secs(90);
/// How rarely code is looked at that an account tells about, in seconds.
const SWEEP: i64 = 15 * 60;

const BRANCHES: usize = 10_000;
const POLL_SECONDS: u64 = 5;
const POLLS: u64 = 6;

/// `B6.cpu` and `B6.bytes`, each with a program of its own, at the same time: one counts the processor time of its program, the
/// other bytes.
pub(crate) async fn cpu_and_bytes() -> [Figure; 2] {
    let (cpu, bytes) = tokio::join!(cpu(), bytes());
    [cpu, bytes]
}

/// Starts a program that never finds an engine: what is pushed becomes a row and waits.
pub(crate) async fn program() -> Product {
    Product::start_with(&[("DOCKER_HOST", "unix:///nowhere/docker.sock")]).await
}

/// Connects an account at the host and adds repositories that it sees; each was looked at once when this returns.
pub(crate) async fn add_repositories(product: &Product, forge: &Forge, count: usize) -> Vec<Value> {
    let host = json!({ "provider": "github", "base_url": forge.url(), "allow_plain_http": true });
    let account = product.must("accounts.add_with_token", json!({ "host": host, "token": { "token": "ada" } })).await;
    let account = &account["id"];
    let adding = futures::stream::iter(0..count).map(async |id| {
        let location = json!({ "kind": "account", "account": account, "path": Forge::name(id) });
        let form = json!({ "name": Forge::name(id), "location": location });
        let added = product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
        product.must("code_repositories.check", json!({ "id": added })).await;
        added
    });
    adding.buffered(8).collect().await
}

/// Returns the image repository of the local engine that all rules fill.
pub(crate) async fn image_repository(product: &Product, name: &str) -> Value {
    let registries = product.must("registries.list", json!({})).await;
    let local = registries.as_array().into_iter().flatten().find(|one| one["kind"] == "local_engine");
    let registry = local.expect("the local engine is a registry of every product")["id"].clone();
    walkthrough::add_repository(product, &registry, &Value::Null, name).await
}

/// Spreads the next look at each repository over the whole sweep, as time does, and starts the program again.
pub(crate) async fn settle(product: &mut Product) {
    product.kill().await;
    let options = SqliteConnectOptions::new().filename(product.data_dir().join("state.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the database opens");
    let now = chrono::Utc::now().timestamp_millis();
    sqlx::query("UPDATE code_repositories SET next_check_at = ? + (abs(random()) % ?)")
        .bind(now)
        .bind(SWEEP * 1_000)
        .execute(&mut connection)
        .await
        .expect("the rows can be changed");
    connection.close().await.expect("the database closes");
    product.kill_and_start_again().await;
}

/// 1,000 repositories of one account whose host says "not modified" every 30 seconds. The looks that are made regardless of
/// that, each repository's once in 15 minutes at least, are part of it.
async fn cpu() -> Figure {
    let forge = Forge::start(REPOSITORIES, 0, 0).await;
    let mut product = program().await;
    add_repositories(&product, &forge, REPOSITORIES).await;
    settle(&mut product).await;
    tokio::time::sleep(SETTLED_AFTER).await;
    let (before, asked) = (ticks(product.process_id()), forge.traffic());
    tokio::time::sleep(WATCHED_FOR).await;
    let spent = (ticks(product.process_id()) - before) / TICKS_PER_SECOND / WATCHED_FOR.as_secs_f64() * 100.0;
    let Traffic { api, api_counted, looks, bytes, .. } = forge.traffic() - asked;
    assert!((2..=5).contains(&api), "the account was asked {api} times in {} s", WATCHED_FOR.as_secs());
    Figure {
        value: spent,
        ours_ms: None,
        peer_ms: None,
        runs: 1,
        note: format!(
            "over {} s: {api} questions to the account of which {api_counted} count, {looks} looks at repositories, {} kB",
            WATCHED_FOR.as_secs(),
            bytes / 1_000
        ),
    }
}

/// A rule that names one branch of a repository with 10,000, behind the real git over HTTP.
async fn bytes() -> Figure {
    let forge = Forge::start(1, 1, 0).await;
    forge.add_branches(0, BRANCHES);
    let product = program().await;
    let url = format!("{}/{}.git", forge.url(), Forge::name(0));
    let location = json!({ "kind": "git_url", "url": url, "allow_plain_http": true });
    let form = json!({ "name": "branches", "location": location, "poll_interval_seconds": POLL_SECONDS });
    let code = product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
    let before = forge.traffic();
    product.must("code_repositories.check", json!({ "id": code })).await;
    let whole = forge.traffic() - before;
    let repository = image_repository(&product, "bench/branches").await;
    let spec = json!({
        "name": "main",
        "code": code,
        "triggers": { "branches": ["main"] },
        "version": { "kind": "templates", "templates": ["{branch}"] },
    });
    product.must("rules.add", json!({ "repository": repository, "spec": spec })).await;
    // What began before the rule has to end: two polls later every one knows it.
    wait_for_looks(&forge, 2).await;
    let (before, looks) = wait_for_looks(&forge, 1).await;
    let (after, later) = wait_for_looks(&forge, POLLS).await;
    let polls = later - looks;
    Figure {
        value: (after - before) as f64 / polls as f64,
        ours_ms: None,
        peer_ms: None,
        runs: usize::try_from(polls).expect("polls are few"),
        note: format!("all refs at once would be {} kB", whole.bytes / whole.looks.max(1) / 1_000),
    }
}

/// Waits for so many more looks and until the last one's answer is out; returns bytes and looks until then.
async fn wait_for_looks(forge: &Forge, count: u64) -> (u64, u64) {
    let from = forge.traffic().looks;
    let deadline = Duration::from_secs(POLL_SECONDS * 3 * count + 20);
    slipway_testkit::eventually("refs are asked for", deadline, async || match forge.traffic().looks - from {
        seen if seen >= count => Ok(()),
        seen => Err(seen),
    })
    .await;
    let mut last = forge.traffic();
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = forge.traffic();
        if now.bytes == last.bytes {
            return (now.bytes, now.looks);
        }
        last = now;
    }
}
