//! The vault: the key's life in the keychain, and the port over it.

use crate::keychain::{Keychain, KeychainError, SystemKeychain};
use crate::seal::{SealError, SealingKey, split};
use async_trait::async_trait;
use slipway_core::ports::Vault;
use slipway_core::{ErrorCode, Failure, Secret};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Mutex, oneshot};

/// Account name of the key's item; a suffix keeps several data folders apart.
const KEY_ACCOUNT: &str = "vault-key";
/// An unlock dialog may be open: long enough to type a password, short enough not to look hung.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// Secrets sealed with a key that stays in the system keychain. Cheap to clone; clones share the key and the queue.
///
/// The key is made with the first [`Vault::seal`], read once, and kept in memory until the vault is dropped. One keychain
/// question is asked at a time. A keychain that appears or is unlocked later works without a restart.
#[derive(Clone)]
pub struct KeychainVault {
    shared: Arc<Shared>,
    /// Held by the thread that asks the keychain, also after its caller gave up.
    gate: Arc<Mutex<()>>,
    deadline: Duration,
}

struct Shared {
    keychain: Box<dyn Keychain>,
    account: String,
    key: RwLock<Option<Arc<SealingKey>>>,
}

impl KeychainVault {
    /// Uses the system keychain's items of this service (`slipway`).
    #[must_use]
    pub fn new(service_name: &str) -> Self {
        Self::over(Box::new(SystemKeychain::new(service_name)), KEY_ACCOUNT.to_owned(), DEFAULT_DEADLINE)
    }

    /// The same with a key of its own, for a further data folder (or a test).
    #[must_use]
    pub fn with_account_suffix(service_name: &str, suffix: &str) -> Self {
        Self::over(Box::new(SystemKeychain::new(service_name)), format!("{KEY_ACCOUNT}-{suffix}"), DEFAULT_DEADLINE)
    }

    fn over(keychain: Box<dyn Keychain>, account: String, deadline: Duration) -> Self {
        Self {
            shared: Arc::new(Shared { keychain, account, key: RwLock::new(None) }),
            gate: Arc::new(Mutex::new(())),
            deadline,
        }
    }

    /// Runs a blocking question on a thread of its own, one at a time, and stops waiting at the deadline. A thread and not
    /// the runtime's blocking pool: an unlock dialog that nobody answers must not hold up the end of the application.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Shared) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, Failure> {
        let answer = async {
            let turn = Arc::clone(&self.gate).lock_owned().await;
            let shared = Arc::clone(&self.shared);
            let (send, receive) = oneshot::channel();
            std::thread::Builder::new()
                .name("keychain".to_owned())
                .spawn(move || {
                    let _turn = turn;
                    // The caller may have given up; what was read is kept in memory all the same.
                    drop(send.send(question(&shared)));
                })
                .map_err(Failure::internal)?;
            receive
                .await
                .map_err(|_| Failure::internal("the keychain thread ended without an answer"))?
                .map_err(Failure::from)
        };
        tokio::time::timeout(self.deadline, answer).await.unwrap_or_else(|_| {
            Err(Failure::new(
                ErrorCode::KeychainLocked,
                "the keychain did not answer in time; it may wait to be unlocked",
            )
            .with("seconds", self.deadline.as_secs().to_string()))
        })
    }

    async fn key(&self, missing: Missing) -> Result<Arc<SealingKey>, Failure> {
        if let Some(key) = self.shared.remembered() {
            return Ok(key);
        }
        self.ask(move |shared| shared.key(missing)).await
    }
}

/// What to do when the keychain has no key.
#[derive(Clone, Copy)]
enum Missing {
    Make,
    IsLost,
}

