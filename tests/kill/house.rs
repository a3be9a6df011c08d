//! What one line of lives shares: the real program with an engine, a registry that tells what arrives, code, and three
//! targets that a trigger each updates. Everything is marked, so that several houses leave each other alone.

use crate::database::Database;
use crate::ledger::Ledger;
use crate::listener::Listener;
use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::{BaseImage, Canary, Engine, GitRepository, Login, RegistryServer, TempDataDir, eventually};
use std::path::Path;
use std::time::Duration;

/// Longer than anything here takes on a busy machine, the product's own wait for a port that somebody took among it; what waits
/// longer is stuck.
pub(crate) const DEADLINE: Duration = Duration::from_secs(150);
/// The name of the image repository that the rule fills.
pub(crate) const APP: &str = "team/app";

pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) base: String,
    pub(crate) product: Product,
    pub(crate) registry: RegistryServer,
    pub(crate) listener: Listener,
    pub(crate) code: GitRepository,
    pub(crate) registry_id: Value,
    pub(crate) repository: Value,
    pub(crate) uploads: Value,
    pub(crate) rule: Value,
    /// A container, started by the program.
    pub(crate) container: Value,
    /// A Compose service whose volume forbids a candidate beside it.
    pub(crate) service: Value,
    /// The password of the registry: in the keychain's care, and nowhere else.
    pub(crate) canary: Canary,
    pub(crate) ledger: Ledger,
    /// A word that nothing else on this machine has.
    pub(crate) mark: String,
    /// An archive as `docker save` writes it.
    pub(crate) archive: Vec<u8>,
    /// The program's own folder for temporary files.
    pub(crate) temp: TempDataDir,
    docker_config: TempDataDir,
    commits: u64,
}

impl House {
    pub(crate) async fn open(mark: &str) -> Self {
        let engine = Engine::require().await;
        let base = BaseImage::busybox(&engine).await.reference().to_owned();
        let listener = Listener::start().await;
        let canary = Canary::word("registry");
        let login = Login::new("robot", canary.text());
        let registry = RegistryServer::start_telling(Some(login), &listener.news_url()).await;
        let temp = TempDataDir::new();
        let product = Product::start_with(&[("TMPDIR", temp.path().to_str().expect("a temporary path is text"))]).await;
        product.must("settings.save", json!({ "concurrency": 2, "poll_seconds": 5 })).await;
        let (registry_id, credential) = walkthrough::add_registry(&product, "registry", &registry).await;
        let repository = walkthrough::add_repository(&product, &registry_id, &credential, APP).await;
        let uploads = walkthrough::add_repository(&product, &registry_id, &credential, "team/uploads").await;
        let code = GitRepository::new().await;
        let archive = saved(&engine, &base, temp.path()).await;
        let docker_config = docker_config(&registry);
        let mut house = Self {
            engine,
            base,
            product,
            registry,
            listener,
            code,
            registry_id,
            repository,
            uploads,
            rule: Value::Null,
            container: Value::Null,
            service: Value::Null,
            canary,
            ledger: Ledger::default(),
            mark: mark.to_owned(),
            archive,
            temp,
            docker_config,
            commits: 0,
        };
        house.furnish().await;
        house
    }

    async fn furnish(&mut self) {
        let first = self.commit(true).await;
        let code = walkthrough::add_clone(&self.product, "code", &self.code).await;
        let spec = json!({
            "name": "main",
            "code": code,
            "triggers": { "any_branch": true, "new_tag": true },
            "version": { "kind": "templates", "templates": ["{ref}-{short_sha}"] },
            "overwrite_tag": "latest",
            "options": { "labels": [{ "name": "test.kill", "value": self.mark }] },
        });
        let request = json!({ "repository": self.repository, "spec": spec });
        self.rule = self.product.must("rules.add", request).await["id"].clone();
        let target = json!({ "kind": "ref", "name": "refs/heads/main" });
        self.product.must("builds.start", json!({ "rule": self.rule, "target": target })).await;
        let build = self.product.finished_build(&self.repository, &[], DEADLINE).await;
        assert_eq!(build["state"], "succeeded", "{build}");
        let tag = build["tags"][0].as_str().expect("a build has a tag").to_owned();
        let site = walkthrough::run_container(&self.product, &self.repository, &tag, &self.mark).await;
        walkthrough::shows(&site.url, &self.ledger.texts[&first]).await;
        self.container = site.target;
        self.start_service(&tag).await;
        self.ledger.published = Database::open(self.product.data_dir()).await.published().await;
        for (name, target) in [("container", &self.container), ("service", &self.service)] {
            walkthrough::add_trigger(&self.product, &self.repository, name, target).await;
        }
        let hook = json!({ "kind": "webhook", "url": self.listener.hook_url(), "allow_private": true });
        let spec = json!({ "name": "hook", "condition": { "kind": "all" }, "target": hook });
        self.product.must("triggers.add", json!({ "repository": self.repository, "spec": spec })).await;
    }

