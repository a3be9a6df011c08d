//! The loopback listener and the device flow, against a host whose token endpoint is written down here (t04, t17).

use crate::browser::Browser;
use crate::server::{Scripted, Seen, address, hosts, json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use slipway_core::host::{
    CodeFlow, HostAddress, HostAuthorization, HostProvider, HostTokens, Need, OauthClient, PageLanguage,
    PendingAuthorization,
};
use slipway_core::{ErrorCode, Failure, Secret};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const TOKEN: &str =
    r#"{"access_token":"new","token_type":"Bearer","expires_in":7200,"refresh_token":"next","scope":"read_api"}"#;

fn public() -> OauthClient {
    OauthClient { client_id: "app".to_owned(), client_secret: None, redirect_port: None }
}

fn confidential() -> OauthClient {
    OauthClient { client_secret: Some(Secret::new("s3cret")), ..public() }
}

async fn begin(address: &HostAddress, client: &OauthClient) -> Box<dyn PendingAuthorization> {
    hosts().begin_code(address, client, &[Need::Read], PageLanguage::English).await.unwrap()
}

/// What the page to open asks for.
struct Asked(Url);

impl Asked {
    fn of(pending: &dyn PendingAuthorization) -> Self {
        Self(Url::parse(pending.page()).unwrap())
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.query_pairs().find(|(given, _)| given == name).map(|(_, value)| value.into_owned())
    }

    /// The address that a host would send the browser back to.
    fn back(&self, parameters: &str) -> String {
        format!("{}?{parameters}", self.get("redirect_uri").unwrap())
    }

    fn right(&self, parameters: &str) -> String {
        self.back(&format!("{parameters}&state={}", self.get("state").unwrap()))
    }
}

fn finish(
    pending: Box<dyn PendingAuthorization>,
    cancel: &CancellationToken,
) -> JoinHandle<Result<HostTokens, Failure>> {
    let cancel = cancel.clone();
    tokio::spawn(async move { pending.finish(&cancel).await })
}

async fn gitlab() -> (Scripted, HostAddress) {
    let server = Scripted::start(|_, _, _| json(200, TOKEN)).await;
    let address = address(HostProvider::Gitlab, &server.url);
    (server, address)
}

#[tokio::test]
async fn t04_a_strangers_answer_changes_nothing_and_the_right_one_counts_once() {
    let (server, address) = gitlab().await;
    let pending = begin(&address, &public()).await;
    let asked = Asked::of(&*pending);
    assert_eq!(asked.get("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(asked.get("scope").as_deref(), Some("read_api read_repository"));
    let redirect = asked.get("redirect_uri").unwrap();
    assert!(redirect.starts_with("http://127.0.0.1:") && redirect.ends_with("/callback/gitlab"), "{redirect}");
    let finishing = finish(pending, &CancellationToken::new());

    let mut browser = Browser::new();
    for stranger in ["code=evil", "code=evil&state=", "code=evil&state=guess", "error=access_denied&state=guess"] {
        let page = browser.open(&asked.back(stranger)).await;
        assert_eq!((page.status, page.text.contains("belongs to no authorization")), (400, true), "{stranger}");
    }
    let other = redirect.replace("/callback/gitlab", "/callback/github");
    assert_eq!(browser.open(&format!("{other}?code=evil&state={}", asked.get("state").unwrap())).await.status, 404);
    assert_eq!(server.seen().len(), 0, "no code of a stranger is exchanged");

    let page = browser.open(&asked.right("code=good")).await;
    assert_eq!((page.status, page.text.contains("Slipway is connected")), (200, true), "{page:?}");
    let tokens = finishing.await.unwrap().unwrap();
    assert_eq!((tokens.access.expose(), tokens.refresh.unwrap().expose()), ("new", "next"));
    let late = browser.open(&asked.right("code=again")).await;
    assert_eq!((late.status, late.text.contains("is over")), (410, true));

    let exchanges: Vec<Seen> = server.seen();
    assert_eq!(exchanges.len(), 1);
    assert_eq!(exchanges[0].field("code").as_deref(), Some("good"));
    assert_eq!(exchanges[0].field("redirect_uri"), Some(redirect));
    let verifier = exchanges[0].field("code_verifier").unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    assert_eq!(asked.get("code_challenge"), Some(challenge));
    assert_eq!(exchanges[0].field("client_secret"), None);
}

#[tokio::test]
async fn t17_a_page_of_somebody_else_cannot_reach_the_listener() {
    let (_server, address) = gitlab().await;
    let pending = begin(&address, &public()).await;
    let asked = Asked::of(&*pending);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let right = asked.right("code=good");
    let rebound = client.get(&right).header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status(), 421);
    assert_eq!(client.post(&right).send().await.unwrap().status(), 405);
    assert_eq!(client.get(right.replace("127.0.0.1", "localhost")).send().await.unwrap().status(), 421);
    drop(pending);
}

#[tokio::test]
async fn every_way_to_say_no_ends_cleanly() {
    for (parameters, code, words) in [
        ("error=access_denied&error_description=no", ErrorCode::AuthorizationDenied, "Nothing was authorized"),
        ("error=redirect_uri_mismatch", ErrorCode::OauthClientRefused, "did not succeed"),
        ("error=server_error&error_description=%3Cb%3E%1b%5B31m", ErrorCode::AuthorizationFailed, "did not succeed"),
        ("nothing=here", ErrorCode::AuthorizationFailed, "did not succeed"),
        ("code=good&iss=https%3A%2F%2Fevil.example", ErrorCode::AuthorizationFailed, "did not succeed"),
    ] {
        let (server, address) = gitlab().await;
        let pending = begin(&address, &public()).await;
        let asked = Asked::of(&*pending);
        let finishing = finish(pending, &CancellationToken::new());
        let page = Browser::new().open(&asked.right(parameters)).await;
        assert!(page.text.contains(words), "{parameters}: {}", page.text);
        let failure = finishing.await.unwrap().unwrap_err();
        assert_eq!(failure.code, code, "{parameters}");
        assert!(!failure.message.contains('\u{1b}'), "{parameters}");
        assert_eq!(server.seen().len(), 0, "{parameters}");
    }
}

#[tokio::test]
async fn a_refused_code_is_told_in_the_browser_and_in_the_console() {
    for (status, body, code) in [
        (400, r#"{"error":"invalid_grant","error_description":"used already"}"#, ErrorCode::AuthorizationFailed),
        (200, r#"{"error":"incorrect_client_credentials"}"#, ErrorCode::OauthClientRefused),
        (200, "<html>", ErrorCode::NotACodeHost),
        (500, "{}", ErrorCode::SourceServerError),
    ] {
        let server = Scripted::start(move |_, _, _| json(status, body)).await;
        let pending = begin(&address(HostProvider::Gitlab, &server.url), &public()).await;
        let asked = Asked::of(&*pending);
        let finishing = finish(pending, &CancellationToken::new());
        let page = Browser::new().open(&asked.right("code=c0de")).await;
        assert!(page.text.contains("did not succeed"), "{body}");
        let failure = finishing.await.unwrap().unwrap_err();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(!format!("{failure:?}").contains("c0de"), "a code is never repeated");
    }
}

#[tokio::test]
async fn cancelling_ends_the_wait_and_a_registered_port_is_free_again() {
    let (_server, any) = gitlab().await;
    let pending = begin(&any, &public()).await;
    let asked = Asked::of(&*pending);
    let cancel = CancellationToken::new();
    let finishing = finish(pending, &cancel);
    cancel.cancel();
    assert_eq!(finishing.await.unwrap().unwrap_err().code, ErrorCode::Cancelled);
    let page = Browser::new().open(&asked.right("code=late")).await;
    assert_eq!((page.status, page.text.contains("is over")), (410, true));

    // Gitee compares the whole address, so its port stays the same, try after try.
    let port = slipway_testkit::free_port();
    let gitee = address(HostProvider::Gitee, "http://127.0.0.1:1");
    let client = OauthClient { redirect_port: Some(port), ..confidential() };
    let first = begin(&gitee, &client).await;
    let redirect = Asked::of(&*first).get("redirect_uri");
    assert_eq!(redirect, Some(format!("http://127.0.0.1:{port}/callback/gitee")));
    assert_eq!(Asked::of(&*first).get("code_challenge"), None, "Gitee does not know PKCE");
    let busy = hosts().begin_code(&gitee, &client, &[Need::Read], PageLanguage::English).await.err().unwrap();
    assert_eq!((busy.code, busy.details["error"].as_str()), (ErrorCode::AuthorizationFailed, "port_in_use"));
    drop(first);
    slipway_testkit::eventually("the port is free", Duration::from_secs(10), async || {
        let again = hosts().begin_code(&gitee, &client, &[Need::Read], PageLanguage::Chinese).await;
        again.map(drop).map_err(|failure| failure.message)
    })
    .await;
}

#[tokio::test]
async fn hosts_without_public_clients_ask_for_the_secret_first() {
    for provider in HostProvider::ALL {
        let address = address(*provider, "http://127.0.0.1:1");
        let guide = hosts().guide(&address, &[Need::Read]);
        let free = slipway_testkit::free_port();
        let client = OauthClient { redirect_port: Some(free), ..public() };
        let begun = hosts().begin_code(&address, &client, &[Need::Read], PageLanguage::English).await;
        if guide.code_flow == CodeFlow::WithoutSecret {
            assert!(begun.is_ok(), "{provider:?}");
        } else {
            let failure = begun.err().unwrap();
            assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::SourceUnsupported, Some("client_secret")));
        }
        assert!(!guide.token_scopes.is_empty() && guide.token_page.starts_with("http"), "{provider:?}");
        let path = format!("/callback/{}", provider.as_str());
        assert!(guide.redirect_uri.starts_with("http://127.0.0.1") && guide.redirect_uri.ends_with(&path));
    }
}

/// A device flow whose answers come in order; returns the result and the waits between the questions.
async fn device(answers: &'static [&'static str]) -> (Result<HostTokens, Failure>, Vec<u64>, Vec<Seen>) {
    let server = Scripted::start(|seen, before, own| {
        let asked = before.iter().filter(|one| one.path == "/login/oauth/access_token").count();
        match seen.path.as_str() {
            "/login/device/code" => json(
                200,
                &format!(
                    r#"{{"device_code":"d3vice","user_code":"ABCD-1234","verification_uri":"{own}/login/device","expires_in":900,"interval":5}}"#
                ),
            ),
            _ => {
                let answer = answers[asked.min(answers.len() - 1)];
                json(if answer == "oops" { 502 } else { 200 }, answer)
            }
        }
    })
    .await;
    let waits: Arc<Mutex<Vec<u64>>> = Arc::default();
    let recorded = Arc::clone(&waits);
    let hosts = hosts().with_sleep(move |time| {
        recorded.lock().unwrap().push(time.as_secs());
        tokio::task::yield_now()
    });
    let address = address(HostProvider::Github, &server.url);
    let cancel = CancellationToken::new();
    let pending = hosts.begin_device(&address, &public(), &[Need::Read], &cancel).await.unwrap();
    assert_eq!(pending.code().user_code, "ABCD-1234");
    assert_eq!(pending.code().verification_uri, format!("{}/login/device", server.url));
    let result = pending.finish(&cancel).await;
    let waited = waits.lock().unwrap().clone();
    (result, waited, server.seen())
}

#[tokio::test]
async fn a_device_asks_in_the_hosts_rhythm() {
    let (pending, slow) = (r#"{"error":"authorization_pending"}"#, r#"{"error":"slow_down","interval":10}"#);
    static ANSWERS: &[&str] = &[
        r#"{"error":"authorization_pending"}"#,
        r#"{"error":"slow_down","interval":10}"#,
        r#"{"error":"authorization_pending"}"#,
        r#"{"access_token":"gho_x","token_type":"bearer","scope":"repo,read:org"}"#,
    ];
    assert_eq!((ANSWERS[0], ANSWERS[1]), (pending, slow));
    let (result, waits, seen) = device(ANSWERS).await;
    let tokens = result.unwrap();
    assert_eq!((tokens.access.expose(), tokens.scopes.len()), ("gho_x", 2));
    assert_eq!(waits, [5, 10, 10], "slow_down adds five seconds");
    assert_eq!(seen[0].field("scope").as_deref(), Some("repo read:org"));
    assert_eq!(seen[1].field("device_code").as_deref(), Some("d3vice"));
    assert!(seen.iter().all(|one| one.field("client_secret").is_none()));
}

#[tokio::test]
async fn a_device_flow_ends_in_every_way() {
    for (answers, code) in [
        (&[r#"{"error":"access_denied"}"#][..], ErrorCode::AuthorizationDenied),
        (&[r#"{"error":"expired_token"}"#][..], ErrorCode::AuthorizationExpired),
        (&[r#"{"error":"token_expired"}"#][..], ErrorCode::AuthorizationExpired),
        (&[r#"{"error":"incorrect_client_credentials"}"#][..], ErrorCode::OauthClientRefused),
        (&[r#"{"error":"device_flow_disabled"}"#][..], ErrorCode::OauthClientRefused),
        (&[r#"{"error":"incorrect_device_code"}"#][..], ErrorCode::AuthorizationFailed),
    ] {
        let (result, _, _) = device(answers).await;
        assert_eq!(result.unwrap_err().code, code, "{answers:?}");
    }
    // A host that fails for a moment is asked again.
    let (result, waits, _) = device(&["oops", r#"{"access_token":"gho_x","token_type":"bearer"}"#]).await;
    assert_eq!((result.unwrap().access.expose(), waits.len()), ("gho_x", 1));

    let gitea = address(HostProvider::Gitea, "http://127.0.0.1:1");
    let begun = hosts().begin_device(&gitea, &public(), &[Need::Read], &CancellationToken::new()).await;
    assert_eq!(begun.err().unwrap().code, ErrorCode::SourceUnsupported);
}
