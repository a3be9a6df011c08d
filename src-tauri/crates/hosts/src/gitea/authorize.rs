//! OAuth at Gitea and Forgejo: real public clients with enforced PKCE; no device flow and no revocation.

use super::Gitea;
use crate::oauth::Endpoints;
use crate::provider::Authorize;
use crate::session::Session;
use async_trait::async_trait;
use reqwest::Url;
use slipway_core::Failure;
use slipway_core::host::{
    AskedScope, CodeFlow, HostBase, HostGuide, HostProvider, HostTokens, Need, OauthClient, Revocation, ScopeReason,
};

/// Returns what is asked for, by name: OpenID scopes alone would give full access. Hooks and statuses stand below
/// `/repos`, so both need the right to write there.
fn scopes(needs: &[Need]) -> Vec<AskedScope> {
    let writes = if needs.contains(&Need::Hooks) {
        Some(ScopeReason::Hooks)
    } else {
        needs.contains(&Need::Statuses).then_some(ScopeReason::Statuses)
    };
    let repository = match writes {
        Some(reason) => ("write:repository", reason),
        None => ("read:repository", ScopeReason::Code),
    };
    [("read:user", ScopeReason::Profile), ("read:organization", ScopeReason::Organizations), repository]
        .map(|(name, reason)| AskedScope { name: name.to_owned(), reason })
        .to_vec()
}

#[async_trait]
impl Authorize for Gitea {
    fn guide(&self, base: &HostBase, needs: &[Need]) -> HostGuide {
        let page = format!("{base}/user/settings/applications");
        HostGuide {
            provider: HostProvider::Gitea,
            token_page: page.clone(),
            token_scopes: scopes(needs),
            token_username: false,
            oauth_scopes: scopes(needs),
            code_flow: CodeFlow::WithoutSecret,
            device_flow: false,
            register_page: Some(page.clone()),
            redirect_uri: "http://127.0.0.1/callback/gitea".to_owned(),
            clear_confidential: true,
            revoke_page: page,
            built_in_client: false,
            app_manifest: false,
            service_ends: None,
        }
    }

    fn endpoints(&self, base: &HostBase) -> Result<Endpoints, Failure> {
        let at = |path: &str| Url::parse(&format!("{base}/login/oauth/{path}")).map_err(Failure::internal);
        Ok(Endpoints {
            authorize: at("authorize")?,
            token: at("access_token")?,
            device: None,
            basic: false,
            comma_scopes: false,
            any_port: true,
            public: true,
            pkce: true,
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
