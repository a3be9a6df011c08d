//! OAuth of GitLab and Gitea against an authorization server that knows the standards: PKCE enforced, codes that count once,
//! rotated and revoked tokens. The person signs in on its own pages.

use crate::browser::{Browser, Page};
use crate::keeper::{MemoryKeeper, with_keeper};
use crate::server::{address, hosts};
use chrono::Utc;
use slipway_core::host::{
    CodeHosts, HostAddress, HostAuthorization, HostProvider, HostTokens, Need, OauthClient, PageLanguage, Revocation,
};
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_hosts::Hosts;
use slipway_testkit::NodeProgram;
use tokio_util::sync::CancellationToken;

fn client() -> OauthClient {
    OauthClient { client_id: "public-app".to_owned(), client_secret: None, redirect_port: None }
}

/// Signs in and agrees, as a person does; returns what came of it and the last page.
async fn sign_in(hosts: &Hosts, address: &HostAddress) -> (Result<HostTokens, Failure>, Page) {
    let pending = hosts.begin_code(address, &client(), &[Need::Read], PageLanguage::English).await.unwrap();
    let mut browser = Browser::new();
    let page = pending.page().to_owned();
    let finishing = tokio::spawn(async move { pending.finish(&CancellationToken::new()).await });
    let login = browser.open(&page).await;
    let consent = browser.submit(&login, &[("login", "ada"), ("password", "any")]).await;
    let end = browser.submit(&consent, &[]).await;
    (finishing.await.unwrap(), end)
}

#[tokio::test]
async fn t04_gitlab_and_gitea_are_entered_without_a_secret() {
    for (product, provider) in [("gitlab", HostProvider::Gitlab), ("gitea", HostProvider::Gitea)] {
        let authority = NodeProgram::start(&["authority.mjs", product]).await;
        let (hosts, address) = (hosts(), address(provider, &authority.url));
        let (result, page) = sign_in(&hosts, &address).await;
        let tokens = result.unwrap();
        assert!(page.text.contains("Slipway is connected"), "{product}: {}", page.text);
        assert!(tokens.refresh.is_some() && tokens.expires_at.unwrap() > Utc::now(), "{product}");

        let keeper = MemoryKeeper::new(tokens.clone());
        let access = with_keeper(address.clone(), Some(client()), &keeper);
        let cancel = CancellationToken::new();
        assert_eq!(hosts.identity(&access, &[], &cancel).await.unwrap().login, "ada", "{product}");

        // Rotated: the new pair works, the old refresh token is refused, and using it has burnt the new pair too.
        hosts.refresh(&access, &cancel).await.unwrap();
        let rotated = keeper.stored();
        assert_ne!(rotated.refresh.as_ref().unwrap().expose(), tokens.refresh.as_ref().unwrap().expose());
        assert_eq!(hosts.identity(&access, &[], &cancel).await.unwrap().login, "ada", "{product}");
        let stale = with_keeper(address.clone(), Some(client()), &MemoryKeeper::new(tokens));
        let refused = hosts.refresh(&stale, &cancel).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.details["reason"].as_str()),
            (ErrorCode::SourceUnauthorized, "refresh_refused")
        );
    }
}

#[tokio::test]
async fn t04_a_server_that_enforces_pkce_refuses_without_and_a_code_counts_once() {
    let authority = NodeProgram::start(&["authority.mjs", "gitlab"]).await;
    let address = address(HostProvider::Gitlab, &authority.url);
    let hosts = hosts();
    // The same page without the challenge: the server sends the browser back with an error, which ends cleanly.
    let pending = hosts.begin_code(&address, &client(), &[Need::Read], PageLanguage::English).await.unwrap();
    let mut bare = reqwest::Url::parse(pending.page()).unwrap();
    let kept: Vec<(String, String)> =
        bare.query_pairs().into_owned().filter(|(name, _)| !name.starts_with("code_challenge")).collect();
    bare.query_pairs_mut().clear().extend_pairs(kept);
    let finishing = tokio::spawn(async move { pending.finish(&CancellationToken::new()).await });
    let page = Browser::new().open(bare.as_str()).await;
    assert!(page.text.contains("did not succeed"), "{}", page.text);
    let failure = finishing.await.unwrap().unwrap_err();
    assert_eq!((failure.code, failure.details["error"].as_str()), (ErrorCode::AuthorizationFailed, "invalid_request"));

    // A code that was used: the second exchange is refused, by the server itself.
    let (result, page) = sign_in(&hosts, &address).await;
    result.unwrap();
    let code = page.url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "public-app"),
        ("code", &code),
        ("code_verifier", &"v".repeat(43)),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = reqwest::Client::new().post(format!("{}/oauth/token", authority.url));
    let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("invalid_grant"));
}

#[tokio::test]
async fn f14_a_revoked_token_asks_for_the_person() {
    let authority = NodeProgram::start(&["authority.mjs", "gitlab"]).await;
    let (hosts, address, cancel) = (hosts(), address(HostProvider::Gitlab, &authority.url), CancellationToken::new());
    let (result, _) = sign_in(&hosts, &address).await;
    let keeper = MemoryKeeper::new(result.unwrap());
    let access = with_keeper(address, Some(client()), &keeper);
    assert_eq!(hosts.revoke(&access, &cancel).await.unwrap(), Revocation::Revoked);
    let failure = hosts.identity(&access, &[], &cancel).await.unwrap_err();
    assert_eq!((failure.code, failure.details["reason"].as_str()), (ErrorCode::SourceUnauthorized, "refresh_refused"));
    // Connected anew, it goes on.
    let (again, _) = sign_in(&hosts, &access.address).await;
    slipway_core::host::TokenKeeper::save(&*keeper, &again.unwrap()).await.unwrap();
    assert_eq!(hosts.identity(&access, &[], &cancel).await.unwrap().login, "ada");
}

#[tokio::test]
async fn an_application_that_the_host_does_not_know_is_said_so() {
    let authority = NodeProgram::start(&["authority.mjs", "gitlab"]).await;
    let address = address(HostProvider::Gitlab, &authority.url);
    let tokens = HostTokens {
        refresh: Some(Secret::new("any")),
        ..HostTokens::pasted(slipway_core::host::TokenKind::Oauth, Secret::new("any"), None)
    };
    let stranger = OauthClient { client_id: "stranger".to_owned(), ..client() };
    let access = with_keeper(address, Some(stranger), &MemoryKeeper::new(tokens));
    let failure = hosts().refresh(&access, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::OauthClientRefused, "{failure:?}");
}
