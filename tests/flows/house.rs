//! What flows share: the real program with an engine, a registry and a git repository, and everything in it marked, so that
//! flows that run at the same time leave each other alone.

use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::{BaseImage, Canary, Engine, GitRepository, Login, RegistryServer, eventually};
use std::time::Duration;

/// Longer than any build of these flows takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// The program with its surroundings.
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) base: String,
    pub(crate) registry: RegistryServer,
    pub(crate) product: Product,
    pub(crate) registry_id: Value,
    pub(crate) credential: Value,
    /// A word that nothing else on this machine has.
    pub(crate) mark: String,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_with(Product::start().await).await
    }

    pub(crate) async fn open_with(product: Product) -> Self {
        let engine = Engine::require().await;
        let base = BaseImage::busybox(&engine).await.reference().to_owned();
        let registry = RegistryServer::start(Some(Login::new("robot", Canary::word("registry").text())), true).await;
        let (registry_id, credential) = walkthrough::add_registry(&product, "registry", &registry).await;
        let port = registry.host().rsplit(':').next().unwrap().to_owned();
        let mark = format!("flow-{}-{port}", std::process::id());
        Self { engine, base, registry, product, registry_id, credential, mark }
    }

    /// Removes what the flow made on the engine.
    pub(crate) async fn close(self) {
        self.engine.remove_labelled(&format!("test.flow={}", self.mark)).await;
    }

    /// Makes code with this Dockerfile below `FROM`, and a file.
    pub(crate) async fn code(&self, dockerfile: &str) -> GitRepository {
        let code = GitRepository::new().await;
        code.write("Dockerfile", self.dockerfile(dockerfile)).write("index.html", "hello\n");
        code.commit("first").await;
        code
    }

    pub(crate) fn dockerfile(&self, below_from: &str) -> String {
        format!("FROM {}\n{below_from}", self.base)
    }

    pub(crate) async fn clone_of(&self, code: &GitRepository) -> Value {
        walkthrough::add_clone(&self.product, &format!("code {}", code.path().display()), code).await
    }

    pub(crate) async fn repository(&self, name: &str) -> Value {
        walkthrough::add_repository(&self.product, &self.registry_id, &self.credential, name).await
    }

    /// Returns a rule: every branch, named by branch and commit, marked; `changes` replace its fields.
    pub(crate) fn spec(&self, code: &Value, changes: &Value) -> Value {
        let mut spec = json!({
            "name": "main",
            "code": code,
            "triggers": { "any_branch": true },
            "version": { "kind": "templates", "templates": ["{branch}-{short_sha}"] },
            "options": { "labels": [{ "name": "test.flow", "value": self.mark }] },
        });
        for (field, value) in changes.as_object().unwrap() {
            if field == "options" {
                for (option, value) in value.as_object().unwrap() {
                    spec["options"][option] = value.clone();
                }
            } else {
                spec[field] = value.clone();
            }
        }
        spec
    }

    pub(crate) async fn rule(&self, repository: &Value, code: &Value, changes: Value) -> Value {
        let spec = self.spec(code, &changes);
        self.product.must("rules.add", json!({ "repository": repository, "spec": spec })).await["id"].clone()
    }

    /// Code, image repository and rule at once.
    pub(crate) async fn all(&self, dockerfile: &str, changes: Value) -> (GitRepository, Value, Value, Value) {
        let code = self.code(dockerfile).await;
        let code_id = self.clone_of(&code).await;
        let repository = self.repository("team/app").await;
        let rule = self.rule(&repository, &code_id, changes).await;
        (code, code_id, repository, rule)
    }

    /// Lets the program look at the code now: every push until here has its row afterwards.
    pub(crate) async fn look(&self, code: &Value) {
        self.product.must("code_repositories.check", json!({ "id": code })).await;
    }

    /// Starts a build of a branch and returns its id.
    pub(crate) async fn start(&self, rule: &Value, branch: &str) -> Value {
        let target = json!({ "kind": "ref", "name": format!("refs/heads/{branch}") });
        self.product.must("builds.start", json!({ "rule": rule, "target": target })).await["id"].clone()
    }

    /// Builds a branch now and returns the build when it is over.
    pub(crate) async fn build(&self, rule: &Value, branch: &str) -> Value {
        let id = self.start(rule, branch).await;
        self.over(&id).await
    }

    /// Waits until a build is over.
    pub(crate) async fn over(&self, id: &Value) -> Value {
        eventually("the build ends", DEADLINE, async || {
            let build = self.get(id).await;
            let waits = matches!(build["state"].as_str(), Some("queued" | "running" | "paused"));
            if waits { Err(build) } else { Ok(build) }
        })
        .await
    }

    pub(crate) async fn get(&self, id: &Value) -> Value {
        self.product.must("builds.get", json!({ "id": id })).await
    }

    /// Waits until a build is in a stage.
    pub(crate) async fn in_stage(&self, id: &Value, stage: &str) -> Value {
        eventually(&format!("the build is in {stage}"), DEADLINE, async || {
            let build = self.get(id).await;
            if build["stage"] == stage && build["state"] == "running" { Ok(build) } else { Err(build) }
        })
        .await
    }

    /// Returns all builds of an image repository, oldest first.
    pub(crate) async fn builds(&self, repository: &Value) -> Vec<Value> {
        let page = self.product.must("builds.list", json!({ "repository": repository, "limit": 500 })).await;
        let mut builds = page["items"].as_array().cloned().unwrap();
        builds.reverse();
        builds
    }

    /// Waits until all builds of an image repository are over, and returns them, oldest first.
    pub(crate) async fn all_over(&self, repository: &Value) -> Vec<Value> {
        for build in self.builds(repository).await {
            self.over(&build["id"]).await;
        }
        self.builds(repository).await
    }

    /// Returns what a file of an image holds, read by a container.
    pub(crate) async fn file(&self, image: &Value, path: &str) -> String {
        self.engine.output_of(image["id"].as_str().unwrap(), &["cat", path]).await
    }

    /// Returns whether a process of this machine has this word in its command line.
    pub(crate) fn is_running(word: &str) -> bool {
        std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            // The program that runs the flow may name the word itself; containers start sleep or sh.
            String::from_utf8_lossy(&line).replace('\0', " ").contains(word)
        })
    }
}

/// Asserts that a failure has this code at this field, and says something.
#[track_caller]
pub(crate) fn assert_failure(answer: Result<Value, Value>, code: &str, field: Option<&str>) {
    let failure = answer.expect_err("it has to fail");
    assert_code(&failure, code);
    assert_eq!(failure["field"].as_str(), field, "{failure}");
}

#[track_caller]
pub(crate) fn assert_code(failure: &Value, code: &str) {
    assert_eq!(failure["code"], code, "{failure}");
    assert!(failure["message"].as_str().is_some_and(|message| !message.is_empty()), "{failure}");
}

/// Returns how often a stage of a build began.
pub(crate) fn stage_starts(build: &Value, stage: &str) -> usize {
    build["stages"].as_array().unwrap().iter().filter(|one| one["stage"] == stage).count()
}
