//! GitHub.com and GitHub Enterprise Server (`reference/source-hosts.md` section 2).

mod account;
mod authorize;
mod code;
mod hooks;
mod moved;
mod repositories;
mod status;

pub(crate) use code::{Commit, contents, host_ref};

use crate::provider::Product;
use crate::session::Session;
use crate::transport::{Answer, Refined, not_a_host, plain_text};
use async_trait::async_trait;
use http::header::ACCEPT;
use http::{HeaderName, HeaderValue, StatusCode};
use reqwest::Url;
use slipway_core::host::{HostBase, HostFacts, HostTokens};
use slipway_core::{ErrorCode, Failure};

pub(crate) struct Github;

/// Returns true for the public service.
fn is_public(base: &HostBase) -> bool {
    base.as_str() == "https://github.com"
}

#[async_trait]
impl Product for Github {
    fn api(&self, base: &HostBase) -> Result<Url, Failure> {
        let text = if is_public(base) {
            "https://api.github.com".to_owned()
        } else if let Some(tenant) = base.host().strip_suffix(".ghe.com").filter(|_| !base.is_plain_http()) {
            format!("https://api.{tenant}.ghe.com")
        } else {
            format!("{base}/api/v3")
        };
        Url::parse(&text).map_err(Failure::internal)
    }

    fn authorization(&self, tokens: &HostTokens) -> Result<HeaderValue, Failure> {
        crate::session::bearer(&tokens.access)
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        vec![
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static("2022-11-28")),
        ]
    }

    fn refine(&self, answer: &Answer) -> Option<Refined> {
        if answer.status != StatusCode::FORBIDDEN && answer.status != StatusCode::NOT_FOUND {
            return None;
        }
        if let Some(sso) = answer.header("x-github-sso").filter(|_| answer.status == StatusCode::FORBIDDEN) {
            let url = sso.split(';').find_map(|part| part.trim().strip_prefix("url=")).unwrap_or_default();
            return Some(Refined::new(ErrorCode::SourceSsoRequired).with("url", plain_text(url)));
        }
        let said = answer.message().unwrap_or_default().to_ascii_lowercase();
        if said.contains("oauth app access restrictions") {
            return Some(Refined::new(ErrorCode::SourceOrganizationBlocks));
        }
        if said.contains("was archived") {
            return Some(Refined::new(ErrorCode::SourceArchived));
        }
        // What would have been enough, against what the token has: only a real gap is called one.
        let accepted = names(answer.header("x-accepted-oauth-scopes")?);
        let granted = names(answer.header("x-oauth-scopes")?);
        let covered = accepted.is_empty() || accepted.iter().any(|scope| authorize::covers(&granted, scope));
        let missing = Refined::new(ErrorCode::SourceScopesMissing).with("scopes", accepted.join(", "));
        (!covered).then_some(missing)
    }

    fn clone_username(&self, _: &HostTokens) -> String {
        "x-access-token".to_owned()
    }

    async fn probe(&self, session: &Session<'_>) -> Result<HostFacts, Failure> {
        let answer = session.get(&["meta"]).answer().await?;
        let version = answer.header("x-github-enterprise-version").map(plain_text);
        // A private server answers strangers with 401; its own headers still say what it is.
        let is_github = version.is_some()
            || answer.header("x-github-request-id").is_some()
            || answer.header("x-github-media-type").is_some()
            || answer.status.is_success()
                && answer
                    .json::<serde_json::Value>()
                    .is_ok_and(|json| json.get("verifiable_password_authentication").is_some());
        if answer.status.is_server_error() || answer.status.as_u16() == 429 {
            return Err(session.failure(&answer));
        }
        if !is_github {
            return Err(not_a_host(session.host(), "it has no GitHub API"));
        }
        let product = if is_public(&session.address.base) { "GitHub" } else { "GitHub Enterprise Server" };
        Ok(HostFacts { product: product.to_owned(), version })
    }
}

/// Splits `repo, read:org`.
fn names(header: &str) -> Vec<String> {
    header.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}
