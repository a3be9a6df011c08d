//! Refresh: one at a time per account, stored before use, never lost, never hammered (`reliability-security.md` A8).

use crate::keeper::{MemoryKeeper, with_keeper};
use crate::server::{Scripted, Seen, address, hosts, json};
use chrono::{TimeDelta, Utc};
use slipway_core::host::{
    CodeHosts, HostAccess, HostAuthorization, HostProvider, HostTokens, Need, OauthClient, Revocation, TokenKind,
};
use slipway_core::{ErrorCode, Secret};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;

/// A GitLab whose tokens are `access-N` and `refresh-N`: each refresh kills the pair before it.
async fn rotating() -> Scripted {
    Scripted::start(|seen, before, _| {
        let refreshes = before.iter().filter(|one| one.path == "/oauth/token").count();
        match seen.path.as_str() {
            "/oauth/token" if seen.field("refresh_token") == Some(format!("refresh-{refreshes}")) => json(
                200,
                &format!(
                    r#"{{"access_token":"access-{n}","token_type":"Bearer","expires_in":7200,"refresh_token":"refresh-{n}"}}"#,
                    n = refreshes + 1
                ),
            ),
            "/oauth/token" => json(400, r#"{"error":"invalid_grant","error_description":"revoked"}"#),
            "/oauth/revoke" => json(200, "{}"),
            _ if seen.header("authorization") == Some(&format!("Bearer access-{refreshes}")) => {
                json(200, r#"{"id":1,"username":"ada","name":"Ada L."}"#)
            }
            _ => json(401, r#"{"error":"invalid_token","error_description":"Token was revoked."}"#),
        }
    })
    .await
}

fn tokens(pair: usize, expires_in: TimeDelta) -> HostTokens {
    HostTokens {
        kind: TokenKind::Oauth,
        access: Secret::new(format!("access-{pair}")),
        refresh: Some(Secret::new(format!("refresh-{pair}"))),
        username: None,
        expires_at: Some(Utc::now() + expires_in),
        scopes: vec!["read_api".to_owned(), "read_repository".to_owned()],
    }
}

fn client() -> OauthClient {
    OauthClient { client_id: "app".to_owned(), client_secret: None, redirect_port: None }
}

fn access(server: &Scripted, keeper: &Arc<MemoryKeeper>) -> HostAccess {
    with_keeper(address(HostProvider::Gitlab, &server.url), Some(client()), keeper)
}

fn refreshes(server: &Scripted) -> Vec<Seen> {
    server.seen().into_iter().filter(|seen| seen.path == "/oauth/token").collect()
}

#[tokio::test]
async fn f14_many_calls_with_an_expired_token_refresh_it_once() {
    let server = rotating().await;
    let keeper = MemoryKeeper::new(tokens(0, TimeDelta::seconds(30)));
    let (hosts, access) = (Arc::new(hosts()), access(&server, &keeper));
    let calls = (0..8).map(|_| {
        let (hosts, access) = (Arc::clone(&hosts), access.clone());
        tokio::spawn(async move { hosts.identity(&access, &[Need::Read], &CancellationToken::new()).await })
    });
    for call in futures::future::join_all(calls).await {
        assert_eq!(call.unwrap().unwrap().login, "ada");
    }
    let asked = refreshes(&server);
    assert_eq!((asked.len(), keeper.saves.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(asked[0].field("client_id").as_deref(), Some("app"));
    assert_eq!(asked[0].header("authorization"), None, "a refresh carries no bearer");
    assert_eq!(keeper.stored().refresh.unwrap().expose(), "refresh-1");
    assert_eq!(keeper.stored().scopes, ["read_api", "read_repository"], "scopes that were not repeated stay");
}

#[tokio::test]
async fn f14_a_token_that_the_host_refuses_is_refreshed_whatever_its_clock_says() {
    let server = rotating().await;
    // Refused although it should live for hours: revoked, or a wrong clock.
    let keeper = MemoryKeeper::new(HostTokens { access: Secret::new("stale"), ..tokens(0, TimeDelta::hours(2)) });
    let identity = hosts().identity(&access(&server, &keeper), &[], &CancellationToken::new()).await.unwrap();
    assert_eq!((identity.login.as_str(), refreshes(&server).len()), ("ada", 1));
}

#[tokio::test]
async fn f14_a_new_pair_that_cannot_be_stored_is_not_used_and_not_lost() {
    let server = rotating().await;
    let keeper = MemoryKeeper::new(tokens(0, TimeDelta::zero()));
    keeper.refusals.store(2, Ordering::SeqCst);
    let (hosts, access, cancel) = (hosts(), access(&server, &keeper), CancellationToken::new());
    for _ in 0..2 {
        let failure = hosts.identity(&access, &[], &cancel).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::KeychainLocked);
    }
    assert!(
        server.seen().iter().all(|seen| seen.path == "/oauth/token"),
        "nothing is asked with a pair that is not stored"
    );
    assert_eq!(hosts.identity(&access, &[], &cancel).await.unwrap().login, "ada");
    assert_eq!((refreshes(&server).len(), keeper.stored().access.expose()), (1, "access-1"));
}

#[tokio::test]
async fn f14_a_refused_refresh_asks_for_the_person_and_is_not_repeated() {
    let server = rotating().await;
    let keeper = MemoryKeeper::new(tokens(7, TimeDelta::zero()));
    let (hosts, access, cancel) = (hosts(), access(&server, &keeper), CancellationToken::new());
    for _ in 0..3 {
        let failure = hosts.identity(&access, &[], &cancel).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::SourceUnauthorized);
        assert_eq!(failure.details["reason"], "refresh_refused");
    }
    assert_eq!(refreshes(&server).len(), 1);
    // Authorized again: another pair is stored.
    let again = HostTokens { refresh: Some(Secret::new("refresh-1")), ..tokens(1, TimeDelta::zero()) };
    slipway_core::host::TokenKeeper::save(&*keeper, &again).await.unwrap();
    assert_eq!(hosts.identity(&access, &[], &cancel).await.unwrap().login, "ada");
}

#[tokio::test]
async fn f14_cancelling_a_call_does_not_lose_the_refresh_that_it_began() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let (opens, entered) = (Arc::clone(&gate), Arc::new(tokio::sync::Notify::new()));
    let arrived = Arc::clone(&entered);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(move || {
        let (opens, arrived) = (Arc::clone(&opens), Arc::clone(&arrived));
        async move {
            arrived.notify_one();
            opens.acquire().await.unwrap().forget();
            json(
                200,
                r#"{"access_token":"access-1","token_type":"Bearer","expires_in":7200,"refresh_token":"refresh-1"}"#,
            )
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let keeper = MemoryKeeper::new(tokens(0, TimeDelta::zero()));
    let access = with_keeper(address(HostProvider::Gitlab, &url), Some(client()), &keeper);
    let cancel = CancellationToken::new();
    let (hosts, patient) = (Arc::new(hosts()), cancel.clone());
    let call = tokio::spawn(async move { hosts.clone_login(&access, &patient).await });
    entered.notified().await;
    cancel.cancel();
    assert_eq!(call.await.unwrap().unwrap_err().code, ErrorCode::Cancelled);
    gate.add_permits(1);
    slipway_testkit::eventually("the pair is stored", std::time::Duration::from_secs(10), async || {
        let stored = keeper.stored().access.expose().to_owned();
        if stored == "access-1" { Ok(()) } else { Err(stored) }
    })
    .await;
}

#[tokio::test]
async fn a_person_can_refresh_and_revoke() {
    let server = rotating().await;
    let keeper = MemoryKeeper::new(tokens(0, TimeDelta::hours(2)));
    let (hosts, access, cancel) = (hosts(), access(&server, &keeper), CancellationToken::new());
    hosts.refresh(&access, &cancel).await.unwrap();
    assert_eq!(keeper.stored().access.expose(), "access-1");
    assert_eq!(hosts.revoke(&access, &cancel).await.unwrap(), Revocation::Revoked);
    let revoked: Vec<_> =
        server.seen().iter().filter(|seen| seen.path == "/oauth/revoke").map(|seen| seen.field("token")).collect();
    assert_eq!(revoked, [Some("access-1".to_owned()), Some("refresh-1".to_owned())]);

    // A pasted token stays its owner's, who is told where to remove it.
    let pasted = crate::keeper::account(address(HostProvider::Gitlab, &server.url), crate::keeper::pasted("t"));
    let before = server.seen().len();
    let Revocation::ByHand { page } = hosts.revoke(&pasted, &cancel).await.unwrap() else { panic!("it was revoked") };
    assert!(page.ends_with("/-/user_settings/applications"));
    assert_eq!(server.seen().len(), before);
    let failure = hosts.refresh(&pasted, &cancel).await.unwrap_err();
    assert_eq!((failure.code, failure.details["reason"].as_str()), (ErrorCode::SourceUnauthorized, "no_refresh_token"));
}

#[tokio::test]
async fn gitee_refreshes_without_an_application_and_bitbucket_with_a_basic_header() {
    let server = Scripted::start(|seen, _, _| match seen.path.as_str() {
        "/oauth/token" | "/site/oauth2/access_token" => json(
            200,
            r#"{"access_token":"new","token_type":"bearer","expires_in":86400,"refresh_token":"next","scopes":"x"}"#,
        ),
        _ => json(404, "{}"),
    })
    .await;
    let cancel = CancellationToken::new();
    let keeper = MemoryKeeper::new(tokens(0, TimeDelta::zero()));
    let gitee = with_keeper(address(HostProvider::Gitee, &server.url), None, &keeper);
    assert_eq!(hosts().clone_login(&gitee, &cancel).await.unwrap().password.expose(), "new");
    let keeper = MemoryKeeper::new(tokens(0, TimeDelta::zero()));
    let secret = OauthClient { client_secret: Some(Secret::new("s3cret")), ..client() };
    let bitbucket = with_keeper(address(HostProvider::Bitbucket, &server.url), Some(secret), &keeper);
    hosts().clone_login(&bitbucket, &cancel).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].field("refresh_token").as_deref(), Some("refresh-0"));
    assert_eq!(seen[0].query, [], "a refresh token is never in an address");
    assert_eq!(seen[1].header("authorization"), Some("Basic YXBwOnMzY3JldA=="));
    assert_eq!(seen[1].field("client_secret"), None);
}
