//! The engine's status messages as Slipway's events.

use super::dockerfile_lines::DockerfileLines;
use super::step_name;
use crate::build_errors::clean;
use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog, VertexStatus, VertexWarning};
use chrono::{DateTime, Utc};
use slipway_core::log::{BuildEvent, LogStream, StepKey, StepUpdate};
use slipway_core::mask::Masker;
use slipway_core::{Failure, Secret};
use std::collections::{HashMap, HashSet};

/// How the engine ends a log that it cuts; what follows is lost.
const CLIPPED: &[u8] = b"[output clipped, log limit ";

/// What is known of a build's steps.
pub(crate) struct Progress {
    steps: HashMap<String, StepUpdate>,
    failed: Option<String>,
    clipped: HashSet<String>,
    lines: DockerfileLines,
    masker: Masker,
}

impl Progress {
    /// Begins with nothing; reads the Dockerfile for its lines.
    pub(crate) fn new(dockerfile: &[u8], secrets: &[(String, Secret)]) -> Self {
        let secrets: Vec<Secret> = secrets.iter().map(|(_, secret)| secret.clone()).collect();
        Self {
            steps: HashMap::new(),
            failed: None,
            clipped: HashSet::new(),
            lines: DockerfileLines::read(dockerfile),
            masker: Masker::new(&secrets).0,
        }
    }

    /// Returns the step that failed, as it is known now.
    pub(super) fn failed_step(&self) -> Option<&StepUpdate> {
        self.failed.as_ref().and_then(|key| self.steps.get(key))
    }

    /// Takes secrets out of a failure's words.
    pub(super) fn conceal(&self, mut failure: Failure) -> Failure {
        failure.message = self.text(&failure.message);
        failure.details.values_mut().for_each(|value| *value = self.text(value));
        failure
    }

    /// Translates a message. A step comes whole each time that it changed.
    pub(crate) fn events(&mut self, update: StatusResponse) -> Vec<BuildEvent> {
        let mut events = Vec::new();
        for vertex in update.vertexes {
            let step = self.step(vertex);
            if step.error.as_ref().is_some_and(|error| !error.contains("context canceled")) {
                self.failed = Some(step.key.0.clone());
            }
            if self.steps.get(&step.key.0) != Some(&step) {
                self.steps.insert(step.key.0.clone(), step.clone());
                events.push(BuildEvent::Step(step));
            }
        }
        for status in update.statuses {
            events.extend(self.transfer(status));
        }
        for log in update.logs {
            self.log(log, &mut events);
        }
        for warning in update.warnings {
            events.push(self.warning(warning));
        }
        events
    }

    fn step(&self, vertex: Vertex) -> StepUpdate {
        let name = step_name::parse(&vertex.name);
        let lines = name.position.and_then(|position| self.lines.of(name.stage.as_deref(), position));
        StepUpdate {
            key: StepKey(vertex.digest),
            name: self.text(&vertex.name),
            stage: name.stage,
            position: name.position,
            internal: name.position.is_none(),
            started: vertex.started.and_then(time),
            completed: vertex.completed.and_then(time),
            cached: vertex.cached,
            error: Some(vertex.error).filter(|error| !error.is_empty()).map(|error| self.text(&error)),
            lines,
        }
    }

    fn transfer(&self, status: VertexStatus) -> Option<BuildEvent> {
        let item = if status.name.is_empty() { status.id } else { status.name };
        Some(BuildEvent::Progress {
            key: StepKey(status.vertex),
            item: self.text(&item),
            current: u64::try_from(status.current).ok()?,
            total: u64::try_from(status.total).unwrap_or(0),
        })
    }

    fn log(&mut self, log: VertexLog, events: &mut Vec<BuildEvent>) {
        let marker = marker(&log.msg);
        let key = StepKey(log.vertex);
        events.push(BuildEvent::Log {
            key: key.clone(),
            stream: if log.stream == 2 { LogStream::Err } else { LogStream::Out },
            bytes: log.msg.into(),
            at: log.timestamp.and_then(time),
        });
        if let Some(marker) = marker
            && self.clipped.insert(key.0.clone())
        {
            events.push(BuildEvent::Clipped { key, marker });
        }
    }

