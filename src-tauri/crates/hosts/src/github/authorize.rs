//! OAuth at GitHub: no public clients for the code flow, a device flow without secret, apps from a manifest.

use super::{Github, is_public};
use crate::oauth::Endpoints;
use crate::provider::Authorize;
use crate::session::Session;
use async_trait::async_trait;
use http::Method;
use reqwest::Url;
use slipway_core::host::{
    AskedScope, CodeFlow, HostBase, HostGuide, HostProvider, HostTokens, Need, OauthClient, Revocation, ScopeReason,
};
use slipway_core::{ErrorCode, Failure};

/// Returns what is asked for. `repo` is the least for private code: GitHub has no scope that only reads it. It covers
/// statuses and hooks.
pub(super) fn scopes() -> Vec<AskedScope> {
    [("repo", ScopeReason::Code), ("read:org", ScopeReason::Organizations)]
        .map(|(name, reason)| AskedScope { name: name.to_owned(), reason })
        .to_vec()
}

/// Returns whether granted scopes include one, by GitHub's own nesting.
pub(super) fn covers(granted: &[String], scope: &str) -> bool {
    let above: &[&str] = match scope {
        "public_repo" | "repo:status" | "repo_deployment" | "repo:invite" | "security_events" => &["repo"],
        "read:org" => &["write:org", "admin:org"],
        "write:org" => &["admin:org"],
        "read:repo_hook" => &["repo", "write:repo_hook", "admin:repo_hook"],
        "write:repo_hook" => &["repo", "admin:repo_hook"],
        "admin:repo_hook" => &["repo"],
        "read:user" | "user:email" | "user:follow" => &["user"],
        _ => &[],
    };
    granted.iter().any(|one| one == scope || above.contains(&one.as_str()))
}

#[async_trait]
impl Authorize for Github {
    fn guide(&self, base: &HostBase, _needs: &[Need]) -> HostGuide {
        let names: Vec<String> = scopes().into_iter().map(|scope| scope.name).collect();
        HostGuide {
            provider: HostProvider::Github,
            token_page: format!("{base}/settings/tokens/new?description=Slipway&scopes={}", names.join(",")),
            token_scopes: scopes(),
            token_username: false,
            oauth_scopes: scopes(),
            code_flow: CodeFlow::WithSecret,
            device_flow: true,
            register_page: Some(format!("{base}/settings/applications/new")),
            redirect_uri: "http://127.0.0.1/callback/github".to_owned(),
            clear_confidential: false,
            revoke_page: format!("{base}/settings/applications"),
            built_in_client: false,
            app_manifest: true,
            service_ends: None,
        }
    }

    fn endpoints(&self, base: &HostBase) -> Result<Endpoints, Failure> {
        let at = |path: &str| Url::parse(&format!("{base}{path}")).map_err(Failure::internal);
        Ok(Endpoints {
            authorize: at("/login/oauth/authorize")?,
            token: at("/login/oauth/access_token")?,
            device: Some(at("/login/device/code")?),
            basic: false,
            comma_scopes: false,
            any_port: true,
            public: false,
            pkce: true,
        })
    }

    async fn revoke(
        &self,
        session: &Session<'_>,
        client: Option<&OauthClient>,
        tokens: &HostTokens,
    ) -> Result<Option<Revocation>, Failure> {
        let token = tokens.access.expose();
        let secret = client.and_then(|client| Some((client.client_id.as_str(), client.client_secret.as_ref()?)));
        let asked = if let Some((client_id, secret)) = secret {
            // The grant goes too: it is what the person sees on the page of authorized applications.
            session
                .ask(Method::DELETE, &["applications", client_id, "grant"])
                .authorized(crate::session::basic(client_id, secret)?)
                .json(serde_json::json!({ "access_token": token }))
                .send()
                .await
        } else if is_public(&session.address.base) {
            let body = serde_json::json!({ "credentials": [token] });
            session.ask(Method::POST, &["credentials", "revoke"]).json(body).send().await
        } else {
            return Ok(None);
        };
        match asked {
            Ok(_) => Ok(Some(Revocation::Revoked)),
            // Unknown there already.
            Err(failure) if failure.code == ErrorCode::SourceNotFound && secret.is_some() => {
                Ok(Some(Revocation::Revoked))
            }
            Err(failure) if matches!(failure.code, ErrorCode::InvalidField | ErrorCode::SourceNotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}
