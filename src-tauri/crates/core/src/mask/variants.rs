//! The forms in which a secret may appear in a log.

use super::SHORTEST_MASKABLE;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use std::fmt::Write as _;

/// Longer secrets are searched line by line and not encoded: the automaton would take hundreds of megabytes.
const LONGEST_ENCODED: usize = 16 * 1024;
/// Widths at which `base64` and `openssl` break their output into lines.
const BASE64_WIDTHS: [usize; 2] = [76, 64];

/// Returns all searched texts of one secret; none when it is too short.
pub(super) fn of(secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    let whole = secret.trim();
    if long_enough(whole) {
        found.extend(whole.lines().map(str::trim).map(str::to_owned));
        found.push(whole.replace("\r\n", "\n").replace('\n', "\r\n"));
        found.push(whole.to_owned());
        if secret.len() <= LONGEST_ENCODED {
            // With and without white space at its ends: a secret read from a file often ends in a newline.
            for text in [secret, whole].into_iter().chain(whole.lines().map(str::trim)) {
                if long_enough(text) {
                    encoded(text, &mut found);
                }
            }
        }
    }
    found.retain(|text| long_enough(text));
    found
}

fn long_enough(text: &str) -> bool {
    text.chars().count() >= SHORTEST_MASKABLE
}

fn encoded(text: &str, found: &mut Vec<String>) {
    let bytes = text.as_bytes();
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        found.push(engine.encode(bytes));
    }
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for before in 0..3 {
            found.push(base64_inside(engine, bytes, before));
        }
    }
    let base64 = STANDARD.encode(bytes);
    for width in BASE64_WIDTHS {
        if base64.len() > width {
            found.extend(base64.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line).into_owned()));
        }
    }
    let hex = hex::encode(bytes);
    found.push(hex.to_uppercase());
    found.push(hex);
    for keep in [&b"-._~"[..], b"-._~!'()*", b"-_."] {
        for digits in [HexCase::Upper, HexCase::Lower] {
            let url = percent_encoded(bytes, keep, digits);
            found.push(url.replace("%20", "+"));
            found.push(url);
        }
    }
    if let Ok(quoted) = serde_json::to_string(text) {
        let inner = quoted[1..quoted.len() - 1].to_owned();
        // Go's encoder, and so many logs, also escapes these three.
        found.push(inner.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"));
        found.push(inner.replace('/', "\\/"));
        found.push(inner);
    }
}

/// The base64 digits that the text has when `before` other bytes (modulo 3) stand in front of it, such as `user:` in a
/// Basic login: without the digits that it shares with its neighbours.
fn base64_inside(engine: &base64::engine::GeneralPurpose, bytes: &[u8], before: usize) -> String {
    let mut shifted = vec![0; before];
    shifted.extend_from_slice(bytes);
    let encoded = engine.encode(&shifted);
    encoded[(before * 8).div_ceil(6)..shifted.len() * 8 / 6].to_owned()
}

#[derive(Clone, Copy)]
enum HexCase {
    Upper,
    Lower,
}

fn percent_encoded(bytes: &[u8], keep: &[u8], digits: HexCase) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = match digits {
            _ if byte.is_ascii_alphanumeric() || keep.contains(byte) => write!(text, "{}", char::from(*byte)),
            HexCase::Upper => write!(text, "%{byte:02X}"),
            HexCase::Lower => write!(text, "%{byte:02x}"),
        };
    }
    text
}
