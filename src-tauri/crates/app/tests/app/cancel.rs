//! F34: cancel in every phase, twice.

use crate::world::{HOST, NAME, Ready, World};
use slipway_core::build::BuildState;
use slipway_testkit::eventually;
use slipway_testkit::fakes::FakeBuild;
use std::time::Duration;

async fn pushed(world: &World) -> Ready {
    let ready = world.ready().await;
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready
}

async fn cancelled_twice(ready: &Ready) {
    let build = ready.builds().await.remove(0);
    ready.app.cancel_build(build.id).await.unwrap();
    ready.app.cancel_build(build.id).await.unwrap();
    ready.reaches(build.id, BuildState::Cancelled).await;
    assert_eq!(ready.app.cancel_build(build.id).await.unwrap(), BuildState::Cancelled);
}

#[tokio::test]
async fn f34_cancel_while_queued() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.hold_builds(true);
    let other = world.remote().push("other", "first", &[("Dockerfile", "FROM scratch\n")]);
    let settings = slipway_app::Settings { concurrency: 1, ..slipway_app::Settings::default() };
    ready.app.set_settings(&settings).await.unwrap();
    ready.look().await;
    world.engine.builds_waiting(1).await;
    let waiting = ready.app.queue().await.unwrap().pop().unwrap();
    assert!(waiting.waits_for.is_some());
    ready.app.cancel_build(waiting.build.id).await.unwrap();
    ready.reaches(waiting.build.id, BuildState::Cancelled).await;
    world.engine.hold_builds(false);
    let builds = ready.idle().await;
    assert_eq!(builds.iter().filter(|build| build.state == BuildState::Succeeded).count(), 1);
    assert_eq!(world.engine.calls("build"), 1, "{other} was never built");
}

#[tokio::test]
async fn f34_cancel_while_fetching() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.code.hold_fetches(true);
    ready.look().await;
    world.code.fetches_waiting(1).await;
    cancelled_twice(&ready).await;
    assert_eq!(world.engine.calls("build"), 0);
}

#[tokio::test]
async fn f34_cancel_while_building() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.hold_builds(true);
    world.engine.next_build(FakeBuild { hangs: true, ..FakeBuild::default() });
    ready.look().await;
    world.engine.builds_waiting(1).await;
    cancelled_twice(&ready).await;
    assert_eq!(world.registries.tag(HOST, NAME, "main"), None);
}

#[tokio::test]
async fn f34_cancel_while_pushing() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.hold_pushes(true);
    ready.look().await;
    world.engine.pushes_waiting(1).await;
    cancelled_twice(&ready).await;
    world.engine.hold_pushes(false);
    assert_eq!(world.registries.tag(HOST, NAME, "main"), None);
    let build = ready.builds().await.remove(0);
    // They end just after the build's row.
    eventually("the publications have failed", Duration::from_secs(20), async || {
        let publications = ready.app.build_detail(build.id).await.unwrap().publications;
        let failed = publications.iter().all(|one| one.state == slipway_core::build::PublicationState::Failed);
        if failed { Ok(()) } else { Err(publications) }
    })
    .await;
}

#[tokio::test]
async fn f34_cancel_then_crash_is_still_cancelled() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.hold_builds(true);
    ready.look().await;
    world.engine.builds_waiting(1).await;
    let build = ready.builds().await.remove(0);
    // The wish is written, and the application ends before its worker sees it.
    ready.app.store().request_cancel(build.id, build.created_at).await.unwrap();
    ready.app.shutdown().await;
    let app = world.open().await;
    assert_eq!(app.store().build(build.id).await.unwrap().state, BuildState::Cancelled);
}
