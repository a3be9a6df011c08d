//! Image triggers with fakes: what fires, what does not, what a target ends up with, whatever breaks in between.

use crate::world::{HOST, NAME, Ready, World, add_oci_repository, code_input, failure, repository_spec, rule_spec};
use slipway_app::Slipway;
use slipway_app::targets::ChosenImage;
use slipway_core::ErrorCode;
use slipway_core::build::{BuildState, Stage, StageOutcome};
use slipway_core::deploy::{DeployTarget, HealthGate};
use slipway_core::ids::{FiringId, ImageRepositoryId, TriggerId};
use slipway_core::image::Tag;
use slipway_core::rule::VersionRule;
use slipway_core::trigger::{FiringKind, FiringReason, FiringState, TagCondition, TagEventSource, TriggerSpec};
use slipway_store::{FiringFilter, FiringRecord};
use std::time::Duration;

pub(crate) fn web() -> DeployTarget {
    DeployTarget::Container { engine: "local".to_owned(), name: "web".to_owned() }
}

fn spec(condition: TagCondition) -> TriggerSpec {
    TriggerSpec { name: "web".to_owned(), condition, target: web(), gate: HealthGate::default(), enabled: true }
}

pub(crate) fn tag(text: &str) -> Tag {
    Tag::new(text).unwrap()
}

async fn firings(app: &Slipway) -> Vec<FiringRecord> {
    let mut items = app.firings(&FiringFilter::default(), None, 100).await.unwrap().items;
    items.reverse();
    items
}

/// Waits until no firing is unfinished, and returns all, oldest first.
pub(crate) async fn settled(app: &Slipway) -> Vec<FiringRecord> {
    until(app, "every firing is over", |all| all.iter().all(|firing| firing.state.is_final())).await
}

async fn until(app: &Slipway, what: &str, is_so: impl Fn(&[FiringRecord]) -> bool) -> Vec<FiringRecord> {
    let mut events = app.events();
    let waiting = async {
        loop {
            let all = firings(app).await;
            if is_so(&all) {
                return all;
            }
            let _ = tokio::time::timeout(Duration::from_millis(20), events.recv()).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(20), waiting).await {
        Ok(all) => all,
        Err(_) => panic!("not so in time: {what}: {:#?}", firings(app).await),
    }
}

pub(crate) async fn count(app: &Slipway, count: usize) -> Vec<FiringRecord> {
    until(app, "so many firings are over", |all| all.len() >= count && all.iter().all(|firing| firing.state.is_final()))
        .await
}

fn states(all: &[FiringRecord]) -> Vec<FiringState> {
    all.iter().map(|firing| firing.state).collect()
}

/// A repository that is built, with a trigger on everything and a target that runs something else.
pub(crate) async fn ready(world: &World) -> (Ready, TriggerId) {
    world.targets.put(&web(), "docker.io/library/nginx:1", "sha256:nginx");
    let ready = world
        .ready_with(|spec| {
            spec.version = VersionRule::Templates { templates: vec!["{branch}-{short_sha}".to_owned()] };
            spec.overwrite_tag = Some(tag("latest"));
        })
        .await;
    let trigger = ready.app.add_trigger(ready.repository, &spec(TagCondition::All)).await.unwrap();
    (ready, trigger)
}

pub(crate) async fn push(world: &World, ready: &Ready, text: &str) {
    world.remote().push("main", text, &[("index.html", text)]);
    ready.look().await;
    ready.idle().await;
}

#[tokio::test]
async fn seed_4_10_a_push_updates_the_target_and_the_build_names_the_trigger() {
    let world = World::new();
    let (ready, trigger) = ready(&world).await;
    push(&world, &ready, "two").await;
    let all = count(&ready.app, 1).await;
    assert_eq!(states(&all), [FiringState::Succeeded], "two tags of one build are one reason to fire");
    let build = ready.builds().await.remove(0);
    let firing = &all[0];
    assert_eq!((firing.trigger, firing.build, firing.source), (Some(trigger), Some(build.id), TagEventSource::Build));
    let digest = world.registries.tag(HOST, NAME, "latest").unwrap();
    let runs = world.targets.runs(&web()).unwrap();
    assert_eq!((runs.digest, runs.id), (Some(digest), build.image.map(|image| image.id)));
    let stages = ready.app.build_detail(build.id).await.unwrap().stages;
    assert!(
        stages.iter().any(|stage| stage.stage == Stage::Triggers && stage.outcome == Some(StageOutcome::Succeeded))
    );
    let log = ready.app.firing_log(firing.id).await.unwrap();
    assert!(log.iter().any(|line| line.text.starts_with("attempt 1: registry.test:5000/team/app:main-")), "{log:?}");
    assert_eq!(ready.app.firing_detail(firing.id).await.unwrap().journal.len(), 2);
}

#[tokio::test]
async fn t25_what_was_published_is_deployed_whatever_the_tag_holds_by_then() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.fail("plan", failure(ErrorCode::EngineAbsent), 1);
    push(&world, &ready, "two").await;
    let pushed = world.registries.tag(HOST, NAME, "latest").unwrap();
    world.registries.store_image(HOST, NAME, "latest", "linux/amd64", "somebody else's");
    world.clock.advance(crate::world::minutes(5));
    count(&ready.app, 1).await;
    assert_eq!(world.targets.runs(&web()).unwrap().digest, Some(pushed));
}

