//! Creating, reading and removing build records.

use super::{at, branch, commit, setup};
use crate::{NewBuild, StoreError};
use slipway_core::build::{BuildKind, BuildNumber, BuildReason, BuildState, BuiltImage, Stage};
use slipway_core::code::RefName;
use slipway_core::ids::{BuildId, ImageRepositoryId};
use slipway_core::image::{ContentIdentity, ImageId, Tag};
use slipway_core::log::{StepKey, StepUpdate};
use slipway_core::rule::Strategy;
use slipway_core::{ErrorCode, Failure};

#[tokio::test]
async fn everything_of_a_build_comes_back() {
    let s = setup().await;
    let main = branch("main");
    let observation = s.push(&main, 'a').await;
    let mut new = s.push_build(&main, 'a', observation);
    new.commit = None;
    let created = s.store.create_build(&new, at(2)).await.unwrap();
    s.store.set_commit(created.id, &commit('b', "later")).await.unwrap();
    let image = BuiltImage {
        id: ImageId("sha256:1".into()),
        content: ContentIdentity("c".into()),
        size: 12,
        platforms: vec!["linux/arm64".parse().unwrap()],
    };
    s.store.set_result(created.id, &image).await.unwrap();
    s.store.set_log_size(created.id, 3, 400).await.unwrap();
    let build = s.store.build(created.id).await.unwrap();
    assert_eq!((build.repository, build.number, build.rule), (s.repository, BuildNumber(1), Some(s.rule)));
    assert_eq!((build.kind, build.code, build.ref_name), (BuildKind::Push, Some(s.code), Some(main)));
    assert_eq!((build.observation, build.commit), (Some(observation), Some(commit('b', "later"))));
    assert_eq!(build.inputs.commit, build.commit_id);
    assert_eq!((build.state, build.stage, build.engine.as_str()), (BuildState::Queued, None, "local"));
    assert_eq!((build.image, build.log_lines, build.log_bytes), (Some(image), 3, 400));
    assert_eq!((build.created_at, build.started_at, build.ended_at), (at(2), None, None));
    let same = s.store.build_by_number(s.repository, BuildNumber(1)).await.unwrap();
    assert_eq!(same.id, created.id);
}

#[tokio::test]
async fn a_push_is_built_once() {
    let s = setup().await;
    let main = branch("main");
    let observation = s.push(&main, 'a').await;
    let new = s.push_build(&main, 'a', observation);
    let first = s.store.create_build(&new, at(2)).await.unwrap();
    let again = s.store.create_build(&new, at(3)).await.unwrap();
    assert!(first.created && !again.created);
    assert_eq!(again.id, first.id);
    let refs = s.store.rule_refs(s.rule).await.unwrap();
    assert_eq!(refs[0].handled, Some(observation));
    // A person may build the same push again, as often as wanted.
    for _ in 0..2 {
        let rerun = NewBuild { kind: BuildKind::Rerun, rerun_of: Some(first.id), ..new.clone() };
        assert!(s.store.create_build(&rerun, at(4)).await.unwrap().created);
    }
    // The answer took no number.
    assert_eq!(s.store.image_repository(s.repository).await.unwrap().next_build_number, BuildNumber(4));
}

#[tokio::test]
async fn a_newer_push_supersedes_what_waits_and_only_that() {
    let s = setup().await;
    let (main, other, tag) = (branch("main"), branch("other"), RefName::tag("v1").unwrap());
    let mut ids = Vec::new();
    for (ref_name, digit) in [(&main, 'a'), (&main, 'b'), (&other, 'c'), (&tag, 'd')] {
        let observation = s.push(ref_name, digit).await;
        let build = s.push_build(ref_name, digit, observation);
        // Every push, so that they stand beside each other.
        let mut build = build;
        build.inputs.strategy = Strategy::EveryPush;
        let created = s.store.create_build(&build, at(2)).await.unwrap();
        assert_eq!(created.superseded, vec![]);
        ids.push(created.id);
    }
    let manual = s.store.create_build(&s.manual_build(), at(2)).await.unwrap().id;
    assert!(s.store.claim(ids[0], "boot", at(3)).await.unwrap());

    let observation = s.push(&main, 'e').await;
    let newest = s.store.create_build(&s.push_build(&main, 'e', observation), at(4)).await.unwrap();
    assert_eq!(newest.superseded, vec![ids[1]]);
    let covered = s.store.build(ids[1]).await.unwrap();
    assert_eq!((covered.state, covered.covered_by), (BuildState::Superseded, Some(newest.id)));
    assert_eq!(covered.reason, Some(BuildReason::SupersededBy { build: newest.id }));
    assert_eq!(covered.ended_at, Some(at(4)));
    for (id, state) in [
        (ids[0], BuildState::Running),
        (ids[2], BuildState::Queued),
        (ids[3], BuildState::Queued),
        (manual, BuildState::Queued),
    ] {
        assert_eq!(s.store.build(id).await.unwrap().state, state);
    }
    // Tags are never superseded.
    let again = s.push(&tag, 'f').await;
    assert_eq!(s.store.create_build(&s.push_build(&tag, 'f', again), at(5)).await.unwrap().superseded, vec![]);
    // A push that needs no build does not take the place of one that does.
    let skipped = s.push(&main, '0').await;
    let skipped = NewBuild {
        state: BuildState::Skipped,
        reason: Some(BuildReason::SkipWord { word: "[skip ci]".into() }),
        ..s.push_build(&main, '0', skipped)
    };
    let skipped = s.store.create_build(&skipped, at(6)).await.unwrap();
    assert_eq!(skipped.superseded, vec![]);
    assert_eq!(s.store.build(skipped.id).await.unwrap().ended_at, Some(at(6)));
}

