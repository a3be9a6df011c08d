//! Follows the product: the tray shows how things stand, the machine stays awake while a build runs, and what lands in the
//! inbox is told on the desktop.

use crate::awake::Awake;
use crate::notice_words::notice_words;
use crate::shell::Shell;
use crate::{login, notices, tray};
use serde_json::json;
use slipway_api::{Api, Severity};
use slipway_app::{AppEvent, Slipway};
use std::sync::Arc;
use std::time::Duration;
use tauri::{AppHandle, Manager as _};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

/// A build changes many times a second; the tray follows at most this often.
const AT_MOST_EVERY: Duration = Duration::from_millis(300);

/// Unread notices that are counted; more than that is many.
const UNREAD_LOOKED_AT: u32 = 100;

/// How things stand.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Builds that run.
    pub(crate) running: u64,
    /// Builds that wait.
    pub(crate) waiting: u64,
    /// Failures in the inbox that nobody has read.
    pub(crate) failures: usize,
}

/// Follows the product until the application ends.
pub(crate) fn start(app: &AppHandle) -> std::io::Result<()> {
    let awake = Awake::start()?;
    let app = app.clone();
    // From before the first look, so that nothing falls between.
    let mut events = app.state::<Arc<Slipway>>().events();
    tauri::async_runtime::spawn(async move {
        login::follow_settings(&app).await;
        let mut shown = None;
        loop {
            let now = look(&app).await;
            let key = (now, app.state::<Shell>().language());
            if shown != Some(key) {
                shown = Some(key);
                awake.set(now.running > 0, key.1);
                tray::show(&app, now);
            }
            tokio::time::sleep(AT_MOST_EVERY).await;
            if !anything_new(&app, &mut events).await {
                return;
            }
        }
    });
    Ok(())
}

/// Waits until how things stand may have changed. What came meanwhile is one change. False at the end of the application.
async fn anything_new(app: &AppHandle, events: &mut Receiver<AppEvent>) -> bool {
    let shell = app.state::<Shell>();
    let mut changes = false;
    loop {
        let event = match events.try_recv() {
            Ok(event) => Ok(event),
            Err(TryRecvError::Empty) if changes => return true,
            Err(TryRecvError::Closed) => return false,
            Err(TryRecvError::Lagged(_)) => return true,
            Err(TryRecvError::Empty) => tokio::select! {
                event = events.recv() => event,
                () = shell.spoken() => return true,
            },
        };
        match event {
            Ok(event) => changes |= follow(app, event).await,
            Err(RecvError::Lagged(_)) => changes = true,
            Err(RecvError::Closed) => return false,
        }
    }
}

/// Does what an event asks for; tells whether how things stand may have changed.
async fn follow(app: &AppHandle, event: AppEvent) -> bool {
    match event {
        AppEvent::NoticeAdded { notice } => {
            match app.state::<Arc<Slipway>>().notice(notice).await {
                Ok(notice) => {
                    let words = notice_words(app.state::<Shell>().language(), &notice.facts);
                    if let Some((title, text)) = words {
                        notices::tell(app, &title, &text, &notice.facts.route()).await;
                    }
                }
                Err(failure) => tracing::warn!(%failure, "a notice cannot be read"),
            }
            true
        }
        AppEvent::SettingsChanged => {
            login::follow_settings(app).await;
            false
        }
        AppEvent::InboxChanged | AppEvent::QueueChanged | AppEvent::BuildChanged { .. } => true,
        _ => false,
    }
}

async fn look(app: &AppHandle) -> Standing {
    let api = app.state::<Api>();
    let count = async |states: &[&str]| match api.call("builds.list", json!({ "states": states, "limit": 1 })).await {
        Ok(page) => page["total"].as_u64().unwrap_or_default(),
        Err(failure) => {
            tracing::warn!(%failure, "how things stand cannot be read");
            0
        }
    };
    let failures = match app.state::<Arc<Slipway>>().notices(None, UNREAD_LOOKED_AT, true).await {
        Ok(page) => page.items.iter().filter(|notice| notice.facts.kind().severity() == Severity::Error).count(),
        Err(_) => 0,
    };
    Standing { running: count(&["running"]).await, waiting: count(&["queued", "paused"]).await, failures }
}
