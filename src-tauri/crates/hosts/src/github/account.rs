//! Whose token it is, and where repositories can be.

use super::{Github, authorize, names};
use crate::provider::Accounts;
use crate::session::Session;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::host::{Granted, HostIdentity, HostOwner, Need, OwnerKind};

/// More organizations than this are not listed.
const MOST_PAGES: usize = 10;

#[derive(Deserialize)]
struct User {
    id: u64,
    login: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Organization {
    id: u64,
    login: String,
}

#[async_trait]
impl Accounts for Github {
    async fn identity(&self, session: &Session<'_>, needs: &[Need]) -> Result<HostIdentity, Failure> {
        let answer = session.get(&["user"]).send().await?;
        let user: User = answer.json()?;
        // Fine-grained tokens and GitHub Apps have permissions instead and send no such header.
        let granted = answer.header("x-oauth-scopes").map(names);
        let missing = granted.as_ref().map_or_else(Vec::new, |granted| {
            let asked = if needs.is_empty() { Vec::new() } else { authorize::scopes() };
            asked.into_iter().map(|scope| scope.name).filter(|scope| !authorize::covers(granted, scope)).collect()
        });
        Ok(HostIdentity {
            id: user.id.to_string(),
            name: user.name.filter(|name| !name.is_empty()).unwrap_or_else(|| user.login.clone()),
            login: user.login,
            granted: granted.map_or(Granted::Unknown, |scopes| Granted::Known { scopes }),
            missing,
            expires_at: answer.header("github-authentication-token-expiration").and_then(expiry),
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
        let mut asked = session.get(&["user", "orgs"]).query("per_page", "100");
        for _ in 0..MOST_PAGES {
            let answer = asked.send().await?;
            owners.extend(answer.json::<Vec<Organization>>()?.into_iter().map(|one| HostOwner {
                id: one.id.to_string(),
                name: one.login.clone(),
                path: one.login,
                kind: OwnerKind::Organization,
            }));
            let Some(next) = answer.next_link() else { break };
            asked = session.next(&next);
        }
        Ok(owners)
    }
}

/// Reads `2027-01-31 12:00:00 UTC` or `2027-01-31 12:00:00 +0200`.
fn expiry(header: &str) -> Option<DateTime<Utc>> {
    let text = header.trim().replace(" UTC", " +0000");
    Some(DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S %z").ok()?.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_headers_are_read() {
        for (header, expected) in [
            ("2027-01-31 12:00:00 UTC", Some("2027-01-31T12:00:00+00:00")),
            ("2027-01-31 12:00:00 +0200", Some("2027-01-31T10:00:00+00:00")),
            ("never", None),
        ] {
            assert_eq!(expiry(header).map(|at| at.to_rfc3339()).as_deref(), expected, "{header}");
        }
    }
}
