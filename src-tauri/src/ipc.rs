//! What the console may ask the window for, beside dialogs. Everything of the product goes through `rpc` and its one table.

use crate::shell::Shell;
use crate::words::Language;
use slipway_api::{Api, ErrorCode, EventMessage, Failure};
use tauri::ipc::Channel;
use tauri::{State, Url};

/// Runs one command of the api's table.
#[tauri::command]
pub(crate) async fn rpc(
    api: State<'_, Api>,
    command: String,
    request: serde_json::Value,
) -> Result<serde_json::Value, Failure> {
    api.call(&command, request).await
}

/// Streams what happens until the page goes away.
#[tauri::command]
pub(crate) fn subscribe(api: State<'_, Api>, channel: Channel<EventMessage>) {
    let messages = api.subscribe();
    tauri::async_runtime::spawn(async move {
        let mut messages = std::pin::pin!(messages);
        while let Some(message) = futures::StreamExt::next(&mut messages).await {
            if channel.send(message).is_err() {
                return;
            }
        }
    });
}

/// Takes the channel by which notifications and the tray lead the console to a page.
#[tauri::command]
pub(crate) fn follow_addresses(shell: State<'_, Shell>, channel: Channel<String>) {
    shell.follow(channel);
}

/// Tells in which language the person reads the console.
#[tauri::command]
pub(crate) fn speak(shell: State<'_, Shell>, language: String) {
    shell.speak(Language::named(&language));
}

/// Opens a web page in the person's browser (T07: http and https alone).
#[tauri::command]
pub(crate) async fn open_link(url: String) -> Result<(), Failure> {
    let url = web_page(&url)?;
    let opened = tauri::async_runtime::spawn_blocking(move || open::that_detached(url.as_str())).await;
    opened
        .map_err(Failure::internal)?
        .map_err(|error| Failure::new(ErrorCode::NotFound, format!("no browser could be started: {error}")).at("url"))
}

fn web_page(url: &str) -> Result<Url, Failure> {
    Url::parse(url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| Failure::new(ErrorCode::InvalidField, "only web pages can be opened").at("url"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t07_only_web_pages_are_opened() {
        assert_eq!(web_page("https://example.com/a b").map(String::from), Ok("https://example.com/a%20b".to_owned()));
        for refused in
            ["file:///etc/passwd", "javascript:alert(1)", "ssh://host", "-a Calculator", "vscode://x", "https://"]
        {
            assert!(web_page(refused).is_err(), "{refused}");
        }
    }
}
