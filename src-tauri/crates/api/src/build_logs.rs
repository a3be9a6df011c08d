//! Commands on the logs of builds.

use crate::builds::Which;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::build_log::LogLine;
use slipway_core::ids::BuildId;
use slipway_core::log::LogStream;
use slipway_core::{ErrorCode, Failure};
use ts_rs::TS;

/// Lines of a log that one request may ask for.
const MOST_LINES: usize = 10_000;

/// Asks for lines of a log.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ReadLog")]
pub struct LogRequest {
    /// Which build.
    pub id: BuildId,
    /// From this line on; the end of the log when left out.
    #[serde(default)]
    #[ts(optional)]
    pub from: Option<u64>,
    /// How many, at most 10,000.
    pub count: usize,
    /// Of this step alone.
    #[serde(default)]
    #[ts(optional)]
    pub step: Option<u16>,
}

/// Lines of a log.
#[derive(Debug, Serialize, TS)]
pub struct LogPage {
    /// The lines.
    pub lines: Vec<LogLineView>,
    /// Lines of the whole log now.
    pub total: u64,
}

/// One line. Foreign text: shown as text, never as markup.
#[derive(Debug, Serialize, TS)]
pub struct LogLineView {
    /// Its number, from 0.
    pub number: u64,
    /// Ordinal of its step.
    pub step: Option<u16>,
    /// Which output.
    pub stream: LogStream,
    /// When, by the engine's clock.
    pub at: Option<DateTime<Utc>>,
    /// At most 16 KiB of it.
    pub text: String,
    /// The file has more of this line.
    pub clipped: bool,
}

/// Searches a log.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SearchLog")]
pub struct LogSearchRequest {
    /// Which build.
    pub id: BuildId,
    /// The exact text.
    pub text: String,
    /// Letters of both cases are the same.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub any_case: bool,
    /// Line numbers from here on.
    #[serde(default)]
    #[ts(optional, as = "Option<u64>")]
    pub from: u64,
    /// How many line numbers, at most 10,000.
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Serialize, TS)]
pub struct LogSearchView {
    /// How many lines hold the text: exact.
    pub count: u64,
    /// Their numbers.
    pub lines: Vec<u64>,
}

/// How much of a log each step wrote.
#[derive(Debug, Serialize, TS)]
pub struct StepLinesView {
    /// Ordinal of the step.
    pub step: u16,
    /// Its first line.
    pub first: u64,
    /// How many lines.
    pub count: u64,
}

impl From<LogLine> for LogLineView {
    fn from(line: LogLine) -> Self {
        Self {
            number: line.number,
            step: line.step,
            stream: line.stream,
            at: line.at,
            text: line.text,
            clipped: line.clipped,
        }
    }
}

pub(crate) async fn page(app: &Slipway, request: LogRequest) -> Result<LogPage, Failure> {
    let count = request.count.min(MOST_LINES);
    on_disk(app, move |logs| {
        let lines = match request.from {
            Some(from) => logs.page(request.id, from, count, request.step)?,
            None => logs.tail(request.id, count)?,
        };
        Ok(LogPage { lines: lines.into_iter().map(Into::into).collect(), total: logs.line_count(request.id)? })
    })
    .await
}

pub(crate) async fn search(app: &Slipway, request: LogSearchRequest) -> Result<LogSearchView, Failure> {
    if request.text.is_empty() {
        return Err(Failure::new(ErrorCode::InvalidField, "there is no text to look for").at("text"));
    }
    on_disk(app, move |logs| {
        let found =
            logs.search(request.id, &request.text, !request.any_case, request.from, request.limit.min(MOST_LINES))?;
        Ok(LogSearchView { count: found.count, lines: found.lines })
    })
    .await
}

pub(crate) async fn steps(app: &Slipway, request: Which) -> Result<Vec<StepLinesView>, Failure> {
    on_disk(app, move |logs| {
        let steps = logs.steps(request.id)?;
        Ok(steps.into_iter().map(|one| StepLinesView { step: one.step, first: one.first, count: one.count }).collect())
    })
    .await
}

/// Reads a log on a thread where blocking is allowed.
async fn on_disk<T: Send + 'static>(
    app: &Slipway,
    read: impl FnOnce(&slipway_app::build_log::BuildLogs) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let logs = std::sync::Arc::clone(app.logs());
    tokio::task::spawn_blocking(move || read(&logs)).await.map_err(Failure::internal)?
}
