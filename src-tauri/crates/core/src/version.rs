//! Versions: the tags of an image repository, what each holds, and what differs between two (`product.md` section 8).

use crate::Failure;
use crate::build::{BuildKind, BuildNumber};
use crate::code::{CommitDetails, RefName};
use crate::deploy::DeployTarget;
use crate::ids::{BuildId, CodeRepositoryId};
use crate::image::{Digest, ImageId, Platform, Tag};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod search;

pub use search::{FuzzySearch, natural_order};

/// How a list of versions is ordered. What is not known stands last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum VersionSort {
    /// Last moved by Slipway first, then by name.
    #[default]
    Pushed,
    /// By name, runs of digits as numbers.
    Name,
    /// By the creation time written in the image.
    Created,
    /// By size.
    Size,
}

/// How a tag came to hold what it holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum VersionOrigin {
    /// A build of Slipway put it there.
    Built,
    /// It was uploaded by hand through Slipway.
    Uploaded,
    /// It was copied from another tag through Slipway.
    Copied,
    /// Somebody else put it there, or the record is gone.
    Elsewhere,
}

/// The build behind a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionBuild {
    /// Its id.
    pub id: BuildId,
    /// The number that people see.
    pub number: BuildNumber,
    /// Why it exists.
    pub kind: BuildKind,
    /// The rule's name then.
    pub rule_name: Option<String>,
    /// The code that it was built from.
    pub code: Option<CodeRepositoryId>,
    /// The ref.
    pub ref_name: Option<RefName>,
    /// The commit.
    pub commit: Option<CommitDetails>,
}

/// One tag of an image repository. What was not read yet is absent, not wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Version {
    /// The tag.
    pub tag: Tag,
    /// The manifest's digest at the registry; none on *Local engine*.
    pub digest: Option<Digest>,
    /// The engine's id, on *Local engine* ("this engine only").
    pub image: Option<ImageId>,
    /// Bytes: packed layers at a registry (all platforms), the image's size on *Local engine*.
    pub size: Option<u64>,
    /// Its platforms.
    pub platforms: Vec<Platform>,
    /// Creation time written in the image.
    pub created: Option<DateTime<Utc>>,
    /// When Slipway put it there.
    pub pushed_at: Option<DateTime<Utc>>,
    /// How it came there.
    pub origin: VersionOrigin,
    /// The tag or digest that it was copied from.
    pub copied_from: Option<String>,
    /// The build behind it.
    pub build: Option<VersionBuild>,
    /// It holds what the newest build of the repository made.
    pub newest: bool,
    /// The tag is written once by the repository's patterns.
    pub write_once: bool,
    /// The full name.
    pub reference: String,
    /// The command that fetches it by its tag; none on *Local engine*.
    pub pull: Option<String>,
    /// The command that fetches exactly this content.
    pub pull_by_digest: Option<String>,
    /// Why its details could not be read.
    pub failure: Option<Failure>,
}

/// A page of versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionPage {
    /// The rows.
    pub items: Vec<Version>,
    /// Tags that fit the search.
    pub total: u64,
    /// Tags in all.
    pub all: u64,
    /// Rows of this page whose details are still being read; an event says when they are there.
    pub pending: u64,
    /// With a sort by creation time or size: how many of the tags could be sorted so far.
    pub sorted: u64,
    /// When the registry was asked for its tags.
    pub checked_at: DateTime<Utc>,
    /// The versions are in the engine's own store.
    pub local: bool,
}

/// Everything about one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionDetail {
    /// The row.
    pub version: Version,
    /// Media type of the manifest.
    pub media_type: Option<String>,
    /// One image for each platform.
    pub images: Vec<VersionImage>,
    /// Further manifests of an index that are no images (signatures, provenance).
    pub attachments: u64,
    /// Other tags that hold the same, as far as they are known.
    pub known_siblings: Vec<Tag>,
    /// Shortcut commands.
    pub commands: VersionCommands,
}

/// Shortcut commands (快捷指令) with the real names filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionCommands {
    /// `docker login`; the password is asked for.
    pub login: Option<String>,
    /// Fetches it by its tag.
    pub pull: Option<String>,
    /// Fetches exactly this content.
    pub pull_by_digest: Option<String>,
    /// Names a local image for this repository.
    pub tag: String,
    /// Sends it there.
    pub push: Option<String>,
    /// Runs it.
    pub run: String,
}

/// The image for one platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionImage {
    /// Its platform; none when the image does not say.
    pub platform: Option<Platform>,
    /// Digest of its own manifest.
    pub digest: Option<Digest>,
    /// Digest of its configuration: the image id on engines with graph drivers.
    pub config_digest: Option<Digest>,
    /// Bytes of its layers and configuration.
    pub size: u64,
    /// Creation time written in the image.
    pub created: Option<DateTime<Utc>>,
    /// Who made it, as written in the image.
    pub author: Option<String>,
    /// Instructions and layers, from the bottom up.
    pub layers: Vec<VersionLayer>,
    /// The instructions do not fit the layers; they stand apart.
    pub unaligned: bool,
    /// What a container starts with.
    pub config: VersionConfig,
}

