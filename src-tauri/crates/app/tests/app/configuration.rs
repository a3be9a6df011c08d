//! The configuration as a file: it comes out as it went in, it is imported whole or not at all, and what cannot be is named.

use crate::accounts::{code_of, connect};
use crate::keychain::enter_all;
use crate::world::{HOST, Ready, World, code_input, reaches, rule_spec};
use serde_json::{Value, json};
use slipway_app::code_repositories::{CodeLocationInput, CodeRepositoryInput};
use slipway_app::registries::CredentialInput;
use slipway_core::build::BuildState;
use slipway_core::code::RepoPath;
use slipway_core::configuration::{ImportChoice, ImportItem, ImportNeed, ImportObject, ImportReport, ImportState};
use slipway_core::deploy::{DeployTarget, HealthGate, WorkloadKind};
use slipway_core::ids::{ImageRepositoryId, SecretId};
use slipway_core::image::{ImageRepositorySpec, ImageSource, RegistryHost, RepositoryName, Tag};
use slipway_core::network::RegistryMirrors;
use slipway_core::ports::Clock as _;
use slipway_core::rule::{
    BuildNetwork, BuildOptions, NameValue, PathFilters, PushTriggers, RuleSecret, Strategy, VersionRule,
};
use slipway_core::trigger::{TagCondition, TriggerSpec};
use slipway_core::{ErrorCode, Secret};
use slipway_store::{ImageRepositoryFilter, RegistrySpec};
use slipway_testkit::eventually;
use std::time::Duration;

pub(crate) const ALL: ImportChoice = ImportChoice { change: true, allow_plain_http: true };
pub(crate) const ADD: ImportChoice = ImportChoice { change: false, allow_plain_http: false };
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUabc\n-----END CERTIFICATE-----\n";

fn code(name: &str, location: CodeLocationInput) -> CodeRepositoryInput {
    CodeRepositoryInput { name: name.to_owned(), location, poll_interval_seconds: Some(90) }
}

fn git(url: &str) -> CodeLocationInput {
    CodeLocationInput::GitUrl {
        url: url.to_owned(),
        username: None,
        password: None,
        ca_pem: None,
        allow_plain_http: url.starts_with("http:"),
    }
}

fn trigger(name: &str, target: DeployTarget) -> TriggerSpec {
    TriggerSpec {
        name: name.to_owned(),
        condition: TagCondition::Pattern { pattern: "^v[0-9]".to_owned() },
        target,
        gate: HealthGate { stay_up_seconds: 7, deadline_seconds: 90 },
        enabled: true,
    }
}

