//! F15: a keychain that is locked or lost its key, as a person meets it; and secrets that a kill left behind.

use crate::world::{Ready, World, code_input};
use slipway_app::code_repositories::{CodeLocationInput, CodeRepositoryInput};
use slipway_app::registries::CredentialInput;
use slipway_app::{Settings, Slipway, StoredProxy};
use slipway_core::build::BuildState;
use slipway_core::deploy::{DeployTarget, HealthGate, WebhookHeader};
use slipway_core::health::SecretOwner;
use slipway_core::ids::{CodeRepositoryId, CredentialId, SecretId};
use slipway_core::rule::RuleSecret;
use slipway_core::trigger::{TagCondition, TriggerSpec};
use slipway_core::{ErrorCode, Secret};
use slipway_testkit::eventually;
use std::time::Duration;

/// One secret of each kind that a person enters, each with the same text and its place in it.
pub(crate) struct Entered {
    pub(crate) code: CodeRepositoryId,
    pub(crate) credential: CredentialId,
}

fn private_code(password: &str) -> CodeRepositoryInput {
    CodeRepositoryInput {
        name: "private".to_owned(),
        location: CodeLocationInput::GitUrl {
            url: "https://code.test/private.git".to_owned(),
            username: Some("ann".to_owned()),
            password: Some(Secret::new(password)),
            ca_pem: None,
            allow_plain_http: false,
        },
        ..code_input()
    }
}

fn login(password: &str) -> CredentialInput {
    CredentialInput::Password { username: "robot".to_owned(), password: Some(Secret::new(password)) }
}

/// Enters one secret of each kind; `text` makes each from its name.
pub(crate) async fn enter_all(ready: &Ready, text: impl Fn(&str) -> String) -> Entered {
    let app = &ready.app;
    let registry = app.image_repository(ready.repository).await.unwrap().spec.registry;
    let code = app.add_code_repository(&private_code(&text("code"))).await.unwrap();
    let credential = app.add_credential(registry, "ci", &login(&text("credential"))).await.unwrap();
    let mut proxies = Vec::new();
    for name in ["code-proxy", "registry-proxy"] {
        let password = Some(app.keep_proxy_password(&Secret::new(text(name))).await.unwrap());
        let url = "http://proxy.test:3128".to_owned();
        proxies.push(StoredProxy { url, username: Some("me".to_owned()), password });
    }
    let [code_proxy, registry_proxy] = proxies.try_into().unwrap();
    let settings =
        Settings { code_proxy: Some(code_proxy), registry_proxy: Some(registry_proxy), ..Settings::default() };
    app.set_settings(&settings).await.unwrap();
    let secret = app.keep_build_secret("token", &Secret::new(text("rule"))).await.unwrap();
    let mut spec = app.rule(ready.rule).await.unwrap().spec;
    spec.options.secrets = vec![RuleSecret { id: "token".to_owned(), secret }];
    app.edit_rule(ready.rule, &spec).await.unwrap();
    let value = app.keep_target_secret("header", &Secret::new(text("header"))).await.unwrap();
    let signing = app.keep_target_secret("key", &Secret::new(text("signing"))).await.unwrap();
    let target = DeployTarget::Webhook {
        url: "https://hooks.test/slipway".to_owned(),
        headers: vec![WebhookHeader { name: "Authorization".to_owned(), value }],
        signing_secret: Some(signing),
        allow_private: false,
    };
    let trigger = TriggerSpec {
        name: "tell".to_owned(),
        condition: TagCondition::Tags { list: "never".to_owned() },
        target,
        gate: HealthGate::default(),
        enabled: true,
    };
    app.add_trigger(ready.repository, &trigger).await.unwrap();
    Entered { code, credential }
}

async fn closed(app: &Slipway, count: usize) -> Vec<SecretOwner> {
    let mut owners = Vec::new();
    eventually("what is closed is known", Duration::from_secs(20), async || {
        owners = app.health().closed.map(|closed| closed.owners).unwrap_or_default();
        if owners.len() == count { Ok(()) } else { Err(owners.clone()) }
    })
    .await;
    owners
}

