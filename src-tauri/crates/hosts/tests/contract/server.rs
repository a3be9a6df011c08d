//! A host whose answers are written down: by a test's own function, or on a tape with the provider's real shapes.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use serde::Deserialize;
use slipway_core::host::{HostAddress, HostBase, HostProvider};
use slipway_core::ports::{Clock, Deadlines};
use slipway_hosts::Hosts;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path as it was sent, escapes and all.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A field of a form in the body.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let mut fields = url::form_urlencoded::parse(self.body.as_bytes());
        fields.find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A running server; ends with the test's runtime.
pub(crate) struct Scripted {
    /// `http://127.0.0.1:port`
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Scripted {
    /// Starts on a free loopback port; `answer` gets each request, the ones before it, and the server's own address.
    pub(crate) async fn start(answer: impl Fn(&Seen, &[Seen], &str) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (list, own, answer) = (Arc::clone(&seen), url.clone(), Arc::new(answer));
        let app = axum::Router::new().fallback(move |request: Request| {
            let (list, own, answer) = (Arc::clone(&list), own.clone(), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let query = parts.uri.query().unwrap_or_default();
                let mut one = Seen {
                    method: parts.method.to_string(),
                    path: parts.uri.path().to_owned(),
                    query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
                    headers: parts
                        .headers
                        .iter()
                        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                        .collect(),
                    body: String::new(),
                };
                one.body = String::from_utf8(to_bytes(body, 16 << 20).await.unwrap().to_vec()).unwrap();
                let mut list = list.lock().unwrap();
                let response = answer(&one, &list, &own);
                list.push(one);
                response
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen }
    }

    /// Starts with the tape of a provider. What is not on it answers 404 with a page, and fails the test by that.
    pub(crate) async fn tape(provider: HostProvider) -> Self {
        let rows = Tape::read(provider);
        Self::start(move |seen, before, own| rows.answer(seen, before, own)).await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }

    /// The address of the host, below a path where the tape has one.
    pub(crate) fn address(&self, provider: HostProvider) -> HostAddress {
        let below = if provider == HostProvider::Gitlab { "/git" } else { "" };
        address(provider, &format!("{}{below}", self.url))
    }
}

pub(crate) fn address(provider: HostProvider, base: &str) -> HostAddress {
    HostAddress { provider, base: HostBase::new(base, true).unwrap(), ca_pem: None, proxy: None }
}

/// Rows of a tape, in order: the first that fits answers. `ask` is `METHOD path?name=value#which`: the query may hold more,
/// `body=x` looks into the body, `#2` is the second request of its kind, `#anonymous` one without a token.
struct Tape(Vec<Row>);

#[derive(Deserialize)]
struct Row {
    ask: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<serde_json::Value>,
}

impl Tape {
    fn read(provider: HostProvider) -> Self {
        let file = format!("{}/tests/fixtures/{}.json", env!("CARGO_MANIFEST_DIR"), provider.as_str());
        Self(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
    }

    fn answer(&self, seen: &Seen, before: &[Seen], own: &str) -> Response {
        let Some(row) = self.0.iter().find(|row| row.fits(seen, before)) else {
            return reply(404, &[("content-type", "text/html")], format!("<html>no tape for {}</html>", seen.line()));
        };
        let as_ada = own.replace("http://", "http://ada@");
        let filled = |text: &str| text.replace("{base}", own).replace("{base_as_ada}", &as_ada);
        let mut response = Response::builder().status(row.status);
        for (name, value) in &row.headers {
            response = response.header(name, filled(value));
        }
        match &row.body {
            Some(body) => response.header("content-type", "application/json").body(filled(&body.to_string()).into()),
            None => response.body(Body::empty()),
        }
        .unwrap()
    }
}

impl Row {
    fn fits(&self, seen: &Seen, before: &[Seen]) -> bool {
        let (ask, which) = self.ask.split_once('#').unwrap_or((&self.ask, ""));
        let is_one = |one: &Seen| fits(ask, one);
        is_one(seen)
            && match which {
                "" => true,
                "anonymous" => seen.header("authorization").is_none(),
                number => before.iter().filter(|one| is_one(one)).count() + 1 == number.parse::<usize>().unwrap(),
            }
    }
}

fn fits(ask: &str, seen: &Seen) -> bool {
    let (line, query) = ask.split_once('?').unwrap_or((ask, ""));
    let wanted = query.split('&').filter_map(|pair| pair.split_once('='));
    seen.line() == line
        && wanted.into_iter().all(|(name, value)| match name {
            "body" => seen.body.contains(value),
            _ => seen.query.iter().any(|(given, text)| given == name && text == value),
        })
}

pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

pub(crate) fn json(status: u16, body: &str) -> Response {
    reply(status, &[("content-type", "application/json; charset=utf-8")], body.to_owned())
}

pub(crate) fn html(status: u16) -> Response {
    reply(status, &[("content-type", "text/html; charset=utf-8")], "<html><title>Sign in</title></html>")
}

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::Utc::now()
    }

    fn local_offset_seconds(&self, _: chrono::DateTime<chrono::Utc>) -> i32 {
        0
    }
}

pub(crate) fn hosts() -> Hosts {
    Hosts::new(Deadlines { request: Duration::from_secs(20), ..Deadlines::default() }, Arc::new(SystemClock))
}
