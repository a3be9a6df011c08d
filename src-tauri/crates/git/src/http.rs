//! Requests to a Git host over HTTP: where they may go, what they carry, and what each refusal means.
//!
//! The login is bound to the exact scheme, host and port of the location (T02): a redirect to any other origin ends the
//! request, and a redirect within it is followed only for the first request, as Git itself does.

use crate::blocking::timed_out;
use crate::error::plain;
use crate::stream::PacketStream;
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use slipway_core::code::{CodeAccess, CodeLocation};
use slipway_core::network::Proxy;
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure, Secret};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// Git follows so many redirects at most of the first request.
const REDIRECTS: usize = 5;
/// A connection that is not there after this long will not come.
const CONNECT: Duration = Duration::from_secs(10);

/// HTTP clients by what makes them differ, so that polls reuse connections and loaded certificates.
#[derive(Debug, Default)]
pub(crate) struct HttpClients(Mutex<HashMap<ClientKey, Client>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ClientKey {
    ca_pem: Option<String>,
    proxy: Option<String>,
}

impl HttpClients {
    fn client(&self, ca_pem: Option<&str>, proxy: Option<&Proxy>, deadlines: &Deadlines) -> Result<Client, Failure> {
        // A proxy with a login gets a client of its own each time, so that no password stays in this table.
        let key = proxy
            .is_none_or(|proxy| proxy.username.is_none() && proxy.password.is_none())
            .then(|| ClientKey { ca_pem: ca_pem.map(str::to_owned), proxy: proxy.map(|proxy| proxy.url.clone()) });
        if let Some(key) = &key
            && let Some(client) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key)
        {
            return Ok(client.clone());
        }
        let client = build_client(ca_pem, proxy, deadlines)?;
        if let Some(key) = key {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, client.clone());
        }
        Ok(client)
    }
}

fn build_client(ca_pem: Option<&str>, proxy: Option<&Proxy>, deadlines: &Deadlines) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .user_agent("git/2.0 (slipway)")
        .connect_timeout(CONNECT.min(deadlines.request))
        .read_timeout(deadlines.idle);
    if let Some(pem) = ca_pem {
        let bad = |why: String| {
            Failure::new(ErrorCode::BadCodeLocation, format!("the certificate authority cannot be used: {why}"))
                .at("ca_pem")
        };
        let certificates =
            reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| bad(root_cause(&error)))?;
        if certificates.is_empty() {
            return Err(bad("it holds no PEM certificate".to_owned()));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(proxy) = proxy {
        let mut to = reqwest::Proxy::all(&proxy.url)
            .map_err(|error| Failure::new(ErrorCode::InvalidField, format!("the proxy cannot be used: {error}")))?;
        if let Some(username) = &proxy.username {
            to = to.basic_auth(username, proxy.password.as_ref().map_or("", Secret::expose));
        }
        builder = builder.proxy(to);
    }
    builder.build().map_err(|error| {
        Failure::new(ErrorCode::SourceTls, format!("TLS cannot be set up: {}", root_cause(&error))).at("ca_pem")
    })
}

/// Checks the URL of a code repository: HTTPS (or plain HTTP with consent), a host, and nothing hidden in it (T03).
///
/// # Errors
/// [`ErrorCode::BadCodeLocation`] with the rule that is broken.
pub(crate) fn check_url(text: &str, allow_plain_http: bool) -> Result<Url, Failure> {
    let bad =
        |why: &str| Err(Failure::new(ErrorCode::BadCodeLocation, format!("this URL cannot be used: {why}")).at("url"));
    if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return bad("it holds a space, a backslash or a control character");
    }
    let lower = text.to_ascii_lowercase();
    if ["%00", "%0a", "%0d"].iter().any(|escaped| lower.contains(escaped)) {
        return bad("it holds an escaped control character");
    }
    let scheme = lower.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some("https") => {}
        Some("http") if allow_plain_http => {}
        Some("http") => return bad("plain HTTP needs an explicit consent, a login would be readable on the way"),
        _ => return bad("it does not begin with https://"),
    }
    let Ok(url) = Url::parse(text) else { return bad("it is no legal URL") };
    let authority = text.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("");
    if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
        return bad("a login never travels inside a URL, it has fields of its own");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return bad("it has a query or a fragment");
    }
    if authority.is_empty() || url.host_str().is_none_or(str::is_empty) {
        return bad("it names no host");
    }
    Ok(url)
}

