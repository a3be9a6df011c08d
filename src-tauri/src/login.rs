//! Starting at login: the desktop has what the setting says.

use slipway_app::Slipway;
use std::sync::Arc;
use tauri::{AppHandle, Manager as _};
use tauri_plugin_autostart::ManagerExt as _;

/// Makes the desktop start the application at login, or not, as the settings say.
pub(crate) async fn follow_settings(app: &AppHandle) {
    let wanted = match app.state::<Arc<Slipway>>().settings().await {
        Ok(settings) => settings.start_at_login,
        Err(failure) => {
            tracing::warn!(%failure, "the settings cannot be read: starting at login stays as it is");
            return;
        }
    };
    let login = app.autolaunch();
    // Also rewritten when it is there already: the program may have moved.
    let done = match (wanted, login.is_enabled()) {
        (true, _) => login.enable(),
        (false, Ok(false)) => Ok(()),
        (false, _) => login.disable(),
    };
    if let Err(error) = done {
        tracing::warn!(%error, wanted, "starting at login could not be changed");
    }
}