#[tokio::test]
async fn a_commit_that_changes_nothing_restarts_nothing() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    push(&world, &ready, "two").await;
    count(&ready.app, 1).await;
    world.remote().push("main", "the same again", &[("index.html", "two")]);
    ready.look().await;
    ready.idle().await;
    let all = count(&ready.app, 2).await;
    assert_eq!(states(&all), [FiringState::Succeeded, FiringState::Unchanged]);
    assert_eq!(world.targets.changes().len(), 1);
}

#[tokio::test]
async fn a_then_b_then_a_deploys_a_again() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    for (round, text) in ["A", "B", "A"].into_iter().enumerate() {
        push(&world, &ready, text).await;
        count(&ready.app, round + 1).await;
    }
    assert_eq!(states(&firings(&ready.app).await), [FiringState::Succeeded; 3]);
    let changes = world.targets.changes();
    assert_eq!(changes.len(), 3);
    assert_eq!(changes[0].1.content, changes[2].1.content);
}

#[tokio::test]
async fn firings_of_a_target_are_serial_and_the_newest_wins() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.hold_watching(true);
    push(&world, &ready, "one").await;
    world.targets.watching_waiting(1).await;
    push(&world, &ready, "two").await;
    push(&world, &ready, "three").await;
    let all = until(&ready.app, "the second one is overtaken", |all| {
        all.len() == 3 && all[1].state == FiringState::Superseded
    })
    .await;
    assert_eq!(all[1].reason, Some(FiringReason::SupersededBy { firing: all[2].id }));
    assert_eq!((all[0].state, all[2].state), (FiringState::Running, FiringState::Waiting));
    world.targets.hold_watching(false);
    let all = settled(&ready.app).await;
    assert_eq!(states(&all), [FiringState::Succeeded, FiringState::Superseded, FiringState::Succeeded]);
    assert_eq!(world.targets.changes().len(), 2);
}

#[tokio::test]
async fn f29_a_new_image_that_never_gets_healthy_leaves_the_old_one_serving() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.fail("watch", failure(ErrorCode::TargetUnhealthy), 1);
    push(&world, &ready, "bad").await;
    let all = count(&ready.app, 1).await;
    assert_eq!(states(&all), [FiringState::RolledBack]);
    assert_eq!(all[0].failure.as_ref().unwrap().code, ErrorCode::TargetUnhealthy);
    assert_eq!(world.targets.runs(&web()).unwrap().reference, "docker.io/library/nginx:1");
    push(&world, &ready, "good").await;
    assert_eq!(count(&ready.app, 2).await[1].state, FiringState::Succeeded);
}

#[tokio::test]
async fn f29_a_way_back_that_fails_is_said_so() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.fail("watch", failure(ErrorCode::TargetUnhealthy), 1);
    world.targets.fail("undo", failure(ErrorCode::EngineError), 5);
    push(&world, &ready, "bad").await;
    assert_eq!(states(&count(&ready.app, 1).await), [FiringState::Broken]);
    assert_eq!(world.targets.calls("undo"), 5);
}

