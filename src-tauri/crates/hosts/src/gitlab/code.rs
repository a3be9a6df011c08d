//! Refs, commits and folders. A project is named by its path as one escaped segment.

use super::Gitlab;
use crate::github::host_ref;
use crate::provider::Code;
use crate::session::{Session, commit_details, ref_not_found};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::code::{CommitDetails, CommitId, RefKind, RepoPath, TreeEntry, TreeEntryKind};
use slipway_core::host::{HostRef, Page, PageMark, RepositoryPath};

/// A folder of more than two thousand entries is cut in the picker.
const MOST_PAGES: usize = 20;

#[derive(Deserialize)]
struct Named {
    name: String,
    commit: Option<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Commit {
    id: String,
    #[serde(default)]
    message: String,
    author_name: Option<String>,
    author_email: Option<String>,
    committed_date: Option<DateTime<Utc>>,
    #[serde(default)]
    parent_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    r#type: String,
    #[serde(default)]
    mode: String,
}

#[async_trait]
impl Code for Gitlab {
    async fn refs(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
    ) -> Result<Page<HostRef>, Failure> {
        let asked = match (page, kind) {
            (Some(page), _) => session.next(page),
            (None, RefKind::Branch) => {
                session.get(&["projects", &path.0, "repository", "branches"]).query("per_page", "100")
            }
            (None, RefKind::Tag) => session
                .get(&["projects", &path.0, "repository", "tags"])
                .query("order_by", "updated")
                .query("sort", "desc")
                .query("per_page", "100"),
        };
        let asked = if search.is_empty() || page.is_some() { asked } else { asked.query("search", search) };
        let answer = asked.send().await?;
        let rows: Vec<Named> = answer.json()?;
        let refs = rows.into_iter().filter_map(|row| host_ref(kind, &row.name, row.commit.map(|commit| commit.id)));
        Ok(Page { items: refs.collect(), next: answer.next_link() })
    }

    async fn commit(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        revision: &str,
    ) -> Result<CommitDetails, Failure> {
        let asked = session.get(&["projects", &path.0, "repository", "commits", revision]).send().await;
        let commit: Commit = asked.map_err(|failure| ref_not_found(failure, revision))?.json()?;
        let author = (commit.author_name.unwrap_or_default(), commit.author_email.unwrap_or_default());
        commit_details(commit.id, commit.message, author, commit.committed_date, commit.parent_ids.into_iter())
    }

    async fn list_folder(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        commit: &CommitId,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure> {
        let mut entries = Vec::new();
        let mut asked = session
            .get(&["projects", &path.0, "repository", "tree"])
            .query("path", folder.as_str())
            .query("ref", commit.as_str())
            .query("per_page", "100");
        for _ in 0..MOST_PAGES {
            let answer = asked.send().await?;
            entries.extend(answer.json::<Vec<Entry>>()?.into_iter().map(entry));
            let Some(next) = answer.next_link() else { break };
            asked = session.next(&next);
        }
        Ok(entries)
    }
}

fn entry(one: Entry) -> TreeEntry {
    let kind = match (one.r#type.as_str(), one.mode.as_str()) {
        ("tree", _) => TreeEntryKind::Folder,
        ("commit", _) => TreeEntryKind::Submodule,
        (_, "120000") => TreeEntryKind::Symlink,
        (_, "100755") => TreeEntryKind::Executable,
        _ => TreeEntryKind::File,
    };
    TreeEntry { name: one.name, kind, size: None }
}
