//! Settings, secrets, code repositories, registries, credentials, image repositories.

use super::{at, branch, empty, repository_spec, setup};
use crate::{ImageRepositoryFilter, LookResult, RegistrySpec, StoreError};
use slipway_core::code::CodeLocation;
use slipway_core::image::{CredentialSource, RegistryHost, RegistryKind};
use slipway_core::{ErrorCode, Failure};

fn registry_spec(name: &str) -> RegistrySpec {
    RegistrySpec {
        name: name.into(),
        host: RegistryHost::new("registry.example.com:5000").unwrap(),
        plain_http: true,
        ca_pem: Some("PEM".into()),
    }
}

#[tokio::test]
async fn settings_keep_any_value() {
    let (_dir, store) = empty().await;
    assert_eq!(store.setting::<Vec<u8>>("list").await.unwrap(), None);
    store.set_setting("list", &vec![1_u8, 2]).await.unwrap();
    store.set_setting("list", &vec![3_u8]).await.unwrap();
    assert_eq!(store.setting::<Vec<u8>>("list").await.unwrap(), Some(vec![3]));
    let shape = store.setting::<String>("list").await.unwrap_err();
    assert!(matches!(shape, StoreError::BadRow { column: "value", .. }), "{shape}");
    store.remove_setting("list").await.unwrap();
    assert_eq!(store.setting::<Vec<u8>>("list").await.unwrap(), None);
}

#[tokio::test]
async fn secrets_are_bytes_and_their_ids_are_not_reused() {
    let (_dir, store) = empty().await;
    let first = store.insert_secret("token", &[0, 255, 7], at(0)).await.unwrap();
    assert_eq!(store.secret(first).await.unwrap(), [0, 255, 7]);
    store.replace_secret(first, &[9], at(1)).await.unwrap();
    assert_eq!(store.secret(first).await.unwrap(), [9]);
    store.delete_secret(first).await.unwrap();
    assert!(matches!(store.secret(first).await.unwrap_err(), StoreError::NotFound { .. }));
    assert!(matches!(store.replace_secret(first, &[1], at(2)).await.unwrap_err(), StoreError::NotFound { .. }));
    assert!(store.insert_secret("token", &[1], at(2)).await.unwrap() > first);
}

#[tokio::test]
async fn code_repositories_remember_how_the_last_look_went() {
    let s = setup().await;
    let location = CodeLocation::GitUrl {
        url: "https://git.example.com/a.git".into(),
        username: None,
        password: None,
        ca_pem: None,
        allow_plain_http: false,
    };
    let taken = s.store.insert_code_repository("app", &location, None, None, at(0)).await.unwrap_err();
    let failure = Failure::from(taken);
    assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::NameTaken, Some("name")));
    let id = s.store.insert_code_repository("git", &location, None, Some(60), at(0)).await.unwrap();
    let ok = LookResult::Ok { default_branch: Some(branch("main")) };
    s.store.record_look(id, &ok, Some(at(60)), at(1)).await.unwrap();
    let away = Failure::new(ErrorCode::SourceUnreachable, "away");
    s.store.record_look(id, &LookResult::Failed(away.clone()), Some(at(90)), at(2)).await.unwrap();
    let record = s.store.code_repository(id).await.unwrap();
    assert_eq!(
        (record.last_ok_at, record.last_check_at, record.next_check_at),
        (Some(at(1)), Some(at(2)), Some(at(90)))
    );
    assert_eq!((record.last_failure, record.default_branch), (Some(away), Some(branch("main"))));
    s.store.record_look(id, &LookResult::Ok { default_branch: None }, None, at(3)).await.unwrap();
    assert_eq!(s.store.code_repository(id).await.unwrap().last_failure, None);
    s.store.update_code_repository(id, "renamed", &location, None, None).await.unwrap();
    let names: Vec<_> = s.store.code_repositories().await.unwrap().into_iter().map(|record| record.name).collect();
    assert_eq!(names, ["app", "renamed"]);
    let record = s.store.code_repository(id).await.unwrap();
    assert_eq!((record.location, record.poll_interval_seconds), (location, None));
}

#[tokio::test]
async fn a_code_repository_goes_when_no_rule_and_no_open_build_needs_it() {
    let s = setup().await;
    let observation = s.push(&branch("main"), 'a').await;
    let build = s.store.create_build(&s.push_build(&branch("main"), 'a', observation), at(1)).await.unwrap().id;
    assert!(matches!(s.store.delete_code_repository(s.code).await.unwrap_err(), StoreError::InUse { .. }));
    s.store.delete_rule(s.rule, at(2)).await.unwrap();
    s.store.delete_code_repository(s.code).await.unwrap();
    let record = s.store.build(build).await.unwrap();
    assert_eq!((record.code, record.observation), (None, Some(observation)));
    assert_eq!(record.inputs.code, Some(s.code));
    assert!(matches!(s.store.delete_code_repository(s.code).await.unwrap_err(), StoreError::NotFound { .. }));
}

