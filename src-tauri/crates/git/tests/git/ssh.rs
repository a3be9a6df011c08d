//! Code over SSH, with a real sshd and the real ssh program.

use crate::support::*;
use slipway_core::code::{CodeAccess, CodeLocation};
use slipway_core::ports::{CodeStore, Deadlines};
use slipway_core::{ErrorCode, Failure};
use slipway_git::GitCodeStore;
use slipway_testkit::{GitRepository, SshServer, eventually};
use std::ffi::OsString;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

fn access(url: &str) -> CodeAccess {
    CodeAccess { location: CodeLocation::Ssh { url: url.to_owned() }, password: None, proxy: None }
}

fn user_with(program: impl Into<OsString>, deadlines: Deadlines) -> TestStore {
    let folder = TempDir::new().unwrap();
    let (mirrors, known_hosts) = (folder.path().join("mirrors"), folder.path().join("known hosts"));
    TestStore { store: GitCodeStore::with_ssh_program(program.into(), mirrors, known_hosts, deadlines), folder }
}

fn user_of(server: &SshServer) -> TestStore {
    user_with(server.program(), Deadlines::default())
}

async fn asked(store: &TestStore, url: &str) -> Result<usize, Failure> {
    store.remote_refs(&access(url), None, &never()).await.map(|refs| refs.refs.len())
}

async fn refused(store: &TestStore, url: &str) -> Failure {
    asked(store, url).await.unwrap_err()
}

/// A server that the user knows, and a repository on it.
async fn known(new_protocol: bool) -> (SshServer, GitRepository, String) {
    let (server, repository) = (SshServer::start(new_protocol).await, GitRepository::new().await);
    server.make_known().await;
    repository.write("a", "1").commit("first").await;
    let url = server.publish("app.git", &repository).await;
    (server, repository, url)
}

