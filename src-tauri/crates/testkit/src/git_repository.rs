//! A git repository made step by step with the real git program, apart from the user's configuration.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use tokio::process::Command;

/// 2026-01-01T00:00:00Z: the first commit's time. Each next one is a minute later, so that commit ids repeat from run to run.
const FIRST_COMMIT_SECONDS: i64 = 1_767_225_600;

/// A repository with a working tree and the branch `main`.
#[derive(Debug)]
pub struct GitRepository {
    path: PathBuf,
    commits: AtomicI64,
    // Kept for its Drop, which removes the folder.
    _folder: Option<TempDir>,
}

impl GitRepository {
    /// Makes an empty repository in a temporary folder.
    pub async fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut repository = Self::at(folder.path().join("repository")).await;
        repository._folder = Some(folder);
        repository
    }

    /// Makes an empty repository in `path`, which stays when this is dropped.
    pub async fn at(path: impl Into<PathBuf>) -> Self {
        let repository = Self { path: path.into(), commits: AtomicI64::new(0), _folder: None };
        std::fs::create_dir_all(&repository.path).expect("the repository's folder can be made");
        repository.git(&["init", "--quiet", "--initial-branch=main", "."]).await;
        repository
    }

    /// Returns the folder of the working tree.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs git in the working tree and returns its trimmed output. Panics with git's error text when it fails.
    pub async fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(arguments).await;
        assert!(
            output.status.success(),
            "git {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs git in the working tree and returns what it said, whatever its exit status.
    pub async fn try_git(&self, arguments: &[&str]) -> Output {
        let time = format!("{} +0000", FIRST_COMMIT_SECONDS + 60 * self.commits.load(Ordering::Relaxed));
        let mut command = Command::new("git");
        isolate(&mut command);
        command
            .args(arguments)
            .current_dir(&self.path)
            .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@example.com")])
            .envs([("GIT_COMMITTER_NAME", "Ann"), ("GIT_COMMITTER_EMAIL", "ann@example.com")])
            .envs([("GIT_AUTHOR_DATE", &time), ("GIT_COMMITTER_DATE", &time)])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap_or_else(|error| panic!("the git program is missing ({error}): run `make setup`"))
    }

    /// Writes a file of the working tree; folders on the way are made. The next commit takes it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.made(path);
        std::fs::write(path, content).expect("the file can be written");
        self
    }

    /// Writes a file that may be executed.
    #[cfg(unix)]
    pub fn write_executable(&self, path: &str, content: impl AsRef<[u8]>) -> &Self {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(path, content);
        std::fs::set_permissions(self.path.join(path), std::fs::Permissions::from_mode(0o755))
            .expect("the file's mode can be set");
        self
    }

    /// Makes a symbolic link with exactly this target, which need not exist.
    #[cfg(unix)]
    pub fn symlink(&self, path: &str, target: &str) -> &Self {
        std::os::unix::fs::symlink(target, self.made(path)).expect("the link can be made");
        self
    }

    /// Removes a file of the working tree.
    pub fn remove(&self, path: &str) -> &Self {
        std::fs::remove_file(self.path.join(path)).expect("the file can be removed");
        self
    }

    /// Commits everything in the working tree, an empty change too, and returns the commit id.
    pub async fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]).await;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]).await;
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.head().await
    }

    /// Returns the commit id of the branch that is checked out.
    pub async fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).await
    }

    /// Makes a branch at the current commit and checks it out.
    pub async fn branch(&self, name: &str) {
        self.git(&["switch", "--quiet", "--create", name]).await;
    }

    /// Checks out a branch that exists.
    pub async fn switch(&self, name: &str) {
        self.git(&["switch", "--quiet", name]).await;
    }

    /// Makes a plain tag at the current commit.
    pub async fn tag(&self, name: &str) {
        self.git(&["tag", name]).await;
    }

    /// Makes an annotated tag at the current commit and returns the tag object's id, which is not the commit's.
    pub async fn annotated_tag(&self, name: &str, message: &str) -> String {
        self.git(&["tag", "--annotate", "--message", message, name]).await;
        self.git(&["rev-parse", &format!("refs/tags/{name}")]).await
    }

    /// Adds a submodule at `path`. `url` is written to `.gitmodules` as it is; its commits are taken from `source`.
    pub async fn submodule(&self, path: &str, url: &str, source: &GitRepository) {
        let source = source.path.to_str().expect("temporary paths are UTF-8");
        self.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, path]).await;
        self.git(&["config", "--file", ".gitmodules", &format!("submodule.{path}.url"), url]).await;
    }

    /// Copies this repository to a bare one at `path`, as a server holds it.
    pub async fn publish_to(&self, path: &Path) {
        let path = path.to_str().expect("temporary paths are UTF-8");
        self.git(&["clone", "--quiet", "--bare", ".", path]).await;
        self.git(&["--git-dir", path, "config", "http.receivepack", "true"]).await;
        self.git(&["--git-dir", path, "config", "uploadpack.allowAnySHA1InWant", "true"]).await;
        self.git(&["remote", "add", "origin", path]).await;
    }

    /// Pushes a ref to the bare repository of [`Self::publish_to`], by force.
    pub async fn push(&self, reference: &str) {
        self.git(&["push", "--quiet", "--force", "origin", reference]).await;
    }

    fn made(&self, path: &str) -> PathBuf {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        path
    }
}

/// Keeps the user's and the system's git configuration, hooks and prompts out of a git command.
pub(crate) fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command.envs([
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ASKPASS", ""),
        ("LC_ALL", "C"),
    ]);
}
