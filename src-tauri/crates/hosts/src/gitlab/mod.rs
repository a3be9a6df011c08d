//! GitLab.com and self-managed GitLab (`reference/source-hosts.md` section 3).

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

pub(crate) struct Gitlab;

#[async_trait]
impl Product for Gitlab {
    fn api(&self, base: &HostBase) -> Result<Url, Failure> {
        Url::parse(&format!("{base}/api/v4")).map_err(Failure::internal)
    }

    fn authorization(&self, tokens: &HostTokens) -> Result<HeaderValue, Failure> {
        crate::session::bearer(&tokens.access)
    }

    fn refine(&self, answer: &Answer) -> Option<Refined> {
        let json: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        let text = |name: &str| json.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        if answer.status == StatusCode::FORBIDDEN && text("error") == "insufficient_scope" {
            let scopes = plain_text(text("scope")).replace(' ', ", ");
            return Some(Refined::new(ErrorCode::SourceScopesMissing).with("scopes", scopes));
        }
        let said = answer.message().unwrap_or_default().to_ascii_lowercase();
        (answer.status == StatusCode::FORBIDDEN && said.contains("archived"))
            .then(|| Refined::new(ErrorCode::SourceArchived))
    }

    fn clone_username(&self, _: &HostTokens) -> String {
        "oauth2".to_owned()
    }

    async fn probe(&self, session: &Session<'_>) -> Result<HostFacts, Failure> {
        let answer = session.get(&["version"]).answer().await?;
        if answer.status.is_server_error() || answer.status.as_u16() == 429 {
            return Err(session.failure(&answer));
        }
        // Strangers get 401 in GitLab's own words; a proxy in front of it would not say it in JSON.
        let is_gitlab = answer.header("x-gitlab-meta").is_some()
            || answer.status == StatusCode::UNAUTHORIZED
                && answer.message().is_some_and(|said| said.eq_ignore_ascii_case("401 Unauthorized"));
        let json = answer.json::<serde_json::Value>().unwrap_or_default();
        // `revision` stands beside it at no other product.
        let version = json.get("revision").and(json.get("version")).and_then(serde_json::Value::as_str).map(plain_text);
        if !is_gitlab && version.is_none() {
            return Err(not_a_host(session.host(), "it has no GitLab API"));
        }
        Ok(HostFacts { product: "GitLab".to_owned(), version })
    }
}
