//! One look at a code repository: what the remote has, what moved, and what each rule makes of it. Every step may be done
//! again after a crash: observations that no rule decided about yet are decided by the next look.

use crate::fail_point::fail_point;
use crate::{AppEvent, Parts};
use slipway_core::build::{BuildInputs, BuildKind, BuildReason, BuildState};
use slipway_core::code::{ChangedPaths, CodeAccess, CommitDetails, RefName};
use slipway_core::decide::{Handled, KnownRef, Observation, RefChange, RuleSwitches, moves, plan};
use slipway_core::ids::{CodeRepositoryId, RuleId};
use slipway_core::matching::TriggerMatcher;
use slipway_core::paths::{PathDecision, PathMatcher};
use slipway_core::rule::RuleSpec;
use slipway_core::skip_words::find_skip_word;
use slipway_core::{ErrorCode, Failure};
use slipway_store::{AccountPlace, NewBuild, ObservationRecord, RefMove, RuleRecord};
use std::collections::{BTreeMap, BTreeSet};
use tokio_util::sync::CancellationToken;

/// One look.
pub(super) struct Look<'look> {
    pub(super) parts: &'look Parts,
    pub(super) code: CodeRepositoryId,
    pub(super) cancel: &'look CancellationToken,
}

/// What a look saw.
pub(super) struct Seen {
    pub(super) default_branch: Option<RefName>,
    pub(super) moved: bool,
}

/// A push that a rule builds.
struct Push<'rules> {
    rule: &'rules RuleRecord,
    observation: ObservationRecord,
    groups: BTreeMap<String, String>,
}

