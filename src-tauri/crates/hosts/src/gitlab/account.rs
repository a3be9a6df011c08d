//! Whose token it is, and groups.

use super::{Gitlab, authorize};
use crate::provider::Accounts;
use crate::session::Session;
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use slipway_core::host::{Granted, HostIdentity, HostOwner, Need, OwnerKind, TokenKind};
use slipway_core::{ErrorCode, Failure};

/// More groups than this are not listed.
const MOST_PAGES: usize = 10;

#[derive(Deserialize)]
struct User {
    id: u64,
    username: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Group {
    id: u64,
    full_path: String,
    full_name: Option<String>,
    name: String,
}

#[derive(Deserialize)]
struct Token {
    scopes: Vec<String>,
    expires_at: Option<NaiveDate>,
}

#[async_trait]
impl Accounts for Gitlab {
    async fn identity(&self, session: &Session<'_>, needs: &[Need]) -> Result<HostIdentity, Failure> {
        let user: User = session.get(&["user"]).read().await?;
        let (granted, expires_at) = grants(session).await?;
        let missing = granted.as_ref().map_or_else(Vec::new, |granted| {
            let asked = authorize::scopes(needs).into_iter().map(|scope| scope.name);
            asked.filter(|scope| !authorize::covers(granted, scope)).collect()
        });
        Ok(HostIdentity {
            id: user.id.to_string(),
            name: user.name.filter(|name| !name.is_empty()).unwrap_or_else(|| user.username.clone()),
            login: user.username,
            granted: granted.map_or(Granted::Unknown, |scopes| Granted::Known { scopes }),
            missing,
            expires_at,
        })
    }

    async fn owners(&self, session: &Session<'_>) -> Result<Vec<HostOwner>, Failure> {
        let user: User = session.get(&["user"]).read().await?;
        let mut owners = vec![HostOwner {
            id: user.id.to_string(),
            name: user.name.filter(|name| !name.is_empty()).unwrap_or_else(|| user.username.clone()),
            path: user.username,
            kind: OwnerKind::Own,
        }];
        let mut asked = session.get(&["groups"]).query("min_access_level", "20").query("per_page", "100");
        for _ in 0..MOST_PAGES {
            let answer = asked.send().await?;
            owners.extend(answer.json::<Vec<Group>>()?.into_iter().map(|group| HostOwner {
                id: group.id.to_string(),
                name: group.full_name.unwrap_or(group.name),
                path: group.full_path,
                kind: OwnerKind::Group,
            }));
            let Some(next) = answer.next_link() else { break };
            asked = session.next(&next);
        }
        Ok(owners)
    }
}

/// Returns scopes and the end: of an OAuth token as its endpoint told, of others as they tell about themselves (group and
/// project tokens and old servers do not).
async fn grants(session: &Session<'_>) -> Result<(Option<Vec<String>>, Option<DateTime<Utc>>), Failure> {
    let tokens = session.tokens().await?;
    if let Some(tokens) = tokens.filter(|tokens| tokens.kind == TokenKind::Oauth) {
        return Ok((Some(tokens.scopes).filter(|scopes| !scopes.is_empty()), tokens.expires_at));
    }
    match session.get(&["personal_access_tokens", "self"]).read::<Token>().await {
        Ok(token) => {
            // They end at midnight UTC of that day.
            let end = token.expires_at.and_then(|day| day.and_hms_opt(0, 0, 0)).map(|at| at.and_utc());
            Ok((Some(token.scopes), end))
        }
        Err(failure)
            if matches!(
                failure.code,
                ErrorCode::SourceNotFound
                    | ErrorCode::SourceForbidden
                    | ErrorCode::SourceScopesMissing
                    | ErrorCode::InvalidField
                    | ErrorCode::NotACodeHost
            ) =>
        {
            Ok((None, None))
        }
        Err(failure) => Err(failure),
    }
}
