//! What an image is deployed to, and which image.

use crate::ids::SecretId;
use crate::image::{ContentIdentity, Digest, ImageId, ImageReference};
use crate::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};

/// What a trigger updates. `engine` is `local`, or `context:<name>` of a Docker context, as in a rule's build options.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeployTarget {
    /// One container, found by its name: it stays the target when it is recreated.
    Container {
        /// The engine.
        engine: String,
        /// The container's name, without the leading slash.
        name: String,
    },
    /// All containers of one service of a Compose project.
    ComposeService {
        /// The engine.
        engine: String,
        /// The project (`com.docker.compose.project`).
        project: String,
        /// The service (`com.docker.compose.service`).
        service: String,
    },
    /// A Swarm service.
    SwarmService {
        /// An engine that is a manager of the swarm.
        engine: String,
        /// The service's name.
        name: String,
    },
    /// One container of a Kubernetes workload. Context and namespace are pinned; "current" ones are never used (T20).
    KubernetesContainer {
        /// Path of the kubeconfig file.
        kubeconfig: String,
        /// Context in that file.
        context: String,
        /// Namespace.
        namespace: String,
        /// Kind of the workload.
        workload_kind: WorkloadKind,
        /// Name of the workload.
        workload: String,
        /// Name of the container in the pod template.
        container: String,
        /// The `exec` plugin's command line as the person saw and allowed it; another one never runs.
        #[serde(default)]
        allowed_exec: Option<String>,
    },
    /// A webhook that is told about the new tag.
    Webhook {
        /// Where to POST.
        url: String,
        /// Headers to send.
        #[serde(default)]
        headers: Vec<WebhookHeader>,
        /// The sealed key that signs the body (HMAC-SHA256).
        #[serde(default)]
        signing_secret: Option<SecretId>,
        /// A person allowed an address in a private network.
        #[serde(default)]
        allow_private: bool,
    },
}

impl DeployTarget {
    /// Identity of the target: firings with the same key are serial. Settings that do not change what is touched (consent,
    /// headers) are not part of it.
    #[must_use]
    pub fn key(&self) -> String {
        // JSON keeps parts with any character apart.
        let parts: Vec<&str> = match self {
            Self::Container { engine, name } => vec!["container", engine, name],
            Self::ComposeService { engine, project, service } => vec!["compose", engine, project, service],
            Self::SwarmService { engine, name } => vec!["swarm", engine, name],
            Self::KubernetesContainer {
                kubeconfig, context, namespace, workload_kind, workload, container, ..
            } => {
                vec!["kubernetes", kubeconfig, context, namespace, workload_kind.as_str(), workload, container]
            }
            Self::Webhook { url, .. } => vec!["webhook", url],
        };
        serde_json::Value::from(parts).to_string()
    }

    /// Returns what people call it: the container, the service, the workload, or the host that a webhook calls.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Container { name, .. } | Self::SwarmService { name, .. } => name.clone(),
            Self::ComposeService { project, service, .. } => format!("{project}/{service}"),
            Self::KubernetesContainer { namespace, workload, .. } => format!("{namespace}/{workload}"),
            Self::Webhook { url, .. } => {
                let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                host.rsplit('@').next().unwrap_or_default().to_owned()
            }
        }
    }

    /// Returns the engine's name when the target is on a Docker engine.
    #[must_use]
    pub fn engine(&self) -> Option<&str> {
        match self {
            Self::Container { engine, .. }
            | Self::ComposeService { engine, .. }
            | Self::SwarmService { engine, .. } => Some(engine),
            Self::KubernetesContainer { .. } | Self::Webhook { .. } => None,
        }
    }
}

/// Kinds of Kubernetes workloads that can be updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum WorkloadKind {
    /// Deployment.
    Deployment,
    /// StatefulSet.
    StatefulSet,
    /// DaemonSet.
    DaemonSet,
    /// CronJob: its next run has the new image.
    CronJob,
}

impl WorkloadKind {
    /// Returns the kind as it stands in manifests, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::CronJob => "cronjob",
        }
    }
}

/// One header of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct WebhookHeader {
    /// Its name.
    pub name: String,
    /// Its sealed value: most of these are authorisations.
    pub value: SecretId,
}

/// The image to deploy: always an exact one, never only a tag (T25).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct DeployImage {
    /// `host/name:tag`: what people see and what the target is given where the exact image can be proven behind it.
    pub reference: String,
    /// The manifest digest, when it is in a registry.
    pub digest: Option<Digest>,
    /// The engine's id, when an engine has it.
    pub id: Option<ImageId>,
    /// What it holds, when that is known; a target that runs this content is left alone.
    pub content: Option<ContentIdentity>,
}

impl DeployImage {
    /// Checks the reference and that the image is exact.
    ///
    /// # Errors
    /// [`ErrorCode::BadImageReference`] for another text; [`ErrorCode::InvalidField`] without digest and id.
    pub fn check(&self) -> Result<ImageReference, Failure> {
        if self.digest.is_none() && self.id.is_none() {
            return Err(Failure::new(ErrorCode::InvalidField, format!("{} names no exact image", self.reference)));
        }
        ImageReference::parse(&self.reference)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pretty_assertions::{assert_eq, assert_ne};

    #[test]
    fn a_targets_key_names_what_is_touched_and_nothing_else() {
        let container = |engine: &str, name: &str| DeployTarget::Container { engine: engine.into(), name: name.into() };
        assert_eq!(container("local", "web").key(), container("local", "web").key());
        assert_ne!(container("local", "web").key(), container("context:x", "web").key());
        // Parts do not run into each other.
        let compose = |project: &str, service: &str| DeployTarget::ComposeService {
            engine: "local".into(),
            project: project.into(),
            service: service.into(),
        };
        assert_ne!(compose("a\",\"b", "c").key(), compose("a", "b\",\"c").key());
        let hook = |allow_private| DeployTarget::Webhook {
            url: "https://x.example/".into(),
            headers: Vec::new(),
            signing_secret: None,
            allow_private,
        };
        assert_eq!(hook(true).key(), hook(false).key());
        assert_eq!((hook(true).engine(), container("local", "web").engine()), (None, Some("local")));
    }

    #[test]
    fn t25_an_image_without_digest_and_id_is_no_image_to_deploy() {
        let mut image = DeployImage { reference: "a:1".into(), digest: None, id: None, content: None };
        assert_eq!(image.check().unwrap_err().code, ErrorCode::InvalidField);
        image.id = Some(ImageId("sha256:1".into()));
        assert_eq!(image.check().unwrap().to_string(), "docker.io/library/a:1");
        image.reference = "A:1".into();
        assert_eq!(image.check().unwrap_err().code, ErrorCode::BadImageReference);
    }
}
