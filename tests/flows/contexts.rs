//! The image's file system equals that of `docker buildx build` of a checkout, for contexts of many kinds.

use slipway_core::build::BuiltImage;
use slipway_core::code::{CodeAccess, CodeLocation, CommitId, RefName, RepoPath};
use slipway_core::ids::{BuildId, CodeRepositoryId};
use slipway_core::image::RegistryLogin;
use slipway_core::ports::{BuildEngine as _, CodeStore as _, Deadlines, EngineBuild, LoginSource};
use slipway_core::rule::BuildNetwork;
use slipway_engine::{DockerEngine, Transport, private_tag};
use slipway_flows::image_files;
use slipway_git::GitCodeStore;
use slipway_testkit::{BaseImage, Engine, GitRepository, TempDataDir};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

struct NoLogins;

#[async_trait::async_trait]
impl LoginSource for NoLogins {
    async fn login(&self, _host: &str) -> RegistryLogin {
        RegistryLogin::Anonymous
    }
}

/// Where a case builds: Dockerfile and build directory, relative to the repository.
struct Case {
    id: i64,
    dockerfile: &'static str,
    context: &'static str,
}

const PLAIN: Case = Case { id: 0, dockerfile: "Dockerfile", context: "" };

fn copy_all(base: &BaseImage) -> String {
    format!("FROM {}\nCOPY . /ctx/\n", base.reference())
}

/// Builds the head commit with Slipway's own client, straight from git objects.
async fn build_ours(engine: &Engine, code: &GitRepository, case: &Case) -> BuiltImage {
    let folder = TempDataDir::new();
    let store =
        GitCodeStore::new(folder.path().join("mirrors"), folder.path().join("known_hosts"), Deadlines::default());
    let access =
        CodeAccess { location: CodeLocation::LocalClone { path: code.path().to_owned() }, password: None, proxy: None };
    let (id, cancel) = (CodeRepositoryId(1), CancellationToken::new());
    store.fetch(id, &access, &[RefName::branch("main").unwrap()], &cancel).await.unwrap();
    let commit = CommitId::new(code.head().await).unwrap();
    let context = RepoPath::new(case.context).unwrap();
    let dockerfile = RepoPath::new(case.dockerfile).unwrap();
    let ignore = RepoPath::new(&format!("{}.dockerignore", case.dockerfile)).unwrap();
    let request = EngineBuild {
        build: BuildId(case.id),
        shared_key: format!("contexts-{}", case.id),
        context: store.open_context(id, &access, &commit, &context, &cancel).await.unwrap(),
        dockerfile: store.read_file(id, &commit, &dockerfile, 1 << 20).await.unwrap().unwrap(),
        dockerfile_name: case.dockerfile.to_owned(),
        dockerfile_ignore: store.read_file(id, &commit, &ignore, 1 << 20).await.unwrap(),
        args: Vec::new(),
        secrets: Vec::new(),
        target: None,
        labels: Vec::new(),
        platforms: Vec::new(),
        no_cache: true,
        always_pull: false,
        network: BuildNetwork::Default,
        logins: Arc::new(NoLogins),
    };
    let transport = Transport::open(engine.endpoint(), None, false).unwrap();
    let docker = DockerEngine::new(transport, None, Deadlines::default()).unwrap();
    let (events, mut seen) = tokio::sync::mpsc::channel(64);
    let drained = tokio::spawn(async move { while seen.recv().await.is_some() {} });
    let built = docker.build(request, events, &cancel).await.unwrap();
    drained.await.unwrap();
    built
}

/// Builds a fresh checkout of the head commit with `docker buildx build`, submodules included.
async fn build_theirs(engine: &Engine, code: &GitRepository, case: &Case, tag: &str) {
    let folder = TempDataDir::new();
    let checkout = folder.path().join("checkout");
    let source = code.path().to_str().unwrap();
    let clone = ["-c", "protocol.file.allow=always", "clone", "--quiet", "--recurse-submodules", source];
    code.git(&[clone.as_slice(), &[checkout.to_str().unwrap()]].concat()).await;
    // The context is the commit's bytes; git's own folder is no part of them.
    std::fs::remove_dir_all(checkout.join(".git")).unwrap();
    let output = tokio::process::Command::new("docker")
        .args(["-H", engine.endpoint(), "buildx", "build", "--no-cache", "--load", "--label", "slipway.test=contexts"])
        .args(["--tag", tag, "--file"])
        .arg(checkout.join(case.dockerfile))
        .arg(checkout.join(case.context))
        .env("DOCKER_CONFIG", docker_config_with_buildx().await)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "docker buildx build: {}", String::from_utf8_lossy(&output.stderr));
}

