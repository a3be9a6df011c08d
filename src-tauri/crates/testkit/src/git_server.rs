//! Smart HTTP for git: the real `git http-backend` behind a small web server, plain or with a certificate of a private CA.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::process::Command;
use tokio_util::io::ReaderStream;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::git_repository::isolate;
use crate::{GitRepository, Login, PrivateCa};

/// What the server does with the next requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitServerMood {
    /// Serves repositories.
    Serve,
    /// Sends every request to this address, keeping path and query (302).
    RedirectTo(String),
    /// Answers with this status and nothing else.
    Refuse(u16),
    /// Takes requests and never answers.
    Stall,
}

/// One request as the server saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// Path with query.
    pub target: String,
    /// The `Authorization` header, if one came.
    pub authorization: Option<String>,
    /// The `Git-Protocol` header, if one came.
    pub git_protocol: Option<String>,
}

/// A running git server with repositories of its own. It runs on a thread of its own, so that a blocking client in a test
/// cannot stop it; dropping it ends it.
#[derive(Debug)]
pub struct GitServer {
    folder: TempDir,
    address: SocketAddr,
    ca: Option<PrivateCa>,
    state: Arc<State>,
    _running: DropGuard,
}

#[derive(Debug)]
struct State {
    root: PathBuf,
    login: Option<Login>,
    mood: Mutex<GitServerMood>,
    seen: Mutex<VecDeque<SeenRequest>>,
    api: Mutex<HashMap<String, String>>,
}

type AnswerBody = BoxBody<Bytes, std::io::Error>;

impl GitServer {
    /// Starts a server: over HTTPS with a certificate of `tls_ca` when there is one (valid for `localhost` and
    /// `127.0.0.1`), asking for `login` when there is one.
    pub async fn start(tls_ca: Option<PrivateCa>, login: Option<Login>) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let state = Arc::new(State {
            root: folder.path().to_owned(),
            login,
            mood: Mutex::new(GitServerMood::Serve),
            seen: Mutex::default(),
            api: Mutex::default(),
        });
        let acceptor = tls_ca.as_ref().map(PrivateCa::acceptor);
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let address = listener.local_addr().expect("a bound listener has an address");
        let stop = CancellationToken::new();
        let (stopped, served) = (stop.clone(), Arc::clone(&state));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
            runtime.block_on(stopped.run_until_cancelled(accept(listener, acceptor, served)));
        });
        Self { folder, address, ca: tls_ca, state, _running: stop.drop_guard() }
    }

    /// Puts a copy of `repository` on the server under `name` (such as `team/app.git`) and returns its address.
    /// The repository's remote `origin` then points at it, past HTTP: [`GitRepository::push`].
    pub async fn publish(&self, name: &str, repository: &GitRepository) -> String {
        repository.publish_to(&self.path_of(name)).await;
        self.url_of(name)
    }

    /// Returns the folder that holds the repository `name` on the server.
    #[must_use]
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the address of the repository `name`.
    #[must_use]
    pub fn url_of(&self, name: &str) -> String {
        format!("{}/{name}", self.url())
    }

    /// Returns scheme, host and port.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.ca.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.address.port())
    }

    /// Returns the server's port on the loopback interface.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the CA that a client must trust.
    #[must_use]
    pub fn ca(&self) -> Option<&PrivateCa> {
        self.ca.as_ref()
    }

    /// Changes what the server does from the next request on.
    pub fn set_mood(&self, mood: GitServerMood) {
        *unpoisoned(&self.state.mood) = mood;
    }

    /// Answers a path with JSON from now on, as a code host's API does: for those who bring the password as a bearer token.
    pub fn answer_json(&self, path: &str, json: impl Into<String>) {
        unpoisoned(&self.state.api).insert(path.to_owned(), json.into());
    }

    /// Returns what was asked since the last call, oldest first.
    #[must_use]
    pub fn take_seen(&self) -> Vec<SeenRequest> {
        unpoisoned(&self.state.seen).drain(..).collect()
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: std::net::TcpListener, acceptor: Option<tokio_rustls::TlsAcceptor>, state: Arc<State>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener can join the runtime");
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        let (state, acceptor) = (Arc::clone(&state), acceptor.clone());
        tokio::spawn(async move {
            match acceptor {
                None => serve(connection, state).await,
                // A client that does not trust the CA hangs up here: that is its own failure to report.
                Some(acceptor) => {
                    if let Ok(connection) = acceptor.accept(connection).await {
                        serve(connection, state).await;
                    }
                }
            }
        });
    }
}

