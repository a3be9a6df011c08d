//! B10: what the product adds between a push and the new page, beyond what the engine, the registry and the health gate take.

use crate::figures::{Figure, median, millis};
use crate::place::{Place, Watched};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::{BaseImage, Engine, GitRepository, OwnEngine, TempDataDir};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

const RUNS: usize = 5;
const DEADLINE: Duration = Duration::from_secs(120);
/// How often the page is asked for: an error of half of this, in our disfavour.
const ASK_EVERY: Duration = Duration::from_millis(3);
/// How often the update is looked at until then.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Milliseconds of each run.
#[derive(Default)]
struct Times {
    whole: Vec<f64>,
    own: Vec<f64>,
}

/// The container's figure; Compose and Swarm beside it.
pub(crate) async fn own_share(place: &Place) -> Figure {
    let container = container(place).await;
    let compose = compose(place).await;
    let swarm = swarm().await;
    let said = |times: &Times| format!("{:.0} of {:.0} ms", median(&times.own), median(&times.whole));
    let others: Vec<f64> = container.whole.iter().zip(&container.own).map(|(whole, own)| whole - own).collect();
    Figure {
        value: median(&container.own),
        ours_ms: Some(median(&container.whole)),
        peer_ms: Some(median(&others)),
        runs: RUNS,
        note: format!(
            "ours: push → page; peer: engine and health gate within it; Compose {}, Swarm {}",
            said(&compose),
            said(&swarm)
        ),
    }
}

/// Code that becomes a page, built once; returns it with the tag.
async fn built(place: &Place, name: &str) -> (Watched, String) {
    let code = GitRepository::new().await;
    code.write("Dockerfile", walkthrough::page_dockerfile(place.base.reference())).write("index.html", "first\n");
    code.commit("first").await;
    let mut watched = place.watch_for_engine(name, code).await;
    watched.code.write("index.html", place.fresh(name, 0));
    let (_, build) = place.commit_to_end(&mut watched, "to run").await;
    let build = place.product.must("builds.get", json!({ "id": build })).await;
    (watched, build["tags"][0].as_str().expect("a build has a tag").to_owned())
}

async fn container(place: &Place) -> Times {
    let (mut watched, tag) = built(place, "bench/served").await;
    let name = format!("bench-served-{}", std::process::id());
    let site = walkthrough::run_container(&place.product, watched.repository(), &tag, &name).await;
    let times = pushes(place, &mut watched, &site, "served").await;
    let containers = place.engine.docker_ok(&["ps", "--all", "--quiet", "--filter", &format!("name={name}")]).await;
    let containers: Vec<&str> = containers.split_whitespace().collect();
    place.engine.docker_ok(&[&["rm", "--force", "--volumes"], containers.as_slice()].concat()).await;
    times
}

async fn compose(place: &Place) -> Times {
    let (mut watched, tag) = built(place, "bench/served-compose").await;
    let folder = TempDataDir::new();
    let file = format!(
        "version: '2.4'\nservices:\n  web:\n    image: bench/served-compose:{tag}\n    ports: ['127.0.0.1::80']\n    \
         stop_grace_period: 1s\n"
    );
    std::fs::write(folder.path().join("docker-compose.yml"), file).expect("the Compose file is written");
    let project = format!("benchserved{}", std::process::id());
    docker_compose(&place.engine, folder.path(), &project, &["up", "-d"]).await;
    let service = json!({ "kind": "compose_service", "engine": "local", "project": project, "service": "web" });
    let site = walkthrough::site(&place.product, &service).await;
    let times = pushes(place, &mut watched, &site, "served-compose").await;
    docker_compose(&place.engine, folder.path(), &project, &["down", "--volumes", "--timeout", "1"]).await;
    times
}

