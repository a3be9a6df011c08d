//! The window in its desktop: a second start, closing into the tray, quitting, notifications that lead to a page.

use crate::stage::Stage;
use serde_json::json;
use slipway_testkit::{BaseImage, Engine, GitRepository, OwnedProcess};
use std::time::Duration;

async fn ends_well(process: &mut OwnedProcess, what: &str) {
    let ended = tokio::time::timeout(Duration::from_secs(30), process.child().wait()).await;
    let status = ended.unwrap_or_else(|_| panic!("{what}: still runs")).unwrap();
    assert!(status.success(), "{what}: {status}");
}

#[tokio::test]
async fn closing_leaves_it_in_the_tray_a_second_start_shows_it_and_the_tray_ends_it() {
    let stage = Stage::set().await;
    let desktop = stage.with_desktop().await;
    let mut first = stage.start(&[]);
    stage.display.window_is_shown(true).await;
    desktop.tray_says("Open Slipway").await;

    stage.display.close_window();
    stage.display.window_is_shown(false).await;
    let told = desktop.told("Slipway keeps watching").await;
    assert!(told.text.contains("tray"), "{told:?}");

    ends_well(&mut stage.start(&[]), "the second start").await;
    stage.display.window_is_shown(true).await;

    // It is said once.
    stage.display.close_window();
    stage.display.window_is_shown(false).await;
    desktop.choose("Open Slipway").await;
    stage.display.window_is_shown(true).await;
    assert_eq!(desktop.told_so_far(), 1);

    // The first still runs: it is the tray's menu that ends it.
    assert!(first.child().try_wait().unwrap().is_none());
    desktop.choose("Quit").await;
    ends_well(&mut first, "quitting by the tray").await;
    stage.ended().await;
}

#[tokio::test]
async fn without_a_tray_closing_quits_and_the_window_comes_back_as_it_was() {
    let stage = Stage::set().await;
    let mut first = stage.start(&["--hidden"]);
    // Nobody could get a hidden window back here.
    stage.display.window_is_shown(true).await;
    let mut unchanged = 0;
    slipway_testkit::eventually("the window keeps its new size", Duration::from_secs(30), async || {
        let size = stage.display.window_size();
        if size == Some((1100, 700)) {
            unchanged += 1;
        } else {
            // The toolkit's own first size may still come after ours.
            unchanged = 0;
            stage.display.resize_window(1100, 700);
        }
        if unchanged == 25 { Ok(()) } else { Err(size) }
    })
    .await;
    stage.display.close_window();
    ends_well(&mut first, "closing without a tray").await;
    stage.ended().await;

    let mut second = stage.start(&[]);
    stage.display.window_is_shown(true).await;
    slipway_testkit::eventually("the window has its old size", Duration::from_secs(10), async || {
        let size = stage.display.window_size();
        if size == Some((1100, 700)) { Ok(()) } else { Err(size) }
    })
    .await;
    stage.display.close_window();
    ends_well(&mut second, "closing again").await;
}

#[tokio::test]
async fn settings_decide_about_closing_and_about_starting_at_login() {
    let mut stage = Stage::set().await;
    let desktop = stage.with_desktop().await;
    let window = stage.open(&[]).await;
    window.see("h1", window.words("page.overview")).await;
    desktop.tray_says("Open Slipway").await;
    let entry = stage.home().join(".config/autostart/Slipway.desktop");
    assert!(!entry.exists(), "starting at login is off by default");

    let save = |at_login: bool| {
        format!(
            "return window.__TAURI_INTERNALS__.invoke('rpc', {{ command: 'settings.save', request: {{ concurrency: 2, \
             poll_seconds: 30, close_to_tray: false, start_at_login: {at_login} }} }})"
        )
    };
    assert!(window.promise(&save(true)).await["failed"].is_null());
    slipway_testkit::eventually("the desktop starts it at login", Duration::from_secs(10), async || {
        let text = std::fs::read_to_string(&entry).map_err(|error| error.to_string())?;
        if text.contains("--hidden") { Ok(()) } else { Err(text) }
    })
    .await;
    assert!(window.promise(&save(false)).await["failed"].is_null());
    slipway_testkit::eventually("the desktop does not start it any more", Duration::from_secs(10), async || {
        if entry.exists() { Err("the entry is there") } else { Ok(()) }
    })
    .await;

    // The tray is there, but closing was set to quit.
    stage.display.close_window();
    stage.ended().await;
}

#[tokio::test]
async fn a_failed_build_is_told_by_a_notification_that_leads_to_its_page() {
    let engine = Engine::require().await;
    let base = BaseImage::busybox(&engine).await.reference().to_owned();
    let mut stage = Stage::set().await;
    let desktop = stage.with_desktop().await;
    let code = GitRepository::new().await;
    code.write("Dockerfile", format!("FROM {base}\nRUN echo no good; exit 3\n"));
    code.commit("broken").await;

    let window = stage.open(&[]).await;
    window.see("h1", window.words("page.overview")).await;
    let start = format!(
        "const call = (command, request) => window.__TAURI_INTERNALS__.invoke('rpc', {{ command, request }});
         const location = {{ kind: 'local_clone', path: '{}' }};
         const code = await call('code_repositories.add', {{ form: {{ name: 'broken', location }} }});
         const spec = {{ registry: 1, name: 'window-test/broken', source: 'platform' }};
         const repository = await call('image_repositories.add', {{ spec }});
         const version = {{ kind: 'templates', templates: ['{{branch}}'] }};
         const rule = await call('rules.add', {{ repository: repository.id, spec: {{ name: 'main', code: code.id, triggers: {{ any_branch: true }}, version }} }});
         const target = {{ kind: 'ref', name: 'refs/heads/main' }};
         return (await call('builds.start', {{ rule: rule.id, target }})).id;",
        code.path().display()
    );
    let started = window.promise(&start).await;
    let build = started["ok"].as_i64().unwrap_or_else(|| panic!("{started}"));

    let told = desktop.told("Build failed").await;
    assert!(told.title.contains("window-test/broken #1") && told.text.contains("main"), "{told:?}");
    desktop.tray_says("1 unread failure").await;
    stage.display.close_window();
    stage.display.window_is_shown(false).await;
    desktop.click(&told).await;
    stage.display.window_is_shown(true).await;
    window.see("h1", "#1").await;
    assert!(window.address().await.starts_with(&format!("/builds/{build}")));
    assert!(window.script("return document.title", json!([])).await.is_string());
    window.close().await;
}
