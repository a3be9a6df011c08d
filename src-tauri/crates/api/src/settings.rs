//! Commands on the settings.

use crate::system::{Nothing, SecretText};
use serde::{Deserialize, Serialize};
use slipway_app::{Settings, Slipway};
use slipway_core::Failure;
use slipway_core::network::RegistryMirrors;
use slipway_core::rule::NameValue;
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
    /// Build arguments that carry the proxy into builds.
    pub build_proxies: Vec<NameValue>,
    /// Ordered mirrors of upstream registries.
    pub mirrors: Vec<RegistryMirrors>,
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
    /// Build arguments that carry the proxy into builds.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<NameValue>>")]
    pub build_proxies: Vec<NameValue>,
    /// Ordered mirrors of upstream registries.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<RegistryMirrors>>")]
    pub mirrors: Vec<RegistryMirrors>,
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
