//! Commands on retention rules.

use crate::system::Nothing;
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::Failure;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::Tag;
use slipway_core::retention::{RetentionPreview, RetentionRule, RetentionRun};
use ts_rs::TS;

/// Names an image repository.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "RetentionOf")]
pub struct Which {
    /// Which.
    pub repository: ImageRepositoryId,
}

/// How the retention of an image repository stands.
#[derive(Debug, Serialize, TS)]
pub struct RetentionView {
    /// The saved rule; none: switched off.
    pub rule: Option<RetentionRule>,
    /// How the last run went.
    pub last_run: Option<RetentionRun>,
    /// The run that is under way.
    pub running: Option<RetentionProgressView>,
}

/// How far a run is.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "RetentionProgress")]
pub struct RetentionProgressView {
    /// Tags that went.
    pub removed: u64,
    /// Tags that are to go; 0 while they are still looked for.
    pub of: u64,
}

/// Tries a rule out.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "PreviewRetention")]
pub struct PreviewRequest {
    /// On this image repository.
    pub repository: ImageRepositoryId,
    /// The rule.
    pub rule: RetentionRule,
}

/// Saves a rule.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "SaveRetention")]
pub struct SaveRequest {
    /// Of this image repository.
    pub repository: ImageRepositoryId,
    /// The rule; none switches it off.
    pub rule: Option<RetentionRule>,
}

/// Removes by a rule, now.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "RunRetention")]
pub struct RunRequest {
    /// In this image repository.
    pub repository: ImageRepositoryId,
    /// The rule.
    pub rule: RetentionRule,
    /// The tags that a person agreed to: none but these go.
    pub tags: Vec<Tag>,
}

pub(crate) async fn get(app: &Slipway, request: Which) -> Result<RetentionView, Failure> {
    let standing = app.retention(request.repository).await?;
    Ok(RetentionView {
        rule: standing.rule,
        last_run: standing.last_run,
        running: standing.running.map(|at| RetentionProgressView { removed: at.removed, of: at.of }),
    })
}

pub(crate) async fn preview(app: &Slipway, request: PreviewRequest) -> Result<RetentionPreview, Failure> {
    app.retention_preview(request.repository, &request.rule).await
}

pub(crate) async fn save(app: &Slipway, request: SaveRequest) -> Result<Nothing, Failure> {
    app.save_retention(request.repository, request.rule.as_ref()).await?;
    Ok(Nothing {})
}

pub(crate) async fn run(app: &Slipway, request: RunRequest) -> Result<Nothing, Failure> {
    app.start_retention(request.repository, &request.rule, request.tags).await?;
    Ok(Nothing {})
}

pub(crate) async fn stop(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.stop_retention(request.repository);
    Ok(Nothing {})
}
