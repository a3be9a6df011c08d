//! Refs, commits and folders.

use super::Gitea;
use crate::github::{Commit, contents, host_ref};
use crate::provider::Code;
use crate::session::{Session, owner_and_name, ref_not_found};
use async_trait::async_trait;
use serde::Deserialize;
use slipway_core::code::{CommitDetails, CommitId, RefKind, RefName, RepoPath, TreeEntry};
use slipway_core::host::{HostRef, Page, PageMark, RepositoryPath};
use slipway_core::{ErrorCode, Failure};

/// A row of `/branches` (`commit.id`) and of `/tags` (`commit.sha`).
#[derive(Deserialize)]
struct Named {
    name: String,
    commit: Option<Ids>,
}

#[derive(Deserialize)]
struct Ids {
    id: Option<String>,
    sha: Option<String>,
}

/// `/git/refs/…` answers with one object when only one ref fits.
#[derive(Deserialize)]
#[serde(untagged)]
enum Matching {
    Many(Vec<Ref>),
    One(Ref),
}

#[derive(Deserialize)]
struct Ref {
    r#ref: String,
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    sha: String,
    r#type: String,
}

#[async_trait]
impl Code for Gitea {
    async fn refs(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
    ) -> Result<Page<HostRef>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        if !search.is_empty() {
            return Ok(Page { items: beginning_with(session, (owner, name), kind, search).await?, next: None });
        }
        let list = if kind == RefKind::Branch { "branches" } else { "tags" };
        let answer = match page {
            Some(page) => session.next(page),
            None => session.get(&["repos", owner, name, list]).query("limit", "50"),
        }
        .send()
        .await?;
        let rows: Vec<Named> = answer.json()?;
        let refs = rows.into_iter().filter_map(|row| {
            let commit = row.commit.and_then(|ids| ids.sha.or(ids.id));
            host_ref(kind, &row.name, commit)
        });
        Ok(Page { items: refs.collect(), next: answer.next_link() })
    }

    async fn commit(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        revision: &str,
    ) -> Result<CommitDetails, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let asked = session
            .get(&["repos", owner, name, "git", "commits", revision])
            .query("stat", "false")
            .query("verification", "false")
            .query("files", "false")
            .send()
            .await;
        asked.map_err(|failure| ref_not_found(failure, revision))?.json::<Commit>()?.details()
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
        if json.is_null() { Ok(Vec::new()) } else { contents(json, folder) }
    }
}

/// All refs whose name begins so; none is 404.
async fn beginning_with(
    session: &Session<'_>,
    (owner, name): (&str, &str),
    kind: RefKind,
    search: &str,
) -> Result<Vec<HostRef>, Failure> {
    let prefix = if kind == RefKind::Branch { "heads" } else { "tags" };
    let parts = search.split('/').filter(|part| !part.is_empty());
    let segments: Vec<&str> = ["repos", owner, name, "git", "refs", prefix].into_iter().chain(parts).collect();
    let rows = match session.get(&segments).read::<Matching>().await {
        Ok(Matching::Many(rows)) => rows,
        Ok(Matching::One(row)) => vec![row],
        Err(failure) if failure.code == ErrorCode::SourceNotFound => Vec::new(),
        Err(failure) => return Err(failure),
    };
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let commit = CommitId::new(row.object.sha).ok().filter(|_| row.object.r#type == "commit");
            Some(HostRef { name: RefName::new(row.r#ref).ok()?, commit })
        })
        .collect())
}
