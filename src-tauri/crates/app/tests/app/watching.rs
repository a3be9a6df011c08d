//! What a look makes of moved refs: F25, catch-up, force-push, deletion, tags, filters.

use crate::world::{HOST, NAME, PLACE, Ready, World, code_input, failure, rule_spec};
use slipway_app::code_repositories::{CodeLocationInput, CodeRepositoryInput};
use slipway_core::ErrorCode;
use slipway_core::build::{BuildReason, BuildState};
use slipway_core::rule::{PathFilters, Strategy};

use BuildState::{Skipped, Succeeded, Superseded};

#[tokio::test]
async fn f25_two_hundred_pushes_build_the_newest_and_account_for_the_rest() {
    let world = World::new();
    let ready = world.ready().await;
    world.engine.hold_builds(true);
    let mut last = None;
    for number in 0..200 {
        last = Some(world.remote().push("main", &format!("push {number}"), &[("index.html", &number.to_string())]));
        ready.look().await;
    }
    world.engine.hold_builds(false);
    let builds = ready.idle().await;
    assert_eq!(builds.len(), 200, "each push that was seen has its row");
    let built = builds.iter().filter(|build| build.state == Succeeded).count();
    assert!(built <= 3, "{built} were built");
    assert!(builds.iter().all(|build| matches!(build.state, Succeeded | Superseded)));
    assert!(builds.iter().filter(|build| build.state == Superseded).all(|build| build.covered_by.is_some()));
    assert_eq!((builds[199].state, builds[199].commit_id.clone()), (Succeeded, last));
    let main = slipway_core::image::Tag::new("main").unwrap();
    let published = ready.app.store().last_move(ready.repository, &main).await.unwrap().unwrap();
    assert_eq!(published.build, Some(builds[199].id));
}

#[tokio::test]
async fn every_push_builds_each_one() {
    let world = World::new();
    let ready = world.ready_with(|spec| spec.strategy = Strategy::EveryPush).await;
    world.engine.hold_builds(true);
    for number in 0..4 {
        world.remote().push("main", &format!("push {number}"), &[("index.html", &number.to_string())]);
        ready.look().await;
    }
    world.engine.hold_builds(false);
    assert_eq!(Ready::states(&ready.idle().await), [Succeeded; 4]);
}

#[tokio::test]
async fn tags_are_never_superseded() {
    let world = World::new();
    let ready = world.ready().await;
    world.engine.hold_builds(true);
    for number in 0..3 {
        let commit = world.remote().push("main", &format!("push {number}"), &[("index.html", &number.to_string())]);
        world.remote().annotate("v1", &commit, &format!("note {number}"));
        ready.look().await;
    }
    world.engine.hold_builds(false);
    let builds = ready.idle().await;
    let tags: Vec<_> = builds.iter().filter(|build| build.ref_name.as_ref().unwrap().short() == "v1").collect();
    assert_eq!(tags.len(), 3);
    assert!(tags.iter().all(|build| build.state == Succeeded));
}

#[tokio::test]
async fn a_re_created_tag_on_the_same_commit_is_a_push() {
    let world = World::new();
    let ready = world.ready().await;
    let commit = world.remote().push("main", "second", &[("index.html", "two")]);
    world.remote().annotate("v1", &commit, "first note");
    ready.look().await;
    ready.idle().await;
    world.remote().annotate("v1", &commit, "second note");
    ready.look().await;
    assert_eq!(ready.idle().await.len(), 3);
}

#[tokio::test]
async fn a_new_branch_is_a_push() {
    let world = World::new();
    let ready = world.ready().await;
    let head = world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    ready.idle().await;
    world.remote().set("refs/heads/feature/x", &head);
    ready.look().await;
    let builds = ready.idle().await;
    assert_eq!(builds[1].ref_name.as_ref().unwrap().short(), "feature/x");
    assert!(world.registries.tag(HOST, NAME, "feature-x").is_some());
}

