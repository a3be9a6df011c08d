//! Hosts that refuse, redirect, lie, break off or hang.

use crate::support::*;
use slipway_core::ErrorCode;
use slipway_core::code::{CodeAccess, CodeLocation};
use slipway_core::network::Proxy;
use slipway_core::ports::{CodeStore, Deadlines};
use slipway_testkit::{GitRepository, GitServer, GitServerMood, Login, PrivateCa};
use std::time::{Duration, Instant};

async fn refused(access: &CodeAccess) -> slipway_core::Failure {
    store().remote_refs(access, None, &never()).await.unwrap_err()
}

#[tokio::test]
async fn f35_a_wrong_or_missing_login_is_told_at_once() {
    let login = Login::new("ann", "right");
    let server = GitServer::start(Some(PrivateCa::new()), Some(login)).await;
    let repository = GitRepository::new().await;
    repository.write("a", "1").commit("first").await;
    let url = server.publish("app.git", &repository).await;
    for login in [Some(Login::new("ann", "wrong")), None] {
        let failure = refused(&at_server(&server, &url, login.as_ref())).await;
        assert_eq!(failure.code, ErrorCode::SourceUnauthorized);
        assert!(!failure.message.contains("wrong"));
    }
}

#[tokio::test]
async fn t02_a_redirect_to_another_origin_gets_no_login() {
    let login = Login::new("ann", "secret");
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let other = FixedHost::start(vec![answer("200 OK", "", "")]).await;
        let location = format!("Location: {}/app.git/info/refs?service=git-upload-pack\r\n", other.url);
        let first = FixedHost::start(vec![answer(status, &location, "")]).await;
        let failure = refused(&at_url(&format!("{}/app.git", first.url), None, Some(&login))).await;
        assert_eq!(failure.code, ErrorCode::SourceRedirected, "{status}");
        assert!(first.requests.lock().unwrap()[0].to_lowercase().contains("authorization: basic"));
        assert!(other.requests.lock().unwrap().is_empty(), "{status}: the other host was asked");
    }
}

#[tokio::test]
async fn t02_a_redirect_may_not_smuggle_a_login_or_change_the_scheme() {
    for target in [
        "https://127.0.0.1/app.git/info/refs",
        "http://user@HOST/app.git/info/refs",
        "//evil.example/info/refs",
        "file:///info/refs",
        "ssh://127.0.0.1/app.git/info/refs",
        "ext::sh -c id /info/refs",
    ] {
        let listener = FixedHost::start(vec![answer("302 Found", &format!("Location: {target}\r\n"), "")]).await;
        let failure = refused(&at_url(&format!("{}/app.git", listener.url), None, None)).await;
        assert_eq!(failure.code, ErrorCode::SourceRedirected, "{target}");
    }
}

#[tokio::test]
async fn a_redirect_within_the_host_is_followed_for_the_first_request() {
    let to = "Location: /moved/app.git/info/refs?service=git-upload-pack\r\n";
    let host = FixedHost::start(vec![answer("301 Moved", to, ""), answer("404 Not Found", "", "")]).await;
    let failure = refused(&at_url(&format!("{}/app.git", host.url), None, None)).await;
    assert_eq!(failure.code, ErrorCode::SourceNotFound);
    assert!(host.requests.lock().unwrap()[1].starts_with("GET /moved/app.git/info/refs?service=git-upload-pack "));
}

