//! Repositories of an owner, by list or by search.

use super::Github;
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
    name: String,
    pub(super) full_name: String,
    private: bool,
    #[serde(default)]
    archived: bool,
    default_branch: Option<String>,
    clone_url: String,
    ssh_url: Option<String>,
    html_url: String,
    pub(super) pushed_at: Option<DateTime<Utc>>,
}

impl From<Repository> for HostRepository {
    fn from(one: Repository) -> Self {
        Self {
            id: one.id.to_string(),
            name: one.name,
            path: RepositoryPath(one.full_name),
            private: one.private,
            default_branch: one.default_branch.filter(|name| !name.is_empty()),
            archived: one.archived,
            clone_url: one.clone_url,
            ssh_url: one.ssh_url,
            web_url: one.html_url,
            pushed_at: one.pushed_at,
        }
    }
}

#[derive(Deserialize)]
struct Found {
    items: Vec<Repository>,
}

/// The list of an account's repositories, the last pushed first.
pub(super) fn own_list<'s>(session: &'s Session<'_>, affiliation: &str) -> Ask<'s> {
    session
        .get(&["user", "repos"])
        .query("affiliation", affiliation)
        .query("visibility", "all")
        .query("sort", "pushed")
        .query("direction", "desc")
        .query("per_page", "100")
}

/// Makes a search term of what a person typed: only what can be in a name, so that nothing acts as an operator.
fn term(search: &str) -> String {
    search.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { ' ' }).collect()
}

#[async_trait]
impl Repositories for Github {
    async fn repositories(
        &self,
        session: &Session<'_>,
        query: &RepositoryQuery,
    ) -> Result<Page<HostRepository>, Failure> {
        let searching = !query.search.is_empty();
        let asked = match (&query.page, query.owner.kind) {
            (Some(page), _) => session.next(page),
            (None, kind) if searching => {
                let qualifier = if kind == OwnerKind::Own { "user" } else { "org" };
                // Without `fork:true` forks are left out.
                let q = format!("{} in:name {qualifier}:{} fork:true", term(&query.search), query.owner.path);
                session
                    .get(&["search", "repositories"])
                    .query("q", q.trim())
                    .query("sort", "updated")
                    .query("per_page", "100")
            }
            (None, OwnerKind::Own) => own_list(session, "owner,collaborator"),
            (None, _) => session
                .get(&["orgs", &query.owner.path, "repos"])
                .query("type", "all")
                .query("sort", "pushed")
                .query("direction", "desc")
                .query("per_page", "100"),
        };
        let answer = asked.send().await?;
        let rows = if searching { answer.json::<Found>()?.items } else { answer.json::<Vec<Repository>>()? };
        Ok(Page { items: rows.into_iter().map(HostRepository::from).collect(), next: answer.next_link() })
    }

    async fn repository(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<HostRepository, Failure> {
        let (owner, name) = owner_and_name(path)?;
        Ok(session.get(&["repos", owner, name]).read::<Repository>().await?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_only_a_name() {
        assert_eq!(term("web-app_2.0"), "web-app_2.0");
        assert_eq!(term("a org:evil OR \"b\""), "a org evil OR  b ");
    }
}
