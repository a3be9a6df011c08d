//! Calls to addresses that a person typed: triggers' webhooks and notification channels. Each try looks the name up, checks
//! what was found and connects to nothing else; redirects are not followed, and nothing waits for ever.

mod address;
mod channel;

pub(crate) use address::{Checked, Destination, NotCalled};
pub use address::{Resolve, system_resolver};
pub use channel::ChannelSender;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response};
use slipway_core::Failure;
use std::net::SocketAddr;
use std::time::Duration;

/// How one try ended.
pub(crate) enum Sent {
    /// There is an answer; its body is not read yet.
    Answered(Response),
    /// Nobody answered; the words hold nothing of the address.
    NotNow(String),
    /// Nobody was called.
    NotCalled(NotCalled),
}

/// Posts once; looking the name up and the call have this deadline each.
pub(crate) async fn send(
    destination: &Destination,
    resolve: &Resolve,
    deadline: Duration,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Sent, Failure> {
    let addresses = match destination.check(resolve, deadline).await? {
        Checked::Addresses(addresses) => addresses,
        Checked::Unknown(why) => return Ok(Sent::NotNow(why)),
        Checked::NotCalled(why) => return Ok(Sent::NotCalled(why)),
    };
    let client = client(destination, &addresses, deadline)?;
    match client.post(destination.url.clone()).headers(headers).body(body).send().await {
        Ok(response) => Ok(Sent::Answered(response)),
        Err(error) => Ok(Sent::NotNow(words(&error))),
    }
}

/// A client for one try: it connects to the checked addresses whatever the name says by now.
fn client(destination: &Destination, addresses: &[SocketAddr], deadline: Duration) -> Result<Client, Failure> {
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .https_only(destination.url.scheme() == "https")
        .resolve_to_addrs(&destination.host(), addresses)
        .connect_timeout(deadline)
        .timeout(deadline)
        .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(Failure::internal)
}

/// What went wrong, without the address: it may hold a secret.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let doing = if error.is_connect() { "no connection" } else { "the connection broke" };
    // The outermost error names the address; a source below it does not.
    if std::ptr::addr_eq(innermost, error) { doing.to_owned() } else { format!("{doing}: {innermost}") }
}
