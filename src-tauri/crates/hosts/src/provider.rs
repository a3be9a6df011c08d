//! What each provider gives. One trait per file of a provider's folder.

use crate::oauth::Endpoints;
use crate::session::Session;
use crate::transport::{Answer, Refined};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::{HeaderName, HeaderValue};
use reqwest::Url;
use slipway_core::code::{CommitDetails, CommitId, RefKind, RepoPath, TreeEntry};
use slipway_core::host::{
    CommitReport, Delivery, DeliveryRefused, Hook, HookEvent, HostBase, HostFacts, HostGuide, HostIdentity, HostOwner,
    HostProvider, HostRef, HostRepository, HostTokens, MovedMark, Need, NewHook, Page, PageMark, RepositoryPath,
    RepositoryQuery, Revocation, WhatMoved,
};
use slipway_core::{Failure, Secret};

/// Everything of one provider.
pub(crate) trait Provider:
    Product + Accounts + Repositories + Code + Moves + Hooks + Statuses + Authorize
{
}

impl<T: Product + Accounts + Repositories + Code + Moves + Hooks + Statuses + Authorize> Provider for T {}

/// Returns the provider's code.
pub(crate) fn of(provider: HostProvider) -> &'static dyn Provider {
    match provider {
        HostProvider::Github => &crate::github::Github,
        HostProvider::Gitlab => &crate::gitlab::Gitlab,
        HostProvider::Gitee => &crate::gitee::Gitee,
        HostProvider::Coding => &crate::coding::Coding,
        HostProvider::Gitea => &crate::gitea::Gitea,
        HostProvider::Bitbucket => &crate::bitbucket::Bitbucket,
    }
}

/// `mod.rs`: addresses, headers, refusals.
#[async_trait]
pub(crate) trait Product: Send + Sync {
    /// Returns where the API stands.
    fn api(&self, base: &HostBase) -> Result<Url, Failure>;
    /// Returns the `Authorization` header for a token.
    fn authorization(&self, tokens: &HostTokens) -> Result<HeaderValue, Failure>;
    /// Returns headers that every request carries.
    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        Vec::new()
    }
    /// Knows a refusal better than its status says.
    fn refine(&self, answer: &Answer) -> Option<Refined>;
    /// Returns the user name for git beside this token.
    fn clone_username(&self, tokens: &HostTokens) -> String;
    /// Looks, without any login, whether this product answers at the session's address.
    async fn probe(&self, session: &Session<'_>) -> Result<HostFacts, Failure>;
}

/// `account.rs`
#[async_trait]
pub(crate) trait Accounts: Send + Sync {
    /// Whose token it is and what it may.
    async fn identity(&self, session: &Session<'_>, needs: &[Need]) -> Result<HostIdentity, Failure>;
    /// Where repositories can be, the own account first.
    async fn owners(&self, session: &Session<'_>) -> Result<Vec<HostOwner>, Failure>;
}

/// `repositories.rs`
#[async_trait]
pub(crate) trait Repositories: Send + Sync {
    /// One page of an owner's repositories.
    async fn repositories(
        &self,
        session: &Session<'_>,
        query: &RepositoryQuery,
    ) -> Result<Page<HostRepository>, Failure>;
    /// One repository.
    async fn repository(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<HostRepository, Failure>;
}

/// `code.rs`
#[async_trait]
pub(crate) trait Code: Send + Sync {
    /// One page of branches or tags.
    async fn refs(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
    ) -> Result<Page<HostRef>, Failure>;
    /// The commit of a revision.
    async fn commit(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        revision: &str,
    ) -> Result<CommitDetails, Failure>;
    /// A folder of a commit, in any order.
    async fn list_folder(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        commit: &CommitId,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure>;
}

/// `moved.rs`
#[async_trait]
pub(crate) trait Moves: Send + Sync {
    /// The cheap look.
    async fn what_moved(
        &self,
        session: &Session<'_>,
        watched: &[RepositoryPath],
        mark: Option<&MovedMark>,
    ) -> Result<WhatMoved, Failure>;
}

/// `hooks.rs`
#[async_trait]
pub(crate) trait Hooks: Send + Sync {
    /// Webhooks of a repository.
    async fn hooks(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<Vec<Hook>, Failure>;
    /// Makes one.
    async fn create_hook(&self, session: &Session<'_>, path: &RepositoryPath, hook: &NewHook) -> Result<Hook, Failure>;
    /// Removes one; missing is [`slipway_core::ErrorCode::SourceNotFound`].
    async fn delete_hook(&self, session: &Session<'_>, path: &RepositoryPath, id: &str) -> Result<(), Failure>;
    /// Checks and reads a delivery.
    fn read_delivery(
        &self,
        delivery: &Delivery<'_>,
        secret: &Secret,
        now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused>;
}

/// `status.rs`
#[async_trait]
pub(crate) trait Statuses: Send + Sync {
    /// Reports a build on its commit.
    async fn report(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        report: &CommitReport,
    ) -> Result<Option<String>, Failure>;
}

/// `authorize.rs`
#[async_trait]
pub(crate) trait Authorize: Send + Sync {
    /// What to tell a person.
    fn guide(&self, base: &HostBase, needs: &[Need]) -> HostGuide;
    /// Where the flows go. Fails where there is none.
    fn endpoints(&self, base: &HostBase) -> Result<Endpoints, Failure>;
    /// Takes tokens back, where the host can; `None` where the person has to.
    async fn revoke(
        &self,
        session: &Session<'_>,
        client: Option<&slipway_core::host::OauthClient>,
        tokens: &HostTokens,
    ) -> Result<Option<Revocation>, Failure>;
}
