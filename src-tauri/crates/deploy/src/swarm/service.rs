//! One Swarm service, as the engine describes it, and the two calls that change it.

use super::text;
use crate::docker::EngineCalls;
use crate::docker::calls::{Answer, encode};
use crate::docker::containers::LABEL_DEPLOY;
use crate::docker::images;
use crate::replace::LABEL_RUN;
use serde_json::{Value, json};
use slipway_core::deploy::{
    DeployJob, Instance, ManagedBy, PublishedAddress, Refusal, Replicas, RunningImage, TargetHealth, TargetState,
};
use slipway_core::image::{Digest, ImageReference, RegistryLogin};
use slipway_core::{ErrorCode, Failure};

const STACK: &str = "com.docker.stack.namespace";

/// A service as `GET /services/{name}` describes it.
#[derive(Debug, Clone)]
pub(crate) struct Service(Value);

impl Service {
    pub(crate) fn id(&self) -> &str {
        text(&self.0["ID"])
    }

    pub(crate) fn name(&self) -> &str {
        text(&self.spec()["Name"])
    }

    pub(crate) fn spec(&self) -> &Value {
        &self.0["Spec"]
    }

    pub(crate) fn image(&self) -> &str {
        text(&self.spec()["TaskTemplate"]["ContainerSpec"]["Image"])
    }

    pub(crate) fn previous_image(&self) -> &str {
        text(&self.0["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Image"])
    }

    pub(crate) fn version(&self) -> u64 {
        self.0["Version"]["Index"].as_u64().unwrap_or_default()
    }

    /// The attempt that changed it last.
    pub(crate) fn deploy_key(&self) -> Option<&str> {
        self.spec()["Labels"][LABEL_DEPLOY].as_str()
    }

    pub(crate) fn stack(&self) -> Option<&str> {
        self.spec()["Labels"][STACK].as_str()
    }

    pub(crate) fn update_option(&self, name: &str) -> Option<&str> {
        self.spec()["UpdateConfig"][name].as_str()
    }

    pub(crate) fn parallelism(&self) -> u64 {
        self.spec()["UpdateConfig"]["Parallelism"].as_u64().unwrap_or(1)
    }

    pub(crate) fn update_state(&self) -> &str {
        text(&self.0["UpdateStatus"]["State"])
    }

    pub(crate) fn update_began(&self) -> &str {
        text(&self.0["UpdateStatus"]["StartedAt"])
    }

    pub(crate) fn update_message(&self) -> String {
        crate::docker::calls::printable(text(&self.0["UpdateStatus"]["Message"]))
    }

    /// How many tasks are wanted: as written, or one per node, which the tasks themselves show.
    pub(crate) fn wanted(&self, tasks: &[Task]) -> usize {
        match self.spec()["Mode"]["Replicated"]["Replicas"].as_u64() {
            Some(replicas) => usize::try_from(replicas).unwrap_or(usize::MAX),
            None => tasks.iter().filter(|task| task.is_wanted()).count(),
        }
    }

    fn addresses(&self, tasks: &[Task]) -> Vec<PublishedAddress> {
        let routed = self.0["Endpoint"]["Ports"].as_array().into_iter().flatten();
        let on_nodes = tasks.iter().filter(|task| task.is_wanted());
        let on_nodes =
            on_nodes.flat_map(|task| task.0["Status"]["PortStatus"]["Ports"].as_array().into_iter().flatten());
        let mut addresses: Vec<PublishedAddress> = routed
            .chain(on_nodes)
            .filter_map(|port| {
                Some(PublishedAddress {
                    host_ip: "0.0.0.0".to_owned(),
                    host_port: u16::try_from(port["PublishedPort"].as_u64()?).ok().filter(|port| *port > 0)?,
                    container_port: u16::try_from(port["TargetPort"].as_u64()?).ok()?,
                    protocol: text(&port["Protocol"]).to_owned(),
                })
            })
            .collect();
        addresses.sort();
        addresses.dedup();
        addresses
    }

