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
    /// What each sealed text begins with: another key opens nothing of before.
    key: Mutex<u8>,
    key_lost: Mutex<bool>,
    script: Script,
}

impl MemoryVault {
    /// Locks or unlocks the pretended keychain.
    pub fn set_locked(&self, locked: bool) {
        *lock(&self.locked) = locked;
    }

    /// Loses the key: nothing opens and nothing is sealed until it is forgotten.
    pub fn lose_key(&self) {
        *lock(&self.key_lost) = true;
    }

    /// How often `call` (`seal`, `open`, `check`, `forget_key`) was made.
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

    fn key(&self) -> Result<u8, Failure> {
        if *lock(&self.key_lost) {
            return Err(Failure::new(ErrorCode::KeychainKeyLost, "the keychain has no key"));
        }
        Ok(*lock(&self.key))
    }
}

#[async_trait]
impl Vault for MemoryVault {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, Failure> {
        self.enter("seal")?;
        let turned = secret.expose().bytes().rev().map(|byte| byte ^ 0xa5);
        Ok(std::iter::once(self.key()?).chain(turned).collect())
    }

    async fn open(&self, sealed: &[u8]) -> Result<Secret, Failure> {
        self.enter("open")?;
        let key = self.key()?;
        let foreign = || Failure::new(ErrorCode::KeychainKeyLost, "these bytes were not sealed with this key");
        let turned = sealed.strip_prefix(&[key]).ok_or_else(foreign)?;
        String::from_utf8(turned.iter().rev().map(|byte| byte ^ 0xa5).collect()).map(Secret::new).map_err(|_| foreign())
    }

    async fn check(&self) -> Result<(), Failure> {
        self.enter("check")
    }

    async fn forget_key(&self) -> Result<(), Failure> {
        self.enter("forget_key")?;
        *lock(&self.key) += 1;
        *lock(&self.key_lost) = false;
        Ok(())
    }
}
