//! A scripted Kubernetes API server: as much of the real one's behaviour as a client that updates workloads can meet.
//! Resource versions and their conflicts, strategic merge patches, generations and observed generations, watches with their
//! ends, rollouts that go well or stall. `kubectl rollout status` passes against it (`tests/kubernetes.rs`).

mod controller;
mod merge;
mod objects;
mod server;

pub use controller::Rollout;

use crate::PrivateCa;
use base64::Engine as _;
use objects::{Objects, Resource};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What the server does wrong, once for each time it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterFault {
    /// The next request is answered with this status.
    Refuse(u16),
    /// Before the next patch is applied, the workload's status moves: its resource version is no longer the client's.
    Conflict,
    /// The next patch is applied, and its answer is lost.
    LosePatchAnswer,
    /// The next watch is cut before its first event.
    CutWatch,
    /// The next watch begins too far in the past (410, as an event).
    ExpireWatch,
    /// The next watch begins too far in the past (410, as the answer's status).
    RefuseWatchAsGone,
}

/// A running cluster of one API server, with the namespaces `default` and `shop`. Dropping it ends it.
pub struct KubernetesCluster {
    address: SocketAddr,
    ca: PrivateCa,
    folder: TempDir,
    state: Arc<State>,
    _running: DropGuard,
}

pub(crate) struct State {
    objects: Mutex<Objects>,
    faults: Mutex<VecDeque<ClusterFault>>,
    token: Mutex<String>,
    seen: Mutex<Vec<String>>,
    patches_taken: Mutex<usize>,
    away: Mutex<bool>,
    changed: tokio::sync::watch::Sender<u64>,
}

impl KubernetesCluster {
    /// Starts a cluster.
    #[must_use]
    pub fn start() -> Self {
        let state = Arc::new(State {
            objects: Mutex::default(),
            faults: Mutex::default(),
            token: Mutex::new("first-token".to_owned()),
            seen: Mutex::default(),
            patches_taken: Mutex::default(),
            away: Mutex::default(),
            changed: tokio::sync::watch::Sender::new(0),
        });
        let ca = PrivateCa::new();
        let stop = CancellationToken::new();
        let address = server::start(ca.acceptor(), Arc::clone(&state), stop.clone());
        let folder = TempDir::new().expect("a temporary folder can be made");
        Self { address, ca, folder, state, _running: stop.drop_guard() }
    }

    /// Returns the server's address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Returns the token that is taken now.
    #[must_use]
    pub fn token(&self) -> String {
        unpoisoned(&self.state.token).clone()
    }

    /// From now on only this token is taken.
    pub fn set_token(&self, token: &str) {
        token.clone_into(&mut unpoisoned(&self.state.token));
    }

    /// While away, every connection is closed without an answer.
    pub fn set_away(&self, away: bool) {
        *unpoisoned(&self.state.away) = away;
    }

