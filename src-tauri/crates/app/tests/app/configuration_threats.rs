//! A configuration file from anywhere: no secret leaves with one, none follows it elsewhere, and it starts nothing here.

use crate::configuration::{ADD, ALL, changed, code_of_refusal, differs, find, full, word};
use crate::world::{HOST, NAME, World};
use serde_json::{Value, json};
use slipway_app::registries::CredentialInput;
use slipway_app::{Settings, Slipway};
use slipway_core::configuration::{ImportNeed, ImportObject, ImportState};
use slipway_core::deploy::{DeployTarget, WebhookHeader};
use slipway_core::ids::SecretId;
use slipway_core::network::RegistryMirrors;
use slipway_core::rule::RuleSpec;
use slipway_core::{ErrorCode, Secret};
use slipway_store::ImageRepositoryFilter;
use slipway_testkit::{Canary, CanaryScan, eventually};
use std::time::Duration;

const EVIL: &str = "https://evil.test/x.git";

async fn address_of(app: &Slipway, trigger: &str) -> String {
    let triggers = app.triggers(None).await.unwrap();
    let found = triggers.into_iter().find(|one| one.trigger.spec.name == trigger).unwrap();
    match found.trigger.spec.target {
        DeployTarget::Webhook { url, .. } => url,
        other => panic!("{other:?}"),
    }
}

/// Returns the one rule with this name.
async fn rule_of(app: &Slipway, name: &str) -> RuleSpec {
    let repositories = app.image_repositories(&ImageRepositoryFilter::default()).await.unwrap().items;
    let mut found = Vec::new();
    for repository in repositories {
        let rules = app.rules(repository.record.id).await.unwrap();
        found.extend(rules.into_iter().map(|rule| rule.spec).filter(|spec| spec.name == name));
    }
    assert_eq!(found.len(), 1, "{name}");
    found.remove(0)
}

async fn argument_of(app: &Slipway, name: &str) -> String {
    let args = rule_of(app, "every field").await.options.args;
    args.into_iter().find(|arg| arg.name == name).unwrap().value
}

