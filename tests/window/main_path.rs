//! The main path by clicking in the real window: code, image repository, rule, push, live log, result.

use crate::driver::Session;
use crate::stage::Stage;
use serde_json::json;
use slipway_testkit::{BaseImage, Engine, GitRepository, eventually};
use std::time::Duration;

/// Longer than the build takes on a busy machine.
const BUILT_WITHIN: Duration = Duration::from_secs(180);

#[tokio::test]
async fn seed_0_1_0_6_0_7_2_2_3_6_3_7_3_17_3_22_a_push_becomes_an_image_by_clicking_in_the_real_window() {
    let engine = Engine::require().await;
    let base = BaseImage::busybox(&engine).await.reference().to_owned();
    let mut stage = Stage::set().await;
    let desktop = stage.with_desktop().await;
    let mark = format!("window-{}", std::process::id());
    let code = GitRepository::new().await;
    // The build talks until the test has heard it: what is on the screen by then came while it ran.
    let dockerfile = format!(
        "FROM {base}\nLABEL test.window={mark}\nADD ./ /page\nRUN for i in $(seq 100); do echo building line $i; sleep 0.5; done\n"
    );
    code.write("Dockerfile", dockerfile).write("index.html", "hello\n");
    code.commit("first").await;

    let window = stage.open(&[]).await;
    window.see("h1", window.words("page.overview")).await;
    stage.display.window_is_shown(true).await;
    window.script(WATCH_POLICY, json!([])).await;

    add_code(&window, &code).await;
    add_repository(&window, &format!("{mark}/hello")).await;
    add_rule(&window).await;

    code.write("index.html", "hello again\n");
    let commit = code.commit("say hello").await;
    window.see("tr", &commit[..7]).await;
    window.click(async || window.see("tr a", "#1").await).await;
    let log = window.see("[role=log]", "building line 1").await;
    assert!(!format!("{log:?}").is_empty());
    let heading = window.script("return document.querySelector('h1').parentElement.textContent", json!([])).await;
    assert!(heading.as_str().unwrap().contains(window.words("builds.state_running")), "the log was live: {heading}");
    desktop.tray_says("1 build is running").await;
    eventually("the machine is kept awake", Duration::from_secs(10), async || {
        let held = desktop.held_locks();
        if held == ["idle"] { Ok(()) } else { Err(held) }
    })
    .await;

    eventually("the build succeeds", BUILT_WITHIN, async || {
        let heading = window.script("return document.querySelector('h1').parentElement.textContent", json!([])).await;
        let succeeded = heading.as_str().unwrap_or_default().contains(window.words("builds.state_succeeded"));
        if succeeded { Ok(()) } else { Err(heading) }
    })
    .await;
    window.see("[role=log]", "building line 100").await;
    desktop.tray_says("No build is running").await;
    eventually("the machine may sleep again", Duration::from_secs(10), async || {
        let held = desktop.held_locks();
        if held.is_empty() { Ok(()) } else { Err(held) }
    })
    .await;
    window.click(async || window.named("[role=tab]", "builds.tab_result").await).await;
    window.see("main", &format!("{mark}/hello:")).await;
    let built = engine.docker_ok(&["image", "ls", "--quiet", "--filter", &format!("label=test.window={mark}")]).await;
    assert!(!built.trim().is_empty(), "the engine has the image");
    assert_eq!(
        window.script("return window.violations", json!([])).await,
        json!([]),
        "the policy stopped something of ours"
    );

    // Chinese at once, and the tray follows.
    window.press("shell.language").await;
    window.click(async || window.see("[role=menuitem], [role=menuitemradio]", "中文").await).await;
    desktop.tray_says("没有正在运行的构建").await;

    window.close().await;
    engine.remove_labelled(&format!("test.window={mark}")).await;
}

/// Collects what the content policy stops.
pub(crate) const WATCH_POLICY: &str = "window.violations = []; addEventListener('securitypolicyviolation', (event) => window.violations.push(event.violatedDirective + ' ' + event.blockedURI))";

pub(crate) async fn add_code(window: &Session, code: &GitRepository) {
    window.visit("page.sources").await;
    window.press("sources.add").await;
    window.type_into("sources.path", code.path().to_str().unwrap()).await;
    window.press("common.test").await;
    window.see("[role=dialog] [role=alert]", "main").await;
    window.press("common.add").await;
    window.dialog_gone().await;
}

pub(crate) async fn add_repository(window: &Session, name: &str) {
    window.visit("page.repositories").await;
    window.press("repositories.add").await;
    window.type_into("common.name", name).await;
    window.press("common.add").await;
    // The console goes on to the new repository's image build tab by itself.
    window.dialog_gone().await;
    window.see("[role=tab][aria-selected=true]", window.words("repositories.tab_build")).await;
}

async fn add_rule(window: &Session) {
    window.press("rules.add").await;
    // The dialog has read the code and says what it would build.
    window.see("[role=dialog]", "hello:main-").await;
    window.press("common.save").await;
    window.dialog_gone().await;
}