#[tokio::test]
async fn f35_each_refusal_has_its_own_code() {
    let advertisement = "Content-Type: application/x-git-upload-pack-advertisement\r\n";
    let table = [
        (answer("404 Not Found", "", ""), ErrorCode::SourceNotFound),
        (answer("401 Unauthorized", "", ""), ErrorCode::SourceUnauthorized),
        (answer("403 Forbidden", "", ""), ErrorCode::SourceUnauthorized),
        (answer("403 Forbidden", "Retry-After: 60\r\n", ""), ErrorCode::SourceRateLimited),
        (answer("429 Too Many Requests", "Retry-After: 17\r\n", ""), ErrorCode::SourceRateLimited),
        (answer("500 Oops", "", ""), ErrorCode::SourceServerError),
        (answer("503 Busy", "", ""), ErrorCode::SourceServerError),
        (answer("200 OK", "Content-Type: text/html\r\n", "<html></html>"), ErrorCode::SourceNotGit),
        (answer("200 OK", "", ""), ErrorCode::SourceNotGit),
        (answer("302 Found", "Location: /login\r\n", ""), ErrorCode::SourceNotGit),
        (answer("200 OK", advertisement, "<html></html>"), ErrorCode::SourceNotGit),
        (answer("200 OK", advertisement, "000eversion 1\n0000"), ErrorCode::SourceNotGit),
        (answer("200 OK", advertisement, "000eversion 2\n00"), ErrorCode::SourceUnreachable),
        (answer("200 OK", advertisement, "0010ERR go away\n"), ErrorCode::SourceServerError),
        ("HTTP/1.1 200 OK\r\nContent-Le".to_owned(), ErrorCode::SourceUnreachable),
    ];
    for (raw, expected) in table {
        let host = FixedHost::start(vec![raw.clone()]).await;
        let failure = refused(&at_url(&format!("{}/app.git", host.url), None, None)).await;
        assert_eq!(failure.code, expected, "{raw}: {failure}");
        if raw.contains("Retry-After: 17") {
            assert_eq!(failure.details["retry_after"], "17");
        }
    }
}

#[tokio::test]
async fn an_unknown_authority_is_a_tls_failure() {
    let server = GitServer::start(Some(PrivateCa::new()), None).await;
    let url = server.url_of("app.git");
    let strange = PrivateCa::new().pem().to_owned();
    for ca in [None, Some(strange)] {
        assert_eq!(refused(&at_url(&url, ca, None)).await.code, ErrorCode::SourceTls);
    }
    let failure = refused(&at_url(&url, Some("no pem".to_owned()), None)).await;
    assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::BadCodeLocation, Some("ca_pem")));
}

#[tokio::test]
async fn a_host_that_is_not_there_is_unreachable() {
    let port = slipway_testkit::free_port();
    for url in [format!("https://127.0.0.1:{port}/r.git"), "https://no-such-host.invalid/r.git".to_owned()] {
        assert_eq!(refused(&at_url(&url, None, None)).await.code, ErrorCode::SourceUnreachable, "{url}");
    }
}

#[tokio::test]
async fn t12_locations_that_would_run_or_read_something_here_are_refused() {
    for url in ["file:///etc", "ext::sh -c id", "ssh://git@h/r", "git@h:r", "-u", "/srv/r", "https://u:p@h/r"] {
        assert_eq!(refused(&at_url(url, None, None)).await.code, ErrorCode::BadCodeLocation, "{url}");
    }
    let mut plain = at_url("http://h/r", None, None);
    if let CodeLocation::GitUrl { allow_plain_http, .. } = &mut plain.location {
        *allow_plain_http = false;
    }
    assert_eq!(refused(&plain).await.code, ErrorCode::BadCodeLocation);
}

#[tokio::test]
async fn a_host_that_hangs_ends_at_the_deadline_or_when_cancelled() {
    let server = GitServer::start(Some(PrivateCa::new()), None).await;
    server.set_mood(GitServerMood::Stall);
    let access = at_server(&server, &server.url_of("app.git"), None);

    let brief = store_with(Deadlines { request: Duration::from_secs(2), ..Deadlines::default() });
    let failure = brief.remote_refs(&access, None, &never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::TimedOut);

    let (store, cancel) = (store(), never());
    let fetching = async { store.fetch(ID, &access, &[branch("main")], &cancel).await };
    let cancelling = async {
        let asked = async || if server.take_seen().is_empty() { Err("no request") } else { Ok(()) };
        slipway_testkit::eventually("the request", Duration::from_secs(20), asked).await;
        cancel.cancel();
        Instant::now()
    };
    let (result, cancelled) = tokio::join!(fetching, cancelling);
    assert_eq!(result.unwrap_err().code, ErrorCode::Cancelled);
    assert!(cancelled.elapsed() < Duration::from_secs(5));
    // The mirror is free again.
    server.set_mood(GitServerMood::Refuse(404));
    let failure = store.fetch(ID, &access, &[branch("main")], &never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::SourceNotFound);
}