#[tokio::test]
async fn f15_after_the_key_was_lost_it_is_listed_what_to_enter_again_and_the_rest_goes_on() {
    let world = World::new();
    let ready = world.ready().await;
    let entered = enter_all(&ready, |name| format!("{name}-password")).await;
    closed(&ready.app, 0).await;
    ready.app.shutdown().await;
    let (repository, rule) = (ready.repository, ready.rule);
    drop(ready);
    world.vault.lose_key();
    let app = world.open().await;
    let owners = closed(&app, 6).await;
    assert_eq!(app.health().closed.unwrap().failure.code, ErrorCode::KeychainKeyLost);
    assert!(owners.contains(&SecretOwner::CodeRepository { id: entered.code, name: "private".to_owned() }));
    assert!(owners.contains(&SecretOwner::Rule { id: rule, repository, name: "pushes".to_owned() }));
    assert!(owners.contains(&SecretOwner::CodeProxy) && owners.contains(&SecretOwner::RegistryProxy));
    // What needs no secret goes on: the proxies are taken away, the rule's secret too.
    app.set_settings(&Settings::default()).await.unwrap();
    let mut spec = app.rule(rule).await.unwrap().spec;
    spec.options.secrets.clear();
    app.edit_rule(rule, &spec).await.unwrap();
    let code = spec.code;
    world.remote().push("main", "second", &[("index.html", "two")]);
    app.check_code_repository(code).await.unwrap();
    let build = app.queue().await.unwrap().pop().map(|one| one.build.id);
    if let Some(build) = build {
        crate::world::reaches(&app, build, BuildState::Succeeded).await;
    }
    assert_eq!(world.registries.moves(crate::world::HOST, crate::world::NAME, "main").len(), 1);
    // Nothing is sealed before a person gives the key up; then what is entered again opens.
    closed(&app, 3).await;
    let refused = app.edit_credential(entered.credential, "ci", &login("again")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::KeychainKeyLost);
    app.use_new_key().await.unwrap();
    app.edit_credential(entered.credential, "ci", &login("again")).await.unwrap();
    app.edit_code_repository(entered.code, &private_code("again")).await.unwrap();
    let left = closed(&app, 1).await;
    assert!(matches!(&left[..], [SecretOwner::Trigger { name, .. }] if name == "tell"), "{left:?}");
    assert_eq!(app.use_new_key().await.map_err(|failure| failure.code), Ok(()), "what is left is lost still");
    app.shutdown().await;
}

#[tokio::test]
async fn f15_a_locked_keychain_closes_everything_until_it_opens() {
    let world = World::new();
    let ready = world.ready().await;
    enter_all(&ready, |name| format!("{name}-password")).await;
    ready.app.shutdown().await;
    drop(ready);
    world.vault.set_locked(true);
    let app = world.open().await;
    closed(&app, 6).await;
    assert_eq!(app.health().closed.unwrap().failure.code, ErrorCode::KeychainLocked);
    assert_eq!(app.use_new_key().await.unwrap_err().code, ErrorCode::WrongState, "a locked key is not lost");
    world.vault.set_locked(false);
    app.check_health().await.unwrap();
    assert_eq!(app.health().closed, None);
    app.shutdown().await;
}

#[tokio::test]
async fn f01_a_secret_that_a_kill_left_unnamed_is_removed_at_start_and_every_other_stays() {
    let world = World::new();
    let ready = world.ready().await;
    enter_all(&ready, |name| format!("{name}-password")).await;
    let named = secrets(&ready.app).await;
    assert_eq!(named.len(), 7);
    // Killed between sealing the secret and saving the rule.
    let unnamed = ready.app.keep_build_secret("typed", &Secret::new("never-saved")).await.unwrap();
    ready.app.shutdown().await;
    drop(ready);
    let app = world.open().await;
    assert_eq!(app.store().secret(unnamed).await.unwrap_err().code(), ErrorCode::NotFound);
    assert_eq!(secrets(&app).await, named);
    app.shutdown().await;
}

/// Returns which of the first ids are stored.
async fn secrets(app: &Slipway) -> Vec<SecretId> {
    let mut found = Vec::new();
    for id in (1..50).map(SecretId) {
        if app.store().secret(id).await.is_ok() {
            found.push(id);
        }
    }
    found
}
