//! A registry whose answers are written by the test, with a list of what was asked.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use slipway_core::Secret;
use slipway_core::image::{RegistryAccess, RegistryHost, RegistryLogin, RepositoryName};
use slipway_core::ports::Deadlines;
use slipway_registry::OciRegistries;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const MANIFEST: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}"#;
pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path with query.
    pub(crate) target: String,
    pub(crate) authorization: Option<String>,
    pub(crate) accept: Option<String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

/// A loopback port on which nobody listens, and which nobody else is given while this is held.
pub(crate) fn taken_port() -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket
}

/// A running scripted server; ends with the test's runtime.
pub(crate) struct Scripted {
    /// `127.0.0.1:port`
    pub(crate) host: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Scripted {
    /// Starts on a free loopback port; `answer` gets each request and the server's own host.
    pub(crate) async fn start(answer: impl Fn(&Seen, &str) -> Response + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (list, own_host, answer) = (Arc::clone(&seen), host.clone(), Arc::new(answer));
        let app = axum::Router::new().fallback(move |request: Request| {
            let (list, own_host, answer) = (Arc::clone(&list), own_host.clone(), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
                let mut one = Seen {
                    method: parts.method.to_string(),
                    target: parts.uri.path_and_query().unwrap().to_string(),
                    authorization: header("authorization"),
                    accept: header("accept"),
                    body: String::new(),
                };
                let bytes = to_bytes(body, 16 << 20).await.unwrap();
                one.body = String::from_utf8_lossy(&bytes).into_owned();
                list.lock().unwrap().push(one.clone());
                answer(&one, &own_host)
            }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { host, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// `METHOD target` of every request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect()
    }

    pub(crate) fn anonymous(&self) -> RegistryAccess {
        self.with_login(RegistryLogin::Anonymous)
    }

    pub(crate) fn basic(&self, username: &str, password: &str) -> RegistryAccess {
        self.with_login(RegistryLogin::Basic { username: username.to_owned(), password: Secret::new(password) })
    }

    pub(crate) fn with_login(&self, login: RegistryLogin) -> RegistryAccess {
        RegistryAccess {
            host: RegistryHost::new(self.host.as_str()).unwrap(),
            plain_http: true,
            ca_pem: None,
            proxy: None,
            login,
        }
    }
}

pub(crate) fn registries() -> OciRegistries {
    OciRegistries::new(Deadlines { request: Duration::from_secs(20), ..Deadlines::default() })
}

pub(crate) fn name() -> RepositoryName {
    RepositoryName::new("team/app").unwrap()
}

pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

pub(crate) fn json(status: u16, body: &str) -> Response {
    reply(status, &[("content-type", "application/json")], body.to_owned())
}

pub(crate) fn oci_error(status: u16, code: &str) -> Response {
    json(status, &format!(r#"{{"errors":[{{"code":"{code}","message":"scripted","detail":null}}]}}"#))
}

pub(crate) fn html(status: u16) -> Response {
    reply(status, &[("content-type", "text/html; charset=utf-8")], "<html><body>Sign in to Wi-Fi</body></html>")
}

pub(crate) fn digest_of(bytes: &str) -> String {
    use sha2::Digest as _;
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes)))
}

pub(crate) fn manifest() -> Response {
    reply(200, &[("content-type", MANIFEST_TYPE), ("docker-content-digest", &digest_of(MANIFEST))], MANIFEST)
}

/// A 401 that asks for a token of this server.
pub(crate) fn bearer_challenge(host: &str) -> Response {
    let challenge =
        format!(r#"Bearer realm="http://{host}/token?from=registry",service="scripted, inc",scope="x:y:z""#);
    reply(401, &[("www-authenticate", &challenge)], "")
}
