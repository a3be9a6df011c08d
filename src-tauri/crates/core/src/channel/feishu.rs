//! A robot of a Feishu or Lark group (open.feishu.cn, "自定义机器人使用指南"): plain text. With a secret, `timestamp` (seconds) and
//! `sign` stand in the body: an HMAC of nothing, with the time and the secret as its key. It may answer 200 to everything;
//! `code` says how it went, `StatusCode` in its older shape.

use super::{Content, Sending, Verdict, escape, hmac_sha256, json_content};
use crate::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// 20 KB are taken; nobody reads that much.
const MOST_BYTES: usize = 8000;
/// More than 5 messages in a second, or 100 in a minute.
const BUSY: &[i64] = &[11232];

pub(super) fn content(sending: &Sending<'_>) -> Result<Content, Failure> {
    let lines = std::iter::once(&sending.words.title).chain(&sending.words.lines);
    let text: Vec<String> = lines.map(|line| escape::harmless(line)).collect();
    let mut body = json!({ "msg_type": "text", "content": { "text": escape::cut(text.join("\n"), MOST_BYTES) } });
    if let Some(secret) = sending.secret {
        let timestamp = sending.now.timestamp().to_string();
        let key = format!("{timestamp}\n{}", secret.expose());
        body["sign"] = STANDARD.encode(hmac_sha256(key.as_bytes(), b"")).into();
        body["timestamp"] = timestamp.into();
    }
    json_content(&body)
}

pub(super) fn verdict(body: &str) -> Verdict {
    Verdict::of(body, &["code", "StatusCode"], BUSY)
}
