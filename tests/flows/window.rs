//! What the window shows beside the main path: starters, the Dockerfile of a build, repositories that others publish, the
//! inbox.

use crate::house::{DEADLINE, House, assert_failure};
use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::{GitRepository, eventually};

#[tokio::test]
async fn seed_4_7_a_starter_fits_the_code_and_is_written_where_none_is() {
    let product = Product::start_without_keychain().await;
    let code = GitRepository::new().await;
    code.write("go.mod", "module x\n").write("web/index.html", "<h1>x</h1>\n");
    let commit = code.commit("code without a Dockerfile").await;
    let id = walkthrough::add_clone(&product, "code", &code).await;

    let starters = product.must("starters.list", json!({})).await;
    let of = |name: &str| starters.as_array().unwrap().iter().find(|one| one["id"] == name).cloned().unwrap();
    let hello = of("hello_nginx");
    let text = hello["files"][0]["text"].as_str().unwrap();
    assert!(text.starts_with("FROM nginx\nMAINTAINER ") && text.contains("ADD ./ /usr/share/nginx/html"), "{text}");
    assert!(hello["files"][1]["text"].as_str().unwrap().contains("hello world"));

    let found = product.must("starters.suggest", json!({ "code": id })).await;
    assert_eq!(found, json!({ "dockerfile": null, "starters": [{ "id": "go", "because_of": "go.mod" }] }));
    let found = product.must("starters.suggest", json!({ "code": id, "folder": "web" })).await;
    assert_eq!(found["starters"][0]["id"], "static_site");

    let written = product.must("starters.write", json!({ "code": id, "starter": "go" })).await;
    assert_eq!(written["written"].as_array().unwrap().len(), 2, "{written}");
    let text = std::fs::read_to_string(code.path().join("Dockerfile")).unwrap();
    assert_eq!(of("go")["files"][0]["text"], text);
    assert_eq!(code.head().await, commit, "committing is the person's");
    let again = product.call("starters.write", json!({ "code": id, "starter": "node" })).await;
    assert_failure(again, "wrong_state", Some("folder"));
    assert_eq!(std::fs::read_to_string(code.path().join("Dockerfile")).unwrap(), text);
    for folder in ["../out", "/etc", ".git/hooks"] {
        let out = product.call("starters.write", json!({ "code": id, "starter": "go", "folder": folder })).await;
        assert_failure(out, "bad_repository_path", Some("folder"));
    }
}

#[tokio::test]
async fn seed_4_8_the_failing_line_stands_in_the_dockerfile_of_the_build() {
    let house = House::open().await;
    let (code, code_id, repository, rule) = house.all("COPY index.html /\n\nRUN false\n", json!({})).await;
    let build = house.build(&rule, "main").await;
    assert_eq!(build["state"], "failed", "{build}");
    let lines = json!({ "first": 4, "last": 4 });
    assert_eq!(build["failing_lines"], lines, "{build}");
    let file = house.product.must("builds.dockerfile", json!({ "id": build["id"] })).await;
    assert_eq!((&file["failing_lines"], &file["commit"]), (&lines, &build["commit"]["id"]));
    let built = house.dockerfile("COPY index.html /\n\nRUN false\n");
    assert_eq!(file["text"], built);
    // A later commit changes nothing about what was built.
    code.write("Dockerfile", house.dockerfile("COPY index.html /\n"));
    code.commit("mended").await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(builds[1]["state"], "succeeded", "{builds:?}");
    assert_eq!(house.product.must("builds.dockerfile", json!({ "id": build["id"] })).await["text"], built);
    assert_eq!(builds[1]["failing_lines"], Value::Null);

    // Failed and mended: both are in the inbox, each once. A build's end is told just after its row.
    let inbox = eventually("both are told", DEADLINE, async || {
        let inbox = house.product.must("inbox.list", json!({})).await;
        let kinds = inbox["items"].as_array().unwrap().iter().filter_map(|one| one["facts"]["kind"].as_str());
        if kinds.eq(["build_recovered", "build_failed"]) { Ok(inbox) } else { Err(inbox) }
    })
    .await;
    assert_eq!(inbox["unread"], 2, "{inbox}");
    assert_eq!(inbox["items"][0]["route"], format!("/builds/{}", builds[1]["id"]));
    let newest = &inbox["items"][0]["id"];
    house.product.must("inbox.mark_read", json!({ "id": newest, "and_older": true })).await;
    assert_eq!(house.product.must("inbox.list", json!({ "unread_only": true })).await["items"], json!([]));
    house.product.must("inbox.clear", json!({ "id": newest })).await;
    assert_eq!(house.product.must("inbox.list", json!({})).await["total"], 0);
    house.close().await;
}

#[tokio::test]
async fn what_others_publish_is_watched_and_never_built() {
    let house = House::open().await;
    let code = house.code("COPY index.html /\n").await;
    let code_id = house.clone_of(&code).await;
    let spec = |source: &str, name: &str| json!({ "registry": house.registry_id, "name": name, "source": source, "credential": house.credential });
    let add = async |spec: Value| house.product.call("image_repositories.add", json!({ "spec": spec })).await;
    for source in ["platform", "dockerfile", "pushed_locally"] {
        let id = add(spec(source, &format!("team/{}", source.replace('_', "-")))).await.unwrap()["id"].clone();
        let view = house.product.must("image_repositories.get", json!({ "id": id })).await;
        assert_eq!((&view["spec"]["source"], &view["read_only_reason"]), (&json!(source), &Value::Null));
    }
    let watched = add(spec("published_by_others", "library/nginx")).await.unwrap()["id"].clone();
    let view = house.product.must("image_repositories.get", json!({ "id": watched })).await;
    assert_eq!(view["read_only_reason"]["code"], "read_only_repository", "{view}");
    let rule = json!({ "repository": watched, "spec": house.spec(&code_id, &json!({})) });
    assert_failure(house.product.call("rules.add", rule).await, "read_only_repository", None);

    // A registry without any login, on a host that is not there now, can be watched too.
    let registry = json!({ "name": "elsewhere", "host": "registry.example.invalid", "plain_http": false });
    let elsewhere = house.product.must("registries.add", json!({ "form": registry })).await["id"].clone();
    let spec_there =
        json!({ "registry": elsewhere, "name": "a/b", "source": "published_by_others", "credential": null });
    add(spec_there).await.unwrap();
    // Nobody publishes to this engine but oneself.
    let registries = house.product.must("registries.list", json!({})).await;
    let local =
        json!({ "registry": registries[0]["id"], "name": "a/b", "source": "published_by_others", "credential": null });
    assert_failure(add(local).await, "invalid_field", Some("spec.source"));

    // One that has rules does not become watched.
    let own = house.repository("team/own").await;
    house.rule(&own, &code_id, json!({})).await;
    let edit = json!({ "id": own, "spec": spec("published_by_others", "team/own") });
    assert_failure(house.product.call("image_repositories.edit", edit).await, "in_use", Some("spec.source"));
    // And one that was watched may become one's own.
    let edit = json!({ "id": watched, "spec": spec("platform", "library/nginx") });
    house.product.must("image_repositories.edit", edit).await;
    house.rule(&watched, &code_id, json!({})).await;
    house.close().await;
}
