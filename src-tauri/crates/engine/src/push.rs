//! Pushing one tag: our own call, because per-layer progress and the digest matter (`reference/registries.md` section 2).

use crate::client::{EngineClient, encode, printable};
use crate::registry_errors::{classify, from_status, status_in};
use crate::transfer::{Direction, Line, Transfer};
use slipway_core::image::{Digest, ImageReference, RegistryLogin};
use slipway_core::log::{LayerState, PushProgress};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Pushes one tag and returns the digest that the engine reports.
pub(crate) async fn push(
    client: &EngineClient,
    deadlines: &Deadlines,
    target: &ImageReference,
    login: &RegistryLogin,
    progress: mpsc::Sender<PushProgress>,
    cancel: &CancellationToken,
) -> Result<Option<Digest>, Failure> {
    // Without a tag the engine would push every tag of the repository.
    let tag = target
        .tag
        .as_ref()
        .ok_or_else(|| Failure::new(ErrorCode::BadImageReference, format!("{target} has no tag to push")))?;
    let path = format!("/images/{}/push?tag={}", encode(&target.repository()), encode(tag.as_str()));
    let mut outcome = Outcome::default();
    let progress = Some(progress);
    let transfer = Transfer { client, deadlines, direction: Direction::Push, image: target, login, progress, cancel };
    let result = transfer.run(&path, refused, |line| outcome.read(line, tag.as_str())).await;
    result.map_err(|failure| failure.with("host", target.host.as_str()))?;
    outcome.digest.map(Some).ok_or_else(|| {
        Failure::new(ErrorCode::PushInterrupted, format!("the engine stopped reporting before {target} was pushed"))
            .with("host", target.host.as_str())
    })
}

/// What was told so far.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) digest: Option<Digest>,
}

impl Outcome {
    /// Takes one line in: progress to pass on, or the digest to keep.
    pub(crate) fn read(&mut self, line: &Line, tag: &str) -> Option<PushProgress> {
        if let Some(digest) = line.aux.as_ref().and_then(|aux| aux.get("Digest")?.as_str()) {
            self.digest = Digest::new(digest).ok().or(self.digest.take());
        }
        let status = line.status.as_deref()?;
        let Some(layer) = &line.id else {
            // Only the containerd store's way of telling: it has no aux.
            if let Some(digest) = digest_in(status, tag) {
                self.digest.get_or_insert(digest);
            }
            return None;
        };
        let state = match status {
            "Pushing" => LayerState::Pushing,
            "Pushed" => LayerState::Pushed,
            "Layer already exists" => LayerState::Exists,
            other if other.starts_with("Mounted from") => LayerState::Mounted,
            // "Preparing", "Waiting", "Retrying in 5 seconds", and what later engines may say.
            _ => LayerState::Waiting,
        };
        let bytes = |value: i64| u64::try_from(value).unwrap_or(0);
        let (current, total) = line.progress.as_ref().map_or((0, 0), |p| (bytes(p.current), bytes(p.total)));
        Some(PushProgress { layer: printable(layer), state, current, total })
    }
}

/// Reads `v1: digest: sha256:… size: 1356`.
fn digest_in(status: &str, tag: &str) -> Option<Digest> {
    let rest = status.strip_prefix(tag)?.strip_prefix(": digest: ")?;
    Digest::new(rest.split_whitespace().next()?).ok()
}

/// Explains what the engine or the registry behind it says.
pub(crate) fn refused(text: &str, status: Option<u16>) -> Failure {
    let text = printable(text);
    let code = classify(&text)
        .or_else(|| is_cut_short(&text).then_some(ErrorCode::PushInterrupted))
        .or_else(|| status.and_then(from_status))
        .unwrap_or(ErrorCode::EngineError);
    Failure::new(code, format!("the push failed: {text}")).with("engine_message", text)
}

