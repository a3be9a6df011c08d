//! The walk-through of the seeds: `helloworld` from code to image, from the image to the page that is served.

use crate::Product;
use serde_json::{Value, json};
use slipway_testkit::{GitRepository, RegistryServer, eventually};
use std::time::Duration;

/// The Dockerfile of the seeds, on a base image that the engine holds.
#[must_use]
pub fn helloworld_dockerfile(base: &str) -> String {
    format!("FROM {base}\nMAINTAINER tencentcloudccs\nADD ./ /usr/share/nginx/html\n")
}

/// Makes the code of `helloworld`: a Dockerfile and a page.
pub async fn helloworld_code(base: &str) -> GitRepository {
    let repository = GitRepository::new().await;
    repository.write("Dockerfile", helloworld_dockerfile(base)).write("index.html", "hello world\n");
    repository.commit("hello world").await;
    repository
}

/// Adds a registry with its login and returns `(registry id, credential id)`.
pub async fn add_registry(product: &Product, name: &str, registry: &RegistryServer) -> (Value, Value) {
    let added = product
        .must("registries.add", json!({ "form": { "name": name, "host": registry.host(), "plain_http": true } }))
        .await;
    let form = registry.login().map_or_else(
        || json!({ "kind": "anonymous" }),
        |login| json!({ "kind": "password", "username": login.user, "password": login.password }),
    );
    let credential = product
        .must("registries.add_credential", json!({ "registry": added["id"], "name": "main", "form": form }))
        .await;
    (added["id"].clone(), credential["id"].clone())
}

/// Adds an image repository that the platform builds.
pub async fn add_repository(product: &Product, registry: &Value, credential: &Value, name: &str) -> Value {
    let spec = json!({ "registry": registry, "credential": credential, "name": name, "source": "platform" });
    product.must("image_repositories.add", json!({ "spec": spec })).await["id"].clone()
}

/// Adds a local clone as code.
pub async fn add_clone(product: &Product, name: &str, code: &GitRepository) -> Value {
    let form = json!({ "name": name, "location": { "kind": "local_clone", "path": code.path() } });
    let added = product.must("code_repositories.add", json!({ "form": form })).await;
    product.must("code_repositories.check", json!({ "id": added["id"] })).await;
    added["id"].clone()
}

/// Adds the rule of the seeds: push to any branch, `branch-commit` and `latest`.
pub async fn add_rule(product: &Product, repository: &Value, code: &Value, name: &str) -> Value {
    let spec = json!({
        "name": name,
        "code": code,
        "triggers": { "any_branch": true },
        "version": { "kind": "templates", "templates": ["{branch}-{short_sha}"] },
        "overwrite_tag": "latest",
    });
    product.must("rules.add", json!({ "repository": repository, "spec": spec })).await["id"].clone()
}

/// A Dockerfile whose image serves the page of the code on port 80, on busybox.
#[must_use]
pub fn page_dockerfile(base: &str) -> String {
    format!("FROM {base}\n{PAGE_INSTRUCTIONS}")
}

/// What stands below FROM in such a Dockerfile. A server that is process 1 does not hear SIGTERM: engines would wait for ten
/// seconds before they kill it.
pub const PAGE_INSTRUCTIONS: &str = "ADD index.html /www/index.html\nEXPOSE 80\nSTOPSIGNAL SIGKILL\nCMD [\"sh\", \"-c\", \"exec httpd -f -p 80 -h /www\"]\n";

/// Something that runs, and where its page is.
#[derive(Debug, Clone)]
pub struct Site {
    /// As the api names it.
    pub target: Value,
    /// Where a browser of this machine finds it.
    pub url: String,
}

/// How long until an update is over, whatever happens.
const UPDATE_DEADLINE: Duration = Duration::from_secs(120);

/// Runs a tag of an image repository as a container ("Run this image") and returns it when it serves.
///
/// # Panics
/// When it does not serve in time.
pub async fn run_container(product: &Product, repository: &Value, tag: &str, name: &str) -> Site {
    let request = json!({
        "name": name,
        "image": { "kind": "tag", "repository": repository, "tag": tag },
        "run_as": { "kind": "container", "restart": false },
        "ports": [{ "container_port": 80, "host_port": null, "only_local": true, "protocol": "tcp" }],
        "gate": { "stay_up_seconds": 1, "deadline_seconds": 60 },
    });
    let started = product.must("targets.run_image", request).await;
    let firing = finished_firing(product, &started["firing"]).await;
    assert_eq!(firing["firing"]["state"], "succeeded", "{firing}");
    site(product, &firing["firing"]["target"]).await
}

/// Returns a target with the address that it publishes.
///
/// # Panics
/// When it publishes none.
pub async fn site(product: &Product, target: &Value) -> Site {
    let detail = product.must("targets.get", json!({ "target": target })).await;
    let port = detail["target"]["state"]["addresses"][0]["host_port"].as_u64();
    let port = port.unwrap_or_else(|| panic!("{target} publishes no address: {detail}"));
    Site { target: target.clone(), url: format!("http://127.0.0.1:{port}/") }
}

/// Adds a trigger with condition *All* and a short health gate.
pub async fn add_trigger(product: &Product, repository: &Value, name: &str, target: &Value) -> Value {
    let spec = json!({
        "name": name,
        "condition": { "kind": "all" },
        "target": target,
        "gate": { "stay_up_seconds": 1, "deadline_seconds": 60 },
    });
    product.must("triggers.add", json!({ "repository": repository, "spec": spec })).await["id"].clone()
}

/// Waits until a firing is over and returns its detail.
///
/// # Panics
/// When it is not over in time.
pub async fn finished_firing(product: &Product, firing: &Value) -> Value {
    eventually("an update is over", UPDATE_DEADLINE, async || {
        let detail = product.must("firings.get", json!({ "id": firing })).await;
        match detail["firing"]["state"].as_str() {
            Some("waiting" | "running") => Err(detail),
            _ => Ok(detail),
        }
    })
    .await
}

/// Waits until so many firings fit a filter and all are over; returns them oldest first.
///
/// # Panics
/// When that is not so in time.
pub async fn firings(product: &Product, filter: &Value, count: usize) -> Vec<Value> {
    eventually(&format!("{count} updates are over"), UPDATE_DEADLINE, async || {
        let page = product.must("firings.list", filter.clone()).await;
        let mut items = page["items"].as_array().cloned().unwrap_or_default();
        items.reverse();
        let over = items.iter().all(|one| !matches!(one["state"].as_str(), Some("waiting" | "running")));
        if over && items.len() >= count { Ok(items) } else { Err(page) }
    })
    .await
}

/// Returns what a browser would see, trimmed.
///
/// # Errors
/// Why nothing answers.
pub async fn page(url: &str) -> Result<String, reqwest::Error> {
    // A connection of its own each time: the old one's must not be kept.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).timeout(Duration::from_secs(2)).build()?;
    Ok(client.get(url).send().await?.text().await?.trim().to_owned())
}

/// Waits until the page at an address shows this text.
///
/// # Panics
/// When it does not in time.
pub async fn shows(url: &str, text: &str) {
    eventually(&format!("{url} shows {text:?}"), UPDATE_DEADLINE, async || match page(url).await {
        Ok(found) if found == text => Ok(()),
        other => Err(other),
    })
    .await;
}
