//! Settings of the whole application, one row in the store.

use crate::access::StoredProxy;
use crate::{AppEvent, Slipway};
use serde::{Deserialize, Serialize};
use slipway_core::ids::SecretId;
use slipway_core::image::RegistryHost;
use slipway_core::network::RegistryMirrors;
use slipway_core::notice::NoticeKind;
use slipway_core::{ErrorCode, Failure, Secret};

pub(crate) const KEY: &str = "application";

/// What a person sets for the whole application. A field added later needs a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How many builds run at the same time on one engine, 1–16.
    pub concurrency: usize,
    /// Seconds between two looks at a code repository that is not a local clone, 5–86,400.
    pub poll_seconds: u32,
    /// Proxy towards code hosts.
    pub code_proxy: Option<StoredProxy>,
    /// Proxy towards registries.
    pub registry_proxy: Option<StoredProxy>,
    /// Ordered mirrors of upstream registries.
    pub mirrors: Vec<RegistryMirrors>,
    /// Kinds of notices that nobody wants in the inbox.
    pub muted_notices: Vec<NoticeKind>,
    /// Closing the window leaves the application watching in the tray, where there is one.
    pub close_to_tray: bool,
    /// The desktop starts the application, without its window, when the person logs in.
    pub start_at_login: bool,
    /// How many gigabytes the images may take that Slipway made; `None` for no limit.
    pub disk_budget_gb: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 2,
            poll_seconds: 30,
            code_proxy: None,
            registry_proxy: None,
            mirrors: Vec::new(),
            muted_notices: Vec::new(),
            close_to_tray: true,
            start_at_login: false,
            disk_budget_gb: Some(20),
        }
    }
}

impl Slipway {
    /// Returns the settings.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn settings(&self) -> Result<Settings, Failure> {
        self.parts.settings().await
    }

    /// Seals the password of a proxy; the settings name it by the returned id.
    ///
    /// # Errors
    /// What the keychain says.
    pub async fn keep_proxy_password(&self, password: &Secret) -> Result<SecretId, Failure> {
        self.parts.keep_secret("password of a proxy", password).await
    }

    /// Changes the settings; the watcher and the queue follow at once.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] with the field, or a failure of the store.
    pub async fn set_settings(&self, settings: &Settings) -> Result<(), Failure> {
        settings.check()?;
        self.parts.store.set_setting(KEY, settings).await?;
        self.parts.announce(AppEvent::SettingsChanged);
        self.parts.queue_wake.notify_one();
        self.parts.watch_wake.notify_waiters();
        Ok(())
    }
}

impl Settings {
    /// Checks what a person sets.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] with the field.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let invalid = |field: &str, why: &str| Err(Failure::new(ErrorCode::InvalidField, why).at(field));
        if !(1..=16).contains(&self.concurrency) {
            return invalid("concurrency", "between 1 and 16 builds can run at the same time");
        }
        if !(5..=86_400).contains(&self.poll_seconds) {
            return invalid("poll_seconds", "the interval is between 5 seconds and one day");
        }
        if self.disk_budget_gb.is_some_and(|gigabytes| !(1..=100_000).contains(&gigabytes)) {
            return invalid("disk_budget_gb", "the disk budget is between 1 and 100,000 GB");
        }
        for (field, proxy) in [("code_proxy", &self.code_proxy), ("registry_proxy", &self.registry_proxy)] {
            if let Some(proxy) = proxy {
                proxy.check().map_err(|failure| failure.at(format!("{field}.url")))?;
            }
        }
        for host in self.mirrors.iter().flat_map(|one| std::iter::once(&one.upstream).chain(&one.mirrors)) {
            RegistryHost::new(host.as_str()).map_err(|failure| failure.at("mirrors"))?;
        }
        Ok(())
    }

    /// Returns the mirrors of an upstream host, in the order in which they are asked.
    pub(crate) fn mirrors_of(&self, host: &RegistryHost) -> RegistryMirrors {
        let of_host = self.mirrors.iter().filter(|one| one.upstream == host.as_str());
        RegistryMirrors {
            upstream: host.as_str().to_owned(),
            mirrors: of_host.flat_map(|one| one.mirrors.iter().cloned()).collect(),
        }
    }
}

impl crate::Parts {
    pub(crate) async fn settings(&self) -> Result<Settings, Failure> {
        Ok(self.store.setting(KEY).await?.unwrap_or_default())
    }
}
