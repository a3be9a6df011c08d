//! One schedule for everything that is watched: hosts do not delay each other, and what does not move costs nothing.

use crate::accounts::{code_of, connect, host, token};
use crate::world::{HOST, Ready, World, add_oci_repository, failure, rule_spec};
use chrono::TimeDelta;
use slipway_app::Slipway;
use slipway_app::accounts::HostInput;
use slipway_app::code_repositories::{CodeLocationInput, CodeRepositoryInput};
use slipway_core::ErrorCode;
use slipway_core::host::{Moved, MovedRepository, Need, RepositoryPath};
use slipway_core::ids::SourceAccountId;
use slipway_core::ports::Clock as _;
use slipway_testkit::eventually;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
/// Less than what looks like a sleep of the machine.
const A_WHILE: TimeDelta = TimeDelta::seconds(17);

fn git_url(url: &str) -> CodeRepositoryInput {
    let location = CodeLocationInput::GitUrl {
        url: url.to_owned(),
        username: None,
        password: None,
        ca_pem: None,
        allow_plain_http: false,
    };
    CodeRepositoryInput { name: url.to_owned(), location, poll_interval_seconds: None }
}

async fn has_builds(ready: &Ready, count: usize) {
    eventually("the push has its build", SOON, async || {
        let builds = ready.builds().await.len();
        if builds == count { Ok(()) } else { Err(builds) }
    })
    .await;
}

async fn looks(world: &World, count: usize) {
    eventually("refs are asked for", SOON, async || {
        let seen = world.code.calls("remote_refs");
        if seen >= count { Ok(()) } else { Err(seen) }
    })
    .await;
}

/// Waits until what an account's host said at this time is noted, a moment after it was asked.
async fn answer_is_noted(world: &World, app: &Slipway, account: SourceAccountId) {
    let now = world.clock.now().timestamp_millis();
    eventually("the account's answer is noted", SOON, async || {
        let accounts = app.accounts().await.unwrap();
        let looked_at = accounts.iter().find(|one| one.record.id == account).and_then(|one| one.record.looked_at);
        if looked_at.is_some_and(|at| at.timestamp_millis() == now) { Ok(()) } else { Err(looked_at) }
    })
    .await;
}

fn said(name: &str) -> Moved {
    let path = RepositoryPath(name.to_owned());
    Moved::Repositories(vec![MovedRepository { id: format!("id of {path}"), path }])
}

#[tokio::test]
async fn a_git_host_that_hangs_does_not_delay_the_push_at_another() {
    let world = World::new();
    world.code.hang("https://slow.test/");
    let quick = world.code.repository("https://quick.test/app.git");
    quick.push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    let app = world.open_polling().await;
    // More than may be looked at at the same time, and all of them before the quick one.
    for number in 0..20 {
        app.add_code_repository(&git_url(&format!("https://slow.test/{number:02}.git"))).await.unwrap();
    }
    looks(&world, 4).await;
    let code = app.add_code_repository(&git_url("https://quick.test/app.git")).await.unwrap();
    let repository = add_oci_repository(&app, HOST).await;
    let rule = app.add_rule(repository, &rule_spec(code)).await.unwrap();
    let ready = Ready { app, code, repository, rule };
    quick.push("main", "second", &[("index.html", "two")]);
    // Two steps make the interval of half a minute.
    for _ in 0..2 {
        world.clock.advance(A_WHILE);
        let _ = ready.app.code_repositories().await.unwrap();
        tokio::task::yield_now().await;
    }
    has_builds(&ready, 1).await;
    ready.app.shutdown().await;
}

#[tokio::test]
async fn an_account_whose_host_hangs_does_not_delay_the_push_at_another() {
    let world = World::new();
    for name in ["acme/web", "acme/api"] {
        world.hosts.add_repository(name, &["main"]);
    }
    world.hosts.hang("https://a.test");
    let app = world.open_polling().await;
    let slow = HostInput { base_url: Some("a.test".to_owned()), ..host() };
    let slow = app.add_account_with_token(&slow, &token("ada-1"), &[Need::Read]).await.unwrap().id;
    world.code.repository("https://a.test/acme/api.git").push("main", "first", &[]);
    app.add_code_repository(&code_of(slow, "acme/api")).await.unwrap();
    eventually("the slow host is asked", SOON, async || match world.hosts.calls("what_moved") {
        0 => Err(0),
        _ => Ok(()),
    })
    .await;

    world.code.repository(crate::accounts::PLACE).push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    world.hosts.next_moved(Moved::Unchanged);
    let account = connect(&app, "ada-1").await;
    let code = app.add_code_repository(&code_of(account, "acme/web")).await.unwrap();
    let repository = add_oci_repository(&app, HOST).await;
    let rule = app.add_rule(repository, &rule_spec(code)).await.unwrap();
    let ready = Ready { app, code, repository, rule };
    answer_is_noted(&world, &ready.app, account).await;
    world.code.repository(crate::accounts::PLACE).push("main", "second", &[("index.html", "two")]);
    world.hosts.next_moved(said("acme/web"));
    world.clock.advance(A_WHILE);
    has_builds(&ready, 1).await;
    ready.app.shutdown().await;
}

