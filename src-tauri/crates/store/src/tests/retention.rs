//! Retention rules and how their runs went.

use super::{at, setup};
use crate::CopiedTag;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::Tag;
use slipway_core::retention::{RetentionRule, RetentionRun};
use slipway_core::{ErrorCode, Failure};

#[tokio::test]
async fn a_rule_and_its_last_run_are_kept_apart_and_go_with_the_repository() {
    let s = setup().await;
    assert_eq!(s.store.retention(s.repository).await.unwrap(), None);
    // A person may remove by a rule that is not saved.
    let run = RetentionRun { at: at(1), by_person: true, removed: 3, left: 0, refused: None, failure: None };
    s.store.note_retention_run(s.repository, &run).await.unwrap();
    assert!(s.store.retention_rules().await.unwrap().is_empty());
    let rule = RetentionRule {
        keep_newest: Some(5),
        keep_days: None,
        keep_pattern: Some("v.*".into()),
        include_foreign: false,
    };
    s.store.save_retention(s.repository, Some(&rule), at(2)).await.unwrap();
    let copied = CopiedTag { tag: Tag::new("v1").unwrap(), from: "x".into(), digest: None, image: None, content: None };
    s.store.record_copy(s.repository, &copied, true, at(3)).await.unwrap();
    let [known] = s.store.retention_rules().await.unwrap().try_into().unwrap();
    assert_eq!((known.rule.as_ref(), known.saved_at, known.pushed_at), (Some(&rule), at(2), Some(at(3))));
    assert_eq!(known.last_run, Some(run.clone()));

    let failed = RetentionRun { failure: Some(Failure::new(ErrorCode::RegistryUnsupported, "no")), at: at(4), ..run };
    s.store.note_retention_run(s.repository, &failed).await.unwrap();
    s.store.save_retention(s.repository, None, at(5)).await.unwrap();
    let off = s.store.retention(s.repository).await.unwrap().unwrap();
    assert_eq!((off.rule, off.saved_at, off.last_run), (None, at(5), Some(failed.clone())));

    let nowhere = ImageRepositoryId(s.repository.0 + 99);
    s.store.save_retention(nowhere, None, at(6)).await.unwrap_err();
    s.store.note_retention_run(nowhere, &failed).await.unwrap();
    assert_eq!(s.store.retention(nowhere).await.unwrap(), None);
    s.store.delete_image_repository(s.repository).await.unwrap();
    assert_eq!(s.store.retention(s.repository).await.unwrap(), None);
}
