//! The desktop shell: opens the product and the window on the console. The only Rust that names tauri.
//!
//! The console reaches the product through two commands alone: `rpc`, which runs a command of the api's table, and
//! `subscribe`, which streams what happens.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use anyhow::Context as _;
use slipway_api::{Api, EventMessage, Failure};
use slipway_app::{OpenOptions, Slipway};
use std::sync::Arc;
use tauri::ipc::Channel;
use tauri::{Manager as _, RunEvent, State};

/// Runs one command of the api's table.
#[tauri::command]
async fn rpc(api: State<'_, Api>, command: String, request: serde_json::Value) -> Result<serde_json::Value, Failure> {
    api.call(&command, request).await
}

/// Streams what happens until the page goes away.
#[tauri::command]
fn subscribe(api: State<'_, Api>, channel: Channel<EventMessage>) {
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

fn main() -> anyhow::Result<()> {
    // Two TLS users with different defaults would panic at their first handshake.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS provider was installed before"))?;
    let folder = slipway_app::data_folder(None, |name| std::env::var_os(name))
        .context("no data folder: set SLIPWAY_DATA_DIR")?;
    let product = tauri::async_runtime::block_on(Slipway::open(OpenOptions::new(folder)))
        .map_err(|failure| anyhow::anyhow!("{} ({})", failure.message, failure.code.as_str()))?;
    let product = Arc::new(product);
    let window = tauri::Builder::default()
        .manage(Api::new(Arc::clone(&product)))
        .manage(Arc::clone(&product))
        .invoke_handler(tauri::generate_handler![rpc, subscribe])
        .build(tauri::generate_context!())
        .context("the window could not be opened")?;
    window.run(|app, event| {
        if let RunEvent::Exit = event {
            tauri::async_runtime::block_on(app.state::<Arc<Slipway>>().shutdown());
        }
    });
    Ok(())
}
