//! What moved, what a rule builds of it, and whose tag wins: all level-triggered (`architecture.md` invariants 2 to 4,
//! `product.md` section 6). The remote head against the last observation decides; whoever woke us does not matter.

use crate::build::BuildKind;
use crate::code::{CommitId, RefKind, RefName, RemoteRefs};
use crate::ids::{BuildId, ObservationId, RuleId};
use crate::matching::{RefMatch, TriggerMatcher};
use crate::rule::Strategy;
use std::collections::{BTreeMap, BTreeSet};

/// The last observation of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRef {
    /// Its number.
    pub observation: ObservationId,
    /// What the ref pointed at; `None` when the observation was that the ref is gone.
    pub object: Option<CommitId>,
}

/// A move of a ref, to be written down as an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMove {
    /// Which ref.
    pub name: RefName,
    /// What happened.
    pub change: RefChange,
}

/// What happened to a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefChange {
    /// It is new, or there again after it was gone.
    Created {
        /// What it points at.
        object: CommitId,
        /// The commit behind it, where the remote told.
        commit: Option<CommitId>,
    },
    /// It points somewhere else: a push, a force-push, a tag that was made again.
    Moved {
        /// What it pointed at.
        from: CommitId,
        /// What it points at.
        object: CommitId,
        /// The commit behind it, where the remote told.
        commit: Option<CommitId>,
    },
    /// It is gone.
    Deleted {
        /// What it pointed at.
        from: CommitId,
    },
}

impl RefChange {
    /// Returns what the ref points at after the move; `None` when it is gone.
    #[must_use]
    pub fn object(&self) -> Option<&CommitId> {
        match self {
            Self::Created { object, .. } | Self::Moved { object, .. } => Some(object),
            Self::Deleted { .. } => None,
        }
    }
}

/// Compares the remote with what was last observed and returns the moves, sorted by ref name. With nothing known everything
/// is `Created`; that first look is recorded and counts as handled by every rule, it builds nothing.
///
/// `asked` are the refs that the remote was asked for; `None` means all. Only a ref that was asked for can be gone.
#[must_use]
pub fn moves(known: &BTreeMap<RefName, KnownRef>, now: &RemoteRefs, asked: Option<&[RefName]>) -> Vec<RefMove> {
    let seen: BTreeSet<&RefName> = now.refs.iter().map(|found| &found.name).collect();
    let moved = now.refs.iter().filter_map(|found| {
        let (object, commit) = (found.object.clone(), found.commit.clone());
        let change = match known.get(&found.name).and_then(|known| known.object.as_ref()) {
            Some(before) if *before == object => return None,
            Some(before) => RefChange::Moved { from: before.clone(), object, commit },
            None => RefChange::Created { object, commit },
        };
        Some(RefMove { name: found.name.clone(), change })
    });
    let gone = known.iter().filter_map(|(name, before)| {
        let was_asked = asked.is_none_or(|asked| asked.contains(name));
        let from = before.object.clone().filter(|_| was_asked && !seen.contains(name))?;
        Some(RefMove { name: name.clone(), change: RefChange::Deleted { from } })
    });
    let mut all: Vec<RefMove> = moved.chain(gone).collect();
    all.sort_by(|left, right| left.name.cmp(&right.name));
    all
}

/// An observation as a rule looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Its number.
    pub id: ObservationId,
    /// Which ref.
    pub name: RefName,
    /// What the ref points at since; `None` when it is gone.
    pub object: Option<CommitId>,
}

/// How far a rule has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handled {
    /// Everything up to here was seen before the rule existed (or in the first look).
    pub since: Option<ObservationId>,
    /// The last handled observation of each ref.
    pub by_ref: BTreeMap<RefName, ObservationId>,
}

impl Handled {
    fn covers(&self, observation: &Observation) -> bool {
        self.since.max(self.by_ref.get(&observation.name).copied()) >= Some(observation.id)
    }
}

/// The switches of a rule that decide about observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleSwitches {
    /// Off: pushes count as seen and build nothing, now or later.
    pub auto_trigger: bool,
    /// On: nothing happens and nothing counts as seen; it is caught up afterwards.
    pub paused: bool,
    /// What happens when pushes come faster than builds.
    pub strategy: Strategy,
}

/// A push that a rule builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBuild {
    /// The observation that starts it.
    pub observation: Observation,
    /// Why, and the capture groups for the tags.
    pub matched: RefMatch,
}

