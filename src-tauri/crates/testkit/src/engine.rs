//! The real Docker engine of this machine, and the image that tests build on.

use std::process::{Output, Stdio};

use tokio::process::Command;

const HOW_TO_GET_ONE: &str =
    "start Docker, or run the tests through `scripts/engine with-engine …` (or `make test`), which starts one";

/// A Docker engine that answers. Everything asked through it uses the Docker CLI: an independent witness of what we did.
#[derive(Debug, Clone)]
pub struct Engine {
    endpoint: String,
    version: String,
    api_version: String,
}

impl Engine {
    /// Returns the engine named by `DOCKER_HOST`, else the one at the usual socket. Panics with how to get one.
    pub async fn require() -> Self {
        let endpoint = std::env::var("DOCKER_HOST")
            .ok()
            .filter(|host| !host.is_empty())
            .unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned());
        Self::at(endpoint).await
    }

    /// Returns the engine at an endpoint. Panics when none answers there.
    pub async fn at(endpoint: String) -> Self {
        let mut engine = Self { endpoint, version: String::new(), api_version: String::new() };
        let answer = engine.docker(&["version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}"]).await;
        assert!(
            answer.status.success(),
            "no Docker engine answers at {}: {HOW_TO_GET_ONE}\n{}",
            engine.endpoint,
            String::from_utf8_lossy(&answer.stderr)
        );
        let text = String::from_utf8_lossy(&answer.stdout);
        let (version, api_version) = text.trim().split_once(' ').expect("the format above has two words");
        (engine.version, engine.api_version) = (version.to_owned(), api_version.to_owned());
        engine
    }

    /// Returns the endpoint in the form of `DOCKER_HOST`, such as `unix:///var/run/docker.sock`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the engine's version, such as `20.10.24+dfsg1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the newest API version that the engine speaks, such as `1.41`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// Runs the Docker CLI against this engine and returns what it said, whatever its exit status.
    pub async fn docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker")
            .arg("--host")
            .arg(&self.endpoint)
            .args(arguments)
            .env_remove("DOCKER_CONTEXT")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap_or_else(|error| panic!("the docker program is missing ({error}): run `make setup`"))
    }

    /// Runs the Docker CLI and returns its trimmed output. Panics with its error text when it fails.
    pub async fn docker_ok(&self, arguments: &[&str]) -> String {
        let output = self.docker(arguments).await;
        assert!(
            output.status.success(),
            "docker {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Returns the id of the image that `reference` names, or nothing when there is none.
    pub async fn image_id(&self, reference: &str) -> Option<String> {
        let output = self.docker(&["image", "inspect", "--format", "{{.Id}}", reference]).await;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Runs `command` in a container of the image and returns its standard output; the container is removed.
    pub async fn output_of(&self, image: &str, command: &[&str]) -> String {
        let arguments = [&["run", "--rm", "--network", "none", image], command].concat();
        self.docker_ok(&arguments).await
    }

    /// Removes containers and images that carry `label` (`key` or `key=value`): what a test made, by its mark.
    pub async fn remove_labelled(&self, label: &str) {
        let filter = format!("label={label}");
        let containers = self.docker_ok(&["ps", "--all", "--quiet", "--filter", &filter]).await;
        if !containers.is_empty() {
            let names: Vec<&str> = containers.split_whitespace().collect();
            self.docker(&[&["rm", "--force", "--volumes"], names.as_slice()].concat()).await;
        }
        let images = self.docker_ok(&["images", "--all", "--quiet", "--filter", &filter]).await;
        if !images.is_empty() {
            let names: Vec<&str> = images.split_whitespace().collect();
            self.docker(&[&["rmi", "--force"], names.as_slice()].concat()).await;
        }
    }
}

/// An image in the engine that builds can start `FROM` without any network.
#[derive(Debug, Clone)]
pub struct BaseImage {
    reference: String,
}

impl BaseImage {
    /// Returns `slipway-test/busybox:1`, made from Debian's busybox-static when the engine does not have it yet.
    /// It has `sh` and all of busybox' programs, `httpd` among them. Panics with what is missing.
    pub async fn busybox(engine: &Engine) -> Self {
        let reference = "slipway-test/busybox:1".to_owned();
        if engine.image_id(&reference).await.is_none() {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../scripts/engine");
            let output = Command::new(script)
                .arg("busybox")
                .env("DOCKER_HOST", engine.endpoint())
                .stdin(Stdio::null())
                .output()
                .await
                .expect("scripts/engine can be started");
            assert!(
                output.status.success(),
                "{reference} could not be made: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Self { reference }
    }

    /// Returns the name to write after `FROM`.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }
}
