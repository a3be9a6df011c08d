//! The secrets that a build's log must never show.

use crate::Parts;
use slipway_core::image::{CredentialSource, RegistryAccess, RegistryLogin};
use slipway_core::network::Proxy;
use slipway_core::{Failure, Secret};
use slipway_store::{BuildRecord, ImageRepositoryRecord};

/// Secrets with what a person calls them.
pub(super) type Named = Vec<(String, Secret)>;

/// Returns what can be opened now of the secrets that this build may come near to: what cannot be opened cannot be used
/// either, and whoever needs it fails with the reason.
pub(super) async fn of_build(
    parts: &Parts,
    record: &BuildRecord,
    repository: &ImageRepositoryRecord,
    build_secrets: &[(String, Secret)],
) -> Result<Named, Failure> {
    let mut named: Named =
        build_secrets.iter().map(|(id, secret)| (format!("the build secret {id}"), secret.clone())).collect();
    if let Some(code) = record.inputs.code {
        let access = parts.code_access(code).await?;
        named.extend(access.password.map(|password| ("the password of the code repository".to_owned(), password)));
        named.extend(of_proxy(access.proxy, "code hosts"));
    }
    // Any registry may be asked for a base image.
    for credential in parts.store.credentials(None).await? {
        let (CredentialSource::Password { secret, .. } | CredentialSource::IdentityToken { secret }) =
            credential.source
        else {
            continue;
        };
        match parts.open_secret(secret).await {
            Ok(secret) => named.push((format!("the registry credential {}", credential.name), secret)),
            Err(failure) => tracing::debug!(%failure, "a registry credential cannot be opened"),
        }
    }
    match parts.repository_access(repository).await {
        Ok((_, Some(access))) => {
            named.extend(of_login(&access));
            named.extend(of_proxy(access.proxy, "registries"));
        }
        Ok((_, None)) => {}
        Err(failure) => tracing::debug!(%failure, "the registry's login cannot be opened"),
    }
    // As it stands in the address: steps get it as an argument.
    let proxies = (parts.ports.build_proxies)(&record.engine);
    let passwords = proxies.iter().filter_map(|arg| url::Url::parse(&arg.value).ok()?.password().map(Secret::new));
    named.extend(passwords.map(|password| ("the password of the proxy for build steps".to_owned(), password)));
    Ok(named)
}

fn of_login(access: &RegistryAccess) -> Option<(String, Secret)> {
    let secret = match &access.login {
        RegistryLogin::Anonymous => return None,
        RegistryLogin::Basic { password, .. } => password,
        RegistryLogin::IdentityToken { token } => token,
    };
    Some((format!("the login for {}", access.host.as_str()), secret.clone()))
}

fn of_proxy(proxy: Option<Proxy>, towards: &str) -> Option<(String, Secret)> {
    Some((format!("the password of the proxy towards {towards}"), proxy?.password?))
}

/// Returns a warning for each secret that cannot be masked.
pub(super) fn warnings(named: &Named, unmaskable: &[usize]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (name, _) in unmaskable.iter().filter_map(|index| named.get(*index)) {
        let line = format!("warning: {name} is too short to be masked in this log");
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}
