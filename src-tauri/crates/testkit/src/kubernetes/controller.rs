//! The controllers of the cluster: they observe generations, make and remove pods one at a time, and write statuses.

use super::State;
use super::objects::{Objects, Resource, template};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// How pods with an image fare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rollout {
    /// They become ready.
    Completes,
    /// Their image cannot be pulled, with this reason and message.
    PullFails {
        /// Such as `ErrImagePull`.
        reason: String,
        /// The kubelet's message.
        message: String,
    },
    /// They run and never become ready, and the controller gives up (`ProgressDeadlineExceeded`).
    ExceedsDeadline,
    /// They run and never become ready.
    NeverReady,
    /// They are ready for a moment, then end, again and again.
    Crashes,
    /// The controller does not look at the workload.
    NeverObserved,
}

/// How long a controller takes for one step.
const STEP: Duration = Duration::from_millis(25);

/// Works until it is dropped.
pub(super) async fn run(state: Arc<State>) {
    loop {
        tokio::time::sleep(STEP).await;
        let mut changed = false;
        {
            let mut objects = super::unpoisoned(&state.objects);
            for (resource, namespace, name) in objects.workloads() {
                changed |= step(&mut objects, resource, &namespace, &name);
            }
        }
        if changed {
            state.announce();
        }
    }
}

/// Lets the controllers work until nothing is left to do.
pub(super) fn settle(objects: &mut Objects, resource: Resource, namespace: &str, name: &str) {
    for _ in 0..100 {
        if !step(objects, resource, namespace, name) {
            return;
        }
    }
}

/// What the controllers know about the pods of one workload.
struct Pods {
    /// Of the newest template: name, ready.
    new: Vec<(String, bool)>,
    /// Of others.
    old: Vec<(String, bool)>,
}

impl Pods {
    fn of(objects: &Objects, namespace: &str, name: &str, hash: &str) -> Self {
        let mut pods = Self { new: Vec::new(), old: Vec::new() };
        for pod in objects.list(Resource::Pods, namespace) {
            if pod["metadata"]["labels"]["app"] != name {
                continue;
            }
            let one = (pod["metadata"]["name"].as_str().unwrap_or_default().to_owned(), is_ready(pod));
            let new = pod["metadata"]["labels"]["pod-template-hash"] == hash;
            if new { pods.new.push(one) } else { pods.old.push(one) }
        }
        pods
    }

    fn ready(&self) -> usize {
        self.new.iter().chain(&self.old).filter(|pod| pod.1).count()
    }
}

/// Does one thing for one workload; false when there is nothing to do.
fn step(objects: &mut Objects, resource: Resource, namespace: &str, name: &str) -> bool {
    let Some(workload) = objects.get(resource, namespace, name).cloned() else { return false };
    if resource == Resource::CronJobs {
        return false;
    }
    let wanted = workload["spec"]["replicas"].as_u64().or(workload["wanted"].as_u64()).unwrap_or(1) as usize;
    let pod = template(resource, &workload);
    let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned();
    let fate = objects.scripts.get(&(namespace.to_owned(), name.to_owned(), image)).cloned();
    let fate = fate.unwrap_or(Rollout::Completes);
    let observed = workload["status"]["observedGeneration"] == workload["metadata"]["generation"];
    if fate == Rollout::NeverObserved && !observed || workload["spec"]["paused"] == true {
        return false;
    }
    let hash = short_hash(&pod.to_string());
    let pods = Pods::of(objects, namespace, name, &hash);
    if observed {
        let worst = pods.old.iter().find(|pod| !pod.1).or(pods.old.first().filter(|_| pods.ready() > wanted));
        if let Some((worst, _)) = worst.or(pods.new.get(wanted)) {
            objects.remove(Resource::Pods, namespace, worst);
        } else if pods.new.len() < wanted && pods.new.iter().all(|pod| pod.1) {
            let number = pods.new.len();
            objects.put(Resource::Pods, make_pod(namespace, name, &hash, number, pod, &fate));
        } else if fate == Rollout::Crashes
            && let Some((crashed, ready)) = pods.new.first()
        {
            let mut pod = objects.get(Resource::Pods, namespace, crashed).cloned().unwrap_or_default();
            crash(&mut pod, *ready);
            objects.put(Resource::Pods, pod);
        }
    }
    let pods = Pods::of(objects, namespace, name, &hash);
    let status = status(resource, &workload, &pods, wanted, &hash, &fate);
    if workload["status"] == status {
        return false;
    }
    let mut workload = workload;
    workload["status"] = status;
    objects.put(resource, workload);
    true
}

