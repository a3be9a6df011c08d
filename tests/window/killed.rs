//! The real application is killed at five points of a push; the next run of the program ends what it began.

use crate::stage::Stage;
use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::{BaseImage, Engine, GitRepository, eventually};
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn f01_killed_with_its_window_open_every_push_is_built_all_the_same() {
    let engine = Engine::require().await;
    let base = BaseImage::busybox(&engine).await.reference().to_owned();
    let stage = Stage::set().await;
    let mark = format!("killed-{}", std::process::id());
    let code = GitRepository::new().await;
    code.write("Dockerfile", format!("FROM {base}\nLABEL test.window={mark}\nCOPY index.html /\n"));
    code.write("index.html", "first\n").commit("first").await;
    let mut product = Product::start().await;
    let registries = product.must("registries.list", json!({})).await;
    let repository =
        walkthrough::add_repository(&product, &registries[0]["id"], &Value::Null, &format!("team/{mark}")).await;
    let code_id = walkthrough::add_clone(&product, "code", &code).await;
    walkthrough::add_rule(&product, &repository, &code_id, "main").await;
    let points = ["look.recorded", "solve.begun", "image.kept", "push.started", "build.ended"];
    for (nth, point) in points.into_iter().enumerate() {
        product.kill().await;
        let mut window = stage.start_to_die(product.data_dir(), point);
        code.write("index.html", format!("{point}\n"));
        let commit = code.commit(point).await;
        let ended = tokio::time::timeout(DEADLINE, window.child().wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{point} was not reached")).unwrap();
        assert_eq!(ended.signal(), Some(9), "{point}: {ended}");
        product.kill_and_start_again().await;
        let builds = eventually(&format!("what {point} broke off ends"), DEADLINE, async || {
            let page = product.must("builds.list", json!({ "repository": repository })).await;
            let over = page["items"].as_array().unwrap().iter().all(|build| build["state"] == "succeeded");
            if over && page["total"] == nth + 1 { Ok(page) } else { Err(page) }
        })
        .await;
        assert_eq!(builds["items"][0]["commit"]["id"], commit, "{point}: {builds}");
        assert_eq!(builds["items"][0]["number"], nth + 1, "one build for each push");
    }
    let private = ["image", "ls", "--filter", &format!("label=test.window={mark}"), "--format", "{{.Repository}}"];
    eventually("no private name is left", DEADLINE, async || {
        let names = engine.docker_ok(&private).await;
        if names.contains("slipway.local/build") { Err(names) } else { Ok(()) }
    })
    .await;
    engine.remove_labelled(&format!("test.window={mark}")).await;
}
