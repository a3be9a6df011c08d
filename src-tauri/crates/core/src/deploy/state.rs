//! What a target runs now, as the engine or the cluster says.

use super::Refusal;
use crate::image::{ContentIdentity, ImageId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What a target runs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TargetState {
    /// The image that serves. Of several instances with different images, the one that differs from the new one matters;
    /// `mixed` says so.
    pub image: Option<RunningImage>,
    /// Instances run different images.
    pub mixed: bool,
    /// Health of the whole.
    pub health: TargetHealth,
    /// How many instances are wanted and ready.
    pub replicas: Replicas,
    /// Where it can be reached.
    pub addresses: Vec<PublishedAddress>,
    /// Containers, tasks or pods.
    pub instances: Vec<Instance>,
    /// Who looks after it besides us.
    pub managed_by: Option<ManagedBy>,
    /// Why it cannot be updated as it is; empty when it can.
    pub problems: Vec<Refusal>,
}

/// The image of a running target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RunningImage {
    /// As the target's configuration names it: a tag, a digest or an id.
    pub reference: String,
    /// The engine's id; a cluster says what the kubelet reported.
    pub id: Option<ImageId>,
    /// `repository@digest` names that it has.
    pub digests: Vec<String>,
    /// What it holds; `None` when the image is gone from the engine or belongs to a cluster.
    pub content: Option<ContentIdentity>,
}

/// Health of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TargetHealth {
    /// Its health check passes, or all replicas are ready.
    Healthy,
    /// It runs and has no health check.
    Running,
    /// Its health check has not decided yet, or a rollout is under way.
    Starting,
    /// Its health check fails, or too few replicas are ready.
    Unhealthy,
    /// It ends and is started again and again.
    Restarting,
    /// A person paused it.
    Paused,
    /// It is stopped, or scaled to zero.
    Stopped,
    /// It does not run by itself (webhook, CronJob).
    None,
}

/// How many instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Replicas {
    /// Asked for.
    pub wanted: u32,
    /// Up (and healthy, where that is known).
    pub ready: u32,
}

/// A port that is open to the outside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct PublishedAddress {
    /// Address of the host that it is bound to; `0.0.0.0` and `::` mean every address.
    pub host_ip: String,
    /// Port of the host.
    pub host_port: u16,
    /// Port inside.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
}

/// One container, task or pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Instance {
    /// The engine's or cluster's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its image, as its configuration names it.
    pub image: String,
    /// Its health.
    pub health: TargetHealth,
    /// Running since.
    pub started_at: Option<DateTime<Utc>>,
}

/// Who looks after a container besides the person who made it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ManagedBy {
    /// Docker Compose.
    Compose {
        /// The project.
        project: String,
        /// The service.
        service: String,
    },
    /// Docker Swarm.
    Swarm {
        /// The service.
        service: String,
    },
    /// A kubelet.
    Kubernetes {
        /// The pod.
        pod: String,
    },
    /// Another program; it would undo or repeat what we do.
    Other {
        /// The label that gave it away.
        label: String,
    },
    /// Slipway ran this image as a service.
    Slipway,
}
