//! Repositories of an account, organization or enterprise. There is no dependable search: pages are read and filtered.

use super::Gitee;
use crate::lists::{Numbered, holds, next_number};
use crate::provider::Repositories;
use crate::session::{Ask, Session, owner_and_name};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::host::{HostRepository, OwnerKind, Page, RepositoryPath, RepositoryQuery};

#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) id: u64,
    /// The name for people; `path` is the one in addresses.
    name: Option<String>,
    path: String,
    pub(super) full_name: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    empty_repo: bool,
    default_branch: Option<String>,
    /// Ends in `.git`: the address for cloning.
    html_url: String,
    ssh_url: Option<String>,
    pub(super) pushed_at: Option<DateTime<Utc>>,
}

impl From<Repository> for HostRepository {
    fn from(one: Repository) -> Self {
        let web_url = one.html_url.strip_suffix(".git").unwrap_or(&one.html_url).to_owned();
        Self {
            id: one.id.to_string(),
            name: one.name.filter(|name| !name.is_empty()).unwrap_or(one.path),
            path: RepositoryPath(one.full_name),
            private: one.private || one.internal,
            default_branch: one.default_branch.filter(|name| !name.is_empty() && !one.empty_repo),
            archived: false,
            clone_url: format!("{web_url}.git"),
            ssh_url: one.ssh_url,
            web_url,
            pushed_at: one.pushed_at,
        }
    }
}

/// The list of an account's repositories, the last pushed first.
pub(super) fn own_list<'s>(session: &'s Session<'_>, affiliation: &str, page: u32) -> Ask<'s> {
    session
        .get(&["user", "repos"])
        .query("affiliation", affiliation)
        .query("sort", "pushed")
        .query("direction", "desc")
        .query("page", &page.to_string())
        .query("per_page", "100")
}

#[async_trait]
impl Repositories for Gitee {
    async fn repositories(
        &self,
        session: &Session<'_>,
        query: &RepositoryQuery,
    ) -> Result<Page<HostRepository>, Failure> {
        let mut pages = Numbered::from(query.page.as_ref(), !query.search.is_empty());
        while let Some(page) = pages.wanted() {
            let groups = match query.owner.kind {
                OwnerKind::Own => None,
                OwnerKind::Enterprise => Some("enterprises"),
                _ => Some("orgs"),
            };
            let asked = match groups {
                None => own_list(session, "owner,collaborator", page),
                Some(list) => session
                    .get(&[list, &query.owner.path, "repos"])
                    .query("type", "all")
                    .query("page", &page.to_string())
                    .query("per_page", "100"),
            };
            let answer = asked.send().await?;
            let rows: Vec<Repository> = answer.json()?;
            let next = next_number(&answer, page, rows.len(), 100);
            let fits = |one: &HostRepository| holds(&one.name, &query.search) || holds(&one.path.0, &query.search);
            pages.add(rows.into_iter().map(HostRepository::from).filter(fits), next);
        }
        Ok(pages.page())
    }

    async fn repository(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<HostRepository, Failure> {
        let (owner, name) = owner_and_name(path)?;
        Ok(session.get(&["repos", owner, name]).read::<Repository>().await?.into())
    }
}
