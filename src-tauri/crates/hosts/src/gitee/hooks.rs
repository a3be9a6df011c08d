//! Webhooks. The signature covers only the time stamp and the secret, not the body: a delivery is nothing but a hint.

use super::Gitee;
use crate::provider::Hooks;
use crate::session::{Session, owner_and_name};
use crate::signature::{check_sha256_base64, event, push, read_body};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use serde::Deserialize;
use slipway_core::host::{Delivery, DeliveryRefused, Hook, HookEvent, HookEventKind, NewHook, RepositoryPath};
use slipway_core::{Failure, Secret};

/// Gitee's own rule for a time stamp.
const MOST_AGE: TimeDelta = TimeDelta::hours(1);

#[derive(Deserialize)]
struct Row {
    id: u64,
    url: String,
}

impl From<Row> for Hook {
    fn from(row: Row) -> Self {
        Self { id: row.id.to_string(), url: row.url, active: true }
    }
}

#[async_trait]
impl Hooks for Gitee {
    async fn hooks(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<Vec<Hook>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let rows: Vec<Row> = session.get(&["repos", owner, name, "hooks"]).query("per_page", "100").read().await?;
        Ok(rows.into_iter().map(Hook::from).collect())
    }

    async fn create_hook(&self, session: &Session<'_>, path: &RepositoryPath, hook: &NewHook) -> Result<Hook, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let body = serde_json::json!({
            "url": hook.url,
            "encryption_type": 1,
            "password": hook.secret.expose(),
            "push_events": true,
            "tag_push_events": true,
        });
        let row: Row = session.ask(Method::POST, &["repos", owner, name, "hooks"]).json(body).read().await?;
        Ok(row.into())
    }

    async fn delete_hook(&self, session: &Session<'_>, path: &RepositoryPath, id: &str) -> Result<(), Failure> {
        let (owner, name) = owner_and_name(path)?;
        session.ask(Method::DELETE, &["repos", owner, name, "hooks", id]).send().await.map(drop)
    }

    fn read_delivery(
        &self,
        delivery: &Delivery<'_>,
        secret: &Secret,
        now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused> {
        let signature = delivery.header("x-gitee-token").ok_or(DeliveryRefused::Unsigned)?;
        let stamp = delivery.header("x-gitee-timestamp").ok_or(DeliveryRefused::Unsigned)?;
        let message = format!("{stamp}\n{}", secret.expose());
        check_sha256_base64(secret.expose().as_bytes(), message.as_bytes(), signature)?;
        let at = stamp.parse().ok().and_then(DateTime::from_timestamp_millis).ok_or(DeliveryRefused::TooOld)?;
        if (now - at).abs() > MOST_AGE {
            return Err(DeliveryRefused::TooOld);
        }
        let body = read_body(delivery)?;
        let kind = match body.get("hook_name").and_then(serde_json::Value::as_str) {
            Some("push_hooks" | "tag_push_hooks") => push(body.get("ref")),
            _ => HookEventKind::Other,
        };
        let path = body.pointer("/repository/full_name").or_else(|| body.pointer("/project/full_name"));
        // The body is not signed, so a replay is told by what is.
        Ok(HookEvent { replay_key: signature.to_owned(), ..event(delivery, kind, path) })
    }
}
