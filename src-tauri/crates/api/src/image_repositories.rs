//! Commands on image repositories.

use crate::system::Nothing;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::image_repositories::ImageRepositoryRemoval;
use slipway_core::Failure;
use slipway_core::build::BuildNumber;
use slipway_core::ids::{BuildId, ImageRepositoryId, RegistryId};
use slipway_core::image::ImageRepositorySpec;
use slipway_store::{ImageRepositoryFilter, ImageRepositoryRecord};
use ts_rs::TS;

/// An image repository.
#[derive(Debug, Serialize, TS)]
pub struct ImageRepositoryView {
    /// Its id.
    pub id: ImageRepositoryId,
    /// What was typed.
    pub spec: ImageRepositorySpec,
    /// The number that the next build gets.
    pub next_build_number: BuildNumber,
    /// Why nothing can be pushed there.
    pub read_only_reason: Option<Failure>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// An image repository in the list.
#[derive(Debug, Serialize, TS)]
pub struct ImageRepositoryRow {
    /// The repository.
    pub repository: ImageRepositoryView,
    /// Its rules.
    pub rules: u64,
    /// Its build records.
    pub builds: u64,
    /// Builds that are not over.
    pub active_builds: u64,
    /// The newest build.
    pub last_build: Option<BuildId>,
}

/// A page of the list.
#[derive(Debug, Serialize, TS)]
pub struct ImageRepositoryList {
    /// By name.
    pub items: Vec<ImageRepositoryRow>,
    /// How many fit the filter in all.
    pub total: u64,
}

/// Filters and paging.
#[derive(Debug, Default, Deserialize, TS)]
#[ts(rename = "ListImageRepositories")]
#[serde(default)]
pub struct ListRequest {
    /// In this registry.
    #[ts(optional)]
    pub registry: Option<RegistryId>,
    /// Whose name or summary contains this.
    #[ts(optional, as = "Option<String>")]
    pub search: String,
    /// How many to leave out in front.
    #[ts(optional, as = "Option<u32>")]
    pub offset: u32,
    /// How many at most; 0 means all.
    #[ts(optional, as = "Option<u32>")]
    pub limit: u32,
}

/// Adds one.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AddImageRepository")]
pub struct AddRequest {
    /// What was typed.
    pub spec: ImageRepositorySpec,
}

/// The new one.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "AddedImageRepository")]
pub struct Added {
    /// Its id.
    pub id: ImageRepositoryId,
}

/// Changes one.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "EditImageRepository")]
pub struct EditRequest {
    /// Which.
    pub id: ImageRepositoryId,
    /// What was typed.
    pub spec: ImageRepositorySpec,
}

/// Names one.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichImageRepository")]
pub struct Which {
    /// Which.
    pub id: ImageRepositoryId,
}

/// What deleting one takes with it.
#[derive(Debug, Serialize, TS)]
pub struct ImageRepositoryRemovalView {
    /// Names of the rules.
    pub rules: Vec<String>,
    /// Names of the triggers.
    pub triggers: Vec<String>,
    /// How many build records.
    pub builds: u64,
    /// Builds that are not over; they must be cancelled first.
    pub active: Vec<BuildId>,
}

impl From<ImageRepositoryRecord> for ImageRepositoryView {
    fn from(record: ImageRepositoryRecord) -> Self {
        Self {
            id: record.id,
            spec: record.spec,
            next_build_number: record.next_build_number,
            read_only_reason: record.read_only_reason,
            created_at: record.created_at,
        }
    }
}

pub(crate) async fn list(app: &Slipway, request: ListRequest) -> Result<ImageRepositoryList, Failure> {
    let ListRequest { registry, search, offset, limit } = request;
    let page = app.image_repositories(&ImageRepositoryFilter { registry, search, offset, limit }).await?;
    let items = page.items.into_iter().map(|summary| ImageRepositoryRow {
        repository: summary.record.into(),
        rules: summary.rules,
        builds: summary.builds,
        active_builds: summary.active_builds,
        last_build: summary.last_build,
    });
    Ok(ImageRepositoryList { items: items.collect(), total: page.total })
}

pub(crate) async fn get(app: &Slipway, request: Which) -> Result<ImageRepositoryView, Failure> {
    Ok(app.image_repository(request.id).await?.into())
}

pub(crate) async fn add(app: &Slipway, request: AddRequest) -> Result<Added, Failure> {
    Ok(Added { id: app.add_image_repository(&request.spec).await? })
}

pub(crate) async fn edit(app: &Slipway, request: EditRequest) -> Result<Nothing, Failure> {
    app.edit_image_repository(request.id, &request.spec).await?;
    Ok(Nothing {})
}

pub(crate) async fn removal(app: &Slipway, request: Which) -> Result<ImageRepositoryRemovalView, Failure> {
    let removal = app.image_repository_removal(request.id).await?;
    let ImageRepositoryRemoval { rules, triggers, builds, active } = removal;
    Ok(ImageRepositoryRemovalView { rules, triggers, builds, active })
}

pub(crate) async fn delete(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.delete_image_repository(request.id).await?;
    Ok(Nothing {})
}
