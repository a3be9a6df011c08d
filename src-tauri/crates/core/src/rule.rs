//! Build rules: which pushes build what, and how the image is named (`product.md` section 4).

use crate::code::{RefName, RepoPath};
use crate::ids::{CodeRepositoryId, SecretId};
use crate::image::Platform;
use serde::{Deserialize, Serialize};

/// Everything that a person says in the rule editor. Stored as JSON; a field added later needs a serde default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RuleSpec {
    /// The rule's name, unique within its image repository, 1–64 characters.
    pub name: String,
    /// Which code.
    pub code: CodeRepositoryId,
    /// Which pushes.
    #[serde(default)]
    pub triggers: PushTriggers,
    /// Path filters over the changed files.
    #[serde(default)]
    pub paths: PathFilters,
    /// Honour `[skip ci]`, `[ci skip]`, `[skip build]` in the commit message.
    #[serde(default = "yes")]
    pub skip_words: bool,
    /// The Dockerfile, relative to the repository root.
    #[serde(default = "default_dockerfile")]
    pub dockerfile_path: RepoPath,
    /// The build directory, relative to the repository root.
    #[serde(default)]
    pub context_dir: RepoPath,
    /// How the image is tagged.
    pub version: VersionRule,
    /// The fixed tag that is moved on success (覆盖镜像版本), such as `latest`.
    #[serde(default)]
    pub overwrite_tag: Option<crate::image::Tag>,
    /// How it is built.
    #[serde(default)]
    pub options: BuildOptions,
    /// What happens when pushes come faster than builds.
    #[serde(default)]
    pub strategy: Strategy,
    /// Off: pushes are ignored and count as seen; "Build now" still works (自动触发).
    #[serde(default = "yes")]
    pub auto_trigger: bool,
    /// Tell the code host how each build of a commit stands. Works for code of an account; ignored for other code.
    #[serde(default)]
    pub report_status: bool,
}

fn yes() -> bool {
    true
}

fn default_dockerfile() -> RepoPath {
    RepoPath::root().join("Dockerfile")
}

/// Which pushes start a build; several may be ticked, none means by hand only (触发规则).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct PushTriggers {
    /// Push to one of these branches (推送到指定分支触发), short names.
    pub branches: Vec<String>,
    /// Push to any branch (推送到分支时触发构建).
    pub any_branch: bool,
    /// A new tag, or a tag that was moved (推送新标签时触发构建).
    pub new_tag: bool,
    /// The full or the short ref name matches this regular expression, not anchored (符合分支或标签规则时构建).
    pub pattern: Option<String>,
}

/// Globs over the files that changed since the last commit that this rule built on the ref. Exclude is applied first;
/// a push builds when at least one remaining file matches an include (or there are no includes).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct PathFilters {
    /// Globs of which one must match.
    pub include: Vec<String>,
    /// Globs of files that do not count.
    pub exclude: Vec<String>,
}

/// How the image is tagged (版本规则).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VersionRule {
    /// The original's ticks: `prefix-branch-time-commit`, joined by `-`.
    Parts {
        /// Literal text in front.
        #[serde(default)]
        prefix: String,
        /// Branch or tag name.
        #[serde(default)]
        ref_name: bool,
        /// Update time, `YYYYMMDDHHmmss` in the machine's zone.
        #[serde(default)]
        update_time: bool,
        /// Commit, 7 digits.
        #[serde(default)]
        commit: bool,
    },
    /// Templates such as `{branch}-{short_sha}`; one tag each.
    Templates {
        /// At least one.
        templates: Vec<String>,
    },
}

/// How the image is built.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct BuildOptions {
    /// Platforms; empty means the default of `product.md` section 4.
    pub platforms: Vec<Platform>,
    /// Build arguments in order. Visible in the parameters: never a place for secrets.
    pub args: Vec<NameValue>,
    /// Secrets: mounted as `--mount=type=secret,id=…`, never arguments.
    pub secrets: Vec<RuleSecret>,
    /// Target stage.
    pub target: Option<String>,
    /// The user's own labels.
    pub labels: Vec<NameValue>,
    /// Leave out Slipway's `org.opencontainers.image.*` labels.
    pub no_standard_labels: bool,
    /// Do not use the cache.
    pub no_cache: bool,
    /// Ask for base images anew.
    pub always_pull: bool,
    /// Network of RUN steps.
    pub network: BuildNetwork,
    /// Deadline of the build stage in seconds; `None` is one hour.
    pub timeout_seconds: Option<u32>,
    /// Which engine builds: `local`, or `context:<name>` of a Docker context.
    pub engine: Option<String>,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NameValue {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A secret that a build mounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RuleSecret {
    /// The id that the Dockerfile names.
    pub id: String,
    /// The sealed value.
    pub secret: SecretId,
}

/// The network that RUN steps see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BuildNetwork {
    /// The engine's default bridge.
    #[default]
    Default,
    /// None.
    None,
    /// The engine host's.
    Host,
}

/// What happens when pushes come faster than builds. Tag builds are never superseded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// A queued build of the same ref is superseded by a newer one.
    #[default]
    NewestPerRef,
    /// Every push that was observed is built.
    EveryPush,
}

/// What "Build now" was asked to build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BuildTarget {
    /// The head of a branch or a tag.
    Ref {
        /// Which.
        name: RefName,
    },
    /// A commit: full or abbreviated id, as typed.
    Commit {
        /// At least four hex digits.
        id: String,
    },
}

/// Values that replace the rule's for one build ("run again with changes", "build now" with overrides).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct BuildOverrides {
    /// Fixed tags instead of the rule's templates.
    pub tags: Option<Vec<crate::image::Tag>>,
    /// Another Dockerfile.
    pub dockerfile_path: Option<RepoPath>,
    /// Another build directory.
    pub context_dir: Option<RepoPath>,
    /// Other options; the rule's are replaced as a whole.
    pub options: Option<BuildOptions>,
    /// Move the overwrite tag too; the default is yes for the newest commit of the ref, no for an older one.
    pub overwrite: Option<bool>,
}
