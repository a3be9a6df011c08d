//! A context in memory that counts what is read, and a build with all its events.

use slipway_core::image::RegistryLogin;
use slipway_core::log::{BuildEvent, StepUpdate};
use slipway_core::ports::{
    BuildEngine, ContentId, ContextEntry, ContextKind, ContextTree, Deadlines, EngineBuild, LoginSource,
};
use slipway_core::rule::{BuildNetwork, NameValue};
use slipway_core::{ErrorCode, Failure, Secret, ids::BuildId};
use slipway_engine::{DockerEngine, Transport};
use slipway_testkit::{BaseImage, Engine};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What lies at a path of a [`Tree`].
#[derive(Clone)]
pub(crate) enum Thing {
    File(Vec<u8>),
    Program(Vec<u8>),
    Link(String),
    /// A file that cannot be read, with this error code.
    Broken(ErrorCode),
}

/// A context in memory. Files are known by a hash of their bytes, as in git.
#[derive(Default)]
pub(crate) struct Tree {
    things: BTreeMap<String, Thing>,
    paths: HashMap<ContentId, String>,
    pub(crate) opened: Mutex<Vec<String>>,
    pub(crate) listed: AtomicUsize,
}

impl Tree {
    pub(crate) fn new(things: &[(&str, Thing)]) -> Arc<Self> {
        let paths = things.iter().map(|(path, thing)| (identity(thing), (*path).to_owned())).collect();
        let things = things.iter().map(|(path, thing)| ((*path).to_owned(), thing.clone())).collect();
        Arc::new(Self { things, paths, ..Self::default() })
    }

    pub(crate) fn files(files: &[(&str, &str)]) -> Arc<Self> {
        let things: Vec<_> = files.iter().map(|(path, text)| (*path, file(text))).collect();
        Self::new(&things)
    }

    pub(crate) fn opened(&self) -> Vec<String> {
        let mut opened = self.opened.lock().unwrap().clone();
        opened.sort();
        opened
    }
}

pub(crate) fn file(text: &str) -> Thing {
    Thing::File(text.as_bytes().to_vec())
}

fn identity(thing: &Thing) -> ContentId {
    let mut hasher = DefaultHasher::new();
    match thing {
        Thing::File(bytes) | Thing::Program(bytes) => bytes.hash(&mut hasher),
        Thing::Link(target) => target.hash(&mut hasher),
        Thing::Broken(code) => code.hash(&mut hasher),
    }
    ContentId(hasher.finish().to_be_bytes().to_vec())
}

impl ContextTree for Tree {
    fn list(&self, folder: &str) -> Result<Vec<ContextEntry>, Failure> {
        self.listed.fetch_add(1, Ordering::Relaxed);
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries: BTreeMap<String, ContextKind> = BTreeMap::new();
        for (path, thing) in &self.things {
            let Some(rest) = path.strip_prefix(&prefix) else { continue };
            if let Some((folder, _)) = rest.split_once('/') {
                entries.insert(folder.to_owned(), ContextKind::Folder);
                continue;
            }
            let kind = match thing {
                Thing::Link(target) => ContextKind::Symlink { target: target.clone() },
                Thing::File(bytes) | Thing::Program(bytes) => ContextKind::File {
                    id: identity(thing),
                    size: bytes.len() as u64,
                    executable: matches!(thing, Thing::Program(_)),
                },
                Thing::Broken(_) => ContextKind::File { id: identity(thing), size: 10, executable: false },
            };
            entries.insert(rest.to_owned(), kind);
        }
        Ok(entries.into_iter().map(|(name, kind)| ContextEntry { name, kind }).collect())
    }

    fn open(&self, id: &ContentId) -> Result<Box<dyn Read + Send>, Failure> {
        let path = &self.paths[id];
        self.opened.lock().unwrap().push(path.clone());
        match &self.things[path] {
            Thing::File(bytes) | Thing::Program(bytes) => Ok(Box::new(std::io::Cursor::new(bytes.clone()))),
            Thing::Broken(code) => Err(Failure::new(*code, format!("{path} is broken on purpose"))),
            Thing::Link(_) => panic!("a link is never opened"),
        }
    }
}

/// No logins.
pub(crate) struct NoLogins;

