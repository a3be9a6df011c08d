//! Authorizing in a browser or on another device, and watching through an account.

use crate::accounts::{PLACE, code_of, connect, host};
use crate::world::{HOST, Ready, World, add_oci_repository, failure, rule_spec};
use slipway_app::Slipway;
use slipway_app::accounts::{
    ApplicationInput, AuthorizationBegun, AuthorizationState, AuthorizeInput, AuthorizeWay, HostInput,
};
use slipway_core::host::{
    HostProvider, HostTokens, Moved, MovedRepository, Need, PageLanguage, RepositoryPath, TokenKind,
};
use slipway_core::ids::SourceAccountId;
use slipway_core::ports::Clock as _;
use slipway_core::{ErrorCode, Secret};
use slipway_testkit::eventually;
use slipway_testkit::fakes::FakeHosts;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn input(way: AuthorizeWay, again: Option<SourceAccountId>) -> AuthorizeInput {
    AuthorizeInput { host: host(), needs: vec![Need::Read], way, language: PageLanguage::English, again }
}

fn oauth(text: &str) -> HostTokens {
    HostTokens { kind: TokenKind::Oauth, ..HostTokens::pasted(TokenKind::Oauth, Secret::new(text), None) }
}

async fn with_client(world: &World) -> Slipway {
    let app = world.open().await;
    let secret = Some(Secret::new("client-secret"));
    let application = ApplicationInput { client_id: "slipway".to_owned(), client_secret: secret, redirect_port: None };
    app.save_oauth_application(&host(), &application).await.unwrap();
    app
}

async fn end_of(app: &Slipway, begun: &AuthorizationBegun) -> AuthorizationState {
    eventually("the authorization ends", SOON, async || match app.authorization(begun.session).unwrap() {
        AuthorizationState::Waiting => Err("it waits"),
        state => Ok(state),
    })
    .await
}

#[tokio::test]
async fn seed_3_9_the_browser_authorizes_and_a_second_time_keeps_the_account() {
    let world = World::new();
    let app = with_client(&world).await;
    let begun = app.begin_authorization(input(AuthorizeWay::Browser, None)).await.unwrap();
    assert_eq!(begun.page, "https://git.test/authorize?client_id=slipway");
    assert_eq!(app.authorization(begun.session).unwrap(), AuthorizationState::Waiting);
    world.hosts.end_flow(Ok(oauth("ada-1")));
    let AuthorizationState::Done(first) = end_of(&app, &begun).await else { panic!("not done") };
    assert_eq!((first.login.as_str(), first.renewed), ("ada", false));
    let begun = app.begin_authorization(input(AuthorizeWay::Device, Some(first.id))).await.unwrap();
    assert_eq!(begun.device.as_ref().unwrap().user_code, "WDJB-MJHT");
    let AuthorizationState::Done(again) = end_of(&app, &begun).await else { panic!("not done") };
    assert_eq!((again.id, again.renewed), (first.id, true));
    assert_eq!(app.delete_account(first.id).await.unwrap(), slipway_core::host::Revocation::Revoked);
}

