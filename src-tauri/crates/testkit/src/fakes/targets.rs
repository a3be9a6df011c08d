use super::{Gate, Script, lock};
use async_trait::async_trait;
use slipway_core::deploy::{
    Applied, DeployAction, DeployImage, DeployJob, DeployJournal, DeployKey, DeployPlan, DeployTarget, JournalEntry,
    JournalMark, ListedService, ManagedBy, PlanStep, Planned, Replicas, RunAs, RunImage, RunningImage,
    ServiceDirectory, ServiceGroup, Standing, StepKind, TargetHealth, TargetState,
};
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::{ErrorCode, Failure};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Targets in memory, with their action and their directory. Journals are honoured: what a dropped attempt left behind is
/// found again.
#[derive(Default)]
pub struct FakeTargets {
    running: Mutex<HashMap<DeployTarget, DeployImage>>,
    made: Mutex<HashMap<DeployTarget, String>>,
    changes: Mutex<Vec<(DeployTarget, DeployImage)>>,
    script: Script,
    applying: Gate,
    watching: Gate,
}

impl FakeTargets {
    /// Puts a target there that runs an image of this name and id.
    pub fn put(&self, target: &DeployTarget, reference: &str, id: &str) {
        let image = DeployImage {
            reference: reference.to_owned(),
            digest: None,
            id: Some(slipway_core::image::ImageId(id.to_owned())),
            content: None,
        };
        self.put_image(target, image);
    }

    /// Puts a target there that runs this image.
    pub fn put_image(&self, target: &DeployTarget, image: DeployImage) {
        lock(&self.running).insert(target.clone(), image);
    }

    /// Takes a target away.
    pub fn take(&self, target: &DeployTarget) {
        lock(&self.running).remove(target);
    }

    /// What a target runs.
    pub fn runs(&self, target: &DeployTarget) -> Option<DeployImage> {
        lock(&self.running).get(target).cloned()
    }

    /// Every change of what a target runs, in order, ways back included.
    pub fn changes(&self) -> Vec<(DeployTarget, DeployImage)> {
        lock(&self.changes).clone()
    }

    /// Fails the next calls of a method (`plan`, `apply`, `watch`, `undo`, `standing`, `inspect`, `run_image`).
    pub fn fail(&self, call: &'static str, failure: Failure, times: usize) {
        self.script.fail(call, failure, times);
    }

    /// How often a method was called.
    pub fn calls(&self, call: &'static str) -> usize {
        self.script.calls(call)
    }

    /// Lets attempts wait after they wrote what they are about to do and before they do it.
    pub fn hold_applying(&self, hold: bool) {
        self.applying.set_shut(hold);
    }

    /// Returns once so many attempts wait there.
    pub async fn applying_waiting(&self, count: usize) {
        self.applying.wait_for_callers(count).await;
    }

    /// Lets attempts wait with the new image in place.
    pub fn hold_watching(&self, hold: bool) {
        self.watching.set_shut(hold);
    }

    /// Returns once so many attempts wait there.
    pub async fn watching_waiting(&self, count: usize) {
        self.watching.wait_for_callers(count).await;
    }

    fn state(&self, target: &DeployTarget) -> Result<TargetState, Failure> {
        let image = self.runs(target).ok_or_else(|| Failure::new(ErrorCode::TargetGone, "no such target"))?;
        let repository = ImageReference::parse(&image.reference)?.repository();
        let digests = image.digest.iter().map(|digest| format!("{repository}@{digest}")).collect();
        Ok(TargetState {
            image: Some(RunningImage { reference: image.reference, id: image.id, digests, content: image.content }),
            mixed: false,
            health: TargetHealth::Running,
            replicas: Replicas { wanted: 1, ready: 1 },
            addresses: Vec::new(),
            instances: Vec::new(),
            managed_by: lock(&self.made).contains_key(target).then_some(ManagedBy::Slipway),
            problems: Vec::new(),
        })
    }

    fn set(&self, target: &DeployTarget, image: &DeployImage) {
        lock(&self.running).insert(target.clone(), image.clone());
        lock(&self.changes).push((target.clone(), image.clone()));
    }
}

fn is_same(one: &DeployImage, other: &DeployImage) -> bool {
    one.content.is_some() && one.content == other.content
        || one.id.is_some() && one.id == other.id
        || one.digest.is_some() && one.digest == other.digest
}

