//! Live lists of what an engine runs, and "Run this image".

use crate::compose::{self, SERVICE};
use crate::docker::EngineCalls;
use crate::docker::containers::{self, Container, labelled};
use crate::replace::LABEL_RUN;
use crate::{compose::ComposeAction, container::ContainerAction, swarm, swarm::SwarmAction};
use async_trait::async_trait;
use slipway_core::Failure;
use slipway_core::deploy::{
    DeployAction, DeployKey, DeployTarget, ListedService, ManagedBy, RunAs, RunImage, ServiceDirectory, ServiceGroup,
};
use slipway_core::image::RegistryLogin;
use std::collections::{BTreeMap, BTreeSet};
use tokio_util::sync::CancellationToken;

/// What one engine runs.
pub struct EngineDirectory {
    /// As in [`DeployTarget`]: `local` or `context:<name>`.
    engine: String,
    calls: EngineCalls,
}

impl EngineDirectory {
    /// The engine behind these calls, under the name that targets have for it.
    #[must_use]
    pub fn new(engine: impl Into<String>, calls: EngineCalls) -> Self {
        Self { engine: engine.into(), calls }
    }

    /// Containers, without spares of ours and without those of Swarm and of clusters, which are no targets by themselves.
    async fn containers(&self) -> Result<Vec<Container>, Failure> {
        let mut found = labelled(&self.calls, &[]).await?;
        found.retain(|container| {
            let managed = crate::replace::managed_by(&container.labels());
            !container.is_spare()
                && container.label("com.docker.compose.project").is_none_or(|_| compose::is_of_the_service(container))
                && !matches!(managed, Some(ManagedBy::Swarm { .. } | ManagedBy::Kubernetes { .. }))
        });
        found.sort_by(|a, b| a.name().cmp(b.name()));
        Ok(found)
    }

    fn target_of(&self, container: &Container) -> DeployTarget {
        let engine = self.engine.clone();
        match (container.label(compose::PROJECT), container.label(SERVICE)) {
            (Some(project), Some(service)) => {
                DeployTarget::ComposeService { engine, project: project.to_owned(), service: service.to_owned() }
            }
            _ => DeployTarget::Container { engine, name: container.name().to_owned() },
        }
    }

    async fn listed(&self, target: DeployTarget) -> Result<Option<ListedService>, Failure> {
        let calls = self.calls.clone();
        let state = match &target {
            DeployTarget::Container { .. } => ContainerAction::new(calls).inspect(&target).await,
            DeployTarget::ComposeService { .. } => ComposeAction::new(calls).inspect(&target).await,
            DeployTarget::SwarmService { .. } => SwarmAction::new(calls).inspect(&target).await,
            DeployTarget::KubernetesContainer { .. } | DeployTarget::Webhook { .. } => {
                return Err(Failure::internal("the target is on no engine"));
            }
        };
        match state {
            Ok(state) => Ok(Some(ListedService { target, state })),
            // It went away since the list was made.
            Err(failure) if failure.code == slipway_core::ErrorCode::TargetGone => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

#[async_trait]
impl ServiceDirectory for EngineDirectory {
    async fn groups(&self) -> Result<Vec<ServiceGroup>, Failure> {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let mut single = 0;
        let mut projects: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for container in self.containers().await? {
            match self.target_of(&container) {
                DeployTarget::ComposeService { project, service, .. } => {
                    projects.entry(project).or_default().insert(service);
                }
                _ => single += 1,
            }
        }
        let services = swarm::list(&self.calls).await?.len();
        let mut groups = Vec::new();
        if single > 0 {
            groups.push(ServiceGroup::Containers { count: single });
        }
        groups.extend(
            projects
                .into_iter()
                .map(|(name, services)| ServiceGroup::ComposeProject { name, count: count(services.len()) }),
        );
        if services > 0 {
            groups.push(ServiceGroup::SwarmServices { count: count(services) });
        }
        Ok(groups)
    }

    async fn services(&self, group: &ServiceGroup) -> Result<Vec<ListedService>, Failure> {
        let mut targets: Vec<DeployTarget> = match group {
            ServiceGroup::SwarmServices { .. } => {
                let services = swarm::list(&self.calls).await?;
                let named = services.iter().map(|service| service.name().to_owned());
                named.map(|name| DeployTarget::SwarmService { engine: self.engine.clone(), name }).collect()
            }
            _ => self.containers().await?.iter().map(|container| self.target_of(container)).collect(),
        };
        targets.retain(|target| match (group, target) {
            (ServiceGroup::Containers { .. }, DeployTarget::Container { .. }) => true,
            (ServiceGroup::ComposeProject { name, .. }, DeployTarget::ComposeService { project, .. }) => {
                name == project
            }
            (ServiceGroup::SwarmServices { .. }, DeployTarget::SwarmService { .. }) => true,
            _ => false,
        });
        targets.sort_by_key(DeployTarget::key);
        targets.dedup();
        let mut listed = Vec::new();
        for target in targets {
            listed.extend(self.listed(target).await?);
        }
        Ok(listed)
    }

    async fn run_image(
        &self,
        request: &RunImage,
        login: &RegistryLogin,
        cancel: &CancellationToken,
    ) -> Result<ListedService, Failure> {
        crate::run_image::run(&self.calls, request, login, cancel).await?;
        let (engine, name) = (self.engine.clone(), request.name.clone());
        let target = match request.run_as {
            RunAs::Container { .. } => DeployTarget::Container { engine, name },
            RunAs::SwarmService { .. } => DeployTarget::SwarmService { engine, name },
        };
        let gone = || Failure::new(slipway_core::ErrorCode::TargetGone, "it was removed by somebody else");
        self.listed(target).await?.ok_or_else(gone)
    }

    async fn forget_run(&self, key: &DeployKey) -> Result<(), Failure> {
        // A Swarm service is made and started at once: only a container can stand there half made.
        for made in labelled(&self.calls, &[&format!("{LABEL_RUN}={}", key.0)]).await? {
            if !made.serves() && !made.is_spare() {
                containers::remove(&self.calls, made.id(), true).await?;
            }
        }
        Ok(())
    }
}
