//! Webhooks: the secret travels in clear in `X-Gitlab-Token`, so a delivery proves only that its sender knows it.

use super::Gitlab;
use crate::provider::Hooks;
use crate::session::Session;
use crate::signature::{event, push, read_body, same_text};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::Method;
use serde::Deserialize;
use slipway_core::host::{Delivery, DeliveryRefused, Hook, HookEvent, HookEventKind, NewHook, RepositoryPath};
use slipway_core::{Failure, Secret};

#[derive(Deserialize)]
struct Row {
    id: u64,
    url: String,
    alert_status: Option<String>,
    disabled_until: Option<String>,
}

impl From<Row> for Hook {
    fn from(row: Row) -> Self {
        let active =
            row.disabled_until.is_none() && row.alert_status.as_deref().is_none_or(|said| said == "executable");
        Self { id: row.id.to_string(), url: row.url, active }
    }
}

#[async_trait]
impl Hooks for Gitlab {
    async fn hooks(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<Vec<Hook>, Failure> {
        let rows: Vec<Row> = session.get(&["projects", &path.0, "hooks"]).query("per_page", "100").read().await?;
        Ok(rows.into_iter().map(Hook::from).collect())
    }

    async fn create_hook(&self, session: &Session<'_>, path: &RepositoryPath, hook: &NewHook) -> Result<Hook, Failure> {
        let body = serde_json::json!({
            "url": hook.url,
            "token": hook.secret.expose(),
            "push_events": true,
            "tag_push_events": true,
            "enable_ssl_verification": hook.verify_tls,
        });
        let row: Row = session.ask(Method::POST, &["projects", &path.0, "hooks"]).json(body).read().await?;
        Ok(row.into())
    }

    async fn delete_hook(&self, session: &Session<'_>, path: &RepositoryPath, id: &str) -> Result<(), Failure> {
        session.ask(Method::DELETE, &["projects", &path.0, "hooks", id]).send().await.map(drop)
    }

    fn read_delivery(
        &self,
        delivery: &Delivery<'_>,
        secret: &Secret,
        _now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused> {
        let given = delivery.header("x-gitlab-token").ok_or(DeliveryRefused::Unsigned)?;
        if secret.is_empty() || !same_text(secret.expose(), given) {
            return Err(DeliveryRefused::WrongSignature);
        }
        let body = read_body(delivery)?;
        let kind = match body.get("object_kind").and_then(serde_json::Value::as_str) {
            Some("push" | "tag_push") => push(body.get("ref")),
            _ => HookEventKind::Other,
        };
        Ok(event(delivery, kind, body.pointer("/project/path_with_namespace")))
    }
}