#[tokio::test]
async fn f29_a_way_back_that_the_engine_refuses_for_a_moment_is_tried_again() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.fail("watch", failure(ErrorCode::TargetUnhealthy), 1);
    world.targets.fail("undo", failure(ErrorCode::EngineError), 2);
    push(&world, &ready, "bad").await;
    let all = count(&ready.app, 1).await;
    assert_eq!(states(&all), [FiringState::RolledBack]);
    assert_eq!(all[0].failure.as_ref().unwrap().code, ErrorCode::TargetUnhealthy);
    assert_eq!(world.targets.runs(&web()).unwrap().reference, "docker.io/library/nginx:1");
}

#[tokio::test]
async fn f29_a_target_that_is_gone_fails_and_touches_nothing() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.take(&web());
    push(&world, &ready, "two").await;
    let all = count(&ready.app, 1).await;
    assert_eq!((all[0].state, all[0].failure.as_ref().unwrap().code), (FiringState::Failed, ErrorCode::TargetGone));
    assert_eq!(world.targets.calls("apply"), 0);
}

#[tokio::test]
async fn f07_an_engine_that_is_away_is_waited_for() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.fail("plan", failure(ErrorCode::EngineAbsent), 2);
    push(&world, &ready, "two").await;
    world.clock.advance(crate::world::minutes(10));
    let all = count(&ready.app, 1).await;
    assert_eq!((all[0].state, all[0].attempt), (FiringState::Succeeded, 3));
}

/// Stops the application, opens it again and lets the firing end.
async fn reopened(world: &World, ready: Ready) -> (Slipway, Vec<FiringRecord>) {
    ready.app.shutdown().await;
    drop(ready);
    world.targets.hold_applying(false);
    world.targets.hold_watching(false);
    let app = world.open().await;
    let all = count(&app, 1).await;
    (app, all)
}

#[tokio::test]
async fn f30_stopped_before_the_switch_begins_anew_and_switches_once() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.hold_applying(true);
    push(&world, &ready, "two").await;
    world.targets.applying_waiting(1).await;
    let (_app, all) = reopened(&world, ready).await;
    assert_eq!(states(&all), [FiringState::Succeeded]);
    assert_eq!(world.targets.changes().len(), 1);
}

#[tokio::test]
async fn f30_stopped_after_the_switch_is_watched_to_its_end() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.hold_watching(true);
    push(&world, &ready, "two").await;
    world.targets.watching_waiting(1).await;
    let (_app, all) = reopened(&world, ready).await;
    assert_eq!(states(&all), [FiringState::Succeeded]);
    assert_eq!((world.targets.changes().len(), world.targets.calls("apply")), (1, 1));
}

#[tokio::test]
async fn f30_what_a_crash_broke_off_and_was_undone_begins_anew_a_few_times() {
    // How often it is broken off, how it ends, and what the target runs one after another.
    for (times, state, changes) in [(1, FiringState::Succeeded, 3), (9, FiringState::RolledBack, 6)] {
        let world = World::new();
        let (ready, _) = ready(&world).await;
        world.targets.fail("watch", failure(ErrorCode::Interrupted), times);
        push(&world, &ready, "two").await;
        let all = count(&ready.app, 1).await;
        assert_eq!((states(&all), world.targets.changes().len()), (vec![state], changes));
        assert_eq!(all[0].attempt, if times == 1 { 2 } else { 3 });
        assert_eq!(world.targets.calls("apply"), if times == 1 { 2 } else { 3 });
    }
}

#[tokio::test]
async fn f30_a_target_that_cannot_be_asked_after_a_restart_is_asked_again() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.hold_watching(true);
    push(&world, &ready, "two").await;
    world.targets.watching_waiting(1).await;
    world.targets.fail("standing", failure(ErrorCode::EngineAbsent), 3);
    let (_app, all) = reopened(&world, ready).await;
    assert_eq!(states(&all), [FiringState::Succeeded]);
    assert_eq!(world.targets.calls("standing"), 4);
}

#[tokio::test]
async fn cancelling_a_running_update_brings_the_old_one_back() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.targets.hold_watching(true);
    push(&world, &ready, "two").await;
    world.targets.watching_waiting(1).await;
    let firing = firings(&ready.app).await[0].id;
    for _ in 0..2 {
        ready.app.cancel_firing(firing).await.unwrap();
    }
    assert_eq!(states(&count(&ready.app, 1).await), [FiringState::Cancelled]);
    assert_eq!(world.targets.runs(&web()).unwrap().reference, "docker.io/library/nginx:1");
}

