//! Gitea and Forgejo (`reference/source-hosts.md` section 6).

mod account;
mod authorize;
mod code;
mod hooks;
mod moved;
mod repositories;
mod status;

use crate::provider::Product;
use crate::session::Session;
use crate::transport::{Answer, Refined, not_a_host, plain_text};
use async_trait::async_trait;
use http::{HeaderValue, StatusCode};
use reqwest::Url;
use slipway_core::host::{HostBase, HostFacts, HostTokens};
use slipway_core::{ErrorCode, Failure};

pub(crate) struct Gitea;

#[async_trait]
impl Product for Gitea {
    fn api(&self, base: &HostBase) -> Result<Url, Failure> {
        Url::parse(&format!("{base}/api/v1")).map_err(Failure::internal)
    }

    fn authorization(&self, tokens: &HostTokens) -> Result<HeaderValue, Failure> {
        crate::session::bearer(&tokens.access)
    }

    fn refine(&self, answer: &Answer) -> Option<Refined> {
        if answer.status != StatusCode::FORBIDDEN && answer.status.as_u16() != 423 {
            return None;
        }
        let said = answer.message()?;
        if said.contains("required scope") {
            let scopes = said.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(list, _)| list);
            let scopes = scopes.split([' ', ',']).filter(|scope| !scope.is_empty()).collect::<Vec<_>>().join(", ");
            return Some(Refined::new(ErrorCode::SourceScopesMissing).with("scopes", scopes));
        }
        said.to_ascii_lowercase().contains("archived").then(|| Refined::new(ErrorCode::SourceArchived))
    }

    fn clone_username(&self, tokens: &HostTokens) -> String {
        tokens.username.clone().unwrap_or_else(|| "oauth2".to_owned())
    }

    async fn probe(&self, session: &Session<'_>) -> Result<HostFacts, Failure> {
        let answer = session.get(&["version"]).answer().await?;
        if answer.status.is_server_error() || answer.status.as_u16() == 429 {
            return Err(session.failure(&answer));
        }
        if answer.status.is_success() {
            let json: serde_json::Value = answer.json()?;
            let version = json.get("version").and_then(serde_json::Value::as_str);
            let version = plain_text(version.ok_or_else(|| not_a_host(session.host(), "it has no Gitea API"))?);
            // Forgejo names the Gitea whose interface it has: `11.0.1+gitea-1.22.0`.
            let product = if version.contains("+gitea-") { "Forgejo" } else { "Gitea" };
            return Ok(HostFacts { product: product.to_owned(), version: Some(version) });
        }
        // An instance that asks everybody to sign in.
        if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) && answer.message().is_some() {
            return Ok(HostFacts { product: "Gitea".to_owned(), version: None });
        }
        Err(not_a_host(session.host(), "it has no Gitea API"))
    }
}
