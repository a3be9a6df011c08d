//! Answers and broken connections as [`Failure`]s (`reference/registries.md` section 1.4). Bodies are foreign: they may be
//! HTML, empty, or huge, and only the closed list of OCI codes is read from them.

use chrono::{DateTime, Utc};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use slipway_core::control::one_line;
use slipway_core::{ErrorCode, Failure};

/// A longer wait than a day is no promise worth keeping.
const LONGEST_WAIT_SECONDS: i64 = 24 * 60 * 60;
const LONGEST_FOREIGN_TEXT: usize = 300;

/// What an answer was about, for choosing the error code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    /// The registry host as the person knows it.
    pub(crate) host: &'a str,
    /// The method of the request.
    pub(crate) method: &'a Method,
    /// The code of a 404 that says nothing more.
    pub(crate) not_found: ErrorCode,
    /// True when a 401 came although the token server accepted the login: the login is right, the right is missing.
    pub(crate) login_accepted: bool,
}

/// Makes the failure of an answer that is no success.
pub(crate) fn answer_failure(about: About<'_>, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let error = first_oci_error(body);
    let said = error.as_ref().map_or_else(String::new, |error| format!(": {}", error.text));
    let code = answer_code(about, status, headers, error.as_ref().map(|error| error.code.as_str()));
    let failure = Failure::new(code, format!("{} answered {status}{said}", about.host))
        .with("host", about.host)
        .with("status", status.as_u16().to_string());
    match retry_after(headers, Utc::now()) {
        Some(seconds) => failure.with("retry_after", seconds.to_string()),
        None => failure,
    }
}

fn answer_code(about: About<'_>, status: StatusCode, headers: &HeaderMap, oci_code: Option<&str>) -> ErrorCode {
    let unauthorized = if about.login_accepted { ErrorCode::RegistryDenied } else { ErrorCode::RegistryUnauthorized };
    match (status.as_u16(), oci_code) {
        (429, _) | (_, Some("TOOMANYREQUESTS")) => ErrorCode::RegistryRateLimited,
        (500.., _) => ErrorCode::RegistryServerError,
        (401, _) => unauthorized,
        (_, Some(code)) if named_code(code).is_some() => named_code(code).unwrap_or(ErrorCode::Internal),
        (403, _) => ErrorCode::RegistryDenied,
        (404, _) if is_html(headers) => ErrorCode::NotARegistry,
        (404, _) => about.not_found,
        (409 | 412, _) if [Method::PUT, Method::DELETE].contains(about.method) => ErrorCode::TagImmutable,
        (400 | 405, _) if about.method == Method::DELETE => ErrorCode::RegistryUnsupported,
        (405, _) => ErrorCode::RegistryUnsupported,
        (400 | 413 | 415, _) if about.method == Method::PUT => ErrorCode::ManifestInvalid,
        (400..500, Some(_)) => ErrorCode::RegistryServerError,
        _ => ErrorCode::NotARegistry,
    }
}

fn named_code(code: &str) -> Option<ErrorCode> {
    Some(match code {
        "DENIED" => ErrorCode::RegistryDenied,
        "UNAUTHORIZED" => ErrorCode::RegistryUnauthorized,
        "NAME_UNKNOWN" => ErrorCode::RegistryNameUnknown,
        "NAME_INVALID" => ErrorCode::RegistryNameInvalid,
        "MANIFEST_UNKNOWN" | "BLOB_UNKNOWN" => ErrorCode::ManifestUnknown,
        "MANIFEST_INVALID" | "MANIFEST_BLOB_UNKNOWN" | "MANIFEST_UNVERIFIED" | "TAG_INVALID" => {
            ErrorCode::ManifestInvalid
        }
        "BLOB_UPLOAD_UNKNOWN" | "BLOB_UPLOAD_INVALID" | "DIGEST_INVALID" | "SIZE_INVALID" => ErrorCode::PushInterrupted,
        "UNSUPPORTED" => ErrorCode::RegistryUnsupported,
        _ => return None,
    })
}

struct OciError {
    code: String,
    text: String,
}

fn first_oci_error(body: &[u8]) -> Option<OciError> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = json.get("errors")?.get(0)?;
    let code = error.get("code")?.as_str()?;
    let message = error.get("message").and_then(serde_json::Value::as_str).unwrap_or_default();
    Some(OciError { code: code.to_owned(), text: plain_text(&format!("{code} {message}")) })
}

/// Returns foreign text in one line that deceives nobody (T07, T08), not longer than a message needs.
pub(crate) fn plain_text(text: &str) -> String {
    one_line(text, LONGEST_FOREIGN_TEXT)
}

/// Returns true when the answer says that it is a web page.
pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|kind| kind == "text/html" || kind == "application/xhtml+xml")
}

/// Returns the media type in lower case, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!kind.is_empty()).then_some(kind)
}

/// Returns the seconds that `Retry-After` asks for, from its number or its date.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<i64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = match value.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let milliseconds = (DateTime::parse_from_rfc2822(value).ok()?.to_utc() - now).num_milliseconds();
            milliseconds.saturating_add(999) / 1000
        }
    };
    Some(seconds.clamp(0, LONGEST_WAIT_SECONDS))
}