#[tokio::test]
async fn a_name_or_a_condition_that_cannot_be_used_names_its_field() {
    let world = World::new();
    let (ready, trigger) = ready(&world).await;
    let refused = async |spec: TriggerSpec| {
        let failure = ready.app.add_trigger(ready.repository, &spec).await.unwrap_err();
        (failure.code, failure.field.unwrap())
    };
    assert_eq!(refused(spec(TagCondition::All)).await, (ErrorCode::NameTaken, "spec.name".to_owned()));
    let illegal = TriggerSpec { name: "1st".to_owned(), ..spec(TagCondition::All) };
    assert_eq!(refused(illegal).await, (ErrorCode::InvalidField, "spec.name".to_owned()));
    let pattern = spec(TagCondition::Pattern { pattern: "(".to_owned() });
    assert_eq!(refused(pattern).await, (ErrorCode::BadRegex, "spec.condition.pattern".to_owned()));
    ready.app.delete_trigger(trigger, false).await.unwrap();
    ready.app.add_trigger(ready.repository, &spec(TagCondition::All)).await.unwrap();
}

#[tokio::test]
async fn the_preview_says_which_tags_would_have_fired() {
    let world = World::new();
    let ready = world.ready().await;
    for name in ["v1", "v2", "latest"] {
        world.registries.store_image(HOST, NAME, name, "linux/amd64", name);
    }
    let pattern = TagCondition::Pattern { pattern: "^v".to_owned() };
    let preview = ready.app.preview_trigger(ready.repository, &pattern).await.unwrap();
    assert_eq!((preview.matching, preview.of), (vec![tag("v1"), tag("v2")], 3));
}

#[tokio::test]
async fn a_trigger_that_is_off_ignores_and_turned_on_fires_nothing_old() {
    let world = World::new();
    let (ready, trigger) = ready(&world).await;
    ready.app.set_trigger_enabled(trigger, false).await.unwrap();
    push(&world, &ready, "two").await;
    ready.app.set_trigger_enabled(trigger, true).await.unwrap();
    push(&world, &ready, "three").await;
    let all = count(&ready.app, 1).await;
    assert_eq!(all.len(), 1);
    assert_eq!(world.targets.changes().len(), 1);
}

#[tokio::test]
async fn a_tag_that_another_client_sets_on_the_engine_fires() {
    let world = World::new();
    world.targets.put(&web(), "docker.io/library/nginx:1", "sha256:nginx");
    let app = world.open().await;
    let local = app.registries().await.unwrap()[0].id;
    let repository = app.add_image_repository(&repository_spec(local)).await.unwrap();
    world.engine.tag_from_elsewhere("docker.io/team/app:old", "there before");
    app.add_trigger(repository, &spec(TagCondition::All)).await.unwrap();
    until_listening(&world).await;
    let image = world.engine.tag_from_elsewhere("docker.io/team/app:new", "by docker tag");
    let all = count(&app, 1).await;
    assert_eq!((all[0].state, all[0].source), (FiringState::Succeeded, TagEventSource::Local));
    assert_eq!(all[0].version.tag, Some(tag("new")), "what was there before fires nothing");
    assert_eq!(world.targets.runs(&web()).unwrap().id, Some(image));
}

async fn until_listening(world: &World) {
    let listening = async {
        while world.engine.calls("image_news") == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), listening).await.expect("somebody listens to the engine");
}

#[tokio::test]
async fn somebody_elses_push_fires_and_our_own_is_not_asked_for() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    push(&world, &ready, "two").await;
    count(&ready.app, 1).await;
    world.registries.store_image(HOST, NAME, "theirs", "linux/amd64", "pushed from elsewhere");
    ready.app.check_tags(ready.repository).await.unwrap();
    let all = count(&ready.app, 2).await;
    assert_eq!((all[1].version.tag.clone(), all[1].source), (Some(tag("theirs")), TagEventSource::Registry));
    assert_eq!(all.len(), 2, "our own tags were known");
}