/// A product with one of everything that a file can hold; `text` makes each secret from its name.
pub(crate) async fn full(world: &World, text: impl Fn(&str) -> String) -> Ready {
    let ready = world.ready().await;
    let app = &ready.app;
    enter_all(&ready, &text).await;
    let mut settings = app.settings().await.unwrap();
    settings.concurrency = 3;
    settings.mirrors = vec![RegistryMirrors { upstream: "docker.io".to_owned(), mirrors: vec!["m.test".to_owned()] }];
    app.set_settings(&settings).await.unwrap();

    world.hosts.add_repository("acme/web", &["main"]);
    let account = connect(app, &text("token")).await;
    app.add_code_repository(&code_of(account, "acme/web")).await.unwrap();
    app.add_code_repository(&code("plain", git("http://code.test/plain.git"))).await.unwrap();
    let ssh = CodeLocationInput::Ssh { url: "git@code.test:team/app.git".to_owned() };
    app.add_code_repository(&code("ssh", ssh)).await.unwrap();
    let clone = CodeLocationInput::LocalClone { path: "/nowhere/at/all".into() };
    app.add_code_repository(&code("clone", clone)).await.unwrap();

    let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", text("private-key"));
    let spec = RegistrySpec {
        name: "Other".to_owned(),
        host: RegistryHost::new("other.test").unwrap(),
        plain_http: false,
        ca_pem: Some(format!("{key}{CERTIFICATE}")),
    };
    // No form takes a key any more; an earlier version kept it.
    let refused = app.add_registry(&spec).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidField, Some("ca_pem")));
    let other = app.store().insert_registry(&spec, world.clock.now()).await.unwrap();
    let argv = vec!["get-password".to_owned(), text("argv")];
    let command = CredentialInput::Command { username: "hourly".to_owned(), argv };
    app.add_credential(other, "command", &command).await.unwrap();
    app.add_credential(other, "helper", &CredentialInput::Helper { name: "ecr-login".to_owned() }).await.unwrap();
    let identity = CredentialInput::IdentityToken { token: Some(Secret::new(text("identity"))) };
    app.add_credential(other, "identity", &identity).await.unwrap();
    app.add_credential(other, "docker", &CredentialInput::DockerConfig).await.unwrap();
    app.add_credential(other, "nobody", &CredentialInput::Anonymous).await.unwrap();

    let mut spec = app.image_repository(ready.repository).await.unwrap().spec;
    spec.credential = app.credentials(Some(spec.registry)).await.unwrap().first().map(|one| one.id);
    spec.summary = "what it is".to_owned();
    spec.write_once = vec!["^v[0-9]+$".to_owned()];
    app.edit_image_repository(ready.repository, &spec).await.unwrap();
    let local = app.store().local_engine().await.unwrap().id;
    let watched = ImageRepositorySpec {
        registry: other,
        name: RepositoryName::new("nginx").unwrap(),
        source: ImageSource::PublishedByOthers,
        credential: None,
        ..spec.clone()
    };
    app.add_image_repository(&watched).await.unwrap();
    let here =
        ImageRepositorySpec { registry: local, name: RepositoryName::new("here").unwrap(), credential: None, ..spec };
    let here = app.add_image_repository(&here).await.unwrap();
    let mut rule = rule_spec(ready.code);
    rule.name = "every field".to_owned();
    rule.triggers = PushTriggers {
        branches: vec!["main".to_owned()],
        pattern: Some("^release/(.+)".to_owned()),
        ..PushTriggers::default()
    };
    rule.paths = PathFilters { include: vec!["src/**".to_owned()], exclude: vec!["*.md".to_owned()] };
    rule.skip_words = false;
    rule.dockerfile_path = RepoPath::new("docker/Dockerfile").unwrap();
    rule.context_dir = RepoPath::new("docker").unwrap();
    rule.version = VersionRule::Parts { prefix: "v".to_owned(), ref_name: true, update_time: true, commit: true };
    rule.overwrite_tag = Some(Tag::new("latest").unwrap());
    rule.strategy = Strategy::EveryPush;
    rule.auto_trigger = false;
    rule.report_status = true;
    rule.options = BuildOptions {
        platforms: vec!["linux/arm64".parse().unwrap(), "linux/arm/v7".parse().unwrap()],
        args: vec![
            NameValue { name: "MODE".to_owned(), value: "fast".to_owned() },
            NameValue { name: "NPM_TOKEN".to_owned(), value: text("argument") },
            NameValue {
                name: "GOPROXY".to_owned(),
                value: format!("https://ann:{}@go.test,https://proxy.golang.org,direct", text("go-login")),
            },
        ],
        secrets: vec![RuleSecret {
            id: "npm".to_owned(),
            secret: app.keep_build_secret("npm", &Secret::new(text("npm"))).await.unwrap(),
        }],
        target: Some("final".to_owned()),
        labels: vec![
            NameValue { name: "team".to_owned(), value: "web".to_owned() },
            NameValue { name: "docs".to_owned(), value: format!("https://{}@docs.test/web", text("label-login")) },
        ],
        no_standard_labels: true,
        no_cache: true,
        always_pull: true,
        network: BuildNetwork::Host,
        timeout_seconds: Some(600),
        engine: Some("context:far".to_owned()),
    };
    app.add_rule(here, &rule).await.unwrap();

    let container = DeployTarget::Container { engine: "local".to_owned(), name: "web".to_owned() };
    app.add_trigger(here, &trigger("container", container)).await.unwrap();
    let cluster = DeployTarget::KubernetesContainer {
        kubeconfig: "/home/ann/.kube/config".to_owned(),
        context: "prod".to_owned(),
        namespace: "web".to_owned(),
        workload_kind: WorkloadKind::Deployment,
        workload: "site".to_owned(),
        container: "nginx".to_owned(),
        allowed_exec: Some(format!("aws --profile {}", text("exec"))),
    };
    app.add_trigger(here, &trigger("cluster", cluster)).await.unwrap();
    let login = DeployTarget::Webhook {
        url: format!("https://ann:{}@hooks.test/b", text("hook-login")),
        headers: Vec::new(),
        signing_secret: None,
        allow_private: true,
    };
    app.add_trigger(here, &trigger("login", login)).await.unwrap();
    let keyed = DeployTarget::Webhook {
        url: format!("https://hooks.test/srv-1?key={}&site=web", text("hook-key")),
        headers: Vec::new(),
        signing_secret: None,
        allow_private: true,
    };
    app.add_trigger(here, &trigger("keyed", keyed)).await.unwrap();
    ready
}

