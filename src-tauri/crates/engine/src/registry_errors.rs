//! What the engine says when a registry refuses. The engine forwards text only, so this is a table of known texts
//! (engines 20.10 to 29, `reference/registries.md` sections 1.4 and 4); each has a test.

use slipway_core::ErrorCode;

/// Known texts in lower case, most exact first: the first one that is contained decides.
const KNOWN: &[(&str, ErrorCode)] = &[
    ("server gave http response to https client", ErrorCode::RegistryPlainHttp),
    // Write-once tags: ECR, Harbor, GitLab, Quay.
    ("is immutable", ErrorCode::TagImmutable),
    ("as immutable", ErrorCode::TagImmutable),
    ("image does not exist locally", ErrorCode::ImageGone),
    ("tag does not exist", ErrorCode::ImageGone),
    ("no such image", ErrorCode::ImageGone),
    ("toomanyrequests", ErrorCode::RegistryRateLimited),
    ("too many requests", ErrorCode::RegistryRateLimited),
    ("pull rate limit", ErrorCode::RegistryRateLimited),
    ("authorization token has expired", ErrorCode::RegistryUnauthorized),
    // containerd, where the login itself was refused; without the right to push it tells the registry's own message first.
    ("may require authorization: authorization failed", ErrorCode::RegistryUnauthorized),
    // Signed in without the right; Harbor and Quay word it as "unauthorized".
    ("unauthorized to access repository", ErrorCode::RegistryDenied),
    ("access to the requested resource is not authorized", ErrorCode::RegistryDenied),
    ("insufficient_scope", ErrorCode::RegistryDenied),
    // containerd says "push access denied" in front of whatever it was.
    ("401 unauthorized", ErrorCode::RegistryUnauthorized),
    ("access denied", ErrorCode::RegistryDenied),
    ("requested access to the resource is denied", ErrorCode::RegistryDenied),
    ("denied:", ErrorCode::RegistryDenied),
    ("no basic auth credentials", ErrorCode::RegistryUnauthorized),
    ("authentication required", ErrorCode::RegistryUnauthorized),
    ("incorrect username or password", ErrorCode::RegistryUnauthorized),
    ("unauthorized", ErrorCode::RegistryUnauthorized),
    ("name unknown", ErrorCode::RegistryNameUnknown),
    ("name_unknown", ErrorCode::RegistryNameUnknown),
    ("repository name not known", ErrorCode::RegistryNameUnknown),
    ("does not exist in the registry", ErrorCode::RegistryNameUnknown),
    ("project not found", ErrorCode::RegistryNameUnknown),
    ("name invalid", ErrorCode::RegistryNameInvalid),
    ("name_invalid", ErrorCode::RegistryNameInvalid),
    ("invalid repository name", ErrorCode::RegistryNameInvalid),
    ("manifest unknown", ErrorCode::ManifestUnknown),
    ("manifest for", ErrorCode::ManifestUnknown),
    ("manifest invalid", ErrorCode::ManifestInvalid),
    ("manifest_invalid", ErrorCode::ManifestInvalid),
    ("manifest blob unknown", ErrorCode::ManifestInvalid),
    ("x509:", ErrorCode::RegistryTls),
    ("tls: ", ErrorCode::RegistryTls),
    ("certificate signed by unknown authority", ErrorCode::RegistryTls),
    ("no such host", ErrorCode::RegistryUnreachable),
    ("server misbehaving", ErrorCode::RegistryUnreachable),
    ("connection refused", ErrorCode::RegistryUnreachable),
    ("no route to host", ErrorCode::RegistryUnreachable),
    ("network is unreachable", ErrorCode::RegistryUnreachable),
    ("i/o timeout", ErrorCode::RegistryUnreachable),
    ("tls handshake timeout", ErrorCode::RegistryUnreachable),
    ("client.timeout exceeded", ErrorCode::RegistryUnreachable),
    ("request canceled while waiting for connection", ErrorCode::RegistryUnreachable),
    ("context deadline exceeded", ErrorCode::RegistryUnreachable),
    ("proxyconnect", ErrorCode::RegistryUnreachable),
    ("dial tcp", ErrorCode::RegistryUnreachable),
    ("connection reset by peer", ErrorCode::PushInterrupted),
    ("broken pipe", ErrorCode::PushInterrupted),
    ("use of closed network connection", ErrorCode::PushInterrupted),
    ("blob upload", ErrorCode::PushInterrupted),
    ("blob unknown", ErrorCode::PushInterrupted),
    ("digest invalid", ErrorCode::PushInterrupted),
    ("digest did not match", ErrorCode::PushInterrupted),
    ("size invalid", ErrorCode::PushInterrupted),
    ("context canceled", ErrorCode::PushInterrupted),
];

/// What the engine writes in front of a registry's status code.
const STATUS_MARKERS: &[&str] = &["http status: ", "error parsing http ", "status code ", "http status code: "];

/// Finds what went wrong at the registry from the engine's words; `None` when they are not known.
pub(crate) fn classify(text: &str) -> Option<ErrorCode> {
    let text = text.to_lowercase();
    if let Some((_, code)) = KNOWN.iter().find(|(known, _)| text.contains(known)) {
        return Some(*code);
    }
    if let Some(code) = status_in(&text).and_then(from_status) {
        return Some(code);
    }
    // A page instead of a registry's answer: a captive portal or a wrong host.
    if text.contains("invalid character '<'") {
        return Some(ErrorCode::NotARegistry);
    }
    if text.contains("no space left on device") {
        return Some(ErrorCode::EngineDiskFull);
    }
    text.trim_end().ends_with("eof").then_some(ErrorCode::PushInterrupted)
}

