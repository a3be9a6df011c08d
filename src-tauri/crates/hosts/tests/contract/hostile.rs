//! Bad addresses and bad days: every answer becomes the right failure, and no token goes astray.

use crate::keeper::{account, pasted};
use crate::server::{Scripted, address, hosts, html, json, reply};
use slipway_core::ErrorCode;
use slipway_core::host::{CodeHosts, CommitReport, HostProvider, Need, ReportState, RepositoryPath};
use slipway_core::ports::Deadlines;
use slipway_hosts::Hosts;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::CancellationToken;

fn web() -> RepositoryPath {
    RepositoryPath("acme/web".to_owned())
}

/// Asks a host for one repository and returns the failure.
async fn failure_of(server: &Scripted, provider: HostProvider) -> slipway_core::Failure {
    let access = account(address(provider, &server.url), pasted("t0ken"));
    hosts().repository(&access, &web(), &CancellationToken::new()).await.unwrap_err()
}

/// Provider, status, headers, body; the code, and one detail with its value.
type Refusal<'a> = (HostProvider, u16, &'a [(&'a str, &'a str)], &'a str, ErrorCode, &'a str, &'a str);

#[tokio::test]
async fn refusals_are_told_apart() {
    let rate = [("x-ratelimit-remaining", "0"), ("retry-after", "77")];
    let sso = [("x-github-sso", "required; url=https://github.com/orgs/acme/sso?authorization_request=A")];
    let scopes = [("x-oauth-scopes", "read:user"), ("x-accepted-oauth-scopes", "repo, public_repo")];
    let enough = [("x-oauth-scopes", "repo"), ("x-accepted-oauth-scopes", "repo, public_repo")];
    let blocks = r#"{"message":"Although you appear to have the correct authorization credentials, the `acme` organization has enabled OAuth App access restrictions, meaning that data access to third-parties is limited."}"#;
    let archived = r#"{"message":"Repository was archived so is read-only."}"#;
    let gitlab = r#"{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api read_api"}"#;
    let gitea = r#"{"message":"token does not have at least one of required scope(s), required=[read:repository], token scope=read:user","url":"u"}"#;
    let bitbucket = r#"{"type":"error","error":{"message":"Your credentials lack one or more required privilege scopes.","detail":{"granted":["account"],"required":["repository"]}}}"#;
    let (github, none) = (HostProvider::Github, &[][..]);
    let cases: &[Refusal<'_>] = &[
        (github, 401, none, r#"{"message":"Bad credentials"}"#, ErrorCode::SourceUnauthorized, "status", "401"),
        (github, 403, none, r#"{"message":"Resource not accessible"}"#, ErrorCode::SourceForbidden, "status", "403"),
        (github, 403, &rate, "{}", ErrorCode::SourceRateLimited, "retry_after", "77"),
        (github, 429, &rate, "{}", ErrorCode::SourceRateLimited, "retry_after", "77"),
        (
            github,
            403,
            &sso,
            "{}",
            ErrorCode::SourceSsoRequired,
            "url",
            "https://github.com/orgs/acme/sso?authorization_request=A",
        ),
        (github, 404, &scopes, "{}", ErrorCode::SourceScopesMissing, "scopes", "repo, public_repo"),
        (github, 404, &enough, "{}", ErrorCode::SourceNotFound, "status", "404"),
        (github, 403, none, blocks, ErrorCode::SourceOrganizationBlocks, "status", "403"),
        (github, 403, none, archived, ErrorCode::SourceArchived, "status", "403"),
        (github, 410, none, "{}", ErrorCode::SourceNotFound, "status", "410"),
        (github, 502, none, "<html>", ErrorCode::SourceServerError, "status", "502"),
        (HostProvider::Gitlab, 403, none, gitlab, ErrorCode::SourceScopesMissing, "scopes", "api, read_api"),
        (HostProvider::Gitea, 403, none, gitea, ErrorCode::SourceScopesMissing, "scopes", "read:repository"),
        (HostProvider::Bitbucket, 403, none, bitbucket, ErrorCode::SourceScopesMissing, "scopes", "repository"),
    ];
    for (provider, status, headers, body, code, detail, value) in cases {
        let (status, body) = (*status, (*body).to_owned());
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let server = Scripted::start(move |_, _, _| {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            reply(status, &headers, body.clone())
        })
        .await;
        let failure = failure_of(&server, *provider).await;
        assert_eq!(failure.code, *code, "{provider:?} {failure:?}");
        assert_eq!(failure.details.get(*detail).map(String::as_str), Some(*value), "{provider:?} {failure:?}");
    }
}

#[tokio::test]
async fn what_is_no_code_host_is_said_so_and_a_better_address_is_found() {
    let forgejo = |seen: &crate::server::Seen| match seen.path.as_str() {
        "/git/api/v1/version" => json(200, r#"{"version":"1.24.0"}"#),
        _ => html(404),
    };
    let server = Scripted::start(move |seen, _, _| forgejo(seen)).await;
    let typed = format!("{}/git/acme/web", server.url);
    let cancel = CancellationToken::new();
    let failure = hosts().probe(&address(HostProvider::Gitea, &typed), &cancel).await.unwrap_err();
    assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::NotACodeHost, Some("base_url")));
    assert_eq!(failure.details["suggestion"], format!("{}/git", server.url));
    assert!(server.seen().iter().all(|seen| seen.header("authorization").is_none()));

    for answer in ["<html>", r#"["json of somebody else"]"#, ""] {
        let kind = if answer == "<html>" { "text/html" } else { "application/json" };
        let server = Scripted::start(move |_, _, _| reply(200, &[("content-type", kind)], answer)).await;
        for provider in HostProvider::ALL {
            let failure = hosts().probe(&address(*provider, &server.url), &cancel).await.unwrap_err();
            assert_eq!(failure.code, ErrorCode::NotACodeHost, "{provider:?} {answer}");
            assert_eq!(failure.details.get("suggestion"), None, "{provider:?}");
        }
    }
}

#[tokio::test]
async fn t02_a_token_never_follows_a_redirect_to_another_origin() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Scripted::start(|_, _, _| json(200, "{}")).await;
        let target = elsewhere.url.clone();
        let server =
            Scripted::start(move |_, _, _| reply(status, &[("location", &format!("{target}/api/v3/user"))], "")).await;
        let failure = failure_of(&server, HostProvider::Github).await;
        assert_eq!(failure.code, ErrorCode::SourceRedirected, "{status}");
        assert_eq!(elsewhere.lines(), Vec::<String>::new(), "{status}");
    }
    // Another port is another origin; another name for the same machine too.
    for target in ["http://localhost:1/x", "https://127.0.0.1/x", "//evil.example/x", "http://evil@127.0.0.1/x"] {
        let server = Scripted::start(move |_, _, _| reply(302, &[("location", target)], "")).await;
        assert_eq!(failure_of(&server, HostProvider::Github).await.code, ErrorCode::SourceRedirected, "{target}");
    }
}

