//! Secrets sealed with a key from the system keychain
