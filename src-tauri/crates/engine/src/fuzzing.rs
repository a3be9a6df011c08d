//! Doors to the readers of foreign bytes, for `tests/fuzz` alone: the product does not use them.

use crate::push::{Outcome, refused};
use crate::solve::progress::Progress;
use crate::transfer::{Line, Lines};
use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus, VertexWarning};
use slipway_core::log::{BuildEvent, PushProgress, StepUpdate};
use slipway_core::{Failure, Secret};

/// What an engine says about one step.
#[derive(Debug, Default, Clone)]
pub struct SaidOfStep {
    /// The step's key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it failed with.
    pub error: String,
    /// Pieces of its output.
    pub output: Vec<Vec<u8>>,
    /// What is transferred in it.
    pub transfer: String,
    /// A warning about it.
    pub warning: Vec<u8>,
    /// Numbers of all kinds: times, amounts, lines.
    pub number: i64,
}

/// Translates what an engine says, one message for each step, of a build with this Dockerfile and this secret.
#[must_use]
pub fn build_events(dockerfile: &[u8], secret: &str, said: &[SaidOfStep]) -> Vec<BuildEvent> {
    let mut progress = Progress::new(dockerfile, &[("secret".to_owned(), Secret::new(secret))]);
    let mut events = Vec::new();
    for step in said {
        #[allow(clippy::cast_possible_truncation, reason = "any number will do")]
        let time = Some(Timestamp { seconds: step.number, nanos: step.number as i32 });
        let vertex = Vertex {
            digest: step.key.clone(),
            name: step.name.clone(),
            error: step.error.clone(),
            started: time,
            completed: time,
            ..Default::default()
        };
        let logs = step.output.iter().map(|msg| VertexLog {
            vertex: step.key.clone(),
            timestamp: time,
            stream: step.number,
            msg: msg.clone(),
        });
        let status = VertexStatus {
            vertex: step.key.clone(),
            id: step.transfer.clone(),
            current: step.number,
            total: step.number,
            ..Default::default()
        };
        let warning = VertexWarning { vertex: step.key.clone(), short: step.warning.clone(), ..Default::default() };
        let message = StatusResponse {
            vertexes: vec![vertex],
            statuses: vec![status],
            logs: logs.collect(),
            warnings: vec![warning],
        };
        events.extend(progress.events(message));
    }
    events
}

/// Reads an engine's report of a push of `tag`, which arrives in these pieces: what happens to layers, and the digest.
///
/// # Errors
/// The failure that the report tells, or that it cannot be read.
pub fn push_report(pieces: &[&[u8]], tag: &str) -> Result<(Vec<PushProgress>, Option<String>), Failure> {
    let (mut lines, mut outcome) = (Lines::default(), Outcome::default());
    let mut progress = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        lines.push(piece)?;
        while let Some(line) = lines.next(at + 1 == pieces.len()) {
            let Some(line) = Line::read(&line)? else { continue };
            if let Some((text, status)) = line.failure() {
                return Err(refused(text, status));
            }
            progress.extend(outcome.read(&line, tag));
        }
    }
    Ok((progress, outcome.digest.map(|digest| digest.to_string())))
}

/// Classes an engine's words about a build that failed in this step.
#[must_use]
pub fn build_failure(words: &str, step: Option<&StepUpdate>) -> Failure {
    crate::build_errors::from_status(&tonic::Status::unknown(words), step)
}
