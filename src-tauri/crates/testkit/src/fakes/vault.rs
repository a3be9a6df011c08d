use super::{Script, lock};
use async_trait::async_trait;
use slipway_core::ports::Vault;
use slipway_core::{ErrorCode, Failure, Secret};
use std::sync::Mutex;

/// A vault without a keychain: sealed bytes are the secret turned around and flipped, so that a scan of the data folder for
/// the clear text finds nothing.
#[derive(Default)]
pub struct MemoryVault {
    locked: Mutex<bool>,
    script: Script,
}

impl MemoryVault {
    /// Locks or unlocks the pretended keychain.
    pub fn set_locked(&self, locked: bool) {
        *lock(&self.locked) = locked;
    }

    /// How often `call` (`seal`, `open`, `check`) was made.
    pub fn calls(&self, call: &'static str) -> usize {
        self.script.calls(call)
    }

    fn enter(&self, call: &'static str) -> Result<(), Failure> {
        self.script.enter(call)?;
        if *lock(&self.locked) {
            return Err(Failure::new(ErrorCode::KeychainLocked, "the keychain is locked"));
        }
        Ok(())
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, Failure> {
        self.enter("seal")?;
        Ok(secret.expose().bytes().rev().map(|byte| byte ^ 0xa5).collect())
    }

    async fn open(&self, sealed: &[u8]) -> Result<Secret, Failure> {
        self.enter("open")?;
        String::from_utf8(sealed.iter().rev().map(|byte| byte ^ 0xa5).collect())
            .map(Secret::new)
            .map_err(|_| Failure::new(ErrorCode::KeychainKeyLost, "these bytes were not sealed here"))
    }

    async fn check(&self) -> Result<(), Failure> {
        self.enter("check")
    }
}
