//! Cancelling, killing the program, a registry and an engine that are away: nothing is lost and nothing happens twice.

use crate::house::{DEADLINE, House, assert_code, assert_failure};
use serde_json::{Value, json};
use slipway_flows::Product;
use slipway_testkit::{FaultProxy, eventually};
use std::time::Duration;

async fn gate_is(gate: &str, open: bool) {
    eventually(&format!("{gate} runs: {open}"), Duration::from_secs(60), async || {
        if House::is_running(gate) == open { Ok(()) } else { Err(()) }
    })
    .await;
}

/// A step that runs for `SECONDS`, visible on this machine by its command line.
fn sleeping(gate: &str, seconds: u32) -> String {
    format!("ARG SECONDS={seconds}\nRUN sleep $SECONDS; : {gate}\nCOPY index.html /\n")
}

/// When the build stage began.
fn build_began(build: &Value) -> Value {
    let stages = build["stages"].as_array().unwrap();
    stages.iter().find(|one| one["stage"] == "build").unwrap()["started_at"].clone()
}

#[tokio::test]
async fn f34_cancelled_waiting_running_and_twice_then_run_again_with_changes_and_deleted() {
    let house = House::open().await;
    house.product.must("settings.save", json!({ "concurrency": 1, "poll_seconds": 3600 })).await;
    let gate = format!("gate-{}", house.mark);
    let (code, _, repository, rule) = house.all(&sleeping(&gate, 300), json!({ "triggers": {} })).await;
    code.git(&["branch", "other"]).await;
    let running = house.start(&rule, "main").await;
    gate_is(&gate, true).await;
    let waiting = house.start(&rule, "other").await;
    let queue = house.product.must("builds.queue", json!({})).await;
    let row = queue.as_array().unwrap().iter().find(|row| row["build"]["id"] == waiting).unwrap();
    assert_eq!(row["waits_for"]["kind"], "slots", "{row}");
    let refused = house.product.call("builds.delete", json!({ "id": running })).await;
    assert_failure(refused, "wrong_state", None);

    let cancelled = house.product.must("builds.cancel", json!({ "id": waiting })).await;
    assert_eq!(cancelled["state"], "cancelled");
    house.product.must("builds.cancel", json!({ "id": running })).await;
    gate_is(&gate, false).await;
    let build = house.over(&running).await;
    assert_eq!((&build["state"], &build["stage"]), (&json!("cancelled"), &json!("build")), "{build}");
    let again = house.product.must("builds.cancel", json!({ "id": running })).await;
    assert_eq!(again["state"], "cancelled", "a second time changes nothing");
    assert!(build["publications"].as_array().unwrap().is_empty());

    // 2.16: run again with changes, then the same inputs once more.
    let mut options = build["inputs"]["options"].clone();
    options["args"] = json!([{ "name": "SECONDS", "value": "0" }]);
    let request = json!({ "id": running, "overrides": { "options": options } });
    let changed = house.product.must("builds.rerun", request).await["id"].clone();
    let build = house.over(&changed).await;
    assert_eq!((&build["state"], &build["kind"], &build["rerun_of"]), (&json!("succeeded"), &json!("rerun"), &running));
    let same = house.product.must("builds.rerun", json!({ "id": changed })).await["id"].clone();
    let repeated = house.over(&same).await;
    assert_eq!(repeated["state"], "succeeded", "{repeated}");
    assert_eq!(repeated["inputs"], build["inputs"], "the same inputs");
    assert_eq!(repeated["image"]["content"], build["image"]["content"]);

    // 3.23: the record goes, its number does not come back.
    house.product.must("builds.delete", json!({ "id": same })).await;
    assert_failure(house.product.call("builds.get", json!({ "id": same })).await, "not_found", None);
    let next = house.product.must("builds.rerun", json!({ "id": changed })).await["id"].clone();
    assert_eq!(house.over(&next).await["number"], json!(5));
    assert_eq!(house.builds(&repository).await.len(), 4);
    house.close().await;
}

