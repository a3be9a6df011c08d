//! Uploads in the real window. The Dockerfile goes through the element that takes files, as the dialog of the system gives
//! one to it; what the system's own dialogs would answer for an archive (a path of this machine) is typed, as a person may.

use crate::driver::Session;
use crate::main_path::{WATCH_POLICY, add_repository};
use crate::stage::Stage;
use serde_json::json;
use slipway_testkit::{BaseImage, Engine, TempDataDir};

#[tokio::test]
async fn seed_0_10_4_1_a_dockerfile_with_its_context_and_an_image_are_uploaded_in_the_real_window() {
    let engine = Engine::require().await;
    let base = BaseImage::busybox(&engine).await.reference().to_owned();
    let mut stage = Stage::set().await;
    let mark = format!("window-upload-{}", std::process::id());
    let files = TempDataDir::new();
    let dockerfile = files.path().join("Dockerfile");
    let text =
        format!("FROM {base}\nLABEL test.window={mark}\nCOPY page.html /page.html\nRUN : {mark} && cat /page.html\n");
    std::fs::write(&dockerfile, text).unwrap();
    std::fs::write(files.path().join("page.html"), "from an archive\n").unwrap();
    let context = files.path().join("context.tar");
    let mut archive = tar::Builder::new(std::fs::File::create(&context).unwrap());
    archive.append_path_with_name(files.path().join("page.html"), "page.html").unwrap();
    archive.finish().unwrap();

    let window = stage.open(&[]).await;
    window.see("h1", window.words("page.overview")).await;
    window.script(WATCH_POLICY, json!([])).await;
    add_repository(&window, &format!("{mark}/hello")).await;

    other_way(&window, "builds.dockerfile_title").await;
    window.choose_file(&dockerfile).await;
    window.see("[role=dialog] .code-keyword", "COPY").await;
    window.type_into("builds.now_fixed", "v1").await;
    window.type_into("builds.dockerfile_folder", context.to_str().unwrap()).await;
    window.press("builds.now_start").await;
    window.dialog_gone().await;
    window.see_at_last("main", window.words("builds.state_succeeded")).await;
    window.see("[role=log]", "from an archive").await;

    // An image that was saved elsewhere.
    let image = files.path().join("image.tar");
    let name = format!("{mark}/hello:v1");
    engine.docker_ok(&["save", "--output", image.to_str().unwrap(), &name]).await;
    window.visit("page.repositories").await;
    window.click(async || window.see("tr a", &format!("{mark}/hello")).await).await;
    window.click(async || window.named("[role=tab]", "repositories.tab_build").await).await;
    other_way(&window, "builds.upload_title").await;
    window.click(async || window.named("[role=dialog] label", "builds.upload_archive").await).await;
    window.type_into("builds.upload_path", image.to_str().unwrap()).await;
    window.see("[role=dialog]", &name).await;
    window.type_into("builds.now_fixed", "v2").await;
    window.press("builds.upload_start").await;
    window.dialog_gone().await;
    window.see_at_last("main", window.words("builds.state_succeeded")).await;
    let same = engine.image_id(&format!("{mark}/hello:v2")).await;
    assert_eq!(same, engine.image_id(&name).await, "the image came as it was");
    assert!(same.is_some());

    assert_eq!(
        window.script("return window.violations", json!([])).await,
        json!([]),
        "the policy stopped something of ours"
    );
    window.close().await;
    engine.remove_labelled(&format!("test.window={mark}")).await;
}

async fn other_way(window: &Session, key: &str) {
    window.press("builds.other_ways").await;
    window.click(async || window.named("[role=menuitem]", key).await).await;
    window.see("[role=dialog]", window.words(key)).await;
}
