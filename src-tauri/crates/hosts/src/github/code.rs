//! Refs, commits and folders.

use super::Github;
use crate::provider::Code;
use crate::session::{Session, owner_and_name, ref_not_found};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::code::{CommitDetails, CommitId, RefKind, RefName, RepoPath, TreeEntry, TreeEntryKind};
use slipway_core::host::{HostRef, Page, PageMark, RepositoryPath};
use slipway_core::{ErrorCode, Failure};

#[derive(Deserialize)]
struct Sha {
    sha: String,
}

/// A row of `/branches` and `/tags`.
#[derive(Deserialize)]
struct Named {
    name: String,
    commit: Sha,
}

/// A row of `/git/matching-refs`.
#[derive(Deserialize)]
struct Matching {
    r#ref: String,
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    sha: String,
    r#type: String,
}

#[derive(Deserialize)]
pub(crate) struct Commit {
    sha: String,
    commit: CommitBody,
    #[serde(default)]
    parents: Vec<Parent>,
}

#[derive(Deserialize)]
struct Parent {
    sha: String,
}

#[derive(Deserialize)]
struct CommitBody {
    #[serde(default)]
    message: String,
    author: Option<Person>,
    committer: Option<Person>,
}

#[derive(Deserialize, Default)]
struct Person {
    name: Option<String>,
    email: Option<String>,
    date: Option<DateTime<Utc>>,
}

impl Commit {
    /// Makes the details; Gitee and Gitea answer in the same shape.
    pub(crate) fn details(self) -> Result<CommitDetails, Failure> {
        let author = self.commit.author.unwrap_or_default();
        let committed_at = self.commit.committer.and_then(|person| person.date).or(author.date);
        crate::session::commit_details(
            self.sha,
            self.commit.message,
            (author.name.unwrap_or_default(), author.email.unwrap_or_default()),
            committed_at,
            self.parents.into_iter().map(|parent| parent.sha),
        )
    }
}

/// An entry of `/contents`; Gitee and Gitea answer in the same shape.
#[derive(Deserialize)]
pub(crate) struct Content {
    name: String,
    r#type: String,
    size: Option<u64>,
    /// A submodule says `file` and has no download address, but the address of its own git.
    submodule_git_url: Option<String>,
}

impl From<Content> for TreeEntry {
    fn from(one: Content) -> Self {
        let kind = match one.r#type.as_str() {
            "dir" => TreeEntryKind::Folder,
            "symlink" => TreeEntryKind::Symlink,
            "submodule" => TreeEntryKind::Submodule,
            _ if one.submodule_git_url.is_some() => TreeEntryKind::Submodule,
            _ => TreeEntryKind::File,
        };
        Self { name: one.name, kind, size: one.size.filter(|_| kind == TreeEntryKind::File) }
    }
}

#[async_trait]
impl Code for Github {
    async fn refs(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
    ) -> Result<Page<HostRef>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let (list, prefix) = match kind {
            RefKind::Branch => ("branches", "heads"),
            RefKind::Tag => ("tags", "tags"),
        };
        let asked = match page {
            Some(page) => session.next(page),
            None if search.is_empty() => session.get(&["repos", owner, name, list]),
            // The prefix is part of the path, slashes included.
            None => {
                let segments: Vec<&str> = ["repos", owner, name, "git", "matching-refs", prefix]
                    .into_iter()
                    .chain(search.split('/').filter(|part| !part.is_empty()))
                    .collect();
                session.get(&segments)
            }
        };
        let asked = if page.is_some() { asked } else { asked.query("per_page", "100") };
        let answer = asked.send().await?;
        let refs: Vec<HostRef> = if search.is_empty() {
            let rows: Vec<Named> = answer.json()?;
            rows.into_iter().filter_map(|row| host_ref(kind, &row.name, Some(row.commit.sha))).collect()
        } else {
            let rows: Vec<Matching> = answer.json()?;
            rows.into_iter()
                .filter_map(|row| {
                    // The object of an annotated tag is not the commit yet.
                    let commit = CommitId::new(row.object.sha).ok().filter(|_| row.object.r#type == "commit");
                    Some(HostRef { name: RefName::new(row.r#ref).ok()?, commit })
                })
                .collect()
        };
        Ok(Page { items: refs, next: answer.next_link() })
    }

    async fn commit(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        revision: &str,
    ) -> Result<CommitDetails, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let answer = session.get(&["repos", owner, name, "commits", revision]).send().await;
        answer.map_err(|failure| ref_not_found(failure, revision))?.json::<Commit>()?.details()
    }

    async fn list_folder(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        commit: &CommitId,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let parts = folder.as_str().split('/').filter(|part| !part.is_empty());
        let segments: Vec<&str> = ["repos", owner, name, "contents"].into_iter().chain(parts).collect();
        let json: serde_json::Value = session.get(&segments).query("ref", commit.as_str()).read().await?;
        contents(json, folder)
    }
}

/// Reads `/contents`: a list is a folder, an object is a file.
pub(crate) fn contents(json: serde_json::Value, folder: &RepoPath) -> Result<Vec<TreeEntry>, Failure> {
    let rows: Vec<Content> = serde_json::from_value(json).map_err(|_| {
        Failure::new(ErrorCode::BadRepositoryPath, format!("{folder} is no folder")).with("path", folder.as_str())
    })?;
    Ok(rows.into_iter().map(TreeEntry::from).collect())
}

/// Makes a ref; one with a name that git would not allow is left out.
pub(crate) fn host_ref(kind: RefKind, short: &str, commit: Option<String>) -> Option<HostRef> {
    let name = match kind {
        RefKind::Branch => RefName::branch(short),
        RefKind::Tag => RefName::tag(short),
    };
    Some(HostRef { name: name.ok()?, commit: commit.and_then(|sha| CommitId::new(sha).ok()) })
}
