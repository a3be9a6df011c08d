//! Commands on code repositories.

use crate::system::{Nothing, SecretText};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::code_repositories::{CodeLocationInput, CodeRepositoryInput};
use slipway_core::Failure;
use slipway_core::code::{CodeLocation, RefName, RemoteRefs, RepoPath, TreeEntry};
use slipway_core::host::RepositoryPath;
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use std::path::PathBuf;
use ts_rs::TS;

/// A code repository with its health.
#[derive(Debug, Serialize, TS)]
pub struct CodeRepositoryView {
    /// Its id.
    pub id: CodeRepositoryId,
    /// Its name.
    pub name: String,
    /// Where it lives.
    pub location: LocationView,
    /// The account that opens it; none for code that needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<AccountPlaceView>,
    /// The branch that HEAD names.
    pub default_branch: Option<RefName>,
    /// Seconds between looks as set for this repository.
    pub poll_interval_seconds: Option<u32>,
    /// When a look last succeeded.
    pub last_ok_at: Option<DateTime<Utc>>,
    /// What the last look failed with.
    pub last_failure: Option<Failure>,
    /// Seconds since the last look.
    pub checked_seconds_ago: Option<i64>,
    /// Seconds until the next look.
    pub next_in_seconds: i64,
    /// It is looked at right now.
    pub checking: bool,
}

/// Where code lies at a code host, and the account that opens it.
#[derive(Debug, Serialize, TS)]
pub struct AccountPlaceView {
    /// The account; none after it was unbound.
    pub id: Option<SourceAccountId>,
    /// The repository's path at the host.
    pub path: RepositoryPath,
}

/// Where a code repository lives; whether a password is stored, never which.
#[derive(Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LocationView {
    /// A Git URL.
    GitUrl {
        /// The URL.
        url: String,
        /// User name.
        username: Option<String>,
        /// A password or token is stored.
        has_password: bool,
        /// Certificates of an own authority, PEM.
        ca_pem: Option<String>,
        /// Plain HTTP was agreed to.
        allow_plain_http: bool,
    },
    /// A repository over SSH.
    Ssh {
        /// `user@host:path` or `ssh://…`.
        url: String,
    },
    /// A clone on this machine.
    LocalClone {
        /// Its folder.
        path: PathBuf,
    },
}

/// A code repository as it is typed.
#[derive(Debug, Deserialize, TS)]
pub struct CodeRepositoryForm {
    /// Its name, unique.
    pub name: String,
    /// Where it lives.
    pub location: LocationForm,
    /// Seconds between looks; the application's setting when left out.
    #[serde(default)]
    #[ts(optional)]
    pub poll_interval_seconds: Option<u32>,
}

/// Where a code repository lives, as it is typed.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LocationForm {
    /// A Git URL.
    GitUrl {
        /// `https://…`, or `http://…` with the consent.
        url: String,
        /// User name, when the repository is private.
        #[serde(default)]
        #[ts(optional)]
        username: Option<String>,
        /// The password or token; goes in and never comes out.
        #[serde(default)]
        #[ts(optional)]
        password: Option<SecretText>,
        /// Certificates of an own authority, PEM.
        #[serde(default)]
        #[ts(optional)]
        ca_pem: Option<String>,
        /// The consent to plain HTTP.
        #[serde(default)]
        #[ts(optional, as = "Option<bool>")]
        allow_plain_http: bool,
    },
    /// A repository over SSH, opened by the user's own configuration, agent and keys.
    Ssh {
        /// `user@host:path` or `ssh://…`.
        url: String,
    },
    /// A clone on this machine.
    LocalClone {
        /// Its folder, absolute.
        path: PathBuf,
    },
    /// A repository that a source account sees.
    Account {
        /// The account whose token opens it.
        account: SourceAccountId,
        /// The repository's path at the host.
        path: RepositoryPath,
    },
}

/// Adds one.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "AddCodeRepository")]
pub struct AddRequest {
    /// What was typed.
    pub form: CodeRepositoryForm,
}

/// The new one.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "AddedCodeRepository")]
pub struct Added {
    /// Its id.
    pub id: CodeRepositoryId,
}

/// Changes one.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "EditCodeRepository")]
pub struct EditRequest {
    /// Which.
    pub id: CodeRepositoryId,
    /// What was typed.
    pub form: CodeRepositoryForm,
}

