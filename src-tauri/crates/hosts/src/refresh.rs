//! Tokens of stored accounts: read at the moment of each call, refreshed one at a time, stored before use
//! (`reference/reliability-security.md` A8).

use crate::oauth;
use crate::transport::Link;
use sha2::{Digest as _, Sha256};
use slipway_core::host::{HostAccess, HostTokens, OauthClient};
use slipway_core::ports::Clock;
use slipway_core::{ErrorCode, Failure, Secret};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// A token that ends this soon is not sent any more.
const MARGIN: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// Why tokens are wanted.
#[derive(Clone, Copy)]
pub(crate) enum Why<'a> {
    /// For a call: refresh only what has ended.
    Expired,
    /// The host refused this one.
    Refused(&'a Secret),
    /// A person or the health check wants a new pair.
    Wanted,
}

/// What is known about one account's tokens beyond what is stored.
#[derive(Default)]
struct Slot {
    /// A new pair that could not be stored: the host has forgotten the old one, so it must not be lost.
    unsaved: Option<HostTokens>,
    /// Fingerprint of the refresh token that the host refused: asking again with the same one would only be hammering.
    refused: Option<[u8; 32]>,
}

/// One slot per account; its lock is held during a refresh, so that one refresh serves all who wait.
pub(crate) struct Refresher {
    clock: Arc<dyn Clock>,
    slots: Mutex<HashMap<i64, Arc<tokio::sync::Mutex<Slot>>>>,
}

impl Refresher {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, slots: Mutex::default() }
    }

    /// Returns tokens that are stored and good as far as is known.
    ///
    /// A refresh that has begun is never stopped in the middle, whoever cancels: a rotating host would keep the new pair to
    /// itself.
    pub(crate) async fn tokens(&self, account: &HostAccess, link: &Link, why: Why<'_>) -> Result<HostTokens, Failure> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(account.keeper.account()).or_default())
        };
        let mut slot = link.unless_cancelled(slot.lock_owned()).await?;
        if let Some(unsaved) = &slot.unsaved {
            account.keeper.save(unsaved).await?;
            slot.unsaved = None;
        }
        let stored = account.keeper.load().await?;
        let due = match why {
            Why::Expired => stored.expires_at.is_some_and(|at| at - MARGIN <= self.clock.now()),
            Why::Refused(used) => used.expose() == stored.access.expose(),
            Why::Wanted => true,
        };
        let Some(refresh) = stored.refresh.as_ref().filter(|_| due) else {
            return match why {
                Why::Wanted => Err(Failure::new(
                    ErrorCode::SourceUnauthorized,
                    format!("{} gave no refresh token: authorize again", link.host()),
                )
                .with("reason", "no_refresh_token")),
                _ => Ok(stored),
            };
        };
        if slot.refused == Some(fingerprint(refresh)) {
            return Err(refused(link.host()));
        }
        let renewal = tokio::spawn(renew(slot, account.clone(), link.uncancelled(), stored, Arc::clone(&self.clock)));
        link.unless_cancelled(renewal).await?.unwrap_or_else(|broken| Err(Failure::internal(broken)))
    }
}

async fn renew(
    mut slot: OwnedMutexGuard<Slot>,
    account: HostAccess,
    link: Link,
    stored: HostTokens,
    clock: Arc<dyn Clock>,
) -> Result<HostTokens, Failure> {
    // Gitee refreshes without naming the application.
    let nameless = OauthClient { client_id: String::new(), client_secret: None, redirect_port: None };
    let client = account.client.as_ref().unwrap_or(&nameless);
    match oauth::refresh(&link, &account.address, client, &stored, clock.now()).await {
        Ok(new) => {
            slot.unsaved = Some(new.clone());
            account.keeper.save(&new).await?;
            slot.unsaved = None;
            Ok(new)
        }
        Err(failure) if failure.code == ErrorCode::SourceUnauthorized => {
            slot.refused = stored.refresh.as_ref().map(fingerprint);
            Err(failure)
        }
        Err(failure) => Err(failure),
    }
}

/// The failure of a refresh token that the host does not take.
pub(crate) fn refused(host: &str) -> Failure {
    Failure::new(ErrorCode::SourceUnauthorized, format!("{host} does not renew the authorization: authorize again"))
        .with("host", host)
        .with("reason", "refresh_refused")
}

fn fingerprint(secret: &Secret) -> [u8; 32] {
    Sha256::digest(secret.expose()).into()
}
