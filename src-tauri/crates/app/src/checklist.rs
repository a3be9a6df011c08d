//! The first-run checklist, read from the rows each time: what was done once and removed again is open again.

use crate::sample::SampleIds;
use crate::{AppEvent, Slipway};
use slipway_core::build::BuildState;
use slipway_core::ids::{ImageRepositoryId, RegistryId, RuleId};
use slipway_core::image::RegistryKind;
use slipway_core::ports::EngineInfo;
use slipway_core::{ErrorCode, Failure};
use slipway_store::{BuildFilter, ImageRepositoryFilter};
use std::time::Duration;

const DISMISSED: &str = "checklist_dismissed";
/// The checklist does not wait longer for an engine.
const ENGINE_WITHIN: Duration = Duration::from_secs(5);

/// How far a person is.
#[derive(Debug, Clone)]
pub struct Checklist {
    /// The person does not want to see it.
    pub dismissed: bool,
    /// The engine's facts, or why there are none.
    pub engine: Result<EngineInfo, Failure>,
    /// What there is of the sample.
    pub sample: SampleIds,
    /// A build of the sample succeeded, or any other build: the step proves that building works.
    pub sample_is_green: bool,
    /// The first image repository of the person's own.
    pub repository: Option<ImageRepositoryId>,
    /// The first rule of the person's own, with its repository.
    pub rule: Option<(RuleId, ImageRepositoryId)>,
    /// The first registry besides *Local engine*.
    pub registry: Option<RegistryId>,
}

impl Slipway {
    /// Returns how far a person is.
    ///
    /// # Errors
    /// A failure of the store; an engine that is away is an answer.
    pub async fn checklist(&self) -> Result<Checklist, Failure> {
        let store = &self.parts.store;
        let engine = async { self.parts.engine("local")?.info().await };
        let engine = tokio::time::timeout(ENGINE_WITHIN, engine)
            .await
            .unwrap_or_else(|_| Err(Failure::new(ErrorCode::EngineAbsent, "the engine does not answer")));
        let sample = self.sample_ids().await?;
        let green = BuildFilter { states: vec![BuildState::Succeeded], ..BuildFilter::default() };
        let repositories = store.image_repositories(&ImageRepositoryFilter::default()).await?.items;
        let repository = repositories.iter().map(|one| one.record.id).find(|id| Some(*id) != sample.repository);
        let rules = store.rules().await?;
        let rule = rules.iter().find(|rule| Some(rule.repository) != sample.repository);
        let registries = store.registries().await?;
        Ok(Checklist {
            dismissed: store.setting(DISMISSED).await?.unwrap_or(false),
            engine,
            sample_is_green: !store.list_builds(&green, None, 1).await?.items.is_empty(),
            sample,
            repository,
            rule: rule.map(|rule| (rule.id, rule.repository)),
            registry: registries.iter().find(|one| one.kind == RegistryKind::Oci).map(|one| one.id),
        })
    }

    /// Hides the checklist, or shows it again.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn dismiss_checklist(&self, dismissed: bool) -> Result<(), Failure> {
        self.parts.store.set_setting(DISMISSED, &dismissed).await?;
        self.parts.announce(AppEvent::SettingsChanged);
        Ok(())
    }
}
