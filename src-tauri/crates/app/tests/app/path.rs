//! The whole path: a push becomes a verified tag.

use crate::world::{HOST, NAME, Ready, World, code_input, failure, repository_spec, rule_spec};
use slipway_core::ErrorCode;
use slipway_core::build::{BuildKind, BuildState, PublicationState, Stage, StageOutcome};
use slipway_core::code::RefName;
use slipway_core::image::Tag;
use slipway_core::rule::{BuildOverrides, BuildTarget};
use slipway_testkit::eventually;
use slipway_testkit::fakes::FakeBuild;
use std::time::Duration;

#[tokio::test]
async fn a_push_becomes_a_verified_tag_with_its_record() {
    let world = World::new();
    let ready = world.ready_with(|spec| spec.overwrite_tag = Some(Tag::new("latest").unwrap())).await;
    assert!(ready.builds().await.is_empty(), "the first look builds nothing");
    world.engine.next_build(FakeBuild { lines: vec!["hello from the build".to_owned()], ..FakeBuild::default() });
    let commit = world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!((build.state, build.kind), (BuildState::Succeeded, BuildKind::Push), "{:?}", build.failure);
    assert_eq!(build.commit_id.as_ref(), Some(&commit));
    let digest = world.registries.tag(HOST, NAME, "main").unwrap();
    assert_eq!(world.registries.tag(HOST, NAME, "latest"), Some(digest.clone()));
    assert_eq!(world.engine.calls("push"), 1, "the further tag is a copy of the manifest");

    let detail = ready.app.build_detail(build.id).await.unwrap();
    let stages: Vec<_> = detail.stages.iter().map(|stage| (stage.stage, stage.outcome.unwrap())).collect();
    assert_eq!(
        stages,
        [
            (Stage::Checkout, StageOutcome::Succeeded),
            (Stage::Build, StageOutcome::Succeeded),
            (Stage::Push, StageOutcome::Succeeded),
            (Stage::Triggers, StageOutcome::Skipped)
        ]
    );
    assert!(
        detail.publications.iter().all(|one| one.state == PublicationState::Done && one.digest == Some(digest.clone()))
    );
    let labels = &world.engine.seen_builds()[0].labels;
    assert_eq!(labels["org.opencontainers.image.revision"], commit.as_str());
    assert_eq!(labels["org.opencontainers.image.source"], crate::world::PLACE);
    assert_eq!(labels["org.opencontainers.image.ref.name"], "main");
    let log = ready.app.logs().search(build.id, "hello from the build", true, 0, 10).unwrap();
    assert_eq!(log.count, 1);
    let line = &ready.app.logs().page(build.id, log.lines[0], 1, None).unwrap()[0];
    let step = detail.steps.iter().find(|step| Some(step.ordinal) == line.step.map(u32::from)).unwrap();
    assert_eq!(step.update.name, "[1/1] RUN make");
    eventually("the private tag is gone", Duration::from_secs(20), async || {
        if world.engine.built_image_is_forgotten(build.id) { Ok(()) } else { Err(()) }
    })
    .await;
}

#[tokio::test]
async fn local_engine_gets_a_name_and_says_unchanged_the_second_time() {
    let world = World::new();
    world.remote().push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    let app = world.open().await;
    let code = app.add_code_repository(&code_input()).await.unwrap();
    let local = app.registries().await.unwrap()[0].id;
    let repository = app.add_image_repository(&repository_spec(local)).await.unwrap();
    let rule = app.add_rule(repository, &rule_spec(code)).await.unwrap();
    let ready = Ready { app, code, repository, rule };
    let target = BuildTarget::Ref { name: RefName::branch("main").unwrap() };
    let mut states = Vec::new();
    for _ in 0..2 {
        let build = ready.app.build_now(rule, &target, &BuildOverrides::default()).await.unwrap();
        ready.reaches(build, BuildState::Succeeded).await;
        states.push(ready.app.build_detail(build).await.unwrap().publications[0].state);
    }
    assert_eq!(states, [PublicationState::Done, PublicationState::Unchanged]);
    assert!(world.engine.named(&format!("docker.io/{NAME}:main")).is_some());
    assert_eq!(world.engine.calls("push"), 0);
}

