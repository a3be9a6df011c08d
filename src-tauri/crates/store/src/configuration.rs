//! An imported configuration: rows of several tables that name each other, written at once or not at all.

use crate::{
    AccountPlace, RegistrySpec, Store, StoreError, code_repositories, image_repositories, registries, rules, settings,
    triggers,
};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::code::CodeLocation;
use slipway_core::ids::{CodeRepositoryId, CredentialId, ImageRepositoryId, RegistryId, RuleId, TriggerId};
use slipway_core::image::{CredentialSource, ImageRepositorySpec};
use slipway_core::rule::RuleSpec;
use slipway_core::trigger::TriggerSpec;

/// How a row of an import names another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowRef<Id> {
    /// A row that is in the store.
    Known(Id),
    /// The row at this place of the import's own list.
    Imported(usize),
}

impl<Id: Copy> RowRef<Id> {
    fn among(self, imported: &[Id]) -> Result<Id, StoreError> {
        match self {
            Self::Known(id) => Ok(id),
            Self::Imported(place) => imported
                .get(place)
                .copied()
                .ok_or_else(|| StoreError::WrongState("an imported row names one that is not there".to_owned())),
        }
    }
}

/// Everything that an import writes. A row with an id changes that row; one without is added. What a specification says about
/// other rows (registry, credential, code) is replaced by what the reference beside it names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ImportedConfiguration {
    /// Key and value of a setting.
    pub setting: Option<(&'static str, serde_json::Value)>,
    /// Code repositories.
    pub sources: Vec<ImportedSource>,
    /// OCI registries.
    pub registries: Vec<(Option<RegistryId>, RegistrySpec)>,
    /// Credentials, all of them new.
    pub credentials: Vec<ImportedCredential>,
    /// Image repositories.
    pub repositories: Vec<ImportedRepository>,
    /// Build rules.
    pub rules: Vec<ImportedRule>,
    /// Image triggers.
    pub triggers: Vec<ImportedTrigger>,
}

/// A code repository of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedSource {
    /// Which it changes.
    pub id: Option<CodeRepositoryId>,
    /// Its name.
    pub name: String,
    /// Where it lives.
    pub location: CodeLocation,
    /// The account that opens it.
    pub account: Option<AccountPlace>,
    /// Seconds between looks.
    pub poll_interval_seconds: Option<u32>,
}

/// A credential of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedCredential {
    /// Its registry.
    pub registry: RowRef<RegistryId>,
    /// Its name.
    pub name: String,
    /// How it gets its secret.
    pub source: CredentialSource,
}

/// An image repository of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedRepository {
    /// Which it changes.
    pub id: Option<ImageRepositoryId>,
    /// Its registry.
    pub registry: RowRef<RegistryId>,
    /// Its credential.
    pub credential: Option<RowRef<CredentialId>>,
    /// What else is said about it.
    pub spec: ImageRepositorySpec,
    /// Why nothing can be pushed there; of one that is there already it stays as it is, unless this is set.
    pub read_only_reason: Option<Failure>,
}

/// A build rule of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedRule {
    /// Which it changes.
    pub id: Option<RuleId>,
    /// Its image repository.
    pub repository: RowRef<ImageRepositoryId>,
    /// Its code.
    pub code: RowRef<CodeRepositoryId>,
    /// What else is said about it.
    pub spec: RuleSpec,
}

/// An image trigger of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedTrigger {
    /// Which it changes.
    pub id: Option<TriggerId>,
    /// Whose tags fire it.
    pub repository: RowRef<ImageRepositoryId>,
    /// What is said about it.
    pub spec: TriggerSpec,
}

/// The rows of an import, each list in the order in which it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedRows {
    /// Code repositories.
    pub sources: Vec<CodeRepositoryId>,
    /// Registries.
    pub registries: Vec<RegistryId>,
    /// Image repositories.
    pub repositories: Vec<ImageRepositoryId>,
    /// Rules with their image repositories.
    pub rules: Vec<(RuleId, ImageRepositoryId)>,
    /// Triggers with their image repositories.
    pub triggers: Vec<(TriggerId, ImageRepositoryId)>,
}

impl Store {
    /// Writes an imported configuration. As with a single rule or trigger, what is there now counts as handled and seen.
    ///
    /// # Errors
    /// Those of the single writes; then nothing of the import is in the store.
    pub async fn import_configuration(
        &self,
        import: &ImportedConfiguration,
        now: DateTime<Utc>,
    ) -> Result<ImportedRows, StoreError> {
        let mut tx = self.write().await?;
        let mut rows = ImportedRows::default();
        if let Some((key, value)) = &import.setting {
            settings::set(&mut tx, key, value).await?;
        }
        for source in &import.sources {
            let ImportedSource { id, name, location, account, poll_interval_seconds: poll } = source;
            rows.sources.push(match id {
                Some(id) => {
                    code_repositories::update(&mut tx, *id, name, location, account.as_ref(), *poll).await?;
                    *id
                }
                None => code_repositories::insert(&mut tx, name, location, account.as_ref(), *poll, now).await?,
            });
        }
        for (id, spec) in &import.registries {
            rows.registries.push(match id {
                Some(id) => {
                    registries::update(&mut tx, *id, spec).await?;
                    *id
                }
                None => registries::insert(&mut tx, spec, now).await?,
            });
        }
        let mut credentials = Vec::new();
        for ImportedCredential { registry, name, source } in &import.credentials {
            let registry = registry.among(&rows.registries)?;
            credentials.push(registries::insert_credential(&mut tx, registry, name, source).await?);
        }
        for ImportedRepository { id, registry, credential, spec, read_only_reason: reason } in &import.repositories {
            let spec = ImageRepositorySpec {
                registry: registry.among(&rows.registries)?,
                credential: credential.map(|credential| credential.among(&credentials)).transpose()?,
                ..spec.clone()
            };
            rows.repositories.push(match id {
                Some(id) => {
                    image_repositories::update(&mut tx, *id, &spec).await?;
                    if reason.is_some() {
                        image_repositories::set_read_only(&mut tx, *id, reason.as_ref()).await?;
                    }
                    *id
                }
                None => image_repositories::insert(&mut tx, &spec, reason.as_ref(), now).await?,
            });
        }
        for ImportedRule { id, repository, code, spec } in &import.rules {
            let repository = repository.among(&rows.repositories)?;
            let spec = RuleSpec { code: code.among(&rows.sources)?, ..spec.clone() };
            let id = match id {
                Some(id) => {
                    rules::update(&mut tx, *id, &spec, now).await?;
                    *id
                }
                None => rules::insert(&mut tx, repository, &spec, now).await?,
            };
            rows.rules.push((id, repository));
        }
        for ImportedTrigger { id, repository, spec } in &import.triggers {
            let repository = repository.among(&rows.repositories)?;
            let id = match id {
                Some(id) => {
                    triggers::update(&mut tx, *id, spec, now).await?;
                    *id
                }
                None => triggers::insert(&mut tx, repository, spec, now).await?,
            };
            rows.triggers.push((id, repository));
        }
        tx.commit().await?;
        Ok(rows)
    }
}