async fn serve(connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, state: Arc<State>) {
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(answer(&state, request).await) }
    });
    // A client that goes away in the middle is none of the server's business.
    let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(connection), service)
        .await;
}

async fn answer(state: &State, request: Request<Incoming>) -> Response<AnswerBody> {
    let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let authorization = text(request.headers(), "authorization");
    unpoisoned(&state.seen).push_back(SeenRequest {
        target: target.clone(),
        authorization: authorization.clone(),
        git_protocol: text(request.headers(), "git-protocol"),
    });
    let mood = unpoisoned(&state.mood).clone();
    match mood {
        GitServerMood::Serve => {}
        GitServerMood::RedirectTo(base) => {
            let mut response = empty(StatusCode::FOUND);
            let location = format!("{}{target}", base.trim_end_matches('/'));
            response
                .headers_mut()
                .insert(header::LOCATION, location.parse().expect("a test's address is a header value"));
            return response;
        }
        GitServerMood::Refuse(status) => {
            return empty(StatusCode::from_u16(status).expect("a test refuses with a real status"));
        }
        GitServerMood::Stall => return std::future::pending().await,
    }
    if let Some(json) = unpoisoned(&state.api).get(request.uri().path()).cloned() {
        let bearer = state.login.as_ref().map(|login| format!("Bearer {}", login.password));
        if bearer.is_some() && authorization != bearer {
            return empty(StatusCode::UNAUTHORIZED);
        }
        let mut response = Response::new(Full::new(Bytes::from(json)).map_err(|never| match never {}).boxed());
        response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        return response;
    }
    if let Some(login) = &state.login {
        let expected = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", login.user, login.password));
        if authorization != Some(format!("Basic {expected}")) {
            let mut response = empty(StatusCode::UNAUTHORIZED);
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Basic realm=\"slipway-test\""));
            return response;
        }
    }
    match run_backend(&state.root, state.login.as_ref(), request).await {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(%error, "git http-backend failed");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Speaks CGI (RFC 3875) with `git http-backend`: the answer is streamed, so that big packs need no memory.
async fn run_backend(
    root: &Path,
    login: Option<&Login>,
    request: Request<Incoming>,
) -> anyhow::Result<Response<AnswerBody>> {
    let (head, body) = request.into_parts();
    let mut command = Command::new("git");
    isolate(&mut command);
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", head.method.as_str())
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REMOTE_USER", login.map_or("somebody", |login| login.user.as_str()))
        .envs([("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", "*")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    for (name, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "HTTP_GIT_PROTOCOL"),
        ("accept-encoding", "HTTP_ACCEPT_ENCODING"),
    ] {
        if let Some(value) = text(&head.headers, name) {
            command.env(variable, value);
        }
    }
    let body = body.collect().await?.to_bytes();
    command.env("CONTENT_LENGTH", body.len().to_string());
    let mut child = command.spawn()?;
    let mut input = child.stdin.take().expect("it was piped");
    tokio::spawn(async move {
        // The backend may refuse before it has read everything.
        let _ = input.write_all(&body).await;
    });
    let mut output = BufReader::new(child.stdout.take().expect("it was piped"));
    let mut response = empty(StatusCode::OK);
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).await? == 0 {
            anyhow::bail!("it ended before the end of its headers");
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| anyhow::anyhow!("it sent no header but {line:?}"))?;
        if name.eq_ignore_ascii_case("status") {
            let number = value.split_whitespace().next().unwrap_or_default();
            *response.status_mut() = StatusCode::from_bytes(number.as_bytes())?;
        } else {
            response.headers_mut().insert(header::HeaderName::try_from(name)?, value.trim().parse()?);
        }
    }
    // The child is carried along: a client that goes away ends it.
    let stream = ReaderStream::new(output).map(move |chunk| {
        let _ = &child;
        chunk.map(Frame::data)
    });
    *response.body_mut() = BodyExt::boxed(StreamBody::new(stream));
    Ok(response)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(ToOwned::to_owned)
}

fn empty(status: StatusCode) -> Response<AnswerBody> {
    let mut response = Response::new(BodyExt::boxed(Full::default().map_err(|never: Infallible| match never {})));
    *response.status_mut() = status;
    response
}
