//! The window: where it loads from, where it may go, and what closing it means.

use crate::shell::{self, Shell};
use crate::{notices, tray};
use slipway_app::Slipway;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager as _, Url, WebviewWindow, WebviewWindowBuilder, WindowEvent};
use tauri_plugin_window_state::{AppHandleExt as _, StateFlags};

/// What of the window outlives a start. Not whether it was visible: a start shows it.
pub(crate) const REMEMBERED: StateFlags =
    StateFlags::SIZE.union(StateFlags::POSITION).union(StateFlags::MAXIMIZED).union(StateFlags::FULLSCREEN);

/// A page that has not come until then is waited for in sight.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);

/// Opens the window on the console. What its pages keep (language, theme) stays in the data folder.
///
/// It is shown once its page is there: until then it would be an empty sheet, and WebKit stops the main thread for half a
/// second when it draws a page whose process is still starting.
pub(crate) fn open(app: &AppHandle, folder: &Path, hidden: bool) -> tauri::Result<()> {
    let config = app.config();
    let own = own_places(config.build.dev_url.as_ref());
    let Some(description) = config.app.windows.first() else { return Ok(()) };
    let shown = Arc::new(Once::new());
    let show_first = move |window: &WebviewWindow| {
        // Never again by itself: the person may have sent it into the tray since.
        shown.call_once(|| {
            if !hidden && let Err(error) = window.show() {
                tracing::warn!(%error, "the window could not be shown");
            }
        });
    };
    let show_loaded = show_first.clone();
    let window = WebviewWindowBuilder::from_config(app, description)?
        .data_directory(folder.join("webview"))
        .visible(false)
        .on_page_load(move |window, load| {
            if load.event() == PageLoadEvent::Finished {
                show_loaded(&window);
            }
        })
        .on_navigation(move |url| own.contains(&place(url)))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    let waited_for = window.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(SHOWN_WITHIN).await;
        show_first(&waited_for);
    });
    let app = app.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            // Whether a tray is there is a question to the desktop, which may take its time.
            api.prevent_close();
            let app = app.clone();
            tauri::async_runtime::spawn(async move { close(&app).await });
        }
    });
    Ok(())
}

/// Where a page comes from. The console's own scheme has no origin by the web's rules, so this is compared instead.
type Place = (String, Option<String>, Option<u16>);

fn place(url: &Url) -> Place {
    (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
}

/// The console is the only page of the window (T06).
fn own_places(development: Option<&Url>) -> Vec<Place> {
    let development = development.filter(|_| !cfg!(feature = "custom-protocol"));
    let own = ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"];
    own.iter().filter_map(|url| Url::parse(url).ok()).chain(development.cloned()).map(|url| place(&url)).collect()
}

/// Leaves the application watching in the tray when the person wants that and can get it back from there; else quits.
async fn close(app: &AppHandle) {
    let wanted = match app.state::<Arc<Slipway>>().settings().await {
        Ok(settings) => settings.close_to_tray,
        Err(failure) => {
            tracing::warn!(%failure, "the settings cannot be read: closing quits");
            false
        }
    };
    if !wanted || !tray::is_shown(app).await {
        app.exit(0);
        return;
    }
    let main = app.clone();
    let hidden = app.run_on_main_thread(move || {
        if let Err(error) = main.save_window_state(REMEMBERED) {
            tracing::warn!(%error, "the window's place could not be kept");
        }
        if let Some(Err(error)) = shell::window(&main).map(|window| window.hide()) {
            tracing::warn!(%error, "the window could not be hidden: closing quits");
            main.exit(0);
        }
    });
    if let Err(error) = hidden {
        tracing::warn!(%error, "the window could not be hidden");
        return;
    }
    let state = app.state::<Shell>();
    if !state.told_about_tray() && notices::tell_about_tray(app).await {
        state.remember_told_about_tray();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn t05_t06_only_the_console_is_a_page_of_the_window() {
        let own = own_places(None);
        let may = |url: &str| own.contains(&place(&Url::parse(url).unwrap()));
        assert!(may("tauri://localhost/builds/7") && may("http://tauri.localhost/builds/7"));
        let foreign = [
            "https://evil.example/",
            "tauri://evil.example/",
            "http://tauri.localhost.evil.example/",
            "http://localhost:5173/",
            "file:///etc/passwd",
            "data:text/html,x",
        ];
        for foreign in foreign {
            assert!(!may(foreign), "{foreign}");
        }
    }
}
