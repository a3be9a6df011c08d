//! What pushing and pulling have in common: an answer of status 200 whose lines tell what happens to each layer, failures
//! among them, and a connection that stops the transfer when it closes.

use crate::client::{EngineClient, registry_auth, request};
use http_body_util::BodyExt;
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::log::PushProgress;
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The longest line of a report; the engine's are a few hundred bytes.
pub(crate) const MAX_LINE: usize = 1024 * 1024;

/// One image on its way between the engine and a registry.
pub(crate) struct Transfer<'a> {
    pub(crate) client: &'a EngineClient,
    pub(crate) deadlines: &'a Deadlines,
    pub(crate) direction: Direction,
    pub(crate) image: &'a ImageReference,
    pub(crate) login: &'a RegistryLogin,
    /// Where to tell what happens to the layers; nobody listening is no reason to stop.
    pub(crate) progress: Option<mpsc::Sender<PushProgress>>,
    pub(crate) cancel: &'a CancellationToken,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Push,
    Pull,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Pull => "pull",
        }
    }

    /// Returns how long the whole may take, and what that deadline is called.
    fn deadline(self, deadlines: &Deadlines) -> (&'static str, Duration) {
        match self {
            Self::Push => ("push", deadlines.push),
            Self::Pull => ("fetch", deadlines.fetch),
        }
    }

    fn stalled(self) -> ErrorCode {
        match self {
            Self::Push => ErrorCode::PushInterrupted,
            Self::Pull => ErrorCode::BaseImageUnreachable,
        }
    }

    /// Returns whether a layer in this state is in the engine's hands alone: unpacking may take long without a word that is new.
    fn is_here(self, status: &str) -> bool {
        let here = matches!(status, "Already exists" | "Download complete" | "Extracting" | "Pull complete");
        // Which tag it is comes in the form of a layer too.
        self == Self::Pull && (here || status.starts_with("Pulling from "))
    }
}

impl Transfer<'_> {
    /// Makes the call and reads the engine's report to its end: `each` makes progress of its lines, `refused` explains the words of
    /// a failure, with the status that came with them.
    pub(crate) async fn run(
        &self,
        path: &str,
        refused: impl Fn(&str, Option<u16>) -> Failure,
        each: impl FnMut(&Line) -> Option<PushProgress>,
    ) -> Result<(), Failure> {
        let (name, whole) = self.direction.deadline(self.deadlines);
        let result = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Err(Failure::cancelled()),
            result = tokio::time::timeout(whole, self.report(path, refused, each)) => result,
        };
        let too_long = |_| {
            let message = format!("the {} of {} took longer than {whole:?}", self.direction.name(), self.image);
            Err(Failure::new(ErrorCode::TimedOut, message)
                .with("deadline", name)
                .with("deadline_seconds", whole.as_secs().to_string()))
        };
        result.unwrap_or_else(too_long)
    }

    async fn report(
        &self,
        path: &str,
        refused: impl Fn(&str, Option<u16>) -> Failure,
        mut each: impl FnMut(&Line) -> Option<PushProgress>,
    ) -> Result<(), Failure> {
        let name = self.direction.name();
        let idle = self.deadlines.idle;
        let stalled = |_| {
            let message = format!("nothing moved for {idle:?} during the {name} of {}", self.image);
            Failure::new(self.direction.stalled(), message)
                .with("deadline", "idle")
                .with("deadline_seconds", idle.as_secs().to_string())
        };
        let mut request = request(http::Method::POST, path)?;
        request.headers_mut().insert("X-Registry-Auth", registry_auth(self.image.host.as_str(), self.login)?);
        let mut answer = tokio::time::timeout(idle, self.client.open(request)).await.map_err(stalled)??;
        let status = answer.response.status();
        if !status.is_success() {
            let body = http_body_util::Limited::new(answer.response.body_mut(), MAX_LINE);
            let body = tokio::time::timeout(idle, body.collect()).await.map_err(stalled)?;
            let text = body.map(|b| String::from_utf8_lossy(&b.to_bytes()).into_owned()).unwrap_or_default();
            return Err(refused(&text, Some(status.as_u16())));
        }
        let (mut lines, mut layers) = (Lines::default(), Layers::default());
        let mut moved = Instant::now();
        loop {
            let frame = tokio::time::timeout_at(moved + idle, answer.response.body_mut().frame()).await;
            let frame = frame.map_err(stalled)?.transpose().map_err(|error| {
                let message = format!("the connection to the engine broke during the {name}: {error}");
                Failure::new(ErrorCode::EngineLost, message)
            })?;
            let over = frame.is_none();
            if let Some(data) = frame.and_then(|frame| frame.into_data().ok()) {
                lines.push(&data)?;
            }
            while let Some(line) = lines.next(over) {
                let Some(line) = Line::read(&line)? else { continue };
                if let Some((text, status)) = line.failure() {
                    return Err(refused(text, status));
                }
                if layers.is_news(&line) || layers.are_all(|status| self.direction.is_here(status)) {
                    moved = Instant::now();
                }
                if let (Some(event), Some(progress)) = (each(&line), &self.progress) {
                    let _ = progress.send(event).await;
                }
            }
            if over {
                return Ok(());
            }
        }
    }
}

/// One line of a report.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Line {
    pub(crate) status: Option<String>,
    /// Short id of a layer.
    pub(crate) id: Option<String>,
    #[serde(rename = "progressDetail")]
    pub(crate) progress: Option<Transferred>,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
    error: Option<String>,
    pub(crate) aux: Option<serde_json::Value>,
}

