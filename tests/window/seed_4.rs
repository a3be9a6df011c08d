//! The second half of the promise by clicking only, in the real window and from an empty database: an image runs, its
//! address opens, a trigger updates it when code is pushed, and it goes back and on again.

use crate::driver::Session;
use crate::main_path::{WATCH_POLICY, add_code, add_repository};
use crate::stage::Stage;
use serde_json::json;
use slipway_flows::walkthrough;
use slipway_testkit::{BaseImage, Engine, GitRepository};

#[tokio::test]
async fn seed_4_2_4_3_4_6_4_9_4_10_4_11_4_13_4_14_4_15_a_push_changes_the_page_that_is_served_and_back() {
    let engine = Engine::require().await;
    let base = BaseImage::busybox(&engine).await.reference().to_owned();
    let mut stage = Stage::set().await;
    let desktop = stage.with_desktop().await;
    let browser = stage.with_browser();
    let mark = format!("window-seed4-{}", std::process::id());
    let code = GitRepository::new().await;
    let dockerfile = walkthrough::page_dockerfile(&base);
    code.write("Dockerfile", format!("{dockerfile}LABEL test.window={mark}\n")).write("index.html", "hello world\n");
    let first = code.commit("hello world").await;

    let window = stage.open(&[]).await;
    window.see("h1", window.words("page.overview")).await;
    window.picture("overview").await;
    window.script(WATCH_POLICY, json!([])).await;

    // Code, image repository, rule, and its first build.
    add_code(&window, &code).await;
    add_repository(&window, &format!("{mark}/helloworld")).await;
    window.press("rules.add").await;
    window.see("[role=dialog]", "helloworld:main-").await;
    window.picture("rule").await;
    window.press("rules.save_and_build").await;
    window.dialog_gone().await;
    window.see_at_last("main", window.words("builds.state_succeeded")).await;
    window.picture("build").await;

    // No service yet: the image becomes one, and the desktop opens its address.
    window.click(async || window.named("[role=tab]", "builds.tab_result").await).await;
    window.click(async || window.named("main a", "run.title").await).await;
    window.see("[role=dialog]", window.words("run.title")).await;
    window.picture("run_image").await;
    assert_eq!(window.value_of("run.port_inside").await, "80", "the image says which port it serves");
    window.type_over("common.name", &mark).await;
    window.press("run.start").await;
    let runs = window.words_with("run.runs", "name", &mark);
    window.see_at_last("[role=dialog]", &runs).await;
    window.picture("running").await;
    window.click(async || window.see("[role=dialog] button", "localhost:").await).await;
    let address = browser.was_asked_for(1).await;
    walkthrough::shows(&address, "hello world").await;

    // A trigger for it: what it updates is chosen already, on every tag.
    window.click(async || window.named("a", "run.make_trigger").await).await;
    window.see("[role=dialog] section", &format!("{mark}/helloworld:main-")).await;
    window.picture("trigger").await;
    assert_eq!(window.value_of("image_triggers.service").await, mark);
    window.type_into("image_triggers.name", "page").await;
    window.press("common.save").await;
    window.dialog_gone().await;
    window.in_row(&["page"], "td", window.words("image_triggers.words_all")).await;

    // A push. Nobody clicks: the record succeeds, and the same address serves another page.
    code.write("index.html", "hello again\n");
    let second = code.commit("say hello again").await;
    let succeeded = window.words("firings.state_succeeded");
    window.in_row(&[&second[..7], succeeded], "button", &second[..7]).await;
    walkthrough::shows(&address, "hello again").await;
    window.click(async || window.in_row(&[&second[..7], succeeded], "button", &second[..7]).await).await;
    window.see("[role=dialog]", window.words("deploy.step_start_new")).await;
    window.picture("update").await;
    window.see("[role=dialog]", window.words("firings.gap")).await;
    window.escape().await;

    // The target: its address opens, and what it ran before comes back.
    window.visit("page.targets").await;
    window.click(async || window.in_row(&[&mark], "button", "localhost:").await).await;
    assert_eq!(browser.was_asked_for(2).await, address);
    window.click(async || window.in_row(&[&mark], "td button", &mark).await).await;
    let back = window.words_with("targets.roll_back_to", "version", &format!("main-{}", &first[..7]));
    window.click(async || window.see("[role=dialog] button", &back).await).await;
    window.see("[role=dialog]", &window.words_with("targets.roll_back_pauses", "names", "page")).await;
    window.picture("roll_back").await;
    window.press("targets.roll_back").await;
    window.see_at_last("[role=dialog]", succeeded).await;
    window.picture("rolled_back").await;
    walkthrough::shows(&address, "hello world").await;
    window.escape().await;

    // Pinned: the next push is left out until one click goes on with it.
    open_triggers(&window, &mark).await;
    let resume = window.words_with("targets.resume_name", "name", &mark);
    window.see("button", &resume).await;
    window.picture("pinned").await;
    code.write("index.html", "hello once more\n");
    let third = code.commit("once more").await;
    window.in_row(&[&third[..7], window.words("firings.state_skipped")], "button", &third[..7]).await;
    walkthrough::shows(&address, "hello world").await;
    window.click(async || window.see("button", &resume).await).await;
    walkthrough::shows(&address, "hello once more").await;

    // An image that ends at once: the page goes on, the desktop says so, and its notification leads to the record.
    assert_eq!(desktop.told_so_far(), 0, "nothing went wrong until now, so nothing was told");
    code.write("Dockerfile", format!("{dockerfile}LABEL test.window={mark}\nCMD [\"false\"]\n"));
    let broken = code.commit("ends at once").await;
    let told = desktop.told("Update failed").await;
    assert!(told.title.contains(&mark) && told.text.contains(&broken[..7]), "{told:?}");
    desktop.click(&told).await;
    window.see("[role=dialog]", window.words("firings.state_failed")).await;
    assert!(window.address().await.starts_with("/targets?dialog=record"));
    walkthrough::shows(&address, "hello once more").await;

    assert_eq!(
        window.script("return window.violations", json!([])).await,
        json!([]),
        "the policy stopped something of ours"
    );
    window.close().await;
    remove(&engine, &mark).await;
}

async fn open_triggers(window: &Session, mark: &str) {
    window.visit("page.repositories").await;
    window.click(async || window.see("tr a", &format!("{mark}/helloworld")).await).await;
    window.click(async || window.named("[role=tab]", "repositories.tab_triggers").await).await;
}

/// Removes the service with what is kept beside it, and the images; nothing else.
async fn remove(engine: &Engine, mark: &str) {
    let filter = format!("name=^/{mark}");
    let all = engine.docker_ok(&["ps", "--all", "--quiet", "--filter", &filter]).await;
    let names: Vec<&str> = all.split_whitespace().collect();
    if !names.is_empty() {
        engine.docker(&[&["rm", "--force", "--volumes"], names.as_slice()].concat()).await;
    }
    engine.remove_labelled(&format!("test.window={mark}")).await;
}
