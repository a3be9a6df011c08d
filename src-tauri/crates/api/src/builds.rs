//! Commands on builds and the queue.

use crate::system::Nothing;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::build::{
    BuildInputs, BuildKind, BuildNumber, BuildOrder, BuildReason, BuildState, BuiltImage, PublicationState, Stage,
    StageRecord, WaitReason,
};
use slipway_core::code::{CommitDetails, CommitId, RefName, RepoPath};
use slipway_core::host::ReportStanding;
use slipway_core::ids::{BuildId, CodeRepositoryId, ImageRepositoryId, ObservationId, RuleId};
use slipway_core::image::{Digest, Tag};
use slipway_core::log::{LayerState, StepUpdate};
use slipway_core::rule::{BuildOverrides, BuildTarget};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{BuildFilter, BuildRecord};
use ts_rs::TS;

/// Changed files that are told.
const MOST_FILES: usize = 500;

/// A build.
#[derive(Debug, Serialize, TS)]
pub struct BuildView {
    /// Its id.
    pub id: BuildId,
    /// Its image repository.
    pub repository: ImageRepositoryId,
    /// The number that people see.
    pub number: BuildNumber,
    /// The rule.
    pub rule: Option<RuleId>,
    /// Why it exists.
    pub kind: BuildKind,
    /// The code.
    pub code: Option<CodeRepositoryId>,
    /// The ref.
    pub ref_name: Option<RefName>,
    /// The observation that started it.
    pub observation: Option<ObservationId>,
    /// The commit.
    pub commit: Option<CommitDetails>,
    /// Where it stands.
    pub state: BuildState,
    /// The stage that it is in, or ended in.
    pub stage: Option<Stage>,
    /// Why it was skipped, superseded or paused.
    pub reason: Option<BuildReason>,
    /// Its parameters.
    pub inputs: BuildInputs,
    /// Its tags, once they are rendered.
    pub tags: Vec<Tag>,
    /// The engine.
    pub engine: String,
    /// How often it was tried.
    pub attempt: u32,
    /// It is tried again then.
    pub not_before: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The image.
    pub image: Option<BuiltImage>,
    /// What it failed with.
    pub failure: Option<Failure>,
    /// The lines of the Dockerfile that it failed at, when the failure names them.
    pub failing_lines: Option<LineRange>,
    /// The build that took its place.
    pub covered_by: Option<BuildId>,
    /// The build that it repeats.
    pub rerun_of: Option<BuildId>,
    /// A person wants it to stop.
    pub cancel_requested: bool,
    /// Lines of its log.
    pub log_lines: u64,
    /// Bytes of its log.
    pub log_bytes: u64,
}

/// Lines of a file, 1-based.
#[derive(Debug, Clone, Copy, Serialize, TS)]
pub struct LineRange {
    /// The first.
    pub first: u32,
    /// The last; the first again for one line.
    pub last: u32,
}

impl From<(u32, u32)> for LineRange {
    fn from((first, last): (u32, u32)) -> Self {
        Self { first, last }
    }
}

/// The Dockerfile of a build as it was built.
#[derive(Debug, Serialize, TS)]
pub struct BuildDockerfileView {
    /// Where it is in the repository.
    pub path: RepoPath,
    /// In which commit; none when it was uploaded.
    pub commit: Option<CommitId>,
    /// Its text. Foreign text: shown as text, never as markup.
    pub text: String,
    /// The lines that the build failed at, when the failure or its step names them.
    pub failing_lines: Option<LineRange>,
}

/// What a build is compared with.
#[derive(Debug, Serialize, TS)]
pub struct BuildComparisonView {
    /// The newest earlier build of the same rule that succeeded or failed; none for the first.
    pub before: Option<BuildId>,
    /// Files of the build directory that differ between the commits, as the Dockerfile would name them; `null` when that is
    /// not known.
    pub files: Option<Vec<String>>,
    /// There are more such files than these.
    pub more: u64,
}

