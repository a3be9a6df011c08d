//! Retention rules at a scripted registry: what is tried out is what goes, whatever happens in between.

use crate::triggers::{count, push, ready, run_wish, tag, web};
use crate::world::{HOST, NAME, World, add_oci_repository, failure};
use chrono::TimeDelta;
use slipway_app::targets::ChosenImage;
use slipway_app::{CopyTag, Slipway};
use slipway_core::ErrorCode;
use slipway_core::deploy::{DeployImage, DeployTarget, HealthGate};
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::Tag;
use slipway_core::notice::NoticeKind;
use slipway_core::ports::Clock as _;
use slipway_core::retention::{KeepReason, RetentionPreview, RetentionRule, RetentionRun};
use slipway_core::trigger::FiringState;
use slipway_store::CopiedTag;
use slipway_testkit::eventually;
use std::time::Duration;

const NEWEST: RetentionRule =
    RetentionRule { keep_newest: Some(2), keep_days: None, keep_pattern: None, include_foreign: false };
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts a tag there that Slipway copied so long ago.
async fn put(world: &World, app: &Slipway, repository: ImageRepositoryId, tag: &str, ago: TimeDelta) {
    let digest = world.registries.store_image(HOST, NAME, tag, "linux/amd64", tag);
    let (tag, digest) = (Tag::new(tag).unwrap(), Some(digest));
    let copied = CopiedTag { tag, from: "elsewhere".into(), digest, image: None, content: None };
    app.store().record_copy(repository, &copied, true, app.ports().clock.now() - ago).await.unwrap();
}

/// `v0`, `v1`, …, a minute apart; the first is the oldest.
async fn stock(world: &World, app: &Slipway, repository: ImageRepositoryId, count: usize) {
    for number in 0..count {
        let ago = TimeDelta::days(400) - TimeDelta::minutes(i64::try_from(number).unwrap());
        put(world, app, repository, &format!("v{number}"), ago).await;
    }
}

/// What a rule would do, when every tag has been read.
async fn tried(app: &Slipway, repository: ImageRepositoryId, rule: &RetentionRule) -> RetentionPreview {
    eventually("every tag is read", PATIENCE, async || {
        let preview = app.retention_preview(repository, rule).await.unwrap();
        if preview.pending == 0 { Ok(preview) } else { Err(preview.pending) }
    })
    .await
}

fn going(preview: &RetentionPreview) -> Vec<Tag> {
    preview.tags.iter().filter(|one| one.kept.is_none()).map(|one| one.tag.clone()).collect()
}

fn reason(preview: &RetentionPreview, tag: &str) -> Option<KeepReason> {
    let one = preview.tags.iter().find(|one| one.tag.as_str() == tag).unwrap();
    one.kept.as_ref().map(|kept| kept.reason)
}

async fn ended(app: &Slipway, repository: ImageRepositoryId) -> RetentionRun {
    eventually("a run has ended", PATIENCE, async || {
        let standing = app.retention(repository).await.unwrap();
        match standing.last_run.clone().filter(|_| standing.running.is_none()) {
            Some(run) => Ok(run),
            None => Err(standing),
        }
    })
    .await
}

fn there(world: &World, count: usize) -> Vec<String> {
    let names = (0..count).map(|number| format!("v{number}"));
    names.filter(|tag| world.registries.tag(HOST, NAME, tag).is_some()).collect()
}

#[tokio::test]
async fn what_was_tried_out_and_agreed_to_goes_and_nothing_else() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 6).await;
    // Another name for the second, and a tag that somebody else pushed.
    let other = world.registries.store_image(HOST, NAME, "same-as-v1", "linux/amd64", "v1");
    assert_eq!(world.registries.tag(HOST, NAME, "v1"), Some(other));
    world.registries.store_image(HOST, NAME, "theirs", "linux/amd64", "theirs");
    let preview = tried(&app, repository, &NEWEST).await;
    assert_eq!(going(&preview).iter().map(Tag::as_str).collect::<Vec<_>>(), ["v3", "v2", "v0"]);
    assert_eq!(reason(&preview, "theirs"), Some(KeepReason::Foreign));
    assert_eq!(reason(&preview, "v1"), Some(KeepReason::SameImage));
    assert_eq!(reason(&preview, "v5"), Some(KeepReason::Newest));
    assert_eq!(there(&world, 6).len(), 6, "a preview changes nothing");
    // A person agreed to two of the three.
    let agreed = vec![Tag::new("v0").unwrap(), Tag::new("v2").unwrap(), Tag::new("v4").unwrap()];
    app.start_retention(repository, &NEWEST, agreed).await.unwrap();
    let run = ended(&app, repository).await;
    assert_eq!((run.by_person, run.removed, run.left, run.failure), (true, 2, 1, None));
    assert_eq!(there(&world, 6), ["v1", "v3", "v4", "v5"]);
    assert_eq!(app.retention(repository).await.unwrap().rule, None, "running a rule does not save it");
    app.shutdown().await;
}

