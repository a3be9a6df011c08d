//! Watching the refs of a local clone.

use crate::support::*;
use slipway_core::ErrorCode;
use slipway_core::ports::CodeStore;
use slipway_testkit::GitRepository;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

async fn woken(wakes: &mut Receiver<()>, by: &str) {
    let wake = timeout(Duration::from_secs(20), wakes.recv()).await;
    assert_eq!(wake.unwrap_or_else(|_| panic!("{by} woke nobody")), Some(()), "{by}");
}

/// Lets everything that has happened so far arrive: a marker ref is made, and its wake is taken, until nothing waits.
async fn settle(repository: &GitRepository, wakes: &mut Receiver<()>) {
    repository.git(&["update-ref", "refs/heads/settle", "HEAD"]).await;
    woken(wakes, "the marker").await;
    repository.git(&["update-ref", "-d", "refs/heads/settle"]).await;
    woken(wakes, "the end of the marker").await;
    while timeout(Duration::from_millis(200), wakes.recv()).await.is_ok() {}
}

#[tokio::test]
async fn every_way_to_move_a_ref_wakes() {
    let (repository, store) = (GitRepository::new().await, store());
    let first = repository.write("a", "1").commit("first").await;
    let linked = repository.path().parent().unwrap().join("linked");
    repository.git(&["worktree", "add", "--quiet", "-b", "side", linked.to_str().unwrap()]).await;
    let linked_text = linked.to_str().unwrap().to_owned();
    for place in [repository.path().to_owned(), linked.clone()] {
        let mut wakes = store.watch(&local(&place)).await.unwrap();
        let steps: &[&[&str]] = &[
            &["commit", "--quiet", "--allow-empty", "-m", "commit"],
            &["reset", "--quiet", "--hard", &first],
            &["-C", &linked_text, "commit", "--quiet", "--allow-empty", "-m", "in the linked work tree"],
            &["merge", "--quiet", "--no-edit", "side"],
            &["branch", "feature/deep/er"],
            &["pack-refs", "--all", "--prune"],
            &["branch", "-D", "feature/deep/er"],
            &["tag", "v1"],
            &["tag", "-d", "v1"],
            &["push", "--quiet", ".", "main:received/x"],
            &["branch", "-D", "received/x"],
        ];
        for step in steps {
            repository.git(step).await;
            woken(&mut wakes, &step.join(" ")).await;
            settle(&repository, &mut wakes).await;
        }
    }
}

#[tokio::test]
async fn index_work_tree_and_remote_tracking_refs_wake_nobody() {
    let (repository, store) = (GitRepository::new().await, store());
    let head = repository.write("a", "1").commit("first").await;
    let mut wakes = store.watch(&of(&repository)).await.unwrap();
    settle(&repository, &mut wakes).await;
    // Nothing that happened before may come late.
    while timeout(Duration::from_secs(2), wakes.recv()).await.is_ok() {}
    repository.write("b", "2");
    repository.git(&["add", "b"]).await;
    repository.git(&["update-ref", "refs/remotes/origin/main", &head]).await;
    repository.git(&["config", "x.y", "z"]).await;
    // Silence is the expectation here: nothing may come while the files settle.
    assert!(timeout(Duration::from_millis(500), wakes.recv()).await.is_err());
}

#[tokio::test]
async fn a_burst_is_few_wakes_and_the_last_state_is_seen() {
    let (repository, store) = (GitRepository::new().await, store());
    let head = repository.write("a", "1").commit("first").await;
    let mut wakes = store.watch(&of(&repository)).await.unwrap();
    let mut commands = String::new();
    for number in 0..200 {
        commands.push_str(&format!("create refs/heads/b{number} {head}\n"));
    }
    std::fs::write(repository.path().join("commands"), commands).unwrap();
    repository.git(&["-c", "alias.many=!git update-ref --stdin < commands", "many"]).await;
    let mut count = 0;
    let mut refs = 0;
    while refs < 201 {
        woken(&mut wakes, "the burst").await;
        count += 1;
        refs = store.remote_refs(&of(&repository), None, &never()).await.unwrap().refs.len();
    }
    assert!(count < 50, "{count} wakes");
}

#[tokio::test]
async fn the_channel_closes_when_the_clone_goes_away() {
    let (repository, store) = (GitRepository::new().await, store());
    repository.write("a", "1").commit("first").await;
    let mut wakes = store.watch(&of(&repository)).await.unwrap();
    std::fs::remove_dir_all(repository.path()).unwrap();
    let closed = async { while wakes.recv().await.is_some() {} };
    assert!(timeout(Duration::from_secs(20), closed).await.is_ok());
}

#[tokio::test]
async fn a_folder_that_is_no_repository_cannot_be_watched() {
    let (folder, store) = (tempfile::TempDir::new().unwrap(), store());
    assert_eq!(store.watch(&local(folder.path())).await.unwrap_err().code, ErrorCode::BadCodeLocation);
    let remote = at_url("https://host/r.git", None, None);
    assert_eq!(store.watch(&remote).await.unwrap_err().code, ErrorCode::BadCodeLocation);
}
