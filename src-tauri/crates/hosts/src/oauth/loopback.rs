//! The one-shot listener that the browser comes back to: on an IP literal, for one authorization (threats T04, T17).

use super::page::{Outcome, Pages};
use crate::signature::same_text;
use slipway_core::host::HostBase;
use slipway_core::{ErrorCode, Failure, Secret};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// The port where the host compares the redirect address exactly: registered by people, so it never changes.
pub(crate) const FIXED_PORT: u16 = 43117;
/// Codes live ten minutes at most (GitHub).
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);
/// A browser sends its request at once.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);
const MOST_HEAD_BYTES: usize = 16 * 1024;
/// Longest exchange of a code; the browser waits for its result.
const OUTCOME_DEADLINE: Duration = Duration::from_secs(90);
/// A late or second visit still gets a page for this long.
const LINGER: Duration = Duration::from_secs(30);

/// A callback with the right state.
#[derive(Debug)]
pub(crate) struct Arrival {
    query: Vec<(String, String)>,
    outcome: oneshot::Sender<Outcome>,
}

impl Arrival {
    /// Returns a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Shows the browser how it ended.
    pub(crate) fn end(self, outcome: Outcome) {
        // A browser that was closed sees nothing.
        let _ = self.outcome.send(outcome);
    }

    /// Refuses an answer from another server than the one that was asked (RFC 9207).
    pub(crate) fn check_issuer(&self, base: &HostBase) -> Result<(), Failure> {
        let Some(issuer) = self.get("iss") else { return Ok(()) };
        let origin = |text: &str| url::Url::parse(text).ok().map(|url| url.origin().ascii_serialization());
        if origin(issuer) == origin(base.as_str()) {
            return Ok(());
        }
        let failure =
            Failure::new(ErrorCode::AuthorizationFailed, "the answer names another server than the one asked");
        Err(failure.with("host", base.host()).with("error", "wrong_issuer"))
    }
}

/// A listener that waits for one callback. Dropping it ends it.
pub(crate) struct Loopback {
    address: SocketAddr,
    path: String,
    arrivals: mpsc::Receiver<Arrival>,
    accepting: Option<tokio::task::JoinHandle<()>>,
    over: Arc<AtomicBool>,
    lingers: bool,
}

/// What every connection needs.
struct Shared {
    host: String,
    path: String,
    state: Secret,
    pages: Pages,
    taken: AtomicBool,
    over: Arc<AtomicBool>,
    arrivals: mpsc::Sender<Arrival>,
}

/// A bound port before it is known what is served there: pages need its number.
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    fixed: bool,
}

impl Bound {
    /// Binds a port of 127.0.0.1, or of ::1 on a machine without it.
    pub(crate) async fn new(port: Option<u16>) -> Result<Self, Failure> {
        let number = port.unwrap_or(0);
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).await;
        let listener = match first {
            Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => {
                TcpListener::bind((Ipv6Addr::LOCALHOST, number)).await
            }
            other => other,
        };
        let listener = listener.map_err(|error| {
            Failure::new(
                ErrorCode::AuthorizationFailed,
                format!("port {number} of this machine, where the browser would come back to, cannot be used: {error}"),
            )
            .with("error", "port_in_use")
            .with("port", number.to_string())
        })?;
        let address = listener.local_addr().map_err(Failure::internal)?;
        Ok(Self { listener, address, fixed: port.is_some() })
    }

    /// Returns `http://127.0.0.1:port` and a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Serves: `path` takes the callback with this state.
    pub(crate) fn serve(self, path: &str, state: Secret, pages: Pages) -> Loopback {
        let (sender, arrivals) = mpsc::channel(1);
        let over = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared {
            host: self.address.to_string(),
            path: path.to_owned(),
            state,
            pages,
            taken: AtomicBool::new(false),
            over: Arc::clone(&over),
            arrivals: sender,
        });
        let listener = self.listener;
        let accepting = tokio::spawn(async move {
            loop {
                // Browsers open connections that say nothing: each gets a task of its own.
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(converse(stream, Arc::clone(&shared)));
                }
            }
        });
        Loopback {
            address: self.address,
            path: path.to_owned(),
            arrivals,
            accepting: Some(accepting),
            over,
            lingers: !self.fixed,
        }
    }
}