/// One Git repository at a host.
#[derive(Debug)]
pub(crate) struct GitHttp {
    client: Client,
    base: Url,
    login: Option<(String, Secret)>,
    deadlines: Deadlines,
}

impl GitHttp {
    /// Prepares requests to a location; nothing is sent yet.
    pub(crate) fn new(access: &CodeAccess, clients: &HttpClients, deadlines: &Deadlines) -> Result<Self, Failure> {
        let CodeLocation::GitUrl { url, username, ca_pem, allow_plain_http, .. } = &access.location else {
            return Err(Failure::internal("this place is not reached over HTTP"));
        };
        let base = check_url(url, *allow_plain_http)?;
        if username.as_ref().is_some_and(|name| name.contains(':') || name.chars().any(char::is_control)) {
            return Err(Failure::new(ErrorCode::BadCodeLocation, "the user name holds a colon or a control character")
                .at("username"));
        }
        // Hosts that take a bare token ignore the name, but want one.
        let login = match (username, &access.password) {
            (None, None) => None,
            (name, password) => {
                Some((name.clone().unwrap_or_else(|| "git".to_owned()), password.clone().unwrap_or_default()))
            }
        };
        let client = clients.client(ca_pem.as_deref(), access.proxy.as_ref(), deadlines)?;
        Ok(Self { client, base, login, deadlines: deadlines.clone() })
    }

    /// Asks what is offered for reading, following redirects within the same origin.
    pub(crate) async fn discover(&mut self) -> Result<PacketStream, Failure> {
        for _ in 0..=REDIRECTS {
            let url = self.endpoint("/info/refs?service=git-upload-pack");
            let response = self.send(self.client.get(&url), self.deadlines.request).await?;
            if response.status().is_redirection() {
                self.follow(&response)?;
                continue;
            }
            return self.accept(response, "application/x-git-upload-pack-advertisement");
        }
        Err(Failure::new(ErrorCode::SourceNotGit, format!("{} redirects in a circle", self.host())))
    }

    /// Sends one protocol command and returns its answer.
    pub(crate) async fn command(&self, body: Vec<u8>) -> Result<PacketStream, Failure> {
        let request = self
            .client
            .post(self.endpoint("/git-upload-pack"))
            .header(CONTENT_TYPE, "application/x-git-upload-pack-request")
            .header(ACCEPT, "application/x-git-upload-pack-result")
            .body(body);
        // A host counts the objects of a large repository before its first byte.
        let response = self.send(request, self.deadlines.idle).await?;
        if response.status().is_redirection() {
            return Err(self.redirected(response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("")));
        }
        self.accept(response, "application/x-git-upload-pack-result")
    }

    /// Returns the host for messages.
    pub(crate) fn host(&self) -> &str {
        self.base.host_str().unwrap_or("")
    }

    fn endpoint(&self, tail: &str) -> String {
        format!("{}{tail}", self.base.as_str().trim_end_matches('/'))
    }

    async fn send(&self, mut request: RequestBuilder, deadline: Duration) -> Result<Response, Failure> {
        request = request.header("Git-Protocol", "version=2");
        if let Some((name, password)) = &self.login {
            request = request.basic_auth(name, Some(password.expose()));
        }
        match tokio::time::timeout(deadline, request.send()).await {
            Ok(answer) => answer.map_err(|error| transfer_failure(&error, self.host())),
            Err(_) => Err(timed_out(&format!("the answer of {}", self.host()), deadline).with("host", self.host())),
        }
    }

    fn accept(&self, response: Response, content_type: &str) -> Result<PacketStream, Failure> {
        if !response.status().is_success() {
            return Err(self.refused(&response));
        }
        let given = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        if given.split(';').next().map(str::trim) != Some(content_type) {
            return Err(Failure::new(
                ErrorCode::SourceNotGit,
                format!("{} does not answer like a Git repository over smart HTTP ({:?})", self.host(), plain(given)),
            )
            .with("host", self.host()));
        }
        Ok(PacketStream::of_response(self.host(), response, self.deadlines.idle))
    }