#[tokio::test]
async fn a_force_push_back_is_newer_and_moves_the_tag_back() {
    let world = World::new();
    let ready = world.ready().await;
    let good = world.remote().push("main", "good", &[("index.html", "good")]);
    ready.look().await;
    ready.idle().await;
    let good_digest = world.registries.tag(HOST, NAME, "main");
    world.remote().push("main", "bad", &[("index.html", "bad")]);
    ready.look().await;
    ready.idle().await;
    assert_ne!(world.registries.tag(HOST, NAME, "main"), good_digest);
    world.remote().set("refs/heads/main", &good);
    ready.look().await;
    let builds = ready.idle().await;
    assert_eq!(Ready::states(&builds), [Succeeded; 3]);
    assert_eq!(world.registries.tag(HOST, NAME, "main"), good_digest);
    assert_eq!(world.registries.moves(HOST, NAME, "main").len(), 3);
}

#[tokio::test]
async fn a_revert_has_the_content_of_before() {
    let world = World::new();
    let ready = world.ready().await;
    for (message, text) in [("good", "good"), ("bad", "bad"), ("revert", "good")] {
        world.remote().push("main", message, &[("index.html", text)]);
        ready.look().await;
        ready.idle().await;
    }
    let contents: Vec<_> = ready.builds().await.into_iter().map(|build| build.image.unwrap().content).collect();
    assert_eq!(contents[0], contents[2]);
    assert_ne!(contents[0], contents[1]);
}

#[tokio::test]
async fn a_deleted_branch_builds_nothing_and_drops_what_waits() {
    let world = World::new();
    let ready = world.ready().await;
    world.engine.hold_builds(true);
    let settings = slipway_app::Settings { concurrency: 1, ..slipway_app::Settings::default() };
    ready.app.set_settings(&settings).await.unwrap();
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    world.engine.builds_waiting(1).await;
    let head = world.remote().push("main", "third", &[("index.html", "three")]);
    world.remote().set("refs/heads/gone", &head);
    ready.look().await;
    world.remote().delete("refs/heads/gone");
    ready.look().await;
    world.engine.hold_builds(false);
    let builds = ready.idle().await;
    let gone = builds.iter().find(|build| build.ref_name.as_ref().unwrap().short() == "gone").unwrap();
    assert_eq!((gone.state, &gone.reason), (Skipped, &Some(BuildReason::RefDeleted)));
    ready.look().await;
    assert_eq!(ready.idle().await.len(), builds.len());
}

#[tokio::test]
async fn pushes_while_switched_off_count_as_seen() {
    let world = World::new();
    let ready = world.ready().await;
    ready.app.set_auto_trigger(ready.rule, false).await.unwrap();
    world.remote().push("main", "seen while off", &[("index.html", "two")]);
    ready.look().await;
    // Not even looked at before it is switched on again.
    world.remote().push("main", "unseen while off", &[("index.html", "three")]);
    ready.app.set_auto_trigger(ready.rule, true).await.unwrap();
    assert!(ready.look().await.is_empty());
    world.remote().push("main", "on again", &[("index.html", "four")]);
    ready.look().await;
    assert_eq!(Ready::states(&ready.idle().await), [Succeeded]);
}

#[tokio::test]
async fn p1_pushes_while_away_are_caught_up_with_the_newest() {
    let world = World::new();
    let ready = world.ready().await;
    ready.app.shutdown().await;
    world.remote().push("main", "missed", &[("index.html", "two")]);
    let newest = world.remote().push("main", "newest", &[("index.html", "three")]);
    let app = world.open().await;
    let ready = Ready { app, ..ready };
    ready.look().await;
    let builds = ready.idle().await;
    assert_eq!(builds.len(), 1);
    assert_eq!(builds[0].commit_id, Some(newest));
}

#[tokio::test]
async fn skip_words_leave_a_row_with_the_reason() {
    let world = World::new();
    let ready = world.ready().await;
    world.remote().push("main", "docs [skip ci]", &[("index.html", "two")]);
    let builds = ready.look().await;
    assert_eq!(builds[0].reason, Some(BuildReason::SkipWord { word: "[skip ci]".to_owned() }));
    assert_eq!((builds[0].state, world.engine.calls("build")), (Skipped, 0));
}

