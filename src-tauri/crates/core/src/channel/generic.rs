//! Slipway's own JSON, for programs: facts by name beside the sentences. With a secret it is signed as a trigger's webhook
//! is, `X-Hub-Signature-256: sha256=<hex>` over the raw body.

use super::{Content, MessageFacts, Sending, hmac_sha256, json_content};
use crate::notice::{NoticedBuild, NoticedUpdate};
use crate::{Failure, Secret};
use chrono::SecondsFormat;
use serde_json::{Value, json};

/// Counted up when a field changes its meaning or goes; new ones may come at any time.
const VERSION: u32 = 1;

pub(super) fn content(sending: &Sending<'_>) -> Result<Content, Failure> {
    let message = sending.message;
    let mut body = json!({
        "version": VERSION,
        "id": sending.key,
        "event": message.events.first(),
        "severity": message.severity(),
        "at": message.at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "title": sending.words.title,
        "text": sending.words.lines.join("\n"),
    });
    match &message.facts {
        MessageFacts::Build { build, state, recovered, code, commit, images } => {
            body["build"] = build_facts(build);
            body["build"]["state"] = json!(state);
            body["build"]["recovered"] = json!(recovered);
            body["build"]["error"] = json!(code);
            body["build"]["commit"] = json!(commit.as_ref().map(|commit| &commit.id));
            body["build"]["commit_title"] = json!(commit.as_ref().map(|commit| super::words::foreign(&commit.title)));
            body["build"]["images"] = json!(images);
        }
        MessageFacts::Update { update, state, recovered, code, .. } => {
            body["update"] = update_facts(update);
            body["update"]["state"] = json!(state);
            body["update"]["recovered"] = json!(recovered);
            body["update"]["error"] = json!(code);
        }
        MessageFacts::Attention { notice } => body["notice"] = json!(notice.kind()),
        MessageFacts::Test => {}
    }
    let mut content = json_content(&body)?;
    if let Some(secret) = sending.secret {
        let signature = hex::encode(hmac_sha256(secret.expose().as_bytes(), &content.body));
        content.headers.push(("x-hub-signature-256", Secret::new(format!("sha256={signature}"))));
    }
    Ok(content)
}

fn build_facts(build: &NoticedBuild) -> Value {
    json!({
        "id": build.build,
        "number": build.number,
        "repository": build.repository_name,
        "rule": build.rule_name,
        "ref": build.ref_name,
    })
}

fn update_facts(update: &NoticedUpdate) -> Value {
    json!({
        "id": update.firing,
        "target": update.target_name,
        "version": update.version,
        "trigger": update.trigger_name,
    })
}
