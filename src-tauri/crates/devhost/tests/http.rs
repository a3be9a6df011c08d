//! The real listener over a real data folder: who is served, and how failures travel.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use slipway_api::Api;
use slipway_app::{OpenOptions, Slipway};
use slipway_devhost::{Devhost, DevhostOptions};
use std::sync::Arc;

struct Running {
    devhost: Devhost,
    app: Arc<Slipway>,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Running {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let console = folder.path().join("console");
        std::fs::create_dir(&console).unwrap();
        std::fs::write(console.join("index.html"), "<!doctype html><title>console</title>").unwrap();
        let app = Arc::new(Slipway::open(OpenOptions::new(folder.path().join("data"))).await.unwrap());
        let options = DevhostOptions { port: 0, console: Some(console) };
        let devhost = Devhost::start(Api::new(Arc::clone(&app)), options).await.unwrap();
        Self { devhost, app, client: reqwest::Client::new(), _folder: folder }
    }

    fn post(&self, command: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/rpc/{command}", self.devhost.url()))
    }

    async fn call(&self, command: &str, request: Value) -> (u16, Value) {
        let response = self.post(command).bearer_auth(self.devhost.token()).json(&request).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn stop(self) {
        self.devhost.stop().await.unwrap();
        self.app.shutdown().await;
    }
}

#[tokio::test]
async fn t17_a_stranger_is_refused_before_anything_happens() {
    let running = Running::start().await;
    let token = running.devhost.token().to_owned();
    let nobody = running.post("settings.get").json(&json!({})).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    let rebound =
        running.post("settings.get").bearer_auth(&token).header("Host", "evil.example").json(&json!({})).send();
    assert_eq!(rebound.await.unwrap().status(), 403);
    let page = running.post("settings.get").bearer_auth(&token).header("Origin", "https://evil.example");
    assert_eq!(page.json(&json!({})).send().await.unwrap().status(), 403);
    let form = running.post("settings.get").bearer_auth(&token).header("Content-Type", "text/plain").body("{}");
    assert_eq!(form.send().await.unwrap().status(), 415);
    running.stop().await;
}

#[tokio::test]
async fn failures_travel_with_code_field_and_status() {
    let running = Running::start().await;
    let (status, failure) = running.call("no.such", json!({})).await;
    assert_eq!((status, failure["code"].as_str()), (404, Some("unknown_command")));
    let (status, failure) = running.call("rules.get", json!({ "id": "seven" })).await;
    assert_eq!((status, failure["code"].as_str(), failure["field"].as_str()), (422, Some("invalid_field"), Some("id")));
    let (status, failure) = running.call("rules.get", json!({ "id": 7 })).await;
    assert_eq!((status, failure["code"].as_str()), (404, Some("not_found")));
    let form = json!({ "form": { "name": "r", "host": "not a host" } });
    let (status, failure) = running.call("registries.add", form).await;
    assert_eq!((status, failure["field"].as_str()), (422, Some("form.host")));
    running.stop().await;
}

#[tokio::test]
async fn changes_are_announced_with_their_stale_tags() {
    let running = Running::start().await;
    let mut events = running
        .client
        .get(format!("{}/events", running.devhost.url()))
        .bearer_auth(running.devhost.token())
        .send()
        .await
        .unwrap();
    let added = json!({ "form": { "name": "hub", "host": "registry.example" } });
    assert_eq!(running.call("registries.add", added).await.0, 200);
    let mut seen = String::new();
    while !seen.contains("registry_changed") {
        seen += std::str::from_utf8(&events.chunk().await.unwrap().unwrap()).unwrap();
    }
    assert!(seen.contains(r#""stale":["registries"]"#), "{seen}");
    running.stop().await;
}

#[tokio::test]
async fn t17_a_log_is_for_whoever_has_the_token_and_only_of_a_build_that_exists() {
    let running = Running::start().await;
    let address = format!("{}/logs/999", running.devhost.url());
    assert_eq!(running.client.get(&address).send().await.unwrap().status(), 401);
    let missing = running.client.get(&address).bearer_auth(running.devhost.token()).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.json::<Value>().await.unwrap()["code"], "not_found");
    running.stop().await;
}

#[tokio::test]
async fn every_command_is_listed_and_every_page_gets_the_console_under_its_policy() {
    let running = Running::start().await;
    let list = running.client.get(format!("{}/commands.json", running.devhost.url()));
    let list: Vec<Value> = list.bearer_auth(running.devhost.token()).send().await.unwrap().json().await.unwrap();
    assert_eq!(list.len(), slipway_api::COMMANDS.len());
    assert!(list.iter().all(|command| command["request"].is_string() && command["response"].is_string()));
    let page = running.client.get(format!("{}/repositories/7/builds", running.devhost.url())).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe-eval"), "{policy}");
    assert!(page.text().await.unwrap().contains("<title>console</title>"));
    running.stop().await;
}
