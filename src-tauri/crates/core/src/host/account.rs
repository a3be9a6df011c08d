//! Tokens, the stored account behind every call, identity and scopes.

use super::address::HostAddress;
use super::authorize::OauthClient;
use crate::{ErrorCode, Failure, Secret};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a token came about: decides the header it travels in and the user name that git is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// From an OAuth flow.
    Oauth,
    /// Made by a person on the host's page and pasted.
    Personal,
    /// Belongs to a repository, project or workspace and names no person (Bitbucket access token, CODING project token).
    Resource,
}

/// What opens an account. It can be identified once ([`super::CodeHosts::identify`]) and stored; everything else goes through
/// a [`HostAccess`], that is through what is stored.
#[derive(Debug, Clone)]
pub struct HostTokens {
    /// How it came about.
    pub kind: TokenKind,
    /// The token itself.
    pub access: Secret,
    /// Brings the next pair, where the host gives one. Rotating hosts take it once.
    pub refresh: Option<Secret>,
    /// The name that the host wants beside the token: the e-mail address of a Bitbucket API token, the generated user of a
    /// CODING project token.
    pub username: Option<String>,
    /// When the access token ends, by this machine's clock; `None` when it does not or the host does not say.
    pub expires_at: Option<DateTime<Utc>>,
    /// Scopes as the token endpoint named them; empty when it did not.
    pub scopes: Vec<String>,
}

impl HostTokens {
    /// A token that a person pasted.
    #[must_use]
    pub fn pasted(kind: TokenKind, token: Secret, username: Option<String>) -> Self {
        Self { kind, access: token, refresh: None, username, expires_at: None, scopes: Vec::new() }
    }

    /// Returns everything as one secret text, for sealing.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let text = serde_json::json!({
            "kind": self.kind,
            "access": self.access.expose(),
            "refresh": self.refresh.as_ref().map(Secret::expose),
            "username": self.username,
            "expires_at": self.expires_at,
            "scopes": self.scopes,
        });
        Secret::new(text.to_string())
    }

    /// Reads a text made by [`Self::to_secret`].
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] when it was not made there.
    pub fn from_secret(secret: &Secret) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Parts {
            kind: TokenKind,
            access: String,
            refresh: Option<String>,
            username: Option<String>,
            expires_at: Option<DateTime<Utc>>,
            scopes: Vec<String>,
        }
        // The error of the parser would quote the secret.
        let parts: Parts = serde_json::from_str(secret.expose())
            .map_err(|_| Failure::internal("the stored tokens of a source account cannot be read"))?;
        Ok(Self {
            kind: parts.kind,
            access: Secret::new(parts.access),
            refresh: parts.refresh.map(Secret::new),
            username: parts.username,
            expires_at: parts.expires_at,
            scopes: parts.scopes,
        })
    }
}

/// Keeps the tokens of one stored account.
#[async_trait]
pub trait TokenKeeper: Send + Sync + 'static {
    /// Returns what names the account for as long as it exists (its row): refreshes are single-flight by it.
    fn account(&self) -> i64;
    /// Reads the tokens as they are stored now.
    async fn load(&self) -> Result<HostTokens, Failure>;
    /// Stores a new pair durably. A new pair is used only after this returned; when it fails, the pair is kept in memory and
    /// offered again with the next call, because a rotating host has forgotten the old one.
    async fn save(&self, tokens: &HostTokens) -> Result<(), Failure>;
}

/// The handle of a stored account: the only way to call a host in somebody's name. Expired tokens are refreshed on the way,
/// one refresh at a time per account, stored before use.
#[derive(Clone)]
pub struct HostAccess {
    /// The host.
    pub address: HostAddress,
    /// The OAuth application that the tokens came from; refreshing and revoking need it.
    pub client: Option<OauthClient>,
    /// Where the tokens are kept.
    pub keeper: Arc<dyn TokenKeeper>,
}

impl std::fmt::Debug for HostAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostAccess")
            .field("address", &self.address)
            .field("account", &self.keeper.account())
            .finish_non_exhaustive()
    }
}

/// Scopes as the host told them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Granted {
    /// Exactly these.
    Known {
        /// Their names at the host.
        scopes: Vec<String>,
    },
    /// The host does not tell (fine-grained tokens, GitHub Apps, Gitea): only using it shows.
    Unknown,
}

/// Whose token it is and what it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HostIdentity {
    /// The host's own id of the account: the same after a rename.
    pub id: String,
    /// The login name.
    pub login: String,
    /// The name for people; the login when there is none.
    pub name: String,
    /// What was granted.
    pub granted: Granted,
    /// Asked for and not granted. Always empty when the host does not tell.
    pub missing: Vec<String>,
    /// When the token ends, where the host tells.
    pub expires_at: Option<DateTime<Utc>>,
}

impl HostIdentity {
    /// Refuses a token that lacks scopes.
    ///
    /// # Errors
    /// [`ErrorCode::SourceScopesMissing`] with the names in `scopes`.
    pub fn check_scopes(&self) -> Result<(), Failure> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let names = self.missing.join(", ");
        Err(Failure::new(ErrorCode::SourceScopesMissing, format!("the token lacks {names}")).with("scopes", names))
    }
}

/// The login for cloning over HTTPS with an account, for the host's own origin alone.
#[derive(Debug, Clone)]
pub struct CloneLogin {
    /// The user name that this host and this kind of token want.
    pub username: String,
    /// The token.
    pub password: Secret,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tokens_survive_sealing_and_are_never_printed() {
        let tokens = HostTokens {
            refresh: Some(Secret::new("r-\"\n")),
            expires_at: Some(DateTime::from_timestamp(1_800_000_000, 0).unwrap()),
            scopes: vec!["api".to_owned()],
            ..HostTokens::pasted(TokenKind::Oauth, Secret::new("canary-a"), Some("me".to_owned()))
        };
        let read = HostTokens::from_secret(&tokens.to_secret()).unwrap();
        assert_eq!(read.access.expose(), "canary-a");
        assert_eq!(read.refresh.unwrap().expose(), "r-\"\n");
        assert_eq!(
            (read.kind, read.username, read.expires_at),
            (tokens.kind, tokens.username.clone(), tokens.expires_at)
        );
        assert_eq!(read.scopes, tokens.scopes);
        assert!(!format!("{tokens:?}").contains("canary"));
        let failure = HostTokens::from_secret(&Secret::new("canary-b")).unwrap_err();
        assert!(!format!("{failure:?}").contains("canary"));
    }

    #[test]
    fn missing_scopes_are_named() {
        let identity = HostIdentity {
            id: "1".to_owned(),
            login: "me".to_owned(),
            name: "Me".to_owned(),
            granted: Granted::Known { scopes: vec!["read_user".to_owned()] },
            missing: vec!["read_api".to_owned(), "read_repository".to_owned()],
            expires_at: None,
        };
        let failure = identity.check_scopes().unwrap_err();
        assert_eq!(failure.code, ErrorCode::SourceScopesMissing);
        assert_eq!(failure.details["scopes"], "read_api, read_repository");
    }
}