/// The answer is there and is no registry's: a web page, an empty body, something else than JSON.
pub(crate) fn not_a_registry(host: &str, why: &str) -> Failure {
    Failure::new(ErrorCode::NotARegistry, format!("what answers at {host} is no registry: {why}")).with("host", host)
}

/// Makes the failure of a request that got no answer. `interrupted` is the code when the connection was open already.
pub(crate) fn transport_failure(host: &str, error: &reqwest::Error, interrupted: ErrorCode) -> Failure {
    let code = match tls_error(error) {
        Some(rustls::Error::InvalidMessage(_)) => ErrorCode::RegistryPlainHttp,
        Some(_) => ErrorCode::RegistryTls,
        None if error.is_timeout() => ErrorCode::TimedOut,
        None if error.is_connect() => ErrorCode::RegistryUnreachable,
        None if error.is_builder() => ErrorCode::Internal,
        None => interrupted,
    };
    Failure::new(code, format!("{host}: {}", plain_text(&innermost(error)))).with("host", host)
}

/// Finds the TLS error in a chain of causes; `std::io::Error` hides what it wraps from the chain.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn innermost(error: &dyn std::error::Error) -> String {
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
    use http::HeaderValue;

    fn about(method: &Method) -> About<'_> {
        About { host: "reg.example", method, not_found: ErrorCode::ManifestUnknown, login_accepted: false }
    }

    #[test]
    fn every_answer_has_its_code() {
        let oci = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"m","detail":null}}]}}"#);
        let cases = [
            (Method::GET, 401, oci("UNAUTHORIZED"), ErrorCode::RegistryUnauthorized),
            (Method::GET, 403, oci("DENIED"), ErrorCode::RegistryDenied),
            (Method::GET, 403, String::new(), ErrorCode::RegistryDenied),
            (Method::GET, 404, oci("NAME_UNKNOWN"), ErrorCode::RegistryNameUnknown),
            (Method::GET, 404, oci("MANIFEST_UNKNOWN"), ErrorCode::ManifestUnknown),
            (Method::HEAD, 404, String::new(), ErrorCode::ManifestUnknown),
            (Method::PUT, 400, oci("NAME_INVALID"), ErrorCode::RegistryNameInvalid),
            (Method::PUT, 400, oci("MANIFEST_BLOB_UNKNOWN"), ErrorCode::ManifestInvalid),
            (Method::PUT, 413, String::new(), ErrorCode::ManifestInvalid),
            (Method::PUT, 409, String::new(), ErrorCode::TagImmutable),
            (Method::PUT, 412, oci("PRECONDITION"), ErrorCode::TagImmutable),
            (Method::PUT, 400, oci("DIGEST_INVALID"), ErrorCode::PushInterrupted),
            (Method::DELETE, 405, oci("UNSUPPORTED"), ErrorCode::RegistryUnsupported),
            (Method::DELETE, 400, String::new(), ErrorCode::RegistryUnsupported),
            (Method::DELETE, 409, oci("CONFLICT"), ErrorCode::TagImmutable),
            (Method::DELETE, 412, oci("PRECONDITION"), ErrorCode::TagImmutable),
            (Method::DELETE, 412, String::new(), ErrorCode::TagImmutable),
            (Method::GET, 400, oci("TOOMANYREQUESTS"), ErrorCode::RegistryRateLimited),
            (Method::GET, 429, "slow down".to_owned(), ErrorCode::RegistryRateLimited),
            (Method::GET, 503, oci("DENIED"), ErrorCode::RegistryServerError),
            (Method::GET, 302, String::new(), ErrorCode::NotARegistry),
            (Method::GET, 418, "<html>".to_owned(), ErrorCode::NotARegistry),
        ];
        for (method, status, body, expected) in cases {
            let status = StatusCode::from_u16(status).unwrap();
            let failure = answer_failure(about(&method), status, &HeaderMap::new(), body.as_bytes());
            assert_eq!(failure.code, expected, "{method} {status} {body}");
        }
        let accepted = About { login_accepted: true, ..about(&Method::GET) };
        let failure = answer_failure(accepted, StatusCode::UNAUTHORIZED, &HeaderMap::new(), b"");
        assert_eq!(failure.code, ErrorCode::RegistryDenied);
    }

    #[test]
    fn f13_a_404_page_is_no_registry() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/HTML; charset=utf-8"));
        let failure = answer_failure(about(&Method::GET), StatusCode::NOT_FOUND, &headers, b"<html>");
        assert_eq!(failure.code, ErrorCode::NotARegistry);
    }

    #[test]
    fn f09_retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("2015-10-21T07:27:00.5Z").unwrap().to_utc();
        let cases = [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("-5", Some(0)),
            ("999999999999", Some(LONGEST_WAIT_SECONDS)),
            ("soon", None),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
            assert_eq!(retry_after(&headers, now), expected, "{value:?}");
        }
    }

    #[test]
    fn foreign_text_is_plain_and_short() {
        assert_eq!(plain_text("a\u{1b}[31mb\r\nc\u{9b}d"), "ab c");
        // What is hidden is spelled out, and that counts too.
        assert_eq!(plain_text(&"\u{202e}".repeat(1000)).chars().count(), LONGEST_FOREIGN_TEXT);
        assert_eq!(plain_text(&"密".repeat(1000)).chars().count(), LONGEST_FOREIGN_TEXT);
    }
}
