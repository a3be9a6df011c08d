//! Mirrors on disk: damage, removal, and what stands in them.

use crate::support::*;
use slipway_core::ErrorCode;
use slipway_core::code::CommitId;
use slipway_core::ports::CodeStore;
use slipway_testkit::GitRepository;
use std::path::{Path, PathBuf};

async fn fetched() -> (GitRepository, TestStore, CommitId, PathBuf) {
    let (repository, store) = (GitRepository::new().await, store());
    for number in 0..3 {
        repository.write("a", format!("{number}")).commit("change").await;
    }
    let head = store.fetch_branch(&of(&repository), "main").await;
    let mirror = store.folder.path().join("mirrors/1.git");
    (repository, store, head, mirror)
}

fn packs(mirror: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(mirror.join("objects/pack")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "pack")).collect()
}

#[tokio::test]
async fn a_mirror_without_head_is_made_anew() {
    let (repository, store, head, mirror) = fetched().await;
    std::fs::remove_file(mirror.join("HEAD")).unwrap();
    assert_eq!(store.commit(ID, &head).await.unwrap_err().code, ErrorCode::MirrorDamaged);
    assert_eq!(store.fetch_branch(&of(&repository), "main").await, head);
    assert_eq!(store.commit(ID, &head).await.unwrap().id, head);
}

#[tokio::test]
async fn a_broken_pack_is_found_when_it_is_read_and_mended_by_the_next_fetch() {
    let (repository, store, head, mirror) = fetched().await;
    let pack = packs(&mirror).remove(0);
    let mut bytes = std::fs::read(&pack).unwrap();
    let middle = bytes.len() - 20;
    bytes[12..middle].fill(0xff);
    // Packs are read-only files: put another in the place.
    std::fs::remove_file(&pack).unwrap();
    std::fs::write(&pack, bytes).unwrap();
    let access = of(&repository);
    let failure = store.open_context(ID, &access, &head, &path(""), &never()).await.err().unwrap();
    assert_eq!(failure.code, ErrorCode::MirrorDamaged);
    store.fetch_commit(ID, &access, &head, &never()).await.unwrap();
    let context = store.context(&access, &head, "").await;
    assert_eq!(read(&*context, &context.list("").unwrap()[0]).unwrap(), b"2");
}

#[tokio::test]
async fn a_lost_pack_is_mended_too() {
    let (repository, store, head, mirror) = fetched().await;
    for pack in packs(&mirror) {
        std::fs::remove_file(pack.with_extension("idx")).unwrap();
        std::fs::remove_file(pack).unwrap();
    }
    assert_eq!(store.fetch_branch(&of(&repository), "main").await, head);
    assert_eq!(store.commit(ID, &head).await.unwrap().id, head);
}

#[tokio::test]
async fn a_removed_mirror_knows_nothing_and_can_be_fetched_again() {
    let (repository, store, head, mirror) = fetched().await;
    store.remove_mirror(ID).await.unwrap();
    store.remove_mirror(ID).await.unwrap();
    assert!(!mirror.exists());
    assert_eq!(store.commit(ID, &head).await.unwrap_err().code, ErrorCode::RefNotFound);
    assert_eq!(store.fetch_branch(&of(&repository), "main").await, head);
}

#[tokio::test]
async fn t12_a_mirror_has_no_hooks() {
    let (_repository, _store, _head, mirror) = fetched().await;
    assert!(!mirror.join("hooks").exists());
    assert!(std::fs::read_to_string(mirror.join("config")).unwrap().contains("hooksPath"));
}

#[tokio::test]
async fn many_small_packs_become_one_and_nothing_is_lost() {
    let (repository, store, first, mirror) = fetched().await;
    let before = store.context(&of(&repository), &first, "").await;
    let mut most = 0;
    for round in 0..42 {
        repository.write("a", format!("{round} one")).commit("one").await;
        repository.write("a", format!("{round} two")).commit("two").await;
        store.fetch_branch(&of(&repository), "main").await;
        most = most.max(packs(&mirror).len());
    }
    assert!(most < 42 && packs(&mirror).len() < 10, "{most} packs, {} at the end", packs(&mirror).len());
    let head = repository.head().await;
    let mirror = mirror.to_str().unwrap();
    repository.git(&["--git-dir", mirror, "fsck", "--full", "--strict"]).await;
    assert_eq!(repository.git(&["--git-dir", mirror, "rev-list", "--count", &head]).await, "87");
    // Who has the old commit open goes on reading.
    assert_eq!(read(&*before, &before.list("").unwrap()[0]).unwrap(), b"2");
}

#[tokio::test]
async fn f01_locks_that_a_killed_run_left_hold_up_nothing() {
    let (repository, before, _, mirror) = fetched().await;
    repository.write("a", "after the kill").commit("change").await;
    // As if it was killed while it wrote each of its refs.
    let mut folders = vec![mirror.join("refs")];
    let mut locks = vec![mirror.join("packed-refs.lock")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { locks.push(path.with_added_extension("lock")) }
        }
    }
    assert!(locks.len() > 1, "the mirror keeps what it fetched by refs");
    for lock in &locks {
        std::fs::write(lock, b"").unwrap();
    }
    let again = before.started_again();
    let head = again.fetch_branch(&of(&repository), "main").await;
    assert_eq!(again.commit(ID, &head).await.unwrap().id, head);
    assert!(locks.iter().all(|lock| !lock.exists()), "{locks:?}");
}
