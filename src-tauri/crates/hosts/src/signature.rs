//! Signatures of deliveries, compared in constant time (threat T18).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use sha2::{Digest as _, Sha256};
use slipway_core::Secret;
use slipway_core::code::RefName;
use slipway_core::host::{Delivery, DeliveryRefused, HookEvent, HookEventKind, RepositoryPath};

/// Checks `hex(HMAC-SHA256(secret, message))`.
pub(crate) fn check_sha256_hex(secret: &Secret, message: &[u8], given: &str) -> Result<(), DeliveryRefused> {
    check(hmac::HMAC_SHA256, secret.expose().as_bytes(), message, hex::decode(given).ok())
}

/// Checks `hex(HMAC-SHA1(secret, message))`, which CODING still uses.
pub(crate) fn check_sha1_hex(secret: &Secret, message: &[u8], given: &str) -> Result<(), DeliveryRefused> {
    let key = secret.expose().as_bytes();
    check(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key, message, hex::decode(given).ok())
}

/// Checks `base64(HMAC-SHA256(key, message))`.
pub(crate) fn check_sha256_base64(key: &[u8], message: &[u8], given: &str) -> Result<(), DeliveryRefused> {
    check(hmac::HMAC_SHA256, key, message, STANDARD.decode(given).ok())
}

fn check(
    algorithm: hmac::Algorithm,
    key: &[u8],
    message: &[u8],
    given: Option<Vec<u8>>,
) -> Result<(), DeliveryRefused> {
    // A hook without a secret would let anybody sign.
    if key.is_empty() {
        return Err(DeliveryRefused::WrongSignature);
    }
    let given = given.ok_or(DeliveryRefused::WrongSignature)?;
    hmac::verify(&hmac::Key::new(algorithm, key), message, &given).map_err(|_| DeliveryRefused::WrongSignature)
}

/// Returns whether two texts are equal, in a time that does not depend on where they differ.
pub(crate) fn same_text(expected: &str, given: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"comparing two texts");
    let tag = hmac::sign(&key, expected.as_bytes());
    hmac::verify(&key, given.as_bytes(), tag.as_ref()).is_ok()
}

/// Reads a signed body.
pub(crate) fn read_body(delivery: &Delivery<'_>) -> Result<serde_json::Value, DeliveryRefused> {
    serde_json::from_slice(delivery.body).map_err(|_| DeliveryRefused::Unreadable)
}

/// Makes an event; the body's hash tells a replay.
pub(crate) fn event(delivery: &Delivery<'_>, kind: HookEventKind, path: Option<&serde_json::Value>) -> HookEvent {
    HookEvent {
        kind,
        repository: path.and_then(serde_json::Value::as_str).map(|path| RepositoryPath(path.to_owned())),
        replay_key: hex::encode(Sha256::digest(delivery.body)),
    }
}

/// A push that names one full ref; an illegal name is left out.
pub(crate) fn push(name: Option<&serde_json::Value>) -> HookEventKind {
    let name = name.and_then(serde_json::Value::as_str).unwrap_or_default();
    HookEventKind::Push { refs: RefName::new(name).into_iter().collect() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn t18_signatures_fit_exactly() {
        // RFC 4231 test case 2 and RFC 2202 test case 2.
        let key = Secret::new("Jefe");
        let message = b"what do ya want for nothing?";
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let sha1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        let base64 = STANDARD.encode(hex::decode(sha256).unwrap());
        assert_eq!(check_sha256_hex(&key, message, sha256), Ok(()));
        assert_eq!(check_sha1_hex(&key, message, sha1), Ok(()));
        assert_eq!(check_sha256_base64(b"Jefe", message, &base64), Ok(()));
        for (secret, message, given) in [
            ("Jefe", &b"what do ya want for nothing"[..], sha256),
            ("jefe", &message[..], sha256),
            ("Jefe", &message[..], &sha256[..62]),
            ("Jefe", &message[..], sha1),
            ("Jefe", &message[..], "not hex"),
            ("Jefe", &message[..], ""),
            ("", &message[..], &hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), message))),
        ] {
            let refused = check_sha256_hex(&Secret::new(secret), message, given);
            assert_eq!(refused, Err(DeliveryRefused::WrongSignature), "{secret} {given}");
        }
    }

    #[test]
    fn texts_are_compared_whole() {
        for (a, b, expected) in [("abc", "abc", true), ("abc", "abd", false), ("abc", "ab", false), ("", "", true)] {
            assert_eq!(same_text(a, b), expected, "{a} {b}");
        }
    }
}
