//! Notification channels: a chat group, a phone or a program of one's own is told what changed.
//!
//! - [`message`]: what happened, as facts. [`words`]: the sentences about it, in both languages.
//! - One file per kind makes the call in that product's shape and reads its answer: [`slack`], [`wecom`], [`dingtalk`],
//!   [`feishu`], [`ntfy`], [`generic`].
//!
//! The address of most kinds is a key by itself: whoever knows it may write into the group. It is a [`Secret`] as a whole.

mod dingtalk;
mod escape;
mod feishu;
mod generic;
pub mod message;
mod ntfy;
mod slack;
mod wecom;
pub mod words;

use crate::mask::Masker;
use crate::{ErrorCode, Failure, Secret, control};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use ring::hmac;
use serde::{Deserialize, Serialize};
use url::Url;

pub use message::{ChannelMessage, MessageCommit, MessageFacts};
pub use words::Words;

/// Bytes of an answer that are read: more than any of these products says.
pub const ANSWER_KEPT: usize = 4096;
/// Characters of an answer that are shown.
const ANSWER_SHOWN: usize = 300;

/// Whose shape a channel's messages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// Slipway's own JSON, signed like a trigger's webhook.
    Generic,
    /// Slack, and whatever takes Slack's shape (Mattermost, Rocket.Chat).
    Slack,
    /// A robot of a WeCom (企业微信) group.
    Wecom,
    /// A robot of a DingTalk (钉钉) group.
    Dingtalk,
    /// A robot of a Feishu (飞书) or Lark group.
    Feishu,
    /// A topic of ntfy.
    Ntfy,
}

/// What a channel can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ChannelEvent {
    /// A rule's build of a ref failed, and the one before it had not.
    BuildFailed,
    /// A rule's build of a ref succeeded after failures.
    BuildRecovered,
    /// A build succeeded or failed, whatever the one before did.
    BuildEnded,
    /// An update of a target failed, or left it broken, and the one before had not.
    UpdateFailed,
    /// An update failed and the earlier image serves again, or a person rolled a target back.
    UpdateRolledBack,
    /// An update of a target succeeded.
    UpdateDone,
    /// An account, a login, code or the database needs a person, or does not any more.
    Attention,
    /// A person tries the channel.
    Test,
}

/// Everything that one call is made of.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The same for every try of a message.
    pub key: &'a str,
    /// What happened.
    pub message: &'a ChannelMessage,
    /// The sentences about it.
    pub words: &'a Words,
    /// The signing secret or token.
    pub secret: Option<&'a Secret>,
    /// Now: some products sign the time.
    pub now: DateTime<Utc>,
}

/// What a kind adds to the address.
struct Content {
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, Secret)>,
    body: Vec<u8>,
}

/// One call, ready to be sent.
#[derive(Debug)]
pub struct ChannelCall {
    /// Where to, all of it: a secret.
    pub address: Secret,
    /// A person allowed an address in a private network.
    pub allow_private: bool,
    /// Its headers.
    pub headers: Vec<(&'static str, Secret)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelAnswer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After` as it came.
    pub retry_after: Option<String>,
    /// The beginning of the body, at most [`ANSWER_KEPT`] bytes.
    pub body: String,
}

/// Sends calls, once each.
#[async_trait]
pub trait ChannelPost: Send + Sync + 'static {
    /// Sends one call within its deadline; redirects are not followed.
    ///
    /// # Errors
    /// [`ErrorCode::ChannelUnreachable`] when nobody answered, and when a name leads now where [`Self::check`] would not
    /// let it; for an address without a name what that says.
    async fn post(&self, call: &ChannelCall) -> Result<ChannelAnswer, Failure>;

    /// Looks whether an address may be called; a name that is not known now may be known later.
    ///
    /// # Errors
    /// [`ErrorCode::PrivateAddress`] at `allow_private` without consent; [`ErrorCode::InvalidField`] at `address` for one
    /// that is never called, and for a public one that begins with `http://`.
    async fn check(&self, address: &Secret, allow_private: bool) -> Result<(), Failure>;
}

