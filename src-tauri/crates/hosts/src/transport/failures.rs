//! Answers and broken connections as [`Failure`]s. Bodies are foreign: HTML, empty or huge.

use super::answer::Answer;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use slipway_core::control::one_line;
use slipway_core::{ErrorCode, Failure};

/// A longer wait than a day is no promise worth keeping.
const LONGEST_WAIT_SECONDS: i64 = 24 * 60 * 60;
/// GitHub: "if neither header is there, wait at least one minute".
const DEFAULT_WAIT_SECONDS: i64 = 60;
const LONGEST_FOREIGN_TEXT: usize = 300;
/// Beyond this a wrong clock explains a refused login.
const NOTABLE_SKEW: TimeDelta = TimeDelta::minutes(5);

/// What a provider knows better about a refusal than its status says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refined {
    pub(crate) code: ErrorCode,
    pub(crate) details: Vec<(&'static str, String)>,
}

impl Refined {
    /// Only another code.
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self { code, details: Vec::new() }
    }

    /// Adds a fact.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }
}

/// Makes the failure of an answer that is no success. `refined` wins over the status, except over a used-up budget and a
/// failing host.
pub(crate) fn answer_failure(answer: &Answer, refined: Option<Refined>) -> Failure {
    let said = answer.message();
    let wait = wait_seconds(answer, said.as_deref());
    let status = answer.status.as_u16();
    let (code, details) = match refined {
        _ if wait.is_some() => (ErrorCode::SourceRateLimited, Vec::new()),
        Some(refined) if status < 500 => (refined.code, refined.details),
        _ => (status_code(answer), Vec::new()),
    };
    let said = said.map_or_else(String::new, |said| format!(": {said}"));
    let mut failure = Failure::new(code, format!("{} answered {}{said}", answer.host, answer.status))
        .with("host", &*answer.host)
        .with("status", status.to_string());
    if let Some(seconds) = wait {
        failure = failure.with("retry_after", seconds.to_string());
    }
    let ahead = answer.clock_ahead();
    if status == 401 && ahead.abs() > NOTABLE_SKEW {
        failure = failure.with("clock_ahead_seconds", ahead.num_seconds().to_string());
    }
    details.into_iter().fold(failure, |failure, (name, value)| failure.with(name, value))
}

fn status_code(answer: &Answer) -> ErrorCode {
    match answer.status.as_u16() {
        500.. => ErrorCode::SourceServerError,
        401 => ErrorCode::SourceUnauthorized,
        403 | 451 if !is_html(&answer.headers) => ErrorCode::SourceForbidden,
        404 | 410 if !is_html(&answer.headers) => ErrorCode::SourceNotFound,
        400 | 409 | 413 | 422 if !is_html(&answer.headers) => ErrorCode::InvalidField,
        _ => ErrorCode::NotACodeHost,
    }
}

/// Returns how long to wait when the answer means "slow down": 429, or 403 with `Retry-After`, a used-up budget, or words
/// that say so (GitHub's secondary limits come without headers).
fn wait_seconds(answer: &Answer, said: Option<&str>) -> Option<i64> {
    let status = answer.status.as_u16();
    let asked = retry_after(&answer.headers, answer.date().unwrap_or(answer.received_at));
    let rate = answer.rate();
    let used_up = rate.remaining == Some(0);
    let words = said.is_some_and(|said| {
        let said = said.to_ascii_lowercase();
        said.contains("rate limit") || said.contains("too many requests") || said.contains("abuse detection")
    });
    if !(status == 429 || status == 403 && (asked.is_some() || used_up || words)) {
        return None;
    }
    let until_reset = rate.resets_at.filter(|_| used_up).map(|at| (at - answer.received_at).num_seconds() + 1);
    Some(asked.or(until_reset).unwrap_or(DEFAULT_WAIT_SECONDS).clamp(1, LONGEST_WAIT_SECONDS))
}

/// Returns the seconds that `Retry-After` asks for, from its number or its date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<i64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match value.parse::<i64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => Some((DateTime::parse_from_rfc2822(value).ok()?.to_utc() - now).num_seconds() + 1),
    }
}

/// Returns foreign text without control characters and not longer than a message needs.
pub(crate) fn plain_text(text: &str) -> String {
    one_line(text, LONGEST_FOREIGN_TEXT)
}

/// Returns true when the answer says that it is a web page.
pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "text/html" || kind == "application/xhtml+xml"
}

/// What answers there is not the product that was chosen.
pub(crate) fn not_a_host(host: &str, why: &str) -> Failure {
    Failure::new(ErrorCode::NotACodeHost, format!("what answers at {host} is not the chosen code host: {why}"))
        .with("host", host)
}

/// Makes the failure of a request that got no (whole) answer. `interrupted` is the code when the connection was open already.
pub(crate) fn transport_failure(host: &str, error: &reqwest::Error, interrupted: ErrorCode) -> Failure {
    let code = match tls_error(error) {
        Some(_) => ErrorCode::SourceTls,
        None if error.is_timeout() => ErrorCode::TimedOut,
        None if error.is_connect() => ErrorCode::SourceUnreachable,
        None if error.is_builder() => ErrorCode::Internal,
        None => interrupted,
    };
    Failure::new(code, format!("{host}: {}", plain_text(&root_cause(error)))).with("host", host)
}

