//! Where the figures are taken: one engine, one registry, one running product.

use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::{BaseImage, Engine, GitRepository, RegistryServer};
use std::time::{Duration, Instant};

/// A build that takes longer than this is a failure.
const BUILD_DEADLINE: Duration = Duration::from_secs(180);
/// How often the registry is asked whether a tag is there: an error of half of this, in our disfavour.
const ASK_EVERY: Duration = Duration::from_millis(3);

/// The label of everything that the other side builds.
pub(crate) const LABEL: &str = "slipway.test=bench";

pub(crate) struct Place {
    pub(crate) engine: Engine,
    pub(crate) base: BaseImage,
    pub(crate) registry: RegistryServer,
    pub(crate) product: Product,
    client: reqwest::Client,
    registry_id: Value,
    credential: Value,
    /// Makes contents differ from every earlier run, so that the engine's cache knows none of them.
    nonce: u128,
}

/// A code repository that the product watches, with the rule "push to any branch", and the image repository it fills.
pub(crate) struct Watched {
    pub(crate) code: GitRepository,
    name: String,
    repository: Value,
    known: Vec<i64>,
}

impl Watched {
    /// The image repository that the code fills.
    pub(crate) fn repository(&self) -> &Value {
        &self.repository
    }

    /// A build that was waited for elsewhere.
    pub(crate) fn seen(&mut self, build: &Value) {
        self.known.extend(build["id"].as_i64());
    }
}

impl Place {
    pub(crate) async fn new() -> Self {
        let engine = Engine::require().await;
        let base = BaseImage::busybox(&engine).await;
        let registry = RegistryServer::start(None, false).await;
        let endpoint = engine.endpoint().to_owned();
        let product = Product::start_with(&[("DOCKER_HOST", &endpoint)]).await;
        let (registry_id, credential) = walkthrough::add_registry(&product, "bench", &registry).await;
        let nonce = std::time::UNIX_EPOCH.elapsed().expect("the clock is after 1970").as_millis();
        Self { engine, base, registry, product, client: reqwest::Client::new(), registry_id, credential, nonce }
    }

    pub(crate) fn engine_name(&self) -> String {
        format!(
            "Docker {} ({} cores)",
            self.engine.version(),
            std::thread::available_parallelism().map_or(0, usize::from)
        )
    }

    /// Returns text that no build of this or an earlier run has seen.
    pub(crate) fn fresh(&self, what: &str, run: usize) -> String {
        format!("{what} {run} of {}\n", self.nonce)
    }

    /// Lets the product watch a clone and push into `name` at the registry.
    pub(crate) async fn watch(&self, name: &str, code: GitRepository) -> Watched {
        let repository = walkthrough::add_repository(&self.product, &self.registry_id, &self.credential, name).await;
        self.with_rule(name, code, repository).await
    }

    /// Lets the product watch a clone and tag images in the engine's own store.
    pub(crate) async fn watch_for_engine(&self, name: &str, code: GitRepository) -> Watched {
        let registries = self.product.must("registries.list", json!({})).await;
        let local = registries.as_array().into_iter().flatten().find(|one| one["kind"] == "local_engine");
        let registry = local.expect("the local engine is a registry of every product")["id"].clone();
        let repository = walkthrough::add_repository(&self.product, &registry, &Value::Null, name).await;
        self.with_rule(name, code, repository).await
    }

    async fn with_rule(&self, name: &str, code: GitRepository, repository: Value) -> Watched {
        let code_id = walkthrough::add_clone(&self.product, name, &code).await;
        // One tag, as the other side pushes one.
        let spec = json!({
            "name": "bench",
            "code": code_id,
            "triggers": { "any_branch": true },
            "version": { "kind": "templates", "templates": ["{branch}-{short_sha}"] },
        });
        self.product.must("rules.add", json!({ "repository": repository, "spec": spec })).await;
        Watched { code, name: name.to_owned(), repository, known: Vec::new() }
    }

    /// Commits, and returns the time from the commit until the registry has its tag. Waits for the end of the build.
    pub(crate) async fn commit_to_tag(&self, watched: &mut Watched, message: &str) -> Duration {
        let commit = watched.code.commit(message).await;
        let begun = Instant::now();
        let url = format!("{}/v2/{}/manifests/main-{}", self.registry.url(), watched.name, &commit[..7]);
        while !self.client.head(&url).send().await.expect("the registry answers").status().is_success() {
            assert!(begun.elapsed() < BUILD_DEADLINE, "{} does not get its tag", watched.name);
            tokio::time::sleep(ASK_EVERY).await;
        }
        let took = begun.elapsed();
        self.end_of_build(watched).await;
        took
    }

    /// Commits, and returns the time from the commit until the build is over, with the build's id.
    pub(crate) async fn commit_to_end(&self, watched: &mut Watched, message: &str) -> (Duration, Value) {
        watched.code.commit(message).await;
        let begun = Instant::now();
        let build = self.end_of_build(watched).await;
        (begun.elapsed(), build)
    }

    async fn end_of_build(&self, watched: &mut Watched) -> Value {
        let build = self.product.finished_build(&watched.repository, &watched.known, BUILD_DEADLINE).await;
        assert_eq!(build["state"], "succeeded", "{}", build["failure"]);
        watched.known.push(build["id"].as_i64().expect("a build has an id"));
        build["id"].clone()
    }

    /// Takes away what both sides have built.
    pub(crate) async fn clean_up(&self) {
        self.engine.remove_labelled("slipway.build").await;
        self.engine.remove_labelled(LABEL).await;
    }
}
