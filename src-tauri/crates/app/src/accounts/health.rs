//! How an account fares: what its host answered last, pausing its rules when the token is not taken any more, going on.

use crate::watch::Watch;
use crate::{AppEvent, Parts};
use slipway_core::ids::SourceAccountId;
use slipway_core::notice::{NoticeFacts, NoticedAccount};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{AccountChecked, SourceAccountRecord};
use tokio_util::sync::CancellationToken;

impl Parts {
    /// Passes an answer of a host on; a token that is not taken any more pauses the account.
    pub(crate) async fn noted<T>(
        &self,
        account: &SourceAccountRecord,
        result: Result<T, Failure>,
    ) -> Result<T, Failure> {
        if let Err(failure) = &result
            && failure.code == ErrorCode::SourceUnauthorized
            && let Err(error) = self.pause_account(account.id, failure).await
        {
            tracing::warn!(%error, account = %account.id, "an account could not be paused");
        }
        result
    }

    async fn pause_account(&self, id: SourceAccountId, why: &Failure) -> Result<(), Failure> {
        if self.store.pause_source_account(id, why, self.now()).await? {
            let account = self.noticed_account(id).await?;
            self.notify(&NoticeFacts::AccountPaused { account, code: why.code }).await?;
        }
        self.announce(AppEvent::AccountsChanged);
        Ok(())
    }

    /// Tells that an account's rules go on. Never fails what made them go on.
    pub(crate) async fn tell_resumed(&self, id: SourceAccountId) {
        let told =
            async { self.notify(&NoticeFacts::AccountResumed { account: self.noticed_account(id).await? }).await };
        if let Err(failure) = told.await {
            tracing::warn!(%failure, account = %id, "a resumed account is not in the inbox");
        }
    }

    async fn noticed_account(&self, id: SourceAccountId) -> Result<NoticedAccount, Failure> {
        let record = self.store.source_account(id).await?;
        let rules = self.hanging_on(id).await?.1.len() as u64;
        Ok(NoticedAccount { account: id, login: record.login, host: record.base.host().to_owned(), rules })
    }

    /// Asks the host about an account and notes the answer; when that ends a pause, its code is looked at.
    pub(crate) async fn check_account(&self, watch: &Watch, id: SourceAccountId) -> Result<(), Failure> {
        if self.ask_account(id, &self.stop.child_token()).await? {
            for (code, _) in self.hanging_on(id).await?.0 {
                watch.repository_edited(code);
            }
        }
        Ok(())
    }

    /// Asks the host about an account and notes the answer. Returns whether that ended a pause.
    pub(crate) async fn ask_account(&self, id: SourceAccountId, cancel: &CancellationToken) -> Result<bool, Failure> {
        let opened = self.open_account(id).await?;
        let answer = self.ports.hosts.identity(&opened.access, &opened.record.needs, cancel).await;
        let result = match self.noted(&opened.record, answer).await {
            Ok(identity) => {
                let resumed = self.store.record_account_check(id, &AccountChecked::Ok(identity), self.now()).await?;
                if resumed {
                    self.tell_resumed(id).await;
                }
                Ok(resumed)
            }
            // The pause has noted the first; the second says nothing.
            Err(failure) if matches!(failure.code, ErrorCode::SourceUnauthorized | ErrorCode::Cancelled) => {
                Err(failure)
            }
            Err(failure) => {
                self.store.record_account_check(id, &AccountChecked::Failed(failure.clone()), self.now()).await?;
                Err(failure)
            }
        };
        self.announce(AppEvent::AccountsChanged);
        result
    }
}