impl Shared {
    fn remembered(&self) -> Option<Arc<SealingKey>> {
        self.key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, key: Option<Arc<SealingKey>>) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// Reads the key, or makes it. "No entry" counts only after the canary proved that the keychain is open.
    fn key(&self, missing: Missing) -> Result<Arc<SealingKey>, VaultError> {
        if let Some(key) = self.remembered() {
            return Ok(key);
        }
        let text = match self.keychain.get(&self.account)? {
            Some(text) => Some(text),
            None => {
                self.probe()?;
                self.keychain.get(&self.account)?
            }
        };
        let key = match (text, missing) {
            (Some(text), _) => SealingKey::from_text(&text)?,
            (None, Missing::IsLost) => return Err(VaultError::KeyMissing),
            (None, Missing::Make) => self.make_key()?,
        };
        let key = Arc::new(key);
        self.remember(Some(Arc::clone(&key)));
        Ok(key)
    }

    /// Makes the key and reads it back: nothing may be sealed with a key that was not kept.
    fn make_key(&self) -> Result<SealingKey, VaultError> {
        let key = SealingKey::random()?;
        let text = key.to_text();
        self.keychain.set(&self.account, text.as_bytes())?;
        match self.keychain.get(&self.account)? {
            Some(kept) if kept.as_slice() == text.as_bytes() => Ok(key),
            _ => Err(VaultError::NotKept),
        }
    }

    /// Proves that the keychain keeps what it is given: a canary is stored, read and removed.
    fn probe(&self) -> Result<(), VaultError> {
        let account = format!("{}-canary", self.account);
        let mut canary = [0; 16];
        getrandom::fill(&mut canary).map_err(|_| SealError::Failed)?;
        self.keychain.set(&account, &canary)?;
        let kept = self.keychain.get(&account)?;
        self.keychain.delete(&account)?;
        if kept.is_some_and(|kept| kept.as_slice() == canary) { Ok(()) } else { Err(VaultError::NotKept) }
    }
}

#[async_trait]
impl Vault for KeychainVault {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, Failure> {
        let key = self.key(Missing::Make).await?;
        key.seal(secret.expose().as_bytes()).map_err(|error| VaultError::from(error).into())
    }

    async fn open(&self, sealed: &[u8]) -> Result<Secret, Failure> {
        split(sealed).map_err(VaultError::from)?;
        let key = self.key(Missing::IsLost).await?;
        let plain = key.open(sealed).map_err(VaultError::from)?;
        let text = std::str::from_utf8(&plain).map_err(|_| VaultError::Seal(SealError::BadFormat))?;
        Ok(Secret::new(text))
    }

    async fn check(&self) -> Result<(), Failure> {
        self.ask(Shared::probe).await
    }

    async fn forget_key(&self) -> Result<(), Failure> {
        self.ask(|shared| {
            shared.probe()?;
            shared.keychain.delete(&shared.account)?;
            shared.remember(None);
            Ok(())
        })
        .await
    }
}

