//! T10 and P8: no secret byte in the data folder.

use crate::world::{HOST, World, code_input};
use slipway_app::code_repositories::CodeLocationInput;
use slipway_app::registries::CredentialInput;
use slipway_core::Secret;
use slipway_core::code::CodeLocation;
use slipway_core::image::{CredentialSource, RegistryHost};
use slipway_core::rule::RuleSecret;
use slipway_store::RegistrySpec;
use slipway_testkit::fakes::FakeBuild;

const CANARY: &str = "slipwayCanary7Qx-Zq81xPw-7f3";

/// Returns the files below a folder that hold the text.
pub(crate) fn holders(folder: &std::path::Path, text: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holders(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path);
        }
    }
    found
}

#[tokio::test]
async fn p8_a_planted_secret_is_masked_in_the_log_and_sealed_at_rest() {
    let world = World::new();
    let ready = world.ready().await;
    let secret = ready.app.keep_build_secret("token", &Secret::new(CANARY)).await.unwrap();
    let mut spec = ready.app.rule(ready.rule).await.unwrap().spec;
    spec.options.secrets.push(RuleSecret { id: "token".to_owned(), secret });
    ready.app.edit_rule(ready.rule, &spec).await.unwrap();
    let lines = vec![format!("curl -H 'Authorization: {CANARY}' https://x.test"), "visible-marker".to_owned()];
    let failure = slipway_core::Failure::new(slipway_core::ErrorCode::StepFailed, format!("exit 1: {CANARY}"));
    world.engine.next_build(FakeBuild { lines, failure: Some(failure), ..FakeBuild::default() });
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    assert!(!build.failure.unwrap().message.contains(CANARY));
    let lines = ready.app.logs().page(build.id, 0, 100, None).unwrap();
    assert!(lines.iter().any(|line| line.text.contains("Authorization: ***")), "{lines:?}");
    ready.app.shutdown().await;
    assert!(!holders(world.root.path(), "visible-marker").is_empty(), "the scan finds what is there");
    assert_eq!(holders(world.root.path(), CANARY), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_replaced_password_is_removed_and_an_unchanged_one_kept() {
    let world = World::new();
    let app = world.open().await;
    let spec = RegistrySpec {
        name: "Test".to_owned(),
        host: RegistryHost::new(HOST).unwrap(),
        plain_http: false,
        ca_pem: None,
    };
    let registry = app.add_registry(&spec).await.unwrap();
    let input = |password: Option<&str>| CredentialInput::Password {
        username: "me".to_owned(),
        password: password.map(Secret::new),
    };
    let credential = app.add_credential(registry, "push", &input(Some("first-pass"))).await.unwrap();
    let secret = async || match app.store().credential(credential).await.unwrap().source {
        CredentialSource::Password { secret, .. } => secret,
        other => panic!("{other:?}"),
    };
    let first = secret().await;
    app.edit_credential(credential, "renamed", &input(None)).await.unwrap();
    assert_eq!(secret().await, first);
    app.edit_credential(credential, "renamed", &input(Some("second-pass"))).await.unwrap();
    assert_ne!(secret().await, first);
    assert!(app.store().secret(first).await.is_err(), "the replaced secret is gone");
    let elsewhere = RegistrySpec { host: RegistryHost::new("evil.test").unwrap(), ..spec };
    assert_eq!(app.edit_registry(registry, &elsewhere).await.unwrap_err().field.as_deref(), Some("host"));
}

#[tokio::test]
async fn a_password_never_moves_to_another_host() {
    let world = World::new();
    let app = world.open().await;
    let input = |url: &str, password: Option<&str>| slipway_app::code_repositories::CodeRepositoryInput {
        location: CodeLocationInput::GitUrl {
            url: url.to_owned(),
            username: Some("me".to_owned()),
            password: password.map(Secret::new),
            ca_pem: None,
            allow_plain_http: false,
        },
        ..code_input()
    };
    let id = app.add_code_repository(&input("https://code.test/a.git", Some("pass-word"))).await.unwrap();
    let has_password = async || match app.code_repository(id).await.unwrap().location {
        CodeLocation::GitUrl { password, .. } => password.is_some(),
        CodeLocation::LocalClone { .. } | CodeLocation::Ssh { .. } => false,
    };
    app.edit_code_repository(id, &input("https://code.test/b.git", None)).await.unwrap();
    assert!(has_password().await, "the same host keeps it");
    app.edit_code_repository(id, &input("https://evil.test/b.git", None)).await.unwrap();
    assert!(!has_password().await);
    let inside = app.add_code_repository(&input("https://me:pw@code.test/a.git", None)).await.unwrap_err();
    assert_eq!(inside.field.as_deref(), Some("location.url"));
    let plain = app.add_code_repository(&input("http://code.test/a.git", None)).await.unwrap_err();
    assert_eq!(plain.field.as_deref(), Some("location.url"));
}

#[tokio::test]
async fn t10_registry_and_proxy_passwords_are_masked_too_and_a_short_one_is_warned_about() {
    let world = World::new();
    let ready = world.ready().await;
    let registry = ready.app.image_repository(ready.repository).await.unwrap().spec.registry;
    let input =
        |password: &str| CredentialInput::Password { username: "me".to_owned(), password: Some(Secret::new(password)) };
    ready.app.add_credential(registry, "long", &input("registry-pass-1")).await.unwrap();
    ready.app.add_credential(registry, "short", &input("pw1")).await.unwrap();
    let password = ready.app.keep_proxy_password(&Secret::new("proxy-pass-2")).await.unwrap();
    let proxy = slipway_app::StoredProxy {
        url: "http://proxy.test:3128".to_owned(),
        username: Some("me".to_owned()),
        password: Some(password),
    };
    let settings = slipway_app::Settings { registry_proxy: Some(proxy), ..slipway_app::Settings::default() };
    ready.app.set_settings(&settings).await.unwrap();
    let lines = vec!["said registry-pass-1 and proxy-pass-2".to_owned()];
    world.engine.next_build(FakeBuild { lines, ..FakeBuild::default() });
    ready.look().await;
    world.remote().push("main", "second", &[("index.html", "two")]);
    ready.look().await;
    let build = ready.idle().await.remove(0);
    let lines = ready.app.logs().page(build.id, 0, 100, None).unwrap();
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    assert!(texts.contains(&"said *** and ***"), "{texts:#?}");
    let warning = "warning: the registry credential short is too short to be masked in this log";
    assert_eq!(texts.iter().filter(|text| text.starts_with("warning")).collect::<Vec<_>>(), [&warning]);
    let steps = ready.app.store().steps(build.id).await.unwrap();
    assert!(steps.iter().any(|step| step.update.name == "Secrets"));
}