#[tokio::test]
async fn f09_a_registry_that_asks_to_slow_down_is_asked_later() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    world.registries.store_image(HOST, NAME, "v1", "linux/amd64", "one");
    let named = TagCondition::Tags { list: "v1;v2".to_owned() };
    world.registries.fail("head", failure(ErrorCode::RegistryRateLimited).with("retry_after", "7200"), 1);
    let trigger = app.add_trigger(repository, &spec(named)).await.unwrap();
    let watch = app.trigger(trigger).await.unwrap().watch;
    let now = slipway_core::ports::Clock::now(&*world.clock);
    assert_eq!((watch.next_look_at.unwrap() - now).num_seconds(), 7200);
    assert_eq!(watch.last_failure.unwrap().code, ErrorCode::RegistryRateLimited);
    // The first look that succeeds is the first look: nothing fires.
    app.check_tags(repository).await.unwrap();
    assert_eq!(firings(&app).await.len(), 0);
    assert!(app.trigger(trigger).await.unwrap().watch.last_failure.is_none());
}

async fn roll_back_to_before(app: &Slipway, firing: FiringId) -> FiringRecord {
    let id = app.roll_back(firing, true).await.unwrap();
    settled(app).await;
    app.firing_detail(id).await.unwrap().firing
}

#[tokio::test]
async fn a_rollback_pins_the_target_pauses_its_trigger_and_resuming_catches_up() {
    let world = World::new();
    let (ready, trigger) = ready(&world).await;
    push(&world, &ready, "two").await;
    let deployed = count(&ready.app, 1).await[0].id;
    let (view, versions) = ready.app.target(&web()).await.unwrap();
    let shown: Vec<_> = versions.iter().map(|version| (version.firing, version.before, version.current)).collect();
    assert_eq!(shown, [(deployed, false, true), (deployed, true, false)]);
    assert_eq!(view.triggers.iter().map(|owner| owner.id).collect::<Vec<_>>(), [trigger]);

    let rollback = roll_back_to_before(&ready.app, deployed).await;
    assert_eq!((rollback.kind, rollback.state), (FiringKind::RollBack, FiringState::Succeeded));
    assert_eq!(world.targets.runs(&web()).unwrap().reference, "docker.io/library/nginx:1");
    assert_eq!(ready.app.trigger(trigger).await.unwrap().trigger.pin.unwrap().firing, rollback.id);
    let image = ChosenImage::Tag { repository: ready.repository, tag: tag("latest") };
    let refused = ready.app.update_now(&web(), &image, HealthGate::default()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongState);

    push(&world, &ready, "three").await;
    push(&world, &ready, "four").await;
    let all = count(&ready.app, 4).await;
    assert!(all[2..].iter().all(|firing| firing.reason == Some(FiringReason::Paused)), "{all:#?}");
    assert_eq!(world.targets.runs(&web()).unwrap().reference, "docker.io/library/nginx:1");

    let caught_up = ready.app.resume_target(view.id.unwrap()).await.unwrap();
    assert_eq!(caught_up, Some(all[3].id));
    let all = settled(&ready.app).await;
    assert_eq!(all[3].state, FiringState::Succeeded);
    assert_eq!(world.targets.runs(&web()).unwrap().digest, world.registries.tag(HOST, NAME, "latest"));
}

#[tokio::test]
async fn update_now_takes_a_chosen_tag_and_nothing_older_replaces_it() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.registries.store_image(HOST, NAME, "v7", "linux/amd64", "seven");
    let image = ChosenImage::Tag { repository: ready.repository, tag: tag("v7") };
    ready.app.update_now(&web(), &image, HealthGate::default()).await.unwrap();
    let all = count(&ready.app, 1).await;
    assert_eq!((all[0].kind, all[0].state, all[0].trigger), (FiringKind::Update, FiringState::Succeeded, None));
    assert_eq!(world.targets.runs(&web()).unwrap().digest, world.registries.tag(HOST, NAME, "v7"));
    let missing = ChosenImage::Tag { repository: ready.repository, tag: tag("v8") };
    let failure = ready.app.update_now(&web(), &missing, HealthGate::default()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::ManifestUnknown);
}

