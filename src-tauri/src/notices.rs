//! Notifications of the desktop. Each leads to a page of the console when the person clicks it, where the desktop tells of
//! clicks. A desktop without notifications goes without: the inbox of the console has the same.

use crate::shell::{self, Shell};
use notify_rust::Notification;
use std::time::Duration;
use tauri::{AppHandle, Manager as _};

/// A click is waited for this long; the desktop forgets the notification sooner.
const CLICKED_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Says that closing the window left the application in the tray. False when it could not be said.
pub(crate) async fn tell_about_tray(app: &AppHandle) -> bool {
    let (title, text) = app.state::<Shell>().language().still_watching();
    tell(app, title, text, "/settings").await
}

/// Shows a notification that leads to an address of the console. False when the desktop shows none.
pub(crate) async fn tell(app: &AppHandle, title: &str, text: &str, address: &str) -> bool {
    let mut notification = Notification::new();
    notification.appname("Slipway").summary(title).body(&escaped(text));
    match show(app, notification, address).await {
        Ok(()) => true,
        Err(error) => {
            tracing::info!(%error, "the desktop shows no notification");
            false
        }
    }
}

#[cfg(target_os = "linux")]
async fn show(app: &AppHandle, mut notification: Notification, address: &str) -> notify_rust::error::Result<()> {
    /// The notification server may be starting.
    const SHOWN_WITHIN: Duration = Duration::from_secs(10);
    notification
        .icon("slipway")
        .hint(notify_rust::Hint::DesktopEntry("slipway".to_owned()))
        // The name that the specification gives to a click on the notification itself.
        .action("default", app.state::<Shell>().language().show());
    let handle = tokio::time::timeout(SHOWN_WITHIN, notification.show_async())
        .await
        .unwrap_or_else(|_| Err(notify_rust::error::ErrorKind::Msg("no answer within 10 s".to_owned()).into()))?;
    let (app, address) = (app.clone(), address.to_owned());
    tauri::async_runtime::spawn(async move {
        let clicked = handle.wait_for_action_async(|response| {
            if !matches!(response, notify_rust::NotificationResponse::Closed(_)) {
                shell::show_page(&app, address);
            }
        });
        let _ = tokio::time::timeout(CLICKED_WITHIN, clicked).await;
    });
    Ok(())
}

#[cfg(not(target_os = "linux"))]
async fn show(_: &AppHandle, notification: Notification, _: &str) -> notify_rust::error::Result<()> {
    notification.show().map(|_| ())
}

/// Notification servers read a little markup; names of branches and rules are none.
fn escaped(text: &str) -> String {
    if cfg!(target_os = "linux") {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    } else {
        text.to_owned()
    }
}
