//! The desktop shell: opens the product and the window on the console. The only Rust that names tauri.
//!
//! The console reaches the product through two commands alone: `rpc`, which runs a command of the api's table, and
//! `subscribe`, which streams what happens. The other commands are what only a desktop can do: dialogs, links, and the way
//! from a notification to a page.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod arguments;
mod awake;
mod dialogs;
mod door;
mod ipc;
mod login;
mod notice_words;
mod notices;
mod sample;
mod shell;
mod tray;
mod watching;
mod window;
mod words;

use anyhow::Context as _;
use arguments::Arguments;
use shell::Shell;
use slipway_api::{Api, ErrorCode, Failure};
use slipway_app::{OpenOptions, Slipway};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tauri::{App, AppHandle, Manager as _, RunEvent};
use words::Language;

/// The product stops its own work sooner than this.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

fn main() -> anyhow::Result<()> {
    // Two TLS users with different defaults would panic at their first handshake.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS provider was installed before"))?;
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("SLIPWAY_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(slipway_app::program_log::tee)
        .init();
    let arguments = Arguments::read(std::env::args_os().skip(1))?;
    let folder = slipway_app::data_folder(arguments.data_dir.clone(), |name| std::env::var_os(name))
        .context("no data folder: give --data-dir or set SLIPWAY_DATA_DIR")?;
    let language = Language::of_session(|name| std::env::var(name).ok());
    match tauri::async_runtime::block_on(Slipway::open(OpenOptions::new(&folder))) {
        Ok(product) => run(&arguments, &folder, language, product),
        Err(failure) if failure.code == ErrorCode::AlreadyRunning && door::knock(&folder) => Ok(()),
        Err(failure) => say_why_not(language, failure),
    }
}

fn run(arguments: &Arguments, folder: &Path, language: Language, product: Slipway) -> anyhow::Result<()> {
    let product = Arc::new(product);
    let window_file = folder.join("window.json");
    let (hidden, sample) = (arguments.hidden, arguments.sample);
    let data = folder.to_owned();
    let application = tauri::Builder::default()
        .manage(Api::new(Arc::clone(&product)))
        .manage(product)
        .manage(Shell::new(folder, language))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_autostart::Builder::new().app_name("Slipway").args(arguments.at_login()).build())
        .plugin(
            tauri_plugin_window_state::Builder::new()
                // A file of the data folder, wherever that is, rather than of the desktop's configuration.
                .with_filename(std::path::absolute(window_file)?.to_string_lossy())
                .with_state_flags(window::REMEMBERED)
                .build(),
        )
        .invoke_handler(tauri::generate_handler![
            ipc::rpc,
            ipc::subscribe,
            ipc::follow_addresses,
            ipc::speak,
            ipc::open_link,
            dialogs::pick_folder,
            dialogs::pick_file,
            dialogs::save_text,
            dialogs::save_log,
        ])
        .setup(move |app| {
            set_up(app, &data, hidden)?;
            if sample {
                sample::start(app.handle());
            }
            Ok(())
        })
        .build(context())
        .context("the window could not be opened")?;
    application.run(|app, event| {
        if let RunEvent::Exit = event {
            let product = Arc::clone(&app.state::<Arc<Slipway>>());
            let ended = async { tokio::time::timeout(ENDS_WITHIN, product.shutdown()).await };
            if tauri::async_runtime::block_on(ended).is_err() {
                tracing::warn!("the product did not end in time; the next start settles what is left");
            }
            // The lock is free now: a start that comes from here on is a first one.
            if let Some(door) = app.try_state::<door::Door>() {
                door.close();
            }
        }
    });
    Ok(())
}

fn set_up(app: &App, folder: &Path, hidden: bool) -> anyhow::Result<()> {
    let app = app.handle();
    tray::open(app, folder);
    // Started into a tray that nobody shows, the window would be out of reach.
    let hidden = hidden && tauri::async_runtime::block_on(tray::is_shown(app));
    window::open(app, folder, hidden)?;
    let first = app.clone();
    app.manage(door::open(folder, move || shell::show(&first)).context("a second start could not find this one")?);
    watching::start(app)?;
    end_when_asked(app);
    Ok(())
}

/// The end of the session, and Ctrl-C in a terminal, end the application in order.
fn end_when_asked(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        #[cfg(unix)]
        let terminated = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => signal.recv().await,
                Err(_) => std::future::pending().await,
            }
        };
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = terminated => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        app.exit(0);
    });
}

/// Tells the person why there is no window. Who started it from a terminal reads it there too.
fn say_why_not(language: Language, failure: Failure) -> anyhow::Result<()> {
    use tauri_plugin_dialog::{DialogExt as _, MessageDialogKind};
    let reason = format!("{} ({})", failure.message, failure.code.as_str());
    tracing::error!("{reason}");
    let told = match language.next_step(failure.code) {
        Some(next) => format!("{next}\n\n{reason}"),
        None => reason.clone(),
    };
    let application = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .setup(move |app| {
            let ended = app.handle().clone();
            let dialog = app.dialog().message(&told).title(language.cannot_start()).kind(MessageDialogKind::Error);
            dialog.show(move |_| ended.exit(1));
            Ok(())
        })
        .build(context())
        .map_err(|_| anyhow::anyhow!(reason))?;
    application.run(|_, event| {
        // There is no window, and the dialog is none that tauri counts.
        if let RunEvent::ExitRequested { api, code: None, .. } = event {
            api.prevent_exit();
        }
    });
    Ok(())
}

fn context() -> tauri::Context {
    tauri::generate_context!()
}
