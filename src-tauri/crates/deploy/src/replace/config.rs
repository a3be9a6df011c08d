//! The configuration of a container that takes another's place: everything that a person gave, nothing that came from the old
//! image. Works on the engine's own JSON, so that a setting of a newer engine is carried over too.
//!
//! Source of the rules: how the engine merges an image's configuration into a container's (`reference/engine-and-git-facts.md`
//! section 7).

use crate::docker::containers::{
    Container, LABEL_DEPLOY, LABEL_PREVIOUS, LABEL_ROLE, ROLE_CANDIDATE, ROLE_SERVING, object,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What is made in the place of a container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Successor {
    /// The body of the create call.
    pub(crate) body: Value,
    /// Networks to connect afterwards, with their endpoints: engines before 25 take only one at the creation.
    pub(crate) networks: Vec<(String, Value)>,
    /// The network that it is created in, when the old one has been taken out of it.
    pub(crate) leave: Option<String>,
}

/// Length of the short id, which the engine gives as host name and as an alias.
const SHORT_ID: usize = 12;

/// Returns the configuration for `image` in the place of `old`, whose image has the configuration `inherited`.
pub(crate) fn successor(old: &Container, inherited: &Value, image: &str, key: &str) -> Successor {
    let mut config = given_config(old, inherited);
    config.insert("Image".to_owned(), image.into());
    let labels = config.entry("Labels").or_insert_with(|| json!({}));
    labels[LABEL_DEPLOY] = key.into();
    labels[LABEL_ROLE] = ROLE_SERVING.into();
    labels[LABEL_PREVIOUS] = old.id().into();

    let mut host = object(old.host());
    keep_volumes(old, &mut host);
    keep_ports(old, &mut host);
    config.insert("HostConfig".to_owned(), Value::Object(host));

    let primary = old.networks().find(|(name, endpoint)| is_primary(old, name, endpoint));
    if let Some((name, endpoint)) = primary.map(|(name, endpoint)| (name, given_endpoint(old, endpoint))) {
        let mode = network_mode(old);
        let name = if mode == "default" { name.as_str() } else { mode };
        // The default network takes no configuration of the endpoint.
        if endpoint.as_object().is_some_and(|fields| !fields.is_empty()) {
            config.insert("NetworkingConfig".to_owned(), json!({"EndpointsConfig": {name: endpoint}}));
        }
    }
    let others = old.networks().filter(|(name, endpoint)| !is_primary(old, name, endpoint));
    let others = others.map(|(name, endpoint)| (network_id(name, endpoint), given_endpoint(old, endpoint))).collect();
    Successor { body: Value::Object(config), networks: others, leave: left_network(old) }
}

/// Returns the configuration of a candidate: it runs beside the old one, so it takes nothing that only one can have (ports,
/// names, addresses) and nothing by which others would find it (aliases, labels).
pub(crate) fn candidate(old: &Container, inherited: &Value, image: &str, key: &str) -> Successor {
    let mut config = given_config(old, inherited);
    config.insert("Image".to_owned(), image.into());
    config.insert("Labels".to_owned(), json!({LABEL_DEPLOY: key, LABEL_ROLE: ROLE_CANDIDATE}));
    config.remove("MacAddress");
    let mut host = object(old.host());
    host.insert("PortBindings".to_owned(), json!({}));
    host.insert("PublishAllPorts".to_owned(), false.into());
    host.insert("RestartPolicy".to_owned(), json!({"Name": "no"}));
    config.insert("HostConfig".to_owned(), Value::Object(host));
    let networks = old.networks().filter(|(name, endpoint)| !is_primary(old, name, endpoint));
    let networks = networks.map(|(name, endpoint)| (network_id(name, endpoint), json!({}))).collect();
    Successor { body: Value::Object(config), networks, leave: left_network(old) }
}

/// Why the new image cannot be tried beside the old one; `None` when it can.
pub(crate) fn why_no_candidate(old: &Container) -> Option<String> {
    let mode = network_mode(old);
    if mode == "host" || mode.starts_with("container:") {
        return Some(format!("network {mode}"));
    }
    let anonymous: BTreeSet<String> = anonymous_volumes(old).into_iter().map(|(_, path)| path).collect();
    let written = old.mounts().find(|mount| {
        let path = mount["Destination"].as_str().unwrap_or_default();
        mount["RW"].as_bool().unwrap_or(true) && mount["Type"] != "tmpfs" && !anonymous.contains(path)
    });
    written.map(|mount| format!("both would write to {}", mount["Destination"].as_str().unwrap_or_default()))
}

/// The container's configuration without what it has from its image or from the engine.
fn given_config(old: &Container, inherited: &Value) -> Map<String, Value> {
    let mut config = object(old.config());
    // With another's network or host name space the engine copied the name, and refuses to be given one.
    let shared = network_mode(old).starts_with("container:") || old.host()["UTSMode"] == "host";
    let short: String = old.id().chars().take(SHORT_ID).collect();
    let generated = config.get("Hostname").and_then(Value::as_str).is_none_or(|name| name.is_empty() || name == short);
    if generated || shared {
        config.remove("Hostname");
    }
    if shared {
        config.remove("Domainname");
    }
    // The engine filled this from the image; it means nothing in a create call.
    config.remove("Image");
    for field in ["User", "WorkingDir", "StopSignal", "Healthcheck", "Shell", "OnBuild", "ArgsEscaped"] {
        if config.get(field) == inherited.get(field) {
            config.remove(field);
        }
    }
    command(&mut config, inherited);
    if let Some(Value::Array(given)) = config.get_mut("Env") {
        let defaults = inherited["Env"].as_array().cloned().unwrap_or_default();
        given.retain(|variable| !defaults.contains(variable));
    }
    if let Some(Value::Object(given)) = config.get_mut("ExposedPorts") {
        // The engine publishes exposed ports only, so a port that a person published stays exposed.
        let published = |port: &str| old.host()["PortBindings"].get(port).is_some();
        given.retain(|port, _| published(port) || inherited["ExposedPorts"].get(port).is_none());
    }
    if let Some(Value::Object(given)) = config.get_mut("Volumes") {
        given.retain(|path, _| inherited["Volumes"].get(path).is_none());
    }
    if let Some(Value::Object(given)) = config.get_mut("Labels") {
        let of_an_attempt = |name: &str| [LABEL_DEPLOY, LABEL_ROLE, LABEL_PREVIOUS].contains(&name);
        given.retain(|name, value| !of_an_attempt(name) && inherited["Labels"].get(name) != Some(&*value));
    }
    config.retain(|_, value| !value.is_null());
    config
}

/// The engine takes the image's command only together with the image's entry point.
fn command(config: &mut Map<String, Value>, inherited: &Value) {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).filter(|list| !list.is_empty()).cloned();
    let (entrypoint, image_entrypoint) = (list(config.get("Entrypoint")), list(inherited.get("Entrypoint")));
    let (command, image_command) = (list(config.get("Cmd")), list(inherited.get("Cmd")));
    if entrypoint.is_none() && image_entrypoint.is_some() {
        // It was taken away on purpose (`--entrypoint ""`).
        config.insert("Entrypoint".to_owned(), json!([""]));
    } else if entrypoint == image_entrypoint {
        if command.is_some() || image_command.is_none() {
            config.remove("Entrypoint");
        }
        if command == image_command {
            config.remove("Cmd");
        }
    }
}

