//! The walk-through of the seeds, as far as the registry: `helloworld` from code to image.

use crate::Product;
use serde_json::{Value, json};
use slipway_testkit::{GitRepository, RegistryServer};

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
