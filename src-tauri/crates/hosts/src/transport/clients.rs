//! HTTP clients, one per way of reaching a host (own CA, proxy). They follow no redirect and read no proxy from the
//! environment by themselves.

use super::failures::{plain_text, root_cause};
use reqwest::{Certificate, Client, Proxy};
use sha2::{Digest as _, Sha256};
use slipway_core::host::HostAddress;
use slipway_core::{ErrorCode, Failure, Secret};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const MOST_CLIENTS: usize = 64;
/// A connection that is not there after this long will not come.
const CONNECT: Duration = Duration::from_secs(10);

/// Clients that keep their connections between calls.
#[derive(Debug, Default)]
pub(crate) struct Clients(Mutex<HashMap<[u8; 32], Client>>);

impl Clients {
    /// Returns the client for an address; the same settings give the same client.
    pub(crate) fn get(&self, address: &HostAddress) -> Result<Client, Failure> {
        let key = fingerprint(address);
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = build(address)?;
        if clients.len() >= MOST_CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }
}

/// The settings hold a proxy password: only a hash of them is kept as the key.
fn fingerprint(address: &HostAddress) -> [u8; 32] {
    let proxy = address.proxy.as_ref();
    let parts = [
        Some(if address.base.is_plain_http() { "http" } else { "https" }),
        address.ca_pem.as_deref(),
        proxy.map(|proxy| proxy.url.as_str()),
        proxy.and_then(|proxy| proxy.username.as_deref()),
        proxy.and_then(|proxy| proxy.password.as_ref()).map(Secret::expose),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        let text = part.unwrap_or_default();
        hash.update([u8::from(part.is_some())]);
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

fn build(address: &HostAddress) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        // The base was consented to when it is plain HTTP; no other address becomes so afterwards.
        .https_only(!address.base.is_plain_http())
        .connect_timeout(CONNECT)
        // Gitee and GitHub refuse requests without one.
        .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = &address.ca_pem {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes())
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| bad_field("ca_pem", "these are no PEM certificates"))?;
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(settings) = &address.proxy {
        let mut proxy = Proxy::all(&settings.url).map_err(|_| bad_field("proxy", "this is no proxy address"))?;
        if let Some(username) = &settings.username {
            proxy = proxy.basic_auth(username, settings.password.as_ref().map_or("", Secret::expose));
        }
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| {
        Failure::new(ErrorCode::SourceTls, plain_text(&root_cause(&error)))
            .with("host", address.base.host())
            .at("ca_pem")
    })
}

fn bad_field(field: &str, why: &str) -> Failure {
    Failure::new(ErrorCode::InvalidField, why).at(field)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use slipway_core::host::{HostBase, HostProvider};
    use slipway_core::network;

    fn address(base: &str) -> HostAddress {
        HostAddress {
            provider: HostProvider::Gitea,
            base: HostBase::new(base, true).unwrap(),
            ca_pem: None,
            proxy: None,
        }
    }

    #[test]
    fn clients_differ_by_how_they_reach_a_host() {
        let proxy = |password: &str| network::Proxy {
            url: "http://proxy:3128".to_owned(),
            username: Some("u".to_owned()),
            password: Some(Secret::new(password)),
        };
        let plain = address("https://a.example");
        let first = HostAddress { proxy: Some(proxy("p")), ..plain.clone() };
        let second = HostAddress { proxy: Some(proxy("q")), ..plain.clone() };
        assert_eq!(fingerprint(&plain), fingerprint(&address("https://b.example/x")));
        assert_ne!(fingerprint(&plain), fingerprint(&address("http://a.example")));
        assert_ne!(fingerprint(&plain), fingerprint(&first));
        assert_ne!(fingerprint(&first), fingerprint(&second));
    }

    #[test]
    fn bad_settings_name_their_field() {
        let ca = HostAddress { ca_pem: Some("nonsense".to_owned()), ..address("https://a.example") };
        assert_eq!(build(&ca).unwrap_err().field.as_deref(), Some("ca_pem"));
        let proxy = network::Proxy { url: "::".to_owned(), username: None, password: None };
        let proxied = HostAddress { proxy: Some(proxy), ..address("https://a.example") };
        assert_eq!(build(&proxied).unwrap_err().field.as_deref(), Some("proxy"));
    }
}
