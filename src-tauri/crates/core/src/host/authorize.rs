//! What a host asks for before it lets somebody in, and the ways in.

use super::address::HostProvider;
use crate::Secret;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What an account is wanted for; scopes follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// List repositories, read refs and clone.
    Read,
    /// Report build results on commits.
    Statuses,
    /// Create and remove webhooks.
    Hooks,
}

/// Why a scope is asked for; the console has the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ScopeReason {
    /// To know whose account it is.
    Profile,
    /// To list organizations or groups.
    Organizations,
    /// To list repositories, branches and tags.
    Repositories,
    /// To clone private code.
    Code,
    /// To report build results.
    Statuses,
    /// To create and remove webhooks.
    Hooks,
}

/// One scope with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct AskedScope {
    /// Its name at the host, as its page shows it.
    pub name: String,
    /// Why.
    pub reason: ScopeReason,
}

/// Whether the authorization code flow is possible at a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CodeFlow {
    /// With a client id alone (public client with PKCE).
    WithoutSecret,
    /// Only with a client secret.
    WithSecret,
    /// Not useful there: paste a token.
    Unavailable,
}

/// What to tell a person who connects an account: links, scopes, and the fields of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HostGuide {
    /// The host's product.
    pub provider: HostProvider,
    /// The page where a token is made; filled in beforehand where the host can do that.
    pub token_page: String,
    /// Scopes that a pasted token needs.
    pub token_scopes: Vec<AskedScope>,
    /// Beside the token a name is needed (Bitbucket: the e-mail address; CODING project token: its user).
    pub token_username: bool,
    /// Scopes that OAuth asks for.
    pub oauth_scopes: Vec<AskedScope>,
    /// How the code flow works there.
    pub code_flow: CodeFlow,
    /// The device flow exists there.
    pub device_flow: bool,
    /// The page where an OAuth application is registered.
    pub register_page: Option<String>,
    /// The exact redirect address to register.
    pub redirect_uri: String,
    /// The box "confidential" must be cleared (GitLab, Gitea).
    pub clear_confidential: bool,
    /// The page where the person takes an authorization or token back.
    pub revoke_page: String,
    /// A client id was built in.
    pub built_in_client: bool,
    /// A GitHub App can be made from a manifest.
    pub app_manifest: bool,
    /// The last day of the service, where it ends (CODING), as `YYYY-MM-DD`.
    pub service_ends: Option<String>,
}

/// An OAuth application at a host.
#[derive(Debug, Clone)]
pub struct OauthClient {
    /// Its id.
    pub client_id: String,
    /// Its secret, for hosts without public clients.
    pub client_secret: Option<Secret>,
    /// The port of the redirect address where the host compares it exactly; otherwise any free one is taken.
    pub redirect_port: Option<u16>,
}

/// The language of the page that the browser ends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum PageLanguage {
    /// English.
    #[serde(rename = "en")]
    English,
    /// 简体中文.
    #[serde(rename = "zh")]
    Chinese,
}

/// What a person types on another page to let this device in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DeviceCode {
    /// The code to type.
    pub user_code: String,
    /// The page to type it on.
    pub verification_uri: String,
    /// The same page with the code filled in, where the host gives one.
    pub verification_uri_complete: Option<String>,
    /// When the code ends.
    pub expires_at: DateTime<Utc>,
}

/// A GitHub App that was made from a manifest.
#[derive(Debug, Clone)]
pub struct GithubApp {
    /// Its name in addresses.
    pub slug: String,
    /// The application to authorize with; device flow and refresh included.
    pub client: OauthClient,
    /// Its page.
    pub html_url: String,
    /// The page where its owner installs it on chosen repositories: nothing is visible before that.
    pub install_page: String,
}

/// How a token was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Revocation {
    /// The host has forgotten it.
    Revoked,
    /// The host has no call for it: the person does it on this page.
    ByHand {
        /// The page.
        page: String,
    },
}
