//! A topic of ntfy (docs.ntfy.sh, "Publishing"): the body is the text, the rest stands in headers. Words beyond ASCII are
//! written there as RFC 2047 has it. More than 4,096 bytes would arrive as a file.

use super::{Content, Sending, escape};
use crate::notice::Severity;
use crate::{ErrorCode, Failure, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const MOST_BYTES: usize = 4000;
/// Bytes of text in one encoded word: 75 characters are allowed, 12 of them frame it, and base64 grows by a third.
const WORD_BYTES: usize = 45;

pub(super) fn content(sending: &Sending<'_>) -> Result<Content, Failure> {
    let words = sending.words;
    let (priority, tag) = match sending.message.severity() {
        Severity::Error => ("4", "x"),
        Severity::Warning => ("4", "warning"),
        Severity::Success => ("3", "heavy_check_mark"),
        Severity::Info => ("3", "information_source"),
    };
    let mut headers = vec![
        ("content-type", Secret::new("text/plain; charset=utf-8")),
        ("title", Secret::new(encoded(&words.title))),
        ("priority", Secret::new(priority)),
        ("tags", Secret::new(tag)),
    ];
    if let Some(token) = sending.secret {
        if !token.expose().chars().all(|c| c.is_ascii_graphic()) {
            let why = "a token has no spaces and no other signs than ASCII";
            return Err(Failure::new(ErrorCode::InvalidField, why).at("secret"));
        }
        headers.push(("authorization", Secret::new(format!("Bearer {}", token.expose()))));
    }
    let body = escape::cut(words.lines.join("\n"), MOST_BYTES).into_bytes();
    Ok(Content { query: Vec::new(), headers, body })
}

/// Writes a header's words as RFC 2047 has it, when they are not ASCII.
fn encoded(text: &str) -> String {
    if text.is_ascii() && !text.contains("=?") {
        return text.to_owned();
    }
    let mut pieces = vec![String::new()];
    for sign in text.chars() {
        if pieces.last().is_some_and(|piece| piece.len() + sign.len_utf8() > WORD_BYTES) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(sign);
        }
    }
    let words: Vec<String> = pieces.iter().map(|piece| format!("=?UTF-8?B?{}?=", STANDARD.encode(piece))).collect();
    words.join(" ")
}
