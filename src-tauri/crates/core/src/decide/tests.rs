#![allow(clippy::unwrap_used)]
use super::*;
use crate::code::RemoteRef;
use crate::rule::{PushTriggers, Strategy};
use pretty_assertions::assert_eq;
use proptest::{prop_assert, prop_assert_eq, proptest};

const ON: RuleSwitches = RuleSwitches { auto_trigger: true, paused: false, strategy: Strategy::NewestPerRef };

fn commit(n: u8) -> CommitId {
    CommitId::new(format!("{n:040x}")).unwrap()
}

fn name(text: &str) -> RefName {
    match text.strip_prefix("t:") {
        Some(tag) => RefName::tag(tag).unwrap(),
        None => RefName::branch(text).unwrap(),
    }
}

/// `("main", 1)` is a branch at commit 1, `("t:v1", 2)` a tag.
fn remote(refs: &[(&str, u8)]) -> RemoteRefs {
    let refs = refs.iter().map(|(text, n)| RemoteRef { name: name(text), object: commit(*n), commit: None }).collect();
    RemoteRefs { default_branch: None, refs, unusable: 0 }
}

/// Commit 0 means gone.
fn known(refs: &[(&str, u8)]) -> BTreeMap<RefName, KnownRef> {
    let object = |n: u8| (n > 0).then(|| commit(n));
    refs.iter().map(|(text, n)| (name(text), KnownRef { observation: ObservationId(1), object: object(*n) })).collect()
}

fn told(moves: &[RefMove]) -> Vec<String> {
    let tell = |one: &RefMove| match &one.change {
        RefChange::Created { object, .. } => format!("{} +{}", one.name.short(), &object.as_str()[39..]),
        RefChange::Moved { from, object, .. } => {
            format!("{} {}>{}", one.name.short(), &from.as_str()[39..], &object.as_str()[39..])
        }
        RefChange::Deleted { from } => format!("{} -{}", one.name.short(), &from.as_str()[39..]),
    };
    moves.iter().map(tell).collect()
}

