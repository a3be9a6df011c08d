//! Whose token it is, and workspaces. The lists across workspaces are gone (410): everything goes per workspace.

use super::{Bitbucket, Values, authorize};
use crate::lists::MOST_PAGES;
use crate::provider::Accounts;
use crate::session::Session;
use async_trait::async_trait;
use serde::Deserialize;
use slipway_core::host::{Granted, HostIdentity, HostOwner, HostTokens, Need, OwnerKind, TokenKind};
use slipway_core::{ErrorCode, Failure};

#[derive(Deserialize)]
struct User {
    uuid: String,
    username: Option<String>,
    nickname: Option<String>,
    display_name: Option<String>,
}

impl User {
    fn login(&self) -> String {
        self.username.clone().or_else(|| self.nickname.clone()).unwrap_or_else(|| self.uuid.clone())
    }
}

#[derive(Deserialize)]
struct Membership {
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Workspace {
    uuid: String,
    slug: String,
    name: Option<String>,
}

/// An access token of a repository, project or workspace describes no person: the workspace's name, given with the token,
/// stands in for one.
fn workspace_of(tokens: Option<&HostTokens>) -> Result<Option<String>, Failure> {
    let Some(tokens) = tokens.filter(|tokens| tokens.kind == TokenKind::Resource) else { return Ok(None) };
    let why = "an access token of Bitbucket needs the name of its workspace";
    let missing = || Failure::new(ErrorCode::InvalidField, why).at("username");
    tokens.username.clone().filter(|name| !name.is_empty()).map(Some).ok_or_else(missing)
}

#[async_trait]
impl Accounts for Bitbucket {
    async fn identity(&self, session: &Session<'_>, needs: &[Need]) -> Result<HostIdentity, Failure> {
        let tokens = session.tokens().await?;
        let workspace = workspace_of(tokens.as_ref())?;
        let answer = match &workspace {
            Some(workspace) => session.get(&["repositories", workspace]).query("pagelen", "1").send().await?,
            None => session.get(&["user"]).send().await?,
        };
        let (id, login, name) = match workspace {
            Some(workspace) => (workspace.clone(), workspace.clone(), workspace),
            None => {
                let user: User = answer.json()?;
                let name = user.display_name.clone().unwrap_or_else(|| user.login());
                (user.uuid.clone(), user.login(), name)
            }
        };
        let header = answer.header("x-oauth-scopes").unwrap_or_default();
        let granted: Vec<String> =
            header.split([',', ' ']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let kind = tokens.as_ref().map_or(TokenKind::Oauth, |tokens| tokens.kind);
        let asked = authorize::scopes(needs, kind).into_iter().map(|scope| scope.name);
        let missing = asked.filter(|scope| !granted.is_empty() && !authorize::covers(&granted, scope)).collect();
        Ok(HostIdentity {
            id,
            login,
            name,
            granted: if granted.is_empty() { Granted::Unknown } else { Granted::Known { scopes: granted } },
            missing,
            expires_at: tokens.and_then(|tokens| tokens.expires_at),
        })
    }

    async fn owners(&self, session: &Session<'_>) -> Result<Vec<HostOwner>, Failure> {
        if let Some(workspace) = workspace_of(session.tokens().await?.as_ref())? {
            return Ok(vec![HostOwner {
                id: workspace.clone(),
                path: workspace.clone(),
                name: workspace,
                kind: OwnerKind::Organization,
            }]);
        }
        let login = session.get(&["user"]).read::<User>().await?.login();
        let mut owners = Vec::new();
        let mut asked = session.get(&["user", "workspaces"]).query("pagelen", "100");
        for _ in 0..MOST_PAGES {
            let answer = asked.send().await?;
            let page: Values<Membership> = answer.json()?;
            let next = page.next(&answer);
            owners.extend(page.values.into_iter().map(|one| HostOwner {
                id: one.workspace.uuid,
                kind: if one.workspace.slug == login { OwnerKind::Own } else { OwnerKind::Organization },
                name: one.workspace.name.unwrap_or_else(|| one.workspace.slug.clone()),
                path: one.workspace.slug,
            }));
            let Some(next) = next else { break };
            asked = session.next(&next);
        }
        owners.sort_by_key(|owner| (owner.kind != OwnerKind::Own, owner.path.to_lowercase()));
        Ok(owners)
    }
}