#[tokio::test]
async fn t28_no_secret_of_a_full_product_is_in_the_exported_file() {
    let world = World::new();
    let names = [
        "code",
        "credential",
        "code-proxy",
        "registry-proxy",
        "rule",
        "header",
        "signing",
        "token",
        "private-key",
        "argv",
        "identity",
        "argument",
        "npm",
        "exec",
        "hook-login",
        "hook-key",
        "go-login",
        "label-login",
    ];
    // What a person writes where everybody reads it lies in the database as it was typed.
    let open = ["private-key", "argv", "argument", "exec", "hook-login", "hook-key", "go-login", "label-login"];
    let make = |name: &&str| if open.contains(name) { Canary::aside(name) } else { Canary::word(name) };
    let canaries: Vec<Canary> = names.iter().map(make).collect();
    // An address takes none of these as they are.
    let of =
        |name: &str| canaries[names.iter().position(|one| *one == name).unwrap()].text().replace(['/', '%', '+'], "");
    let ready = full(&world, of).await;
    let text = ready.app.export_configuration().await.unwrap();
    for name in names {
        let scan = CanaryScan::new(&Canary::of(&of(name)));
        assert!(!scan.bytes("planted", of(name).as_bytes()).is_empty(), "the scan sees it when it is there");
        assert_eq!(scan.bytes(name, text.as_bytes()), [], "{text}");
    }
    // Nor what stands for one here, nor a consent.
    for word in
        ["secret\":", "signing_secret", "allowed_exec", "allow_private", "allow_plain_http", "enabled", "PRIVATE"]
    {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert!(text.contains("BEGIN CERTIFICATE"));
    for blanked in [
        "https://***@go.test,https://proxy.golang.org,direct",
        "https://***@docs.test/web",
        "https://***@hooks.test/b",
        "https://hooks.test/srv-1?key=***&site=web",
    ] {
        assert!(text.contains(blanked), "{blanked}: {text}");
    }
    assert!(text.starts_with("{\n  \"slipway\": 1,\n") && text.ends_with("}\n"));
    ready.app.shutdown().await;
}

#[tokio::test]
async fn t02_secrets_do_not_follow_a_file_to_other_code_or_another_receiver() {
    let world = World::new();
    let ready = full(&world, word).await;
    let text = ready.app.export_configuration().await.unwrap();
    let edited = changed(&text, |file| {
        file["sources"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "evil", "location": {"kind": "git_url", "url": "https://evil.test/a.git"}}));
        let repositories = file["repositories"].as_array_mut().unwrap();
        let repository = repositories.iter_mut().find(|one| one["name"] == "team/app").unwrap();
        repository["rules"][0]["source"] = json!("evil");
        repository["triggers"][0]["target"]["url"] = json!("https://evil.test/hook");
        let here = repositories.iter_mut().find(|one| one["name"] == "here").unwrap();
        let keyed = here["triggers"].as_array_mut().unwrap().iter_mut().find(|one| one["name"] == "keyed").unwrap();
        keyed["target"]["url"] = json!("https://evil.test/srv-1?key=***&site=web");
        here["rules"][0]["options"]["args"][2]["value"] = json!("https://***@evil.test,direct");
        file["settings"]["code_proxy"]["url"] = json!("http://evil.test:3128");
    });
    let report = ready.app.import_configuration(edited, ALL).await.unwrap();
    assert!(!find(&report, ImportObject::Rule, "pushes").needs.is_empty());
    let rule = ready.app.rule(ready.rule).await.unwrap().spec;
    assert_eq!(rule.options.secrets[0].secret, SecretId::NOT_ENTERED);
    let triggers = ready.app.triggers(Some(ready.repository)).await.unwrap();
    let DeployTarget::Webhook { headers, signing_secret, .. } = &triggers[0].trigger.spec.target else { panic!() };
    assert_eq!(
        (headers, *signing_secret),
        (
            &vec![WebhookHeader { name: "Authorization".to_owned(), value: SecretId::NOT_ENTERED }],
            Some(SecretId::NOT_ENTERED)
        )
    );
    assert_eq!(ready.app.settings().await.unwrap().code_proxy.unwrap().password, Some(SecretId::NOT_ENTERED));
    assert_eq!(address_of(&ready.app, "keyed").await, "https://evil.test/srv-1?key=***&site=web");
    assert_eq!(argument_of(&ready.app, "GOPROXY").await, "https://***@evil.test,direct");
    // A source's address is what it is known by: under the same name it would be another one.
    let moved = changed(&text, |file| {
        let sources = file["sources"].as_array_mut().unwrap();
        sources.iter_mut().find(|one| one["name"] == "private").unwrap()["location"]["url"] =
            json!("https://evil.test/p.git");
    });
    let report = ready.app.check_import(moved, ALL).await.unwrap();
    assert_eq!(code_of_refusal(find(&report, ImportObject::Source, "private")), ErrorCode::NameTaken);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn what_a_file_came_without_stays_as_it_is_here_while_the_rest_changes() {
    let world = World::new();
    let ready = full(&world, word).await;
    let app = &ready.app;
    let text = app.export_configuration().await.unwrap();
    let here = |file: &mut Value, change: &dyn Fn(&mut Value)| {
        change(file["repositories"].as_array_mut().unwrap().iter_mut().find(|one| one["name"] == "here").unwrap());
    };
    let edited = changed(&text, |file| {
        here(file, &|here| {
            here["rules"][0]["options"]["no_cache"] = json!(false);
            for trigger in here["triggers"].as_array_mut().unwrap() {
                trigger["condition"] = json!({"kind": "all"});
            }
        });
    });
    let report = app.import_configuration(edited, ALL).await.unwrap();
    assert_eq!(find(&report, ImportObject::Rule, "every field").state, differs(&["options.no_cache"]));
    assert_eq!(find(&report, ImportObject::Rule, "every field").needs, [], "nothing of it is missing");
    let condition = differs(&["condition.kind", "condition.pattern"]);
    assert_eq!(find(&report, ImportObject::Trigger, "keyed").state, condition);
    assert_eq!(find(&report, ImportObject::Trigger, "keyed").needs, [ImportNeed::SwitchedOff]);
    assert_eq!(
        argument_of(app, "GOPROXY").await,
        "https://ann:go-login-password@go.test,https://proxy.golang.org,direct"
    );
    assert_eq!(argument_of(app, "NPM_TOKEN").await, "argument-password");
    assert_eq!(rule_of(app, "every field").await.options.labels[1].value, "https://label-login-password@docs.test/web");
    assert_eq!(address_of(app, "keyed").await, "https://hooks.test/srv-1?key=hook-key-password&site=web");
    assert_eq!(address_of(app, "login").await, "https://ann:hook-login-password@hooks.test/b");
    // What somebody wrote into the file is no blank.
    let entered = changed(&text, |file| {
        here(file, &|here| {
            for trigger in here["triggers"].as_array_mut().unwrap() {
                trigger["condition"] = json!({"kind": "all"});
                if trigger["name"] == "keyed" {
                    trigger["target"]["url"] = json!("https://hooks.test/srv-1?key=fresh&site=web");
                }
            }
        });
    });
    let report = app.import_configuration(entered, ALL).await.unwrap();
    assert_eq!(find(&report, ImportObject::Trigger, "keyed").state, differs(&["target.url"]));
    assert_eq!(address_of(app, "keyed").await, "https://hooks.test/srv-1?key=fresh&site=web");
    ready.app.shutdown().await;
}