#[tokio::test]
async fn an_older_push_that_comes_late_supersedes_nothing() {
    let s = setup().await;
    let main = branch("main");
    let (older, newer) = (s.push(&main, 'a').await, s.push(&main, 'b').await);
    let first = s.store.create_build(&s.push_build(&main, 'b', newer), at(2)).await.unwrap();
    let late = s.store.create_build(&s.push_build(&main, 'a', older), at(3)).await.unwrap();
    assert_eq!(late.superseded, vec![]);
    assert_eq!(s.store.build(first.id).await.unwrap().state, BuildState::Queued);
    // And what is handled never goes back.
    assert_eq!(s.store.rule_ref(s.rule, &main).await.unwrap().unwrap().handled, Some(newer));
}

#[tokio::test]
async fn numbers_are_not_reused_after_deleting_records() {
    let s = setup().await;
    let first = s.store.create_build(&s.manual_build(), at(1)).await.unwrap();
    let second = s.store.create_build(&s.manual_build(), at(1)).await.unwrap();
    assert_eq!((first.number, second.number), (BuildNumber(1), BuildNumber(2)));
    let refused = s.store.delete_record(second.id).await.unwrap_err();
    assert!(matches!(refused, StoreError::WrongState(_)), "{refused}");
    s.store.request_cancel(second.id, at(2)).await.unwrap();
    s.store.delete_record(second.id).await.unwrap();
    let third = s.store.create_build(&s.manual_build(), at(3)).await.unwrap();
    assert_eq!(third.number, BuildNumber(3));
    assert!(third.id > second.id);
    assert_eq!(Failure::from(s.store.build(second.id).await.unwrap_err()).code, ErrorCode::NotFound);
}

#[tokio::test]
async fn deleting_a_record_takes_its_parts_and_leaves_observations() {
    let s = setup().await;
    let main = branch("main");
    let observation = s.push(&main, 'a').await;
    let build = s.store.create_build(&s.push_build(&main, 'a', observation), at(2)).await.unwrap().id;
    s.store.claim(build, "boot", at(2)).await.unwrap();
    s.store.begin_stage(build, Stage::Build, None, at(2)).await.unwrap();
    let step = StepUpdate {
        key: StepKey("k".into()),
        name: "RUN make".into(),
        stage: None,
        position: Some((2, 5)),
        internal: false,
        started: Some(at(2)),
        completed: None,
        cached: false,
        error: None,
        lines: Some((3, 4)),
    };
    s.store.upsert_steps(build, std::slice::from_ref(&step)).await.unwrap();
    let publication =
        crate::NewPublication { tag: Tag::new("main").unwrap(), target: "docker.io/team/app:main".into() };
    s.store.create_publications(build, &[publication]).await.unwrap();
    s.store.finish(build, BuildState::Failed, Some(&Failure::internal("x")), None, at(3)).await.unwrap();
    s.store.delete_record(build).await.unwrap();
    assert_eq!(s.store.stages(build).await.unwrap(), vec![]);
    assert_eq!(s.store.steps(build).await.unwrap(), vec![]);
    assert_eq!(s.store.publications(build).await.unwrap(), vec![]);
    assert_eq!(s.store.observation(observation).await.unwrap().id, observation);
}

#[tokio::test]
async fn tags_are_rendered_once() {
    let s = setup().await;
    let build = s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id;
    let (one, two) = (Tag::new("one").unwrap(), Tag::new("two").unwrap());
    assert_eq!(s.store.set_tags(build, std::slice::from_ref(&one)).await.unwrap(), vec![one.clone()]);
    assert_eq!(s.store.set_tags(build, &[two]).await.unwrap(), vec![one.clone()]);
    assert_eq!(s.store.build(build).await.unwrap().tags, Some(vec![one]));
}

#[tokio::test]
async fn what_cannot_be_a_build_is_refused() {
    let s = setup().await;
    let mut running = s.manual_build();
    running.state = BuildState::Running;
    let mut push = s.manual_build();
    push.kind = BuildKind::Push;
    for bad in [running, push] {
        let error = s.store.create_build(&bad, at(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::WrongState(_)), "{error}");
    }
    let mut lost = s.manual_build();
    lost.repository = ImageRepositoryId(77);
    assert!(matches!(s.store.create_build(&lost, at(1)).await.unwrap_err(), StoreError::NotFound { .. }));
    assert!(matches!(s.store.build(BuildId(5)).await.unwrap_err(), StoreError::NotFound { .. }));
}

#[tokio::test]
async fn steps_keep_their_order_and_their_last_state() {
    let s = setup().await;
    let build = s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id;
    let step = |key: &str, completed| StepUpdate {
        key: StepKey(key.into()),
        name: format!("step {key}"),
        stage: Some("build".into()),
        position: None,
        internal: true,
        started: Some(at(1)),
        completed,
        cached: false,
        error: None,
        lines: None,
    };
    s.store.upsert_steps(build, &[step("z", None), step("a", None)]).await.unwrap();
    s.store.upsert_steps(build, &[step("z", Some(at(9)))]).await.unwrap();
    s.store.set_step_clipped(build, &StepKey("a".into())).await.unwrap();
    // One that was written by a call that was dropped is written again.
    for warning in ["first", "second", "first"] {
        s.store.add_step_warning(build, &StepKey("a".into()), warning).await.unwrap();
    }
    let steps = s.store.steps(build).await.unwrap();
    assert_eq!(steps.iter().map(|step| step.ordinal).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(steps[0].update, step("z", Some(at(9))));
    assert_eq!((steps[1].clipped, steps[1].warning.as_deref()), (true, Some("first\nsecond")));
    s.store.clear_steps(build).await.unwrap();
    assert_eq!(s.store.steps(build).await.unwrap(), vec![]);
}
