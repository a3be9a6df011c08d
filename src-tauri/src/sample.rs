//! `--sample`: the window opens on a build of the bundled sample, and the end of it is said on the standard output, for who
//! started the program to try it out.

use crate::shell::Shell;
use serde_json::{Value, json};
use slipway_api::{Api, Event, Failure};
use std::io::Write as _;
use tauri::{AppHandle, Manager as _};

/// Builds the sample, shows its page, and says how it ended.
pub(crate) fn start(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let ended = build(&app).await;
        let line = match ended {
            Ok(build) if build["state"] == "succeeded" => "sample: succeeded".to_owned(),
            Ok(build) => format!("sample: {}: {}", text(&build["state"]), text(&build["failure"]["message"])),
            Err(failure) => format!("sample: failed: {}", failure.message),
        };
        // Whoever wanted to know may be gone.
        let _ = writeln!(std::io::stdout(), "{line}");
    });
}

async fn build(app: &AppHandle) -> Result<Value, Failure> {
    let api = app.state::<Api>();
    let mut messages = std::pin::pin!(api.subscribe());
    let id = api.call("sample.build", json!({})).await?["build"].clone();
    app.state::<Shell>().lead_to(format!("/builds/{id}"));
    loop {
        let build = api.call("builds.get", json!({ "id": id })).await?;
        if !matches!(build["state"].as_str(), Some("queued" | "running" | "paused")) {
            return Ok(build);
        }
        while let Some(message) = futures::StreamExt::next(&mut messages).await {
            if matches!(message.event, Event::BuildChanged { .. } | Event::Lagged) {
                break;
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
