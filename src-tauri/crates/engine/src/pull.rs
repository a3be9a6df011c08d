//! Pulling one image: our own call, because closing the connection stops it and because failures come inside an answer of
//! status 200, as for a push.

use crate::client::{EngineClient, encode, printable, registry_auth, request};
use crate::push::{Lines, MAX_LINE};
use crate::resolve;
use http_body_util::BodyExt;
use slipway_core::image::{ImageReference, Platform, RegistryLogin};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

/// Pulls one image into the engine's store.
pub(crate) async fn pull(
    client: &EngineClient,
    deadlines: &Deadlines,
    image: &ImageReference,
    platform: Option<&Platform>,
    login: &RegistryLogin,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let bounded = tokio::time::timeout(deadlines.fetch, transfer(client, deadlines, image, platform, login));
    let result = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(Failure::cancelled()),
        result = bounded => result,
    };
    let whole_deadline = || {
        Failure::new(ErrorCode::TimedOut, format!("the pull of {image} took longer than {:?}", deadlines.fetch))
            .with("deadline", "fetch")
            .with("deadline_seconds", deadlines.fetch.as_secs().to_string())
    };
    result.unwrap_or_else(|_| Err(whole_deadline())).map_err(|failure| failure.with("host", image.host.as_str()))
}

async fn transfer(
    client: &EngineClient,
    deadlines: &Deadlines,
    image: &ImageReference,
    platform: Option<&Platform>,
    login: &RegistryLogin,
) -> Result<(), Failure> {
    // Without a tag the engine would pull every tag of the repository.
    let version = match (&image.digest, &image.tag) {
        (Some(digest), _) => digest.as_str(),
        (None, Some(tag)) => tag.as_str(),
        (None, None) => "latest",
    };
    let mut path = format!("/images/create?fromImage={}&tag={}", encode(&image.repository()), encode(version));
    if let Some(platform) = platform {
        path.push_str(&format!("&platform={}", encode(&platform.to_string())));
    }
    let mut request = request(http::Method::POST, &path)?;
    request.headers_mut().insert("X-Registry-Auth", registry_auth(image.host.as_str(), login)?);

    let stalled = || {
        Failure::new(
            ErrorCode::BaseImageUnreachable,
            format!("nothing moved for {:?} while pulling {image}", deadlines.idle),
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
        return Err(refused(image, &text, status.as_u16()));
    }
    let mut lines = Lines::default();
    loop {
        let frame = tokio::time::timeout(deadlines.idle, answer.response.body_mut().frame()).await;
        let Some(frame) = frame.map_err(|_| stalled())? else { break };
        let frame = frame.map_err(|error| {
            Failure::new(ErrorCode::EngineLost, format!("the connection to the engine broke during the pull: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        lines.push(&data)?;
        while let Some(line) = lines.next() {
            read(image, &line)?;
        }
    }
    read(image, &lines.rest())
}

#[derive(serde::Deserialize)]
struct Line {
    #[serde(rename = "errorDetail")]
    error_detail: Option<ErrorDetail>,
    error: Option<String>,
}

#[derive(serde::Deserialize)]
struct ErrorDetail {
    code: Option<u16>,
    message: Option<String>,
}

/// Takes one line in; only a failure matters.
fn read(image: &ImageReference, line: &[u8]) -> Result<(), Failure> {
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    let line: Line = serde_json::from_slice(line).map_err(|error| {
        Failure::new(ErrorCode::EngineError, format!("the engine's pull report cannot be read: {error}"))
    })?;
    let status = line.error_detail.as_ref().and_then(|detail| detail.code).unwrap_or_default();
    match line.error_detail.and_then(|detail| detail.message).or(line.error) {
        Some(text) => Err(refused(image, &text, status)),
        None => Ok(()),
    }
}

fn refused(image: &ImageReference, text: &str, status: u16) -> Failure {
    let text = printable(text);
    if text.contains("no space left on device") {
        return Failure::new(ErrorCode::EngineDiskFull, format!("the pull of {image} failed: {text}"));
    }
    resolve::refused(image, status, &text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn errors_inside_the_stream_end_the_pull() {
        let image = ImageReference::parse("mirror.example/library/nginx:1").unwrap();
        for line in [
            r#"{"status":"Pulling from library/nginx","id":"1"}"#,
            r#"{"status":"Extracting","progressDetail":{}}"#,
            "\r\n",
        ] {
            read(&image, line.as_bytes()).unwrap();
        }
        for (line, code) in [
            (
                r#"{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}"#,
                ErrorCode::BaseImageMissing,
            ),
            (r#"{"error":"toomanyrequests: later"}"#, ErrorCode::BaseImageRateLimited),
            (r#"{"errorDetail":{"code":404,"message":"never seen"}}"#, ErrorCode::BaseImageMissing),
            (r#"{"error":"never seen"}"#, ErrorCode::BaseImageUnreachable),
            (r#"{"error":"write /var/x: no space left on device"}"#, ErrorCode::EngineDiskFull),
            ("<html>", ErrorCode::EngineError),
        ] {
            assert_eq!(read(&image, line.as_bytes()).unwrap_err().code, code, "{line}");
        }
    }
}
