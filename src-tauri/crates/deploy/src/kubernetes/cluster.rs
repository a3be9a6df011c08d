//! Calls to the API server of one context: exactly those that updating a workload needs.

use super::exec;
use super::kubeconfig::{self, Access, Login, invalid};
use base64::Engine as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Identity, Method, Proxy, StatusCode};
use serde_json::Value;
use slipway_core::deploy::Refusal;
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;
use url::Url;

/// A list of the largest namespace stays below this.
const LARGEST_ANSWER: usize = 64 << 20;
/// An event of a watch is one object.
const LARGEST_EVENT: usize = 4 << 20;

/// A signed-in connection to one cluster.
pub(super) struct Cluster {
    client: Client,
    server: String,
    /// The namespace of the context.
    pub(super) namespace: Option<String>,
    deadline: Duration,
}

/// What came of the wish to connect.
pub(super) enum Connected {
    /// It can be talked to.
    Ready(Cluster),
    /// A program would have to run that no person allowed; nothing ran.
    Refused(Refusal),
}

impl Cluster {
    /// Reads the kubeconfig and signs in. No connection is made yet.
    pub(super) async fn connect(
        kubeconfig: &str,
        context: &str,
        allowed_exec: Option<&str>,
        deadlines: &Deadlines,
    ) -> Result<Connected, Failure> {
        let mut access = kubeconfig::access(kubeconfig, context).await?;
        if let Login::Exec(entry) = &access.login {
            let command = entry.command_line();
            if allowed_exec != Some(command.as_str()) {
                return Ok(Connected::Refused(Refusal::ExecNotAllowed { command }));
            }
            access.login = exec::run(entry, &access, deadlines.request).await?;
        }
        let client = client(&access, deadlines)?;
        let Access { server, namespace, .. } = access;
        Ok(Connected::Ready(Self { client, server, namespace, deadline: deadlines.request }))
    }

    /// Reads an object or a list.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.call(Method::GET, path, query, None).await
    }

    /// Applies a strategic merge patch; returns the object as it is then.
    pub(super) async fn patch(&self, path: &str, patch: &Value) -> Result<Value, Failure> {
        self.call(Method::PATCH, path, &[("fieldManager", "slipway")], Some(patch)).await
    }

    /// Waits until something happens to an object after this version of it, at most `longest`. A watch is a hint only: when
    /// it is cut or came too late (410), the object is looked at all the same.
    pub(super) async fn news(&self, list: &str, name: &str, version: &str, longest: Duration) {
        let watch = async {
            let field = format!("metadata.name={name}");
            let seconds = longest.as_secs().max(1).to_string();
            let query = [
                ("watch", "true"),
                ("fieldSelector", &field),
                ("resourceVersion", version),
                ("timeoutSeconds", &seconds),
            ];
            let mut response = self.client.get(self.url(list, &query).ok()?).send().await.ok()?;
            if !response.status().is_success() {
                return None;
            }
            let mut size = 0;
            // The first line is enough, whatever it says.
            while let Ok(Some(chunk)) = response.chunk().await {
                size += chunk.len();
                if chunk.contains(&b'\n') || size > LARGEST_EVENT {
                    return Some(());
                }
            }
            None
        };
        let _ = tokio::time::timeout(longest, watch).await;
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, Failure> {
        let mut url = Url::parse(&format!("{}{path}", self.server)).map_err(Failure::internal)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        patch: Option<&Value>,
    ) -> Result<Value, Failure> {
        let mut request = self.client.request(method, self.url(path, query)?);
        if let Some(patch) = patch {
            let body = serde_json::to_vec(patch).map_err(Failure::internal)?;
            request = request.header(CONTENT_TYPE, "application/strategic-merge-patch+json").body(body);
        }
        let answering = async {
            let mut response = request.send().await.map_err(|error| broken(&error))?;
            let status = response.status();
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
                if body.len() + chunk.len() > LARGEST_ANSWER {
                    return Err(Failure::new(ErrorCode::ClusterError, "the cluster's answer is too large"));
                }
                body.extend_from_slice(&chunk);
            }
            Ok::<_, Failure>((status, body))
        };
        let late = |_| Err(Failure::new(ErrorCode::ClusterUnreachable, "the cluster did not answer in time"));
        let (status, body): (StatusCode, Vec<u8>) =
            tokio::time::timeout(self.deadline, answering).await.unwrap_or_else(late)?;
        if !status.is_success() {
            return Err(refused(status, &body));
        }
        serde_json::from_slice(&body)
            .map_err(|_| Failure::new(ErrorCode::ClusterError, "what answers at this address is no Kubernetes cluster"))
    }
}

