//! HTTP/2 over a connection that the engine upgraded.

use super::BuildTasks;
use crate::transport::Transport;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::task::{Context, Poll};

/// Room for call headers: ignore patterns travel as headers, and so do the engine's typed error details with the whole
/// Dockerfile inside.
const HEADER_BYTES: u32 = 4 << 20;
/// HTTP/2 window of a stream, bytes.
pub(crate) const WINDOW: u32 = 1 << 20;
/// HTTP/2 window of a connection, bytes. h2 (0.4.16 and later) hangs up with `too_many_data_frames` when small frames wait to
/// be read, each counted as 256 bytes less its length, and allows half of this window. A stream's window full of the smallest
/// messages (11 bytes, a file asked for) is 22 MiB by that count, so that a slow reader is slow and not cut off.
const CONNECTION_WINDOW: u32 = 64 << 20;
/// How much of an answer that refuses an upgrade is read.
const REFUSAL_BYTES: usize = 16 << 10;

/// Dials the engine and asks it to speak HTTP/2 on this path.
///
/// # Errors
/// What dialling gives; [`ErrorCode::EngineUnsupported`] when the engine refuses; [`ErrorCode::EngineLost`] when the
/// connection breaks; [`ErrorCode::TimedOut`].
pub(super) async fn upgrade(
    transport: &Transport,
    tasks: &BuildTasks,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Upgraded, Failure> {
    let limit = Deadlines::default().request;
    tokio::time::timeout(limit, ask(transport, tasks, path, headers)).await.unwrap_or_else(|_| {
        Err(Failure::new(ErrorCode::TimedOut, format!("the engine did not answer POST {path} in time"))
            .with("deadline", "request")
            .with("seconds", limit.as_secs().to_string()))
    })
}

async fn ask(
    transport: &Transport,
    tasks: &BuildTasks,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Upgraded, Failure> {
    let stream = transport.dial().await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| lost(path, &error))?;
    tasks.spawn(connection.with_upgrades());
    let mut request = Request::post(path)
        .header(header::HOST, "docker")
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "h2c");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(Failure::internal)?;
    let response = sender.send_request(request).await.map_err(|error| lost(path, &error))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(path, response).await);
    }
    hyper::upgrade::on(response).await.map_err(|error| lost(path, &error))
}

async fn refused(path: &str, response: Response<Incoming>) -> Failure {
    let status = response.status();
    let body = Limited::new(response.into_body(), REFUSAL_BYTES).collect().await;
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let words = crate::build_errors::clean(&String::from_utf8_lossy(&body));
    let code = if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED {
        ErrorCode::EngineError
    } else {
        ErrorCode::EngineUnsupported
    };
    Failure::new(code, format!("the engine answered {status} to POST {path}: {words}"))
        .with("status", status.as_u16().to_string())
}

fn lost(path: &str, error: &hyper::Error) -> Failure {
    Failure::new(ErrorCode::EngineLost, format!("the connection to the engine broke at POST {path}: {error}"))
}

/// Answers the engine's calls until the connection or the build ends.
pub(super) fn serve(connection: Upgraded, tasks: &BuildTasks, routes: tonic::service::Routes) {
    let executor = tasks.clone();
    tasks.spawn(async move {
        let served = hyper::server::conn::http2::Builder::new(executor)
            .max_header_list_size(HEADER_BYTES)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .serve_connection(connection, TowerToHyperService::new(routes))
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "the build session ended");
        }
    });
}

/// gRPC calls to the engine over one connection, which is never dialled again: a lost connection is a lost build.
#[derive(Clone)]
pub(crate) struct EngineChannel(http2::SendRequest<tonic::body::Body>);

