//! Code that goes away and comes back: what is known already still builds, and what others use is not removed.

use crate::house::{House, assert_code, stage_starts};
use serde_json::json;
use slipway_testkit::{GitRepository, GitServer};

#[tokio::test]
async fn f13_with_the_code_host_gone_known_commits_still_build() {
    let house = House::open().await;
    let server = GitServer::start(None, None).await;
    let code = house.code("COPY index.html /\n").await;
    let url = server.publish("team/app.git", &code).await;
    let location = json!({ "kind": "git_url", "url": url, "allow_plain_http": true });
    let form = json!({ "name": "server", "location": location });
    let code_id = house.product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
    house.look(&code_id).await;
    let repository = house.repository("team/app").await;
    let rule = house.rule(&repository, &code_id, json!({ "triggers": {} })).await;
    let first = house.build(&rule, "main").await;
    assert_eq!(first["state"], "succeeded", "{first}");
    let head = code.head().await;
    drop(server);

    let target = json!({ "kind": "ref", "name": "refs/heads/main" });
    let refused = house.product.call("builds.start", json!({ "rule": rule, "target": target })).await;
    assert_code(&refused.unwrap_err(), "source_unreachable");
    let look = house.product.call("code_repositories.check", json!({ "id": code_id })).await;
    assert_code(&look.unwrap_err(), "source_unreachable");
    let request =
        json!({ "rule": rule, "target": { "kind": "commit", "id": head }, "overrides": { "tags": ["offline"] } });
    let id = house.product.must("builds.start", request).await["id"].clone();
    let build = house.over(&id).await;
    assert_eq!(build["state"], "succeeded", "{build}");
    assert_eq!(build["image"]["content"], first["image"]["content"]);
    let again = house.product.must("builds.rerun", json!({ "id": first["id"] })).await["id"].clone();
    assert_eq!(house.over(&again).await["state"], "succeeded");
    house.close().await;
}

#[tokio::test]
async fn a_clone_whose_folder_is_gone_says_so_and_heals() {
    let house = House::open().await;
    let place = slipway_testkit::TempDataDir::new();
    let (folder, away) = (place.path().join("clone"), place.path().join("away"));
    let code = GitRepository::at(&folder).await;
    code.write("Dockerfile", house.dockerfile("COPY index.html /\n")).write("index.html", "1\n");
    code.commit("first").await;
    let code_id = house.clone_of(&code).await;
    let repository = house.repository("team/app").await;
    house.rule(&repository, &code_id, json!({})).await;
    std::fs::rename(&folder, &away).unwrap();
    let look = house.product.call("code_repositories.check", json!({ "id": code_id })).await;
    let failure = look.unwrap_err();
    assert_code(&failure, "bad_code_location");
    std::fs::rename(&away, &folder).unwrap();
    code.write("index.html", "2\n");
    let commit = code.commit("after it came back").await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(builds.len(), 1, "{builds:?}");
    assert_eq!((&builds[0]["state"], &builds[0]["commit"]["id"]), (&json!("succeeded"), &json!(commit)));
    house.close().await;
}

#[tokio::test]
async fn what_is_in_use_stays_and_records_outlive_their_rule_and_code() {
    let house = House::open().await;
    let (_code, code_id, repository, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    let build = house.build(&rule, "main").await;
    assert_eq!(stage_starts(&build, "build"), 1, "{build}");
    let call = async |command: &str, request| house.product.call(command, request).await;
    let in_use = call("code_repositories.delete", json!({ "id": code_id })).await;
    assert_code(&in_use.unwrap_err(), "in_use");
    let in_use = call("registries.delete", json!({ "id": house.registry_id })).await;
    assert_code(&in_use.unwrap_err(), "in_use");
    let in_use = call("registries.delete_credential", json!({ "id": house.credential })).await;
    assert_code(&in_use.unwrap_err(), "in_use");
    house.product.must("rules.delete", json!({ "id": rule })).await;
    house.product.must("code_repositories.delete", json!({ "id": code_id })).await;
    let kept = house.get(&build["id"]).await;
    assert_eq!((&kept["state"], &kept["inputs"]["rule_name"]), (&json!("succeeded"), &json!("main")), "{kept}");
    assert!(!house.product.log_of(&build["id"]).await.is_empty());
    let tag = build["tags"][0].as_str().unwrap();

    let again = call("builds.rerun", json!({ "id": build["id"] })).await;
    assert_code(&again.unwrap_err(), "not_found");
    let removal = house.product.must("image_repositories.removal", json!({ "id": repository })).await;
    assert_eq!(removal, json!({ "rules": [], "builds": 1, "active": [], "triggers": [] }));
    house.product.must("image_repositories.delete", json!({ "id": repository })).await;
    assert_code(&call("builds.get", json!({ "id": build["id"] })).await.unwrap_err(), "not_found");
    assert!(house.registry.digest("team/app", tag).await.is_some(), "images stay where they are");
    house.close().await;
}
