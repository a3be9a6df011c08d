//! The handshake: Basic, tokens, their cache, and what a login is bound to.

use crate::server::{Scripted, Seen, bearer_challenge, html, json, manifest, name, oci_error, registries, reply};
use axum::response::Response;
use slipway_core::image::RegistryLogin;
use slipway_core::ports::Registries;
use slipway_core::{ErrorCode, Secret};
use std::sync::atomic::{AtomicUsize, Ordering};

/// `user:right` in base64.
const RIGHT: &str = "Basic dXNlcjpyaWdodA==";

fn basic_registry(seen: &Seen, _host: &str) -> Response {
    if seen.authorization.as_deref() == Some(RIGHT) {
        manifest()
    } else {
        reply(401, &[("www-authenticate", r#"Basic realm="a, b""#)], "")
    }
}

#[tokio::test]
async fn basic_is_answered_once_and_then_sent_at_once() {
    let server = Scripted::start(basic_registry).await;
    let (registries, access) = (registries(), server.basic("user", "right"));
    for _ in 0..2 {
        assert!(registries.head(&access, &name(), "v1").await.unwrap().is_some());
    }
    let sent: Vec<_> = server.seen().into_iter().map(|seen| seen.authorization).collect();
    assert_eq!(sent, [None, Some(RIGHT.to_owned()), Some(RIGHT.to_owned())]);
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let server = Scripted::start(basic_registry).await;
    let access = server.basic("user", "wrong");
    let failure = registries().tags(&access, &name()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryUnauthorized);
    assert_eq!(server.seen().len(), 2);
    assert!(!format!("{failure:?}").contains("wrong"));
}

#[tokio::test]
async fn a_login_that_is_missing_is_unauthorized() {
    let server = Scripted::start(basic_registry).await;
    let failure = registries().tags(&server.anonymous(), &name()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryUnauthorized);
    assert_eq!(server.seen().len(), 1);
}

/// Gives tokens `t1`, `t2`, …; takes only tokens greater than `refused`.
fn token_registry(refused: usize, answer: &'static str) -> impl Fn(&Seen, &str) -> Response {
    let given = AtomicUsize::new(0);
    move |seen, host| {
        if seen.path() == "/token" {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            return json(200, &answer.replace("TOKEN", &format!("t{number}")));
        }
        let token = seen.authorization.as_deref().and_then(|header| header.strip_prefix("Bearer t"));
        match token.and_then(|number| number.parse::<usize>().ok()) {
            Some(number) if number > refused => manifest(),
            _ => bearer_challenge(host),
        }
    }
}

#[tokio::test]
async fn a_token_is_fetched_with_scope_and_account_and_used_again() {
    let server = Scripted::start(token_registry(0, r#"{"access_token":"TOKEN","expires_in":300}"#)).await;
    let (registries, access) = (registries(), server.basic("user", "right"));
    for _ in 0..3 {
        assert!(registries.head(&access, &name(), "v1").await.unwrap().is_some());
    }
    let seen = server.seen();
    let token = seen.iter().find(|seen| seen.path() == "/token").unwrap();
    assert_eq!(
        token.target,
        "/token?from=registry&service=scripted%2C+inc&client_id=slipway&scope=repository%3Ateam%2Fapp%3Apull&account=user"
    );
    assert_eq!(token.authorization.as_deref(), Some(RIGHT));
    assert_eq!(seen.len(), 5, "one refusal, one token, three reads: {:?}", server.lines());
    assert!(
        seen.iter().filter(|seen| seen.path() != "/token").all(|seen| seen.authorization.as_deref() != Some(RIGHT))
    );
}

#[tokio::test]
async fn many_at_once_fetch_one_token() {
    let server = Scripted::start(token_registry(0, r#"{"token":"TOKEN","expires_in":300}"#)).await;
    let (registries, access, name) = (registries(), server.anonymous(), name());
    let all = futures::future::join_all((0..8).map(|_| registries.head(&access, &name, "v1"))).await;
    assert!(all.into_iter().all(|head| head.unwrap().is_some()));
    assert_eq!(server.seen().iter().filter(|seen| seen.path() == "/token").count(), 1);
}

#[tokio::test]
async fn f11_a_token_that_dies_is_replaced_once() {
    // The first token is taken, then refused from the second read on.
    let reads = AtomicUsize::new(0);
    let inner = token_registry(0, r#"{"token":"TOKEN","expires_in":300}"#);
    let server = Scripted::start(move |seen, host| {
        let is_first_token = seen.authorization.as_deref() == Some("Bearer t1");
        if is_first_token && reads.fetch_add(1, Ordering::SeqCst) > 0 {
            bearer_challenge(host)
        } else {
            inner(seen, host)
        }
    })
    .await;
    let (registries, access) = (registries(), server.basic("user", "right"));
    for _ in 0..3 {
        assert!(registries.head(&access, &name(), "v1").await.unwrap().is_some());
    }
    assert_eq!(server.seen().iter().filter(|seen| seen.path() == "/token").count(), 2);
}

#[tokio::test]
async fn f11_a_token_of_one_second_is_fetched_for_each_call() {
    let server = Scripted::start(token_registry(0, r#"{"token":"TOKEN","expires_in":1}"#)).await;
    let (registries, access) = (registries(), server.basic("user", "right"));
    for _ in 0..2 {
        assert!(registries.head(&access, &name(), "v1").await.unwrap().is_some());
    }
    assert_eq!(server.seen().iter().filter(|seen| seen.path() == "/token").count(), 2);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_means_the_right_is_missing() {
    let server = Scripted::start(token_registry(99, r#"{"token":"TOKEN"}"#)).await;
    let registries = registries();
    let failure = registries.tags(&server.basic("user", "right"), &name()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryDenied);
    assert_eq!(server.seen().len(), 3, "{:?}", server.lines());
    let failure = registries.tags(&server.anonymous(), &name()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryUnauthorized);
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post() {
    let server = Scripted::start(token_registry(0, r#"{"access_token":"TOKEN","expires_in":300}"#)).await;
    let access = server.with_login(RegistryLogin::IdentityToken { token: Secret::new("a&b=c") });
    assert!(registries().head(&access, &name(), "v1").await.unwrap().is_some());
    let token = server.seen().into_iter().find(|seen| seen.path() == "/token").unwrap();
    assert_eq!((token.method.as_str(), token.target.as_str()), ("POST", "/token?from=registry"));
    assert_eq!(
        token.body,
        "grant_type=refresh_token&service=scripted%2C+inc&client_id=slipway&scope=repository%3Ateam%2Fapp%3Apull&refresh_token=a%26b%3Dc"
    );
}

#[tokio::test]
async fn token_servers_that_refuse_or_talk_nonsense() {
    type Answer = fn() -> Response;
    let cases: [(Answer, ErrorCode); 9] = [
        (|| oci_error(401, "UNAUTHORIZED"), ErrorCode::RegistryUnauthorized),
        (|| reply(403, &[], "HTTP Basic: Access denied"), ErrorCode::RegistryUnauthorized),
        (|| html(200), ErrorCode::NotARegistry),
        (|| json(200, ""), ErrorCode::NotARegistry),
        (|| json(200, "{}"), ErrorCode::NotARegistry),
        (|| json(200, r#"{"token":"a\nb"}"#), ErrorCode::NotARegistry),
        (|| json(503, ""), ErrorCode::RegistryServerError),
        (|| reply(429, &[("retry-after", "7")], ""), ErrorCode::RegistryRateLimited),
        (|| reply(302, &[("location", "http://127.0.0.1:9/")], ""), ErrorCode::NotARegistry),
    ];
    for (answer, expected) in cases {
        let server =
            Scripted::start(move |seen, host| if seen.path() == "/token" { answer() } else { bearer_challenge(host) })
                .await;
        let failure = registries().tags(&server.basic("user", "right"), &name()).await.unwrap_err();
        assert_eq!(failure.code, expected, "{failure:?}");
    }
}

#[tokio::test]
async fn t02_no_login_goes_to_a_realm_that_is_not_https() {
    let thief = Scripted::start(|_, _| json(200, r#"{"token":"t1"}"#)).await;
    let thief_port = thief.host.rsplit(':').next().unwrap().to_owned();
    for realm in [
        format!("http://user:pw@127.0.0.1:{thief_port}/token"),
        format!("http://localtest.example:{thief_port}/token"),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let challenge = format!(r#"Bearer realm="{realm}",service="s""#);
        let server = Scripted::start(move |_, _| reply(401, &[("www-authenticate", &challenge)], "")).await;
        let failure = registries().tags(&server.basic("user", "right"), &name()).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::NotARegistry, "{realm}");
    }
    assert!(thief.seen().is_empty());
}

#[tokio::test]
async fn t02_authorization_does_not_follow_a_redirect_to_another_host() {
    for status in [301, 302, 303, 307, 308] {
        let storage = Scripted::start(|_, _| reply(200, &[], "layer")).await;
        let target = format!("http://{}/bucket/layer?signature=x", storage.host);
        let server = Scripted::start(move |seen, host| match seen.authorization.as_deref() {
            Some(RIGHT) => reply(status, &[("location", &target)], ""),
            _ => {
                let challenge = format!(r#"Basic realm="{host}""#);
                reply(401, &[("www-authenticate", &challenge)], "")
            }
        })
        .await;
        let digest = slipway_core::image::Digest::new(crate::server::digest_of("layer")).unwrap();
        let access = server.basic("user", "right");
        let body = registries().blob(&access, &name(), &digest, 100).await.unwrap();
        assert_eq!(body.as_ref(), b"layer");
        let seen = storage.seen();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].authorization, None, "{status}");
    }
}

#[tokio::test]
async fn t02_a_redirect_home_again_brings_no_authorization_back_and_a_foreign_challenge_is_not_answered() {
    let elsewhere = Scripted::start(|_, _| reply(401, &[("www-authenticate", "Basic realm=x")], "")).await;
    let target = format!("http://{}/steal", elsewhere.host);
    let server = Scripted::start(move |seen, host| match (seen.path(), seen.authorization.as_deref()) {
        ("/back", _) => manifest(),
        (_, None) => {
            let challenge = format!(r#"Basic realm="{host}""#);
            reply(401, &[("www-authenticate", &challenge)], "")
        }
        _ => reply(307, &[("location", &target)], ""),
    })
    .await;
    let access = server.basic("user", "right");
    let failure = registries().tags(&access, &name()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryUnauthorized);
    assert!(elsewhere.seen().iter().all(|seen| seen.authorization.is_none()));

    let home = format!("http://{}/back", server.host);
    let elsewhere = Scripted::start(move |_, _| reply(307, &[("location", &home)], "")).await;
    let target = format!("http://{}/round", elsewhere.host);
    let start = Scripted::start(move |_, _| reply(307, &[("location", &target)], "")).await;
    assert!(registries().head(&start.basic("user", "right"), &name(), "v1").await.unwrap().is_some());
    assert_eq!(server.seen().last().unwrap().authorization, None);
}
