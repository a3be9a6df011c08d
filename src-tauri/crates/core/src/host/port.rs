//! The two ports of code hosts. The rules of [`crate::ports`] hold: deadlines, cancelling, safe to call again.
//!
//! Failures that every call may give: [`crate::ErrorCode::SourceUnreachable`], `SourceTls`, `SourceUnauthorized` (sign in
//! again), `SourceScopesMissing`, `SourceForbidden`, `SourceOrganizationBlocks`, `SourceSsoRequired` (page in `url`),
//! `SourceNotFound` (no access, or gone), `SourceArchived` (on writes), `SourceRateLimited` (seconds in `retry_after`),
//! `SourceServerError`, `SourceRedirected`, `NotACodeHost` (perhaps a better address in `suggestion`), `SourceUnsupported`,
//! `TimedOut`, `Cancelled`.

use super::account::{CloneLogin, HostAccess, HostIdentity, HostTokens};
use super::address::{HostAddress, HostFacts, HostProvider};
use super::authorize::{DeviceCode, GithubApp, HostGuide, Need, OauthClient, PageLanguage, Revocation};
use super::listing::{HostOwner, HostRef, HostRepository, Page, PageMark, RepositoryPath, RepositoryQuery};
use super::report::CommitReport;
use super::watch::{Delivery, DeliveryRefused, Hook, HookEvent, MovedMark, NewHook, WhatMoved};
use crate::code::{CommitDetails, CommitId, RefKind, RepoPath, TreeEntry};
use crate::{Failure, Secret};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

/// What code hosts hold and are told.
#[async_trait]
pub trait CodeHosts: Send + Sync + 'static {
    /// Looks without any login whether the provider answers at the address. A repository's address or a login page is
    /// [`crate::ErrorCode::NotACodeHost`], with the host's own address in `suggestion` where it was found.
    async fn probe(&self, address: &HostAddress, cancel: &CancellationToken) -> Result<HostFacts, Failure>;

    /// Says whose a new token is and what it may, before it is stored.
    async fn identify(
        &self,
        address: &HostAddress,
        tokens: &HostTokens,
        needs: &[Need],
        cancel: &CancellationToken,
    ) -> Result<HostIdentity, Failure>;

    /// Says the same about a stored account: its health check.
    async fn identity(
        &self,
        account: &HostAccess,
        needs: &[Need],
        cancel: &CancellationToken,
    ) -> Result<HostIdentity, Failure>;

    /// Lists where repositories can be: the own account first, then organizations and groups by name.
    async fn owners(&self, account: &HostAccess, cancel: &CancellationToken) -> Result<Vec<HostOwner>, Failure>;

    /// Lists repositories of an owner, the last pushed first where the host can.
    async fn repositories(
        &self,
        account: &HostAccess,
        query: &RepositoryQuery,
        cancel: &CancellationToken,
    ) -> Result<Page<HostRepository>, Failure>;

    /// Returns one repository. Its `path` differs from the one that was asked for when it was renamed or moved.
    async fn repository(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        cancel: &CancellationToken,
    ) -> Result<HostRepository, Failure>;

    /// Lists branches or tags whose name holds `search` (GitHub: begins with it), page by page.
    async fn refs(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        kind: RefKind,
        search: &str,
        page: Option<&PageMark>,
        cancel: &CancellationToken,
    ) -> Result<Page<HostRef>, Failure>;

    /// Returns the commit of a branch, tag or id. [`crate::ErrorCode::RefNotFound`] when there is none.
    async fn commit(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        revision: &str,
        cancel: &CancellationToken,
    ) -> Result<CommitDetails, Failure>;

    /// Lists a folder of a commit for the pickers, folders first, then by name.
    async fn list_folder(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        commit: &CommitId,
        folder: &RepoPath,
        cancel: &CancellationToken,
    ) -> Result<Vec<TreeEntry>, Failure>;

    /// Asks cheaply which repositories of the account moved since `mark`. `watched` are those that somebody waits for; hosts
    /// that answer per workspace are asked about theirs only.
    async fn what_moved(
        &self,
        account: &HostAccess,
        watched: &[RepositoryPath],
        mark: Option<&MovedMark>,
        cancel: &CancellationToken,
    ) -> Result<WhatMoved, Failure>;

    /// Lists webhooks of a repository.
    async fn hooks(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        cancel: &CancellationToken,
    ) -> Result<Vec<Hook>, Failure>;

    /// Creates a webhook for pushes; one that is there already for the same address is replaced, so that asking again is safe.
    async fn create_hook(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        hook: &NewHook,
        cancel: &CancellationToken,
    ) -> Result<Hook, Failure>;

    /// Removes a webhook; one that is not there is fine.
    async fn delete_hook(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        id: &str,
        cancel: &CancellationToken,
    ) -> Result<(), Failure>;

    /// Checks the signature of a delivery (over the raw body where the provider signs it, in constant time) and reads it.
    fn read_delivery(
        &self,
        provider: HostProvider,
        delivery: &Delivery<'_>,
        secret: &Secret,
        now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused>;

    /// Reports a build on its commit. Returns what the next report of the same build gives as `previous`, if anything.
    async fn report(
        &self,
        account: &HostAccess,
        path: &RepositoryPath,
        report: &CommitReport,
        cancel: &CancellationToken,
    ) -> Result<Option<String>, Failure>;

    /// Returns the login for cloning, with a token that is good now. To be asked for at the moment of each git call.
    async fn clone_login(&self, account: &HostAccess, cancel: &CancellationToken) -> Result<CloneLogin, Failure>;
}

