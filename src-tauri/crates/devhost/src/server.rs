//! The listener and its routes.

use crate::console::security_headers;
use crate::guard::{Guard, Refusal};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use slipway_api::{Api, BuildId, ErrorClass, ErrorCode, EventMessage, Failure};
use std::convert::Infallible;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tower_http::services::{ServeDir, ServeFile};

/// A request body never needs more: uploads travel by path, and a configuration of 10 MB grows when it is quoted.
const LARGEST_REQUEST: usize = 24 * 1024 * 1024;

/// Bytes of a log that are read at once.
const LOG_CHUNK: usize = 64 * 1024;

/// How the listener is started.
#[derive(Debug, Clone)]
pub struct DevhostOptions {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The built console (`ui/dist`), when it is served.
    pub console: Option<PathBuf>,
}

/// A running listener.
#[derive(Debug)]
pub struct Devhost {
    address: SocketAddr,
    token: String,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

#[derive(Clone)]
struct Shared {
    api: Api,
    guard: Arc<Guard>,
    stop: CancellationToken,
}

impl Devhost {
    /// Binds the listener and begins to serve.
    ///
    /// # Errors
    /// When the port cannot be bound or the system has no randomness.
    pub async fn start(api: Api, options: DevhostOptions) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let mut random = [0_u8; 32];
        getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let stop = CancellationToken::new();
        let shared =
            Shared { api, guard: Arc::new(Guard::new(address.port(), token.clone())), stop: stop.child_token() };
        let router = router(shared, options.console);
        let stopped = stop.clone();
        let served = tokio::spawn(async move {
            axum::serve(listener, router).with_graceful_shutdown(stopped.cancelled_owned()).await
        });
        Ok(Self { address, token, stop, served })
    }

    /// Returns `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the bearer token of this start.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Ends open event streams and stops listening.
    ///
    /// # Errors
    /// When serving had failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.served.await??;
        Ok(())
    }
}

fn router(shared: Shared, console: Option<PathBuf>) -> Router {
    let guarded = Router::new()
        .route("/rpc/{command}", post(rpc))
        .route("/events", get(events))
        .route("/logs/{build}", get(log))
        .route("/commands.json", get(commands))
        .layer(axum::middleware::from_fn_with_state(shared.clone(), require_token));
    let mut router = guarded;
    if let Some(console) = console {
        // Every page has an address of its own, which the console's router reads.
        router = router.fallback_service(ServeDir::new(&console).fallback(ServeFile::new(console.join("index.html"))));
    }
    router
        .layer(axum::middleware::from_fn_with_state(shared.clone(), require_place))
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(shared)
}

async fn require_place(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = match shared.guard.check_place(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(refusal),
    };
    for (name, value) in security_headers() {
        response.headers_mut().insert(name, value);
    }
    response
}

async fn require_token(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    match shared.guard.check_token(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(refusal),
    }
}

fn refuse(refusal: Refusal) -> Response {
    let status = match refusal {
        Refusal::Host | Refusal::Origin => StatusCode::FORBIDDEN,
        Refusal::Token => StatusCode::UNAUTHORIZED,
    };
    (status, Body::empty()).into_response()
}

async fn rpc(State(shared): State<Shared>, Path(command): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    // A form of another page can post text, never JSON, without asking first.
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
    if !is_json {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            return failed(Failure::new(ErrorCode::InvalidField, format!("the request is no JSON: {error}")));
        }
    };
    match shared.api.call(&command, request).await {
        Ok(response) => Json(response).into_response(),
        Err(failure) => failed(failure),
    }
}

fn failed(failure: Failure) -> Response {
    let status = match (failure.code, failure.code.class()) {
        (ErrorCode::UnknownCommand | ErrorCode::NotFound, _) => StatusCode::NOT_FOUND,
        (ErrorCode::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
        (ErrorCode::NameTaken | ErrorCode::WrongState | ErrorCode::InUse, _) => StatusCode::CONFLICT,
        (_, ErrorClass::Input) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::BAD_GATEWAY,
    };
    (status, Json(failure)).into_response()
}

/// The whole log as plain text; read as fast as the other side takes it.
async fn log(State(shared): State<Shared>, Path(build): Path<i64>) -> Response {
    let mut log = match shared.api.plain_log(BuildId(build)).await {
        Ok(log) => log,
        Err(failure) => return failed(failure),
    };
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut chunk = vec![0; LOG_CHUNK];
            let read = log.read(&mut chunk).map(|count| {
                chunk.truncate(count);
                chunk
            });
            let last = read.as_ref().map_or(true, Vec::is_empty);
            if sender.blocking_send(read).is_err() || last {
                return;
            }
        }
    });
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

async fn commands() -> Response {
    Json(slipway_api::commands_document()).into_response()
}

async fn events(State(shared): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let messages = shared.api.subscribe();
    let stopped = shared.stop.clone();
    let stream = futures::StreamExt::take_until(messages, stopped.cancelled_owned());
    Sse::new(stream.map(|message: EventMessage| Ok(as_event(&message)))).keep_alive(KeepAlive::default())
}

fn as_event(message: &EventMessage) -> Event {
    // Serialising a plain enum of numbers and names cannot fail; an empty event would be ignored by the reader.
    Event::default().data(serde_json::to_string(message).unwrap_or_default())
}
