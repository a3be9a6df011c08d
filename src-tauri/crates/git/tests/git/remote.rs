//! Fetching over HTTPS from the real `git http-backend`.

use crate::support::*;
use slipway_core::ErrorCode;
use slipway_core::code::{ChangedPaths, RefKind};
use slipway_core::ports::CodeStore;
use slipway_testkit::{GitRepository, GitServer, Login, PrivateCa};

async fn server() -> GitServer {
    GitServer::start(Some(PrivateCa::new()), None).await
}

#[tokio::test]
async fn a_private_repository_behind_an_own_ca_is_fetched_step_by_step() {
    let login = Login::new("ann", "p:ss wörd");
    let server = GitServer::start(Some(PrivateCa::new()), Some(login.clone())).await;
    let repository = GitRepository::new().await;
    let first = repository.write("a.txt", "one").commit("first").await;
    let url = server.publish("team/app.git", &repository).await;
    let access = at_server(&server, &url, Some(&login));
    let store = store();

    let refs = store.remote_refs(&access, None, &never()).await.unwrap();
    assert_eq!(refs.default_branch.as_ref().unwrap().short(), "main");
    assert_eq!(refs.refs.len(), 1);
    assert_eq!(store.fetch_branch(&access, "main").await, commit(&first));

    let second = repository.write("b/c.txt", "two").commit("second: add c\n\nlong text").await;
    repository.push("main").await;
    let _ = server.take_seen();
    assert_eq!(store.fetch_branch(&access, "main").await, commit(&second));
    assert!(server.take_seen().iter().all(|seen| seen.git_protocol.as_deref() == Some("version=2")));

    let details = store.commit(ID, &commit(&second)).await.unwrap();
    assert_eq!(details.summary, "second: add c");
    assert!(details.message.contains("long text"));
    assert_eq!((details.author.as_str(), details.author_email.as_str()), ("Ann", "ann@example.com"));
    assert_eq!(details.parents, [commit(&first)]);
    let changed = store.changed_paths(ID, &commit(&first), &commit(&second)).await.unwrap();
    assert_eq!(changed, ChangedPaths::Known { paths: vec!["b/c.txt".to_owned()] });
    // Nothing new: no pack is asked for.
    let _ = server.take_seen();
    store.fetch_branch(&access, "main").await;
    assert_eq!(server.take_seen().iter().filter(|seen| seen.target.ends_with("git-upload-pack")).count(), 2);
}

#[tokio::test]
async fn new_branch_force_push_and_deletion_are_seen() {
    let (server, repository, store) = (server().await, GitRepository::new().await, store());
    let first = repository.write("a", "1").commit("first").await;
    let second = repository.write("a", "2").commit("second").await;
    let url = server.publish("app.git", &repository).await;
    let access = at_server(&server, &url, None);
    store.fetch_branch(&access, "main").await;

    repository.branch("feature/x").await;
    let third = repository.write("b", "3").commit("third").await;
    repository.push("feature/x").await;
    assert_eq!(store.fetch_branch(&access, "feature/x").await, commit(&third));

    repository.switch("main").await;
    repository.git(&["reset", "--quiet", "--hard", &first]).await;
    let other = repository.write("a", "other").commit("rewritten").await;
    repository.push("main").await;
    assert_eq!(store.fetch_branch(&access, "main").await, commit(&other));
    // What was pushed over stays readable: a queued build may need it.
    assert_eq!(store.commit(ID, &commit(&second)).await.unwrap().summary, "second");

    repository.git(&["push", "--quiet", "origin", ":feature/x"]).await;
    let refs = store.remote_refs(&access, Some(&[branch("feature/x"), branch("main")]), &never()).await.unwrap();
    assert_eq!(refs.refs.iter().map(|found| found.name.short()).collect::<Vec<_>>(), ["main"]);
    let failure = store.fetch(ID, &access, &[branch("feature/x")], &never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RefNotFound);
    // A folder where a branch was.
    repository.git(&["push", "--quiet", "origin", "main:refs/heads/feature"]).await;
    assert_eq!(store.fetch_branch(&access, "feature").await, commit(&other));
}

#[tokio::test]
async fn a_tag_made_again_is_a_move_and_leads_to_its_commit() {
    let (server, repository, store) = (server().await, GitRepository::new().await, store());
    let first = repository.write("a", "1").commit("first").await;
    let old = repository.annotated_tag("v1", "one").await;
    let url = server.publish("app.git", &repository).await;
    let access = at_server(&server, &url, None);
    let refs = store.fetch(ID, &access, &[tag("v1")], &never()).await.unwrap();
    assert_eq!((refs.refs[0].object.clone(), refs.refs[0].commit.clone()), (commit(&old), Some(commit(&first))));
    assert_eq!(refs.refs[0].name.kind(), RefKind::Tag);

    repository.git(&["tag", "--delete", "v1"]).await;
    let new = repository.annotated_tag("v1", "again").await;
    repository.push("v1").await;
    let refs = store.fetch(ID, &access, &[tag("v1")], &never()).await.unwrap();
    assert_ne!(old, new);
    assert_eq!((refs.refs[0].object.clone(), refs.refs[0].commit.clone()), (commit(&new), Some(commit(&first))));
    assert_eq!(store.commit(ID, &commit(&new)).await.unwrap().id, commit(&first));

    // The tag's own id serves as well where a commit is fetched, from both kinds of places.
    for access in [at_server(&server, &url, None), of(&repository)] {
        store.remove_mirror(ID).await.unwrap();
        store.fetch_commit(ID, &access, &commit(&new), &never()).await.unwrap();
        assert_eq!(store.commit(ID, &commit(&new)).await.unwrap().id, commit(&first));
    }
    assert!(store.fetch(ID, &of(&repository), &[], &never()).await.unwrap().refs.is_empty());
}

