//! Pushing one tag: our own call, because per-layer progress and the digest matter (`reference/registries.md` section 2).
//! Failures come inside an answer of status 200; closing the connection stops the push.

use crate::client::{EngineClient, encode, printable, registry_auth, request};
use crate::registry_errors::{classify, from_status};
use http_body_util::BodyExt;
use slipway_core::image::{Digest, ImageReference, RegistryLogin};
use slipway_core::log::{LayerState, PushProgress};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The longest line of the stream; the engine's are a few hundred bytes.
pub(crate) const MAX_LINE: usize = 1024 * 1024;

/// Pushes one tag and returns the digest that the engine reports.
pub(crate) async fn push(
    client: &EngineClient,
    deadlines: &Deadlines,
    target: &ImageReference,
    login: &RegistryLogin,
    progress: mpsc::Sender<PushProgress>,
    cancel: &CancellationToken,
) -> Result<Option<Digest>, Failure> {
    let transfer = transfer(client, deadlines, target, login, progress);
    let bounded = tokio::time::timeout(deadlines.push, transfer);
    let result = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(Failure::cancelled()),
        result = bounded => result,
    };
    let whole_deadline = || {
        Failure::new(ErrorCode::TimedOut, format!("the push of {target} took longer than {:?}", deadlines.push))
            .with("deadline", "push")
            .with("deadline_seconds", deadlines.push.as_secs().to_string())
    };
    result.unwrap_or_else(|_| Err(whole_deadline())).map_err(|failure| failure.with("host", target.host.as_str()))
}

