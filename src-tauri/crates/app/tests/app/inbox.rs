//! The inbox: changes of state are told, once; being away is told with what was caught up.

use crate::world::{HOST, Ready, World, failure, minutes};
use slipway_app::{AppEvent, Settings, Slipway};
use slipway_core::build::BuildState;
use slipway_core::notice::{NoticeFacts, NoticeKind};
use slipway_core::ports::Clock as _;
use slipway_core::{ErrorCode, Secret};
use slipway_testkit::eventually;
use slipway_testkit::fakes::FakeBuild;
use std::time::Duration;

/// The kinds in the inbox, oldest first.
async fn kinds(app: &Slipway) -> Vec<NoticeKind> {
    facts(app).await.iter().map(NoticeFacts::kind).collect()
}

async fn facts(app: &Slipway) -> Vec<NoticeFacts> {
    let mut items = app.notices(None, 500, false).await.unwrap().items;
    items.reverse();
    items.into_iter().map(|one| one.facts).collect()
}

async fn build(world: &World, ready: &Ready, fails: bool) -> BuildState {
    if fails {
        let failure = Some(failure(ErrorCode::StepFailed));
        world.engine.next_build(FakeBuild { failure, ..FakeBuild::default() });
    }
    let known = ready.builds().await.len();
    world.remote().push("main", &format!("push {known}"), &[("index.html", &known.to_string())]);
    ready.look().await;
    ready.idle().await[known].state
}

