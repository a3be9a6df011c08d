use slipway_testkit::{GitRepository, GitServer, GitServerMood, Login, PrivateCa};

async fn sample() -> GitRepository {
    let repository = GitRepository::new().await;
    repository
        .write("site/index.html", "hello world\n")
        .write_executable("run.sh", "#!/bin/sh\n")
        .symlink("link", "run.sh");
    repository.commit("first").await;
    repository
}

#[tokio::test]
async fn modes_links_and_commit_ids_are_the_same_every_time() {
    let (one, two) = (sample().await, sample().await);
    assert_eq!(one.head().await, two.head().await);
    let modes = one.git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD"]).await;
    assert_eq!(modes, "120000 link\n100755 run.sh\n100644 site/index.html");
}

#[tokio::test]
async fn branches_tags_and_submodules_are_made() {
    let part = sample().await;
    let whole = sample().await;
    whole.branch("release").await;
    whole.submodule("parts/one", "../part.git", &part).await;
    let commit = whole.commit("with a part").await;
    whole.tag("v1").await;
    let tag = whole.annotated_tag("v2", "second").await;
    assert_ne!(tag, commit);
    assert_eq!(
        whole.git(&["rev-parse", "v1", "v2^{commit}", "release"]).await,
        format!("{commit}\n{commit}\n{commit}")
    );
    let entry = whole.git(&["ls-tree", "HEAD", "parts/one"]).await;
    assert!(entry.starts_with(&format!("160000 commit {}", part.head().await)), "{entry}");
    assert_eq!(whole.git(&["config", "--file", ".gitmodules", "submodule.parts/one.url"]).await, "../part.git");
}

#[tokio::test]
async fn plain_http_serves_protocol_two_and_what_is_pushed_later() {
    let server = GitServer::start(None, None).await;
    let repository = sample().await;
    let url = server.publish("team/app.git", &repository).await;
    let first = repository.head().await;
    assert_eq!(repository.git(&["ls-remote", &url, "refs/heads/main"]).await, format!("{first}\trefs/heads/main"));
    assert_eq!(server.take_seen()[0].git_protocol.as_deref(), Some("version=2"));

    repository.write("site/index.html", "changed\n");
    let second = repository.commit("second").await;
    repository.push("main").await;
    assert_eq!(repository.git(&["ls-remote", &url, "refs/heads/main"]).await, format!("{second}\trefs/heads/main"));

    let other = GitRepository::new().await;
    other.git(&["fetch", "--quiet", &url, "main"]).await;
    assert_eq!(other.git(&["rev-parse", "FETCH_HEAD"]).await, second);
}

#[tokio::test]
async fn https_needs_the_private_ca_and_the_login() {
    let server = GitServer::start(Some(PrivateCa::new()), Some(Login::new("ann", "pa ss"))).await;
    let repository = sample().await;
    let url = server.publish("app.git", &repository).await;
    assert!(!repository.try_git(&["ls-remote", &url]).await.status.success(), "an unknown CA is not trusted");

    let ca = repository.path().join(".git/ca.pem");
    server.ca().unwrap().write_to(&ca);
    let trust = format!("http.sslCAInfo={}", ca.display());
    let output = repository.try_git(&["-c", &trust, "ls-remote", &url]).await;
    assert!(!output.status.success(), "nobody reads without a login");

    let with_login = url.replacen("https://", "https://ann:pa%20ss@", 1);
    let refs = repository.git(&["-c", &trust, "ls-remote", &with_login, "refs/heads/main"]).await;
    assert!(refs.starts_with(&repository.head().await), "{refs}");
}

#[tokio::test]
async fn moods_refuse_redirect_and_record() {
    let (server, elsewhere) = (GitServer::start(None, None).await, GitServer::start(None, None).await);
    let repository = sample().await;
    let url = server.publish("app.git", &repository).await;
    server.set_mood(GitServerMood::Refuse(503));
    let refused = repository.try_git(&["ls-remote", &url]).await;
    assert!(String::from_utf8_lossy(&refused.stderr).contains("503"), "{refused:?}");

    elsewhere.publish("app.git", &repository_copy(&repository).await).await;
    server.set_mood(GitServerMood::RedirectTo(elsewhere.url()));
    let refs = repository.git(&["ls-remote", &url, "refs/heads/main"]).await;
    assert!(refs.starts_with(&repository.head().await), "{refs}");
    assert!(!elsewhere.take_seen().is_empty());

    server.set_mood(GitServerMood::Stall);
    let waited = std::time::Duration::from_millis(300);
    assert!(tokio::time::timeout(waited, repository.try_git(&["ls-remote", &url])).await.is_err(), "it answered");
}

async fn repository_copy(original: &GitRepository) -> GitRepository {
    let copy = GitRepository::new().await;
    copy.git(&["pull", "--quiet", original.path().to_str().unwrap(), "main"]).await;
    copy
}