#[tokio::test]
async fn a_run_that_is_killed_in_the_middle_goes_on_with_the_next_start() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 8).await;
    world.registries.hold_deletes_after(Some(3));
    app.save_retention(repository, Some(&NEWEST)).await.unwrap();
    world.clock.advance(TimeDelta::hours(1));
    put(&world, &app, repository, "v8", TimeDelta::zero()).await;
    world.registries.wait_for_held_delete().await;
    app.shutdown().await;
    assert_eq!(there(&world, 9), ["v3", "v4", "v5", "v6", "v7", "v8"]);
    world.registries.hold_deletes_after(None);
    let app = world.open().await;
    let run = ended(&app, repository).await;
    assert_eq!((run.by_person, run.removed, &run.failure), (false, 4, &None));
    assert_eq!(there(&world, 9), ["v7", "v8"]);
    // At most daily: another push within the day changes nothing.
    world.clock.advance(TimeDelta::hours(1));
    put(&world, &app, repository, "v9", TimeDelta::zero()).await;
    assert_eq!(app.retention(repository).await.unwrap().last_run, Some(run));
    assert_eq!(app.notices(None, 50, false).await.unwrap().items.len(), 0);
    app.shutdown().await;
}

#[tokio::test]
async fn a_registry_that_forbids_it_is_asked_once_and_the_inbox_says_so_once() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 6).await;
    world.registries.fail_always("delete", Some(failure(ErrorCode::RegistryUnsupported)));
    app.save_retention(repository, Some(&NEWEST)).await.unwrap();
    world.clock.advance(TimeDelta::hours(1));
    put(&world, &app, repository, "v6", TimeDelta::zero()).await;
    let run = ended(&app, repository).await;
    assert_eq!((run.removed, run.failure.unwrap().code), (0, ErrorCode::RegistryUnsupported));
    eventually("the inbox says so", PATIENCE, async || {
        let notices = app.notices(None, 50, false).await.unwrap().items;
        if notices.is_empty() { Err(()) } else { Ok(()) }
    })
    .await;
    // Days later, after another push, it is not asked again before a person says so.
    world.clock.advance(TimeDelta::days(3));
    put(&world, &app, repository, "v7", TimeDelta::zero()).await;
    let preview = tried(&app, repository, &NEWEST).await;
    app.start_retention(repository, &NEWEST, going(&preview)).await.unwrap();
    eventually("the person is told", PATIENCE, async || {
        let run = app.retention(repository).await.unwrap().last_run.unwrap();
        if run.by_person { Ok(()) } else { Err(run) }
    })
    .await;
    // Three in a row say each time that it removes nothing.
    assert_eq!(world.registries.calls("delete"), 6);
    assert_eq!(there(&world, 8).len(), 8);
    let notices = app.notices(None, 50, false).await.unwrap().items;
    assert_eq!(notices.iter().map(|one| one.facts.kind()).collect::<Vec<_>>(), [NoticeKind::RetentionFailed]);
    app.shutdown().await;
}

#[tokio::test]
async fn a_tag_that_moves_before_its_turn_stays() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 6).await;
    let preview = tried(&app, repository, &NEWEST).await;
    assert_eq!(preview.removed, 4);
    // After the preview somebody gives the first another image, and the second another name.
    world.registries.store_image(HOST, NAME, "v0", "linux/amd64", "moved");
    world.registries.store_image(HOST, NAME, "rollback", "linux/amd64", "v1");
    world.registries.hold_deletes_after(Some(0));
    app.start_retention(repository, &NEWEST, going(&preview)).await.unwrap();
    world.registries.wait_for_held_delete().await;
    let again = app.start_retention(repository, &NEWEST, going(&preview)).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::WrongState);
    // And while the third goes, the fourth.
    world.registries.store_image(HOST, NAME, "v3", "linux/amd64", "moved as well");
    world.registries.hold_deletes_after(None);
    let run = ended(&app, repository).await;
    assert_eq!((run.removed, run.left, run.failure), (1, 3, None));
    assert_eq!(there(&world, 6), ["v0", "v1", "v3", "v4", "v5"]);
    app.shutdown().await;
}

