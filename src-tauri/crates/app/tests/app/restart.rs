//! F01, F04, F05, F07: the application or the engine goes away at any stage, and nothing is lost or done twice.

use crate::world::{HOST, NAME, Ready, World, failure, reaches};
use slipway_core::ErrorCode;
use slipway_core::build::{BuildState, WaitReason};
use slipway_testkit::fakes::FakeBuild;

async fn pushed(world: &World) -> Ready {
    let ready = world.ready().await;
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready
}

/// Stops the application, opens it again and lets the build end.
async fn reopened(world: &World, ready: Ready) {
    let build = ready.builds().await.remove(0);
    ready.app.shutdown().await;
    drop(ready);
    world.code.hold_fetches(false);
    world.engine.hold_builds(false);
    world.engine.hold_pushes(false);
    let app = world.open().await;
    let done = reaches(&app, build.id, BuildState::Succeeded).await;
    assert_eq!(done.number, build.number);
    assert_eq!(world.registries.moves(HOST, NAME, "main").len(), 1, "the tag moved once");
    app.shutdown().await;
}

#[tokio::test]
async fn f01_stopped_while_fetching() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.code.hold_fetches(true);
    ready.look().await;
    world.code.fetches_waiting(1).await;
    reopened(&world, ready).await;
    assert_eq!(world.engine.calls("build"), 1);
}

#[tokio::test]
async fn f01_stopped_while_building() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.hold_builds(true);
    ready.look().await;
    world.engine.builds_waiting(1).await;
    reopened(&world, ready).await;
    assert_eq!(world.engine.calls("build"), 2);
}

#[tokio::test]
async fn f01_stopped_while_pushing_does_not_build_again() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.hold_pushes(true);
    ready.look().await;
    world.engine.pushes_waiting(1).await;
    reopened(&world, ready).await;
    assert_eq!(world.engine.calls("build"), 1);
}

#[tokio::test]
async fn p2_f01_stopped_between_push_and_its_row_moves_the_tag_once() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.hold_pushes(true);
    ready.look().await;
    world.engine.pushes_waiting(1).await;
    let build = ready.builds().await.remove(0);
    ready.app.shutdown().await;
    // The registry had stored everything when the application died.
    let image = build.image.unwrap().id;
    world.engine.hold_pushes(false);
    world.engine.store_as_pushed(&image, HOST, NAME, "main");
    let app = world.open().await;
    reaches(&app, build.id, BuildState::Succeeded).await;
    assert_eq!(world.registries.moves(HOST, NAME, "main").len(), 1);
    assert_eq!(world.engine.calls("push"), 1, "only the push that was broken off");
    assert_eq!(
        app.build_detail(build.id).await.unwrap().publications[0].state,
        slipway_core::build::PublicationState::Done
    );
}

#[tokio::test]
async fn f04_what_the_engine_finished_meanwhile_is_adopted() {
    let world = World::new();
    let ready = pushed(&world).await;
    // The connection breaks, the engine goes on and finishes.
    world.engine.next_build(FakeBuild {
        failure: Some(failure(ErrorCode::EngineLost)),
        finishes_anyway: true,
        ..FakeBuild::default()
    });
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.state, BuildState::Succeeded, "{:?}", build.failure);
    assert_eq!(world.engine.calls("build"), 1, "no twin build");
}

#[tokio::test]
async fn f05_an_engine_that_restarts_mid_build_is_waited_for_and_the_log_is_kept() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.next_build(FakeBuild {
        lines: vec!["before the restart".to_owned()],
        failure: Some(failure(ErrorCode::EngineLost)),
        ..FakeBuild::default()
    });
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!((build.state, build.attempt), (BuildState::Succeeded, 2), "{:?}", build.failure);
    assert_eq!(world.engine.calls("build"), 2);
    assert_eq!(ready.app.logs().search(build.id, "before the restart", true, 0, 1).unwrap().count, 1);
}

#[tokio::test]
async fn f07_an_engine_that_is_away_is_waited_for_with_the_reason() {
    let world = World::new();
    world.engine.set_absent(true);
    let ready = pushed(&world).await;
    ready.look().await;
    let build = ready.builds().await.remove(0);
    ready.reaches(build.id, BuildState::Paused).await;
    let waiting = ready.app.queue().await.unwrap().remove(0);
    assert!(
        matches!(waiting.waits_for, Some(WaitReason::Outside { failure }) if failure.code == ErrorCode::EngineAbsent)
    );
    world.engine.set_absent(false);
    world.clock.advance(crate::world::minutes(5));
    ready.reaches(build.id, BuildState::Succeeded).await;
}