impl Loopback {
    /// Returns the redirect address.
    pub(crate) fn redirect_uri(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// Waits for the callback.
    pub(crate) async fn arrival(&mut self, cancel: &CancellationToken) -> Result<Arrival, Failure> {
        let waiting = tokio::time::timeout(LONGEST_WAIT, self.arrivals.recv());
        let arrived = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Failure::cancelled()),
            arrived = waiting => arrived,
        };
        match arrived {
            Ok(Some(arrival)) => Ok(arrival),
            Ok(None) => Err(Failure::internal("the listener for the browser has ended")),
            Err(_) => Err(Failure::new(ErrorCode::AuthorizationExpired, "nobody came back from the browser in time")),
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let Some(accepting) = self.accepting.take() else { return };
        // A registered port must be free for the next try; any other may still tell a late visitor that it is over.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if self.lingers => {
                runtime.spawn(async move {
                    tokio::time::sleep(LINGER).await;
                    accepting.abort();
                });
            }
            _ => accepting.abort(),
        }
    }
}

/// Answers one request to a listener at `host`, as the browser's would be; the status and the page. For `crate::fuzzing`.
pub(crate) async fn respond_once(
    head: &str,
    host: &str,
    path: &str,
    state: &Secret,
    pages: Pages,
) -> (&'static str, String) {
    let (arrivals, mut arrived) = mpsc::channel(1);
    let shared = Shared {
        host: host.to_owned(),
        path: path.to_owned(),
        state: state.clone(),
        pages,
        taken: AtomicBool::new(false),
        over: Arc::default(),
        arrivals,
    };
    let respond = respond(head, &shared);
    let take = async {
        if let Some(arrival) = arrived.recv().await {
            Arrival::end(arrival, Outcome::Connected);
        }
        std::future::pending().await
    };
    tokio::select! {
        answer = respond => answer,
        never = take => never,
    }
}

/// One connection: one request, one page.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>) {
    let Ok(Some(head)) = tokio::time::timeout(HEAD_DEADLINE, read_head(&mut stream)).await else { return };
    let (status, page) = respond(&head, &shared).await;
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Content-Security-Policy: {}\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        page.len(),
        shared.pages.policy(),
    );
    // The browser may be gone: nothing is left to do for it.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.write_all(page.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 2048];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        head.extend_from_slice(&buffer[..count]);
        if head.len() > MOST_HEAD_BYTES {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

async fn respond(head: &str, shared: &Shared) -> (&'static str, String) {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let hosts: Vec<&str> = lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim())
        .collect();
    // Another name that leads here is a page of somebody else's (DNS rebinding).
    if hosts != [shared.host.as_str()] {
        return ("421 Misdirected Request", String::new());
    }
    if method != "GET" {
        return ("405 Method Not Allowed", String::new());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path == "/start"
        && let Some(start) = shared.pages.start()
    {
        return ("200 OK", start);
    }
    if path != shared.path {
        return ("404 Not Found", String::new());
    }
    if shared.over.load(Ordering::SeqCst) {
        return ("410 Gone", shared.pages.end(&Outcome::Over));
    }
    let query: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let state = query.iter().find(|(name, _)| name == "state").map_or("", |(_, value)| value.as_str());
    // A stranger's answer does not end the wait for the right one.
    if !same_text(shared.state.expose(), state) {
        return ("400 Bad Request", shared.pages.end(&Outcome::Strange));
    }
    if shared.taken.swap(true, Ordering::SeqCst) {
        return ("409 Conflict", shared.pages.end(&Outcome::Over));
    }
    let (outcome, ended) = oneshot::channel();
    if shared.arrivals.send(Arrival { query, outcome }).await.is_err() {
        return ("410 Gone", shared.pages.end(&Outcome::Over));
    }
    match tokio::time::timeout(OUTCOME_DEADLINE, ended).await {
        Ok(Ok(outcome)) => ("200 OK", shared.pages.end(&outcome)),
        _ => ("410 Gone", shared.pages.end(&Outcome::Over)),
    }
}
