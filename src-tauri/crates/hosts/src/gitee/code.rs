//! Refs, commits and folders.

use super::Gitee;
use crate::github::{Commit, contents, host_ref};
use crate::lists::{Numbered, holds, next_number};
use crate::provider::Code;
use crate::session::{Session, owner_and_name, ref_not_found};
use async_trait::async_trait;
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::code::{CommitDetails, CommitId, RefKind, RepoPath, TreeEntry};
use slipway_core::host::{HostRef, Page, PageMark, RepositoryPath};

#[derive(Deserialize)]
struct Named {
    name: String,
    commit: Option<Sha>,
}

#[derive(Deserialize)]
struct Sha {
    sha: Option<String>,
}

#[async_trait]
impl Code for Gitee {
    async fn refs(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
    ) -> Result<Page<HostRef>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let list = if kind == RefKind::Branch { "branches" } else { "tags" };
        let mut pages = Numbered::from(page, !search.is_empty());
        while let Some(page) = pages.wanted() {
            let answer = session
                .get(&["repos", owner, name, list])
                .query("page", &page.to_string())
                .query("per_page", "100")
                .send()
                .await?;
            let rows: Vec<Named> = answer.json()?;
            let next = next_number(&answer, page, rows.len(), 100);
            let fitting = rows.into_iter().filter(|row| holds(&row.name, search));
            let refs = fitting.filter_map(|row| host_ref(kind, &row.name, row.commit.and_then(|commit| commit.sha)));
            pages.add(refs, next);
        }
        Ok(pages.page())
    }

    async fn commit(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        revision: &str,
    ) -> Result<CommitDetails, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let asked = session.get(&["repos", owner, name, "commits", revision]).send().await;
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
        contents(session.get(&segments).query("ref", commit.as_str()).read().await?, folder)
    }
}
