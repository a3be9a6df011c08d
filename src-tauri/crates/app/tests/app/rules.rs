//! Editing, duplicating, deleting, previewing and checking rules.

use crate::world::{HOST, NAME, World, failure, rule_spec};
use slipway_core::ErrorCode;
use slipway_core::build::BuildState;
use slipway_core::code::RepoPath;
use slipway_core::rule::{PushTriggers, RuleSpec, VersionRule};

#[tokio::test]
async fn deleting_a_rule_cancels_what_waits_and_keeps_the_records() {
    let world = World::new();
    let ready = world.ready().await;
    let settings = slipway_app::Settings { concurrency: 1, ..slipway_app::Settings::default() };
    ready.app.set_settings(&settings).await.unwrap();
    world.engine.hold_builds(true);
    let head = world.remote().push("main", "second", &[("index.html", "two")]);
    world.remote().set("refs/heads/other", &head);
    ready.look().await;
    world.engine.builds_waiting(1).await;
    let deleted = ready.app.delete_rule(ready.rule, false).await.unwrap();
    assert_eq!((deleted.cancelled.len(), deleted.running.len()), (1, 1));
    world.engine.hold_builds(false);
    let builds = ready.idle().await;
    let mut states: Vec<_> = builds.iter().map(|build| build.state.as_str()).collect();
    states.sort_unstable();
    assert_eq!(states, ["cancelled", "succeeded"], "the running one was not asked to stop");
}

#[tokio::test]
async fn deleting_a_rule_can_take_the_running_build_with_it() {
    let world = World::new();
    let ready = world.ready().await;
    world.engine.hold_builds(true);
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    world.engine.builds_waiting(1).await;
    let running = ready.app.delete_rule(ready.rule, true).await.unwrap().running[0];
    ready.reaches(running, BuildState::Cancelled).await;
}

#[tokio::test]
async fn widening_the_triggers_builds_nothing_old() {
    let world = World::new();
    let ready = world
        .ready_with(|spec| {
            spec.triggers = PushTriggers { branches: vec!["main".to_owned()], ..PushTriggers::default() };
        })
        .await;
    let head = world.remote().push("main", "second", &[("index.html", "two")]);
    world.remote().set("refs/heads/old", &head);
    ready.look().await;
    ready.idle().await;
    ready.app.edit_rule(ready.rule, &rule_spec(ready.code)).await.unwrap();
    ready.look().await;
    assert_eq!(ready.idle().await.len(), 1);
    world.remote().push("old", "now", &[("index.html", "three")]);
    ready.look().await;
    assert_eq!(ready.idle().await.len(), 2);
}

#[tokio::test]
async fn a_duplicate_is_switched_off_and_has_its_own_name() {
    let world = World::new();
    let ready = world.ready().await;
    let taken = ready.app.duplicate_rule(ready.rule, "pushes").await.unwrap_err();
    assert_eq!(taken.code, ErrorCode::NameTaken);
    let copy = ready.app.duplicate_rule(ready.rule, "copy").await.unwrap();
    let copy = ready.app.rule(copy).await.unwrap().spec;
    assert_eq!((copy.name.as_str(), copy.auto_trigger), ("copy", false));
}

#[tokio::test]
async fn the_preview_names_tags_and_collisions() {
    let world = World::new();
    let ready = world.ready().await;
    let head = world.remote().push("a/b", "x", &[("index.html", "x")]);
    world.remote().set("refs/heads/a-b", &head);
    ready.look().await;
    let triggers = PushTriggers { pattern: Some("^a".to_owned()), ..PushTriggers::default() };
    let version = VersionRule::Templates { templates: vec!["{branch}".to_owned()] };
    let preview = ready.app.preview_rule(ready.code, &triggers, &version).await.unwrap();
    assert_eq!((preview.matching.len(), preview.of), (2, 3));
    assert_eq!(preview.collisions[0].tag.as_str(), "a-b");
}

