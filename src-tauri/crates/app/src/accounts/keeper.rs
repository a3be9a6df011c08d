//! Where the tokens of a stored account lie: sealed, read anew for each call.

use async_trait::async_trait;
use slipway_core::Failure;
use slipway_core::host::{HostTokens, TokenKeeper};
use slipway_core::ids::SourceAccountId;
use slipway_core::ports::{Clock, Vault};
use slipway_store::Store;
use std::sync::Arc;

pub(super) struct SealedTokens {
    pub(super) id: SourceAccountId,
    pub(super) store: Store,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl TokenKeeper for SealedTokens {
    fn account(&self) -> i64 {
        self.id.0
    }

    async fn load(&self) -> Result<HostTokens, Failure> {
        // The row is asked again: a new pair may have replaced the secret.
        let sealed = self.store.secret(self.store.source_account(self.id).await?.tokens).await?;
        HostTokens::from_secret(&self.vault.open(&sealed).await?)
    }

    async fn save(&self, tokens: &HostTokens) -> Result<(), Failure> {
        let sealed = self.vault.seal(&tokens.to_secret()).await?;
        Ok(self.store.replace_account_tokens(self.id, &sealed, tokens.expires_at, self.clock.now()).await?)
    }
}