#[async_trait::async_trait]
impl LoginSource for NoLogins {
    async fn login(&self, _: &str) -> RegistryLogin {
        RegistryLogin::Anonymous
    }
}

/// A build id that no other test run has.
fn unique() -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_nanos() / 1000).unwrap() * 1000 + NEXT.fetch_add(1, Ordering::Relaxed) % 1000
}

/// A text that no earlier test run used, so that no cache knows it.
pub(crate) fn fresh() -> String {
    format!("fresh-{}", unique())
}

pub(crate) fn request(context: Arc<Tree>, dockerfile: &str) -> EngineBuild {
    EngineBuild {
        build: BuildId(unique()),
        shared_key: fresh(),
        context,
        dockerfile: dockerfile.as_bytes().to_vec().into(),
        dockerfile_name: "Dockerfile".into(),
        dockerfile_ignore: None,
        args: Vec::new(),
        secrets: Vec::new(),
        target: None,
        labels: Vec::new(),
        platforms: Vec::new(),
        no_cache: false,
        always_pull: false,
        network: BuildNetwork::None,
        logins: Arc::new(NoLogins),
    }
}

pub(crate) fn pair(name: &str, value: &str) -> NameValue {
    NameValue { name: name.into(), value: value.into() }
}

pub(crate) fn secret(id: &str, value: &str) -> (String, Secret) {
    (id.into(), Secret::new(value))
}

/// How a build went.
pub(crate) struct Ran {
    /// The private tag when it succeeded.
    pub(crate) result: Result<String, Failure>,
    pub(crate) events: Vec<BuildEvent>,
}

impl Ran {
    pub(crate) fn image(&self) -> &str {
        self.result.as_ref().unwrap_or_else(|failure| panic!("the build failed: {failure:?}"))
    }

    pub(crate) fn failure(&self) -> &Failure {
        self.result.as_ref().expect_err("the build succeeded")
    }

    /// The last state of the step whose name ends so.
    pub(crate) fn step(&self, end: &str) -> StepUpdate {
        let states = self.events.iter().filter_map(|event| match event {
            BuildEvent::Step(step) if step.name.ends_with(end) => Some(step.clone()),
            _ => None,
        });
        states.last().unwrap_or_else(|| panic!("no step {end:?} in {:?}", self.events))
    }

    pub(crate) fn log(&self) -> String {
        let mut bytes = Vec::new();
        for event in &self.events {
            if let BuildEvent::Log { bytes: piece, .. } = event {
                bytes.extend_from_slice(piece);
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The engine with the base image that all Dockerfiles here start from.
pub(crate) async fn engine() -> (Engine, String) {
    let engine = Engine::require().await;
    let base = BaseImage::busybox(&engine).await;
    (engine, base.reference().to_owned())
}

/// Our client of the engine that answers there.
pub(crate) fn client(endpoint: &str) -> DockerEngine {
    let transport = Transport::open(endpoint, None, true).unwrap();
    DockerEngine::new(transport, None, Deadlines::default()).unwrap()
}

/// Builds to the end.
pub(crate) async fn build(engine: &Engine, request: EngineBuild) -> Ran {
    build_until(engine, request, &CancellationToken::new(), |_| {}).await
}

/// Builds, showing each event as it comes.
pub(crate) async fn build_until(
    engine: &Engine,
    request: EngineBuild,
    cancel: &CancellationToken,
    each: impl FnMut(&BuildEvent),
) -> Ran {
    build_at(engine.endpoint(), request, cancel, each).await
}

/// Builds on the engine that answers there.
pub(crate) async fn build_at(
    endpoint: &str,
    request: EngineBuild,
    cancel: &CancellationToken,
    mut each: impl FnMut(&BuildEvent),
) -> Ran {
    let name = format!("slipway.local/build:{}", request.build);
    let (sender, mut receiver) = mpsc::channel(64);
    let mut events = Vec::new();
    let collect = async {
        while let Some(event) = receiver.recv().await {
            each(&event);
            events.push(event);
        }
    };
    let engine = client(endpoint);
    let (result, ()) = tokio::join!(engine.build(request, sender, cancel), collect);
    Ran { result: result.map(|_| name), events }
}

/// Removes what a test built.
pub(crate) async fn forget(engine: &Engine, ran: &Ran) {
    engine.docker_ok(&["rmi", "--force", ran.image()]).await;
}
