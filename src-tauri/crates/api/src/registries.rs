//! Commands on registries and their credentials.

use crate::system::{Nothing, SecretText};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::registries::{CredentialInput, HopResult};
use slipway_core::Failure;
use slipway_core::ids::{CredentialId, RegistryId};
use slipway_core::image::{CredentialSource, RegistryHost, RegistryKind, RepositoryName};
use slipway_store::{CredentialRecord, RegistryRecord, RegistrySpec};
use ts_rs::TS;

/// A registry with its credentials.
#[derive(Debug, Serialize, TS)]
pub struct RegistryView {
    /// Its id.
    pub id: RegistryId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RegistryKind,
    /// Its host; none for *Local engine*.
    pub host: Option<RegistryHost>,
    /// Plain HTTP is spoken.
    pub plain_http: bool,
    /// Certificates of an own authority, PEM.
    pub ca_pem: Option<String>,
    /// Its credentials by name.
    pub credentials: Vec<CredentialView>,
}

/// A credential, without its secret.
#[derive(Debug, Serialize, TS)]
pub struct CredentialView {
    /// Its id.
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// How it gets its secret.
    pub source: CredentialSourceView,
    /// When it was tested last.
    pub last_test_at: Option<DateTime<Utc>>,
    /// How that went, hop by hop.
    pub last_test: Vec<HopView>,
}

/// How a credential gets its secret; never the secret.
#[derive(Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CredentialSourceView {
    /// No login.
    Anonymous,
    /// User name and a stored password.
    Password {
        /// The account.
        username: String,
    },
    /// A stored refresh token.
    IdentityToken,
    /// What the Docker client's configuration says.
    DockerConfig,
    /// A Docker credential helper.
    Helper {
        /// The suffix of its name.
        name: String,
    },
    /// A command.
    Command {
        /// The account.
        username: String,
        /// Program and arguments.
        argv: Vec<String>,
    },
}

/// One hop of a test.
#[derive(Debug, Serialize, TS)]
pub struct HopView {
    /// Which.
    pub hop: slipway_core::ports::Hop,
    /// What was found when it went well.
    pub found: Option<String>,
    /// What went wrong.
    pub failure: Option<Failure>,
}

/// A registry as it is typed.
#[derive(Debug, Deserialize, TS)]
pub struct RegistryForm {
    /// Its name.
    pub name: String,
    /// Host with optional port.
    pub host: RegistryHost,
    /// Speak plain HTTP.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub plain_http: bool,
    /// Certificates of an own authority, PEM.
    #[serde(default)]
    #[ts(optional)]
    pub ca_pem: Option<String>,
}

/// A credential as it is typed.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CredentialForm {
    /// No login.
    Anonymous,
    /// User name and password or token.
    Password {
        /// The account.
        username: String,
        /// The password; left out it keeps the stored one.
        #[serde(default)]
        #[ts(optional)]
        password: Option<SecretText>,
    },
    /// A refresh token.
    IdentityToken {
        /// The token; left out it keeps the stored one.
        #[serde(default)]
        #[ts(optional)]
        token: Option<SecretText>,
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
        /// The account.
        username: String,
        /// Program and arguments.
        argv: Vec<String>,
    },
}

/// Adds a registry.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AddRegistry")]
pub struct AddRequest {
    /// What was typed.
    pub form: RegistryForm,
}

/// The new registry.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "AddedRegistry")]
pub struct Added {
    /// Its id.
    pub id: RegistryId,
}

/// Changes a registry.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "EditRegistry")]
pub struct EditRequest {
    /// Which.
    pub id: RegistryId,
    /// What was typed.
    pub form: RegistryForm,
}

/// Names a registry.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichRegistry")]
pub struct Which {
    /// Which.
    pub id: RegistryId,
}

/// Adds a credential.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AddCredential")]
pub struct AddCredentialRequest {
    /// To which registry.
    pub registry: RegistryId,
    /// Its name, unique in the registry.
    pub name: String,
    /// What was typed.
    pub form: CredentialForm,
}

/// The new credential.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "AddedCredential")]
pub struct AddedCredential {
    /// Its id.
    pub id: CredentialId,
}

/// Changes a credential.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "EditCredential")]
pub struct EditCredentialRequest {
    /// Which.
    pub id: CredentialId,
    /// Its name.
    pub name: String,
    /// What was typed.
    pub form: CredentialForm,
}

/// Names a credential.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichCredential")]
pub struct WhichCredential {
    /// Which.
    pub id: CredentialId,
}