#[tokio::test]
async fn p1_f01_killed_during_a_build_it_is_finished_afterwards_and_pushes_meanwhile_are_caught_up() {
    let mut house = House::open().await;
    let gate = format!("gate-{}", house.mark);
    let (code, code_id, repository, rule) = house.all(&sleeping(&gate, 4), json!({})).await;
    let interrupted = house.start(&rule, "main").await;
    gate_is(&gate, true).await;
    house.product.kill().await;
    code.write("index.html", "while nobody looked\n");
    let missed = code.commit("while nobody looked").await;
    house.product.kill_and_start_again().await;
    let build = house.over(&interrupted).await;
    assert_eq!((&build["state"], &build["number"]), (&json!("succeeded"), &json!(1)), "{build}");
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(builds.len(), 2, "one build for the push that nobody saw: {builds:?}");
    assert_eq!((&builds[1]["commit"]["id"], &builds[1]["number"]), (&json!(missed), &json!(2)));
    assert_eq!(builds[1]["state"], "succeeded");
    for build in &builds {
        let tag = build["tags"][0].as_str().unwrap();
        assert!(house.registry.digest("team/app", tag).await.is_some(), "{tag} is in the registry");
    }
    let queue = house.product.must("builds.queue", json!({})).await;
    assert_eq!(queue, json!([]), "nothing is stuck");
    house.close().await;
}