/// Finds the TLS error in a chain of causes; `std::io::Error` hides what it wraps from the chain.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Returns the text of the innermost cause.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut last = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        last = error.to_string();
        cause = error.source();
    }
    last
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use bytes::Bytes;
    use http::{HeaderName, HeaderValue, StatusCode};
    use reqwest::Url;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        Answer {
            host: "git.example".to_owned(),
            url: Url::parse("https://git.example/").unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
                .collect(),
            body: Bytes::from(body.to_owned()),
            received_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            sent: None,
        }
    }

    #[test]
    fn every_status_has_its_code() {
        let html = [("content-type", "text/html; charset=utf-8")];
        for (status, headers, body, code) in [
            (401, &[][..], r#"{"message":"Bad credentials"}"#, ErrorCode::SourceUnauthorized),
            (403, &[][..], r#"{"message":"Forbidden"}"#, ErrorCode::SourceForbidden),
            (403, &[("x-ratelimit-remaining", "0")][..], "{}", ErrorCode::SourceRateLimited),
            (403, &[("x-ratelimit-remaining", "12")][..], "{}", ErrorCode::SourceForbidden),
            (403, &[("retry-after", "30")][..], "{}", ErrorCode::SourceRateLimited),
            (403, &[][..], r#"{"message":"You have exceeded a secondary rate limit"}"#, ErrorCode::SourceRateLimited),
            (429, &[][..], "slow down", ErrorCode::SourceRateLimited),
            (404, &[][..], r#"{"message":"404 Project Not Found"}"#, ErrorCode::SourceNotFound),
            (410, &[][..], "{}", ErrorCode::SourceNotFound),
            (404, &html[..], "<html>", ErrorCode::NotACodeHost),
            (403, &html[..], "<html>", ErrorCode::NotACodeHost),
            (422, &[][..], r#"{"message":"Validation Failed"}"#, ErrorCode::InvalidField),
            (500, &[][..], "", ErrorCode::SourceServerError),
            (503, &html[..], "<html>", ErrorCode::SourceServerError),
            (302, &[][..], "", ErrorCode::NotACodeHost),
            (418, &[][..], "", ErrorCode::NotACodeHost),
        ] {
            assert_eq!(answer_failure(&answer(status, headers, body), None).code, code, "{status} {headers:?} {body}");
        }
    }

    #[test]
    fn f09_a_wait_is_seconds_a_date_or_the_end_of_the_window() {
        let date = "Fri, 15 Jan 2027 08:00:00 GMT";
        for (headers, expected) in [
            (vec![("retry-after", "120")], "120"),
            (vec![("retry-after", "Fri, 15 Jan 2027 08:01:00 GMT"), ("date", date)], "61"),
            (vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1800000090")], "91"),
            (vec![("ratelimit-remaining", "0"), ("ratelimit-reset", "1800000090")], "91"),
            (vec![("retry-after", "-4")], "1"),
            (vec![("retry-after", "99999999")], "86400"),
            (vec![], "60"),
        ] {
            let failure = answer_failure(&answer(429, &headers, ""), None);
            assert_eq!(failure.details["retry_after"], expected, "{headers:?}");
        }
    }

    #[test]
    fn a_wrong_clock_does_not_move_the_window() {
        // The host is an hour ahead; its window ends in 30 seconds by its clock.
        let headers = [
            ("date", "Fri, 15 Jan 2027 09:00:00 GMT"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-reset", "1800003630"),
        ];
        let limited = answer(403, &headers, "");
        assert_eq!(answer_failure(&limited, None).details["retry_after"], "31");
        assert_eq!(limited.rate().resets_at, DateTime::from_timestamp(1_800_000_030, 0));
        assert_eq!(limited.rate().limit, Some(5000));
        let refused = answer_failure(&answer(401, &headers[..1], ""), None);
        assert_eq!(refused.details["clock_ahead_seconds"], "3600");
    }

    #[test]
    fn a_used_up_budget_wins_over_what_a_provider_thinks() {
        let refined = || Some(Refined::new(ErrorCode::SourceSsoRequired).with("url", "https://x"));
        let limited = answer_failure(&answer(403, &[("x-ratelimit-remaining", "0")], ""), refined());
        assert_eq!(limited.code, ErrorCode::SourceRateLimited);
        let plain = answer_failure(&answer(403, &[], ""), refined());
        assert_eq!((plain.code, plain.details["url"].as_str()), (ErrorCode::SourceSsoRequired, "https://x"));
    }

    #[test]
    fn foreign_messages_are_found_and_cleaned() {
        for (body, expected) in [
            (r#"{"message":"a\u001b[31mb\nc"}"#, Some("ab c")),
            (r#"{"message":{"base":["taken"]}}"#, Some(r#"{"base":["taken"]}"#)),
            (r#"{"error":"invalid_token","error_description":"revoked"}"#, Some("revoked")),
            (r#"{"type":"error","error":{"message":"gone"}}"#, Some("gone")),
            (r#"{"Response":{"Error":{"Code":"X","Message":"m"}}}"#, Some("m")),
            ("<html>", None),
        ] {
            assert_eq!(answer(400, &[], body).message().as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_body_is_a_web_page_cut_off_or_something_else() {
        let read = |headers: &[(&'static str, &str)], body: &str| {
            answer(200, headers, body).json::<Vec<u32>>().map_err(|failure| failure.code)
        };
        assert_eq!(read(&[], "[1,2]"), Ok(vec![1, 2]));
        assert_eq!(read(&[], "[1,2"), Err(ErrorCode::SourceServerError));
        assert_eq!(read(&[], ""), Err(ErrorCode::NotACodeHost));
        assert_eq!(read(&[], r#"{"a":1}"#), Err(ErrorCode::NotACodeHost));
        assert_eq!(read(&[("content-type", "text/html")], "[1]"), Err(ErrorCode::NotACodeHost));
    }
}
