//! Use cases on builds: build now, run again, cancel, delete, lists, details.

use crate::dockerfile_builds::read_dockerfile;
use crate::fail_point::fail_point;
use crate::queue::QueuedBuild;
use crate::rules::groups;
use crate::uploads::on_worker;
use crate::watch::inputs_of;
use crate::{AppEvent, Slipway, commit_reports};
use slipway_core::build::{BuildInputs, BuildKind, BuildOrder, BuildState, StageRecord, Upload};
use slipway_core::code::{CommitDetails, CommitId, RefName, RepoPath};
use slipway_core::decide::overwrite_default;
use slipway_core::host::ReportStanding;
use slipway_core::ids::{BuildId, ImageRepositoryId, ObservationId, RuleId};
use slipway_core::log::PushProgress;
use slipway_core::rule::{BuildOverrides, BuildTarget};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{BuildFilter, BuildPage, BuildRecord, NewBuild, PublicationRecord, StepRecord};

/// Larger than any Dockerfile that a person writes.
const DOCKERFILE_BYTES: u64 = 1024 * 1024;

/// Everything about one build but its log.
#[derive(Debug, Clone)]
pub struct BuildDetail {
    /// The row.
    pub build: BuildRecord,
    /// Its stages in order.
    pub stages: Vec<StageRecord>,
    /// Its steps in order; their ordinals are those of the log's lines.
    pub steps: Vec<StepRecord>,
    /// Its tags.
    pub publications: Vec<PublicationRecord>,
    /// How far the layers of a running push are.
    pub push_progress: Vec<PushProgress>,
    /// Where telling the code host stands; none when nobody asked for it.
    pub report: Option<ReportStanding>,
}

/// The Dockerfile that a build used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltDockerfile {
    /// Where it is in the repository.
    pub path: RepoPath,
    /// In which commit; none when it was uploaded.
    pub commit: Option<CommitId>,
    /// Its text; bytes that are no UTF-8 are replaced.
    pub text: String,
    /// First and last line that the build failed at, 1-based.
    pub failing: Option<(u32, u32)>,
}

impl Slipway {
    /// Builds a rule now: the head of a ref, or a commit.
    ///
    /// # Errors
    /// [`ErrorCode::RefNotFound`], [`ErrorCode::ReadOnlyRepository`], [`ErrorCode::InvalidField`] in the overrides, or what
    /// the code host answers.
    pub async fn build_now(
        &self,
        rule: RuleId,
        target: &BuildTarget,
        overrides: &BuildOverrides,
    ) -> Result<BuildId, Failure> {
        let rule = self.parts.store.rule(rule).await?;
        if rule.deleted_at.is_some() {
            return Err(Failure::new(ErrorCode::NotFound, "the rule was deleted"));
        }
        self.writable_repository(rule.repository).await?;
        let (ref_name, commit, observation) = match target {
            BuildTarget::Ref { name } => {
                let (name, commit) = self.parts.head(rule.spec.code, Some(name.clone())).await?;
                let details = self.parts.ports.code.commit(rule.spec.code, &commit).await?;
                let observation = self.observation_of_head(&rule.spec.code, &name, &details).await?;
                (Some(name), details, observation)
            }
            BuildTarget::Commit { id } => (None, self.find_commit(rule.spec.code, id).await?, None),
        };
        let groups = ref_name.as_ref().map(|name| groups(&rule.spec, name)).transpose()?.unwrap_or_default();
        // The head of a ref is the newest commit by its name; a bare commit is older until proven otherwise.
        let head = ref_name.as_ref().map(|_| &commit.id);
        let overwrite = overwrite_default(BuildKind::Manual, overrides.overwrite, Some(&commit.id), head);
        let inputs = BuildInputs { observation, groups, ..inputs_of(&rule, ref_name, &commit) };
        let inputs = apply(inputs, overrides, overwrite)?;
        self.create(rule.repository, BuildKind::Manual, inputs, Some(commit), None).await
    }

    /// Runs a build again with the same inputs. Tags that a later push has moved stay there.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] while it is not over; [`ErrorCode::NotFound`] when its code was removed;
    /// [`ErrorCode::ReadOnlyRepository`].
    pub async fn rerun(&self, id: BuildId) -> Result<BuildId, Failure> {
        self.rerun_with(id, &BuildOverrides::default()).await
    }