/// Filters, order and paging.
#[derive(Debug, Default, Deserialize, TS)]
#[ts(rename = "ListBuilds")]
#[serde(default)]
pub struct ListRequest {
    /// Of this image repository.
    #[ts(optional)]
    pub repository: Option<ImageRepositoryId>,
    /// Of this rule.
    #[ts(optional)]
    pub rule: Option<RuleId>,
    /// In one of these states; any when empty.
    #[ts(optional, as = "Option<Vec<BuildState>>")]
    pub states: Vec<BuildState>,
    /// Whose ref contains this.
    #[ts(optional, as = "Option<String>")]
    pub ref_contains: String,
    /// Of this kind.
    #[ts(optional)]
    pub kind: Option<BuildKind>,
    /// Whose ref, commit, message, author or rule contains this.
    #[ts(optional, as = "Option<String>")]
    pub search: String,
    /// Sorted by a column; newest first when left out. With a text to look for, the newest thousand that hold it are sorted.
    #[ts(optional)]
    pub order: Option<BuildOrder>,
    /// Those that come after this one in the list: the `next` of the page before.
    #[ts(optional)]
    pub before: Option<BuildId>,
    /// How many at most, 1–500; 50 when left out.
    #[ts(optional)]
    pub limit: Option<u32>,
}

/// A page of builds.
#[derive(Debug, Serialize, TS)]
pub struct BuildList {
    /// In the order that was asked for.
    pub items: Vec<BuildView>,
    /// How many fit the filter.
    pub total: u64,
    /// The total was counted to its end.
    pub total_is_exact: bool,
    /// Ask for the next page with this as `before`.
    pub next: Option<BuildId>,
}

/// Names a build.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichBuild")]
pub struct Which {
    /// Which.
    pub id: BuildId,
}

/// Everything about a build but its log.
#[derive(Debug, Serialize, TS)]
pub struct BuildDetailView {
    /// The build.
    #[serde(flatten)]
    pub build: BuildView,
    /// Its stages in order.
    pub stages: Vec<StageRecord>,
    /// Its steps in order; log lines name them by ordinal.
    pub steps: Vec<StepView>,
    /// Its tags and where each stands.
    pub publications: Vec<PublicationView>,
    /// Layers of a push that is under way.
    pub push: Vec<LayerView>,
    /// Where telling the code host about it stands; none when its rule does not ask for that.
    pub report: Option<ReportStanding>,
}

/// One step.
#[derive(Debug, Serialize, TS)]
pub struct StepView {
    /// Its place.
    pub ordinal: u32,
    /// What it is now.
    #[serde(flatten)]
    pub step: StepUpdate,
    /// The engine clipped its log.
    pub clipped: bool,
    /// Warnings of the frontend.
    pub warning: Option<String>,
}

/// One tag of a build.
#[derive(Debug, Serialize, TS)]
pub struct PublicationView {
    /// The tag.
    pub tag: Tag,
    /// The full reference.
    pub target: String,
    /// Where it stands.
    pub state: PublicationState,
    /// How often it was tried.
    pub attempt: u32,
    /// It is tried again then.
    pub not_before: Option<DateTime<Utc>>,
    /// The digest at the registry.
    pub digest: Option<Digest>,
    /// What it failed with.
    pub failure: Option<Failure>,
}

/// One layer of a push.
#[derive(Debug, Serialize, TS)]
pub struct LayerView {
    /// Short id.
    pub layer: String,
    /// What happens to it.
    pub state: LayerState,
    /// Bytes so far.
    pub current: u64,
    /// Bytes in all; 0 when unknown.
    pub total: u64,
}

/// Builds a rule now.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "StartBuild")]
pub struct StartRequest {
    /// Which rule.
    pub rule: RuleId,
    /// Branch, tag or commit.
    pub target: BuildTarget,
    /// Values in place of the rule's.
    #[serde(default)]
    #[ts(optional, as = "Option<BuildOverrides>")]
    pub overrides: BuildOverrides,
}

/// The new build.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "StartedBuild")]
pub struct Started {
    /// Its id.
    pub id: BuildId,
}

/// Runs a build again.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "RerunBuild")]
pub struct RerunRequest {
    /// Which.
    pub id: BuildId,
    /// Values in place of the build's; none means the same inputs.
    #[serde(default)]
    #[ts(optional)]
    pub overrides: Option<BuildOverrides>,
}

/// The state after a cancel.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "CancelledBuild")]
pub struct Cancelled {
    /// Running until its worker has stopped.
    pub state: BuildState,
}

/// A build in the queue.
#[derive(Debug, Serialize, TS)]
pub struct QueueRow {
    /// The build.
    pub build: BuildView,
    /// Why it waits; none while it runs.
    pub waits_for: Option<WaitReason>,
}

