//! Use cases on image repositories.

use crate::{AppEvent, Slipway};
use slipway_core::ids::{BuildId, ImageRepositoryId};
use slipway_core::image::{ImageRepositorySpec, ImageSource, RegistryKind};
use slipway_core::ports::Hop;
use slipway_core::{ErrorClass, ErrorCode, Failure};
use slipway_store::{BuildFilter, ImageRepositoryFilter, ImageRepositoryPage, ImageRepositoryRecord};

/// What goes away with an image repository; shown before a person confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRepositoryRemoval {
    /// Names of the rules.
    pub rules: Vec<String>,
    /// Names of the triggers.
    pub triggers: Vec<String>,
    /// How many build records.
    pub builds: u64,
    /// Builds that are not over: they are cancelled first.
    pub active: Vec<BuildId>,
}

impl Slipway {
    /// Adds an image repository. One whose credential cannot push is added read-only, with the reason.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] with the field, [`ErrorCode::NameTaken`].
    pub async fn add_image_repository(&self, spec: &ImageRepositorySpec) -> Result<ImageRepositoryId, Failure> {
        self.check_repository_spec(spec).await?;
        let reason = self.push_refusal(spec).await?;
        let id = self.parts.store.insert_image_repository(spec, reason.as_ref(), self.parts.now()).await?;
        self.parts.announce(AppEvent::ImageRepositoryChanged { repository: id });
        Ok(id)
    }

    /// Changes an image repository, and asks again whether it can be pushed to.
    ///
    /// # Errors
    /// As [`Slipway::add_image_repository`]; [`ErrorCode::InUse`] when registry or name change while builds run.
    pub async fn edit_image_repository(
        &self,
        id: ImageRepositoryId,
        spec: &ImageRepositorySpec,
    ) -> Result<(), Failure> {
        self.check_repository_spec(spec).await?;
        let old = self.parts.store.image_repository(id).await?.spec;
        let moves = old.registry != spec.registry || old.name != spec.name;
        if moves && !self.active_builds(id).await?.is_empty() {
            return Err(Failure::new(ErrorCode::InUse, "builds of this repository are not over").at("spec.name"));
        }
        let becomes_watched = spec.source == ImageSource::PublishedByOthers && old.source != spec.source;
        if becomes_watched && !(self.rules(id).await?.is_empty() && self.active_builds(id).await?.is_empty()) {
            let why = "a repository that others publish has no rules and no builds of its own: delete its rules first";
            return Err(Failure::new(ErrorCode::InUse, why).at("spec.source"));
        }
        let reason = self.push_refusal(spec).await?;
        self.parts.store.update_image_repository(id, spec).await?;
        self.parts.store.set_read_only_reason(id, reason.as_ref()).await?;
        self.parts.announce(AppEvent::ImageRepositoryChanged { repository: id });
        self.parts.queue_wake.notify_one();
        Ok(())
    }