async fn docker_compose(engine: &Engine, folder: &Path, project: &str, arguments: &[&str]) {
    let mut command = tokio::process::Command::new("docker-compose");
    command.args(["-p", project]).args(arguments).current_dir(folder).env("DOCKER_HOST", engine.endpoint());
    let output = command.output().await.expect("docker-compose is installed: run `make setup`");
    assert!(output.status.success(), "docker-compose {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A commit in a local clone until the page shows it. The stages *Build* and *Push* and the steps of the update until the new
/// container is started are the engine's, the registry's and the gate's; the rest is ours.
async fn pushes(place: &Place, watched: &mut Watched, site: &walkthrough::Site, what: &str) -> Times {
    let product = &place.product;
    let name = format!("bench-{what}");
    walkthrough::add_trigger(product, watched.repository(), &name, &site.target).await;
    let mut times = Times::default();
    for run in 1..=RUNS {
        let text = place.fresh(what, run);
        watched.code.write("index.html", &text);
        watched.code.commit("a page").await;
        let begun = Instant::now();
        is_started(product, watched.repository(), run).await;
        while walkthrough::page(&site.url).await.ok().as_deref() != Some(text.trim()) {
            assert!(begun.elapsed() < DEADLINE, "the page does not show run {run}");
            tokio::time::sleep(ASK_EVERY).await;
        }
        let whole = millis(begun.elapsed());
        let (build, update) = build_and_update(product, watched.repository(), run).await;
        watched.seen(&build);
        times.whole.push(whole);
        times.own.push(whole - by_stages(&build) - by_steps(&update));
    }
    times
}

/// Waits until the engine has started the new one. Nobody asks for the page before: the engine's proxy takes connections
/// before the container has its network, and the kernel then looks for the container's address only once a second.
async fn is_started(product: &Product, repository: &Value, run: usize) {
    let begun = Instant::now();
    loop {
        let list = product.must("firings.list", json!({ "repository": repository, "kind": "trigger" })).await;
        let records = list["items"].as_array().cloned().unwrap_or_default();
        if let Some(newest) = records.first().filter(|_| records.len() == run) {
            let update = product.must("firings.get", json!({ "id": newest["id"] })).await;
            let steps = update["steps"].as_array().cloned().unwrap_or_default();
            if steps.iter().any(|step| step["kind"] == "start_new" && !step["ended_at"].is_null()) {
                return;
            }
        }
        assert!(begun.elapsed() < DEADLINE, "run {run} is not started");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A service of one replica, in a swarm of an engine of its own. Once the engine has the new specification all is its work:
/// ours is what passed until then, without the stage *Build*.
async fn swarm() -> Times {
    let own = OwnEngine::start().await;
    own.make_swarm().await;
    let base = BaseImage::busybox(own.engine()).await;
    let product = Product::start_with(&[("DOCKER_HOST", own.engine().endpoint())]).await;
    let registries = product.must("registries.list", json!({})).await;
    let repository =
        walkthrough::add_repository(&product, &registries[0]["id"], &Value::Null, "bench/served-swarm").await;
    let code = GitRepository::new().await;
    code.write("Dockerfile", walkthrough::page_dockerfile(base.reference())).write("index.html", "first\n");
    code.commit("first").await;
    let code_id = walkthrough::add_clone(&product, "served-swarm", &code).await;
    let rule = walkthrough::add_rule(&product, &repository, &code_id, "main").await;
    let target = json!({ "kind": "ref", "name": "refs/heads/main" });
    product.must("builds.start", json!({ "rule": rule, "target": target })).await;
    let build = product.finished_build(&repository, &[], DEADLINE).await;
    assert_eq!(build["state"], "succeeded", "{build}");
    let request = json!({
        "name": "bench-served",
        "image": { "kind": "tag", "repository": repository, "tag": build["tags"][0] },
        "run_as": { "kind": "swarm_service", "replicas": 1 },
        "gate": { "stay_up_seconds": 1, "deadline_seconds": 60 },
    });
    let started = product.must("targets.run_image", request).await;
    let firing = walkthrough::finished_firing(&product, &started["firing"]).await;
    assert_eq!(firing["firing"]["state"], "succeeded", "{firing}");
    walkthrough::add_trigger(&product, &repository, "bench", &firing["firing"]["target"]).await;
    let mut times = Times::default();
    for run in 1..=RUNS {
        code.write("index.html", format!("{run} {:?}\n", SystemTime::now()));
        code.commit("a page").await;
        let pushed = Utc::now();
        let (build, update) = build_and_update(&product, &repository, run).await;
        let since = |at: Option<DateTime<Utc>>| millis((at.expect("it is over") - pushed).to_std().unwrap_or_default());
        let steps = update["steps"].as_array().cloned().unwrap_or_default();
        let handed_over = steps.iter().find(|step| step["kind"] == "update_spec").expect("the service was updated");
        let end = steps.last().expect("there are steps");
        times.own.push(since(time(handed_over, "ended_at")) - by_stages(&build));
        times.whole.push(since(time(end, "ended_at")));
    }
    own.engine().docker(&["service", "rm", "bench-served"]).await;
    own.engine().remove_labelled("slipway.build").await;
    own.engine().docker(&["swarm", "leave", "--force"]).await;
    times
}

/// Waits for the update of run number `run` and returns its build and itself.
async fn build_and_update(product: &Product, repository: &Value, run: usize) -> (Value, Value) {
    let records = walkthrough::firings(product, &json!({ "repository": repository, "kind": "trigger" }), run).await;
    let record = records.last().expect("the trigger fired");
    assert_eq!(record["state"], "succeeded", "{record}");
    let build = product.must("builds.get", json!({ "id": record["build"] })).await;
    let update = product.must("firings.get", json!({ "id": record["id"] })).await;
    (build, update)
}

fn time(row: &Value, field: &str) -> Option<DateTime<Utc>> {
    row[field].as_str()?.parse().ok()
}

fn between(row: &Value) -> f64 {
    let (Some(from), Some(to)) = (time(row, "started_at"), time(row, "ended_at")) else { return 0.0 };
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
