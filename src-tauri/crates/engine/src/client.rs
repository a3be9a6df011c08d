//! Plain HTTP calls to the engine over [`Transport`], with a deadline on each and failures by code.

use crate::transport::Transport;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Body, Incoming};
use slipway_core::image::RegistryLogin;
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// The largest answer that is read whole: an image list of a very full engine is a few megabytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// The longest piece of foreign text that goes into a message.
const MAX_FOREIGN_TEXT: usize = 2000;

/// Makes calls to one engine, one connection each.
#[derive(Clone, Debug)]
pub(crate) struct EngineClient {
    transport: Transport,
    /// For one small call, from dialling to the last byte of the answer.
    deadline: Duration,
}

/// An answer whose connection closes when this is dropped: that is how a running push is stopped.
pub(crate) struct OpenAnswer {
    pub(crate) response: Response<Incoming>,
    _connection: AbortOnDropHandle<()>,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Reads the body as JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::new(ErrorCode::EngineError, format!("the engine's answer cannot be read: {error}"))
        })
    }

    /// Returns the engine's own words for an error.
    pub(crate) fn message(&self) -> String {
        server_message(&self.body)
    }

    /// The failure for an answer that nothing more exact is known about.
    pub(crate) fn failure(&self) -> Failure {
        server_failure(self.status, &self.message())
    }
}

impl EngineClient {
    pub(crate) fn new(transport: Transport, deadline: Duration) -> Self {
        Self { transport, deadline }
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Sends a request and returns when the answer's head is there. No deadline of its own.
    pub(crate) async fn open<B>(&self, request: Request<B>) -> Result<OpenAnswer, Failure>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (response, connection) = self.exchange(request).await?;
        Ok(OpenAnswer { response, _connection: connection })
    }

    /// As [`Self::open`], for a caller that keeps the answer only: the connection ends with the answer's body.
    /// Its address may be an absolute one, as client libraries write it; the wire wants path and host apart.
    pub(crate) async fn send<B>(&self, mut request: Request<B>) -> Result<Response<Incoming>, Failure>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if let Some(path) = request.uri().path_and_query().cloned() {
            *request.uri_mut() = path.into();
        }
        request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("docker"));
        let (response, connection) = self.exchange(request).await?;
        connection.detach();
        Ok(response)
    }

    async fn exchange<B>(&self, request: Request<B>) -> Result<(Response<Incoming>, AbortOnDropHandle<()>), Failure>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let stream = self.transport.dial().await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.map_err(|e| lost(&e))?;
        let connection = AbortOnDropHandle::new(tokio::spawn(async move {
            // A broken connection is seen by whoever reads the answer.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "engine connection ended");
            }
        }));
        let response = sender.send_request(request).await.map_err(|e| lost(&e))?;
        Ok((response, connection))
    }

    /// Makes a call without a body and reads the whole answer within the deadline.
    pub(crate) async fn call(&self, method: Method, path: &str) -> Result<Answer, Failure> {
        self.call_with(request(method, path)?).await
    }

    /// As [`Self::call`], with headers of the caller's.
    pub(crate) async fn call_with(&self, request: Request<Empty<Bytes>>) -> Result<Answer, Failure> {
        let exchange = async {
            let answer = self.open(request).await?;
            let status = answer.response.status();
            let body = answer.response.into_body();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| {
                Failure::new(ErrorCode::EngineLost, format!("the engine's answer broke off: {error}"))
            })?;
            Ok(Answer { status, body: body.to_bytes() })
        };
        tokio::time::timeout(self.deadline, exchange).await.map_err(|_| silent(self.deadline))?
    }
}

/// The engine takes connections and says nothing (F06).
pub(crate) fn silent(deadline: Duration) -> Failure {
    Failure::new(ErrorCode::EngineLost, format!("the engine did not answer within {deadline:?}"))
        .with("deadline_seconds", deadline.as_secs().to_string())
}

/// With TLS 1.3 an engine refuses our certificate after the handshake: that arrives here, and waiting would not help.
fn lost(error: &hyper::Error) -> Failure {
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    if let Some(io) = io.filter(|io| io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())) {
        return Failure::new(ErrorCode::EngineForbidden, format!("TLS to the engine failed: {io}"))
            .with("reason", "tls");
    }
    Failure::new(ErrorCode::EngineLost, format!("the connection to the engine broke: {error}"))
}

/// A request without a body. The path is ours or made by [`encode`].
pub(crate) fn request(method: Method, path: &str) -> Result<Request<Empty<Bytes>>, Failure> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::HOST, "docker")
        .body(Empty::new())
        .map_err(Failure::internal)
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

/// Takes `message` out of an error body, else the body itself.
fn server_message(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    serde_json::from_slice::<Message>(body)
        .map_or_else(|_| printable(&String::from_utf8_lossy(body)), |m| printable(&m.message))
}

/// Makes a failure from an error answer of the engine.
pub(crate) fn server_failure(status: StatusCode, message: &str) -> Failure {
    let code =
        if message.contains("no space left on device") { ErrorCode::EngineDiskFull } else { ErrorCode::EngineError };
    Failure::new(code, format!("the engine answered {}: {message}", status.as_u16()))
        .with("status", status.as_u16().to_string())
}

/// Foreign text for a message: no control characters, not endless.
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

/// `X-Registry-Auth`: base64url of the login as JSON. The engine wants it on every push, an empty object when anonymous;
/// Docker Hub has its historical address as key (`reference/registries.md` section 2).
pub(crate) fn registry_auth(host: &str, login: &RegistryLogin) -> Result<http::HeaderValue, Failure> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use base64::Engine as _;
    use slipway_core::Secret;

    fn decoded(host: &str, login: &RegistryLogin) -> serde_json::Value {
        let value = registry_auth(host, login).unwrap();
        assert!(value.is_sensitive());
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE.decode(value.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_login_header_is_always_there_and_names_its_host() {
        let basic = RegistryLogin::Basic { username: "u".into(), password: Secret::new("pä/ss>") };
        assert_eq!(decoded("ghcr.io", &RegistryLogin::Anonymous), serde_json::json!({}));
        assert_eq!(
            decoded("reg.example:5000", &basic),
            serde_json::json!({"username": "u", "password": "pä/ss>", "serveraddress": "reg.example:5000"})
        );
        assert_eq!(decoded("docker.io", &basic)["serveraddress"], "https://index.docker.io/v1/");
        let token = RegistryLogin::IdentityToken { token: Secret::new("t") };
        assert_eq!(decoded("ghcr.io", &token)["identitytoken"], "t");
    }

    #[test]
    fn foreign_text_loses_control_and_direction_characters() {
        assert_eq!(printable("a\u{1b}[31mb\r\n\u{202e}c\n"), "a [31mb  c");
        assert_eq!(printable(&"x".repeat(5000)).len(), MAX_FOREIGN_TEXT);
    }

    #[test]
    fn errors_are_read_with_and_without_json() {
        assert_eq!(server_message(br#"{"message":"No such image: x"}"#), "No such image: x");
        assert_eq!(server_message(b"404 page not found\n"), "404 page not found");
        let full = server_failure(StatusCode::INTERNAL_SERVER_ERROR, "write /x: no space left on device");
        assert_eq!(full.code, ErrorCode::EngineDiskFull);
    }
}
