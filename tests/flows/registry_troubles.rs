//! A registry that answers a push with trouble once: the push is tried again, the image is never built again.

use crate::house::{DEADLINE, House, assert_code};
use serde_json::{Value, json};
use slipway_flows::walkthrough;
use slipway_testkit::{GitRepository, eventually};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next manifest that is put.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    /// The registry stores it; the answer is lost.
    CutAfterStored,
    /// It never arrives; this is the answer.
    Answer(&'static str),
}

/// A door in front of a registry that makes trouble once when told to.
struct TroubleDoor {
    port: u16,
    next: Arc<Mutex<Option<Trouble>>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl TroubleDoor {
    async fn open(registry: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let next: Arc<Mutex<Option<Trouble>>> = Arc::default();
        let shared = Arc::clone(&next);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, registry.clone(), Arc::clone(&shared)));
            }
        });
        Self { port, next, accepting }
    }

    fn make(&self, trouble: Trouble) {
        *self.next.lock().unwrap() = Some(trouble);
    }
}

impl Drop for TroubleDoor {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Passes bytes both ways until a manifest is put while trouble is wanted.
async fn pass(mut client: TcpStream, registry: String, next: Arc<Mutex<Option<Trouble>>>) {
    let Ok(mut server) = TcpStream::connect(registry).await else { return };
    let (mut from_client, mut from_server) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut cut = false;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(count @ 1..) = read else { return };
                let bytes = &from_client[..count];
                let head = String::from_utf8_lossy(&bytes[..count.min(200)]);
                let puts_manifest = head.starts_with("PUT /v2/") && head.contains("/manifests/");
                let trouble = if puts_manifest { next.lock().unwrap().take() } else { None };
                if let Some(Trouble::Answer(head)) = trouble {
                    let answer = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    let _ = client.write_all(answer.as_bytes()).await;
                    return;
                }
                cut |= trouble == Some(Trouble::CutAfterStored);
                if server.write_all(bytes).await.is_err() { return }
            }
            read = server.read(&mut from_server) => {
                let Ok(count @ 1..) = read else { return };
                // Once the answer is there the manifest is stored; the client hears nothing of it.
                if cut || client.write_all(&from_server[..count]).await.is_err() { return }
            }
        }
    }
}

async fn house_behind_a_door() -> (House, TroubleDoor, Value, GitRepository) {
    let house = House::open().await;
    let door = TroubleDoor::open(house.registry.host()).await;
    let form = json!({ "name": "door", "host": format!("127.0.0.1:{}", door.port), "plain_http": true });
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

/// Builds with one trouble in the push and checks that all ends well.
async fn ends_well(house: &House, door: &TroubleDoor, rule: &Value, tag: &str, trouble: Trouble) -> Value {
    door.make(trouble);
    let request = json!({ "rule": rule, "target": { "kind": "ref", "name": "refs/heads/main" },
        "overrides": { "tags": [tag] } });
    let id = house.product.must("builds.start", request).await["id"].clone();
    let first = eventually("the image is built", DEADLINE, async || {
        let build = house.get(&id).await;
        if build["image"].is_null() { Err(build) } else { Ok(build) }
    })
    .await;
    let build = house.over(&id).await;
    assert_eq!(build["state"], "succeeded", "{build}");
    assert!(door.next.lock().unwrap().is_none(), "{tag}: the trouble happened");
    assert_eq!(build["image"], first["image"], "{tag}: built once");
    let began = |build: &Value| build["stages"].as_array().unwrap().iter().find(|one| one["stage"] == "build").cloned();
    assert_eq!(
        began(&build).map(|stage| stage["started_at"].clone()),
        began(&first).map(|stage| stage["started_at"].clone())
    );
    let digest = house.registry.digest("team/app", tag).await;
    assert_eq!(digest.as_deref(), build["publications"][0]["digest"].as_str(), "{tag}: verified");
    build
}

#[tokio::test]
async fn f10_a_push_that_was_stored_but_not_answered_counts() {
    let (house, door, rule, _code) = house_behind_a_door().await;
    ends_well(&house, &door, &rule, "cut", Trouble::CutAfterStored).await;
    house.close().await;
}

#[tokio::test]
async fn f09_f11_refusals_that_pass_are_tried_again() {
    let (house, door, rule, _code) = house_behind_a_door().await;
    let cases = [
        ("slow-down", "429 Too Many Requests\r\nretry-after: 1"),
        ("ill", "503 Service Unavailable"),
        ("token-ended", "401 Unauthorized\r\nwww-authenticate: Basic realm=\"again\""),
    ];
    for (tag, answer) in cases {
        ends_well(&house, &door, &rule, tag, Trouble::Answer(answer)).await;
    }
    house.close().await;
}

#[tokio::test]
async fn f12_a_refusal_for_good_ends_the_push_with_its_code() {
    let (house, door, rule, _code) = house_behind_a_door().await;
    door.make(Trouble::Answer("403 Forbidden"));
    let request = json!({ "rule": rule, "target": { "kind": "ref", "name": "refs/heads/main" },
        "overrides": { "tags": ["denied"] } });
    let id = house.product.must("builds.start", request).await["id"].clone();
    let build = house.over(&id).await;
    assert_eq!((&build["state"], &build["stage"]), (&json!("failed"), &json!("push")), "{build}");
    assert_code(&build["failure"], "registry_denied");
    assert_eq!(build["publications"][0]["state"], "failed");
    assert_eq!(house.registry.digest("team/app", "denied").await, None);
    // Run again pushes what the engine has: all is well.
    let id = house.product.must("builds.rerun", json!({ "id": id })).await["id"].clone();
    assert_eq!(house.over(&id).await["state"], "succeeded");
    house.close().await;
}
