//! Action *Compose service*: the containers of one service get a new image, one after another, with their Compose labels.
//! No file is read or written; Compose goes on seeing its own containers.

use crate::docker::EngineCalls;
use crate::docker::containers::{Container, labelled};
use crate::docker::images::{self, StoredImage};
use crate::replace::{self, Attempt};
use async_trait::async_trait;
use serde_json::Value;
use slipway_core::deploy::{
    Applied, DeployAction, DeployJob, DeployJournal, DeployPlan, DeployTarget, ManagedBy, PlanNote, Planned, Refusal,
    Standing, TargetState,
};
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

pub(crate) const PROJECT: &str = "com.docker.compose.project";
pub(crate) const SERVICE: &str = "com.docker.compose.service";
const NUMBER: &str = "com.docker.compose.container-number";
const ONE_OFF: &str = "com.docker.compose.oneoff";
const FILES: &str = "com.docker.compose.project.config_files";
/// By this label Compose 2 sees whether its image moved.
const IMAGE: &str = "com.docker.compose.image";

/// Updates services of Compose projects of one engine.
pub struct ComposeAction {
    calls: EngineCalls,
}

impl ComposeAction {
    /// On the engine behind these calls.
    #[must_use]
    pub fn new(calls: EngineCalls) -> Self {
        Self { calls }
    }

    /// The service's containers by their number; those of `run` are not among them.
    async fn find(&self, target: &DeployTarget) -> Result<Vec<Container>, Failure> {
        let DeployTarget::ComposeService { project, service, .. } = target else {
            return Err(Failure::internal("the target is no Compose service"));
        };
        let labels = [format!("{PROJECT}={project}"), format!("{SERVICE}={service}")];
        let mut found = labelled(&self.calls, &labels.each_ref().map(String::as_str)).await?;
        found.retain(is_of_the_service);
        if found.is_empty() {
            return Err(Failure::new(ErrorCode::TargetGone, format!("the project {project} has no service {service}"))
                .with("project", project)
                .with("service", service));
        }
        found.sort_by_key(|container| container.label(NUMBER).and_then(|number| number.parse::<u32>().ok()));
        Ok(found)
    }

    async fn state(&self, found: &[Container]) -> Result<TargetState, Failure> {
        let mut problems = Vec::new();
        for container in found {
            for reason in replace::refusals(&self.calls, container).await? {
                if !problems.contains(&reason) {
                    problems.push(reason);
                }
            }
            match replace::managed_by(&container.labels()) {
                None | Some(ManagedBy::Compose { .. }) => {}
                Some(by) => problems.push(Refusal::Managed { by }),
            }
        }
        let managed = found.first().and_then(|first| replace::managed_by(&first.labels()));
        replace::target_state(&self.calls, found, managed, problems).await
    }
}

pub(crate) fn is_of_the_service(container: &Container) -> bool {
    !container.label(ONE_OFF).unwrap_or_default().eq_ignore_ascii_case("true") && !container.is_spare()
}

/// Compose 2 recreates a container whose label is not the id of the file's image.
fn label_the_image(body: &mut Value, image: &StoredImage) {
    if let Some(label) = body["Labels"].get_mut(IMAGE) {
        *label = image.id().into();
    }
}

#[async_trait]
impl DeployAction for ComposeAction {
    async fn inspect(&self, target: &DeployTarget) -> Result<TargetState, Failure> {
        self.state(&self.find(target).await?).await
    }

    async fn plan(&self, job: &DeployJob) -> Result<Planned, Failure> {
        let found = self.find(&job.target).await?;
        let before = self.state(&found).await?;
        let image = images::find(&self.calls, &job.image).await?;
        let files = found.first().and_then(|first| first.label(FILES)).map(crate::docker::calls::printable);
        replace::plan(job, &found, before, image.as_ref(), vec![PlanNote::ComposeUpReturns { files }])
    }

    async fn apply(
        &self,
        job: &DeployJob,
        plan: &DeployPlan,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<Applied, Failure> {
        let found = self.find(&job.target).await?;
        let attempt = Attempt { calls: &self.calls, job, journal, cancel };
        replace::apply(&attempt, plan, &found, &label_the_image).await
    }

    /// The old containers go when the new ones are proven: Compose would take a stopped one for its own.
    async fn watch(
        &self,
        job: &DeployJob,
        journal: &dyn DeployJournal,
        cancel: &CancellationToken,
    ) -> Result<TargetState, Failure> {
        replace::finish(&Attempt { calls: &self.calls, job, journal, cancel }, false).await?;
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
