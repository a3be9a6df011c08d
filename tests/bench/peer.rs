//! The other side: git and the Docker CLI with buildx, as a script of a person would call them.

use crate::place::LABEL;
use slipway_testkit::{Engine, GitRepository};
use std::path::Path;
use std::process::{Output, Stdio};
use tokio::process::Command;

/// The Docker CLI with buildx.
pub(crate) struct DockerCli {
    endpoint: String,
    config: String,
}

impl DockerCli {
    pub(crate) async fn find(engine: &Engine) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/engine");
        let output = Command::new(script).arg("buildx").stdin(Stdio::null()).output().await;
        let output = output.expect("scripts/engine can be started");
        assert!(output.status.success(), "no buildx: {}", String::from_utf8_lossy(&output.stderr));
        let config = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Self { endpoint: engine.endpoint().to_owned(), config }
    }

    /// `docker buildx build` of a folder.
    pub(crate) async fn build(&self, folder: &Path, tag: &str) {
        must(self.try_build(folder, tag).await);
    }

    /// The same, whatever becomes of it; its plain progress is in the standard error.
    pub(crate) async fn try_build(&self, folder: &Path, tag: &str) -> Output {
        let folder = folder.to_str().expect("temporary paths are UTF-8");
        self.run(&["buildx", "build", "--progress", "plain", "--label", LABEL, "--tag", tag, folder]).await
    }

    pub(crate) async fn push(&self, tag: &str) {
        must(self.run(&["push", tag]).await);
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        Command::new("docker")
            .args(arguments)
            .env("DOCKER_HOST", &self.endpoint)
            .env("DOCKER_CONFIG", &self.config)
            .env_remove("DOCKER_CONTEXT")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("the docker program can be started")
    }
}

fn must(output: Output) {
    assert!(output.status.success(), "docker: {}", String::from_utf8_lossy(&output.stderr));
}

/// Makes a clone with a work tree in `folder`, whose `origin` is `source`.
pub(crate) async fn clone(source: &GitRepository, folder: &Path) -> GitRepository {
    let path = folder.to_str().expect("temporary paths are UTF-8");
    source.git(&["clone", "--quiet", ".", path]).await;
    GitRepository::at(folder).await
}