/// Tests the rights of a credential.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "TestRegistry")]
pub struct TestRequest {
    /// Which registry.
    pub registry: RegistryId,
    /// With which credential; without login when left out.
    #[serde(default)]
    #[ts(optional)]
    pub credential: Option<CredentialId>,
    /// On which repository.
    pub repository: RepositoryName,
}

impl From<RegistryForm> for RegistrySpec {
    fn from(form: RegistryForm) -> Self {
        Self {
            name: form.name,
            host: form.host,
            plain_http: form.plain_http,
            ca_pem: form.ca_pem.filter(|pem| !pem.trim().is_empty()),
        }
    }
}

impl From<CredentialForm> for CredentialInput {
    fn from(form: CredentialForm) -> Self {
        match form {
            CredentialForm::Anonymous => Self::Anonymous,
            CredentialForm::Password { username, password } => {
                Self::Password { username, password: password.map(Into::into) }
            }
            CredentialForm::IdentityToken { token } => Self::IdentityToken { token: token.map(Into::into) },
            CredentialForm::DockerConfig => Self::DockerConfig,
            CredentialForm::Helper { name } => Self::Helper { name },
            CredentialForm::Command { username, argv } => Self::Command { username, argv },
        }
    }
}

impl From<HopResult> for HopView {
    fn from(result: HopResult) -> Self {
        Self { hop: result.hop, found: result.found, failure: result.failure }
    }
}

impl From<CredentialSource> for CredentialSourceView {
    fn from(source: CredentialSource) -> Self {
        match source {
            CredentialSource::Anonymous => Self::Anonymous,
            CredentialSource::Password { username, .. } => Self::Password { username },
            CredentialSource::IdentityToken { .. } => Self::IdentityToken,
            CredentialSource::DockerConfig => Self::DockerConfig,
            CredentialSource::Helper { name } => Self::Helper { name },
            CredentialSource::Command { username, argv } => Self::Command { username, argv },
        }
    }
}

fn credential_view(record: CredentialRecord) -> CredentialView {
    // A report of an older shape is only history: the next test replaces it.
    let last_test = record.last_test_as::<Vec<HopResult>>().ok().flatten().unwrap_or_default();
    CredentialView {
        id: record.id,
        name: record.name,
        source: record.source.into(),
        last_test_at: record.last_test_at,
        last_test: last_test.into_iter().map(Into::into).collect(),
    }
}

fn registry_view(record: RegistryRecord, credentials: Vec<CredentialView>) -> RegistryView {
    RegistryView {
        id: record.id,
        name: record.name,
        kind: record.kind,
        host: record.host,
        plain_http: record.plain_http,
        ca_pem: record.ca_pem,
        credentials,
    }
}

pub(crate) async fn list(app: &Slipway, _: Nothing) -> Result<Vec<RegistryView>, Failure> {
    let mut credentials = app.credentials(None).await?;
    let mut views = Vec::new();
    for registry in app.registries().await? {
        let (own, others): (Vec<_>, Vec<_>) =
            credentials.into_iter().partition(|credential| credential.registry == registry.id);
        credentials = others;
        views.push(registry_view(registry, own.into_iter().map(credential_view).collect()));
    }
    Ok(views)
}

pub(crate) async fn add(app: &Slipway, request: AddRequest) -> Result<Added, Failure> {
    Ok(Added { id: app.add_registry(&request.form.into()).await? })
}

pub(crate) async fn edit(app: &Slipway, request: EditRequest) -> Result<Nothing, Failure> {
    app.edit_registry(request.id, &request.form.into()).await?;
    Ok(Nothing {})
}

pub(crate) async fn delete(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.delete_registry(request.id).await?;
    Ok(Nothing {})
}

pub(crate) async fn add_credential(app: &Slipway, request: AddCredentialRequest) -> Result<AddedCredential, Failure> {
    Ok(AddedCredential { id: app.add_credential(request.registry, &request.name, &request.form.into()).await? })
}

pub(crate) async fn edit_credential(app: &Slipway, request: EditCredentialRequest) -> Result<Nothing, Failure> {
    app.edit_credential(request.id, &request.name, &request.form.into()).await?;
    Ok(Nothing {})
}

pub(crate) async fn delete_credential(app: &Slipway, request: WhichCredential) -> Result<Nothing, Failure> {
    app.delete_credential(request.id).await?;
    Ok(Nothing {})
}

pub(crate) async fn test(app: &Slipway, request: TestRequest) -> Result<Vec<HopView>, Failure> {
    let hops = app.test_registry(request.registry, request.credential, &request.repository).await?;
    Ok(hops.into_iter().map(Into::into).collect())
}