impl Look<'_> {
    /// Looks. `every_ref` asks for all refs even when the rules name a few branches only.
    pub(super) async fn run(&self, every_ref: bool) -> Result<Seen, Failure> {
        let access = self.parts.code_access(self.code).await?;
        let rules = self.parts.store.rules_of_code(self.code).await?;
        let record = self.parts.store.code_repository(self.code).await?;
        // The first look records every ref, so that no later one takes an old ref for a new one.
        let only = if every_ref || record.first_looked_at.is_none() { None } else { named_branches(&rules) };
        let remote = self.parts.ports.code.remote_refs(&access, only.as_deref(), self.cancel).await;
        let remote = self.noted(record.account.as_ref(), remote).await?;
        let known = self
            .parts
            .store
            .heads(self.code)
            .await?
            .into_iter()
            .map(|head| (head.ref_name, KnownRef { observation: head.id, object: head.object }));
        let moves: Vec<RefMove> =
            moves(&known.collect(), &remote, only.as_deref()).into_iter().map(to_record).collect();
        fail_point("look.seen");
        let default_branch = remote.default_branch;
        // Nothing moved, as nearly always: nothing is written.
        if record.first_looked_at.is_none() || !moves.is_empty() {
            let recorded = self.parts.store.record_moves(self.code, &moves, self.parts.now()).await?;
            if !moves.is_empty() {
                fail_point("look.recorded");
            }
            if recorded.first_look {
                return Ok(Seen { default_branch, moved: false });
            }
        }
        self.decide(&access, &rules).await?;
        Ok(Seen { default_branch, moved: !moves.is_empty() })
    }

    /// Git says no to a repository and to a token in the same words: the account is asked which one it was.
    async fn noted<T>(&self, place: Option<&AccountPlace>, result: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(failure) = &result
            && failure.code == ErrorCode::SourceUnauthorized
            && let Some(account) = place.and_then(|place| place.account)
            && let Err(failure) = self.parts.ask_account(account, self.cancel).await
        {
            tracing::info!(%failure, %account, "an account fails");
        }
        result
    }

    /// Decides about every observation that a rule has not handled yet.
    async fn decide(&self, access: &CodeAccess, rules: &[RuleRecord]) -> Result<(), Failure> {
        let mut pushes = Vec::new();
        for rule in rules {
            pushes.extend(self.pushes_of(rule).await?);
        }
        if pushes.is_empty() {
            return Ok(());
        }
        let refs: BTreeSet<RefName> = pushes.iter().map(|push| push.observation.ref_name.clone()).collect();
        let refs: Vec<RefName> = refs.into_iter().collect();
        if let Err(failure) = self.parts.ports.code.fetch(self.code, access, &refs, self.cancel).await
            && failure.code != ErrorCode::RefNotFound
        {
            return Err(failure);
        }
        fail_point("look.fetched");
        // In the order of the observations, so that builds of several rules queue fairly.
        pushes.sort_by_key(|push| push.observation.id);
        for push in pushes {
            self.create(access, &push).await?;
        }
        self.parts.queue_wake.notify_one();
        Ok(())
    }

    /// Returns the pushes that a rule builds; what it does not build is marked as handled.
    async fn pushes_of<'rules>(&self, rule: &'rules RuleRecord) -> Result<Vec<Push<'rules>>, Failure> {
        let unhandled = self.parts.store.unhandled_observations(rule.id).await?;
        if unhandled.is_empty() {
            return Ok(Vec::new());
        }
        let matcher = TriggerMatcher::new(&rule.spec.triggers)?;
        let observations: Vec<Observation> = unhandled
            .iter()
            .map(|one| Observation { id: one.id, name: one.ref_name.clone(), object: one.object.clone() })
            .collect();
        let switches =
            RuleSwitches { auto_trigger: rule.spec.auto_trigger, paused: false, strategy: rule.spec.strategy };
        let plan = plan(&matcher, &Handled::default(), &observations, switches);
        for (name, observation) in &plan.handled {
            if plan.build.iter().any(|planned| planned.observation.name == *name) {
                // Handled together with the row of its build.
                continue;
            }
            let is_gone = unhandled.iter().any(|one| one.id == *observation && one.object.is_none());
            if is_gone {
                self.drop_waiting(rule.id, name).await?;
            }
            self.parts.store.set_handled(rule.id, name, *observation).await?;
        }
        let pushes = plan.build.into_iter().filter_map(|planned| {
            let observation = unhandled.iter().find(|one| one.id == planned.observation.id)?.clone();
            Some(Push { rule, observation, groups: planned.matched.groups })
        });
        Ok(pushes.collect())
    }

    async fn handled(&self, rule: RuleId, observation: &ObservationRecord) -> Result<(), Failure> {
        Ok(self.parts.store.set_handled(rule, &observation.ref_name, observation.id).await?)
    }

    /// Skips the builds of a ref that went away before they began.
    async fn drop_waiting(&self, rule: RuleId, name: &RefName) -> Result<(), Failure> {
        for build in self.parts.store.non_final().await? {
            let waits = build.state == BuildState::Queued && build.started_at.is_none();
            if waits
                && build.kind == BuildKind::Push
                && build.rule == Some(rule)
                && build.ref_name.as_ref() == Some(name)
            {
                let patch = slipway_store::BuildPatch {
                    reason: slipway_store::Change::Set(BuildReason::RefDeleted),
                    ..slipway_store::BuildPatch::default()
                };
                let now = self.parts.now();
                self.parts.store.transition(build.id, BuildState::Queued, BuildState::Skipped, &patch, now).await?;
                self.parts.announce(AppEvent::BuildChanged { build: build.id, repository: build.repository });
            }
        }
        Ok(())
    }

    /// Writes the row of one push: queued, or skipped with the reason.
    async fn create(&self, access: &CodeAccess, push: &Push<'_>) -> Result<(), Failure> {
        let Some(commit) = self.commit_of(access, &push.observation).await? else {
            // Overwritten and forgotten by the remote before it could be fetched; the next look sees what took its place.
            return self.handled(push.rule.id, &push.observation).await;
        };
        let reason = self.skip_reason(push, &commit).await?;
        let new = NewBuild {
            repository: push.rule.repository,
            kind: BuildKind::Push,
            state: if reason.is_some() { BuildState::Skipped } else { BuildState::Queued },
            reason,
            failure: None,
            inputs: BuildInputs {
                observation: Some(push.observation.id),
                groups: push.groups.clone(),
                ..inputs_of(push.rule, Some(push.observation.ref_name.clone()), &commit)
            },
            commit: Some(commit),
            rerun_of: None,
        };
        let created = self.parts.store.create_build(&new, self.parts.now()).await?;
        fail_point("build.row");
        for build in created.superseded.iter().chain([&created.id]) {
            self.parts.announce(AppEvent::BuildChanged { build: *build, repository: push.rule.repository });
        }
        self.parts.announce(AppEvent::QueueChanged);
        Ok(())
    }

    /// Returns the commit that was observed; `None` when the remote does not have it any more.
    async fn commit_of(
        &self,
        access: &CodeAccess,
        observation: &ObservationRecord,
    ) -> Result<Option<CommitDetails>, Failure> {
        let Some(object) = observation.commit.as_ref().or(observation.object.as_ref()) else { return Ok(None) };
        match self.parts.ports.code.commit(self.code, object).await {
            Ok(commit) => return Ok(Some(commit)),
            Err(failure) if failure.code == ErrorCode::RefNotFound => {}
            Err(failure) => return Err(failure),
        }
        match self.parts.ports.code.fetch_commit(self.code, access, object, self.cancel).await {
            Ok(()) => Ok(Some(self.parts.ports.code.commit(self.code, object).await?)),
            Err(failure) if failure.code == ErrorCode::RefNotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn skip_reason(&self, push: &Push<'_>, commit: &CommitDetails) -> Result<Option<BuildReason>, Failure> {
        let spec = &push.rule.spec;
        if spec.skip_words
            && let Some(word) = find_skip_word(&commit.message)
        {
            return Ok(Some(BuildReason::SkipWord { word: word.to_owned() }));
        }
        if spec.paths.include.is_empty() && spec.paths.exclude.is_empty() {
            return Ok(None);
        }
        let built = self.parts.store.rule_ref(push.rule.id, &push.observation.ref_name).await?;
        let changed = match built.and_then(|built| built.built_commit) {
            Some(base) => self.parts.ports.code.changed_paths(self.code, &base, &commit.id).await?,
            None => ChangedPaths::UnknownBase,
        };
        Ok(match PathMatcher::new(&spec.paths)?.decide(&changed) {
            PathDecision::Build => None,
            PathDecision::Skip(reason) => Some(reason),
        })
    }
}

/// Returns a rule's inputs for a commit; observation and groups are the caller's.
pub(crate) fn inputs_of(rule: &RuleRecord, ref_name: Option<RefName>, commit: &CommitDetails) -> BuildInputs {
    let spec: &RuleSpec = &rule.spec;
    BuildInputs {
        rule: Some(rule.id),
        rule_name: Some(spec.name.clone()),
        code: Some(spec.code),
        ref_name,
        commit: Some(commit.id.clone()),
        observation: None,
        dockerfile_path: spec.dockerfile_path.clone(),
        context_dir: spec.context_dir.clone(),
        version: spec.version.clone(),
        fixed_tags: Vec::new(),
        groups: BTreeMap::new(),
        overwrite_tag: spec.overwrite_tag.clone(),
        options: spec.options.clone(),
        strategy: spec.strategy,
        upload: None,
    }
}

/// Returns the branches that are enough to ask for, when every rule names its branches.
fn named_branches(rules: &[RuleRecord]) -> Option<Vec<RefName>> {
    let mut names = BTreeSet::new();
    for rule in rules {
        let triggers = &rule.spec.triggers;
        if triggers.any_branch || triggers.new_tag || triggers.pattern.is_some() {
            return None;
        }
        names.extend(triggers.branches.iter().filter_map(|branch| RefName::branch(branch).ok()));
    }
    (!names.is_empty()).then(|| names.into_iter().collect())
}

fn to_record(moved: slipway_core::decide::RefMove) -> RefMove {
    match moved.change {
        RefChange::Created { object, commit } | RefChange::Moved { object, commit, .. } => {
            RefMove { ref_name: moved.name, object: Some(object), commit }
        }
        RefChange::Deleted { .. } => RefMove { ref_name: moved.name, object: None, commit: None },
    }
}