fn client(access: &Access, deadlines: &Deadlines) -> Result<Client, Failure> {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    let secret = |text: String| {
        let mut value = HeaderValue::from_str(&text).map_err(|_| invalid("the login cannot be sent in a header"))?;
        value.set_sensitive(true);
        Ok::<_, Failure>(value)
    };
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .https_only(access.server.starts_with("https://"))
        .connect_timeout(deadlines.request)
        .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")));
    match &access.login {
        Login::Nobody => {}
        Login::Token(token) => {
            headers.insert(AUTHORIZATION, secret(format!("Bearer {}", token.expose()))?);
        }
        Login::Password { username, password } => {
            let both = format!("{username}:{}", password.expose());
            let both = base64::engine::general_purpose::STANDARD.encode(both);
            headers.insert(AUTHORIZATION, secret(format!("Basic {both}"))?);
        }
        Login::Certificate(pem) => {
            let identity = Identity::from_pem(pem.expose().as_bytes());
            builder = builder.identity(identity.map_err(|_| invalid("the client certificate or its key is damaged"))?);
        }
        Login::Exec(_) => return Err(Failure::internal("the program that signs in did not run")),
    }
    if let Some((user, groups)) = &access.impersonate {
        headers.insert(HeaderName::from_static("impersonate-user"), secret(user.clone())?);
        for group in groups {
            headers.append(HeaderName::from_static("impersonate-group"), secret(group.clone())?);
        }
    }
    if let Some(pem) = &access.ca_pem {
        let certificates = Certificate::from_pem_bundle(pem).ok().filter(|certificates| !certificates.is_empty());
        let certificates = certificates.ok_or_else(|| invalid("the cluster's certificate authority is no PEM"))?;
        builder = builder.tls_certs_only(certificates);
    }
    if access.insecure {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if let Some(proxy) = &access.proxy {
        builder = builder.proxy(Proxy::all(proxy).map_err(|_| invalid("the proxy-url of the cluster cannot be used"))?);
    }
    // The identity is looked at together with everything else: a key that does not belong to its certificate fails here.
    builder.default_headers(headers).build().map_err(|_| invalid("the connection cannot be made from this kubeconfig"))
}

/// A connection that broke, or never was.
fn broken(error: &reqwest::Error) -> Failure {
    let mut words = Vec::new();
    let mut source: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(inner) = source {
        words.push(inner.to_string());
        source = inner.source();
    }
    let why = words.last().cloned().unwrap_or_else(|| "the connection broke".to_owned());
    let certificate = words.iter().any(|word| word.contains("certificate") || word.contains("HandshakeFailure"));
    if certificate {
        // The server says it with an alert when it does not take ours.
        return Failure::new(ErrorCode::ClusterTls, format!("TLS to the cluster failed: {why}"));
    }
    Failure::new(ErrorCode::ClusterUnreachable, format!("the cluster cannot be reached: {why}"))
}

/// What the cluster's `Status` says, in our codes.
fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let message: String = said["message"].as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    let message: String = message.chars().take(500).collect();
    let (code, what) = match status.as_u16() {
        401 => (ErrorCode::ClusterUnauthorized, "the cluster refused the login"),
        403 => (ErrorCode::ClusterForbidden, "the cluster does not allow this"),
        404 => (ErrorCode::TargetGone, "the cluster has no such object"),
        409 => (ErrorCode::TargetChanged, "the object was changed meanwhile"),
        400 | 405 | 406 | 415 | 422 => (ErrorCode::TargetRefused, "the cluster did not take this"),
        _ => (ErrorCode::ClusterError, "the cluster answered with an error"),
    };
    let text = if message.is_empty() { what.to_owned() } else { format!("{what}: {message}") };
    Failure::new(code, text).with("status", status.as_u16().to_string())
}
