//! A desk with the real engine, builds from a few files in memory, and an engine that follows a script.

use slipway_core::Failure;
use slipway_core::build::BuiltImage;
use slipway_core::ids::BuildId;
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::ports::{
    BuildEngine, ContentId, ContextEntry, ContextKind, ContextTree, Deadlines, EngineBuild, LoginSource,
};
use slipway_core::rule::{BuildNetwork, NameValue};
use slipway_engine::{DockerEngine, Transport};
use slipway_testkit::{BaseImage, Engine};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The real engine with our port to it. Everything built carries the desk's label and goes with it.
pub(crate) struct Desk {
    pub(crate) witness: Engine,
    pub(crate) engine: DockerEngine,
    pub(crate) base: String,
    mark: i64,
    next: AtomicI64,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(Deadlines::default()).await
    }

    pub(crate) async fn with(deadlines: Deadlines) -> Self {
        let witness = Engine::require().await;
        let base = BaseImage::busybox(&witness).await.reference().to_owned();
        let transport = Transport::open(witness.endpoint(), None, false).unwrap();
        let engine = DockerEngine::new(transport, None, deadlines).unwrap();
        static DESKS: AtomicI64 = AtomicI64::new(0);
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let mark = i64::try_from(since.as_nanos() / 1000).unwrap() * 100 + DESKS.fetch_add(1, Ordering::Relaxed);
        Self { witness, engine, base, mark, next: AtomicI64::new(0) }
    }

    /// The label of this desk alone.
    pub(crate) fn label(&self) -> String {
        format!("slipway.test.desk={}", self.mark)
    }

    /// A repository name that nobody else uses.
    pub(crate) fn name(&self) -> String {
        format!("desk{}", self.mark)
    }

    pub(crate) fn next_build(&self) -> BuildId {
        BuildId(self.mark * 10 + self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Builds `FROM` the base with these files and labels.
    pub(crate) async fn build(&self, files: &[(&str, &str)], labels: &[(&str, &str)]) -> (BuildId, BuiltImage) {
        let build = self.next_build();
        let dockerfile = format!("FROM {}\nCOPY . /files/\n", self.base);
        let mark = self.mark.to_string();
        let labels = labels.iter().copied().chain([("slipway.test.desk", mark.as_str())]);
        let request = EngineBuild {
            build,
            shared_key: self.name(),
            context: Arc::new(Files(files.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect())),
            dockerfile: dockerfile.into(),
            dockerfile_name: "Dockerfile".into(),
            dockerfile_ignore: None,
            args: Vec::new(),
            secrets: Vec::new(),
            target: None,
            labels: labels.map(|(name, value)| NameValue { name: name.into(), value: value.into() }).collect(),
            platforms: Vec::new(),
            no_cache: false,
            always_pull: false,
            network: BuildNetwork::None,
            logins: Arc::new(NoLogins),
        };
        let (events, mut received) = mpsc::channel(64);
        let drain = tokio::spawn(async move { while received.recv().await.is_some() {} });
        let built = self.engine.build(request, events, &CancellationToken::new()).await.unwrap();
        drain.await.unwrap();
        (build, built)
    }

    /// Builds an image and names it `host/<name of the desk>:tag`.
    pub(crate) async fn image_at(&self, host: &str, tag: &str) -> ImageReference {
        let (_, built) = self.build(&[("file", tag)], &[]).await;
        let target = ImageReference::parse(&format!("{host}/{}:{tag}", self.name())).unwrap();
        self.engine.tag(&built.id, &target).await.unwrap();
        target
    }

    /// Pushes and returns what was reported too.
    pub(crate) async fn push(&self, target: &ImageReference, login: &RegistryLogin) -> Pushed {
        let (progress, mut reports) = mpsc::channel(64);
        let collect = tokio::spawn(async move {
            let mut all = Vec::new();
            while let Some(report) = reports.recv().await {
                all.push(report);
            }
            all
        });
        let result = self.engine.push(target, login, progress, &CancellationToken::new()).await;
        Pushed { result: result.map(|digest| digest.map(|d| d.to_string())), reports: collect.await.unwrap() }
    }
}

pub(crate) struct Pushed {
    pub(crate) result: Result<Option<String>, Failure>,
    pub(crate) reports: Vec<slipway_core::log::PushProgress>,
}

impl Drop for Desk {
    /// Also after a failed assertion: what carries the label goes.
    fn drop(&mut self) {
        let docker = |arguments: &[&str]| {
            let host = ["--host", self.witness.endpoint()];
            std::process::Command::new("docker").args([&host, arguments].concat()).output().unwrap().stdout
        };
        let filter = format!("label={}", self.label());
        for (list, remove) in [(["ps", "-aq"], ["rm", "-f"]), (["images", "-q"], ["rmi", "-f"])] {
            let ids = String::from_utf8(docker(&[&list[..], &["--filter", &filter]].concat())).unwrap();
            let ids: Vec<&str> = ids.split_whitespace().collect();
            if !ids.is_empty() {
                docker(&[&remove[..], &ids].concat());
            }
        }
    }
}

/// Files of a context's root.
struct Files(BTreeMap<String, String>);

impl ContextTree for Files {
    fn list(&self, folder: &str) -> Result<Vec<ContextEntry>, Failure> {
        assert_eq!(folder, "", "there are no folders");
        let entry = |(name, text): (&String, &String)| ContextEntry {
            name: name.clone(),
            kind: ContextKind::File {
                id: ContentId(text.clone().into_bytes()),
                size: text.len() as u64,
                executable: false,
            },
        };
        Ok(self.0.iter().map(entry).collect())
    }

    fn open(&self, id: &ContentId) -> Result<Box<dyn std::io::Read + Send>, Failure> {
        Ok(Box::new(std::io::Cursor::new(id.0.clone())))
    }
}

struct NoLogins;

#[async_trait::async_trait]
impl LoginSource for NoLogins {
    async fn login(&self, _: &str) -> RegistryLogin {
        RegistryLogin::Anonymous
    }
}

/// An engine that answers every request line with what the script says, then hangs up; `None` says nothing for ever.
pub(crate) struct ScriptedEngine {
    pub(crate) engine: DockerEngine,
    _folder: tempfile::TempDir,
    accepting: tokio::task::JoinHandle<()>,
}

impl ScriptedEngine {
    pub(crate) fn new(deadlines: Deadlines, script: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self::staying(false, deadlines, script)
    }

    /// As [`Self::new`], but after an answer the connection may stay open.
    pub(crate) fn staying(
        stays_open: bool,
        deadlines: Deadlines,
        script: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let script = Arc::new(script);
        let accepting = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let script = script.clone();
                tokio::spawn(async move {
                    let mut request = vec![0; 16384];
                    let length = stream.read(&mut request).await.unwrap();
                    let line = String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or("").to_owned();
                    let answer = script(&line);
                    if let Some(answer) = &answer {
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                    if stays_open || answer.is_none() {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        let engine = DockerEngine::new(Transport::unix(path), None, deadlines).unwrap();
        Self { engine, _folder: folder, accepting }
    }
}

impl Drop for ScriptedEngine {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Deadlines short enough for a test that waits for one.
pub(crate) fn short() -> Deadlines {
    Deadlines { request: Duration::from_millis(300), idle: Duration::from_millis(300), ..Deadlines::default() }
}

/// A registry that answers its greeting and then takes requests without ever answering.
pub(crate) struct StallingRegistry {
    pub(crate) host: String,
    /// One unit for each request that waits.
    pub(crate) waiting: mpsc::Receiver<()>,
    accepting: tokio::task::JoinHandle<()>,
}

impl StallingRegistry {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (wait, waiting) = mpsc::channel(64);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(stall(stream, wait.clone()));
            }
        });
        Self { host, waiting, accepting }
    }
}

/// The engine tries TLS first and then, as this is loopback, plain HTTP: the containerd store only where something that is no
/// TLS answers, as servers do.
async fn stall(mut stream: tokio::net::TcpStream, wait: mpsc::Sender<()>) {
    let mut request = vec![0; 16384];
    loop {
        let length = stream.read(&mut request).await.unwrap_or(0);
        if length == 0 {
            return;
        }
        if request[0] == 0x16 {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
            return;
        }
        if !request.starts_with(b"GET /v2/ ") {
            break;
        }
        let greeting =
            "HTTP/1.1 200 OK\r\nDocker-Distribution-Api-Version: registry/2.0\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(greeting.as_bytes()).await.unwrap();
    }
    let _ = wait.send(()).await;
    while stream.read(&mut request).await.is_ok_and(|length| length > 0) {}
}

impl Drop for StallingRegistry {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