fn status(resource: Resource, workload: &Value, pods: &Pods, wanted: usize, hash: &str, fate: &Rollout) -> Value {
    let generation = &workload["metadata"]["generation"];
    let (all, updated, ready) = (pods.new.len() + pods.old.len(), pods.new.len(), pods.ready());
    let new_ready = pods.new.iter().filter(|pod| pod.1).count();
    let complete = updated == wanted && new_ready == wanted && pods.old.is_empty();
    match resource {
        Resource::DaemonSets => json!({
            "observedGeneration": generation, "desiredNumberScheduled": wanted, "currentNumberScheduled": all,
            "updatedNumberScheduled": updated, "numberReady": ready, "numberAvailable": ready,
            "numberUnavailable": wanted.saturating_sub(ready), "numberMisscheduled": 0,
        }),
        Resource::StatefulSets => {
            let before = workload["status"]["currentRevision"].as_str().unwrap_or(hash);
            let current = if complete { hash } else { before };
            json!({
                "observedGeneration": generation, "replicas": all, "updatedReplicas": updated, "readyReplicas": ready,
                "availableReplicas": ready, "currentRevision": current, "updateRevision": hash,
            })
        }
        _ => {
            let given_up = *fate == Rollout::ExceedsDeadline && !complete && updated > 0;
            let (status, reason) = match (complete, given_up) {
                (true, _) => ("True", "NewReplicaSetAvailable"),
                (_, true) => ("False", "ProgressDeadlineExceeded"),
                _ => ("True", "ReplicaSetUpdated"),
            };
            json!({
                "observedGeneration": generation, "replicas": all, "updatedReplicas": updated, "readyReplicas": ready,
                "availableReplicas": ready, "unavailableReplicas": all - ready,
                "conditions": [{"type": "Progressing", "status": status, "reason": reason, "message": reason}],
            })
        }
    }
}

fn make_pod(namespace: &str, name: &str, hash: &str, number: usize, template: &Value, fate: &Rollout) -> Value {
    let pod = format!("{name}-{hash}-{number}");
    let ready = matches!(fate, Rollout::Completes | Rollout::Crashes);
    let containers = template["spec"]["containers"].as_array().cloned().unwrap_or_default();
    let statuses: Vec<Value> = containers
        .iter()
        .map(|container| {
            let image = container["image"].as_str().unwrap_or_default();
            let state = match fate {
                Rollout::PullFails { reason, message } => json!({"waiting": {"reason": reason, "message": message}}),
                _ => json!({"running": {"startedAt": "2026-01-01T00:00:01Z"}}),
            };
            let pulled = !matches!(fate, Rollout::PullFails { .. });
            json!({"name": container["name"], "image": image, "ready": ready, "restartCount": 0, "state": state,
                "imageID": if pulled { image_id(image) } else { String::new() }})
        })
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": pod, "namespace": namespace, "uid": format!("uid-{pod}"),
            "labels": {"app": name, "pod-template-hash": hash}},
        "spec": template["spec"],
        "status": {"phase": if pulled_all(&statuses) { "Running" } else { "Pending" },
            "startTime": "2026-01-01T00:00:00Z", "containerStatuses": statuses},
    })
}

fn pulled_all(statuses: &[Value]) -> bool {
    statuses.iter().all(|status| status["imageID"] != "")
}

/// A pod that crashes is ready, then it is not, and so on.
fn crash(pod: &mut Value, ready: bool) {
    let status = &mut pod["status"]["containerStatuses"][0];
    let restarts = status["restartCount"].as_u64().unwrap_or_default();
    status["ready"] = (!ready).into();
    status["restartCount"] = (restarts + u64::from(!ready)).into();
    status["state"] = if ready {
        json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}})
    } else {
        json!({"running": {"startedAt": "2026-01-01T00:00:01Z"}})
    };
}

fn is_ready(pod: &Value) -> bool {
    let statuses = pod["status"]["containerStatuses"].as_array();
    statuses.is_some_and(|statuses| statuses.iter().all(|status| status["ready"] == true))
}

/// The image as a kubelet says what it pulled: by digest.
fn image_id(image: &str) -> String {
    if let Some((name, digest)) = image.split_once('@') {
        return format!("{}@{digest}", repository(name));
    }
    format!("{}@{}", repository(image), digest_of(image))
}

/// The digest that the cluster pulls for a tag.
pub(super) fn digest_of(image: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(image)))
}

fn repository(name: &str) -> &str {
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => name,
    }
}

fn short_hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..5])
}
