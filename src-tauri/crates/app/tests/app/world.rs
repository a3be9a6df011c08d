//! One application in a temporary folder, and the fakes around it.

use async_trait::async_trait;
use chrono::TimeDelta;
use slipway_app::code_repositories::{CodeLocationInput, CodeRepositoryInput};
use slipway_app::{OpenOptions, OutsideLogins, Pace, Ports, Slipway};
use slipway_core::build::BuildState;
use slipway_core::ids::{BuildId, CodeRepositoryId, ImageRepositoryId, RuleId};
use slipway_core::image::{
    CredentialSource, ImageRepositorySpec, ImageSource, RegistryHost, RegistryLogin, RepositoryName,
};
use slipway_core::rule::{PushTriggers, RuleSpec, Strategy, VersionRule};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{BuildFilter, BuildRecord, RegistrySpec};
use slipway_testkit::fakes::{
    FakeChannels, FakeClock, FakeCodeStore, FakeEngine, FakeHosts, FakeRegistries, FakeRepository, FakeTargets,
    MemoryVault,
};
use slipway_testkit::{TempDataDir, eventually};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const HOST: &str = "registry.test:5000";
pub(crate) const NAME: &str = "team/app";
pub(crate) const PLACE: &str = "https://code.test/team/app.git";

pub(crate) struct World {
    pub(crate) channels: Arc<FakeChannels>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) code: Arc<FakeCodeStore>,
    pub(crate) engine: Arc<FakeEngine>,
    pub(crate) hosts: Arc<FakeHosts>,
    pub(crate) registries: Arc<FakeRegistries>,
    pub(crate) targets: Arc<FakeTargets>,
    pub(crate) vault: Arc<MemoryVault>,
    pub(crate) root: TempDataDir,
}

struct NoLogins;

#[async_trait]
impl OutsideLogins for NoLogins {
    async fn login(&self, _source: &CredentialSource, _host: &RegistryHost) -> Result<RegistryLogin, Failure> {
        Ok(RegistryLogin::Anonymous)
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let registries = Arc::new(FakeRegistries::default());
        Self {
            channels: Arc::new(FakeChannels::default()),
            clock: Arc::new(FakeClock::default()),
            code: Arc::new(FakeCodeStore::default()),
            engine: Arc::new(FakeEngine::new(Arc::clone(&registries))),
            hosts: Arc::new(FakeHosts::default()),
            registries,
            targets: Arc::new(FakeTargets::default()),
            vault: Arc::new(MemoryVault::default()),
            root: TempDataDir::new(),
        }
    }

    pub(crate) async fn open(&self) -> Slipway {
        self.open_with(|_| {}).await
    }

    /// Opens the application with some ports changed.
    pub(crate) async fn open_with(&self, change: impl FnOnce(&mut Ports)) -> Slipway {
        self.open_paced(false, change).await
    }

    /// The same, looking at code by itself.
    pub(crate) async fn open_polling(&self) -> Slipway {
        self.open_paced(true, |_| {}).await
    }

    async fn open_paced(&self, polling: bool, change: impl FnOnce(&mut Ports)) -> Slipway {
        let engine = Arc::clone(&self.engine);
        let (targets, directory) = (Arc::clone(&self.targets), Arc::clone(&self.targets));
        let mut ports = Ports {
            clock: Arc::<FakeClock>::clone(&self.clock),
            code: Arc::<FakeCodeStore>::clone(&self.code),
            hosts: Arc::<FakeHosts>::clone(&self.hosts),
            authorization: Arc::<FakeHosts>::clone(&self.hosts),
            engines: Arc::new(move |_| Ok(Arc::<FakeEngine>::clone(&engine))),
            registries: Arc::<FakeRegistries>::clone(&self.registries),
            vault: Arc::<MemoryVault>::clone(&self.vault),
            outside_logins: Arc::new(NoLogins),
            build_proxies: Arc::new(|_| Vec::new()),
            actions: Arc::new(move |_| Ok(Arc::<FakeTargets>::clone(&targets))),
            directories: Arc::new(move |_| Ok(Arc::<FakeTargets>::clone(&directory))),
            channels: Arc::<FakeChannels>::clone(&self.channels),
        };
        change(&mut ports);
        let pace = Pace {
            retry_base: Duration::ZERO,
            retry_cap: Duration::from_secs(300),
            probe_base: Duration::ZERO,
            probe_cap: Duration::from_secs(60),
            recheck: Duration::from_millis(20),
            look_gap: Duration::ZERO,
            polling,
        };
        Slipway::open(OpenOptions { data_dir: self.root.path().to_owned(), ports: Some(ports), pace }).await.unwrap()
    }

    pub(crate) fn remote(&self) -> FakeRepository {
        self.code.repository(PLACE)
    }

    /// Opens the application with a code repository of one commit, an image repository and a rule over any branch.
    pub(crate) async fn ready(&self) -> Ready {
        self.ready_with(|_| {}).await
    }

    pub(crate) async fn ready_with(&self, change: impl FnOnce(&mut RuleSpec)) -> Ready {
        self.remote().push("main", "first", &[("Dockerfile", "FROM scratch\nCOPY . /\n"), ("index.html", "one")]);
        self.ready_in(self.open().await, HOST, change).await
    }

