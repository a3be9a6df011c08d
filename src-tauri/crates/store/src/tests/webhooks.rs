use super::{at, empty};
use crate::{AccountFacts, AccountPlace, NewWebhook, Store, StoreError, WebhookChecked, WebhookRecord};
use slipway_core::code::CodeLocation;
use slipway_core::host::{Granted, HostBase, HostIdentity, HostProvider, Need, RepositoryPath, TokenKind};
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use slipway_core::webhook::WebhookRefusal;
use slipway_core::{ErrorCode, Failure};

fn base() -> HostBase {
    HostBase::new("https://git.test", false).unwrap()
}

async fn account(store: &Store) -> SourceAccountId {
    let facts = AccountFacts {
        provider: HostProvider::Gitea,
        base: base(),
        ca_pem: None,
        identity: HostIdentity {
            id: "1".to_owned(),
            login: "ada".to_owned(),
            name: "Ada".to_owned(),
            granted: Granted::Unknown,
            missing: Vec::new(),
            expires_at: None,
        },
        token_kind: TokenKind::Personal,
        needs: vec![Need::Read],
        sealed: b"token".to_vec(),
        client: None,
    };
    store.authorize_account(&facts, at(0)).await.unwrap().0
}

async fn code(store: &Store, account: SourceAccountId) -> CodeRepositoryId {
    let place = AccountPlace {
        account: Some(account),
        key: store.source_account(account).await.unwrap().key(),
        path: RepositoryPath("acme/web".to_owned()),
        repository: "7".to_owned(),
    };
    let location = CodeLocation::LocalClone { path: "/x".into() };
    store.insert_code_repository("web", &location, Some(&place), None, at(0)).await.unwrap()
}

fn new(code: CodeRepositoryId, account: SourceAccountId, path: &str) -> NewWebhook {
    NewWebhook {
        code,
        account,
        provider: HostProvider::Gitea,
        base: base(),
        repository: RepositoryPath("acme/web".to_owned()),
        path: path.to_owned(),
        sealed: b"key".to_vec(),
    }
}

async fn only(store: &Store) -> WebhookRecord {
    let mut all = store.webhooks().await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn secrets(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM secrets").fetch_one(store.read()).await.unwrap()
}

#[tokio::test]
async fn a_webhook_is_wanted_made_lost_and_forgotten_with_its_secret() {
    let (_dir, store) = empty().await;
    let account = account(&store).await;
    let code = code(&store, account).await;
    let id = store.want_webhook(&new(code, account, "a"), at(1)).await.unwrap();
    assert_eq!(store.want_webhook(&new(code, account, "b"), at(2)).await.unwrap(), id, "one per code");
    assert_eq!(secrets(&store).await, 2, "the account's and its own");
    let record = only(&store).await;
    assert_eq!((record.path.as_str(), record.url, record.hook, record.checked_at), ("a", None, None, None));

    store.begin_webhook(id, "http://x/hooks/a").await.unwrap();
    assert_eq!(only(&store).await.url.as_deref(), Some("http://x/hooks/a"));
    let there = WebhookChecked::There { hook: "9".to_owned(), active: false };
    store.record_webhook_check(id, &there, true, at(3)).await.unwrap();
    let record = only(&store).await;
    assert_eq!((record.hook.as_deref(), record.active, record.checked_at), (Some("9"), false, Some(at(3))));
    let failure = Failure::new(ErrorCode::SourceUnreachable, "away");
    store.record_webhook_check(id, &WebhookChecked::Failed(failure.clone()), true, at(4)).await.unwrap();
    let record = only(&store).await;
    assert_eq!((record.hook.as_deref(), record.last_failure), (Some("9"), Some(failure)), "it is still there");
    store.record_webhook_check(id, &WebhookChecked::Vanished, true, at(5)).await.unwrap();
    let record = only(&store).await;
    assert_eq!((record.hook, record.vanished, record.last_failure), (None, true, None));

    store.unwant_webhook(id).await.unwrap();
    // The host answered to what was wanted before: what it made is kept in mind, and it is asked again at once.
    store.record_webhook_check(id, &there, true, at(6)).await.unwrap();
    let record = only(&store).await;
    assert_eq!((record.hook.as_deref(), record.wanted, record.checked_at), (Some("9"), false, None));
    let second = store.want_webhook(&new(code, account, "b"), at(6)).await.unwrap();
    assert_ne!(second, id, "the old one may still be on its way out");
    store.forget_webhook(id).await.unwrap();
    store.forget_webhook(id).await.unwrap();
    assert_eq!((only(&store).await.id, secrets(&store).await), (second, 2));
    assert!(matches!(store.unwant_webhook(id).await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn t18_a_delivery_is_taken_once_and_refusals_are_counted() {
    let (_dir, store) = empty().await;
    let account = account(&store).await;
    let code = code(&store, account).await;
    let id = store.want_webhook(&new(code, account, "a"), at(0)).await.unwrap();
    let looked = crate::LookResult::Ok { default_branch: None };
    store.record_look(code, &looked, Some(at(3600)), at(0)).await.unwrap();
    assert!(store.take_delivery(id, "ping", false, at(1)).await.unwrap());
    assert_eq!(store.code_repository(code).await.unwrap().next_check_at, Some(at(3600)));
    assert!(store.take_delivery(id, "push", true, at(2)).await.unwrap());
    assert_eq!(store.code_repository(code).await.unwrap().next_check_at, None, "looked at also after a crash");
    assert!(!store.take_delivery(id, "push", true, at(3)).await.unwrap());
    let week = 7 * 86_400;
    assert!(!store.take_delivery(id, "push", true, at(week)).await.unwrap());
    assert!(store.take_delivery(id, "push", true, at(week + 3)).await.unwrap(), "kept for a week");
    store.refuse_delivery(id, WebhookRefusal::WrongSignature, at(4)).await.unwrap();
    store.refuse_delivery(id, WebhookRefusal::Replayed, at(5)).await.unwrap();
    let record = only(&store).await;
    assert_eq!((record.delivered, record.last_delivery_at), (3, Some(at(week + 3))));
    let refused = (record.refused, record.last_refusal, record.last_refused_at);
    assert_eq!(refused, (2, Some(WebhookRefusal::Replayed), Some(at(5))));
    store.forget_webhook(id).await.unwrap();
    assert!(matches!(store.take_delivery(id, "push", true, at(6)).await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn a_webhook_outlives_its_code_and_its_account() {
    let (_dir, store) = empty().await;
    let account = account(&store).await;
    let code = code(&store, account).await;
    let id = store.want_webhook(&new(code, account, "a"), at(0)).await.unwrap();
    store.set_account_needs(account, &[Need::Read, Need::Hooks]).await.unwrap();
    assert_eq!(store.source_account(account).await.unwrap().needs, [Need::Read, Need::Hooks]);
    store.delete_code_repository(code).await.unwrap();
    assert_eq!((only(&store).await.code, only(&store).await.account), (None, Some(account)));
    store.delete_source_account(account).await.unwrap();
    let left = only(&store).await;
    assert_eq!((left.id, left.account, left.repository.0.as_str()), (id, None, "acme/web"));
}