/// Tests a place.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "TestCodeRepository")]
pub struct TestRequest {
    /// What was typed.
    pub form: CodeRepositoryForm,
    /// The stored one whose password is lent.
    #[serde(default)]
    #[ts(optional)]
    pub existing: Option<CodeRepositoryId>,
}

/// Confirms the key of an SSH host.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "TrustHostKey")]
pub struct TrustRequest {
    /// An address at the host.
    pub url: String,
    /// The fingerprint that a person compared (`SHA256:…`), from the failure's details.
    pub fingerprint: String,
}

/// Names one.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichCodeRepository")]
pub struct Which {
    /// Which.
    pub id: CodeRepositoryId,
}

/// Asks for a folder.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListFolder")]
pub struct FolderRequest {
    /// Which code repository.
    pub id: CodeRepositoryId,
    /// At which ref; the default branch when left out.
    #[serde(default)]
    #[ts(optional)]
    pub ref_name: Option<RefName>,
    /// Which folder; the root when left out.
    #[serde(default)]
    #[ts(optional, as = "Option<RepoPath>")]
    pub folder: RepoPath,
}

impl From<CodeRepositoryForm> for CodeRepositoryInput {
    fn from(form: CodeRepositoryForm) -> Self {
        Self {
            name: form.name,
            location: match form.location {
                LocationForm::GitUrl { url, username, password, ca_pem, allow_plain_http } => {
                    CodeLocationInput::GitUrl {
                        url,
                        username,
                        password: password.map(Into::into),
                        ca_pem,
                        allow_plain_http,
                    }
                }
                LocationForm::Ssh { url } => CodeLocationInput::Ssh { url },
                LocationForm::LocalClone { path } => CodeLocationInput::LocalClone { path },
                LocationForm::Account { account, path } => CodeLocationInput::Account { account, path },
            },
            poll_interval_seconds: form.poll_interval_seconds,
        }
    }
}

impl From<CodeLocation> for LocationView {
    fn from(location: CodeLocation) -> Self {
        match location {
            CodeLocation::GitUrl { url, username, password, ca_pem, allow_plain_http } => {
                Self::GitUrl { url, username, has_password: password.is_some(), ca_pem, allow_plain_http }
            }
            CodeLocation::Ssh { url } => Self::Ssh { url },
            CodeLocation::LocalClone { path } => Self::LocalClone { path },
        }
    }
}

pub(crate) async fn list(app: &Slipway, _: Nothing) -> Result<Vec<CodeRepositoryView>, Failure> {
    let records = app.code_repositories().await?;
    Ok(records
        .into_iter()
        .map(|record| {
            let times = app.check_times(&record);
            CodeRepositoryView {
                id: record.id,
                name: record.name,
                location: record.location.into(),
                account: record.account.map(|place| AccountPlaceView { id: place.account, path: place.path }),
                default_branch: record.default_branch,
                poll_interval_seconds: record.poll_interval_seconds,
                last_ok_at: record.last_ok_at,
                last_failure: record.last_failure,
                checked_seconds_ago: times.checked_seconds_ago,
                next_in_seconds: times.next_in_seconds,
                checking: times.checking,
            }
        })
        .collect())
}

pub(crate) async fn add(app: &Slipway, request: AddRequest) -> Result<Added, Failure> {
    Ok(Added { id: app.add_code_repository(&request.form.into()).await? })
}

pub(crate) async fn edit(app: &Slipway, request: EditRequest) -> Result<Nothing, Failure> {
    app.edit_code_repository(request.id, &request.form.into()).await?;
    Ok(Nothing {})
}

pub(crate) async fn delete(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.delete_code_repository(request.id).await?;
    Ok(Nothing {})
}

pub(crate) async fn test(app: &Slipway, request: TestRequest) -> Result<RemoteRefs, Failure> {
    app.test_code_repository(&request.form.into(), request.existing).await
}

pub(crate) async fn trust_host_key(app: &Slipway, request: TrustRequest) -> Result<Nothing, Failure> {
    app.trust_host_key(&request.url, &request.fingerprint).await?;
    Ok(Nothing {})
}

pub(crate) async fn check(app: &Slipway, request: Which) -> Result<Nothing, Failure> {
    app.check_code_repository(request.id).await?;
    Ok(Nothing {})
}

pub(crate) async fn refs(app: &Slipway, request: Which) -> Result<RemoteRefs, Failure> {
    app.refs(request.id).await
}

pub(crate) async fn folder(app: &Slipway, request: FolderRequest) -> Result<Vec<TreeEntry>, Failure> {
    app.tree(request.id, request.ref_name, &request.folder).await
}