    /// Returns what goes away with an image repository.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn image_repository_removal(&self, id: ImageRepositoryId) -> Result<ImageRepositoryRemoval, Failure> {
        self.parts.store.image_repository(id).await?;
        let rules = self.parts.store.rules_of_repository(id).await?;
        let filter = BuildFilter { repository: Some(id), ..BuildFilter::default() };
        Ok(ImageRepositoryRemoval {
            rules: rules.into_iter().map(|rule| rule.spec.name).collect(),
            triggers: self.parts.store.triggers(Some(id)).await?.into_iter().map(|trigger| trigger.spec.name).collect(),
            builds: self.parts.store.list_builds(&filter, None, 1).await?.total,
            active: self.active_builds(id).await?,
        })
    }

    /// Removes an image repository with its rules and records. Images and tags stay where they are.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`] while a build of it, or an update with one of its images, is not over.
    pub async fn delete_image_repository(&self, id: ImageRepositoryId) -> Result<(), Failure> {
        if self.parts.store.unfinished_firings().await?.iter().any(|firing| firing.repository == Some(id)) {
            return Err(Failure::new(ErrorCode::InUse, "an update with an image of this repository is not over"));
        }
        let filter = BuildFilter { repository: Some(id), ..BuildFilter::default() };
        let mut builds = Vec::new();
        let mut before = None;
        loop {
            let page = self.parts.store.list_builds(&filter, before, 500).await?;
            builds.extend(page.items.iter().map(|build| build.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let rules = self.parts.store.rules_of_repository(id).await?;
        self.parts.store.delete_image_repository(id).await?;
        for rule in rules {
            self.webhooks.rule_deleted(rule.spec.code).await?;
        }
        for build in builds {
            self.parts.logs.remove(build);
        }
        self.parts.tidy_uploads().await;
        self.parts.announce(AppEvent::ImageRepositoryChanged { repository: id });
        Ok(())
    }

    /// Returns a page of image repositories by name.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn image_repositories(&self, filter: &ImageRepositoryFilter) -> Result<ImageRepositoryPage, Failure> {
        Ok(self.parts.store.image_repositories(filter).await?)
    }

    /// Returns one image repository.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn image_repository(&self, id: ImageRepositoryId) -> Result<ImageRepositoryRecord, Failure> {
        Ok(self.parts.store.image_repository(id).await?)
    }

    pub(crate) async fn writable_repository(&self, id: ImageRepositoryId) -> Result<ImageRepositoryRecord, Failure> {
        let record = self.parts.store.image_repository(id).await?;
        match &record.read_only_reason {
            None => Ok(record),
            Some(reason) => Err(Failure::new(
                ErrorCode::ReadOnlyRepository,
                format!("nothing can be pushed to {}: {}", record.spec.name, reason.message),
            )
            .with("reason", reason.code.as_str())),
        }
    }

    async fn active_builds(&self, id: ImageRepositoryId) -> Result<Vec<BuildId>, Failure> {
        let builds = self.parts.store.non_final().await?;
        Ok(builds.into_iter().filter(|build| build.repository == id).map(|build| build.id).collect())
    }

    async fn check_repository_spec(&self, spec: &ImageRepositorySpec) -> Result<(), Failure> {
        let registry = self.parts.store.registry(spec.registry).await?;
        check_spec(spec, registry.kind)?;
        let Some(credential) = spec.credential else { return Ok(()) };
        if self.parts.store.credential(credential).await?.registry == spec.registry {
            return Ok(());
        }
        let why = "the credential belongs to another registry";
        Err(Failure::new(ErrorCode::InvalidField, why).at("spec.credential"))
    }

    /// Returns why nothing can be pushed there; a registry that is away says nothing about rights.
    pub(crate) async fn push_refusal(&self, spec: &ImageRepositorySpec) -> Result<Option<Failure>, Failure> {
        if spec.source == ImageSource::PublishedByOthers {
            return Ok(Some(watched_only()));
        }
        let registry = self.parts.store.registry(spec.registry).await?;
        let Some(access) = self.parts.registry_access(&registry, spec.credential).await? else { return Ok(None) };
        let report = self.parts.ports.registries.test(&access, &spec.name).await;
        let refused =
            report.into_iter().find(|hop| matches!(hop.hop, Hop::Login | Hop::Read | Hop::Push) && hop.result.is_err());
        let failure = refused.and_then(|hop| hop.result.err());
        Ok(failure.filter(|failure| {
            failure.code.class() == ErrorClass::Registry && failure.code.retry() == slipway_core::failure::Retry::Never
        }))
    }
}

/// Why nothing can be pushed to a repository that others publish.
pub(crate) fn watched_only() -> Failure {
    Failure::new(ErrorCode::ReadOnlyRepository, "others publish its images, here they are watched only")
}

/// Checks what is said about an image repository, as far as that and the kind of its registry tell.
pub(crate) fn check_spec(spec: &ImageRepositorySpec, registry: RegistryKind) -> Result<(), Failure> {
    let invalid = |field: &str, why: &str| Err(Failure::new(ErrorCode::InvalidField, why).at(field));
    if spec.summary.chars().count() > 100 {
        return invalid("spec.summary", "the short description has at most 100 characters");
    }
    if spec.description.chars().count() > 1000 {
        return invalid("spec.description", "the description has at most 1,000 characters");
    }
    for (index, pattern) in spec.write_once.iter().enumerate() {
        slipway_core::matching::compile_regex(pattern, &format!("spec.write_once[{index}]"))?;
    }
    if registry == RegistryKind::LocalEngine {
        if spec.source == ImageSource::PublishedByOthers {
            return invalid("spec.source", "others publish to a registry; nothing of Local engine can be watched");
        }
        if spec.credential.is_some() {
            return invalid("spec.credential", "Local engine needs no credential");
        }
    }
    Ok(())
}
