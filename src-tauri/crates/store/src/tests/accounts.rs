use super::{at, empty};
use crate::{AccountChecked, AccountFacts, AccountPlace, OauthApplication, Store};
use slipway_core::code::CodeLocation;
use slipway_core::host::{
    Granted, HostBase, HostIdentity, HostProvider, MovedMark, Need, RateState, RepositoryPath, TokenKind,
};
use slipway_core::ids::SourceAccountId;
use slipway_core::{ErrorCode, Failure};

fn base() -> HostBase {
    HostBase::new("https://git.test", false).unwrap()
}

fn identity(login: &str) -> HostIdentity {
    HostIdentity {
        id: format!("id of {login}"),
        login: login.to_owned(),
        name: login.to_uppercase(),
        granted: Granted::Unknown,
        missing: Vec::new(),
        expires_at: None,
    }
}

fn facts(login: &str, sealed: &[u8]) -> AccountFacts {
    AccountFacts {
        provider: HostProvider::Gitea,
        base: base(),
        ca_pem: None,
        identity: identity(login),
        token_kind: TokenKind::Oauth,
        needs: vec![Need::Read],
        sealed: sealed.to_vec(),
        client: Some(("client".to_owned(), Some(b"client secret".to_vec()), Some(17_893))),
    }
}

async fn secrets(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM secrets").fetch_one(store.read()).await.unwrap()
}

async fn add(store: &Store, login: &str) -> SourceAccountId {
    store.authorize_account(&facts(login, b"one"), at(0)).await.unwrap().0
}

#[tokio::test]
async fn authorizing_again_replaces_tokens_and_ends_a_pause() {
    let (_dir, store) = empty().await;
    let id = add(&store, "ada").await;
    assert_eq!(secrets(&store).await, 2);
    let why = Failure::new(ErrorCode::SourceUnauthorized, "refused");
    assert!(store.pause_source_account(id, &why, at(1)).await.unwrap());
    assert!(!store.pause_source_account(id, &why, at(2)).await.unwrap(), "told once");
    assert_eq!(store.source_account(id).await.unwrap().paused, Some(why.clone()));
    let (again, is_new) = store.authorize_account(&facts("ada", b"two"), at(3)).await.unwrap();
    assert_eq!((again, is_new), (id, false));
    let record = store.source_account(id).await.unwrap();
    assert_eq!((record.paused, record.last_failure, record.authorized_at), (None, None, at(3)));
    assert_eq!(store.secret(record.tokens).await.unwrap(), b"two");
    assert_eq!(record.application.unwrap().redirect_port, Some(17_893));
    assert_eq!(secrets(&store).await, 2, "the old tokens are gone");
    store.replace_account_tokens(id, b"three", Some(at(60)), at(4)).await.unwrap();
    let record = store.source_account(id).await.unwrap();
    assert_eq!((store.secret(record.tokens).await.unwrap(), record.expires_at), (b"three".to_vec(), Some(at(60))));
    store.pause_source_account(id, &why, at(5)).await.unwrap();
    assert!(store.record_account_check(id, &AccountChecked::Ok(identity("ada")), at(6)).await.unwrap());
    assert!(!store.record_account_check(id, &AccountChecked::Failed(why), at(7)).await.unwrap());
    let record = store.source_account(id).await.unwrap();
    assert_eq!((record.paused, record.last_ok_at, record.last_check_at), (None, Some(at(6)), Some(at(7))));
}

#[tokio::test]
async fn unbinding_closes_code_and_the_same_person_opens_it_again() {
    let (_dir, store) = empty().await;
    let id = add(&store, "ada").await;
    let location = CodeLocation::LocalClone { path: "/x".into() };
    let place = AccountPlace {
        account: Some(id),
        key: store.source_account(id).await.unwrap().key(),
        path: RepositoryPath("acme/web".to_owned()),
        repository: "7".to_owned(),
    };
    let code = store.insert_code_repository("web", &location, Some(&place), None, at(0)).await.unwrap();
    assert_eq!(store.code_repository(code).await.unwrap().account, Some(place.clone()));
    assert_eq!(store.code_repositories_of(id).await.unwrap().len(), 1);
    assert_eq!(store.delete_source_account(id).await.unwrap().code, [code]);
    assert_eq!(secrets(&store).await, 0);
    let closed = store.code_repository(code).await.unwrap().account.unwrap();
    assert_eq!((closed.account, closed.path), (None, place.path));
    add(&store, "bob").await;
    assert_eq!(store.code_repository(code).await.unwrap().account.unwrap().account, None, "somebody else");
    let again = add(&store, "ada").await;
    assert_ne!(again, id);
    assert_eq!(store.code_repository(code).await.unwrap().account.unwrap().account, Some(again));
}

#[tokio::test]
async fn looks_are_remembered() {
    let (_dir, store) = empty().await;
    let id = add(&store, "ada").await;
    let (mark, rate) = (MovedMark("etag".to_owned()), RateState { limit: Some(5000), ..RateState::default() });
    store.record_account_look(id, Some(&mark), Some(&rate), &[], at(30), at(0)).await.unwrap();
    store.record_account_look(id, None, None, &[], at(60), at(30)).await.unwrap();
    let record = store.source_account(id).await.unwrap();
    assert_eq!((record.mark, record.rate), (Some(mark), Some(rate)), "a failed look forgets nothing");
    assert_eq!((record.looked_at, record.next_look_at), (Some(at(30)), Some(at(60))));
}

#[tokio::test]
async fn an_application_belongs_to_one_host_and_its_old_secret_goes() {
    let (_dir, store) = empty().await;
    let secret = store.insert_secret("application", b"sealed", at(0)).await.unwrap();
    let one = OauthApplication {
        client_id: "one".to_owned(),
        client_secret: Some(secret),
        redirect_port: None,
        install_page: Some("https://git.test/install".to_owned()),
    };
    store.set_oauth_application(HostProvider::Gitea, &base(), Some(&one)).await.unwrap();
    assert_eq!(store.oauth_application(HostProvider::Gitea, &base()).await.unwrap(), Some(one.clone()));
    assert_eq!(store.oauth_application(HostProvider::Gitlab, &base()).await.unwrap(), None);
    let renamed = OauthApplication { client_id: "two".to_owned(), ..one };
    store.set_oauth_application(HostProvider::Gitea, &base(), Some(&renamed)).await.unwrap();
    assert_eq!(secrets(&store).await, 1, "a kept secret stays");
    assert_eq!(store.oauth_applications().await.unwrap(), [(HostProvider::Gitea, base(), renamed)]);
    store.set_oauth_application(HostProvider::Gitea, &base(), None).await.unwrap();
    assert_eq!(secrets(&store).await, 0);
}