pub(crate) fn word(name: &str) -> String {
    format!("{name}-password")
}

pub(crate) fn find<'a>(report: &'a ImportReport, object: ImportObject, name: &str) -> &'a ImportItem {
    report
        .items
        .iter()
        .find(|item| item.object == object && item.name == name)
        .unwrap_or_else(|| panic!("no {name}: {report:#?}"))
}

pub(crate) fn code_of_refusal(item: &ImportItem) -> ErrorCode {
    match &item.state {
        ImportState::Refused { failure } => failure.code,
        other => panic!("{} is {other:?}", item.name),
    }
}

pub(crate) fn differs(fields: &[&str]) -> ImportState {
    ImportState::Differs { fields: fields.iter().map(|one| (*one).to_owned()).collect() }
}

pub(crate) fn changed(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    value.to_string()
}

#[tokio::test]
async fn a_configuration_goes_into_an_empty_product_and_comes_out_the_same() {
    let world = World::new();
    let ready = full(&world, word).await;
    let text = ready.app.export_configuration().await.unwrap();
    assert_eq!(ready.app.export_configuration().await.unwrap(), text, "one product, one text");
    let same = ready.app.check_import(text.clone(), ADD).await.unwrap();
    assert!(same.items.iter().all(|item| item.state == ImportState::Same), "{same:#?}");
    assert!(!same.asks_plain_http, "what is here was agreed to");
    ready.app.shutdown().await;

    let other = World::new();
    let app = other.open().await;
    let preview = app.check_import(text.clone(), ADD).await.unwrap();
    assert!(preview.asks_plain_http);
    assert_eq!(code_of_refusal(find(&preview, ImportObject::Source, "plain")), ErrorCode::BadCodeLocation);
    let choice = ImportChoice { allow_plain_http: true, ..ADD };
    let preview = app.check_import(text.clone(), choice).await.unwrap();
    assert!(preview.items.iter().all(|item| item.state == ImportState::New), "{preview:#?}");
    assert!(app.rules(ImageRepositoryId(1)).await.unwrap().is_empty(), "a preview changes nothing");
    let report = app.import_configuration(text.clone(), choice).await.unwrap();
    assert_eq!(report, preview);
    assert_eq!(app.export_configuration().await.unwrap(), text);

    // Triggers are off and without consents; what was secret is named and waits for a person.
    for trigger in app.triggers(None).await.unwrap() {
        assert!(!trigger.trigger.spec.enabled, "{trigger:?}");
        match trigger.trigger.spec.target {
            DeployTarget::Webhook { allow_private, .. } => assert!(!allow_private),
            DeployTarget::KubernetesContainer { allowed_exec, .. } => assert_eq!(allowed_exec, None),
            _ => {}
        }
    }
    let needs = |object, name: &str| find(&report, object, name).needs.clone();
    let addresses = vec!["http://proxy.test:3128".to_owned()];
    let lists = vec![RegistryMirrors { upstream: "docker.io".to_owned(), mirrors: vec!["m.test".to_owned()] }];
    let proxies_and_mirrors = [ImportNeed::Proxies { addresses }, ImportNeed::Mirrors { lists }];
    assert_eq!(needs(ImportObject::Settings, "")[..2], proxies_and_mirrors);
    assert_eq!(needs(ImportObject::Settings, "")[2..], [ImportNeed::ProxyPassword]);
    assert_eq!(needs(ImportObject::Source, "private"), [ImportNeed::SourcePassword]);
    assert_eq!(needs(ImportObject::Source, "acme/web"), [ImportNeed::Account { host: "https://git.test".to_owned() }]);
    assert_eq!(
        needs(ImportObject::Source, "clone"),
        [ImportNeed::FolderMissing { path: "/nowhere/at/all".to_owned() }]
    );
    assert_eq!(needs(ImportObject::Credential, "ci"), [ImportNeed::Login]);
    assert_eq!(needs(ImportObject::Credential, "docker"), []);
    let secrets = ImportNeed::BuildSecrets { ids: vec!["npm".to_owned()] };
    let arguments = ImportNeed::Arguments { names: vec!["NPM_TOKEN".to_owned(), "GOPROXY".to_owned()] };
    let labels = ImportNeed::Labels { names: vec!["docs".to_owned()] };
    assert_eq!(needs(ImportObject::Rule, "every field"), [secrets, arguments, labels]);
    let headers = vec!["Authorization".to_owned()];
    let headers = ImportNeed::WebhookSecrets { headers, signed: true, address: false };
    assert_eq!(needs(ImportObject::Trigger, "tell"), [ImportNeed::SwitchedOff, headers, ImportNeed::PrivateConsent]);
    let address = ImportNeed::WebhookSecrets { headers: Vec::new(), signed: false, address: true };
    for name in ["login", "keyed"] {
        let address = address.clone();
        assert_eq!(needs(ImportObject::Trigger, name), [ImportNeed::SwitchedOff, address, ImportNeed::PrivateConsent]);
    }
    assert_eq!(needs(ImportObject::Trigger, "cluster"), [ImportNeed::SwitchedOff, ImportNeed::ClusterConsent]);
    eventually("what is to be entered is listed", Duration::from_secs(20), async || {
        let closed = app.health().closed;
        match &closed {
            Some(one) if one.failure.code == ErrorCode::SecretNotEntered && one.owners.len() == 10 => Ok(()),
            _ => Err(closed),
        }
    })
    .await;
    // Once the proxy's password is there and the account authorized again, it opens its code.
    let mut settings = app.settings().await.unwrap();
    for proxy in [&mut settings.code_proxy, &mut settings.registry_proxy] {
        let password = app.keep_proxy_password(&Secret::new("proxy-password")).await.unwrap();
        proxy.as_mut().unwrap().password = Some(password);
    }
    app.set_settings(&settings).await.unwrap();
    other.hosts.add_repository("acme/web", &["main"]);
    connect(&app, "token-password").await;
    let again = app.check_import(text.clone(), ALL).await.unwrap();
    assert!(again.items.iter().all(|item| item.state == ImportState::Same), "{again:#?}");
    app.shutdown().await;
}