    fn warning(&self, warning: VertexWarning) -> BuildEvent {
        let line =
            warning.ranges.first().and_then(|range| range.start).and_then(|start| u32::try_from(start.line).ok());
        BuildEvent::Warning {
            key: Some(StepKey(warning.vertex)).filter(|key| !key.0.is_empty()),
            message: self.text(&String::from_utf8_lossy(&warning.short)),
            line,
        }
    }

    /// Foreign words without control characters and secrets. A secret that is torn by such characters is whole without them.
    fn text(&self, words: &str) -> String {
        self.masker.mask_text(&clean(&self.masker.mask_text(words)))
    }
}

/// Finds the engine's clip marker in a piece of a log.
fn marker(piece: &[u8]) -> Option<String> {
    let start = piece.windows(CLIPPED.len()).position(|window| window == CLIPPED)?;
    let line = piece[start..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    Some(clean(&String::from_utf8_lossy(line)))
}

fn time(stamp: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(stamp.seconds, u32::try_from(stamp.nanos).ok()?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn vertex(name: &str, error: &str) -> Vertex {
        Vertex { digest: "sha256:1".into(), name: name.into(), error: error.into(), ..Default::default() }
    }

    fn update(vertexes: Vec<Vertex>, logs: Vec<&[u8]>) -> StatusResponse {
        let log =
            |msg: &[u8]| VertexLog { vertex: "sha256:1".into(), stream: 1, msg: msg.to_vec(), ..Default::default() };
        StatusResponse { vertexes, logs: logs.into_iter().map(log).collect(), ..Default::default() }
    }

    #[test]
    fn a_step_is_told_when_it_changed_and_the_last_state_wins() {
        let mut progress = Progress::new(b"FROM x\nRUN a\n", &[]);
        let told = |events: Vec<BuildEvent>| events.len();
        assert_eq!(told(progress.events(update(vec![vertex("[2/2] RUN a", "")], vec![]))), 1);
        assert_eq!(told(progress.events(update(vec![vertex("[2/2] RUN a", "")], vec![]))), 0);
        assert!(progress.failed_step().is_none());
        assert_eq!(told(progress.events(update(vec![vertex("[2/2] RUN a", "exit code: 1")], vec![]))), 1);
        assert_eq!(progress.failed_step().unwrap().lines, Some((2, 2)));
        progress.events(update(vec![Vertex { digest: "sha256:2".into(), ..vertex("x", "context canceled") }], vec![]));
        assert_eq!(progress.failed_step().unwrap().name, "[2/2] RUN a", "what was stopped did not fail");
    }

    #[test]
    fn the_engines_clip_marker_is_told_once_per_step() {
        let mut progress = Progress::new(b"", &[]);
        let piece: &[u8] = b"last\n[output clipped, log limit 100KiB/s reached]\nnext";
        let events = progress.events(update(vec![], vec![b"first", piece, piece]));
        let markers: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                BuildEvent::Clipped { marker, .. } => Some(marker.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!((events.len(), markers), (4, vec!["[output clipped, log limit 100KiB/s reached]"]));
    }

    #[test]
    fn t09_secrets_and_control_characters_leave_names_and_errors() {
        let mut progress = Progress::new(b"", &[("npm".into(), Secret::new("hunter2-hunter2"))]);
        let events =
            progress.events(update(vec![vertex("RUN \u{1b}[1mhunter2-hunter2\nx", "hunter2-hunter2 failed")], vec![]));
        let BuildEvent::Step(step) = &events[0] else { panic!("{events:?}") };
        assert!(!format!("{step:?}").contains("hunter2") && !step.name.contains(['\u{1b}', '\n']), "{step:?}");
        let failure = progress.conceal(Failure::internal("hunter2-hunter2").with("step", "hunter2-hunter2"));
        assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
    }
}
