//! Commands on the overview: the first-run checklist and the bundled sample.

use crate::system::Nothing;
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::Failure;
use slipway_core::ids::{BuildId, CodeRepositoryId, ImageRepositoryId, RegistryId, RuleId};
use ts_rs::TS;

/// How far a person is. A step is done when its rows say so, never because it was done once.
#[derive(Debug, Serialize, TS)]
pub struct ChecklistView {
    /// The person does not want to see it.
    pub dismissed: bool,
    /// Every step is done.
    pub complete: bool,
    /// The engine was found.
    pub engine: EngineStep,
    /// A build of the sample is green, or any other build.
    pub sample: SampleStep,
    /// An image repository of one's own.
    pub repository: RepositoryStep,
    /// A rule of one's own.
    pub rule: RuleStep,
    /// A registry besides *Local engine*.
    pub registry: RegistryStep,
}

/// The engine was found.
#[derive(Debug, Serialize, TS)]
pub struct EngineStep {
    /// It answers.
    pub done: bool,
    /// Its version.
    pub version: Option<String>,
    /// Why it does not answer.
    pub failure: Option<Failure>,
}

/// The sample was built.
#[derive(Debug, Serialize, TS)]
pub struct SampleStep {
    /// A build succeeded.
    pub done: bool,
    /// The sample's folder, a normal clone once it was made.
    pub folder: String,
    /// Its code.
    pub code: Option<CodeRepositoryId>,
    /// Its image repository.
    pub repository: Option<ImageRepositoryId>,
    /// Its rule.
    pub rule: Option<RuleId>,
    /// Its newest build.
    pub build: Option<BuildId>,
}

/// An image repository of one's own.
#[derive(Debug, Serialize, TS)]
pub struct RepositoryStep {
    /// There is one.
    pub done: bool,
    /// The first by name.
    pub repository: Option<ImageRepositoryId>,
}

/// A rule of one's own.
#[derive(Debug, Serialize, TS)]
pub struct RuleStep {
    /// There is one.
    pub done: bool,
    /// The oldest.
    pub rule: Option<RuleId>,
    /// Its image repository.
    pub repository: Option<ImageRepositoryId>,
}

/// A registry besides *Local engine*.
#[derive(Debug, Serialize, TS)]
pub struct RegistryStep {
    /// There is one.
    pub done: bool,
    /// The first.
    pub registry: Option<RegistryId>,
}

/// Hides the checklist, or shows it again.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "DismissChecklist")]
pub struct DismissRequest {
    /// Hidden or shown.
    pub dismissed: bool,
}

/// The sample with the build that was begun.
#[derive(Debug, Serialize, TS)]
pub struct SampleView {
    /// Its folder: a normal clone.
    pub folder: String,
    /// Its code.
    pub code: CodeRepositoryId,
    /// Its image repository.
    pub repository: ImageRepositoryId,
    /// Its rule.
    pub rule: RuleId,
    /// The build.
    pub build: BuildId,
}

pub(crate) async fn checklist(app: &Slipway, _: Nothing) -> Result<ChecklistView, Failure> {
    let found = app.checklist().await?;
    let engine = match found.engine {
        Ok(info) => EngineStep { done: true, version: Some(info.version), failure: None },
        Err(failure) => EngineStep { done: false, version: None, failure: Some(failure) },
    };
    let sample = SampleStep {
        done: found.sample_is_green,
        folder: found.sample.folder.display().to_string(),
        code: found.sample.code,
        repository: found.sample.repository,
        rule: found.sample.rule,
        build: found.sample.build,
    };
    let repository = RepositoryStep { done: found.repository.is_some(), repository: found.repository };
    let rule = RuleStep {
        done: found.rule.is_some(),
        rule: found.rule.map(|(rule, _)| rule),
        repository: found.rule.map(|(_, repository)| repository),
    };
    let registry = RegistryStep { done: found.registry.is_some(), registry: found.registry };
    Ok(ChecklistView {
        dismissed: found.dismissed,
        complete: engine.done && sample.done && repository.done && rule.done && registry.done,
        engine,
        sample,
        repository,
        rule,
        registry,
    })
}

pub(crate) async fn dismiss(app: &Slipway, request: DismissRequest) -> Result<Nothing, Failure> {
    app.dismiss_checklist(request.dismissed).await?;
    Ok(Nothing {})
}

pub(crate) async fn build_sample(app: &Slipway, _: Nothing) -> Result<SampleView, Failure> {
    let sample = app.build_sample().await?;
    Ok(SampleView {
        folder: sample.folder.display().to_string(),
        code: sample.code,
        repository: sample.repository,
        rule: sample.rule,
        build: sample.build,
    })
}