#[tokio::test]
async fn what_a_target_runs_or_ran_before_stays_whoever_named_it() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 7).await;
    let reference = format!("{HOST}/{NAME}:v1");
    let digest = world.registries.tag(HOST, NAME, "v1");
    world.targets.put_image(&web(), DeployImage { reference, digest, id: None, content: None });
    let named = ChosenImage::Name { name: format!("{HOST}/{NAME}:v0") };
    app.update_now(&web(), &named, HealthGate::default()).await.unwrap();
    assert_eq!(count(&app, 1).await[0].repository, None, "a full name belongs to no repository");
    let preview = tried(&app, repository, &NEWEST).await;
    assert_eq!(reason(&preview, "v0"), Some(KeepReason::Used), "it runs");
    assert_eq!(reason(&preview, "v1"), Some(KeepReason::Used), "it ran before");
    // Back to what ran before.
    let (view, versions) = app.target(&web()).await.unwrap();
    assert!(view.state.is_ok());
    let before = versions.iter().find(|version| version.before).unwrap();
    app.roll_back(before.firing, true).await.unwrap();
    count(&app, 2).await;
    let preview = tried(&app, repository, &NEWEST).await;
    assert_eq!(reason(&preview, "v1"), Some(KeepReason::Used), "it runs");
    app.start_retention(repository, &NEWEST, vec![tag("v0"), tag("v1"), tag("v2")]).await.unwrap();
    assert_eq!(ended(&app, repository).await.removed, 1);
    assert_eq!(there(&world, 7), ["v0", "v1", "v3", "v4", "v5", "v6"]);
    app.shutdown().await;
}

#[tokio::test]
async fn what_a_pinned_target_left_out_stays() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    push(&world, &ready, "one").await;
    let first = count(&ready.app, 1).await.remove(0);
    ready.app.roll_back(first.id, true).await.unwrap();
    count(&ready.app, 2).await;
    for text in ["two", "three", "four"] {
        push(&world, &ready, text).await;
    }
    let all = count(&ready.app, 5).await;
    let rule = RetentionRule { keep_newest: Some(1), ..NEWEST };
    let preview = tried(&ready.app, ready.repository, &rule).await;
    for firing in &all[2..] {
        assert_eq!(firing.state, FiringState::Skipped);
        let tag = firing.version.tag.as_ref().unwrap();
        assert_eq!(reason(&preview, tag.as_str()), Some(KeepReason::Used), "{tag} may be gone on with");
    }
    ready.app.shutdown().await;
}

#[tokio::test]
async fn what_a_target_is_to_run_that_is_not_there_yet_stays() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 6).await;
    world.targets.hold_watching(true);
    app.run_image(&run_wish(repository)).await.unwrap();
    world.targets.watching_waiting(1).await;
    world.targets.take(&DeployTarget::Container { engine: "local".to_owned(), name: "site".to_owned() });
    let preview = tried(&app, repository, &NEWEST).await;
    assert_eq!(reason(&preview, "v1"), Some(KeepReason::Used));
    assert_eq!(going(&preview).len(), 3);
    world.targets.hold_watching(false);
    app.shutdown().await;
}

#[tokio::test]
async fn what_begins_to_be_needed_while_others_go_stays() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 26).await;
    world.targets.put(&web(), "docker.io/library/nginx:1", "sha256:nginx");
    let preview = tried(&app, repository, &NEWEST).await;
    assert_eq!(preview.removed, 24);
    world.registries.hold_deletes_after(Some(5));
    app.start_retention(repository, &NEWEST, going(&preview)).await.unwrap();
    world.registries.wait_for_held_delete().await;
    // An update, a container, and a name from elsewhere; a copy would lose its tag with what goes.
    let image = ChosenImage::Tag { repository, tag: tag("v10") };
    app.update_now(&web(), &image, HealthGate::default()).await.unwrap();
    count(&app, 1).await;
    world.engine.run_container("shop", &format!("{HOST}/{NAME}:v11"));
    world.registries.store_image(HOST, NAME, "rollback", "linux/amd64", "v22");
    let copy = CopyTag { repository, from: "v17".to_owned(), into: None, to: tag("release"), overwrite: false };
    let refused = app.copy_tag(&copy).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongState);
    assert!(refused.message.contains("Retention"), "{refused}");
    world.registries.hold_deletes_after(None);
    let run = ended(&app, repository).await;
    assert_eq!((run.removed, run.left, run.failure), (21, 3, None));
    assert_eq!(there(&world, 26), ["v10", "v11", "v22", "v24", "v25"]);
    assert!(world.registries.tag(HOST, NAME, "rollback").is_some());
    let copy = CopyTag { from: "v10".to_owned(), ..copy };
    assert!(app.copy_tag(&copy).await.unwrap().changed);
    app.shutdown().await;
}

