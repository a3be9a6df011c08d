//! The dialogs of the desktop: a path of this machine reaches the product only from here or from a field that a person
//! typed into (architecture: the window asks, Rust decides).

use crate::shell;
use slipway_api::{Api, BuildId, ErrorCode, Failure};
use std::io::{Read, Write as _};
use std::path::PathBuf;
use tauri::{AppHandle, State};
use tauri_plugin_dialog::{DialogExt as _, FileDialogBuilder, FilePath};
use tokio::sync::oneshot;

/// A name that a page proposes for a file is at most this long.
const LONGEST_NAME: usize = 120;

/// Lets the person choose a folder; `None` when the dialog was closed.
#[tauri::command]
pub(crate) async fn pick_folder(app: AppHandle) -> Result<Option<String>, Failure> {
    chosen(&app, |dialog, answer| dialog.pick_folder(answer)).await?.map(text).transpose()
}

/// Lets the person choose a file; `None` when the dialog was closed.
#[tauri::command]
pub(crate) async fn pick_file(app: AppHandle) -> Result<Option<String>, Failure> {
    chosen(&app, |dialog, answer| dialog.pick_file(answer)).await?.map(text).transpose()
}

/// Saves a text where the person wants it; false when the dialog was closed.
#[tauri::command]
pub(crate) async fn save_text(app: AppHandle, name: String, text: String) -> Result<bool, Failure> {
    save(&app, &name, std::io::Cursor::new(text)).await
}

/// Saves the whole log of a build where the person wants it; false when the dialog was closed.
#[tauri::command]
pub(crate) async fn save_log(
    app: AppHandle,
    api: State<'_, Api>,
    build: BuildId,
    name: String,
) -> Result<bool, Failure> {
    let log = api.plain_log(build).await?;
    save(&app, &name, log).await
}

async fn save(app: &AppHandle, name: &str, content: impl Read + Send + 'static) -> Result<bool, Failure> {
    let name = file_name(name);
    let Some(path) = chosen(app, |dialog, answer| dialog.set_file_name(name).save_file(answer)).await? else {
        return Ok(false);
    };
    let written = tauri::async_runtime::spawn_blocking(move || write(&path, content)).await;
    written.map_err(Failure::internal)?.map_err(|error| unwritten(&error))?;
    Ok(true)
}

fn write(path: &std::path::Path, mut content: impl Read) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    std::io::copy(&mut content, &mut file)?;
    file.flush()?;
    file.sync_all()
}

fn unwritten(error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
        _ => ErrorCode::InvalidField,
    };
    Failure::new(code, format!("the file could not be written: {error}")).at("name")
}

/// Opens one dialog over the window and waits for what the person does with it.
async fn chosen(
    app: &AppHandle,
    open: impl FnOnce(FileDialogBuilder<tauri::Wry>, Box<dyn FnOnce(Option<FilePath>) + Send>),
) -> Result<Option<PathBuf>, Failure> {
    let mut dialog = app.dialog().file();
    if let Some(window) = shell::window(app) {
        dialog = dialog.set_parent(&window);
    }
    let (answer, answered) = oneshot::channel();
    open(
        dialog,
        Box::new(move |path| {
            // The page that asked may be gone.
            let _ = answer.send(path);
        }),
    );
    let path = answered.await.map_err(Failure::internal)?;
    path.map(FilePath::into_path).transpose().map_err(Failure::internal)
}

fn text(path: PathBuf) -> Result<String, Failure> {
    path.into_os_string().into_string().map_err(|path| {
        Failure::new(ErrorCode::InvalidField, format!("the path {} is not UTF-8", path.display())).at("path")
    })
}

/// A proposed name is a name, never a way to another folder.
fn file_name(proposed: &str) -> String {
    let kept = |sign: char| if sign.is_alphanumeric() || "._-+".contains(sign) { sign } else { '-' };
    let name: String = proposed.chars().take(LONGEST_NAME).map(kept).collect();
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "slipway.txt".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_proposed_name_leads_nowhere_else() {
        let table = [
            ("team-app-7.log", "team-app-7.log"),
            ("镜像-7.log", "镜像-7.log"),
            ("../../.bashrc", "bashrc"),
            ("/etc/passwd", "etc-passwd"),
            ("a\\b:c\n", "a-b-c-"),
            ("..", "slipway.txt"),
        ];
        for (proposed, expected) in table {
            assert_eq!(file_name(proposed), expected);
        }
    }

    #[test]
    fn a_file_is_written_whole_and_a_refusal_has_a_code() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("build.log");
        write(&path, &b"one\ntwo\n"[..]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        let refused = write(&folder.path().join("no/such/folder"), &b""[..]).unwrap_err();
        assert_eq!(unwritten(&refused).code, ErrorCode::InvalidField);
    }
}
