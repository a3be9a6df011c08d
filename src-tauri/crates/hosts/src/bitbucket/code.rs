//! Refs, commits and folders.

use super::{Bitbucket, Values, quoted};
use crate::github::host_ref;
use crate::lists::MOST_PAGES;
use crate::provider::Code;
use crate::session::{Session, commit_details, owner_and_name, ref_not_found};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::code::{CommitDetails, CommitId, RefKind, RepoPath, TreeEntry, TreeEntryKind};
use slipway_core::host::{HostRef, Page, PageMark, RepositoryPath};

#[derive(Deserialize)]
struct Named {
    name: String,
    target: Option<Hash>,
}

#[derive(Deserialize)]
struct Hash {
    hash: String,
}

#[derive(Deserialize)]
struct Commit {
    hash: String,
    #[serde(default)]
    message: String,
    date: Option<DateTime<Utc>>,
    author: Option<Author>,
    #[serde(default)]
    parents: Vec<Hash>,
}

#[derive(Deserialize)]
struct Author {
    /// `Name <address>`
    #[serde(default)]
    raw: String,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    r#type: String,
    size: Option<u64>,
    #[serde(default)]
    attributes: Vec<String>,
}

#[async_trait]
impl Code for Bitbucket {
    async fn refs(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
    ) -> Result<Page<HostRef>, Failure> {
        let (workspace, name) = owner_and_name(path)?;
        let list = if kind == RefKind::Branch { "branches" } else { "tags" };
        let asked = match page {
            Some(page) => session.next(page),
            None => {
                let asked = session
                    .get(&["repositories", workspace, name, "refs", list])
                    .query("sort", "-target.date")
                    .query("pagelen", "100");
                if search.is_empty() { asked } else { asked.query("q", &format!("name~{}", quoted(search))) }
            }
        };
        let answer = asked.send().await?;
        let page: Values<Named> = answer.json()?;
        let next = page.next(&answer);
        let refs = page.values.into_iter();
        let refs = refs.filter_map(|row| host_ref(kind, &row.name, row.target.map(|target| target.hash)));
        Ok(Page { items: refs.collect(), next })
    }

    async fn commit(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        revision: &str,
    ) -> Result<CommitDetails, Failure> {
        let (workspace, name) = owner_and_name(path)?;
        let asked = session.get(&["repositories", workspace, name, "commit", revision]).send().await;
        let commit: Commit = asked.map_err(|failure| ref_not_found(failure, revision))?.json()?;
        let author = person(&commit.author.map(|author| author.raw).unwrap_or_default());
        commit_details(commit.hash, commit.message, author, commit.date, commit.parents.into_iter().map(|one| one.hash))
    }

    async fn list_folder(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        commit: &CommitId,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure> {
        let (workspace, name) = owner_and_name(path)?;
        let parts = folder.as_str().split('/').filter(|part| !part.is_empty());
        let segments: Vec<&str> =
            ["repositories", workspace, name, "src", commit.as_str()].into_iter().chain(parts).collect();
        // Without the slash at the end a folder's address may be taken for a file's.
        let mut asked = session.get(&segments).with_slash().query("pagelen", "100");
        let mut entries = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = asked.send().await?;
            let page: Values<Entry> = answer.json()?;
            let next = page.next(&answer);
            entries.extend(page.values.into_iter().map(entry));
            let Some(next) = next else { break };
            asked = session.next(&next);
        }
        Ok(entries)
    }
}

fn entry(one: Entry) -> TreeEntry {
    let has = |attribute: &str| one.attributes.iter().any(|given| given == attribute);
    let kind = match one.r#type.as_str() {
        "commit_directory" => TreeEntryKind::Folder,
        _ if has("subrepository") => TreeEntryKind::Submodule,
        _ if has("link") => TreeEntryKind::Symlink,
        _ if has("executable") => TreeEntryKind::Executable,
        _ => TreeEntryKind::File,
    };
    let path = one.path.trim_end_matches('/');
    TreeEntry { name: path.rsplit('/').next().unwrap_or(path).to_owned(), kind, size: one.size }
}

/// Splits `Name <address>`.
fn person(raw: &str) -> (String, String) {
    match raw.split_once('<') {
        Some((name, rest)) => (name.trim().to_owned(), rest.trim_end_matches('>').trim().to_owned()),
        None => (raw.trim().to_owned(), String::new()),
    }
}
