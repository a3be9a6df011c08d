//! Depots: of a project, or all that the account may read.

use super::{Coding, act, act_at};
use crate::lists::{Numbered, holds};
use crate::provider::Repositories;
use crate::session::Session;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::host::{HostRepository, OwnerKind, Page, PageMark, RepositoryPath, RepositoryQuery};
use slipway_core::{ErrorCode, Failure};

pub(super) const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Depot {
    pub(super) id: u64,
    name: String,
    pub(super) project_id: Option<u64>,
    default_branch: Option<String>,
    https_url: String,
    ssh_url: Option<String>,
    web_url: Option<String>,
    /// Milliseconds; zero for never.
    #[serde(default)]
    last_push_at: i64,
    #[serde(default)]
    is_shared: bool,
}

impl Depot {
    /// Returns `team/project/depot`, which every other action takes.
    pub(super) fn path(&self) -> String {
        let path = url::Url::parse(&self.https_url).map_or_else(|_| String::new(), |url| url.path().to_owned());
        path.trim_start_matches('/').trim_end_matches(".git").to_owned()
    }

    pub(super) fn pushed_at(&self) -> Option<DateTime<Utc>> {
        // Some answers count seconds.
        let millis = if self.last_push_at < 100_000_000_000 { self.last_push_at * 1000 } else { self.last_push_at };
        DateTime::from_timestamp_millis(millis).filter(|_| millis > 0)
    }
}

impl From<Depot> for HostRepository {
    fn from(one: Depot) -> Self {
        Self {
            id: one.id.to_string(),
            path: RepositoryPath(one.path()),
            pushed_at: one.pushed_at(),
            // A shared depot is open to everybody.
            private: !one.is_shared,
            default_branch: one.default_branch.filter(|name| !name.is_empty()),
            archived: false,
            web_url: one.web_url.unwrap_or_else(|| one.https_url.clone()),
            clone_url: one.https_url,
            ssh_url: one.ssh_url,
            name: one.name,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfProject {
    depot_data: Depots,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mine {
    payload: Depots,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Depots {
    #[serde(default)]
    depots: Vec<Depot>,
}

/// One page of what the account may read, and the host's time of it.
pub(super) async fn mine(session: &Session<'_>, page: u32) -> Result<(Vec<Depot>, DateTime<Utc>), Failure> {
    let parameters = serde_json::json!({ "PageNumber": page, "PageSize": PAGE });
    let (mine, at) = act_at::<Mine>(session, "DescribeMyDepots", parameters).await?;
    Ok((mine.payload.depots, at))
}

/// Finds a depot by its path.
pub(super) async fn find(session: &Session<'_>, path: &RepositoryPath) -> Result<Depot, Failure> {
    let parts: Vec<&str> = path.0.split('/').collect();
    let [_, project, depot] = parts.as_slice() else {
        return Err(Failure::new(ErrorCode::BadCodeLocation, format!("{path} is no team/project/depot")).at("path"));
    };
    let parameters = serde_json::json!({
        "ProjectName": project,
        "DepotName": depot,
        "PageNumber": 1,
        "PageSize": PAGE,
    });
    let found = act::<OfProject>(session, "DescribeTeamDepotInfoList", parameters).await?.depot_data.depots;
    let wanted = |one: &Depot| one.path() == path.0;
    found.into_iter().find(wanted).ok_or_else(|| {
        let why = format!("{} has no {path}, or does not show it to this account", session.host());
        Failure::new(ErrorCode::SourceNotFound, why).with("host", session.host())
    })
}

#[async_trait]
impl Repositories for Coding {
    async fn repositories(
        &self,
        session: &Session<'_>,
        query: &RepositoryQuery,
    ) -> Result<Page<HostRepository>, Failure> {
        let mut pages = Numbered::from(query.page.as_ref(), !query.search.is_empty());
        while let Some(page) = pages.wanted() {
            let rows = if query.owner.kind == OwnerKind::Own {
                mine(session, page).await?.0
            } else {
                // This action wants its numbers as texts, except for the project's.
                let parameters = serde_json::json!({
                    "ProjectId": query.owner.id.parse::<u64>().unwrap_or_default(),
                    "PageNumber": page.to_string(),
                    "PageSize": PAGE.to_string(),
                });
                act::<OfProject>(session, "DescribeProjectDepotInfoList", parameters).await?.depot_data.depots
            };
            let next = (rows.len() == PAGE).then(|| PageMark((page + 1).to_string()));
            let fitting = rows.into_iter().filter(|one| holds(&one.name, &query.search));
            pages.add(fitting.map(HostRepository::from), next);
        }
        Ok(pages.page())
    }

    async fn repository(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<HostRepository, Failure> {
        Ok(find(session, path).await?.into())
    }
}
