//! Use cases on deploy targets: what runs where, which trigger owns it, what it ran before; update now, roll back, resume, run
//! an image as a new service.

use crate::fail_point::fail_point;
use crate::triggers::keep::VERSIONS_KEPT;
use crate::{AppEvent, Slipway};
use chrono::{DateTime, Utc};
use futures::future::join_all;
use slipway_core::deploy::{
    DeployImage, DeployKey, DeployTarget, HealthGate, ListedService, NetworkChoice, Planned, PublishedPort, RunAs,
    RunImage, RunVolume, ServiceGroup, TargetState,
};
use slipway_core::ids::{FiringId, ImageRepositoryId, TargetId, TriggerId};
use slipway_core::rule::NameValue;
use slipway_core::trigger::{DeployPlace, FiringKind, TargetPin, TargetVersion};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{FiringFilter, FiringRecord, PersonsFiring, TargetRecord};
use std::collections::HashMap;
use std::time::Duration;

pub use crate::triggers::versions::ChosenImage;
pub use slipway_deploy::KubeContext;

/// A cluster or an engine that hangs must not keep a list from being shown.
const DEADLINE: Duration = Duration::from_secs(15);

/// One thing that runs, or that ran when somebody had to do with it.
#[derive(Debug, Clone)]
pub struct TargetView {
    /// Its row; `None` when nobody had to do with it yet.
    pub id: Option<TargetId>,
    /// What it is.
    pub target: DeployTarget,
    /// What it runs, or why that is not known.
    pub state: Result<TargetState, Failure>,
    /// The triggers that update it.
    pub triggers: Vec<OwningTrigger>,
    /// What a person pinned it to.
    pub pin: Option<TargetPin>,
    /// What was done to it last, or is done now.
    pub last_firing: Option<FiringRecord>,
}

/// A trigger that updates a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwningTrigger {
    /// Its id.
    pub id: TriggerId,
    /// Its name.
    pub name: String,
    /// Whose tags fire it.
    pub repository: ImageRepositoryId,
    /// It is on.
    pub enabled: bool,
}

/// Something that a target ran, to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierVersion {
    /// The firing that brought it, or that replaced it.
    pub firing: FiringId,
    /// It is what ran before that firing.
    pub before: bool,
    /// The image.
    pub version: TargetVersion,
    /// Its repository, when it is one of ours.
    pub repository: Option<ImageRepositoryId>,
    /// When the firing ended.
    pub at: DateTime<Utc>,
    /// The target runs it now.
    pub current: bool,
}

/// What a person asks for when an image is to run as a new service.
#[derive(Debug, Clone)]
pub struct RunWish {
    /// On which engine.
    pub engine: String,
    /// Name of the container or service.
    pub name: String,
    /// Which image.
    pub image: ChosenImage,
    /// As what.
    pub run_as: RunAs,
    /// Ports to publish.
    pub ports: Vec<PublishedPort>,
    /// Environment.
    pub environment: Vec<NameValue>,
    /// Named volumes.
    pub volumes: Vec<RunVolume>,
    /// The network.
    pub network: NetworkChoice,
    /// When it counts as serving.
    pub gate: HealthGate,
}

