//! Commands on versions and namespaces.

use crate::system::Nothing;
use serde::{Deserialize, Serialize};
use slipway_app::versions::VersionQuery;
use slipway_app::{CopyTag, Slipway};
use slipway_core::ids::{CredentialId, ImageRepositoryId, RegistryId};
use slipway_core::image::{Digest, Platform, Tag};
use slipway_core::namespace::NamespaceList;
use slipway_core::version::{VersionComparison, VersionDetail, VersionPage, VersionRemoval, VersionSort};
use slipway_core::{ErrorCode, Failure};
use ts_rs::TS;

/// Which versions.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListVersions")]
pub struct ListRequest {
    /// Of this image repository.
    pub repository: ImageRepositoryId,
    /// Fuzzy search over the tags.
    #[serde(default)]
    #[ts(optional, as = "Option<String>")]
    pub search: String,
    /// Order; newest or greatest first.
    #[serde(default)]
    #[ts(optional, as = "Option<VersionSort>")]
    pub sort: VersionSort,
    /// The other way round.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub ascending: bool,
    /// Rows before the page.
    #[serde(default)]
    #[ts(optional, as = "Option<u32>")]
    pub offset: u32,
    /// Rows of the page, 1–200; 50 when left out.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
    /// Ask the registry now, whatever is remembered.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub refresh: bool,
}

/// Names a version.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichVersion")]
pub struct GetRequest {
    /// Which image repository.
    pub repository: ImageRepositoryId,
    /// A tag or a digest.
    pub reference: String,
}

/// The exact text of a manifest.
#[derive(Debug, Serialize, TS)]
pub struct ManifestText {
    /// JSON, as the registry stores it.
    pub text: String,
}

/// Compares two versions.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "CompareVersions")]
pub struct CompareRequest {
    /// Which image repository.
    pub repository: ImageRepositoryId,
    /// A tag or a digest.
    pub a: String,
    /// A tag or a digest.
    pub b: String,
    /// For this platform; the first that both have when left out.
    #[serde(default)]
    #[ts(optional)]
    pub platform: Option<Platform>,
}

/// Names tags.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "VersionTags")]
pub struct TagsRequest {
    /// Which image repository.
    pub repository: ImageRepositoryId,
    /// Which tags; to delete: every tag that goes.
    pub tags: Vec<Tag>,
}

/// Copies a version.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "CopyVersion")]
pub struct CopyRequest {
    /// From this image repository.
    pub repository: ImageRepositoryId,
    /// A tag or a digest.
    pub from: String,
    /// Under this tag.
    pub to: Tag,
    /// Into this image repository of the same registry; the same one when left out.
    #[serde(default)]
    #[ts(optional)]
    pub into: Option<ImageRepositoryId>,
    /// Replace what the tag holds now.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub overwrite: bool,
}

/// What was copied.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "CopiedVersion")]
pub struct Copied {
    /// The manifest; none on *Local engine*.
    pub digest: Option<Digest>,
    /// False when the tag held exactly this already.
    pub changed: bool,
}

/// Which registry.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListNamespaces")]
pub struct NamespacesRequest {
    /// Which.
    pub registry: RegistryId,
    /// With this credential; anonymous when left out.
    #[serde(default)]
    #[ts(optional)]
    pub credential: Option<CredentialId>,
}

/// A namespace to make.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "CreateNamespace")]
pub struct CreateNamespaceRequest {
    /// At this registry.
    pub registry: RegistryId,
    /// With this credential.
    #[serde(default)]
    #[ts(optional)]
    pub credential: Option<CredentialId>,
    /// Its name.
    pub name: String,
    /// Everybody may read in it; else its members only.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub public: bool,
}

pub(crate) async fn list(app: &Slipway, request: ListRequest) -> Result<VersionPage, Failure> {
    let limit = request.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Failure::new(ErrorCode::InvalidField, "a page has 1 to 200 versions").at("limit"));
    }
    let query = VersionQuery {
        search: request.search,
        sort: request.sort,
        ascending: request.ascending,
        offset: request.offset as usize,
        limit: limit as usize,
        refresh: request.refresh,
    };
    app.versions(request.repository, &query).await
}

pub(crate) async fn get(app: &Slipway, request: GetRequest) -> Result<VersionDetail, Failure> {
    app.version(request.repository, &request.reference).await
}

pub(crate) async fn manifest(app: &Slipway, request: GetRequest) -> Result<ManifestText, Failure> {
    Ok(ManifestText { text: app.manifest_text(request.repository, &request.reference).await? })
}

pub(crate) async fn compare(app: &Slipway, request: CompareRequest) -> Result<VersionComparison, Failure> {
    app.compare_versions(request.repository, &request.a, &request.b, request.platform.as_ref()).await
}

pub(crate) async fn removal(app: &Slipway, request: TagsRequest) -> Result<VersionRemoval, Failure> {
    app.version_removal(request.repository, &request.tags).await
}

pub(crate) async fn delete(app: &Slipway, request: TagsRequest) -> Result<Nothing, Failure> {
    app.delete_versions(request.repository, &request.tags).await?;
    Ok(Nothing {})
}

pub(crate) async fn copy(app: &Slipway, request: CopyRequest) -> Result<Copied, Failure> {
    let copy = CopyTag {
        repository: request.repository,
        from: request.from,
        into: request.into,
        to: request.to,
        overwrite: request.overwrite,
    };
    let copied = app.copy_tag(&copy).await?;
    Ok(Copied { digest: copied.digest, changed: copied.changed })
}

pub(crate) async fn namespaces(app: &Slipway, request: NamespacesRequest) -> Result<NamespaceList, Failure> {
    app.namespaces(request.registry, request.credential).await
}

pub(crate) async fn create_namespace(app: &Slipway, request: CreateNamespaceRequest) -> Result<Nothing, Failure> {
    app.create_namespace(request.registry, request.credential, request.name.trim(), request.public).await?;
    Ok(Nothing {})
}