    /// A container with the labels of a Compose service; Compose itself has no part in an update.
    async fn start_service(&mut self, tag: &str) {
        let name = format!("{}-web-1", self.mark);
        let project = format!("com.docker.compose.project={}", self.mark);
        let volume = format!("{}-data:/data", self.mark);
        let image = format!("{}/{APP}:{tag}", self.registry.host());
        let run = ["run", "--detach", "--name", &name, "--label", &project, "--volume", &volume];
        let labels = ["--label", "com.docker.compose.service=web", "--label", "com.docker.compose.container-number=1"];
        let rest = ["--label", "com.docker.compose.oneoff=False", "--publish", "127.0.0.1::80", &image];
        self.engine.docker_ok(&[run.as_slice(), &labels, &rest].concat()).await;
        self.service = json!({ "kind": "compose_service", "engine": "local", "project": self.mark, "service": "web" });
    }

    /// Commits a page of its own onto the branch that is checked out; a bad one gives an image that ends at once.
    pub(crate) async fn commit(&mut self, good: bool) -> String {
        self.commits += 1;
        let text = format!("{} {}", self.mark, self.commits);
        let command = if good { "exec httpd -f -p 80 -h /www" } else { "exit 3" };
        // Ten lines over a fifth of a second, so that kills find a log that grows.
        let says = "RUN for i in 1 2 3 4 5 6 7 8 9 10; do echo \"line $i of $(cat /www/index.html)\"; sleep 0.02; done";
        let dockerfile = format!(
            "FROM {}\nADD index.html /www/index.html\n{says}\nSTOPSIGNAL SIGKILL\nCMD [\"sh\", \"-c\", \"{command}\"]\n",
            self.base
        );
        self.code.write("index.html", format!("{text}\n")).write("Dockerfile", dockerfile);
        let commit = self.code.commit(&text).await;
        self.ledger.texts.insert(commit.clone(), text);
        if !good {
            self.ledger.bad.insert(commit.clone());
        }
        commit
    }

    /// Commits onto a branch: a push, as the program sees a local clone.
    pub(crate) async fn push(&mut self, branch: &str, good: bool) {
        if self.code.try_git(&["switch", "--quiet", branch]).await.status.success() {
            // It was there.
        } else {
            self.code.branch(branch).await;
        }
        let commit = self.commit(good).await;
        self.ledger.heads.insert(format!("refs/heads/{branch}"), commit);
    }

    /// Tags the commit that is checked out.
    pub(crate) async fn tag(&mut self) {
        let name = format!("v{}", self.ledger.heads.len());
        self.code.tag(&name).await;
        let commit = self.code.head().await;
        self.ledger.heads.insert(format!("refs/tags/{name}"), commit);
    }

    /// Pushes an image that no build made into the repository, by the Docker client, and forgets it on the engine.
    pub(crate) async fn push_from_elsewhere(&self) {
        let container = self.engine.docker_ok(&["create", "--stop-signal", "SIGKILL", &self.base]).await;
        let label = format!("LABEL test.kill={}", self.mark);
        let command = "CMD [\"sh\", \"-c\", \"mkdir /w; echo elsewhere > /w/index.html; exec httpd -f -p 80 -h /w\"]";
        let name = format!("{}/{APP}:elsewhere", self.registry.host());
        let commit = ["commit", "--change", &label, "--change", command];
        // A commit of the same container gives another image each time: its time is in it.
        self.engine.docker_ok(&[commit.as_slice(), &[container.trim(), &name]].concat()).await;
        self.engine.docker_ok(&["rm", container.trim()]).await;
        let config = self.docker_config.path().to_str().expect("a temporary path is text");
        self.engine.docker_ok(&["--config", config, "push", "--quiet", &name]).await;
        self.engine.docker_ok(&["rmi", &name]).await;
    }

    /// Removes what the house made on the engine.
    pub(crate) async fn close(self) {
        let Self { product, engine, mark, .. } = self;
        drop(product);
        clean(&engine, &mark).await;
    }
}

/// Removes what a house made on the engine, also one that did not end well.
pub(crate) async fn clean(engine: &Engine, mark: &str) {
    let filter = format!("name={mark}");
    let all = engine.docker_ok(&["ps", "--all", "--quiet", "--filter", &filter]).await;
    if !all.is_empty() {
        let names: Vec<&str> = all.split_whitespace().collect();
        engine.docker(&[&["rm", "--force", "--volumes"], names.as_slice()].concat()).await;
    }
    engine.docker(&["volume", "rm", &format!("{mark}-data")]).await;
    engine.remove_labelled(&format!("test.kill={mark}")).await;
}

async fn saved(engine: &Engine, image: &str, folder: &Path) -> Vec<u8> {
    let path = folder.join("image.tar");
    engine.docker_ok(&["save", "--output", path.to_str().expect("a temporary path is text"), image]).await;
    let bytes = std::fs::read(&path).expect("it was saved");
    std::fs::remove_file(path).expect("it can be removed");
    bytes
}

/// A configuration of the Docker client that can push to the registry.
fn docker_config(registry: &RegistryServer) -> TempDataDir {
    use base64::Engine as _;
    let folder = TempDataDir::new();
    let login = registry.login().expect("the registry asks for a login");
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", login.user, login.password));
    let text = json!({ "auths": { registry.host(): { "auth": auth } } }).to_string();
    std::fs::write(folder.path().join("config.json"), text).expect("the configuration can be written");
    folder
}

/// Waits for something that the house's program makes true.
pub(crate) async fn soon<T, Seen: std::fmt::Debug>(what: &str, look: impl AsyncFnMut() -> Result<T, Seen>) -> T {
    eventually(what, DEADLINE, look).await
}
