//! F08 to F11, F26: registries fail in every way, and a push never builds again or moves a tag back.

use crate::world::{HOST, NAME, Ready, World, failure};
use slipway_core::ErrorCode;
use slipway_core::build::{BuildState, PublicationState, Stage, WaitReason};
use slipway_core::image::Tag;
use slipway_core::rule::{RuleSpec, VersionRule};
use slipway_testkit::eventually;
use std::time::Duration;

async fn pushed(world: &World) -> Ready {
    let ready = world.ready().await;
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready
}

#[tokio::test]
async fn f08_a_registry_that_fails_twice_is_tried_again_without_a_build() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.fail("push", failure(ErrorCode::RegistryServerError), 2);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.state, BuildState::Succeeded, "{:?}", build.failure);
    assert_eq!((world.engine.calls("push"), world.engine.calls("build")), (3, 1));
}

#[tokio::test]
async fn f08_beyond_the_budget_the_push_waits_and_goes_on_later() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.fail("push", failure(ErrorCode::RegistryServerError), 3);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.state, BuildState::Succeeded);
    assert_eq!((world.engine.calls("push"), world.engine.calls("build")), (4, 1));
}

#[tokio::test]
async fn f09_what_the_registry_asks_is_waited_exactly() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.fail("push", failure(ErrorCode::RegistryRateLimited).with("retry_after", "90"), 1);
    ready.look().await;
    let build = ready.builds().await.remove(0);
    let waiting = loop {
        let queue = ready.app.queue().await.unwrap();
        if let Some(WaitReason::Backoff { until, .. }) = queue[0].waits_for {
            break until;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((waiting - slipway_core::ports::Clock::now(&*world.clock)).num_seconds(), 90);
    world.clock.advance(chrono::TimeDelta::seconds(91));
    ready.reaches(build.id, BuildState::Succeeded).await;
    assert_eq!((world.engine.calls("push"), world.engine.calls("build")), (2, 1));
}

#[tokio::test]
async fn p6_an_image_of_ours_goes_with_the_name_that_moves_on() {
    let world = World::new();
    let ready = pushed(&world).await;
    ready.look().await;
    ready.idle().await;
    let of_one_build = world.engine.calls("untag");
    world.remote().push("main", "third", &[("index.html", "three")]);
    ready.look().await;
    ready.idle().await;
    assert_eq!(world.engine.calls("untag"), 2 * of_one_build + 1, "the first build's image keeps lying there");
    let foreign = world.engine.tag_from_elsewhere(&format!("{HOST}/{NAME}:main"), "somebody else's");
    // Built `FROM` an image of ours, it has its label.
    world.engine.label(&foreign, "slipway.build", &ready.builds().await[0].id.to_string());
    world.remote().push("main", "fourth", &[("index.html", "four")]);
    ready.look().await;
    ready.idle().await;
    assert_eq!(world.engine.calls("untag"), 3 * of_one_build + 1, "what others made is left alone");
}

#[tokio::test]
async fn p6_an_image_of_ours_that_no_registry_has_keeps_lying_there() {
    let world = World::new();
    let ready = pushed(&world).await;
    ready.look().await;
    ready.idle().await;
    let of_one_build = world.engine.calls("untag");
    world.engine.fail("push", failure(ErrorCode::RegistryDenied), 1);
    world.remote().push("main", "third", &[("index.html", "three")]);
    ready.look().await;
    assert_eq!(ready.idle().await.pop().unwrap().state, BuildState::Failed);
    // The second took the name from the first, which the registry has; nothing takes it from the second.
    assert_eq!(world.engine.calls("untag"), 2 * of_one_build + 1);
    world.remote().push("main", "fourth", &[("index.html", "four")]);
    ready.look().await;
    assert_eq!(ready.idle().await.pop().unwrap().state, BuildState::Succeeded);
    assert_eq!(world.engine.calls("untag"), 3 * of_one_build + 1);
}

#[tokio::test]
async fn f13_a_page_in_the_registrys_place_is_taken_for_its_answer_after_an_hour_of_tries() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.fail("push", failure(ErrorCode::NotARegistry), 5);
    ready.look().await;
    assert_eq!(ready.idle().await[0].state, BuildState::Succeeded, "a captive portal is gone after a while");
    let before = world.engine.calls("push");
    world.engine.fail("push", failure(ErrorCode::NotARegistry), 100);
    world.remote().push("main", "third", &[("index.html", "three")]);
    ready.look().await;
    let build = ready.idle().await.pop().unwrap();
    assert_eq!(build.failure.map(|failure| failure.code), Some(ErrorCode::NotARegistry));
    assert_eq!((build.state, world.engine.calls("push") - before), (BuildState::Failed, 18));
}

#[tokio::test]
async fn f10_cut_after_the_manifest_was_stored_is_a_success() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.fail_push_after_storing(failure(ErrorCode::PushInterrupted));
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.state, BuildState::Succeeded, "{:?}", build.failure);
    assert_eq!(world.engine.calls("push"), 1);
    assert_eq!(world.registries.moves(HOST, NAME, "main").len(), 1);
}

