//! A complete answer and what is read from it: JSON, the budget, the difference of the clocks.

use super::failures::{is_html, not_a_host, plain_text};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{DATE, ETAG};
use http::{HeaderMap, StatusCode};
use reqwest::Url;
use serde::de::DeserializeOwned;
use slipway_core::host::RateState;
use slipway_core::{ErrorCode, Failure, Secret};

/// An answer of whatever status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) host: String,
    /// Where it came from, after redirects.
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) received_at: DateTime<Utc>,
    /// The token that was sent: a host that repeats it in a message is not repeated.
    pub(crate) sent: Option<Secret>,
}

impl Answer {
    /// Returns a header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the entity tag.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.headers.get(ETAG)?.to_str().ok()
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`ErrorCode::NotACodeHost`] for a web page or JSON of another kind, [`ErrorCode::SourceServerError`] when it ends in
    /// the middle.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if is_html(&self.headers) {
            return Err(not_a_host(&self.host, "it answers with a web page"));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            if error.is_eof() && !self.body.is_empty() {
                return Failure::new(
                    ErrorCode::SourceServerError,
                    format!("{}'s answer ends in the middle", self.host),
                )
                .with("host", &*self.host);
            }
            // The error's text may quote what was read: only the place is kept.
            not_a_host(
                &self.host,
                &format!("its answer is not the expected one (line {}, column {})", error.line(), error.column()),
            )
        })
    }

    /// Returns what the host's clock showed when it answered.
    pub(crate) fn date(&self) -> Option<DateTime<Utc>> {
        Some(DateTime::parse_from_rfc2822(self.headers.get(DATE)?.to_str().ok()?).ok()?.to_utc())
    }

    /// Returns how far the host's clock is ahead of ours.
    pub(crate) fn clock_ahead(&self) -> TimeDelta {
        self.date().map_or(TimeDelta::zero(), |date| date - self.received_at)
    }

    /// Returns the budget (`X-RateLimit-*` of GitHub, Gitee and Bitbucket, `RateLimit-*` of GitLab).
    pub(crate) fn rate(&self) -> RateState {
        let number = |name: &str| {
            [format!("x-ratelimit-{name}"), format!("ratelimit-{name}")]
                .iter()
                .find_map(|header| self.header(header)?.trim().parse::<u64>().ok())
        };
        RateState {
            limit: number("limit"),
            remaining: number("remaining"),
            resets_at: number("reset")
                .and_then(|epoch| DateTime::from_timestamp(i64::try_from(epoch).ok()?, 0))
                .map(|at| at - self.clock_ahead()),
        }
    }

    /// Returns the message inside an error body, clean and short: `message` (GitHub, Gitee, Gitea), `error`/`error_description`
    /// (GitLab, OAuth), `error.message` (Bitbucket), `Response.Error.Message` (CODING).
    pub(crate) fn message(&self) -> Option<String> {
        let json: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let found = [
            json.pointer("/Response/Error/Message"),
            json.pointer("/error/message"),
            json.get("message"),
            json.get("error_description"),
            json.get("error"),
        ];
        let found = found.into_iter().flatten().next()?;
        let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        let errors = json.get("errors").filter(|errors| errors.is_array()).map(ToString::to_string);
        let text = errors.map_or(text.clone(), |errors| format!("{text} {errors}"));
        let text = match &self.sent {
            Some(sent) if !sent.is_empty() => text.replace(sent.expose(), "[redacted]"),
            _ => text,
        };
        Some(plain_text(&text)).filter(|text| !text.is_empty())
    }
}