/// Getting in and out.
#[async_trait]
pub trait HostAuthorization: Send + Sync + 'static {
    /// Returns what to tell a person who connects an account there. No request is made.
    fn guide(&self, address: &HostAddress, needs: &[Need]) -> HostGuide;

    /// Returns the client id that was built in, for the provider's public service only.
    fn built_in_client(&self, address: &HostAddress) -> Option<OauthClient>;

    /// Prepares the code flow: listens on a loopback IP literal and makes the page to open in the system browser.
    /// [`crate::ErrorCode::SourceUnsupported`] where the host has no such flow or wants a secret that is not there.
    async fn begin_code(
        &self,
        address: &HostAddress,
        client: &OauthClient,
        needs: &[Need],
        language: PageLanguage,
    ) -> Result<Box<dyn PendingAuthorization>, Failure>;

    /// Prepares the device flow (GitHub, GitLab).
    async fn begin_device(
        &self,
        address: &HostAddress,
        client: &OauthClient,
        needs: &[Need],
        cancel: &CancellationToken,
    ) -> Result<Box<dyn PendingDevice>, Failure>;

    /// Prepares a GitHub App from a manifest with the least rights, for the person or an organization.
    async fn begin_manifest(
        &self,
        address: &HostAddress,
        app_name: &str,
        organization: Option<&str>,
        language: PageLanguage,
    ) -> Result<Box<dyn PendingManifest>, Failure>;

    /// Refreshes the stored tokens now, whatever their age. Single-flight; stored before it returns.
    async fn refresh(&self, account: &HostAccess, cancel: &CancellationToken) -> Result<(), Failure>;

    /// Takes the stored tokens back at the host, where it can.
    async fn revoke(&self, account: &HostAccess, cancel: &CancellationToken) -> Result<Revocation, Failure>;
}

/// A code flow that waits for the browser. Dropping it closes its listener.
#[async_trait]
pub trait PendingAuthorization: Send + Sync {
    /// Returns the page to open in the system browser.
    fn page(&self) -> &str;
    /// Waits for the browser to come back and exchanges the code; ten minutes at most.
    /// [`crate::ErrorCode::AuthorizationDenied`] when the person said no, `AuthorizationExpired` when nobody came,
    /// `AuthorizationFailed` when the host refused.
    async fn finish(self: Box<Self>, cancel: &CancellationToken) -> Result<HostTokens, Failure>;
}

/// A device flow that waits for a person on another page.
#[async_trait]
pub trait PendingDevice: Send + Sync {
    /// Returns the code to show.
    fn code(&self) -> &DeviceCode;
    /// Asks in the host's rhythm until the person has decided or the code ends. Errors as
    /// [`PendingAuthorization::finish`].
    async fn finish(self: Box<Self>, cancel: &CancellationToken) -> Result<HostTokens, Failure>;
}

/// A GitHub App in the making.
#[async_trait]
pub trait PendingManifest: Send + Sync {
    /// Returns the page to open in the system browser: a page of ours that hands the manifest to GitHub.
    fn page(&self) -> &str;
    /// Waits for the browser to come back and asks GitHub for the app's credentials.
    async fn finish(self: Box<Self>, cancel: &CancellationToken) -> Result<GithubApp, Failure>;
}
