//! B10: what the product adds between a push and the new page, beyond what the engine, the registry and the health gate take.

use crate::figures::{Figure, median, millis};
use crate::place::Place;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use slipway_flows::walkthrough;
use slipway_testkit::GitRepository;
use std::time::{Duration, Instant};

const RUNS: usize = 5;
const DEADLINE: Duration = Duration::from_secs(120);
/// How often the page is asked for: an error of half of this, in our disfavour.
const ASK_EVERY: Duration = Duration::from_millis(3);

/// A commit in a local clone until the container's page shows it. The stages *Build* and *Push* and the steps of the update
/// until the new container is started are the engine's, the registry's and the gate's; the rest is ours.
pub(crate) async fn container(place: &Place) -> Figure {
    let product = &place.product;
    let name = format!("bench-served-{}", std::process::id());
    let code = GitRepository::new().await;
    code.write("Dockerfile", walkthrough::page_dockerfile(place.base.reference())).write("index.html", "first\n");
    code.commit("first").await;
    let mut watched = place.watch_for_engine("bench/served", code).await;
    watched.code.write("index.html", place.fresh("served", 0));
    let (_, build) = place.commit_to_end(&mut watched, "to run").await;
    let build = product.must("builds.get", json!({ "id": build })).await;
    let tag = build["tags"][0].as_str().expect("a build has a tag");
    let site = walkthrough::run_container(product, watched.repository(), tag, &name).await;
    walkthrough::add_trigger(product, watched.repository(), "bench-served", &site.target).await;
    let (mut whole, mut others) = (Vec::new(), Vec::new());
    for run in 1..=RUNS {
        let text = place.fresh("served", run);
        watched.code.write("index.html", &text);
        watched.code.commit("a page").await;
        let begun = Instant::now();
        while walkthrough::page(&site.url).await.as_deref() != Some(text.trim()) {
            assert!(begun.elapsed() < DEADLINE, "the page does not show run {run}");
            tokio::time::sleep(ASK_EVERY).await;
        }
        whole.push(millis(begun.elapsed()));
        let records =
            walkthrough::firings(product, &json!({ "repository": watched.repository(), "kind": "trigger" }), run).await;
        let record = records.last().expect("the trigger fired");
        assert_eq!(record["state"], "succeeded", "{record}");
        let build = product.must("builds.get", json!({ "id": record["build"] })).await;
        let update = product.must("firings.get", json!({ "id": record["id"] })).await;
        others.push(by_stages(&build) + by_steps(&update));
        watched.seen(&build);
    }
    let containers = place.engine.docker_ok(&["ps", "--all", "--quiet", "--filter", &format!("name={name}")]).await;
    let containers: Vec<&str> = containers.split_whitespace().collect();
    place.engine.docker_ok(&[&["rm", "--force", "--volumes"], containers.as_slice()].concat()).await;
    let own: Vec<f64> = whole.iter().zip(&others).map(|(whole, others)| whole - others).collect();
    Figure {
        value: median(&own),
        ours_ms: Some(median(&whole)),
        peer_ms: Some(median(&others)),
        runs: RUNS,
        note: "ours: push → page; peer: engine and health gate within it".to_owned(),
    }
}

fn between(row: &Value) -> f64 {
    let time = |field: &str| -> Option<DateTime<Utc>> { row[field].as_str()?.parse().ok() };
    let (Some(from), Some(to)) = (time("started_at"), time("ended_at")) else { return 0.0 };
    millis((to - from).to_std().unwrap_or_default())
}

fn by_stages(build: &Value) -> f64 {
    let stages = build["stages"].as_array().cloned().unwrap_or_default();
    stages.iter().filter(|stage| stage["stage"] == "build" || stage["stage"] == "push").map(between).sum()
}

/// The steps up to the new one's start: afterwards the page is there, and only the proof goes on.
fn by_steps(update: &Value) -> f64 {
    let steps = update["steps"].as_array().cloned().unwrap_or_default();
    let start = steps.iter().position(|step| step["kind"] == "start_new").expect("the new one was started");
    steps[..=start].iter().map(between).sum()
}
