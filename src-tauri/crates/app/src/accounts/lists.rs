//! What an account sees: owners, repositories, branches and tags, page by page, asked at the moment that somebody looks.

use crate::Slipway;
use slipway_core::Failure;
use slipway_core::code::RefKind;
use slipway_core::host::{HostOwner, HostRef, HostRepository, Page, PageMark, RepositoryPath, RepositoryQuery};
use slipway_core::ids::SourceAccountId;

/// Which page of a list.
#[derive(Debug, Clone, Default)]
pub struct AccountPage {
    /// Part of the name; empty for all.
    pub search: String,
    /// Where to go on.
    pub page: Option<PageMark>,
}

impl Slipway {
    /// Lists where repositories of an account can be: its own, then organizations and groups.
    ///
    /// # Errors
    /// What the host answers.
    pub async fn account_owners(&self, id: SourceAccountId) -> Result<Vec<HostOwner>, Failure> {
        let opened = self.parts.open_account(id).await?;
        let owners = self.parts.ports.hosts.owners(&opened.access, &self.parts.stop.child_token()).await;
        self.parts.noted(&opened.record, owners).await
    }

    /// Lists repositories of an owner.
    ///
    /// # Errors
    /// What the host answers.
    pub async fn account_repositories(
        &self,
        id: SourceAccountId,
        owner: HostOwner,
        page: AccountPage,
    ) -> Result<Page<HostRepository>, Failure> {
        let opened = self.parts.open_account(id).await?;
        let query = RepositoryQuery { owner, search: page.search, page: page.page };
        let cancel = self.parts.stop.child_token();
        let found = self.parts.ports.hosts.repositories(&opened.access, &query, &cancel).await;
        self.parts.noted(&opened.record, found).await
    }

    /// Lists branches or tags of a repository.
    ///
    /// # Errors
    /// What the host answers.
    pub async fn account_refs(
        &self,
        id: SourceAccountId,
        path: &RepositoryPath,
        kind: RefKind,
        page: AccountPage,
    ) -> Result<Page<HostRef>, Failure> {
        let opened = self.parts.open_account(id).await?;
        let cancel = self.parts.stop.child_token();
        let hosts = &self.parts.ports.hosts;
        let found = hosts.refs(&opened.access, path, kind, &page.search, page.page.as_ref(), &cancel).await;
        self.parts.noted(&opened.record, found).await
    }
}
