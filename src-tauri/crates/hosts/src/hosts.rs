//! The ports over all providers.

use crate::oauth::{self, Sleep};
use crate::probe;
use crate::provider::{self, Provider};
use crate::refresh::{Refresher, Why};
use crate::session::{Session, Who};
use crate::transport::{Clients, Link};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use slipway_core::code::{CommitDetails, CommitId, RefKind, RepoPath, TreeEntry, TreeEntryKind};
use slipway_core::host::{
    CloneLogin, CodeHosts, CommitReport, Delivery, DeliveryRefused, Hook, HookEvent, HostAccess, HostAddress,
    HostAuthorization, HostFacts, HostGuide, HostIdentity, HostOwner, HostProvider, HostRef, HostRepository,
    HostTokens, MovedMark, Need, NewHook, OauthClient, Page, PageLanguage, PageMark, PendingAuthorization,
    PendingDevice, PendingManifest, RepositoryPath, RepositoryQuery, Revocation, TokenKind, WhatMoved,
};
use slipway_core::ports::{Clock, Deadlines};
use slipway_core::{ErrorCode, Failure, Secret};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// All code hosts, over the network.
pub struct Hosts {
    clients: Clients,
    deadlines: Deadlines,
    clock: Arc<dyn Clock>,
    refresher: Refresher,
    sleep: Sleep,
}

impl Hosts {
    /// Makes the ports; nothing is sent yet. One for the whole process: refreshes are single-flight within it.
    #[must_use]
    pub fn new(deadlines: Deadlines, clock: Arc<dyn Clock>) -> Self {
        let sleep: Sleep = Arc::new(|time| Box::pin(tokio::time::sleep(time)));
        Self { clients: Clients::default(), deadlines, refresher: Refresher::new(Arc::clone(&clock)), clock, sleep }
    }

    /// The same with another way of waiting between the questions of a device flow.
    #[must_use]
    pub fn with_sleep<F>(self, sleep: impl Fn(std::time::Duration) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { sleep: Arc::new(move |time| Box::pin(sleep(time))), ..self }
    }

    fn link(&self, address: &HostAddress, cancel: &CancellationToken) -> Result<Link, Failure> {
        Link::new(address, &self.clients, &self.deadlines, cancel)
    }

    fn stored<'a>(
        &'a self,
        account: &'a HostAccess,
        cancel: &CancellationToken,
    ) -> Result<(Session<'a>, &'static dyn Provider), Failure> {
        let who = Who::Stored { account, refresher: &self.refresher };
        let session = Session::new(&account.address, self.link(&account.address, cancel)?, who)?;
        Ok((session, provider::of(account.address.provider)))
    }
}

#[async_trait]
impl CodeHosts for Hosts {
    async fn probe(&self, address: &HostAddress, cancel: &CancellationToken) -> Result<HostFacts, Failure> {
        probe::probe(address, &self.link(address, cancel)?).await
    }

    async fn identify(
        &self,
        address: &HostAddress,
        tokens: &HostTokens,
        needs: &[Need],
        cancel: &CancellationToken,
    ) -> Result<HostIdentity, Failure> {
        let session = Session::new(address, self.link(address, cancel)?, Who::New(tokens))?;
        provider::of(address.provider).identity(&session, needs).await
    }

    async fn identity(
        &self,
        account: &HostAccess,
        needs: &[Need],
        cancel: &CancellationToken,
    ) -> Result<HostIdentity, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        provider.identity(&session, needs).await
    }

    async fn owners(&self, account: &HostAccess, cancel: &CancellationToken) -> Result<Vec<HostOwner>, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        let mut owners = provider.owners(&session).await?;
        if let Some(others) = owners.get_mut(1..) {
            others.sort_by_key(|owner| owner.path.to_lowercase());
        }
        Ok(owners)
    }

    async fn repositories(
        &self,
        account: &HostAccess,
        query: &RepositoryQuery,
        cancel: &CancellationToken,
    ) -> Result<Page<HostRepository>, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        let query = RepositoryQuery { search: query.search.trim().to_owned(), ..query.clone() };
        provider.repositories(&session, &query).await
    }

    async fn repository(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        cancel: &CancellationToken,
    ) -> Result<HostRepository, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        provider.repository(&session, path).await
    }

    async fn refs(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
        cancel: &CancellationToken,
    ) -> Result<Page<HostRef>, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        provider.refs(&session, path, kind, search.trim(), page).await
    }

    async fn commit(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        revision: &str,
        cancel: &CancellationToken,
    ) -> Result<CommitDetails, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        provider.commit(&session, path, revision).await
    }

    async fn list_folder(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        commit: &CommitId,
        folder: &RepoPath,
        cancel: &CancellationToken,
    ) -> Result<Vec<TreeEntry>, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        let mut entries = provider.list_folder(&session, path, commit, folder).await?;
        entries.sort_by(|a, b| {
            let is_file = |entry: &TreeEntry| entry.kind != TreeEntryKind::Folder;
            is_file(a).cmp(&is_file(b)).then_with(|| a.name.cmp(&b.name))
        });
        Ok(entries)
    }

    async fn what_moved(
        &self,
        account: &HostAccess,
        watched: &[RepositoryPath],
        mark: Option<&MovedMark>,
        cancel: &CancellationToken,
    ) -> Result<WhatMoved, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        provider.what_moved(&session, watched, mark).await
    }

    async fn hooks(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        cancel: &CancellationToken,
    ) -> Result<Vec<Hook>, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        provider.hooks(&session, path).await
    }

    async fn create_hook(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        hook: &NewHook,
        cancel: &CancellationToken,
    ) -> Result<Hook, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        // A lost answer of an earlier try may have left one with another secret.
        for old in provider.hooks(&session, path).await?.into_iter().filter(|old| old.url == hook.url) {
            gone_is_fine(provider.delete_hook(&session, path, &old.id).await)?;
        }
        provider.create_hook(&session, path, hook).await
    }

    async fn delete_hook(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        id: &str,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        gone_is_fine(provider.delete_hook(&session, path, id).await)
    }

    fn read_delivery(
        &self,
        provider: HostProvider,
        delivery: &Delivery<'_>,
        secret: &Secret,
        now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused> {
        provider::of(provider).read_delivery(delivery, secret, now)
    }

    async fn report(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        report: &CommitReport,
        cancel: &CancellationToken,
    ) -> Result<Option<String>, Failure> {
        let (session, provider) = self.stored(account, cancel)?;
        provider.report(&session, path, report).await
    }

    async fn clone_login(&self, account: &HostAccess, cancel: &CancellationToken) -> Result<CloneLogin, Failure> {
        let link = self.link(&account.address, cancel)?;
        let tokens = self.refresher.tokens(account, &link, Why::Expired).await?;
        let username = provider::of(account.address.provider).clone_username(&tokens);
        Ok(CloneLogin { username, password: tokens.access })
    }
}