/// Whether somebody between, or a registry in the middle of something else, answered what no registry answers for good: the same
/// push is well the next time.
fn is_cut_short(text: &str) -> bool {
    let text = text.to_lowercase();
    // A success without the digest that a registry names: the page of a captive portal or of a proxy.
    text.contains("invalid checksum digest format")
        // A refusal that is not a registry's words, but for those that say the same the next time.
        || (text.contains("error parsing http ") && !matches!(status_in(&text), Some(405 | 415)))
        // containerd, when two pushes bring the same layer at once.
        || (text.contains("unexpected status") && text.contains("400 bad request") && !text.contains("/manifests/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn read_all(lines: &[&str]) -> (Vec<PushProgress>, Outcome) {
        let mut outcome = Outcome::default();
        let read = |line: &&str| outcome.read(&Line::read(line.as_bytes()).unwrap().unwrap(), "v1");
        (lines.iter().filter_map(read).collect(), outcome)
    }

    #[test]
    fn layers_and_digest_of_the_graph_driver_store() {
        let aux = format!(r#"{{"progressDetail":{{}},"aux":{{"Tag":"v1","Digest":"{DIGEST}","Size":1356}}}}"#);
        let (events, outcome) = read_all(&[
            r#"{"status":"The push refers to repository [127.0.0.1:5000/app]"}"#,
            r#"{"status":"Preparing","progressDetail":{},"id":"l1"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":10,"total":5},"progress":"[=>]","id":"l1"}"#,
            r#"{"status":"Pushed","progressDetail":{},"id":"l1"}"#,
            r#"{"status":"Layer already exists","progressDetail":{},"id":"l2"}"#,
            r#"{"status":"Mounted from team/base","progressDetail":{},"id":"l3"}"#,
            &aux,
        ]);
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
        let (_, outcome) = read_all(&[notice, &status]);
        assert_eq!(outcome.digest.unwrap().as_str(), DIGEST);
    }

    #[test]
    fn f13_answers_of_somebody_between_interrupt_a_push() {
        for (text, code) in [
            ("invalid checksum digest format", ErrorCode::PushInterrupted),
            ("error parsing HTTP 400 response body: unexpected end of JSON input: \"\"", ErrorCode::PushInterrupted),
            (
                "error parsing HTTP 400 response body: invalid character 'g' looking for beginning of value: \"gateway\"",
                ErrorCode::PushInterrupted,
            ),
            (
                "failed commit on ref \"layer-sha256:a\": unexpected status from PUT request to http://r/v2/a/blobs/uploads/1?digest=x: 400 Bad Request",
                ErrorCode::PushInterrupted,
            ),
            // The pipeline tries this again too, for an hour.
            (
                "error parsing HTTP 400 response body: invalid character '<' looking for beginning of value: \"<html>\"",
                ErrorCode::NotARegistry,
            ),
            ("error parsing HTTP 413 response body: unexpected end of JSON input: \"\"", ErrorCode::ManifestInvalid),
            ("error parsing HTTP 405 response body: unexpected end of JSON input: \"\"", ErrorCode::EngineError),
            ("received unexpected HTTP status: 502 Bad Gateway", ErrorCode::RegistryServerError),
            ("error parsing HTTP 403 response body: unexpected end of JSON input: \"\"", ErrorCode::RegistryDenied),
            (
                "failed commit on ref \"manifest-sha256:a\": unexpected status from PUT request to http://r/v2/a/manifests/v1: 400 Bad Request",
                ErrorCode::EngineError,
            ),
        ] {
            assert_eq!(refused(text, None).code, code, "{text}");
        }
    }

    #[test]
    fn the_words_decide_before_the_status_that_came_with_them() {
        for (text, status, code) in [
            ("denied: nope", None, ErrorCode::RegistryDenied),
            ("no basic auth credentials", Some(500), ErrorCode::RegistryUnauthorized),
            ("never seen", Some(503), ErrorCode::RegistryServerError),
            ("never seen", None, ErrorCode::EngineError),
        ] {
            assert_eq!(refused(text, status).code, code, "{text}");
        }
    }
}
