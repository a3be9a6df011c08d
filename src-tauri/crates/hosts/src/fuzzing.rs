//! Doors to the readers of foreign bytes, for `tests/fuzz` alone: the product does not use them.

use crate::oauth::loopback::respond_once;
use crate::oauth::page::Pages;
use crate::provider;
use crate::transport::paging;
use chrono::{DateTime, Utc};
use reqwest::Url;
use ring::hmac;
use slipway_core::Secret;
use slipway_core::host::{Delivery, DeliveryRefused, HookEvent, HostProvider, PageLanguage};

/// Reads a delivery of a provider.
///
/// # Errors
/// Why it is refused.
pub fn read_delivery(
    provider: HostProvider,
    headers: &[(String, String)],
    body: &[u8],
    secret: &str,
    now: DateTime<Utc>,
) -> Result<HookEvent, DeliveryRefused> {
    provider::of(provider).read_delivery(&Delivery { headers, body }, &Secret::new(secret), now)
}

/// Returns the signature of a message: HMAC with SHA-1 or SHA-256.
#[must_use]
pub fn sign(secret: &str, message: &[u8], sha1: bool) -> Vec<u8> {
    let algorithm = if sha1 { hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY } else { hmac::HMAC_SHA256 };
    hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), message).as_ref().to_vec()
}

/// Answers the head of a request to the listener that the browser comes back to, with status and page.
pub async fn oauth_callback(head: &str, host: &str, path: &str, state: &str) -> (&'static str, String) {
    let pages = Pages { language: PageLanguage::English, host: "git.example".to_owned(), form: None };
    respond_once(head, host, path, &Secret::new(state), pages).await
}

/// Returns the address of the next page that a host at `own` names in `Link`.
#[must_use]
pub fn next_page(own: &Url, header: &str) -> Option<Url> {
    paging::on_own_origin(own, paging::next_link(header)?)
}