#[tokio::test]
async fn preflight_puts_each_problem_beside_its_field() {
    let world = World::new();
    let ready = world.ready().await;
    let fields = async |change: &dyn Fn(&mut slipway_core::rule::RuleSpec)| {
        let mut spec = rule_spec(ready.code);
        change(&mut spec);
        let found = ready.app.preflight(ready.repository, &spec).await.unwrap();
        found.errors.into_iter().map(|one| (one.code, one.field.unwrap_or_default())).collect::<Vec<_>>()
    };
    assert_eq!(fields(&|_| {}).await, []);
    let path = fields(&|spec| spec.dockerfile_path = RepoPath::new("docker/Dockerfile").unwrap()).await;
    assert_eq!(path, [(ErrorCode::DockerfileMissing, "spec.dockerfile_path".to_owned())]);
    let folder = fields(&|spec| spec.context_dir = RepoPath::new("nowhere").unwrap()).await;
    assert_eq!(folder, [(ErrorCode::ContextMissing, "spec.context_dir".to_owned())]);
    let target = fields(&|spec| spec.options.target = Some("missing".to_owned())).await;
    assert_eq!(target, [(ErrorCode::TargetMissing, "spec.options.target".to_owned())]);
    let pattern = fields(&|spec| {
        spec.triggers.pattern = Some("^refs/(heads".to_owned());
        spec.options.target = Some("missing".to_owned());
    });
    let both = [
        (ErrorCode::BadRegex, "spec.triggers.pattern".to_owned()),
        (ErrorCode::TargetMissing, "spec.options.target".to_owned()),
    ];
    assert_eq!(pattern.await, both, "once, and the files are looked at all the same");

    world.remote().push("main", "base", &[("Dockerfile", "FROM nowhere.test/base:1\n")]);
    world.engine.unresolvable("nowhere.test/base:1");
    assert_eq!(fields(&|_| {}).await, [(ErrorCode::BaseImageMissing, "spec.dockerfile_path".to_owned())]);
    world.remote().push("main", "syntax", &[("Dockerfile", "FROM\n")]);
    assert_eq!(fields(&|_| {}).await[0].0, ErrorCode::DockerfileSyntax);
    world.registries.fail("test", failure(ErrorCode::RegistryDenied), 1);
    assert!(fields(&|_| {}).await.contains(&(ErrorCode::RegistryDenied, "repository".to_owned())));
    world.code.fail_always("remote_refs", Some(failure(ErrorCode::SourceNotFound)));
    assert_eq!(fields(&|_| {}).await, [(ErrorCode::SourceNotFound, "spec.code".to_owned())]);
}

#[tokio::test]
async fn a_repository_that_cannot_be_pushed_to_is_read_only() {
    let world = World::new();
    let ready = world.ready().await;
    world.registries.fail("test", failure(ErrorCode::RegistryDenied), 1);
    let spec = ready.app.image_repository(ready.repository).await.unwrap().spec;
    ready.app.edit_image_repository(ready.repository, &spec).await.unwrap();
    let mut second = rule_spec(ready.code);
    second.name = "second".to_owned();
    let refused = ready.app.add_rule(ready.repository, &second).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ReadOnlyRepository);
    let refused = ready.app.edit_rule(ready.rule, &rule_spec(ready.code)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ReadOnlyRepository);
    ready.app.edit_image_repository(ready.repository, &spec).await.unwrap();
    ready.app.add_rule(ready.repository, &second).await.unwrap();
}

#[tokio::test]
async fn the_check_warns_about_tags_and_platforms_that_are_published_already() {
    let world = World::new();
    let ready = world.ready().await;
    ready.look().await;
    let mut spec = ready.app.rule(ready.rule).await.unwrap().spec;
    let warnings = async |spec: &RuleSpec| {
        let found = ready.app.preflight(ready.repository, spec).await.unwrap();
        let warnings = found.warnings.into_iter().filter_map(|mut one| one.details.remove("warning"));
        warnings.filter(|warning| warning != "platform").collect::<Vec<_>>()
    };
    assert_eq!(warnings(&spec).await, Vec::<String>::new());
    world.registries.store_image(HOST, NAME, "main", "linux/arm64", "by another client");
    assert_eq!(warnings(&spec).await, ["newest_platform"], "built by emulation");
    let platform = |text: &str| text.parse().unwrap();
    spec.options.platforms = vec![platform("linux/amd64")];
    assert_eq!(warnings(&spec).await, ["newest_platform"], "replaced by another platform");
    spec.options.platforms = vec![platform("linux/arm64")];
    assert_eq!(warnings(&spec).await, Vec::<String>::new());

    let mut repository = ready.app.image_repository(ready.repository).await.unwrap().spec;
    repository.write_once = vec!["ma.*".to_owned()];
    ready.app.edit_image_repository(ready.repository, &repository).await.unwrap();
    assert_eq!(warnings(&spec).await, ["write_once"]);
    spec.version = VersionRule::Templates { templates: vec!["{ref}-1".to_owned()] };
    assert_eq!(warnings(&spec).await, Vec::<String>::new());
}
