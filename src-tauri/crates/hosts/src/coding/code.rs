//! Refs, commits and folders.

use super::{Coding, act};
use crate::github::host_ref;
use crate::provider::Code;
use crate::session::{Session, commit_details, ref_not_found};
use crate::transport::page_number;
use async_trait::async_trait;
use chrono::DateTime;
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::code::{CommitDetails, CommitId, RefKind, RepoPath, TreeEntry, TreeEntryKind};
use slipway_core::host::{HostRef, Page, PageMark, RepositoryPath};

const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Branches {
    #[serde(default)]
    branches: Vec<Branch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Branch {
    branch_name: String,
    sha: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    #[serde(default)]
    git_tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    tag_name: String,
    commit: Option<TagCommit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagCommit {
    sha: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    git_commit: Commit,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Commit {
    sha: String,
    #[serde(default)]
    short_message: String,
    author_name: Option<String>,
    author_email: Option<String>,
    /// Milliseconds.
    #[serde(default)]
    commit_date: i64,
    #[serde(default)]
    parents: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Items {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Item {
    name: String,
    #[serde(default)]
    mode: String,
}

#[async_trait]
impl Code for Coding {
    async fn refs(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
    ) -> Result<Page<HostRef>, Failure> {
        let page = page_number(page);
        // Tags count with `Page`, branches with `PageNumber`.
        let number = if kind == RefKind::Branch { "PageNumber" } else { "Page" };
        let parameters = serde_json::json!({ "DepotPath": path.0, "KeyWord": search, number: page, "PageSize": PAGE });
        let rows: Vec<(String, Option<String>)> = if kind == RefKind::Branch {
            let found: Branches = act(session, "DescribeGitBranches", parameters).await?;
            found.branches.into_iter().map(|one| (one.branch_name, one.sha)).collect()
        } else {
            let found: Tags = act(session, "DescribeGitTags", parameters).await?;
            found.git_tags.into_iter().map(|one| (one.tag_name, one.commit.and_then(|commit| commit.sha))).collect()
        };
        let next = (rows.len() == PAGE).then(|| PageMark((page + 1).to_string()));
        Ok(Page { items: rows.into_iter().filter_map(|(name, sha)| host_ref(kind, &name, sha)).collect(), next })
    }

    async fn commit(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        revision: &str,
    ) -> Result<CommitDetails, Failure> {
        let parameters = serde_json::json!({ "DepotPath": path.0, "Sha": revision });
        let found: Result<Found, Failure> = act(session, "DescribeGitCommitInfo", parameters).await;
        let commit = found.map_err(|failure| ref_not_found(failure, revision))?.git_commit;
        let author = (commit.author_name.unwrap_or_default(), commit.author_email.unwrap_or_default());
        let at = DateTime::from_timestamp_millis(commit.commit_date);
        commit_details(commit.sha, commit.short_message, author, at, commit.parents.into_iter())
    }

    async fn list_folder(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        commit: &CommitId,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure> {
        let parameters = serde_json::json!({ "DepotPath": path.0, "Path": folder.as_str(), "Ref": commit.as_str() });
        let found: Items = act(session, "DescribeGitFiles", parameters).await?;
        Ok(found.items.into_iter().map(entry).collect())
    }
}

/// `Mode` is a word in some answers and git's number in others.
fn entry(one: Item) -> TreeEntry {
    let kind = match one.mode.as_str() {
        "tree" | "040000" | "40000" => TreeEntryKind::Folder,
        "commit" | "160000" => TreeEntryKind::Submodule,
        "sym_link" | "link" | "120000" => TreeEntryKind::Symlink,
        "executable" | "100755" => TreeEntryKind::Executable,
        _ => TreeEntryKind::File,
    };
    TreeEntry { name: one.name, kind, size: None }
}