    /// Writes a kubeconfig with the context `test`, whose user is this object (`{"token": …}`, `{"exec": …}`). Returns its
    /// path. `current-context` names another cluster, which does not exist.
    #[must_use]
    pub fn kubeconfig(&self, name: &str, user: &Value) -> PathBuf {
        let ca = base64::engine::general_purpose::STANDARD.encode(self.ca.pem());
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "elsewhere",
            "clusters": [
                {"name": "scripted", "cluster": {"server": self.url(), "certificate-authority-data": ca}},
                {"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}},
            ],
            "users": [{"name": "ann", "user": user}],
            "contexts": [
                {"name": "elsewhere", "context": {"cluster": "nowhere", "user": "ann"}},
                {"name": "test", "context": {"cluster": "scripted", "user": "ann", "namespace": "shop"}},
            ],
        });
        let path = self.folder.path().join(name);
        // JSON is YAML; a comment is not JSON.
        std::fs::write(&path, format!("# made by a test\n{config:#}\n")).expect("a kubeconfig can be written");
        path
    }

    /// Writes a kubeconfig whose user has the token that is taken now.
    #[must_use]
    pub fn token_kubeconfig(&self) -> PathBuf {
        self.kubeconfig("config", &json!({"token": self.token()}))
    }

    /// Returns a folder for a test's own files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a workload that runs: `kind` is `Deployment`, `StatefulSet`, `DaemonSet` or `CronJob`, the containers are
    /// `(name, image)`. What it runs is ready.
    pub fn add_workload(&self, kind: &str, namespace: &str, name: &str, replicas: u32, containers: &[(&str, &str)]) {
        let resource = Resource::of_kind(kind).expect("a test makes a workload of a known kind");
        let mut objects = self.objects();
        objects.put(resource, objects::workload(resource, namespace, name, replicas, containers));
        controller::settle(&mut objects, resource, namespace, name);
        drop(objects);
        self.state.announce();
    }

    /// Says how the pods of a workload fare from now on when its first container has this image.
    pub fn script(&self, namespace: &str, name: &str, image: &str, rollout: Rollout) {
        self.objects().script(namespace, name, image, rollout);
        self.state.announce();
    }

    /// Changes a workload as somebody else would: a strategic merge patch, past every fault.
    pub fn change(&self, kind: &str, namespace: &str, name: &str, patch: &Value) {
        let resource = Resource::of_kind(kind).expect("a test changes a workload of a known kind");
        self.objects().patch(resource, namespace, name, patch).expect("the patch can be applied");
        self.state.announce();
    }

    /// Removes a workload.
    pub fn remove(&self, kind: &str, namespace: &str, name: &str) {
        let resource = Resource::of_kind(kind).expect("a test removes a workload of a known kind");
        self.objects().remove(resource, namespace, name);
        self.state.announce();
    }

    /// Returns a workload as it is.
    #[must_use]
    pub fn workload(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        self.objects().get(Resource::of_kind(kind)?, namespace, name).cloned()
    }

    /// Returns the image of a workload's container.
    #[must_use]
    pub fn image(&self, kind: &str, namespace: &str, name: &str, container: &str) -> Option<String> {
        let resource = Resource::of_kind(kind)?;
        let workload = self.workload(kind, namespace, name)?;
        let containers = objects::template(resource, &workload)["spec"]["containers"].as_array()?.clone();
        let found = containers.iter().find(|one| one["name"] == container)?;
        found["image"].as_str().map(ToOwned::to_owned)
    }

    /// Returns the digest that the cluster pulls for an image named by a tag.
    #[must_use]
    pub fn digest_of(image: &str) -> String {
        controller::digest_of(image)
    }

    /// Lets the server do something wrong, after what it was asked to do wrong before.
    pub fn fault(&self, fault: ClusterFault) {
        unpoisoned(&self.state.faults).push_back(fault);
    }

    /// Returns the faults that nobody met yet.
    #[must_use]
    pub fn faults_left(&self) -> Vec<ClusterFault> {
        unpoisoned(&self.state.faults).iter().copied().collect()
    }

    /// Returns the requests that were answered, oldest first (`PATCH /apis/…`), without their queries; a watch is `WATCH`.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        unpoisoned(&self.state.seen).clone()
    }

    /// Returns how many patches changed something; one that meets a newer version of its object does not.
    #[must_use]
    pub fn patches_taken(&self) -> usize {
        *unpoisoned(&self.state.patches_taken)
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        unpoisoned(&self.state.objects)
    }
}

impl State {
    fn announce(&self) {
        self.changed.send_modify(|number| *number += 1);
    }

    /// Takes the next fault, if it is one of these.
    fn take_fault(&self, wanted: impl Fn(ClusterFault) -> bool) -> Option<ClusterFault> {
        let mut faults = unpoisoned(&self.faults);
        if faults.front().copied().is_some_and(wanted) { faults.pop_front() } else { None }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
