//! "Run this image" as a Swarm service.

use super::rollout;
use super::service;
use super::text;
use crate::docker::EngineCalls;
use crate::docker::calls::encode;
use crate::docker::images;
use crate::replace::LABEL_RUN;
use crate::run_image::{LastWords, environment, mounts, taken};
use serde_json::{Value, json};
use slipway_core::deploy::{NetworkChoice, RunImage};
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

/// Makes the service and waits until its tasks run; else it is removed again.
pub(crate) async fn run(
    calls: &EngineCalls,
    request: &RunImage,
    replicas: u32,
    login: &RegistryLogin,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    if replicas == 0 {
        return Err(Failure::new(ErrorCode::InvalidField, "a service has at least one replica").at("run_as.replicas"));
    }
    if request.image.digest.is_none() && images::find(calls, &request.image).await?.is_none() {
        return Err(Failure::new(ErrorCode::ImageGone, "the image is in no registry and gone from the engine"));
    }
    let image = super::spec_image(&request.image)?;
    let host = ImageReference::parse(&request.image.reference)?.host;
    let answer =
        calls.post_with_login("/services/create", &spec(request, replicas, &image), host.as_str(), login).await?;
    match answer.status {
        // Asked again after a lost answer: it is there already.
        409 => {
            let found = service::find(calls, &request.name).await?;
            if found.spec()["Labels"][LABEL_RUN].as_str() != Some(&request.key.0) {
                return Err(taken(&request.name));
            }
        }
        406 | 503 => return Err(Failure::new(ErrorCode::TargetGone, format!("no swarm here: {}", answer.message()))),
        _ => {
            answer.ok()?;
        }
    }
    let words = LastWords::default();
    let watch = rollout::watch(calls, &request.name, &request.gate, &words, cancel, |service, tasks| {
        rollout::settled(service, tasks, text(&service.spec()["TaskTemplate"]["ContainerSpec"]["Image"]))
    });
    if let Err(failure) = watch.await {
        let answer = calls.delete(&format!("/services/{}", encode(&request.name))).await?;
        if answer.status != 404 {
            answer.ok()?;
        }
        return Err(failure.with("log", words.text()));
    }
    Ok(())
}

fn spec(request: &RunImage, replicas: u32, image: &str) -> Value {
    let ports: Vec<Value> = request
        .ports
        .iter()
        .map(|port| {
            json!({"Protocol": port.protocol, "TargetPort": port.container_port, "PublishedPort": port.host_port.unwrap_or(0),
                   "PublishMode": "ingress"})
        })
        .collect();
    let networks = match &request.network {
        NetworkChoice::Default => json!([]),
        NetworkChoice::Named { name } => json!([{"Target": name}]),
    };
    // Two must not write to one volume; without one nobody notices the update.
    let order = if request.volumes.iter().all(|volume| volume.read_only) { "start-first" } else { "stop-first" };
    json!({
        "Name": request.name,
        "Labels": {LABEL_RUN: request.key.0},
        "TaskTemplate": {
            "ContainerSpec": {"Image": image, "Env": environment(request), "Mounts": mounts(request)},
            "RestartPolicy": {"Condition": "any", "Delay": 1_000_000_000_u64},
            "Networks": networks,
        },
        "Mode": {"Replicated": {"Replicas": replicas}},
        "UpdateConfig": {"Parallelism": 1, "Order": order, "FailureAction": "rollback"},
        "EndpointSpec": {"Ports": ports},
    })
}
