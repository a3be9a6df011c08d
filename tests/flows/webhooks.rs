//! Webhooks through the whole product: switched on, registered at the host, called by it, and gone from it when switched off.

use crate::code_host::Connected;
use crate::house::{DEADLINE, assert_code};
use serde_json::{Value, json};
use slipway_testkit::{Canary, CanaryScan, eventually};

async fn only_webhook(at: &Connected) -> Value {
    let all = at.house.product.must("webhooks.list", json!({})).await;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    all[0].clone()
}

/// Calls the host's API about the repository's hooks as somebody who may do everything there.
async fn at_host(at: &Connected, method: &str, path: &str) -> Value {
    let url = format!("{}/api/v3/repos/acme/web/hooks{path}", at.github.url);
    let request = reqwest::Client::new().request(method.parse().unwrap(), url);
    let text = request.header("authorization", "Bearer pasted").send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Lets the host say how many seconds its list is good for.
async fn at_rest(at: &Connected, seconds: u32) {
    let client = reqwest::Client::new();
    let answer = client.post(format!("{}/test/rest", at.github.url)).json(&json!({ "seconds": seconds })).send().await;
    assert!(answer.unwrap().status().is_success());
}

async fn list_looks(at: &Connected) -> usize {
    at.ask("seen").await.iter().filter(|one| one["what"] == "list").count()
}

#[tokio::test]
async fn seed_0_5_and_t18_a_webhook_brings_a_push_at_once_and_is_gone_when_it_is_switched_off() {
    let at = Connected::open().await;
    let product = &at.house.product;
    let code = json!({ "code": at.code_id });

    // Nothing listens until somebody wants it.
    let listener = product.must("webhooks.listener", json!({})).await;
    assert_eq!((&listener["enabled"], &listener["state"]["kind"]), (&json!(false), &json!("off")), "{listener}");
    let off = product.call("webhooks.switch_on", code.clone()).await.unwrap_err();
    assert_code(&off, "wrong_state");
    let form = json!({ "enabled": true, "address": "127.0.0.1:0" });
    product.must("webhooks.save_listener", form).await;
    let listener = product.must("webhooks.listener", json!({})).await;
    let reached_at = listener["reached_at"].as_str().unwrap_or_else(|| panic!("{listener}")).to_owned();

    product.must("webhooks.switch_on", code.clone()).await;
    let webhook = only_webhook(&at).await;
    assert_eq!(webhook["state"]["kind"], "registered", "{webhook}");
    let there = at_host(&at, "GET", "").await;
    assert_eq!(there.as_array().unwrap().len(), 1, "{there}");
    let url = there[0]["config"]["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&format!("{reached_at}/hooks/")), "{url}");
    // The host tries it at once; the emulator signs what it sends.
    let hook = format!("/{}", there[0]["id"]);
    let sent = at_host(&at, "GET", &format!("{hook}/deliveries")).await;
    assert_eq!((&sent[0]["event"], &sent[0]["status_code"]), (&json!("ping"), &json!(202)), "{sent}");
    assert_eq!(only_webhook(&at).await["delivered"], 1);

    // Right after the account was asked nothing else looks for a while: as long as its host says.
    at_rest(&at, 600).await;
    let looks = list_looks(&at).await;
    eventually("the account is asked what moved", DEADLINE, async || {
        let now = list_looks(&at).await;
        if now > looks { Ok(()) } else { Err(now) }
    })
    .await;
    let looks = list_looks(&at).await;
    let commit = at.push("index.html", "told by a webhook\n").await;
    let build = eventually("the push has its build", DEADLINE, async || {
        let builds = at.house.builds(&at.repository).await;
        builds.last().cloned().ok_or_else(|| json!(builds))
    })
    .await;
    assert_eq!((&build["commit"]["id"], &build["kind"]), (&json!(commit), &json!("push")), "{build}");
    assert_eq!(list_looks(&at).await, looks, "the account was not asked: the webhook woke the watcher");
    let build = at.house.over(&build["id"]).await;
    assert_eq!(build["state"], "succeeded", "{build}");

    // It says that something moved, signed, and nothing did: the remote decides. Played again it is not even looked at.
    let taken = only_webhook(&at).await["delivered"].as_u64().unwrap();
    for (delivered, refused) in [(taken + 1, 0), (taken + 1, 1)] {
        at_host(&at, "POST", &format!("{hook}/tests")).await;
        let webhook = only_webhook(&at).await;
        assert_eq!((&webhook["delivered"], &webhook["refused"]), (&json!(delivered), &json!(refused)), "{webhook}");
    }
    assert_eq!(only_webhook(&at).await["last_refusal"], "replayed");
    let forged = async |host: Option<&str>| {
        let signature = format!("sha256={}", "0".repeat(64));
        let mut request = reqwest::Client::new().post(&url).header("x-hub-signature-256", signature);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let push = json!({ "ref": "refs/heads/main", "after": "0".repeat(40) });
        request.json(&push).send().await.unwrap().status().as_u16()
    };
    assert_eq!(forged(None).await, 401);
    let webhook = only_webhook(&at).await;
    assert_eq!((&webhook["refused"], &webhook["last_refusal"]), (&json!(2), &json!("wrong_signature")), "{webhook}");
    assert_eq!(forged(Some("evil.example")).await, 403);
    at.house.look(&at.code_id).await;
    assert_eq!(at.house.builds(&at.repository).await.len(), 1);

    let id = webhook["id"].clone();
    let secret = at.ask("hook-secrets").await.pop().unwrap();
    let scan = CanaryScan::new(&Canary::of(secret.as_str().unwrap()));
    assert_eq!(scan.folder(product.data_dir()), [], "what deliveries are signed with is sealed");
    product.must("webhooks.switch_off", code).await;
    assert_eq!(at_host(&at, "GET", "").await, json!([]));
    assert_eq!(product.must("webhooks.list", json!({})).await, json!([]));
    assert_eq!(forged(None).await, 404, "its path is nobody's");
    assert_code(&product.call("webhooks.check", json!({ "id": id })).await.unwrap_err(), "not_found");
    at.house.close().await;
}
