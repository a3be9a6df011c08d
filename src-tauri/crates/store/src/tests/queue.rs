//! Moves between states.

use super::{Setup, at, branch, commit_id, setup};
use crate::{BuildPatch, Change, StoreError};
use slipway_core::build::{BuildReason, BuildState, Stage, StageOutcome};
use slipway_core::ids::BuildId;
use slipway_core::{ErrorCode, Failure};

async fn queued(s: &Setup) -> BuildId {
    s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id
}

#[tokio::test]
async fn one_of_two_claims_wins() {
    let s = setup().await;
    let build = queued(&s).await;
    let (one, two) = tokio::join!(s.store.claim(build, "one", at(2)), s.store.claim(build, "two", at(2)));
    assert_eq!(u8::from(one.unwrap()) + u8::from(two.unwrap()), 1);
    let record = s.store.build(build).await.unwrap();
    assert_eq!((record.state, record.attempt, record.started_at), (BuildState::Running, 1, Some(at(2))));
    assert!(record.boot_id.is_some());
}

#[tokio::test]
async fn transitions_follow_the_table_and_compare_the_state() {
    let s = setup().await;
    for from in BuildState::ALL {
        for to in BuildState::ALL {
            let build = queued(&s).await;
            let result = s.store.transition(build, from, to, &BuildPatch::default(), at(2)).await;
            let after = s.store.build(build).await.unwrap().state;
            if !from.may_become(to) {
                assert!(matches!(result.unwrap_err(), StoreError::WrongState(_)), "{from:?} {to:?}");
                assert_eq!(after, BuildState::Queued);
            } else if from == BuildState::Queued {
                assert!(result.unwrap(), "{from:?} {to:?}");
                assert_eq!(after, to);
            } else {
                assert!(!result.unwrap(), "{from:?} {to:?}");
                assert_eq!(after, BuildState::Queued);
            }
        }
    }
    let patch = BuildPatch::default();
    let nobody = s.store.transition(BuildId(9999), BuildState::Queued, BuildState::Running, &patch, at(2)).await;
    assert!(matches!(nobody.unwrap_err(), StoreError::NotFound { .. }));
}

#[tokio::test]
async fn back_off_and_pauses_are_stored_and_honoured() {
    let s = setup().await;
    let build = queued(&s).await;
    s.store.claim(build, "boot", at(2)).await.unwrap();
    s.store.begin_stage(build, Stage::Push, Some(at(100)), at(2)).await.unwrap();
    assert_eq!(s.store.build(build).await.unwrap().deadline_at, Some(at(100)));
    let failure = Failure::new(ErrorCode::RegistryServerError, "502");
    let patch =
        BuildPatch { failure: Change::Set(failure.clone()), not_before: Change::Set(at(30)), ..BuildPatch::default() };
    assert!(s.store.transition(build, BuildState::Running, BuildState::Queued, &patch, at(3)).await.unwrap());
    let record = s.store.build(build).await.unwrap();
    assert_eq!((record.not_before, record.failure, record.boot_id), (Some(at(30)), Some(failure.clone()), None));
    assert_eq!((record.deadline_at, record.stage), (None, Some(Stage::Push)));
    assert!(s.store.list_runnable(at(29)).await.unwrap().is_empty());
    assert!(!s.store.claim(build, "boot", at(29)).await.unwrap());
    assert_eq!(s.store.list_runnable(at(30)).await.unwrap().len(), 1);
    assert!(s.store.claim(build, "boot", at(30)).await.unwrap());
    let record = s.store.build(build).await.unwrap();
    assert_eq!((record.attempt, record.started_at, record.not_before), (2, Some(at(2)), None));

    let waiting = BuildPatch { reason: Change::Set(BuildReason::Waiting { failure }), ..BuildPatch::default() };
    assert!(s.store.transition(build, BuildState::Running, BuildState::Paused, &waiting, at(31)).await.unwrap());
    assert!(matches!(s.store.build(build).await.unwrap().reason, Some(BuildReason::Waiting { .. })));
    assert_eq!(s.store.list_runnable(at(32)).await.unwrap()[0].id, build);
    assert!(s.store.claim(build, "boot", at(33)).await.unwrap());
    assert_eq!(s.store.build(build).await.unwrap().reason, None);
    assert_eq!(s.store.non_final().await.unwrap().len(), 1);
}

