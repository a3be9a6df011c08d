//! Commands on the settings.

use crate::system::{Nothing, SecretText};
use serde::{Deserialize, Serialize};
use slipway_app::{Settings, Slipway, StoredProxy};
use slipway_core::Failure;
use slipway_core::network::RegistryMirrors;
use slipway_core::notice::NoticeKind;
use ts_rs::TS;

/// The settings of the application.
#[derive(Debug, Serialize, TS)]
pub struct SettingsView {
    /// How many builds run at the same time on one engine.
    pub concurrency: usize,
    /// Seconds between two looks at a code repository.
    pub poll_seconds: u32,
    /// Proxy towards code hosts.
    pub code_proxy: Option<ProxyView>,
    /// Proxy towards registries.
    pub registry_proxy: Option<ProxyView>,
    /// Ordered mirrors of upstream registries.
    pub mirrors: Vec<RegistryMirrors>,
    /// Kinds of notices that nobody wants in the inbox.
    pub muted_notices: Vec<NoticeKind>,
    /// Closing the window leaves the application watching in the tray, where there is one.
    pub close_to_tray: bool,
    /// The desktop starts the application, without its window, when the person logs in.
    pub start_at_login: bool,
}

/// A proxy; whether a password is stored, never which.
#[derive(Debug, Serialize, TS)]
pub struct ProxyView {
    /// `http://host:port` or `https://host:port`.
    pub url: String,
    /// User name.
    pub username: Option<String>,
    /// A password is stored.
    pub has_password: bool,
}

/// The settings as they are typed.
#[derive(Debug, Deserialize, TS)]
pub struct SettingsInput {
    /// How many builds run at the same time on one engine, 1–16.
    pub concurrency: usize,
    /// Seconds between two looks at a code repository, 5–86,400.
    pub poll_seconds: u32,
    /// Proxy towards code hosts.
    #[serde(default)]
    #[ts(optional)]
    pub code_proxy: Option<ProxyForm>,
    /// Proxy towards registries.
    #[serde(default)]
    #[ts(optional)]
    pub registry_proxy: Option<ProxyForm>,
    /// Ordered mirrors of upstream registries.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<RegistryMirrors>>")]
    pub mirrors: Vec<RegistryMirrors>,
    /// Kinds of notices that nobody wants in the inbox; left out they stay as they are.
    #[serde(default)]
    #[ts(optional)]
    pub muted_notices: Option<Vec<NoticeKind>>,
    /// Closing the window leaves the application watching in the tray; left out it stays as it is.
    #[serde(default)]
    #[ts(optional)]
    pub close_to_tray: Option<bool>,
    /// The desktop starts the application when the person logs in; left out it stays as it is.
    #[serde(default)]
    #[ts(optional)]
    pub start_at_login: Option<bool>,
}

/// A proxy as it is typed.
#[derive(Debug, Deserialize, TS)]
pub struct ProxyForm {
    /// `http://host:port` or `https://host:port`, without a login.
    pub url: String,
    /// User name.
    #[serde(default)]
    #[ts(optional)]
    pub username: Option<String>,
    /// The password; left out it keeps the stored one while the address stays.
    #[serde(default)]
    #[ts(optional)]
    pub password: Option<SecretText>,
}

impl From<StoredProxy> for ProxyView {
    fn from(stored: StoredProxy) -> Self {
        Self { url: stored.url, username: stored.username, has_password: stored.password.is_some() }
    }
}

pub(crate) async fn get(app: &Slipway, _: Nothing) -> Result<SettingsView, Failure> {
    let settings = app.settings().await?;
    Ok(SettingsView {
        concurrency: settings.concurrency,
        poll_seconds: settings.poll_seconds,
        code_proxy: settings.code_proxy.map(Into::into),
        registry_proxy: settings.registry_proxy.map(Into::into),
        mirrors: settings.mirrors,
        muted_notices: settings.muted_notices,
        close_to_tray: settings.close_to_tray,
        start_at_login: settings.start_at_login,
    })
}

pub(crate) async fn save(app: &Slipway, request: SettingsInput) -> Result<Nothing, Failure> {
    let old = app.settings().await?;
    let settings = Settings {
        concurrency: request.concurrency,
        poll_seconds: request.poll_seconds,
        code_proxy: proxy(app, request.code_proxy, old.code_proxy).await?,
        registry_proxy: proxy(app, request.registry_proxy, old.registry_proxy).await?,
        mirrors: request.mirrors,
        muted_notices: request.muted_notices.unwrap_or(old.muted_notices),
        close_to_tray: request.close_to_tray.unwrap_or(old.close_to_tray),
        start_at_login: request.start_at_login.unwrap_or(old.start_at_login),
        disk_budget_gb: old.disk_budget_gb,
    };
    app.set_settings(&settings).await?;
    Ok(Nothing {})
}

/// A stored password goes along only while the proxy's address stays the same.
async fn proxy(
    app: &Slipway,
    form: Option<ProxyForm>,
    old: Option<StoredProxy>,
) -> Result<Option<StoredProxy>, Failure> {
    let Some(form) = form else { return Ok(None) };
    let password = match form.password {
        Some(password) => Some(app.keep_proxy_password(&password.into()).await?),
        None => old.filter(|old| old.url == form.url).and_then(|old| old.password),
    };
    Ok(Some(StoredProxy { url: form.url, username: form.username, password }))
}
