//! B5: a log of 1.3 million lines in the console, measured in Chromium in front of the running program.

use crate::figures::{Figure, median};
use serde_json::Value;
use std::path::Path;
use tokio::process::Command;

/// `B5.open`, `B5.search`, `B5.memory`, as `tests/browser/log_speed.mjs` takes them with the release build.
pub(crate) async fn open_search_memory() -> [Figure; 3] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(root.join("scripts/with-node"))
        .args(["node", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"])
        .arg(root.join("tests/browser/log_speed.mjs"))
        .env("SLIPWAY_PROFILE", "release")
        .kill_on_drop(true)
        .output()
        .await
        .expect("scripts/with-node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let reason = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the console's log was not measured: {}",
        reason.lines().last().unwrap_or_default()
    );
    let taken: Value = serde_json::from_str(said.lines().last().unwrap_or_default()).expect("it prints JSON");
    let times =
        |name: &str| -> Vec<f64> { taken[name].as_array().into_iter().flatten().filter_map(Value::as_f64).collect() };
    let time = |name: &str| {
        let times = times(name);
        let slowest = times.iter().copied().fold(0.0, f64::max);
        let ours = median(&times);
        Figure {
            value: ours,
            ours_ms: Some(ours),
            peer_ms: None,
            runs: times.len(),
            note: format!("slowest {slowest:.0} ms"),
        }
    };
    let memory = Figure {
        value: taken["memory"].as_f64().expect("the growth is a number"),
        ours_ms: None,
        peer_ms: None,
        runs: 1,
        note: format!("a log of {} bytes; program and browser together", taken["bytes"]),
    };
    [time("open"), time("search"), memory]
}
