//! Webhooks: HMAC-SHA256 over the raw body; one delivery may name many refs.

use super::{Bitbucket, Values};
use crate::provider::Hooks;
use crate::session::{Session, owner_and_name};
use crate::signature::{check_sha256_hex, event, read_body};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::Method;
use serde::Deserialize;
use slipway_core::code::RefName;
use slipway_core::host::{Delivery, DeliveryRefused, Hook, HookEvent, HookEventKind, NewHook, RepositoryPath};
use slipway_core::{Failure, Secret};

#[derive(Deserialize)]
struct Row {
    uuid: String,
    url: String,
    #[serde(default)]
    active: bool,
}

impl From<Row> for Hook {
    fn from(row: Row) -> Self {
        Self { id: row.uuid, url: row.url, active: row.active }
    }
}

#[async_trait]
impl Hooks for Bitbucket {
    async fn hooks(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<Vec<Hook>, Failure> {
        let (workspace, name) = owner_and_name(path)?;
        let asked = session.get(&["repositories", workspace, name, "hooks"]).query("pagelen", "100");
        Ok(asked.read::<Values<Row>>().await?.values.into_iter().map(Hook::from).collect())
    }

    async fn create_hook(&self, session: &Session<'_>, path: &RepositoryPath, hook: &NewHook) -> Result<Hook, Failure> {
        let (workspace, name) = owner_and_name(path)?;
        let body = serde_json::json!({
            "description": "Slipway",
            "url": hook.url,
            "active": true,
            "secret": hook.secret.expose(),
            "skip_cert_verification": !hook.verify_tls,
            "events": ["repo:push"],
        });
        let segments = ["repositories", workspace, name, "hooks"];
        let row: Row = session.ask(Method::POST, &segments).json(body).read().await?;
        Ok(row.into())
    }

    async fn delete_hook(&self, session: &Session<'_>, path: &RepositoryPath, id: &str) -> Result<(), Failure> {
        let (workspace, name) = owner_and_name(path)?;
        let segments = ["repositories", workspace, name, "hooks", id];
        session.ask(Method::DELETE, &segments).send().await.map(drop)
    }

    fn read_delivery(
        &self,
        delivery: &Delivery<'_>,
        secret: &Secret,
        _now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused> {
        let signature = delivery.header("x-hub-signature").ok_or(DeliveryRefused::Unsigned)?;
        let hex = signature.strip_prefix("sha256=").ok_or(DeliveryRefused::WrongSignature)?;
        check_sha256_hex(secret, delivery.body, hex)?;
        let body = read_body(delivery)?;
        let changes = body.pointer("/push/changes").and_then(serde_json::Value::as_array);
        let kind = match changes {
            Some(changes) => HookEventKind::Push { refs: changes.iter().filter_map(changed_ref).collect() },
            None => HookEventKind::Other,
        };
        Ok(event(delivery, kind, body.pointer("/repository/full_name")))
    }
}

/// `new` is null when a ref was removed, `old` when it was made.
fn changed_ref(change: &serde_json::Value) -> Option<RefName> {
    let side = [change.get("new"), change.get("old")].into_iter().flatten().find(|side| side.is_object())?;
    let name = side.get("name")?.as_str()?;
    match side.get("type")?.as_str()? {
        "branch" => RefName::branch(name).ok(),
        "tag" => RefName::tag(name).ok(),
        _ => None,
    }
}