#[tokio::test]
async fn an_imported_rule_builds_later_pushes_alone_and_waits_for_its_login() {
    let world = World::new();
    let ready = world.ready().await;
    let registry = ready.app.image_repository(ready.repository).await.unwrap().spec.registry;
    let login =
        |text: &str| CredentialInput::Password { username: "robot".to_owned(), password: Some(Secret::new(text)) };
    let credential = ready.app.add_credential(registry, "ci", &login("open sesame")).await.unwrap();
    let mut spec = ready.app.image_repository(ready.repository).await.unwrap().spec;
    spec.credential = Some(credential);
    ready.app.edit_image_repository(ready.repository, &spec).await.unwrap();
    let text = ready.app.export_configuration().await.unwrap();
    ready.app.shutdown().await;

    let other = World::new();
    other.remote().push("main", "old", &[("Dockerfile", "FROM scratch\nCOPY . /\n")]);
    let app = other.open().await;
    app.import_configuration(text, ADD).await.unwrap();
    let source = app.code_repositories().await.unwrap().remove(0).id;
    app.check_code_repository(source).await.unwrap();
    assert!(app.queue().await.unwrap().is_empty(), "what was there builds nothing");
    other.remote().push("main", "new", &[("index.html", "two")]);
    app.check_code_repository(source).await.unwrap();
    let build = app.queue().await.unwrap().remove(0).build.id;
    let paused = reaches(&app, build, BuildState::Paused).await;
    assert!(format!("{:?}", paused.reason).contains("SecretNotEntered"), "{:?}", paused.reason);
    let credential = app.credentials(None).await.unwrap().remove(0).id;
    app.edit_credential(credential, "ci", &login("open sesame")).await.unwrap();
    reaches(&app, build, BuildState::Succeeded).await;
    app.shutdown().await;
}

