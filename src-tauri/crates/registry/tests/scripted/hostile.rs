//! Answers that are too long, too slow, or go nowhere; mirrors that fail.

use crate::server::{
    MANIFEST, MANIFEST_TYPE, Scripted, bearer_challenge, digest_of, html, manifest, name, registries, reply, taken_port,
};
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt as _;
use slipway_core::ErrorCode;
use slipway_core::image::{Digest, RegistryHost};
use slipway_core::ports::{Deadlines, Registries};
use slipway_registry::{OciRegistries, mirrors};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A body that never ends, and counts what was taken of it.
fn endless(taken: &Arc<AtomicU64>) -> Body {
    let taken = Arc::clone(taken);
    Body::from_stream(futures::stream::repeat_with(move || {
        taken.fetch_add(64 * 1024, Ordering::SeqCst);
        Ok::<_, std::io::Error>(Bytes::from(vec![b'['; 64 * 1024]))
    }))
}

#[tokio::test]
async fn t22_every_reader_has_a_cap() {
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    let server = Scripted::start(move |seen, host| match seen.path() {
        "/token" => reply(200, &[], endless(&counter)),
        "/v2/team/locked/tags/list" => bearer_challenge(host),
        "/v2/team/error/tags/list" => reply(500, &[], endless(&counter)),
        _ => reply(200, &[("content-type", MANIFEST_TYPE)], endless(&counter)),
    })
    .await;
    let (registries, access) = (registries(), server.anonymous());
    let digest = Digest::new(digest_of("x")).unwrap();
    let named = |path: &str| slipway_core::image::RepositoryName::new(path).unwrap();
    let begun = Instant::now();
    let failures = [
        (registries.manifest(&access, &name(), "v1").await.unwrap_err(), ErrorCode::NotARegistry),
        (registries.blob(&access, &name(), &digest, 1000).await.unwrap_err(), ErrorCode::NotARegistry),
        (registries.tags(&access, &name()).await.unwrap_err(), ErrorCode::NotARegistry),
        (registries.tags(&access, &named("team/locked")).await.unwrap_err(), ErrorCode::NotARegistry),
        (registries.tags(&access, &named("team/error")).await.unwrap_err(), ErrorCode::RegistryServerError),
    ];
    for (failure, code) in failures {
        assert_eq!(failure.code, code, "{failure:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(15));
    // 13 MiB may be read; the rest is what buffers of the system hold.
    assert!(taken.load(Ordering::SeqCst) < 80 << 20, "{} bytes", taken.load(Ordering::SeqCst));
}

#[tokio::test]
async fn t22_deep_json_is_refused() {
    let server = Scripted::start(|_, _| {
        reply(200, &[("content-type", MANIFEST_TYPE)], format!("{{\"tags\":{}", "[".repeat(1 << 20)))
    })
    .await;
    let failure = registries().manifest(&server.anonymous(), &name(), "v1").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotARegistry);
    let failure = registries().tags(&server.anonymous(), &name()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotARegistry);
}

#[tokio::test]
async fn f12_a_body_that_drips_ends_at_the_deadline() {
    let server = Scripted::start(|_, _| {
        let drops = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))])
            .chain(futures::stream::pending());
        reply(200, &[("content-type", MANIFEST_TYPE)], Body::from_stream(drops))
    })
    .await;
    let registries = OciRegistries::new(Deadlines { request: Duration::from_millis(200), ..Deadlines::default() });
    let begun = Instant::now();
    let failure = registries.manifest(&server.anonymous(), &name(), "v1").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn redirects_that_go_round_or_down_end() {
    let server = Scripted::start(|_, _| reply(302, &[("location", "/v2/round")], "")).await;
    let failure = registries().head(&server.anonymous(), &name(), "v1").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotARegistry);
    assert_eq!(server.seen().len(), 6);
    let odd = Scripted::start(|_, _| reply(302, &[("location", "file:///etc/passwd")], "")).await;
    let failure = registries().head(&odd.anonymous(), &name(), "v1").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::NotARegistry);
}

#[tokio::test]
async fn f13_nobody_there_is_unreachable_and_plain_http_is_named() {
    let silent = taken_port();
    let gone = silent.local_addr().unwrap().to_string();
    let server = Scripted::start(|_, _| manifest()).await;
    let mut access = server.anonymous();
    access.plain_http = false;
    let failure = registries().head(&access, &name(), "v1").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryPlainHttp, "{failure:?}");
    access.host = RegistryHost::new(gone).unwrap();
    let failure = registries().head(&access, &name(), "v1").await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RegistryUnreachable, "{failure:?}");
}

#[tokio::test]
async fn mirrors_are_asked_in_order_and_the_upstream_has_the_last_word() {
    let portal = Scripted::start(|_, _| html(200)).await;
    let empty = Scripted::start(|_, _| reply(404, &[], "")).await;
    let full = Scripted::start(|_, _| manifest()).await;
    let broken = Scripted::start(|_, _| reply(500, &[], "")).await;
    let registries = registries();
    let [portal, empty_access, full_access, broken_access] =
        [&portal, &empty, &full, &broken].map(|server| server.anonymous());

    let accesses = [portal.clone(), empty_access.clone(), full_access.clone(), broken_access.clone()];
    let head = mirrors::head(&registries, &accesses, &name(), "v1").await.unwrap().unwrap();
    assert_eq!(head.digest.as_str(), digest_of(MANIFEST));
    let (_, bytes) = mirrors::manifest(&registries, &accesses, &name(), "v1").await.unwrap().unwrap();
    assert_eq!(bytes.as_ref(), MANIFEST.as_bytes());
    assert!(broken.seen().is_empty());

    let none = mirrors::head(&registries, &[broken_access.clone(), empty_access], &name(), "v1").await;
    assert_eq!(none, Ok(None));
    let failed = mirrors::head(&registries, &[portal, broken_access], &name(), "v1").await;
    assert_eq!(failed.unwrap_err().code, ErrorCode::RegistryServerError);
}

#[tokio::test]
async fn a_proxy_is_used_and_gets_its_own_login_only() {
    // A forward proxy sees the whole address; this one answers itself.
    let proxy = Scripted::start(|_, _| manifest()).await;
    let mut access = proxy.basic("user", "right");
    access.host = RegistryHost::new("reg.invalid:5000").unwrap();
    access.proxy = Some(slipway_core::network::Proxy {
        url: format!("http://{}", proxy.host),
        username: Some("p".to_owned()),
        password: Some(slipway_core::Secret::new("q")),
    });
    assert!(registries().head(&access, &name(), "v1").await.unwrap().is_some());
    assert_eq!(proxy.seen()[0].path(), "/v2/team/app/manifests/v1");
    assert_eq!(proxy.seen()[0].authorization, None);
}
