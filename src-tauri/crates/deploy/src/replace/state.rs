//! What containers run now, who looks after them, and what forbids replacing them.

use crate::docker::EngineCalls;
use crate::docker::containers::{Container, LABEL_ROLE, inspect};
use crate::docker::images;
use serde_json::Value;
use slipway_core::Failure;
use slipway_core::deploy::{Instance, ManagedBy, Refusal, Replicas, RunningImage, TargetHealth, TargetState};
use std::collections::BTreeMap;

/// Marks what "Run this image" made; the value is its key.
pub(crate) const LABEL_RUN: &str = "slipway.run";

/// Programs that make containers again by themselves, by the beginning of a label of theirs.
const OTHERS: [&str; 6] = [
    "com.hashicorp.nomad.",
    "io.rancher.",
    "com.amazonaws.ecs.",
    "coolify.managed",
    "io.balena.supervised",
    "io.x-k8s.kind.",
];

/// Returns who looks after a container besides the person who made it.
pub(crate) fn managed_by(labels: &BTreeMap<String, String>) -> Option<ManagedBy> {
    let label = |name: &str| labels.get(name).cloned();
    if let Some(service) = label("com.docker.swarm.service.name").or_else(|| label("com.docker.swarm.service.id")) {
        return Some(ManagedBy::Swarm { service });
    }
    if let Some(pod) = label("io.kubernetes.pod.name") {
        return Some(ManagedBy::Kubernetes { pod });
    }
    if let Some(project) = label("com.docker.compose.project") {
        return Some(ManagedBy::Compose { project, service: label("com.docker.compose.service").unwrap_or_default() });
    }
    if let Some(other) = labels.keys().find(|name| OTHERS.iter().any(|other| name.starts_with(other))) {
        return Some(ManagedBy::Other { label: other.clone() });
    }
    labels.contains_key(LABEL_RUN).then_some(ManagedBy::Slipway)
}

/// Returns why a container cannot be replaced faithfully; who manages it is the caller's question.
pub(crate) async fn refusals(calls: &EngineCalls, old: &Container) -> Result<Vec<Refusal>, Failure> {
    let mut reasons = Vec::new();
    if old.is_spare() {
        reasons.push(Refusal::OurOwnSpare);
    }
    if old.host()["AutoRemove"] == true {
        reasons.push(Refusal::AutoRemove);
    }
    let links: Vec<&str> = old.host()["Links"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !links.is_empty() {
        let linked = |link: &&str| link.split(':').next().unwrap_or_default().trim_start_matches('/').to_owned();
        reasons.push(Refusal::Links { names: links.iter().map(linked).collect() });
    }
    match old.status() {
        "running" => {}
        "paused" => reasons.push(Refusal::Paused),
        "restarting" => reasons.push(Refusal::Restarting),
        "dead" | "removing" => reasons.push(Refusal::Dying),
        _ => reasons.push(Refusal::Stopped),
    }
    let sharing = sharing(calls, old).await?;
    if !sharing.is_empty() {
        reasons.push(Refusal::SharedBy { names: sharing });
    }
    if images::image(calls, old.image_id()).await?.is_none() {
        reasons.push(Refusal::Unfaithful {
            setting: "Image".to_owned(),
            why: "the image that it runs is gone, so its defaults cannot be told from what was given".to_owned(),
        });
    }
    Ok(reasons)
}

/// Containers that live in a name space of this one: with it, theirs would go.
async fn sharing(calls: &EngineCalls, old: &Container) -> Result<Vec<String>, Failure> {
    let all = calls.get("/containers/json?all=1").await?.ok()?.json()?;
    let mut names = Vec::new();
    for summary in all.as_array().into_iter().flatten() {
        let id = summary["Id"].as_str().unwrap_or_default();
        if id == old.id() {
            continue;
        }
        let Some(other) = inspect(calls, id).await? else { continue };
        let shares = ["NetworkMode", "PidMode", "IpcMode"].iter().any(|mode| {
            let of = other.host()[mode].as_str().and_then(|mode| mode.strip_prefix("container:"));
            of.is_some_and(|of| of == old.name() || (of.len() >= 12 && old.id().starts_with(of)))
        });
        if shares && other.label(LABEL_ROLE).is_none() {
            names.push(other.name().to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Describes containers that are one target.
pub(crate) async fn target_state(
    calls: &EngineCalls,
    containers: &[Container],
    managed_by: Option<ManagedBy>,
    problems: Vec<Refusal>,
) -> Result<TargetState, Failure> {
    let mut addresses: Vec<_> = containers.iter().flat_map(Container::addresses).collect();
    addresses.sort();
    addresses.dedup();
    let ready = containers.iter().filter(|c| matches!(c.health(), TargetHealth::Healthy | TargetHealth::Running));
    let ready = u32::try_from(ready.count()).unwrap_or(u32::MAX);
    let image = match containers.first() {
        None => None,
        Some(first) => Some(match images::image(calls, first.image_id()).await? {
            Some(image) => image.running_as(first.image_name()),
            None => {
                RunningImage { reference: first.image_name().to_owned(), id: None, digests: Vec::new(), content: None }
            }
        }),
    };
    Ok(TargetState {
        image,
        mixed: containers.iter().any(|container| container.image_id() != containers[0].image_id()),
        health: worst(containers),
        replicas: Replicas { wanted: u32::try_from(containers.len()).unwrap_or(u32::MAX), ready },
        addresses,
        instances: containers.iter().map(instance).collect(),
        managed_by,
        problems,
    })
}

fn instance(container: &Container) -> Instance {
    Instance {
        id: container.id().to_owned(),
        name: container.name().to_owned(),
        image: container.image_name().to_owned(),
        health: container.health(),
        started_at: container.started_at().filter(|_| container.state("Running")),
    }
}

fn worst(containers: &[Container]) -> TargetHealth {
    use TargetHealth as H;
    const FROM_BAD_TO_GOOD: [TargetHealth; 7] =
        [H::Unhealthy, H::Restarting, H::Stopped, H::Paused, H::Starting, H::Running, H::Healthy];
    let found: Vec<TargetHealth> = containers.iter().map(Container::health).collect();
    FROM_BAD_TO_GOOD.into_iter().find(|health| found.contains(health)).unwrap_or(H::Stopped)
}
