//! From a stored account to what a port needs, and from a repository in a list to a place that git can clone.

use super::keeper::SealedTokens;
use crate::Parts;
use slipway_core::code::{CodeAccess, CodeLocation};
use slipway_core::host::{HostAccess, HostAddress, HostBase, HostRepository, OauthClient, RepositoryPath};
use slipway_core::ids::SourceAccountId;
use slipway_core::{ErrorCode, Failure};
use slipway_store::{AccountPlace, SourceAccountRecord};
use std::sync::Arc;
use url::Url;

/// An account with the way to its host.
pub(crate) struct Opened {
    pub(crate) record: SourceAccountRecord,
    pub(crate) access: HostAccess,
}

impl Parts {
    /// Returns an account with the way to its host.
    pub(crate) async fn open_account(&self, id: SourceAccountId) -> Result<Opened, Failure> {
        let record = self.store.source_account(id).await?;
        let access = self.host_access(&record).await?;
        Ok(Opened { record, access })
    }

    pub(crate) async fn address_of(&self, record: &SourceAccountRecord) -> Result<HostAddress, Failure> {
        let proxy = self.proxy(self.settings().await?.code_proxy).await?;
        Ok(HostAddress { provider: record.provider, base: record.base.clone(), ca_pem: record.ca_pem.clone(), proxy })
    }

    pub(crate) async fn host_access(&self, record: &SourceAccountRecord) -> Result<HostAccess, Failure> {
        let client = match &record.application {
            Some(application) => Some(OauthClient {
                client_id: application.client_id.clone(),
                client_secret: match application.client_secret {
                    Some(id) => Some(self.open_secret(id).await?),
                    None => None,
                },
                redirect_port: application.redirect_port,
            }),
            None => None,
        };
        let keeper = SealedTokens {
            id: record.id,
            store: self.store.clone(),
            vault: Arc::clone(&self.ports.vault),
            clock: Arc::clone(&self.ports.clock),
        };
        Ok(HostAccess { address: self.address_of(record).await?, client, keeper: Arc::new(keeper) })
    }

    /// Returns the place of a repository that an account sees.
    pub(crate) async fn place_at_host(
        &self,
        account: SourceAccountId,
        path: &RepositoryPath,
    ) -> Result<(CodeLocation, AccountPlace), Failure> {
        let opened = self.open_account(account).await?;
        let found = self.ports.hosts.repository(&opened.access, path, &self.stop.child_token()).await;
        let found = self.noted(&opened.record, found).await.map_err(|failure| failure.at("location.path"))?;
        let base = &opened.record.base;
        let location = CodeLocation::GitUrl {
            url: clone_url(base, &found)?,
            username: None,
            password: None,
            ca_pem: None,
            allow_plain_http: base.is_plain_http(),
        };
        let place =
            AccountPlace { account: Some(account), key: opened.record.key(), path: found.path, repository: found.id };
        Ok((location, place))
    }

    /// Opens a place with its account's token, which goes to the account's own scheme, host and port alone.
    pub(crate) async fn account_access(
        &self,
        location: CodeLocation,
        place: &AccountPlace,
    ) -> Result<CodeAccess, Failure> {
        let Some(id) = place.account else {
            let why = format!("the account that opens {} was unbound: authorize again", place.path);
            return Err(Failure::new(ErrorCode::SourceUnauthorized, why).with("reason", "account_unbound"));
        };
        let opened = self.open_account(id).await?;
        let CodeLocation::GitUrl { url, allow_plain_http, .. } = location else {
            return Err(Failure::internal("a local clone has no account"));
        };
        if origin(&url).is_none() || origin(&url) != origin(opened.record.base.as_str()) {
            let why = "the code lies at another host than its account: the token stays here";
            return Err(Failure::new(ErrorCode::SourceRedirected, why));
        }
        let login = self.ports.hosts.clone_login(&opened.access, &self.stop.child_token()).await;
        let login = self.noted(&opened.record, login).await?;
        Ok(CodeAccess {
            location: CodeLocation::GitUrl {
                url,
                username: Some(login.username),
                password: None,
                ca_pem: opened.record.ca_pem,
                allow_plain_http,
            },
            password: Some(login.password),
            proxy: opened.access.address.proxy,
        })
    }
}

fn origin(url: &str) -> Option<url::Origin> {
    Some(Url::parse(url).ok()?.origin()).filter(url::Origin::is_tuple)
}

/// A host may name an address that it is not reached by (a wrong `ROOT_URL`, a proxy in front): the token goes to the address
/// that the person connected, so the place is made from that.
fn clone_url(base: &HostBase, found: &HostRepository) -> Result<String, Failure> {
    if origin(&found.clone_url).is_some_and(|its| Some(its) == origin(base.as_str())) {
        return Ok(found.clone_url.clone());
    }
    let mut url = Url::parse(base.as_str()).map_err(Failure::internal)?;
    let parts: Vec<&str> = found.path.0.split('/').collect();
    if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
        return Err(Failure::new(ErrorCode::BadCodeLocation, "the host names no usable path").at("location.path"));
    }
    let Ok(mut segments) = url.path_segments_mut() else {
        return Err(Failure::internal("the host's address has no path"));
    };
    segments.pop_if_empty().extend(&parts[..parts.len() - 1]);
    segments.push(&format!("{}.git", parts[parts.len() - 1]));
    drop(segments);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(clone_url: &str) -> HostRepository {
        HostRepository {
            id: "1".to_owned(),
            name: "web".to_owned(),
            path: RepositoryPath("team/sub/web".to_owned()),
            private: true,
            default_branch: None,
            archived: false,
            clone_url: clone_url.to_owned(),
            ssh_url: None,
            web_url: String::new(),
            pushed_at: None,
        }
    }

    #[test]
    fn t02_the_place_is_always_at_the_host_that_was_connected() {
        let base = HostBase::new("https://git.example.com/forge", false).unwrap();
        for (said, expected) in [
            ("https://git.example.com/forge/team/sub/web.git", "https://git.example.com/forge/team/sub/web.git"),
            ("https://git.example.com:443/forge/x.git", "https://git.example.com:443/forge/x.git"),
            ("http://git.example.com/forge/x.git", "https://git.example.com/forge/team/sub/web.git"),
            ("https://git.example.com:8443/x.git", "https://git.example.com/forge/team/sub/web.git"),
            ("https://evil.example.com/x.git", "https://git.example.com/forge/team/sub/web.git"),
            ("nothing", "https://git.example.com/forge/team/sub/web.git"),
        ] {
            assert_eq!(clone_url(&base, &found(said)).unwrap(), expected, "{said}");
        }
        let strange = HostRepository { path: RepositoryPath("a/../b".to_owned()), ..found("nothing") };
        assert_eq!(clone_url(&base, &strange).unwrap_err().code, ErrorCode::BadCodeLocation);
    }
}
