//! A registry that answers a push with trouble once: the push is tried again, the image is never built again.

use crate::house::{DEADLINE, House, assert_code};
use serde_json::{Value, json};
use slipway_flows::walkthrough;
use slipway_testkit::{Fault, FaultProxy, GitRepository, eventually};
use std::time::Duration;

/// Where the engine and we name a tag's content.
const MANIFEST: &str = "PUT /v2/team/app/manifests/";

async fn house_behind_a_door() -> (House, FaultProxy, Value, GitRepository) {
    let house = House::open().await;
    let door = FaultProxy::before_address(&house.registry.host()).await;
    let form = json!({ "name": "door", "host": door.address(), "plain_http": true });
    let registry = house.product.must("registries.add", json!({ "form": form })).await["id"].clone();
    let login = house.registry.login().unwrap();
    let form = json!({ "kind": "password", "username": login.user, "password": login.password });
    let request = json!({ "registry": registry, "name": "main", "form": form });
    let credential = house.product.must("registries.add_credential", request).await["id"].clone();
    let repository = walkthrough::add_repository(&house.product, &registry, &credential, "team/app").await;
    let code = house.code("COPY index.html /\n").await;
    let code_id = house.clone_of(&code).await;
    let rule = house.rule(&repository, &code_id, json!({ "triggers": {} })).await;
    (house, door, rule, code)
}

fn request(rule: &Value, tag: &str) -> Value {
    json!({ "rule": rule, "target": { "kind": "ref", "name": "refs/heads/main" }, "overrides": { "tags": [tag] } })
}

