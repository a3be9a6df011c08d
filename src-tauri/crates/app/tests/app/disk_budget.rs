//! The disk budget: what goes, what something needs, and whose images are left alone.

use crate::triggers;
use crate::world::{HOST, NAME, Ready, World, failure, repository_spec};
use slipway_app::Slipway;
use slipway_app::disk_budget::DiskPreview;
use slipway_core::ErrorCode;
use slipway_core::disk_budget::ImageNeed;
use slipway_core::image::{ImageId, ImageReference};
use slipway_core::ports::BuildEngine;
use slipway_core::rule::VersionRule;
use slipway_testkit::eventually;
use std::sync::Arc;
use std::time::Duration;

async fn ready(world: &World) -> Ready {
    world
        .ready_with(|spec| {
            spec.version = VersionRule::Templates { templates: vec!["{branch}-{short_sha}".to_owned()] };
        })
        .await
}

/// Pushes and builds; returns the image.
async fn built(world: &World, ready: &Ready, text: &str) -> ImageId {
    world.remote().push("main", text, &[("index.html", text)]);
    ready.look().await;
    ready.idle().await.pop().unwrap().image.unwrap().id
}

async fn everything(app: &Slipway) -> DiskPreview {
    // The worker lets go of the engine after it wrote the build's end.
    eventually("nothing runs", Duration::from_secs(10), async || {
        let preview = app.disk_preview(true).await.unwrap();
        if preview.busy { Err("busy") } else { Ok(preview) }
    })
    .await
}

fn goes(preview: &DiskPreview) -> Vec<ImageId> {
    preview.remove.iter().map(|one| one.image.clone()).collect()
}

async fn tidy(app: &Slipway) -> slipway_app::disk_budget::Tidied {
    let preview = everything(app).await;
    app.tidy_disk(&goes(&preview), true).await.unwrap()
}

#[tokio::test]
async fn f33_what_nothing_needs_goes_and_everything_else_stays() {
    let world = World::new();
    let ready = ready(&world).await;
    let (used, named, free) =
        (built(&world, &ready, "one").await, built(&world, &ready, "two").await, built(&world, &ready, "three").await);
    let foreign = world.engine.tag_from_elsewhere("somebody/else:1", "not ours");
    world.engine.use_image(&used);
    world.engine.tag(&named, &ImageReference::parse("mine:1").unwrap()).await.unwrap();

    let preview = everything(&ready.app).await;
    assert_eq!(goes(&preview), std::slice::from_ref(&free));
    assert_eq!((preview.used, preview.left), (3000, 2000));
    assert_eq!(preview.needed.into_iter().collect::<Vec<_>>(), [(ImageNeed::Container, 1), (ImageNeed::OtherName, 1)]);
    let tag = preview.remove[0].names[0].rsplit_once(':').unwrap().1.to_owned();
    // What was not shown stays, also when a person asks for it.
    let nothing = ready.app.tidy_disk(&[used.clone(), foreign.clone()], true).await.unwrap();
    assert_eq!((nothing.removed, nothing.kept), (0, vec![]));
    let tidied = ready.app.tidy_disk(std::slice::from_ref(&free), true).await.unwrap();
    assert_eq!((tidied.removed, tidied.freed), (1, 1000));
    assert!(!world.engine.has_image(&free));
    assert!([&used, &named, &foreign].into_iter().all(|image| world.engine.has_image(image)));
    assert!(world.registries.tag(HOST, NAME, &tag).is_some(), "the registry keeps what is published");
    let last = ready.app.last_tidied().await.unwrap().unwrap();
    assert_eq!((last.removed, last.freed, last.by_person), (1, 1000, true));
    ready.app.shutdown().await;
}

#[tokio::test]
async fn f33_what_runs_and_every_way_back_stays() {
    let world = World::new();
    let (ready, _) = triggers::ready(&world).await;
    let mut images = Vec::new();
    for (nth, text) in ["one", "two", "three", "four", "five", "six", "seven"].into_iter().enumerate() {
        images.push(built(&world, &ready, text).await);
        triggers::count(&ready.app, nth + 1).await;
    }
    triggers::settled(&ready.app).await;
    let preview = everything(&ready.app).await;
    // Five updates can be taken back: to what they brought, and to what ran before the first of them.
    assert_eq!(goes(&preview), images[..1]);
    assert_eq!(preview.needed[&ImageNeed::Deploy], 6);
    tidy(&ready.app).await;
    assert!(images[1..].iter().all(|image| world.engine.has_image(image)));
    ready.app.shutdown().await;
}

#[tokio::test]
async fn versions_of_the_local_engine_stay_and_what_lost_its_name_goes() {
    let world = World::new();
    let app = world.open().await;
    let local = app.registries().await.unwrap()[0].id;
    world.remote().push("main", "first", &[("Dockerfile", "FROM scratch\nCOPY . /\n")]);
    let code = app.add_code_repository(&crate::world::code_input()).await.unwrap();
    let repository = app.add_image_repository(&repository_spec(local)).await.unwrap();
    let rule = app.add_rule(repository, &crate::world::rule_spec(code)).await.unwrap();
    let ready = Ready { app, code, repository, rule };
    let (before, version) = (built(&world, &ready, "one").await, built(&world, &ready, "two").await);
    let preview = everything(&ready.app).await;
    assert_eq!(goes(&preview), [before]);
    assert!(preview.remove[0].names.is_empty());
    assert_eq!(preview.needed[&ImageNeed::Version], 1);
    tidy(&ready.app).await;
    assert!(world.engine.has_image(&version));
    ready.app.shutdown().await;
}