fn gone_is_fine(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(failure) if failure.code == ErrorCode::SourceNotFound => Ok(()),
        other => other,
    }
}

#[async_trait]
impl HostAuthorization for Hosts {
    fn guide(&self, address: &HostAddress, needs: &[Need]) -> HostGuide {
        let guide = provider::of(address.provider).guide(&address.base, needs);
        HostGuide { built_in_client: self.built_in_client(address).is_some(), ..guide }
    }

    fn built_in_client(&self, address: &HostAddress) -> Option<OauthClient> {
        let id = match address.provider {
            HostProvider::Github => option_env!("SLIPWAY_OAUTH_GITHUB_CLIENT_ID"),
            HostProvider::Gitlab => option_env!("SLIPWAY_OAUTH_GITLAB_CLIENT_ID"),
            HostProvider::Gitee => option_env!("SLIPWAY_OAUTH_GITEE_CLIENT_ID"),
            HostProvider::Coding => option_env!("SLIPWAY_OAUTH_CODING_CLIENT_ID"),
            HostProvider::Gitea => option_env!("SLIPWAY_OAUTH_GITEA_CLIENT_ID"),
            HostProvider::Bitbucket => option_env!("SLIPWAY_OAUTH_BITBUCKET_CLIENT_ID"),
        };
        // An id is registered at one host; another host of the same product does not know it.
        let is_public = address.provider.public_base() == Some(address.base.as_str());
        let client_id = id.filter(|id| is_public && !id.is_empty())?.to_owned();
        Some(OauthClient { client_id, client_secret: None, redirect_port: None })
    }

    async fn begin_code(
        &self,
        address: &HostAddress,
        client: &OauthClient,
        needs: &[Need],
        language: PageLanguage,
    ) -> Result<Box<dyn PendingAuthorization>, Failure> {
        let link = self.link(address, &CancellationToken::new())?;
        oauth::begin_code(address, client, needs, language, link, Arc::clone(&self.clock)).await
    }

    async fn begin_device(
        &self,
        address: &HostAddress,
        client: &OauthClient,
        needs: &[Need],
        cancel: &CancellationToken,
    ) -> Result<Box<dyn PendingDevice>, Failure> {
        let link = self.link(address, cancel)?;
        oauth::begin_device(address, client, needs, link, Arc::clone(&self.clock), Arc::clone(&self.sleep)).await
    }

    async fn begin_manifest(
        &self,
        address: &HostAddress,
        app_name: &str,
        organization: Option<&str>,
        language: PageLanguage,
    ) -> Result<Box<dyn PendingManifest>, Failure> {
        let link = self.link(address, &CancellationToken::new())?;
        oauth::begin_manifest(address, app_name, organization, language, link).await
    }

    async fn refresh(&self, account: &HostAccess, cancel: &CancellationToken) -> Result<(), Failure> {
        let link = self.link(&account.address, cancel)?;
        self.refresher.tokens(account, &link, Why::Wanted).await.map(drop)
    }

    async fn revoke(&self, account: &HostAccess, cancel: &CancellationToken) -> Result<Revocation, Failure> {
        let provider = provider::of(account.address.provider);
        let by_hand = || Revocation::ByHand { page: provider.guide(&account.address.base, &[Need::Read]).revoke_page };
        let tokens = account.keeper.load().await?;
        // A pasted token may be used elsewhere too: its owner decides.
        if tokens.kind != TokenKind::Oauth {
            return Ok(by_hand());
        }
        // Revoking works on what is stored, expired or not: a fresh pair would only have to be revoked too.
        let session = Session::new(&account.address, self.link(&account.address, cancel)?, Who::Nobody)?;
        let revoked = provider.revoke(&session, account.client.as_ref(), &tokens).await?;
        Ok(revoked.unwrap_or_else(by_hand))
    }
}
