//! Opens what is stored into what the ports need: passwords, logins, proxies. Opened secrets live as long as one call.

use crate::Parts;
use crate::fail_point::fail_point;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use slipway_core::code::{CodeAccess, CodeLocation};
use slipway_core::ids::{CodeRepositoryId, CredentialId, SecretId};
use slipway_core::image::{CredentialSource, RegistryAccess, RegistryHost, RegistryKind, RegistryLogin};
use slipway_core::network::Proxy;
use slipway_core::ports::LoginSource;
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::{AccountPlace, ImageRepositoryRecord, RegistryRecord};
use std::sync::Arc;

/// A proxy as it is stored: the password is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredProxy {
    /// `http://host:port` or `https://host:port`.
    pub url: String,
    /// User name, when the proxy asks for one.
    #[serde(default)]
    pub username: Option<String>,
    /// The sealed password.
    #[serde(default)]
    pub password: Option<SecretId>,
}

impl StoredProxy {
    /// Checks the address.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let url = url::Url::parse(&self.url)
            .map_err(|error| Failure::new(ErrorCode::InvalidField, format!("the proxy's address: {error}")))?;
        let plain = url.username().is_empty() && url.password().is_none();
        if matches!(url.scheme(), "http" | "https") && url.host().is_some() && plain {
            return Ok(());
        }
        Err(Failure::new(ErrorCode::InvalidField, "a proxy is http://host:port or https://host:port, without a login"))
    }
}

/// Why a secret of an imported configuration cannot be opened.
pub(crate) fn not_entered() -> Failure {
    let why = "a password or token that the imported configuration came without has not been entered yet";
    Failure::new(ErrorCode::SecretNotEntered, why)
}

/// Logins that are not stored by Slipway: the Docker client's configuration, its helpers, commands.
#[async_trait]
pub trait OutsideLogins: Send + Sync + 'static {
    /// Finds the login for a host, within the helpers' deadline.
    async fn login(&self, source: &CredentialSource, host: &RegistryHost) -> Result<RegistryLogin, Failure>;
}

impl Parts {
    /// Seals a secret and stores it.
    pub(crate) async fn keep_secret(&self, purpose: &str, secret: &Secret) -> Result<SecretId, Failure> {
        let sealed = self.ports.vault.seal(secret).await;
        self.secrets_health.note(&sealed);
        let sealed = sealed?;
        fail_point("secret.sealed");
        let id = self.store.insert_secret(purpose, &sealed, self.now()).await?;
        fail_point("secret.row");
        Ok(id)
    }

    pub(crate) async fn open_secret(&self, id: SecretId) -> Result<Secret, Failure> {
        if id == SecretId::NOT_ENTERED {
            return Err(not_entered());
        }
        let opened = self.ports.vault.open(&self.store.secret(id).await?).await;
        self.secrets_health.note(&opened);
        opened
    }

    /// Forgets a secret that nothing names any more. Left over it would only be dead bytes, so a failure is noted.
    pub(crate) async fn forget_secret(&self, id: Option<SecretId>) {
        if let Some(id) = id
            && let Err(error) = self.store.delete_secret(id).await
        {
            tracing::warn!(%error, "a replaced secret could not be removed");
        }
    }

    pub(crate) async fn proxy(&self, stored: Option<StoredProxy>) -> Result<Option<Proxy>, Failure> {
        let Some(stored) = stored else { return Ok(None) };
        let password = match stored.password {
            Some(id) => Some(self.open_secret(id).await?),
            None => None,
        };
        Ok(Some(Proxy { url: stored.url, username: stored.username, password }))
    }

    /// Returns what is needed to reach a code repository now.
    pub(crate) async fn code_access(&self, id: CodeRepositoryId) -> Result<CodeAccess, Failure> {
        let record = self.store.code_repository(id).await?;
        self.access_of_place(record.location, record.account.as_ref()).await
    }

    /// Opens a place, with its account's token where it has an account.
    pub(crate) async fn access_of_place(
        &self,
        location: CodeLocation,
        account: Option<&AccountPlace>,
    ) -> Result<CodeAccess, Failure> {
        match account {
            Some(place) => self.account_access(location, place).await,
            None => self.access_of_location(location).await,
        }
    }

