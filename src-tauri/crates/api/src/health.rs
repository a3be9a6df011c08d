//! Commands on how the program stands: room, secrets, diagnostics.

use crate::system::Nothing;
use serde::Serialize;
use slipway_app::Slipway;
use slipway_core::Failure;
use slipway_core::health::{ClosedSecrets, RoomShortage};
use ts_rs::TS;

/// What a person may have to do something about.
#[derive(Debug, Serialize, TS)]
pub struct HealthView {
    /// Nothing new is begun, because the data folder has no room or cannot be written; ends by itself.
    pub room: Option<RoomShortage>,
    /// Engines whose disk is full, as far as builds showed.
    pub full_engines: Vec<String>,
    /// Secrets that cannot be opened now, with what needs them.
    pub closed: Option<ClosedSecrets>,
}

/// One part of the diagnostics, exactly as it is saved.
#[derive(Debug, Serialize, TS)]
pub struct DiagnosticPartView {
    /// Its file name.
    pub name: String,
    /// Its text, free of secrets.
    pub text: String,
}

pub(crate) async fn get(app: &Slipway, _: Nothing) -> Result<HealthView, Failure> {
    let health = app.health();
    Ok(HealthView { room: health.room, full_engines: health.full_engines, closed: health.closed })
}

pub(crate) async fn check(app: &Slipway, _: Nothing) -> Result<Nothing, Failure> {
    app.check_health().await?;
    Ok(Nothing {})
}

pub(crate) async fn use_new_key(app: &Slipway, _: Nothing) -> Result<Nothing, Failure> {
    app.use_new_key().await?;
    Ok(Nothing {})
}

pub(crate) async fn diagnostics(app: &Slipway, _: Nothing) -> Result<Vec<DiagnosticPartView>, Failure> {
    let parts = app.diagnostics().await;
    Ok(parts.into_iter().map(|part| DiagnosticPartView { name: part.name.to_owned(), text: part.text }).collect())
}
