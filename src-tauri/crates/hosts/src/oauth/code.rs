//! Authorization code with PKCE S256 and state, over a one-shot loopback listener (RFC 8252).

use super::exchange::{Endpoints, post, refusal, refused, standard, tokens};
use super::loopback::{Arrival, Bound, FIXED_PORT, Loopback};
use super::page::{Outcome, Pages};
use crate::transport::{Link, plain_text};
use async_trait::async_trait;
use oauth2::{AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use slipway_core::host::{HostAddress, HostTokens, Need, OauthClient, PageLanguage, PendingAuthorization};
use slipway_core::ports::Clock;
use slipway_core::{ErrorCode, Failure, Secret};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Returns the path that the browser comes back to: one per provider, so that an answer cannot be taken for another's.
pub(crate) fn callback_path(address: &HostAddress) -> String {
    format!("/callback/{}", address.provider.as_str())
}

/// Listens and makes the page to open.
pub(crate) async fn begin_code(
    address: &HostAddress,
    client: &OauthClient,
    needs: &[Need],
    language: PageLanguage,
    link: Link,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn PendingAuthorization>, Failure> {
    let provider = crate::provider::of(address.provider);
    let endpoints = provider.endpoints(&address.base)?;
    if !endpoints.public && client.client_secret.is_none() {
        let why = format!("{} gives no token without the application's secret", address.base.host());
        return Err(Failure::new(ErrorCode::SourceUnsupported, why).at("client_secret"));
    }
    let port = client.redirect_port.or_else(|| (!endpoints.any_port).then_some(FIXED_PORT));
    let bound = Bound::new(port).await?;
    let path = callback_path(address);
    let redirect = RedirectUrl::new(bound.url(&path)).map_err(Failure::internal)?;

    let scopes: Vec<String> =
        provider.guide(&address.base, needs).oauth_scopes.into_iter().map(|one| one.name).collect();
    let scopes = if endpoints.comma_scopes { vec![scopes.join(",")] } else { scopes };
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let asking = standard(&endpoints, client).set_redirect_uri(redirect);
    let mut asking_url = asking
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scopes.into_iter().filter(|scope| !scope.is_empty()).map(Scope::new));
    if endpoints.pkce {
        asking_url = asking_url.set_pkce_challenge(challenge);
    }
    let (page, state) = asking_url.url();
    let pages = Pages { language, host: address.base.host().to_owned(), form: None };
    let loopback = bound.serve(&path, Secret::new(state.secret().as_str()), pages);
    Ok(Box::new(PendingCode {
        page: page.into(),
        address: address.clone(),
        client: client.clone(),
        verifier: endpoints.pkce.then_some(verifier),
        endpoints,
        loopback,
        link,
        clock,
    }))
}

struct PendingCode {
    page: String,
    address: HostAddress,
    client: OauthClient,
    endpoints: Endpoints,
    verifier: Option<PkceCodeVerifier>,
    loopback: Loopback,
    link: Link,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl PendingAuthorization for PendingCode {
    fn page(&self) -> &str {
        &self.page
    }

    async fn finish(mut self: Box<Self>, cancel: &CancellationToken) -> Result<HostTokens, Failure> {
        let arrival = self.loopback.arrival(cancel).await?;
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Failure::cancelled()),
            result = self.exchange(&arrival) => result,
        };
        arrival.end(match &result {
            Ok(_) => Outcome::Connected,
            Err(failure) if failure.code == ErrorCode::AuthorizationDenied => Outcome::Denied,
            Err(failure) if failure.code == ErrorCode::Cancelled => Outcome::Over,
            Err(_) => Outcome::Failed,
        });
        result
    }
}

impl PendingCode {
    async fn exchange(&self, arrival: &Arrival) -> Result<HostTokens, Failure> {
        let host = self.link.host();
        arrival.check_issuer(&self.address.base)?;
        if let Some(error) = arrival.get("error") {
            let description = plain_text(arrival.get("error_description").unwrap_or_default());
            return Err(refused(host, &plain_text(error), &description));
        }
        let code = arrival.get("code").filter(|code| !code.is_empty()).ok_or_else(|| {
            Failure::new(ErrorCode::AuthorizationFailed, format!("{host} sent the browser back without a code"))
                .with("host", host)
                .with("error", "no_code")
        })?;
        let redirect = RedirectUrl::new(self.loopback.redirect_uri()).map_err(Failure::internal)?;
        let asking = standard(&self.endpoints, &self.client).set_redirect_uri(redirect);
        let mut exchange = asking.exchange_code(AuthorizationCode::new(code.to_owned()));
        if let Some(verifier) = &self.verifier {
            exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(verifier.secret().clone()));
        }
        let send = |request| post(self.link.clone(), request);
        match exchange.request_async(&send).await {
            Ok(response) => Ok(tokens(&response, self.clock.now())),
            Err(error) => {
                let (name, description) =
                    refusal(host, error, |said| (said.error().as_ref().to_owned(), said.error_description().cloned()))?;
                Err(refused(host, &name, &description))
            }
        }
    }
}
