//! Containers of one engine: reading them whole, and the few calls that change them.

use super::calls::{EngineCalls, encode, printable};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use slipway_core::deploy::{PublishedAddress, TargetHealth};
use slipway_core::{ErrorCode, Failure};
use std::collections::BTreeMap;
use std::time::Duration;

/// Marks what an attempt made; the value is its key.
pub(crate) const LABEL_DEPLOY: &str = "slipway.deploy";
/// What a container is to the attempt: [`ROLE_CANDIDATE`] or [`ROLE_SERVING`].
pub(crate) const LABEL_ROLE: &str = "slipway.role";
/// Id of the container whose place it took.
pub(crate) const LABEL_PREVIOUS: &str = "slipway.previous";
pub(crate) const ROLE_CANDIDATE: &str = "candidate";
pub(crate) const ROLE_SERVING: &str = "serving";
/// How long the engine waits by itself before it kills what does not stop.
const STOP_TIMEOUT: u64 = 10;

/// A container as `GET /containers/{id}/json` describes it.
#[derive(Debug, Clone)]
pub(crate) struct Container(pub(crate) Value);

impl Container {
    pub(crate) fn id(&self) -> &str {
        self.0["Id"].as_str().unwrap_or_default()
    }

    /// Its name without the leading slash.
    pub(crate) fn name(&self) -> &str {
        self.0["Name"].as_str().unwrap_or_default().trim_start_matches('/')
    }

    pub(crate) fn image_id(&self) -> &str {
        self.0["Image"].as_str().unwrap_or_default()
    }

    /// The image as its configuration names it.
    pub(crate) fn image_name(&self) -> &str {
        self.config()["Image"].as_str().unwrap_or_default()
    }

    pub(crate) fn config(&self) -> &Value {
        &self.0["Config"]
    }

    pub(crate) fn host(&self) -> &Value {
        &self.0["HostConfig"]
    }

    pub(crate) fn networks(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0["NetworkSettings"]["Networks"].as_object().into_iter().flatten()
    }

    pub(crate) fn mounts(&self) -> impl Iterator<Item = &Value> {
        self.0["Mounts"].as_array().into_iter().flatten()
    }

    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        let labels = self.config()["Labels"].as_object().into_iter().flatten();
        labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
    }

    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.config()["Labels"][name].as_str()
    }

    pub(crate) fn state(&self, field: &str) -> bool {
        self.0["State"][field].as_bool().unwrap_or_default()
    }

    pub(crate) fn status(&self) -> &str {
        self.0["State"]["Status"].as_str().unwrap_or_default()
    }

    /// Up, and neither paused nor between two starts.
    pub(crate) fn serves(&self) -> bool {
        self.status() == "running"
    }

    pub(crate) fn exit_code(&self) -> i64 {
        self.0["State"]["ExitCode"].as_i64().unwrap_or_default()
    }

    pub(crate) fn restarts(&self) -> i64 {
        self.0["RestartCount"].as_i64().unwrap_or_default()
    }

    pub(crate) fn started_text(&self) -> &str {
        self.0["State"]["StartedAt"].as_str().unwrap_or_default()
    }

    pub(crate) fn started_at(&self) -> Option<DateTime<Utc>> {
        let at = DateTime::parse_from_rfc3339(self.started_text()).ok()?.to_utc();
        (at.timestamp() > 0).then_some(at)
    }

    /// `starting`, `healthy` or `unhealthy`; `None` without a health check.
    pub(crate) fn health_check(&self) -> Option<&str> {
        self.0["State"]["Health"]["Status"].as_str().filter(|status| !matches!(*status, "" | "none"))
    }

    pub(crate) fn health(&self) -> TargetHealth {
        match self.status() {
            "running" => match self.health_check() {
                Some("healthy") => TargetHealth::Healthy,
                Some("starting") => TargetHealth::Starting,
                Some(_) => TargetHealth::Unhealthy,
                None => TargetHealth::Running,
            },
            "restarting" => TargetHealth::Restarting,
            "paused" => TargetHealth::Paused,
            _ => TargetHealth::Stopped,
        }
    }

    /// Ports that are open now, sorted.
    pub(crate) fn addresses(&self) -> Vec<PublishedAddress> {
        let ports = self.0["NetworkSettings"]["Ports"].as_object().into_iter().flatten();
        let mut addresses: Vec<PublishedAddress> = ports
            .flat_map(|(port, bindings)| bindings.as_array().into_iter().flatten().map(move |binding| (port, binding)))
            .filter_map(|(port, binding)| address(port, binding))
            .collect();
        addresses.sort();
        addresses
    }

    pub(crate) fn is_spare(&self) -> bool {
        self.label(LABEL_ROLE) == Some(ROLE_CANDIDATE) || self.name().contains(OLD_MARK)
    }
}

/// What stands between a container's name and the attempt's key in the name of the kept old one.
pub(crate) const OLD_MARK: &str = "-slipway-old-";

fn address(port: &str, binding: &Value) -> Option<PublishedAddress> {
    let (container_port, protocol) = port.split_once('/')?;
    Some(PublishedAddress {
        host_ip: binding["HostIp"].as_str().unwrap_or_default().to_owned(),
        host_port: binding["HostPort"].as_str()?.parse().ok()?,
        container_port: container_port.parse().ok()?,
        protocol: protocol.to_owned(),
    })
}

