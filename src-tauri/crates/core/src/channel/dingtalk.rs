//! A robot of a DingTalk group (open.dingtalk.com, "自定义机器人接入"): Markdown with a title for the list of chats. With a secret,
//! `timestamp` (milliseconds) and `sign` stand in the query. It answers 200 to everything; `errcode` says how it went.

use super::{Content, Sending, Verdict, escape, hmac_sha256, json_content};
use crate::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// 20,000 are taken; nobody reads that much.
const MOST_BYTES: usize = 8000;
/// Their side is busy; more than 20 messages in a minute, under its two numbers.
const BUSY: &[i64] = &[-1, 130_101, 410_100];

pub(super) fn content(sending: &Sending<'_>) -> Result<Content, Failure> {
    let title = escape::harmless(&sending.words.title);
    let mut text = format!("**{title}**");
    for line in &sending.words.lines {
        // One line end is a space in their Markdown.
        text.push_str("\n\n");
        text.push_str(&escape::harmless(line));
    }
    let mut content = json_content(&json!({
        "msgtype": "markdown",
        "markdown": { "title": title, "text": escape::cut(text, MOST_BYTES) },
        "at": { "isAtAll": false },
    }))?;
    if let Some(secret) = sending.secret {
        let timestamp = sending.now.timestamp_millis();
        let signed = format!("{timestamp}\n{}", secret.expose());
        let sign = STANDARD.encode(hmac_sha256(secret.expose().as_bytes(), signed.as_bytes()));
        content.query = vec![("timestamp", timestamp.to_string()), ("sign", sign)];
    }
    Ok(content)
}

pub(super) fn verdict(body: &str) -> Verdict {
    Verdict::of(body, &["errcode"], BUSY)
}
