//! Loading an image archive into the engine's store. Failures come inside an answer of status 200, as for a push.

use crate::client::{EngineClient, printable, silent};
use crate::transfer::{Line, Lines, MAX_LINE};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::body::Frame;
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

/// Sends an archive as `docker save` writes it. The sender's failure breaks the transfer off, so that the engine never takes a
/// part for the whole.
pub(crate) async fn load(
    client: &EngineClient,
    deadlines: &Deadlines,
    archive: mpsc::Receiver<Result<Bytes, Failure>>,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    // As long as a push of the same bytes may take.
    let bounded = tokio::time::timeout(deadlines.push, transfer(client, deadlines, archive));
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::cancelled()),
        result = bounded => result.unwrap_or_else(|_| Err(silent(deadlines.push))),
    }
}

async fn transfer(
    client: &EngineClient,
    deadlines: &Deadlines,
    archive: mpsc::Receiver<Result<Bytes, Failure>>,
) -> Result<(), Failure> {
    let body = StreamBody::new(ReceiverStream::new(archive).map(|part| part.map(Frame::data)));
    let request = http::Request::post("/images/load?quiet=1")
        .header(http::header::HOST, "docker")
        .header(http::header::CONTENT_TYPE, "application/x-tar")
        .body(body)
        .map_err(Failure::internal)?;
    // The answer's head may come after the last byte of a long transfer.
    let mut answer = client.open(request).await?;
    let status = answer.response.status();
    if !status.is_success() {
        let body = Limited::new(answer.response.body_mut(), MAX_LINE).collect();
        let body = tokio::time::timeout(deadlines.idle, body).await.map_err(|_| silent(deadlines.idle))?;
        let text = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
        return Err(crate::client::server_failure(status, &printable(&text)));
    }
    let mut lines = Lines::default();
    while let Some(frame) = answer.response.body_mut().frame().await {
        let frame = frame.map_err(|error| {
            Failure::new(ErrorCode::EngineLost, format!("the connection to the engine broke during the load: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        lines.push(&data)?;
        while let Some(line) = lines.next(false) {
            read(&line)?;
        }
    }
    lines.next(true).map_or(Ok(()), |line| read(&line))
}

/// Takes one line in; only a failure matters.
fn read(line: &[u8]) -> Result<(), Failure> {
    let Ok(Some(line)) = Line::read(line) else { return Ok(()) };
    match line.failure() {
        None => Ok(()),
        Some((message, _)) if message.contains("no space left on device") => {
            Err(Failure::new(ErrorCode::EngineDiskFull, format!("the engine: {}", printable(message))))
        }
        Some((message, _)) => {
            let text = printable(message);
            Err(Failure::new(ErrorCode::BadArchive, format!("the engine does not take this archive: {text}")))
        }
    }
}
