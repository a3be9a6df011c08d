//! Code: where it comes from, its refs and commits.

use crate::ids::SecretId;
use crate::{ErrorCode, Failure};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where a code repository lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CodeLocation {
    /// Any Git URL over HTTPS (plain HTTP only after an explicit consent).
    GitUrl {
        /// The URL without user information: a login never travels inside a URL.
        url: String,
        /// User name, when the repository is private.
        username: Option<String>,
        /// The password or token, sealed.
        password: Option<SecretId>,
        /// Certificates of an own authority, PEM.
        ca_pem: Option<String>,
        /// The user agreed to plain HTTP for this source.
        allow_plain_http: bool,
    },
    /// A repository over SSH, with the user's own configuration, agent and keys.
    Ssh {
        /// `user@host:path` or `ssh://…` as [`crate::ssh::SshAddress`] checks it; the host may be an alias.
        url: String,
    },
    /// A clone on this machine; a push there is any move of `refs/heads/*` or `refs/tags/*`.
    LocalClone {
        /// The clone's folder as the user chose it (work tree or bare).
        path: PathBuf,
    },
}

/// What is needed to reach a code repository now: its place with the password already opened.
#[derive(Debug, Clone)]
pub struct CodeAccess {
    /// Where it lives.
    pub location: CodeLocation,
    /// The opened password or token; bound to the location's exact scheme, host and port.
    pub password: Option<crate::Secret>,
    /// Proxy for this host, when one applies.
    pub proxy: Option<crate::network::Proxy>,
}

/// A full ref name (`refs/heads/main`), checked by git's rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct RefName(String);

/// What a ref is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RefKind {
    /// `refs/heads/…`
    Branch,
    /// `refs/tags/…`
    Tag,
}

impl RefName {
    /// Checks a full ref name: under `refs/heads/` or `refs/tags/`, and legal by `git check-ref-format`.
    ///
    /// # Errors
    /// [`ErrorCode::BadRefName`] with the rule that is broken.
    pub fn new(full: impl Into<String>) -> Result<Self, Failure> {
        let full = full.into();
        let short = full
            .strip_prefix("refs/heads/")
            .or_else(|| full.strip_prefix("refs/tags/"))
            .ok_or_else(|| Failure::new(ErrorCode::BadRefName, format!("{full:?} is neither a branch nor a tag")))?;
        check_ref_format(short).map_err(|why| Failure::new(ErrorCode::BadRefName, format!("{full:?}: {why}")))?;
        Ok(Self(full))
    }

    /// Makes a branch's ref from its short name.
    ///
    /// # Errors
    /// As [`RefName::new`].
    pub fn branch(short: &str) -> Result<Self, Failure> {
        Self::new(format!("refs/heads/{short}"))
    }

    /// Makes a tag's ref from its short name.
    ///
    /// # Errors
    /// As [`RefName::new`].
    pub fn tag(short: &str) -> Result<Self, Failure> {
        Self::new(format!("refs/tags/{short}"))
    }

    /// Returns the full name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name without `refs/heads/` or `refs/tags/`.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.strip_prefix("refs/heads/").or_else(|| self.0.strip_prefix("refs/tags/")).unwrap_or(&self.0)
    }

    /// Returns whether it is a branch or a tag.
    #[must_use]
    pub fn kind(&self) -> RefKind {
        if self.0.starts_with("refs/tags/") { RefKind::Tag } else { RefKind::Branch }
    }
}

impl std::fmt::Display for RefName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RefName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(Failure::into_de_error)
    }
}

/// The rules of `git check-ref-format`, for the part after `refs/heads/` or `refs/tags/`.
fn check_ref_format(short: &str) -> Result<(), &'static str> {
    if short.is_empty() {
        return Err("it is empty");
    }
    if short.starts_with('-') {
        return Err("it begins with a dash and could be read as an option");
    }
    if short.len() > 1024 {
        return Err("it is longer than 1024 bytes");
    }
    if short.starts_with('/') || short.ends_with('/') || short.contains("//") {
        return Err("it has an empty part");
    }
    if short.ends_with('.') || short.contains("..") || short.contains("@{") || short == "@" {
        return Err("it holds a sequence that git reserves");
    }
    if short.chars().any(|c| c.is_control() || " ~^:?*[\\".contains(c)) {
        return Err("it holds a character that git forbids");
    }
    if short.split('/').any(|part| part.starts_with('.') || part.ends_with(".lock")) {
        return Err("a part begins with a dot or ends in .lock");
    }
    Ok(())
}

/// A commit's (or other object's) full id in lower-case hex: 40 digits (SHA-1) or 64 (SHA-256).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct CommitId(String);