#[tokio::test]
async fn a_thousand_repositories_behind_an_account_cost_one_question_until_one_moves() {
    const COUNT: usize = 1_000;
    let world = World::new();
    let names: Vec<String> = (0..COUNT).map(|number| format!("acme/r{number:03}")).collect();
    for name in &names {
        world.hosts.add_repository(name, &["main"]);
        world.code.repository(&format!("https://git.test/{name}.git")).push("main", "first", &[]);
    }
    world.hosts.next_moved(Moved::Unchanged);
    let app = world.open_polling().await;
    let account = connect(&app, "ada-1").await;
    let mut added = vec![app.add_code_repository(&code_of(account, &names[0])).await.unwrap()];
    eventually("the account is asked", SOON, async || match app.accounts().await.unwrap()[0].record.looked_at {
        Some(at) => Ok(at),
        None => Err(()),
    })
    .await;
    for name in &names[1..] {
        added.push(app.add_code_repository(&code_of(account, name)).await.unwrap());
    }
    // It may have been looked at before its account had said a word.
    app.check_code_repository(added[0]).await.unwrap();
    let code = added[COUNT / 2];
    let repository = add_oci_repository(&app, HOST).await;
    let mut spec = rule_spec(code);
    for name in ["one", "two", "three"] {
        spec.name = name.to_owned();
        spec.auto_trigger = name == "one";
        app.add_rule(repository, &spec).await.unwrap();
    }
    // The first look at each; rules ask once more when they are made.
    looks(&world, COUNT).await;
    eventually("all first looks are stored", SOON, async || {
        let records = app.code_repositories().await.unwrap();
        match records.iter().filter(|record| record.last_ok_at.is_none()).count() {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await;
    let (asked, questions) = (world.code.calls("remote_refs"), world.hosts.looks().len());
    for step in 1..=10 {
        world.hosts.next_moved(Moved::Unchanged);
        world.clock.advance(A_WHILE);
        answer_is_noted(&world, &app, account).await;
        assert_eq!(world.hosts.looks().len() - questions, step, "one question each time");
    }
    assert_eq!(world.code.calls("remote_refs"), asked, "and no repository was asked");

    let rule = app.rules(repository).await.unwrap()[0].id;
    let ready = Ready { app, code, repository, rule };
    let moved = &names[COUNT / 2];
    world.code.repository(&format!("https://git.test/{moved}.git")).push("main", "second", &[("a", "1")]);
    world.hosts.next_moved(said(moved));
    world.clock.advance(A_WHILE);
    has_builds(&ready, 1).await;
    // The look, and what the fake's fetch asks by itself.
    assert_eq!(world.code.calls("remote_refs"), asked + 2, "only what moved was asked");
    ready.app.shutdown().await;
}

#[tokio::test]
async fn f09_a_git_host_that_asks_to_wait_is_left_alone_with_all_its_code() {
    let world = World::new();
    let app = world.open_polling().await;
    for number in 0..8 {
        let place = format!("https://code.test/{number}.git");
        world.code.repository(&place).push("main", "first", &[]);
    }
    let limited = failure(ErrorCode::SourceRateLimited).with("retry_after", "60");
    world.code.fail_always("remote_refs", Some(limited));
    let first = app.add_code_repository(&git_url("https://code.test/0.git")).await.unwrap();
    eventually("the first one is refused", SOON, async || {
        app.code_repository(first).await.unwrap().last_failure.map(drop).ok_or(())
    })
    .await;
    let refused = world.code.calls("remote_refs");
    assert_eq!(refused, 1);
    world.code.fail_always("remote_refs", None);
    for number in 1..8 {
        app.add_code_repository(&git_url(&format!("https://code.test/{number}.git"))).await.unwrap();
    }
    let other = world.code.repository("https://other.test/a.git");
    other.push("main", "first", &[]);
    let other = app.add_code_repository(&git_url(other.place())).await.unwrap();
    eventually("another host is looked at", SOON, async || {
        app.code_repository(other).await.unwrap().last_ok_at.map(drop).ok_or(())
    })
    .await;
    assert_eq!(world.code.calls("remote_refs"), refused + 1, "the other host alone");
    for _ in 0..4 {
        world.clock.advance(A_WHILE);
        let _ = app.code_repositories().await.unwrap();
        tokio::task::yield_now().await;
    }
    eventually("then all of it is looked at", SOON, async || {
        let records = app.code_repositories().await.unwrap();
        match records.iter().filter(|record| record.id != first && record.last_ok_at.is_none()).count() {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await;
    app.shutdown().await;
}
