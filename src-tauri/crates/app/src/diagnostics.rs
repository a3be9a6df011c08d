//! What somebody who helps needs to know about this installation: parts that a person reads before they are saved. Each is made
//! from named facts, never from whole rows; then everything is scrubbed (`slipway_core::scrub`). Nothing is sent anywhere.

use crate::health::kind_of;
use crate::{Slipway, program_log};
use serde_json::{Value, json};
use slipway_core::build::{BuildState, WaitReason};
use slipway_core::image::CredentialSource;
use slipway_core::scrub::Scrubber;
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::BuildFilter;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// An engine that does not answer is a fact of its own.
const ENGINE_WITHIN: Duration = Duration::from_secs(10);
/// So many of the builds that failed last are named.
const FAILED_BUILDS: u32 = 20;

/// One part, as it is shown and saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiagnosticPart {
    /// Its file name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

impl Slipway {
    /// Collects the diagnostics. A fact that cannot be had is replaced by the reason: they are wanted on bad days above all.
    pub async fn diagnostics(&self) -> Vec<DiagnosticPart> {
        let scrubber = self.scrubber().await;
        let parts = [
            ("slipway.txt", self.program_facts().await),
            ("engine.txt", self.engine_facts().await),
            ("settings.json", self.settings_facts().await),
            ("counts.txt", self.count_facts().await),
            ("health.txt", self.health_facts().await),
            ("log.txt", Ok(program_log::last_lines().join("\n"))),
        ];
        parts
            .into_iter()
            .map(|(name, text)| {
                let text = text.unwrap_or_else(|failure| format!("{}: {}", failure.code.as_str(), failure.message));
                DiagnosticPart { name, text: scrubber.scrub(&text) }
            })
            .collect()
    }

    /// Knows every secret that can be opened. What cannot be opened was not used in this run either.
    async fn scrubber(&self) -> Scrubber {
        let mut secrets = Vec::new();
        for (id, _) in self.parts.store.secret_owners().await.unwrap_or_default() {
            match self.parts.open_secret(id).await {
                Ok(secret) => secrets.extend(words_of(secret)),
                Err(failure) if failure.code == ErrorCode::KeychainLocked => break,
                Err(_) => {}
            }
        }
        let home = std::env::home_dir();
        Scrubber::new(&secrets, home.as_deref().and_then(Path::to_str))
    }

