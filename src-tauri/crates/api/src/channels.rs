//! Commands on notification channels. An address never leaves: only its host is shown.

use crate::system::{Nothing, SecretText};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::channels::{ChannelInput, ChannelStanding};
use slipway_core::Failure;
use slipway_core::channel::{ChannelEvent, ChannelKind};
use slipway_core::host::PageLanguage;
use slipway_core::ids::ChannelId;
use ts_rs::TS;

/// A channel and how it stands.
#[derive(Debug, Serialize, TS)]
pub struct ChannelView {
    /// Its id.
    pub id: ChannelId,
    /// Its name.
    pub name: String,
    /// Whose shape its messages have.
    pub kind: ChannelKind,
    /// The host of its address; the rest is a key.
    pub host: String,
    /// A signing secret or token is stored.
    pub has_secret: bool,
    /// A person allowed an address in a private network.
    pub allow_private: bool,
    /// What it is told.
    pub events: Vec<ChannelEvent>,
    /// It is on.
    pub enabled: bool,
    /// When a message was taken last.
    pub sent_at: Option<DateTime<Utc>>,
    /// What the last message that was given up failed with; gone with the next that is taken.
    pub failure: Option<Failure>,
    /// When that was.
    pub failed_at: Option<DateTime<Utc>>,
    /// Messages that wait.
    pub waiting: u64,
    /// What the oldest of them failed with.
    pub trouble: Option<Failure>,
    /// When it is tried again.
    pub next_try_at: Option<DateTime<Utc>>,
}

/// A channel as it is typed.
#[derive(Debug, Deserialize, TS)]
pub struct ChannelForm {
    /// Its name, unique.
    pub name: String,
    /// Whose shape its messages have.
    pub kind: ChannelKind,
    /// Where to; left out it keeps the stored one.
    #[serde(default)]
    #[ts(optional)]
    pub address: Option<SecretText>,
    /// The signing secret or token; left out it keeps the stored one, an empty one takes it away.
    #[serde(default)]
    #[ts(optional)]
    pub secret: Option<SecretText>,
    /// Allows an address in a private network.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub allow_private: bool,
    /// What it is told.
    pub events: Vec<ChannelEvent>,
    /// It is on.
    pub enabled: bool,
}

/// Adds a channel.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AddChannel")]
pub struct AddRequest {
    /// As it is typed.
    #[serde(flatten)]
    #[ts(flatten)]
    pub form: ChannelForm,
}

/// Changes a channel.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "EditChannel")]
pub struct EditRequest {
    /// Which.
    pub id: ChannelId,
    /// As it is typed.
    #[serde(flatten)]
    #[ts(flatten)]
    pub form: ChannelForm,
}

/// Names a channel.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichChannel")]
pub struct Which {
    /// Which.
    pub id: ChannelId,
}

/// Switches a channel on or off.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SwitchChannel")]
pub struct SwitchRequest {
    /// Which.
    pub id: ChannelId,
    /// On.
    pub enabled: bool,
}

/// Sends a test message: by a channel as it is stored, or as it is typed.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "TestChannel")]
pub struct TestRequest {
    /// The stored one: what the form leaves out is taken from it.
    #[serde(default)]
    #[ts(optional)]
    pub id: Option<ChannelId>,
    /// As it is typed.
    #[serde(default)]
    #[ts(optional)]
    pub form: Option<ChannelForm>,
}

/// The channel that was added.
#[derive(Debug, Serialize, TS)]
pub struct ChannelAdded {
    /// Its id.
    pub id: ChannelId,
}

/// A test message was taken.
#[derive(Debug, Serialize, TS)]
pub struct ChannelTested {
    /// The beginning of the answer; secrets in it are masked.
    pub answer: String,
}

/// The language that the person uses.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SpeakRequest")]
pub struct SpeakRequest {
    /// Which.
    pub language: PageLanguage,
}

impl From<ChannelStanding> for ChannelView {
    fn from(standing: ChannelStanding) -> Self {
        let ChannelStanding { record, waiting, trouble, next_try_at } = standing;
        let (failure, failed_at) = record.failed.unzip();
        Self {
            id: record.id,
            name: record.spec.name,
            kind: record.spec.kind,
            host: record.spec.host,
            has_secret: record.spec.secret.is_some(),
            allow_private: record.spec.allow_private,
            events: record.spec.events,
            enabled: record.spec.enabled,
            sent_at: record.sent_at,
            failure,
            failed_at,
            waiting,
            trouble,
            next_try_at,
        }
    }
}

impl From<ChannelForm> for ChannelInput {
    fn from(form: ChannelForm) -> Self {
        Self {
            name: form.name,
            kind: form.kind,
            address: form.address.map(Into::into),
            secret: form.secret.map(Into::into),
            allow_private: form.allow_private,
            events: form.events,
            enabled: form.enabled,
        }
    }
}

pub(crate) async fn list(app: &Slipway, _: Nothing) -> Result<Vec<ChannelView>, Failure> {
    Ok(app.channels().await?.into_iter().map(Into::into).collect())
}

pub(crate) async fn add(app: &Slipway, request: AddRequest) -> Result<ChannelAdded, Failure> {
    Ok(ChannelAdded { id: app.add_channel(&request.form.into()).await? })
}

pub(crate) async fn edit(app: &Slipway, request: EditRequest) -> Result<Nothing, Failure> {
    app.edit_channel(request.id, &request.form.into()).await?;
    Ok(Nothing {})
}

pub(crate) async fn switch(app: &Slipway, request: SwitchRequest) -> Result<Nothing, Failure> {
    app.switch_channel(request.id, request.enabled).await?;
    Ok(Nothing {})
}

pub(crate) async fn delete(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.delete_channel(request.id).await?;
    Ok(Nothing {})
}

pub(crate) async fn test(app: &Slipway, request: TestRequest) -> Result<ChannelTested, Failure> {
    let form = request.form.map(ChannelInput::from);
    let said = app.test_channel(request.id, form.as_ref()).await?;
    Ok(ChannelTested { answer: said.answer })
}

pub(crate) async fn speak(app: &Slipway, request: SpeakRequest) -> Result<Nothing, Failure> {
    app.speak(request.language).await?;
    Ok(Nothing {})
}