    /// Runs a build again with changes.
    ///
    /// # Errors
    /// As [`Slipway::rerun`]; [`ErrorCode::InvalidField`] in the overrides.
    pub async fn rerun_with(&self, id: BuildId, overrides: &BuildOverrides) -> Result<BuildId, Failure> {
        let build = self.parts.store.build(id).await?;
        if !build.state.is_final() {
            return Err(Failure::new(ErrorCode::WrongState, "the build is not over yet"));
        }
        if build.inputs.code.is_some() && build.code.is_none() {
            return Err(Failure::new(ErrorCode::NotFound, "the code repository of this build was removed"));
        }
        self.writable_repository(build.repository).await?;
        let had_overwrite = build.inputs.overwrite_tag.is_some();
        let mut inputs = build.inputs.clone();
        if overrides.overwrite == Some(true) {
            // The person asks for these tags to be moved back: an explicit wish, which no observation outweighs.
            inputs.observation = None;
            if let (None, Some(rule)) = (&inputs.overwrite_tag, build.rule) {
                inputs.overwrite_tag = self.parts.store.rule(rule).await?.spec.overwrite_tag;
            }
        }
        let overwrite = overrides.overwrite.unwrap_or(had_overwrite);
        let inputs = apply(inputs, overrides, overwrite)?;
        self.create(build.repository, BuildKind::Rerun, inputs, build.commit, Some(id)).await
    }

