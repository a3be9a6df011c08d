//! A stored account in memory, which remembers what was saved and can refuse to save.

use async_trait::async_trait;
use slipway_core::host::{HostAccess, HostAddress, HostTokens, OauthClient, TokenKeeper, TokenKind};
use slipway_core::{ErrorCode, Failure, Secret};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

static NEXT: AtomicI64 = AtomicI64::new(1);

pub(crate) struct MemoryKeeper {
    account: i64,
    tokens: Mutex<HostTokens>,
    pub(crate) saves: AtomicUsize,
    /// So many saves fail first.
    pub(crate) refusals: AtomicUsize,
}

impl MemoryKeeper {
    pub(crate) fn new(tokens: HostTokens) -> Arc<Self> {
        Arc::new(Self {
            account: NEXT.fetch_add(1, Ordering::SeqCst),
            tokens: Mutex::new(tokens),
            saves: AtomicUsize::new(0),
            refusals: AtomicUsize::new(0),
        })
    }

    pub(crate) fn stored(&self) -> HostTokens {
        self.tokens.lock().unwrap().clone()
    }
}

#[async_trait]
impl TokenKeeper for MemoryKeeper {
    fn account(&self) -> i64 {
        self.account
    }

    async fn load(&self) -> Result<HostTokens, Failure> {
        Ok(self.stored())
    }

    async fn save(&self, tokens: &HostTokens) -> Result<(), Failure> {
        let refused = self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if refused.is_ok() {
            return Err(Failure::new(ErrorCode::KeychainLocked, "the keychain is locked"));
        }
        *self.tokens.lock().unwrap() = tokens.clone();
        self.saves.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

pub(crate) fn pasted(token: &str) -> HostTokens {
    HostTokens::pasted(TokenKind::Personal, Secret::new(token), Some("ada@example.com".to_owned()))
}

pub(crate) fn account(address: HostAddress, tokens: HostTokens) -> HostAccess {
    with_keeper(address, None, &MemoryKeeper::new(tokens))
}

pub(crate) fn with_keeper(address: HostAddress, client: Option<OauthClient>, keeper: &Arc<MemoryKeeper>) -> HostAccess {
    HostAccess { address, client, keeper: Arc::clone(keeper) as Arc<dyn TokenKeeper> }
}
