//! Live lists of what can be a target, and making a first one ("Run this image").

use super::{DeployImage, DeployKey, DeployTarget, HealthGate, TargetState};
use crate::Failure;
use crate::image::RegistryLogin;
use crate::rule::NameValue;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// One step of the cascade engine or cluster → group → service → container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ServiceGroup {
    /// Containers that nobody else looks after.
    Containers {
        /// How many.
        count: u32,
    },
    /// A Compose project.
    ComposeProject {
        /// Its name.
        name: String,
        /// How many services.
        count: u32,
    },
    /// The services of the engine's swarm.
    SwarmServices {
        /// How many.
        count: u32,
    },
    /// A Kubernetes namespace.
    Namespace {
        /// Its name.
        name: String,
    },
}

/// One thing that could be a target, with what it runs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ListedService {
    /// Choose it by this.
    pub target: DeployTarget,
    /// What it runs.
    pub state: TargetState,
}

/// What an engine or a cluster runs.
#[async_trait]
pub trait ServiceDirectory: Send + Sync + 'static {
    /// Lists the groups, those with something in them, sorted.
    async fn groups(&self) -> Result<Vec<ServiceGroup>, Failure>;

    /// Lists one group, sorted by name. Spares of ours (candidates, kept old containers) are left out. `problems` of an entry
    /// say why it cannot be chosen.
    async fn services(&self, group: &ServiceGroup) -> Result<Vec<ListedService>, Failure>;

    /// Makes and starts a first service. Pulls the image when the engine does not have it. When it does not pass the gate it
    /// is removed again.
    async fn run_image(
        &self,
        request: &RunImage,
        login: &RegistryLogin,
        cancel: &CancellationToken,
    ) -> Result<ListedService, Failure>;

    /// Removes what [`Self::run_image`] made under this key and what does not run: it was broken off in the middle.
    async fn forget_run(&self, key: &DeployKey) -> Result<(), Failure>;
}

/// "Run this image". There is no way to ask for privileges, devices or the engine's socket (T15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RunImage {
    /// Names the attempt, as in a deploy.
    pub key: DeployKey,
    /// Name of the container or service: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, at most 63.
    pub name: String,
    /// The image.
    pub image: DeployImage,
    /// As what.
    pub run_as: RunAs,
    /// Ports to publish.
    #[serde(default)]
    pub ports: Vec<PublishedPort>,
    /// Environment.
    #[serde(default)]
    pub environment: Vec<NameValue>,
    /// Named volumes.
    #[serde(default)]
    pub volumes: Vec<RunVolume>,
    /// The network.
    #[serde(default)]
    pub network: NetworkChoice,
    /// When it counts as serving.
    #[serde(default)]
    pub gate: HealthGate,
}

/// As what an image runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunAs {
    /// A container.
    Container {
        /// Start it again after it ended and with the engine (`unless-stopped`), or leave it.
        restart: bool,
    },
    /// A Swarm service.
    SwarmService {
        /// How many tasks.
        replicas: u32,
    },
}

/// A port to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PublishedPort {
    /// Port inside.
    pub container_port: u16,
    /// Port of the host; `None` lets the engine choose.
    pub host_port: Option<u16>,
    /// Only for this machine (`127.0.0.1`). Swarm services are always open.
    #[serde(default)]
    pub only_local: bool,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// A named volume at a path. Folders of the host are not offered (T15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RunVolume {
    /// The volume's name; made when it does not exist.
    pub volume: String,
    /// Absolute path inside.
    pub path: String,
    /// It cannot be written inside.
    #[serde(default)]
    pub read_only: bool,
}

/// The network of something that runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NetworkChoice {
    /// The engine's default.
    #[default]
    Default,
    /// A network of this name, which exists.
    Named {
        /// Its name.
        name: String,
    },
}
