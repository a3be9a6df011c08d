//! Authorizations in memory, by registry host, login and scope. Never written anywhere; dropped 10 s before they expire.

use http::HeaderValue;
use sha2::{Digest as _, Sha256};
use slipway_core::image::RegistryLogin;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Time before the promised end at which a token is no longer used.
const MARGIN: Duration = Duration::from_secs(10);
/// Life of a token whose answer does not say (`reference/registries.md` section 1.1).
const DEFAULT_LIFE: Duration = Duration::from_secs(60);
/// No registry's token lives longer than this; a greater promise is cut.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
const MOST_SLOTS: usize = 512;

/// What one cached authorization is for. The login is a fingerprint: the same account with another password is another key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey {
    host: String,
    login: [u8; 32],
    scope: String,
}

impl TokenKey {
    /// Makes the key of a host, a login and a scope.
    pub(crate) fn new(host: &str, login: &RegistryLogin, scope: &str) -> Self {
        let mut hash = Sha256::new();
        match login {
            RegistryLogin::Anonymous => hash.update(b"anonymous"),
            RegistryLogin::Basic { username, password } => {
                hash.update(b"basic\0");
                hash.update(username.as_bytes());
                hash.update(b"\0");
                hash.update(password.expose().as_bytes());
            }
            RegistryLogin::IdentityToken { token } => {
                hash.update(b"identity\0");
                hash.update(token.expose().as_bytes());
            }
        }
        Self { host: host.to_owned(), login: hash.finalize().into(), scope: scope.to_owned() }
    }
}

/// A value for the `Authorization` header.
#[derive(Debug, Clone)]
pub(crate) struct Authorization {
    /// The header's value, marked sensitive.
    pub(crate) header: HeaderValue,
    /// When it must no longer be used; `None` for Basic.
    pub(crate) until: Option<Instant>,
}

impl Authorization {
    /// Returns true while it may be used.
    pub(crate) fn is_fresh(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    /// Returns the moment after which a token with this promised life is no longer used.
    pub(crate) fn until(expires_in: Option<u64>) -> Instant {
        let life = expires_in.map_or(DEFAULT_LIFE, Duration::from_secs).min(LONGEST_LIFE);
        Instant::now() + life.saturating_sub(MARGIN)
    }
}

/// The place of one authorization; its lock is held while a fresh one is fetched, so that one fetch serves all who wait.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<Authorization>>>;

/// Every cached authorization.
#[derive(Debug, Default)]
pub(crate) struct TokenCache(std::sync::Mutex<HashMap<TokenKey, Slot>>);

impl TokenCache {
    /// Returns the slot of a key, empty at first.
    pub(crate) fn slot(&self, key: TokenKey) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST_SLOTS && !slots.contains_key(&key) {
            slots.clear();
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use slipway_core::Secret;

    fn basic(username: &str, password: &str) -> RegistryLogin {
        RegistryLogin::Basic { username: username.to_owned(), password: Secret::new(password) }
    }

    #[test]
    fn keys_differ_by_host_login_and_scope() {
        let key = TokenKey::new("a", &basic("u", "p"), "s");
        assert_eq!(key, TokenKey::new("a", &basic("u", "p"), "s"));
        for other in [
            TokenKey::new("b", &basic("u", "p"), "s"),
            TokenKey::new("a", &basic("u", "q"), "s"),
            TokenKey::new("a", &basic("u\0p", ""), "s"),
            TokenKey::new("a", &RegistryLogin::Anonymous, "s"),
            TokenKey::new("a", &RegistryLogin::IdentityToken { token: Secret::new("p") }, "s"),
            TokenKey::new("a", &basic("u", "p"), "t"),
        ] {
            assert_ne!(key, other);
        }
    }

    #[test]
    fn f11_a_token_that_lives_a_second_is_not_kept() {
        let header = HeaderValue::from_static("Bearer x");
        for (expires_in, fresh) in
            [(Some(1), false), (Some(10), false), (Some(300), true), (None, true), (Some(u64::MAX), true)]
        {
            let authorization = Authorization { header: header.clone(), until: Some(Authorization::until(expires_in)) };
            assert_eq!(authorization.is_fresh(), fresh, "{expires_in:?}");
        }
    }
}