#[tokio::test]
async fn the_images_of_the_way_back_are_kept_and_no_others() {
    let world = World::new();
    world.targets.put(&web(), "docker.io/library/nginx:1", "sha256:nginx");
    world.remote().push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    let app = world.open().await;
    let code = app.add_code_repository(&code_input()).await.unwrap();
    let local = app.registries().await.unwrap()[0].id;
    let repository = app.add_image_repository(&repository_spec(local)).await.unwrap();
    let rule = app.add_rule(repository, &rule_spec(code)).await.unwrap();
    app.add_trigger(repository, &spec(TagCondition::All)).await.unwrap();
    let ready = Ready { app, code, repository, rule };
    for round in 1..=7 {
        push(&world, &ready, &format!("text {round}")).await;
        count(&ready.app, round).await;
    }
    let kept = async || world.engine.names("slipway.local/firing:");
    let all = firings(&ready.app).await;
    let wanted: Vec<FiringId> = all[2..].iter().map(|firing| firing.id).collect();
    let tidy = async {
        while kept().await.iter().filter(|name| !name.ends_with("-before")).count() != wanted.len() {
            tokio::task::yield_now().await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(10), tidy).await.is_err() {
        panic!("kept: {:?}, wanted {wanted:?}", kept().await);
    }
    for id in wanted {
        assert!(kept().await.iter().any(|name| name.ends_with(&format!("-{id}"))), "{id}");
    }
    // Each of them can be gone back to, although its tag moved on long ago.
    let target = ready.app.trigger(all[0].trigger.unwrap()).await.unwrap().trigger.target;
    assert_eq!(ready.app.store().deployed_firings(target, 100).await.unwrap().len(), 7);
    let id = ready.app.roll_back(all[3].id, false).await.unwrap();
    settled(&ready.app).await;
    assert_eq!(ready.app.firing_detail(id).await.unwrap().firing.state, FiringState::Succeeded);
}

pub(crate) fn run_wish(repository: ImageRepositoryId) -> slipway_app::targets::RunWish {
    slipway_app::targets::RunWish {
        engine: "local".to_owned(),
        name: "site".to_owned(),
        image: ChosenImage::Tag { repository, tag: tag("v1") },
        run_as: slipway_core::deploy::RunAs::Container { restart: true },
        ports: Vec::new(),
        environment: Vec::new(),
        volumes: Vec::new(),
        network: slipway_core::deploy::NetworkChoice::Default,
        gate: HealthGate::default(),
    }
}

#[tokio::test]
async fn seed_4_9_an_image_runs_as_a_first_service() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    world.registries.store_image(HOST, NAME, "v1", "linux/amd64", "one");
    let firing = app.run_image(&run_wish(repository)).await.unwrap();
    let all = count(&app, 1).await;
    assert_eq!((all[0].id, all[0].kind, all[0].state), (firing, FiringKind::Run, FiringState::Succeeded));
    let (targets, away) = app.targets().await.unwrap();
    assert_eq!((targets.len(), away.len()), (1, 0));
    assert_eq!(targets[0].last_firing.as_ref().map(|firing| firing.id), Some(firing));
    let bad = slipway_app::targets::RunWish { name: "-x".to_owned(), ..run_wish(repository) };
    assert_eq!(app.run_image(&bad).await.unwrap_err().field.as_deref(), Some("name"));
}

#[tokio::test]
async fn f30_stopped_while_an_image_is_run_says_what_is_there() {
    let world = World::new();
    let app = world.open().await;
    let repository = add_oci_repository(&app, HOST).await;
    world.registries.store_image(HOST, NAME, "v1", "linux/amd64", "one");
    world.targets.hold_watching(true);
    app.run_image(&run_wish(repository)).await.unwrap();
    world.targets.watching_waiting(1).await;
    app.shutdown().await;
    world.targets.hold_watching(false);
    let app = world.open().await;
    assert_eq!(states(&count(&app, 1).await), [FiringState::Succeeded]);
    assert_eq!(world.targets.calls("run_image"), 1);
}

#[tokio::test]
async fn a_build_that_fails_at_its_second_tag_still_fires_for_the_first() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    world.registries.fail("put_manifest", failure(ErrorCode::RegistryDenied), 1);
    push(&world, &ready, "two").await;
    assert_eq!(ready.builds().await[0].state, BuildState::Failed);
    let all = count(&ready.app, 1).await;
    assert!(all[0].version.tag.as_ref().unwrap().as_str().starts_with("main-"), "{:?}", all[0].version);
    assert_eq!(states(&all), [FiringState::Succeeded]);
}
