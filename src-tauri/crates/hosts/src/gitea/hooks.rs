//! Webhooks: hex HMAC-SHA256 of the raw body, without a prefix. Forgejo has headers of its own name beside Gitea's.

use super::Gitea;
use crate::provider::Hooks;
use crate::session::{Session, owner_and_name};
use crate::signature::{check_sha256_hex, event, push, read_body};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::Method;
use serde::Deserialize;
use slipway_core::host::{Delivery, DeliveryRefused, Hook, HookEvent, HookEventKind, NewHook, RepositoryPath};
use slipway_core::{Failure, Secret};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Row {
    id: i64,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    config: BTreeMap<String, String>,
}

impl From<Row> for Hook {
    fn from(mut row: Row) -> Self {
        Self { id: row.id.to_string(), url: row.config.remove("url").unwrap_or_default(), active: row.active }
    }
}

#[async_trait]
impl Hooks for Gitea {
    async fn hooks(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<Vec<Hook>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let rows: Vec<Row> = session.get(&["repos", owner, name, "hooks"]).query("limit", "50").read().await?;
        Ok(rows.into_iter().map(Hook::from).collect())
    }

    async fn create_hook(&self, session: &Session<'_>, path: &RepositoryPath, hook: &NewHook) -> Result<Hook, Failure> {
        let (owner, name) = owner_and_name(path)?;
        // Whether certificates are checked is the server's own setting here.
        let body = serde_json::json!({
            "type": "gitea",
            "active": true,
            "events": ["push", "create", "delete"],
            "branch_filter": "*",
            "config": { "url": hook.url, "content_type": "json", "secret": hook.secret.expose() },
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
        let signature = ["x-gitea-signature", "x-forgejo-signature"].iter().find_map(|name| delivery.header(name));
        check_sha256_hex(secret, delivery.body, signature.ok_or(DeliveryRefused::Unsigned)?)?;
        let body = read_body(delivery)?;
        let kind = if body.get("after").is_some() && body.get("ref").is_some() {
            push(body.get("ref"))
        } else if body.get("ref_type").is_some() {
            HookEventKind::Push { refs: Vec::new() }
        } else {
            HookEventKind::Other
        };
        Ok(event(delivery, kind, body.pointer("/repository/full_name")))
    }
}
