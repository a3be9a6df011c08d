//! Webhooks: signed with HMAC-SHA256 over the raw body.

use super::Github;
use crate::provider::Hooks;
use crate::session::{Session, owner_and_name};
use crate::signature::{check_sha256_hex, event, push, read_body};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::Method;
use serde::Deserialize;
use slipway_core::host::{Delivery, DeliveryRefused, Hook, HookEvent, HookEventKind, NewHook, RepositoryPath};
use slipway_core::{Failure, Secret};

#[derive(Deserialize)]
struct Row {
    id: u64,
    #[serde(default)]
    active: bool,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    url: String,
}

impl From<Row> for Hook {
    fn from(row: Row) -> Self {
        Self { id: row.id.to_string(), url: row.config.url, active: row.active }
    }
}

#[async_trait]
impl Hooks for Github {
    async fn hooks(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<Vec<Hook>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let rows: Vec<Row> = session.get(&["repos", owner, name, "hooks"]).query("per_page", "100").read().await?;
        Ok(rows.into_iter().map(Hook::from).collect())
    }

    async fn create_hook(&self, session: &Session<'_>, path: &RepositoryPath, hook: &NewHook) -> Result<Hook, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let body = serde_json::json!({
            "name": "web",
            "active": true,
            "events": ["push", "create", "delete"],
            "config": {
                "url": hook.url,
                "content_type": "json",
                "secret": hook.secret.expose(),
                "insecure_ssl": if hook.verify_tls { "0" } else { "1" },
            },
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
        _now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused> {
        let signature = delivery.header("x-hub-signature-256").ok_or(DeliveryRefused::Unsigned)?;
        let hex = signature.strip_prefix("sha256=").ok_or(DeliveryRefused::WrongSignature)?;
        check_sha256_hex(secret, delivery.body, hex)?;
        let body = read_body(delivery)?;
        // The header is not signed, so the body decides what it is about.
        let kind = if body.get("after").is_some() && body.get("ref").is_some() {
            push(body.get("ref"))
        } else if body.get("ref_type").is_some() {
            HookEventKind::Push { refs: Vec::new() }
        } else if body.get("zen").is_some() {
            HookEventKind::Ping
        } else {
            HookEventKind::Other
        };
        Ok(event(delivery, kind, body.pointer("/repository/full_name")))
    }
}
