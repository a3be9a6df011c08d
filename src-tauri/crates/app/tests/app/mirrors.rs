//! Base images through ordered mirrors.

use crate::world::{Ready, World};
use slipway_app::Settings;
use slipway_core::ErrorCode;
use slipway_core::build::BuildState;
use slipway_core::code::RefName;
use slipway_core::ids::BuildId;
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::network::RegistryMirrors;
use slipway_core::ports::{BuildEngine, Deadlines, Registries};
use slipway_core::rule::{BuildOverrides, BuildTarget, NameValue};
use slipway_engine::{DockerEngine, Transport};
use slipway_registry::OciRegistries;
use slipway_testkit::{BaseImage, Engine, RegistryServer, eventually};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn mirrored(upstream: &str, mirrors: &[&str]) -> Settings {
    let mirrors = mirrors.iter().map(|host| (*host).to_owned()).collect();
    Settings { mirrors: vec![RegistryMirrors { upstream: upstream.to_owned(), mirrors }], ..Settings::default() }
}

/// Builds a push with that Dockerfile; returns the build and Slipway's lines about mirrors.
async fn built(world: &World, ready: &Ready, dockerfile: &str) -> (BuildId, BuildState, Vec<String>) {
    ready.look().await;
    ready.idle().await;
    world.remote().push("main", dockerfile, &[("Dockerfile", dockerfile)]);
    ready.look().await;
    let build = ready.idle().await.pop().unwrap();
    let lines = ready.app.logs().page(build.id, 0, 1000, None).unwrap();
    let lines = lines.into_iter().map(|line| line.text).filter(|text| text.contains("mirror"));
    (build.id, build.state, lines.collect())
}

#[tokio::test]
async fn mirrors_are_asked_in_order_and_the_upstream_is_left_to_the_engine() {
    let world = World::new();
    let ready = world.ready().await;
    ready.app.set_settings(&mirrored("up.test", &["first.test", "second.test"])).await.unwrap();
    let dockerfile =
        "FROM up.test/lib/base:1\nCOPY --from=up.test/lib/missing:1 /a /a\nCOPY --from=other.test/b:1 /a /b\n";
    world.registries.store_image("second.test", "lib/base", "1", "linux/amd64", "base");
    let (build, state, lines) = built(&world, &ready, dockerfile).await;
    assert_eq!(state, BuildState::Succeeded);
    assert_eq!(
        lines,
        [
            "mirror first.test did not give up.test/lib/base:1: first.test/lib/base:1 does not exist",
            "pulled up.test/lib/base:1 through mirror second.test",
            "mirror first.test did not give up.test/lib/missing:1: first.test/lib/missing:1 does not exist",
            "mirror second.test did not give up.test/lib/missing:1: second.test/lib/missing:1 does not exist",
        ]
    );
    let steps = ready.app.store().steps(build).await.unwrap();
    assert!(steps.iter().any(|step| step.update.name == "Base images from mirrors"));
    let given = world.engine.named("up.test/lib/base:1").unwrap();
    assert_eq!(world.engine.named("second.test/lib/base:1"), None, "the mirror's name is taken away again");

    // A name that is there is never moved, unless base images are asked for anew.
    world.registries.store_image("first.test", "lib/base", "1", "linux/amd64", "newer");
    let (_, _, lines) = built(&world, &ready, "FROM up.test/lib/base:1\n").await;
    assert_eq!((lines, world.engine.named("up.test/lib/base:1").unwrap()), (Vec::new(), given.clone()));
    let mut spec = ready.app.rule(ready.rule).await.unwrap().spec;
    spec.options.always_pull = true;
    ready.app.edit_rule(ready.rule, &spec).await.unwrap();
    let (_, _, lines) = built(&world, &ready, "FROM up.test/lib/base:1\nRUN true\n").await;
    assert_eq!(lines, ["pulled up.test/lib/base:1 through mirror first.test"]);
    assert_ne!(world.engine.named("up.test/lib/base:1").unwrap(), given);
}

#[tokio::test]
async fn the_preflight_asks_mirrors_too() {
    let world = World::new();
    let ready = world.ready().await;
    world.remote().push("main", "base", &[("Dockerfile", "FROM up.test/lib/base:1\n")]);
    world.engine.unresolvable("up.test/lib/base:1");
    let spec = ready.app.rule(ready.rule).await.unwrap().spec;
    let codes = async || {
        let found = ready.app.preflight(ready.repository, &spec).await.unwrap();
        found.errors.into_iter().map(|one| one.code).collect::<Vec<_>>()
    };
    ready.app.set_settings(&mirrored("up.test", &["first.test", "second.test"])).await.unwrap();
    assert_eq!(codes().await, [ErrorCode::BaseImageMissing]);
    world.registries.store_image("second.test", "lib/base", "1", "linux/amd64", "base");
    assert_eq!(codes().await, []);
    ready.app.set_settings(&Settings::default()).await.unwrap();
    assert_eq!(codes().await, [ErrorCode::BaseImageMissing]);
    let bad = ready.app.set_settings(&mirrored("up.test", &["https://first.test"])).await.unwrap_err();
    assert_eq!(bad.field.as_deref(), Some("mirrors"));
}

