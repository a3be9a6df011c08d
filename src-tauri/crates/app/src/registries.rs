//! Use cases on registries and their credentials.

use crate::fail_point::fail_point;
use crate::{AppEvent, Slipway, authority};
use serde::{Deserialize, Serialize};
use slipway_core::ids::{CredentialId, RegistryId, SecretId};
use slipway_core::image::{CredentialSource, RegistryKind, RepositoryName};
use slipway_core::ports::{Hop, HopReport};
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_store::{CredentialRecord, RegistryRecord, RegistrySpec};

/// A credential as it is typed: secrets in clear, once.
#[derive(Debug, Clone)]
pub enum CredentialInput {
    /// No login.
    Anonymous,
    /// User name and password or token.
    Password {
        /// The account.
        username: String,
        /// The password; `None` keeps the stored one.
        password: Option<Secret>,
    },
    /// A refresh token.
    IdentityToken {
        /// The token; `None` keeps the stored one.
        token: Option<Secret>,
    },
    /// What the Docker client's configuration says.
    DockerConfig,
    /// A Docker credential helper.
    Helper {
        /// The suffix of its name.
        name: String,
    },
    /// A command that prints the password.
    Command {
        /// The account name.
        username: String,
        /// Program and arguments.
        argv: Vec<String>,
    },
}

/// One hop of a test, as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HopResult {
    /// Which hop.
    pub hop: Hop,
    /// What was found when it went well.
    pub found: Option<String>,
    /// What went wrong.
    pub failure: Option<Failure>,
}

impl From<HopReport> for HopResult {
    fn from(report: HopReport) -> Self {
        match report.result {
            Ok(found) => Self { hop: report.hop, found: Some(found), failure: None },
            Err(failure) => Self { hop: report.hop, found: None, failure: Some(failure) },
        }
    }
}

