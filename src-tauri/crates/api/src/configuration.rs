//! Commands on the configuration as a file.

use crate::system::Nothing;
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_core::Failure;
use slipway_core::configuration::{ImportChoice, ImportReport};
use ts_rs::TS;

/// The configuration as the text of a file.
#[derive(Debug, Serialize, TS)]
pub struct ConfigurationText {
    /// The text.
    pub text: String,
}

/// A file to look at or to import.
#[derive(Debug, Deserialize, TS)]
pub struct ImportRequest {
    /// The file's text, at most 10 MB.
    pub text: String,
    /// What the person chose.
    pub choice: ImportChoice,
}

pub(crate) async fn export(app: &Slipway, _: Nothing) -> Result<ConfigurationText, Failure> {
    Ok(ConfigurationText { text: app.export_configuration().await? })
}

pub(crate) async fn check_import(app: &Slipway, request: ImportRequest) -> Result<ImportReport, Failure> {
    app.check_import(request.text, request.choice).await
}

pub(crate) async fn import(app: &Slipway, request: ImportRequest) -> Result<ImportReport, Failure> {
    app.import_configuration(request.text, request.choice).await
}
