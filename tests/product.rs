//! The real program for flows: devhost in a process of its own, with a keychain and a data folder of its own.

use serde_json::{Value, json};
use slipway_testkit::{OwnedProcess, SecretService, TempDataDir, eventually};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// A running Slipway without a window, driven by its api.
#[derive(Debug)]
pub struct Product {
    process: OwnedProcess,
    url: String,
    token: String,
    client: reqwest::Client,
    data_dir: TempDataDir,
    keyring: SecretService,
    environment: Vec<(String, String)>,
}

impl Product {
    /// Starts with an empty data folder and an unlocked keychain.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with more environment variables (`DOCKER_HOST`, `DOCKER_CONFIG`).
    pub async fn start_with(environment: &[(&str, &str)]) -> Self {
        let environment: Vec<(String, String)> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::start_beside(SecretService::start().await, environment).await
    }

    /// Starts with an empty data folder on a system that has no keychain.
    pub async fn start_without_keychain() -> Self {
        Self::start_beside(SecretService::start_without_keyring().await, Vec::new()).await
    }

    /// Starts with an empty data folder beside this keychain.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_beside(keyring: SecretService, environment: Vec<(String, String)>) -> Self {
        let data_dir = TempDataDir::new();
        let started = launch(data_dir.path(), &keyring, &environment).await;
        let (process, url, token) = started.expect("it says where it listens before it ends");
        Self { process, url, token, client: reqwest::Client::new(), data_dir, keyring, environment }
    }

    /// Kills the program where it stands (SIGKILL) and starts it again on the same data folder.
    pub async fn kill_and_start_again(&mut self) {
        assert!(self.kill_and_start_with(&[]).await, "it says where it listens before it ends");
    }

    /// Kills the program where it stands and starts it again, this once with more environment variables. Returns false when
    /// it ended before it said where it listens.
    pub async fn kill_and_start_with(&mut self, more: &[(&str, &str)]) -> bool {
        self.process.kill().await;
        let mut environment = self.environment.clone();
        environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let started = launch(self.data_dir.path(), &self.keyring, &environment).await;
        let runs = started.is_some();
        if let Some(started) = started {
            (self.process, self.url, self.token) = started;
        }
        runs
    }

    /// Returns whether the program has ended by itself.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn has_ended(&mut self) -> bool {
        self.process.child().try_wait().expect("a child can be waited for").is_some()
    }

    /// Kills the program where it stands (SIGKILL); the data folder stays.
    pub async fn kill(&mut self) {
        self.process.kill().await;
    }

    /// Ends the keychain; the program goes on.
    pub async fn stop_keychain(&mut self) {
        self.keyring.stop_keyring().await;
    }

    /// Returns the keychain.
    pub fn keychain(&mut self) -> &mut SecretService {
        &mut self.keyring
    }

    /// Stops the program where it stands, as the sleep of the machine does, until [`Self::resume`].
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets a frozen program go on.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Returns the data folder.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    /// Returns the process id.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Runs a command; `Err` is the failure as the wire carries it.
    ///
    /// # Errors
    /// The command's failure.
    ///
    /// # Panics
    /// When the program does not answer.
    pub async fn call(&self, command: &str, request: Value) -> Result<Value, Value> {
        let response = self
            .client
            .post(format!("{}/rpc/{command}", self.url))
            .bearer_auth(&self.token)
            .json(&request)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{command}: the program does not answer: {error}"));
        let succeeded = response.status().is_success();
        let body: Value = response.json().await.unwrap_or_else(|error| panic!("{command}: no JSON: {error}"));
        if succeeded { Ok(body) } else { Err(body) }
    }

    /// As [`Self::call`]; `None` when the program ends meanwhile or does not run.
    pub async fn try_call(&self, command: &str, request: &Value) -> Option<Result<Value, Value>> {
        let request = self.client.post(format!("{}/rpc/{command}", self.url)).bearer_auth(&self.token).json(request);
        let response = request.timeout(Duration::from_secs(60)).send().await.ok()?;
        let succeeded = response.status().is_success();
        let body = response.json().await.ok()?;
        Some(if succeeded { Ok(body) } else { Err(body) })
    }

    /// Runs a command that has to succeed.
    ///
    /// # Panics
    /// With the failure, when it does not.
    pub async fn must(&self, command: &str, request: Value) -> Value {
        self.call(command, request.clone()).await.unwrap_or_else(|failure| panic!("{command} {request}: {failure}"))
    }

    /// Waits until the newest build of a repository that is not one of `known` is over, and returns its detail.
    ///
    /// # Panics
    /// When none ends within the deadline, with the last state seen.
    pub async fn finished_build(&self, repository: &Value, known: &[i64], deadline: Duration) -> Value {
        eventually("a build ends", deadline, async || {
            let page = self.must("builds.list", json!({ "repository": repository })).await;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            let newest = items
                .into_iter()
                .find(|build| !known.contains(&build["id"].as_i64().unwrap_or_default()))
                .ok_or_else(|| json!("no build yet"))?;
            match newest["state"].as_str() {
                Some("queued" | "running" | "paused") => Err(newest),
                _ => Ok(self.must("builds.get", json!({ "id": newest["id"] })).await),
            }
        })
        .await
    }

    /// Returns the text of all log lines of a build.
    ///
    /// # Panics
    /// When the program does not answer.
    pub async fn log_of(&self, build: &Value) -> String {
        let page = self.must("builds.log", json!({ "id": build, "from": 0, "count": 5000 })).await;
        let lines = page["lines"].as_array().cloned().unwrap_or_default();
        lines.iter().filter_map(|line| line["text"].as_str()).collect::<Vec<_>>().join("\n")
    }
}

async fn launch(
    data_dir: &Path,
    keyring: &SecretService,
    environment: &[(String, String)],
) -> Option<(OwnedProcess, String, String)> {
    let program = program("slipway-devhost");
    let program = program.to_str().expect("the build folder's path is text");
    let mut process = OwnedProcess::start(program, "cargo build -p slipway-devhost", |command| {
        command.arg("--data-dir").arg(data_dir).envs(keyring.environment());
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    });
    let output = process.child().stdout.take().expect("it was piped");
    let line = tokio::time::timeout(Duration::from_secs(30), BufReader::new(output).lines().next_line())
        .await
        .expect("the program starts within 30 s")
        .expect("its output can be read")?;
    let hello: Value = serde_json::from_str(&line).expect("its first line is JSON");
    let text = |name: &str| hello[name].as_str().expect("the greeting has an address and a token").to_owned();
    Some((process, text("url"), text("token")))
}

/// Returns the path of a program of this workspace that was built with the same profile as this one.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    // target/debug/deps/<test> or target/debug/<program>
    let folder = own.ancestors().skip(1).find(|folder| !folder.ends_with("deps")).expect("it lies in a folder");
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: cargo build -p {name}", path.display());
    path
}
