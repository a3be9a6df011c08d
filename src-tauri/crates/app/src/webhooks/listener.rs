//! The socket: bounded in time, size and number, and silent about everything but a status (threats T17, T18, fault F27).

use super::door::Door;
use super::{ListenerSettings, Webhooks, lock};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use slipway_core::host::{Delivery, HookEventKind};
use slipway_core::ids::WebhookId;
use slipway_core::webhook::WebhookRefusal;
use slipway_core::{ErrorCode, Failure};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A host sends its head in one packet.
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
/// Hosts give up after ten seconds themselves (GitHub, GitLab).
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);
/// A push names its commits: 2,048 of them (GitHub's most) stay below. A larger one is found by the next poll.
const MOST_BODY_BYTES: usize = 4 * 1024 * 1024;
const MOST_HEAD_BYTES: usize = 32 * 1024;
const MOST_HEADERS: usize = 64;
const MOST_CONNECTIONS: usize = 32;
/// After an error of the system (no more file handles), before connections are taken again.
const BREATH: Duration = Duration::from_millis(200);

/// Whether the listener listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ListenerState {
    /// Nobody wants it.
    #[default]
    Off,
    /// On this address.
    Listening(SocketAddr),
    /// Its address cannot be had.
    Failed(Failure),
}

/// What listens now.
#[derive(Default)]
pub(super) struct Listening {
    state: ListenerState,
    wanted: Option<ListenerSettings>,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Webhooks {
    pub(super) fn listener_state(&self) -> ListenerState {
        lock(&self.listening).state.clone()
    }

    /// Returns what hosts are to be given, while the listener listens.
    pub(super) fn reached_at(&self, settings: &ListenerSettings) -> Option<String> {
        let ListenerState::Listening(address) = self.listener_state() else { return None };
        match &settings.public_url {
            Some(url) => Some(url.clone()),
            None if address.ip().is_unspecified() => None,
            None => Some(format!("http://{address}")),
        }
    }

    /// Makes the listener what the settings say; tries again what failed.
    pub(super) async fn apply(self: &Arc<Self>) -> Result<(), Failure> {
        let _one = self.applying.lock().await;
        let settings = self.settings().await?;
        let running = {
            let mut listening = lock(&self.listening);
            let same = listening.wanted.as_ref() == Some(&settings);
            if same && !matches!(listening.state, ListenerState::Failed(_)) {
                return Ok(());
            }
            listening.running.take()
        };
        if let Some((stop, task)) = running {
            stop.cancel();
            // The port is free once the task is over.
            let _ = task.await;
        }
        let (state, running) = if settings.enabled && !self.parts.stop.is_cancelled() {
            match TcpListener::bind(settings.address).await.and_then(|bound| Ok((bound.local_addr()?, bound))) {
                Ok((address, bound)) => {
                    let stop = self.parts.stop.child_token();
                    let door = Door::new(settings.public_url.as_deref());
                    let task = tokio::spawn(accept(bound, Arc::clone(self), Arc::new(door), stop.clone()));
                    (ListenerState::Listening(address), Some((stop, task)))
                }
                Err(error) => (ListenerState::Failed(not_bound(settings.address, &error)), None),
            }
        } else {
            (ListenerState::Off, None)
        };
        let changed = {
            let mut listening = lock(&self.listening);
            let changed = listening.state != state || listening.wanted.as_ref() != Some(&settings);
            *listening = Listening { state, wanted: Some(settings), running };
            changed
        };
        if changed {
            self.told();
        }
        Ok(())
    }

    /// Waits until nothing listens any more; the application is stopping.
    pub(super) async fn stop_listening(&self) {
        let running = lock(&self.listening).running.take();
        if let Some((stop, task)) = running {
            stop.cancel();
            let _ = task.await;
        }
    }

    /// Counts a request that belongs to no webhook.
    fn refuse(&self, why: WebhookRefusal) {
        let first = {
            let mut refused = lock(&self.refused);
            refused.count += 1;
            let first = refused.last.is_none_or(|(last, _)| last != why);
            refused.last = Some((why, self.parts.now()));
            first
        };
        // A flood says nothing new.
        if first {
            self.told();
        }
    }

    /// Finds the webhook of a path and takes one delivery from its budget.
    fn enter(&self, path: &str) -> Result<WebhookId, WebhookRefusal> {
        let mut paths = lock(&self.paths);
        let (id, budget) = paths.get_mut(path).ok_or(WebhookRefusal::Path)?;
        if budget.take(Instant::now()) { Ok(*id) } else { Err(WebhookRefusal::TooMany) }
    }

    /// Checks a delivery and wakes the watcher. The one effect of it.
    async fn deliver(&self, id: WebhookId, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookRefusal> {
        let unknown = |error: &dyn std::fmt::Display| {
            tracing::warn!(%error, webhook = %id, "a delivery could not be checked");
            WebhookRefusal::NotChecked
        };
        let record = self.parts.store.webhook(id).await.map_err(|error| unknown(&error))?;
        let secret = self.parts.open_secret(record.secret).await.map_err(|failure| unknown(&failure))?;
        let headers: Vec<(String, String)> = headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let now = self.parts.now();
        let delivery = Delivery { headers: &headers, body };
        let event = self.parts.ports.hosts.read_delivery(record.provider, &delivery, &secret, now)?;
        let pushed = matches!(event.kind, HookEventKind::Push { .. });
        let taken = self.parts.store.take_delivery(id, &event.replay_key, pushed, now).await;
        if !taken.map_err(|error| unknown(&error))? {
            return Err(WebhookRefusal::Replayed);
        }
        if let Some(code) = record.code.filter(|_| pushed) {
            self.watch.look_soon(code);
        }
        self.told();
        Ok(())
    }

    async fn answer(
        &self,
        door: &Door,
        local: SocketAddr,
        request: Request<Incoming>,
    ) -> Result<(), (WebhookRefusal, Option<WebhookId>)> {
        let (head, body) = request.into_parts();
        let entered = door.check(local, &head.method, &head.uri, &head.headers).and_then(|path| self.enter(path));
        let id = entered.map_err(|why| (why, None))?;
        let of_hook = |why| (why, Some(id));
        if body.size_hint().lower() > MOST_BODY_BYTES as u64 {
            return Err(of_hook(WebhookRefusal::TooLarge));
        }
        let read = Limited::new(body, MOST_BODY_BYTES).collect().await.map_err(|error| {
            let too_large = error.downcast_ref::<LengthLimitError>().is_some();
            of_hook(if too_large { WebhookRefusal::TooLarge } else { WebhookRefusal::Unreadable })
        })?;
        self.deliver(id, &head.headers, &read.to_bytes()).await.map_err(of_hook)
    }

    async fn serve(&self, door: &Door, local: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let status = match self.answer(door, local, request).await {
            Ok(()) => StatusCode::ACCEPTED,
            Err((why, id)) => {
                match id {
                    Some(id) => {
                        if let Err(error) = self.parts.store.refuse_delivery(id, why, self.parts.now()).await {
                            tracing::warn!(%error, "a refused delivery could not be counted");
                        }
                        self.told();
                    }
                    None => self.refuse(why),
                }
                status_of(why)
            }
        };
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = status;
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(Method::POST.as_str()));
        }
        response
    }
}