/// Checks a typed address and returns its host, all that is ever shown of it.
///
/// # Errors
/// [`ErrorCode::InvalidField`] at `address`; its words hold nothing of the address.
pub fn check_address(kind: ChannelKind, address: &Secret, allow_private: bool) -> Result<String, Failure> {
    let bad = |why: &str| Failure::new(ErrorCode::InvalidField, why).at("address");
    let url = Url::parse(address.expose().trim()).map_err(|_| bad("this is no address"))?;
    let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else {
        return Err(bad("the address begins with https:// or http://"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("a login does not belong into the address"));
    }
    if url.scheme() == "http" && !allow_private {
        return Err(bad("the address is a key, so a public one begins with https://"));
    }
    if kind == ChannelKind::Ntfy && url.path().trim_matches('/').is_empty() {
        return Err(bad("the address of ntfy ends in a topic"));
    }
    Ok(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Returns whether two addresses are of one scheme, host and port: a secret goes to no other.
#[must_use]
pub fn is_same_origin(one: &Secret, other: &Secret) -> bool {
    let origin = |address: &Secret| Url::parse(address.expose().trim()).map(|url| url.origin()).ok();
    origin(one).is_some_and(|one| origin(other) == Some(one))
}

impl ChannelKind {
    /// Makes the call that tells a message.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] for an address or a secret that cannot be sent.
    pub fn call(self, address: &Secret, allow_private: bool, sending: &Sending<'_>) -> Result<ChannelCall, Failure> {
        check_address(self, address, allow_private)?;
        let content = match self {
            Self::Generic => generic::content(sending)?,
            Self::Slack => slack::content(sending)?,
            Self::Wecom => wecom::content(sending)?,
            Self::Dingtalk => dingtalk::content(sending)?,
            Self::Feishu => feishu::content(sending)?,
            Self::Ntfy => ntfy::content(sending)?,
        };
        let mut url = Url::parse(address.expose().trim())
            .map_err(|_| Failure::new(ErrorCode::InvalidField, "this is no address").at("address"))?;
        url.set_fragment(None);
        if !content.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&content.query);
        }
        let mut headers = content.headers;
        headers.push(("idempotency-key", Secret::new(sending.key)));
        Ok(ChannelCall { address: Secret::new(url), allow_private, headers, body: content.body })
    }

    /// Reads an answer: what the receiver said when it took the message, in one masked line.
    ///
    /// # Errors
    /// [`ErrorCode::ChannelRefused`], [`ErrorCode::ChannelBusy`], [`ErrorCode::ChannelUnreachable`] for a fault of the other
    /// side; what it said is in `answer`.
    pub fn taken(self, answer: &ChannelAnswer, secrets: &[Secret]) -> Result<String, Failure> {
        let said = shown(&answer.body, secrets);
        let status = answer.status;
        let failed = |code: ErrorCode, why: String| {
            let failure = Failure::new(code, why).with("status", status.to_string()).with("answer", said.clone());
            match &answer.retry_after {
                Some(after) => failure.with("retry_after", after.as_str()),
                None => failure,
            }
        };
        match status {
            200..=299 => {}
            300..=399 => {
                return Err(failed(ErrorCode::ChannelRefused, "it redirects, which is not followed".to_owned()));
            }
            425 | 429 => return Err(failed(ErrorCode::ChannelBusy, format!("it answered {status}"))),
            408 | 500..=599 => return Err(failed(ErrorCode::ChannelUnreachable, format!("it answered {status}"))),
            _ => return Err(failed(ErrorCode::ChannelRefused, format!("it refused the message with {status}"))),
        }
        let verdict = match self {
            Self::Generic | Self::Slack | Self::Ntfy => Verdict::Taken,
            Self::Wecom => wecom::verdict(&answer.body),
            Self::Dingtalk => dingtalk::verdict(&answer.body),
            Self::Feishu => feishu::verdict(&answer.body),
        };
        match verdict {
            Verdict::Taken => Ok(said),
            Verdict::Busy(code) => {
                Err(failed(ErrorCode::ChannelBusy, format!("it is busy ({code})")).with("code", code.to_string()))
            }
            Verdict::Refused(code) => {
                Err(failed(ErrorCode::ChannelRefused, format!("it refused the message with {code}"))
                    .with("code", code.to_string()))
            }
            Verdict::Unknown => {
                Err(failed(ErrorCode::ChannelRefused, "its answer is not that of such a robot".to_owned()))
            }
        }
    }
}

/// What the body of a 2xx answer says; some products answer 200 to everything.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Taken,
    /// Asked to slow down, or a passing trouble on their side.
    Busy(i64),
    Refused(i64),
    /// Something else answers at this address.
    Unknown,
}

impl Verdict {
    /// Reads the number under the first of these names that is there; 0 is good.
    fn of(body: &str, names: &[&str], busy: &[i64]) -> Self {
        let read: Option<serde_json::Value> = serde_json::from_str(body).ok();
        let code = read.as_ref().and_then(|json| names.iter().find_map(|name| json.get(name)?.as_i64()));
        match code {
            Some(0) => Self::Taken,
            Some(code) if busy.contains(&code) => Self::Busy(code),
            Some(code) => Self::Refused(code),
            None => Self::Unknown,
        }
    }
}

/// Returns the secrets that a receiver could repeat: the address with its parts, and the channel's own.
#[must_use]
pub fn masked_parts(address: &Secret, secret: Option<&Secret>) -> Vec<Secret> {
    let mut parts = vec![address.clone()];
    parts.extend(secret.cloned());
    if let Ok(url) = Url::parse(address.expose().trim()) {
        parts.extend(url.path_segments().into_iter().flatten().map(Secret::new));
        parts.extend(url.query_pairs().map(|(_, value)| Secret::new(value)));
    }
    // Words of a path that everybody knows (`webhook`, `send`) are no secret, and an answer without them is hard to read.
    let is_known = |part: &Secret| part.expose().len() < 8 && part.expose().chars().all(|c| c.is_ascii_lowercase());
    parts.retain(|part| !is_known(part));
    parts
}

fn shown(body: &str, secrets: &[Secret]) -> String {
    control::one_line(&Masker::new(secrets).0.mask_text(body), ANSWER_SHOWN)
}

fn json_content(body: &serde_json::Value) -> Result<Content, Failure> {
    Ok(Content {
        query: Vec::new(),
        headers: vec![("content-type", Secret::new("application/json; charset=utf-8"))],
        body: serde_json::to_vec(body).map_err(Failure::internal)?,
    })
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

#[cfg(test)]
mod tests;