/// Everything that can go wrong in here.
#[derive(Debug, thiserror::Error)]
enum VaultError {
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("the keychain has no key for the stored secrets")]
    KeyMissing,
    #[error("the keychain does not keep what it is given")]
    NotKept,
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        let code = match &error {
            VaultError::Keychain(KeychainError::Absent(_)) => ErrorCode::KeychainAbsent,
            VaultError::Keychain(KeychainError::Locked(_)) | VaultError::NotKept => ErrorCode::KeychainLocked,
            VaultError::Keychain(KeychainError::Damaged(_)) | VaultError::KeyMissing => ErrorCode::KeychainKeyLost,
            VaultError::Seal(SealError::BadKey | SealError::WrongKey | SealError::BadFormat) => {
                ErrorCode::KeychainKeyLost
            }
            VaultError::Keychain(KeychainError::Refused(_)) | VaultError::Seal(SealError::Failed) => {
                ErrorCode::Internal
            }
        };
        Self::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashMap;
    use std::sync::Mutex as StdMutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use zeroize::Zeroizing;

    /// A keychain in memory whose state a test can change under the vault.
    #[derive(Default, Clone)]
    struct ScriptedKeychain(Arc<Script>);

    #[derive(Default)]
    struct Script {
        items: StdMutex<HashMap<String, Vec<u8>>>,
        /// Like gnome-keyring without an unlocked collection: `get` says nothing is there, `set` fails.
        locked: std::sync::atomic::AtomicBool,
        absent: std::sync::atomic::AtomicBool,
        questions: AtomicUsize,
        asked_at_once: AtomicUsize,
        most_at_once: AtomicUsize,
        /// While true, every call hangs.
        hangs: StdMutex<bool>,
        hang_ended: std::sync::Condvar,
    }

    impl ScriptedKeychain {
        fn enter(&self) -> Result<Busy<'_>, KeychainError> {
            self.0.questions.fetch_add(1, Ordering::SeqCst);
            let now = self.0.asked_at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.0.most_at_once.fetch_max(now, Ordering::SeqCst);
            let busy = Busy(&self.0);
            let hangs = self.0.hangs.lock().unwrap();
            drop(self.0.hang_ended.wait_while(hangs, |hangs| *hangs).unwrap());
            if self.0.absent.load(Ordering::SeqCst) {
                return Err(KeychainError::Absent("scripted".to_owned()));
            }
            Ok(busy)
        }
    }

    struct Busy<'a>(&'a Script);

    impl Drop for Busy<'_> {
        fn drop(&mut self) {
            self.0.asked_at_once.fetch_sub(1, Ordering::SeqCst);
        }
    }

    impl Keychain for ScriptedKeychain {
        fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
            let _busy = self.enter()?;
            if self.0.locked.load(Ordering::SeqCst) {
                return Ok(None);
            }
            Ok(self.0.items.lock().unwrap().get(account).cloned().map(Zeroizing::new))
        }

        fn set(&self, account: &str, value: &[u8]) -> Result<(), KeychainError> {
            let _busy = self.enter()?;
            if self.0.locked.load(Ordering::SeqCst) {
                return Err(KeychainError::Locked("scripted".to_owned()));
            }
            self.0.items.lock().unwrap().insert(account.to_owned(), value.to_vec());
            Ok(())
        }

        fn delete(&self, account: &str) -> Result<(), KeychainError> {
            let _busy = self.enter()?;
            self.0.items.lock().unwrap().remove(account);
            Ok(())
        }
    }

    fn vault(keychain: &ScriptedKeychain) -> KeychainVault {
        KeychainVault::over(Box::new(keychain.clone()), KEY_ACCOUNT.to_owned(), Duration::from_secs(20))
    }

    #[tokio::test]
    async fn the_first_seal_makes_the_key_and_a_new_vault_opens_with_it() {
        let keychain = ScriptedKeychain::default();
        let sealed = vault(&keychain).seal(&Secret::new("canary 密")).await.unwrap();
        assert_eq!(vault(&keychain).open(&sealed).await.unwrap().expose(), "canary 密");
        let items = keychain.0.items.lock().unwrap();
        assert_eq!(items.keys().collect::<Vec<_>>(), [KEY_ACCOUNT], "the probe's canary is removed");
    }

    #[tokio::test]
    async fn the_key_is_read_once() {
        let keychain = ScriptedKeychain::default();
        let vault = vault(&keychain);
        let sealed = vault.seal(&Secret::new("a")).await.unwrap();
        let before = keychain.0.questions.load(Ordering::SeqCst);
        vault.open(&sealed).await.unwrap();
        vault.seal(&Secret::new("b")).await.unwrap();
        assert_eq!(keychain.0.questions.load(Ordering::SeqCst), before);
    }

    #[tokio::test]
    async fn f15_a_locked_keychain_that_says_no_entry_is_not_a_lost_key() {
        let keychain = ScriptedKeychain::default();
        let sealed = vault(&keychain).seal(&Secret::new("a")).await.unwrap();
        keychain.0.locked.store(true, Ordering::SeqCst);
        let vault = vault(&keychain);
        assert_eq!(vault.open(&sealed).await.unwrap_err().code, ErrorCode::KeychainLocked);
        assert_eq!(vault.seal(&Secret::new("b")).await.unwrap_err().code, ErrorCode::KeychainLocked);
        assert_eq!(vault.check().await.unwrap_err().code, ErrorCode::KeychainLocked);
        keychain.0.locked.store(false, Ordering::SeqCst);
        assert_eq!(vault.open(&sealed).await.unwrap().expose(), "a");
    }

    #[tokio::test]
    async fn f15_an_absent_keychain_works_when_it_appears() {
        let keychain = ScriptedKeychain::default();
        keychain.0.absent.store(true, Ordering::SeqCst);
        let vault = vault(&keychain);
        assert_eq!(vault.seal(&Secret::new("a")).await.unwrap_err().code, ErrorCode::KeychainAbsent);
        keychain.0.absent.store(false, Ordering::SeqCst);
        let sealed = vault.seal(&Secret::new("a")).await.unwrap();
        assert_eq!(vault.open(&sealed).await.unwrap().expose(), "a");
    }

    #[tokio::test]
    async fn f15_a_wiped_or_damaged_key_is_lost_until_it_is_forgotten() {
        let keychain = ScriptedKeychain::default();
        let sealed = vault(&keychain).seal(&Secret::new("a")).await.unwrap();
        keychain.0.items.lock().unwrap().clear();
        assert_eq!(vault(&keychain).open(&sealed).await.unwrap_err().code, ErrorCode::KeychainKeyLost);
        assert!(keychain.0.items.lock().unwrap().is_empty(), "opening makes no key");

        keychain.0.items.lock().unwrap().insert(KEY_ACCOUNT.to_owned(), b"dHJ1bmNhdGVk".to_vec());
        let vault = vault(&keychain);
        assert_eq!(vault.open(&sealed).await.unwrap_err().code, ErrorCode::KeychainKeyLost);
        assert_eq!(vault.seal(&Secret::new("b")).await.unwrap_err().code, ErrorCode::KeychainKeyLost);
        vault.forget_key().await.unwrap();
        let fresh = vault.seal(&Secret::new("b")).await.unwrap();
        assert_eq!(vault.open(&fresh).await.unwrap().expose(), "b");
        assert_eq!(vault.open(&sealed).await.unwrap_err().code, ErrorCode::KeychainKeyLost);
    }

    #[tokio::test]
    async fn f15_a_hanging_keychain_ends_at_the_deadline_and_is_asked_once_at_a_time() {
        let keychain = ScriptedKeychain::default();
        let vault = KeychainVault::over(Box::new(keychain.clone()), KEY_ACCOUNT.to_owned(), Duration::from_millis(50));
        *keychain.0.hangs.lock().unwrap() = true;
        let secret = Secret::new("a");
        let (first, second) = tokio::join!(vault.seal(&secret), vault.seal(&secret));
        assert_eq!(first.unwrap_err().code, ErrorCode::KeychainLocked);
        assert_eq!(second.unwrap_err().code, ErrorCode::KeychainLocked);
        *keychain.0.hangs.lock().unwrap() = false;
        keychain.0.hang_ended.notify_all();
        let patient = KeychainVault { deadline: Duration::from_secs(20), ..vault };
        patient.seal(&Secret::new("a")).await.unwrap();
        assert_eq!(keychain.0.most_at_once.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn f15_cut_or_foreign_bytes_never_open() {
        let keychain = ScriptedKeychain::default();
        let vault = vault(&keychain);
        let sealed = vault.seal(&Secret::new("canary")).await.unwrap();
        for bad in [&sealed[..0], &sealed[..20], b"canary in plain text, long enough to be a sealed value"] {
            assert_eq!(vault.open(bad).await.unwrap_err().code, ErrorCode::KeychainKeyLost);
        }
    }
}
