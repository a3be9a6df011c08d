//! Checkout: the commit into the mirror, paths resolved, tags rendered once, and nothing built that could not be published.

use super::Run;
use crate::fail_point::fail_point;
use slipway_core::build::{BuildKind, BuildReason, Stage, Upload};
use slipway_core::code::{CommitDetails, RefKind, RepoPath, TreeEntryKind};
use slipway_core::decide::{PublishDecision, may_publish};
use slipway_core::dockerfile_path::near_misses;
use slipway_core::ids::ObservationId;
use slipway_core::image::{ImageReference, Platform, Tag};
use slipway_core::naming::{TagContext, render_tags};
use slipway_core::ports::ContextTree;
use slipway_core::rule::Strategy;
use slipway_core::{ErrorCode, Failure};
use slipway_store::BuildRecord;
use std::sync::Arc;

/// Larger than any Dockerfile that a person writes.
const DOCKERFILE_BYTES: u64 = 1024 * 1024;

/// How a checkout ended.
pub(super) enum Checkout {
    /// The build can begin.
    Ready(Box<Ready>),
    /// Later pushes have moved every tag already.
    Covered(BuildReason),
}

/// What the build stage needs.
pub(super) struct Ready {
    pub(super) context: Arc<dyn ContextTree>,
    pub(super) dockerfile: bytes::Bytes,
    pub(super) ignore_file: Option<bytes::Bytes>,
    /// None for what was uploaded.
    pub(super) commit: Option<CommitDetails>,
    pub(super) platforms: Vec<Platform>,
    pub(super) tags: Vec<Tag>,
}