#[tokio::test]
async fn f33_t31_two_slipways_on_one_engine_leave_each_others_images_alone() {
    let world = World::new();
    let one = ready(&world).await;
    let other_world =
        World { engine: Arc::clone(&world.engine), registries: Arc::clone(&world.registries), ..World::new() };
    let other = ready(&other_world).await;
    let mine = built(&world, &one, "mine").await;
    let theirs = built(&other_world, &other, "theirs").await;
    assert_eq!(goes(&everything(&one.app).await), std::slice::from_ref(&mine));
    assert_eq!(goes(&everything(&other.app).await), std::slice::from_ref(&theirs));
    tidy(&one.app).await;
    assert!(!world.engine.has_image(&mine) && world.engine.has_image(&theirs));
    one.app.shutdown().await;
    other.app.shutdown().await;
}

#[tokio::test]
async fn nothing_goes_while_a_build_runs() {
    let world = World::new();
    let ready = ready(&world).await;
    let image = built(&world, &ready, "one").await;
    everything(&ready.app).await;
    world.engine.hold_builds(true);
    world.remote().push("main", "two", &[("index.html", "two")]);
    ready.look().await;
    world.engine.builds_waiting(1).await;
    assert!(ready.app.disk_preview(true).await.unwrap().busy);
    let refused = ready.app.tidy_disk(std::slice::from_ref(&image), true).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongState);
    assert!(world.engine.has_image(&image));
    world.engine.hold_builds(false);
    ready.idle().await;
    assert_eq!(tidy(&ready.app).await.removed, 2);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn a_removal_that_the_engine_refuses_is_said_and_the_others_go_on() {
    let world = World::new();
    let ready = ready(&world).await;
    let (first, second) = (built(&world, &ready, "one").await, built(&world, &ready, "two").await);
    world.engine.fail("remove_image", failure(ErrorCode::InUse), 1);
    let tidied = tidy(&ready.app).await;
    assert_eq!((tidied.removed, tidied.kept.len()), (1, 1));
    assert_eq!((&tidied.kept[0].0, tidied.kept[0].1.code), (&first, ErrorCode::InUse));
    assert!(world.engine.has_image(&first) && !world.engine.has_image(&second));
    // An engine that went away in the middle is not asked for the next one.
    built(&world, &ready, "three").await;
    let preview = everything(&ready.app).await;
    world.engine.fail("remove_image", failure(ErrorCode::EngineLost), 1);
    let calls = world.engine.calls("remove_image");
    let tidied = ready.app.tidy_disk(&goes(&preview), true).await.unwrap();
    assert_eq!((tidied.removed, tidied.kept.len(), world.engine.calls("remove_image")), (0, 1, calls + 1));
    ready.app.shutdown().await;
}

#[tokio::test]
async fn f05_an_engine_that_is_away_is_an_error_and_a_cache_that_cannot_be_counted_is_none() {
    let world = World::new();
    let ready = ready(&world).await;
    built(&world, &ready, "one").await;
    world.engine.fail("build_cache", failure(ErrorCode::EngineLost), 1);
    let slow = ready.app.disk_use().await.unwrap();
    assert_eq!((slow.images, slow.bytes, slow.cache.unwrap_err().code), (1, 1000, ErrorCode::EngineLost));
    world.engine.set_absent(true);
    assert_eq!(ready.app.disk_use().await.unwrap_err().code, ErrorCode::EngineAbsent);
    assert_eq!(ready.app.disk_preview(true).await.unwrap_err().code, ErrorCode::EngineAbsent);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn the_budget_holds_by_itself_and_the_cache_is_only_shrunk_by_a_person() {
    let world = World::new();
    world.engine.set_image_size(600_000_000);
    let ready = ready(&world).await;
    ready.app.set_disk_budget(Some(1)).await.unwrap();
    let invalid = ready.app.set_disk_budget(Some(0)).await.unwrap_err();
    assert_eq!((invalid.code, invalid.field.as_deref()), (ErrorCode::InvalidField, Some("disk_budget_gb")));
    let (first, second) = (built(&world, &ready, "one").await, built(&world, &ready, "two").await);
    let gone = async || if world.engine.has_image(&first) { Err("there") } else { Ok(()) };
    eventually("the oldest goes", Duration::from_secs(20), gone).await;
    assert!(world.engine.has_image(&second));
    let last = async || ready.app.last_tidied().await.unwrap().ok_or("not yet");
    let last = eventually("it is written", Duration::from_secs(10), last).await;
    assert_eq!((last.removed, last.freed, last.by_person), (1, 600_000_000, false));
    assert_eq!(ready.app.disk_preview(false).await.unwrap().remove, []);
    assert_eq!(world.engine.calls("shrink_build_cache"), 0);
    assert_eq!(ready.app.disk_use().await.unwrap().cache.unwrap(), 5_000_000_000);
    assert_eq!(ready.app.shrink_build_cache(1_000_000_000).await.unwrap(), 4_000_000_000);
    // Off, nothing goes.
    ready.app.set_disk_budget(None).await.unwrap();
    assert_eq!(ready.app.disk_preview(false).await.unwrap().remove, []);
    ready.app.shutdown().await;
}