#[tokio::test]
async fn a_manifest_that_the_registry_protects_stays_and_the_rest_goes_day_after_day() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 6).await;
    for (tag, code) in [("v0", ErrorCode::RegistryDenied), ("v1", ErrorCode::TagImmutable)] {
        world.registries.protect(&world.registries.tag(HOST, NAME, tag).unwrap(), failure(code));
    }
    app.save_retention(repository, Some(&NEWEST)).await.unwrap();
    let mut last = None;
    for (day, removed) in [(6, 3), (7, 1), (8, 1)] {
        world.clock.advance(TimeDelta::days(1));
        put(&world, &app, repository, &format!("v{day}"), TimeDelta::zero()).await;
        let run = eventually("another run has ended", PATIENCE, async || {
            let run = app.retention(repository).await.unwrap().last_run;
            if run == last { Err(run) } else { Ok(run.unwrap()) }
        })
        .await;
        assert_eq!((run.removed, run.left, &run.failure), (removed, 2, &None));
        assert_eq!(run.refused.as_ref().unwrap().code, ErrorCode::RegistryDenied, "its reason is shown");
        last = Some(run);
    }
    assert_eq!(there(&world, 9), ["v0", "v1", "v7", "v8"]);
    assert_eq!(app.notices(None, 50, false).await.unwrap().items.len(), 0);
    app.shutdown().await;
}

#[tokio::test]
async fn what_an_earlier_run_knew_is_asked_again_before_it_is_tried_out() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 6).await;
    assert_eq!(tried(&app, repository, &NEWEST).await.removed, 4);
    app.shutdown().await;
    let app = world.open().await;
    // Meanwhile somebody gave the first another image; and the registry is slow to say so.
    world.registries.store_image(HOST, NAME, "v0", "linux/amd64", "moved");
    world.registries.fail_always("head", Some(failure(ErrorCode::RegistryServerError)));
    let unread = app.retention_preview(repository, &NEWEST).await.unwrap();
    assert_eq!((unread.removed, reason(&unread, "v0")), (0, Some(KeepReason::Unread)));
    world.registries.fail_always("head", None);
    app.shutdown().await;
    let app = world.open().await;
    let preview = tried(&app, repository, &NEWEST).await;
    assert_eq!((preview.removed, reason(&preview, "v0")), (3, Some(KeepReason::Foreign)));
    app.shutdown().await;
}

#[tokio::test]
async fn f21_a_clock_years_ahead_makes_nothing_old() {
    let month = RetentionRule { keep_newest: None, keep_days: Some(30), ..NEWEST };
    for says_time in [true, false] {
        let world = World::new();
        let app = world.open().await;
        let repository = add_oci_repository(&app, HOST).await;
        for number in 0..4 {
            put(&world, &app, repository, &format!("v{number}"), TimeDelta::days(10 - number)).await;
        }
        app.save_retention(repository, Some(&month)).await.unwrap();
        world.clock.advance(TimeDelta::hours(1));
        put(&world, &app, repository, "v4", TimeDelta::zero()).await;
        let first = ended(&app, repository).await;
        assert_eq!((first.removed, first.failure), (0, None));
        let (ahead, later) = (TimeDelta::days(5 * 365), TimeDelta::hours(1));
        if says_time {
            world.registries.set_time(world.clock.now() + later);
        }
        world.clock.advance(ahead);
        // Without the registry's word, the last push says how far to count.
        let ago = if says_time { TimeDelta::zero() } else { ahead - later };
        put(&world, &app, repository, "v5", ago).await;
        let run = eventually("a run by the wrong clock has ended", PATIENCE, async || {
            let run = app.retention(repository).await.unwrap().last_run.unwrap();
            if run.at == first.at { Err(()) } else { Ok(run) }
        })
        .await;
        assert_eq!((run.removed, run.failure), (0, None), "the registry says the time: {says_time}");
        assert_eq!(there(&world, 6).len(), 6);
        app.shutdown().await;
    }
}

#[tokio::test]
async fn f37_ten_thousand_tags_are_tried_out_and_the_old_ones_go() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    stock(&world, &app, repository, 520).await;
    for number in 0..9480 {
        world.registries.store_image(HOST, NAME, &format!("theirs-{number}"), "linux/amd64", "theirs");
    }
    let preview = tried(&app, repository, &NEWEST).await;
    assert_eq!((preview.tags.len(), preview.removed), (10_000, 518));
    app.start_retention(repository, &NEWEST, going(&preview)).await.unwrap();
    let run = ended(&app, repository).await;
    assert_eq!((run.removed, run.left, run.failure), (518, 0, None));
    assert_eq!(there(&world, 520), ["v518", "v519"]);
    app.shutdown().await;
}

#[tokio::test]
async fn a_rule_that_says_nothing_is_not_saved() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    let nothing = RetentionRule { keep_newest: None, ..NEWEST };
    let refused = app.save_retention(repository, Some(&nothing)).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidField, Some("rule.keep_newest")));
    app.save_retention(repository, Some(&NEWEST)).await.unwrap();
    assert_eq!(app.retention(repository).await.unwrap().rule, Some(NEWEST));
    app.save_retention(repository, None).await.unwrap();
    assert_eq!(app.retention(repository).await.unwrap().rule, None);
    app.shutdown().await;
}
