//! From a new tag to the running service, with the real program and engine: the page that is served changes by itself.

use crate::house::{House, assert_failure};
use serde_json::{Value, json};
use slipway_flows::walkthrough::{self, Site};
use slipway_testkit::{GitRepository, TempDataDir, eventually};
use std::time::Duration;

/// Code whose page is served by a container, a rule over it, and a trigger on everything.
struct Running {
    house: House,
    code: GitRepository,
    code_id: Value,
    repository: Value,
    rule: Value,
    site: Site,
    trigger: Value,
}

impl Running {
    async fn open() -> Self {
        let house = House::open().await;
        let repository = house.repository("team/app").await;
        Self::of(house, repository).await
    }

    /// A registry knows the images by digest; *Local engine* only by id.
    async fn on_local_engine() -> Self {
        let house = House::open().await;
        let registries = house.product.must("registries.list", json!({})).await;
        let name = format!("team/{}", house.mark);
        let repository = walkthrough::add_repository(&house.product, &registries[0]["id"], &Value::Null, &name).await;
        Self::of(house, repository).await
    }

    async fn of(house: House, repository: Value) -> Self {
        let code = house.code(walkthrough::PAGE_INSTRUCTIONS).await;
        let code_id = house.clone_of(&code).await;
        let rule = house.rule(&repository, &code_id, json!({ "overwrite_tag": "latest" })).await;
        let build = house.build(&rule, "main").await;
        assert_eq!(build["state"], "succeeded", "{build}");
        let tag = build["tags"][0].as_str().unwrap();
        let site = walkthrough::run_container(&house.product, &repository, tag, &house.mark).await;
        walkthrough::shows(&site.url, "hello").await;
        let name = format!("on-{}", house.mark);
        let trigger = walkthrough::add_trigger(&house.product, &repository, &name, &site.target).await;
        Self { house, code, code_id, repository, rule, site, trigger }
    }

    /// Commits a page and waits until the trigger's work for it is over; returns the record.
    async fn push(&self, text: &str, nth: usize) -> Value {
        self.code.write("index.html", format!("{text}\n"));
        self.code.commit(text).await;
        self.house.look(&self.code_id).await;
        self.records(nth).await.pop().unwrap()
    }

    async fn records(&self, count: usize) -> Vec<Value> {
        walkthrough::firings(&self.house.product, &json!({ "trigger": self.trigger }), count).await
    }

    /// What runs under the container's name and beside it, by the engine's own words.
    async fn containers(&self) -> Vec<String> {
        let filter = format!("name={}", self.house.mark);
        let text = self.house.engine.docker_ok(&["ps", "--filter", &filter, "--format", "{{.Names}}"]).await;
        text.lines().map(str::to_owned).collect()
    }

    async fn close(self) {
        let filter = format!("name={}", self.house.mark);
        let all = self.house.engine.docker_ok(&["ps", "--all", "--quiet", "--filter", &filter]).await;
        if !all.is_empty() {
            let names: Vec<&str> = all.split_whitespace().collect();
            self.house.engine.docker(&[&["rm", "--force", "--volumes"], names.as_slice()].concat()).await;
        }
        self.house.close().await;
    }
}

#[tokio::test]
async fn seed_4_2_4_3_4_9_4_11_4_13_4_14_4_15_a_commit_changes_the_page_that_is_served() {
    let running = Running::open().await;
    for (nth, text) in ["one", "two"].into_iter().enumerate() {
        let record = running.push(text, nth + 1).await;
        assert_eq!(record["state"], "succeeded", "{record}");
        walkthrough::shows(&running.site.url, text).await;
        let build = running.house.builds(&running.repository).await.pop().unwrap();
        assert_eq!(record["build"], build["id"], "4.14: the deployment is followed from the commit on");
        let digest = running.house.registry.digest("team/app", build["tags"][0].as_str().unwrap()).await;
        assert_eq!(record["version"]["image"]["digest"].as_str(), digest.as_deref(), "the exact image, not a tag");
        let detail = running.house.product.must("firings.get", json!({ "id": record["id"] })).await;
        assert_eq!(detail["outcome"]["kind"], "deployed", "{detail}");
        assert!(detail["outcome"]["gap_ms"].is_u64(), "the gap was measured: {detail}");
        assert!(!detail["steps"].as_array().unwrap().is_empty(), "{detail}");
        let log = running.house.product.must("firings.log", json!({ "id": record["id"] })).await;
        assert!(!log.as_array().unwrap().is_empty());
    }
    assert_eq!(
        running.containers().await,
        std::slice::from_ref(&running.house.mark),
        "one serves, the earlier one is stopped"
    );
    running.close().await;
}

