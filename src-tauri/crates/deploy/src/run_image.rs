//! "Run this image": a first container or Swarm service. The body is made here from checked parts; nothing of the engine's
//! configuration can be passed through (T15).

use crate::docker::EngineCalls;
use crate::docker::containers::{self, inspect};
use crate::docker::gate::{self, Watched};
use crate::docker::images::{self, StoredImage};
use crate::replace::LABEL_RUN;
use crate::swarm;
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use slipway_core::deploy::{DeployJournal, JournalEntry, NetworkChoice, PublishedPort, RunAs, RunImage};
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::{ErrorCode, Failure};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Makes and starts it; when it does not pass the gate it is removed again, and the failure has its last lines.
pub(crate) async fn run(
    calls: &EngineCalls,
    request: &RunImage,
    login: &RegistryLogin,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    check(request)?;
    match request.run_as {
        RunAs::Container { restart } => run_container(calls, request, restart, login, cancel).await,
        RunAs::SwarmService { replicas } => swarm::run(calls, request, replicas, login, cancel).await,
    }
}

async fn run_container(
    calls: &EngineCalls,
    request: &RunImage,
    restart: bool,
    login: &RegistryLogin,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    if let Some(found) = inspect(calls, &request.name).await?.filter(|found| found.name() == request.name) {
        // Asked again after a lost answer: it is there already.
        if found.label(LABEL_RUN) == Some(&request.key.0) && found.serves() {
            return Ok(());
        }
        return Err(taken(&request.name));
    }
    let image = images::find_or_pull(calls, &request.image, login, cancel).await?;
    let id = create_exactly(calls, request, restart, &image).await?;
    let words = LastWords::default();
    let started = async {
        containers::start(calls, &id).await?;
        gate::pass(calls, (&id, Watched::New), &request.gate, &words, cancel).await
    };
    if let Err(failure) = started.await {
        // Named volumes stay: they may have been there before.
        containers::remove(calls, &id, true).await?;
        return Err(failure.with("log", words.text()));
    }
    Ok(())
}

/// The tag is used where it means this image, and is not trusted (T25).
async fn create_exactly(
    calls: &EngineCalls,
    request: &RunImage,
    restart: bool,
    image: &StoredImage,
) -> Result<String, Failure> {
    let reference = ImageReference::parse(&request.image.reference)?;
    for named in [image.name_for(&reference), image.id().to_owned()] {
        let id = containers::create(calls, &request.name, &body(request, restart, &named)).await?;
        if inspect(calls, &id).await?.is_some_and(|found| found.image_id() == image.id()) {
            return Ok(id);
        }
        containers::remove(calls, &id, true).await?;
    }
    Err(Failure::new(ErrorCode::ImageGone, format!("the engine does not use the image {}", image.id())))
}

pub(crate) fn taken(name: &str) -> Failure {
    Failure::new(ErrorCode::NameTaken, format!("{name} exists already")).at("name").with("name", name)
}

fn body(request: &RunImage, restart: bool, image: &str) -> Value {
    let mut open = Map::new();
    let mut bindings = Map::new();
    for port in &request.ports {
        let key = format!("{}/{}", port.container_port, port.protocol);
        open.insert(key.clone(), json!({}));
        let binding = json!({
            "HostIp": if port.only_local { "127.0.0.1" } else { "" },
            "HostPort": port.host_port.map(|port| port.to_string()).unwrap_or_default(),
        });
        match bindings.get_mut(&key).and_then(Value::as_array_mut) {
            Some(others) => others.push(binding),
            None => {
                bindings.insert(key, json!([binding]));
            }
        }
    }
    let mounts = mounts(request);
    let network = match &request.network {
        NetworkChoice::Default => "default",
        NetworkChoice::Named { name } => name,
    };
    json!({
        "Image": image,
        "Env": environment(request),
        "Labels": {LABEL_RUN: request.key.0},
        "ExposedPorts": open,
        "HostConfig": {
            "PortBindings": bindings,
            "Mounts": mounts,
            "NetworkMode": network,
            "RestartPolicy": {"Name": if restart { "unless-stopped" } else { "no" }},
        },
    })
}

pub(crate) fn environment(request: &RunImage) -> Vec<String> {
    request.environment.iter().map(|variable| format!("{}={}", variable.name, variable.value)).collect()
}

pub(crate) fn mounts(request: &RunImage) -> Vec<Value> {
    let mount = |volume: &slipway_core::deploy::RunVolume| json!({"Type": "volume", "Source": volume.volume, "Target": volume.path, "ReadOnly": volume.read_only});
    request.volumes.iter().map(mount).collect()
}