#[tokio::test]
async fn a_failure_is_told_once_and_so_is_the_recovery() {
    let world = World::new();
    let ready = world.ready().await;
    let mut events = ready.app.events();
    for fails in [false, true, true, false, false] {
        build(&world, &ready, fails).await;
    }
    let facts = facts(&ready.app).await;
    let (NoticeFacts::BuildFailed { build: failed, code }, NoticeFacts::BuildRecovered { build: green }) =
        (&facts[0], &facts[1])
    else {
        panic!("{facts:?}")
    };
    assert_eq!((facts.len(), *code), (2, ErrorCode::StepFailed));
    assert_eq!((failed.number.0, green.number.0), (2, 4));
    assert_eq!(failed.repository_name, crate::world::NAME);
    assert_eq!(facts[0].route(), format!("/builds/{}", failed.build));
    let mut told = 0;
    while let Ok(event) = events.try_recv() {
        if let AppEvent::NoticeAdded { notice } = event {
            told += 1;
            ready.app.notice(notice).await.unwrap();
        }
    }
    assert_eq!(told, 2);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn an_unwanted_kind_is_not_told() {
    let world = World::new();
    let ready = world.ready().await;
    let settings = Settings { muted_notices: vec![NoticeKind::BuildFailed], ..Settings::default() };
    ready.app.set_settings(&settings).await.unwrap();
    assert_eq!(build(&world, &ready, true).await, BuildState::Failed);
    assert_eq!(build(&world, &ready, false).await, BuildState::Succeeded);
    assert_eq!(kinds(&ready.app).await, [NoticeKind::BuildRecovered]);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn a_refused_credential_is_told_once_until_it_works_again() {
    let world = World::new();
    let ready = world.ready().await;
    let mut spec = ready.app.image_repository(ready.repository).await.unwrap().spec;
    let password = slipway_app::registries::CredentialInput::Password {
        username: "robot".to_owned(),
        password: Some(Secret::new("registry-password")),
    };
    let credential = ready.app.add_credential(spec.registry, "ci", &password).await.unwrap();
    spec.credential = Some(credential);
    ready.app.edit_image_repository(ready.repository, &spec).await.unwrap();
    for _ in 0..2 {
        // A login may have run out: the push is tried once more with a fresh one.
        world.engine.fail("push", failure(ErrorCode::RegistryUnauthorized), 2);
        assert_eq!(build(&world, &ready, false).await, BuildState::Failed);
    }
    let told = facts(&ready.app).await;
    let refused: Vec<_> = told.iter().filter(|one| one.kind() == NoticeKind::CredentialRefused).collect();
    assert!(
        matches!(refused[..], [NoticeFacts::CredentialRefused { credential: id, credential_name, .. }]
            if *id == credential && credential_name == "ci"),
        "{told:?} for {HOST}"
    );
    assert_eq!(build(&world, &ready, false).await, BuildState::Succeeded);
    world.engine.fail("push", failure(ErrorCode::RegistryUnauthorized), 2);
    assert_eq!(build(&world, &ready, false).await, BuildState::Failed);
    let again = kinds(&ready.app).await.into_iter().filter(|kind| *kind == NoticeKind::CredentialRefused).count();
    assert_eq!(again, 2);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn code_that_refuses_the_login_is_told_once_and_when_it_is_back() {
    let world = World::new();
    let ready = world.ready().await;
    world.code.fail_always("remote_refs", Some(failure(ErrorCode::SourceUnauthorized)));
    for _ in 0..3 {
        assert!(ready.app.check_code_repository(ready.code).await.is_err());
    }
    assert_eq!(kinds(&ready.app).await, [NoticeKind::CodeUnreachable]);
    world.code.fail_always("remote_refs", None);
    ready.look().await;
    ready.look().await;
    assert_eq!(kinds(&ready.app).await, [NoticeKind::CodeUnreachable, NoticeKind::CodeReachable]);
    // A short trouble is not worth a word.
    world.code.fail_always("remote_refs", Some(failure(ErrorCode::SourceUnreachable)));
    assert!(ready.app.check_code_repository(ready.code).await.is_err());
    assert_eq!(kinds(&ready.app).await.len(), 2);
    ready.app.shutdown().await;
}

/// Waits for the notice about being away.
async fn away(app: &Slipway) -> NoticeFacts {
    eventually("being away is told", Duration::from_secs(10), async || {
        let all = facts(app).await;
        all.iter().find(|one| one.kind() == NoticeKind::Away).cloned().ok_or(all)
    })
    .await
}

#[tokio::test]
async fn after_being_off_it_says_so_and_how_many_pushes_it_caught_up() {
    let world = World::new();
    let ready = world.ready().await;
    ready.app.shutdown().await;
    let from = world.clock.now();
    world.clock.advance(minutes(60));
    let head = world.remote().push("main", "while off", &[("index.html", "two")]);
    world.remote().set("refs/heads/other", &head);
    let app = world.open().await;
    app.check_code_repository(ready.code).await.unwrap();
    assert_eq!(away(&app).await, NoticeFacts::Away { from, to: from + minutes(60), caught_up: 2 });
    app.shutdown().await;
    // A pause of a minute is no absence.
    world.clock.advance(minutes(1));
    let app = world.open().await;
    app.check_code_repository(ready.code).await.unwrap();
    assert_eq!(kinds(&app).await, [NoticeKind::Away]);
    app.shutdown().await;
}

#[tokio::test]
async fn f22_after_sleep_it_says_so_too() {
    let world = World::new();
    let ready = world.ready().await;
    let from = world.clock.now();
    world.remote().push("main", "while asleep", &[("index.html", "two")]);
    world.clock.advance(minutes(90));
    let NoticeFacts::Away { from: told_from, to, caught_up } = away(&ready.app).await else { unreachable!() };
    assert_eq!((told_from, to, caught_up), (from, from + minutes(90), 1));
    ready.app.shutdown().await;
}

#[tokio::test]
async fn a_damaged_database_is_told() {
    let world = World::new();
    let app = world.open().await;
    let database = app.store().data_dir().database();
    app.shutdown().await;
    std::fs::write(&database, b"this is no database, and long enough to be read as one").unwrap();
    let app = world.open().await;
    assert!(app.database_recovery().is_some());
    assert_eq!(kinds(&app).await, [NoticeKind::DatabaseRecovered]);
    app.shutdown().await;
}

#[tokio::test]
async fn f18_damage_that_comes_later_is_told_and_no_backup_is_made_of_it() {
    let world = World::new();
    let app = world.open().await;
    // Fills pages that nothing reads: neither the work that goes on nor the notice needs them.
    app.store().set_setting("ballast", &"x".repeat(40_000)).await.unwrap();
    // Closing folds the log into the file.
    app.shutdown().await;
    let app = world.open().await;
    let data = app.store().data_dir().clone();
    let looked =
        async || app.store().setting::<chrono::DateTime<chrono::Utc>>("last_backup_at").await.unwrap().ok_or("not yet");
    eventually("the first day began", Duration::from_secs(10), looked).await;
    let database = data.database();
    let bytes = std::fs::read(&database).unwrap();
    // Such a page begins with the number of the next one.
    let page = bytes.chunks(4096).rposition(|page| page[4..].iter().all(|byte| *byte == b'x')).unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).open(&database).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(4096 * page as u64)).unwrap();
    std::io::Write::write_all(&mut file, &[0xa5; 4096]).unwrap();
    world.clock.advance(minutes(25 * 60));
    let told = async || match kinds(&app).await {
        told if told.contains(&NoticeKind::DatabaseDamaged) => Ok(()),
        told => Err(told),
    };
    eventually("the damage is told", Duration::from_secs(20), told).await;
    assert_eq!(data.list_backups().unwrap(), Vec::<std::path::PathBuf>::new());
    app.shutdown().await;
}

#[tokio::test]
async fn what_came_after_the_person_looked_stays_unread() {
    let world = World::new();
    let ready = world.ready().await;
    build(&world, &ready, true).await;
    let seen = ready.app.notices(None, 10, false).await.unwrap().items[0].id;
    build(&world, &ready, false).await;
    ready.app.mark_notices_read_up_to(seen).await.unwrap();
    let page = ready.app.notices(None, 10, true).await.unwrap();
    assert_eq!((page.unread, page.items.len()), (1, 1));
    ready.app.mark_notice_read(page.items[0].id).await.unwrap();
    ready.app.clear_notices(seen).await.unwrap();
    let page = ready.app.notices(None, 10, false).await.unwrap();
    assert_eq!((page.unread, page.total), (0, 1));
    ready.app.shutdown().await;
}

#[tokio::test]
async fn f01_a_failure_whose_notice_a_kill_lost_is_told_once_by_the_next_start() {
    let world = World::new();
    let ready = world.ready().await;
    assert_eq!(build(&world, &ready, false).await, BuildState::Succeeded);
    world.engine.hold_builds(true);
    world.remote().push("main", "bad", &[("index.html", "bad")]);
    let row = ready.look().await.pop().unwrap();
    world.engine.builds_waiting(1).await;
    ready.app.shutdown().await;
    world.engine.hold_builds(false);
    // As a worker that dies between the row and the notice.
    let store = slipway_store::Store::open(world.root.path(), world.clock.now()).await.unwrap().store;
    let why = failure(ErrorCode::StepFailed);
    assert!(store.finish(row.id, BuildState::Failed, Some(&why), None, world.clock.now()).await.unwrap());
    store.close().await;
    for _ in 0..2 {
        let app = world.open().await;
        assert_eq!(kinds(&app).await, [NoticeKind::BuildFailed]);
        assert_eq!(app.store().untold_ends().await.unwrap(), []);
        app.shutdown().await;
    }
}
