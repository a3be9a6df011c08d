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
pub struct SecretText(#[serde(deserialize_with = "secret")] #[ts(type = "string")] Secret);

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
