//! One request and its answer.

use super::answer::Answer;
use super::clients::Clients;
use super::failures::{not_a_host, plain_text, transport_failure};
use bytes::BytesMut;
use chrono::Utc;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Client, Response, Url};
use slipway_core::host::HostAddress;
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const MOST_REDIRECTS: usize = 5;
const MOST_ERROR_BYTES: usize = 64 * 1024;
/// A list of a hundred repositories is below one megabyte; a recursive tree has a limit of seven.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// A JSON document.
    Json(serde_json::Value),
    /// A form that is encoded already. May hold secrets: never printed.
    Form(Vec<u8>),
}

/// A request to make.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Value of the `Authorization` header, sent to the origin of `url` alone.
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Body,
}

impl Call {
    /// A request without body.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, authorization: None, headers: Vec::new(), body: Body::None }
    }
}

/// A host that can be asked: its client, deadline and the person's cancellation.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    host: String,
    client: Client,
    deadline: Duration,
    cancel: CancellationToken,
}

impl Link {
    /// Prepares requests to a host; nothing is sent yet.
    pub(crate) fn new(
        address: &HostAddress,
        clients: &Clients,
        deadlines: &Deadlines,
        cancel: &CancellationToken,
    ) -> Result<Self, Failure> {
        Ok(Self {
            host: address.base.host().to_owned(),
            client: clients.get(address)?,
            deadline: deadlines.request,
            cancel: cancel.clone(),
        })
    }

    /// Returns the host for messages.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The same host without anybody who cancels: for work that must not stop in the middle.
    pub(crate) fn uncancelled(&self) -> Self {
        Self { cancel: CancellationToken::new(), ..self.clone() }
    }

    /// Waits for something, but not longer than the person does.
    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Failure::cancelled()),
            done = work => Ok(done),
        }
    }

    /// Sends a request and reads the whole answer, within the deadline. Every status is an answer.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let answer = tokio::time::timeout(self.deadline, self.follow(call));
        self.unless_cancelled(answer).await?.unwrap_or_else(|_| {
            Err(Failure::new(ErrorCode::TimedOut, format!("{} did not answer in time", self.host))
                .with("host", &*self.host)
                .with("seconds", self.deadline.as_secs().to_string()))
        })
    }

    /// Follows redirects within the origin: reads any of them, writes only those that keep the method (307, 308).
    async fn follow(&self, call: &Call) -> Result<Answer, Failure> {
        let mut url = call.url.clone();
        let is_read = call.method == Method::GET || call.method == Method::HEAD;
        for _ in 0..=MOST_REDIRECTS {
            let response = self.request(call, &url).await?;
            let status = response.status();
            let keeps_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            let location = match response.headers().get(LOCATION).and_then(|location| location.to_str().ok()) {
                Some(location) if is_redirect(status) && (is_read || keeps_method) => location.to_owned(),
                Some(location) if is_redirect(status) => return Err(self.redirected(&url, location)),
                _ => return self.read(response, url).await,
            };
            let target = url.join(&location).ok().filter(|target| same_origin(target, &call.url) && is_bare(target));
            url = target.ok_or_else(|| self.redirected(&url, &location))?;
        }
        Err(not_a_host(&self.host, "it redirects again and again"))
    }

    fn redirected(&self, from: &Url, location: &str) -> Failure {
        let target = from.join(location).ok();
        let to = target.as_ref().and_then(Url::host_str).unwrap_or("another address");
        let failure = Failure::new(
            ErrorCode::SourceRedirected,
            format!("{} redirects to {}; a token never follows", self.host, plain_text(to)),
        )
        .with("host", &*self.host)
        .with("to", plain_text(to));
        // The same host over TLS is what a person meant who typed http://.
        match target {
            Some(target) if target.scheme() == "https" && from.scheme() == "http" && target.host() == from.host() => {
                failure.with("suggestion", target.origin().ascii_serialization())
            }
            _ => failure,
        }
    }

    async fn request(&self, call: &Call, url: &Url) -> Result<Response, Failure> {
        let mut request = self.client.request(call.method.clone(), url.clone());
        if let Some(authorization) = &call.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if !call.headers.iter().any(|(name, _)| name == ACCEPT) {
            request = request.header(ACCEPT, "application/json");
        }
        for (name, value) in &call.headers {
            request = request.header(name, value.clone());
        }
        request = match &call.body {
            Body::None if call.method == Method::GET || call.method == Method::HEAD => request,
            Body::None => request.header(CONTENT_LENGTH, 0),
            Body::Json(json) => request.header(CONTENT_TYPE, "application/json").body(json.to_string()),
            Body::Form(form) => request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone()),
        };
        request
            .send()
            .await
            .map_err(|error| transport_failure(&self.host, &error.without_url(), ErrorCode::SourceUnreachable))
    }

    async fn read(&self, mut response: Response, url: Url) -> Result<Answer, Failure> {
        let (status, headers) = (response.status(), response.headers().clone());
        let limit = if status.is_success() { MOST_BYTES } else { MOST_ERROR_BYTES };
        let mut body = BytesMut::new();
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk
                .map_err(|error| transport_failure(&self.host, &error.without_url(), ErrorCode::SourceServerError))?;
            let Some(chunk) = chunk else { break };
            let room = limit - body.len();
            if chunk.len() > room {
                if status.is_success() {
                    return Err(not_a_host(&self.host, &format!("its answer is longer than {limit} bytes")));
                }
                body.extend_from_slice(&chunk[..room]);
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            host: self.host.clone(),
            url,
            status,
            headers,
            body: body.freeze(),
            received_at: Utc::now(),
            sent: None,
        })
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn is_bare(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// Returns true when two addresses have the same scheme, host and port.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host() == b.host() && a.port_or_known_default() == b.port_or_known_default()
}

