//! The system keychain as three blocking calls. Each call opens the store anew: the `keyring` crate's own entry point keeps
//! the first answer for the life of the process, so a Secret Service that starts later would never be seen
//! (`reference/desktop-facts.md` "keyring"). Its error type and its choice of stores are used, its cache is not.

use keyring::Error as StoreError;
use keyring_core::Entry;
use keyring_core::api::CredentialStore;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a keychain call can run into.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeychainError {
    /// No keychain service answers.
    #[error("no keychain service answers: {0}")]
    Absent(String),
    /// The service answers, but its items cannot be used now.
    #[error("the keychain is locked: {0}")]
    Locked(String),
    /// The item is there and cannot be read as what was written.
    #[error("the keychain item is damaged: {0}")]
    Damaged(String),
    /// The store refused the call itself.
    #[error("the keychain refused the call: {0}")]
    Refused(String),
}

/// A place for small secrets by account name.
pub(crate) trait Keychain: Send + Sync + 'static {
    /// Returns the value, or `None`. `None` is no proof: a locked keychain may say the same.
    fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError>;
    /// Stores a value.
    fn set(&self, account: &str, value: &[u8]) -> Result<(), KeychainError>;
    /// Removes a value; removing nothing is fine.
    fn delete(&self, account: &str) -> Result<(), KeychainError>;
}

/// The keychain of the operating system.
pub(crate) struct SystemKeychain {
    service: String,
}

impl SystemKeychain {
    /// Uses items of this service name.
    pub(crate) fn new(service: &str) -> Self {
        Self { service: service.to_owned() }
    }

    fn entry(&self, account: &str) -> Result<Entry, KeychainError> {
        // Opening the store fails only when nothing is there to talk to.
        let store = open_store().map_err(|error| KeychainError::Absent(error.to_string()))?;
        store.build(&self.service, account, None).map_err(classify)
    }
}

impl Keychain for SystemKeychain {
    fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeychainError> {
        match self.entry(account)?.get_secret() {
            Ok(value) => Ok(Some(Zeroizing::new(value))),
            Err(StoreError::NoEntry) => Ok(None),
            Err(error) => Err(classify(error)),
        }
    }

    fn set(&self, account: &str, value: &[u8]) -> Result<(), KeychainError> {
        self.entry(account)?.set_secret(value).map_err(classify)
    }

    fn delete(&self, account: &str) -> Result<(), KeychainError> {
        match self.entry(account)?.delete_credential() {
            Ok(()) | Err(StoreError::NoEntry) => Ok(()),
            Err(error) => Err(classify(error)),
        }
    }
}

#[cfg(target_os = "macos")]
fn open_store() -> keyring::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn open_store() -> keyring::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn open_store() -> keyring::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

fn classify(error: StoreError) -> KeychainError {
    let text = error.to_string();
    match error {
        StoreError::NoStorageAccess(_) => KeychainError::Locked(text),
        StoreError::PlatformFailure(cause) if is_locked(cause.as_ref()) => KeychainError::Locked(text),
        StoreError::PlatformFailure(_) | StoreError::NoDefaultStore => KeychainError::Absent(text),
        // The values inside these errors are key bytes: their Display does not print them.
        StoreError::BadEncoding(_) | StoreError::BadDataFormat(..) | StoreError::Ambiguous(_) => {
            KeychainError::Damaged("its value is not readable, or there are several".to_owned())
        }
        _ => KeychainError::Refused(text),
    }
}

/// The Secret Service store reports a locked collection as a platform failure in some calls.
#[cfg(all(unix, not(target_os = "macos")))]
fn is_locked(cause: &(dyn std::error::Error + 'static)) -> bool {
    use secret_service::Error;
    matches!(
        cause.downcast_ref::<Error>(),
        Some(Error::Locked | Error::Prompt | Error::PromptDisconnected | Error::NoResult)
    )
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn is_locked(_cause: &(dyn std::error::Error + 'static)) -> bool {
    false
}