/// The answers of a host up to the middle of a pack.
fn half_a_pack(end: &str) -> Vec<String> {
    let advertisement = "Content-Type: application/x-git-upload-pack-advertisement\r\n";
    let result = "Content-Type: application/x-git-upload-pack-result\r\n";
    let offer = format!("{}{}0000", packet("version 2\n"), packet("ls-refs\n"));
    let refs = format!("{}0000", packet(&format!("{} refs/heads/main\n", "1".repeat(40))));
    let pack = format!("{}{}", packet("packfile\n"), packet("\u{1}PACK\0\0\0\u{2}\0\0\0\u{5}"));
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n{result}\r\n{pack}{end}");
    vec![answer("200 OK", advertisement, &offer), answer("200 OK", result, &refs), cut]
}

#[tokio::test]
async fn a_pack_that_breaks_off_leaves_nothing_behind() {
    let (host, store) = (FixedHost::start(half_a_pack("")).await, store());
    let access = at_url(&format!("{}/app.git", host.url), None, None);
    let failure = store.fetch(ID, &access, &[branch("main")], &never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::SourceUnreachable, "{failure}");
    let left = std::fs::read_dir(store.folder.path().join("mirrors/1.git/objects/pack")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_fetch_is_cancelled_in_the_middle_of_a_pack() {
    let (host, store) = (FixedHost::start(half_a_pack(HANG)).await, store());
    let (access, cancel) = (at_url(&format!("{}/app.git", host.url), None, None), never());
    let pack = store.folder.path().join("mirrors/1.git/objects/pack");
    let files = || std::fs::read_dir(&pack).map_or(0, Iterator::count);
    let cancelling = async {
        let begun = async || if files() == 0 { Err("no pack") } else { Ok(()) };
        slipway_testkit::eventually("the pack", Duration::from_secs(20), begun).await;
        cancel.cancel();
        Instant::now()
    };
    let fetching = async { store.fetch(ID, &access, &[branch("main")], &cancel).await };
    let (result, cancelled) = tokio::join!(fetching, cancelling);
    assert_eq!(result.unwrap_err().code, ErrorCode::Cancelled);
    assert!(cancelled.elapsed() < Duration::from_secs(20));
    let ended = async || if files() == 0 { Ok(()) } else { Err("the pack is still there") };
    slipway_testkit::eventually("the writer's end", Duration::from_secs(20), ended).await;
}

#[tokio::test]
async fn a_transfer_without_a_byte_ends_at_the_idle_deadline() {
    let host = FixedHost::start(half_a_pack(HANG)).await;
    let store = store_with(Deadlines { idle: Duration::from_millis(300), ..Deadlines::default() });
    let access = at_url(&format!("{}/app.git", host.url), None, None);
    let failure = store.fetch(ID, &access, &[branch("main")], &never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::TimedOut, "{failure}");
}

#[tokio::test]
async fn a_proxy_is_used_and_gets_its_own_login_only() {
    let proxy = FixedHost::start(vec![answer("404 Not Found", "", ""), answer("407 Login", "", "")]).await;
    let login = Login::new("ann", "secret");
    let through = |url: &str| {
        let mut access = at_url(url, None, Some(&login));
        let password = Some(slipway_core::Secret::new("proxy-secret"));
        access.proxy = Some(Proxy { url: proxy.url.clone(), username: Some("proxy-user".to_owned()), password });
        access
    };
    let failure = refused(&through("http://git.invalid/app.git")).await;
    assert_eq!(failure.code, ErrorCode::SourceNotFound);
    let failure = refused(&through("https://git.invalid/app.git")).await;
    assert_eq!(failure.code, ErrorCode::SourceUnreachable);
    let requests = proxy.requests.lock().unwrap().clone();
    assert!(requests[0].starts_with("GET http://git.invalid/app.git/info/refs?service=git-upload-pack "));
    assert!(requests[1].starts_with("CONNECT git.invalid:443 "));
    assert!(requests.iter().all(|request| request.to_lowercase().contains("proxy-authorization: basic")));
    // Inside the tunnel only the host itself sees the repository's login.
    assert!(!requests[1].to_lowercase().contains("\r\nauthorization:"));
}