impl EngineChannel {
    /// Begins HTTP/2 as the client, with so many bytes of room for each stream.
    ///
    /// # Errors
    /// [`ErrorCode::EngineLost`].
    pub(super) async fn new(connection: Upgraded, tasks: &BuildTasks, window: u32) -> Result<Self, Failure> {
        let (sender, driver) = http2::Builder::new(tasks.clone())
            .max_header_list_size(HEADER_BYTES)
            .initial_stream_window_size(window)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(connection)
            .await
            .map_err(|error| lost("/grpc", &error))?;
        tasks.spawn(driver);
        Ok(Self(sender))
    }
}

impl tower::Service<Request<tonic::body::Body>> for EngineChannel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures::StreamExt;
    use http_body_util::StreamBody;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    /// Upgrades `/session` at an engine that gives this answer and hangs up; returns what it was sent, too.
    async fn ask(answer: &'static str) -> (Result<(), Failure>, String) {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let engine = tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let read = near.read(&mut head).await.unwrap();
            near.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&head[..read]).into_owned()
        });
        let (tasks, running) = BuildTasks::new();
        let transport = Transport::unix(folder.path().join("s"));
        let upgraded = upgrade(&transport, &tasks, "/session", &[("X-Docker-Expose-Session-Uuid", "u")]).await;
        running.end().await;
        (upgraded.map(drop), engine.await.unwrap())
    }

    #[tokio::test]
    async fn engines_without_buildkit_are_told_apart_from_engines_in_trouble() {
        for (answer, code) in [
            (
                "HTTP/1.1 404 Not Found\r\nContent-Length: 28\r\n\r\n{\"message\":\"page not found\"}",
                ErrorCode::EngineUnsupported,
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ErrorCode::EngineUnsupported),
            ("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", ErrorCode::EngineError),
            ("HTTP/1.1 ", ErrorCode::EngineLost),
            ("", ErrorCode::EngineLost),
        ] {
            let (upgraded, asked) = ask(answer).await;
            assert_eq!(upgraded.unwrap_err().code, code, "{answer:?}");
            assert!(asked.starts_with("POST /session HTTP/1.1\r\n") && asked.contains("upgrade: h2c\r\n"), "{asked}");
        }
    }

    /// A log of many short lines comes as many small frames, and whoever reads them may be slow.
    #[tokio::test]
    async fn small_messages_may_wait_to_be_read() {
        const MESSAGES: usize = 9_000;
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let (all_sent, sent) = tokio::sync::oneshot::channel();
        let engine = tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(near.read_u8().await.unwrap());
            }
            let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
            near.write_all(answer).await.unwrap();
            let all_sent = std::sync::Mutex::new(Some(all_sent));
            let service = hyper::service::service_fn(move |_: Request<Incoming>| {
                let mut all_sent = all_sent.lock().unwrap().take();
                let messages = futures::stream::iter(0..=MESSAGES).filter_map(move |message| {
                    if message == MESSAGES {
                        all_sent.take().unwrap().send(()).unwrap();
                        return std::future::ready(None);
                    }
                    let frame = hyper::body::Frame::data(Bytes::from_static(&[b'x'; 100]));
                    std::future::ready(Some(Ok::<_, std::convert::Infallible>(frame)))
                });
                std::future::ready(Ok::<_, std::convert::Infallible>(Response::new(StreamBody::new(messages))))
            });
            let server = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
            // It ends with the client's connection.
            let _ = server.serve_connection(TokioIo::new(near), service).await;
        });
        let (tasks, running) = BuildTasks::new();
        let transport = Transport::unix(folder.path().join("s"));
        let upgraded = upgrade(&transport, &tasks, "/grpc", &[]).await.unwrap();
        let mut channel = EngineChannel::new(upgraded, &tasks, WINDOW).await.unwrap();
        let request = Request::post("http://docker/").body(tonic::body::Body::empty()).unwrap();
        let response = tower::Service::call(&mut channel, request).await.unwrap();
        sent.await.unwrap();
        let read = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(read.len(), MESSAGES * 100);
        running.end().await;
        drop(channel);
        engine.abort();
    }
}
