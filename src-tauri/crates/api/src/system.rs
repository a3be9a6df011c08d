//! What belongs to no object: the empty request, secret text, the state of the whole.

use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::{Failure, Secret};
use ts_rs::TS;

/// An empty request or response: `{}`.
#[derive(Debug, Default, Serialize, Deserialize, TS)]
pub struct Nothing {}

/// A secret on its way in: read from the request, never written to a response.
#[derive(Debug, Deserialize, TS)]
#[serde(transparent)]
pub struct SecretText(
    #[serde(deserialize_with = "secret")]
    #[ts(type = "string")]
    Secret,
);

impl From<SecretText> for Secret {
    fn from(text: SecretText) -> Self {
        text.0
    }
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// The state of the whole.
#[derive(Debug, Serialize, TS)]
pub struct SystemStatus {
    /// Slipway's version.
    pub version: String,
    /// The data folder.
    pub data_dir: String,
    /// What the engine says.
    pub engine: EngineStatus,
    /// Set when the database was damaged at start: what was done about it.
    pub database_recovery: Option<DatabaseRecovery>,
}

/// What was done about a damaged database.
#[derive(Debug, Serialize, TS)]
pub struct DatabaseRecovery {
    /// What was wrong.
    pub damage: String,
    /// Where the damaged file is now.
    pub kept_aside: String,
    /// The backup that took its place; none when the store began empty.
    pub restored_from: Option<String>,
}

/// The engine: its facts, or why there are none.
#[derive(Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EngineStatus {
    /// It answers.
    Ready {
        /// Version.
        version: String,
        /// API version.
        api_version: String,
        /// Its own platform.
        platform: String,
        /// The endpoint that was used.
        endpoint: String,
        /// The Docker context that named it.
        context: Option<String>,
        /// It keeps images of several platforms.
        several_platforms: bool,
        /// Bytes that images and cache take.
        disk_bytes: Option<u64>,
    },
    /// It does not.
    Away {
        /// Why.
        failure: Failure,
    },
}

/// Asks the local engine; an engine that is away is an answer, not an error.
pub(crate) async fn status(app: &Slipway, _: Nothing) -> Result<SystemStatus, Failure> {
    let engine = match (app.ports().engines)("local") {
        Ok(engine) => engine.info().await,
        Err(failure) => Err(failure),
    };
    Ok(SystemStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: app.store().data_dir().root().display().to_string(),
        engine: match engine {
            Ok(info) => EngineStatus::Ready {
                version: info.version,
                api_version: info.api_version,
                platform: info.platform.to_string(),
                endpoint: info.endpoint,
                context: info.context,
                several_platforms: info.containerd_store,
                disk_bytes: info.disk_bytes,
            },
            Err(failure) => EngineStatus::Away { failure },
        },
        database_recovery: app.database_recovery().map(|recovery| DatabaseRecovery {
            damage: recovery.damage.clone(),
            kept_aside: recovery.kept_aside.display().to_string(),
            restored_from: recovery.restored_from.as_ref().map(|path| path.display().to_string()),
        }),
    })
}
