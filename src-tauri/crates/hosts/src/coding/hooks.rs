//! Service hooks: one per project, not per depot; signed with HMAC-SHA1 over the raw body.

use super::repositories::find;
use super::{Coding, act};
use crate::provider::Hooks;
use crate::session::Session;
use crate::signature::{check_sha1_hex, event, push, read_body};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::host::{Delivery, DeliveryRefused, Hook, HookEvent, HookEventKind, NewHook, RepositoryPath};
use slipway_core::{ErrorCode, Failure, Secret};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    id: String,
    #[serde(default)]
    enabled: bool,
    /// JSON inside a text.
    #[serde(default)]
    action_properties: String,
}

impl From<Row> for Hook {
    fn from(row: Row) -> Self {
        let properties: serde_json::Value = serde_json::from_str(&row.action_properties).unwrap_or_default();
        let url = properties.get("http_url").and_then(serde_json::Value::as_str).unwrap_or_default();
        Self { id: row.id, url: url.to_owned(), active: row.enabled }
    }
}

/// The list stands below `Data` in some versions.
#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "ServiceHooks", alias = "ServiceHook", default)]
    hooks: Vec<Row>,
    #[serde(rename = "Data")]
    data: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(rename = "ServiceHooks", alias = "ServiceHook", alias = "List", default)]
    hooks: Vec<Row>,
}

impl Listed {
    fn rows(self) -> Vec<Row> {
        let inner = self.data.map(|data| data.hooks).unwrap_or_default();
        self.hooks.into_iter().chain(inner).collect()
    }
}

async fn project(session: &Session<'_>, path: &RepositoryPath) -> Result<u64, Failure> {
    find(session, path).await?.project_id.ok_or_else(|| {
        Failure::new(ErrorCode::SourceUnsupported, "the project of this depot is not shown to this account")
    })
}

#[async_trait]
impl Hooks for Coding {
    async fn hooks(&self, session: &Session<'_>, path: &RepositoryPath) -> Result<Vec<Hook>, Failure> {
        let project = project(session, path).await?;
        let parameters = serde_json::json!({ "ProjectId": project, "PageNumber": 1, "PageSize": 100 });
        let found: Listed = act(session, "DescribeServiceHooks", parameters).await?;
        Ok(found.rows().into_iter().map(Hook::from).collect())
    }

    async fn create_hook(&self, session: &Session<'_>, path: &RepositoryPath, hook: &NewHook) -> Result<Hook, Failure> {
        let project = project(session, path).await?;
        let action = serde_json::json!({
            "http_url": hook.url,
            "content_type": "application/json",
            "secret_key": hook.secret.expose(),
            "insecure_ssl": !hook.verify_tls,
        });
        let parameters = serde_json::json!({
            "ProjectId": project,
            "Service": "WebHook",
            "ServiceAction": "webhook_http_post",
            "Event": ["GIT_PUSHED"],
            "ActionProperty": action.to_string(),
            "FilterProperty": "{}",
            "Enabled": true,
            "Name": "Slipway",
            "TargetType": "PROJECT",
        });
        let made: Listed = act(session, "CreateServiceHook", parameters).await?;
        let made = made.rows().into_iter().next().map(Hook::from);
        // An answer without the hook: it is found by its address.
        match made {
            Some(made) => Ok(Hook { url: hook.url.clone(), ..made }),
            None => self.hooks(session, path).await?.into_iter().find(|one| one.url == hook.url).ok_or_else(|| {
                Failure::new(ErrorCode::SourceServerError, "CODING does not show the hook that it was asked to make")
            }),
        }
    }

    async fn delete_hook(&self, session: &Session<'_>, path: &RepositoryPath, id: &str) -> Result<(), Failure> {
        let parameters = serde_json::json!({ "ProjectId": project(session, path).await?, "Id": [id] });
        act::<serde_json::Value>(session, "DeleteServiceHook", parameters).await.map(drop)
    }

    fn read_delivery(
        &self,
        delivery: &Delivery<'_>,
        secret: &Secret,
        _now: DateTime<Utc>,
    ) -> Result<HookEvent, DeliveryRefused> {
        let signature = delivery.header("x-coding-signature").ok_or(DeliveryRefused::Unsigned)?;
        let hex = signature.strip_prefix("sha1=").ok_or(DeliveryRefused::WrongSignature)?;
        check_sha1_hex(secret, delivery.body, hex)?;
        let body = read_body(delivery)?;
        let kind = if body.get("ref").is_some() {
            push(body.get("ref"))
        } else if body.get("zen").is_some() {
            HookEventKind::Ping
        } else {
            HookEventKind::Other
        };
        Ok(event(delivery, kind, body.pointer("/repository/full_name")))
    }
}
