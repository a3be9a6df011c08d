//! Notifications of the desktop. Each leads to a page of the console when the person clicks it, where the desktop tells of
//! clicks. A desktop without notifications goes without: the inbox of the console has the same.

use crate::shell::Shell;
use std::time::Duration;
use tauri::{AppHandle, Manager as _};

/// The server of notifications may have to be started by the question.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// Says that closing the window left the application in the tray. False when it could not be said.
pub(crate) async fn tell_about_tray(app: &AppHandle) -> bool {
    let (title, text) = app.state::<Shell>().language().still_watching();
    tell(app, title, text, "/settings").await
}

/// Shows a notification that leads to an address of the console. False when the desktop shows none.
pub(crate) async fn tell(app: &AppHandle, title: &str, text: &str, address: &str) -> bool {
    match tokio::time::timeout(SHOWN_WITHIN, desktop::show(app, title, text, address)).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::info!(%error, "the desktop shows no notification");
            false
        }
        Err(_) => false,
    }
}

/// The desktop's server over the bus: <https://specifications.freedesktop.org/notification-spec/1.2/>.
#[cfg(target_os = "linux")]
mod desktop {
    use crate::shell::{self, Shell};
    use futures::StreamExt as _;
    use std::collections::HashMap;
    use std::time::Duration;
    use tauri::{AppHandle, Manager as _};
    use zbus::zvariant::Value;

    const SERVER: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";
    /// The name of a click on the notification itself.
    const CLICK: &str = "default";
    /// A click is waited for this long; most desktops forget the notification sooner, and say so.
    const CLICKED_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

    pub(super) async fn show(app: &AppHandle, title: &str, text: &str, address: &str) -> zbus::Result<()> {
        let bus = zbus::Connection::session().await?;
        let server = zbus::Proxy::new(&bus, SERVER, PATH, SERVER).await?;
        let mut clicks = server.receive_signal("ActionInvoked").await?;
        let mut closed = server.receive_signal("NotificationClosed").await?;
        let actions = [CLICK, app.state::<Shell>().language().show()];
        let hints = HashMap::from([("desktop-entry", Value::from("slipway"))]);
        let as_the_server_likes = -1_i32;
        let text = escaped(text);
        let notification =
            ("Slipway", 0_u32, "slipway", title, text.as_str(), &actions[..], hints, as_the_server_likes);
        let shown: u32 = server.call("Notify", &notification).await?;
        let (app, address) = (app.clone(), address.to_owned());
        tauri::async_runtime::spawn(async move {
            // The signals come over this connection.
            let _bus = bus;
            let clicked = async {
                loop {
                    tokio::select! {
                        Some(click) = clicks.next() => {
                            if click.body().deserialize::<(u32, String)>().is_ok_and(|(id, _)| id == shown) {
                                return true;
                            }
                        }
                        Some(end) = closed.next() => {
                            if end.body().deserialize::<(u32, u32)>().is_ok_and(|(id, _)| id == shown) {
                                return false;
                            }
                        }
                        else => return false,
                    }
                }
            };
            if tokio::time::timeout(CLICKED_WITHIN, clicked).await.unwrap_or(false) {
                shell::show_page(&app, address);
            }
        });
        Ok(())
    }

    /// Servers read a little markup; names of branches and rules are none.
    fn escaped(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }
}

/// macOS and Windows show notifications; a click brings nothing back to a program that is no signed bundle.
#[cfg(not(target_os = "linux"))]
mod desktop {
    use tauri::AppHandle;

    pub(super) async fn show(_: &AppHandle, title: &str, text: &str, _: &str) -> notify_rust::error::Result<()> {
        notify_rust::Notification::new().appname("Slipway").summary(title).body(text).show().map(|_| ())
    }
}