/// An instruction and the layer that it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionLayer {
    /// The layer's digest (a diff id on *Local engine*); none for an instruction that made no layer.
    pub digest: Option<String>,
    /// Bytes; 0 without a layer.
    pub size: u64,
    /// What made it; none where the image does not say.
    pub instruction: Option<String>,
    /// When.
    pub created: Option<DateTime<Utc>>,
}

/// What a container of an image starts with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionConfig {
    /// Entry point.
    pub entrypoint: Vec<String>,
    /// Command.
    pub cmd: Vec<String>,
    /// Environment, `NAME=value`, in order.
    pub env: Vec<String>,
    /// Exposed ports.
    pub ports: Vec<String>,
    /// Volumes.
    pub volumes: Vec<String>,
    /// User.
    pub user: String,
    /// Working directory.
    pub workdir: String,
    /// Stop signal.
    pub stop_signal: String,
    /// Command of the health check.
    pub healthcheck: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// What would be removed, before a person confirms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionRemoval {
    /// One entry for each manifest (registry) or tag (*Local engine*).
    pub groups: Vec<VersionRemovalGroup>,
    /// Every tag that goes: name exactly these when you confirm.
    pub tags: Vec<Tag>,
    /// Asked-for tags that do not exist any more.
    pub missing: Vec<Tag>,
}

/// Tags that go together, because they hold the same manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionRemovalGroup {
    /// The manifest; none on *Local engine*.
    pub digest: Option<Digest>,
    /// The image; on *Local engine*.
    pub image: Option<ImageId>,
    /// All tags on it that go.
    pub tags: Vec<Tag>,
    /// Those of them that were not asked for.
    pub siblings: Vec<Tag>,
    /// Builds that made it.
    pub builds: Vec<VersionBuild>,
    /// Running containers that were made from it: it cannot be removed while there are any.
    pub containers: Vec<ContainerUse>,
    /// Targets of triggers that need it: it can be removed all the same, but then they cannot get it any more.
    pub needed: Vec<DeployNeed>,
}

/// A target that needs an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DeployNeed {
    /// Which target.
    pub target: DeployTarget,
    /// What for.
    pub why: DeployNeedKind,
}

/// What a target needs an image for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum DeployNeedKind {
    /// An update to it waits or runs.
    Update,
    /// The last update brought it: the target runs it, and gets it again when it moves.
    Runs,
    /// The target can be rolled back to it.
    RollBack,
}

/// A container that uses an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ContainerUse {
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image as it was named when the container was made.
    pub image: String,
}

/// What differs between two versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct VersionComparison {
    /// The first.
    pub a: Version,
    /// The second.
    pub b: Version,
    /// The platform that was compared; none when an image does not say.
    pub platform: Option<Platform>,
    /// Platforms that only one of them has.
    pub other_platforms: Vec<Platform>,
    /// Layers in order: shared ones, then those of the first only, then those of the second only.
    pub layers: Vec<ComparedLayer>,
    /// Differences of the configuration.
    pub config: Vec<ConfigDifference>,
    /// Size of the second minus that of the first, in bytes.
    pub size_difference: i64,
    /// The commits between them, when both were built from the same code.
    pub commits: Option<CommitsBetween>,
    /// Why the commits could not be read.
    pub commits_failure: Option<Failure>,
}

/// Where a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LayerDifference {
    /// In both.
    Shared,
    /// In the first only.
    Removed,
    /// In the second only.
    Added,
}

/// A layer of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ComparedLayer {
    /// Where it is.
    pub difference: LayerDifference,
    /// The layer.
    pub layer: VersionLayer,
}

/// One difference of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ConfigDifference {
    /// Which part.
    pub field: ConfigField,
    /// Name inside it (a variable, a label); none for parts that are one value.
    pub name: Option<String>,
    /// What the first has.
    pub a: Option<String>,
    /// What the second has.
    pub b: Option<String>,
}

/// Parts of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ConfigField {
    /// Entry point.
    Entrypoint,
    /// Command.
    Cmd,
    /// A variable of the environment.
    Env,
    /// An exposed port.
    Port,
    /// A volume.
    Volume,
    /// User.
    User,
    /// Working directory.
    Workdir,
    /// Stop signal.
    StopSignal,
    /// Health check.
    Healthcheck,
    /// A label.
    Label,
}

/// Commits that lie between two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CommitsBetween {
    /// In the second and not in the first, newest first, at most as many as were asked for.
    pub added: Vec<CommitDetails>,
    /// How many of these there are.
    pub added_total: u64,
    /// In the first and not in the second: the code went back, or its history was rewritten.
    pub removed: Vec<CommitDetails>,
    /// How many of these there are.
    pub removed_total: u64,
}