#[tokio::test]
async fn a_commit_that_changes_nothing_restarts_nothing_and_a_b_a_deploys_a_again() {
    let running = Running::on_local_engine().await;
    running.push("one", 1).await;
    let format = ["inspect", "--format", "{{.Id}} {{.State.StartedAt}}", running.house.mark.as_str()];
    let before = running.house.engine.docker_ok(&format).await;
    running.code.commit("nothing").await;
    running.house.look(&running.code_id).await;
    let records = running.records(2).await;
    assert_eq!(records[1]["state"], "unchanged", "{records:?}");
    assert_eq!(running.house.engine.docker_ok(&format).await, before);
    // A → B → A deploys A again.
    for (nth, text) in [(3, "two"), (4, "one")] {
        assert_eq!(running.push(text, nth).await["state"], "succeeded");
        walkthrough::shows(&running.site.url, text).await;
    }
    running.close().await;
}

#[tokio::test]
async fn seed_4_4_4_12_a_build_by_hand_and_an_image_from_elsewhere_fire_too() {
    let running = Running::on_local_engine().await;
    running.code.write("index.html", "by hand\n");
    let target = json!({ "kind": "ref", "name": "refs/heads/main" });
    running.house.product.must("rules.set_auto_trigger", json!({ "id": running.rule, "on": false })).await;
    running.code.commit("by hand").await;
    running.house.product.must("builds.start", json!({ "rule": running.rule, "target": target })).await;
    let record = running.records(1).await.remove(0);
    assert_eq!((&record["state"], &record["source"]), (&json!("succeeded"), &json!("build")), "{record}");
    walkthrough::shows(&running.site.url, "by hand").await;

    // Somebody else's image, named by the Docker client: no build of ours has to do with it.
    let container = running.house.mark.as_str();
    let script = "echo elsewhere > /www/index.html";
    running.house.engine.docker_ok(&["exec", container, "sh", "-c", script]).await;
    let name = format!("team/{}:theirs", running.house.mark);
    let label = format!("LABEL test.flow={}", running.house.mark);
    let elsewhere = format!("slipway-test/elsewhere:{}", running.house.mark);
    running.house.engine.docker_ok(&["commit", "--change", &label, container, &elsewhere]).await;
    running.house.engine.docker_ok(&["tag", &elsewhere, &name]).await;
    running.house.engine.docker_ok(&["rmi", &elsewhere]).await;
    let record = running.records(2).await.remove(1);
    assert_eq!((&record["state"], &record["source"]), (&json!("succeeded"), &json!("local")), "{record}");
    walkthrough::shows(&running.site.url, "elsewhere").await;
    running.close().await;
}

