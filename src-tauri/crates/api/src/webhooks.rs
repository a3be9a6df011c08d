//! Commands on webhooks: the listener, and what code hosts were asked to call. Secrets and paths never come out.

use crate::system::Nothing;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::webhooks::{ListenerSettings, ListenerState, WebhookState};
use slipway_core::host::{HostBase, HostProvider, RepositoryPath};
use slipway_core::ids::{CodeRepositoryId, SourceAccountId, WebhookId};
use slipway_core::webhook::WebhookRefusal;
use slipway_core::{ErrorCode, Failure};
use slipway_store::WebhookRecord;
use ts_rs::TS;

/// The listener.
#[derive(Debug, Serialize, TS)]
pub struct WebhookListenerView {
    /// It is wanted.
    pub enabled: bool,
    /// Address and port of this machine.
    pub address: String,
    /// How hosts reach it, when that is not the address itself.
    pub public_url: Option<String>,
    /// Whether it listens.
    pub state: WebhookListenerState,
    /// What hosts are given; none while it does not listen, or nobody said how it is reached.
    pub reached_at: Option<String>,
    /// Only this machine reaches the address.
    pub only_this_machine: bool,
    /// Requests that were refused before they belonged to a webhook, since the start.
    pub refused: u64,
    /// Why the last one was.
    pub last_refusal: Option<WebhookRefusal>,
    /// When it was.
    pub last_refused_at: Option<DateTime<Utc>>,
}

/// Whether the listener listens.
#[derive(Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WebhookListenerState {
    /// Nobody wants it.
    Off,
    /// It listens.
    Listening {
        /// Where.
        address: String,
    },
    /// Its address cannot be had.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// The listener as it is typed.
#[derive(Debug, Deserialize, TS)]
pub struct WebhookListenerForm {
    /// Listen.
    pub enabled: bool,
    /// `127.0.0.1:43118`; port 0 takes a free one at each start.
    pub address: String,
    /// `https://hooks.example.com`; left out it is the address itself.
    #[serde(default)]
    #[ts(optional)]
    pub public_url: Option<String>,
}

/// A webhook at a code host.
#[derive(Debug, Serialize, TS)]
pub struct WebhookView {
    /// Its id.
    pub id: WebhookId,
    /// What a delivery wakes; none once it was removed.
    pub code: Option<CodeRepositoryId>,
    /// Whose token makes and removes it; none once it was unbound.
    pub account: Option<SourceAccountId>,
    /// What runs at the host.
    pub provider: HostProvider,
    /// Where the host lives.
    pub base_url: HostBase,
    /// The repository's path there.
    pub repository: RepositoryPath,
    /// Where the host delivers to, without the part that is nobody's business: `https://hooks.example.com/hooks/3f2a…`.
    pub address: Option<String>,
    /// How it stands.
    pub state: WebhookStateView,
    /// When the host was asked about it last.
    pub checked_at: Option<DateTime<Utc>>,
    /// Deliveries that were taken.
    pub delivered: u64,
    /// When the last one was.
    pub last_delivery_at: Option<DateTime<Utc>>,
    /// Deliveries that were refused.
    pub refused: u64,
    /// Why the last one was.
    pub last_refusal: Option<WebhookRefusal>,
    /// When it was.
    pub last_refused_at: Option<DateTime<Utc>>,
}

/// How a webhook stands.
#[derive(Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(rename = "WebhookState")]
pub enum WebhookStateView {
    /// The host was not asked yet.
    Registering,
    /// It is at the host.
    Registered,
    /// It is there, and the host has stopped delivering.
    Inactive,
    /// Somebody removed it at the host.
    Vanished,
    /// The host does not make it, or cannot be asked about it.
    Failing {
        /// Why.
        failure: Failure,
    },
    /// It is to be removed at the host.
    Removing {
        /// Why that did not work yet.
        failure: Option<Failure>,
    },
    /// Its account was unbound before it could be removed: only a person can, at the host.
    LeftBehind,
}

