//! What runs under load: the real program, with doors in front of the engine and the registry, and clones with rules.

use crate::random::Random;
use serde_json::{Value, json};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::{Engine, FaultProxy, GitRepository, RegistryServer, TempDataDir};
use std::collections::BTreeMap;

const CLONES: usize = 10;
/// Branches of each clone; each has a rule of its own.
const BRANCHES: usize = 5;

/// A push: what the ledger knows, apart from what the program says.
#[derive(Debug, Clone)]
pub(crate) struct Push {
    /// Number of the clone.
    pub(crate) clone: usize,
    /// Full name of the ref.
    pub(crate) name: String,
    pub(crate) commit: String,
}

pub(crate) struct Place {
    pub(crate) engine: Engine,
    pub(crate) engine_door: FaultProxy,
    pub(crate) registry: RegistryServer,
    pub(crate) registry_door: FaultProxy,
    pub(crate) product: Product,
    pub(crate) clones: Vec<GitRepository>,
    /// The program's ids of the clones.
    pub(crate) code: Vec<i64>,
    pub(crate) pushes: Vec<Push>,
    /// Stands on everything that is made on the engine.
    pub(crate) mark: String,
    /// The program's own folder for temporary files.
    pub(crate) temp: TempDataDir,
}

impl Place {
    pub(crate) async fn open(mark: &str) -> Self {
        let engine = Engine::require().await;
        let socket = engine.endpoint().strip_prefix("unix://").expect("the engine is reached at a socket").to_owned();
        let engine_door = FaultProxy::before_socket(socket).await;
        let registry = RegistryServer::start(None, false).await;
        let registry_door = FaultProxy::before_address(&registry.host()).await;
        let temp = TempDataDir::new();
        let endpoint = format!("unix://{}", engine_door.socket().display());
        let folder = temp.path().to_str().expect("a temporary path is text");
        let product = Product::start_with(&[("DOCKER_HOST", &endpoint), ("TMPDIR", folder)]).await;
        product.must("settings.save", json!({ "concurrency": 3, "poll_seconds": 10 })).await;
        let form = json!({ "name": "registry", "host": registry_door.address(), "plain_http": true });
        let registry_id = product.must("registries.add", json!({ "form": form })).await["id"].clone();
        let form = json!({ "kind": "anonymous" });
        let credential = json!({ "registry": registry_id, "name": "main", "form": form });
        let credential = product.must("registries.add_credential", credential).await["id"].clone();
        let mut place = Self {
            engine,
            engine_door,
            registry,
            registry_door,
            product,
            clones: Vec::new(),
            code: Vec::new(),
            pushes: Vec::new(),
            mark: mark.to_owned(),
            temp,
        };
        for number in 0..CLONES {
            place.furnish(number, &registry_id, &credential).await;
        }
        place
    }

    async fn furnish(&mut self, number: usize, registry: &Value, credential: &Value) {
        let repository =
            walkthrough::add_repository(&self.product, registry, credential, &format!("team/app{number}")).await;
        let clone = GitRepository::new().await;
        clone.write("Dockerfile", "FROM scratch\nCOPY page /\n").write("page", "first\n");
        clone.commit("first").await;
        for branch in 0..BRANCHES {
            clone.git(&["branch", &format!("b{branch}")]).await;
        }
        let code = walkthrough::add_clone(&self.product, &format!("code{number}"), &clone).await;
        for branch in 0..BRANCHES {
            let spec = json!({
                "name": format!("b{branch}"),
                "code": code,
                "triggers": { "branches": [format!("b{branch}")] },
                "version": { "kind": "templates", "templates": ["{branch}"] },
                "options": { "labels": [{ "name": "test.soak", "value": self.mark }] },
            });
            self.product.must("rules.add", json!({ "repository": repository, "spec": spec })).await;
        }
        self.code.push(code.as_i64().expect("an id is a number"));
        self.clones.push(clone);
    }

    /// Commits onto one branch of a clone that is not away.
    pub(crate) async fn push(&mut self, random: &mut Random, away: Option<usize>) {
        let below = |random: &mut Random, bound: usize| usize::try_from(random.below(bound as u64)).unwrap_or_default();
        let (clone, branch) = (below(random, CLONES), below(random, BRANCHES));
        let clone = if away == Some(clone) { (clone + 1) % CLONES } else { clone };
        self.push_to(clone, branch).await;
    }

    /// Commits onto every branch: what the registry must hold in the end.
    pub(crate) async fn push_everywhere(&mut self) {
        for clone in 0..CLONES {
            for branch in 0..BRANCHES {
                self.push_to(clone, branch).await;
            }
        }
    }

    async fn push_to(&mut self, clone: usize, branch: usize) {
        let branch = format!("b{branch}");
        let number = self.pushes.len();
        let repository = &self.clones[clone];
        repository.switch(&branch).await;
        repository.write("page", format!("{number} of {}\n", self.mark));
        let commit = repository.commit(&format!("push {number}")).await;
        self.pushes.push(Push { clone, name: format!("refs/heads/{branch}"), commit });
    }

    /// The last push of each ref.
    pub(crate) fn heads(&self) -> BTreeMap<(usize, String), &Push> {
        self.pushes.iter().map(|push| ((push.clone, push.name.clone()), push)).collect()
    }

    pub(crate) fn pushed(&self) -> usize {
        self.pushes.len()
    }

    /// Removes what was made on the engine.
    pub(crate) async fn close(self) {
        let Self { engine, product, mark, .. } = self;
        drop(product);
        engine.remove_labelled(&format!("test.soak={mark}")).await;
    }
}