#[tokio::test]
async fn the_local_engine_is_always_there() {
    let (_dir, store) = empty().await;
    let local = store.local_engine().await.unwrap();
    assert_eq!((local.kind, local.host, local.name.as_str()), (RegistryKind::LocalEngine, None, "Local engine"));
    assert!(matches!(store.delete_registry(local.id).await.unwrap_err(), StoreError::NotFound { .. }));
    assert!(store.update_registry(local.id, &registry_spec("x")).await.is_err());
    let id = store.insert_registry(&registry_spec("aaa"), at(1)).await.unwrap();
    let names: Vec<_> = store.registries().await.unwrap().into_iter().map(|registry| registry.name).collect();
    assert_eq!(names, ["Local engine", "aaa"]);
    let taken = store.insert_registry(&registry_spec("aaa"), at(1)).await.unwrap_err();
    assert!(matches!(taken, StoreError::NameTaken { field: "name" }), "{taken}");
    store.update_registry(id, &registry_spec("bbb")).await.unwrap();
    let record = store.registry(id).await.unwrap();
    assert_eq!((record.name.as_str(), record.plain_http, record.ca_pem.as_deref()), ("bbb", true, Some("PEM")));
}

#[tokio::test]
async fn credentials_and_registries_that_are_used_stay() {
    let (_dir, store) = empty().await;
    let registry = store.insert_registry(&registry_spec("hub"), at(0)).await.unwrap();
    let helper = CredentialSource::Helper { name: "ecr-login".into() };
    let used = store.insert_credential(registry, "ci", &helper).await.unwrap();
    let spare = store.insert_credential(registry, "spare", &CredentialSource::Anonymous).await.unwrap();
    assert!(matches!(
        store.insert_credential(registry, "ci", &helper).await.unwrap_err(),
        StoreError::NameTaken { field: "name" }
    ));
    store.record_credential_test(used, &vec!["resolve", "connect"], at(3)).await.unwrap();
    let record = store.credential(used).await.unwrap();
    assert_eq!((record.source.clone(), record.last_test_at), (helper.clone(), Some(at(3))));
    assert_eq!(record.last_test_as::<Vec<String>>().unwrap().unwrap().len(), 2);
    store.update_credential(used, "ci2", &helper).await.unwrap();
    assert_eq!(store.credential(used).await.unwrap().last_test, None);

    let mut spec = repository_spec(registry, "team/app");
    spec.credential = Some(used);
    let repository = store.insert_image_repository(&spec, None, at(1)).await.unwrap();
    assert!(matches!(store.delete_credential(used).await.unwrap_err(), StoreError::InUse { .. }));
    assert!(matches!(store.delete_registry(registry).await.unwrap_err(), StoreError::InUse { what: "registry" }));
    store.delete_credential(spare).await.unwrap();
    assert_eq!(store.credentials(Some(registry)).await.unwrap().len(), 1);
    store.delete_image_repository(repository).await.unwrap();
    store.delete_registry(registry).await.unwrap();
    assert_eq!(store.credentials(None).await.unwrap(), vec![]);
    let nowhere = store.insert_credential(registry, "x", &helper).await.unwrap_err();
    assert!(matches!(nowhere, StoreError::NotFound { .. }), "{nowhere}");
}

#[tokio::test]
async fn image_repositories_are_listed_with_counts() {
    let s = setup().await;
    let local = s.store.local_engine().await.unwrap().id;
    let other = s.store.insert_registry(&registry_spec("other"), at(0)).await.unwrap();
    let mut spec = repository_spec(other, "team/app");
    spec.summary = "The Frontend".into();
    let second = s.store.insert_image_repository(&spec, Some(&Failure::internal("no right")), at(1)).await.unwrap();
    let taken = s.store.insert_image_repository(&repository_spec(local, "team/app"), None, at(1)).await.unwrap_err();
    assert!(matches!(taken, StoreError::NameTaken { field: "spec.name" }), "{taken}");
    let first_build = s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id;
    s.store.request_cancel(first_build, at(1)).await.unwrap();
    let last = s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id;

    let all = s.store.image_repositories(&ImageRepositoryFilter::default()).await.unwrap();
    assert_eq!((all.total, all.items.len()), (2, 2));
    let mine = &all.items[0];
    assert_eq!((mine.record.id, mine.rules, mine.builds, mine.active_builds), (s.repository, 1, 2, 1));
    assert_eq!((mine.last_build, all.items[1].last_build), (Some(last), None));
    for (filter, expected) in [
        (ImageRepositoryFilter { registry: Some(other), ..Default::default() }, vec![second]),
        (ImageRepositoryFilter { search: "FRONT".into(), ..Default::default() }, vec![second]),
        (ImageRepositoryFilter { search: "eam/a".into(), limit: 1, offset: 1, ..Default::default() }, vec![second]),
        (ImageRepositoryFilter { search: "%".into(), ..Default::default() }, vec![]),
    ] {
        let page = s.store.image_repositories(&filter).await.unwrap();
        assert_eq!(page.items.iter().map(|item| item.record.id).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    s.store.set_read_only_reason(second, None).await.unwrap();
    assert_eq!(s.store.image_repository(second).await.unwrap().read_only_reason, None);
    spec.summary = "changed".into();
    s.store.update_image_repository(second, &spec).await.unwrap();
    assert_eq!(s.store.image_repository(second).await.unwrap().spec, spec);

    assert!(matches!(s.store.delete_image_repository(s.repository).await.unwrap_err(), StoreError::InUse { .. }));
    s.store.request_cancel(last, at(2)).await.unwrap();
    s.store.delete_image_repository(s.repository).await.unwrap();
    assert!(s.store.build(last).await.is_err());
    assert!(s.store.rule(s.rule).await.is_err());
}
