//! An engine of the test's own, apart from all others: for tests that change the engine itself, such as making it a swarm.

use crate::Engine;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A Docker engine with a network namespace and data of its own (`scripts/engine with-own-engine`, which needs root or sudo).
/// Only one test at a time has it; others wait. Dropping it stops the engine.
#[derive(Debug)]
pub struct OwnEngine {
    engine: Engine,
    process: Child,
}

impl OwnEngine {
    /// Starts it. Panics with the script's words when it does not come up.
    pub async fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../scripts/engine");
        // It lives until its standard input ends, so it also stops when the test is killed.
        let mut process = Command::new(script)
            .args(["with-own-engine", "sh", "-c", "echo \"$DOCKER_HOST\"; read -r _"])
            .env("SLIPWAY_ENGINE_DATA", "swarm-data")
            // Also from within another engine's namespace: two of them do not share one.
            .env_remove("SLIPWAY_ENGINE_NAMESPACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("scripts/engine can be started");
        let output = process.stdout.take().expect("it was piped");
        let endpoint = tokio::task::spawn_blocking(move || BufReader::new(output).lines().next())
            .await
            .expect("reading a line does not panic");
        let Some(Ok(endpoint)) = endpoint else {
            let words = process.wait_with_output().expect("it ended");
            panic!("no engine of our own: {}", String::from_utf8_lossy(&words.stderr));
        };
        let engine = Engine::at(endpoint).await;
        // What an earlier test that was killed left in it.
        engine.docker(&["swarm", "leave", "--force"]).await;
        Self { engine, process }
    }

    /// Returns the engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Makes the engine the only node of a swarm.
    pub async fn make_swarm(&self) {
        self.engine.docker_ok(&["swarm", "init", "--advertise-addr", "127.0.0.1"]).await;
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // Whether it ends well says nothing about the test.
        let _ = self.process.wait();
    }
}