/// Names the code whose webhook is switched.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SwitchWebhook")]
pub struct SwitchRequest {
    /// Which code repository.
    pub code: CodeRepositoryId,
}

/// Names a webhook.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichWebhook")]
pub struct Which {
    /// Which.
    pub id: WebhookId,
}

impl From<ListenerState> for WebhookListenerState {
    fn from(state: ListenerState) -> Self {
        match state {
            ListenerState::Off => Self::Off,
            ListenerState::Listening(address) => Self::Listening { address: address.to_string() },
            ListenerState::Failed(failure) => Self::Failed { failure },
        }
    }
}

impl From<WebhookState> for WebhookStateView {
    fn from(state: WebhookState) -> Self {
        match state {
            WebhookState::Registering => Self::Registering,
            WebhookState::Registered => Self::Registered,
            WebhookState::Inactive => Self::Inactive,
            WebhookState::Vanished => Self::Vanished,
            WebhookState::Failing(failure) => Self::Failing { failure },
            WebhookState::Removing(failure) => Self::Removing { failure },
            WebhookState::LeftBehind => Self::LeftBehind,
        }
    }
}

fn view((record, state): (WebhookRecord, WebhookState)) -> WebhookView {
    let start = record.path.get(..4).unwrap_or_default();
    let address = record.url.as_deref().map(|url| format!("{}{start}…", url.trim_end_matches(&*record.path)));
    WebhookView {
        id: record.id,
        code: record.code,
        account: record.account,
        provider: record.provider,
        base_url: record.base,
        repository: record.repository,
        address,
        state: state.into(),
        checked_at: record.checked_at,
        delivered: record.delivered,
        last_delivery_at: record.last_delivery_at,
        refused: record.refused,
        last_refusal: record.last_refusal,
        last_refused_at: record.last_refused_at,
    }
}

pub(crate) async fn listener(app: &Slipway, _: Nothing) -> Result<WebhookListenerView, Failure> {
    let detail = app.webhook_listener().await?;
    let settings = detail.settings;
    Ok(WebhookListenerView {
        enabled: settings.enabled,
        address: settings.address.to_string(),
        only_this_machine: settings.address.ip().is_loopback() && settings.public_url.is_none(),
        public_url: settings.public_url,
        state: detail.state.into(),
        reached_at: detail.reached_at,
        refused: detail.refused.count,
        last_refusal: detail.refused.last.map(|(why, _)| why),
        last_refused_at: detail.refused.last.map(|(_, at)| at),
    })
}

pub(crate) async fn save_listener(app: &Slipway, request: WebhookListenerForm) -> Result<Nothing, Failure> {
    let address = request.address.trim().parse().map_err(|_| {
        let why = "the address is a number with a port: 127.0.0.1:43118 or [::1]:43118";
        Failure::new(ErrorCode::InvalidField, why).at("address")
    })?;
    let settings = ListenerSettings { enabled: request.enabled, address, public_url: request.public_url };
    app.set_webhook_listener(&settings).await?;
    Ok(Nothing {})
}

pub(crate) async fn list(app: &Slipway, _: Nothing) -> Result<Vec<WebhookView>, Failure> {
    Ok(app.webhooks().await?.into_iter().map(view).collect())
}

pub(crate) async fn switch_on(app: &Slipway, request: SwitchRequest) -> Result<Nothing, Failure> {
    app.switch_webhook_on(request.code).await?;
    Ok(Nothing {})
}

pub(crate) async fn switch_off(app: &Slipway, request: SwitchRequest) -> Result<Nothing, Failure> {
    app.switch_webhook_off(request.code).await?;
    Ok(Nothing {})
}

pub(crate) async fn check(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.check_webhook(request.id).await?;
    Ok(Nothing {})
}

pub(crate) async fn forget(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.forget_webhook(request.id).await?;
    Ok(Nothing {})
}