impl CommitId {
    /// Checks a full object id.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] when it is not 40 or 64 hex digits.
    pub fn new(hex: impl Into<String>) -> Result<Self, Failure> {
        let hex = hex.into().to_ascii_lowercase();
        if matches!(hex.len(), 40 | 64) && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(hex))
        } else {
            Err(Failure::new(ErrorCode::InvalidField, format!("{hex:?} is no full commit id")))
        }
    }

    /// Returns all digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first seven digits.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

impl std::fmt::Display for CommitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for CommitId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(Failure::into_de_error)
    }
}

/// One ref at the remote, as seen now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RemoteRef {
    /// Its name.
    pub name: RefName,
    /// What the ref points at: the commit, or the tag object of an annotated tag (so that a re-created tag is a move).
    pub object: CommitId,
    /// The commit behind it, where the remote told (peeled tags); for branches the same as `object`.
    pub commit: Option<CommitId>,
}

/// All branches and tags of a remote (or those that were asked for), as seen now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RemoteRefs {
    /// The branch that HEAD names, when the remote says so.
    pub default_branch: Option<RefName>,
    /// Branches and tags, sorted by name. Names that are illegal by [`RefName::new`] are left out and counted.
    pub refs: Vec<RemoteRef>,
    /// How many refs had names that cannot be used.
    pub unusable: usize,
}

/// What is shown about a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CommitDetails {
    /// Its id.
    pub id: CommitId,
    /// First line of the message.
    pub summary: String,
    /// The whole message (for skip words), at most 64 KiB.
    pub message: String,
    /// The author's name.
    pub author: String,
    /// The author's address.
    pub author_email: String,
    /// The commit time.
    pub committed_at: DateTime<Utc>,
    /// First parent first.
    pub parents: Vec<CommitId>,
}

/// A path inside a repository: relative, `/` between parts, no `.`/`..`/empty parts. The root is the empty path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct RepoPath(String);

impl RepoPath {
    /// The repository's root.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Cleans and checks what a person typed: `./a//b/` becomes `a/b`; empty, `.` and `./` are the root.
    ///
    /// # Errors
    /// [`ErrorCode::BadRepositoryPath`] for an absolute path, a backslash, a drive, `..`, a control character, or `.git`.
    pub fn new(typed: &str) -> Result<Self, Failure> {
        let bad = |why: &str| {
            Err(Failure::new(ErrorCode::BadRepositoryPath, format!("{typed:?}: {why}")).with("path", typed))
        };
        if typed.starts_with('/') {
            return bad("a path inside the repository is relative, it does not begin with a slash");
        }
        if typed.contains('\\') {
            return bad("parts of a path are separated by a slash, not a backslash");
        }
        if typed.chars().any(char::is_control) {
            return bad("it holds a control character");
        }
        if typed.len() > 4096 {
            return bad("it is longer than 4096 bytes");
        }
        let mut parts = Vec::new();
        for part in typed.split('/') {
            match part {
                "" | "." => {}
                ".." => return bad("it leaves the repository with .."),
                other if other.eq_ignore_ascii_case(".git") => return bad("it goes into git's own folder"),
                other if parts.is_empty() && other.len() == 2 && other.ends_with(':') => {
                    return bad("it names a drive");
                }
                other => parts.push(other),
            }
        }
        Ok(Self(parts.join("/")))
    }

    /// Returns the path's text; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true for the repository's root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the part after the last slash.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or("")
    }

    /// Returns the folder that holds it; the root for a top-level name.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self(self.0.rsplit_once('/').map(|(parent, _)| parent.to_owned()).unwrap_or_default())
    }

    /// Returns this path with one more part; the part is taken from a git tree and is not checked again.
    #[must_use]
    pub fn join(&self, part: &str) -> Self {
        if self.0.is_empty() { Self(part.to_owned()) } else { Self(format!("{}/{part}", self.0)) }
    }
}

impl std::fmt::Display for RepoPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(Failure::into_de_error)
    }
}

/// One entry of a folder in a commit's tree, for the pickers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TreeEntry {
    /// Its name inside the folder.
    pub name: String,
    /// What it is.
    pub kind: TreeEntryKind,
    /// Size in bytes, for files.
    pub size: Option<u64>,
}

/// What a tree entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TreeEntryKind {
    /// A regular file.
    File,
    /// A regular file with the exec bit.
    Executable,
    /// A symbolic link.
    Symlink,
    /// A folder.
    Folder,
    /// A submodule.
    Submodule,
}

/// The paths that differ between two commits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangedPaths {
    /// Every path that was added, removed or changed (a rename counts as both names).
    Known {
        /// The paths.
        paths: Vec<String>,
    },
    /// The base is unknown (force-push, gc): path filters cannot decide and the build runs.
    UnknownBase,
}
