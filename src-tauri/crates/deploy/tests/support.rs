//! A stage on the real engine: images, containers and networks with a label of the test's, gone when it ends.

use serde_json::{Value, json};
use slipway_core::deploy::{
    DeployAction, DeployImage, DeployJob, DeployKey, DeployOutcome, DeployTarget, HealthGate, deploy,
};
use slipway_core::image::{ImageId, RegistryLogin};
use slipway_core::ports::Deadlines;
use slipway_deploy::EngineCalls;
use slipway_testkit::fakes::MemoryJournal;
use slipway_testkit::{BaseImage, Engine, eventually};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// One test's corner of the engine.
pub(crate) struct Stage {
    pub(crate) engine: Engine,
    pub(crate) calls: EngineCalls,
    /// Begins every name that the test makes.
    pub(crate) name: String,
    /// Label of everything that the test makes by itself.
    pub(crate) label: String,
    base: BaseImage,
    attempts: AtomicU32,
}

impl Stage {
    pub(crate) async fn new(name: &str) -> Self {
        Self::on(Engine::require().await, name).await
    }

    pub(crate) async fn on(engine: Engine, name: &str) -> Self {
        let base = BaseImage::busybox(&engine).await;
        let calls = calls_to(&engine);
        let name = format!("slipway-test-{name}-{}", std::process::id());
        Self { label: format!("slipway.test={name}"), engine, calls, name, base, attempts: AtomicU32::new(0) }
    }

    /// Makes an image: busybox with changes in Dockerfile syntax (`CMD …`, `HEALTHCHECK …`). Returns its id.
    pub(crate) async fn image(&self, tag: &str, changes: &[&str]) -> String {
        let source = self.engine.docker_ok(&["create", "--label", &self.label, self.base.reference()]).await;
        let label = format!("LABEL {}", self.label);
        let mut arguments = vec!["commit", "--change", &label];
        for change in changes {
            arguments.extend(["--change", change]);
        }
        let reference = self.reference(tag);
        arguments.extend([source.as_str(), &reference]);
        let id = self.engine.docker_ok(&arguments).await;
        self.engine.docker_ok(&["rm", &source]).await;
        id
    }

    /// An image whose web server answers `text` on port 80, and a bit more configuration.
    pub(crate) async fn web(&self, tag: &str, text: &str, more: &[&str]) -> String {
        let serve = format!(
            "CMD [\"sh\", \"-c\", \"mkdir -p /tmp/w && echo {text} > /tmp/w/index.html && exec httpd -f -p 80 -h /tmp/w\"]"
        );
        self.image(tag, &[&[serve.as_str()], more].concat()).await
    }

    pub(crate) fn reference(&self, tag: &str) -> String {
        format!("{}:{tag}", self.name)
    }

    /// Runs a container with arguments of `docker run` before the image. Returns its id.
    pub(crate) async fn run(&self, name: &str, tag: &str, arguments: &[&str]) -> String {
        let (name, image) = (self.container(name), self.reference(tag));
        let first = ["run", "--detach", "--label", self.label.as_str(), "--stop-timeout", "0", "--name", &name];
        self.engine.docker_ok(&[&first, arguments, &[image.as_str()]].concat()).await
    }

