//! The plan's part about settings: they are changed as a whole, and a proxy or a mirror that comes with them is named.

use super::file::{FileProxy, FileSettings};
use super::plan::{Planner, differences, state_of};
use super::portable;
use crate::{Settings, StoredProxy};
use slipway_core::configuration::{ImportNeed, ImportObject, ImportState};
use slipway_core::ids::SecretId;

impl Planner<'_> {
    pub(super) fn settings(&mut self, file: &FileSettings) {
        let here = &self.local.settings;
        let settings = Settings {
            concurrency: file.concurrency,
            poll_seconds: file.poll_seconds,
            code_proxy: stored_proxy(file.code_proxy.as_ref(), here.code_proxy.as_ref()),
            registry_proxy: stored_proxy(file.registry_proxy.as_ref(), here.registry_proxy.as_ref()),
            mirrors: file.mirrors.clone(),
            muted_notices: file.muted_notices.clone(),
            close_to_tray: file.close_to_tray,
            ..here.clone()
        };
        let place = "settings".to_owned();
        let fields = differences(&portable::settings(here), &portable::settings(&settings));
        if let Err(failure) = settings.check() {
            self.refuse(ImportObject::Settings, "", None, place, failure);
            return;
        }
        let is_new = !self.local.settings_are_stored && self.local.is_empty();
        let detail = (is_new && !fields.is_empty()).then(|| fields.join(", "));
        let state = if is_new { ImportState::New } else { state_of(fields) };
        let needs = needs_of(here, &settings);
        if self.writes(&state)
            && let Ok(value) = serde_json::to_value(&settings)
        {
            self.plan.rows.setting = Some((crate::settings::KEY, value));
        }
        self.item(ImportObject::Settings, "", None, place, state, needs).detail = detail;
    }
}

/// A stored password goes along only while the proxy's address stays the same.
fn stored_proxy(file: Option<&FileProxy>, here: Option<&StoredProxy>) -> Option<StoredProxy> {
    let FileProxy { url, username, has_password } = file?.clone();
    let password = match here.filter(|here| here.url == url) {
        Some(here) => here.password,
        None => has_password.then_some(SecretId::NOT_ENTERED),
    };
    Some(StoredProxy { url, username, password })
}

/// What a person has to do about new settings: know where traffic goes, and enter what is not in the file.
fn needs_of(here: &Settings, settings: &Settings) -> Vec<ImportNeed> {
    let pairs = [(&here.code_proxy, &settings.code_proxy), (&here.registry_proxy, &settings.registry_proxy)];
    let url = |proxy: &Option<StoredProxy>| proxy.as_ref().map(|proxy| proxy.url.clone());
    let changed = pairs.iter().filter(|(here, new)| url(here) != url(new));
    let mut addresses: Vec<_> = changed.filter_map(|(_, new)| url(new)).collect();
    addresses.dedup();
    let lists: Vec<_> = settings.mirrors.iter().filter(|list| !here.mirrors.contains(list)).cloned().collect();
    let is_open =
        |proxy: &Option<StoredProxy>| proxy.as_ref().and_then(|proxy| proxy.password) == Some(SecretId::NOT_ENTERED);
    let mut needs = Vec::new();
    if !addresses.is_empty() {
        needs.push(ImportNeed::Proxies { addresses });
    }
    if !lists.is_empty() {
        needs.push(ImportNeed::Mirrors { lists });
    }
    if pairs.iter().any(|(_, new)| is_open(new)) {
        needs.push(ImportNeed::ProxyPassword);
    }
    needs
}
