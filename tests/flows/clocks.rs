//! The wall clock jumps and the machine sleeps under the real program.

use crate::house::{DEADLINE, House};
use serde_json::json;
use slipway_flows::Product;
use slipway_testkit::{GitServer, JumpingClock, SecretService, eventually};

const HOUR: i64 = 3600;

#[tokio::test]
async fn f21_f22_after_sleep_it_looks_at_once_and_a_clock_that_jumps_loses_and_stalls_nothing() {
    let clock = JumpingClock::new();
    let product = Product::start_beside(SecretService::start().await, clock.environment()).await;
    let house = House::open_with(product).await;
    // Whatever is found is found because of the clock: nobody asks, and no file event tells.
    house.product.must("settings.save", json!({ "concurrency": 2, "poll_seconds": 3600 })).await;
    let server = GitServer::start(None, None).await;
    let code = house.code("COPY index.html /\n").await;
    let url = server.publish("team/app.git", &code).await;
    let form = json!({ "name": "server", "location": { "kind": "git_url", "url": url, "allow_plain_http": true } });
    let code_id = house.product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
    house.look(&code_id).await;
    let repository = house.repository("team/app").await;
    house.rule(&repository, &code_id, json!({ "overwrite_tag": "latest" })).await;

    // The machine sleeps: its clock is ahead when it goes on.
    let mut commits = Vec::new();
    house.product.freeze();
    clock.set(2 * HOUR);
    code.write("index.html", "while it slept\n");
    commits.push(code.commit("while it slept").await);
    code.push("main").await;
    house.product.resume();
    eventually("the push is found without a question", DEADLINE, async || {
        let builds = house.builds(&repository).await;
        if builds.len() == 1 { Ok(()) } else { Err(builds) }
    })
    .await;
    // Years ahead, right again, and before that: what was written lies years ahead then.
    for (name, offset) in [("years", 10 * 365 * 24 * HOUR), ("right", 0), ("yesterday", -24 * HOUR)] {
        clock.set(offset);
        code.write("index.html", format!("{name}\n"));
        commits.push(code.commit(name).await);
        code.push("main").await;
        house.look(&code_id).await;
        house.all_over(&repository).await;
    }
    let builds = house.all_over(&repository).await;
    let built: Vec<&str> = builds.iter().filter_map(|build| build["commit"]["id"].as_str()).collect();
    assert_eq!(built, commits, "each push has one build, in the order of the pushes");
    for (build, number) in builds.iter().zip(1..) {
        assert_eq!((&build["state"], &build["number"]), (&json!("succeeded"), &json!(number)), "{build}");
    }
    let last = house.get(&builds[builds.len() - 1]["id"]).await;
    let latest = house.registry.digest("team/app", "latest").await;
    assert_eq!(latest.as_deref(), last["publications"][0]["digest"].as_str(), "the newest push holds the tag");
    assert_eq!(house.product.must("builds.queue", json!({})).await, json!([]), "nothing is stuck");
    house.close().await;
}
