//! Whose token it is, and organizations.

use super::Gitea;
use crate::lists::MOST_PAGES;
use crate::provider::Accounts;
use crate::session::Session;
use async_trait::async_trait;
use serde::Deserialize;
use slipway_core::host::{Granted, HostIdentity, HostOwner, Need, OwnerKind};
use slipway_core::{ErrorCode, Failure};

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: i64,
    login: String,
    full_name: Option<String>,
}

impl User {
    fn name(&self) -> String {
        self.full_name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| self.login.clone())
    }
}

#[derive(Deserialize)]
struct Organization {
    id: i64,
    /// `name` since 1.20; older servers say `username`.
    name: Option<String>,
    username: Option<String>,
    full_name: Option<String>,
}

#[async_trait]
impl Accounts for Gitea {
    /// A token does not tell its scopes, so reads that need them are tried.
    async fn identity(&self, session: &Session<'_>, needs: &[Need]) -> Result<HostIdentity, Failure> {
        let user: User = session.get(&["user"]).read().await?;
        let mut missing = Vec::new();
        if !needs.is_empty() {
            for list in ["orgs", "repos"] {
                match session.get(&["user", list]).query("limit", "1").send().await {
                    Err(failure) if failure.code == ErrorCode::SourceScopesMissing => {
                        missing.extend(failure.details.get("scopes").cloned());
                    }
                    other => drop(other?),
                }
            }
        }
        let expires_at = session.tokens().await?.and_then(|tokens| tokens.expires_at);
        Ok(HostIdentity {
            id: user.id.to_string(),
            name: user.name(),
            login: user.login,
            granted: Granted::Unknown,
            missing,
            expires_at,
        })
    }

    async fn owners(&self, session: &Session<'_>) -> Result<Vec<HostOwner>, Failure> {
        let user: User = session.get(&["user"]).read().await?;
        let mut owners =
            vec![HostOwner { id: user.id.to_string(), name: user.name(), path: user.login, kind: OwnerKind::Own }];
        let mut asked = session.get(&["user", "orgs"]).query("limit", "50");
        for _ in 0..MOST_PAGES {
            let answer = asked.send().await?;
            owners.extend(answer.json::<Vec<Organization>>()?.into_iter().filter_map(|one| {
                let path = one.name.or(one.username)?;
                Some(HostOwner {
                    id: one.id.to_string(),
                    name: one.full_name.filter(|name| !name.is_empty()).unwrap_or_else(|| path.clone()),
                    path,
                    kind: OwnerKind::Organization,
                })
            }));
            let Some(next) = answer.next_link() else { break };
            asked = session.next(&next);
        }
        Ok(owners)
    }
}