impl Slipway {
    /// Returns all registries, *Local engine* first.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn registries(&self) -> Result<Vec<RegistryRecord>, Failure> {
        Ok(self.parts.store.registries().await?)
    }

    /// Adds an OCI registry.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] or [`ErrorCode::NameTaken`] at `name`; [`ErrorCode::InvalidField`] at `ca_pem`.
    pub async fn add_registry(&self, spec: &RegistrySpec) -> Result<RegistryId, Failure> {
        check_name(&spec.name)?;
        authority::typed(spec.ca_pem.as_deref())?;
        let id = self.parts.store.insert_registry(spec, self.parts.now()).await?;
        self.parts.announce(AppEvent::RegistryChanged { registry: id });
        Ok(id)
    }

    /// Changes an OCI registry. With another host its credentials' passwords would go elsewhere, so that is refused while
    /// it has any.
    ///
    /// # Errors
    /// As [`Slipway::add_registry`]; [`ErrorCode::InUse`] at `host`.
    pub async fn edit_registry(&self, id: RegistryId, spec: &RegistrySpec) -> Result<(), Failure> {
        check_name(&spec.name)?;
        authority::typed(spec.ca_pem.as_deref())?;
        let old = self.parts.store.registry(id).await?;
        let moves = old.host.as_ref() != Some(&spec.host) || (spec.plain_http && !old.plain_http);
        let holds_secret =
            self.parts.store.credentials(Some(id)).await?.iter().any(|one| secret_of(&one.source).is_some());
        if moves && holds_secret {
            return Err(bound_to_host());
        }
        self.parts.store.update_registry(id, spec).await?;
        self.parts.announce(AppEvent::RegistryChanged { registry: id });
        Ok(())
    }

    /// Removes an OCI registry with its credentials.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`] while it has image repositories.
    pub async fn delete_registry(&self, id: RegistryId) -> Result<(), Failure> {
        let credentials = self.parts.store.credentials(Some(id)).await?;
        self.parts.store.delete_registry(id).await?;
        for credential in credentials {
            self.parts.forget_secret(secret_of(&credential.source)).await;
        }
        self.parts.announce(AppEvent::RegistryChanged { registry: id });
        Ok(())
    }

    /// Returns the credentials of one registry, or of all. Secrets are ids only.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn credentials(&self, registry: Option<RegistryId>) -> Result<Vec<CredentialRecord>, Failure> {
        Ok(self.parts.store.credentials(registry).await?)
    }

    /// Adds a credential.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`], [`ErrorCode::NameTaken`], or what the keychain says.
    pub async fn add_credential(
        &self,
        registry: RegistryId,
        name: &str,
        input: &CredentialInput,
    ) -> Result<CredentialId, Failure> {
        check_name(name)?;
        let source = self.credential_source(name, input, None).await?;
        match self.parts.store.insert_credential(registry, name.trim(), &source).await {
            Ok(id) => {
                self.parts.announce(AppEvent::RegistryChanged { registry });
                self.parts.queue_wake.notify_one();
                Ok(id)
            }
            Err(error) => {
                self.parts.forget_secret(secret_of(&source)).await;
                Err(error.into())
            }
        }
    }

    /// Changes a credential; a replaced secret is removed.
    ///
    /// # Errors
    /// As [`Slipway::add_credential`].
    pub async fn edit_credential(&self, id: CredentialId, name: &str, input: &CredentialInput) -> Result<(), Failure> {
        check_name(name)?;
        let old = self.parts.store.credential(id).await?;
        let source = self.credential_source(name, input, Some(&old.source)).await?;
        let (old_secret, new_secret) = (secret_of(&old.source), secret_of(&source));
        let changed = self.parts.store.update_credential(id, name.trim(), &source).await;
        if old_secret != new_secret {
            fail_point("secret.replaced");
            self.parts.forget_secret(if changed.is_ok() { old_secret } else { new_secret }).await;
        }
        changed?;
        self.parts.announce(AppEvent::RegistryChanged { registry: old.registry });
        self.parts.queue_wake.notify_one();
        Ok(())
    }

    /// Removes a credential.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`] while an image repository uses it.
    pub async fn delete_credential(&self, id: CredentialId) -> Result<(), Failure> {
        let old = self.parts.store.credential(id).await?;
        self.parts.store.delete_credential(id).await?;
        self.parts.forget_secret(secret_of(&old.source)).await;
        self.parts.announce(AppEvent::RegistryChanged { registry: old.registry });
        Ok(())
    }

    /// Tests every hop to a registry up to the right to push to `name`, then whether the engine is there to push. The
    /// report is kept with the credential.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], or what the keychain says; a failing hop is in the report, not an error.
    pub async fn test_registry(
        &self,
        registry: RegistryId,
        credential: Option<CredentialId>,
        name: &RepositoryName,
    ) -> Result<Vec<HopResult>, Failure> {
        let record = self.parts.store.registry(registry).await?;
        let mut report: Vec<HopResult> = Vec::new();
        if record.kind == RegistryKind::Oci {
            match self.parts.registry_access(&record, credential).await {
                Ok(Some(access)) => {
                    report
                        .extend(self.parts.ports.registries.test(&access, name).await.into_iter().map(HopResult::from));
                }
                Ok(None) => {}
                Err(failure) => report.push(HopResult { hop: Hop::Login, found: None, failure: Some(failure) }),
            }
        }
        if report.iter().all(|hop| hop.failure.is_none()) {
            report.push(self.engine_hop(&record).await.into());
        }
        if let Some(id) = credential {
            self.parts.store.record_credential_test(id, &report, self.parts.now()).await?;
            self.parts.announce(AppEvent::RegistryChanged { registry });
        }
        Ok(report)
    }

    async fn engine_hop(&self, registry: &RegistryRecord) -> HopReport {
        let result = async {
            let info = self.parts.engine("local")?.info().await?;
            let host = registry.host.as_ref().map(|host| host.as_str()).unwrap_or_default();
            let loopback = host.starts_with("localhost") || host.starts_with("127.");
            let listed = info.insecure_registries.iter().any(|listed| listed == host);
            if registry.plain_http && !loopback && !listed {
                return Err(Failure::new(
                    ErrorCode::RegistryPlainHttp,
                    format!("the engine does not list {host} as an insecure registry and would refuse plain HTTP"),
                )
                .with("host", host));
            }
            Ok(format!("Docker {}", info.version))
        };
        HopReport { hop: Hop::Engine, result: result.await }
    }

    async fn credential_source(
        &self,
        name: &str,
        input: &CredentialInput,
        old: Option<&CredentialSource>,
    ) -> Result<CredentialSource, Failure> {
        let missing = |field: &str| Failure::new(ErrorCode::InvalidField, "this is needed").at(field);
        let secret = |given: &Option<Secret>| given.clone().filter(|secret| !secret.is_empty());
        Ok(match input {
            CredentialInput::Anonymous => CredentialSource::Anonymous,
            CredentialInput::DockerConfig => CredentialSource::DockerConfig,
            CredentialInput::Password { username, password } => {
                if username.is_empty() {
                    return Err(missing("username"));
                }
                let secret = match (secret(password), old) {
                    (Some(password), _) => self.parts.keep_secret(&format!("password of {name}"), &password).await?,
                    (None, Some(CredentialSource::Password { secret, .. })) => *secret,
                    (None, _) => return Err(missing("password")),
                };
                CredentialSource::Password { username: username.clone(), secret }
            }
            CredentialInput::IdentityToken { token } => {
                let secret = match (secret(token), old) {
                    (Some(token), _) => self.parts.keep_secret(&format!("token of {name}"), &token).await?,
                    (None, Some(CredentialSource::IdentityToken { secret })) => *secret,
                    (None, _) => return Err(missing("token")),
                };
                CredentialSource::IdentityToken { secret }
            }
            CredentialInput::Helper { name } => {
                let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if name.is_empty() || !name.chars().all(legal) {
                    return Err(Failure::new(
                        ErrorCode::InvalidField,
                        "a helper is named by the suffix of its program",
                    )
                    .at("name"));
                }
                CredentialSource::Helper { name: name.clone() }
            }
            CredentialInput::Command { username, argv } => {
                if argv.first().is_none_or(String::is_empty) {
                    return Err(missing("argv"));
                }
                CredentialSource::Command { username: username.clone(), argv: argv.clone() }
            }
        })
    }
}

/// Why a registry with credentials does not move.
pub(crate) fn bound_to_host() -> Failure {
    let why = "passwords are bound to the host that they were given for: remove the registry's credentials first";
    Failure::new(ErrorCode::InUse, why).at("host")
}

pub(crate) fn secret_of(source: &CredentialSource) -> Option<SecretId> {
    match source {
        CredentialSource::Password { secret, .. } | CredentialSource::IdentityToken { secret } => Some(*secret),
        CredentialSource::Anonymous
        | CredentialSource::DockerConfig
        | CredentialSource::Helper { .. }
        | CredentialSource::Command { .. } => None,
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(Failure::new(ErrorCode::InvalidField, "a name has 1 to 64 characters").at("name"));
    }
    Ok(())
}
