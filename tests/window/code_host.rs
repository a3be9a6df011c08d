//! GitHub by clicking in the real window: authorized in the system's browser, chosen from lists, pushed to, and told how the
//! build went beside the commit.

use crate::main_path::{WATCH_POLICY, add_repository};
use crate::stage::Stage;
use serde_json::{Value, json};
use slipway_testkit::{BaseImage, Engine, GitRepository, NodeProgram, eventually};
use std::time::Duration;

/// The application that the emulated GitHub knows.
const APPLICATION: [(&str, &str); 2] =
    [("client_id", "slipway-test"), ("client_secret", "slipway-test-secret_slipwayCanary7Qx")];
const TOLD_WITHIN: Duration = Duration::from_secs(60);

#[tokio::test]
async fn seed_0_2_2_3_2_4_3_5_3_9_github_is_authorized_inside_the_rule_dialog_and_a_push_there_is_built_and_told() {
    let engine = Engine::require().await;
    let base = BaseImage::busybox(&engine).await.reference().to_owned();
    let github = NodeProgram::start(&["github.mjs"]).await;
    let mut stage = Stage::set().await;
    let browser = stage.with_browser();
    let mark = format!("window-github-{}", std::process::id());
    let code = GitRepository::new().await;
    // The newest state alone is told: the build takes as long as the host needs to hear that it is under way.
    let dockerfile = format!("FROM {base}\nLABEL test.window={mark}\nADD ./ /page\nRUN sleep 15\n");
    code.write("Dockerfile", dockerfile);
    code.write("index.html", "hello\n").commit("first").await;
    let remote = format!("{}/acme/web.git", github.url.replace("http://", "http://ada:pasted@"));
    code.git(&["push", "--quiet", "--force", &remote, "main"]).await;

    let window = stage.open(&[]).await;
    window.see("h1", window.words("page.overview")).await;
    window.script(WATCH_POLICY, json!([])).await;
    // What a build of Slipway brings along, or a person registered.
    let mut application = json!({ "host": { "provider": "github", "base_url": github.url, "allow_plain_http": true } });
    for (name, value) in APPLICATION {
        application[name] = json!(value);
    }
    let saved = window
        .promise(&format!(
            "return window.__TAURI_INTERNALS__.invoke('rpc', {{ command: 'accounts.save_application', request: {application} }})"
        ))
        .await;
    assert!(saved["failed"].is_null(), "{saved}");

    add_repository(&window, &format!("{mark}/web")).await;
    window.press("rules.add").await;
    window.type_into("common.name", "pushes to GitHub").await;
    window.press("accounts.choose").await;
    window.press("accounts.authorize_source").await;
    window.choose("accounts.provider", window.words("accounts.product_github_enterprise")).await;
    window.type_into("accounts.base_url", &github.url).await;
    window.press("common.more").await;
    window.tick(window.words("accounts.plain_http")).await;
    window.tick(window.words("accounts.need_statuses")).await;
    window.press("accounts.authorize_browser").await;
    let end = agree_as_ada(&browser.was_asked_for(1).await).await;
    assert!(end.contains("go back to Slipway"), "{end}");

    // The window goes on by itself, with what was typed.
    window.choose("accounts.owner", "cme").await;
    window.tick("acme/web").await;
    assert_eq!(window.value_of("accounts.branch").await, "main");
    window.press("common.add").await;
    window.see("[role=dialog]", &format!("{mark}/web:main-")).await;
    assert_eq!(window.value_of("common.name").await, "pushes to GitHub");
    window.tick(window.words("rules.report_status")).await;
    window.press("common.save").await;
    window.dialog_gone().await;

    code.write("index.html", "hello again\n");
    let commit = code.commit("say hello").await;
    code.git(&["push", "--quiet", &remote, "main"]).await;
    window.click(async || window.in_row(&[&commit[..7]], "a", "#1").await).await;
    window.see_at_last("main", window.words("builds.state_succeeded")).await;
    window.see_at_last("main section", window.words("report.state_success")).await;
    let told = eventually("GitHub shows the result", TOLD_WITHIN, async || {
        let text = reqwest::get(format!("{}/test/statuses", github.url)).await.unwrap().text().await.unwrap();
        let all: Vec<Value> = serde_json::from_str(&text).unwrap();
        let states: Vec<String> = all
            .iter()
            .filter(|one| one["sha"] == commit)
            .map(|one| format!("{}: {}", one["state"].as_str().unwrap(), one["description"].as_str().unwrap()))
            .collect();
        if states.last().is_some_and(|last| last.starts_with("success: Build #1 ")) { Ok(states) } else { Err(states) }
    })
    .await;
    assert_eq!(told[0], "pending: Build #1 is under way");
    assert_eq!(window.script("return window.violations", json!([])).await, json!([]), "the policy stopped something");
    window.close().await;
    engine.remove_labelled(&format!("test.window={mark}")).await;
}

/// Does what ada does in the browser: reads GitHub's page, agrees as herself, and ends on Slipway's own. Returns its text.
async fn agree_as_ada(page: &str) -> String {
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let address = reqwest::Url::parse(page).unwrap();
    let shown = browser.get(address.clone()).send().await.unwrap().text().await.unwrap();
    let form = shown.split("<form").find(|form| form.contains("value=\"ada\"")).expect("ada may sign in");
    let fields: Vec<(String, String)> = form
        .split("<input")
        .skip(1)
        .map(|input| (attribute(input, "name"), attribute(input, "value").replace("&amp;", "&")))
        .collect();
    let target = address.join(&attribute(form, "action")).unwrap();
    let mut body = reqwest::Url::parse("http://form").unwrap();
    body.query_pairs_mut().extend_pairs(fields);
    let agreed = browser.post(target).header("content-type", "application/x-www-form-urlencoded");
    agreed.body(body.query().unwrap().to_owned()).send().await.unwrap().text().await.unwrap()
}

fn attribute(element: &str, name: &str) -> String {
    let value = element.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
    value.unwrap_or_else(|| panic!("no {name} in {element}")).to_owned()
}
