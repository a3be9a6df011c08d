//! Programs of `tests/hosts`, run by Node in a process of their own.

use serde_json::Value;
use slipway_testkit::OwnedProcess;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// A running program; ends with its owner.
pub(crate) struct NodeProgram {
    _process: OwnedProcess,
    /// Its address.
    pub(crate) url: String,
}

impl NodeProgram {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap();
        let folder = root.join("tests/hosts");
        assert!(folder.join("node_modules/emulate").is_dir(), "the emulators are missing: run 'make setup'");
        let with_node = root.join("scripts/with-node");
        let mut process = OwnedProcess::start(with_node.to_str().unwrap(), "it is part of the project", |command| {
            command.arg("node").args(arguments).current_dir(&folder).stdout(Stdio::piped());
        });
        let output = process.child().stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines();
        let first = tokio::time::timeout(std::time::Duration::from_secs(60), lines.next_line()).await;
        let first = first.expect("the program starts in time").unwrap().expect("the program says where it is");
        let said: Value = serde_json::from_str(&first).unwrap();
        // The pipe stays open: a program that prints more must not stop for it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { _process: process, url: said["url"].as_str().unwrap().to_owned() }
    }
}
