//! The tray: how things stand at a glance, and the way back to a hidden window.

use crate::shell::{self, Shell};
use crate::watching::Standing;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager as _, Wry};

const OPEN: &str = "open";
const BUILDS: &str = "builds";
const FAILURES: &str = "failures";
const QUIT: &str = "quit";

const IDLE: &[u8] = include_bytes!("../../icons/tray/idle.png");
const BUILDING: &[u8] = include_bytes!("../../icons/tray/building.png");
const FAILED: &[u8] = include_bytes!("../../icons/tray/failed.png");

/// The tray's icon with the parts of its menu that change; managed by tauri when the desktop has what a tray needs.
struct Tray {
    icon: TrayIcon,
    open: MenuItem<Wry>,
    builds: MenuItem<Wry>,
    failures: MenuItem<Wry>,
    quit: MenuItem<Wry>,
}

/// Puts the icon into the tray. A desktop without what a tray needs goes without: that is logged, nothing else.
pub(crate) fn open(app: &AppHandle, folder: &Path) {
    // The library that draws the tray on Linux is loaded when it is first used, and panics when it is not installed.
    match std::panic::catch_unwind(AssertUnwindSafe(|| build(app, folder))) {
        Ok(Ok(tray)) => {
            app.manage(tray);
        }
        Ok(Err(error)) => tracing::warn!(%error, "no tray"),
        Err(_) => tracing::warn!("no tray: the desktop lacks the library that draws it"),
    }
}

fn build(app: &AppHandle, folder: &Path) -> tauri::Result<Tray> {
    let language = app.state::<Shell>().language();
    let item = |id, text: &str| MenuItem::with_id(app, id, text, true, None::<&str>);
    let open = item(OPEN, language.open())?;
    let builds = item(BUILDS, &language.builds(0, 0))?;
    let failures = item(FAILURES, &language.failures(0))?;
    let quit = item(QUIT, language.quit())?;
    let line = || PredefinedMenuItem::separator(app);
    let menu = Menu::with_items(app, &[&open, &line()?, &builds, &failures, &line()?, &quit])?;
    let icon = TrayIconBuilder::with_id("slipway")
        .icon(Image::from_bytes(IDLE)?)
        // Linux shows a tray's icon from a file.
        .temp_dir_path(folder.join("tray"))
        .menu(&menu)
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| match event.id().as_ref() {
            BUILDS => shell::show_page(app, "/builds".to_owned()),
            FAILURES => shell::show_page(app, "/builds?state=failed".to_owned()),
            QUIT => app.exit(0),
            _ => shell::show(app),
        })
        .on_tray_icon_event(|icon, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event {
                shell::show(icon.app_handle());
            }
        })
        .build(app)?;
    Ok(Tray { icon, open, builds, failures, quit })
}

/// Shows how things stand, in the person's language. Returns at once: a task that waited for the main thread would hold up
/// the others, and the end of the application with them.
pub(crate) fn show(app: &AppHandle, standing: Standing) {
    let main = app.clone();
    let shown = app.run_on_main_thread(move || {
        let Some(tray) = main.try_state::<Tray>() else { return };
        if let Err(error) = tray.show(&main, &standing) {
            tracing::warn!(%error, "the tray could not be changed");
        }
    });
    if let Err(error) = shown {
        tracing::warn!(%error, "the tray could not be changed");
    }
}

impl Tray {
    fn show(&self, app: &AppHandle, standing: &Standing) -> tauri::Result<()> {
        let language = app.state::<Shell>().language();
        let builds = language.builds(standing.running, standing.waiting);
        self.open.set_text(language.open())?;
        self.builds.set_text(&builds)?;
        self.failures.set_text(language.failures(standing.failures))?;
        self.quit.set_text(language.quit())?;
        let icon = match standing {
            Standing { running: 1.., .. } => BUILDING,
            Standing { failures: 1.., .. } => FAILED,
            _ => IDLE,
        };
        self.icon.set_icon(Some(Image::from_bytes(icon)?))?;
        self.icon.set_tooltip(Some(format!("Slipway: {builds}")))
    }
}

/// Tells whether the person sees the tray's icon, so that a hidden window can be found again.
pub(crate) async fn is_shown(app: &AppHandle) -> bool {
    app.try_state::<Tray>().is_some() && has_host().await
}

/// Asks the desktop whether something shows tray icons (StatusNotifierItem specification, the watcher's property).
#[cfg(target_os = "linux")]
async fn has_host() -> bool {
    const ASK_FOR: std::time::Duration = std::time::Duration::from_secs(2);
    let asked = async {
        let bus = zbus::Connection::session().await?;
        let watcher = zbus::Proxy::new(
            &bus,
            "org.kde.StatusNotifierWatcher",
            "/StatusNotifierWatcher",
            "org.kde.StatusNotifierWatcher",
        );
        watcher.await?.get_property::<bool>("IsStatusNotifierHostRegistered").await
    };
    match tokio::time::timeout(ASK_FOR, asked).await {
        Ok(Ok(registered)) => registered,
        Ok(Err(error)) => {
            tracing::info!(%error, "the desktop shows no tray");
            false
        }
        Err(_) => false,
    }
}

#[cfg(not(target_os = "linux"))]
async fn has_host() -> bool {
    true
}