/// Returns `base` with more path segments, each escaped as a whole: a slash inside one stays inside it.
///
/// # Errors
/// [`ErrorCode::InvalidField`] for a segment that would change the path's meaning (`.`, `..`, empty).
pub(crate) fn with_segments(base: &Url, segments: &[&str]) -> Result<Url, Failure> {
    let mut url = base.clone();
    for segment in segments {
        if matches!(*segment, "" | "." | "..") || segment.chars().any(char::is_control) {
            return Err(Failure::new(ErrorCode::InvalidField, format!("{segment:?} cannot be part of an address")));
        }
    }
    url.path_segments_mut()
        .map_err(|()| Failure::internal("an address that cannot have a path"))?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn t02_origins_are_compared_as_a_whole() {
        let base = Url::parse("https://api.github.com/").unwrap();
        for (other, expected) in [
            ("https://api.github.com:443/x", true),
            ("https://API.github.com/x", true),
            ("https://api.github.com:8443/x", false),
            ("http://api.github.com/x", false),
            ("https://api.github.com.evil/x", false),
            ("https://evil/api.github.com", false),
            ("https://api.github.com@evil/x", false),
            ("https://github.com/x", false),
            ("https://api.gïthub.com/x", false),
        ] {
            assert_eq!(same_origin(&base, &Url::parse(other).unwrap()), expected, "{other}");
        }
    }

    #[test]
    fn t03_segments_stay_segments() {
        let base = Url::parse("https://git.example.com/sub/api/v4").unwrap();
        let of = |segments: &[&str]| with_segments(&base, segments).map(String::from);
        assert_eq!(
            of(&["projects", "a/b c%", "x?y#z"]).unwrap(),
            "https://git.example.com/sub/api/v4/projects/a%2Fb%20c%25/x%3Fy%23z"
        );
        for bad in ["..", ".", "", "a\r\nHost: evil"] {
            assert_eq!(of(&["projects", bad]).unwrap_err().code, ErrorCode::InvalidField, "{bad:?}");
        }
    }
}
