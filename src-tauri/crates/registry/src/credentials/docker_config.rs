//! The Docker client's own logins: `DOCKER_AUTH_CONFIG`, `credHelpers`, `credsStore`, then `auths` of `config.json`
//! (`reference/registries.md` section 3.1). Read, never written.

use super::{failed, helper, server_key};
use base64::Engine as _;
use serde::Deserialize;
use slipway_core::image::RegistryLogin;
use slipway_core::{Failure, Secret};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

const MOST_CONFIG_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Deserialize, Default)]
#[serde(default)]
struct DockerConfig {
    auths: BTreeMap<String, AuthEntry>,
    #[serde(rename = "credsStore")]
    creds_store: String,
    #[serde(rename = "credHelpers")]
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AuthEntry {
    auth: Zeroizing<String>,
    identitytoken: Zeroizing<String>,
    username: String,
    password: Zeroizing<String>,
}

/// What `DOCKER_AUTH_CONFIG` may hold: anything else makes the Docker client ignore it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentConfig {
    auths: BTreeMap<String, EnvironmentEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentEntry {
    auth: Zeroizing<String>,
}

/// Returns the login that the Docker client would use for a host, `None` when it has none. `dir` is `$DOCKER_CONFIG`, else
/// `~/.docker`; `env_json` is the text of `DOCKER_AUTH_CONFIG`.
///
/// # Errors
/// [`slipway_core::ErrorCode::CredentialHelperFailed`] when the file cannot be read or a helper that it names fails.
pub async fn login_from_docker_config(
    dir: &Path,
    env_json: Option<&str>,
    host: &str,
    deadline: Duration,
) -> Result<Option<RegistryLogin>, Failure> {
    look_up(dir, env_json, host, deadline, helper::search_path().as_deref()).await
}

pub(super) async fn look_up(
    dir: &Path,
    env_json: Option<&str>,
    host: &str,
    deadline: Duration,
    helper_path: Option<&OsStr>,
) -> Result<Option<RegistryLogin>, Failure> {
    let key = server_key(host);
    if let Some(login) = env_json.and_then(|text| from_environment(text, key)) {
        return Ok(Some(login));
    }
    let Some(config) = read_config(dir)? else { return Ok(None) };
    let own_helper = config.cred_helpers.get(key).or_else(|| config.cred_helpers.get(host));
    let helper = own_helper.unwrap_or(&config.creds_store);
    if !helper.is_empty()
        && let Some(login) = helper::ask(helper, host, deadline, helper_path).await?
    {
        return Ok(Some(login));
    }
    Ok(find(&config.auths, key).and_then(login_of))
}

fn from_environment(text: &str, key: &str) -> Option<RegistryLogin> {
    let parsed: Result<EnvironmentConfig, _> = serde_json::from_str(text);
    let config = parsed.ok().filter(|config| config.auths.values().all(|entry| !entry.auth.is_empty()));
    let Some(config) = config else {
        tracing::warn!("DOCKER_AUTH_CONFIG is ignored: it is no object with only auths of only auth");
        return None;
    };
    decode_auth(&find(&config.auths, key)?.auth)
}

fn read_config(dir: &Path) -> Result<Option<DockerConfig>, Failure> {
    let path = dir.join("config.json");
    let unreadable = |why: String| {
        failed(format!("{} cannot be used: {why}", path.display())).with("path", path.display().to_string())
    };
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.kind().to_string())),
    };
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_CONFIG_BYTES).read_to_string(&mut text).map_err(|error| unreadable(error.kind().to_string()))?;
    // The parser's message quotes nothing of the text but a position.
    let config = serde_json::from_str(&text)
        .map_err(|error| unreadable(format!("no JSON as Docker writes it, line {}", error.line())))?;
    Ok(Some(config))
}

/// Finds the exact key, else one whose host part is the host.
fn find<'a, T>(auths: &'a BTreeMap<String, T>, key: &str) -> Option<&'a T> {
    auths.get(key).or_else(|| {
        let wanted = host_part(key);
        auths.iter().find(|(known, _)| is_registry_key(known) && host_part(known) == wanted).map(|(_, entry)| entry)
    })
}

/// `docker login` keeps its own tokens below Docker Hub's key; they are no logins.
fn is_registry_key(key: &str) -> bool {
    !key.ends_with("access-token") && !key.ends_with("refresh-token")
}

fn host_part(key: &str) -> &str {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    bare.split('/').next().unwrap_or_default()
}

fn login_of(entry: &AuthEntry) -> Option<RegistryLogin> {
    if !entry.identitytoken.is_empty() {
        return Some(RegistryLogin::IdentityToken { token: Secret::new(entry.identitytoken.as_str()) });
    }
    if !entry.auth.is_empty() {
        return decode_auth(&entry.auth);
    }
    (!entry.username.is_empty() && !entry.password.is_empty()).then(|| RegistryLogin::Basic {
        username: entry.username.clone(),
        password: Secret::new(entry.password.as_str()),
    })
}

/// `user:password` in base64, split at the first colon; trailing NULs are the padding of some old clients.
fn decode_auth(auth: &str) -> Option<RegistryLogin> {
    let bytes = Zeroizing::new(base64::engine::general_purpose::STANDARD.decode(auth.trim()).ok()?);
    let (username, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some(RegistryLogin::Basic { username: username.to_owned(), password: Secret::new(password.trim_end_matches('\0')) })
}
