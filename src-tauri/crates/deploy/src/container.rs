//! Action *container*: one container, found by its name, gets a new image and keeps everything else.

use crate::docker::EngineCalls;
use crate::docker::containers::{Container, inspect};
use crate::docker::images;
use crate::replace::{self, Attempt};
use async_trait::async_trait;
use slipway_core::deploy::{
    Applied, DeployAction, DeployJob, DeployJournal, DeployPlan, DeployTarget, ManagedBy, Planned, Refusal, Standing,
    TargetState,
};
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

/// Updates single containers of one engine.
pub struct ContainerAction {
    calls: EngineCalls,
}

impl ContainerAction {
    /// On the engine behind these calls.
    #[must_use]
    pub fn new(calls: EngineCalls) -> Self {
        Self { calls }
    }

    async fn find(&self, target: &DeployTarget) -> Result<Container, Failure> {
        let DeployTarget::Container { name, .. } = target else {
            return Err(Failure::internal("the target is no container"));
        };
        // The engine also finds by id, or by a part of one.
        let found = inspect(&self.calls, name).await?.filter(|found| found.name() == name);
        found.ok_or_else(|| {
            Failure::new(ErrorCode::TargetGone, format!("there is no container {name}")).with("container", name)
        })
    }

    async fn refusals(&self, old: &Container) -> Result<Vec<Refusal>, Failure> {
        let mut reasons = replace::refusals(&self.calls, old).await?;
        let managed = replace::managed_by(&old.labels()).filter(|by| *by != ManagedBy::Slipway);
        reasons.extend(managed.map(|by| Refusal::Managed { by }));
        Ok(reasons)
    }

    async fn state(&self, old: &Container) -> Result<TargetState, Failure> {
        let problems = self.refusals(old).await?;
        let managed = replace::managed_by(&old.labels());
        replace::target_state(&self.calls, std::slice::from_ref(old), managed, problems).await
    }
}

#[async_trait]
impl DeployAction for ContainerAction {
    async fn inspect(&self, target: &DeployTarget) -> Result<TargetState, Failure> {
        self.state(&self.find(target).await?).await
    }

    async fn plan(&self, job: &DeployJob) -> Result<Planned, Failure> {
        let old = self.find(&job.target).await?;
        let before = self.state(&old).await?;
        let image = images::find(&self.calls, &job.image).await?;
        replace::plan(job, std::slice::from_ref(&old), before, image.as_ref(), Vec::new())
    }

    async fn apply(
        &self,
        job: &DeployJob,
        plan: &DeployPlan,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<Applied, Failure> {
        let old = self.find(&job.target).await?;
        let attempt = Attempt { calls: &self.calls, job, journal, cancel };
        replace::apply(&attempt, plan, &[old], &|_, _| {}).await
    }

    async fn watch(
        &self,
        job: &DeployJob,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<TargetState, Failure> {
        replace::finish(&Attempt { calls: &self.calls, job, journal, cancel }, true).await?;
        self.inspect(&job.target).await
    }

    async fn undo(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Option<TargetState>, Failure> {
        match replace::undo(&self.calls, job, journal).await? {
            true => self.inspect(&job.target).await.map(Some),
            false => Ok(None),
        }
    }

    async fn standing(&self, job: &DeployJob, journal: &dyn DeployJournal) -> Result<Standing, Failure> {
        replace::standing(&self.calls, job, journal).await
    }
}
