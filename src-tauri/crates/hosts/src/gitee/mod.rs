//! Gitee (`reference/source-hosts.md` section 4). Modelled on GitHub's interface of long ago.

mod account;
mod authorize;
mod code;
mod hooks;
mod moved;
mod repositories;
mod status;

use crate::provider::Product;
use crate::session::Session;
use crate::transport::{Answer, Refined, not_a_host};
use async_trait::async_trait;
use http::{HeaderValue, StatusCode};
use reqwest::Url;
use slipway_core::host::{HostBase, HostFacts, HostTokens};
use slipway_core::{ErrorCode, Failure};

pub(crate) struct Gitee;

#[async_trait]
impl Product for Gitee {
    fn api(&self, base: &HostBase) -> Result<Url, Failure> {
        Url::parse(&format!("{base}/api/v5")).map_err(Failure::internal)
    }

    /// Never the `access_token` parameter that is documented on every call: it would land in logs.
    fn authorization(&self, tokens: &HostTokens) -> Result<HeaderValue, Failure> {
        crate::session::bearer(&tokens.access)
    }

    fn refine(&self, answer: &Answer) -> Option<Refined> {
        let said = answer.message()?.to_ascii_lowercase();
        let lacks = said.contains("scope") || said.contains("权限范围");
        (answer.status == StatusCode::FORBIDDEN && lacks).then(|| Refined::new(ErrorCode::SourceScopesMissing))
    }

    fn clone_username(&self, _: &HostTokens) -> String {
        "oauth2".to_owned()
    }

    async fn probe(&self, session: &Session<'_>) -> Result<HostFacts, Failure> {
        let answer = session.get(&["user"]).answer().await?;
        if answer.status.is_server_error() || answer.status.as_u16() == 429 {
            return Err(session.failure(&answer));
        }
        // Strangers are refused in JSON; what the words are changes.
        if answer.status == StatusCode::UNAUTHORIZED && answer.message().is_some() {
            return Ok(HostFacts { product: "Gitee".to_owned(), version: None });
        }
        Err(not_a_host(session.host(), "it has no Gitee API"))
    }
}
