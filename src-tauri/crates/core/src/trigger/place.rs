//! Where targets are looked for.

use crate::deploy::DeployTarget;
use serde::{Deserialize, Serialize};

/// A place that runs services: the first step of the target's cascade.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeployPlace {
    /// A Docker engine.
    Engine {
        /// `local`, or `context:<name>`.
        engine: String,
    },
    /// A Kubernetes cluster.
    Cluster {
        /// Path of the kubeconfig file.
        kubeconfig: String,
        /// Context in that file.
        context: String,
        /// The `exec` plugin's command line that a person allowed.
        #[serde(default)]
        allowed_exec: Option<String>,
    },
}

impl DeployPlace {
    /// Returns where a target is; `None` for a webhook, which is nowhere.
    #[must_use]
    pub fn of(target: &DeployTarget) -> Option<Self> {
        match target {
            DeployTarget::KubernetesContainer { kubeconfig, context, allowed_exec, .. } => Some(Self::Cluster {
                kubeconfig: kubeconfig.clone(),
                context: context.clone(),
                allowed_exec: allowed_exec.clone(),
            }),
            other => other.engine().map(|engine| Self::Engine { engine: engine.to_owned() }),
        }
    }
}