#[tokio::test]
async fn branches_tags_and_pushes_come_with_either_protocol() {
    for new_protocol in [true, false] {
        let (server, repository, url) = known(new_protocol).await;
        let store = user_of(&server);
        let first = commit(&repository.head().await);
        assert_eq!(store.fetch_branch(&access(&url), "main").await, first);
        let tag_object = repository.annotated_tag("v1", "one").await;
        repository.push("v1").await;
        let second = commit(&repository.write("b", "2").commit("second").await);
        repository.push("main").await;
        let refs = store.remote_refs(&access(&url), None, &never()).await.unwrap();
        assert_eq!(refs.default_branch.unwrap().short(), "main");
        let tag = refs.refs.iter().find(|one| one.name.short() == "v1").unwrap();
        assert_eq!((tag.object.as_str(), tag.commit.as_ref()), (tag_object.as_str(), Some(&first)));
        assert_eq!(store.fetch_branch(&access(&url), "main").await, second);
        assert_eq!(walk(&*store.context(&access(&url), &second, "").await, ""), ["a", "b"]);
        // By its id, in a mirror that has nothing; and one that is not there.
        let fresh = user_of(&server);
        fresh.fetch_commit(ID, &access(&url), &first, &never()).await.unwrap();
        assert_eq!(fresh.commit(ID, &first).await.unwrap().summary, "first");
        let missing = fresh.fetch_commit(ID, &access(&url), &commit(&"12".repeat(20)), &never()).await.unwrap_err();
        assert_eq!(missing.code, ErrorCode::RefNotFound, "{missing}");
        let empty = server.publish("empty.git", &GitRepository::new().await).await;
        assert_eq!(asked(&store, &empty).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn t02_an_unknown_host_key_is_asked_for_once_and_kept_beside_the_users_own_list() {
    let (server, _repository, url) = known(false).await;
    std::fs::write(server.home("known_hosts"), "# the user's own\n").unwrap();
    let store = user_of(&server);
    let failure = refused(&store, &url).await;
    assert_eq!(failure.code, ErrorCode::SshHostKeyUnknown, "{failure}");
    let shown = server.fingerprint().await;
    assert_eq!((failure.details["key_type"].as_str(), &failure.details["fingerprint"]), ("ED25519", &shown));
    assert!(!server.log().contains("Accepted"), "nothing was offered before a person confirmed");

    let other = store.trust_host_key(&access(&url), "SHA256:another", &never()).await.unwrap_err();
    assert_eq!((other.code, &other.details["fingerprint"]), (ErrorCode::SshHostKeyUnknown, &shown));
    assert_eq!(refused(&store, &url).await.code, ErrorCode::SshHostKeyUnknown);
    store.trust_host_key(&access(&url), &shown, &never()).await.unwrap();
    assert_eq!(asked(&store, &url).await.unwrap(), 1);
    // Confirmed again, nothing happens.
    store.trust_host_key(&access(&url), &shown, &never()).await.unwrap();
    assert_eq!(std::fs::read_to_string(store.folder.path().join("known hosts")).unwrap().lines().count(), 1);
    assert_eq!(std::fs::read_to_string(server.home("known_hosts")).unwrap(), "# the user's own\n");
}

#[tokio::test]
async fn t02_a_changed_host_key_is_refused_and_cannot_be_confirmed() {
    let (mut server, _repository, url) = known(true).await;
    let store = user_of(&server);
    assert_eq!(asked(&store, &url).await.unwrap(), 1);
    let before = std::fs::read(server.home("known_hosts")).unwrap();
    server.change_host_key().await;
    // Whatever the user's configuration allows.
    server.configure("StrictHostKeyChecking no\n");
    let failure = refused(&store, &url).await;
    assert_eq!(failure.code, ErrorCode::SshHostKeyChanged, "{failure}");
    let now = server.fingerprint().await;
    assert_eq!(failure.details["fingerprint"], now);
    assert!(failure.details["known_in"].contains("known_hosts:1"), "{failure}");
    let confirmed = store.trust_host_key(&access(&url), &now, &never()).await.unwrap_err();
    assert_eq!(confirmed.code, ErrorCode::SshHostKeyChanged);
    assert_eq!(refused(&store, &url).await.code, ErrorCode::SshHostKeyChanged);
    assert_eq!(std::fs::read(server.home("known_hosts")).unwrap(), before);
}

#[tokio::test]
async fn keys_that_are_refused_or_locked_are_told_apart() {
    let (mut server, _repository, url) = known(true).await;
    let store = user_of(&server);
    server.authorize_nobody();
    let failure = refused(&store, &url).await;
    assert_eq!(failure.code, ErrorCode::SshKeyRefused, "{failure}");
    assert!(failure.details["identities"].contains("id_ed25519"), "{failure}");
    server.authorize();
    server.hold_key_in_agent().await;
    server.lock_key().await;
    assert_eq!(asked(&store, &url).await.unwrap(), 1, "the agent holds it");
    server.configure("");
    let failure = refused(&store, &url).await;
    assert_eq!(failure.code, ErrorCode::SshKeyLocked, "{failure}");
    assert!(failure.details["identities"].contains("id_ed25519"), "{failure}");
}

#[tokio::test]
async fn aliases_jumps_and_ports_are_those_of_the_users_configuration() {
    let (server, repository, url) = known(true).await;
    let store = user_of(&server);
    let (_, path) = url.split_once(':').unwrap();
    assert_eq!(asked(&store, &format!("inner:{path}")).await.unwrap(), 1, "through ProxyJump");
    assert_eq!(asked(&store, &format!("ssh://box{path}")).await.unwrap(), 1);
    let config = std::fs::read_to_string(server.home("config")).unwrap();
    // What would disturb the talk, or lend something to the host, does not apply.
    server.configure("RemoteCommand id\nRequestTTY force\nForwardAgent yes\nLogLevel QUIET\nControlMaster auto\n");
    assert_ne!(std::fs::read_to_string(server.home("config")).unwrap(), config);
    assert_eq!(store.fetch_branch(&access(&url), "main").await, commit(&repository.head().await));
    server.configure("NoSuchWord yes\n");
    let failure = refused(&store, &url).await;
    assert_eq!(failure.code, ErrorCode::SshFailed);
    assert!(failure.message.contains("nosuchword"), "{failure}");
}

#[tokio::test]
async fn each_other_end_has_its_own_failure() {
    let (mut server, _repository, url) = known(true).await;
    let store = user_of(&server);
    for (url, code) in [
        (server.url_of("missing.git"), ErrorCode::SourceNotFound),
        ("closed:app.git".to_owned(), ErrorCode::SourceUnreachable),
        ("git@no-such-host.invalid:app.git".to_owned(), ErrorCode::SourceUnreachable),
        ("ssh://-oProxyCommand=id/app.git".to_owned(), ErrorCode::BadCodeLocation),
        ("ext::sh -c id".to_owned(), ErrorCode::BadCodeLocation),
        ("file:///etc".to_owned(), ErrorCode::BadCodeLocation),
    ] {
        let failure = refused(&store, &url).await;
        assert_eq!(failure.code, code, "{url}: {failure}");
    }
    let without = user_with(server.home("no-such-program"), Deadlines::default());
    assert_eq!(refused(&without, &url).await.code, ErrorCode::SshMissing);
    server.stop().await;
    assert_eq!(refused(&store, &url).await.code, ErrorCode::SourceUnreachable);
}

#[tokio::test]
async fn a_host_that_hangs_ends_at_the_deadline_or_when_cancelled_and_leaves_no_process() {
    let (server, _repository, url) = known(true).await;
    server.freeze();
    let brief = user_with(server.program(), Deadlines { request: Duration::from_secs(1), ..Deadlines::default() });
    let failure = refused(&brief, &url).await;
    assert!(matches!(failure.code, ErrorCode::TimedOut | ErrorCode::SourceUnreachable), "{failure}");
    let (store, cancel) = (user_of(&server), CancellationToken::new());
    let (place, stop) = (access(&url), cancel.clone());
    let asking = tokio::spawn(async move { store.remote_refs(&place, None, &stop).await });
    let config = server.home("config");
    eventually("ssh runs", Duration::from_secs(10), async || if runs_with(&config) { Ok(()) } else { Err("not yet") })
        .await;
    cancel.cancel();
    assert_eq!(asking.await.unwrap().unwrap_err().code, ErrorCode::Cancelled);
    eventually(
        "no ssh is left",
        Duration::from_secs(10),
        async || {
            if runs_with(&config) { Err("one is") } else { Ok(()) }
        },
    )
    .await;
}

fn runs_with(config: &std::path::Path) -> bool {
    let config = config.to_str().unwrap();
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == config.as_bytes())
    })
}

