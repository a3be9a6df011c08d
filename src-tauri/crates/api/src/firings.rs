//! Commands on firings: the records of triggers (触发日志), and of what people did to targets.

use crate::system::Nothing;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::Failure;
use slipway_core::deploy::{DeployOutcome, DeployTarget, Planned, StepKind};
use slipway_core::ids::{BuildId, FiringId, ImageRepositoryId, TagEventId, TargetId, TriggerId};
use slipway_core::trigger::{FiringKind, FiringReason, FiringState, TagCondition, TagEventSource, TargetVersion};
use slipway_store::{FiringFilter, FiringRecord};
use std::collections::BTreeMap;
use ts_rs::TS;

/// Most firings of one page.
const MAX_PAGE: u32 = 200;

/// One firing in a list.
#[derive(Debug, Serialize, TS)]
pub struct FiringView {
    /// Its id.
    pub id: FiringId,
    /// Who wanted it.
    pub kind: FiringKind,
    /// The row of what is updated.
    pub target_id: TargetId,
    /// What is updated.
    pub target: DeployTarget,
    /// The image's repository, when it is one of ours.
    pub repository: Option<ImageRepositoryId>,
    /// The trigger; `null` for a person's wish.
    pub trigger: Option<TriggerId>,
    /// The trigger's name at that time.
    pub trigger_name: Option<String>,
    /// The trigger's condition at that time.
    pub condition: Option<TagCondition>,
    /// The tag event: greater was observed later.
    pub event: TagEventId,
    /// The build that published the image.
    pub build: Option<BuildId>,
    /// Where the image came from.
    pub source: TagEventSource,
    /// What the target gets.
    pub version: TargetVersion,
    /// The earlier firing that is gone back to.
    pub back_to: Option<FiringId>,
    /// Where it stands.
    pub state: FiringState,
    /// What it is at, while it runs.
    pub step: Option<StepKind>,
    /// How often it was begun.
    pub attempt: u32,
    /// Why it waits, or did nothing.
    pub reason: Option<FiringReason>,
    /// What it failed with, or what the last try failed with.
    pub failure: Option<Failure>,
    /// A person wants it to end.
    pub cancel_requested: bool,
    /// When the tag was seen.
    pub observed_at: DateTime<Utc>,
    /// When the record was made.
    pub created_at: DateTime<Utc>,
    /// When it was begun first.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Everything about a firing but its log.
#[derive(Debug, Serialize, TS)]
pub struct FiringDetailView {
    /// The record.
    pub firing: FiringView,
    /// What the last attempt planned.
    pub plan: Option<Planned>,
    /// How it ended, with what runs since.
    pub outcome: Option<DeployOutcome>,
    /// The steps of the last attempt, in order.
    pub steps: Vec<FiringStepView>,
}

/// One step of an attempt.
#[derive(Debug, Serialize, TS)]
pub struct FiringStepView {
    /// What.
    pub kind: StepKind,
    /// To what.
    pub subject: String,
    /// When it was begun.
    pub started_at: DateTime<Utc>,
    /// When it ended; `null` while it goes on, or when it was broken off.
    pub ended_at: Option<DateTime<Utc>>,
    /// It failed.
    pub failed: bool,
    /// Ids, names, numbers (`gap_ms`).
    pub facts: BTreeMap<String, String>,
}

/// Filters and paging.
#[derive(Debug, Default, Deserialize, TS)]
#[ts(rename = "ListFirings")]
#[serde(default)]
pub struct ListRequest {
    /// Of this image repository.
    #[ts(optional)]
    pub repository: Option<ImageRepositoryId>,
    /// Of this trigger.
    #[ts(optional)]
    pub trigger: Option<TriggerId>,
    /// Of this target.
    #[ts(optional)]
    pub target: Option<TargetId>,
    /// Those that this build caused.
    #[ts(optional)]
    pub build: Option<BuildId>,
    /// In this state.
    #[ts(optional)]
    pub state: Option<FiringState>,
    /// Of this kind.
    #[ts(optional)]
    pub kind: Option<FiringKind>,
    /// Whose trigger's name or tag contains this.
    #[ts(optional, as = "Option<String>")]
    pub search: String,
    /// Only older ones than this.
    #[ts(optional)]
    pub before: Option<FiringId>,
    /// How many at most, 1–200; 20 when it is left out.
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// A page of firings.
#[derive(Debug, Serialize, TS)]
pub struct FiringList {
    /// Newest first.
    pub items: Vec<FiringView>,
    /// How many fit the filter in all.
    pub total: u64,
    /// There are older ones.
    pub more: bool,
}

/// Names a firing.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichFiring")]
pub struct Which {
    /// Which.
    pub id: FiringId,
}

/// Where a cancelled firing stands.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "CancelledFiring")]
pub struct Cancelled {
    /// Its state now: one that runs undoes first.
    pub state: FiringState,
}

/// A line of a firing's log.
#[derive(Debug, Serialize, TS)]
pub struct FiringLineView {
    /// When.
    pub at: DateTime<Utc>,
    /// What. Foreign text: shown as text, never as markup.
    pub text: String,
}

impl From<FiringRecord> for FiringView {
    fn from(record: FiringRecord) -> Self {
        Self {
            id: record.id,
            kind: record.kind,
            target_id: record.target,
            target: record.deploy_target,
            repository: record.repository,
            trigger: record.trigger,
            trigger_name: record.trigger_name,
            condition: record.condition,
            event: record.order.event,
            build: record.build,
            source: record.source,
            version: record.version,
            back_to: record.back_to,
            state: record.state,
            step: record.step,
            attempt: record.attempt,
            reason: record.reason,
            failure: record.failure,
            cancel_requested: record.cancel_requested,
            observed_at: record.observed_at,
            created_at: record.created_at,
            started_at: record.started_at,
            ended_at: record.ended_at,
        }
    }
}

pub(crate) async fn list(app: &Slipway, request: ListRequest) -> Result<FiringList, Failure> {
    let ListRequest { repository, trigger, target, build, state, kind, search, before, limit } = request;
    let filter = FiringFilter { repository, trigger, target, build, state, kind, search };
    let page = app.firings(&filter, before, limit.unwrap_or(20).clamp(1, MAX_PAGE)).await?;
    Ok(FiringList { items: page.items.into_iter().map(Into::into).collect(), total: page.total, more: page.more })
}

pub(crate) async fn get(app: &Slipway, request: Which) -> Result<FiringDetailView, Failure> {
    let detail = app.firing_detail(request.id).await?;
    let mut steps: Vec<FiringStepView> = Vec::new();
    for (at, entry) in detail.journal {
        use slipway_core::deploy::JournalMark::{Done, Failed, Intended};
        let open = steps
            .iter_mut()
            .rev()
            .find(|step| step.ended_at.is_none() && step.kind == entry.kind && step.subject == entry.subject);
        match (entry.mark, open) {
            (Done | Failed, Some(step)) => {
                step.ended_at = Some(at);
                step.failed = entry.mark == Failed;
                step.facts.extend(entry.facts);
            }
            (mark, _) => steps.push(FiringStepView {
                kind: entry.kind,
                subject: entry.subject,
                started_at: at,
                ended_at: (mark != Intended).then_some(at),
                failed: mark == Failed,
                facts: entry.facts,
            }),
        }
    }
    let (plan, outcome) = (detail.firing.plan.clone(), detail.firing.outcome.clone());
    Ok(FiringDetailView { firing: detail.firing.into(), plan, outcome, steps })
}

pub(crate) async fn log(app: &Slipway, request: Which) -> Result<Vec<FiringLineView>, Failure> {
    let lines = app.firing_log(request.id).await?;
    Ok(lines.into_iter().map(|line| FiringLineView { at: line.at, text: line.text }).collect())
}

pub(crate) async fn cancel(app: &Slipway, request: Which) -> Result<Cancelled, Failure> {
    Ok(Cancelled { state: app.cancel_firing(request.id).await? })
}

pub(crate) async fn delete(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.delete_firing(request.id).await?;
    Ok(Nothing {})
}