/// A rule over every push of [`EVIL`].
fn evil_rule(name: &str) -> Value {
    json!({"name": name, "source": "acme/web", "triggers": {"any_branch": true}, "skip_words": true,
        "dockerfile_path": "Dockerfile", "version": {"kind": "templates", "templates": ["{ref}"]},
        "overwrite_tag": "latest", "options": {}, "auto_trigger": true})
}

#[tokio::test]
async fn a_rule_of_a_file_waits_for_a_person_where_it_would_use_what_is_here() {
    let world = World::new();
    let evil = world.code.repository(EVIL);
    evil.push("main", "first", &[("Dockerfile", "FROM scratch\n")]);
    let ready = world.ready().await;
    let app = &ready.app;
    let registry = app.image_repository(ready.repository).await.unwrap().spec.registry;
    let login = CredentialInput::Password { username: "robot".to_owned(), password: Some(Secret::new("open sesame")) };
    app.add_credential(registry, "ci", &login).await.unwrap();
    let repository = |registry: &str, name: &str, credential: Value, rule: &str| {
        json!({"registry": registry, "name": name, "source": "platform", "credential": credential,
            "rules": [evil_rule(rule)]})
    };
    let file = json!({
        "slipway": 1,
        "sources": [{"name": "acme/web", "location": {"kind": "git_url", "url": EVIL}}],
        "registries": [
            {"name": "Test", "host": HOST},
            {"name": "New", "host": "new.test", "credentials": [
                {"name": "docker", "login": "docker_config"}, {"name": "enter", "login": "to_enter"}]},
        ],
        "repositories": [
            repository("Test", NAME, Value::Null, "known repository"),
            repository("Test", "team/other", json!("ci"), "known login"),
            repository("New", "docker", json!("docker"), "login of the machine"),
            repository("New", "enter", json!("enter"), "login to enter"),
        ],
    });
    let report = app.import_configuration(file.to_string(), ADD).await.unwrap();
    assert_eq!(find(&report, ImportObject::Source, "acme/web").of.as_deref(), Some(EVIL));
    for name in ["known repository", "known login", "login of the machine"] {
        let item = find(&report, ImportObject::Rule, name);
        assert_eq!((&item.state, &item.needs), (&ImportState::New, &vec![ImportNeed::SwitchedOff]), "{name}");
        assert_eq!(item.detail.as_deref(), Some("acme/web"));
        assert!(!rule_of(app, name).await.auto_trigger, "{name}");
    }
    assert_eq!(find(&report, ImportObject::Rule, "login to enter").needs, [], "its pushes wait for the login");
    let pushing = rule_of(app, "login to enter").await;
    assert!(pushing.auto_trigger);
    evil.push("main", "second", &[("index.html", "evil")]);
    app.check_code_repository(pushing.code).await.unwrap();
    let rules: Vec<_> = ready.builds().await.into_iter().map(|build| build.inputs.rule_name).collect();
    assert_eq!(rules, [Some("login to enter".to_owned())]);
    // Nor does the second time switch it on.
    let again = app.import_configuration(file.to_string(), ALL).await.unwrap();
    assert_eq!(find(&again, ImportObject::Rule, "known repository").state, ImportState::Same);
    assert!(!rule_of(app, "known repository").await.auto_trigger);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn a_rule_that_gets_other_code_is_switched_off() {
    let world = World::new();
    let ready = world.ready().await;
    let edited = changed(&ready.app.export_configuration().await.unwrap(), |file| {
        let source = json!({"name": "acme/web", "location": {"kind": "git_url", "url": EVIL}});
        file["sources"].as_array_mut().unwrap().push(source);
        file["repositories"][0]["rules"][0]["source"] = json!("acme/web");
    });
    let report = ready.app.import_configuration(edited, ALL).await.unwrap();
    let item = find(&report, ImportObject::Rule, "pushes");
    assert_eq!((&item.state, &item.needs), (&differs(&["auto_trigger", "source"]), &vec![ImportNeed::SwitchedOff]));
    let rule = ready.app.rule(ready.rule).await.unwrap().spec;
    assert!(!rule.auto_trigger && rule.code != ready.code);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn settings_in_force_stay_until_somebody_wants_them_changed_and_no_proxy_comes_unseen() {
    let file = json!({"slipway": 1, "settings": {
        "concurrency": 7, "poll_seconds": 30, "close_to_tray": true,
        "registry_proxy": {"url": "http://evil.test:3128"},
        "mirrors": [{"upstream": "docker.io", "mirrors": ["evil.test"]}],
    }})
    .to_string();
    let proxies = ImportNeed::Proxies { addresses: vec!["http://evil.test:3128".to_owned()] };
    let list = RegistryMirrors { upstream: "docker.io".to_owned(), mirrors: vec!["evil.test".to_owned()] };
    let unseen = vec![proxies, ImportNeed::Mirrors { lists: vec![list] }];
    let fields = ["concurrency", "mirrors", "registry_proxy"];
    // Nobody has saved settings in either; the first product is in use.
    let world = World::new();
    let ready = world.ready().await;
    let report = ready.app.import_configuration(file.clone(), ADD).await.unwrap();
    let item = find(&report, ImportObject::Settings, "");
    assert_eq!((&item.state, &item.needs), (&differs(&fields), &Vec::new()));
    assert_eq!(ready.app.settings().await.unwrap(), Settings::default());
    let report = ready.app.import_configuration(file.clone(), ALL).await.unwrap();
    let item = find(&report, ImportObject::Settings, "");
    assert_eq!((&item.state, &item.needs), (&differs(&fields), &unseen));
    assert_eq!(ready.app.settings().await.unwrap().concurrency, 7);
    ready.app.shutdown().await;

    let empty = World::new();
    let app = empty.open().await;
    let report = app.import_configuration(file, ADD).await.unwrap();
    let item = find(&report, ImportObject::Settings, "");
    assert_eq!((&item.state, &item.needs), (&ImportState::New, &unseen));
    assert_eq!(item.detail.as_deref(), Some("concurrency, mirrors, registry_proxy"));
    assert_eq!(app.settings().await.unwrap().concurrency, 7);
    app.shutdown().await;
}

#[tokio::test]
async fn an_import_writes_over_what_is_here_then_not_when_it_began() {
    let world = World::new();
    let ready = full(&world, word).await;
    let app = &ready.app;
    let edited = changed(&app.export_configuration().await.unwrap(), |file| {
        file["settings"]["concurrency"] = json!(5);
        for repository in file["repositories"].as_array_mut().unwrap() {
            for rule in repository["rules"].as_array_mut().unwrap() {
                rule["options"]["always_pull"] = json!(rule["name"] == "pushes");
            }
        }
    });
    world.code.hang(crate::world::PLACE);
    let asked = world.code.calls("remote_refs");
    let mut settings = app.settings().await.unwrap();
    let (report, fresh) = tokio::join!(app.import_configuration(edited, ALL), async {
        eventually("the import looks at the code", Duration::from_secs(10), async || {
            if world.code.calls("remote_refs") > asked { Ok(()) } else { Err("it did not ask yet") }
        })
        .await;
        let fresh = app.keep_proxy_password(&Secret::new("another-password")).await.unwrap();
        settings.code_proxy.as_mut().unwrap().password = Some(fresh);
        app.set_settings(&settings).await.unwrap();
        world.code.go_on();
        fresh
    });
    assert_eq!(find(&report.unwrap(), ImportObject::Settings, "").state, differs(&["concurrency"]));
    let settings = app.settings().await.unwrap();
    assert_eq!((settings.concurrency, settings.code_proxy.unwrap().password), (5, Some(fresh)));
    ready.app.shutdown().await;
}