#[tokio::test]
async fn f15_a_locked_keychain_pauses_the_build() {
    let world = World::new();
    let ready = pushed(&world).await;
    let secret = ready.app.keep_build_secret("token", &slipway_core::Secret::new("s3cret-token")).await.unwrap();
    let mut spec = ready.app.rule(ready.rule).await.unwrap().spec;
    spec.options.secrets.push(slipway_core::rule::RuleSecret { id: "token".to_owned(), secret });
    // Editing looks first, and the push is made under the old rule: push once more.
    ready.app.edit_rule(ready.rule, &spec).await.unwrap();
    ready.idle().await;
    world.vault.set_locked(true);
    world.remote().push("main", "third", &[("index.html", "three")]);
    ready.look().await;
    let build = ready.builds().await.pop().unwrap();
    ready.reaches(build.id, BuildState::Paused).await;
    world.vault.set_locked(false);
    world.clock.advance(crate::world::minutes(5));
    ready.reaches(build.id, BuildState::Succeeded).await;
}

#[tokio::test]
async fn f03_a_panic_in_a_worker_fails_that_build_and_the_queue_goes_on() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.next_build(FakeBuild { panics: true, ..FakeBuild::default() });
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!((build.state, build.failure.unwrap().code), (BuildState::Failed, ErrorCode::Internal));
    world.remote().push("main", "third", &[("index.html", "three")]);
    ready.look().await;
    assert_eq!(ready.idle().await[1].state, BuildState::Succeeded);
}

#[tokio::test]
async fn f21_a_clock_set_back_keeps_no_build_waiting_for_years() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.fail("push", failure(ErrorCode::RegistryRateLimited).with("retry_after", "90"), 1);
    ready.look().await;
    let build = ready.builds().await.remove(0);
    while ready.app.store().build(build.id).await.unwrap().not_before.is_none() {
        tokio::task::yield_now().await;
    }
    world.clock.advance(-chrono::TimeDelta::days(3650));
    ready.reaches(build.id, BuildState::Succeeded).await;
}

#[tokio::test]
async fn f01_f33_p6_what_a_killed_run_left_is_tidied_at_the_next_start_and_nothing_else() {
    let world = World::new();
    let ready = pushed(&world).await;
    ready.look().await;
    let build = ready.idle().await.remove(0).id;
    ready.app.shutdown().await;
    drop(ready);
    // Killed between the end of a build and its tidying, and between a record's end and its log's.
    let (left, others) = (format!("slipway.local/build:{build}"), "slipway.local/build:theirs-7");
    for name in [left.as_str(), others] {
        world.engine.tag_from_elsewhere(name, "left");
    }
    let logs = world.root.path().join("logs");
    for file in ["777.log", "777.idx"] {
        std::fs::write(logs.join(file), "left").unwrap();
    }
    world.engine.set_absent(true);
    let app = world.open().await;
    let tidy = async |what: &str, named: bool| {
        slipway_testkit::eventually(what, std::time::Duration::from_secs(20), async || {
            let files = ["777.log", "777.idx"].map(|file| logs.join(file).exists());
            let seen = (files, world.engine.named(&left).is_some());
            if seen == ([false, false], named) { Ok(()) } else { Err(seen) }
        })
        .await;
    };
    tidy("the logs are tidied", true).await;
    world.engine.set_absent(false);
    tidy("the engine is tidied when it is back", false).await;
    assert!(world.engine.named(others).is_some(), "another data folder's name stays");
    assert!(logs.join(format!("{build}.log")).exists(), "a record's log stays");
    app.shutdown().await;
}

#[tokio::test]
async fn f03_p6_a_name_that_stays_because_the_engine_went_away_is_taken_away_when_it_is_back() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.hold_builds(true);
    ready.look().await;
    let build = ready.builds().await.remove(0).id;
    let left = format!("slipway.local/build:{build}");
    world.engine.tag_from_elsewhere(&left, "built");
    world.engine.fail("forget_build", failure(ErrorCode::EngineAbsent), 1);
    world.engine.hold_builds(false);
    ready.idle().await;
    slipway_testkit::eventually("the name is taken away", std::time::Duration::from_secs(20), async || {
        if world.engine.named(&left).is_none() { Ok(()) } else { Err(left.clone()) }
    })
    .await;
    assert_eq!(world.engine.calls("forget_build"), 1);
}

#[tokio::test]
async fn f18_the_database_is_backed_up_once_a_day() {
    let world = World::new();
    let app = world.open().await;
    app.shutdown().await;
    world.clock.advance(chrono::TimeDelta::days(2));
    let app = world.open().await;
    let backups = world.root.path().join("backups");
    let deadline = std::time::Duration::from_secs(20);
    slipway_testkit::eventually("a backup", deadline, async || {
        let found = std::fs::read_dir(&backups).unwrap().count();
        if found > 0 { Ok(()) } else { Err(found) }
    })
    .await;
    app.shutdown().await;
}
