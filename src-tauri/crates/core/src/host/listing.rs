//! Owners, repositories, branches and tags, page by page.

use crate::code::{CommitId, RefName};
use crate::{ErrorCode, Failure};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where the next page begins, as the host means it. Opaque; checked again before it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct PageMark(pub String);

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is on it, in the host's order.
    pub items: Vec<T>,
    /// Where the next one begins; `None` at the end.
    pub next: Option<PageMark>,
}

/// What a repository belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// The person's own account.
    Own,
    /// An organization (GitHub, Gitee, Gitea), a workspace (Bitbucket).
    Organization,
    /// A group with its sub-groups (GitLab).
    Group,
    /// An enterprise (Gitee).
    Enterprise,
    /// A project (CODING).
    Project,
}

/// One choice in the list of organizations and groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HostOwner {
    /// The host's id.
    pub id: String,
    /// Its path in addresses (`acme`, `acme/platform`).
    pub path: String,
    /// The name for people.
    pub name: String,
    /// What it is.
    pub kind: OwnerKind,
}

/// A repository's path at its host (`owner/name`, with more parts at GitLab and CODING).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct RepositoryPath(pub String);

impl std::fmt::Display for RepositoryPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryQuery {
    /// Whose.
    pub owner: HostOwner,
    /// Part of the name; empty for all.
    pub search: String,
    /// Where to go on.
    pub page: Option<PageMark>,
}

/// A repository at a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HostRepository {
    /// The host's id: the same after a rename or a move.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its path at the host.
    pub path: RepositoryPath,
    /// Not everybody may see it.
    pub private: bool,
    /// Short name of the default branch; `None` while it is empty or when the list does not say.
    pub default_branch: Option<String>,
    /// Read-only for everybody.
    pub archived: bool,
    /// Address for cloning over HTTPS (HTTP on a host that was consented to).
    pub clone_url: String,
    /// Address for cloning over SSH, where there is one.
    pub ssh_url: Option<String>,
    /// Its page.
    pub web_url: String,
    /// The last push (on Gitea and Bitbucket: the last change of any kind), where the list says.
    pub pushed_at: Option<DateTime<Utc>>,
}

impl HostRepository {
    /// Tells a repository that answers from another place than it was asked for: renamed or moved. Hosts do not tell upper
    /// from lower case in paths.
    ///
    /// # Errors
    /// [`ErrorCode::SourceMoved`] with the new path in `path`.
    pub fn check_place(&self, asked: &RepositoryPath) -> Result<(), Failure> {
        if self.path.0.to_lowercase() == asked.0.to_lowercase() {
            return Ok(());
        }
        let why = format!("{asked} is {} now", self.path);
        Err(Failure::new(ErrorCode::SourceMoved, why).with("path", self.path.0.as_str()))
    }
}

/// A branch or tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct HostRef {
    /// Its full name.
    pub name: RefName,
    /// Its commit (of an annotated tag: the commit behind it), where the host tells.
    pub commit: Option<CommitId>,
}
