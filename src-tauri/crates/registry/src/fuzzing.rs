//! Doors to the readers of foreign bytes, for `tests/fuzz` alone: the product does not use them.

use crate::challenge::parse_challenges;
use crate::errors::{About, answer_failure};
use crate::paging::{next_link, on_own_origin};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;
use slipway_core::{ErrorCode, Failure};

/// Reads `WWW-Authenticate`: scheme, realm, service and scope of each challenge.
#[must_use]
pub fn challenges(header: &str) -> Vec<(String, [Option<String>; 3])> {
    let read = parse_challenges(header).into_iter().map(|challenge| {
        let parameter = |name| challenge.parameter(name).map(str::to_owned);
        (challenge.scheme.clone(), [parameter("realm"), parameter("service"), parameter("scope")])
    });
    read.collect()
}

/// Returns the address of the next page that a registry at `base` names in `Link`.
#[must_use]
pub fn next_page(base: &Url, header: &str) -> Option<Url> {
    on_own_origin(base, base, next_link(header)?)
}

/// Makes the failure of an answer to a question about a manifest.
#[must_use]
pub fn failure_of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
    let about =
        About { host: "r.example", method: &Method::GET, not_found: ErrorCode::ManifestUnknown, login_accepted: false };
    answer_failure(about, status, headers, body)
}