#[tokio::test]
async fn a_real_engine_builds_from_a_host_that_only_a_mirror_has() {
    let witness = Engine::require().await;
    let base = BaseImage::busybox(&witness).await.reference().to_owned();
    let server = RegistryServer::start(None, true).await;
    let transport = Transport::open(witness.endpoint(), None, false).unwrap();
    let owner = format!("mirrors{}", server.host().replace(['.', ':'], ""));
    let engine = Arc::new(DockerEngine::new(transport, None, Deadlines::default()).unwrap().owned_by(&owner));

    let image = |text: &str| ImageReference::parse(text).unwrap();
    let at_mirror = image(&format!("{}/{owner}/base:1", server.host()));
    let id = engine.image(&base).await.unwrap().unwrap().id;
    engine.tag(&id, &at_mirror).await.unwrap();
    let (progress, _) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    engine.push(&at_mirror, &RegistryLogin::Anonymous, progress, &cancel).await.unwrap();
    engine.untag(&at_mirror.to_string()).await.unwrap();

    let world = World::new();
    let dockerfile = format!("FROM upstream.invalid/{owner}/base:1\nCOPY index.html /\n");
    world.remote().push("main", "first", &[("Dockerfile", &dockerfile), ("index.html", "one")]);
    let for_ports = Arc::clone(&engine);
    let app = world
        .open_with(|ports| {
            ports.engines = Arc::new(move |_| Ok(Arc::<DockerEngine>::clone(&for_ports)));
            ports.registries = Arc::new(OciRegistries::new(Deadlines::default())) as Arc<dyn Registries>;
        })
        .await;
    app.set_settings(&mirrored("upstream.invalid", &["127.0.0.1:1", &server.host()])).await.unwrap();
    let label = format!("test.mirrors={owner}");
    let ready = world
        .ready_in(app, &server.host(), |spec| {
            spec.options.labels.push(NameValue { name: "test.mirrors".to_owned(), value: owner.clone() });
        })
        .await;
    let target = BuildTarget::Ref { name: RefName::new("refs/heads/main").unwrap() };
    let build = ready.app.build_now(ready.rule, &target, &BuildOverrides::default()).await.unwrap();
    // A real pull, build and push.
    eventually("the build is over", Duration::from_secs(120), async || {
        let state = ready.app.store().build(build).await.unwrap().state;
        if state.is_final() { Ok(()) } else { Err(state) }
    })
    .await;
    let builds = ready.idle().await;
    let lines = ready.app.logs().page(build, 0, 1000, None).unwrap();
    ready.app.shutdown().await;
    // Another data folder knows of no build: it reads the platform of the newest tag at the registry.
    let second = World::new();
    let app = second
        .open_with(|ports| ports.registries = Arc::new(OciRegistries::new(Deadlines::default())) as Arc<dyn Registries>)
        .await;
    second.remote().push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    let ready = second.ready_in(app, &server.host(), |_| {}).await;
    let mut spec = ready.app.rule(ready.rule).await.unwrap().spec;
    spec.options.platforms = vec!["linux/s390x".parse().unwrap()];
    let found = ready.app.preflight(ready.repository, &spec).await.unwrap();
    ready.app.shutdown().await;

    let original = format!("upstream.invalid/{owner}/base:1");
    let given = engine.image(&original).await.unwrap();
    engine.untag(&original).await.unwrap();
    let left = engine.image(&at_mirror.to_string()).await.unwrap();
    witness.remove_labelled(&label).await;
    let record = builds.iter().find(|one| one.id == build).unwrap();
    assert_eq!(record.state, BuildState::Succeeded, "{:?} {lines:#?}", record.failure);
    let pulled = format!("pulled {original} through mirror {}", server.host());
    assert!(lines.iter().any(|line| line.text == pulled), "{lines:#?}");
    assert!(lines.iter().any(|line| line.text.starts_with("mirror 127.0.0.1:1 did not give")), "{lines:#?}");
    assert_eq!(given.unwrap().id, id);
    assert_eq!(left, None, "the mirror's name is taken away again");
    assert!(
        !lines.iter().any(|line| line.text.starts_with("warning")),
        "a repository without tags is fine: {lines:#?}"
    );
    let newest = found.warnings.iter().find_map(|warning| warning.details.get("newest"));
    assert_eq!(newest, Some(&record.image.as_ref().unwrap().platforms[0].to_string()), "{found:#?}");
    assert!(server.digest("team/app", "main").await.is_some());
}
