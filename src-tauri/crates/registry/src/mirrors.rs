//! Reading through ordered mirrors: each mirror is asked in turn, the upstream last. A mirror's failure of any kind, or its
//! "not there", is only a reason to ask the next; what the upstream says counts.

use bytes::Bytes;
use slipway_core::Failure;
use slipway_core::image::{RegistryAccess, RegistryHost, RegistryLogin, RepositoryName};
use slipway_core::network::RegistryMirrors;
use slipway_core::ports::{ManifestHead, Registries};

/// Returns the accesses to read through, in order, the upstream last. A mirror is asked without login (the upstream's login is
/// for the upstream) and over https, except on the loopback.
///
/// # Errors
/// [`slipway_core::ErrorCode::BadImageReference`] when a mirror is no host.
pub fn accesses_in_order(mirrors: &RegistryMirrors, upstream: &RegistryAccess) -> Result<Vec<RegistryAccess>, Failure> {
    let mut accesses = Vec::new();
    if mirrors.upstream == upstream.host.as_str() {
        for host in &mirrors.mirrors {
            accesses.push(RegistryAccess {
                host: RegistryHost::new(host.as_str())?,
                plain_http: is_loopback(host),
                ca_pem: upstream.ca_pem.clone(),
                proxy: upstream.proxy.clone(),
                login: RegistryLogin::Anonymous,
            });
        }
    }
    accesses.push(upstream.clone());
    Ok(accesses)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// [`Registries::head`] through accesses in order.
///
/// # Errors
/// What the last access answers.
pub async fn head(
    registries: &dyn Registries,
    accesses: &[RegistryAccess],
    name: &RepositoryName,
    reference: &str,
) -> Result<Option<ManifestHead>, Failure> {
    let mut answer = Ok(None);
    for access in accesses {
        answer = registries.head(access, name, reference).await;
        if matches!(answer, Ok(Some(_))) {
            return answer;
        }
        note(access, answer.as_ref().err());
    }
    answer
}

/// [`Registries::manifest`] through accesses in order.
///
/// # Errors
/// What the last access answers.
pub async fn manifest(
    registries: &dyn Registries,
    accesses: &[RegistryAccess],
    name: &RepositoryName,
    reference: &str,
) -> Result<Option<(ManifestHead, Bytes)>, Failure> {
    let mut answer = Ok(None);
    for access in accesses {
        answer = registries.manifest(access, name, reference).await;
        if matches!(answer, Ok(Some(_))) {
            return answer;
        }
        note(access, answer.as_ref().err());
    }
    answer
}

fn note(access: &RegistryAccess, failure: Option<&Failure>) {
    tracing::debug!(host = access.host.as_str(), code = failure.map(|failure| failure.code.as_str()), "not found here");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use slipway_core::{ErrorCode, Secret};

    #[test]
    fn t02_mirrors_come_first_and_never_get_the_upstreams_login() {
        let upstream = RegistryAccess {
            host: RegistryHost::new("docker.io").unwrap(),
            plain_http: false,
            ca_pem: None,
            proxy: None,
            login: RegistryLogin::Basic { username: "u".to_owned(), password: Secret::new("p") },
        };
        let mirrors = RegistryMirrors {
            upstream: "docker.io".to_owned(),
            mirrors: vec!["mirror.example".to_owned(), "127.0.0.1:5000".to_owned(), "[::1]:5000".to_owned()],
        };
        let accesses = accesses_in_order(&mirrors, &upstream).unwrap();
        let seen: Vec<_> = accesses
            .iter()
            .map(|access| (access.host.as_str(), access.plain_http, matches!(access.login, RegistryLogin::Anonymous)))
            .collect();
        assert_eq!(
            seen,
            [
                ("mirror.example", false, true),
                ("127.0.0.1:5000", true, true),
                ("[::1]:5000", true, true),
                ("docker.io", false, false)
            ]
        );
        let elsewhere = RegistryMirrors { upstream: "ghcr.io".to_owned(), ..mirrors.clone() };
        assert_eq!(accesses_in_order(&elsewhere, &upstream).unwrap().len(), 1);
        let bad = RegistryMirrors { mirrors: vec!["https://mirror.example".to_owned()], ..mirrors };
        assert_eq!(accesses_in_order(&bad, &upstream).unwrap_err().code, ErrorCode::BadImageReference);
    }
}