async fn transfer(
    client: &EngineClient,
    deadlines: &Deadlines,
    target: &ImageReference,
    login: &RegistryLogin,
    progress: mpsc::Sender<PushProgress>,
) -> Result<Option<Digest>, Failure> {
    // Without a tag the engine would push every tag of the repository.
    let tag = target
        .tag
        .as_ref()
        .ok_or_else(|| Failure::new(ErrorCode::BadImageReference, format!("{target} has no tag to push")))?;
    let path = format!("/images/{}/push?tag={}", encode(&target.repository()), encode(tag.as_str()));
    let mut request = request(http::Method::POST, &path)?;
    request.headers_mut().insert("X-Registry-Auth", registry_auth(target.host.as_str(), login)?);

    let stalled = || {
        Failure::new(
            ErrorCode::PushInterrupted,
            format!("nothing moved for {:?} while pushing {target}", deadlines.idle),
        )
        .with("deadline", "idle")
        .with("deadline_seconds", deadlines.idle.as_secs().to_string())
    };
    let mut answer = tokio::time::timeout(deadlines.idle, client.open(request)).await.map_err(|_| stalled())??;
    let status = answer.response.status();
    if !status.is_success() {
        let body = http_body_util::Limited::new(answer.response.body_mut(), MAX_LINE);
        let body = tokio::time::timeout(deadlines.idle, body.collect()).await.map_err(|_| stalled())?;
        let text = body.map(|b| String::from_utf8_lossy(&b.to_bytes()).into_owned()).unwrap_or_default();
        return Err(refused(&text, Some(status.as_u16())));
    }

    let mut lines = Lines::default();
    let mut outcome = Outcome::default();
    loop {
        let frame = tokio::time::timeout(deadlines.idle, answer.response.body_mut().frame()).await;
        let Some(frame) = frame.map_err(|_| stalled())? else { break };
        let frame = frame.map_err(|error| {
            Failure::new(ErrorCode::EngineLost, format!("the connection to the engine broke during the push: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        lines.push(&data)?;
        while let Some(line) = lines.next() {
            if let Some(event) = outcome.read(&line, tag.as_str())? {
                // Nobody listening is no reason to stop the push.
                let _ = progress.send(event).await;
            }
        }
    }
    if let Some(event) = outcome.read(&lines.rest(), tag.as_str())? {
        let _ = progress.send(event).await;
    }
    outcome.digest.map(Some).ok_or_else(|| {
        Failure::new(ErrorCode::PushInterrupted, format!("the engine stopped reporting before {target} was pushed"))
    })
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

    pub(crate) fn next(&mut self) -> Option<bytes::BytesMut> {
        let end = self.buffer.iter().position(|b| *b == b'\n')?;
        Some(self.buffer.split_to(end + 1))
    }

    pub(crate) fn rest(&mut self) -> bytes::BytesMut {
        self.buffer.split()
    }
}

#[derive(Default)]
struct Outcome {
    digest: Option<Digest>,
}

#[derive(serde::Deserialize)]
struct Line {
    status: Option<String>,
    id: Option<String>,
    #[serde(rename = "progressDetail")]
    progress: Option<Transferred>,
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
    error: Option<String>,
    aux: Option<serde_json::Value>,
}

#[derive(serde::Deserialize)]
struct Transferred {
    #[serde(default)]
    current: i64,
    #[serde(default)]
    total: i64,
}

#[derive(serde::Deserialize)]
struct ErrorDetail {
    code: Option<u16>,
    message: Option<String>,
}

impl Outcome {
    /// Takes one line in: progress to pass on, the digest to keep, or the failure that ends the push.
    fn read(&mut self, line: &[u8], tag: &str) -> Result<Option<PushProgress>, Failure> {
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            Failure::new(ErrorCode::EngineError, format!("the engine's push report cannot be read: {error}"))
        })?;
        let code = line.error_detail.as_ref().and_then(|detail| detail.code);
        if let Some(text) = line.error_detail.and_then(|detail| detail.message).or(line.error) {
            return Err(refused(&text, code));
        }
        if let Some(digest) = line.aux.as_ref().and_then(|aux| aux.get("Digest")?.as_str()) {
            self.digest = Digest::new(digest).ok().or(self.digest.take());
        }
        let Some(status) = line.status else { return Ok(None) };
        let Some(layer) = line.id else {
            // Only the containerd store's way of telling: it has no aux.
            if let Some(digest) = digest_in(&status, tag) {
                self.digest.get_or_insert(digest);
            }
            return Ok(None);
        };
        let state = match status.as_str() {
            "Pushing" => LayerState::Pushing,
            "Pushed" => LayerState::Pushed,
            "Layer already exists" => LayerState::Exists,
            other if other.starts_with("Mounted from") => LayerState::Mounted,
            // "Preparing", "Waiting", "Retrying in 5 seconds", and what later engines may say.
            _ => LayerState::Waiting,
        };
        let bytes = |value: i64| u64::try_from(value).unwrap_or(0);
        let (current, total) = line.progress.map_or((0, 0), |p| (bytes(p.current), bytes(p.total)));
        Ok(Some(PushProgress { layer: printable(&layer), state, current, total }))
    }
}

/// Reads `v1: digest: sha256:… size: 1356`.
fn digest_in(status: &str, tag: &str) -> Option<Digest> {
    let rest = status.strip_prefix(tag)?.strip_prefix(": digest: ")?;
    Digest::new(rest.split_whitespace().next()?).ok()
}

fn refused(text: &str, status: Option<u16>) -> Failure {
    let text = printable(text);
    let code = classify(&text).or_else(|| status.and_then(from_status)).unwrap_or(ErrorCode::EngineError);
    Failure::new(code, format!("the push failed: {text}")).with("engine_message", text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn read_all(lines: &[&str]) -> (Vec<PushProgress>, Outcome, Option<Failure>) {
        let mut outcome = Outcome::default();
        let mut events = Vec::new();
        for line in lines {
            match outcome.read(line.as_bytes(), "v1") {
                Ok(event) => events.extend(event),
                Err(failure) => return (events, outcome, Some(failure)),
            }
        }
        (events, outcome, None)
    }

    #[test]
    fn layers_and_digest_of_the_graph_driver_store() {
        let aux = format!(r#"{{"progressDetail":{{}},"aux":{{"Tag":"v1","Digest":"{DIGEST}","Size":1356}}}}"#);
        let (events, outcome, failure) = read_all(&[
            r#"{"status":"The push refers to repository [127.0.0.1:5000/app]"}"#,
            r#"{"status":"Preparing","progressDetail":{},"id":"l1"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":10,"total":5},"progress":"[=>]","id":"l1"}"#,
            r#"{"status":"Pushed","progressDetail":{},"id":"l1"}"#,
            r#"{"status":"Layer already exists","progressDetail":{},"id":"l2"}"#,
            r#"{"status":"Mounted from team/base","progressDetail":{},"id":"l3"}"#,
            &aux,
        ]);
        assert!(failure.is_none());
        let states: Vec<_> = events.iter().map(|event| (event.layer.as_str(), event.state)).collect();
        assert_eq!(
            states,
            [
                ("l1", LayerState::Waiting),
                ("l1", LayerState::Pushing),
                ("l1", LayerState::Pushed),
                ("l2", LayerState::Exists),
                ("l3", LayerState::Mounted)
            ]
        );
        assert_eq!((events[1].current, events[1].total), (10, 5));
        assert_eq!(outcome.digest.unwrap().as_str(), DIGEST);
    }

    #[test]
    fn the_containerd_store_tells_the_digest_in_its_status_only() {
        let status = format!(r#"{{"status":"v1: digest: {DIGEST} size: 1356"}}"#);
        let notice = r#"{"aux":{"manifestPushedInsteadOfIndex":true}}"#;
        let (_, outcome, failure) = read_all(&[notice, &status]);
        assert!(failure.is_none());
        assert_eq!(outcome.digest.unwrap().as_str(), DIGEST);
    }

    #[test]
    fn errors_inside_the_stream_end_the_push() {
        for (line, code) in [
            (r#"{"errorDetail":{"message":"denied: nope"},"error":"denied: nope"}"#, ErrorCode::RegistryDenied),
            (r#"{"error":"no basic auth credentials"}"#, ErrorCode::RegistryUnauthorized),
            (r#"{"errorDetail":{"code":503,"message":"never seen"}}"#, ErrorCode::RegistryServerError),
            (r#"{"error":"never seen"}"#, ErrorCode::EngineError),
            ("<html>", ErrorCode::EngineError),
        ] {
            assert_eq!(read_all(&[line]).2.unwrap().code, code, "{line}");
        }
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
        assert!(lines.next().is_none());
        lines.push(b":1}\r\n{").unwrap();
        assert_eq!(&lines.next().unwrap()[..], b"{\"a\":1}\r\n");
        assert!(lines.next().is_none());
        assert_eq!(&lines.rest()[..], b"{");
    }
}