    fn problems(&self) -> Vec<Refusal> {
        let mode = &self.spec()["Mode"];
        let mut problems = Vec::new();
        if mode["Replicated"]["Replicas"] == 0 {
            problems.push(Refusal::ScaledToZero);
        }
        if !mode["ReplicatedJob"].is_null() || !mode["GlobalJob"].is_null() {
            let why = "a job runs once and ends".to_owned();
            problems.push(Refusal::Unfaithful { setting: "Mode".to_owned(), why });
        }
        if matches!(self.update_state(), "updating" | "rollback_started") {
            problems.push(Refusal::RolloutUnderWay);
        }
        problems
    }
}

/// A task as `GET /tasks` describes it.
#[derive(Debug, Clone)]
pub(crate) struct Task(Value);

impl Task {
    pub(crate) fn id(&self) -> &str {
        text(&self.0["ID"])
    }

    pub(crate) fn is_wanted(&self) -> bool {
        text(&self.0["DesiredState"]) == "running"
    }

    pub(crate) fn runs(&self) -> bool {
        text(&self.0["Status"]["State"]) == "running"
    }

    pub(crate) fn image(&self) -> &str {
        text(&self.0["Spec"]["ContainerSpec"]["Image"])
    }

    pub(crate) fn error(&self) -> Option<String> {
        let error = self.0["Status"]["Err"].as_str().filter(|error| !error.is_empty())?;
        Some(crate::docker::calls::printable(error))
    }

    fn instance(&self, service: &str) -> Instance {
        let health = match text(&self.0["Status"]["State"]) {
            "running" => TargetHealth::Running,
            "failed" | "rejected" | "orphaned" => TargetHealth::Unhealthy,
            "complete" | "shutdown" | "remove" => TargetHealth::Stopped,
            _ => TargetHealth::Starting,
        };
        let place = self.0["Slot"].as_u64().map_or_else(|| text(&self.0["NodeID"]).to_owned(), |slot| slot.to_string());
        let since = chrono::DateTime::parse_from_rfc3339(text(&self.0["Status"]["Timestamp"])).ok();
        Instance {
            id: self.id().to_owned(),
            name: format!("{service}.{place}"),
            image: self.image().to_owned(),
            health,
            started_at: since.filter(|_| self.runs()).map(|since| since.to_utc()),
        }
    }
}

/// Somebody else changed the service.
pub(crate) fn changed(name: &str) -> Failure {
    Failure::new(ErrorCode::TargetChanged, format!("the service {name} was changed by somebody else"))
}

/// An engine that is no manager of a swarm has no services.
fn answered(answer: Answer) -> Result<Answer, Failure> {
    match answer.status {
        406 | 503 => Err(Failure::new(ErrorCode::TargetGone, format!("no swarm here: {}", answer.message()))),
        _ => answer.ok(),
    }
}

/// Finds a service by its name.
pub(crate) async fn find(calls: &EngineCalls, name: &str) -> Result<Service, Failure> {
    let gone = || Failure::new(ErrorCode::TargetGone, format!("there is no service {name}")).with("service", name);
    let answer = calls.get(&format!("/services/{}", encode(name))).await?;
    if answer.status == 404 {
        return Err(gone());
    }
    let service = Service(answered(answer)?.json()?);
    // The engine also finds by id, or by a part of one.
    if service.name() == name { Ok(service) } else { Err(gone()) }
}

/// Lists every service of the swarm; an engine without one has none.
pub(crate) async fn list(calls: &EngineCalls) -> Result<Vec<Service>, Failure> {
    let answer = calls.get("/services").await?;
    if matches!(answer.status, 406 | 503) {
        return Ok(Vec::new());
    }
    let found = answer.ok()?.json()?;
    Ok(found.as_array().into_iter().flatten().cloned().map(Service).collect())
}

