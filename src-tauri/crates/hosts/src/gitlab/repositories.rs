//! Projects of a user or of a group with its sub-groups.

use super::Gitlab;
use crate::provider::Repositories;
use crate::session::Session;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::host::{HostRepository, OwnerKind, Page, RepositoryPath, RepositoryQuery};

#[derive(Deserialize)]
struct Project {
    id: u64,
    name: String,
    path_with_namespace: String,
    default_branch: Option<String>,
    http_url_to_repo: String,
    ssh_url_to_repo: Option<String>,
    web_url: String,
    last_activity_at: Option<DateTime<Utc>>,
    #[serde(default)]
    archived: bool,
    /// `private`, `internal`, `public`; left out of short answers.
    visibility: Option<String>,
}

impl From<Project> for HostRepository {
    fn from(one: Project) -> Self {
        Self {
            id: one.id.to_string(),
            name: one.name,
            path: RepositoryPath(one.path_with_namespace),
            private: one.visibility.as_deref() != Some("public"),
            default_branch: one.default_branch.filter(|name| !name.is_empty()),
            archived: one.archived,
            clone_url: one.http_url_to_repo,
            ssh_url: one.ssh_url_to_repo,
            web_url: one.web_url,
            pushed_at: one.last_activity_at,
        }
    }
}

#[async_trait]
impl Repositories for Gitlab {
    async fn repositories(
        &self,
        session: &Session<'_>,
        query: &RepositoryQuery,
    ) -> Result<Page<HostRepository>, Failure> {
        let asked = match (&query.page, query.owner.kind) {
            (Some(page), _) => session.next(page),
            (None, kind) => {
                let list = match kind {
                    // Membership brings what others share with the account too.
                    OwnerKind::Own => session.get(&["projects"]).query("membership", "true"),
                    _ => session.get(&["groups", &query.owner.id, "projects"]).query("include_subgroups", "true"),
                };
                let list = list.query("order_by", "last_activity_at").query("sort", "desc").query("per_page", "100");
                if query.search.is_empty() { list } else { list.query("search", &query.search) }
            }
        };
        let answer = asked.send().await?;
        let rows: Vec<Project> = answer.json()?;
        Ok(Page { items: rows.into_iter().map(HostRepository::from).collect(), next: answer.next_link() })
    }

    async fn repository(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<HostRepository, Failure> {
        Ok(session.get(&["projects", &path.0]).read::<Project>().await?.into())
    }
}
