//! An import is written whole or not at all.

use super::*;
use crate::{
    ImportedConfiguration, ImportedRepository, ImportedRule, ImportedSource, RegistrySpec, RowRef, StoreError,
};
use slipway_core::image::RegistryHost;

fn import(setup: &Setup) -> ImportedConfiguration {
    let source = ImportedSource {
        id: None,
        name: "imported".into(),
        location: CodeLocation::LocalClone { path: "/code/imported".into() },
        account: None,
        poll_interval_seconds: Some(60),
    };
    let registry = RegistrySpec {
        name: "R".into(),
        host: RegistryHost::new("r.example").unwrap(),
        plain_http: false,
        ca_pem: None,
    };
    let repository = ImportedRepository {
        id: None,
        registry: RowRef::Imported(0),
        credential: None,
        spec: repository_spec(slipway_core::ids::RegistryId(0), "team/imported"),
        read_only_reason: None,
    };
    let rule = |id, repository, code, name: &str| ImportedRule {
        id,
        repository,
        code,
        spec: RuleSpec { skip_words: false, ..rule_spec(CodeRepositoryId(0), name) },
    };
    ImportedConfiguration {
        setting: Some(("application", serde_json::json!({"concurrency": 7}))),
        sources: vec![source],
        registries: vec![(None, registry)],
        repositories: vec![repository],
        rules: vec![
            rule(None, RowRef::Imported(0), RowRef::Imported(0), "imported"),
            rule(None, RowRef::Known(setup.repository), RowRef::Known(setup.code), "second"),
            rule(Some(setup.rule), RowRef::Known(setup.repository), RowRef::Known(setup.code), "main"),
        ],
        ..ImportedConfiguration::default()
    }
}

#[tokio::test]
async fn rows_of_an_import_name_each_other_and_those_that_are_there() {
    let setup = setup().await;
    setup.push(&branch("main"), 'a').await;
    let rows = setup.store.import_configuration(&import(&setup), at(5)).await.unwrap();
    let store = &setup.store;
    assert_eq!(store.code_repository(rows.sources[0]).await.unwrap().name, "imported");
    let repository = store.image_repository(rows.repositories[0]).await.unwrap();
    assert_eq!(repository.spec.registry, rows.registries[0]);
    let rule = store.rule(rows.rules[0].0).await.unwrap();
    assert_eq!((rule.repository, rule.spec.code), (rows.repositories[0], rows.sources[0]));
    assert_eq!(rows.rules[2], (setup.rule, setup.repository));
    let changed = store.rule(setup.rule).await.unwrap();
    assert_eq!((changed.spec.code, changed.spec.skip_words), (setup.code, false));
    // What was pushed before counts as handled for a new rule.
    assert!(store.rule_ref(rows.rules[1].0, &branch("main")).await.unwrap().unwrap().handled.is_some());
    let setting: serde_json::Value = store.setting("application").await.unwrap().unwrap();
    assert_eq!(setting["concurrency"], 7);
}

#[tokio::test]
async fn an_import_that_fails_in_the_middle_changes_nothing() {
    let setup = setup().await;
    let store = &setup.store;
    let before = store.row_counts().await.unwrap();
    let mut taken = import(&setup);
    taken.rules[1].spec.name = "main".into();
    let error = store.import_configuration(&taken, at(5)).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { field: "spec.name" }), "{error:?}");
    let mut nowhere = import(&setup);
    nowhere.rules[2].code = RowRef::Imported(9);
    let error = store.import_configuration(&nowhere, at(5)).await.unwrap_err();
    assert!(matches!(error, StoreError::WrongState(_)), "{error:?}");
    let mut gone = import(&setup);
    gone.rules[2].id = Some(RuleId(999));
    let error = store.import_configuration(&gone, at(5)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
    assert_eq!(store.row_counts().await.unwrap(), before);
    assert_eq!(store.setting::<serde_json::Value>("application").await.unwrap(), None);
    assert!(store.rule(setup.rule).await.unwrap().spec.skip_words);
    // The store goes on.
    store.import_configuration(&import(&setup), at(6)).await.unwrap();
}