#[test]
fn the_remote_against_the_last_observation_decides() {
    type Refs<'row> = &'row [(&'row str, u8)];
    let table: &[(Refs<'_>, Refs<'_>, &[&str])] = &[
        (&[], &[("main", 1), ("t:v1", 2)], &["main +1", "v1 +2"]),
        (&[("main", 1)], &[("main", 1)], &[]),
        (&[("main", 1)], &[("main", 2)], &["main 1>2"]),
        (&[("main", 2)], &[("main", 1)], &["main 2>1"]),
        (&[("main", 1)], &[("main", 1), ("dev", 1)], &["dev +1"]),
        (&[("main", 1), ("dev", 2)], &[("main", 1)], &["dev -2"]),
        (&[("main", 1), ("dev", 0)], &[("main", 1)], &[]),
        (&[("dev", 0)], &[("dev", 2)], &["dev +2"]),
        (&[("t:v1", 1)], &[("t:v1", 2)], &["v1 1>2"]),
        (&[("v1", 1)], &[("t:v1", 1)], &["v1 -1", "v1 +1"]),
    ];
    for (before, now, expected) in table {
        assert_eq!(told(&moves(&known(before), &remote(now), None)), *expected, "{before:?} -> {now:?}");
    }
}

#[test]
fn a_ref_that_was_not_asked_for_is_not_gone() {
    let before = known(&[("main", 1), ("dev", 2)]);
    assert_eq!(told(&moves(&before, &remote(&[("main", 3)]), Some(&[name("main")]))), ["main 1>3"]);
    assert_eq!(told(&moves(&before, &remote(&[]), Some(&[name("dev")]))), ["dev -2"]);
}

fn observation((id, text, n): &(i64, &str, u8)) -> Observation {
    Observation { id: ObservationId(*id), name: name(text), object: (*n > 0).then(|| commit(*n)) }
}

fn handled(since: i64, by_ref: &[(&str, i64)]) -> Handled {
    let by_ref = by_ref.iter().map(|(text, id)| (name(text), ObservationId(*id))).collect();
    Handled { since: Some(ObservationId(since)), by_ref }
}

fn everything() -> TriggerMatcher {
    TriggerMatcher::new(&PushTriggers { any_branch: true, new_tag: true, ..PushTriggers::default() }).unwrap()
}

/// Returns what is built, superseded and handled, by number.
fn decided(plan: &RulePlan) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    let mut handled: Vec<i64> = plan.handled.values().map(|id| id.0).collect();
    handled.sort_unstable();
    (
        plan.build.iter().map(|planned| planned.observation.id.0).collect(),
        plan.superseded.iter().map(|id| id.0).collect(),
        handled,
    )
}

#[test]
fn a_rule_builds_the_newest_of_each_branch_and_every_tag() {
    type Rows<'row> = &'row [(i64, &'row str, u8)];
    type Expected<'row> = (&'row [i64], &'row [i64], &'row [i64]);
    let every_push = RuleSwitches { strategy: Strategy::EveryPush, ..ON };
    let off = RuleSwitches { auto_trigger: false, ..ON };
    let paused = RuleSwitches { paused: true, ..ON };
    let pushes: Rows<'_> = &[(11, "main", 1), (12, "main", 2), (13, "dev", 3), (14, "main", 4)];
    let tags: Rows<'_> = &[(11, "t:v1", 1), (12, "t:v2", 2), (13, "t:v1", 3)];
    let table: &[(RuleSwitches, Rows<'_>, Expected<'_>)] = &[
        (ON, pushes, (&[13, 14], &[11, 12], &[13, 14])),
        (every_push, pushes, (&[11, 12, 13, 14], &[], &[13, 14])),
        (off, pushes, (&[], &[], &[13, 14])),
        (paused, pushes, (&[], &[], &[])),
        (ON, tags, (&[11, 12, 13], &[], &[12, 13])),
        (ON, &[(14, "main", 2), (13, "main", 1)], (&[14], &[13], &[14])),
        // What is gone builds nothing; what is back builds.
        (ON, &[(11, "main", 1), (12, "main", 0)], (&[], &[], &[12])),
        (every_push, &[(11, "main", 1), (12, "main", 0)], (&[], &[], &[12])),
        (ON, &[(11, "main", 0), (12, "main", 1)], (&[12], &[], &[12])),
        (ON, &[(11, "t:v1", 1), (12, "t:v1", 0)], (&[], &[], &[12])),
        // The first look and what was before the rule.
        (ON, &[(9, "main", 1), (10, "t:v1", 1)], (&[], &[], &[])),
        (ON, &[], (&[], &[], &[])),
    ];
    for (switches, rows, (build, superseded, seen)) in table {
        let observations: Vec<Observation> = rows.iter().map(observation).collect();
        let plan = plan(&everything(), &handled(10, &[]), &observations, *switches);
        assert_eq!(decided(&plan), (build.to_vec(), superseded.to_vec(), seen.to_vec()), "{switches:?} {rows:?}");
    }
}

#[test]
fn a_handled_push_is_not_built_again_and_a_push_missed_in_a_pause_is() {
    let rows = [(11, "main", 1), (12, "main", 2), (13, "dev", 3)].map(|row| observation(&row));
    let seen = handled(0, &[("main", 12), ("dev", 12)]);
    let paused = RuleSwitches { paused: true, ..ON };
    assert_eq!(plan(&everything(), &seen, &rows, paused), RulePlan::default());
    assert_eq!(decided(&plan(&everything(), &seen, &rows, ON)), (vec![13], vec![], vec![13]));
}

#[test]
fn a_ref_that_does_not_match_counts_as_seen() {
    let only_tags = TriggerMatcher::new(&PushTriggers { new_tag: true, ..PushTriggers::default() }).unwrap();
    let rows = [(11, "main", 1), (12, "t:v1", 2)].map(|row| observation(&row));
    assert_eq!(decided(&plan(&only_tags, &handled(0, &[]), &rows, ON)), (vec![12], vec![], vec![11, 12]));
}

#[test]
fn a_newer_push_takes_the_place_of_a_queued_one_of_the_same_branch() {
    let push = |build, rule, text: &str, id, strategy| PushBuild {
        build: BuildId(build),
        rule: RuleId(rule),
        ref_name: name(text),
        observation: ObservationId(id),
        strategy,
    };
    let newest = Strategy::NewestPerRef;
    let queued = [
        push(1, 1, "main", 11, newest),
        push(2, 2, "main", 12, newest),
        push(3, 1, "dev", 13, newest),
        push(4, 1, "main", 14, Strategy::EveryPush),
        push(5, 1, "main", 15, newest),
        push(6, 1, "main", 17, newest),
        push(7, 1, "t:v1", 11, newest),
    ];
    assert_eq!(superseded_by(&push(9, 1, "main", 16, newest), &queued), [BuildId(1), BuildId(5)]);
    assert_eq!(superseded_by(&push(9, 1, "t:v1", 16, newest), &queued), []);
}

#[test]
fn nothing_observed_earlier_overwrites_a_tag() {
    use PublishDecision::{KeptNewer, Publish};
    let table = [
        (None, Some(5), false, Publish),
        (Some(4), Some(5), false, Publish),
        (Some(5), Some(5), false, Publish),
        (Some(6), Some(5), false, KeptNewer),
        (Some(6), Some(5), true, Publish),
        (Some(6), None, false, KeptNewer),
        (Some(6), None, true, Publish),
        (None, None, false, Publish),
    ];
    for (before, this, wish, expected) in table {
        let found = may_publish(before.map(ObservationId), this.map(ObservationId), wish);
        assert_eq!(found, expected, "{before:?} {this:?} {wish}");
    }
}

#[test]
fn the_overwrite_tag_follows_the_newest_commit_unless_a_person_says_otherwise() {
    use BuildKind::{Dockerfile, Manual, Push, Rerun};
    let (old, new) = (commit(1), commit(2));
    let table = [
        (Push, None, Some(&old), Some(&new), true),
        (Manual, None, Some(&new), Some(&new), true),
        (Manual, None, Some(&old), Some(&new), false),
        (Manual, None, Some(&old), None, false),
        (Manual, Some(true), Some(&old), Some(&new), true),
        (Manual, Some(false), Some(&new), Some(&new), false),
        (Rerun, None, Some(&old), Some(&new), false),
        (Dockerfile, None, None, None, false),
        (Dockerfile, Some(true), None, None, true),
    ];
    for (kind, choice, commit, head, expected) in table {
        assert_eq!(overwrite_default(kind, choice, commit, head), expected, "{kind:?} {choice:?} {commit:?} {head:?}");
    }
}

proptest! {
    /// However the observations are cut into looks, the last state of every branch that is there is built in the end, no
    /// observation is built twice, and nothing is lost.
    #[test]
    fn p1_p2_no_push_is_lost_and_none_is_built_twice(
        rows in proptest::collection::vec((0_usize..3, 0_u8..5), 1..20),
        cuts in proptest::collection::vec(1_usize..5, 1..20),
    ) {
        let names = ["main", "dev", "t:v1"];
        let all: Vec<Observation> =
            rows.iter().zip(1_i64..).map(|((which, n), id)| observation(&(id, names[*which], *n))).collect();
        let (mut seen, mut built, mut end) = (Handled::default(), Vec::new(), 0);
        let mut cuts = cuts.iter().cycle();
        while end < all.len() {
            end = all.len().min(end + cuts.next().unwrap());
            let plan = plan(&everything(), &seen, &all[..end], ON);
            seen.by_ref.extend(plan.handled);
            built.extend(plan.build.into_iter().map(|planned| planned.observation.id));
        }
        prop_assert!(built.iter().collect::<BTreeSet<_>>().len() == built.len());
        for text in names {
            let last = all.iter().rfind(|observation| observation.name == name(text));
            if let Some(last) = last.filter(|last| last.object.is_some()) {
                prop_assert!(built.contains(&last.id));
            }
        }
    }

    #[test]
    fn recording_the_moves_makes_the_next_look_quiet(
        before in proptest::collection::btree_map(0_usize..4, 0_u8..4, 0..4),
        now in proptest::collection::btree_map(0_usize..4, 1_u8..4, 0..4),
    ) {
        let names = ["a", "b", "t:c", "t:d"];
        let mut seen = known(&before.iter().map(|(which, n)| (names[*which], *n)).collect::<Vec<_>>());
        let now = remote(&now.iter().map(|(which, n)| (names[*which], *n)).collect::<Vec<_>>());
        for one in moves(&seen, &now, None) {
            seen.insert(one.name, KnownRef { observation: ObservationId(2), object: one.change.object().cloned() });
        }
        prop_assert_eq!(moves(&seen, &now, None), vec![]);
    }
}