#[tokio::test]
async fn a_private_submodule_at_the_same_host_comes_with_the_same_keys() {
    let (server, repository, _) = known(false).await;
    let library = GitRepository::new().await;
    library.write("lib.c", "library").commit("library").await;
    let absolute = server.publish("lib.git", &library).await;
    repository.submodule("third/relative", "../lib.git", &library).await;
    repository.submodule("third/absolute", &absolute, &library).await;
    let head = commit(&repository.commit("with submodules").await);
    repository.push("main").await;
    let (store, url) = (user_of(&server), server.url_of("app.git"));
    store.fetch_branch(&access(&url), "main").await;
    let context = store.context(&access(&url), &head, "third").await;
    assert_eq!(walk(&*context, ""), ["absolute/", "absolute/lib.c", "relative/", "relative/lib.c"]);
}

#[tokio::test]
async fn t02_t12_submodules_elsewhere_get_no_key_and_nothing_of_a_repository_runs() {
    let (server, repository, _) = known(true).await;
    let sentinel = server.home("sentinel");
    let touch = format!("touch {}", sentinel.display());
    let (store, url) = (user_of(&server), server.url_of("app.git"));
    let library = GitRepository::new().await;
    library.write("lib.c", "library").commit("library").await;
    for elsewhere in ["git@inner:lib.git", "ext::sh -c touch% sentinel", "file:///etc", "ssh://-oProxyCommand=x/lib"] {
        repository.submodule("lib", elsewhere, &library).await;
        let head = commit(&repository.commit("with submodule").await);
        repository.push("main").await;
        store.fetch_branch(&access(&url), "main").await;
        let failure = store.open_context(ID, &access(&url), &head, &path(""), &never()).await.err().unwrap();
        assert_eq!(failure.code, ErrorCode::SubmoduleFailed, "{elsewhere}: {failure}");
        repository.git(&["rm", "--quiet", "--force", "lib"]).await;
        std::fs::remove_dir_all(repository.path().join(".git/modules/lib")).unwrap();
    }
    // A clone whose configuration and hooks would run something when git read it.
    library.submodule("lib", "../lib.git", &repository).await;
    let head = commit(&library.commit("with submodule").await);
    std::fs::remove_dir_all(library.path().join(".git/modules")).unwrap();
    let origin = server.url_of("other.git");
    library.git(&["remote", "add", "origin", &origin]).await;
    for (name, value) in [("core.sshCommand", &touch), ("core.fsmonitor", &touch), ("core.gitProxy", &touch)] {
        library.git(&["config", name, value]).await;
    }
    let hook = library.path().join(".git/hooks/post-checkout");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\n{touch}\n")).unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    store.fetch_commit(ID, &of(&library), &head, &never()).await.unwrap();
    let failure = store.open_context(ID, &of(&library), &head, &path(""), &never()).await.err().unwrap();
    assert_eq!((failure.code, failure.details["cause"].as_str()), (ErrorCode::SubmoduleFailed, "source_not_found"));
    assert!(!sentinel.exists(), "something of a repository ran");
}
