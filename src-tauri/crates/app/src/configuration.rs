//! Export and import of the configuration: what a person set up, as one file without secrets. `file` says what stands in it,
//! `portable` turns rows into it, `plan` compares it with what is here. An import only adds and, when the person says so,
//! changes; everything is written in one transaction of the store, or nothing.

mod addresses;
mod file;
mod plan;
mod plan_code;
mod plan_settings;
mod plan_triggers;
mod portable;

use crate::uploads::on_worker;
use crate::{AppEvent, Settings, Slipway};
use file::ConfigurationFile;
use plan::{Plan, plan};
use slipway_core::Failure;
use slipway_core::configuration::{ImportChoice, ImportReport};
use slipway_core::ids::{CodeRepositoryId, ImageRepositoryId, RegistryId};
use slipway_core::image::RegistryKind;
use slipway_store::{
    CodeRepositoryRecord, CredentialRecord, ImageRepositoryFilter, ImageRepositoryRecord, ImportedConfiguration,
    ImportedRows, RegistryRecord, RowRef, RuleRecord, SourceAccountRecord, TriggerRecord,
};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// Code that new rules will watch is looked at first, for so long at most: what is there now is no news to them.
const LOOK_WITHIN: Duration = Duration::from_secs(15);

/// Everything that is here.
struct Local {
    settings: Settings,
    /// Somebody has set them: until then they are new to a product that is empty.
    settings_are_stored: bool,
    sources: Vec<CodeRepositoryRecord>,
    accounts: Vec<SourceAccountRecord>,
    registries: Vec<RegistryRecord>,
    credentials: Vec<CredentialRecord>,
    repositories: Vec<ImageRepositoryRecord>,
    rules: Vec<RuleRecord>,
    triggers: Vec<TriggerRecord>,
    /// Image repositories with builds that are not over.
    busy: HashSet<ImageRepositoryId>,
}

impl Local {
    /// Returns whether nobody has set anything up yet.
    fn is_empty(&self) -> bool {
        self.sources.is_empty()
            && self.repositories.is_empty()
            && self.registries.iter().all(|one| one.kind == RegistryKind::LocalEngine)
    }
}

