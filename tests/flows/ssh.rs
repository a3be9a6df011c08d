//! Code over SSH through the whole product: the address, the question about the host's key, a push, an image.

use crate::house::{House, assert_code};
use serde_json::json;
use slipway_flows::Product;
use slipway_testkit::SshServer;

#[tokio::test]
async fn t02_an_ssh_address_is_asked_about_confirmed_pushed_to_and_built() {
    let mut server = SshServer::start(false).await;
    let folder = server.program().parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let house = House::open_with(Product::start_with(&[("PATH", &path)]).await).await;
    let code = house.code("COPY index.html /\n").await;
    let url = server.publish("app.git", &code).await;
    let form = json!({ "name": "over ssh", "location": { "kind": "ssh", "url": url } });
    let product = &house.product;

    let question = product.call("code_repositories.test", json!({ "form": form })).await.unwrap_err();
    assert_code(&question, "ssh_host_key_unknown");
    let fingerprint = server.fingerprint().await;
    assert_eq!(
        (&question["details"]["key_type"], &question["details"]["fingerprint"]),
        (&json!("ED25519"), &json!(fingerprint))
    );
    // Added without an answer, it is watched and says what it waits for.
    let code_id = product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
    let look = product.call("code_repositories.check", json!({ "id": code_id })).await.unwrap_err();
    assert_code(&look, "ssh_host_key_unknown");

    let forged = json!({ "url": url, "fingerprint": "SHA256:something/else" });
    assert_code(&product.call("code_repositories.trust_host_key", forged).await.unwrap_err(), "ssh_host_key_unknown");
    product.must("code_repositories.trust_host_key", json!({ "url": url, "fingerprint": fingerprint })).await;
    let sources = product.must("code_repositories.list", json!({})).await;
    assert!(sources[0]["last_failure"].is_null() && sources[0]["last_ok_at"].is_string(), "{sources}");
    assert_eq!(sources[0]["location"], json!({ "kind": "ssh", "url": url }));
    assert!(!server.home("known_hosts").exists(), "the user's own list is only read");

    let repository = house.repository("team/app").await;
    house.rule(&repository, &code_id, json!({})).await;
    code.write("index.html", "over ssh\n");
    let commit = code.commit("pushed").await;
    code.push("main").await;
    house.look(&code_id).await;
    let builds = house.all_over(&repository).await;
    assert_eq!(builds.len(), 1, "{builds:?}");
    assert_eq!((&builds[0]["state"], &builds[0]["commit"]["id"]), (&json!("succeeded"), &json!(commit)));
    let built = house.get(&builds[0]["id"]).await;
    assert_eq!(house.file(&built["image"], "/index.html").await.trim(), "over ssh");

    // Somebody else answers there: nothing is sent, and no confirmation helps.
    server.change_host_key().await;
    let look = product.call("code_repositories.check", json!({ "id": code_id })).await.unwrap_err();
    assert_code(&look, "ssh_host_key_changed");
    let now = json!({ "url": url, "fingerprint": server.fingerprint().await });
    assert_code(&product.call("code_repositories.trust_host_key", now).await.unwrap_err(), "ssh_host_key_changed");
    let bad = json!({ "name": "x", "location": { "kind": "ssh", "url": "ssh://-oProxyCommand=id/x" } });
    let bad = product.call("code_repositories.add", json!({ "form": bad })).await.unwrap_err();
    assert_code(&bad, "bad_code_location");
    assert_eq!(bad["field"], "location.url");
    house.close().await;
}
