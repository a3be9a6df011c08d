//! Source accounts through the program: a small forge with an API and private code at one address.

use crate::house::{assert_code, assert_failure};
use serde_json::{Value, json};
use slipway_flows::Product;
use slipway_testkit::{Canary, CanaryScan, GitRepository, GitServer, Login};

/// A forge that shows itself and its code to one token alone.
async fn forge(token: &str) -> (GitServer, GitRepository) {
    let server = GitServer::start(None, Some(Login::new("oauth2", token))).await;
    let code = GitRepository::new().await;
    code.write("Dockerfile", "FROM scratch\n").write("index.html", "hello\n");
    code.commit("first").await;
    let clone_url = server.publish("acme/web.git", &code).await;
    let web = json!({
        "id": 2, "name": "web", "full_name": "acme/web", "private": true, "archived": false, "empty": false,
        "default_branch": "main", "clone_url": clone_url, "ssh_url": null,
        "html_url": format!("{}/acme/web", server.url()), "updated_at": "2027-01-15T07:00:00Z",
    });
    let head = code.head().await;
    for (path, answer) in [
        ("user", json!({ "id": 1, "login": "ada", "full_name": "Ada L." })),
        ("user/orgs", json!([{ "id": 9, "name": "acme", "full_name": "Acme" }])),
        ("user/repos", json!([web])),
        ("repos/search", json!({ "ok": true, "data": [web] })),
        ("repos/acme/web", web.clone()),
        ("repos/acme/web/branches", json!([{ "name": "main", "commit": { "id": head } }])),
    ] {
        server.answer_json(&format!("/api/v1/{path}"), answer.to_string());
    }
    (server, code)
}

fn host(server: &GitServer) -> Value {
    json!({ "provider": "gitea", "base_url": server.url(), "allow_plain_http": true })
}

#[tokio::test]
async fn seed_2_3_a_token_authorizes_and_seed_3_1_its_private_code_is_chosen_from_lists() {
    let canary = Canary::word("source-account");
    let (server, code) = forge(canary.text()).await;
    let product = Product::start().await;
    let add = async |host: Value, token: &str| {
        product.call("accounts.add_with_token", json!({ "host": host, "token": { "token": token } })).await
    };
    let without_consent = json!({ "provider": "gitea", "base_url": server.url() });
    assert_failure(add(without_consent, canary.text()).await, "bad_code_location", Some("base_url"));
    assert_failure(add(host(&server), "wrong").await, "source_unauthorized", Some("token"));
    let account = add(host(&server), canary.text()).await.unwrap();
    assert_eq!((&account["login"], &account["renewed"]), (&json!("ada"), &json!(false)));
    let id = &account["id"];

    let owners = product.must("accounts.organizations", json!({ "id": id })).await;
    assert_eq!(owners[1]["path"], "acme", "{owners}");
    let request = json!({ "id": id, "owner": owners[1], "search": "we" });
    let repositories = product.must("accounts.repositories", request).await;
    assert_eq!(repositories["items"][0]["path"], "acme/web", "{repositories}");
    let branches = product.must("accounts.branches", json!({ "id": id, "path": "acme/web" })).await;
    assert_eq!(branches["items"][0]["name"], "refs/heads/main", "{branches}");

    let location = json!({ "kind": "account", "account": id, "path": "acme/web" });
    let form = json!({ "name": "web", "location": location });
    let code_id = product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
    product.must("code_repositories.check", json!({ "id": code_id })).await;
    let refs = product.must("code_repositories.refs", json!({ "id": code_id })).await;
    assert_eq!(refs["refs"][0]["object"], json!(code.head().await), "{refs}");
    let folder = product.must("code_repositories.folder", json!({ "id": code_id })).await;
    assert_eq!(folder[0]["name"], "Dockerfile", "{folder}");
    let listed = product.must("code_repositories.list", json!({})).await;
    assert_eq!(listed[0]["account"], json!({ "id": id, "path": "acme/web" }), "{listed}");
    assert_eq!(listed[0]["location"]["has_password"], false, "the token is the account's alone");

    let accounts = product.must("accounts.list", json!({})).await;
    assert_eq!((&accounts[0]["code"][0]["name"], &accounts[0]["paused"]), (&json!("web"), &Value::Null));
    let scan = CanaryScan::new(&canary);
    assert_eq!(scan.bytes("the api", format!("{accounts}{listed}").as_bytes()), []);
    assert_eq!(scan.folder(product.data_dir()), []);
    let own = format!("process {}", product.process_id());
    assert!(scan.command_lines().iter().all(|seen| seen.place != own));
    assert!(server.take_seen().iter().all(|seen| scan.bytes("an address", seen.target.as_bytes()).is_empty()));

    let removal = product.must("accounts.removal", json!({ "id": id })).await;
    assert_eq!((&removal["code"][0]["id"], &removal["can_revoke"]), (&code_id, &json!(false)), "{removal}");
    let gone = product.must("accounts.delete", json!({ "id": id })).await;
    assert_eq!(gone, json!({ "kind": "by_hand", "page": removal["revoke_page"] }));
    let _ = server.take_seen();
    let closed = product.call("code_repositories.check", json!({ "id": code_id })).await;
    assert_code(&closed.unwrap_err(), "source_unauthorized");
    assert_eq!(server.take_seen(), [], "nothing is asked without the account");
}
