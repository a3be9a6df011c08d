//! F16: a full disk, the data folder's (a real small one) and the engine's.

use crate::world::{HOST, NAME, World, failure, reaches};
use slipway_app::Slipway;
use slipway_core::ErrorCode;
use slipway_core::build::{BuildState, WaitReason};
use slipway_testkit::fakes::FakeBuild;
use slipway_testkit::{SmallDisk, eventually};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

async fn is_short(app: &Slipway, short: bool) {
    eventually("the room is known", SOON, async || {
        let room = app.health().room;
        if room.is_some() == short { Ok(()) } else { Err(room) }
    })
    .await;
}

/// Returns why the oldest waiting build waits.
async fn waits_for(app: &Slipway) -> Option<ErrorCode> {
    match app.queue().await.unwrap().into_iter().next()?.waits_for? {
        WaitReason::Outside { failure } => Some(failure.code),
        _ => None,
    }
}

#[tokio::test]
async fn f16_on_a_full_disk_nothing_begins_and_everything_goes_on_when_there_is_room() {
    let world = World::new();
    let disk = SmallDisk::over(world.root.path(), 64);
    let ready = world.ready().await;
    is_short(&ready.app, false).await;
    disk.fill(1 << 20);
    is_short(&ready.app, true).await;
    let room = ready.app.health().room.unwrap();
    assert_eq!(room.failure.code, ErrorCode::DiskFull);
    assert!(room.free_bytes.unwrap() < room.needed_bytes, "{room:?}");
    // A person's look is taken: its rows still fit. What it found waits and says why.
    world.remote().push("main", "second", &[("index.html", "two")]);
    let build = ready.look().await.remove(0);
    assert_eq!(waits_for(&ready.app).await, Some(ErrorCode::DiskFull));
    assert_eq!((build.state, world.engine.calls("build")), (BuildState::Queued, 0));
    disk.make_room();
    ready.reaches(build.id, BuildState::Succeeded).await;
    is_short(&ready.app, false).await;
    ready.app.shutdown().await;
}

#[tokio::test]
async fn f16_a_disk_that_fills_up_while_a_build_runs_loses_nothing() {
    let world = World::new();
    let disk = SmallDisk::over(world.root.path(), 64);
    let ready = world.ready().await;
    world.engine.hold_builds(true);
    // Larger than what SQLite's log has in reserve.
    world.engine.next_build(FakeBuild { lines: vec!["x".repeat(1000); 4000], ..FakeBuild::default() });
    world.remote().push("main", "second", &[("index.html", "two")]);
    let build = ready.look().await.remove(0).id;
    world.engine.builds_waiting(1).await;
    disk.fill(0);
    world.engine.hold_builds(false);
    is_short(&ready.app, true).await;
    eventually("the build waits for room", SOON, async || {
        let row = ready.app.store().build(build).await.unwrap();
        // Its row may not even fit: then it says so as soon as there is room.
        if row.state == BuildState::Paused || world.engine.calls("build") == 1 { Ok(()) } else { Err(row.state) }
    })
    .await;
    disk.make_room();
    let done = reaches(&ready.app, build, BuildState::Succeeded).await;
    assert!(done.attempt >= 1);
    assert_eq!(world.registries.moves(HOST, NAME, "main").len(), 1, "the tag moved once");
    assert_eq!(ready.app.store().check().await.unwrap(), None, "the database is sound");
    is_short(&ready.app, false).await;
    ready.app.shutdown().await;
    let again = world.open().await;
    assert!(again.database_recovery().is_none());
    assert_eq!(again.store().build(build).await.unwrap().state, BuildState::Succeeded);
    again.shutdown().await;
}

#[tokio::test]
async fn f16_builds_on_an_engine_whose_disk_is_full_wait_and_go_on() {
    let world = World::new();
    let ready = world.ready().await;
    let full = failure(ErrorCode::EngineDiskFull).with("retry_after", "3600");
    world.engine.next_build(FakeBuild { failure: Some(full), ..FakeBuild::default() });
    world.remote().push("main", "second", &[("index.html", "two")]);
    let build = ready.look().await.remove(0).id;
    ready.reaches(build, BuildState::Paused).await;
    assert_eq!(ready.app.health().full_engines, ["local"]);
    assert_eq!(waits_for(&ready.app).await, Some(ErrorCode::EngineDiskFull));
    // Another ref's build is not begun there meanwhile.
    world.remote().push("other", "third", &[("Dockerfile", "FROM scratch\n"), ("index.html", "three")]);
    let other = ready.look().await.pop().unwrap().id;
    assert_eq!(ready.app.store().build(other).await.unwrap().state, BuildState::Queued);
    assert_eq!(world.engine.calls("build"), 1);
    // A person made room and says so.
    ready.app.check_health().await.unwrap();
    ready.reaches(build, BuildState::Succeeded).await;
    ready.reaches(other, BuildState::Succeeded).await;
    assert_eq!(ready.app.health().full_engines, Vec::<String>::new());
    ready.app.shutdown().await;
}
