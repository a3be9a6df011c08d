//! Commands on deploy targets: what runs where, update now, roll back, run an image.

use crate::firings::FiringView;
use crate::triggers::Resumed;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use slipway_app::Slipway;
use slipway_app::targets::{ChosenImage, EarlierVersion, KubeContext, RunWish, TargetView as AppTarget};
use slipway_core::Failure;
use slipway_core::deploy::{
    DeployTarget, HealthGate, ListedService, NetworkChoice, PublishedPort, RunAs, RunVolume, ServiceGroup, TargetState,
};
use slipway_core::ids::{FiringId, ImageRepositoryId, TargetId, TriggerId};
use slipway_core::image::Tag;
use slipway_core::rule::NameValue;
use slipway_core::trigger::{DeployPlace, TargetPin, TargetVersion};
use ts_rs::TS;

/// A target in the list.
#[derive(Debug, Serialize, TS)]
pub struct DeployTargetView {
    /// Its row; `null` when nobody had to do with it yet.
    pub id: Option<TargetId>,
    /// What it is; other commands name it by this.
    pub target: DeployTarget,
    /// What it runs; `null` when that is not known.
    pub state: Option<TargetState>,
    /// Why that is not known.
    pub failure: Option<Failure>,
    /// The triggers that update it.
    pub triggers: Vec<OwningTriggerView>,
    /// A person rolled it back: its triggers are paused.
    pub pin: Option<TargetPin>,
    /// What was done to it last, or is done now.
    pub last_firing: Option<FiringView>,
}

/// A trigger that updates a target.
#[derive(Debug, Serialize, TS)]
pub struct OwningTriggerView {
    /// Its id.
    pub id: TriggerId,
    /// Its name.
    pub name: String,
    /// Whose tags fire it.
    pub repository: ImageRepositoryId,
    /// It is on.
    pub enabled: bool,
}

/// Everything that runs, as far as Slipway can see.
#[derive(Debug, Serialize, TS)]
pub struct DeployTargetList {
    /// The targets.
    pub items: Vec<DeployTargetView>,
    /// Engines and clusters that did not answer.
    pub away: Vec<PlaceAway>,
}

/// A place that did not answer.
#[derive(Debug, Serialize, TS)]
pub struct PlaceAway {
    /// Which.
    pub place: DeployPlace,
    /// Why.
    pub failure: Failure,
}

/// Names a target.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichDeployTarget")]
pub struct Which {
    /// What it is.
    pub target: DeployTarget,
}

/// Names a target by its row.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "WhichTargetRow")]
pub struct WhichRow {
    /// Its row.
    pub id: TargetId,
}

/// One target with its history.
#[derive(Debug, Serialize, TS)]
pub struct DeployTargetDetail {
    /// The target.
    pub target: DeployTargetView,
    /// What it can be rolled back to, newest first; the one that runs now is `current`.
    pub versions: Vec<EarlierVersionView>,
}

/// Something that a target ran.
#[derive(Debug, Serialize, TS)]
pub struct EarlierVersionView {
    /// Names it together with `before` in `targets.roll_back`.
    pub firing: FiringId,
    /// It is what ran before that firing.
    pub before: bool,
    /// The image.
    pub version: TargetVersion,
    /// Its repository, when it is one of ours.
    pub repository: Option<ImageRepositoryId>,
    /// When that firing ended.
    pub at: DateTime<Utc>,
    /// The target runs it now.
    pub current: bool,
}

/// Asks for the contexts of a kubeconfig.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListKubeContexts")]
pub struct ContextsRequest {
    /// The whole path of the file.
    pub kubeconfig: String,
}

/// A context of a kubeconfig.
#[derive(Debug, Serialize, TS)]
pub struct KubeContextView {
    /// Its name.
    pub name: String,
    /// Address of its cluster, as far as the file says.
    pub server: Option<String>,
    /// The namespace that it begins in.
    pub namespace: Option<String>,
    /// The program that it would run to sign in, for a person to allow.
    pub exec: Option<String>,
}

/// Asks for the groups of a place.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListServiceGroups")]
pub struct GroupsRequest {
    /// Where.
    pub place: DeployPlace,
}

/// Asks for what runs in a group.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "ListServices")]
pub struct ServicesRequest {
    /// Where.
    pub place: DeployPlace,
    /// Which group.
    pub group: ServiceGroup,
}

/// An image as a person names it.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ImageChoice {
    /// A tag of an image repository.
    Tag {
        /// Which repository.
        repository: ImageRepositoryId,
        /// Which tag.
        tag: Tag,
    },
    /// A full name, such as `nginx:1.27`.
    Name {
        /// As typed.
        name: String,
    },
}

/// Updates a target now.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "UpdateTargetNow")]
pub struct UpdateRequest {
    /// Which target.
    pub target: DeployTarget,
    /// To which image.
    pub image: ImageChoice,
    /// When it counts as serving.
    #[serde(default)]
    #[ts(optional, as = "Option<HealthGate>")]
    pub gate: HealthGate,
}

/// Rolls a target back.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "RollBackTarget")]
pub struct RollBackRequest {
    /// To what this firing brought …
    pub firing: FiringId,
    /// … or to what ran before it.
    #[serde(default)]
    #[ts(optional, as = "Option<bool>")]
    pub before: bool,
}

