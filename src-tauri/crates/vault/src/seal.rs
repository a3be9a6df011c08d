//! The sealed format: version byte, 24-byte nonce, XChaCha20-Poly1305 ciphertext with tag. The version is authenticated.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;
const KEY_LENGTH: usize = 32;

/// Why sealed bytes or a key's text cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// The key in the keychain is not 32 bytes in base64.
    #[error("the key in the keychain is damaged")]
    BadKey,
    /// The sealed bytes are cut or of an unknown version.
    #[error("the sealed value is damaged")]
    BadFormat,
    /// The bytes were sealed with another key, or changed.
    #[error("the sealed value does not belong to the key in the keychain")]
    WrongKey,
    /// The system gives no random numbers, or the cipher refused the input.
    #[error("the secret cannot be sealed")]
    Failed,
}

/// The key that all secrets are sealed with. Wiped when dropped.
pub(crate) struct SealingKey(Zeroizing<[u8; KEY_LENGTH]>);

impl SealingKey {
    /// Makes a random key.
    pub(crate) fn random() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        getrandom::fill(bytes.as_mut()).map_err(|_| SealError::Failed)?;
        Ok(Self(bytes))
    }

    /// Reads the text form that stands in the keychain.
    pub(crate) fn from_text(text: &[u8]) -> Result<Self, SealError> {
        let decoded = Zeroizing::new(STANDARD.decode(text).map_err(|_| SealError::BadKey)?);
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        if decoded.len() != KEY_LENGTH {
            return Err(SealError::BadKey);
        }
        bytes.copy_from_slice(&decoded);
        Ok(Self(bytes))
    }

    /// Returns the text form for the keychain.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// Seals bytes under a fresh nonce.
    pub(crate) fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Failed)?;
        let payload = Payload { msg: plain, aad: &[VERSION] };
        let ciphertext = self.cipher().encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| SealError::Failed)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LENGTH + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens sealed bytes.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, ciphertext) = split(sealed)?;
        let payload = Payload { msg: ciphertext, aad: &[VERSION] };
        let plain = self.cipher().decrypt(XNonce::from_slice(nonce), payload).map_err(|_| SealError::WrongKey)?;
        Ok(Zeroizing::new(plain))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.as_slice().into())
    }
}

/// Returns nonce and ciphertext, or says that the bytes cannot be a sealed value at all.
pub(crate) fn split(sealed: &[u8]) -> Result<(&[u8], &[u8]), SealError> {
    match sealed.split_first() {
        Some((&VERSION, rest)) if rest.len() >= NONCE_LENGTH + TAG_LENGTH => Ok(rest.split_at(NONCE_LENGTH)),
        _ => Err(SealError::BadFormat),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn opens_what_it_sealed() {
        let key = SealingKey::random().unwrap();
        for text in ["", "hunter2", "密码 🔑", &"x".repeat(10_000)] {
            let sealed = key.seal(text.as_bytes()).unwrap();
            assert_eq!(sealed.len(), 1 + NONCE_LENGTH + text.len() + TAG_LENGTH);
            assert_eq!(key.open(&sealed).unwrap().as_slice(), text.as_bytes());
        }
    }

    #[test]
    fn seals_the_same_text_differently_each_time() {
        let key = SealingKey::random().unwrap();
        assert_ne!(key.seal(b"same").unwrap(), key.seal(b"same").unwrap());
    }

    #[test]
    fn survives_the_keychain_text_form() {
        let key = SealingKey::random().unwrap();
        let again = SealingKey::from_text(key.to_text().as_bytes()).unwrap();
        assert_eq!(again.open(&key.seal(b"canary").unwrap()).unwrap().as_slice(), b"canary");
    }

    #[test]
    fn f15_damaged_key_texts_are_refused() {
        let text = SealingKey::random().unwrap().to_text();
        let cut = &text.as_bytes()[..text.len() - 4];
        for bad in [b"".as_slice(), b"not base64!", cut, b"c2hvcnQ=", &[0xff, 0xfe]] {
            assert_eq!(SealingKey::from_text(bad).err(), Some(SealError::BadKey));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let key = SealingKey::random().unwrap();
        let sealed = key.seal(b"canary").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            let expected = if index == 0 { SealError::BadFormat } else { SealError::WrongKey };
            assert_eq!(key.open(&changed).err(), Some(expected), "byte {index}");
        }
        assert_eq!(key.open(&sealed[..40]).err(), Some(SealError::BadFormat));
        assert_eq!(SealingKey::random().unwrap().open(&sealed).err(), Some(SealError::WrongKey));
    }
}
