//! Secrets at rest. One random key lives in the system keychain; everything else is sealed with it and stored elsewhere.
//!
//! - [`KeychainVault`]: the [`slipway_core::ports::Vault`] over the system keychain.
//! - `keychain`: the system keychain as four calls and four errors.
//! - `seal`: the sealed format.
//!
//! Nothing is ever stored unsealed: without a keychain the calls fail and the work waits.

mod keychain;
mod seal;
mod vault;

pub use vault::KeychainVault;