/// Volumes without a name that a person gave: the engine made one up. With the path that each is at.
fn anonymous_volumes(old: &Container) -> Vec<(String, String)> {
    let named: BTreeSet<String> = old.host()["Binds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(|bind| Some(bind.split(':').nth(1)?.to_owned()))
        .chain(old.host()["Mounts"].as_array().into_iter().flatten().filter_map(|mount| {
            let source = mount["Source"].as_str().unwrap_or_default();
            (!source.is_empty()).then(|| mount["Target"].as_str().unwrap_or_default().to_owned())
        }))
        .collect();
    let volumes = old.mounts().filter(|mount| mount["Type"] == "volume");
    volumes
        .filter_map(|mount| Some((mount["Name"].as_str()?.to_owned(), mount["Destination"].as_str()?.to_owned())))
        .filter(|(_, path)| !named.contains(path))
        .collect()
}

/// The data of anonymous volumes stays: the same volumes are given by their names.
fn keep_volumes(old: &Container, host: &mut Map<String, Value>) {
    for (name, path) in anonymous_volumes(old) {
        let read_only = old.mounts().any(|mount| mount["Destination"] == path.as_str() && mount["RW"] == false);
        let mounts = host.get_mut("Mounts").and_then(Value::as_array_mut);
        if let Some(mount) = mounts.into_iter().flatten().find(|mount| mount["Target"] == path.as_str()) {
            mount["Source"] = name.into();
            continue;
        }
        let bind = format!("{name}:{path}{}", if read_only { ":ro" } else { "" });
        match host.get_mut("Binds").and_then(Value::as_array_mut) {
            Some(binds) => {
                binds.retain(|bind| bind != path.as_str());
                binds.push(bind.into());
            }
            None => {
                host.insert("Binds".to_owned(), json!([bind]));
            }
        }
    }
}

/// Ports of the host that the engine chose stay the same: somebody has them in a bookmark.
fn keep_ports(old: &Container, host: &mut Map<String, Value>) {
    let chosen = chosen_ports(old);
    if chosen.is_empty() {
        return;
    }
    let mut bindings = host.get("PortBindings").map(object).unwrap_or_default();
    for (port, open) in chosen {
        bindings.insert(port, open);
    }
    host.insert("PortBindings".to_owned(), Value::Object(bindings));
}

/// Ports for which the engine chose the host's side, with the bindings that are open now.
pub(crate) fn chosen_ports(old: &Container) -> Vec<(String, Value)> {
    let asked = &old.host()["PortBindings"];
    let all = old.host()["PublishAllPorts"].as_bool().unwrap_or_default();
    let open = old.0["NetworkSettings"]["Ports"].as_object().into_iter().flatten();
    open.filter(|(port, bindings)| {
        let asked = asked[port.as_str()].as_array().filter(|asked| !asked.is_empty());
        let left_open = |binding: &Value| {
            let port = binding["HostPort"].as_str().unwrap_or_default();
            port.is_empty() || port == "0" || port.contains('-')
        };
        let chosen = asked.map_or(all, |asked| asked.iter().any(left_open));
        chosen && bindings.as_array().is_some_and(|bindings| !bindings.is_empty())
    })
    .map(|(port, bindings)| (port.clone(), asked_form(old, port, bindings)))
    .collect()
}

/// The open bindings in the form in which they can be asked for: one per address that was asked for. An empty address is
/// opened for IPv4 and IPv6, which shows up as two.
fn asked_form(old: &Container, port: &str, open: &Value) -> Value {
    let open: Vec<&Value> = open.as_array().into_iter().flatten().collect();
    let asked = old.host()["PortBindings"][port].as_array().cloned().unwrap_or_else(|| vec![json!({"HostIp": ""})]);
    let any = |ip: &str| matches!(ip, "" | "0.0.0.0" | "::");
    let fixed = asked.iter().enumerate().map(|(at, asked)| {
        let ip = asked["HostIp"].as_str().unwrap_or_default();
        let same = |binding: &&&Value| {
            let bound = binding["HostIp"].as_str().unwrap_or_default();
            bound == ip || (any(bound) && any(ip))
        };
        let matching: Vec<_> = open.iter().filter(same).collect();
        let found = matching.get(at.min(matching.len().saturating_sub(1)));
        json!({"HostIp": ip, "HostPort": found.map(|binding| binding["HostPort"].clone()).unwrap_or_default()})
    });
    Value::Array(fixed.collect())
}

fn network_id(name: &str, endpoint: &Value) -> String {
    endpoint["NetworkID"].as_str().filter(|id| !id.is_empty()).unwrap_or(name).to_owned()
}

fn network_mode(old: &Container) -> &str {
    old.host()["NetworkMode"].as_str().filter(|mode| !mode.is_empty()).unwrap_or("default")
}

/// Returns whether this is the network that the container is created in; its mode holds the network's name or id.
fn is_primary(old: &Container, name: &str, endpoint: &Value) -> bool {
    let mode = network_mode(old);
    name == mode || endpoint["NetworkID"] == mode || (mode == "default" && name == "bridge")
}

fn left_network(old: &Container) -> Option<String> {
    let mode = network_mode(old);
    let is_network = mode != "host" && mode != "none" && !mode.starts_with("container:");
    let left = is_network && !old.networks().any(|(name, endpoint)| is_primary(old, name, endpoint));
    left.then(|| if mode == "default" { "bridge".to_owned() } else { mode.to_owned() })
}

/// What a person gave for an endpoint; the rest is what the engine made of it.
fn given_endpoint(old: &Container, endpoint: &Value) -> Value {
    const MADE_BY_THE_ENGINE: [&str; 9] = [
        "NetworkID",
        "EndpointID",
        "Gateway",
        "IPAddress",
        "IPPrefixLen",
        "IPv6Gateway",
        "GlobalIPv6Address",
        "GlobalIPv6PrefixLen",
        "DNSNames",
    ];
    let mut given = object(endpoint);
    given.retain(|field, _| !MADE_BY_THE_ENGINE.contains(&field.as_str()));
    given.retain(|field, value| field != "MacAddress" || !is_made_from_the_address(value, &endpoint["IPAddress"]));
    if let Some(Value::Array(aliases)) = given.get_mut("Aliases") {
        let short: String = old.id().chars().take(SHORT_ID).collect();
        aliases.retain(|alias| alias != short.as_str());
    }
    given.retain(|_, value| !is_nothing(value));
    Value::Object(given)
}

/// Engines before 28 make the hardware address from the IP address: kept, it would clash with the next owner of that address.
/// Later ones draw it, and keeping such a one does no harm.
fn is_made_from_the_address(hardware: &Value, address: &Value) -> bool {
    let address = address.as_str().and_then(|address| address.parse::<std::net::Ipv4Addr>().ok());
    let made = address.map(|address| {
        let [a, b, c, d] = address.octets();
        format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
    });
    hardware.as_str() == made.as_deref()
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) => false,
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
