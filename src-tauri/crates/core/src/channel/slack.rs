//! Slack's incoming webhooks: `{"text": …}` in mrkdwn, where `&`, `<` and `>` are escaped as entities (docs.slack.dev,
//! "Formatting message text"). Receivers that only take Slack's shape understand `@all` in plain words, so those go, too.

use super::{Content, Sending, escape, json_content};
use crate::Failure;
use serde_json::json;

/// Slack cuts a message beyond 40,000 characters; nobody reads that much.
const MOST_BYTES: usize = 8000;

pub(super) fn content(sending: &Sending<'_>) -> Result<Content, Failure> {
    let escaped = |text: &str| escape::harmless(&text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    let words = sending.words;
    let mut text = format!("*{}*", escaped(&words.title));
    for line in &words.lines {
        text.push('\n');
        text.push_str(&escaped(line));
    }
    json_content(&json!({ "text": escape::cut(text, MOST_BYTES) }))
}