    pub(crate) fn container(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    pub(crate) fn target(&self, name: &str) -> DeployTarget {
        DeployTarget::Container { engine: "local".into(), name: self.container(name) }
    }

    /// A job for an image of this stage, with a key of its own each time.
    pub(crate) async fn job(&self, target: DeployTarget, tag: &str) -> DeployJob {
        let reference = self.reference(tag);
        let id = self.engine.image_id(&reference).await.unwrap();
        self.job_for(target, DeployImage { reference, digest: None, id: Some(ImageId(id)), content: None })
    }

    pub(crate) fn job_for(&self, target: DeployTarget, image: DeployImage) -> DeployJob {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        DeployJob {
            key: DeployKey(format!("{}-{number}", self.name.trim_start_matches("slipway-test-"))),
            target,
            image,
            login: RegistryLogin::Anonymous,
            gate: HealthGate { stay_up_seconds: 1, deadline_seconds: 20 },
            secrets: std::collections::BTreeMap::new(),
            occurred_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    /// Makes a container through the engine's API: the command line does not know every field.
    pub(crate) async fn create(&self, name: &str, body: &Value) -> String {
        let socket = self.engine.endpoint().strip_prefix("unix://").unwrap();
        let client = reqwest::Client::builder().unix_socket(socket).build().unwrap();
        let url = format!("http://docker/containers/create?name={}", self.container(name));
        let answer = client.post(url).json(body).send().await.unwrap();
        let (status, answer): (_, Value) = (answer.status(), answer.json().await.unwrap());
        assert!(status.is_success(), "{answer}");
        answer["Id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn inspect(&self, name: &str) -> Option<Value> {
        let output = self.engine.docker(&["inspect", "--type", "container", name]).await;
        let mut found: Value = serde_json::from_slice(&output.stdout).unwrap_or(json!([]));
        output.status.success().then(|| found[0].take())
    }

    /// Names of all containers whose names begin with this stage's, with their states (`web running`), sorted.
    pub(crate) async fn containers(&self) -> Vec<String> {
        let filter = format!("name=^{}", self.name);
        let format = "{{.Names}} {{.State}}";
        let text = self.engine.docker_ok(&["ps", "--all", "--filter", &filter, "--format", format]).await;
        let begin = format!("{}-", self.name);
        let mut names: Vec<String> = text.lines().map(|line| line.trim_start_matches(&begin).to_owned()).collect();
        names.sort();
        names
    }

    /// Returns what the container's web server answers, asked from inside of it.
    pub(crate) async fn page(&self, name: &str) -> String {
        self.answer_of(&self.container(name), "http://127.0.0.1/").await
    }

    /// Returns what an address answers inside of a container. Whoever has just started may not listen yet.
    pub(crate) async fn answer_of(&self, container: &str, address: &str) -> String {
        eventually(&format!("{address} answers in {container}"), Duration::from_secs(20), async || {
            let output = self.engine.docker(&["exec", container, "wget", "-q", "-O", "-", address]).await;
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success() || error.contains("refused"), "{error}");
            let page = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            if output.status.success() { Ok(page) } else { Err(error) }
        })
        .await
    }
}

/// Removes everything of the stage, also when the test failed.
impl Drop for Stage {
    fn drop(&mut self) {
        let docker = |arguments: &[&str]| {
            let output =
                std::process::Command::new("docker").args(["--host", self.engine.endpoint()]).args(arguments).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        let remove = |found: String, remove: &[&str]| {
            let ids: Vec<&str> = found.split_whitespace().collect();
            if !ids.is_empty() {
                docker(&[remove, &ids].concat());
            }
        };
        let (named, labelled) = (format!("name=^{}", self.name), format!("label={}", self.label));
        remove(docker(&["ps", "--all", "--quiet", "--filter", &named]), &["rm", "--force", "--volumes"]);
        remove(docker(&["ps", "--all", "--quiet", "--filter", &labelled]), &["rm", "--force", "--volumes"]);
        for kind in ["network", "volume"] {
            for filter in [&named, &labelled] {
                remove(docker(&[kind, "ls", "--quiet", "--filter", filter]), &[kind, "rm"]);
            }
        }
        remove(docker(&["images", "--all", "--quiet", "--filter", &labelled]), &["rmi", "--force"]);
    }
}

/// Calls to the engine over its Unix socket.
pub(crate) fn calls_to(engine: &Engine) -> EngineCalls {
    calls_while(engine, Arc::new(AtomicBool::new(true)))
}

/// Calls to the engine that break as long as `there` is false.
pub(crate) fn calls_while(engine: &Engine, there: Arc<AtomicBool>) -> EngineCalls {
    let socket = engine.endpoint().strip_prefix("unix://").expect("tests talk to a Unix socket").to_owned();
    let send = move |request| {
        let (socket, there) = (socket.clone(), there.load(Ordering::SeqCst));
        let answer: futures::future::BoxFuture<'static, _> = Box::pin(async move {
            let lost = |error: &dyn std::fmt::Display| {
                slipway_core::Failure::new(slipway_core::ErrorCode::EngineLost, error.to_string())
            };
            if !there {
                return Err(lost(&"it is away"));
            }
            let stream = tokio::net::UnixStream::connect(&socket).await.map_err(|error| lost(&error))?;
            let stream = hyper_util::rt::TokioIo::new(stream);
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(stream).await.map_err(|error| lost(&error))?;
            tokio::spawn(connection);
            sender.send_request(request).await.map_err(|error| lost(&error))
        });
        answer
    };
    EngineCalls::new(send, &Deadlines::default())
}

/// Runs a whole attempt.
pub(crate) async fn attempt(action: &dyn DeployAction, job: &DeployJob) -> (DeployOutcome, MemoryJournal) {
    let journal = MemoryJournal::default();
    (attempt_with(action, job, &journal).await, journal)
}

/// Runs a whole attempt with a journal that others read meanwhile.
pub(crate) async fn attempt_with(action: &dyn DeployAction, job: &DeployJob, journal: &MemoryJournal) -> DeployOutcome {
    deploy(action, job, journal, &CancellationToken::new(), async |_| Ok(())).await.unwrap()
}