    async fn program_facts(&self) -> Result<String, Failure> {
        let mut text = String::new();
        line(&mut text, "Slipway", env!("CARGO_PKG_VERSION"));
        line(&mut text, "System", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
        line(&mut text, "Now", self.parts.now().to_rfc3339());
        line(&mut text, "Started", self.opened_at.to_rfc3339());
        line(&mut text, "Data folder", self.parts.store.data_dir().root().display());
        line(&mut text, "SQLite", self.parts.store.sqlite_version().await?);
        Ok(text)
    }

    async fn engine_facts(&self) -> Result<String, Failure> {
        let engine = self.parts.engine("local")?;
        let silent = || Failure::new(ErrorCode::EngineAbsent, "the engine does not answer");
        let info = tokio::time::timeout(ENGINE_WITHIN, engine.info()).await.map_err(|_| silent())??;
        let mut text = String::new();
        line(&mut text, "Version", &info.version);
        line(&mut text, "API", &info.api_version);
        line(&mut text, "Platform", &info.platform);
        line(&mut text, "Endpoint", &info.endpoint);
        line(&mut text, "Context", info.context.as_deref().unwrap_or("none"));
        line(&mut text, "Containerd image store", info.containerd_store);
        line(&mut text, "Insecure registries", info.insecure_registries.join(", "));
        line(&mut text, "Mirrors", info.mirrors.join(", "));
        line(&mut text, "Disk bytes", info.disk_bytes.map_or("unknown".to_owned(), |bytes| bytes.to_string()));
        Ok(text)
    }

    async fn settings_facts(&self) -> Result<String, Failure> {
        let settings = self.parts.settings().await?;
        let proxy = |proxy: &Option<crate::StoredProxy>| -> Value {
            proxy.as_ref().map_or(Value::Null, |proxy| json!({"url": proxy.url, "login": proxy.username.is_some()}))
        };
        let facts = json!({
            "concurrency": settings.concurrency,
            "poll_seconds": settings.poll_seconds,
            "code_proxy": proxy(&settings.code_proxy),
            "registry_proxy": proxy(&settings.registry_proxy),
            "mirrors": settings.mirrors,
            "muted_notices": settings.muted_notices,
            "disk_budget_gb": settings.disk_budget_gb,
            "close_to_tray": settings.close_to_tray,
            "start_at_login": settings.start_at_login,
        });
        serde_json::to_string_pretty(&facts).map_err(Failure::internal)
    }

    async fn count_facts(&self) -> Result<String, Failure> {
        let mut text = String::new();
        for (table, count) in self.parts.store.row_counts().await? {
            line(&mut text, table, count);
        }
        let data = self.parts.store.data_dir();
        let folders = [data.logs(), data.mirrors(), data.uploads(), data.backups()];
        let sized = crate::uploads::on_worker(move || Ok(folders.map(|folder| (bytes_below(&folder), folder)))).await?;
        for (bytes, folder) in sized {
            line(&mut text, &folder.file_name().unwrap_or_default().to_string_lossy(), format!("{bytes} bytes"));
        }
        let database = std::fs::metadata(data.database()).map_or(0, |metadata| metadata.len());
        line(&mut text, "state.db", format!("{database} bytes"));
        Ok(text)
    }

    async fn health_facts(&self) -> Result<String, Failure> {
        let mut text = String::new();
        let health = self.health();
        let short = health.room.as_ref().map_or("no", |room| room.failure.code.as_str());
        line(&mut text, "Short of room", short);
        line(&mut text, "Full engines", health.full_engines.join(", "));
        match &health.closed {
            None => line(&mut text, "Closed secrets", "none"),
            Some(closed) => {
                let kinds: Vec<_> = closed.owners.iter().map(kind_of).collect();
                line(&mut text, "Closed secrets", format!("{} ({})", kinds.join(", "), closed.failure.code.as_str()));
            }
        }
        match self.database_recovery() {
            None => line(&mut text, "Database at start", "sound"),
            Some(recovery) => line(&mut text, "Database at start", format!("damaged: {}", recovery.damage)),
        }
        line(&mut text, "Backups", self.parts.store.data_dir().list_backups()?.len());
        let store = &self.parts.store;
        for code in store.code_repositories().await? {
            let failure = code.last_failure.as_ref().map_or("ok", |failure| failure.code.as_str());
            line(&mut text, &format!("Code repository {}", code.id), failure);
        }
        for account in store.source_accounts().await? {
            let paused = account.paused.as_ref().map(|failure| failure.code.as_str());
            let failing = account.last_failure.as_ref().map(|failure| failure.code.as_str());
            let state = paused.map_or_else(|| failing.unwrap_or("ok").to_owned(), |code| format!("paused: {code}"));
            line(&mut text, &format!("Account {} at {}", account.id, account.provider.as_str()), state);
        }
        for registry in store.registries().await? {
            let host = registry.host.as_ref().map_or("local engine", |host| host.as_str());
            line(&mut text, &format!("Registry {}", registry.id), host);
        }
        for credential in store.credentials(None).await? {
            let kind = match credential.source {
                CredentialSource::Anonymous => "anonymous",
                CredentialSource::Password { .. } => "password",
                CredentialSource::IdentityToken { .. } => "identity token",
                CredentialSource::DockerConfig => "Docker configuration",
                CredentialSource::Helper { .. } => "helper",
                CredentialSource::Command { .. } => "command",
            };
            line(&mut text, &format!("Credential {}", credential.id), kind);
        }
        for queued in self.queue.view().await? {
            let why = match &queued.waits_for {
                None => "running".to_owned(),
                Some(WaitReason::Slots { ahead }) => format!("waits, {ahead} ahead"),
                Some(WaitReason::SameRef { build }) => format!("waits for build {build}"),
                Some(WaitReason::Backoff { failure, .. } | WaitReason::Outside { failure }) => {
                    format!("waits: {}", failure.code.as_str())
                }
            };
            line(&mut text, &format!("Build {}", queued.build.id), why);
        }
        let failed = BuildFilter { states: vec![BuildState::Failed], ..BuildFilter::default() };
        for build in store.list_builds(&failed, None, FAILED_BUILDS).await?.items {
            let code = build.failure.as_ref().map_or("unknown", |failure| failure.code.as_str());
            let at = build.ended_at.map(|at| at.to_rfc3339()).unwrap_or_default();
            line(&mut text, &format!("Failed build {}", build.id), format!("{code} {:?} {at}", build.stage));
        }
        Ok(text)
    }
}

/// A stored secret may be an envelope around several: each text in it counts.
fn words_of(secret: Secret) -> Vec<Secret> {
    let mut all = Vec::new();
    if let Ok(inside) = serde_json::from_str::<Value>(secret.expose()) {
        let mut open = vec![inside];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => all.push(Secret::new(text)),
                Value::Array(values) => open.extend(values),
                Value::Object(fields) => open.extend(fields.into_iter().map(|(_, value)| value)),
                _ => {}
            }
        }
    }
    all.push(secret);
    all
}

fn line(text: &mut String, what: &str, value: impl std::fmt::Display) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{what}: {value}");
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => bytes_below(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |metadata| metadata.len()),
            _ => 0,
        })
        .sum()
}