#[tokio::test]
async fn a_renamed_repository_is_followed_within_the_host() {
    let moved = r#"{"id":2,"name":"site","full_name":"acme/site","private":true,"html_url":"h","clone_url":"c","default_branch":"main"}"#;
    let server = Scripted::start(move |seen, _, own| match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/api/v3/repos/acme/web") => {
            reply(301, &[("location", &format!("{own}/api/v3/repositories/2"))], r#"{"message":"Moved Permanently"}"#)
        }
        ("POST", path) if path.starts_with("/api/v3/repos/acme/web/statuses") => {
            reply(307, &[("location", &format!("{own}/api/v3/repositories/2/statuses"))], "")
        }
        ("GET", "/api/v3/repositories/2") => json(200, moved),
        ("POST", "/api/v3/repositories/2/statuses") => json(201, "{}"),
        _ => html(404),
    })
    .await;
    let access = account(address(HostProvider::Github, &server.url), pasted("t0ken"));
    let cancel = CancellationToken::new();
    let found = hosts().repository(&access, &web(), &cancel).await.unwrap();
    assert_eq!(found.path.0, "acme/site");
    let moved = found.check_place(&web()).unwrap_err();
    assert_eq!((moved.code, moved.details["path"].as_str()), (ErrorCode::SourceMoved, "acme/site"));
    found.check_place(&RepositoryPath("Acme/Site".to_owned())).unwrap();
    let report = CommitReport {
        commit: slipway_core::code::CommitId::new("a".repeat(40)).unwrap(),
        ref_name: None,
        state: ReportState::Pending,
        context: "c".to_owned(),
        description: "d".to_owned(),
        target_url: None,
        previous: None,
    };
    hosts().report(&access, &web(), &report, &cancel).await.unwrap();
    let last = server.seen().pop().unwrap();
    assert_eq!((last.line().as_str(), last.body.contains("pending")), ("POST /api/v3/repositories/2/statuses", true));
}

