//! CODING (`reference/source-hosts.md` section 5). Its service ends on 2028-09-30, so this is small: tokens, lists, statuses.
//!
//! Every call is a POST whose body names an action; the status is 200 even when it failed.

mod account;
mod authorize;
mod code;
mod hooks;
mod moved;
mod repositories;
mod status;

use crate::provider::Product;
use crate::session::Session;
use crate::transport::{Answer, Refined, answer_failure, not_a_host};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::{HeaderValue, Method};
use reqwest::Url;
use serde::de::DeserializeOwned;
use slipway_core::host::{HostBase, HostFacts, HostTokens, TokenKind};
use slipway_core::{ErrorCode, Failure};

pub(crate) struct Coding;

#[async_trait]
impl Product for Coding {
    fn api(&self, base: &HostBase) -> Result<Url, Failure> {
        Url::parse(&format!("{base}/open-api")).map_err(Failure::internal)
    }

    fn authorization(&self, tokens: &HostTokens) -> Result<HeaderValue, Failure> {
        match (tokens.kind, &tokens.username) {
            (TokenKind::Oauth, _) => crate::session::bearer(&tokens.access),
            (TokenKind::Resource, Some(user)) => crate::session::basic(user, &tokens.access),
            (TokenKind::Resource, None) => {
                let why = "a project token of CODING needs its user name";
                Err(Failure::new(ErrorCode::InvalidField, why).at("username"))
            }
            (TokenKind::Personal, _) => crate::session::sensitive(&format!("token {}", tokens.access.expose())),
        }
    }

    fn refine(&self, answer: &Answer) -> Option<Refined> {
        error_code(answer).map(|code| Refined::new(meaning(&code)))
    }

    /// The name that is shown with the token: a person's e-mail address or the token's own user.
    fn clone_username(&self, tokens: &HostTokens) -> String {
        tokens.username.clone().unwrap_or_else(|| "oauth2".to_owned())
    }

    async fn probe(&self, session: &Session<'_>) -> Result<HostFacts, Failure> {
        let answer = ask(session, "DescribeCodingCurrentUser", serde_json::json!({})).await?;
        if answer.status.is_server_error() || answer.status.as_u16() == 429 {
            return Err(session.failure(&answer));
        }
        let is_coding = answer.json::<serde_json::Value>().is_ok_and(|json| json.get("Response").is_some());
        if !is_coding {
            return Err(not_a_host(session.host(), "it has no CODING API"));
        }
        Ok(HostFacts { product: "CODING".to_owned(), version: None })
    }
}

/// Sends one action.
async fn ask(session: &Session<'_>, action: &str, parameters: serde_json::Value) -> Result<Answer, Failure> {
    let mut body = parameters;
    body["Action"] = action.into();
    session.ask(Method::POST, &[]).query("Action", action).json(body).answer().await
}

/// Sends one action and reads what is inside `Response`.
async fn act<T: DeserializeOwned>(
    session: &Session<'_>,
    action: &str,
    parameters: serde_json::Value,
) -> Result<T, Failure> {
    Ok(act_at(session, action, parameters).await?.0)
}

/// The same with the host's time of the answer.
async fn act_at<T: DeserializeOwned>(
    session: &Session<'_>,
    action: &str,
    parameters: serde_json::Value,
) -> Result<(T, DateTime<Utc>), Failure> {
    #[derive(serde::Deserialize)]
    struct Envelope<T> {
        #[serde(rename = "Response")]
        response: T,
    }
    let answer = ask(session, action, parameters).await?;
    if !answer.status.is_success() {
        return Err(session.failure(&answer));
    }
    if let Some(code) = error_code(&answer) {
        return Err(answer_failure(&answer, Some(Refined::new(meaning(&code)).with("error", code))));
    }
    Ok((answer.json::<Envelope<T>>()?.response, answer.date().unwrap_or(answer.received_at)))
}

fn error_code(answer: &Answer) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    let code = json.pointer("/Response/Error/Code")?.as_str()?;
    Some(crate::transport::plain_text(code))
}

/// What an error means, by the part before its first dot (`ResourceNotFound.DepotNotFound`).
fn meaning(code: &str) -> ErrorCode {
    match code.split('.').next().unwrap_or_default() {
        "AuthFailure" | "Unauthorized" => ErrorCode::SourceUnauthorized,
        "UnauthorizedOperation" | "OperationDenied" | "PermissionDenied" => ErrorCode::SourceForbidden,
        "ResourceNotFound" => ErrorCode::SourceNotFound,
        "RequestLimitExceeded" | "LimitExceeded" => ErrorCode::SourceRateLimited,
        "InternalError" | "ResourceUnavailable" => ErrorCode::SourceServerError,
        "UnsupportedOperation" => ErrorCode::SourceUnsupported,
        _ => ErrorCode::InvalidField,
    }
}
