//! Emulated code hosts: programs of `tests/hosts`, run by Node in processes of their own.

use crate::OwnedProcess;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// A running program; ends with its owner.
#[derive(Debug)]
pub struct NodeProgram {
    /// Its address.
    pub url: String,
    _process: OwnedProcess,
    // Kept for its Drop: what the program leaves behind when it is killed.
    _folder: TempDir,
}

impl NodeProgram {
    /// Starts a program with these arguments, the first of which is its file.
    ///
    /// # Panics
    /// When it does not say where it listens within a minute.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[]).await
    }

    /// Starts a program with more environment variables.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).expect("the project is above its crates");
        let folder = root.join("tests/hosts");
        assert!(folder.join("node_modules/emulate").is_dir(), "the emulators are missing: run 'make setup'");
        let with_node = root.join("scripts/with-node");
        let temporary = TempDir::new().expect("a temporary folder can be made");
        let program = with_node.to_str().expect("the project's path is text");
        let mut process = OwnedProcess::start(program, "it is part of the project", |command| {
            command.arg("node").args(arguments).current_dir(&folder).stdout(Stdio::piped());
            command.env("TMPDIR", temporary.path()).envs(environment.iter().copied());
        });
        let output = process.child().stdout.take().expect("it was piped");
        let mut lines = BufReader::new(output).lines();
        let first = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
        let first = first.expect("the program starts in time").expect("its output can be read");
        let said: Value =
            serde_json::from_str(&first.expect("the program says where it is")).expect("it says so in JSON");
        let url = said["url"].as_str().expect("it has an address").to_owned();
        // The pipe stays open: a program that prints more must not stop for it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { url, _process: process, _folder: temporary }
    }
}
