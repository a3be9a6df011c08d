//! The desktop shell: opens the window on the console. The only Rust that names tauri.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    tauri::Builder::default().run(tauri::generate_context!()).context("the window could not be opened")
}
