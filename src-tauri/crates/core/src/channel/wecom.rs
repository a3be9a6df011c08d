//! A robot of a WeCom group (developer.work.weixin.qq.com, "群机器人配置说明"): Markdown of at most 4,096 bytes. It answers 200 to
//! everything; `errcode` says how it went. There is no signature: the key stands in the address.

use super::{Content, Sending, Verdict, escape, json_content};
use crate::Failure;
use serde_json::json;

const MOST_BYTES: usize = 4096;
/// Their side is busy; too many calls in a minute (20 are allowed); too many at once.
const BUSY: &[i64] = &[-1, 45009, 45033];

pub(super) fn content(sending: &Sending<'_>) -> Result<Content, Failure> {
    let mut text = format!("**{}**", escape::harmless(&sending.words.title));
    for line in &sending.words.lines {
        text.push('\n');
        text.push_str(&escape::harmless(line));
    }
    json_content(&json!({ "msgtype": "markdown", "markdown": { "content": escape::cut(text, MOST_BYTES) } }))
}

pub(super) fn verdict(body: &str) -> Verdict {
    Verdict::of(body, &["errcode"], BUSY)
}
