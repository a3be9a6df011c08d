//! Plain calls to one engine. Bodies are JSON values, not types: a setting that a type does not know would be lost when a
//! container or a service is made again.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde_json::Value;
use slipway_core::image::RegistryLogin;
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::sync::Arc;
use std::time::Duration;

/// The largest answer that is read whole.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// The longest line of a stream.
const MAX_LINE: usize = 1024 * 1024;
/// The longest piece of foreign text that goes into a message.
const MAX_FOREIGN_TEXT: usize = 2000;

type Send =
    dyn Fn(Request<Full<Bytes>>) -> BoxFuture<'static, Result<Response<Incoming>, Failure>> + std::marker::Send + Sync;

/// Makes calls to one engine. Cheap to clone; holds no connection of its own.
#[derive(Clone)]
pub struct EngineCalls {
    send: Arc<Send>,
    request: Duration,
    idle: Duration,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Bytes,
}

impl Answer {
    pub(crate) fn ok(self) -> Result<Self, Failure> {
        if (200..300).contains(&self.status) || self.status == 304 { Ok(self) } else { Err(self.failure()) }
    }

    pub(crate) fn json(&self) -> Result<Value, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::new(ErrorCode::EngineError, format!("the engine's answer cannot be read: {error}"))
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn message(&self) -> String {
        message_in(&self.body)
    }

    pub(crate) fn failure(&self) -> Failure {
        let message = self.message();
        let full = message.contains("no space left on device");
        let code = if full { ErrorCode::EngineDiskFull } else { ErrorCode::EngineError };
        Failure::new(code, format!("the engine answered {}: {message}", self.status))
            .with("status", self.status.to_string())
    }
}

impl EngineCalls {
    /// Calls go through `send`, which dials the engine; the answer's connection ends with its body.
    pub fn new(
        send: impl Fn(Request<Full<Bytes>>) -> BoxFuture<'static, Result<Response<Incoming>, Failure>>
        + std::marker::Send
        + Sync
        + 'static,
        deadlines: &Deadlines,
    ) -> Self {
        Self { send: Arc::new(send), request: deadlines.request, idle: deadlines.idle }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.exchange(request(Method::GET, path, None)?, self.request).await
    }

    pub(crate) async fn post(&self, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        self.exchange(request(Method::POST, path, body)?, self.request).await
    }

    /// As [`Self::post`] for a call that waits inside the engine, which may take `more` on top.
    pub(crate) async fn post_slowly(&self, path: &str, more: Duration) -> Result<Answer, Failure> {
        self.exchange(request(Method::POST, path, None)?, self.request + more).await
    }

    pub(crate) async fn post_with_login(
        &self,
        path: &str,
        body: &Value,
        host: &str,
        login: &RegistryLogin,
    ) -> Result<Answer, Failure> {
        let mut request = request(Method::POST, path, Some(body))?;
        if !matches!(login, RegistryLogin::Anonymous) {
            request.headers_mut().insert("X-Registry-Auth", registry_auth(host, login)?);
        }
        self.exchange(request, self.request).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.exchange(request(Method::DELETE, path, None)?, self.request).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>, deadline: Duration) -> Result<Answer, Failure> {
        let exchange = async {
            let (head, body) = (self.send)(request).await?.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| broken(&error))?;
            Ok(Answer { status: head.status.as_u16(), body: body.to_bytes() })
        };
        tokio::time::timeout(deadline, exchange).await.map_err(|_| silent(deadline))?
    }

    /// Sends a request whose answer is a stream of JSON lines; each is given to `line`. No byte for the idle time is a
    /// failure; an error status comes back as its answer.
    pub(crate) async fn stream(
        &self,
        path: &str,
        host: &str,
        login: &RegistryLogin,
        mut line: impl FnMut(Value) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        let mut request = request(Method::POST, path, None)?;
        request.headers_mut().insert("X-Registry-Auth", registry_auth(host, login)?);
        let answer = tokio::time::timeout(self.idle, (self.send)(request)).await.map_err(|_| silent(self.idle))??;
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        let mut rest = Vec::new();
        loop {
            let frame = tokio::time::timeout(self.idle, body.frame()).await.map_err(|_| silent(self.idle))?;
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
            rest.extend_from_slice(&data);
            if rest.len() > MAX_LINE {
                return Err(Failure::new(ErrorCode::EngineError, "the engine sent an endless line"));
            }
            while status < 300
                && let Some(end) = rest.iter().position(|byte| *byte == b'\n')
            {
                let bytes: Vec<u8> = rest.drain(..=end).collect();
                if !bytes.trim_ascii().is_empty() {
                    let value = serde_json::from_slice(&bytes);
                    line(value.map_err(|error| {
                        Failure::new(ErrorCode::EngineError, format!("the engine's report cannot be read: {error}"))
                    })?)?;
                }
            }
        }
        Ok(Answer { status, body: rest.into() })
    }
}

fn request(method: Method, path: &str, body: Option<&Value>) -> Result<Request<Full<Bytes>>, Failure> {
    let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::HOST, "docker")
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Full::new(bytes))
        .map_err(Failure::internal)
}

fn silent(deadline: Duration) -> Failure {
    Failure::new(ErrorCode::EngineLost, format!("the engine did not answer within {deadline:?}"))
        .with("deadline_seconds", deadline.as_secs().to_string())
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::EngineLost, format!("the engine's answer broke off: {error}"))
}

/// Percent-encodes what goes into a path or a query; slashes and colons stay, as the engine's paths want names.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn message_in(body: &[u8]) -> String {
    let said = serde_json::from_slice::<Value>(body).ok();
    let said = said.as_ref().and_then(|said| said.get("message")).and_then(Value::as_str);
    said.map_or_else(|| printable(&String::from_utf8_lossy(body)), printable)
}

/// Foreign text for a message or a log: no control and direction characters, not endless.
pub(crate) fn printable(text: &str) -> String {
    let clean: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
        .take(MAX_FOREIGN_TEXT)
        .collect();
    clean.trim_end().to_owned()
}

/// `X-Registry-Auth`: base64url of the login as JSON; Docker Hub has its historical address as key
/// (`reference/registries.md` section 2).
fn registry_auth(host: &str, login: &RegistryLogin) -> Result<http::HeaderValue, Failure> {
    use base64::Engine as _;
    let address = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
    let json = match login {
        RegistryLogin::Anonymous => serde_json::json!({}),
        RegistryLogin::Basic { username, password } => serde_json::json!({
            "username": username, "password": password.expose(), "serveraddress": address,
        }),
        RegistryLogin::IdentityToken { token } => serde_json::json!({
            "identitytoken": token.expose(), "serveraddress": address,
        }),
    };
    let encoded = base64::engine::general_purpose::URL_SAFE.encode(json.to_string());
    let mut value = http::HeaderValue::from_str(&encoded).map_err(Failure::internal)?;
    value.set_sensitive(true);
    Ok(value)
}
