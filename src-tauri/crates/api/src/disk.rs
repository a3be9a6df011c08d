//! Commands on the disk budget: what Slipway's images and the build cache take, and making room.

use crate::system::Nothing;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::disk_budget::{GIGABYTE, ImageNeed};
use slipway_core::ids::BuildId;
use slipway_core::image::ImageId;
use slipway_core::{ErrorCode, Failure};
use ts_rs::TS;

/// The budget, and what the last run did.
#[derive(Debug, Serialize, TS)]
pub struct DiskBudgetView {
    /// How many gigabytes the images may take that Slipway made; `None` for no limit.
    pub disk_budget_gb: Option<u32>,
    /// The last run that removed something or tried to.
    pub last: Option<LastTidiedView>,
}

/// What the last run did.
#[derive(Debug, Serialize, TS)]
pub struct LastTidiedView {
    /// When.
    pub at: DateTime<Utc>,
    /// How many images went.
    pub removed: usize,
    /// Bytes that came free.
    pub freed: u64,
    /// A person wanted it; else it ran by itself.
    pub by_person: bool,
}

/// The budget as it is typed.
#[derive(Debug, Deserialize, TS)]
pub struct BudgetForm {
    /// Gigabytes, 1–100,000; left out there is no limit.
    #[serde(default)]
    #[ts(optional)]
    pub disk_budget_gb: Option<u32>,
}

/// What fills the local engine's disk.
#[derive(Debug, Serialize, TS)]
pub struct DiskUseView {
    /// How many images Slipway made that are there.
    pub images: usize,
    /// Bytes that the engine keeps for them alone.
    pub bytes: u64,
    /// Bytes of the build cache, whoever's builds filled it; `None` when it could not be counted in time.
    pub cache_bytes: Option<u64>,
}

/// What is to be looked at.
#[derive(Debug, Deserialize, TS)]
pub struct DiskPreviewRequest {
    /// Everything that nothing needs, not only down to the budget.
    pub everything: bool,
}

/// What would go.
#[derive(Debug, Serialize, TS)]
pub struct DiskPreviewView {
    /// Bytes that the images take now.
    pub used: u64,
    /// Bytes that they take then.
    pub left: u64,
    /// What goes, in order.
    pub remove: Vec<DiskRemovalView>,
    /// What stays because something needs it.
    pub needed: Vec<NeededView>,
    /// A build or an update runs: nothing can go now.
    pub busy: bool,
}

/// An image that is to go.
#[derive(Debug, Serialize, TS)]
pub struct DiskRemovalView {
    /// The engine's id.
    pub image: ImageId,
    /// Its names; none is an image whose name moved on.
    pub names: Vec<String>,
    /// The build that made it; its record may be gone.
    pub build: BuildId,
    /// When that build began.
    pub made_at: DateTime<Utc>,
    /// Bytes that come free when all before it are gone.
    pub frees: u64,
}

/// How many images stay for one reason.
#[derive(Debug, Serialize, TS)]
pub struct NeededView {
    /// Why.
    pub why: ImageNeed,
    /// How many.
    pub images: usize,
}

/// What a person agreed to.
#[derive(Debug, Deserialize, TS)]
pub struct TidyRequest {
    /// The images that were shown.
    pub images: Vec<ImageId>,
    /// As it was shown.
    pub everything: bool,
}

/// What went.
#[derive(Debug, Serialize, TS)]
pub struct TidiedView {
    /// How many images.
    pub removed: usize,
    /// Bytes that came free.
    pub freed: u64,
    /// What was to go and stayed.
    pub kept: Vec<KeptImageView>,
    /// A build or an update began: the rest stays for now.
    pub broken_off: bool,
}

/// An image that stayed.
#[derive(Debug, Serialize, TS)]
pub struct KeptImageView {
    /// Which.
    pub image: ImageId,
    /// Why.
    pub failure: Failure,
}

/// How much of the build cache stays.
#[derive(Debug, Deserialize, TS)]
pub struct ShrinkRequest {
    /// Gigabytes.
    pub keep_gb: u32,
}

/// What came free.
#[derive(Debug, Serialize, TS)]
pub struct FreedView {
    /// Bytes.
    pub freed: u64,
}

pub(crate) async fn budget(app: &Slipway, _: Nothing) -> Result<DiskBudgetView, Failure> {
    let last = app.last_tidied().await?.map(|last| LastTidiedView {
        at: last.at,
        removed: last.removed,
        freed: last.freed,
        by_person: last.by_person,
    });
    Ok(DiskBudgetView { disk_budget_gb: app.settings().await?.disk_budget_gb, last })
}

pub(crate) async fn save_budget(app: &Slipway, form: BudgetForm) -> Result<Nothing, Failure> {
    app.set_disk_budget(form.disk_budget_gb).await?;
    Ok(Nothing {})
}

pub(crate) async fn usage(app: &Slipway, _: Nothing) -> Result<DiskUseView, Failure> {
    let now = app.disk_use().await?;
    let cache_bytes = match now.cache {
        Ok(bytes) => Some(bytes),
        // Counting a large cache may take longer than a person waits; an engine that is away says so by its images.
        Err(failure) if matches!(failure.code, ErrorCode::EngineLost | ErrorCode::EngineError) => None,
        Err(failure) => return Err(failure),
    };
    Ok(DiskUseView { images: now.images, bytes: now.bytes, cache_bytes })
}

pub(crate) async fn preview(app: &Slipway, request: DiskPreviewRequest) -> Result<DiskPreviewView, Failure> {
    let preview = app.disk_preview(request.everything).await?;
    let remove = preview.remove.into_iter().map(|one| DiskRemovalView {
        image: one.image,
        names: one.names,
        build: one.build,
        made_at: one.made_at,
        frees: one.frees,
    });
    Ok(DiskPreviewView {
        used: preview.used,
        left: preview.left,
        remove: remove.collect(),
        needed: preview.needed.into_iter().map(|(why, images)| NeededView { why, images }).collect(),
        busy: preview.busy,
    })
}

pub(crate) async fn tidy(app: &Slipway, request: TidyRequest) -> Result<TidiedView, Failure> {
    let tidied = app.tidy_disk(&request.images, request.everything).await?;
    Ok(TidiedView {
        removed: tidied.removed,
        freed: tidied.freed,
        kept: tidied.kept.into_iter().map(|(image, failure)| KeptImageView { image, failure }).collect(),
        broken_off: tidied.broken_off,
    })
}

pub(crate) async fn shrink_cache(app: &Slipway, request: ShrinkRequest) -> Result<FreedView, Failure> {
    let freed = app.shrink_build_cache(u64::from(request.keep_gb) * GIGABYTE).await?;
    Ok(FreedView { freed })
}
