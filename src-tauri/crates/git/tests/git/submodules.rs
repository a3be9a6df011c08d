//! Submodules in contexts.

use crate::support::*;
use slipway_core::ErrorCode;
use slipway_core::ports::CodeStore;
use slipway_testkit::{GitRepository, GitServer, Login, PrivateCa};

async fn library() -> GitRepository {
    let library = GitRepository::new().await;
    library.write("lib.c", "library").commit("library").await;
    library
}

#[tokio::test]
async fn a_private_submodule_with_a_relative_address_comes_with_the_same_login() {
    let login = Login::new("ann", "secret");
    let server = GitServer::start(Some(PrivateCa::new()), Some(login.clone())).await;
    let (inner, library, repository, store) = (library().await, library().await, GitRepository::new().await, store());
    server.publish("team/inner.git", &inner).await;
    library.submodule("deep", "../inner.git", &inner).await;
    library.commit("with a submodule of its own").await;
    server.publish("team/lib.git", &library).await;
    repository.write("app.c", "app").submodule("third/lib", "../lib.git", &library).await;
    let head = commit(&repository.commit("with submodule").await);
    let url = server.publish("team/app.git", &repository).await;
    let access = at_server(&server, &url, Some(&login));
    store.fetch_branch(&access, "main").await;

    let context = store.context(&access, &head, "").await;
    assert_eq!(
        walk(&*context, ""),
        [
            ".gitmodules",
            "app.c",
            "third/",
            "third/lib/",
            "third/lib/.gitmodules",
            "third/lib/deep/",
            "third/lib/deep/lib.c",
            "third/lib/lib.c",
        ]
    );
    let file = context.list("third/lib/deep").unwrap().remove(0);
    assert_eq!(read(&*context, &file).unwrap(), b"library");
    // A context inside the submodule, and one that needs no submodule.
    let inside = store.context(&access, &head, "third/lib/deep").await;
    assert_eq!(walk(&*inside, ""), ["lib.c"]);
    assert!(store.list_folder(ID, &head, &path("third")).await.unwrap()[0].size.is_none());
}

#[tokio::test]
async fn t02_a_submodule_on_another_host_gets_no_login() {
    let login = Login::new("ann", "secret");
    let server = GitServer::start(Some(PrivateCa::new()), Some(login.clone())).await;
    let other = GitServer::start(Some(server.ca().unwrap().clone()), None).await;
    let (library, repository, store) = (library().await, GitRepository::new().await, store());
    let elsewhere = other.publish("lib.git", &library).await;
    repository.submodule("lib", &elsewhere, &library).await;
    let head = commit(&repository.commit("with submodule").await);
    let url = server.publish("app.git", &repository).await;
    let access = at_server(&server, &url, Some(&login));
    store.fetch_branch(&access, "main").await;
    let context = store.context(&access, &head, "").await;
    assert_eq!(walk(&*context, "lib"), ["lib/lib.c"]);
    let seen = other.take_seen();
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|request| request.authorization.is_none()));
}

#[tokio::test]
async fn a_clone_with_checked_out_submodules_needs_no_network() {
    let (library, repository, store) = (library().await, GitRepository::new().await, store());
    repository.submodule("lib", "https://no-such-host.invalid/lib.git", &library).await;
    let head = commit(&repository.commit("with submodule").await);
    store.fetch_branch(&of(&repository), "main").await;
    let context = store.context(&of(&repository), &head, "").await;
    assert_eq!(walk(&*context, ""), [".gitmodules", "lib/", "lib/lib.c"]);
}

#[tokio::test]
async fn t12_a_submodule_that_cannot_be_resolved_names_its_path() {
    let server = GitServer::start(Some(PrivateCa::new()), None).await;
    let (library, store) = (library().await, store());
    let reached = library.path().to_str().unwrap().to_owned();
    for (number, url) in
        ["../missing.git", "file:///etc", &reached, "ext::sh -c id", "../../../../x"].iter().enumerate()
    {
        let repository = GitRepository::new().await;
        repository.submodule("third/lib", url, &library).await;
        let head = commit(&repository.commit("with submodule").await);
        let at = server.publish(&format!("team/app{number}.git"), &repository).await;
        let access = at_server(&server, &at, None);
        store.fetch_commit(ID, &access, &head, &never()).await.unwrap();
        let failure = store.open_context(ID, &access, &head, &path(""), &never()).await.err().unwrap();
        assert_eq!(failure.code, ErrorCode::SubmoduleFailed, "{url}");
        assert_eq!(failure.details["path"], "third/lib", "{url}");
        // A folder without submodules is not concerned.
        let failure = store.open_context(ID, &access, &head, &path("other"), &never()).await.err().unwrap();
        assert_eq!(failure.code, ErrorCode::ContextMissing);
    }
}

#[tokio::test]
async fn a_gitlink_that_nothing_declares_is_an_empty_folder_as_in_a_checkout() {
    let (library, repository, store) = (library().await, GitRepository::new().await, store());
    repository.write("a", "1");
    repository.git(&["add", "--all"]).await;
    let pinned = library.head().await;
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{pinned},lost")]).await;
    repository.git(&["commit", "--quiet", "--message", "gitlink"]).await;
    let head = commit(&repository.head().await);
    store.fetch_branch(&of(&repository), "main").await;
    let context = store.context(&of(&repository), &head, "").await;
    assert_eq!(walk(&*context, ""), ["a", "lost/"]);
}