#[tokio::test]
async fn a_rollback_is_seen_pins_the_target_and_is_resumed() {
    let running = Running::open().await;
    let product = &running.house.product;
    let first = running.push("one", 1).await;
    running.push("two", 2).await;
    let detail = product.must("targets.get", json!({ "target": running.site.target })).await;
    let versions = detail["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 3, "one, two, and what ran first: {detail}");
    assert_eq!(versions.iter().filter(|version| version["current"] == true).count(), 1, "{detail}");
    let back = product.must("targets.roll_back", json!({ "firing": first["id"] })).await;
    let record = walkthrough::finished_firing(product, &back["firing"]).await;
    assert_eq!(record["firing"]["state"], "succeeded", "{record}");
    walkthrough::shows(&running.site.url, "one").await;

    let skipped = running.push("three", 3).await;
    assert_eq!((&skipped["state"], &skipped["reason"]["kind"]), (&json!("skipped"), &json!("paused")), "{skipped}");
    assert_eq!(walkthrough::page(&running.site.url).await.unwrap(), "one");
    let trigger = product.must("triggers.get", json!({ "id": running.trigger })).await;
    assert_eq!(trigger["pin"]["firing"], back["firing"], "{trigger}");
    let resumed = product.must("triggers.resume", json!({ "id": running.trigger })).await;
    assert_eq!(resumed["firing"], skipped["id"]);
    walkthrough::shows(&running.site.url, "three").await;
    running.close().await;
}

#[tokio::test]
async fn seed_4_5_4_10_one_push_updates_a_container_and_a_compose_service_and_calls_no_trigger_of_other_tags() {
    let running = Running::on_local_engine().await;
    let product = &running.house.product;
    let folder = TempDataDir::new();
    let image = format!("team/{}:latest", running.house.mark);
    let file = format!(
        "version: '2.4'\nservices:\n  web:\n    image: {image}\n    ports: ['127.0.0.1::80']\n    stop_grace_period: 1s\n"
    );
    std::fs::write(folder.path().join("docker-compose.yml"), file).unwrap();
    let compose = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new("docker-compose");
        command.args(["-p", &running.house.mark]).args(arguments).current_dir(folder.path());
        let output = command.env("DOCKER_HOST", running.house.engine.endpoint()).output().await;
        let output = output.expect("docker-compose is installed: run `make setup`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    compose(&["up", "-d"]).await;
    let service =
        json!({ "kind": "compose_service", "engine": "local", "project": running.house.mark, "service": "web" });
    let site = walkthrough::site(product, &service).await;
    let name = format!("compose-{}", running.house.mark);
    let of_compose = walkthrough::add_trigger(product, &running.repository, &name, &service).await;
    let spec = json!({
        "name": format!("other-{}", running.house.mark),
        "condition": { "kind": "tags", "list": "v1;v2" },
        "target": running.site.target,
    });
    let other = product.must("triggers.add", json!({ "repository": running.repository, "spec": spec })).await;
    let record = running.push("both", 1).await;
    assert_eq!(record["state"], "succeeded", "{record}");
    let records = walkthrough::firings(product, &json!({ "trigger": of_compose }), 1).await;
    assert_eq!(records[0]["state"], "succeeded", "{records:?}");
    walkthrough::shows(&running.site.url, "both").await;
    walkthrough::shows(&walkthrough::site(product, &service).await.url, "both").await;
    assert!(site.url.starts_with("http://127.0.0.1:"));
    let none = product.must("firings.list", json!({ "trigger": other["id"] })).await;
    assert_eq!(none["total"], 0, "{none}");
    let list = product.must("targets.list", json!({})).await;
    let owned =
        list["items"].as_array().unwrap().iter().filter(|item| !item["triggers"].as_array().unwrap().is_empty());
    assert_eq!(owned.count(), 2, "{list}");
    compose(&["down", "--volumes", "--timeout", "1"]).await;
    running.close().await;
}

#[tokio::test]
async fn f29_a_new_image_that_exits_at_once_leaves_the_old_one_serving() {
    let running = Running::open().await;
    running.code.write("Dockerfile", running.house.dockerfile("CMD [\"sh\", \"-c\", \"exit 3\"]\n"));
    let record = running.push("bad", 1).await;
    assert!(matches!(record["state"].as_str(), Some("failed" | "rolled_back")), "{record}");
    assert_eq!(record["failure"]["code"], "target_unhealthy", "{record}");
    walkthrough::shows(&running.site.url, "hello").await;
    assert_eq!(running.containers().await, std::slice::from_ref(&running.house.mark));
    running.close().await;
}

#[tokio::test]
async fn p3_f30_killed_in_the_middle_of_an_update_exactly_one_serves_the_new_page() {
    let mut running = Running::open().await;
    for (nth, delay) in [0, 150, 400, 900, 1500].into_iter().enumerate() {
        let text = format!("after {delay} ms");
        running.code.write("index.html", format!("{text}\n"));
        running.code.commit(&text).await;
        running.house.look(&running.code_id).await;
        let product = &running.house.product;
        eventually("the trigger has fired", Duration::from_secs(60), async || {
            let page = product.must("firings.list", json!({ "trigger": running.trigger })).await;
            if page["total"].as_u64() > Some(nth as u64) { Ok(()) } else { Err(page) }
        })
        .await;
        // Not a wait for something: the moment of the kill is what this varies.
        tokio::time::sleep(Duration::from_millis(delay)).await;
        running.house.product.kill_and_start_again().await;
        let record = running.records(nth + 1).await.pop().unwrap();
        // Broken off half-way it was undone; either way one serves, and the record says which.
        let expected = match record["state"].as_str().unwrap() {
            "succeeded" | "unchanged" => text,
            "rolled_back" | "failed" => {
                let request = json!({
                    "target": running.site.target,
                    "image": { "kind": "tag", "repository": running.repository, "tag": "latest" },
                    "gate": { "stay_up_seconds": 1, "deadline_seconds": 60 },
                });
                let again = running.house.product.must("targets.update_now", request).await;
                let again = walkthrough::finished_firing(&running.house.product, &again["firing"]).await;
                assert_eq!(again["firing"]["state"], "succeeded", "{again}");
                text
            }
            other => panic!("{other}: {record}"),
        };
        walkthrough::shows(&running.site.url, &expected).await;
        assert_eq!(running.containers().await, std::slice::from_ref(&running.house.mark));
    }
    running.close().await;
}

#[tokio::test]
async fn a_trigger_that_cannot_be_used_says_which_field() {
    let house = House::open().await;
    let repository = house.repository("team/app").await;
    let target = json!({ "kind": "container", "engine": "local", "name": "nothing" });
    let add = async |name: &str, condition: Value| {
        let spec = json!({ "name": name, "condition": condition, "target": target });
        house.product.call("triggers.add", json!({ "repository": repository, "spec": spec })).await
    };
    assert_failure(add("1st", json!({ "kind": "all" })).await, "invalid_field", Some("spec.name"));
    assert_failure(
        add("web", json!({ "kind": "pattern", "pattern": "(" })).await,
        "bad_regex",
        Some("spec.condition.pattern"),
    );
    assert_failure(
        add("web", json!({ "kind": "tags", "list": ";" })).await,
        "invalid_field",
        Some("spec.condition.list"),
    );
    add("web", json!({ "kind": "tags", "list": "v1;v2, v3" })).await.unwrap();
    assert_failure(add("WEB", json!({ "kind": "all" })).await, "name_taken", Some("spec.name"));
    let preview = house
        .product
        .must("triggers.preview", json!({ "repository": repository, "condition": { "kind": "all" } }))
        .await;
    assert_eq!(preview, json!({ "matching": [], "of": 0 }));
    house.close().await;
}
