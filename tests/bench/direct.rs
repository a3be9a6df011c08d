//! Our side without the application: the git and engine crates called directly.

use slipway_core::Secret;
use slipway_core::code::{CodeAccess, CodeLocation, CommitId, RefName, RepoPath};
use slipway_core::ids::{BuildId, CodeRepositoryId};
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::ports::{BuildEngine as _, CodeStore as _, ContextTree, Deadlines, EngineBuild, LoginSource};
use slipway_core::rule::BuildNetwork;
use slipway_engine::{DockerEngine, Transport};
use slipway_git::GitCodeStore;
use slipway_testkit::{Engine, GitRepository, TempDataDir};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const DOCKERFILE_BYTES: u64 = 1024 * 1024;

struct NoLogins;

#[async_trait::async_trait]
impl LoginSource for NoLogins {
    async fn login(&self, _host: &str) -> RegistryLogin {
        RegistryLogin::Anonymous
    }
}

/// A mirror of one clone, and the engine.
pub(crate) struct Direct {
    store: GitCodeStore,
    access: CodeAccess,
    docker: DockerEngine,
    cancel: CancellationToken,
    shared_key: String,
    // Kept for its Drop: the mirror lies in it.
    _folder: TempDataDir,
}

/// A commit that is ready to be built.
pub(crate) struct Opened {
    context: Arc<dyn ContextTree>,
    dockerfile: bytes::Bytes,
}

const CODE: CodeRepositoryId = CodeRepositoryId(1);

impl Direct {
    pub(crate) fn new(engine: &Engine, code: &GitRepository) -> Self {
        let folder = TempDataDir::new();
        let password: Option<Secret> = None;
        let transport = Transport::open(engine.endpoint(), None, false).expect("the engine's address is right");
        Self {
            store: GitCodeStore::new(
                folder.path().join("mirrors"),
                folder.path().join("known_hosts"),
                Deadlines::default(),
            ),
            access: CodeAccess {
                location: CodeLocation::LocalClone { path: code.path().to_owned() },
                password,
                proxy: None,
            },
            docker: DockerEngine::new(transport, None, Deadlines::default()).expect("the engine can be talked to"),
            cancel: CancellationToken::new(),
            shared_key: format!("slipway-bench-{}", code.path().display()),
            _folder: folder,
        }
    }

    /// Fetches `main` and opens its commit as a context.
    pub(crate) async fn fetch_and_open(&self, commit: &str) -> Opened {
        let main = RefName::branch("main").expect("main is a name");
        self.store.fetch(CODE, &self.access, &[main], &self.cancel).await.expect("the fetch works");
        let commit = CommitId::new(commit).expect("git prints commit ids");
        let path = RepoPath::new("Dockerfile").expect("it is a path");
        let dockerfile = self.store.read_file(CODE, &commit, &path, DOCKERFILE_BYTES).await;
        let root = RepoPath::root();
        let context = self.store.open_context(CODE, &self.access, &commit, &root, &self.cancel).await;
        Opened {
            context: context.expect("the context opens"),
            dockerfile: dockerfile.expect("the mirror can be read").expect("there is a Dockerfile"),
        }
    }

    /// Solve.
    pub(crate) async fn build(&self, opened: Opened, build: i64) -> slipway_core::image::ImageId {
        let request = EngineBuild {
            build: BuildId(build),
            shared_key: self.shared_key.clone(),
            context: opened.context,
            dockerfile: opened.dockerfile,
            dockerfile_name: "Dockerfile".to_owned(),
            dockerfile_ignore: None,
            args: Vec::new(),
            secrets: Vec::new(),
            target: None,
            labels: Vec::new(),
            platforms: Vec::new(),
            no_cache: false,
            always_pull: false,
            network: BuildNetwork::Default,
            logins: Arc::new(NoLogins),
        };
        let (events, mut seen) = mpsc::channel(1024);
        let drained = tokio::spawn(async move { while seen.recv().await.is_some() {} });
        let built = self.docker.build(request, events, &self.cancel).await.expect("the build succeeds");
        drained.await.expect("draining does not panic");
        built.id
    }

    /// Push.
    pub(crate) async fn push(&self, image: &slipway_core::image::ImageId, reference: &str) {
        let target = ImageReference::parse(reference).expect("it is a reference");
        self.docker.tag(image, &target).await.expect("the image can be tagged");
        let (progress, mut seen) = mpsc::channel(64);
        let drained = tokio::spawn(async move { while seen.recv().await.is_some() {} });
        let pushed = self.docker.push(&target, &RegistryLogin::Anonymous, progress, &self.cancel).await;
        pushed.expect("the push succeeds");
        drained.await.expect("draining does not panic");
    }

    /// Takes the private tag away again.
    pub(crate) async fn forget(&self, build: i64) {
        self.docker.forget_build(BuildId(build)).await.expect("the private tag goes");
    }
}
