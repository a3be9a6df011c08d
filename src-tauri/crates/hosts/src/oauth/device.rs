//! The device flow (RFC 8628) of GitHub and GitLab: a code that is typed on another page, and asking in the host's rhythm.

use super::exchange::{Endpoints, post, refusal, refused, standard, tokens};
use crate::transport::Link;
use async_trait::async_trait;
use oauth2::{DeviceAuthorizationUrl, Scope, StandardDeviceAuthorizationResponse};
use slipway_core::host::{DeviceCode, HostAddress, HostTokens, Need, OauthClient, PendingDevice};
use slipway_core::ports::Clock;
use slipway_core::{ErrorCode, Failure};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Waits between two questions. A parameter so that a test can hold the rhythm without living through it.
pub(crate) type Sleep = Arc<dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Asks the host for a code.
pub(crate) async fn begin_device(
    address: &HostAddress,
    client: &OauthClient,
    needs: &[Need],
    link: Link,
    clock: Arc<dyn Clock>,
    sleep: Sleep,
) -> Result<Box<dyn PendingDevice>, Failure> {
    let provider = crate::provider::of(address.provider);
    let endpoints = provider.endpoints(&address.base)?;
    let host = link.host().to_owned();
    let start = endpoints.device.clone().ok_or_else(|| {
        Failure::new(ErrorCode::SourceUnsupported, format!("{host} has no device flow")).with("host", &*host)
    })?;
    let scopes = provider.guide(&address.base, needs).oauth_scopes;
    let asking = standard(&endpoints, client).set_device_authorization_url(DeviceAuthorizationUrl::from_url(start));
    let send = |request| post(link.clone(), request);
    let response: StandardDeviceAuthorizationResponse = asking
        .exchange_device_code()
        .add_scopes(scopes.into_iter().map(|scope| Scope::new(scope.name)))
        .request_async(&send)
        .await
        .or_else(|error| {
            let (name, description) =
                refusal(&host, error, |said| (said.error().as_ref().to_owned(), said.error_description().cloned()))?;
            Err(refused(&host, &name, &description))
        })?;
    let code = DeviceCode {
        user_code: response.user_code().secret().clone(),
        verification_uri: response.verification_uri().to_string(),
        verification_uri_complete: response.verification_uri_complete().map(|uri| uri.secret().clone()),
        expires_at: clock.now() + response.expires_in(),
    };
    Ok(Box::new(PendingDeviceFlow { code, response, client: client.clone(), endpoints, link, clock, sleep }))
}

struct PendingDeviceFlow {
    code: DeviceCode,
    response: StandardDeviceAuthorizationResponse,
    client: OauthClient,
    endpoints: Endpoints,
    link: Link,
    clock: Arc<dyn Clock>,
    sleep: Sleep,
}

#[async_trait]
impl PendingDevice for PendingDeviceFlow {
    fn code(&self) -> &DeviceCode {
        &self.code
    }

    async fn finish(self: Box<Self>, cancel: &CancellationToken) -> Result<HostTokens, Failure> {
        let asking = standard(&self.endpoints, &self.client);
        let send = |request| post(self.link.clone(), request);
        let clock = Arc::clone(&self.clock);
        let polling = asking
            .exchange_device_access_token(&self.response)
            .set_time_fn(move || clock.now())
            .request_async(&send, |time| (self.sleep)(time), None);
        let polled = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Failure::cancelled()),
            polled = polling => polled,
        };
        let host = self.link.host();
        match polled {
            Ok(response) => Ok(tokens(&response, self.clock.now())),
            Err(error) => {
                let (name, description) =
                    refusal(host, error, |said| (said.error().as_ref().to_owned(), said.error_description().cloned()))?;
                Err(refused(host, &name, &description))
            }
        }
    }
}