/// The record to follow.
#[derive(Debug, Serialize, TS)]
#[ts(rename = "StartedFiring")]
pub struct Started {
    /// Its id.
    pub firing: FiringId,
}

/// Runs an image as a new service.
#[derive(Debug, Deserialize, TS)]
#[ts(rename = "RunImageRequest")]
pub struct RunRequest {
    /// On which engine; `local` when it is left out.
    #[serde(default = "local")]
    #[ts(optional, as = "Option<String>")]
    pub engine: String,
    /// Name of the container or service.
    pub name: String,
    /// Which image.
    pub image: ImageChoice,
    /// As what.
    pub run_as: RunAs,
    /// Ports to publish.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<PublishedPort>>")]
    pub ports: Vec<PublishedPort>,
    /// Environment.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<NameValue>>")]
    pub environment: Vec<NameValue>,
    /// Named volumes.
    #[serde(default)]
    #[ts(optional, as = "Option<Vec<RunVolume>>")]
    pub volumes: Vec<RunVolume>,
    /// The network.
    #[serde(default)]
    #[ts(optional, as = "Option<NetworkChoice>")]
    pub network: NetworkChoice,
    /// When it counts as serving.
    #[serde(default)]
    #[ts(optional, as = "Option<HealthGate>")]
    pub gate: HealthGate,
}

fn local() -> String {
    "local".to_owned()
}

impl From<ImageChoice> for ChosenImage {
    fn from(choice: ImageChoice) -> Self {
        match choice {
            ImageChoice::Tag { repository, tag } => Self::Tag { repository, tag },
            ImageChoice::Name { name } => Self::Name { name },
        }
    }
}

impl From<AppTarget> for DeployTargetView {
    fn from(target: AppTarget) -> Self {
        let (state, failure) = match target.state {
            Ok(state) => (Some(state), None),
            Err(failure) => (None, Some(failure)),
        };
        let triggers = target.triggers.into_iter().map(|trigger| OwningTriggerView {
            id: trigger.id,
            name: trigger.name,
            repository: trigger.repository,
            enabled: trigger.enabled,
        });
        Self {
            id: target.id,
            target: target.target,
            state,
            failure,
            triggers: triggers.collect(),
            pin: target.pin,
            last_firing: target.last_firing.map(Into::into),
        }
    }
}

impl From<EarlierVersion> for EarlierVersionView {
    fn from(version: EarlierVersion) -> Self {
        let EarlierVersion { firing, before, version, repository, at, current } = version;
        Self { firing, before, version, repository, at, current }
    }
}

pub(crate) async fn list(app: &Slipway, _: crate::system::Nothing) -> Result<DeployTargetList, Failure> {
    let (targets, away) = app.targets().await?;
    Ok(DeployTargetList {
        items: targets.into_iter().map(Into::into).collect(),
        away: away.into_iter().map(|(place, failure)| PlaceAway { place, failure }).collect(),
    })
}

pub(crate) async fn get(app: &Slipway, request: Which) -> Result<DeployTargetDetail, Failure> {
    let (target, versions) = app.target(&request.target).await?;
    Ok(DeployTargetDetail { target: target.into(), versions: versions.into_iter().map(Into::into).collect() })
}

pub(crate) async fn places(app: &Slipway, _: crate::system::Nothing) -> Result<Vec<DeployPlace>, Failure> {
    app.deploy_places().await
}

pub(crate) async fn contexts(app: &Slipway, request: ContextsRequest) -> Result<Vec<KubeContextView>, Failure> {
    let contexts = app.kube_contexts(request.kubeconfig.trim()).await?;
    let view = |context: KubeContext| {
        let KubeContext { name, server, namespace, exec } = context;
        KubeContextView { name, server, namespace, exec }
    };
    Ok(contexts.into_iter().map(view).collect())
}

pub(crate) async fn groups(app: &Slipway, request: GroupsRequest) -> Result<Vec<ServiceGroup>, Failure> {
    app.service_groups(&request.place).await
}

pub(crate) async fn services(app: &Slipway, request: ServicesRequest) -> Result<Vec<ListedService>, Failure> {
    app.services(&request.place, &request.group).await
}

pub(crate) async fn update_now(app: &Slipway, request: UpdateRequest) -> Result<Started, Failure> {
    Ok(Started { firing: app.update_now(&request.target, &request.image.into(), request.gate).await? })
}

pub(crate) async fn roll_back(app: &Slipway, request: RollBackRequest) -> Result<Started, Failure> {
    Ok(Started { firing: app.roll_back(request.firing, request.before).await? })
}

pub(crate) async fn resume(app: &Slipway, request: WhichRow) -> Result<Resumed, Failure> {
    Ok(Resumed { firing: app.resume_target(request.id).await? })
}

pub(crate) async fn run_image(app: &Slipway, request: RunRequest) -> Result<Started, Failure> {
    let RunRequest { engine, name, image, run_as, ports, environment, volumes, network, gate } = request;
    let image = image.into();
    let wish = RunWish { engine, name, image, run_as, ports, environment, volumes, network, gate };
    Ok(Started { firing: app.run_image(&wish).await? })
}
