//! What the parts of the window share: the language, the way to the console, and what was said already.

use crate::words::Language;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager as _, WebviewWindow};
use tokio::sync::Notify;

/// The label of the one window, as `tauri.conf.json` and the capability name it.
pub(crate) const WINDOW: &str = "main";

/// Shared by all parts, managed by tauri.
pub(crate) struct Shell {
    folder: PathBuf,
    state: Mutex<State>,
    spoken: Notify,
}

struct State {
    language: Language,
    console: Option<Channel<String>>,
    /// Where to lead the console once it listens.
    address: Option<String>,
}

/// What outlives a start: a small file of the data folder.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Remembered {
    told_about_tray: bool,
}

impl Shell {
    pub(crate) fn new(folder: &Path, language: Language) -> Self {
        let state = State { language, console: None, address: None };
        Self { folder: folder.to_owned(), state: Mutex::new(state), spoken: Notify::new() }
    }

    pub(crate) fn language(&self) -> Language {
        self.lock().language
    }

    pub(crate) fn speak(&self, language: Language) {
        self.lock().language = language;
        self.spoken.notify_one();
    }

    /// Waits until the person chooses a language.
    pub(crate) async fn spoken(&self) {
        self.spoken.notified().await;
    }

    /// Takes the console's channel for addresses, and leads it to where it should have been led before.
    pub(crate) fn follow(&self, console: Channel<String>) {
        let mut state = self.lock();
        if let Some(address) = state.address.take() {
            send(&console, address);
        }
        state.console = Some(console);
    }

    /// Leads the console to one of its addresses.
    pub(crate) fn lead_to(&self, address: String) {
        let mut state = self.lock();
        match &state.console {
            Some(console) => send(console, address),
            None => state.address = Some(address),
        }
    }

    /// Returns whether the person was told that closing leaves the application in the tray.
    pub(crate) fn told_about_tray(&self) -> bool {
        let text = std::fs::read(self.remembered()).unwrap_or_default();
        serde_json::from_slice::<Remembered>(&text).unwrap_or_default().told_about_tray
    }

    pub(crate) fn remember_told_about_tray(&self) {
        let text = serde_json::to_vec(&Remembered { told_about_tray: true }).unwrap_or_default();
        if let Err(error) = std::fs::write(self.remembered(), text) {
            tracing::warn!(%error, "what was said about the tray could not be kept: it is said again");
        }
    }

    fn remembered(&self) -> PathBuf {
        self.folder.join("shell.json")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn send(console: &Channel<String>, address: String) {
    if let Err(error) = console.send(address) {
        tracing::warn!(%error, "the console could not be led to a page");
    }
}

/// Returns the window.
pub(crate) fn window(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(WINDOW)
}

/// Brings the window to the front, wherever it was.
pub(crate) fn show(app: &AppHandle) {
    let Some(window) = window(app) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be brought to the front");
    }
}

/// Brings the window to the front on a page of the console.
pub(crate) fn show_page(app: &AppHandle, address: String) {
    app.state::<Shell>().lead_to(address);
    show(app);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_was_said_is_not_said_again_after_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::new(folder.path(), Language::English);
        assert!(!shell.told_about_tray());
        shell.remember_told_about_tray();
        assert!(Shell::new(folder.path(), Language::English).told_about_tray());
        std::fs::write(folder.path().join("shell.json"), "half a fi").unwrap();
        assert!(!shell.told_about_tray());
    }

    #[test]
    fn an_address_waits_for_a_console_that_is_not_there_yet() {
        let shell = Shell::new(Path::new("unused"), Language::English);
        shell.lead_to("/builds/1".to_owned());
        let led = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&led);
        shell.follow(Channel::new(move |body| {
            seen.lock().unwrap().push(body.deserialize::<String>().unwrap());
            Ok(())
        }));
        shell.lead_to("/builds/2".to_owned());
        assert_eq!(*led.lock().unwrap(), ["/builds/1", "/builds/2"]);
    }
}
