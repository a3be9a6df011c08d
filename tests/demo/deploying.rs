//! The second half of the walk-through: the image runs, and a push changes the page that is served, without a click.

use serde_json::{Value, json};
use slipway_flows::Product;
use slipway_flows::walkthrough::{self, Site};
use slipway_testkit::{BaseImage, Engine, GitRepository, OwnEngine, TempDataDir, eventually};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(120);

/// What the demo made on the engine; gone when this is dropped, also when a step failed.
pub(crate) struct Made {
    engine: String,
    containers: Vec<String>,
    projects: Vec<(TempDataDir, String)>,
}

impl Made {
    pub(crate) fn on(engine: &Engine) -> Self {
        Self { engine: engine.endpoint().to_owned(), containers: Vec::new(), projects: Vec::new() }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for (folder, name) in &self.projects {
            let mut down = std::process::Command::new("docker-compose");
            down.args(["-p", name, "down", "--volumes", "--timeout", "1"]).current_dir(folder.path());
            let _ = down.env("DOCKER_HOST", &self.engine).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        for name in &self.containers {
            let filter = format!("name={name}");
            let list = std::process::Command::new("docker")
                .args(["--host", &self.engine, "ps", "--all", "--quiet", "--filter", &filter])
                .output();
            let ids = list.map(|list| String::from_utf8_lossy(&list.stdout).into_owned()).unwrap_or_default();
            for id in ids.split_whitespace() {
                let mut remove = std::process::Command::new("docker");
                remove.args(["--host", &self.engine, "rm", "--force", "--volumes", id]);
                let _ = remove.stdout(Stdio::null()).stderr(Stdio::null()).status();
            }
        }
    }
}

/// Code that is built already, and where its images go.
pub(crate) struct Built<'a> {
    pub(crate) product: &'a Product,
    pub(crate) repository: &'a Value,
    pub(crate) code: &'a GitRepository,
    /// What the newest image shows.
    pub(crate) text: &'a str,
}

/// A container and a Compose service of the main engine: one push changes both pages.
pub(crate) async fn container_and_compose(built: &Built<'_>, made: &mut Made, image: &str, step: &impl Fn(&str)) {
    let product = built.product;
    let name = format!("slipway-demo-{}", std::process::id());
    made.containers.push(name.clone());
    let container = walkthrough::run_container(product, built.repository, "latest", &name).await;
    walkthrough::shows(&container.url, built.text).await;
    step(&format!("run this image: container {name} serves {:?} at {}", built.text, container.url));
    walkthrough::add_trigger(product, built.repository, "demo-container", &container.target).await;

    let project = format!("slipwaydemo{}", std::process::id());
    let folder = TempDataDir::new();
    let file = format!(
        "version: '2.4'\nservices:\n  web:\n    image: {image}\n    ports: ['127.0.0.1::80']\n    stop_grace_period: 1s\n"
    );
    std::fs::write(folder.path().join("docker-compose.yml"), file).expect("the Compose file is written");
    made.projects.push((folder, project.clone()));
    let folder = made.projects.last().map(|(folder, _)| folder.path().to_owned()).unwrap_or_default();
    compose(&folder, &project, &made.engine, &["up", "-d"]).await;
    let service = json!({ "kind": "compose_service", "engine": "local", "project": project, "service": "web" });
    let site = walkthrough::site(product, &service).await;
    walkthrough::shows(&site.url, built.text).await;
    step(&format!("docker-compose up: service web serves {:?} at {}", built.text, site.url));
    walkthrough::add_trigger(product, built.repository, "demo-compose", &service).await;
    step("two triggers with condition All: container, Compose service");

    let text = "hello from a trigger";
    built.code.write("index.html", format!("{text}\n"));
    let commit = built.code.commit(text).await;
    let pushed = Instant::now();
    let served = async |site: &Site| {
        walkthrough::shows(&site.url, text).await;
        pushed.elapsed().as_secs_f64()
    };
    let (container_time, compose_time) = tokio::join!(served(&container), served(&site));
    step(&format!("push {} → the container's page shows {text:?} in {container_time:.2} s", &commit[..7]));
    step(&format!("push {} → the Compose service's page shows {text:?} in {compose_time:.2} s", &commit[..7]));
    for record in walkthrough::firings(product, &json!({ "repository": built.repository, "kind": "trigger" }), 2).await
    {
        assert_eq!(record["state"], "succeeded", "{record}");
        let detail = product.must("firings.get", json!({ "id": record["id"] })).await;
        let gap = detail["outcome"]["gap_ms"].as_u64().unwrap_or_default();
        step(&format!(
            "trigger {}: nothing answered for {gap} ms",
            record["trigger_name"].as_str().unwrap_or_default()
        ));
    }
    let back = product.must("targets.get", json!({ "target": container.target })).await;
    let before = back["versions"].as_array().into_iter().flatten().find(|version| version["current"] == false);
    let before = before.unwrap_or_else(|| panic!("there is nothing to go back to: {back}"));
    let request = json!({ "firing": before["firing"], "before": before["before"] });
    let rollback = product.must("targets.roll_back", request).await;
    walkthrough::finished_firing(product, &rollback["firing"]).await;
    walkthrough::shows(&container.url, built.text).await;
    step("roll back: the container shows the earlier page, its trigger is paused");
}

