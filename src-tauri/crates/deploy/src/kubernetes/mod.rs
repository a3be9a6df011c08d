//! Action *Kubernetes*: one container of a workload gets a new image by a strategic merge patch, the cluster rolls it out,
//! and the earlier image is put back when that fails. Context and namespace are the target's, never "current" ones (T20).

mod cluster;
mod directory;
mod exec;
pub(crate) mod kubeconfig;
mod rollout;
mod workload;

pub use directory::KubernetesDirectory;
pub use kubeconfig::{KubeContext, kube_contexts};

use crate::trail::{Facts, Trail};
use async_trait::async_trait;
use cluster::{Cluster, Connected};
use serde_json::Value;
use slipway_core::deploy::{
    Applied, DeployAction, DeployImage, DeployJob, DeployJournal, DeployKey, DeployPlan, DeployTarget, JournalEntry,
    JournalMark, PlanStep, Planned, Refusal, Replicas, Standing, StepKind, TargetHealth, TargetState, WorkloadKind,
};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use workload::{Pod, Workload};

/// Facts of the [`StepKind::UpdateSpec`] entry.
const FACT_IMAGE: &str = "image";
const FACT_BEFORE: &str = "before";
/// How often a patch is tried, each time on a fresh look.
const PATCH_TRIES: u32 = 5;
/// Pause after a patch that did not come through; each later one is twice as long.
const PATCH_PAUSE: Duration = Duration::from_millis(200);

/// Updates workloads of clusters.
pub struct KubernetesAction {
    deadlines: Deadlines,
}

/// The parts of a target.
struct Place<'a> {
    kubeconfig: &'a str,
    context: &'a str,
    namespace: &'a str,
    kind: WorkloadKind,
    workload: &'a str,
    container: &'a str,
    allowed_exec: Option<&'a str>,
}

/// What a look before a patch says.
enum Patch {
    Go,
    /// It stands there already.
    Stands,
}

impl<'a> Place<'a> {
    fn of(target: &'a DeployTarget) -> Result<Self, Failure> {
        match target {
            DeployTarget::KubernetesContainer {
                kubeconfig,
                context,
                namespace,
                workload_kind,
                workload,
                container,
                allowed_exec,
            } => Ok(Self {
                kubeconfig,
                context,
                namespace,
                kind: *workload_kind,
                workload,
                container,
                allowed_exec: allowed_exec.as_deref(),
            }),
            _ => Err(Failure::internal("the target is no Kubernetes workload")),
        }
    }

    async fn connect(&self, deadlines: &Deadlines) -> Result<Connected, Failure> {
        Cluster::connect(self.kubeconfig, self.context, self.allowed_exec, deadlines).await
    }

    /// Connects, or fails where no person said yes.
    async fn connected(&self, deadlines: &Deadlines) -> Result<Cluster, Failure> {
        match self.connect(deadlines).await? {
            Connected::Ready(cluster) => Ok(cluster),
            Connected::Refused(refusal) => Err(not_allowed(&refusal)),
        }
    }

    async fn find(&self, cluster: &Cluster) -> Result<Workload, Failure> {
        let path = workload::path(self.kind, self.namespace, self.workload)?;
        let object = cluster.get(&path, &[]).await?;
        Ok(Workload { kind: self.kind, object })
    }

