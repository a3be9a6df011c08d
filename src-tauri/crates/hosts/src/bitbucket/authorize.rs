//! OAuth at Bitbucket: a secret, one exact redirect address, the application in a Basic header.

use super::Bitbucket;
use crate::oauth::{Endpoints, FIXED_PORT};
use crate::provider::Authorize;
use crate::session::Session;
use async_trait::async_trait;
use reqwest::Url;
use slipway_core::Failure;
use slipway_core::host::{
    AskedScope, CodeFlow, HostBase, HostGuide, HostProvider, HostTokens, Need, OauthClient, Revocation, ScopeReason,
    TokenKind,
};

/// Returns what is asked for: API tokens and OAuth name the same rights differently.
pub(super) fn scopes(needs: &[Need], kind: TokenKind) -> Vec<AskedScope> {
    if needs.is_empty() {
        return Vec::new();
    }
    let (statuses, hooks) = (needs.contains(&Need::Statuses), needs.contains(&Need::Hooks));
    let mut asked = match kind {
        TokenKind::Personal => vec![
            ("read:user:bitbucket", ScopeReason::Profile),
            ("read:workspace:bitbucket", ScopeReason::Organizations),
            ("read:repository:bitbucket", ScopeReason::Code),
        ],
        TokenKind::Oauth => vec![("account", ScopeReason::Profile), ("repository", ScopeReason::Code)],
        TokenKind::Resource => vec![("repository", ScopeReason::Code)],
    };
    if statuses {
        let name = if kind == TokenKind::Personal { "write:repository:bitbucket" } else { "repository:write" };
        asked.push((name, ScopeReason::Statuses));
    }
    if hooks {
        asked.extend(
            match kind {
                TokenKind::Personal => {
                    ["read:webhook:bitbucket", "write:webhook:bitbucket", "delete:webhook:bitbucket"].as_slice()
                }
                _ => ["webhook"].as_slice(),
            }
            .iter()
            .map(|name| (*name, ScopeReason::Hooks)),
        );
    }
    asked.into_iter().map(|(name, reason)| AskedScope { name: name.to_owned(), reason }).collect()
}

/// Returns whether granted scopes include one.
pub(super) fn covers(granted: &[String], scope: &str) -> bool {
    let above: &[&str] = match scope {
        "repository" => &["repository:write", "repository:admin", "pullrequest", "pullrequest:write"],
        "repository:write" => &["pullrequest:write"],
        "account" => &["account:write"],
        "read:repository:bitbucket" => &["write:repository:bitbucket", "admin:repository:bitbucket"],
        _ => &[],
    };
    granted.iter().any(|one| one == scope || above.contains(&one.as_str()))
}

#[async_trait]
impl Authorize for Bitbucket {
    fn guide(&self, base: &HostBase, needs: &[Need]) -> HostGuide {
        HostGuide {
            provider: HostProvider::Bitbucket,
            token_page: "https://id.atlassian.com/manage-profile/security/api-tokens".to_owned(),
            token_scopes: scopes(needs, TokenKind::Personal),
            token_username: true,
            oauth_scopes: scopes(needs, TokenKind::Oauth),
            code_flow: CodeFlow::WithSecret,
            device_flow: false,
            register_page: Some(format!("{base}/account/workspaces/")),
            redirect_uri: format!("http://127.0.0.1:{FIXED_PORT}/callback/bitbucket"),
            clear_confidential: false,
            revoke_page: format!("{base}/account/settings/app-authorizations/"),
            built_in_client: false,
            app_manifest: false,
            service_ends: None,
        }
    }

    fn endpoints(&self, base: &HostBase) -> Result<Endpoints, Failure> {
        let at = |path: &str| Url::parse(&format!("{base}/site/oauth2/{path}")).map_err(Failure::internal);
        Ok(Endpoints {
            authorize: at("authorize")?,
            token: at("access_token")?,
            device: None,
            basic: true,
            comma_scopes: false,
            any_port: false,
            public: false,
            pkce: false,
        })
    }

    async fn revoke(
        &self,
        _session: &Session<'_>,
        _client: Option<&OauthClient>,
        _tokens: &HostTokens,
    ) -> Result<Option<Revocation>, Failure> {
        Ok(None)
    }
}