impl Run<'_> {
    pub(super) async fn checkout(&self, record: &BuildRecord) -> Result<Checkout, Failure> {
        let inputs = &record.inputs;
        if let Some(Upload::Dockerfile { folder, .. }) = &inputs.upload {
            return self.checkout_upload(record, folder).await;
        }
        let (Some(code), Some(commit)) = (inputs.code, &inputs.commit) else {
            return Err(Failure::new(ErrorCode::NotFound, "the code repository of this build was removed"));
        };
        let access = self.parts.code_access(code).await?;
        let store = &self.parts.ports.code;
        store.fetch_commit(code, &access, commit, self.cancel).await?;
        fail_point("checkout.fetched");
        let details = store.commit(code, commit).await?;
        self.parts.store.set_commit(self.id, &details).await?;
        self.say(Stage::Checkout, &format!("commit {} {}", details.id, details.summary))?;

        let tags = self.tags(record, Some(&details)).await?;
        fail_point("checkout.tags");
        if let Some(reason) = self.check_tags(record, &tags).await? {
            return Ok(Checkout::Covered(reason));
        }
        let path = &inputs.dockerfile_path;
        let read = store.read_file(code, &details.id, path, DOCKERFILE_BYTES).await;
        let Some(dockerfile) = read.map_err(|failure| path_at(failure, "spec.dockerfile_path"))? else {
            return Err(self.dockerfile_missing(record, &details).await);
        };
        let ignore_path = path.parent().join(&format!("{}.dockerignore", path.file_name()));
        let ignore_file = store.read_file(code, &details.id, &ignore_path, DOCKERFILE_BYTES).await?;
        let opened = store.open_context(code, &access, &details.id, &inputs.context_dir, self.cancel).await;
        let context = opened.map_err(|failure| path_at(failure, "spec.context_dir"))?;
        let platforms = self.platforms(record).await?;
        fail_point("checkout.ready");
        let names = tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ");
        self.say(Stage::Checkout, &format!("dockerfile {path}, context {}, tags {names}", inputs.context_dir))?;
        Ok(Checkout::Ready(Box::new(Ready {
            context,
            dockerfile,
            ignore_file,
            commit: Some(details),
            platforms,
            tags,
        })))
    }

    /// Returns the tags of the build, the overwrite tag last. They are rendered by the first attempt and kept.
    pub(super) async fn tags(&self, record: &BuildRecord, commit: Option<&CommitDetails>) -> Result<Vec<Tag>, Failure> {
        if let Some(tags) = &record.tags {
            return Ok(tags.clone());
        }
        let inputs = &record.inputs;
        let started_at = record.started_at.unwrap_or_else(|| self.parts.now());
        let mut tags = if inputs.fixed_tags.is_empty() {
            let context = TagContext {
                ref_name: inputs.ref_name.as_ref(),
                commit: commit.map(|commit| &commit.id),
                number: record.number,
                started_at,
                offset_seconds: self.parts.ports.clock.local_offset_seconds(started_at),
                groups: &inputs.groups,
            };
            render_tags(&inputs.version, &context)?
        } else {
            inputs.fixed_tags.clone()
        };
        if let Some(overwrite) = &inputs.overwrite_tag
            && !tags.contains(overwrite)
        {
            tags.push(overwrite.clone());
        }
        Ok(self.parts.store.set_tags(self.id, &tags).await?)
    }

    /// Looks whether the tags may be published at all, before minutes go into a build.
    pub(super) async fn check_tags(&self, record: &BuildRecord, tags: &[Tag]) -> Result<Option<BuildReason>, Failure> {
        let (_, access) = self.parts.repository_access(&self.repository).await?;
        for tag in tags {
            if !is_write_once(&self.repository.spec.write_once, tag)? {
                continue;
            }
            let exists = match &access {
                Some(access) => {
                    self.parts.ports.registries.head(access, &self.repository.spec.name, tag.as_str()).await?.is_some()
                }
                None => self.engine.image(&self.target(None, tag)?.to_string()).await?.is_some(),
            };
            if exists {
                return Err(immutable(tag));
            }
        }
        // Tags, every push and what a person asked for are built whatever came later; only their tags stay where they are.
        let is_branch = record.ref_name.as_ref().is_some_and(|name| name.kind() == RefKind::Branch);
        if record.kind != BuildKind::Push || !is_branch || record.inputs.strategy == Strategy::EveryPush {
            return Ok(None);
        }
        let mut covered_by = None;
        for tag in tags {
            if self.newer(record, tag).await?.is_none() {
                return Ok(None);
            }
            covered_by = self.parts.store.last_move(self.repository.id, tag).await?.and_then(|moved| moved.build);
        }
        Ok(covered_by.map(|build| BuildReason::SupersededBy { build }))
    }

    /// Returns the observation that keeps this build from moving a tag, when one does.
    pub(super) async fn newer(&self, record: &BuildRecord, tag: &Tag) -> Result<Option<ObservationId>, Failure> {
        let moved_by = self.parts.store.newest_observation_of_tag(self.repository.id, tag).await?;
        // What a person asked for without a ref's head is an explicit wish about exactly these tags.
        let explicit = record.kind != BuildKind::Push && record.inputs.observation.is_none();
        Ok(match may_publish(moved_by, record.inputs.observation, explicit) {
            PublishDecision::Publish => None,
            PublishDecision::KeptNewer => moved_by,
        })
    }

    /// Returns the full name of a tag; without a host it is one of the engine's own store.
    pub(super) fn target(&self, host: Option<&str>, tag: &Tag) -> Result<ImageReference, Failure> {
        let name = &self.repository.spec.name;
        match host {
            Some(host) => ImageReference::parse(&format!("{host}/{name}:{tag}")),
            None => ImageReference::parse(&format!("docker.io/{name}:{tag}")),
        }
    }

    async fn dockerfile_missing(&self, record: &BuildRecord, commit: &CommitDetails) -> Failure {
        let path = &record.inputs.dockerfile_path;
        let failure =
            Failure::new(ErrorCode::DockerfileMissing, format!("there is no {path} in {}", commit.id.short()))
                .at("spec.dockerfile_path")
                .with("path", path.as_str());
        let Some(code) = record.inputs.code else { return failure };
        match self.parts.ports.code.list_folder(code, &commit.id, &path.parent()).await {
            Ok(entries) => with_suggestions(failure, path, &entries),
            Err(_) => failure,
        }
    }

    /// The rule's platforms, else that of the repository's newest tag, else the engine's own (empty).
    pub(super) async fn platforms(&self, record: &BuildRecord) -> Result<Vec<Platform>, Failure> {
        if !record.inputs.options.platforms.is_empty() {
            return Ok(record.inputs.options.platforms.clone());
        }
        let newest = match self.parts.newest_platforms(&self.repository, self.engine.as_ref()).await {
            Ok(newest) => newest,
            Err(failure) => {
                let text = format!(
                    "warning: the newest tag's platform is unknown, the engine's own is used: {}",
                    failure.message
                );
                self.say(Stage::Checkout, &text)?;
                return Ok(Vec::new());
            }
        };
        if newest.len() < 2 {
            return Ok(newest);
        }
        let info = self.engine.info().await?;
        if info.containerd_store {
            return Ok(newest);
        }
        // Such an engine keeps one platform of an image.
        let one = if newest.contains(&info.platform) { info.platform } else { newest[0].clone() };
        let text = format!("warning: the newest tag has {} platforms, this engine builds {one} only", newest.len());
        self.say(Stage::Checkout, &text)?;
        Ok(vec![one])
    }
}

/// Names the rule's field when its path is at fault.
fn path_at(failure: Failure, field: &str) -> Failure {
    let by_path = matches!(failure.code, ErrorCode::BadRepositoryPath | ErrorCode::ContextMissing);
    if by_path && failure.field.is_none() { failure.at(field) } else { failure }
}

/// Adds files that may have been meant.
pub(crate) fn with_suggestions(
    failure: Failure,
    path: &RepoPath,
    entries: &[slipway_core::code::TreeEntry],
) -> Failure {
    let files: Vec<_> = entries
        .iter()
        .filter(|entry| matches!(entry.kind, TreeEntryKind::File | TreeEntryKind::Executable))
        .cloned()
        .collect();
    let folder = path.parent();
    let names: Vec<String> =
        near_misses(path.file_name(), &files).into_iter().map(|name| folder.join(name).as_str().to_owned()).collect();
    if names.is_empty() { failure } else { failure.with("suggestions", names.join("\n")) }
}

/// Returns whether a tag is written once by the repository's patterns, which cover the whole tag.
pub(crate) fn is_write_once(patterns: &[String], tag: &Tag) -> Result<bool, Failure> {
    for pattern in patterns {
        let whole = slipway_core::matching::compile_regex(&format!("^(?:{pattern})$"), "write_once")?;
        if whole.is_match(tag.as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn immutable(tag: &Tag) -> Failure {
    Failure::new(ErrorCode::TagImmutable, format!("the tag {tag} is written once and exists already"))
        .with("tag", tag.as_str())
}