/// Builds with one trouble in the push and checks that all ends well.
async fn ends_well(
    house: &House,
    door: &FaultProxy,
    code: &GitRepository,
    rule: &Value,
    tag: &str,
    trouble: (&'static str, Fault),
) {
    // An image of its own: what the registry has already is not sent again.
    code.write("index.html", format!("{tag} {}\n", house.mark));
    code.commit(tag).await;
    door.fail_at(trouble.0, 1, trouble.1);
    let id = house.product.must("builds.start", request(rule, tag)).await["id"].clone();
    let first = eventually("the image is built", DEADLINE, async || {
        let build = house.get(&id).await;
        if build["image"].is_null() { Err(build) } else { Ok(build) }
    })
    .await;
    let build = house.over(&id).await;
    assert_eq!(build["state"], "succeeded", "{tag}: {build}");
    assert_eq!(door.heal(), 1, "{tag}: the trouble happened");
    assert_eq!(build["image"], first["image"], "{tag}: built once");
    let began = |build: &Value| build["stages"].as_array().unwrap().iter().find(|one| one["stage"] == "build").cloned();
    assert_eq!(
        began(&build).map(|stage| stage["started_at"].clone()),
        began(&first).map(|stage| stage["started_at"].clone())
    );
    let digest = house.registry.digest("team/app", tag).await;
    assert_eq!(digest.as_deref(), build["publications"][0]["digest"].as_str(), "{tag}: verified");
}

#[tokio::test]
async fn f10_a_push_that_was_stored_but_not_answered_counts() {
    let (house, door, rule, code) = house_behind_a_door().await;
    ends_well(&house, &door, &code, &rule, "cut", (MANIFEST, Fault::CutAnswer)).await;
    house.close().await;
}

#[tokio::test]
async fn f08_f09_f11_troubles_that_pass_are_tried_again() {
    let (house, door, rule, code) = house_behind_a_door().await;
    let cases = [
        ("slow-down", (MANIFEST, Fault::Answer("429 Too Many Requests\r\nretry-after: 1", ""))),
        ("ill", (MANIFEST, Fault::Answer("503 Service Unavailable", ""))),
        ("token-ended", (MANIFEST, Fault::Answer("401 Unauthorized\r\nwww-authenticate: Basic realm=\"again\"", ""))),
        ("cut", (MANIFEST, Fault::Cut)),
    ];
    for (tag, trouble) in cases {
        ends_well(&house, &door, &code, &rule, tag, trouble).await;
    }
    assert_eq!(house.product.must("builds.queue", json!({})).await, json!([]), "nothing is stuck");
    house.close().await;
}

#[tokio::test]
async fn f12_f34_a_registry_that_hangs_or_is_slow_holds_only_its_own_build_and_that_can_be_cancelled() {
    let (house, door, rule, _code) = house_behind_a_door().await;
    door.fail_at(MANIFEST, 1, Fault::Stall);
    let id = house.product.must("builds.start", request(&rule, "hangs")).await["id"].clone();
    eventually("the registry hangs", DEADLINE, async || if door.struck() == 1 { Ok(()) } else { Err(()) }).await;
    house.product.must("builds.cancel", json!({ "id": id })).await;
    let build = house.over(&id).await;
    assert_eq!((&build["state"], &build["stage"]), (&json!("cancelled"), &json!("push")), "{build}");
    door.fail(Fault::Slow(Duration::from_millis(5)));
    let id = house.product.must("builds.rerun", json!({ "id": id })).await["id"].clone();
    assert_eq!(house.over(&id).await["state"], "succeeded");
    assert!(door.heal() > 0);
    house.close().await;
}

#[tokio::test]
async fn f08_a_registry_that_forgot_everything_gets_it_again() {
    let (mut house, _door, rule, _code) = house_behind_a_door().await;
    let id = house.product.must("builds.start", request(&rule, "kept")).await["id"].clone();
    let build = house.over(&id).await;
    assert_eq!(build["state"], "succeeded", "{build}");
    house.registry.forget().await;
    assert_eq!(house.registry.digest("team/app", "kept").await, None);
    let id = house.product.must("builds.rerun", json!({ "id": id })).await["id"].clone();
    let again = house.over(&id).await;
    assert_eq!(again["state"], "succeeded", "{again}");
    let digest = house.registry.digest("team/app", "kept").await;
    assert_eq!(digest.as_deref(), again["publications"][0]["digest"].as_str());
    house.close().await;
}

#[tokio::test]
async fn f13_pages_of_somebody_between_interrupt_the_push_and_it_is_tried_again() {
    let (house, door, rule, code) = house_behind_a_door().await;
    let page = "<!doctype html><html><body>A proxy</body></html>";
    let cases = [
        ("portal", (MANIFEST, Fault::PORTAL)),
        ("refused", (MANIFEST, Fault::Answer("400 Bad Request\r\ncontent-type: text/html", page))),
        ("gateway", (MANIFEST, Fault::Answer("502 Bad Gateway\r\ncontent-type: text/html", page))),
        ("nothing", (MANIFEST, Fault::Answer("400 Bad Request", ""))),
        // The question that we ask before the engine pushes.
        ("asked", ("GET /v2/team/app/manifests/", Fault::PORTAL)),
    ];
    for (tag, trouble) in cases {
        ends_well(&house, &door, &code, &rule, tag, trouble).await;
    }
    house.close().await;
}

#[tokio::test]
async fn f11_a_refusal_for_good_ends_the_push_with_its_code() {
    let (house, door, rule, code) = house_behind_a_door().await;
    for (tag, fault, expected) in [("denied", Fault::Answer("403 Forbidden", ""), "registry_denied")] {
        code.write("index.html", format!("{tag} {}\n", house.mark));
        code.commit(tag).await;
        door.fail_at(MANIFEST, 1, fault);
        let id = house.product.must("builds.start", request(&rule, tag)).await["id"].clone();
        let build = house.over(&id).await;
        assert_eq!((&build["state"], &build["stage"]), (&json!("failed"), &json!("push")), "{build}");
        assert_code(&build["failure"], expected);
        assert_eq!(build["publications"][0]["state"], "failed");
        assert_eq!(house.registry.digest("team/app", tag).await, None);
        // Run again pushes what the engine has: all is well.
        let id = house.product.must("builds.rerun", json!({ "id": id })).await["id"].clone();
        assert_eq!(house.over(&id).await["state"], "succeeded");
    }
    house.close().await;
}