    /// What a status other than success means.
    fn refused(&self, response: &Response) -> Failure {
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(plain);
        let (code, what) = match status {
            StatusCode::TOO_MANY_REQUESTS => (ErrorCode::SourceRateLimited, "asks to slow down"),
            StatusCode::FORBIDDEN if retry_after.is_some() => (ErrorCode::SourceRateLimited, "asks to slow down"),
            StatusCode::UNAUTHORIZED => (ErrorCode::SourceUnauthorized, "refused the login"),
            StatusCode::FORBIDDEN if self.login.is_none() => (ErrorCode::SourceUnauthorized, "asks for a login"),
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
                (ErrorCode::SourceNotFound, "has no such repository, or this login may not read it")
            }
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                (ErrorCode::SourceUnreachable, "is behind a proxy that refused the login")
            }
            _ if status.is_server_error() => (ErrorCode::SourceServerError, "failed on its side"),
            _ => (ErrorCode::SourceNotGit, "does not answer like a Git repository"),
        };
        let failure = Failure::new(code, format!("{} {what} (HTTP {})", self.host(), status.as_u16()))
            .with("host", self.host())
            .with("status", status.as_u16().to_string());
        match retry_after {
            Some(after) => failure.with("retry_after", after),
            None => failure,
        }
    }

    /// Takes a redirect of the first request, within the same origin only.
    fn follow(&mut self, response: &Response) -> Result<(), Failure> {
        let to = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("");
        let target = response.url().join(to).ok().filter(|_| !to.is_empty()).ok_or_else(|| self.redirected(to))?;
        if target.origin() != self.base.origin() || !target.username().is_empty() || target.password().is_some() {
            return Err(self.redirected(to));
        }
        let Some(path) = target.path().strip_suffix("/info/refs") else {
            return Err(Failure::new(
                ErrorCode::SourceNotGit,
                format!("{} redirects to a page that is no Git repository", self.host()),
            )
            .with("host", self.host()));
        };
        self.base.set_path(path);
        Ok(())
    }

    fn redirected(&self, to: &str) -> Failure {
        let target = Url::parse(to).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        Failure::new(
            ErrorCode::SourceRedirected,
            format!("{} redirects to another place ({}); the login does not follow", self.host(), plain(&target)),
        )
        .with("host", self.host())
        .with("target", plain(&target))
    }
}

/// Calls `visit` for an error and everything that caused it, also what an input/output error wraps.
fn causes<'a>(error: &'a (dyn StdError + 'static), visit: &mut dyn FnMut(&'a (dyn StdError + 'static))) {
    let mut next = Some(error);
    while let Some(current) = next {
        visit(current);
        // `source` of an input/output error skips the error that it wraps.
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => current.source(),
        };
    }
}

fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    causes(error, &mut |cause| text = cause.to_string());
    plain(&text)
}

/// What a failed transfer means, from the types of its causes.
pub(crate) fn transfer_failure(error: &reqwest::Error, host: &str) -> Failure {
    let mut tls = None;
    causes(error, &mut |cause| {
        if let Some(found) = cause.downcast_ref::<rustls::Error>() {
            tls = Some(found.to_string());
        }
    });
    let why = root_cause(error);
    let failure = if let Some(reason) = tls {
        Failure::new(ErrorCode::SourceTls, format!("TLS to {host} failed: {}", plain(&reason)))
            .with("reason", plain(&reason))
    } else if error.is_connect() {
        Failure::new(ErrorCode::SourceUnreachable, format!("{host} cannot be reached: {why}"))
    } else if error.is_timeout() {
        Failure::new(ErrorCode::TimedOut, format!("{host} sent nothing for too long"))
    } else {
        Failure::new(ErrorCode::SourceUnreachable, format!("the connection to {host} broke: {why}"))
    };
    failure.with("host", host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn t03_urls_that_hide_something_are_refused() {
        let refused = [
            "https://user@host/r.git",
            "https://user:pw@host/r.git",
            "https://@host/r.git",
            "https://host/r.git%0ahost=evil",
            "https://host/r%0D.git",
            "https://host/r.git\nhost=evil",
            "https://host\\@evil/r.git",
            "https://host/ r.git",
            "https://host/r.git?x=1",
            "https://host/r.git#x",
            "https:///r.git",
            "http://host/r.git",
            "file:///etc",
            "ext::sh -c id",
            "ssh://git@host/r.git",
            "git@host:r.git",
            "git://host/r.git",
            "--upload-pack=x",
            "",
            "/srv/r.git",
        ];
        for text in refused {
            assert_eq!(check_url(text, false).unwrap_err().code, ErrorCode::BadCodeLocation, "{text:?}");
        }
    }

    #[test]
    fn plain_urls_are_accepted() {
        for text in ["https://host/r.git", "https://host:8443/a/b", "HTTPS://HOST/r", "https://münchen.example/r.git"]
        {
            assert!(check_url(text, false).is_ok(), "{text:?}");
        }
        assert!(check_url("http://host/r.git", true).is_ok());
    }
}