/// Checks what a person typed; `field` of the failure names it.
fn check(request: &RunImage) -> Result<(), Failure> {
    let invalid = |field: String, why: &str| Err(Failure::new(ErrorCode::InvalidField, why).at(field));
    request.image.check()?;
    if !is_name(&request.name, 63) {
        return invalid(
            "name".into(),
            "a name begins with a letter or digit and has letters, digits, '_', '.' and '-'",
        );
    }
    let mut hosts: BTreeSet<(Option<u16>, &str)> = BTreeSet::new();
    for (at, PublishedPort { container_port, host_port, protocol, .. }) in request.ports.iter().enumerate() {
        if *container_port == 0 || *host_port == Some(0) {
            return invalid(format!("ports[{at}]"), "a port is between 1 and 65535");
        }
        if !matches!(protocol.as_str(), "tcp" | "udp") {
            return invalid(format!("ports[{at}]"), "the protocol is tcp or udp");
        }
        if host_port.is_some() && !hosts.insert((*host_port, protocol)) {
            return invalid(format!("ports[{at}]"), "this port of the host is used twice");
        }
    }
    for (at, variable) in request.environment.iter().enumerate() {
        let name = &variable.name;
        if name.is_empty() || name.contains(['=', '\0']) || variable.value.contains('\0') {
            return invalid(format!("environment[{at}]"), "a variable's name is not empty and has no '='");
        }
    }
    let mut paths = BTreeSet::new();
    for (at, volume) in request.volumes.iter().enumerate() {
        // A name, never a path: folders of the host are not offered.
        if !is_name(&volume.volume, 255) {
            return invalid(
                format!("volumes[{at}].volume"),
                "a volume has a name of letters, digits, '_', '.' and '-'",
            );
        }
        let legal = volume.path.len() > 1 && volume.path.starts_with('/') && !volume.path.contains(['\0', ':']);
        if !legal || volume.path.split('/').any(|part| part == "..") || !paths.insert(&volume.path) {
            return invalid(format!("volumes[{at}].path"), "the path inside is absolute, and used once");
        }
    }
    match &request.network {
        // These are modes of the engine, not networks.
        NetworkChoice::Named { name }
            if !is_name(name, 255) || matches!(name.as_str(), "host" | "none" | "default") =>
        {
            invalid("network".into(), "choose a network by its name")
        }
        NetworkChoice::Named { .. } | NetworkChoice::Default => Ok(()),
    }
}

fn is_name(name: &str, longest: usize) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    (2..=longest).contains(&name.len())
        && name.bytes().all(legal)
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
}

/// Keeps the lines that the gate writes about something that did not come up. Running an image has no journal: when it is
/// interrupted, what is there is an ordinary container with a label.
#[derive(Default)]
pub(crate) struct LastWords(Mutex<Vec<String>>);

impl LastWords {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

#[async_trait]
impl DeployJournal for LastWords {
    async fn write(&self, _: JournalEntry) -> Result<(), Failure> {
        Ok(())
    }

    async fn entries(&self) -> Result<Vec<JournalEntry>, Failure> {
        Ok(Vec::new())
    }

    async fn line(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use slipway_core::deploy::{DeployImage, DeployKey, HealthGate, RunVolume};
    use slipway_core::image::ImageId;
    use slipway_core::rule::NameValue;

    fn request() -> RunImage {
        RunImage {
            key: DeployKey("k".into()),
            name: "web".into(),
            image: DeployImage {
                reference: "a:1".into(),
                digest: None,
                id: Some(ImageId("sha256:1".into())),
                content: None,
            },
            run_as: RunAs::Container { restart: true },
            ports: vec![PublishedPort {
                container_port: 80,
                host_port: Some(8080),
                only_local: true,
                protocol: "tcp".into(),
            }],
            environment: vec![NameValue { name: "A".into(), value: "b=c".into() }],
            volumes: vec![RunVolume { volume: "data".into(), path: "/data".into(), read_only: false }],
            network: NetworkChoice::Default,
            gate: HealthGate::default(),
        }
    }

    #[test]
    fn t15_only_checked_parts_reach_the_engine() {
        check(&request()).unwrap();
        type Change = fn(&mut RunImage);
        let cases: &[(&str, Change)] = &[
            ("name", |r| r.name = "-v".into()),
            ("name", |r| r.name = "a/b".into()),
            ("name", |r| r.name = "x".repeat(64)),
            ("ports[0]", |r| r.ports[0].container_port = 0),
            ("ports[0]", |r| r.ports[0].protocol = "tcp/../x".into()),
            ("ports[1]", |r| r.ports.push(r.ports[0].clone())),
            ("environment[0]", |r| r.environment[0].name = "A=B".into()),
            ("environment[0]", |r| r.environment[0].name = String::new()),
            ("volumes[0].volume", |r| r.volumes[0].volume = "/var/run/docker.sock".into()),
            ("volumes[0].volume", |r| r.volumes[0].volume = "../x".into()),
            ("volumes[0].path", |r| r.volumes[0].path = "data".into()),
            ("volumes[0].path", |r| r.volumes[0].path = "/a/../b".into()),
            ("volumes[0].path", |r| r.volumes[0].path = "/".into()),
            ("volumes[1].path", |r| r.volumes.push(r.volumes[0].clone())),
            ("network", |r| r.network = NetworkChoice::Named { name: "host".into() }),
            ("network", |r| r.network = NetworkChoice::Named { name: "container:db".into() }),
        ];
        for (field, change) in cases {
            let mut request = request();
            change(&mut request);
            let failure = check(&request).unwrap_err();
            assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::InvalidField, Some(*field)));
        }
    }
}