    /// As [`Self::ready_with`], in an application that is open, with a registry of that host.
    pub(crate) async fn ready_in(&self, app: Slipway, host: &str, change: impl FnOnce(&mut RuleSpec)) -> Ready {
        let code = app.add_code_repository(&code_input()).await.unwrap();
        let repository = add_oci_repository(&app, host).await;
        let mut spec = rule_spec(code);
        change(&mut spec);
        let rule = app.add_rule(repository, &spec).await.unwrap();
        // A rule lets its code be looked at soon; that look is over after this one.
        app.check_code_repository(code).await.unwrap();
        Ready { app, code, repository, rule }
    }
}

pub(crate) struct Ready {
    pub(crate) app: Slipway,
    pub(crate) code: CodeRepositoryId,
    pub(crate) repository: ImageRepositoryId,
    pub(crate) rule: RuleId,
}

pub(crate) fn code_input() -> CodeRepositoryInput {
    CodeRepositoryInput {
        name: "app".to_owned(),
        location: CodeLocationInput::GitUrl {
            url: PLACE.to_owned(),
            username: None,
            password: None,
            ca_pem: None,
            allow_plain_http: false,
        },
        poll_interval_seconds: None,
    }
}

pub(crate) async fn add_oci_repository(app: &Slipway, host: &str) -> ImageRepositoryId {
    let spec = RegistrySpec {
        name: "Test".to_owned(),
        host: RegistryHost::new(host).unwrap(),
        plain_http: host.starts_with("127.0.0.1:"),
        ca_pem: None,
    };
    let registry = app.add_registry(&spec).await.unwrap();
    app.add_image_repository(&repository_spec(registry)).await.unwrap()
}

pub(crate) fn repository_spec(registry: slipway_core::ids::RegistryId) -> ImageRepositorySpec {
    ImageRepositorySpec {
        registry,
        name: RepositoryName::new(NAME).unwrap(),
        source: ImageSource::Platform,
        credential: None,
        summary: String::new(),
        description: String::new(),
        write_once: Vec::new(),
    }
}

/// Any branch and any tag; images are tagged with the ref's name.
pub(crate) fn rule_spec(code: CodeRepositoryId) -> RuleSpec {
    RuleSpec {
        name: "pushes".to_owned(),
        code,
        triggers: PushTriggers { any_branch: true, new_tag: true, ..PushTriggers::default() },
        paths: slipway_core::rule::PathFilters::default(),
        skip_words: true,
        dockerfile_path: slipway_core::code::RepoPath::new("Dockerfile").unwrap(),
        context_dir: slipway_core::code::RepoPath::root(),
        version: VersionRule::Templates { templates: vec!["{ref}".to_owned()] },
        overwrite_tag: None,
        options: slipway_core::rule::BuildOptions::default(),
        strategy: Strategy::NewestPerRef,
        auto_trigger: true,
        report_status: false,
    }
}

impl Ready {
    /// Looks at the code now and returns all builds, oldest first.
    pub(crate) async fn look(&self) -> Vec<BuildRecord> {
        self.app.check_code_repository(self.code).await.unwrap();
        self.builds().await
    }

    pub(crate) async fn builds(&self) -> Vec<BuildRecord> {
        let mut builds = self.app.builds(&BuildFilter::default(), None, 500).await.unwrap().items;
        builds.reverse();
        builds
    }

    /// Waits until a build is in a state; the failure says in which it was last.
    pub(crate) async fn reaches(&self, build: BuildId, state: BuildState) -> BuildRecord {
        reaches(&self.app, build, state).await
    }

    /// Waits until nothing is unfinished, and returns all builds, oldest first.
    pub(crate) async fn idle(&self) -> Vec<BuildRecord> {
        let mut events = self.app.events();
        let waiting = async {
            while !self.app.queue().await.unwrap().is_empty() {
                let _ = events.recv().await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), waiting).await.is_err() {
            panic!("still unfinished: {:#?}", self.app.queue().await.unwrap());
        }
        // A worker tells the end of a build just after its row says so.
        eventually("every end is told", Duration::from_secs(20), async || {
            let untold = self.app.store().untold_ends().await.unwrap();
            if untold.is_empty() { Ok(()) } else { Err(untold) }
        })
        .await;
        self.builds().await
    }

    pub(crate) fn states(builds: &[BuildRecord]) -> Vec<BuildState> {
        builds.iter().map(|build| build.state).collect()
    }
}

pub(crate) async fn reaches(app: &Slipway, build: BuildId, state: BuildState) -> BuildRecord {
    let mut events = app.events();
    let waiting = async {
        loop {
            let record = app.store().build(build).await.unwrap();
            if record.state == state {
                return record;
            }
            let _ = events.recv().await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(20), waiting).await {
        Ok(record) => record,
        Err(_) => panic!("not {state:?} in time: {:#?}", app.store().build(build).await.unwrap()),
    }
}

pub(crate) fn failure(code: ErrorCode) -> Failure {
    Failure::new(code, format!("scripted {}", code.as_str()))
}

pub(crate) fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}