/// Lists the tasks of a service, also those that ended and are still remembered.
pub(crate) async fn tasks(calls: &EngineCalls, service: &Service) -> Result<Vec<Task>, Failure> {
    let filters = encode(&json!({"service": [service.id()]}).to_string());
    let found = answered(calls.get(&format!("/tasks?filters={filters}")).await?)?.json()?;
    Ok(found.as_array().into_iter().flatten().cloned().map(Task).collect())
}

/// Replaces the specification, unless somebody else did since it was read. The login goes along for the nodes' pulls.
pub(crate) async fn update(
    calls: &EngineCalls,
    service: &Service,
    spec: &Value,
    job: &DeployJob,
) -> Result<(), Failure> {
    let host = ImageReference::parse(&job.image.reference)?.host;
    post_update(calls, service, spec, "", host.as_str(), &job.login).await
}

/// Puts the specification back that the service had before the last update.
pub(crate) async fn roll_back(calls: &EngineCalls, service: &Service) -> Result<(), Failure> {
    post_update(calls, service, service.spec(), "&rollback=previous", "", &RegistryLogin::Anonymous).await
}

async fn post_update(
    calls: &EngineCalls,
    service: &Service,
    spec: &Value,
    more: &str,
    host: &str,
    login: &RegistryLogin,
) -> Result<(), Failure> {
    let path = format!("/services/{}/update?version={}{more}", encode(service.id()), service.version());
    let answer = calls.post_with_login(&path, spec, host, login).await?;
    if answer.message().contains("update out of sequence") {
        return Err(changed(service.name()));
    }
    answered(answer).map(|_| ())
}

/// Describes a service as a target.
pub(crate) async fn state(calls: &EngineCalls, service: &Service) -> Result<TargetState, Failure> {
    let tasks = tasks(calls, service).await?;
    let wanted = service.wanted(&tasks);
    let ready = tasks.iter().filter(|task| task.is_wanted() && task.runs()).count();
    let health = match (wanted, service.update_state()) {
        (0, _) => TargetHealth::Stopped,
        (_, "updating" | "rollback_started") => TargetHealth::Starting,
        _ if ready >= wanted => TargetHealth::Running,
        _ => TargetHealth::Unhealthy,
    };
    let live: Vec<&Task> = tasks.iter().filter(|task| task.is_wanted()).collect();
    let managed_by = match (service.stack(), service.spec()["Labels"][LABEL_RUN].as_str()) {
        (Some(_), _) => Some(ManagedBy::Other { label: STACK.to_owned() }),
        (None, Some(_)) => Some(ManagedBy::Slipway),
        (None, None) => None,
    };
    Ok(TargetState {
        image: Some(running_image(calls, service.image()).await?),
        mixed: live.iter().any(|task| task.image() != service.image()),
        health,
        replicas: Replicas { wanted: number(wanted), ready: number(ready) },
        addresses: service.addresses(&tasks),
        instances: live.iter().map(|task| task.instance(service.name())).collect(),
        managed_by,
        problems: service.problems(),
    })
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The specification's image; what it holds is known when this engine has it.
async fn running_image(calls: &EngineCalls, name: &str) -> Result<RunningImage, Failure> {
    let (plain, digest) = match name.split_once('@') {
        Some((plain, digest)) => (plain, Digest::new(digest).ok()),
        None => (name, None),
    };
    let repository = ImageReference::parse(plain).ok().map(|reference| reference.repository());
    let named = repository.zip(digest).map(|(repository, digest)| format!("{repository}@{digest}"));
    let mut image = match images::image(calls, named.as_deref().unwrap_or(name)).await? {
        Some(stored) => stored.running_as(name),
        None => RunningImage { reference: name.to_owned(), id: None, digests: Vec::new(), content: None },
    };
    if let Some(named) = named.filter(|named| !image.digests.contains(named)) {
        image.digests.push(named);
    }
    Ok(image)
}
