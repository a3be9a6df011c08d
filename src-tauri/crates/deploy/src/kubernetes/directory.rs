//! What a cluster runs: namespaces → workloads → containers.

use super::cluster::{Cluster, Connected};
use super::workload::{self, Pod, Workload};
use super::{items, not_allowed};
use async_trait::async_trait;
use futures::future::join_all;
use slipway_core::deploy::{
    DeployKey, DeployTarget, ListedService, RunImage, ServiceDirectory, ServiceGroup, WorkloadKind,
};
use slipway_core::image::RegistryLogin;
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

const KINDS: [WorkloadKind; 4] =
    [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet, WorkloadKind::CronJob];

/// Lists the workloads of one context's cluster.
pub struct KubernetesDirectory {
    kubeconfig: String,
    context: String,
    allowed_exec: Option<String>,
    deadlines: Deadlines,
}

impl KubernetesDirectory {
    /// Of this context of this kubeconfig; `allowed_exec` is the program's command line that a person allowed.
    #[must_use]
    pub fn new(kubeconfig: &str, context: &str, allowed_exec: Option<&str>, deadlines: Deadlines) -> Self {
        Self {
            kubeconfig: kubeconfig.to_owned(),
            context: context.to_owned(),
            allowed_exec: allowed_exec.map(ToOwned::to_owned),
            deadlines,
        }
    }

    /// Fails with the command line to allow where a program would have to run.
    async fn connect(&self) -> Result<Cluster, Failure> {
        let allowed = self.allowed_exec.as_deref();
        match Cluster::connect(&self.kubeconfig, &self.context, allowed, &self.deadlines).await? {
            Connected::Ready(cluster) => Ok(cluster),
            Connected::Refused(refusal) => Err(not_allowed(&refusal)),
        }
    }

    fn listed(&self, namespace: &str, workload: &Workload, pods: &[Pod]) -> Vec<ListedService> {
        let containers = workload.containers().into_iter().map(|container| ListedService {
            state: workload.state(&container, pods),
            target: DeployTarget::KubernetesContainer {
                kubeconfig: self.kubeconfig.clone(),
                context: self.context.clone(),
                namespace: namespace.to_owned(),
                workload_kind: workload.kind,
                workload: workload.name().to_owned(),
                container,
                allowed_exec: self.allowed_exec.clone(),
            },
        });
        containers.collect()
    }
}

#[async_trait]
impl ServiceDirectory for KubernetesDirectory {
    async fn groups(&self) -> Result<Vec<ServiceGroup>, Failure> {
        let cluster = self.connect().await?;
        let mut names: Vec<String> = match cluster.get("/api/v1/namespaces", &[]).await {
            Ok(list) => items(list).filter_map(|one| one["metadata"]["name"].as_str().map(ToOwned::to_owned)).collect(),
            // Many may see their own namespace only: the one that the context names.
            Err(failure) if failure.code == ErrorCode::ClusterForbidden => match cluster.namespace {
                Some(namespace) => vec![namespace],
                None => return Err(failure),
            },
            Err(failure) => return Err(failure),
        };
        names.sort();
        Ok(names.into_iter().map(|name| ServiceGroup::Namespace { name }).collect())
    }

    async fn services(&self, group: &ServiceGroup) -> Result<Vec<ListedService>, Failure> {
        let ServiceGroup::Namespace { name: namespace } = group else {
            return Err(Failure::internal("a cluster has namespaces only"));
        };
        let cluster = self.connect().await?;
        let mut listed = Vec::new();
        let mut forbidden = None;
        let pods: Vec<Pod> = match cluster.get(&workload::pods_path(namespace)?, &[]).await {
            Ok(list) => items(list).map(Pod).collect(),
            Err(failure) if failure.code == ErrorCode::ClusterForbidden => Vec::new(),
            Err(failure) => return Err(failure),
        };
        for (kind, found) in join_all(KINDS.map(async |kind| {
            let found = async { cluster.get(&workload::list_path(kind, namespace)?, &[]).await };
            (kind, found.await)
        }))
        .await
        {
            match found {
                Ok(list) => {
                    for object in items(list) {
                        let workload = Workload { kind, object };
                        let mine: Vec<Pod> =
                            pods.iter().filter(|pod| workload.selects(pod)).map(|pod| Pod(pod.0.clone())).collect();
                        listed.extend(self.listed(namespace, &workload, &mine));
                    }
                }
                Err(failure) if failure.code == ErrorCode::ClusterForbidden => forbidden = Some(failure),
                Err(failure) => return Err(failure),
            }
        }
        match forbidden {
            Some(failure) if listed.is_empty() => Err(failure),
            _ => Ok(listed),
        }
    }

    async fn run_image(
        &self,
        _request: &RunImage,
        _login: &RegistryLogin,
        _cancel: &CancellationToken,
    ) -> Result<ListedService, Failure> {
        Err(Failure::new(ErrorCode::EngineUnsupported, "images are run as new services on engines only"))
    }

    async fn forget_run(&self, _key: &DeployKey) -> Result<(), Failure> {
        // Nothing is run as a new service on a cluster.
        Ok(())
    }
}
