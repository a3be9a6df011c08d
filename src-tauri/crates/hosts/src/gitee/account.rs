//! Whose token it is, organizations and enterprises.

use super::{Gitee, authorize};
use crate::lists::{MOST_PAGES, next_number};
use crate::provider::Accounts;
use crate::session::Session;
use async_trait::async_trait;
use serde::Deserialize;
use slipway_core::host::{Granted, HostIdentity, HostOwner, Need, OwnerKind};
use slipway_core::{ErrorCode, Failure};

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
}

/// An organization has a `login`, an enterprise a `path`.
#[derive(Deserialize)]
struct Group {
    id: u64,
    login: Option<String>,
    path: Option<String>,
    name: Option<String>,
}

#[async_trait]
impl Accounts for Gitee {
    async fn identity(&self, session: &Session<'_>, needs: &[Need]) -> Result<HostIdentity, Failure> {
        let user: User = session.get(&["user"]).read().await?;
        let tokens = session.tokens().await?;
        // Only the token endpoint tells scopes; a private token does not.
        let granted = tokens.as_ref().map(|tokens| tokens.scopes.clone()).filter(|scopes| !scopes.is_empty());
        let missing = granted.as_ref().map_or_else(Vec::new, |granted| {
            let asked = authorize::scopes(needs).into_iter().map(|scope| scope.name);
            asked.filter(|scope| !granted.contains(scope)).collect()
        });
        Ok(HostIdentity {
            id: user.id.to_string(),
            name: user.name.filter(|name| !name.is_empty()).unwrap_or_else(|| user.login.clone()),
            login: user.login,
            granted: granted.map_or(Granted::Unknown, |scopes| Granted::Known { scopes }),
            missing,
            expires_at: tokens.and_then(|tokens| tokens.expires_at),
        })
    }

    async fn owners(&self, session: &Session<'_>) -> Result<Vec<HostOwner>, Failure> {
        let user: User = session.get(&["user"]).read().await?;
        let mut owners = vec![HostOwner {
            id: user.id.to_string(),
            name: user.name.filter(|name| !name.is_empty()).unwrap_or_else(|| user.login.clone()),
            path: user.login,
            kind: OwnerKind::Own,
        }];
        for (list, kind) in [("orgs", OwnerKind::Organization), ("enterprises", OwnerKind::Enterprise)] {
            match groups(session, list, kind).await {
                Ok(found) => owners.extend(found),
                // A token without that scope still has an own account.
                Err(failure)
                    if matches!(
                        failure.code,
                        ErrorCode::SourceForbidden | ErrorCode::SourceScopesMissing | ErrorCode::SourceNotFound
                    ) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(owners)
    }
}

async fn groups(session: &Session<'_>, list: &str, kind: OwnerKind) -> Result<Vec<HostOwner>, Failure> {
    let mut found = Vec::new();
    for page in 1..=MOST_PAGES {
        let answer = session
            .get(&["user", list])
            .query("page", &page.to_string())
            .query("per_page", "100")
            .query("admin", "false")
            .send()
            .await?;
        let rows: Vec<Group> = answer.json()?;
        let next = next_number(&answer, page, rows.len(), 100);
        found.extend(rows.into_iter().filter_map(|row| {
            let path = row.login.or(row.path)?;
            let name = row.name.filter(|name| !name.is_empty()).unwrap_or_else(|| path.clone());
            Some(HostOwner { id: row.id.to_string(), path, name, kind })
        }));
        if next.is_none() {
            break;
        }
    }
    Ok(found)
}