/// How far a layer is, in bytes.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Transferred {
    #[serde(default)]
    pub(crate) current: i64,
    #[serde(default)]
    pub(crate) total: i64,
}

#[derive(Debug, serde::Deserialize)]
struct ErrorDetail {
    code: Option<u16>,
    message: Option<String>,
}

impl Line {
    /// Reads a line; `None` when it is empty.
    pub(crate) fn read(line: &[u8]) -> Result<Option<Self>, Failure> {
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(line).map(Some).map_err(|error| {
            Failure::new(ErrorCode::EngineError, format!("the engine's report cannot be read: {error}"))
        })
    }

    /// Returns the words of a failure and the status that came with them.
    pub(crate) fn failure(&self) -> Option<(&str, Option<u16>)> {
        let detail = self.error_detail.as_ref();
        let text = detail.and_then(|detail| detail.message.as_ref()).or(self.error.as_ref())?;
        Some((text, detail.and_then(|detail| detail.code)))
    }
}

/// What was last told of each layer, word and bytes. The containerd store repeats itself ten times a second while nothing moves.
#[derive(Default)]
struct Layers(HashMap<String, (String, i64)>);

impl Layers {
    /// Takes a line in; returns whether it tells something new.
    fn is_news(&mut self, line: &Line) -> bool {
        let (Some(layer), Some(status)) = (&line.id, &line.status) else { return true };
        let news = (status.clone(), line.progress.as_ref().map_or(0, |progress| progress.current));
        self.0.insert(layer.clone(), news.clone()).is_none_or(|before| before != news)
    }

    fn are_all(&self, state: impl Fn(&str) -> bool) -> bool {
        self.0.values().all(|(status, _)| state(status))
    }
}

/// Cuts a byte stream into lines.
#[derive(Default)]
pub(crate) struct Lines {
    buffer: bytes::BytesMut,
}

impl Lines {
    pub(crate) fn push(&mut self, data: &[u8]) -> Result<(), Failure> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() > MAX_LINE && !self.buffer.contains(&b'\n') {
            return Err(Failure::new(ErrorCode::EngineError, "the engine sent an endless line during a transfer"));
        }
        Ok(())
    }

    /// Returns the next line; when the stream is over, also what has no end.
    pub(crate) fn next(&mut self, over: bool) -> Option<bytes::BytesMut> {
        let end = self.buffer.iter().position(|b| *b == b'\n').map(|end| end + 1);
        let end = end.or_else(|| (over && !self.buffer.is_empty()).then_some(self.buffer.len()))?;
        Some(self.buffer.split_to(end))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(text: &str) -> Line {
        Line::read(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn f12_what_is_only_repeated_does_not_move() {
        let mut layers = Layers::default();
        let mut moves = |text: &str| layers.is_news(&line(text));
        let waiting = r#"{"status":"Waiting","progressDetail":{},"id":"l1"}"#;
        let pushing = |bytes: u32| {
            format!(r#"{{"status":"Pushing","progressDetail":{{"current":{bytes},"total":9}},"id":"l1"}}"#)
        };
        let lines = [waiting, waiting, &pushing(1), &pushing(1), &pushing(2), waiting];
        assert_eq!(lines.map(&mut moves), [true, false, true, false, true, true]);
        assert!(moves(r#"{"status":"The push refers to repository [127.0.0.1:5000/app]"}"#));
    }

    #[test]
    fn f12_an_engine_that_unpacks_is_not_stalled_and_one_that_waits_for_a_layer_is() {
        let mut layers = Layers::default();
        let mut here = |text: &str| {
            layers.is_news(&line(text));
            layers.are_all(|status| Direction::Pull.is_here(status))
        };
        assert!(here(r#"{"status":"Pulling from team/app","id":"v1"}"#));
        assert!(here(r#"{"status":"Download complete","id":"l1"}"#));
        assert!(!here(r#"{"status":"Downloading","progressDetail":{"current":1},"id":"l2"}"#));
        assert!(here(r#"{"status":"Extracting","id":"l2"}"#));
        assert!(!Direction::Push.is_here("Download complete"));
    }

    #[test]
    fn failures_are_told_in_two_ways() {
        let told = |text: &str| line(text).failure().map(|(text, status)| (text.to_owned(), status));
        assert_eq!(told(r#"{"errorDetail":{"message":"no"},"error":"no"}"#), Some(("no".into(), None)));
        assert_eq!(told(r#"{"errorDetail":{"code":503,"message":"no"}}"#), Some(("no".into(), Some(503))));
        assert_eq!(told(r#"{"error":"no"}"#), Some(("no".into(), None)));
        assert_eq!(told(r#"{"status":"Pushed","id":"l1"}"#), None);
        assert!(Line::read(b"\r\n").unwrap().is_none());
        assert_eq!(Line::read(b"<html>").unwrap_err().code, ErrorCode::EngineError);
    }

    #[test]
    fn f12_an_endless_line_is_not_kept() {
        let mut lines = Lines::default();
        assert!(lines.push(&vec![b'x'; MAX_LINE]).is_ok());
        assert_eq!(lines.push(b"x").unwrap_err().code, ErrorCode::EngineError);
    }

    #[test]
    fn lines_are_put_together_across_chunks() {
        let mut lines = Lines::default();
        lines.push(b"{\"a\"").unwrap();
        assert!(lines.next(false).is_none());
        lines.push(b":1}\r\n{").unwrap();
        assert_eq!(&lines.next(false).unwrap()[..], b"{\"a\":1}\r\n");
        assert!(lines.next(false).is_none());
        assert_eq!(&lines.next(true).unwrap()[..], b"{");
        assert!(lines.next(true).is_none());
    }
}