/// What a rule makes of the observations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RulePlan {
    /// What it builds, in the order of observation.
    pub build: Vec<PlannedBuild>,
    /// Pushes of matching branches that a newer push of the same branch covers; they build nothing.
    pub superseded: Vec<ObservationId>,
    /// The new last handled observation of each ref that was looked at, whether it builds or not.
    pub handled: BTreeMap<RefName, ObservationId>,
}

/// Decides what a rule builds of the observations that it has not handled. `observations` may hold handled ones and may be
/// in any order.
///
/// A branch builds its newest observation (or every one, [`Strategy::EveryPush`]), a tag every one. A ref that is gone by
/// now builds nothing, and being gone starts nothing. A ref that the rule does not match counts as seen, so that editing the
/// triggers later builds nothing old.
#[must_use]
pub fn plan(
    matcher: &TriggerMatcher,
    handled: &Handled,
    observations: &[Observation],
    switches: RuleSwitches,
) -> RulePlan {
    let mut plan = RulePlan::default();
    if switches.paused {
        return plan;
    }
    let mut by_ref: BTreeMap<&RefName, Vec<&Observation>> = BTreeMap::new();
    for observation in observations.iter().filter(|observation| !handled.covers(observation)) {
        by_ref.entry(&observation.name).or_default().push(observation);
    }
    for (name, mut pending) in by_ref {
        pending.sort_by_key(|observation| observation.id);
        let Some(newest) = pending.last().copied() else { continue };
        plan.handled.insert(name.clone(), newest.id);
        let matched = matcher.matches(name).filter(|_| switches.auto_trigger && newest.object.is_some());
        let Some(matched) = matched else { continue };
        let every_one = name.kind() == RefKind::Tag || switches.strategy == Strategy::EveryPush;
        for observation in pending.into_iter().filter(|observation| observation.object.is_some()) {
            if every_one || observation.id == newest.id {
                plan.build.push(PlannedBuild { observation: observation.clone(), matched: matched.clone() });
            } else {
                plan.superseded.push(observation.id);
            }
        }
    }
    plan.build.sort_by_key(|planned| planned.observation.id);
    plan.superseded.sort_unstable();
    plan
}

/// A build of a push, as far as superseding looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushBuild {
    /// The build.
    pub build: BuildId,
    /// Its rule.
    pub rule: RuleId,
    /// Its ref.
    pub ref_name: RefName,
    /// Its observation.
    pub observation: ObservationId,
    /// The strategy that it was queued with.
    pub strategy: Strategy,
}

/// Returns the queued push builds that a newer one takes the place of: same rule, same branch, observed earlier. Builds of
/// tags are never superseded, and neither is what a person asked for (give push builds only).
#[must_use]
pub fn superseded_by(newer: &PushBuild, queued: &[PushBuild]) -> Vec<BuildId> {
    let covered = |older: &&PushBuild| {
        older.rule == newer.rule
            && older.ref_name == newer.ref_name
            && older.ref_name.kind() == RefKind::Branch
            && older.strategy == Strategy::NewestPerRef
            && older.observation < newer.observation
    };
    queued.iter().filter(covered).map(|older| older.build).collect()
}

/// Whether a build may move a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishDecision {
    /// It may.
    Publish,
    /// A later observation moved the tag before; it stays there.
    KeptNewer,
}

/// Decides whether a build may move a tag: newer wins, and newer means observed later. `tag_moved_by` is the observation
/// that last moved the tag, `this` the build's own; a build without one (a bare commit) is newer than nothing.
/// `explicit_wish` is a person's explicit choice for this tag, which always wins.
#[must_use]
pub fn may_publish(
    tag_moved_by: Option<ObservationId>,
    this: Option<ObservationId>,
    explicit_wish: bool,
) -> PublishDecision {
    if explicit_wish || tag_moved_by.is_none() || this >= tag_moved_by {
        PublishDecision::Publish
    } else {
        PublishDecision::KeptNewer
    }
}

/// Returns whether a build moves the rule's overwrite tag: what a person chose, else always for a push, and for a build by
/// hand only when its commit is the newest one of its ref (`head`).
#[must_use]
pub fn overwrite_default(
    kind: BuildKind,
    choice: Option<bool>,
    commit: Option<&CommitId>,
    head: Option<&CommitId>,
) -> bool {
    choice.unwrap_or(match kind {
        BuildKind::Push => true,
        BuildKind::Manual | BuildKind::Rerun => commit.is_some() && commit == head,
        // What is uploaded by hand names its tag itself.
        BuildKind::Dockerfile | BuildKind::Upload => false,
    })
}

#[cfg(test)]
mod tests;