#[tokio::test]
async fn only_what_is_new_is_added_unless_a_person_wants_more_and_nothing_is_removed() {
    let world = World::new();
    let ready = full(&world, word).await;
    let app = &ready.app;
    let text = app.export_configuration().await.unwrap();
    let edited = changed(&text, |file| {
        file["settings"]["concurrency"] = json!(5);
        file["repositories"] =
            json!([file["repositories"].as_array().unwrap().iter().find(|one| one["name"] == "team/app")]);
        let repository = &mut file["repositories"][0];
        repository["summary"] = json!("other words");
        repository["rules"][0]["options"]["no_cache"] = json!(true);
        repository["triggers"][0]["condition"] = json!({"kind": "tags", "list": "stable"});
        let mut second = repository["rules"][0].clone();
        second["name"] = json!("second");
        repository["rules"].as_array_mut().unwrap().push(second);
    });
    let before = app.store().row_counts().await.unwrap();
    let report = app.import_configuration(edited.clone(), ADD).await.unwrap();
    assert_eq!(find(&report, ImportObject::Settings, "").state, differs(&["concurrency"]));
    assert_eq!(find(&report, ImportObject::Repository, &format!("{HOST}/team/app")).state, differs(&["summary"]));
    assert_eq!(find(&report, ImportObject::Rule, "pushes").state, differs(&["options.no_cache"]));
    assert_eq!(find(&report, ImportObject::Rule, "second").state, ImportState::New);
    assert!(
        app.settings().await.unwrap().concurrency == 3 && !app.rule(ready.rule).await.unwrap().spec.options.no_cache
    );
    let grown: Vec<_> = app
        .store()
        .row_counts()
        .await
        .unwrap()
        .into_iter()
        .zip(before)
        .filter(|(now, before)| now != before)
        .map(|(now, _)| now.0)
        .collect();
    assert!(grown.iter().all(|table| table.to_string().contains("rule")), "{grown:?}");

    let tell = |triggers: Vec<slipway_app::triggers::TriggerDetail>| {
        triggers.into_iter().find(|one| one.trigger.spec.name == "tell").unwrap().trigger.spec
    };
    let old = tell(app.triggers(None).await.unwrap());
    app.import_configuration(edited, ALL).await.unwrap();
    assert_eq!(app.settings().await.unwrap().concurrency, 5);
    assert!(app.settings().await.unwrap().code_proxy.unwrap().password.is_some_and(|id| id != SecretId::NOT_ENTERED));
    let rule = app.rule(ready.rule).await.unwrap().spec;
    assert!(rule.options.no_cache && rule.options.secrets[0].secret != SecretId::NOT_ENTERED, "{rule:?}");
    let new = tell(app.triggers(None).await.unwrap());
    assert!(old.enabled && !new.enabled, "an import never starts deploying");
    assert_eq!((&new.target, &new.condition), (&old.target, &TagCondition::Tags { list: "stable".to_owned() }));
    assert_eq!(app.triggers(None).await.unwrap().len(), 5, "nothing is removed");
    ready.app.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_imported_is_named_with_the_reason_and_the_rest_is() {
    use ErrorCode::{BadCodeLocation, BadRegex, InvalidField, NameTaken, NotFound};
    let world = World::new();
    let app = world.open().await;
    app.add_code_repository(&code_input()).await.unwrap();
    let rule = |name: &str, source: &str| {
        json!({"name": name, "source": source, "skip_words": true, "dockerfile_path": "Dockerfile", "auto_trigger": true,
            "version": {"kind": "templates", "templates": ["{ref}"]}, "options": {}})
    };
    let mut bad_regex = rule("pattern", "good");
    bad_regex["triggers"] = json!({"pattern": "("});
    let trigger = |name: &str| json!({"name": name, "condition": {"kind": "all"}, "target": {"kind": "container", "engine": "local", "name": "web"}});
    let git = |name: &str, url: &str| json!({"name": name, "location": {"kind": "git_url", "url": url}});
    let file = json!({
        "slipway": 1,
        "settings": {"concurrency": 99, "poll_seconds": 30, "close_to_tray": true},
        "sources": [
            git("good", "https://code.test/good.git"), git("app", "https://code.test/other.git"), git("", "https://code.test/x.git"),
            git("login", "https://ann:pw@code.test/x.git"), git("file", "file:///etc/passwd"), git("good", "https://code.test/twice.git"),
            {"name": "clone", "location": {"kind": "local_clone", "path": "relative"}},
            {"name": "option", "location": {"kind": "ssh", "url": "-oProxyCommand=evil"}},
            {"name": "elsewhere", "location": {"kind": "account", "provider": "gitea", "host": "https://git.test", "account_id": "1",
                "repository_id": "2", "path": "a/b", "url": "https://evil.test/a/b.git"}},
        ],
        "registries": [
            {"name": "r", "host": "r.test", "plain_http": true},
            {"name": "odd", "host": "localhost.evil.test", "plain_http": true, "credentials": [{"name": "c", "login": "to_enter"}]},
            {"name": "this", "host": "localhost:5000", "plain_http": true, "ca_pem": "nonsense"},
            {"name": "Local engine", "host": "x.test"},
        ],
        "repositories": [
            {"name": "ok", "source": "platform", "rules": [
                rule("good", "good"), rule("good", "good"), rule("", "good"), bad_regex, rule("nowhere", "missing"), rule("refused", "login")],
             "triggers": [trigger("first"), trigger("FIRST"), trigger("1st")]},
            {"name": "ok", "source": "platform"},
            {"name": "watched", "source": "published_by_others", "rules": [rule("w", "good")]},
            {"registry": "r", "name": "in-r", "source": "platform", "rules": [rule("below", "good")]},
            {"registry": "none", "name": "in-none", "source": "platform"},
            {"name": "login", "source": "platform", "credential": "c"},
        ],
    });
    let report = app.import_configuration(file.to_string(), ADD).await.unwrap();
    let refused: Vec<_> = report
        .items
        .iter()
        .filter_map(|item| match &item.state {
            ImportState::Refused { failure } => Some((item.place.as_str(), failure.code)),
            _ => None,
        })
        .collect();
    let expected: Vec<(&str, ErrorCode)> = vec![
        ("settings", InvalidField),
        ("sources[1]", NameTaken),
        ("sources[2]", InvalidField),
        ("sources[3]", BadCodeLocation),
        ("sources[4]", BadCodeLocation),
        ("sources[5]", NameTaken),
        ("sources[6]", BadCodeLocation),
        ("sources[7]", BadCodeLocation),
        ("sources[8]", BadCodeLocation),
        ("registries[0]", InvalidField),
        ("registries[1]", InvalidField),
        ("registries[1].credentials[0]", NotFound),
        ("registries[2]", InvalidField),
        ("registries[3]", NameTaken),
        ("repositories[0].rules[1]", NameTaken),
        ("repositories[0].rules[2]", InvalidField),
        ("repositories[0].rules[3]", BadRegex),
        ("repositories[0].rules[4]", NotFound),
        ("repositories[0].rules[5]", NotFound),
        ("repositories[0].triggers[1]", NameTaken),
        ("repositories[0].triggers[2]", InvalidField),
        ("repositories[1]", NameTaken),
        ("repositories[2]", InvalidField),
        ("repositories[2].rules[0]", NotFound),
        ("repositories[3]", NotFound),
        ("repositories[3].rules[0]", NotFound),
        ("repositories[4]", NotFound),
        ("repositories[5]", NotFound),
    ];
    assert_eq!(refused, expected, "{report:#?}");
    let repositories = app.image_repositories(&ImageRepositoryFilter::default()).await.unwrap();
    assert_eq!((repositories.total, app.rules(repositories.items[0].record.id).await.unwrap().len()), (1, 1));
    assert_eq!(app.settings().await.unwrap().concurrency, 2);
    app.shutdown().await;
}

#[tokio::test]
async fn t07_a_file_from_anywhere_is_refused_with_the_place() {
    let world = World::new();
    let app = world.open().await;
    let deep = "[".repeat(100_000);
    let long = format!("{{\"slipway\": 1, \"x\": \"{}\"}}", "a".repeat(10 * 1024 * 1024));
    let many =
        json!({"slipway": 1, "sources": vec![json!({"name": "a", "location": {"kind": "ssh", "url": "a:b"}}); 5001]})
            .to_string();
    let rule = |change: &str| {
        format!(r#"{{"slipway":1,"repositories":[{{"name":"a","source":"platform","rules":[{{{change}}}]}}]}}"#)
    };
    let cases: Vec<(String, &str, &str)> = vec![
        (String::new(), "line 1, column 0", "EOF"),
        ("nonsense".to_owned(), "line 1, column 2", "expected ident"),
        ("{\n  \"slipway\": 1,\n  oops\n}".to_owned(), "line 3, column 3", "key must be a string"),
        (deep, "line 1, column 128", "recursion"),
        (long, "", "longer than 10 MB"),
        (many, "", "more than 5000"),
        ("\u{0}\u{1}".to_owned(), "line 1, column 1", "expected value"),
        ("[]".to_owned(), "", "no configuration"),
        ("null".to_owned(), "", "no configuration"),
        ("{}".to_owned(), "", "no configuration"),
        (r#"{"slipway": 2}"#.to_owned(), "slipway", "newer Slipway"),
        (r#"{"slipway": "1"}"#.to_owned(), "slipway", "version is 1"),
        (r#"{"slipway": -1}"#.to_owned(), "slipway", "version is 1"),
        (r#"{"slipway": 1, "secrets": []}"#.to_owned(), "secrets", "not known"),
        (r#"{"slipway": 1, "sources": {}}"#.to_owned(), "sources", "invalid type"),
        (r#"{"slipway": 1, "sources": [{"name": 7}]}"#.to_owned(), "sources[0].name", "invalid type"),
        (r#"{"slipway": 1, "sources": [{"name": "a", "location": {"kind": "shell"}}]}"#.to_owned(), "sources[0].location.kind", "unknown variant"),
        (r#"{"slipway": 1, "sources": [{"name": "a", "location": {"kind": "git_url", "url": "https://a.test", "password": 3}}]}"#.to_owned(), "sources[0].location.password", "not known"),
        (r#"{"slipway": 1, "registries": [{"name": "a", "host": "a b"}]}"#.to_owned(), "registries[0].host", "letters, digits"),
        (r#"{"slipway": 1, "registries": [{"name": "a", "host": "a", "credentials": [{"name": "c", "login": "command", "argv": ["sh"]}]}]}"#.to_owned(), "registries[0].credentials[0].login", "unknown variant"),
        (rule(r#""name":"r""#), "repositories[0].rules[0]", "missing field"),
        (rule(r#""name":"r","source":"s","dockerfile_path":"../../etc/passwd""#), "repositories[0].rules[0].dockerfile_path", "leaves the repository"),
        (rule(r#""name":"r","source":"s","skip_words":true,"dockerfile_path":"D","auto_trigger":true,"version":{"kind":"templates","templates":["a"]},"options":{"secrets":[{"id":"a","secret":1}]}"#), "repositories[0].rules[0].options.secrets[0]", "invalid type"),
        (r#"{"slipway": 1, "settings": {"concurrency": -1, "poll_seconds": 1, "close_to_tray": true}}"#.to_owned(), "settings.concurrency", "invalid value"),
    ];
    for (text, place, why) in cases {
        let shown: String = text.chars().take(120).collect();
        let failure = app.check_import(text.clone(), ALL).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadConfiguration, "{shown}");
        assert_eq!(failure.details["place"], place, "{shown}: {}", failure.message);
        assert!(failure.message.contains(why) && failure.message.starts_with(place), "{shown}: {}", failure.message);
        assert_eq!(app.import_configuration(text, ALL).await.unwrap_err(), failure, "{shown}");
    }
    // What editors leave behind is fine.
    let report = app.check_import("\u{feff}{\"slipway\": 1, \"settings\": null}\r\n".to_owned(), ADD).await.unwrap();
    assert_eq!(report, ImportReport::default());
    app.shutdown().await;
}