/// Takes connections until it is stopped; conversations end with it.
async fn accept(listener: TcpListener, webhooks: Arc<Webhooks>, door: Arc<Door>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            webhooks.refuse(WebhookRefusal::TooMany);
            continue;
        };
        let (webhooks, door, stop) = (Arc::clone(&webhooks), Arc::clone(&door), stop.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(converse(stream, &webhooks, &door)).await;
            drop(place);
        });
    }
}

/// One request on one connection.
async fn converse(stream: TcpStream, webhooks: &Webhooks, door: &Door) {
    let Ok(local) = stream.local_addr() else { return };
    let service = service_fn(|request| async move { Ok::<_, Infallible>(webhooks.serve(door, local, request).await) });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_headers(MOST_HEADERS)
        .max_buf_size(MOST_HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(REQUEST_DEADLINE, served).await {
        Ok(Err(error)) if error.is_timeout() => webhooks.refuse(WebhookRefusal::TooSlow),
        Err(_) => webhooks.refuse(WebhookRefusal::TooSlow),
        Ok(_) => {}
    }
}

fn status_of(why: WebhookRefusal) -> StatusCode {
    match why {
        WebhookRefusal::Host | WebhookRefusal::Origin => StatusCode::FORBIDDEN,
        WebhookRefusal::Method => StatusCode::METHOD_NOT_ALLOWED,
        WebhookRefusal::Path => StatusCode::NOT_FOUND,
        WebhookRefusal::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        WebhookRefusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        WebhookRefusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
        WebhookRefusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
        WebhookRefusal::Unsigned | WebhookRefusal::WrongSignature | WebhookRefusal::TooOld => StatusCode::UNAUTHORIZED,
        WebhookRefusal::Unreadable => StatusCode::BAD_REQUEST,
        // The host did nothing wrong: hosts repeat what got no answer, and switch off what they see failing.
        WebhookRefusal::Replayed => StatusCode::OK,
        WebhookRefusal::NotChecked => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn not_bound(address: SocketAddr, error: &std::io::Error) -> Failure {
    let why = match error.kind() {
        std::io::ErrorKind::AddrInUse => "another program listens there",
        std::io::ErrorKind::AddrNotAvailable => "this machine does not have the address",
        std::io::ErrorKind::PermissionDenied => "the system does not allow it",
        _ => "the system refuses it",
    };
    Failure::new(ErrorCode::WebhookListenerFailed, format!("cannot listen on {address}: {why} ({error})")).at("address")
}
