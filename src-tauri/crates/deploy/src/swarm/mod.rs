//! Action *Swarm service*: the specification gets a new image, the swarm rolls it out as the service wants it (order,
//! parallelism, monitor), and it is rolled back when that fails: by the swarm where the service says so, else by us.

mod create;
mod rollout;
mod service;

pub(crate) use create::run;
pub(crate) use service::list;

use crate::docker::EngineCalls;
use crate::docker::images;
use crate::trail::{Facts, Trail};
use async_trait::async_trait;
use rollout::Verdict;
use serde_json::{Value, json};
use service::Service;
use slipway_core::deploy::{
    Applied, DeployAction, DeployImage, DeployJob, DeployJournal, DeployPlan, DeployTarget, JournalMark, PlanNote,
    PlanStep, Planned, Standing, StepKind, TargetState,
};
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

/// Facts of the [`StepKind::UpdateSpec`] entry.
const FACT_IMAGE: &str = "image";
const FACT_BEFORE: &str = "before";
/// When the update before ours began: the swarm goes on showing that one until ours begins.
const FACT_EARLIER: &str = "earlier";

/// Updates services of the swarm that an engine manages.
pub struct SwarmAction {
    calls: EngineCalls,
}

impl SwarmAction {
    /// On the engine behind these calls, a manager of its swarm.
    #[must_use]
    pub fn new(calls: EngineCalls) -> Self {
        Self { calls }
    }

    async fn find(&self, target: &DeployTarget) -> Result<Service, Failure> {
        let DeployTarget::SwarmService { name, .. } = target else {
            return Err(Failure::internal("the target is no Swarm service"));
        };
        service::find(&self.calls, name).await
    }
}

/// The image as it stands in the specification: by digest, so that all nodes run the same one (T25). Without a digest the
/// id: a name alone would make every node ask a registry for it.
fn spec_image(image: &DeployImage) -> Result<String, Failure> {
    let reference = image.check()?;
    match (&image.digest, &image.id) {
        (Some(digest), _) => {
            let tag = reference.tag.map(|tag| format!(":{tag}")).unwrap_or_default();
            Ok(format!("{}/{}{tag}@{digest}", reference.host, reference.name))
        }
        (None, Some(id)) => Ok(id.0.clone()),
        (None, None) => Err(Failure::internal("an image without digest and id was checked")),
    }
}

fn fact<'a>(facts: &'a Facts, name: &str) -> &'a str {
    facts.get(name).map_or("", String::as_str)
}

/// The facts with which the attempt set out to change the specification; `None` when it never came to that.
async fn intended(journal: &dyn DeployJournal) -> Result<Option<Facts>, Failure> {
    let entries = journal.entries().await?;
    let updates = |kind, mark| kind == StepKind::UpdateSpec && mark == JournalMark::Intended;
    Ok(entries.into_iter().rev().find(|entry| updates(entry.kind, entry.mark)).map(|entry| entry.facts))
}

/// Returns whether the call to change the specification never came through.
async fn untouched(journal: &dyn DeployJournal, service: &Service, facts: &Facts) -> Result<bool, Failure> {
    let entries = journal.entries().await?;
    let updated = |kind, mark| kind == StepKind::UpdateSpec && mark == JournalMark::Done;
    Ok(!entries.iter().any(|entry| updated(entry.kind, entry.mark))
        && service.image() == fact(facts, FACT_BEFORE)
        && service.update_began() == fact(facts, FACT_EARLIER))
}

#[async_trait]
impl DeployAction for SwarmAction {
    async fn inspect(&self, target: &DeployTarget) -> Result<TargetState, Failure> {
        service::state(&self.calls, &self.find(target).await?).await
    }