#[tokio::test]
async fn path_filters_compare_with_what_was_built_last() {
    let world = World::new();
    let filters = PathFilters { include: vec!["src/**".to_owned()], exclude: vec![] };
    let ready = world.ready_with(|spec| spec.paths = filters).await;
    world.remote().push("main", "no base yet builds", &[("docs/a", "1")]);
    ready.look().await;
    ready.idle().await;
    world.remote().push("main", "docs only", &[("docs/a", "2")]);
    ready.look().await;
    world.remote().push("main", "source", &[("src/a", "1")]);
    ready.look().await;
    ready.idle().await;
    let builds = ready.builds().await;
    assert_eq!(Ready::states(&builds), [Succeeded, Skipped, Succeeded]);
    assert!(
        matches!(&builds[1].reason, Some(BuildReason::PathFilter { changed: 1, example: Some(path) }) if path == "docs/a")
    );
}

#[tokio::test]
async fn two_rules_share_one_question_and_each_builds() {
    let world = World::new();
    let ready = world.ready().await;
    let mut second = rule_spec(ready.code);
    second.name = "second".to_owned();
    second.version = slipway_core::rule::VersionRule::Templates { templates: vec!["second-{ref}".to_owned()] };
    ready.app.add_rule(ready.repository, &second).await.unwrap();
    let (asked, fetched) = (world.code.calls("remote_refs"), world.code.calls("fetch"));
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    // The fake's fetch asks for the refs once more by itself.
    assert_eq!((world.code.calls("remote_refs") - asked, world.code.calls("fetch") - fetched), (2, 1));
    assert_eq!(Ready::states(&ready.idle().await), [Succeeded, Succeeded]);
}

#[tokio::test]
async fn a_refused_login_is_the_repositorys_health_and_no_failed_build() {
    let world = World::new();
    let ready = world.ready().await;
    world.code.fail_always("remote_refs", Some(failure(ErrorCode::SourceUnauthorized)));
    let refused = ready.app.check_code_repository(ready.code).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::SourceUnauthorized);
    let record = ready.app.code_repository(ready.code).await.unwrap();
    assert_eq!(record.last_failure.as_ref().unwrap().code, ErrorCode::SourceUnauthorized);
    assert!(ready.app.check_times(&record).next_in_seconds > 30, "it backs off");
    assert!(ready.builds().await.is_empty());
    world.code.fail_always("remote_refs", None);
    world.remote().push("main", "meanwhile", &[("index.html", "two")]);
    ready.look().await;
    assert_eq!(Ready::states(&ready.idle().await), [Succeeded]);
}

#[tokio::test]
async fn p1_a_failed_fetch_loses_no_push() {
    let world = World::new();
    let ready = world.ready().await;
    world.remote().push("main", "second", &[("index.html", "two")]);
    world.code.fail("fetch", failure(ErrorCode::SourceServerError), 1);
    assert!(ready.app.check_code_repository(ready.code).await.is_err());
    assert!(ready.builds().await.is_empty());
    ready.look().await;
    assert_eq!(Ready::states(&ready.idle().await), [Succeeded]);
}

#[tokio::test]
async fn a_file_event_in_a_local_clone_makes_a_look() {
    let world = World::new();
    let folder = world.code.repository("/home/me/app");
    folder.push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    let app = world.open().await;
    let input =
        CodeRepositoryInput { location: CodeLocationInput::LocalClone { path: "/home/me/app".into() }, ..code_input() };
    let mut events = app.events();
    let code = app.add_code_repository(&input).await.unwrap();
    let repository = crate::world::add_oci_repository(&app, crate::world::HOST).await;
    let rule = app.add_rule(repository, &rule_spec(code)).await.unwrap();
    let ready = Ready { app, code, repository, rule };
    // The task has taken its watch before its first look.
    while world.code.calls("watch") == 0 {
        events.recv().await.unwrap();
    }
    folder.push("main", "second", &[("index.html", "two")]);
    folder.touch();
    let built = async {
        loop {
            if let Some(build) = ready.builds().await.pop() {
                return build;
            }
            let _ = events.recv().await;
        }
    };
    let build = tokio::time::timeout(std::time::Duration::from_secs(20), built).await.unwrap();
    ready.reaches(build.id, Succeeded).await;
    assert_ne!(ready.app.code_repository(code).await.unwrap().name, PLACE);
}