async fn compose(folder: &Path, project: &str, engine: &str, arguments: &[&str]) {
    let mut command = tokio::process::Command::new("docker-compose");
    command.args(["-p", project]).args(arguments).current_dir(folder).env("DOCKER_HOST", engine);
    let output = command.output().await.expect("docker-compose is installed: run `make setup`");
    assert!(output.status.success(), "docker-compose {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A Swarm service, on an engine of the demo's own: nobody's engine is made a swarm for a demo.
pub(crate) async fn swarm(engine: &Engine, base: &str, step: &impl Fn(&str)) {
    let own = OwnEngine::start().await;
    own.make_swarm().await;
    let copy =
        format!("docker --host {} save {base} | docker --host {} load", engine.endpoint(), own.engine().endpoint());
    let copied = tokio::process::Command::new("sh").args(["-c", &copy]).output().await.expect("sh starts");
    assert!(copied.status.success(), "{base} was not copied: {}", String::from_utf8_lossy(&copied.stderr));
    let browser = BaseImage::busybox(own.engine()).await;
    step("an engine of our own is a swarm of one node");

    let product = Product::start_with(&[("DOCKER_HOST", own.engine().endpoint())]).await;
    let registries = product.must("registries.list", json!({})).await;
    let repository = walkthrough::add_repository(&product, &registries[0]["id"], &Value::Null, "team/helloworld").await;
    let code = walkthrough::helloworld_code(base).await;
    let code_id = walkthrough::add_clone(&product, "helloworld", &code).await;
    let rule = walkthrough::add_rule(&product, &repository, &code_id, "main").await;
    let target = json!({ "kind": "ref", "name": "refs/heads/main" });
    product.must("builds.start", json!({ "rule": rule, "target": target })).await;
    let build = product.finished_build(&repository, &[], DEADLINE).await;
    assert_eq!(build["state"], "succeeded", "build: {build}");

    // The engine has a network of its own, and not every kernel balances what a service publishes: a browser beside the service
    // asks its tasks by name.
    own.engine().docker_ok(&["network", "create", "--driver", "overlay", "--attachable", "demo"]).await;
    let request = json!({
        "name": "site",
        "image": { "kind": "tag", "repository": repository, "tag": build["tags"][0] },
        "run_as": { "kind": "swarm_service", "replicas": 2 },
        "network": { "kind": "named", "name": "demo" },
        "gate": { "stay_up_seconds": 1, "deadline_seconds": 60 },
    });
    let started = product.must("targets.run_image", request).await;
    let firing = walkthrough::finished_firing(&product, &started["firing"]).await;
    assert_eq!(firing["firing"]["state"], "succeeded", "{firing}");
    let service = &firing["firing"]["target"];
    let beside =
        ["run", "--detach", "--rm", "--network", "demo", "--name", "browser", browser.reference(), "sleep", "600"];
    own.engine().docker_ok(&beside).await;
    let shows = async |text: &str| {
        let what = format!("the service shows {text:?}");
        eventually(&what, DEADLINE, async || {
            let page = own.engine().docker(&["exec", "browser", "wget", "-q", "-O", "-", "http://tasks.site/"]).await;
            let page = String::from_utf8_lossy(&page.stdout).trim().to_owned();
            if page == text { Ok(()) } else { Err(page) }
        })
        .await;
    };
    shows("hello world").await;
    step("run this image: Swarm service site with 2 replicas serves \"hello world\"");
    walkthrough::add_trigger(&product, &repository, "demo-swarm", service).await;
    let text = "hello from a swarm";
    code.write("index.html", format!("{text}\n"));
    let commit = code.commit(text).await;
    let pushed = Instant::now();
    shows(text).await;
    step(&format!(
        "push {} → the Swarm service shows {text:?} in {:.2} s",
        &commit[..7],
        pushed.elapsed().as_secs_f64()
    ));
    let records = walkthrough::firings(&product, &json!({ "repository": repository, "kind": "trigger" }), 1).await;
    assert_eq!(records[0]["state"], "succeeded", "{records:?}");
    own.engine().docker(&["rm", "--force", "browser"]).await;
    own.engine().docker(&["service", "rm", "site"]).await;
    own.engine().docker(&["swarm", "leave", "--force"]).await;
    drop(product);
}