/// Reads a container by id or name.
pub(crate) async fn inspect(calls: &EngineCalls, name: &str) -> Result<Option<Container>, Failure> {
    let answer = calls.get(&format!("/containers/{}/json", encode(name))).await?;
    match answer.status {
        200 => Ok(Some(Container(answer.json()?))),
        404 => Ok(None),
        _ => Err(answer.failure()),
    }
}

/// Reads every container, running or not, that has all of these labels (`name` or `name=value`). One that goes away
/// meanwhile is left out.
pub(crate) async fn labelled(calls: &EngineCalls, labels: &[&str]) -> Result<Vec<Container>, Failure> {
    let filters = encode(&json!({"label": labels}).to_string());
    let answer = calls.get(&format!("/containers/json?all=1&filters={filters}")).await?.ok()?.json()?;
    let mut found = Vec::new();
    for summary in answer.as_array().into_iter().flatten() {
        if let Some(container) = inspect(calls, summary["Id"].as_str().unwrap_or_default()).await? {
            found.push(container);
        }
    }
    Ok(found)
}

/// Makes a container and returns its id.
pub(crate) async fn create(calls: &EngineCalls, name: &str, body: &Value) -> Result<String, Failure> {
    let answer = calls.post(&format!("/containers/create?name={}", encode(name)), Some(body)).await?.ok()?;
    let id = answer.json()?["Id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Failure::new(ErrorCode::EngineError, "the engine made a container without an id"))
}

/// Connects a container to a network.
pub(crate) async fn connect(calls: &EngineCalls, network: &str, id: &str, endpoint: &Value) -> Result<(), Failure> {
    let body = json!({"Container": id, "EndpointConfig": endpoint});
    calls.post(&format!("/networks/{}/connect", encode(network)), Some(&body)).await?.ok().map(|_| ())
}

/// Takes a container out of a network.
pub(crate) async fn disconnect(calls: &EngineCalls, network: &str, id: &str) -> Result<(), Failure> {
    let body = json!({"Container": id, "Force": false});
    calls.post(&format!("/networks/{}/disconnect", encode(network)), Some(&body)).await?.ok().map(|_| ())
}

/// Starts a container; one that runs is fine.
pub(crate) async fn start(calls: &EngineCalls, id: &str) -> Result<(), Failure> {
    calls.post_slowly(&format!("/containers/{}/start", encode(id)), Duration::ZERO).await?.ok().map(|_| ())
}

/// Stops a container as it wants to be stopped: its signal, its time. One that does not run is fine.
pub(crate) async fn stop(calls: &EngineCalls, container: &Container) -> Result<(), Failure> {
    let grace = container.config()["StopTimeout"].as_u64().unwrap_or(STOP_TIMEOUT);
    let path = format!("/containers/{}/stop", encode(container.id()));
    calls.post_slowly(&path, Duration::from_secs(grace)).await?.ok().map(|_| ())
}

/// Gives a container another name.
pub(crate) async fn rename(calls: &EngineCalls, id: &str, name: &str) -> Result<(), Failure> {
    let path = format!("/containers/{}/rename?name={}", encode(id), encode(name));
    calls.post(&path, None).await?.ok().map(|_| ())
}

/// Sets the restart policy (`{"Name": …, "MaximumRetryCount": …}`).
pub(crate) async fn set_restart(calls: &EngineCalls, id: &str, policy: &Value) -> Result<(), Failure> {
    let path = format!("/containers/{}/update", encode(id));
    calls.post(&path, Some(&json!({"RestartPolicy": policy}))).await?.ok().map(|_| ())
}

/// Removes a container, running or not. With `volumes` its own anonymous volumes go too, never named ones. Missing is fine.
pub(crate) async fn remove(calls: &EngineCalls, id: &str, volumes: bool) -> Result<(), Failure> {
    let answer = calls.delete(&format!("/containers/{}?force=1&v={}", encode(id), u8::from(volumes))).await?;
    if answer.status == 404 { Ok(()) } else { answer.ok().map(|_| ()) }
}

/// Returns the last lines that a container printed, ready to be shown.
pub(crate) async fn last_lines(calls: &EngineCalls, container: &Container) -> Result<Vec<String>, Failure> {
    let path = format!("/containers/{}/logs?stdout=1&stderr=1&tail=20", encode(container.id()));
    let answer = calls.get(&path).await?.ok()?;
    let text = match container.config()["Tty"].as_bool().unwrap_or_default() {
        true => answer.bytes().to_vec(),
        false => without_frames(answer.bytes()),
    };
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().map(printable).filter(|line| !line.is_empty()).collect())
}

/// Takes out the 8-byte headers that stand before each piece of output of a container without a terminal.
fn without_frames(mut bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while let [_, 0, 0, 0, a, b, c, d, rest @ ..] = bytes {
        let length = (u32::from_be_bytes([*a, *b, *c, *d]) as usize).min(rest.len());
        text.extend_from_slice(&rest[..length]);
        bytes = &rest[length..];
    }
    text
}

/// Returns the object's field as a map of its own.
pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
