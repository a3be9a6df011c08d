//! The Docker credential helper protocol, `get` only (`reference/registries.md` section 3.2).

use super::process::run;
use super::{failed, server_key};
use serde::Deserialize;
use slipway_core::image::RegistryLogin;
use slipway_core::{Failure, Secret};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// The exact text that means "none"; everything else with a non-zero exit is a failure.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// User name that marks the secret as an identity token.
const TOKEN_USER: &str = "<token>";

#[derive(Deserialize)]
struct HelperAnswer {
    #[serde(rename = "Username", default)]
    username: String,
    #[serde(rename = "Secret", default)]
    secret: Zeroizing<String>,
}

/// Reads `{"Username","Secret"}`; `None` when the text is something else or has no secret.
pub(super) fn read_answer(text: &str) -> Option<RegistryLogin> {
    let HelperAnswer { username, secret } = serde_json::from_str(text).ok()?;
    if secret.is_empty() {
        return None;
    }
    let secret = Secret::new(secret.as_str());
    Some(if username == TOKEN_USER {
        RegistryLogin::IdentityToken { token: secret }
    } else {
        RegistryLogin::Basic { username, password: secret }
    })
}

/// Asks `docker-credential-<name>` for the login of a host; `None` when it has none. One question per helper at a time:
/// a helper may open a dialog. `deadline` counts from when its turn comes.
///
/// # Errors
/// [`slipway_core::ErrorCode::CredentialHelperFailed`] when the helper is missing, fails, hangs or answers nonsense;
/// [`slipway_core::ErrorCode::InvalidField`] when the name is no helper's name.
pub async fn login_from_helper(name: &str, host: &str, deadline: Duration) -> Result<Option<RegistryLogin>, Failure> {
    ask(name, host, deadline, search_path().as_deref()).await
}

pub(super) async fn ask(
    name: &str,
    host: &str,
    deadline: Duration,
    path: Option<&OsStr>,
) -> Result<Option<RegistryLogin>, Failure> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(legal) {
        return Err(Failure::new(
            slipway_core::ErrorCode::InvalidField,
            "a helper's name has letters, digits, '-', '_' and '.'",
        )
        .at("name"));
    }
    let program = find(&format!("docker-credential-{name}"), path)
        .ok_or_else(|| failed(format!("docker-credential-{name} is not installed")).with("program", name))?;
    let turn = turn_of(name);
    let _turn = turn.lock().await;
    let finished = run(program.as_os_str(), &["get".to_owned()], path, server_key(host), deadline).await?;
    if !finished.success {
        if finished.output.trim() == NOT_FOUND {
            return Ok(None);
        }
        return Err(failed(format!("docker-credential-{name} failed with {}", finished.status)).with("program", name));
    }
    let login = read_answer(&finished.output)
        .ok_or_else(|| failed(format!("docker-credential-{name} gives no credential")).with("program", name))?;
    Ok(Some(login))
}

/// The lock that keeps a helper's questions one after the other.
fn turn_of(name: &str) -> Arc<tokio::sync::Mutex<()>> {
    static TURNS: LazyLock<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>> = LazyLock::new(Mutex::default);
    Arc::clone(TURNS.lock().unwrap_or_else(PoisonError::into_inner).entry(name.to_owned()).or_default())
}

/// Finds a program in the folders of a path list; `Command` alone would look in the parent's `PATH` only.
fn find(program: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let program =
        if cfg!(windows) && !program.ends_with(".exe") { format!("{program}.exe") } else { program.to_owned() };
    std::env::split_paths(path?).map(|folder| folder.join(&program)).find(|candidate| candidate.is_file())
}

/// `PATH`, and on macOS the folders that a desktop application does not inherit from the shell.
pub(super) fn search_path() -> Option<OsString> {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&inherited).collect();
    if cfg!(target_os = "macos") {
        folders.extend(["/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from));
        folders.push(PathBuf::from("/Applications/Docker.app/Contents/Resources/bin"));
        folders.extend(std::env::home_dir().map(|home| home.join(".docker/bin")));
    }
    std::env::join_paths(folders).ok()
}