    async fn plan(&self, job: &DeployJob) -> Result<Planned, Failure> {
        let service = self.find(&job.target).await?;
        let before = service::state(&self.calls, &service).await?;
        let stored = images::find(&self.calls, &job.image).await?;
        let wanted = spec_image(&job.image)?;
        if wanted == service.image() || crate::replace::runs_already(&before, job, stored.as_ref())? {
            return Ok(Planned::Unchanged { before });
        }
        if !before.problems.is_empty() {
            return Ok(Planned::Refused { reasons: before.problems.clone(), before });
        }
        if job.image.digest.is_none() && stored.is_none() {
            return Err(Failure::new(ErrorCode::ImageGone, "the image is in no registry and gone from the engine")
                .with("image", job.image.reference.clone()));
        }
        let step = |kind| PlanStep::new(kind, service.name());
        let update = step(StepKind::UpdateSpec)
            .with("image", &wanted)
            .with("replicas", before.replicas.wanted.to_string())
            .with("order", service.update_option("Order").unwrap_or("stop-first"))
            .with("parallelism", service.parallelism().to_string());
        let mut notes = Vec::new();
        if job.image.digest.is_none() {
            notes.push(PlanNote::LocalImageOnly);
        }
        if service.update_option("FailureAction") != Some("rollback") {
            notes.push(PlanNote::RollbackAdded);
        }
        if service.stack().is_some() {
            notes.push(PlanNote::ComposeUpReturns { files: None });
        }
        let basis = Facts::from([("version".to_owned(), service.version().to_string())]);
        Ok(Planned::Ready {
            plan: DeployPlan { before, steps: vec![update, step(StepKind::WatchRollout)], notes, basis },
        })
    }

    async fn apply(
        &self,
        job: &DeployJob,
        plan: &DeployPlan,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<Applied, Failure> {
        let service = self.find(&job.target).await?;
        let version = service.version().to_string();
        if plan.basis.get("version") != Some(&version) {
            return Err(service::changed(service.name()));
        }
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let image = spec_image(&job.image)?;
        let mut spec = service.spec().clone();
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = image.clone().into();
        if !spec["Labels"].is_object() {
            spec["Labels"] = json!({});
        }
        spec["Labels"][crate::docker::containers::LABEL_DEPLOY] = job.key.0.clone().into();
        let step = PlanStep::new(StepKind::UpdateSpec, service.name())
            .with(FACT_IMAGE, &image)
            .with(FACT_BEFORE, service.image())
            .with(FACT_EARLIER, service.update_began());
        let update = service::update(&self.calls, &service, &spec, job);
        Trail(journal).step(step, update).await?;
        Ok(Applied::InPlace)
    }

    async fn watch(
        &self,
        job: &DeployJob,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<TargetState, Failure> {
        let facts = intended(journal).await?.ok_or_else(|| Failure::internal("nothing was updated"))?;
        let DeployTarget::SwarmService { name, .. } = &job.target else {
            return Err(Failure::internal("the target is no Swarm service"));
        };
        let watch = rollout::watch(&self.calls, name, &job.gate, journal, cancel, |service, tasks| {
            rollout::forward(service, tasks, &job.key, fact(&facts, FACT_IMAGE), fact(&facts, FACT_EARLIER))
        });
        Trail(journal).step(PlanStep::new(StepKind::WatchRollout, name), watch).await?;
        self.inspect(&job.target).await
    }

    async fn undo(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Option<TargetState>, Failure> {
        let Some(facts) = intended(journal).await? else { return Ok(None) };
        let before = fact(&facts, FACT_BEFORE);
        let service = self.find(&job.target).await?;
        if untouched(journal, &service, &facts).await? {
            return Ok(None);
        }
        let trail = Trail(journal);
        if service.deploy_key() == Some(&job.key.0) {
            if service.previous_image() != before {
                return Err(service::changed(service.name()));
            }
            let restore = service::roll_back(&self.calls, &service);
            trail.step(PlanStep::new(StepKind::RestoreSpec, service.name()), restore).await?;
        } else if service.image() != before {
            // Somebody put a third image there meanwhile: theirs is newer.
            return Err(service::changed(service.name()));
        }
        let never = CancellationToken::new();
        let watch = rollout::watch(&self.calls, service.name(), &job.gate, journal, &never, |service, tasks| {
            if service.image() == before { rollout::settled(service, tasks, before) } else { Verdict::NotYet }
        });
        trail.step(PlanStep::new(StepKind::CheckOld, service.name()), watch).await?;
        self.inspect(&job.target).await.map(Some)
    }

    async fn standing(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Standing, Failure> {
        let Some(facts) = intended(journal).await? else { return Ok(Standing::Untouched) };
        let service = self.find(&job.target).await?;
        if service.deploy_key() == Some(&job.key.0) {
            return Ok(Standing::InPlace);
        }
        let untouched = untouched(journal, &service, &facts).await?;
        Ok(if untouched { Standing::Untouched } else { Standing::Halfway })
    }
}

/// A value's text, or nothing.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