    async fn access_of_location(&self, location: CodeLocation) -> Result<CodeAccess, Failure> {
        let (password, proxy) = match &location {
            CodeLocation::GitUrl { password, .. } => {
                let password = match password {
                    Some(id) => Some(self.open_secret(*id).await?),
                    None => None,
                };
                (password, self.proxy(self.settings().await?.code_proxy).await?)
            }
            CodeLocation::Ssh { .. } | CodeLocation::LocalClone { .. } => (None, None),
        };
        Ok(CodeAccess { location, password, proxy })
    }

    /// Opens a credential for a host.
    pub(crate) async fn login(
        &self,
        credential: Option<CredentialId>,
        host: &RegistryHost,
    ) -> Result<RegistryLogin, Failure> {
        match credential {
            Some(id) => self.login_of(&self.store.credential(id).await?.source, host).await,
            None => Ok(RegistryLogin::Anonymous),
        }
    }

    pub(crate) async fn login_of(
        &self,
        source: &CredentialSource,
        host: &RegistryHost,
    ) -> Result<RegistryLogin, Failure> {
        match source {
            CredentialSource::Anonymous => Ok(RegistryLogin::Anonymous),
            CredentialSource::Password { username, secret } => {
                Ok(RegistryLogin::Basic { username: username.clone(), password: self.open_secret(*secret).await? })
            }
            CredentialSource::IdentityToken { secret } => {
                Ok(RegistryLogin::IdentityToken { token: self.open_secret(*secret).await? })
            }
            CredentialSource::DockerConfig | CredentialSource::Helper { .. } | CredentialSource::Command { .. } => {
                self.ports.outside_logins.login(source, host).await
            }
        }
    }

    /// Returns what is needed to talk to a registry now; `None` for *Local engine*.
    pub(crate) async fn registry_access(
        &self,
        registry: &RegistryRecord,
        credential: Option<CredentialId>,
    ) -> Result<Option<RegistryAccess>, Failure> {
        let Some(host) = registry.host.clone() else { return Ok(None) };
        let login = self.login(credential, &host).await?;
        self.access_with_login(registry, login).await
    }

    pub(crate) async fn access_with_login(
        &self,
        registry: &RegistryRecord,
        login: RegistryLogin,
    ) -> Result<Option<RegistryAccess>, Failure> {
        let Some(host) = registry.host.clone() else { return Ok(None) };
        let proxy = self.proxy(self.settings().await?.registry_proxy).await?;
        Ok(Some(RegistryAccess {
            host,
            plain_http: registry.plain_http,
            ca_pem: registry.ca_pem.clone(),
            proxy,
            login,
        }))
    }

    /// Returns the registry of an image repository, and the access to it unless it is *Local engine*.
    pub(crate) async fn repository_access(
        &self,
        repository: &ImageRepositoryRecord,
    ) -> Result<(RegistryRecord, Option<RegistryAccess>), Failure> {
        let registry = self.store.registry(repository.spec.registry).await?;
        let access = self.registry_access(&registry, repository.spec.credential).await?;
        Ok((registry, access))
    }
}

/// Logins for base images: a credential of the registry with the image's host, else what the Docker client knows.
pub(crate) struct BaseImageLogins(pub(crate) Arc<Parts>);

#[async_trait]
impl LoginSource for BaseImageLogins {
    async fn login(&self, host: &str) -> RegistryLogin {
        match find_login(&self.0, host).await {
            Ok(login) => login,
            Err(failure) => {
                // Most base images are public; the engine's own answer is the better error when this one is not.
                tracing::debug!(%failure, host, "no login for a base image");
                RegistryLogin::Anonymous
            }
        }
    }
}

async fn find_login(parts: &Parts, host: &str) -> Result<RegistryLogin, Failure> {
    let registries = parts.store.registries().await?;
    let registry = registries.iter().find(|registry| {
        registry.kind == RegistryKind::Oci && registry.host.as_ref().is_some_and(|own| own.as_str() == host)
    });
    if let Some(registry) = registry
        && let Some(credential) = parts.store.credentials(Some(registry.id)).await?.into_iter().next()
    {
        return parts.login_of(&credential.source, &RegistryHost::new(host)?).await;
    }
    parts.ports.outside_logins.login(&CredentialSource::DockerConfig, &RegistryHost::new(host)?).await
}
