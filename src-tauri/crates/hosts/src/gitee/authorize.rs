//! OAuth at Gitee: no public clients, no PKCE, one registered redirect address; refresh without naming the application.

use super::Gitee;
use crate::oauth::{Endpoints, FIXED_PORT};
use crate::provider::Authorize;
use crate::session::Session;
use async_trait::async_trait;
use reqwest::Url;
use slipway_core::Failure;
use slipway_core::host::{
    AskedScope, CodeFlow, HostBase, HostGuide, HostProvider, HostTokens, Need, OauthClient, Revocation, ScopeReason,
};

/// Returns what is asked for. Check-runs have no scope of their own.
pub(super) fn scopes(needs: &[Need]) -> Vec<AskedScope> {
    if needs.is_empty() {
        return Vec::new();
    }
    let mut asked = vec![
        ("user_info", ScopeReason::Profile),
        ("projects", ScopeReason::Code),
        ("groups", ScopeReason::Organizations),
        ("enterprises", ScopeReason::Organizations),
    ];
    if needs.contains(&Need::Hooks) {
        asked.push(("hook", ScopeReason::Hooks));
    }
    asked.into_iter().map(|(name, reason)| AskedScope { name: name.to_owned(), reason }).collect()
}

#[async_trait]
impl Authorize for Gitee {
    fn guide(&self, base: &HostBase, needs: &[Need]) -> HostGuide {
        HostGuide {
            provider: HostProvider::Gitee,
            token_page: format!("{base}/profile/personal_access_tokens"),
            token_scopes: scopes(needs),
            token_username: false,
            oauth_scopes: scopes(needs),
            code_flow: CodeFlow::WithSecret,
            device_flow: false,
            register_page: Some(format!("{base}/oauth/applications")),
            redirect_uri: format!("http://127.0.0.1:{FIXED_PORT}/callback/gitee"),
            clear_confidential: false,
            revoke_page: format!("{base}/oauth/authorized_applications"),
            built_in_client: false,
            app_manifest: false,
            service_ends: None,
        }
    }

    fn endpoints(&self, base: &HostBase) -> Result<Endpoints, Failure> {
        let at = |path: &str| Url::parse(&format!("{base}/oauth/{path}")).map_err(Failure::internal);
        Ok(Endpoints {
            authorize: at("authorize")?,
            token: at("token")?,
            device: None,
            basic: false,
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