impl Slipway {
    /// Returns the places that targets are known in, the local engine first.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn deploy_places(&self) -> Result<Vec<DeployPlace>, Failure> {
        let mut places = vec![DeployPlace::Engine { engine: "local".to_owned() }];
        for target in self.parts.store.targets().await? {
            if let Some(place) = DeployPlace::of(&target.target)
                && !places.contains(&place)
            {
                places.push(place);
            }
        }
        Ok(places)
    }

    /// Returns the contexts of a kubeconfig on this machine, by name. Nothing is asked of a cluster, and no program runs.
    ///
    /// # Errors
    /// [`ErrorCode::KubeconfigInvalid`] at `kubeconfig`.
    pub async fn kube_contexts(&self, kubeconfig: &str) -> Result<Vec<KubeContext>, Failure> {
        in_time(slipway_deploy::kube_contexts(kubeconfig)).await.map_err(|failure| failure.at("kubeconfig"))
    }

    /// Returns the groups of a place: containers, Compose projects, Swarm services, namespaces.
    ///
    /// # Errors
    /// What the engine or the cluster answers.
    pub async fn service_groups(&self, place: &DeployPlace) -> Result<Vec<ServiceGroup>, Failure> {
        let listing = async { (self.parts.ports.directories)(place)?.groups().await };
        in_time(listing).await
    }

    /// Returns what runs in a group.
    ///
    /// # Errors
    /// What the engine or the cluster answers.
    pub async fn services(&self, place: &DeployPlace, group: &ServiceGroup) -> Result<Vec<ListedService>, Failure> {
        let listing = async { (self.parts.ports.directories)(place)?.services(group).await };
        in_time(listing).await
    }

    /// Returns everything that runs on an engine, and everything else that somebody had to do with.
    ///
    /// # Errors
    /// A failure of the store; an engine that is away is told by its own targets.
    pub async fn targets(&self) -> Result<(Vec<TargetView>, Vec<(DeployPlace, Failure)>), Failure> {
        let mut rows: HashMap<String, TargetRecord> =
            self.parts.store.targets().await?.into_iter().map(|row| (row.target.key(), row)).collect();
        let mut views = Vec::new();
        let mut away = Vec::new();
        let engines: Vec<DeployPlace> = self
            .deploy_places()
            .await?
            .into_iter()
            .filter(|place| matches!(place, DeployPlace::Engine { .. }))
            .collect();
        for (place, listed) in join_all(engines.into_iter().map(async |place| {
            let listed = self.everything_on(&place).await;
            (place, listed)
        }))
        .await
        {
            match listed {
                Ok(listed) => {
                    for service in listed {
                        let row = rows.remove(&service.target.key());
                        views.push(self.view(row, service.target, Ok(service.state)).await?);
                    }
                }
                Err(failure) => away.push((place, failure)),
            }
        }
        let mut rest: Vec<TargetRecord> = rows.into_values().collect();
        rest.sort_by_key(|row| row.id);
        // A target that is gone and that no trigger names is history only.
        let mut asked = Vec::new();
        for row in rest {
            if row.pin.is_some() || !self.parts.store.triggers_of_target(row.id).await?.is_empty() {
                asked.push(row);
            }
        }
        let states = join_all(asked.iter().map(|row| self.state_of(&row.target))).await;
        for (row, state) in asked.into_iter().zip(states) {
            let target = row.target.clone();
            views.push(self.view(Some(row), target, state).await?);
        }
        Ok((views, away))
    }

    async fn everything_on(&self, place: &DeployPlace) -> Result<Vec<ListedService>, Failure> {
        let groups = self.service_groups(place).await?;
        let listed = join_all(groups.iter().map(|group| self.services(place, group))).await;
        Ok(listed.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    async fn state_of(&self, target: &DeployTarget) -> Result<TargetState, Failure> {
        let looking = async { (self.parts.ports.actions)(target)?.inspect(target).await };
        in_time(looking).await
    }

    async fn view(
        &self,
        row: Option<TargetRecord>,
        target: DeployTarget,
        state: Result<TargetState, Failure>,
    ) -> Result<TargetView, Failure> {
        let (mut triggers, mut last_firing) = (Vec::new(), None);
        if let Some(row) = &row {
            for trigger in self.parts.store.triggers_of_target(row.id).await? {
                let (id, repository) = (trigger.id, trigger.repository);
                triggers.push(OwningTrigger { id, name: trigger.spec.name, repository, enabled: trigger.spec.enabled });
            }
            let filter = FiringFilter { target: Some(row.id), ..FiringFilter::default() };
            last_firing = self.parts.store.list_firings(&filter, None, 1).await?.items.pop();
        }
        let (id, pin) = row.map_or((None, None), |row| (Some(row.id), row.pin));
        Ok(TargetView { id, target, state, triggers, pin, last_firing })
    }

    /// Returns one target with what it runs now, and what it can go back to, newest first.
    ///
    /// # Errors
    /// A failure of the store; a target that cannot be looked at says so in its state.
    pub async fn target(&self, target: &DeployTarget) -> Result<(TargetView, Vec<EarlierVersion>), Failure> {
        let row = self.parts.store.find_target(target).await?;
        let id = row.as_ref().map(|row| row.id);
        let state = self.state_of(target).await;
        let versions = match id {
            Some(id) => self.earlier_versions(id, state.as_ref().ok()).await?,
            None => Vec::new(),
        };
        Ok((self.view(row, target.clone(), state).await?, versions))
    }

    async fn earlier_versions(&self, id: TargetId, now: Option<&TargetState>) -> Result<Vec<EarlierVersion>, Failure> {
        let mut versions: Vec<EarlierVersion> = Vec::new();
        let deployed = self.parts.store.deployed_firings(id, VERSIONS_KEPT).await?;
        // What a firing brought is told with its tag; what ran before one only where no firing brought it.
        for before in [false, true] {
            for firing in &deployed {
                let at = firing.ended_at.unwrap_or(firing.created_at);
                let version = if before { ran_before(firing) } else { Some(firing.version.clone()) };
                let repository = firing.repository.filter(|_| !before);
                let Some(version) = version else { continue };
                if versions.iter().any(|known| is_same(&known.version.image, &version.image)) {
                    continue;
                }
                let current = now.is_some_and(|state| runs(state, &version.image));
                versions.push(EarlierVersion { firing: firing.id, before, version, repository, at, current });
            }
        }
        Ok(versions)
    }

    /// Updates a target now, to an image that a person chose. Nothing that was observed before replaces it afterwards.
    ///
    /// # Errors
    /// [`ErrorCode::ManifestUnknown`] when there is no such image; [`ErrorCode::WrongState`] while the target is pinned; what
    /// the registry or the engine answers.
    pub async fn update_now(
        &self,
        target: &DeployTarget,
        image: &ChosenImage,
        gate: HealthGate,
    ) -> Result<FiringId, Failure> {
        if self.parts.store.find_target(target).await?.is_some_and(|row| row.pin.is_some()) {
            let why = "the target was rolled back and is pinned: resume it, or roll back to another image";
            return Err(Failure::new(ErrorCode::WrongState, why));
        }
        let version = self.parts.chosen(image, target.engine().unwrap_or("local")).await?;
        let repository = repository_of(image);
        let wish = PersonsFiring {
            kind: FiringKind::Update,
            target: target.clone(),
            repository,
            gate,
            version,
            back_to: None,
        };
        let id = self.parts.store.insert_persons_firing(&wish, self.parts.now()).await?;
        self.begin(id).await?;
        Ok(id)
    }

    /// Rolls a target back to what a firing brought, or to what ran before it. The target is pinned and its triggers are
    /// paused from now on.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]; [`ErrorCode::WrongState`] for a firing that never brought its image there.
    pub async fn roll_back(&self, firing: FiringId, before: bool) -> Result<FiringId, Failure> {
        let firing = self.parts.store.firing(firing).await?;
        let version = if before { ran_before(&firing) } else { Some(firing.version.clone()) };
        let was_there = firing.outcome.is_some() && firing.state == slipway_core::trigger::FiringState::Succeeded;
        let version = version
            .filter(|_| was_there)
            .ok_or_else(|| Failure::new(ErrorCode::WrongState, "this update did not change what the target runs"))?;
        let wish = PersonsFiring {
            kind: FiringKind::RollBack,
            target: firing.deploy_target.clone(),
            repository: firing.repository.filter(|_| !before),
            gate: firing.gate,
            version,
            back_to: Some(firing.id),
        };
        let id = self.parts.store.insert_persons_firing(&wish, self.parts.now()).await?;
        fail_point("pin.row");
        self.begin(id).await?;
        Ok(id)
    }

    /// Takes the pin of a rollback away: its triggers go on, beginning with the newest tag that they left out. Returns the
    /// firing that catches up, when something was missed.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] when it is not pinned.
    pub async fn resume_target(&self, id: TargetId) -> Result<Option<FiringId>, Failure> {
        let firing = self.parts.store.unpin_target(id, self.parts.now()).await?;
        fail_point("pin.gone");
        self.parts.announce(AppEvent::TargetsChanged);
        for trigger in self.parts.store.triggers_of_target(id).await? {
            self.parts.announce(AppEvent::TriggerChanged { trigger: trigger.id, repository: trigger.repository });
        }
        if let Some(firing) = firing {
            self.begin(firing).await?;
        }
        Ok(firing)
    }

    /// Runs an image as a new service. The firing says how it goes.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] with the field; [`ErrorCode::ManifestUnknown`]; what the registry or the engine answers.
    pub async fn run_image(&self, wish: &RunWish) -> Result<FiringId, Failure> {
        let name = wish.name.trim().to_owned();
        check_service_name(&name)?;
        let version = self.parts.chosen(&wish.image, &wish.engine).await?;
        let engine = wish.engine.clone();
        let target = match wish.run_as {
            RunAs::Container { .. } => DeployTarget::Container { engine, name: name.clone() },
            RunAs::SwarmService { .. } => DeployTarget::SwarmService { engine, name: name.clone() },
        };
        let image = version.image.clone();
        let repository = repository_of(&wish.image);
        let firing =
            PersonsFiring { kind: FiringKind::Run, target, repository, gate: wish.gate, version, back_to: None };
        let request = |id| RunImage {
            key: DeployKey(format!("{}-{id}-1", self.parts.owner)),
            name,
            image,
            run_as: wish.run_as,
            ports: wish.ports.clone(),
            environment: wish.environment.clone(),
            volumes: wish.volumes.clone(),
            network: wish.network.clone(),
            gate: wish.gate,
        };
        let id = self.firings.insert_run(&firing, request).await?;
        self.begin(id).await?;
        Ok(id)
    }

    /// A person's firing is there: its image is kept, the worker wakes, everybody hears.
    async fn begin(&self, id: FiringId) -> Result<(), Failure> {
        let firing = self.parts.store.firing(id).await?;
        crate::triggers::keep::while_waiting(&self.parts, &firing).await;
        crate::triggers::hand_over::announce(&self.parts, &firing);
        self.parts.announce(AppEvent::TargetsChanged);
        self.parts.firing_wake.notify_one();
        Ok(())
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = |_| Err(Failure::new(ErrorCode::TimedOut, "the engine or the cluster did not answer in time"));
    tokio::time::timeout(DEADLINE, work).await.unwrap_or_else(late)
}

fn repository_of(image: &ChosenImage) -> Option<ImageRepositoryId> {
    match image {
        ChosenImage::Tag { repository, .. } => Some(*repository),
        ChosenImage::Name { .. } => None,
    }
}

/// `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, at most 63: what the engine takes for containers and services.
fn check_service_name(name: &str) -> Result<(), Failure> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && (2..=63).contains(&name.len()) && name.chars().all(legal) {
        return Ok(());
    }
    let why = "a service's name begins with a letter or digit and has 2 to 63 letters, digits, '_', '.' or '-'";
    Err(Failure::new(ErrorCode::InvalidField, why).at("name"))
}

/// Returns what ran before a firing, as far as it can be named exactly.
fn ran_before(firing: &FiringRecord) -> Option<TargetVersion> {
    let Some(Planned::Ready { plan }) = &firing.plan else { return None };
    let running = plan.before.image.clone()?;
    let named = slipway_core::image::ImageReference::parse(&running.reference).ok();
    let digest = running.digests.iter().find_map(|name| {
        let found = slipway_core::image::ImageReference::parse(name).ok()?;
        let same = named.as_ref().is_none_or(|named| named.repository() == found.repository());
        found.digest.filter(|_| same)
    });
    let tag = named.as_ref().and_then(|named| named.tag.clone());
    let image = DeployImage { reference: running.reference, digest, id: running.id, content: running.content };
    (image.digest.is_some() || image.id.is_some()).then_some(TargetVersion { tag, image })
}

fn is_same(one: &DeployImage, other: &DeployImage) -> bool {
    let same = |a: Option<&String>, b: Option<&String>| a.is_some() && a == b;
    one.digest.is_some() && one.digest == other.digest
        || same(one.id.as_ref().map(|id| &id.0), other.id.as_ref().map(|id| &id.0))
        || same(one.content.as_ref().map(|content| &content.0), other.content.as_ref().map(|content| &content.0))
}

fn runs(state: &TargetState, image: &DeployImage) -> bool {
    let Some(running) = state.image.as_ref().filter(|_| !state.mixed) else { return false };
    let digest = image.digest.as_ref().is_some_and(|digest| {
        running.digests.iter().any(|name| name.rsplit_once('@').is_some_and(|(_, found)| found == digest.as_str()))
    });
    digest
        || image.id.is_some() && image.id == running.id
        || image.content.is_some() && image.content == running.content
}