    /// Cancels a build: a waiting one at once, a running one as soon as its worker has stopped. Again does nothing more.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn cancel_build(&self, id: BuildId) -> Result<BuildState, Failure> {
        let state = self.parts.store.request_cancel(id, self.parts.now()).await?;
        fail_point("cancel.asked");
        self.queue.stop_worker(id);
        let build = self.parts.store.build(id).await?;
        self.parts.announce(AppEvent::BuildChanged { build: id, repository: build.repository });
        self.parts.announce(AppEvent::QueueChanged);
        Ok(state)
    }

    /// Removes the record and the log of a build that is over.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] while it is not over, or while its code host shows it as pending and cannot be told its end.
    pub async fn delete_build(&self, id: BuildId) -> Result<(), Failure> {
        let build = self.parts.store.build(id).await?;
        commit_reports::before_deletion(&self.parts, id).await?;
        self.parts.store.delete_record(id).await?;
        fail_point("record.deleted");
        self.parts.logs.remove(id);
        fail_point("record.log_removed");
        self.parts.tidy_uploads().await;
        self.parts.announce(AppEvent::BuildChanged { build: id, repository: build.repository });
        Ok(())
    }

    /// Returns a page of builds, newest first.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn builds(
        &self,
        filter: &BuildFilter,
        before: Option<BuildId>,
        limit: u32,
    ) -> Result<BuildPage, Failure> {
        Ok(self.parts.store.list_builds(filter, before, limit).await?)
    }

    /// Returns a page of builds sorted by a column, those after `after` in this order.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] when `after` was removed; a failure of the store.
    pub async fn sorted_builds(
        &self,
        filter: &BuildFilter,
        order: BuildOrder,
        after: Option<BuildId>,
        limit: u32,
    ) -> Result<BuildPage, Failure> {
        Ok(self.parts.store.sorted_builds(filter, order, after, limit).await?)
    }

    /// Returns everything about a build.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn build_detail(&self, id: BuildId) -> Result<BuildDetail, Failure> {
        let store = &self.parts.store;
        Ok(BuildDetail {
            build: store.build(id).await?,
            stages: store.stages(id).await?,
            steps: store.steps(id).await?,
            publications: store.publications(id).await?,
            push_progress: self.queue.push_progress(id),
            report: store.report_standing(id).await?,
        })
    }

    /// Returns the Dockerfile of a build as it was built: from the mirror, at the build's commit, or as it was uploaded.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] when the build has no code (any more), or what was uploaded is gone; [`ErrorCode::RefNotFound`] when the mirror has lost the
    /// commit; [`ErrorCode::DockerfileMissing`] when the commit has none at this path.
    pub async fn dockerfile_of_build(&self, id: BuildId) -> Result<BuiltDockerfile, Failure> {
        let build = self.parts.store.build(id).await?;
        let path = build.inputs.dockerfile_path;
        let (bytes, commit) = if let Some(Upload::Dockerfile { folder, .. }) = &build.inputs.upload {
            let place = self.parts.uploads.folder(folder);
            (on_worker(move || read_dockerfile(&place)).await?, None)
        } else {
            let (Some(code), Some(commit)) = (build.code, build.commit_id) else {
                return Err(
                    Failure::new(ErrorCode::NotFound, "the code of this build was removed").with("what", "code")
                );
            };
            let bytes = self.parts.ports.code.read_file(code, &commit, &path, DOCKERFILE_BYTES).await?;
            let missing = || {
                Failure::new(ErrorCode::DockerfileMissing, format!("{path} is not in commit {commit}"))
                    .with("path", path.as_str())
            };
            (bytes.ok_or_else(missing)?, Some(commit))
        };
        let mut failing = build.failure.as_ref().and_then(Failure::dockerfile_lines);
        if failing.is_none() && build.state == BuildState::Failed {
            let steps = self.parts.store.steps(id).await?;
            failing = steps.into_iter().filter(|one| one.update.error.is_some()).find_map(|one| one.update.lines);
        }
        Ok(BuiltDockerfile { path, commit, text: String::from_utf8_lossy(&bytes).into_owned(), failing })
    }

    /// Returns everything unfinished with the reason why it waits.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn queue(&self) -> Result<Vec<QueuedBuild>, Failure> {
        self.queue.view().await
    }

    pub(crate) async fn create(
        &self,
        repository: ImageRepositoryId,
        kind: BuildKind,
        inputs: BuildInputs,
        commit: Option<CommitDetails>,
        rerun_of: Option<BuildId>,
    ) -> Result<BuildId, Failure> {
        let new = NewBuild {
            repository,
            kind,
            state: BuildState::Queued,
            reason: None,
            failure: None,
            inputs,
            commit,
            rerun_of,
        };
        let created = self.parts.store.create_build(&new, self.parts.now()).await?;
        self.parts.announce(AppEvent::BuildChanged { build: created.id, repository });
        self.parts.announce(AppEvent::QueueChanged);
        self.parts.queue_wake.notify_one();
        Ok(created.id)
    }

    /// Finds a commit in the mirror, fetching when it is not there yet.
    async fn find_commit(&self, code: slipway_core::ids::CodeRepositoryId, id: &str) -> Result<CommitDetails, Failure> {
        let id = id.trim().to_ascii_lowercase();
        if !(4..=64).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(
                Failure::new(ErrorCode::InvalidField, "a commit is given by at least four hex digits").at("target.id")
            );
        }
        let store = &self.parts.ports.code;
        let found = match store.find_commit(code, &id).await {
            Ok(found) => found,
            Err(failure) if failure.code == ErrorCode::RefNotFound => {
                let access = self.parts.code_access(code).await?;
                let cancel = self.parts.stop.child_token();
                match slipway_core::code::CommitId::new(&*id) {
                    Ok(full) => {
                        store.fetch_commit(code, &access, &full, &cancel).await?;
                        full
                    }
                    // Abbreviated: everything that the remote has may be meant.
                    Err(_) => {
                        let remote = store.remote_refs(&access, None, &cancel).await?;
                        let names: Vec<RefName> = remote.refs.into_iter().map(|one| one.name).collect();
                        store.fetch(code, &access, &names, &cancel).await?;
                        store.find_commit(code, &id).await?
                    }
                }
            }
            Err(failure) => return Err(failure),
        };
        store.commit(code, &found).await
    }

    /// Returns the observation of a ref's head, when that is the commit: a build of it is as new as that push.
    async fn observation_of_head(
        &self,
        code: &slipway_core::ids::CodeRepositoryId,
        name: &RefName,
        commit: &CommitDetails,
    ) -> Result<Option<ObservationId>, Failure> {
        let heads = self.parts.store.heads(*code).await?;
        let head = heads.into_iter().find(|head| head.ref_name == *name);
        Ok(head.filter(|head| head.commit.as_ref().or(head.object.as_ref()) == Some(&commit.id)).map(|head| head.id))
    }
}

/// Puts a person's values in place of the rule's.
fn apply(mut inputs: BuildInputs, overrides: &BuildOverrides, overwrite: bool) -> Result<BuildInputs, Failure> {
    if let Some(tags) = &overrides.tags {
        if tags.is_empty() {
            return Err(Failure::new(ErrorCode::InvalidField, "at least one tag is needed").at("overrides.tags"));
        }
        inputs.fixed_tags.clone_from(tags);
    }
    if let Some(path) = &overrides.dockerfile_path {
        inputs.dockerfile_path = path.clone();
    }
    if let Some(folder) = &overrides.context_dir {
        inputs.context_dir = folder.clone();
    }
    if let Some(options) = &overrides.options {
        if let Some(problem) = options.check("overrides.options").into_iter().next() {
            return Err(problem);
        }
        inputs.options = options.clone();
    }
    if !overwrite {
        inputs.overwrite_tag = None;
    }
    Ok(inputs)
}
