//! Whose token it is, and projects.

use super::{Coding, act};
use crate::lists::MOST_PAGES;
use crate::provider::Accounts;
use crate::session::Session;
use async_trait::async_trait;
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::host::{Granted, HostIdentity, HostOwner, Need, OwnerKind};

const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Current {
    user: User,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct User {
    id: u64,
    name: Option<String>,
    #[serde(default)]
    global_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Projects {
    data: ProjectList,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProjectList {
    #[serde(default)]
    project_list: Vec<Project>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Project {
    id: u64,
    name: String,
    display_name: Option<String>,
    #[serde(default)]
    archived: bool,
}

async fn current(session: &Session<'_>) -> Result<User, Failure> {
    Ok(act::<Current>(session, "DescribeCodingCurrentUser", serde_json::json!({})).await?.user)
}

impl User {
    fn login(&self) -> String {
        if self.global_key.is_empty() { self.id.to_string() } else { self.global_key.clone() }
    }

    fn name(&self) -> String {
        self.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| self.login())
    }
}

#[async_trait]
impl Accounts for Coding {
    async fn identity(&self, session: &Session<'_>, _needs: &[Need]) -> Result<HostIdentity, Failure> {
        let user = current(session).await?;
        Ok(HostIdentity {
            id: user.id.to_string(),
            login: user.login(),
            name: user.name(),
            granted: Granted::Unknown,
            missing: Vec::new(),
            expires_at: session.tokens().await?.and_then(|tokens| tokens.expires_at),
        })
    }

    async fn owners(&self, session: &Session<'_>) -> Result<Vec<HostOwner>, Failure> {
        let user = current(session).await?;
        let mut owners =
            vec![HostOwner { id: user.id.to_string(), path: user.login(), name: user.name(), kind: OwnerKind::Own }];
        for page in 1..=MOST_PAGES {
            let parameters = serde_json::json!({ "ProjectName": "", "PageNumber": page, "PageSize": PAGE });
            let rows = act::<Projects>(session, "DescribeCodingProjects", parameters).await?.data.project_list;
            let count = rows.len();
            owners.extend(rows.into_iter().filter(|project| !project.archived).map(|project| HostOwner {
                id: project.id.to_string(),
                name: project.display_name.filter(|name| !name.is_empty()).unwrap_or_else(|| project.name.clone()),
                path: project.name,
                kind: OwnerKind::Project,
            }));
            if count < PAGE {
                break;
            }
        }
        Ok(owners)
    }
}
