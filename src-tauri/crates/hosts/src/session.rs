//! Requests in somebody's name: a stored account, a token that was just made, or nobody.

use crate::provider::Provider;
use crate::refresh::{Refresher, Why};
use crate::transport::{Answer, Body, Call, Link, answer_failure, on_own_origin, with_segments};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use reqwest::Url;
use serde::de::DeserializeOwned;
use slipway_core::code::{CommitDetails, CommitId};
use slipway_core::host::{HostAccess, HostAddress, HostTokens, PageMark, RepositoryPath};
use slipway_core::{ErrorCode, Failure, Secret};
use std::sync::atomic::{AtomicU32, Ordering};

/// In whose name a request is made.
pub(crate) enum Who<'a> {
    /// Nobody's: no `Authorization`.
    Nobody,
    /// A token that is not stored yet.
    New(&'a HostTokens),
    /// A stored account: tokens are read anew for every request and refreshed when they end.
    Stored { account: &'a HostAccess, refresher: &'a Refresher },
}

/// A host during one port call.
pub(crate) struct Session<'a> {
    pub(crate) address: &'a HostAddress,
    pub(crate) link: Link,
    provider: &'static dyn Provider,
    api: Url,
    who: Who<'a>,
    requests: AtomicU32,
}

impl<'a> Session<'a> {
    /// Prepares requests; nothing is sent yet.
    pub(crate) fn new(address: &'a HostAddress, link: Link, who: Who<'a>) -> Result<Self, Failure> {
        let provider = crate::provider::of(address.provider);
        let api = provider.api(&address.base)?;
        Ok(Self { address, link, provider, api, who, requests: AtomicU32::new(0) })
    }

    /// Returns the host for messages.
    pub(crate) fn host(&self) -> &str {
        self.link.host()
    }

    /// Returns how many requests were sent.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns the tokens that a request would carry now; `None` for nobody's.
    pub(crate) async fn tokens(&self) -> Result<Option<HostTokens>, Failure> {
        match &self.who {
            Who::Nobody => Ok(None),
            Who::New(tokens) => Ok(Some((*tokens).clone())),
            Who::Stored { account, refresher } => refresher.tokens(account, &self.link, Why::Expired).await.map(Some),
        }
    }

    /// A read below the API's address.
    pub(crate) fn get(&self, segments: &[&str]) -> Ask<'_> {
        self.ask(Method::GET, segments)
    }

    /// Any request below the API's address.
    pub(crate) fn ask(&self, method: Method, segments: &[&str]) -> Ask<'_> {
        let call = with_segments(&self.api, segments).map(|url| Call::new(method, url));
        Ask { session: self, call }
    }

    /// The next page that an answer named: path and query below the API's address.
    pub(crate) fn next(&self, mark: &PageMark) -> Ask<'_> {
        let url = on_own_origin(&self.api, &mark.0).filter(|url| url.path().starts_with(self.api.path()));
        let call = url
            .map(|url| Call::new(Method::GET, url))
            .ok_or_else(|| Failure::new(ErrorCode::InvalidField, "this page does not belong to the host").at("page"));
        Ask { session: self, call }
    }

    /// Sends and returns any answer. A refused token of a stored account is refreshed once, where that is possible.
    async fn send(&self, mut call: Call) -> Result<Answer, Failure> {
        let tokens = self.tokens().await?;
        if let Some(tokens) = &tokens {
            call.authorization = Some(self.provider.authorization(tokens)?);
        }
        for (name, value) in self.provider.headers() {
            if !call.headers.iter().any(|(given, _)| *given == name) {
                call.headers.push((name, value));
            }
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut answer = self.link.send(&call).await?;
        let Some(used) = tokens else { return Ok(answer) };
        answer.sent = Some(used.access.clone());
        let Who::Stored { account, refresher } = &self.who else { return Ok(answer) };
        if answer.status != StatusCode::UNAUTHORIZED || used.refresh.is_none() {
            return Ok(answer);
        }
        let renewed = refresher.tokens(account, &self.link, Why::Refused(&used.access)).await?;
        call.authorization = Some(self.provider.authorization(&renewed)?);
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = self.link.send(&call).await?;
        Ok(Answer { sent: Some(renewed.access), ..answer })
    }

    /// Makes the failure of an answer.
    pub(crate) fn failure(&self, answer: &Answer) -> Failure {
        answer_failure(answer, self.provider.refine(answer))
    }
}

