//! An OAuth application of CODING belongs to one team and needs a secret: a pasted token is the way in. The flow is there
//! for teams that have one.

use super::Coding;
use crate::oauth::{Endpoints, FIXED_PORT};
use crate::provider::Authorize;
use crate::session::Session;
use async_trait::async_trait;
use reqwest::Url;
use slipway_core::Failure;
use slipway_core::host::{
    AskedScope, CodeFlow, HostBase, HostGuide, HostProvider, HostTokens, Need, OauthClient, Revocation, ScopeReason,
};

fn scopes(needs: &[Need]) -> Vec<AskedScope> {
    let code = if needs.contains(&Need::Statuses) {
        ("vcs:repository:rw", ScopeReason::Statuses)
    } else {
        ("vcs:repository:ro", ScopeReason::Code)
    };
    let mut asked = vec![
        ("user:profile:ro", ScopeReason::Profile),
        ("team:profile:ro", ScopeReason::Organizations),
        ("project:profile:ro", ScopeReason::Repositories),
        code,
    ];
    if needs.contains(&Need::Hooks) {
        asked.push(("service-hook:profile:rw", ScopeReason::Hooks));
    }
    asked.into_iter().map(|(name, reason)| AskedScope { name: name.to_owned(), reason }).collect()
}

#[async_trait]
impl Authorize for Coding {
    fn guide(&self, base: &HostBase, needs: &[Need]) -> HostGuide {
        HostGuide {
            provider: HostProvider::Coding,
            token_page: format!("{base}/user/account/setting/tokens"),
            token_scopes: scopes(needs),
            token_username: true,
            oauth_scopes: scopes(needs),
            code_flow: CodeFlow::Unavailable,
            device_flow: false,
            register_page: None,
            redirect_uri: format!("http://127.0.0.1:{FIXED_PORT}/callback/coding"),
            clear_confidential: false,
            revoke_page: format!("{base}/user/account/setting/tokens"),
            built_in_client: false,
            app_manifest: false,
            service_ends: Some("2028-09-30".to_owned()),
        }
    }

    fn endpoints(&self, base: &HostBase) -> Result<Endpoints, Failure> {
        let at = |path: &str| Url::parse(&format!("{base}{path}")).map_err(Failure::internal);
        Ok(Endpoints {
            authorize: at("/oauth_authorize.html")?,
            token: at("/api/oauth/access_token")?,
            device: None,
            basic: false,
            comma_scopes: true,
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