    /// The workload's pods; none where the login may not see pods.
    async fn pods(&self, cluster: &Cluster, workload: &Workload) -> Result<Vec<Pod>, Failure> {
        let Some(selector) = workload.selector() else { return Ok(Vec::new()) };
        let path = workload::pods_path(self.namespace)?;
        match cluster.get(&path, &[("labelSelector", &selector)]).await {
            Ok(list) => Ok(items(list).map(Pod).collect()),
            Err(failure) if failure.code == ErrorCode::ClusterForbidden => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    async fn state(&self, cluster: &Cluster) -> Result<TargetState, Failure> {
        let workload = self.find(cluster).await?;
        let pods = self.pods(cluster, &workload).await?;
        Ok(workload.state(self.container, &pods))
    }

    /// Gives the container an image. Each try begins with a fresh look, on which `may` decides: a conflict (409) and an
    /// answer that was lost are both sorted out by it, and nothing is patched twice.
    async fn set_image(
        &self,
        cluster: &Cluster,
        image: &str,
        key: Option<&DeployKey>,
        may: impl Fn(&Workload) -> Result<Patch, Failure>,
    ) -> Result<(), Failure> {
        let path = workload::path(self.kind, self.namespace, self.workload)?;
        let mut pause = PATCH_PAUSE;
        let mut tries = 1;
        loop {
            let tried = async {
                let workload = self.find(cluster).await?;
                match may(&workload)? {
                    Patch::Stands => Ok(()),
                    Patch::Go => cluster.patch(&path, &workload.patch(self.container, image, key)).await.map(|_| ()),
                }
            };
            match tried.await {
                Ok(()) => return Ok(()),
                Err(failure) if tries < PATCH_TRIES && passes(&failure) => {}
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(pause).await;
            (tries, pause) = (tries + 1, pause * 2);
        }
    }
}

/// Returns whether another look may go better: the cluster is away or in trouble, or the object's version moved on.
fn passes(failure: &Failure) -> bool {
    let conflict = failure.code == ErrorCode::TargetChanged && failure.details.contains_key("status");
    conflict || matches!(failure.code, ErrorCode::ClusterUnreachable | ErrorCode::ClusterError)
}

/// The reason as a failure, with what a person has to see to say yes.
fn not_allowed(refusal: &Refusal) -> Failure {
    let failure = Refusal::failure(std::slice::from_ref(refusal));
    match refusal {
        Refusal::ExecNotAllowed { command } => failure.with("command", command.clone()),
        _ => failure,
    }
}

fn items(mut list: Value) -> impl Iterator<Item = Value> {
    let items = list["items"].take();
    let items = if let Value::Array(items) = items { items } else { Vec::new() };
    items.into_iter()
}

/// What is known of a target that nobody may look at.
fn unseen(problem: Refusal) -> TargetState {
    TargetState {
        image: None,
        mixed: false,
        health: TargetHealth::None,
        replicas: Replicas::default(),
        addresses: Vec::new(),
        instances: Vec::new(),
        managed_by: None,
        problems: vec![problem],
    }
}

/// The image as it stands in the specification: by digest, so that all pods run the same one (T25). `None` for an image that
/// is in no registry: no cluster could get it.
fn spec_image(image: &DeployImage) -> Result<Option<String>, Failure> {
    let reference = image.check()?;
    let tag = reference.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
    Ok(image.digest.as_ref().map(|digest| format!("{}/{}{tag}@{digest}", reference.host, reference.name)))
}

/// Returns whether the target runs the image already, whatever the name that it got it by.
fn runs_already(before: &TargetState, image: &DeployImage) -> bool {
    let (Some(running), Some(digest)) = (&before.image, &image.digest) else { return false };
    let is_it = |name: &str| name.rsplit_once('@').is_some_and(|(_, found)| found == digest.as_str());
    let pulled = !running.digests.is_empty() && running.digests.iter().all(|name| is_it(name));
    !before.mixed && (is_it(&running.reference) || pulled)
}

fn fact<'a>(facts: &'a Facts, name: &str) -> &'a str {
    facts.get(name).map_or("", String::as_str)
}

/// What the journal says about an attempt.
struct Written {
    /// The facts with which it set out to change the specification.
    facts: Facts,
    /// The change came through.
    updated: bool,
    /// Undoing began.
    undoing: bool,
}

impl Written {
    /// `None` when it never set out.
    async fn of(journal: &dyn DeployJournal) -> Result<Option<Self>, Failure> {
        let entries = journal.entries().await?;
        let is = |entry: &JournalEntry, kind, mark| entry.kind == kind && entry.mark == mark;
        let update = entries.iter().rev().find(|entry| is(entry, StepKind::UpdateSpec, JournalMark::Intended));
        Ok(update.map(|update| Self {
            facts: update.facts.clone(),
            updated: entries.iter().any(|entry| is(entry, StepKind::UpdateSpec, JournalMark::Done)),
            undoing: entries.iter().any(|entry| is(entry, StepKind::RestoreSpec, JournalMark::Intended)),
        }))
    }

    /// Returns whether our change stands in the workload.
    fn stands(&self, place: &Place<'_>, workload: &Workload, key: &DeployKey) -> bool {
        workload.deploy_key() == Some(&key.0) && workload.image(place.container) == Some(fact(&self.facts, FACT_IMAGE))
    }

    fn is_before(&self, place: &Place<'_>, workload: &Workload) -> bool {
        workload.image(place.container) == Some(fact(&self.facts, FACT_BEFORE))
    }
}

impl KubernetesAction {
    /// With these deadlines for calls.
    #[must_use]
    pub fn new(deadlines: Deadlines) -> Self {
        Self { deadlines }
    }
}

#[async_trait]
impl DeployAction for KubernetesAction {
    async fn inspect(&self, target: &DeployTarget) -> Result<TargetState, Failure> {
        let place = Place::of(target)?;
        match place.connect(&self.deadlines).await? {
            Connected::Ready(cluster) => place.state(&cluster).await,
            Connected::Refused(refusal) => Ok(unseen(refusal)),
        }
    }