/// A request that is being put together.
pub(crate) struct Ask<'s> {
    session: &'s Session<'s>,
    call: Result<Call, Failure>,
}

impl Ask<'_> {
    /// Ends the path with a slash.
    pub(crate) fn with_slash(mut self) -> Self {
        if let Ok(call) = &mut self.call {
            call.url.set_path(&format!("{}/", call.url.path().trim_end_matches('/')));
        }
        self
    }

    /// Adds a query parameter.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        if let Ok(call) = &mut self.call {
            call.url.query_pairs_mut().append_pair(name, value);
        }
        self
    }

    /// Adds a header; a value that no header can hold is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let (Ok(call), Ok(value)) = (&mut self.call, HeaderValue::from_str(value)) {
            call.headers.push((name, value));
        }
        self
    }

    /// Sets an authorization of its own: for requests that are not made in an account's name.
    pub(crate) fn authorized(mut self, header: HeaderValue) -> Self {
        if let Ok(call) = &mut self.call {
            call.authorization = Some(header);
        }
        self
    }

    /// Sets a JSON body.
    pub(crate) fn json(mut self, body: serde_json::Value) -> Self {
        if let Ok(call) = &mut self.call {
            call.body = Body::Json(body);
        }
        self
    }

    /// Sends; every status is an answer.
    pub(crate) async fn answer(self) -> Result<Answer, Failure> {
        self.session.send(self.call?).await
    }

    /// Sends; a status other than success or "not modified" becomes its failure.
    pub(crate) async fn send(self) -> Result<Answer, Failure> {
        let session = self.session;
        let answer = session.send(self.call?).await?;
        if answer.status.is_success() || answer.status == StatusCode::NOT_MODIFIED {
            Ok(answer)
        } else {
            Err(session.failure(&answer))
        }
    }

    /// Sends and reads JSON.
    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        self.send().await?.json()
    }
}

/// Makes `Bearer …`.
pub(crate) fn bearer(token: &Secret) -> Result<HeaderValue, Failure> {
    sensitive(&format!("Bearer {}", token.expose()))
}

/// Makes `Basic …`.
pub(crate) fn basic(username: &str, password: &Secret) -> Result<HeaderValue, Failure> {
    sensitive(&format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose()))))
}

/// A header value that is never printed.
///
/// # Errors
/// [`ErrorCode::InvalidField`] when the token holds what no header can (a line break from pasting).
pub(crate) fn sensitive(text: &str) -> Result<HeaderValue, Failure> {
    let mut header = HeaderValue::from_str(text).map_err(|_| {
        Failure::new(ErrorCode::InvalidField, "the token holds characters that no token has").at("token")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// Splits `owner/name`.
///
/// # Errors
/// [`ErrorCode::BadCodeLocation`] when it has not exactly two parts.
pub(crate) fn owner_and_name(path: &RepositoryPath) -> Result<(&str, &str), Failure> {
    match path.0.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() && !name.contains('/') => Ok((owner, name)),
        _ => Err(Failure::new(ErrorCode::BadCodeLocation, format!("{path} is no owner/name")).at("path")),
    }
}

/// A missing revision is another thing than a missing repository.
pub(crate) fn ref_not_found(failure: Failure, revision: &str) -> Failure {
    match failure.code {
        ErrorCode::SourceNotFound | ErrorCode::InvalidField => {
            Failure { code: ErrorCode::RefNotFound, ..failure }.with("ref", revision)
        }
        _ => failure,
    }
}

/// Longest message that is kept, as for commits of a mirror.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// Makes the details of a commit from a host's answer.
pub(crate) fn commit_details(
    id: String,
    mut message: String,
    (author, author_email): (String, String),
    committed_at: Option<DateTime<Utc>>,
    parents: impl Iterator<Item = String>,
) -> Result<CommitDetails, Failure> {
    if message.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE).rev().find(|at| message.is_char_boundary(*at)).unwrap_or_default();
        message.truncate(end);
    }
    Ok(CommitDetails {
        id: CommitId::new(id)?,
        summary: message.lines().next().unwrap_or_default().to_owned(),
        message,
        author,
        author_email,
        committed_at: committed_at.unwrap_or_default(),
        parents: parents.filter_map(|id| CommitId::new(id).ok()).collect(),
    })
}
