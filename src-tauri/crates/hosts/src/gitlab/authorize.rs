//! OAuth at GitLab: public clients with PKCE, device flow, rotating refresh tokens, revocation.

use super::Gitlab;
use crate::oauth::Endpoints;
use crate::provider::Authorize;
use crate::session::Session;
use crate::transport::{Body, Call, answer_failure};
use async_trait::async_trait;
use http::Method;
use reqwest::Url;
use slipway_core::Failure;
use slipway_core::host::{
    AskedScope, CodeFlow, HostBase, HostGuide, HostProvider, HostTokens, Need, OauthClient, Revocation, ScopeReason,
};

/// Returns what is asked for: reading only, until statuses or hooks are wanted, which need everything (`api`).
pub(super) fn scopes(needs: &[Need]) -> Vec<AskedScope> {
    let asked: &[(&str, ScopeReason)] = if needs.contains(&Need::Hooks) {
        &[("api", ScopeReason::Hooks)]
    } else if needs.contains(&Need::Statuses) {
        &[("api", ScopeReason::Statuses)]
    } else if needs.is_empty() {
        &[]
    } else {
        &[("read_api", ScopeReason::Repositories), ("read_repository", ScopeReason::Code)]
    };
    asked.iter().map(|(name, reason)| AskedScope { name: (*name).to_owned(), reason: *reason }).collect()
}

/// Returns whether granted scopes include one.
pub(super) fn covers(granted: &[String], scope: &str) -> bool {
    let above: &[&str] = match scope {
        "read_api" => &["api"],
        "read_repository" => &["api", "write_repository"],
        "read_user" => &["api", "read_api"],
        _ => &[],
    };
    granted.iter().any(|one| one == scope || above.contains(&one.as_str()))
}

#[async_trait]
impl Authorize for Gitlab {
    fn guide(&self, base: &HostBase, needs: &[Need]) -> HostGuide {
        let scopes = scopes(needs);
        let names: Vec<&str> = scopes.iter().map(|scope| scope.name.as_str()).collect();
        HostGuide {
            provider: HostProvider::Gitlab,
            token_page: format!(
                "{base}/-/user_settings/personal_access_tokens?name=Slipway&scopes={}",
                names.join(",")
            ),
            token_scopes: scopes.clone(),
            token_username: false,
            oauth_scopes: scopes,
            code_flow: CodeFlow::WithoutSecret,
            device_flow: true,
            register_page: Some(format!("{base}/-/user_settings/applications")),
            redirect_uri: "http://127.0.0.1/callback/gitlab".to_owned(),
            clear_confidential: true,
            revoke_page: format!("{base}/-/user_settings/applications"),
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
            device: Some(at("authorize_device")?),
            basic: false,
            comma_scopes: false,
            any_port: true,
            public: true,
            pkce: true,
        })
    }

    async fn revoke(
        &self,
        session: &Session<'_>,
        client: Option<&OauthClient>,
        tokens: &HostTokens,
    ) -> Result<Option<Revocation>, Failure> {
        let Some(client) = client else { return Ok(None) };
        let url = Url::parse(&format!("{}/oauth/revoke", session.address.base)).map_err(Failure::internal)?;
        // The refresh token too: it outlives the access token.
        for token in [Some(&tokens.access), tokens.refresh.as_ref()].into_iter().flatten() {
            let secret = client.client_secret.as_ref().map(|secret| ("client_secret", secret.expose()));
            let fields = [("client_id", client.client_id.as_str()), ("token", token.expose())];
            let form =
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).extend_pairs(secret).finish();
            let call = Call { body: Body::Form(form.into_bytes()), ..Call::new(Method::POST, url.clone()) };
            let answer = session.link.send(&call).await?;
            if !answer.status.is_success() {
                return Err(answer_failure(&answer, None));
            }
        }
        Ok(Some(Revocation::Revoked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_grow_with_needs_and_cover_each_other() {
        let names = |needs: &[Need]| scopes(needs).into_iter().map(|scope| scope.name).collect::<Vec<_>>();
        assert_eq!(names(&[Need::Read]), ["read_api", "read_repository"]);
        assert_eq!(names(&[Need::Read, Need::Statuses]), ["api"]);
        assert_eq!(names(&[Need::Hooks]), ["api"]);
        for (granted, scope, expected) in [
            ("api", "read_api", true),
            ("api", "read_repository", true),
            ("read_api", "read_repository", false),
            ("read_api", "api", false),
        ] {
            assert_eq!(covers(&[granted.to_owned()], scope), expected, "{granted} {scope}");
        }
    }
}
