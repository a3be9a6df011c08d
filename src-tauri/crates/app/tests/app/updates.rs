//! What an update means for others: the inbox tells when it fails and when it works again, and versions that a target needs
//! are named before they are deleted. And what a build is compared with.

use crate::channels::{arrived, input};
use crate::triggers::{count, push, ready, settled, tag, web};
use crate::world::{World, failure};
use slipway_app::Slipway;
use slipway_core::ErrorCode;
use slipway_core::channel::{ChannelEvent, ChannelKind};
use slipway_core::notice::NoticeFacts;
use slipway_core::ports::Clock as _;
use slipway_core::trigger::FiringState;
use slipway_core::version::DeployNeedKind;
use slipway_store::Store;
use std::sync::Arc;

async fn told(app: &Slipway) -> Vec<NoticeFacts> {
    let mut items = app.notices(None, 100, false).await.unwrap().items;
    items.reverse();
    items.into_iter().map(|one| one.facts).collect()
}

#[tokio::test]
async fn f29_an_update_that_fails_is_told_once_what_gets_worse_again_and_so_is_the_recovery() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    let unhealthy = || failure(ErrorCode::TargetUnhealthy);
    for (nth, (watch, undo)) in
        [(false, false), (true, false), (true, false), (true, true), (false, false), (false, false)]
            .into_iter()
            .enumerate()
    {
        if watch {
            world.targets.fail("watch", unhealthy(), 1);
        }
        if undo {
            world.targets.fail("undo", failure(ErrorCode::TargetGone), 1);
        }
        push(&world, &ready, &format!("push {nth}")).await;
        count(&ready.app, nth + 1).await;
    }
    let facts = told(&ready.app).await;
    let [
        NoticeFacts::UpdateFailed { update, code, state: FiringState::RolledBack },
        NoticeFacts::UpdateFailed { state: FiringState::Broken, .. },
        NoticeFacts::UpdateRecovered { update: again },
    ] = facts.as_slice()
    else {
        panic!("{facts:#?}")
    };
    assert_eq!((update.target_name.as_str(), *code), ("web", ErrorCode::TargetUnhealthy));
    assert!(update.version.starts_with("main-"), "{update:?}");
    assert_eq!(update.trigger_name.as_deref(), Some("web"));
    assert_eq!(facts[0].route(), format!("/targets?dialog=record.{}", update.firing));
    assert!(again.firing > update.firing);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn f01_the_end_of_an_update_that_a_kill_kept_from_being_told_is_told_once_by_the_next_start() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    ready.app.add_channel(&input(ChannelKind::Slack, &[ChannelEvent::UpdateRolledBack])).await.unwrap();
    world.targets.hold_watching(true);
    push(&world, &ready, "bad").await;
    world.targets.watching_waiting(1).await;
    ready.app.shutdown().await;
    // As a worker that dies between the row and the notice.
    let store = Store::open(world.root.path(), world.clock.now()).await.unwrap().store;
    let firing = store.unfinished_firings().await.unwrap().remove(0).id;
    let why = failure(ErrorCode::TargetUnhealthy);
    assert!(store.finish_firing(firing, FiringState::RolledBack, None, Some(&why), world.clock.now()).await.unwrap());
    store.close().await;
    for _ in 0..2 {
        let app = world.open().await;
        let facts = told(&app).await;
        assert!(
            matches!(&facts[..], [NoticeFacts::UpdateFailed { update, state: FiringState::RolledBack, .. }]
                if update.firing == firing),
            "{facts:#?}"
        );
        assert_eq!(app.store().untold_ends().await.unwrap(), []);
        assert!(arrived(&world, 1).await[0].body.contains("web"));
        app.shutdown().await;
    }
}

#[tokio::test]
async fn f03_an_update_whose_worker_panics_again_and_again_is_told_as_broken() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    ready.app.add_channel(&input(ChannelKind::Slack, &[ChannelEvent::UpdateFailed])).await.unwrap();
    world.targets.hold_applying(true);
    push(&world, &ready, "two").await;
    world.targets.applying_waiting(1).await;
    ready.app.shutdown().await;
    let app = world.open_with(|ports| ports.actions = Arc::new(|_| panic!("a scripted panic"))).await;
    assert_eq!(count(&app, 1).await[0].state, FiringState::Broken);
    assert!(arrived(&world, 1).await[0].body.contains("web"));
    let facts = told(&app).await;
    assert!(
        matches!(facts[..], [NoticeFacts::UpdateFailed { state: FiringState::Broken, code: ErrorCode::Internal, .. }]),
        "{facts:#?}"
    );
    app.shutdown().await;
}

#[tokio::test]
async fn a_version_that_a_target_needs_says_so_before_it_is_deleted() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    let mut tags = Vec::new();
    for (nth, text) in ["one", "two"].into_iter().enumerate() {
        push(&world, &ready, text).await;
        let all = count(&ready.app, nth + 1).await;
        assert_eq!(all[nth].state, FiringState::Succeeded);
        let build = ready.app.build_detail(all[nth].build.unwrap()).await.unwrap().build;
        tags.push(build.tags.unwrap()[0].clone());
    }
    let needs = async |name: &slipway_core::image::Tag| {
        let removal = ready.app.version_removal(ready.repository, std::slice::from_ref(name)).await.unwrap();
        let [group] = removal.groups.as_slice() else { panic!("{removal:?}") };
        group.needed.iter().map(|need| (need.target.clone(), need.why)).collect::<Vec<_>>()
    };
    assert_eq!(needs(&tags[0]).await, [(web(), DeployNeedKind::RollBack)]);
    assert_eq!(needs(&tag("latest")).await, [(web(), DeployNeedKind::Runs)]);
    // What is gone needs nothing.
    world.targets.take(&web());
    assert_eq!(needs(&tags[0]).await, []);
    settled(&ready.app).await;
    ready.app.shutdown().await;
}

#[tokio::test]
async fn a_build_is_compared_with_the_one_of_its_rule_before_it() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    push(&world, &ready, "one").await;
    push(&world, &ready, "two").await;
    let builds = ready.builds().await;
    let (first, second) = (builds[0].id, builds[1].id);
    let compared = ready.app.compare_build(second).await.unwrap().unwrap();
    assert_eq!(compared.before, first);
    assert_eq!(compared.files.as_deref(), Some(&["index.html".to_owned()][..]));
    assert_eq!(ready.app.compare_build(first).await.unwrap(), None);
    // What the context leaves out cannot be why a step ran again.
    let third = [(".dockerignore", "docs\n*.md"), ("index.html", "three"), ("left-out.md", "never sent")];
    let fourth = [("docs/a.html", "a"), ("notes.md", "b"), ("index.html", "four")];
    for files in [&third[..], &fourth[..]] {
        world.remote().push("main", "more", files);
        ready.look().await;
        ready.idle().await;
    }
    let builds = ready.builds().await;
    let files = async |id| ready.app.compare_build(id).await.unwrap().unwrap().files.unwrap();
    assert_eq!(files(builds[2].id).await, [".dockerignore", "index.html"]);
    assert_eq!(files(builds[3].id).await, ["index.html"]);
    ready.app.shutdown().await;
}
