//! Commands on build rules.

use crate::system::{Nothing, SecretText};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::Failure;
use slipway_core::code::RefName;
use slipway_core::ids::{BuildId, CodeRepositoryId, ImageRepositoryId, RuleId, SecretId};
use slipway_core::image::Tag;
use slipway_core::matching::MatchedTrigger;
use slipway_core::rule::{PushTriggers, RuleSpec, VersionRule};
use slipway_store::RuleRecord;
use ts_rs::TS;

/// A build rule.
#[derive(Debug, Serialize, TS)]
pub struct RuleView {
    /// Its id.
    pub id: RuleId,
    /// The repository that it fills.
    pub repository: ImageRepositoryId,
    /// What was typed.
    pub spec: RuleSpec,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// Lists the rules of a repository.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListRules")]
pub struct ListRequest {
    /// Which.
    pub repository: ImageRepositoryId,
}

/// Names a rule.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichRule")]
pub struct Which {
    /// Which.
    pub id: RuleId,
}

/// Adds a rule.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AddRule")]
pub struct AddRequest {
    /// To which image repository.
    pub repository: ImageRepositoryId,
    /// What was typed.
    pub spec: RuleSpec,
}

/// The new rule.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "AddedRule")]
pub struct Added {
    /// Its id.
    pub id: RuleId,
}

/// Changes a rule.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "EditRule")]
pub struct EditRequest {
    /// Which.
    pub id: RuleId,
    /// What was typed.
    pub spec: RuleSpec,
}

/// Copies a rule.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "DuplicateRule")]
pub struct DuplicateRequest {
    /// Which.
    pub id: RuleId,
    /// The copy's name.
    pub name: String,
}

/// Turns a rule on or off.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SetAutoTrigger")]
pub struct AutoTriggerRequest {
    /// Which.
    pub id: RuleId,
    /// On or off.
    pub on: bool,
}

/// Deletes a rule.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "DeleteRule")]
pub struct DeleteRequest {
    /// Which.
    pub id: RuleId,
    /// Cancel its running builds too.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub cancel_running: bool,
}

/// What deleting left.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "DeletedRule")]
pub struct Deleted {
    /// Waiting builds that were cancelled.
    pub cancelled: Vec<BuildId>,
    /// Builds that were running.
    pub running: Vec<BuildId>,
}

/// Seals a secret for builds.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "KeepBuildSecret")]
pub struct KeepSecretRequest {
    /// The id that the Dockerfile names.
    pub id: String,
    /// The value; goes in and never comes out.
    pub value: SecretText,
}

/// The sealed secret, to be named in a rule's `options.secrets`.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "KeptBuildSecret")]
pub struct KeptSecret {
    /// Its id.
    pub secret: SecretId,
}

/// Asks for the live preview of the editor.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "PreviewRule")]
pub struct PreviewRequest {
    /// Which code.
    pub code: CodeRepositoryId,
    /// Which pushes.
    #[serde(default)]
    #[ts(optional, as = "Option<PushTriggers>")]
    pub triggers: PushTriggers,
    /// How the image is tagged.
    pub version: VersionRule,
}

/// Which known refs match, and what their images would be called.
#[derive(Debug, Serialize, TS)]
pub struct RulePreviewView {
    /// Refs that start the rule.
    pub matching: Vec<PreviewRefView>,
    /// How many refs were looked at.
    pub of: usize,
    /// Tags that several refs would get.
    pub collisions: Vec<CollisionView>,
}

/// One ref of a preview.
#[derive(Debug, Serialize, TS)]
pub struct PreviewRefView {
    /// Which.
    pub name: RefName,
    /// Which trigger it matches.
    pub trigger: TriggerView,
    /// Its tags; empty when they cannot be rendered.
    pub tags: Vec<Tag>,
    /// Why there are none.
    pub failure: Option<Failure>,
}

/// Which trigger a ref matches.
#[derive(Debug, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "MatchedTriggerView")]
pub enum TriggerView {
    /// One of the named branches.
    Branch,
    /// Any branch.
    AnyBranch,
    /// Any tag.
    NewTag,
    /// The regular expression.
    Pattern,
}

/// A tag that several refs would get.
#[derive(Debug, Serialize, TS)]
pub struct CollisionView {
    /// The tag.
    pub tag: Tag,
    /// The refs.
    pub refs: Vec<RefName>,
}

/// The pre-flight check of a rule.
#[derive(Debug, Serialize, TS)]
pub struct PreflightView {
    /// What keeps it from being saved.
    pub errors: Vec<Failure>,
    /// What a person should know.
    pub warnings: Vec<Failure>,
    /// The ref that was looked at.
    pub on_ref: Option<RefName>,
}

impl From<RuleRecord> for RuleView {
    fn from(record: RuleRecord) -> Self {
        Self {
            id: record.id,
            repository: record.repository,
            spec: record.spec,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl From<MatchedTrigger> for TriggerView {
    fn from(trigger: MatchedTrigger) -> Self {
        match trigger {
            MatchedTrigger::Branch => Self::Branch,
            MatchedTrigger::AnyBranch => Self::AnyBranch,
            MatchedTrigger::NewTag => Self::NewTag,
            MatchedTrigger::Pattern => Self::Pattern,
        }
    }
}

pub(crate) async fn list(app: &Slipway, request: ListRequest) -> Result<Vec<RuleView>, Failure> {
    Ok(app.rules(request.repository).await?.into_iter().map(Into::into).collect())
}

pub(crate) async fn get(app: &Slipway, request: Which) -> Result<RuleView, Failure> {
    Ok(app.rule(request.id).await?.into())
}

pub(crate) async fn add(app: &Slipway, request: AddRequest) -> Result<Added, Failure> {
    Ok(Added { id: app.add_rule(request.repository, &request.spec).await? })
}

pub(crate) async fn edit(app: &Slipway, request: EditRequest) -> Result<Nothing, Failure> {
    app.edit_rule(request.id, &request.spec).await?;
    Ok(Nothing {})
}

pub(crate) async fn duplicate(app: &Slipway, request: DuplicateRequest) -> Result<Added, Failure> {
    Ok(Added { id: app.duplicate_rule(request.id, &request.name).await? })
}

pub(crate) async fn set_auto_trigger(app: &Slipway, request: AutoTriggerRequest) -> Result<Nothing, Failure> {
    app.set_auto_trigger(request.id, request.on).await?;
    Ok(Nothing {})
}

pub(crate) async fn delete(app: &Slipway, request: DeleteRequest) -> Result<Deleted, Failure> {
    let deleted = app.delete_rule(request.id, request.cancel_running).await?;
    Ok(Deleted { cancelled: deleted.cancelled, running: deleted.running })
}

pub(crate) async fn keep_secret(app: &Slipway, request: KeepSecretRequest) -> Result<KeptSecret, Failure> {
    Ok(KeptSecret { secret: app.keep_build_secret(&request.id, &request.value.into()).await? })
}

pub(crate) async fn preview(app: &Slipway, request: PreviewRequest) -> Result<RulePreviewView, Failure> {
    let preview = app.preview_rule(request.code, &request.triggers, &request.version).await?;
    let matching = preview.matching.into_iter().map(|one| {
        let (tags, failure) = match one.tags {
            Ok(tags) => (tags, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        PreviewRefView { name: one.name, trigger: one.trigger.into(), tags, failure }
    });
    let collisions = preview.collisions.into_iter().map(|one| CollisionView { tag: one.tag, refs: one.refs });
    Ok(RulePreviewView { matching: matching.collect(), of: preview.of, collisions: collisions.collect() })
}

pub(crate) async fn preflight(app: &Slipway, request: AddRequest) -> Result<PreflightView, Failure> {
    let preflight = app.preflight(request.repository, &request.spec).await?;
    Ok(PreflightView { errors: preflight.errors, warnings: preflight.warnings, on_ref: preflight.on_ref })
}