impl Slipway {
    /// Returns the configuration as the text of a file. No secret is in it, and no consent.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn export_configuration(&self) -> Result<String, Failure> {
        file::write(&portable::file_of(&self.local_configuration().await?)?)
    }

    /// Returns what an import of a text would do; nothing is changed.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::BadConfiguration`] with the place. What cannot be imported is in the report, not an error.
    pub async fn check_import(&self, text: String, choice: ImportChoice) -> Result<ImportReport, Failure> {
        Ok(self.plan_import(&read(text).await?, choice).await?.report)
    }

    /// Imports a text: adds what is new and, when the person says so, changes what differs. Nothing is removed, nothing
    /// begins to deploy, no new rule begins to build into what is here already, and what the code holds now counts as
    /// built. Returns what was done.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::BadConfiguration`] with the place; what the store says. Then nothing was changed.
    pub async fn import_configuration(&self, text: String, choice: ImportChoice) -> Result<ImportReport, Failure> {
        let file = read(text).await?;
        let rows = self.plan_import(&file, choice).await?.rows;
        let watched = rows.rules.iter().filter_map(|rule| match rule.code {
            RowRef::Known(id) => Some(id),
            RowRef::Imported(_) => None,
        });
        let watched: BTreeSet<CodeRepositoryId> = watched.collect();
        let looks = futures::future::join_all(watched.into_iter().map(|id| self.look_first(id)));
        if tokio::time::timeout(LOOK_WITHIN, looks).await.is_err() {
            tracing::info!("some code could not be looked at before an import: what was seen last has to do");
        }
        // What is here may have changed meanwhile: secrets that are gone, names that are taken.
        let Plan { report, rows } = self.plan_import(&file, choice).await?;
        let written = self.parts.store.import_configuration(&rows, self.parts.now()).await?;
        let count = rows.sources.len() + rows.registries.len() + rows.repositories.len() + rows.rules.len();
        tracing::info!(count, triggers = rows.triggers.len(), "a configuration was imported");
        self.tell_imported(&written, rows.setting.is_some());
        let changed = rows.repositories.iter().filter_map(|row| row.id);
        for id in changed {
            self.ask_whether_writable(id).await;
        }
        Ok(report)
    }

    async fn plan_import(&self, file: &Arc<ConfigurationFile>, choice: ImportChoice) -> Result<Plan, Failure> {
        let local = self.local_configuration().await?;
        let file = Arc::clone(file);
        on_worker(move || Ok(plan(&file, &local, choice))).await
    }

    async fn local_configuration(&self) -> Result<Local, Failure> {
        let store = &self.parts.store;
        let stored: Option<Settings> = store.setting(crate::settings::KEY).await?;
        let repositories = store.image_repositories(&ImageRepositoryFilter::default()).await?.items;
        Ok(Local {
            settings_are_stored: stored.is_some(),
            settings: stored.unwrap_or_default(),
            sources: store.code_repositories().await?,
            accounts: store.source_accounts().await?,
            registries: store.registries().await?,
            credentials: store.credentials(None).await?,
            repositories: repositories.into_iter().map(|one| one.record).collect(),
            rules: store.rules().await?,
            triggers: store.triggers(None).await?,
            busy: store.non_final().await?.into_iter().map(|build| build.repository).collect(),
        })
    }

    fn tell_imported(&self, rows: &ImportedRows, settings: bool) {
        let parts = &self.parts;
        if settings {
            parts.announce(AppEvent::SettingsChanged);
            parts.watch_wake.notify_waiters();
        }
        if !rows.sources.is_empty() {
            parts.announce(AppEvent::CodeRepositoriesChanged);
            self.watch.repositories_changed();
        }
        for registry in &rows.registries {
            parts.announce(AppEvent::RegistryChanged { registry: *registry });
        }
        for repository in &rows.repositories {
            parts.announce(AppEvent::ImageRepositoryChanged { repository: *repository });
        }
        for (rule, repository) in &rows.rules {
            parts.announce(AppEvent::RuleChanged { rule: *rule, repository: *repository });
        }
        for (trigger, repository) in &rows.triggers {
            parts.announce(AppEvent::TriggerChanged { trigger: *trigger, repository: *repository });
        }
        // A login that came into an old registry, a secret that has to be entered.
        parts.secrets_health.look_again();
        parts.queue_wake.notify_one();
        parts.firing_wake.notify_one();
        parts.watch_other_tags();
    }

    /// Asks again, as after its form, whether a repository that an import changed can be pushed to.
    async fn ask_whether_writable(&self, id: ImageRepositoryId) {
        let asked = async {
            let spec = self.parts.store.image_repository(id).await?.spec;
            let reason = self.push_refusal(&spec).await?;
            self.parts.store.set_read_only_reason(id, reason.as_ref()).await?;
            self.parts.announce(AppEvent::ImageRepositoryChanged { repository: id });
            Ok::<_, Failure>(())
        };
        match tokio::time::timeout(LOOK_WITHIN, asked).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => tracing::info!(%failure, "a changed repository could not be asked for its rights"),
            Err(_) => tracing::info!("a changed repository did not say its rights in time"),
        }
    }
}

async fn read(text: String) -> Result<Arc<ConfigurationFile>, Failure> {
    on_worker(move || ConfigurationFile::read(&text).map(Arc::new)).await
}

/// Plans an import of a text into a product that has the local engine alone.
pub(crate) fn plan_alone(text: &str, choice: ImportChoice) -> Result<(ImportReport, ImportedConfiguration), Failure> {
    let engine = RegistryRecord {
        id: RegistryId(1),
        name: "Local engine".to_owned(),
        kind: RegistryKind::LocalEngine,
        host: None,
        plain_http: false,
        ca_pem: None,
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    let local = Local {
        settings: Settings::default(),
        settings_are_stored: false,
        sources: Vec::new(),
        accounts: Vec::new(),
        registries: vec![engine],
        credentials: Vec::new(),
        repositories: Vec::new(),
        rules: Vec::new(),
        triggers: Vec::new(),
        busy: HashSet::new(),
    };
    let Plan { report, rows } = plan(&ConfigurationFile::read(text)?, &local, choice);
    Ok((report, rows))
}