#[tokio::test]
async fn p2_f01_killed_during_a_push_it_is_pushed_afterwards_without_building_again() {
    let mut house = House::open().await;
    let (_code, _, repository, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    house.registry.freeze();
    let id = house.start(&rule, "main").await;
    let before = house.in_stage(&id, "push").await;
    house.product.kill().await;
    house.registry.resume();
    house.product.kill_and_start_again().await;
    let after = house.over(&id).await;
    assert_eq!(after["state"], "succeeded", "{after}");
    assert_eq!(after["image"]["id"], before["image"]["id"]);
    assert_eq!(build_began(&after), build_began(&before), "the build stage began once");
    let tag = after["tags"][0].as_str().unwrap();
    let digest = house.registry.digest("team/app", tag).await;
    assert_eq!(digest.as_deref(), after["publications"][0]["digest"].as_str());
    assert_eq!(house.builds(&repository).await.len(), 1, "one build");
    house.close().await;
}

#[tokio::test]
async fn f08_f13_a_registry_that_is_away_gets_the_image_later_without_another_build() {
    let mut house = House::open().await;
    let (_code, _, _, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    house.registry.stop().await;
    let id = house.start(&rule, "main").await;
    let before = eventually("the push has failed once", DEADLINE, async || {
        let build = house.get(&id).await;
        let failed = !build["publications"][0]["failure"].is_null();
        if failed { Ok(build) } else { Err(build) }
    })
    .await;
    assert_code(&before["publications"][0]["failure"], "registry_unreachable");
    eventually("the queue says why it waits", DEADLINE, async || {
        let queue = house.product.must("builds.queue", json!({})).await;
        let waits = queue[0]["waits_for"]["failure"]["code"] == "registry_unreachable";
        if waits { Ok(()) } else { Err(queue) }
    })
    .await;
    house.registry.start_again().await;
    let after = house.over(&id).await;
    assert_eq!(after["state"], "succeeded", "{after}");
    assert_eq!(after["image"]["id"], before["image"]["id"], "not built again");
    assert_eq!(build_began(&after), build_began(&before), "the build stage began once");
    assert!(after["attempt"].as_i64().unwrap() > 1);
    house.close().await;
}

#[tokio::test]
async fn f07_without_an_engine_builds_wait_with_the_reason_and_go_on_when_it_comes() {
    let place = slipway_testkit::TempDataDir::new();
    let socket = place.path().join("docker.sock");
    let house =
        House::open_with(Product::start_with(&[("DOCKER_HOST", &format!("unix://{}", socket.display()))]).await);
    let house = house.await;
    let status = house.product.must("system.status", json!({})).await;
    assert_eq!(status["engine"]["kind"], "away");
    assert_code(&status["engine"]["failure"], "engine_absent");
    let (_code, _, _, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    let id = house.start(&rule, "main").await;
    eventually("the build waits for the engine", DEADLINE, async || {
        let queue = house.product.must("builds.queue", json!({})).await;
        let row = &queue[0];
        let waits = row["build"]["state"] == "paused" && row["waits_for"]["kind"] == "outside";
        if waits && row["waits_for"]["failure"]["code"] == "engine_absent" { Ok(()) } else { Err(queue) }
    })
    .await;
    let real = house.engine.endpoint().strip_prefix("unix://").unwrap();
    std::os::unix::fs::symlink(real, &socket).unwrap();
    let build = house.over(&id).await;
    assert_eq!(build["state"], "succeeded", "{build}");
    house.close().await;
}

#[tokio::test]
async fn two_data_folders_on_one_engine_keep_their_builds_apart() {
    let houses = [House::open().await, House::open().await];
    let mut builds = Vec::new();
    for house in &houses {
        let (code, _, _, rule) = house.all("COPY index.html /index.html\n", json!({ "triggers": {} })).await;
        code.write("index.html", &house.mark);
        code.commit("of this house").await;
        house.registry.freeze();
        builds.push((house.start(&rule, "main").await, code));
    }
    let mut names = Vec::new();
    for (house, (id, _code)) in houses.iter().zip(&builds) {
        let image = house.in_stage(id, "push").await["image"]["id"].as_str().unwrap().to_owned();
        let tags =
            house.engine.docker_ok(&["inspect", "--format", "{{range .RepoTags}}{{println .}}{{end}}", &image]).await;
        names.extend(tags.lines().filter(|tag| tag.starts_with("slipway.local/build:")).map(str::to_owned));
    }
    assert_eq!(builds[0].0, builds[1].0, "both are the first build of their folder");
    names.dedup();
    assert_eq!(names.len(), 2, "each image has a private name of its own: {names:?}");
    for (house, (id, _code)) in houses.into_iter().zip(builds) {
        house.registry.resume();
        let build = house.over(&id).await;
        assert_eq!(build["state"], "succeeded", "{build}");
        assert_eq!(house.file(&build["image"], "/index.html").await, house.mark);
        house.close().await;
    }
    let engine = slipway_testkit::Engine::require().await;
    eventually("a private name goes after the end of its build", DEADLINE, async || {
        let left = engine.docker_ok(&["images", "--quiet", &names[0]]).await;
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}

#[tokio::test]
async fn f05_an_engine_that_goes_away_in_the_middle_is_waited_for() {
    let engine = slipway_testkit::Engine::require().await;
    let door = FaultProxy::before_socket(engine.endpoint().strip_prefix("unix://").unwrap()).await;
    let host = format!("unix://{}", door.socket().display());
    let house = House::open_with(Product::start_with(&[("DOCKER_HOST", &host)]).await).await;
    let gate = format!("gate-{}", house.mark);
    let (_code, _, repository, rule) = house.all(&sleeping(&gate, 5), json!({ "triggers": {} })).await;
    let id = house.start(&rule, "main").await;
    gate_is(&gate, true).await;
    door.go_away().await;
    let paused = eventually("the build waits", DEADLINE, async || {
        let build = house.get(&id).await;
        if build["state"] == "paused" { Ok(build) } else { Err(build) }
    })
    .await;
    assert_eq!(paused["reason"]["kind"], "waiting", "{paused}");
    let code = paused["reason"]["failure"]["code"].as_str().unwrap();
    assert!(matches!(code, "engine_lost" | "engine_absent"), "{paused}");
    door.come_back().await;
    let build = house.over(&id).await;
    assert_eq!((&build["state"], &build["number"]), (&json!("succeeded"), &json!(1)), "{build}");
    assert!(house.registry.digest("team/app", build["tags"][0].as_str().unwrap()).await.is_some());
    assert_eq!(house.builds(&repository).await.len(), 1);
    house.close().await;
}

#[tokio::test]
async fn f34_cancelled_in_a_push_and_by_the_deletion_of_the_rule() {
    let house = House::open().await;
    let gate = format!("gate-{}", house.mark);
    let (_code, code_id, repository, rule) = house.all(&sleeping(&gate, 0), json!({ "triggers": {} })).await;
    house.registry.freeze();
    let id = house.start(&rule, "main").await;
    house.in_stage(&id, "push").await;
    house.product.must("builds.cancel", json!({ "id": id })).await;
    let build = house.over(&id).await;
    assert_eq!((&build["state"], &build["stage"]), (&json!("cancelled"), &json!("push")), "{build}");
    house.registry.resume();
    let again = house.product.must("builds.rerun", json!({ "id": id })).await["id"].clone();
    let build = house.over(&again).await;
    assert_eq!(build["state"], "succeeded", "{build}");

    let args = json!([{ "name": "SECONDS", "value": "300" }]);
    let spec = house.spec(&code_id, &json!({ "triggers": {}, "options": { "args": args } }));
    house.product.must("rules.edit", json!({ "id": rule, "spec": spec })).await;
    let running = house.start(&rule, "main").await;
    gate_is(&gate, true).await;
    let waiting = house.start(&rule, "main").await;
    let deleted = house.product.must("rules.delete", json!({ "id": rule, "cancel_running": true })).await;
    assert_eq!((&deleted["cancelled"], &deleted["running"]), (&json!([waiting]), &json!([running])), "{deleted}");
    gate_is(&gate, false).await;
    let states: Vec<Value> = house.all_over(&repository).await.iter().map(|build| build["state"].clone()).collect();
    assert_eq!(states, ["cancelled", "succeeded", "cancelled", "cancelled"], "the records stay");
    house.close().await;
}

#[tokio::test]
async fn f34_a_wish_to_cancel_outlives_a_crash() {
    let mut house = House::open().await;
    let gate = format!("gate-{}", house.mark);
    let (_code, _, _, rule) = house.all(&sleeping(&gate, 300), json!({ "triggers": {} })).await;
    let id = house.start(&rule, "main").await;
    gate_is(&gate, true).await;
    house.product.must("builds.cancel", json!({ "id": id })).await;
    house.product.kill().await;
    house.product.kill_and_start_again().await;
    assert_eq!(house.over(&id).await["state"], "cancelled");
    gate_is(&gate, false).await;
    house.close().await;
}

#[tokio::test]
async fn f15_a_keychain_that_went_away_is_waited_for_by_what_needs_it() {
    let mut house = House::open().await;
    let (_code, _, _, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    // The key is asked for anew by the next run of the program.
    house.product.stop_keychain().await;
    house.product.kill_and_start_again().await;
    let id = house.start(&rule, "main").await;
    let failure = eventually("the build waits for the keychain", DEADLINE, async || {
        let build = house.get(&id).await;
        if build["state"] == "paused" { Ok(build["reason"]["failure"].clone()) } else { Err(build) }
    })
    .await;
    assert_code(&failure, "keychain_absent");
    house.product.must("builds.cancel", json!({ "id": id })).await;
    assert_eq!(house.over(&id).await["state"], "cancelled");
    house.close().await;
}

#[tokio::test]
async fn a_ref_that_goes_away_takes_its_waiting_build_with_it() {
    let house = House::open().await;
    house.product.must("settings.save", json!({ "concurrency": 1, "poll_seconds": 3600 })).await;
    let gate = format!("gate-{}", house.mark);
    let (code, code_id, repository, rule) = house.all(&sleeping(&gate, 300), json!({})).await;
    let running = house.start(&rule, "main").await;
    gate_is(&gate, true).await;
    code.branch("short-lived").await;
    house.look(&code_id).await;
    code.switch("main").await;
    code.git(&["branch", "-D", "short-lived"]).await;
    house.look(&code_id).await;
    house.product.must("builds.cancel", json!({ "id": running })).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(builds.len(), 2, "{builds:?}");
    assert_eq!((&builds[1]["state"], &builds[1]["reason"]["kind"]), (&json!("skipped"), &json!("ref_deleted")));
    house.close().await;
}

#[tokio::test]
async fn f01_f02_p1_p6_killed_again_and_again_every_push_has_one_build_and_every_tag_arrives() {
    let mut house = House::open().await;
    let triggers = json!({ "strategy": "every_push", "overwrite_tag": "latest" });
    let (code, code_id, repository, _) = house.all("COPY index.html /index.html\nRUN sleep 0.3\n", triggers).await;
    let mut commits = Vec::new();
    // The moments at which it dies; spread over look, checkout, build and push, whatever this machine's speed.
    for milliseconds in [0, 40, 90, 160, 250, 400, 600, 850, 1_150, 1_500] {
        code.write("index.html", format!("{} {milliseconds}\n", house.mark));
        commits.push(code.commit("next").await);
        // The file events start the look; the program dies in the middle of what follows.
        let _ = tokio::time::timeout(Duration::from_millis(milliseconds), std::future::pending::<()>()).await;
        house.product.kill_and_start_again().await;
        house.look(&code_id).await;
    }
    let builds = house.all_over(&repository).await;
    let built: Vec<&str> = builds.iter().filter_map(|build| build["commit"]["id"].as_str()).collect();
    assert_eq!(built, commits, "each push is built once, in order");
    for (index, build) in builds.iter().enumerate() {
        assert_eq!((&build["state"], &build["number"]), (&json!("succeeded"), &json!(index + 1)), "{build}");
        let tag = format!("main-{}", &commits[index][..7]);
        assert!(house.registry.digest("team/app", &tag).await.is_some(), "{tag}");
    }
    let last = house.get(&builds[builds.len() - 1]["id"]).await;
    let latest = house.registry.digest("team/app", "latest").await;
    assert_eq!(latest.as_deref(), last["publications"][0]["digest"].as_str(), "latest is the last push");
    assert_eq!(house.file(&last["image"], "/index.html").await, format!("{} 1500", house.mark));
    let own = format!("label=test.flow={}", house.mark);
    eventually("no private name is left behind", DEADLINE, async || {
        let left = house.engine.docker_ok(&["images", "--filter", &own, "--format", "{{.Repository}}"]).await;
        if left.contains("slipway.local") { Err(left) } else { Ok(()) }
    })
    .await;
    house.close().await;
}