#[tokio::test]
async fn t30_ref_names_in_any_shape_are_fetched_or_counted() {
    let (server, repository, store) = (server().await, GitRepository::new().await, store());
    repository.write("a", "1").commit("first").await;
    let long = "l".repeat(300);
    let good = ["feature/x", "$(x)", "it's", "\"quoted\"", "功能/测试", "Case", "case", "a;b|c&d", &long];
    let bare = server.path_of("app.git");
    let url = server.publish("app.git", &repository).await;
    let head = repository.head().await;
    // Names that files cannot have stand in packed-refs, as forges keep them.
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    let mut names: Vec<String> = good.iter().map(|name| format!("refs/heads/{name}")).collect();
    names.push("refs/heads/--upload-pack=x".to_owned());
    names.push("refs/heads/main".to_owned());
    names.sort();
    names.iter().for_each(|name| packed.push_str(&format!("{head} {name}\n")));
    std::fs::write(bare.join("packed-refs"), packed).unwrap();

    let access = at_server(&server, &url, None);
    let refs = store.remote_refs(&access, None, &never()).await.unwrap();
    assert_eq!(refs.unusable, 1);
    assert_eq!(refs.refs.len(), good.len() + 1);
    for name in good {
        assert_eq!(store.fetch_branch(&access, name).await, commit(&head), "{name}");
    }
    // The same through a local clone, whose files cannot be asked for so long a name.
    let seen = store.remote_refs(&local(&bare), None, &never()).await.unwrap();
    assert_eq!(seen.unusable, 2);
    assert!(seen.refs.iter().eq(refs.refs.iter().filter(|found| found.name.short() != long)));
}

#[tokio::test]
async fn an_empty_repository_has_no_refs_and_says_so_when_one_is_asked_for() {
    let (server, repository, store) = (server().await, GitRepository::new().await, store());
    let url = server.publish("empty.git", &repository).await;
    for access in [at_server(&server, &url, None), of(&repository)] {
        let refs = store.remote_refs(&access, None, &never()).await.unwrap();
        assert!(refs.refs.is_empty());
        assert_eq!(refs.default_branch.unwrap().short(), "main");
        let failure = store.fetch(ID, &access, &[branch("main")], &never()).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::SourceEmpty);
        let failure = store.fetch_commit(ID, &access, &commit(&"12".repeat(20)), &never()).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::SourceEmpty);
    }
}

#[tokio::test]
async fn a_commit_is_fetched_by_id_and_found_by_its_beginning() {
    let (server, repository, store) = (server().await, GitRepository::new().await, store());
    let first = repository.write("a", "1").commit("first").await;
    repository.write("a", "2").commit("second").await;
    let url = server.publish("app.git", &repository).await;
    let access = at_server(&server, &url, None);
    store.fetch_commit(ID, &access, &commit(&first), &never()).await.unwrap();
    assert_eq!(store.find_commit(ID, &first[..9]).await.unwrap(), commit(&first));
    assert_eq!(store.find_commit(ID, &first.to_uppercase()).await.unwrap(), commit(&first));
    for unknown in ["0000000", "abc", "main", "--all", "HEAD~1", ""] {
        assert_eq!(store.find_commit(ID, unknown).await.unwrap_err().code, ErrorCode::RefNotFound, "{unknown:?}");
    }
    let missing = commit(&"12".repeat(20));
    let failure = store.fetch_commit(ID, &access, &missing, &never()).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::RefNotFound);
    assert_eq!(store.changed_paths(ID, &missing, &commit(&first)).await.unwrap(), ChangedPaths::UnknownBase);
    assert_eq!(store.commit(ID, &missing).await.unwrap_err().code, ErrorCode::RefNotFound);
}

#[tokio::test]
async fn two_fetches_of_one_mirror_at_once_both_end_well() {
    let (server, repository, store) = (server().await, GitRepository::new().await, store());
    let head = repository.write("a", "1").commit("first").await;
    repository.branch("other").await;
    let other = repository.write("b", "1").commit("second").await;
    let url = server.publish("app.git", &repository).await;
    let access = at_server(&server, &url, None);
    let (a, b) = tokio::join!(store.fetch_branch(&access, "main"), store.fetch_branch(&access, "other"));
    assert_eq!((a, b), (commit(&head), commit(&other)));
}
