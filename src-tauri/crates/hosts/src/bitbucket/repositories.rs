//! Repositories of a workspace.

use super::{Bitbucket, Values, quoted};
use crate::provider::Repositories;
use crate::session::{Session, owner_and_name};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::host::{HostRepository, Page, RepositoryPath, RepositoryQuery};

#[derive(Deserialize)]
struct Repository {
    uuid: String,
    name: String,
    full_name: String,
    is_private: bool,
    mainbranch: Option<Branch>,
    links: Links,
    updated_on: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Branch {
    name: String,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    clone: Vec<Link>,
    html: Option<Link>,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    name: String,
    href: String,
}

impl Repository {
    fn known_at(self, base: &str) -> HostRepository {
        let address =
            |name: &str| self.links.clone.iter().find(|link| link.name == name).map(|link| link.href.as_str());
        // The address comes with the account's name in front of the host: a login never travels inside an address.
        let clone_url =
            address("https").and_then(without_user).unwrap_or_else(|| format!("{base}/{}.git", self.full_name));
        let web_url =
            self.links.html.as_ref().map_or_else(|| format!("{base}/{}", self.full_name), |link| link.href.clone());
        HostRepository {
            id: self.uuid.clone(),
            name: self.name.clone(),
            ssh_url: address("ssh").map(str::to_owned),
            path: RepositoryPath(self.full_name.clone()),
            private: self.is_private,
            default_branch: self.mainbranch.as_ref().map(|branch| branch.name.clone()),
            archived: false,
            clone_url,
            web_url,
            pushed_at: self.updated_on,
        }
    }
}

fn without_user(address: &str) -> Option<String> {
    let mut url = url::Url::parse(address).ok()?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.into())
}

#[async_trait]
impl Repositories for Bitbucket {
    async fn repositories(
        &self,
        session: &Session<'_>,
        query: &RepositoryQuery,
    ) -> Result<Page<HostRepository>, Failure> {
        let asked = match &query.page {
            Some(page) => session.next(page),
            None => {
                let list = session
                    .get(&["repositories", &query.owner.path])
                    .query("role", "member")
                    .query("sort", "-updated_on")
                    .query("pagelen", "100");
                let q = || format!("name~{}", quoted(&query.search));
                if query.search.is_empty() { list } else { list.query("q", &q()) }
            }
        };
        let answer = asked.send().await?;
        let page: Values<Repository> = answer.json()?;
        let next = page.next(&answer);
        let base = session.address.base.as_str();
        Ok(Page { items: page.values.into_iter().map(|one| one.known_at(base)).collect(), next })
    }

    async fn repository(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<HostRepository, Failure> {
        let (workspace, name) = owner_and_name(path)?;
        let one: Repository = session.get(&["repositories", workspace, name]).read().await?;
        Ok(one.known_at(session.address.base.as_str()))
    }
}
