//! HTTP clients, one per way of reaching a host (scheme, own CA, proxy). Clients follow no redirect and read no proxy from
//! the environment by themselves.

use crate::errors::plain_text;
use reqwest::{Certificate, Client, Proxy, Url};
use sha2::{Digest as _, Sha256};
use slipway_core::image::RegistryAccess;
use slipway_core::{ErrorCode, Failure};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const MOST_CLIENTS: usize = 64;

/// Clients that keep their connections between calls.
#[derive(Debug, Default)]
pub(crate) struct Clients(Mutex<HashMap<[u8; 32], Client>>);

impl Clients {
    /// Returns the client for an access; the same settings give the same client.
    pub(crate) fn get(&self, access: &RegistryAccess, connect: Duration) -> Result<Client, Failure> {
        let key = fingerprint(access);
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = build(access, connect)?;
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }
}

/// The settings contain a proxy password: only a hash of them is kept as the key.
fn fingerprint(access: &RegistryAccess) -> [u8; 32] {
    let mut hash = Sha256::new();
    let proxy = access.proxy.as_ref();
    let parts = [
        Some(if access.plain_http { "http" } else { "https" }),
        access.ca_pem.as_deref(),
        proxy.map(|proxy| proxy.url.as_str()),
        proxy.and_then(|proxy| proxy.username.as_deref()),
        proxy.and_then(|proxy| proxy.password.as_ref()).map(slipway_core::Secret::expose),
    ];
    for part in parts {
        let text = part.unwrap_or_default();
        hash.update([u8::from(part.is_some())]);
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

fn build(access: &RegistryAccess, connect: Duration) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .https_only(!access.plain_http)
        .connect_timeout(connect)
        .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = &access.ca_pem {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| bad_field("ca_pem", "these are no PEM certificates"))?;
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(settings) = &access.proxy {
        let mut proxy = Proxy::all(&settings.url).map_err(|_| bad_field("proxy", "this is no proxy address"))?;
        if let Some(username) = &settings.username {
            let password = settings.password.as_ref().map_or("", slipway_core::Secret::expose);
            proxy = proxy.basic_auth(username, password);
        }
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| {
        let mut text = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            text = format!("{text}: {cause}");
        }
        Failure::new(ErrorCode::RegistryTls, plain_text(&text)).with("host", access.host.as_str())
    })
}

fn bad_field(field: &str, why: &str) -> Failure {
    Failure::new(ErrorCode::InvalidField, why).at(field)
}

/// Returns `https://host/v2/`. Docker Hub's API has a host of its own (`reference/registries.md` section 4.0).
pub(crate) fn base_url(access: &RegistryAccess) -> Result<Url, Failure> {
    let scheme = if access.plain_http { "http" } else { "https" };
    let host = match access.host.as_str() {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        other => other,
    };
    Url::parse(&format!("{scheme}://{host}/v2/")).map_err(|error| {
        Failure::new(ErrorCode::BadImageReference, format!("{host:?} is no registry host: {error}")).with("value", host)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use slipway_core::Secret;
    use slipway_core::image::{RegistryHost, RegistryLogin};
    use slipway_core::network;

    fn access(host: &str) -> RegistryAccess {
        RegistryAccess {
            host: RegistryHost::new(host).unwrap(),
            plain_http: false,
            ca_pem: None,
            proxy: None,
            login: RegistryLogin::Anonymous,
        }
    }

    #[test]
    fn hosts_become_addresses() {
        for (host, plain_http, expected) in [
            ("docker.io", false, "https://registry-1.docker.io/v2/"),
            ("ghcr.io", false, "https://ghcr.io/v2/"),
            ("localhost:5000", true, "http://localhost:5000/v2/"),
            ("[::1]:5000", true, "http://[::1]:5000/v2/"),
        ] {
            let access = RegistryAccess { plain_http, ..access(host) };
            assert_eq!(base_url(&access).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn clients_differ_by_how_they_reach_a_host() {
        let plain = access("a.example");
        let proxy = |password: &str| network::Proxy {
            url: "http://proxy:3128".to_owned(),
            username: Some("u".to_owned()),
            password: Some(Secret::new(password)),
        };
        let first = RegistryAccess { proxy: Some(proxy("p")), ..plain.clone() };
        let second = RegistryAccess { proxy: Some(proxy("q")), ..plain.clone() };
        assert_eq!(fingerprint(&plain), fingerprint(&access("b.example")));
        assert_ne!(fingerprint(&plain), fingerprint(&first));
        assert_ne!(fingerprint(&first), fingerprint(&second));
    }

    #[test]
    fn bad_settings_name_their_field() {
        let ca = RegistryAccess { ca_pem: Some("nonsense".to_owned()), ..access("a.example") };
        assert_eq!(build(&ca, Duration::from_secs(1)).unwrap_err().field.as_deref(), Some("ca_pem"));
        let proxy = network::Proxy { url: "::".to_owned(), username: None, password: None };
        let proxied = RegistryAccess { proxy: Some(proxy), ..access("a.example") };
        assert_eq!(build(&proxied, Duration::from_secs(1)).unwrap_err().field.as_deref(), Some("proxy"));
    }
}
