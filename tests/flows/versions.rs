//! Versions through the whole product: lists, details, comparison, copies, removal, namespaces.

use crate::house::{House, assert_failure};
use base64::Engine as _;
use serde_json::{Value, json};
use slipway_flows::walkthrough;
use slipway_testkit::{RegistryServer, eventually};
use std::time::Duration;

/// Lists versions once everything on the page is known.
async fn versions(house: &House, repository: &Value, more: Value) -> Vec<Value> {
    let mut request = json!({ "repository": repository });
    for (field, value) in more.as_object().unwrap() {
        request[field] = value.clone();
    }
    eventually("the page is known", Duration::from_secs(30), async || {
        let page = house.product.must("versions.list", request.clone()).await;
        if page["pending"] == 0 { Ok(page["items"].as_array().cloned().unwrap()) } else { Err(page) }
    })
    .await
}

fn tags(versions: &[Value]) -> Vec<&str> {
    versions.iter().filter_map(|version| version["tag"].as_str()).collect()
}

#[tokio::test]
async fn seed_2_11_the_result_is_tagged_by_the_rule_and_appears_among_the_versions() {
    let house = House::open().await;
    let below = "ENV COLOUR=blue\nCOPY index.html /index.html\n";
    let (code, code_id, repository, rule) = house.all(below, json!({ "overwrite_tag": "latest" })).await;
    let first = house.build(&rule, "main").await;
    code.write("index.html", "the second\n").write("Dockerfile", house.dockerfile(&below.replace("blue", "red")));
    let commit = code.commit("another colour").await;
    house.look(&code_id).await;
    let second = house.all_over(&repository).await.pop().unwrap();

    let all = versions(&house, &repository, json!({})).await;
    let tag = |build: &Value| build["tags"][0].as_str().unwrap().to_owned();
    let (older, newer) = (tag(&first), tag(&second));
    let row = |name: &str| all.iter().find(|one| one["tag"] == name).unwrap_or_else(|| panic!("{name}: {all:?}"));
    assert_eq!(all.len(), 3, "{all:?}");
    for (name, build) in [(&older, &first), (&newer, &second), (&"latest".to_owned(), &second)] {
        let version = row(name);
        assert_eq!(version["digest"].as_str(), house.registry.digest("team/app", name).await.as_deref());
        assert_eq!(version["build"]["id"], build["id"], "{version}");
        assert_eq!(version["build"]["number"], build["number"]);
        assert_eq!(version["build"]["commit"]["id"], build["commit"]["id"]);
        assert_eq!((&version["origin"], &version["newest"]), (&json!("built"), &json!(build["id"] == second["id"])));
        assert_eq!(version["platforms"].as_array().unwrap().len(), 1);
        assert!(version["size"].as_u64().unwrap() > 1000 && version["pushed_at"].is_string(), "{version}");
        let pull = format!("docker pull {}/team/app:{name}", house.registry.host());
        assert_eq!(version["pull"], pull.as_str());
    }
    assert_eq!(tags(&versions(&house, &repository, json!({ "search": "LAT" })).await), ["latest"]);
    assert_eq!(tags(&versions(&house, &repository, json!({ "search": &commit[..7] })).await), [newer.as_str()]);
    let sorted = versions(&house, &repository, json!({ "sort": "name", "ascending": true, "limit": 1 })).await;
    assert_eq!(tags(&sorted), ["latest"]);
    let next = versions(&house, &repository, json!({ "sort": "name", "ascending": true, "offset": 1 })).await;
    assert_eq!(next.len(), 2);

    let detail = house.product.must("versions.get", json!({ "repository": repository, "reference": "latest" })).await;
    let layers = detail["images"][0]["layers"].as_array().unwrap();
    let made = |text: &str| layers.iter().find(|one| one["instruction"].as_str().is_some_and(|i| i.starts_with(text)));
    assert!(made("COPY index.html").is_some_and(|layer| layer["digest"].is_string()), "{layers:?}");
    assert!(made("ENV COLOUR=red").is_some_and(|layer| layer["digest"].is_null()), "{layers:?}");
    assert_eq!(detail["images"][0]["unaligned"], false);
    let env = detail["images"][0]["config"]["env"].as_array().unwrap();
    assert!(env.contains(&json!("COLOUR=red")), "{detail}");
    assert_eq!(detail["known_siblings"], json!([newer]));
    let digest = detail["version"]["digest"].clone();
    let manifest = json!({ "repository": repository, "reference": digest });
    let text = house.product.must("versions.manifest", manifest).await["text"].as_str().unwrap().to_owned();
    use sha2::Digest as _;
    assert_eq!(digest, format!("sha256:{}", hex::encode(sha2::Sha256::digest(text))), "the exact bytes");

    let compare = json!({ "repository": repository, "a": older, "b": newer });
    let compared = house.product.must("versions.compare", compare).await;
    let differences: Vec<_> = compared["layers"].as_array().unwrap().iter().map(|one| &one["difference"]).collect();
    assert!(differences.contains(&&json!("shared")) && differences.contains(&&json!("added")), "{compared}");
    let colour = compared["config"].as_array().unwrap().iter().find(|one| one["name"] == "COLOUR").unwrap();
    assert_eq!((&colour["a"], &colour["b"]), (&json!("blue"), &json!("red")));
    let between: Vec<_> = compared["commits"]["added"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(between, [&json!(commit)], "{compared}");
    let back =
        house.product.must("versions.compare", json!({ "repository": repository, "a": newer, "b": older })).await;
    assert_eq!((&back["commits"]["added_total"], &back["commits"]["removed_total"]), (&json!(0), &json!(1)));
    assert_failure(
        house.product.call("versions.get", json!({ "repository": repository, "reference": "nothing" })).await,
        "manifest_unknown",
        None,
    );
    house.close().await;
}

#[tokio::test]
async fn copies_and_write_once_tags_and_removal_with_its_siblings() {
    let house = House::open().await;
    let (_code, _, repository, rule) = house.all("COPY index.html /\n", json!({})).await;
    let build = house.build(&rule, "main").await;
    let tag = build["tags"][0].clone();
    let digest = house.registry.digest("team/app", tag.as_str().unwrap()).await;

    let copy = |to: &str| json!({ "repository": repository, "from": tag, "to": to });
    let copied = house.product.must("versions.copy", copy("stable")).await;
    assert_eq!((copied["digest"].as_str(), &copied["changed"]), (digest.as_deref(), &json!(true)));
    assert_eq!(house.registry.digest("team/app", "stable").await, digest);
    let again = house.product.must("versions.copy", copy("stable")).await;
    assert_eq!(again["changed"], false, "the same content is no change");
    // A digest instead of a tag.
    house.product.must("versions.copy", json!({ "repository": repository, "from": digest, "to": "v1" })).await;
    let listed = versions(&house, &repository, json!({ "search": "stable" })).await;
    assert_eq!((&listed[0]["origin"], &listed[0]["copied_from"]), (&json!("copied"), &tag));
    assert_eq!(listed[0]["build"]["id"], build["id"], "the build is still known");

    // Another image under `other`; what holds something else is replaced on a word only, a written one never.
    house.engine.docker_ok(&["tag", &house.base, &format!("{}/team/app:other", house.registry.host())]).await;
    let login = house.registry.login().unwrap();
    let config = slipway_testkit::TempDataDir::new();
    let docker = ["--config", config.path().to_str().unwrap()];
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", login.user, login.password));
    let signed_in = json!({ "auths": { house.registry.host(): { "auth": auth } } });
    std::fs::write(config.path().join("config.json"), signed_in.to_string()).unwrap();
    let name = format!("{}/team/app:other", house.registry.host());
    house.engine.docker_ok(&[&docker[..], &["push", &name]].concat()).await;
    house.engine.docker_ok(&["rmi", &name]).await;
    let listed = versions(&house, &repository, json!({ "search": "other", "refresh": true })).await;
    assert_eq!((&listed[0]["origin"], &listed[0]["build"]), (&json!("elsewhere"), &Value::Null), "a plain docker push");
    assert_failure(house.product.call("versions.copy", copy("other")).await, "name_taken", Some("to"));
    let mut spec = house.product.must("image_repositories.get", json!({ "id": repository })).await["spec"].clone();
    spec["write_once"] = json!(["oth.*"]);
    house.product.must("image_repositories.edit", json!({ "id": repository, "spec": spec })).await;
    let mut forced = copy("other");
    forced["overwrite"] = json!(true);
    assert_failure(house.product.call("versions.copy", forced).await, "tag_immutable", Some("to"));

    // Into another repository of the same registry, without the engine.
    let second = house.repository("team/second").await;
    let across = json!({ "repository": repository, "from": tag, "to": "first", "into": second });
    house.product.must("versions.copy", across).await;
    assert_eq!(house.registry.digest("team/second", "first").await, digest);

    let removal = json!({ "repository": repository, "tags": [tag] });
    let shown = house.product.must("versions.removal", removal.clone()).await;
    let mut goes: Vec<_> = shown["tags"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    goes.sort_unstable();
    let mut expected = vec![tag.as_str().unwrap(), "stable", "v1"];
    expected.sort_unstable();
    assert_eq!(goes, expected);
    assert_eq!(shown["groups"][0]["builds"][0]["id"], build["id"]);
    assert_failure(house.product.call("versions.delete", removal).await, "wrong_state", Some("tags"));
    assert_eq!(house.registry.digest("team/app", "stable").await, digest, "nothing is gone without a word");
    house.product.must("versions.delete", json!({ "repository": repository, "tags": expected })).await;
    for gone in expected {
        assert_eq!(house.registry.digest("team/app", gone).await, None, "{gone}");
    }
    assert_eq!(tags(&versions(&house, &repository, json!({})).await), ["other"]);
    house.product.must("versions.delete", json!({ "repository": repository, "tags": ["other"] })).await;
    // Now the registry answers `"tags": null`.
    assert!(versions(&house, &repository, json!({})).await.is_empty());
    house.close().await;
}

#[tokio::test]
async fn a_registry_that_forbids_deletion_says_so_and_keeps_everything() {
    let house = House::open().await;
    let strict = RegistryServer::start(None, false).await;
    let (registry, credential) = walkthrough::add_registry(&house.product, "strict", &strict).await;
    let repository = walkthrough::add_repository(&house.product, &registry, &credential, "team/kept").await;
    let (_code, code_id) = {
        let code = house.code("COPY index.html /\n").await;
        let id = house.clone_of(&code).await;
        (code, id)
    };
    let rule = house.rule(&repository, &code_id, json!({})).await;
    let build = house.build(&rule, "main").await;
    let delete = json!({ "repository": repository, "tags": build["tags"] });
    assert_failure(house.product.call("versions.delete", delete).await, "registry_unsupported", None);
    assert!(strict.digest("team/kept", build["tags"][0].as_str().unwrap()).await.is_some());

    let listed = house.product.must("registries.namespaces", json!({ "registry": registry })).await;
    assert_eq!(listed["namespaces"], json!([{ "name": "team", "listed": 1, "known": 1, "public": null }]));
    assert_eq!((&listed["creation"], &listed["catalogue_failure"]), (&json!("first_push"), &Value::Null));
    house.close().await;
}

#[tokio::test]
async fn versions_of_the_local_engine_and_what_a_running_container_uses() {
    let house = House::open().await;
    let registries = house.product.must("registries.list", json!({})).await;
    let local = registries.as_array().unwrap().iter().find(|one| one["kind"] == "local_engine").unwrap()["id"].clone();
    let name = format!("{}/app", house.mark);
    let spec = json!({ "registry": local, "name": name, "source": "platform" });
    let repository = house.product.must("image_repositories.add", json!({ "spec": spec })).await["id"].clone();
    let code = house.code("COPY index.html /\nCMD [\"sleep\", \"600\"]\n").await;
    let code_id = house.clone_of(&code).await;
    let rule = house.rule(&repository, &code_id, json!({ "overwrite_tag": "latest" })).await;
    let build = house.build(&rule, "main").await;
    let tag = build["tags"][0].as_str().unwrap().to_owned();
    let page = house.product.must("versions.list", json!({ "repository": repository })).await;
    assert_eq!((&page["local"], &page["total"]), (&json!(true), &json!(2)), "{page}");
    let version = page["items"].as_array().unwrap().iter().find(|one| one["tag"] == tag.as_str()).unwrap();
    assert_eq!((&version["image"], &version["digest"]), (&build["image"]["id"], &Value::Null));
    assert_eq!((&version["build"]["id"], &version["newest"]), (&build["id"], &json!(true)));
    let detail = house.product.must("versions.get", json!({ "repository": repository, "reference": tag })).await;
    let layers = detail["images"][0]["layers"].as_array().unwrap();
    let copied = layers.iter().find(|one| one["instruction"].as_str().is_some_and(|text| text.contains("index.html")));
    assert!(copied.is_some_and(|layer| layer["digest"].is_string()), "{layers:?}");

    house.product.must("versions.copy", json!({ "repository": repository, "from": tag, "to": "kept" })).await;
    let page = house.product.must("versions.list", json!({ "repository": repository, "search": "kept" })).await;
    let kept = &page["items"][0];
    assert_eq!((&kept["origin"], &kept["build"]["id"]), (&json!("copied"), &build["id"]), "{page}");
    assert_eq!(kept["newest"], true);
    let running = format!("{name}:{tag}");
    let container = house.engine.docker_ok(&["run", "-d", "--rm", "--name", &house.mark, &running]).await;
    let delete = json!({ "repository": repository, "tags": [tag] });
    let shown = house.product.must("versions.removal", delete.clone()).await;
    assert_eq!(shown["groups"][0]["containers"][0]["name"], house.mark.as_str(), "{shown}");
    assert_failure(house.product.call("versions.delete", delete.clone()).await, "in_use", Some("tags"));
    // Another name of the same image may go.
    house.product.must("versions.delete", json!({ "repository": repository, "tags": ["kept"] })).await;
    house.engine.docker_ok(&["rm", "-f", &container]).await;
    house.product.must("versions.delete", delete).await;
    assert_eq!(house.engine.image_id(&running).await, None);
    assert!(house.engine.image_id(&format!("{name}:latest")).await.is_some(), "only what was asked for");
    house.close().await;
}