#[tokio::test]
async fn cancel_ends_what_waits_and_marks_what_runs_twice_in_a_row_too() {
    let s = setup().await;
    let waiting = queued(&s).await;
    for _ in 0..2 {
        assert_eq!(s.store.request_cancel(waiting, at(5)).await.unwrap(), BuildState::Cancelled);
    }
    let record = s.store.build(waiting).await.unwrap();
    assert_eq!((record.ended_at, record.failure), (Some(at(5)), Some(Failure::cancelled())));

    let running = queued(&s).await;
    s.store.claim(running, "boot", at(2)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(s.store.request_cancel(running, at(5)).await.unwrap(), BuildState::Running);
        assert!(s.store.build(running).await.unwrap().cancel_requested);
    }
    // Sent back to the queue in the meantime, it is not claimed again, and the next request ends it.
    s.store.transition(running, BuildState::Running, BuildState::Queued, &BuildPatch::default(), at(6)).await.unwrap();
    assert!(!s.store.claim(running, "boot", at(7)).await.unwrap());
    assert_eq!(s.store.request_cancel(running, at(8)).await.unwrap(), BuildState::Cancelled);

    let paused = queued(&s).await;
    s.store.transition(paused, BuildState::Queued, BuildState::Paused, &BuildPatch::default(), at(6)).await.unwrap();
    assert_eq!(s.store.request_cancel(paused, at(8)).await.unwrap(), BuildState::Cancelled);
    assert!(s.store.non_final().await.unwrap().is_empty());
}

#[tokio::test]
async fn finishing_ends_stages_and_tells_the_rule_what_was_built() {
    let s = setup().await;
    let main = branch("main");
    let (first, second) = (s.push(&main, 'a').await, s.push(&main, 'b').await);
    for (digit, observation, to) in
        [('b', second, BuildState::Succeeded), ('a', first, BuildState::Succeeded), ('c', second, BuildState::Failed)]
    {
        let mut new = s.push_build(&main, digit, observation);
        if digit == 'c' {
            new.kind = slipway_core::build::BuildKind::Rerun;
        }
        let build = s.store.create_build(&new, at(1)).await.unwrap().id;
        s.store.claim(build, "boot", at(2)).await.unwrap();
        s.store.begin_stage(build, Stage::Checkout, None, at(2)).await.unwrap();
        s.store.end_stage(build, Stage::Checkout, StageOutcome::Succeeded, at(3)).await.unwrap();
        s.store.begin_stage(build, Stage::Build, None, at(3)).await.unwrap();
        assert!(s.store.finish(build, to, None, None, at(4)).await.unwrap());
        assert!(!s.store.finish(build, BuildState::Failed, None, None, at(5)).await.unwrap());
        let stages = s.store.stages(build).await.unwrap();
        let expected = if to == BuildState::Failed { StageOutcome::Failed } else { StageOutcome::Succeeded };
        assert_eq!(stages.iter().map(|stage| stage.stage).collect::<Vec<_>>(), [Stage::Checkout, Stage::Build]);
        assert_eq!((stages[1].outcome, stages[1].ended_at), (Some(expected), Some(at(4))));
        assert_eq!(s.store.build(build).await.unwrap().boot_id, None);
    }
    // The older push ended later and the rerun failed: neither changes what the rule built last.
    let built = s.store.rule_ref(s.rule, &main).await.unwrap().unwrap();
    assert_eq!((built.built_commit, built.built_observation), (Some(commit_id('b')), Some(second)));
    let open = queued(&s).await;
    assert!(matches!(
        s.store.finish(open, BuildState::Succeeded, None, None, at(5)).await.unwrap_err(),
        StoreError::WrongState(_)
    ));
    assert!(matches!(
        s.store.begin_stage(open, Stage::Build, None, at(5)).await.unwrap_err(),
        StoreError::WrongState(_)
    ));
}
