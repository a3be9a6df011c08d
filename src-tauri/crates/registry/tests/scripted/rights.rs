//! The registry test, hop by hop.

use crate::server::{Scripted, Seen, bearer_challenge, html, json, name, oci_error, registries, reply, taken_port};
use axum::response::Response;
use slipway_core::ErrorCode;
use slipway_core::image::{RegistryAccess, RegistryHost};
use slipway_core::ports::{Hop, Registries};

const ALL: [Hop; 7] = [Hop::Resolve, Hop::Connect, Hop::Tls, Hop::Api, Hop::Login, Hop::Read, Hop::Push];

/// Runs the test; returns how far it came, and the failure of the last hop.
async fn run(access: &RegistryAccess) -> (Vec<Hop>, Option<ErrorCode>) {
    let reports = registries().test(access, &name()).await;
    let failed = reports.iter().position(|report| report.result.is_err());
    assert!(failed.is_none_or(|index| index + 1 == reports.len()), "later hops were tried: {reports:?}");
    let code = reports.last().and_then(|report| report.result.as_ref().err().map(|failure| failure.code));
    (reports.into_iter().map(|report| report.hop).collect(), code)
}

/// A registry with tokens: `user:right` may read, and push when `push` says so.
fn registry(push: fn(&Seen) -> Response) -> impl Fn(&Seen, &str) -> Response {
    move |seen, host| match (seen.method.as_str(), seen.path(), seen.authorization.as_deref()) {
        (_, "/token", Some("Basic dXNlcjpyaWdodA==")) => json(200, r#"{"token":"t","expires_in":300}"#),
        (_, "/token", _) => oci_error(401, "UNAUTHORIZED"),
        (_, _, None) => bearer_challenge(host),
        ("GET", "/v2/", _) => json(200, "{}"),
        ("GET", "/v2/team/app/tags/list", _) => json(200, r#"{"tags":["a"]}"#),
        _ => push(seen),
    }
}

fn may_push(seen: &Seen) -> Response {
    match seen.method.as_str() {
        "POST" => reply(202, &[("location", "/v2/team/app/blobs/uploads/1?_state=x")], ""),
        "DELETE" => reply(204, &[], ""),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_hop_passes_and_the_upload_is_cancelled() {
    let server = Scripted::start(registry(may_push)).await;
    assert_eq!(run(&server.basic("user", "right")).await, (ALL.to_vec(), None));
    let lines = server.lines();
    assert_eq!(lines.last().unwrap(), "DELETE /v2/team/app/blobs/uploads/1?_state=x");
    assert!(lines.iter().any(|line| line.contains("scope=repository%3Ateam%2Fapp%3Apull%2Cpush")), "{lines:?}");
}

#[tokio::test]
async fn a_wrong_password_stops_at_the_login() {
    let server = Scripted::start(registry(may_push)).await;
    let (hops, code) = run(&server.basic("user", "wrong")).await;
    assert_eq!((hops.last(), code), (Some(&Hop::Login), Some(ErrorCode::RegistryUnauthorized)));
}

#[tokio::test]
async fn anonymous_access_is_judged_at_the_repository() {
    let server = Scripted::start(registry(may_push)).await;
    let (hops, code) = run(&server.anonymous()).await;
    assert_eq!((hops.last(), code), (Some(&Hop::Read), Some(ErrorCode::RegistryUnauthorized)));
}

#[tokio::test]
async fn f12_a_server_that_never_answers_stops_at_tls_or_at_the_api() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Scripted::start(|_, _| reply(200, &[], "")).await;
    let mut access = silent.anonymous();
    access.host = RegistryHost::new(listener.local_addr().unwrap().to_string()).unwrap();
    let registries = slipway_registry::OciRegistries::new(slipway_core::ports::Deadlines {
        request: std::time::Duration::from_millis(200),
        ..slipway_core::ports::Deadlines::default()
    });
    for (plain_http, hop) in [(true, Hop::Api), (false, Hop::Tls)] {
        access.plain_http = plain_http;
        let reports = registries.test(&access, &name()).await;
        let last = reports.last().unwrap();
        assert_eq!((last.hop, last.result.as_ref().unwrap_err().code), (hop, ErrorCode::TimedOut));
    }
}

#[tokio::test]
async fn a_login_without_the_right_to_push_stops_at_the_push() {
    type Answer = fn(&Seen) -> Response;
    let cases: [(Answer, ErrorCode); 4] = [
        (|_| oci_error(401, "UNAUTHORIZED"), ErrorCode::RegistryDenied),
        (|_| oci_error(403, "DENIED"), ErrorCode::RegistryDenied),
        (|_| oci_error(404, "NAME_UNKNOWN"), ErrorCode::RegistryNameUnknown),
        (|_| html(200), ErrorCode::NotARegistry),
    ];
    for (push, expected) in cases {
        let server = Scripted::start(registry(push)).await;
        let (hops, code) = run(&server.basic("user", "right")).await;
        assert_eq!((hops.last(), code), (Some(&Hop::Push), Some(expected)));
    }
}

#[tokio::test]
async fn a_repository_without_read_right_stops_at_the_read() {
    let inner = registry(may_push);
    let server = Scripted::start(move |seen, host| match (seen.path(), &seen.authorization) {
        ("/v2/team/app/tags/list", Some(_)) => oci_error(403, "DENIED"),
        _ => inner(seen, host),
    })
    .await;
    let (hops, code) = run(&server.basic("user", "right")).await;
    assert_eq!((hops.last(), code), (Some(&Hop::Read), Some(ErrorCode::RegistryDenied)));
}

#[tokio::test]
async fn f13_what_is_no_registry_stops_at_the_api() {
    let cases: [(fn() -> Response, ErrorCode); 5] = [
        (|| html(200), ErrorCode::NotARegistry),
        (|| html(404), ErrorCode::NotARegistry),
        (|| reply(401, &[], ""), ErrorCode::NotARegistry),
        (|| reply(302, &[("location", "http://portal.example/")], ""), ErrorCode::NotARegistry),
        (|| reply(503, &[], ""), ErrorCode::RegistryServerError),
    ];
    for (answer, expected) in cases {
        let server = Scripted::start(move |_, _| answer()).await;
        let (hops, code) = run(&server.basic("user", "right")).await;
        assert_eq!((hops.last(), code), (Some(&Hop::Api), Some(expected)));
        assert!(server.seen().iter().all(|seen| seen.authorization.is_none()));
    }
}

#[tokio::test]
async fn the_first_hops_name_what_is_wrong() {
    let server = Scripted::start(registry(may_push)).await;
    let mut access = server.basic("user", "right");
    access.plain_http = false;
    let (hops, code) = run(&access).await;
    assert_eq!((hops.last(), code), (Some(&Hop::Tls), Some(ErrorCode::RegistryPlainHttp)));

    let silent = taken_port();
    access.host = RegistryHost::new(silent.local_addr().unwrap().to_string()).unwrap();
    let (hops, code) = run(&access).await;
    assert_eq!((hops.last(), code), (Some(&Hop::Connect), Some(ErrorCode::RegistryUnreachable)));

    access.host = RegistryHost::new("no-such-host.invalid").unwrap();
    let (hops, code) = run(&access).await;
    assert_eq!((hops.last(), code), (Some(&Hop::Resolve), Some(ErrorCode::RegistryUnreachable)));
}