impl From<BuildRecord> for BuildView {
    fn from(record: BuildRecord) -> Self {
        Self {
            id: record.id,
            repository: record.repository,
            number: record.number,
            rule: record.rule,
            kind: record.kind,
            code: record.code,
            ref_name: record.ref_name,
            observation: record.observation,
            commit: record.commit,
            state: record.state,
            stage: record.stage,
            reason: record.reason,
            inputs: record.inputs,
            tags: record.tags.unwrap_or_default(),
            engine: record.engine,
            attempt: record.attempt,
            not_before: record.not_before,
            created_at: record.created_at,
            started_at: record.started_at,
            ended_at: record.ended_at,
            image: record.image,
            failing_lines: record.failure.as_ref().and_then(Failure::dockerfile_lines).map(Into::into),
            failure: record.failure,
            covered_by: record.covered_by,
            rerun_of: record.rerun_of,
            cancel_requested: record.cancel_requested,
            log_lines: record.log_lines,
            log_bytes: record.log_bytes,
        }
    }
}

pub(crate) async fn list(app: &Slipway, request: ListRequest) -> Result<BuildList, Failure> {
    let limit = request.limit.unwrap_or(50);
    if !(1..=500).contains(&limit) {
        return Err(Failure::new(ErrorCode::InvalidField, "a page has 1 to 500 builds").at("limit"));
    }
    let filter = BuildFilter {
        repository: request.repository,
        rule: request.rule,
        states: request.states,
        ref_contains: request.ref_contains,
        kind: request.kind,
        search: request.search,
    };
    let page = match request.order {
        Some(order) => app.sorted_builds(&filter, order, request.before, limit).await?,
        None => app.builds(&filter, request.before, limit).await?,
    };
    Ok(BuildList {
        items: page.items.into_iter().map(Into::into).collect(),
        total: page.total,
        total_is_exact: page.total_is_exact,
        next: page.next,
    })
}

pub(crate) async fn get(app: &Slipway, request: Which) -> Result<BuildDetailView, Failure> {
    let detail = app.build_detail(request.id).await?;
    let steps = detail.steps.into_iter().map(|record| StepView {
        ordinal: record.ordinal,
        step: record.update,
        clipped: record.clipped,
        warning: record.warning,
    });
    let publications = detail.publications.into_iter().map(|record| PublicationView {
        tag: record.tag,
        target: record.target,
        state: record.state,
        attempt: record.attempt,
        not_before: record.not_before,
        digest: record.digest,
        failure: record.failure,
    });
    let push = detail.push_progress.into_iter().map(|progress| LayerView {
        layer: progress.layer,
        state: progress.state,
        current: progress.current,
        total: progress.total,
    });
    Ok(BuildDetailView {
        build: detail.build.into(),
        stages: detail.stages,
        steps: steps.collect(),
        publications: publications.collect(),
        push: push.collect(),
        report: detail.report,
    })
}

pub(crate) async fn start(app: &Slipway, request: StartRequest) -> Result<Started, Failure> {
    Ok(Started { id: app.build_now(request.rule, &request.target, &request.overrides).await? })
}

pub(crate) async fn rerun(app: &Slipway, request: RerunRequest) -> Result<Started, Failure> {
    let id = match request.overrides {
        Some(overrides) => app.rerun_with(request.id, &overrides).await?,
        None => app.rerun(request.id).await?,
    };
    Ok(Started { id })
}

pub(crate) async fn cancel(app: &Slipway, request: Which) -> Result<Cancelled, Failure> {
    Ok(Cancelled { state: app.cancel_build(request.id).await? })
}

pub(crate) async fn delete(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.delete_build(request.id).await?;
    Ok(Nothing {})
}

pub(crate) async fn dockerfile(app: &Slipway, request: Which) -> Result<BuildDockerfileView, Failure> {
    let found = app.dockerfile_of_build(request.id).await?;
    Ok(BuildDockerfileView {
        path: found.path,
        commit: found.commit,
        text: found.text,
        failing_lines: found.failing.map(Into::into),
    })
}

pub(crate) async fn compare(app: &Slipway, request: Which) -> Result<BuildComparisonView, Failure> {
    let Some(found) = app.compare_build(request.id).await? else {
        return Ok(BuildComparisonView { before: None, files: None, more: 0 });
    };
    let mut files = found.files;
    let all = files.as_ref().map_or(0, Vec::len);
    if let Some(files) = &mut files {
        files.truncate(MOST_FILES);
    }
    let more = all.saturating_sub(MOST_FILES) as u64;
    Ok(BuildComparisonView { before: Some(found.before), files, more })
}

pub(crate) async fn queue(app: &Slipway, _: Nothing) -> Result<Vec<QueueRow>, Failure> {
    let rows = app.queue().await?;
    Ok(rows.into_iter().map(|row| QueueRow { build: row.build.into(), waits_for: row.waits_for }).collect())
}
