//! One workload as the cluster has it: where its containers and images stand, and how far its rollout is.

use crate::docker::containers::LABEL_DEPLOY;
use serde_json::{Value, json};
use slipway_core::deploy::{
    DeployKey, Instance, ManagedBy, Refusal, Replicas, RunningImage, TargetHealth, TargetState, WorkloadKind,
};
use slipway_core::{ErrorCode, Failure};

/// A workload.
pub(super) struct Workload {
    pub(super) kind: WorkloadKind,
    pub(super) object: Value,
}

/// How far a rollout is. The rules are those of `kubectl rollout status`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Under way.
    NotYet,
    /// Everything that is wanted runs the newest template, and is available.
    Done,
    /// The cluster gave up.
    GaveUp(String),
}

/// Path of a kind's list in a namespace.
pub(super) fn list_path(kind: WorkloadKind, namespace: &str) -> Result<String, Failure> {
    let group = if kind == WorkloadKind::CronJob { "batch" } else { "apps" };
    Ok(format!("/apis/{group}/v1/namespaces/{}/{}s", part("namespace", namespace)?, kind.as_str()))
}

/// Path of the pods of a namespace.
pub(super) fn pods_path(namespace: &str) -> Result<String, Failure> {
    Ok(format!("/api/v1/namespaces/{}/pods", part("namespace", namespace)?))
}

/// Path of one workload.
pub(super) fn path(kind: WorkloadKind, namespace: &str, name: &str) -> Result<String, Failure> {
    Ok(format!("{}/{}", list_path(kind, namespace)?, part("workload", name)?))
}

/// A name as a part of a path: Kubernetes' own names (RFC 1123) cannot lead anywhere else.
fn part<'a>(field: &str, name: &'a str) -> Result<&'a str, Failure> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 253 && name.chars().all(legal) {
        return Ok(name);
    }
    Err(Failure::new(ErrorCode::InvalidField, "this is no name of an object in Kubernetes").at(field))
}

impl Workload {
    pub(super) fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub(super) fn version(&self) -> &str {
        self.object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
    }

    /// Counts changes of the specification, not of the status.
    pub(super) fn generation(&self) -> u64 {
        self.object["metadata"]["generation"].as_u64().unwrap_or_default()
    }

    /// Whose update stands in it.
    pub(super) fn deploy_key(&self) -> Option<&str> {
        self.object["metadata"]["annotations"][LABEL_DEPLOY].as_str()
    }

    fn pod_spec(&self) -> &Value {
        match self.kind {
            WorkloadKind::CronJob => &self.object["spec"]["jobTemplate"]["spec"]["template"]["spec"],
            _ => &self.object["spec"]["template"]["spec"],
        }
    }

    /// Names of the containers.
    pub(super) fn containers(&self) -> Vec<String> {
        let containers = self.pod_spec()["containers"].as_array();
        containers.into_iter().flatten().filter_map(|one| one["name"].as_str().map(ToOwned::to_owned)).collect()
    }

    /// The image of a container, as the specification has it.
    pub(super) fn image(&self, container: &str) -> Option<&str> {
        let containers = self.pod_spec()["containers"].as_array()?;
        containers.iter().find(|one| one["name"] == container)?["image"].as_str()
    }

    /// The patch that gives a container another image. It applies to this version of the workload only.
    pub(super) fn patch(&self, container: &str, image: &str, key: Option<&DeployKey>) -> Value {
        let pod = json!({"spec": {"containers": [{"name": container, "image": image}]}});
        let spec = match self.kind {
            WorkloadKind::CronJob => json!({"jobTemplate": {"spec": {"template": pod}}}),
            _ => json!({"template": pod}),
        };
        let key = key.map_or(Value::Null, |key| key.0.as_str().into());
        json!({
            "metadata": {"resourceVersion": self.version(), "annotations": {LABEL_DEPLOY: key}},
            "spec": spec,
        })
    }