/// The peer comes from Debian trixie's package; the script prints the `DOCKER_CONFIG` that holds it.
async fn docker_config_with_buildx() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/engine");
    let output = tokio::process::Command::new(script).arg("buildx").stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "scripts/engine buildx: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn check_equal(name: &str, code: &GitRepository, case: Case) {
    let engine = Engine::require().await;
    code.commit(name).await;
    let ours = build_ours(&engine, code, &case).await;
    let theirs = format!("slipway-test/contexts:{name}");
    build_theirs(&engine, code, &case, &theirs).await;
    let (mine, peers) = (image_files(&engine, &ours.id.0).await, image_files(&engine, &theirs).await);
    engine.docker_ok(&["rmi", &private_tag(BuildId(case.id)), &theirs]).await;
    let context: Vec<_> = mine.keys().filter(|path| path.starts_with(b"ctx/")).collect();
    assert!(!context.is_empty(), "{name}: nothing of the context is in the image");
    for (path, file) in &peers {
        assert_eq!(mine.get(path), Some(file), "{name}: {}", String::from_utf8_lossy(path));
    }
    assert_eq!(mine.len(), peers.len(), "{name}: ours has more paths");
}

async fn code() -> (GitRepository, BaseImage) {
    let engine = Engine::require().await;
    (GitRepository::new().await, BaseImage::busybox(&engine).await)
}

#[tokio::test]
async fn modes_and_symbolic_links() {
    let (code, base) = code().await;
    code.write("Dockerfile", copy_all(&base)).write("plain", "p").write_executable("bin/run", "#!/bin/sh\n");
    code.symlink("link", "plain").symlink("bin/up", "../plain").symlink("dangling", "nowhere").symlink("dir", "bin");
    check_equal("modes", &code, Case { id: 9_001, ..PLAIN }).await;
}

#[tokio::test]
async fn names_in_several_scripts() {
    let (code, base) = code().await;
    code.write("Dockerfile", copy_all(&base));
    for name in [
        "文档/说明.txt",
        "Füße",
        "привет мир",
        "日本語",
        "emoji 🚢",
        "quote'\"s",
        "star*",
        "a\\b",
        "-dash",
        "~t",
        "#x",
        "!y",
    ] {
        code.write(name, name);
    }
    check_equal("names", &code, Case { id: 9_002, ..PLAIN }).await;
}

#[tokio::test]
async fn an_ignore_file_with_exceptions() {
    let (code, base) = code().await;
    code.write("Dockerfile", copy_all(&base))
        .write(".dockerignore", "# all but\n*\n!src\nsrc/**/*.tmp\n!src/keep.tmp\n!README*\n");
    for name in
        ["a", "src/a", "src/x.tmp", "src/keep.tmp", "src/deep/y.tmp", "src/deep/z", "README.md", "doc/README.md"]
    {
        code.write(name, name);
    }
    check_equal("ignore", &code, Case { id: 9_003, ..PLAIN }).await;
}

#[tokio::test]
async fn an_ignored_folder_with_a_file_taken_back() {
    let (code, base) = code().await;
    code.write("Dockerfile", copy_all(&base)).write(".dockerignore", "node_modules\n!node_modules/keep\n**/.cache\n");
    for name in ["node_modules/z", "node_modules/keep/a", "app/.cache/x", "app/y", ".cache/q"] {
        code.write(name, name);
    }
    check_equal("taken-back", &code, Case { id: 9_004, ..PLAIN }).await;
}