#[tokio::test]
async fn an_authorization_that_does_not_come_to_its_end_leaves_nothing() {
    let world = World::new();
    let app = with_client(&world).await;
    let first = app.begin_authorization(input(AuthorizeWay::Browser, None)).await.unwrap();
    let second = app.begin_authorization(input(AuthorizeWay::Browser, None)).await.unwrap();
    assert_eq!(end_of(&app, &first).await, AuthorizationState::Cancelled, "a second click ends the first");
    app.cancel_authorization(second.session);
    assert_eq!(end_of(&app, &second).await, AuthorizationState::Cancelled);
    for (code, expected) in [
        (ErrorCode::AuthorizationDenied, AuthorizationState::Denied),
        (ErrorCode::AuthorizationExpired, AuthorizationState::Expired),
        (ErrorCode::AuthorizationFailed, AuthorizationState::Failed(failure(ErrorCode::AuthorizationFailed))),
    ] {
        world.hosts.end_flow(Err(failure(code)));
        let begun = app.begin_authorization(input(AuthorizeWay::Browser, None)).await.unwrap();
        assert_eq!(end_of(&app, &begun).await, expected);
    }
    assert!(app.accounts().await.unwrap().is_empty());
    assert_eq!(app.authorization(999).unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn without_an_application_it_says_so_and_github_makes_one() {
    let world = World::new();
    let app = world.open().await;
    let none = app.begin_authorization(input(AuthorizeWay::Browser, None)).await.unwrap_err();
    assert_eq!((none.code, none.details["reason"].as_str()), (ErrorCode::OauthClientRefused, "no_client"));
    let github = HostInput { provider: HostProvider::Github, base_url: None, ..host() };
    let way = AuthorizeWay::GithubApp { name: "Slipway of Ada".to_owned(), organization: None };
    let begun = app.begin_authorization(AuthorizeInput { host: github.clone(), ..input(way, None) }).await.unwrap();
    world.hosts.end_flow(Ok(oauth("ada-1")));
    let AuthorizationState::AppMade { install_page } = end_of(&app, &begun).await else { panic!("no app") };
    assert!(install_page.ends_with("/installations/new"));
    let guide = app.account_guide(&github, &[Need::Read]).await.unwrap();
    assert_eq!(guide.application.unwrap().client_id, "made");
    let begun =
        app.begin_authorization(AuthorizeInput { host: github, ..input(AuthorizeWay::Browser, None) }).await.unwrap();
    assert_eq!(begun.page, "https://github.com/authorize?client_id=made");
}

fn moved(path: &str) -> Moved {
    let path = RepositoryPath(path.to_owned());
    Moved::Repositories(vec![MovedRepository { id: format!("id of {path}"), path }])
}

async fn looks(hosts: &FakeHosts, count: usize) {
    eventually("the account looks", SOON, async || {
        let seen = hosts.looks().len();
        if seen >= count { Ok(()) } else { Err(seen) }
    })
    .await;
}

#[tokio::test]
async fn one_question_per_account_says_where_to_look() {
    let world = World::new();
    for name in ["acme/web", "acme/api"] {
        world.hosts.add_repository(name, &["main"]);
        let place = format!("https://git.test/{name}.git");
        world.code.repository(&place).push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    }
    world.hosts.next_moved(Moved::CannotTell);
    world.hosts.next_moved(Moved::Unchanged);
    let app = world.open_polling().await;
    let account = connect(&app, "ada-1").await;
    let web = app.add_code_repository(&code_of(account, "acme/web")).await.unwrap();
    let api = app.add_code_repository(&code_of(account, "acme/api")).await.unwrap();
    let repository = add_oci_repository(&app, HOST).await;
    let rule = app.add_rule(repository, &rule_spec(web)).await.unwrap();
    let ready = Ready { app, code: web, repository, rule };
    looks(&world.hosts, 1).await;
    // The next look is counted from when the answer was noted.
    eventually("the answer is noted", SOON, async || ready.app.accounts().await.unwrap()[0].record.looked_at.ok_or(()))
        .await;
    world.clock.advance(chrono::TimeDelta::seconds(17));
    looks(&world.hosts, 2).await;
    // The answer is noted a moment after it was given.
    eventually("the repositories themselves are asked rarely", SOON, async || {
        for code in [web, api] {
            ready.app.check_code_repository(code).await.unwrap();
        }
        let own = ready.app.code_repository(web).await.unwrap().next_check_at.unwrap() - world.clock.now();
        if own.num_seconds() > 300 { Ok(()) } else { Err(own) }
    })
    .await;
    let untouched = ready.app.code_repository(api).await.unwrap().last_check_at;
    let times = ready.app.check_times(&ready.app.code_repository(web).await.unwrap());
    assert!(times.next_in_seconds <= 30, "a push is noticed by the account's next look: {times:?}");

    world.hosts.next_moved(moved("acme/web"));
    world.code.repository(PLACE).push("main", "second", &[("index.html", "two")]);
    world.clock.advance(chrono::TimeDelta::seconds(17));
    looks(&world.hosts, 3).await;
    eventually("the push has its build", SOON, async || {
        let builds = ready.builds().await;
        if builds.len() == 1 { Ok(()) } else { Err(builds.len()) }
    })
    .await;
    let api = ready.app.code_repository(api).await.unwrap();
    assert_eq!(api.last_check_at, untouched, "only what moved was asked");
    let paths: Vec<String> = world.hosts.looks()[2].iter().map(|path| path.0.clone()).collect();
    assert_eq!(paths, ["acme/api", "acme/web"]);
}