    async fn plan(&self, job: &DeployJob) -> Result<Planned, Failure> {
        let place = Place::of(&job.target)?;
        let wanted = spec_image(&job.image)?;
        let cluster = match place.connect(&self.deadlines).await? {
            Connected::Ready(cluster) => cluster,
            Connected::Refused(refusal) => {
                return Ok(Planned::Refused { reasons: vec![refusal.clone()], before: unseen(refusal) });
            }
        };
        let workload = place.find(&cluster).await?;
        let pods = place.pods(&cluster, &workload).await?;
        let before = workload.state(place.container, &pods);
        if runs_already(&before, &job.image) {
            return Ok(Planned::Unchanged { before });
        }
        let mut reasons = before.problems.clone();
        let Some(wanted) = wanted.filter(|_| reasons.is_empty()) else {
            if job.image.digest.is_none() {
                reasons.push(Refusal::Unfaithful {
                    setting: "image".to_owned(),
                    why: "the image is in no registry, a cluster could not get it".to_owned(),
                });
            }
            return Ok(Planned::Refused { reasons, before });
        };
        let step = |kind| PlanStep::new(kind, place.workload);
        let update = step(StepKind::UpdateSpec)
            .with("image", wanted)
            .with("container", place.container)
            .with("replicas", before.replicas.wanted.to_string());
        let basis = Facts::from([("generation".to_owned(), workload.generation().to_string())]);
        let steps = vec![update, step(StepKind::WatchRollout)];
        Ok(Planned::Ready { plan: DeployPlan { before, steps, notes: Vec::new(), basis } })
    }

    async fn apply(
        &self,
        job: &DeployJob,
        plan: &DeployPlan,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<Applied, Failure> {
        let place = Place::of(&job.target)?;
        let image = spec_image(&job.image)?.ok_or_else(|| Failure::internal("an image without digest was planned"))?;
        let cluster = place.connected(&self.deadlines).await?;
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let before = plan.before.image.as_ref().map(|image| image.reference.clone()).unwrap_or_default();
        let may = |workload: &Workload| {
            let now = workload.image(place.container);
            if workload.deploy_key() == Some(&job.key.0) && now == Some(image.as_str()) {
                return Ok(Patch::Stands);
            }
            let same = plan.basis.get("generation") == Some(&workload.generation().to_string());
            if same && now == Some(before.as_str()) { Ok(Patch::Go) } else { Err(workload::changed(place.workload)) }
        };
        may(&place.find(&cluster).await?)?;
        let step = PlanStep::new(StepKind::UpdateSpec, place.workload)
            .with(FACT_IMAGE, &image)
            .with(FACT_BEFORE, &before)
            .with("container", place.container);
        Trail(journal).step(step, place.set_image(&cluster, &image, Some(&job.key), may)).await?;
        Ok(Applied::InPlace)
    }

    async fn watch(
        &self,
        job: &DeployJob,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<TargetState, Failure> {
        let place = Place::of(&job.target)?;
        let written = Written::of(journal).await?.ok_or_else(|| Failure::internal("nothing was updated"))?;
        let ours = |workload: &Workload| written.stands(&place, workload, &job.key);
        let image = fact(&written.facts, FACT_IMAGE);
        let watch = rollout::watch(&place, &self.deadlines, &job.gate, image, journal, cancel, ours);
        Trail(journal).step(PlanStep::new(StepKind::WatchRollout, place.workload), watch).await
    }

    async fn undo(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Option<TargetState>, Failure> {
        let place = Place::of(&job.target)?;
        let Some(written) = Written::of(journal).await? else { return Ok(None) };
        let cluster = place.connected(&self.deadlines).await?;
        let workload = place.find(&cluster).await?;
        let ours = workload.deploy_key() == Some(&job.key.0);
        if !ours && !written.updated && !written.undoing {
            return Ok(None);
        }
        let before = fact(&written.facts, FACT_BEFORE);
        let trail = Trail(journal);
        let may = |workload: &Workload| {
            if written.stands(&place, workload, &job.key) {
                return Ok(Patch::Go);
            }
            // A third image is somebody else's, and newer.
            let back = written.is_before(&place, workload);
            if back { Ok(Patch::Stands) } else { Err(workload::changed(place.workload)) }
        };
        if let Patch::Go = may(&workload)? {
            let restore = place.set_image(&cluster, before, None, may);
            trail.step(PlanStep::new(StepKind::RestoreSpec, place.workload), restore).await?;
        }
        let never = CancellationToken::new();
        let back = |workload: &Workload| written.is_before(&place, workload);
        let watch = rollout::watch(&place, &self.deadlines, &job.gate, before, journal, &never, back);
        trail.step(PlanStep::new(StepKind::CheckOld, place.workload), watch).await.map(Some)
    }

    async fn standing(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Standing, Failure> {
        let place = Place::of(&job.target)?;
        let Some(written) = Written::of(journal).await? else { return Ok(Standing::Untouched) };
        if written.undoing {
            return Ok(Standing::Halfway);
        }
        let workload = place.find(&place.connected(&self.deadlines).await?).await?;
        if written.stands(&place, &workload, &job.key) {
            return Ok(Standing::InPlace);
        }
        let untouched = !written.updated && written.is_before(&place, &workload);
        Ok(if untouched { Standing::Untouched } else { Standing::Halfway })
    }
}