#[tokio::test]
async fn an_ignore_file_of_the_dockerfile_wins() {
    let (code, base) = code().await;
    code.write("docker/web.Dockerfile", copy_all(&base))
        .write("docker/web.Dockerfile.dockerignore", "secret\n")
        .write(".dockerignore", "public\n")
        .write("secret", "s")
        .write("public", "p");
    check_equal("own-ignore", &code, Case { id: 9_005, dockerfile: "docker/web.Dockerfile", context: "" }).await;
}

#[tokio::test]
async fn a_folder_that_an_ignore_file_empties() {
    let (code, base) = code().await;
    code.write("Dockerfile", copy_all(&base)).write(".dockerignore", "empty/*\n");
    code.write("empty/a", "a").write("empty/b/c", "c").write("kept/d", "d");
    check_equal("emptied", &code, Case { id: 9_006, ..PLAIN }).await;
}

#[tokio::test]
async fn large_and_empty_files() {
    let (code, base) = code().await;
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    code.write("Dockerfile", copy_all(&base)).write("large.bin", large).write("empty", "").write("nul", b"\0\0\0");
    check_equal("large", &code, Case { id: 9_007, ..PLAIN }).await;
}

#[tokio::test]
async fn a_build_directory_with_the_dockerfile_outside() {
    let (code, base) = code().await;
    code.write("build/Dockerfile", copy_all(&base)).write("app/a", "a").write("app/sub/b", "b").write("other", "o");
    code.write("app/.dockerignore", "sub\n").write(".dockerignore", "app\n");
    check_equal("directory", &code, Case { id: 9_008, dockerfile: "build/Dockerfile", context: "app" }).await;
}

#[tokio::test]
async fn submodules_inside_submodules() {
    let (code, base) = code().await;
    let (inner, outer) = (GitRepository::new().await, GitRepository::new().await);
    inner.write("deep.txt", "deep").commit("inner").await;
    outer
        .write_executable("tool", "#!/bin/sh\n")
        .submodule("third/inner", inner.path().to_str().unwrap(), &inner)
        .await;
    outer.commit("outer").await;
    code.write("Dockerfile", copy_all(&base)).submodule("vendor/outer", outer.path().to_str().unwrap(), &outer).await;
    code.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive"]).await;
    // A checkout has git's own files where a submodule begins; neither builder should be told about them.
    code.write(".dockerignore", "**/.git\n");
    check_equal("submodules", &code, Case { id: 9_009, ..PLAIN }).await;
}

#[tokio::test]
async fn attributes_change_no_byte() {
    let (code, base) = code().await;
    code.git(&["config", "core.autocrlf", "false"]).await;
    code.write("Dockerfile", copy_all(&base)).write("crlf.txt", "a\r\nb\r\n").write("lf.txt", "a\nb\n");
    code.write(".gitattributes", "hidden export-ignore\n").write("hidden", "h");
    check_equal("attributes", &code, Case { id: 9_010, ..PLAIN }).await;
}

#[tokio::test]
async fn wildcards_links_and_single_files_in_copy() {
    let (code, base) = code().await;
    code.write(
        "Dockerfile",
        format!(
            "FROM {} AS files\nCOPY *.txt src/?.c /ctx/flat/\nCOPY link/in /ctx/through\nCOPY --chmod=0600 one /ctx/one\n\
             FROM {}\nCOPY --from=files /ctx /ctx\nADD two /ctx/two/\n",
            base.reference(),
            base.reference()
        ),
    );
    for name in ["a.txt", "b.txt", "c.md", "src/a.c", "src/bb.c", "real/in", "one", "two/x"] {
        code.write(name, name);
    }
    code.symlink("link", "real");
    check_equal("wildcards", &code, Case { id: 9_011, ..PLAIN }).await;
}

#[tokio::test]
async fn many_small_files_in_order() {
    let (code, base) = code().await;
    code.write("Dockerfile", copy_all(&base));
    for n in 0..1500 {
        code.write(&format!("d{}/a{}/f{n}", n % 7, n % 31), format!("{n}"));
    }
    for name in ["x/y", "x-/y", "x.z/y", "x0/y"] {
        code.write(name, "order");
    }
    check_equal("many", &code, Case { id: 9_012, ..PLAIN }).await;
}