#[tokio::test]
async fn f11_a_401_in_the_middle_is_tried_again_with_a_fresh_login() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.fail("push", failure(ErrorCode::RegistryUnauthorized), 1);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.state, BuildState::Succeeded, "{:?}", build.failure);
    assert_eq!(world.engine.calls("build"), 1);
}

#[tokio::test]
async fn f11_a_login_that_stays_refused_fails_for_good() {
    let world = World::new();
    let ready = pushed(&world).await;
    world.engine.fail("push", failure(ErrorCode::RegistryUnauthorized), 9);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.failure.unwrap().code, ErrorCode::RegistryUnauthorized);
}

#[tokio::test]
async fn a_further_tag_is_pushed_where_the_registry_takes_no_manifest() {
    let world = World::new();
    let ready = world.ready_with(|spec| spec.overwrite_tag = Some(Tag::new("latest").unwrap())).await;
    world.remote().push("main", "second", &[("index.html", "two")]);
    world.registries.fail("put_manifest", failure(ErrorCode::ManifestInvalid), 1);
    ready.look().await;
    ready.idle().await;
    assert_eq!(world.engine.calls("push"), 2);
    assert_eq!(world.registries.tag(HOST, NAME, "latest"), world.registries.tag(HOST, NAME, "main"));
}

#[tokio::test]
async fn p7_f26_a_late_finisher_leaves_the_tag_to_the_newer_push() {
    let world = World::new();
    let ready = world
        .ready_with(|spec| {
            spec.version = VersionRule::Templates { templates: vec!["{branch}-{short_sha}".to_owned()] };
            spec.overwrite_tag = Some(Tag::new("latest").unwrap());
        })
        .await;
    // Two branches share the tag `latest`; the earlier push is held up by the registry while the later one finishes.
    world.engine.fail("push", failure(ErrorCode::RegistryRateLimited).with("retry_after", "60"), 1);
    world.remote().push("old", "old", &[("Dockerfile", "FROM scratch\n"), ("index.html", "old")]);
    ready.look().await;
    let old = ready.builds().await.remove(0);
    while ready.app.store().build(old.id).await.unwrap().not_before.is_none() {
        tokio::task::yield_now().await;
    }
    world.remote().push("new", "new", &[("Dockerfile", "FROM scratch\n"), ("index.html", "new")]);
    ready.look().await;
    let new = ready.builds().await.pop().unwrap();
    ready.reaches(new.id, BuildState::Succeeded).await;
    let latest = world.registries.tag(HOST, NAME, "latest").unwrap();
    world.clock.advance(chrono::TimeDelta::seconds(61));
    ready.reaches(old.id, BuildState::Succeeded).await;
    let states: Vec<_> =
        ready.app.build_detail(old.id).await.unwrap().publications.into_iter().map(|one| one.state).collect();
    assert_eq!(states, [PublicationState::Done, PublicationState::KeptNewer]);
    assert_eq!(world.registries.tag(HOST, NAME, "latest"), Some(latest));
    // Neither does running it again move the tag back.
    let again = ready.app.rerun(old.id).await.unwrap();
    ready.reaches(again, BuildState::Succeeded).await;
    assert_eq!(world.registries.moves(HOST, NAME, "latest").len(), 1);
}

#[tokio::test]
async fn p7_f26_builds_of_two_branches_move_a_shared_tag_one_after_another() {
    let world = World::new();
    let shared = |spec: &mut RuleSpec| spec.version = VersionRule::Templates { templates: vec!["shared".to_owned()] };
    let ready = world.ready_with(shared).await;
    world.engine.hold_pushes(true);
    for branch in ["main", "next"] {
        world.remote().push(branch, branch, &[("Dockerfile", "FROM scratch\n"), ("index.html", branch)]);
        ready.look().await;
    }
    eventually("both builds are at their push", Duration::from_secs(20), async || {
        let builds = ready.builds().await;
        let at_push = builds.iter().filter(|build| build.stage == Some(Stage::Push)).count();
        if at_push == 2 { Ok(()) } else { Err(builds) }
    })
    .await;
    world.engine.pushes_waiting(1).await;
    assert_eq!(world.engine.calls("push"), 1, "the other one waits for its turn");
    world.engine.hold_pushes(false);
    let builds = ready.idle().await;
    assert_eq!(Ready::states(&builds), [BuildState::Succeeded; 2], "{builds:?}");
    let newer = ready.app.build_detail(builds[1].id).await.unwrap().publications.remove(0);
    assert_eq!((newer.state, &newer.digest), (PublicationState::Done, &world.registries.tag(HOST, NAME, "shared")));
}

#[tokio::test]
async fn a_write_once_tag_that_exists_stops_before_the_build() {
    let world = World::new();
    let ready = pushed(&world).await;
    let mut spec = ready.app.image_repository(ready.repository).await.unwrap().spec;
    spec.write_once = vec!["main".to_owned()];
    ready.app.edit_image_repository(ready.repository, &spec).await.unwrap();
    world.registries.store_image(HOST, NAME, "main", "linux/amd64", "somebody else's");
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.failure.unwrap().code, ErrorCode::TagImmutable);
    assert_eq!(world.engine.calls("build"), 0);
}