    /// The selector of its pods; `None` when it has none (CronJob) or one that cannot be written as text.
    pub(super) fn selector(&self) -> Option<String> {
        let selector = &self.object["spec"]["selector"];
        let mut parts = Vec::new();
        for (name, value) in selector["matchLabels"].as_object()? {
            parts.push(format!("{name}={}", value.as_str()?));
        }
        for rule in selector["matchExpressions"].as_array().into_iter().flatten() {
            let key = rule["key"].as_str()?;
            let values: Vec<&str> = rule["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            parts.push(match rule["operator"].as_str()? {
                "In" => format!("{key} in ({})", values.join(",")),
                "NotIn" => format!("{key} notin ({})", values.join(",")),
                "Exists" => key.to_owned(),
                "DoesNotExist" => format!("!{key}"),
                _ => return None,
            });
        }
        (!parts.is_empty()).then(|| parts.join(","))
    }

    /// Returns whether a pod is one of its own, by the labels that it asks for.
    pub(super) fn selects(&self, pod: &Pod) -> bool {
        let wanted = self.object["spec"]["selector"]["matchLabels"].as_object();
        let labels = &pod.0["metadata"]["labels"];
        wanted.is_some_and(|wanted| !wanted.is_empty() && wanted.iter().all(|(name, value)| labels[name] == *value))
    }

    fn count(&self, name: &str) -> u64 {
        self.object["status"][name].as_u64().unwrap_or_default()
    }

    pub(super) fn replicas(&self) -> Replicas {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let (wanted, ready) = match self.kind {
            WorkloadKind::Deployment => (self.wanted(), self.count("availableReplicas")),
            WorkloadKind::StatefulSet => (self.wanted(), self.count("readyReplicas")),
            WorkloadKind::DaemonSet => (self.count("desiredNumberScheduled"), self.count("numberAvailable")),
            WorkloadKind::CronJob => (0, 0),
        };
        Replicas { wanted: small(wanted), ready: small(ready) }
    }

    fn wanted(&self) -> u64 {
        self.object["spec"]["replicas"].as_u64().unwrap_or(1)
    }

    /// How many run the newest template.
    pub(super) fn updated(&self) -> u64 {
        match self.kind {
            WorkloadKind::DaemonSet => self.count("updatedNumberScheduled"),
            _ => self.count("updatedReplicas"),
        }
    }

    pub(super) fn progress(&self) -> Progress {
        if self.kind == WorkloadKind::CronJob {
            return Progress::Done;
        }
        // What the controller has not seen yet says nothing about our change.
        if self.count("observedGeneration") < self.generation() {
            return Progress::NotYet;
        }
        let done = match self.kind {
            WorkloadKind::Deployment => {
                let conditions = self.object["status"]["conditions"].as_array();
                let gave_up = conditions
                    .into_iter()
                    .flatten()
                    .find(|one| one["type"] == "Progressing" && one["reason"] == "ProgressDeadlineExceeded");
                if gave_up.is_some() {
                    return Progress::GaveUp("the cluster's progress deadline passed".to_owned());
                }
                let updated = self.updated();
                updated >= self.wanted()
                    && self.count("replicas") <= updated
                    && self.count("availableReplicas") >= updated
            }
            WorkloadKind::DaemonSet => {
                let wanted = self.count("desiredNumberScheduled");
                self.updated() >= wanted && self.count("numberAvailable") >= wanted
            }
            _ => {
                let partition = self.object["spec"]["updateStrategy"]["rollingUpdate"]["partition"].as_u64();
                let ready = self.count("readyReplicas") >= self.wanted();
                match partition.filter(|partition| *partition > 0) {
                    Some(partition) => ready && self.updated() >= self.wanted().saturating_sub(partition),
                    None => {
                        ready && self.object["status"]["updateRevision"] == self.object["status"]["currentRevision"]
                    }
                }
            }
        };
        if done { Progress::Done } else { Progress::NotYet }
    }

    /// Why it cannot be updated as it is.
    pub(super) fn problems(&self, container: &str) -> Vec<Refusal> {
        let mut problems = Vec::new();
        let owners = self.object["metadata"]["ownerReferences"].as_array();
        if let Some(owner) = owners.into_iter().flatten().find(|one| one["controller"] == true) {
            let part = |name: &str| owner[name].as_str().unwrap_or_default().to_owned();
            problems.push(Refusal::OwnedBy { owner: format!("{}/{}", part("kind"), part("name")) });
        }
        if self.image(container).is_none() {
            problems.push(Refusal::NoSuchContainer { names: self.containers() });
        }
        if self.object["spec"]["paused"] == true {
            problems.push(Refusal::Paused);
        }
        let scaled = matches!(self.kind, WorkloadKind::Deployment | WorkloadKind::StatefulSet);
        if scaled && self.wanted() == 0 {
            problems.push(Refusal::ScaledToZero);
        }
        if self.object["spec"]["updateStrategy"]["type"] == "OnDelete" {
            problems.push(Refusal::Unfaithful {
                setting: "updateStrategy".to_owned(),
                why: "with OnDelete the pods keep the old image until somebody deletes them".to_owned(),
            });
        }
        problems
    }

    fn managed_by(&self) -> Option<ManagedBy> {
        let metadata = &self.object["metadata"];
        if metadata["annotations"]["argocd.argoproj.io/tracking-id"].is_string() {
            return Some(ManagedBy::Other { label: "argocd.argoproj.io/tracking-id".to_owned() });
        }
        let label = "app.kubernetes.io/managed-by";
        let by = metadata["labels"][label].as_str()?;
        Some(ManagedBy::Other { label: format!("{label}={by}") })
    }

    /// What one of its containers runs.
    pub(super) fn state(&self, container: &str, pods: &[Pod]) -> TargetState {
        let running: Vec<&Pod> = pods.iter().filter(|pod| !pod.is_ending()).collect();
        let mut digests: Vec<String> = running.iter().filter_map(|pod| pod.digest(container)).collect();
        digests.sort();
        digests.dedup();
        let images: std::collections::BTreeSet<String> =
            running.iter().filter_map(|pod| pod.image(container)).map(ToOwned::to_owned).collect();
        let mixed = digests.len() > 1 || images.len() > 1;
        let image = self.image(container).map(|reference| RunningImage {
            reference: reference.to_owned(),
            id: None,
            digests: if mixed { Vec::new() } else { digests },
            content: None,
        });
        let instances = running
            .iter()
            .map(|pod| Instance {
                id: pod.text("uid"),
                name: pod.text("name"),
                image: pod.image(container).unwrap_or_default().to_owned(),
                health: pod.health(container),
                started_at: pod.0["status"]["startTime"].as_str().and_then(|time| time.parse().ok()),
            })
            .collect();
        TargetState {
            image,
            mixed,
            health: self.health(container, &running),
            replicas: self.replicas(),
            addresses: Vec::new(),
            instances,
            managed_by: self.managed_by(),
            problems: self.problems(container),
        }
    }

    fn health(&self, container: &str, pods: &[&Pod]) -> TargetHealth {
        let replicas = self.replicas();
        if self.kind == WorkloadKind::CronJob {
            return TargetHealth::None;
        }
        if self.object["spec"]["paused"] == true {
            return TargetHealth::Paused;
        }
        match self.progress() {
            _ if replicas.wanted == 0 => TargetHealth::Stopped,
            Progress::Done => TargetHealth::Healthy,
            Progress::GaveUp(_) => TargetHealth::Unhealthy,
            Progress::NotYet if pods.iter().any(|pod| pod.health(container) == TargetHealth::Restarting) => {
                TargetHealth::Restarting
            }
            Progress::NotYet => TargetHealth::Starting,
        }
    }
}