fn entry(mark: JournalMark, before: &DeployImage) -> JournalEntry {
    let before = serde_json::to_string(before).unwrap_or_default();
    let facts = BTreeMap::from([("before".to_owned(), before)]);
    JournalEntry { kind: StepKind::UpdateSpec, subject: "fake".to_owned(), mark, facts }
}

#[async_trait]
impl DeployAction for FakeTargets {
    async fn inspect(&self, target: &DeployTarget) -> Result<TargetState, Failure> {
        self.script.enter("inspect")?;
        self.state(target)
    }

    async fn plan(&self, job: &DeployJob) -> Result<Planned, Failure> {
        self.script.enter("plan")?;
        let before = self.state(&job.target)?;
        if self.runs(&job.target).is_some_and(|running| is_same(&running, &job.image)) {
            return Ok(Planned::Unchanged { before });
        }
        let steps = vec![PlanStep::new(StepKind::UpdateSpec, "fake")];
        Ok(Planned::Ready { plan: DeployPlan { before, steps, notes: Vec::new(), basis: BTreeMap::new() } })
    }

    async fn apply(
        &self,
        job: &DeployJob,
        _plan: &DeployPlan,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<Applied, Failure> {
        let before = self.runs(&job.target).ok_or_else(|| Failure::new(ErrorCode::TargetGone, "no such target"))?;
        journal.write(entry(JournalMark::Intended, &before)).await?;
        self.script.enter("apply")?;
        self.applying.pass(cancel).await?;
        self.set(&job.target, &job.image);
        journal.write(entry(JournalMark::Done, &before)).await?;
        Ok(Applied::InPlace)
    }

    async fn watch(
        &self,
        job: &DeployJob,
        _journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<TargetState, Failure> {
        self.script.enter("watch")?;
        self.watching.pass(cancel).await?;
        self.state(&job.target)
    }

    async fn undo(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Option<TargetState>, Failure> {
        self.script.enter("undo")?;
        let entries = journal.entries().await?;
        let Some(before) = entries.last().and_then(|entry| entry.facts.get("before")) else { return Ok(None) };
        let before: DeployImage = serde_json::from_str(before).map_err(Failure::internal)?;
        if self.runs(&job.target).is_some_and(|running| running == before) {
            return Ok(None);
        }
        self.set(&job.target, &before);
        Ok(Some(self.state(&job.target)?))
    }

    async fn standing(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Standing, Failure> {
        self.script.enter("standing")?;
        let begun = !journal.entries().await?.is_empty();
        let in_place = self.runs(&job.target).is_some_and(|running| running == job.image);
        Ok(if begun && in_place { Standing::InPlace } else { Standing::Untouched })
    }
}

#[async_trait]
impl ServiceDirectory for FakeTargets {
    async fn groups(&self) -> Result<Vec<ServiceGroup>, Failure> {
        self.script.enter("groups")?;
        let count = u32::try_from(lock(&self.running).len()).unwrap_or(u32::MAX);
        Ok(vec![ServiceGroup::Containers { count }])
    }

    async fn services(&self, _group: &ServiceGroup) -> Result<Vec<ListedService>, Failure> {
        self.script.enter("services")?;
        let mut targets: Vec<DeployTarget> = lock(&self.running).keys().cloned().collect();
        targets.sort_by_key(DeployTarget::key);
        targets.into_iter().map(|target| Ok(ListedService { state: self.state(&target)?, target })).collect()
    }

    async fn run_image(
        &self,
        request: &RunImage,
        _login: &RegistryLogin,
        cancel: &CancellationToken,
    ) -> Result<ListedService, Failure> {
        self.script.enter("run_image")?;
        let (engine, name) = ("local".to_owned(), request.name.clone());
        let target = match request.run_as {
            RunAs::Container { .. } => DeployTarget::Container { engine, name },
            RunAs::SwarmService { .. } => DeployTarget::SwarmService { engine, name },
        };
        lock(&self.made).insert(target.clone(), request.key.0.clone());
        self.set(&target, &request.image);
        self.watching.pass(cancel).await?;
        Ok(ListedService { state: self.state(&target)?, target })
    }

    async fn forget_run(&self, key: &DeployKey) -> Result<(), Failure> {
        self.script.enter("forget_run")?;
        let running = lock(&self.running);
        lock(&self.made).retain(|target, made| *made != key.0 || running.contains_key(target));
        Ok(())
    }
}