#[tokio::test]
async fn t02_a_next_page_elsewhere_is_the_end_of_the_list() {
    let server = Scripted::start(|seen, _, _| match seen.path.as_str() {
        "/api/v3/user" => json(200, r#"{"id":1,"login":"ada"}"#),
        _ => reply(200, &[("link", r#"<https://evil.example/api/v3/user/orgs?page=2>; rel="next""#)], "[]"),
    })
    .await;
    let access = account(address(HostProvider::Github, &server.url), pasted("t0ken"));
    assert_eq!(hosts().owners(&access, &CancellationToken::new()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_answer_that_ends_in_the_middle_is_the_hosts_fault() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for cut in ["content-length: 900\r\n\r\n{\"id\":2,\"na", "content-length: 11\r\n\r\n{\"id\":2,\"na"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n{cut}");
            stream.write_all(head.as_bytes()).await.unwrap();
        }
    });
    let access = account(address(HostProvider::Github, &url), pasted("t0ken"));
    for _ in 0..2 {
        let failure = hosts().repository(&access, &web(), &CancellationToken::new()).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::SourceServerError, "{failure:?}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_hangs_or_is_given_up() {
    let access = account(address(HostProvider::Gitea, "http://127.0.0.1:1"), pasted("t0ken"));
    let failure = hosts().owners(&access, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::SourceUnreachable);

    // Accepts and says nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = address(HostProvider::Gitea, &format!("http://{}", listener.local_addr().unwrap()));
    let access = account(silent, pasted("t0ken"));
    let quick = Hosts::new(
        Deadlines { request: Duration::from_millis(200), ..Deadlines::default() },
        Arc::new(crate::server::SystemClock),
    );
    let failure = quick.owners(&access, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::TimedOut);

    let cancel = CancellationToken::new();
    let (patient, hosts) = (cancel.clone(), hosts());
    let asking = tokio::spawn(async move { hosts.owners(&access, &patient).await });
    cancel.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(5), asking).await.unwrap().unwrap();
    assert_eq!(ended.unwrap_err().code, ErrorCode::Cancelled);
}

#[tokio::test]
async fn an_own_authority_is_trusted_for_its_host_only_when_it_was_given() {
    let ca = slipway_testkit::PrivateCa::new();
    let server = slipway_testkit::GitServer::start(Some(ca.clone()), None).await;
    let mut secure = address(HostProvider::Gitea, "https://127.0.0.1");
    secure.base = slipway_core::host::HostBase::new(&server.url(), false).unwrap();
    let cancel = CancellationToken::new();
    let strange = hosts().probe(&secure, &cancel).await.unwrap_err();
    assert_eq!(strange.code, ErrorCode::SourceTls, "{strange:?}");
    secure.ca_pem = Some(ca.pem().to_owned());
    // TLS is fine now; a plain Git server is no Gitea.
    let known = hosts().probe(&secure, &cancel).await.unwrap_err();
    assert_eq!(known.code, ErrorCode::NotACodeHost, "{known:?}");
}

#[tokio::test]
async fn two_thousand_repositories_come_page_by_page() {
    let server = Scripted::start(|seen, _, own| {
        if seen.path == "/api/v3/user" {
            return json(200, r#"{"id":1,"login":"ada"}"#);
        }
        let page: usize =
            seen.query.iter().find(|(name, _)| name == "page").map_or(1, |(_, page)| page.parse().unwrap());
        let rows: Vec<_> = (0..100)
            .map(|row| {
                serde_json::json!({"id": page * 100 + row, "name": "r", "full_name": format!("ada/r{page}-{row}"),
                    "private": false, "html_url": "h", "clone_url": "c"})
            })
            .collect();
        let link = format!(r#"<{own}/api/v3/user/repos?page={}>; rel="next""#, page + 1);
        let headers = [("link", link.as_str()), ("content-type", "application/json")];
        reply(200, if page < 20 { &headers[..] } else { &headers[1..] }, serde_json::to_string(&rows).unwrap())
    })
    .await;
    let access = account(address(HostProvider::Github, &server.url), pasted("t0ken"));
    let (hosts, cancel) = (hosts(), CancellationToken::new());
    let owner = hosts.owners(&access, &cancel).await;
    // The list of organizations is the same endless list here; it is cut.
    assert_eq!(owner.unwrap_err().code, ErrorCode::NotACodeHost);
    let owner = slipway_core::host::HostOwner {
        id: "1".to_owned(),
        path: "ada".to_owned(),
        name: "Ada".to_owned(),
        kind: slipway_core::host::OwnerKind::Own,
    };
    let mut query = slipway_core::host::RepositoryQuery { owner, search: String::new(), page: None };
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let page = hosts.repositories(&access, &query, &cancel).await.unwrap();
        seen.extend(page.items.into_iter().map(|one| one.path));
        query.page = page.next;
        if query.page.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 2000);
}

#[tokio::test]
async fn a_token_with_a_line_break_is_refused_before_it_is_sent() {
    let server = Scripted::start(|_, _, _| json(200, "{}")).await;
    let address = address(HostProvider::Github, &server.url);
    let failure = hosts().identify(&address, &pasted("a\r\nb"), &[Need::Read], &CancellationToken::new()).await;
    let failure = failure.unwrap_err();
    assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::InvalidField, Some("token")));
    assert_eq!(server.lines(), Vec::<String>::new());
}

#[tokio::test]
async fn t01_a_token_that_a_host_repeats_is_not_repeated_here() {
    let server = Scripted::start(|seen, _, _| {
        let echo = seen.header("authorization").unwrap_or_default().to_owned();
        json(403, &serde_json::json!({ "message": format!("not for {echo}") }).to_string())
    })
    .await;
    for provider in [HostProvider::Github, HostProvider::Gitlab, HostProvider::Gitea] {
        let failure = failure_of(&server, provider).await;
        assert!(failure.message.contains("not for Bearer [redacted]"), "{failure:?}");
        assert!(!format!("{failure:?}").contains("t0ken"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let server = Scripted::start(|_, _, _| {
        reply(200, &[("content-type", "application/json")], format!("[{}1]", "1,".repeat(9 << 20)))
    })
    .await;
    assert_eq!(failure_of(&server, HostProvider::Github).await.code, ErrorCode::NotACodeHost);
}

#[tokio::test]
async fn requests_go_through_the_proxy_of_the_settings_with_its_own_login() {
    let proxy = Scripted::start(|_, _, _| json(200, r#"{"version":"1.24.0"}"#)).await;
    let mut behind = address(HostProvider::Gitea, "http://git.invalid");
    behind.proxy = Some(slipway_core::network::Proxy {
        url: proxy.url.clone(),
        username: Some("out".to_owned()),
        password: Some(slipway_core::Secret::new("s3cret")),
    });
    let facts = hosts().probe(&behind, &CancellationToken::new()).await.unwrap();
    assert_eq!(facts.version.as_deref(), Some("1.24.0"));
    let seen = proxy.seen().remove(0);
    assert_eq!(seen.header("host"), Some("git.invalid"));
    assert_eq!(seen.header("proxy-authorization"), Some("Basic b3V0OnMzY3JldA=="));
    assert_eq!(seen.header("authorization"), None);
}
