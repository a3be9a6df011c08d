//! Observations and what rules did about them.

use super::{at, branch, commit_id, empty, moved, repository_spec, rule_spec, setup};
use crate::StoreError;
use slipway_core::build::BuildState;
use slipway_core::code::{CodeLocation, RefName};
use slipway_core::ids::CodeRepositoryId;

#[tokio::test]
async fn the_first_look_builds_nothing_for_any_rule() {
    let (_dir, store) = empty().await;
    let location = CodeLocation::LocalClone { path: "/code/app".into() };
    let code = store.insert_code_repository("app", &location, None, None, at(0)).await.unwrap();
    let registry = store.local_engine().await.unwrap().id;
    let repository = store.insert_image_repository(&repository_spec(registry, "app"), None, at(0)).await.unwrap();
    let before = store.insert_rule(repository, &rule_spec(code, "before"), at(0)).await.unwrap();
    let (main, dev) = (branch("main"), branch("dev"));
    let first = store.record_moves(code, &[moved(&main, Some('a')), moved(&dev, Some('b'))], at(1)).await.unwrap();
    assert!(first.first_look);
    assert_eq!(store.code_repository(code).await.unwrap().first_looked_at, Some(at(1)));
    let after = store.insert_rule(repository, &rule_spec(code, "after"), at(2)).await.unwrap();
    for rule in [before, after] {
        assert_eq!(store.unhandled_observations(rule).await.unwrap(), vec![]);
        assert_eq!(store.rule_refs(rule).await.unwrap().len(), 2);
    }
    let second = store.record_moves(code, &[moved(&main, Some('c'))], at(3)).await.unwrap();
    assert!(!second.first_look);
    for rule in [before, after] {
        assert_eq!(store.unhandled_observations(rule).await.unwrap(), second.observations);
    }
    store.set_handled(before, &main, second.observations[0].id).await.unwrap();
    assert_eq!(store.unhandled_observations(before).await.unwrap(), vec![]);
}

#[tokio::test]
async fn every_move_is_a_new_observation_and_the_same_again_is_none() {
    let s = setup().await;
    let (main, tag) = (branch("main"), RefName::tag("v1").unwrap());
    // Appears, goes back and forth, is deleted, is made again.
    let mut seen = Vec::new();
    for digit in [Some('a'), Some('b'), Some('a'), None, Some('a')] {
        let recorded = s.store.record_moves(s.code, &[moved(&main, digit)], at(1)).await.unwrap();
        assert_eq!(recorded.observations.len(), 1, "{digit:?}");
        seen.push(recorded.observations[0].id);
        let again = s.store.record_moves(s.code, &[moved(&main, digit)], at(2)).await.unwrap();
        assert_eq!(again.observations, vec![], "{digit:?}");
    }
    assert!(seen.is_sorted());
    // A deletion of what was never seen is nothing.
    assert_eq!(s.store.record_moves(s.code, &[moved(&tag, None)], at(3)).await.unwrap().observations, vec![]);
    s.push(&tag, 'd').await;
    let heads = s.store.heads(s.code).await.unwrap();
    let heads: Vec<_> = heads.iter().map(|head| (head.ref_name.as_str(), head.object.clone())).collect();
    assert_eq!(heads, [("refs/heads/main", Some(commit_id('a'))), ("refs/tags/v1", Some(commit_id('d')))]);
    assert_eq!(s.store.observations_since(s.code, None).await.unwrap().len(), 6);
    assert_eq!(s.store.observations_since(s.code, Some(seen[3])).await.unwrap().len(), 2);
    let nowhere = s.store.record_moves(CodeRepositoryId(99), &[], at(1)).await.unwrap_err();
    assert!(matches!(nowhere, StoreError::NotFound { .. }));
}

