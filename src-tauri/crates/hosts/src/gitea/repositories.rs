//! Repositories of an owner, through the search that every version has.

use super::Gitea;
use crate::provider::Repositories;
use crate::session::{Ask, Session, owner_and_name};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::host::{HostRepository, OwnerKind, Page, RepositoryPath, RepositoryQuery};

#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) id: i64,
    name: String,
    pub(super) full_name: String,
    private: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    empty: bool,
    default_branch: Option<String>,
    clone_url: String,
    ssh_url: Option<String>,
    html_url: String,
    pub(super) updated_at: Option<DateTime<Utc>>,
}

impl From<Repository> for HostRepository {
    fn from(one: Repository) -> Self {
        Self {
            id: one.id.to_string(),
            name: one.name,
            path: RepositoryPath(one.full_name),
            private: one.private,
            default_branch: one.default_branch.filter(|name| !name.is_empty() && !one.empty),
            archived: one.archived,
            clone_url: one.clone_url,
            ssh_url: one.ssh_url,
            web_url: one.html_url,
            pushed_at: one.updated_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Found {
    pub(super) data: Vec<Repository>,
}

/// The list of what an owner has, the last changed first. For the own account: what is shared with it too.
pub(super) fn list<'s>(session: &'s Session<'_>, owner: &str, only_owned: bool) -> Ask<'s> {
    let asked = session.get(&["repos", "search"]).query("uid", owner);
    let asked = if only_owned { asked.query("exclusive", "true") } else { asked };
    asked.query("sort", "updated").query("order", "desc").query("limit", "50")
}

#[async_trait]
impl Repositories for Gitea {
    async fn repositories(
        &self,
        session: &Session<'_>,
        query: &RepositoryQuery,
    ) -> Result<Page<HostRepository>, Failure> {
        let asked = match &query.page {
            Some(page) => session.next(page),
            None => {
                let list = list(session, &query.owner.id, query.owner.kind != OwnerKind::Own);
                if query.search.is_empty() { list } else { list.query("q", &query.search) }
            }
        };
        let answer = asked.send().await?;
        let rows = answer.json::<Found>()?.data;
        Ok(Page { items: rows.into_iter().map(HostRepository::from).collect(), next: answer.next_link() })
    }

    async fn repository(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<HostRepository, Failure> {
        let (owner, name) = owner_and_name(path)?;
        Ok(session.get(&["repos", owner, name]).read::<Repository>().await?.into())
    }
}
