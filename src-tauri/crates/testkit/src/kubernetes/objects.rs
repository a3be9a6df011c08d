//! The objects of the cluster, with their versions and the history that watches are fed from.

use super::controller::Rollout;
use super::merge::merge;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Resource {
    Deployments,
    StatefulSets,
    DaemonSets,
    CronJobs,
    Pods,
}

impl Resource {
    pub(super) const ALL: [Self; 5] =
        [Self::Deployments, Self::StatefulSets, Self::DaemonSets, Self::CronJobs, Self::Pods];

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Deployments => "Deployment",
            Self::StatefulSets => "StatefulSet",
            Self::DaemonSets => "DaemonSet",
            Self::CronJobs => "CronJob",
            Self::Pods => "Pod",
        }
    }

    pub(super) fn plural(self) -> String {
        format!("{}s", self.kind().to_lowercase())
    }

    /// Group and version, as `apiVersion` has them.
    pub(super) fn api_version(self) -> &'static str {
        match self {
            Self::Pods => "v1",
            Self::CronJobs => "batch/v1",
            _ => "apps/v1",
        }
    }

    pub(super) fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.kind() == kind)
    }

    pub(super) fn of_path(api_version: &str, plural: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.api_version() == api_version && resource.plural() == plural)
    }
}

/// Something that happened to an object, for watches.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    pub(super) version: u64,
    pub(super) resource: Resource,
    pub(super) kind: &'static str,
    pub(super) object: Value,
}

type Key = (Resource, String, String);

/// Everything that there is.
#[derive(Default)]
pub(super) struct Objects {
    version: u64,
    objects: BTreeMap<Key, Value>,
    /// What happened, oldest first.
    pub(super) history: Vec<Happened>,
    /// How pods fare, by namespace, workload and image.
    pub(super) scripts: HashMap<(String, String, String), Rollout>,
}

/// Why a patch was not applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PatchRefused {
    NotFound,
    Conflict,
}

impl Objects {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&(resource, namespace.to_owned(), name.to_owned()))
    }

    pub(super) fn list(&self, resource: Resource, namespace: &str) -> Vec<&Value> {
        let here = |key: &Key| key.0 == resource && key.1 == namespace;
        self.objects.iter().filter(|(key, _)| here(key)).map(|(_, object)| object).collect()
    }

    pub(super) fn workloads(&self) -> Vec<(Resource, String, String)> {
        self.objects.keys().filter(|key| key.0 != Resource::Pods).cloned().collect()
    }

    /// Stores an object under its next version.
    pub(super) fn put(&mut self, resource: Resource, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
        let key = (resource, part("namespace"), part("name"));
        let known = self.objects.insert(key, object.clone()).is_some();
        let kind = if known { "MODIFIED" } else { "ADDED" };
        self.history.push(Happened { version: self.version, resource, kind, object });
    }

    pub(super) fn remove(&mut self, resource: Resource, namespace: &str, name: &str) {
        if let Some(mut object) = self.objects.remove(&(resource, namespace.to_owned(), name.to_owned())) {
            self.version += 1;
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
            self.history.push(Happened { version: self.version, resource, kind: "DELETED", object });
        }
    }

    /// Applies a strategic merge patch; a changed specification is a new generation.
    pub(super) fn patch(
        &mut self,
        resource: Resource,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, PatchRefused> {
        let before = self.get(resource, namespace, name).ok_or(PatchRefused::NotFound)?.clone();
        let expected = &patch["metadata"]["resourceVersion"];
        if !expected.is_null() && *expected != before["metadata"]["resourceVersion"] {
            return Err(PatchRefused::Conflict);
        }
        let mut after = before.clone();
        merge(&mut after, patch);
        if after["spec"] != before["spec"] {
            let generation = before["metadata"]["generation"].as_u64().unwrap_or_default();
            after["metadata"]["generation"] = (generation + 1).into();
        }
        self.put(resource, after);
        Ok(self.get(resource, namespace, name).cloned().unwrap_or_default())
    }

    pub(super) fn script(&mut self, namespace: &str, name: &str, image: &str, rollout: Rollout) {
        self.scripts.insert((namespace.to_owned(), name.to_owned(), image.to_owned()), rollout);
    }
}

/// The pod template of a workload.
pub(super) fn template(resource: Resource, workload: &Value) -> &Value {
    match resource {
        Resource::CronJobs => &workload["spec"]["jobTemplate"]["spec"]["template"],
        _ => &workload["spec"]["template"],
    }
}

/// A new workload, without a status.
pub(super) fn workload(
    resource: Resource,
    namespace: &str,
    name: &str,
    replicas: u32,
    containers: &[(&str, &str)],
) -> Value {
    let containers: Vec<Value> = containers.iter().map(|(name, image)| json!({"name": name, "image": image})).collect();
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}});
    let selector = json!({"matchLabels": {"app": name}});
    let rolling = json!({"type": "RollingUpdate"});
    let spec = match resource {
        Resource::Deployments => {
            json!({"replicas": replicas, "selector": selector, "strategy": rolling, "template": template})
        }
        Resource::StatefulSets => {
            json!({"replicas": replicas, "selector": selector, "updateStrategy": rolling, "template": template,
                "serviceName": name})
        }
        Resource::DaemonSets => json!({"selector": selector, "updateStrategy": rolling, "template": template}),
        Resource::CronJobs => {
            json!({"schedule": "0 3 * * *", "suspend": false, "jobTemplate": {"spec": {"template": template}}})
        }
        Resource::Pods => Value::Null,
    };
    json!({
        "apiVersion": resource.api_version(),
        "kind": resource.kind(),
        "metadata": {"name": name, "namespace": namespace, "uid": format!("uid-{name}"), "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": spec,
        "wanted": replicas,
    })
}
