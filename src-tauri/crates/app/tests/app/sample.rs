//! The bundled sample: made twice, after parts of it were removed, half made, and built again after an edit.

use crate::world::{World, reaches};
use slipway_app::Slipway;
use slipway_core::ErrorCode;
use slipway_core::build::BuildState;
use slipway_core::ports::Deadlines;
use slipway_git::GitCodeStore;
use slipway_store::BuildFilter;
use slipway_testkit::{GitRepository, eventually};
use std::sync::Arc;
use std::time::Duration;

/// The application with a real git and a fake engine.
async fn open(world: &World) -> Slipway {
    let mirrors = world.root.path().join("mirrors");
    let known_hosts = world.root.path().join("known_hosts");
    world.open_with(|ports| ports.code = Arc::new(GitCodeStore::new(mirrors, known_hosts, Deadlines::default()))).await
}

#[tokio::test]
async fn the_sample_builds_twice_and_is_one_sample() {
    let world = World::new();
    let app = open(&world).await;
    assert!(app.sample_ids().await.unwrap().code.is_none(), "nothing is made before it is asked for");
    let first = app.build_sample().await.unwrap();
    let build = reaches(&app, first.build, BuildState::Succeeded).await;
    assert_eq!(build.tags.unwrap().iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>()[1], "latest");
    let second = app.build_sample().await.unwrap();
    assert_ne!(second.build, first.build);
    assert_eq!((second.code, second.repository, second.rule), (first.code, first.repository, first.rule));
    reaches(&app, second.build, BuildState::Succeeded).await;
    let ids = app.sample_ids().await.unwrap();
    assert_eq!((ids.rule, ids.build, ids.folder), (Some(first.rule), Some(second.build), first.folder));
    app.shutdown().await;
}

#[tokio::test]
async fn two_clicks_make_one_build() {
    let world = World::new();
    let app = open(&world).await;
    world.engine.hold_builds(true);
    let (first, second) = tokio::join!(app.build_sample(), app.build_sample());
    assert_eq!(first.unwrap().build, second.unwrap().build);
    world.engine.hold_builds(false);
    app.shutdown().await;
}

#[tokio::test]
async fn an_edit_of_the_page_builds_again() {
    let world = World::new();
    let app = open(&world).await;
    let sample = app.build_sample().await.unwrap();
    reaches(&app, sample.build, BuildState::Succeeded).await;
    let clone = GitRepository::at(&sample.folder).await;
    assert_eq!(clone.git(&["status", "--porcelain"]).await, "", "the work tree is what was committed");
    assert_eq!(clone.git(&["branch", "--show-current"]).await, "main");
    clone.write("index.html", "changed");
    clone.commit("another page").await;
    app.check_code_repository(sample.code).await.unwrap();
    let filter = BuildFilter { rule: Some(sample.rule), ..BuildFilter::default() };
    let newest = app.builds(&filter, None, 1).await.unwrap().items.remove(0);
    assert_ne!(newest.id, sample.build);
    reaches(&app, newest.id, BuildState::Succeeded).await;
    // The person's own commit stays.
    app.build_sample().await.unwrap();
    assert_eq!(std::fs::read_to_string(sample.folder.join("index.html")).unwrap(), "changed");
    app.shutdown().await;
}

#[tokio::test]
async fn whatever_was_removed_is_made_again() {
    let world = World::new();
    let app = open(&world).await;
    let mut known = app.build_sample().await.unwrap();
    for removed in ["rule", "repository", "code", "folder", "git", "commit"] {
        idle(&app).await;
        match removed {
            "rule" => drop(app.delete_rule(known.rule, true).await.unwrap()),
            "repository" => app.delete_image_repository(known.repository).await.unwrap(),
            "code" => {
                app.delete_image_repository(known.repository).await.unwrap();
                app.delete_code_repository(known.code).await.unwrap();
            }
            "folder" => std::fs::remove_dir_all(&known.folder).unwrap(),
            "git" => std::fs::remove_dir_all(known.folder.join(".git")).unwrap(),
            // What a crash in the middle leaves: a folder without a commit, and one that was being made.
            _ => {
                std::fs::remove_dir_all(&known.folder).unwrap();
                std::fs::create_dir_all(known.folder.join(".git")).unwrap();
                std::fs::create_dir_all(known.folder.with_extension("unfinished")).unwrap();
                std::fs::write(known.folder.with_extension("unfinished").join("Dockerfile"), "FROM").unwrap();
            }
        }
        let again = app.build_sample().await.unwrap_or_else(|failure| panic!("after the {removed}: {failure:?}"));
        reaches(&app, again.build, BuildState::Succeeded).await;
        known = again;
    }
    idle(&app).await;
    app.shutdown().await;
}

async fn idle(app: &Slipway) {
    eventually("nothing is unfinished", Duration::from_secs(20), async || {
        let queue = app.queue().await.unwrap();
        if queue.is_empty() { Ok(()) } else { Err(queue) }
    })
    .await;
}

#[tokio::test]
async fn without_an_engine_the_sample_is_made_and_waits() {
    let world = World::new();
    world.engine.set_absent(true);
    let app = open(&world).await;
    let sample = app.build_sample().await.unwrap();
    reaches(&app, sample.build, BuildState::Paused).await;
    let checklist = app.checklist().await.unwrap();
    assert_eq!(checklist.engine.unwrap_err().code, ErrorCode::EngineAbsent);
    assert!(!checklist.sample_is_green);
    assert_eq!(checklist.sample.build, Some(sample.build));
    app.shutdown().await;
}

#[tokio::test]
async fn the_checklist_follows_the_rows() {
    let world = World::new();
    let app = open(&world).await;
    let empty = app.checklist().await.unwrap();
    assert!(empty.engine.is_ok() && !empty.sample_is_green && !empty.dismissed);
    assert_eq!((empty.repository, empty.rule, empty.registry), (None, None, None));
    let sample = app.build_sample().await.unwrap();
    reaches(&app, sample.build, BuildState::Succeeded).await;
    let green = app.checklist().await.unwrap();
    assert!(green.sample_is_green);
    assert_eq!((green.repository, green.rule, green.registry), (None, None, None), "the sample is nobody's own");

    let own = crate::world::add_oci_repository(&app, crate::world::HOST).await;
    let rule = app.add_rule(own, &crate::world::rule_spec(sample.code)).await.unwrap();
    let done = app.checklist().await.unwrap();
    assert_eq!((done.repository, done.rule), (Some(own), Some((rule, own))));
    assert!(done.registry.is_some());
    app.delete_rule(rule, true).await.unwrap();
    assert_eq!(app.checklist().await.unwrap().rule, None, "what was removed is open again");
    app.dismiss_checklist(true).await.unwrap();
    assert!(app.checklist().await.unwrap().dismissed);
    app.shutdown().await;
}
