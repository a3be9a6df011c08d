//! Sends what notification channels are told.

use super::{Checked, Destination, NotCalled, Resolve, Sent, send, system_resolver, words};
use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use slipway_core::channel::{ANSWER_KEPT, ChannelAnswer, ChannelCall, ChannelPost};
use slipway_core::{ErrorCode, Failure, Secret};
use std::time::Duration;

/// For the look at the name, and for the call with its answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// Sends each call once.
pub struct ChannelSender {
    resolve: Resolve,
    deadline: Duration,
}

impl Default for ChannelSender {
    fn default() -> Self {
        Self::new(system_resolver(), DEADLINE)
    }
}

impl ChannelSender {
    /// With a way to look names up, and a deadline.
    #[must_use]
    pub fn new(resolve: Resolve, deadline: Duration) -> Self {
        Self { resolve, deadline }
    }
}

#[async_trait]
impl ChannelPost for ChannelSender {
    async fn post(&self, call: &ChannelCall) -> Result<ChannelAnswer, Failure> {
        let destination = destination(&call.address, call.allow_private)?;
        let headers = headers(call)?;
        let unreachable =
            |why: String| Failure::new(ErrorCode::ChannelUnreachable, why).with("host", destination.host());
        let mut response = match send(&destination, &self.resolve, self.deadline, headers, call.body.clone()).await? {
            Sent::Answered(response) => response,
            Sent::NotNow(why) => return Err(unreachable(why)),
            // A strange network answers with other addresses; the next one may not.
            Sent::NotCalled(why) if destination.is_name() => {
                return Err(unreachable(not_called(&destination, why).message));
            }
            Sent::NotCalled(why) => return Err(not_called(&destination, why)),
        };
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while body.len() < ANSWER_KEPT {
            match response.chunk().await {
                Ok(Some(bytes)) => body.extend_from_slice(&bytes[..bytes.len().min(ANSWER_KEPT - body.len())]),
                Ok(None) => break,
                Err(error) => return Err(unreachable(words(&error))),
            }
        }
        Ok(ChannelAnswer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }

    async fn check(&self, address: &Secret, allow_private: bool) -> Result<(), Failure> {
        let destination = destination(address, allow_private)?;
        match destination.check(&self.resolve, self.deadline).await? {
            Checked::NotCalled(why) => Err(not_called(&destination, why)),
            Checked::Addresses(_) | Checked::Unknown(_) => Ok(()),
        }
    }
}

fn destination(address: &Secret, allow_private: bool) -> Result<Destination, Failure> {
    // The address is a key.
    Destination::new(address.expose().trim(), allow_private, true).map_err(|failure| failure.at("address"))
}

fn not_called(destination: &Destination, why: NotCalled) -> Failure {
    let host = destination.host();
    let bad = |why: String| Failure::new(ErrorCode::InvalidField, why).at("address");
    let failure = match why {
        NotCalled::NeedsConsent => {
            let why = format!("{host} is in a private network, and nobody allowed that");
            Failure::new(ErrorCode::PrivateAddress, why).at("allow_private")
        }
        NotCalled::ClearText => bad(format!("{host} is public, and the address is a key: it begins with https://")),
        NotCalled::Never => bad(format!("{host} is never called: it is link-local, or belongs to nobody")),
    };
    failure.with("host", host)
}

fn headers(call: &ChannelCall) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in &call.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(Failure::internal)?;
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| Failure::new(ErrorCode::InvalidField, "this cannot be sent in a header").at("secret"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
