//! The bundled sample with the real program and engine: no account, no registry, no network.

use crate::house::DEADLINE;
use serde_json::{Value, json};
use slipway_flows::Product;
use slipway_testkit::{Engine, GitRepository, eventually};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

async fn over(product: &Product, build: &Value) -> Value {
    eventually("the sample's build ends", DEADLINE, async || {
        let build = product.must("builds.get", json!({ "id": build })).await;
        let waits = matches!(build["state"].as_str(), Some("queued" | "running" | "paused"));
        if waits { Err(build) } else { Ok(build) }
    })
    .await
}

/// Runs an image and returns its page.
async fn page(engine: &Engine, image: &Value) -> String {
    let id = image["id"].as_str().unwrap();
    let container = engine.docker_ok(&["run", "--detach", "--label", "slipway.test=sample", id]).await;
    let container = container.trim();
    let format = "{{.NetworkSettings.IPAddress}}";
    let address = engine.docker_ok(&["inspect", "--format", format, container]).await;
    let page = eventually("the sample serves its page", Duration::from_secs(20), async || {
        let request = async {
            let mut connection = tokio::net::TcpStream::connect(format!("{}:8080", address.trim())).await?;
            connection.write_all(b"GET / HTTP/1.1\r\nHost: sample\r\n\r\n").await?;
            let mut page = String::new();
            connection.read_to_string(&mut page).await?;
            Ok::<String, std::io::Error>(page)
        };
        request.await
    })
    .await;
    engine.docker_ok(&["rm", "--force", container]).await;
    page
}

/// Takes the names away that a build gave its image.
async fn clean_up(engine: &Engine, builds: &[Value]) {
    for build in builds {
        for publication in build["publications"].as_array().unwrap() {
            // Two builds share "latest": the second time it is gone already.
            engine.docker(&["rmi", publication["target"].as_str().unwrap()]).await;
        }
    }
}

#[tokio::test]
async fn the_sample_is_green_serves_its_page_and_follows_an_edit() {
    let engine = Engine::require().await;
    let product = Product::start_without_keychain().await;
    let empty = product.must("overview.checklist", json!({})).await;
    assert_eq!((&empty["engine"]["done"], &empty["sample"]["done"]), (&json!(true), &json!(false)), "{empty}");

    let sample = product.must("sample.build", json!({})).await;
    let first = over(&product, &sample["build"]).await;
    assert_eq!(first["state"], "succeeded", "{first}");
    assert!(page(&engine, &first["image"]).await.contains("<h1>hello world</h1>"));
    let green = product.must("overview.checklist", json!({})).await;
    assert_eq!((&green["sample"]["done"], &green["sample"]["build"]), (&json!(true), &sample["build"]), "{green}");
    assert_eq!((&green["repository"]["done"], &green["complete"]), (&json!(false), &json!(false)));

    let dockerfile = product.must("builds.dockerfile", json!({ "id": sample["build"] })).await;
    assert!(dockerfile["text"].as_str().unwrap().contains("FROM scratch\n"), "{dockerfile}");
    assert_eq!((&dockerfile["path"], &dockerfile["failing_lines"]), (&json!("Dockerfile"), &Value::Null));

    // A normal clone: an edit and a commit, without another click.
    let clone = GitRepository::at(sample["folder"].as_str().unwrap()).await;
    clone.write("index.html", "<h1>changed</h1>\n");
    clone.commit("another page").await;
    let known = [first["id"].as_i64().unwrap()];
    let second = product.finished_build(&sample["repository"], &known, DEADLINE).await;
    assert_eq!((&second["state"], &second["kind"]), (&json!("succeeded"), &json!("push")), "{second}");
    assert!(page(&engine, &second["image"]).await.ends_with("<h1>changed</h1>\n"));
    clean_up(&engine, &[first, second]).await;
}

#[tokio::test]
async fn f01_a_sample_that_was_killed_half_way_is_made_whole() {
    let engine = Engine::require().await;
    let mut product = Product::start_without_keychain().await;
    let sample = product.must("sample.build", json!({})).await;
    product.kill_and_start_again().await;
    let again = product.must("sample.build", json!({})).await;
    assert_eq!(again["rule"], sample["rule"]);
    let first = over(&product, &sample["build"]).await;
    let build = over(&product, &again["build"]).await;
    assert_eq!((&first["state"], &build["state"]), (&json!("succeeded"), &json!("succeeded")), "{build}");
    let listed = product.must("image_repositories.list", json!({})).await;
    assert_eq!(listed["total"], 1, "{listed}");
    clean_up(&engine, &[first, build]).await;
}