#[tokio::test]
async fn a_failing_step_fails_the_build_and_the_next_push_builds() {
    let world = World::new();
    let ready = world.ready().await;
    world.engine.next_build(FakeBuild { failure: Some(failure(ErrorCode::StepFailed)), ..FakeBuild::default() });
    world.remote().push("main", "broken", &[("index.html", "two")]);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.state, BuildState::Failed);
    assert_eq!(build.failure.unwrap().code, ErrorCode::StepFailed);
    assert_eq!(world.engine.calls("build"), 1, "the same inputs would fail again");
    world.remote().push("main", "mended", &[("index.html", "three")]);
    ready.look().await;
    assert_eq!(Ready::states(&ready.idle().await), [BuildState::Failed, BuildState::Succeeded]);
}

#[tokio::test]
async fn a_missing_dockerfile_offers_near_misses() {
    let world = World::new();
    let ready = world.ready_with(|spec| {
        spec.dockerfile_path = slipway_core::code::RepoPath::new("dockerfile").unwrap();
    });
    let ready = ready.await;
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    let failure = ready.idle().await.remove(0).failure.unwrap();
    assert_eq!(failure.code, ErrorCode::DockerfileMissing);
    assert_eq!(failure.details["suggestions"], "Dockerfile");
}

#[tokio::test]
async fn run_again_keeps_the_inputs_and_links_the_records() {
    let world = World::new();
    let ready = world.ready().await;
    let commit = world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    let first = ready.idle().await.remove(0);
    let again = ready.app.rerun(first.id).await.unwrap();
    let again = ready.reaches(again, BuildState::Succeeded).await;
    assert_eq!((again.kind, again.rerun_of), (BuildKind::Rerun, Some(first.id)));
    assert_eq!(again.inputs.commit, Some(commit));
    assert_eq!(ready.app.build_detail(again.id).await.unwrap().publications[0].state, PublicationState::Unchanged);

    let overrides = BuildOverrides { tags: Some(vec![Tag::new("by-hand").unwrap()]), ..BuildOverrides::default() };
    let changed = ready.app.rerun_with(first.id, &overrides).await.unwrap();
    ready.reaches(changed, BuildState::Succeeded).await;
    assert!(world.registries.tag(HOST, NAME, "by-hand").is_some());
    ready.app.delete_build(changed).await.unwrap();
    assert_eq!(ready.app.build_detail(changed).await.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn build_now_takes_a_short_commit_and_leaves_the_overwrite_tag() {
    let world = World::new();
    let ready = world.ready_with(|spec| spec.overwrite_tag = Some(Tag::new("latest").unwrap())).await;
    let old = world.remote().push("main", "second", &[("index.html", "two")]);
    world.remote().push("main", "third", &[("index.html", "three")]);
    ready.look().await;
    ready.idle().await;
    let latest = world.registries.tag(HOST, NAME, "latest");
    let overrides = BuildOverrides { tags: Some(vec![Tag::new("old").unwrap()]), ..BuildOverrides::default() };
    let target = BuildTarget::Commit { id: old.short().to_owned() };
    let build = ready.app.build_now(ready.rule, &target, &overrides).await.unwrap();
    ready.reaches(build, BuildState::Succeeded).await;
    assert!(world.registries.tag(HOST, NAME, "old").is_some());
    assert_eq!(world.registries.tag(HOST, NAME, "latest"), latest);
}

#[tokio::test]
async fn the_first_build_takes_the_platform_of_the_registrys_newest_tag() {
    let world = World::new();
    world.registries.store_image(HOST, NAME, "1.0", "linux/arm64", "by another client");
    let ready = world.ready().await;
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    ready.idle().await;
    // Afterwards Slipway knows what it moved itself, and asks no more.
    let asked = world.registries.calls("tags");
    world.remote().push("main", "third", &[("index.html", "three")]);
    ready.look().await;
    ready.idle().await;
    assert_eq!(world.registries.calls("tags"), asked);
    let platforms: Vec<_> =
        world.engine.seen_builds().into_iter().flat_map(|build| build.platforms).map(|one| one.to_string()).collect();
    assert_eq!(platforms, ["linux/arm64", "linux/arm64"]);
}

#[tokio::test]
async fn a_registry_that_does_not_tell_its_newest_tag_is_no_reason_not_to_build() {
    let world = World::new();
    let ready = world.ready().await;
    world.registries.fail("tags", failure(ErrorCode::RegistryUnreachable), 1);
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert_eq!(build.state, BuildState::Succeeded);
    assert_eq!(world.engine.seen_builds()[0].platforms, []);
    let lines = ready.app.logs().page(build.id, 0, 100, None).unwrap();
    assert!(
        lines.iter().any(|line| line.text.starts_with("warning: the newest tag's platform is unknown")),
        "{lines:#?}"
    );
}