#[tokio::test]
async fn moves_are_recorded_all_or_none() {
    let s = setup().await;
    let good = branch("good");
    let mut twice = vec![moved(&good, Some('a')), moved(&good, Some('b'))];
    let recorded = s.store.record_moves(s.code, &twice, at(1)).await.unwrap();
    assert_eq!(recorded.observations.len(), 2);
    twice.truncate(1);
    // Dropped before it is committed, a transaction leaves nothing.
    let mut tx = s.store.write().await.unwrap();
    sqlx::query("DELETE FROM observations").execute(&mut *tx).await.unwrap();
    drop(tx);
    assert_eq!(s.store.observations_since(s.code, None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_was_pushed_while_the_switch_was_off_does_not_build_afterwards() {
    let s = setup().await;
    let main = branch("main");
    s.store.set_auto_trigger(s.rule, false, at(1)).await.unwrap();
    assert!(!s.store.rule(s.rule).await.unwrap().spec.auto_trigger);
    s.push(&main, 'a').await;
    s.store.set_auto_trigger(s.rule, true, at(2)).await.unwrap();
    assert_eq!(s.store.unhandled_observations(s.rule).await.unwrap(), vec![]);
    // The same by way of the editor.
    let mut spec = rule_spec(s.code, "main");
    spec.auto_trigger = false;
    s.store.update_rule(s.rule, &spec, at(3)).await.unwrap();
    s.push(&main, 'b').await;
    spec.auto_trigger = true;
    s.store.update_rule(s.rule, &spec, at(4)).await.unwrap();
    assert_eq!(s.store.unhandled_observations(s.rule).await.unwrap(), vec![]);
    // An edit that leaves the switch alone forgets nothing.
    s.push(&main, 'c').await;
    s.store.update_rule(s.rule, &spec, at(5)).await.unwrap();
    assert_eq!(s.store.unhandled_observations(s.rule).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_rule_that_gets_other_code_begins_anew() {
    let s = setup().await;
    let main = branch("main");
    let location = CodeLocation::LocalClone { path: "/code/other".into() };
    let other = s.store.insert_code_repository("other", &location, None, None, at(0)).await.unwrap();
    s.store.record_moves(other, &[moved(&branch("trunk"), Some('e'))], at(0)).await.unwrap();
    s.push(&main, 'a').await;
    s.store.update_rule(s.rule, &rule_spec(other, "main"), at(1)).await.unwrap();
    assert_eq!(s.store.unhandled_observations(s.rule).await.unwrap(), vec![]);
    let refs = s.store.rule_refs(s.rule).await.unwrap();
    assert_eq!(refs.iter().map(|r| r.ref_name.short()).collect::<Vec<_>>(), ["trunk"]);
    assert_eq!(s.store.rules_of_code(other).await.unwrap().len(), 1);
    assert_eq!(s.store.rules_of_code(s.code).await.unwrap().len(), 0);
}

#[tokio::test]
async fn rule_names_are_unique_among_those_that_exist() {
    let s = setup().await;
    let taken = s.store.insert_rule(s.repository, &rule_spec(s.code, "main"), at(1)).await.unwrap_err();
    assert!(matches!(taken, StoreError::NameTaken { field: "spec.name" }), "{taken}");
    let nowhere = s.store.insert_rule(s.repository, &rule_spec(CodeRepositoryId(9), "x"), at(1)).await.unwrap_err();
    assert!(matches!(nowhere, StoreError::NotFound { .. }), "{nowhere}");

    let waiting = s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id;
    let running = s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id;
    s.store.claim(running, "boot", at(1)).await.unwrap();
    let deleted = s.store.delete_rule(s.rule, at(2)).await.unwrap();
    assert_eq!((deleted.cancelled, deleted.running), (vec![waiting], vec![running]));
    assert_eq!(s.store.build(waiting).await.unwrap().state, BuildState::Cancelled);
    assert_eq!(s.store.build(waiting).await.unwrap().rule, Some(s.rule));
    assert!(matches!(s.store.delete_rule(s.rule, at(2)).await.unwrap_err(), StoreError::NotFound { .. }));
    assert_eq!(s.store.rule(s.rule).await.unwrap().deleted_at, Some(at(2)));
    assert!(s.store.rules().await.unwrap().is_empty());
    s.store.insert_rule(s.repository, &rule_spec(s.code, "main"), at(3)).await.unwrap();
    assert_eq!(s.store.rules_of_repository(s.repository).await.unwrap().len(), 1);
}