/// A pod.
pub(super) struct Pod(pub(super) Value);

impl Pod {
    pub(super) fn text(&self, name: &str) -> String {
        self.0["metadata"][name].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn is_ending(&self) -> bool {
        self.0["metadata"]["deletionTimestamp"].is_string()
    }

    /// The image that the pod asks for.
    pub(super) fn image(&self, container: &str) -> Option<&str> {
        let containers = self.0["spec"]["containers"].as_array()?;
        containers.iter().find(|one| one["name"] == container)?["image"].as_str()
    }

    fn status(&self, container: &str) -> Option<&Value> {
        let statuses = self.0["status"]["containerStatuses"].as_array()?;
        statuses.iter().find(|one| one["name"] == container)
    }

    /// `repository@digest` that the kubelet pulled.
    fn digest(&self, container: &str) -> Option<String> {
        let id = self.status(container)?["imageID"].as_str()?;
        let id = id.rsplit_once("://").map_or(id, |(_, id)| id);
        id.contains('@').then(|| id.to_owned())
    }

    /// How often its containers were started again.
    pub(super) fn restarts(&self) -> u64 {
        let statuses = self.0["status"]["containerStatuses"].as_array();
        statuses.into_iter().flatten().filter_map(|one| one["restartCount"].as_u64()).sum()
    }

    fn health(&self, container: &str) -> TargetHealth {
        let Some(status) = self.status(container) else { return TargetHealth::Starting };
        if status["ready"] == true {
            return TargetHealth::Healthy;
        }
        match status["state"]["waiting"]["reason"].as_str() {
            Some("CrashLoopBackOff") => TargetHealth::Restarting,
            Some(_) => TargetHealth::Starting,
            None if status["state"]["terminated"].is_object() => TargetHealth::Restarting,
            None => TargetHealth::Unhealthy,
        }
    }

    /// What keeps its containers from running: `(reason, sentence)`, by the kubelet's and the scheduler's words.
    pub(super) fn troubles(&self) -> Vec<(String, String)> {
        let mut troubles = Vec::new();
        let parts = ["initContainerStatuses", "containerStatuses"];
        let statuses = parts.iter().filter_map(|part| self.0["status"][*part].as_array()).flatten();
        for status in statuses {
            let waiting = &status["state"]["waiting"];
            let reason = waiting["reason"].as_str().unwrap_or_default();
            if matches!(reason, "" | "ContainerCreating" | "PodInitializing") {
                continue;
            }
            let message = waiting["message"].as_str().unwrap_or_default();
            troubles.push((reason.to_owned(), self.sentence(reason, message)));
        }
        for condition in self.0["status"]["conditions"].as_array().into_iter().flatten() {
            if condition["reason"] == "Unschedulable" {
                let message = condition["message"].as_str().unwrap_or_default();
                troubles.push(("Unschedulable".to_owned(), self.sentence("Unschedulable", message)));
            }
        }
        troubles
    }

    fn sentence(&self, reason: &str, message: &str) -> String {
        let all = format!("pod {}: {reason}: {message}", self.text("name"));
        all.chars().filter(|c| !c.is_control()).take(400).collect::<String>().trim_end_matches([' ', ':']).to_owned()
    }
}

/// The workload changed under our hands.
pub(super) fn changed(name: &str) -> Failure {
    Failure::new(ErrorCode::TargetChanged, format!("somebody else changed {name} meanwhile")).with("workload", name)
}
