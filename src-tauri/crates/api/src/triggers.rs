//! Commands on image triggers.

use crate::firings::FiringView;
use crate::system::{Nothing, SecretText};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::triggers::TriggerDetail;
use slipway_core::Failure;
use slipway_core::ids::{FiringId, ImageRepositoryId, SecretId, TargetId, TriggerId};
use slipway_core::image::Tag;
use slipway_core::trigger::{TagCondition, TargetPin, TriggerSpec};
use ts_rs::TS;

/// An image trigger.
#[derive(Debug, Serialize, TS)]
pub struct TriggerView {
    /// Its id.
    pub id: TriggerId,
    /// Whose tags fire it.
    pub repository: ImageRepositoryId,
    /// The row of what it updates.
    pub target: TargetId,
    /// What was typed.
    pub spec: TriggerSpec,
    /// It is paused, because a person rolled its target back to this. `targets.resume` or `triggers.resume` takes it away.
    pub pin: Option<TargetPin>,
    /// What it did last, or does now.
    pub last_firing: Option<FiringView>,
    /// How looking for new tags goes.
    pub watch: TagWatchView,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// How looking at the tags of a repository goes.
#[derive(Debug, Serialize, TS)]
pub struct TagWatchView {
    /// The last look that went well.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// What the last look failed with; `null` after one that went well.
    pub last_failure: Option<Failure>,
    /// When a registry is looked at next.
    pub next_look_at: Option<DateTime<Utc>>,
}

/// Lists triggers.
#[derive(Debug, Default, Deserialize, TS)]
#[ts(rename = "ListTriggers")]
#[serde(default)]
pub struct ListRequest {
    /// Of this repository; left out of all.
    #[ts(optional)]
    pub repository: Option<ImageRepositoryId>,
}

/// Names a trigger.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichTrigger")]
pub struct Which {
    /// Which.
    pub id: TriggerId,
}

/// Adds a trigger.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AddTrigger")]
pub struct AddRequest {
    /// Whose tags fire it.
    pub repository: ImageRepositoryId,
    /// What was typed.
    pub spec: TriggerSpec,
}

/// The new trigger.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "AddedTrigger")]
pub struct Added {
    /// Its id.
    pub id: TriggerId,
}

/// Changes a trigger.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "EditTrigger")]
pub struct EditRequest {
    /// Which.
    pub id: TriggerId,
    /// What was typed.
    pub spec: TriggerSpec,
}

/// Turns a trigger on or off.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SetTriggerEnabled")]
pub struct EnableRequest {
    /// Which.
    pub id: TriggerId,
    /// On or off.
    pub enabled: bool,
}

/// Deletes a trigger.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "DeleteTrigger")]
pub struct DeleteRequest {
    /// Which.
    pub id: TriggerId,
    /// Cancel what it runs too.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub cancel_running: bool,
}

/// What deleting left.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "DeletedTrigger")]
pub struct Deleted {
    /// Firings that were running.
    pub running: Vec<FiringId>,
}

/// Asks which tags a condition matches.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "PreviewTrigger")]
pub struct PreviewRequest {
    /// Whose tags.
    pub repository: ImageRepositoryId,
    /// The condition.
    pub condition: TagCondition,
}

/// "Would have fired for 3 of 14 tags".
#[derive(Debug, Serialize, TS)]
pub struct TriggerPreviewView {
    /// The tags that match, sorted.
    pub matching: Vec<Tag>,
    /// How many tags are there.
    pub of: usize,
}

/// Names a repository whose tags are to be looked at.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "CheckTags")]
pub struct CheckRequest {
    /// Which.
    pub repository: ImageRepositoryId,
}

/// What resuming began.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "ResumedTarget")]
pub struct Resumed {
    /// The firing that catches up with what was left out; `null` when nothing was.
    pub firing: Option<FiringId>,
}

/// Seals a value of a webhook.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "KeepTargetSecret")]
pub struct KeepSecretRequest {
    /// What it is for (`header X-Token`, `signing key`), for people.
    pub purpose: String,
    /// The value; goes in and never comes out.
    pub value: SecretText,
}

/// The sealed value, to be named in a webhook's `headers` or `signing_secret`.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "KeptTargetSecret")]
pub struct KeptSecret {
    /// Its id.
    pub secret: SecretId,
}

impl From<TriggerDetail> for TriggerView {
    fn from(detail: TriggerDetail) -> Self {
        let TriggerDetail { trigger, watch, last_firing } = detail;
        Self {
            id: trigger.id,
            repository: trigger.repository,
            target: trigger.target,
            spec: trigger.spec,
            pin: trigger.pin,
            last_firing: last_firing.map(Into::into),
            watch: TagWatchView {
                last_ok_at: watch.last_ok_at,
                last_failure: watch.last_failure,
                next_look_at: watch.next_look_at,
            },
            created_at: trigger.created_at,
            updated_at: trigger.updated_at,
        }
    }
}

pub(crate) async fn list(app: &Slipway, request: ListRequest) -> Result<Vec<TriggerView>, Failure> {
    Ok(app.triggers(request.repository).await?.into_iter().map(Into::into).collect())
}

pub(crate) async fn get(app: &Slipway, request: Which) -> Result<TriggerView, Failure> {
    Ok(app.trigger(request.id).await?.into())
}

pub(crate) async fn add(app: &Slipway, request: AddRequest) -> Result<Added, Failure> {
    Ok(Added { id: app.add_trigger(request.repository, &request.spec).await? })
}

pub(crate) async fn edit(app: &Slipway, request: EditRequest) -> Result<Nothing, Failure> {
    app.edit_trigger(request.id, &request.spec).await?;
    Ok(Nothing {})
}

pub(crate) async fn set_enabled(app: &Slipway, request: EnableRequest) -> Result<Nothing, Failure> {
    app.set_trigger_enabled(request.id, request.enabled).await?;
    Ok(Nothing {})
}

pub(crate) async fn delete(app: &Slipway, request: DeleteRequest) -> Result<Deleted, Failure> {
    Ok(Deleted { running: app.delete_trigger(request.id, request.cancel_running).await? })
}

pub(crate) async fn preview(app: &Slipway, request: PreviewRequest) -> Result<TriggerPreviewView, Failure> {
    let preview = app.preview_trigger(request.repository, &request.condition).await?;
    Ok(TriggerPreviewView { matching: preview.matching, of: preview.of })
}

pub(crate) async fn check(app: &Slipway, request: CheckRequest) -> Result<Nothing, Failure> {
    app.check_tags(request.repository).await?;
    Ok(Nothing {})
}

pub(crate) async fn resume(app: &Slipway, request: Which) -> Result<Resumed, Failure> {
    let target = app.trigger(request.id).await?.trigger.target;
    Ok(Resumed { firing: app.resume_target(target).await? })
}

pub(crate) async fn keep_secret(app: &Slipway, request: KeepSecretRequest) -> Result<KeptSecret, Failure> {
    Ok(KeptSecret { secret: app.keep_target_secret(&request.purpose, &request.value.into()).await? })
}
