//! B11: an image repository with 10,000 tags, each with a manifest of its own, in a real registry.

use crate::figures::{Figure, median, millis, percentile_95};
use futures::StreamExt as _;
use serde_json::{Value, json};
use sha2::Digest as _;
use slipway_flows::{Product, walkthrough};
use slipway_testkit::RegistryServer;
use std::time::Instant;

const TAGS: usize = 10_000;
const NAME: &str = "team/many";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// First screens, each by a program that was just started and remembers nothing.
const SCREENS: usize = 5;
/// Searches typed letter by letter.
const SEARCHES: [&str; 5] = ["main-20260", "abc", "7777", "rel 42", "mn99"];

/// `B11`: the first page of versions until it is answered; `B11.search`: the answer to each letter of a search, 95th percentile.
pub(crate) async fn first_screen_and_search() -> [Figure; 2] {
    let registry = RegistryServer::start(None, false).await;
    fill(&registry).await;
    let mut product = Product::start().await;
    let (id, credential) = walkthrough::add_registry(&product, "many", &registry).await;
    let repository = walkthrough::add_repository(&product, &id, &credential, NAME).await;
    let mut screens = Vec::new();
    let mut searches = Vec::new();
    for _ in 0..SCREENS {
        product.kill().await;
        for file in ["cache.db", "cache.db-wal", "cache.db-shm"] {
            // Whatever is remembered is forgotten; missing is fine.
            let _ = std::fs::remove_file(product.data_dir().join(file));
        }
        product.kill_and_start_again().await;
        let begun = Instant::now();
        let page = product.must("versions.list", json!({ "repository": repository })).await;
        screens.push(millis(begun.elapsed()));
        assert_eq!((&page["total"], page["items"].as_array().map(Vec::len)), (&json!(TAGS), Some(50)));
        for search in SEARCHES {
            for end in 1..=search.len() {
                let begun = Instant::now();
                let request = json!({ "repository": repository, "search": &search[..end] });
                let page = product.must("versions.list", request).await;
                searches.push(millis(begun.elapsed()));
                assert!(page["total"].as_u64().is_some_and(|found| found > 0), "{search}: {page}");
            }
        }
    }
    let figure = |value: f64, times: &[f64], note: String| Figure {
        value,
        ours_ms: Some(median(times)),
        peer_ms: None,
        runs: times.len(),
        note,
    };
    let worst = |times: &[f64]| times.iter().copied().fold(0.0, f64::max);
    [
        figure(median(&screens), &screens, format!("slowest {:.0} ms", worst(&screens))),
        figure(percentile_95(&searches), &searches, format!("slowest {:.0} ms", worst(&searches))),
    ]
}

/// Pushes a configuration, and a manifest of its own under each tag.
async fn fill(registry: &RegistryServer) {
    let client = reqwest::Client::new();
    let address = format!("{}/v2/{NAME}", registry.url());
    let config = json!({
        "os": "linux", "architecture": "amd64", "created": "2026-01-02T03:04:05Z", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [] }, "history": [],
    })
    .to_string();
    let digest = format!("sha256:{}", hex::encode(sha2::Sha256::digest(&config)));
    let begun = client.post(format!("{address}/blobs/uploads/")).send().await.expect("the registry answers");
    let place = begun.headers()["location"].to_str().expect("a location is text").to_owned();
    let size = config.len();
    // A location has a query already.
    let place = format!("{place}&digest={}", digest.replace(':', "%3A"));
    let put = client.put(place).body(config).send().await;
    assert_eq!(put.expect("the registry answers").status(), 201);
    let puts = futures::stream::iter(0..TAGS).map(|number| {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": size },
            "annotations": { "number": number.to_string() },
        });
        put_manifest(&client, format!("{address}/manifests/{}", tag(number)), manifest)
    });
    puts.buffer_unordered(16).collect::<Vec<()>>().await;
}

async fn put_manifest(client: &reqwest::Client, address: String, manifest: Value) {
    let put = client.put(address).header("content-type", MANIFEST).body(manifest.to_string()).send().await;
    assert_eq!(put.expect("the registry answers").status(), 201);
}

fn tag(number: usize) -> String {
    let kind = if number.is_multiple_of(3) { "release" } else { "main" };
    format!("{kind}-2026{:04}-abc{number:05}", number % 1231)
}
