//! Bitbucket Cloud (`reference/source-hosts.md` section 7).

mod account;
mod authorize;
mod code;
mod hooks;
mod moved;
mod repositories;
mod status;

use crate::provider::Product;
use crate::session::Session;
use crate::transport::{Answer, Refined, not_a_host, on_own_origin, plain_text};
use async_trait::async_trait;
use http::{HeaderValue, StatusCode};
use reqwest::Url;
use slipway_core::host::{HostBase, HostFacts, HostTokens, PageMark, TokenKind};
use slipway_core::{ErrorCode, Failure};

pub(crate) struct Bitbucket;

#[async_trait]
impl Product for Bitbucket {
    /// The cloud's API has a host of its own; what stands in front of the cloud elsewhere has it below its own address.
    fn api(&self, base: &HostBase) -> Result<Url, Failure> {
        let text = match base.as_str() {
            "https://bitbucket.org" => "https://api.bitbucket.org/2.0".to_owned(),
            other => format!("{other}/2.0"),
        };
        Url::parse(&text).map_err(Failure::internal)
    }

    /// API tokens of people are a password beside their e-mail address; everything else is a bearer.
    fn authorization(&self, tokens: &HostTokens) -> Result<HeaderValue, Failure> {
        match (tokens.kind, &tokens.username) {
            (TokenKind::Personal, Some(email)) => crate::session::basic(email, &tokens.access),
            (TokenKind::Personal, None) => {
                let why = "a Bitbucket API token needs the e-mail address of its account";
                Err(Failure::new(ErrorCode::InvalidField, why).at("username"))
            }
            _ => crate::session::bearer(&tokens.access),
        }
    }

    fn refine(&self, answer: &Answer) -> Option<Refined> {
        let json: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        if answer.status == StatusCode::FORBIDDEN {
            let required = json.pointer("/error/detail/required")?;
            let names: Vec<&str> = required.as_array()?.iter().filter_map(serde_json::Value::as_str).collect();
            return Some(Refined::new(ErrorCode::SourceScopesMissing).with("scopes", plain_text(&names.join(", "))));
        }
        None
    }

    fn clone_username(&self, tokens: &HostTokens) -> String {
        match tokens.kind {
            TokenKind::Personal => "x-bitbucket-api-token-auth".to_owned(),
            TokenKind::Oauth | TokenKind::Resource => "x-token-auth".to_owned(),
        }
    }

    async fn probe(&self, session: &Session<'_>) -> Result<HostFacts, Failure> {
        let answer = session.get(&["user"]).answer().await?;
        if answer.status.is_server_error() || answer.status.as_u16() == 429 {
            return Err(session.failure(&answer));
        }
        if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) && answer.message().is_some() {
            return Ok(HostFacts { product: "Bitbucket Cloud".to_owned(), version: None });
        }
        Err(not_a_host(session.host(), "it has no Bitbucket API"))
    }
}

/// One page: the next one is an address in the body, to be followed as it is, but never to another host.
#[derive(serde::Deserialize)]
struct Values<T> {
    values: Vec<T>,
    next: Option<String>,
}

impl<T> Values<T> {
    fn next(&self, answer: &Answer) -> Option<PageMark> {
        let url = on_own_origin(&answer.url, self.next.as_deref()?)?;
        Some(PageMark(format!("{}?{}", url.path(), url.query().unwrap_or_default())))
    }
}

/// Quotes a text for the query language.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace(['"', '\\'], " ").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_stays_inside_its_quotes() {
        assert_eq!(quoted("web-app"), "\"web-app\"");
        assert_eq!(quoted("a\" OR is_private = true OR name ~ \"b\\"), "\"a  OR is_private = true OR name ~  b\"");
    }
}