/// Classifies by the registry's HTTP status.
pub(crate) fn from_status(status: u16) -> Option<ErrorCode> {
    match status {
        401 => Some(ErrorCode::RegistryUnauthorized),
        403 => Some(ErrorCode::RegistryDenied),
        404 => Some(ErrorCode::RegistryNameUnknown),
        // A proxy in front of the registry that takes no body so large: a layer never gets smaller.
        413 => Some(ErrorCode::ManifestInvalid),
        429 => Some(ErrorCode::RegistryRateLimited),
        500..=599 => Some(ErrorCode::RegistryServerError),
        _ => None,
    }
}

/// Returns the status that the registry answered, as the engine tells it. `text` is in lower case.
pub(crate) fn status_in(text: &str) -> Option<u16> {
    let number = |rest: &str| rest.get(..3)?.parse::<u16>().ok();
    if let Some(found) = STATUS_MARKERS.iter().find_map(|marker| number(text.split_once(marker)?.1)) {
        return Some(found);
    }
    // containerd: "unexpected status from PUT request to https://…: 403 Forbidden"
    let (_, rest) = text.split_once("unexpected status from")?;
    rest.match_indices(": ").find_map(|(at, _)| number(&rest[at + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts_of_engines_and_registries() {
        use ErrorCode as E;
        for (text, expected) in [
            ("no basic auth credentials", E::RegistryUnauthorized),
            ("unauthorized: authentication required", E::RegistryUnauthorized),
            ("unauthorized: incorrect username or password", E::RegistryUnauthorized),
            ("denied: Your authorization token has expired. Reauthenticate and try again.", E::RegistryUnauthorized),
            ("denied: requested access to the resource is denied", E::RegistryDenied),
            (
                "push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
                E::RegistryDenied,
            ),
            (
                "push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials",
                E::RegistryUnauthorized,
            ),
            (
                "push access denied, repository does not exist or may require authorization: unexpected status from POST request to http://r/v2/a/blobs/uploads/: 401 Unauthorized",
                E::RegistryUnauthorized,
            ),
            (
                "unauthorized: unauthorized to access repository: lib/app, action: push: unauthorized to access repository: lib/app, action: push",
                E::RegistryDenied,
            ),
            ("unauthorized: access to the requested resource is not authorized", E::RegistryDenied),
            (
                "error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: \"<html>\"",
                E::RegistryDenied,
            ),
            (
                "unexpected status from PUT request to https://ghcr.io/v2/a/b/manifests/v1: 403 Forbidden",
                E::RegistryDenied,
            ),
            (
                "Get \"https://nowhere.invalid/v2/\": dial tcp: lookup nowhere.invalid on 10.0.0.2:53: no such host",
                E::RegistryUnreachable,
            ),
            (
                "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
                E::RegistryUnreachable,
            ),
            (
                "Get \"https://r/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
                E::RegistryUnreachable,
            ),
            ("Get \"https://r/v2/\": net/http: TLS handshake timeout", E::RegistryUnreachable),
            ("Get \"https://r/v2/\": x509: certificate signed by unknown authority", E::RegistryTls),
            (
                "Get \"https://r/v2/\": tls: failed to verify certificate: x509: certificate is valid for a, not r",
                E::RegistryTls,
            ),
            ("Get \"https://r:5000/v2/\": http: server gave HTTP response to HTTPS client", E::RegistryPlainHttp),
            ("toomanyrequests: You have reached your pull rate limit.", E::RegistryRateLimited),
            ("received unexpected HTTP status: 429 Too Many Requests", E::RegistryRateLimited),
            ("received unexpected HTTP status: 503 Service Unavailable", E::RegistryServerError),
            ("received unexpected HTTP status: 500 Internal Server Error", E::RegistryServerError),
            ("error parsing HTTP 502 response body: invalid character '<'", E::RegistryServerError),
            (
                "error parsing HTTP 200 response body: invalid character '<' looking for beginning of value",
                E::NotARegistry,
            ),
            (
                "name unknown: The repository with name 'x' does not exist in the registry with id '1'",
                E::RegistryNameUnknown,
            ),
            ("name invalid: Invalid repository name", E::RegistryNameInvalid),
            (
                "error parsing HTTP 413 response body: invalid character '<' looking for beginning of value: \"<html>\"",
                E::ManifestInvalid,
            ),
            ("manifest invalid: manifest invalid", E::ManifestInvalid),
            (
                "tag invalid: The image tag 'v1' already exists in the 'x' repository and cannot be overwritten because the repository is immutable.",
                E::TagImmutable,
            ),
            ("unknown: Failed to process request due to 'app:v1' configured as immutable.", E::TagImmutable),
            ("An image does not exist locally with the tag: 127.0.0.1:5000/app", E::ImageGone),
            ("tag does not exist: 127.0.0.1:5000/app:v9", E::ImageGone),
            ("write tcp 1.2.3.4:1->1.2.3.5:443: write: broken pipe", E::PushInterrupted),
            ("read tcp 1.2.3.4:1->1.2.3.5:443: read: connection reset by peer", E::PushInterrupted),
            ("Put \"https://r/v2/a/blobs/uploads/1\": EOF", E::PushInterrupted),
            ("blob upload unknown", E::PushInterrupted),
            ("digest invalid: provided digest did not match uploaded content", E::PushInterrupted),
            ("open /var/lib/docker/tmp/x: no space left on device", E::EngineDiskFull),
        ] {
            assert_eq!(classify(text), Some(expected), "{text}");
        }
        assert_eq!(classify("something nobody has seen"), None);
    }
}
