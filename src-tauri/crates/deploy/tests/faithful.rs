//! Nothing of a container's configuration is lost: every field that the engine knows is set in a container and equal after it
//! was replaced, or is exempted here with the reason.

use crate::support::{Stage, attempt};
use bollard::models::{
    ContainerConfig, ContainerCreateBody, DeviceMapping, EndpointIpamConfig, EndpointSettings, HealthConfig, HostConfig,
};
use pretty_assertions::assert_eq;
use serde_json::{Map, Value, json};
use slipway_core::deploy::DeployOutcome;
use slipway_deploy::ContainerAction;
use std::collections::BTreeSet;

/// Names of all fields of a type of the engine's model, so that one that is new fails the test.
fn fields<T: serde::de::DeserializeOwned + serde::Serialize + std::fmt::Debug + Default>() -> BTreeSet<String> {
    // The names in the debug form are Rust's; the wire's differ in case and underscores only.
    let text = format!("{:#?}", T::default());
    let lines = text.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    lines.filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned())).collect()
}

/// `CgroupnsMode` and `cgroupns_mode` are the same field.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', "")
}

/// Fields that are not compared one by one, with the reason.
const CONFIG_EXEMPT: &[(&str, &str)] = &[
    ("Image", "it is what changes"),
    ("Labels", "ours are added; the others are compared without them"),
    ("ArgsEscaped", "Windows only"),
    ("NetworkDisabled", "with it a container has no networks to compare; deprecated"),
    ("OnBuild", "belongs to images; the engine takes it from the image"),
    ("AttachStdin", "with it the engine waits for a client; copied like its neighbours"),
    ("StdinOnce", "needs AttachStdin"),
];
const HOST_EXEMPT: &[(&str, &str)] = &[
    ("Links", "refused: what_cannot_be_made_again_is_refused_with_the_reason"),
    ("AutoRemove", "refused: what_cannot_be_made_again_is_refused_with_the_reason"),
    ("ContainerIDFile", "a file that the client writes; the engine does not use it"),
    ("Cgroup", "the engine refuses any value on Linux"),
    ("CpuCount", "Windows only"),
    ("CpuPercent", "Windows only"),
    ("IOMaximumIOps", "Windows only"),
    ("IOMaximumBandwidth", "Windows only"),
    ("Isolation", "Windows only; `default` here"),
    ("ConsoleSize", "Windows only before engine 23"),
    ("DeviceRequests", "needs a driver for the device (GPU) on the test engine"),
    ("Annotations", "engine 24 and newer; copied as it is, like every field that this list does not know"),
    ("CpuRealtimePeriod", "needs a kernel with real-time groups"),
    ("CpuRealtimeRuntime", "needs a kernel with real-time groups"),
    ("BlkioWeight", "needs the weight policy of the block layer, which kernels leave out"),
    ("BlkioWeightDevice", "needs the weight policy of the block layer, which kernels leave out"),
    ("StorageOpt", "needs a storage driver with quotas"),
    ("UsernsMode", "an engine without user name spaces knows only the default"),
    ("CgroupParent", "depends on the engine's cgroup driver"),
    ("NanoCpus", "excludes CpuPeriod and CpuQuota; a_container_with_cpus_keeps_them"),
    (
        "PublishAllPorts",
        "ports that the engine chose stay: a_b_a_is_deployed_each_time_…, ports_that_the_engine_chose_stay",
    ),
    ("VolumesFrom", "the_data_of_anonymous_and_borrowed_volumes_stays"),
];
const ENDPOINT_EXEMPT: &[(&str, &str)] = &[
    ("NetworkID", "the engine's; the networks are compared by name"),
    ("EndpointID", "made by the engine for each start"),
    ("Gateway", "made by the engine from the network"),
    ("IPPrefixLen", "made by the engine from the network"),
    ("IPv6Gateway", "made by the engine from the network"),
    ("GlobalIPv6Address", "the networks of the test have IPv4 only; the fixed address is in IPAMConfig"),
    ("GlobalIPv6PrefixLen", "made by the engine from the network"),
    ("DNSNames", "made by the engine from name, aliases and id; engine 25 and newer"),
    ("GwPriority", "engine 28 and newer; copied as it is"),
    ("DriverOpts", "no option of the bridge driver is harmless here; copied as it is"),
    ("Links", "links inside of a network name a container that the test does not have; copied as it is"),
];

fn without_short_id(mut endpoint: Value, id: &str) -> Value {
    if let Some(aliases) = endpoint["Aliases"].as_array_mut() {
        aliases.retain(|alias| !id.starts_with(alias.as_str().unwrap_or_default()));
    }
    endpoint
}

/// Returns what is wrong with a part of the configuration: fields that nobody set, and fields that differ.
fn compare(
    part: &str,
    known: &BTreeSet<String>,
    exempt: &[(&str, &str)],
    asked: &Value,
    before: &Value,
    after: &Value,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let exempted: BTreeSet<String> = exempt.iter().map(|(name, _)| plain(name)).collect();
    for name in exempted.iter().filter(|name| !known.iter().any(|field| plain(field) == **name)) {
        wrong.push(format!("{part}: {name} is exempted and does not exist"));
    }
    let field = |object: &Value, name: &str| {
        let found = object.as_object().into_iter().flatten().find(|(field, _)| plain(field) == plain(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    for name in known.iter().filter(|name| !exempted.contains(&plain(name))) {
        if field(asked, name).is_null() {
            wrong.push(format!("{part}.{name} is a field of the engine: set it here, or exempt it"));
        } else if field(before, name).is_null() {
            wrong.push(format!("{part}.{name} was set and the engine shows nothing"));
        }
    }
    // Also what the model does not know.
    let all = before.as_object().into_iter().flatten().map(|(name, _)| name);
    for name in all.filter(|name| !exempted.contains(&plain(name)) && before[name] != after[name]) {
        wrong.push(format!("{part}.{name} was {} and is {}", before[name], after[name]));
    }
    wrong
}

#[tokio::test]
async fn every_field_of_the_engines_configuration_is_carried_over() {
    let stage = Stage::new("faithful").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &["ENV FROM=a", "EXPOSE 80"]).await;
    stage.web("b", "two", &["ENV FROM=b", "EXPOSE 81"]).await;
    let mut networks = Vec::new();
    for (number, name) in [(1, "front"), (2, "back")] {
        let network = stage.container(name);
        // A run that was killed may have left its networks.
        let mut third = std::process::id();
        let subnet = slipway_testkit::eventually("a subnet is free", std::time::Duration::from_secs(60), async || {
            third += 1;
            let subnet = format!("10.{}.{}.0/24", 160 + number, third % 250);
            let create = ["network", "create", "--label", &stage.label, "--subnet", &subnet, &network];
            let made = stage.engine.docker(&create).await;
            if made.status.success() { Ok(subnet) } else { Err(String::from_utf8(made.stderr)) }
        })
        .await;
        networks.push((network, subnet.replace("0/24", "77")));
    }
    let device = stage
        .engine
        .docker_ok(&[
            "run",
            "--rm",
            "--label",
            &stage.label,
            &stage.reference("a"),
            "sh",
            "-c",
            "ls -d /sys/block/* | head -n 1",
        ])
        .await;
    let device = device.rsplit('/').next().unwrap().to_owned();
    let body = body(&stage, &networks, &device);
    let name = stage.container("full");
    let id = stage.create("full", &body).await;
    let second = &networks[1];
    stage.engine.docker_ok(&["network", "connect", "--ip", &second.1, "--alias", "second", &second.0, &name]).await;
    stage.engine.docker_ok(&["start", &name]).await;
    let before = stage.inspect(&name).await.unwrap();

    let (outcome, journal) = attempt(&action, &stage.job(stage.target("full"), "b").await).await;
    let DeployOutcome::Deployed { .. } = outcome else { panic!("{outcome:?} {:?}", journal.lines()) };
    let after = stage.inspect(&name).await.unwrap();
    assert_ne!(before["Id"], after["Id"]);
    assert_eq!(before["Id"], id.as_str());

    let (mut config_before, mut config_after) = (before["Config"].clone(), after["Config"].clone());
    let ours = |labels: &mut Value| {
        let labels = labels.as_object_mut().unwrap();
        labels.retain(|name, _| {
            !name.starts_with("slipway.deploy") && !matches!(name.as_str(), "slipway.role" | "slipway.previous")
        });
        labels.clone()
    };
    assert_eq!(ours(&mut config_before["Labels"]), ours(&mut config_after["Labels"]));
    // What came from the old image is not frozen: the new image's own has come instead.
    assert!(take(&mut config_before["Env"], "FROM=a") && take(&mut config_after["Env"], "FROM=b"));
    assert_eq!(config_after["ExposedPorts"].as_object_mut().unwrap().remove("81/tcp"), Some(json!({})));
    let mut wrong =
        compare("Config", &fields::<ContainerConfig>(), CONFIG_EXEMPT, &body, &config_before, &config_after);
    // The anonymous volume is given by its name from now on: the same data.
    let mut host_after = after["HostConfig"].clone();
    let volume = |container: &Value| {
        let mounts = container["Mounts"].as_array().unwrap();
        mounts.iter().find(|mount| mount["Destination"] == "/anonymous").unwrap()["Name"].as_str().unwrap().to_owned()
    };
    assert_eq!(volume(&before), volume(&after));
    assert!(take(&mut host_after["Binds"], &format!("{}:/anonymous", volume(&before))));
    // The port that the engine chose is asked for from now on: the same one.
    let chosen = before["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"].clone();
    assert_eq!(host_after["PortBindings"]["80/tcp"][0]["HostPort"].take(), chosen);
    host_after["PortBindings"]["80/tcp"][0]["HostPort"] = json!("");
    let (known, asked) = (fields::<HostConfig>(), &body["HostConfig"]);
    wrong.extend(compare("HostConfig", &known, HOST_EXEMPT, asked, &before["HostConfig"], &host_after));

    let networks_of = |container: &Value| container["NetworkSettings"]["Networks"].as_object().unwrap().clone();
    let (had, has) = (networks_of(&before), networks_of(&after));
    assert_eq!(had.keys().collect::<BTreeSet<_>>(), has.keys().collect::<BTreeSet<_>>());
    for (name, endpoint) in &had {
        let asked = &body["NetworkingConfig"]["EndpointsConfig"][&networks[0].0];
        let endpoint = without_short_id(endpoint.clone(), &id);
        let now = without_short_id(has[name].clone(), after["Id"].as_str().unwrap());
        let mut exempt = ENDPOINT_EXEMPT.to_vec();
        if *name != networks[0].0 {
            exempt.push(("MacAddress", "the second network's is made by the engine"));
        }
        wrong.extend(compare(name, &fields::<EndpointSettings>(), &exempt, asked, &endpoint, &now));
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(
        fields::<EndpointIpamConfig>(),
        ["ipv4_address", "ipv6_address", "link_local_ips"].map(str::to_owned).into()
    );
    assert_eq!(before["NetworkSettings"]["Ports"]["80/tcp"], after["NetworkSettings"]["Ports"]["80/tcp"]);
    // The create call takes these three beside the configuration itself.
    let create_only: BTreeSet<String> =
        fields::<ContainerCreateBody>().difference(&fields::<ContainerConfig>()).cloned().collect();
    assert_eq!(create_only, ["host_config", "networking_config"].map(str::to_owned).into());
}

fn take(list: &mut Value, item: &str) -> bool {
    let list = list.as_array_mut().unwrap();
    let before = list.len();
    list.retain(|entry| entry != item);
    list.len() < before
}

/// A container that has something in every field.
fn body(stage: &Stage, networks: &[(String, String)], device: &str) -> Value {
    let rate = json!([{"Path": format!("/dev/{device}"), "Rate": 1_048_576_000}]);
    let health = serde_json::to_value(HealthConfig {
        test: Some(vec!["CMD".into(), "true".into()]),
        interval: Some(200_000_000),
        timeout: Some(2_000_000_000),
        retries: Some(4),
        start_period: Some(1_000_000_000),
        start_interval: None,
    })
    .unwrap();
    let mapping = DeviceMapping {
        path_on_host: Some("/dev/null".into()),
        path_in_container: Some("/dev/nothing".into()),
        cgroup_permissions: Some("rw".into()),
    };
    let host: Map<String, Value> = json!({
        "CpuShares": 512, "Memory": 134_217_728, "BlkioDeviceReadBps": rate, "BlkioDeviceWriteBps": rate,
        "BlkioDeviceReadIOps": rate, "BlkioDeviceWriteIOps": rate, "CpuPeriod": 50_000, "CpuQuota": 25_000,
        "CpusetCpus": "0", "CpusetMems": "0", "Devices": [mapping], "DeviceCgroupRules": ["c 42:* rwm"],
        "MemoryReservation": 67_108_864, "MemorySwap": 268_435_456, "MemorySwappiness": 40, "OomKillDisable": false,
        "Init": true, "PidsLimit": 50, "Ulimits": [{"Name": "nofile", "Soft": 512, "Hard": 1024}],
        "Binds": ["/etc/hostname:/host-name:ro"], "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        "NetworkMode": networks[0].0, "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]},
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}, "VolumeDriver": "local",
        "Mounts": [{"Type": "tmpfs", "Target": "/scratch", "TmpfsOptions": {"SizeBytes": 1_048_576}}],
        "CapAdd": ["NET_ADMIN"], "CapDrop": ["MKNOD"], "CgroupnsMode": "private", "Dns": ["192.0.2.1"],
        "DnsOptions": ["ndots:2"], "DnsSearch": ["example.test"], "ExtraHosts": ["other:192.0.2.2"], "GroupAdd": ["20"],
        "IpcMode": "shareable", "OomScoreAdj": 100, "PidMode": "host", "Privileged": false, "ReadonlyRootfs": true,
        "SecurityOpt": ["no-new-privileges"], "Tmpfs": {"/tmp": "size=1m"}, "UTSMode": "", "ShmSize": 33_554_432,
        "Sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"}, "Runtime": "runc",
        "MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": ["/proc/sys"],
    })
    .as_object()
    .unwrap()
    .clone();
    json!({
        "MacAddress": "02:42:ac:11:00:99", "Hostname": "full", "Domainname": "example.test", "User": "0:0", "AttachStdout": true, "AttachStderr": true,
        "ExposedPorts": {"7/udp": {}, "80/tcp": {}}, "Tty": true, "OpenStdin": true, "Env": ["MINE=1"],
        "Cmd": ["mkdir -p /tmp/w && echo $FROM > /tmp/w/index.html && exec httpd -f -p 80 -h /tmp/w"],
        "Entrypoint": ["sh", "-c"], "Healthcheck": health, "Image": stage.reference("a"), "Volumes": {"/anonymous": {}},
        "WorkingDir": "/tmp", "Labels": {"slipway.test": stage.name, "mine": "yes"}, "StopSignal": "SIGKILL",
        "StopTimeout": 1, "Shell": ["/bin/sh", "-c"], "HostConfig": host,
        "NetworkingConfig": {"EndpointsConfig": {networks[0].0.clone(): {
            "IPAMConfig": {"IPv4Address": networks[0].1}, "IPAddress": networks[0].1, "Aliases": ["first", "www"],
            "MacAddress": "02:42:ac:11:00:99",
        }}},
    })
}

#[tokio::test]
async fn a_container_with_cpus_keeps_them() {
    let stage = Stage::new("cpus").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    let body = json!({"Image": stage.reference("a"), "MacAddress": "02:42:ac:11:00:98", "StopSignal": "SIGKILL",
        "HostConfig": {"NanoCpus": 500_000_000}});
    let id = stage.create("web", &body).await;
    stage.engine.docker_ok(&["start", &id]).await;
    let mac = async || {
        stage.inspect(&stage.container("web")).await.unwrap()["NetworkSettings"]["Networks"]["bridge"]["MacAddress"]
            .clone()
    };
    assert_eq!(mac().await, "02:42:ac:11:00:98");
    let (outcome, _) = attempt(&action, &stage.job(stage.target("web"), "b").await).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
    let web = stage.inspect(&stage.container("web")).await.unwrap();
    assert_eq!((&web["HostConfig"]["NanoCpus"], mac().await), (&json!(500_000_000), json!("02:42:ac:11:00:98")));
}

#[tokio::test]
async fn the_data_of_anonymous_and_borrowed_volumes_stays() {
    let stage = Stage::new("volumes").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &["VOLUME /data"]).await;
    stage.web("b", "two", &["VOLUME /data", "VOLUME /more"]).await;
    stage.run("lender", "a", &["--volume", "/lent"]).await;
    stage.run("web", "a", &["--volume", "/mine", "--volumes-from", &stage.container("lender")]).await;
    let web = stage.container("web");
    stage.engine.docker_ok(&["exec", &web, "sh", "-c", "echo 1 > /data/x; echo 2 > /mine/x; echo 3 > /lent/x"]).await;
    for tag in ["b", "a", "b"] {
        let (outcome, _) = attempt(&action, &stage.job(stage.target("web"), tag).await).await;
        assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
        let files = stage.engine.docker_ok(&["exec", &web, "cat", "/data/x", "/mine/x", "/lent/x"]).await;
        assert_eq!(files, "1\n2\n3", "after {tag}");
    }
    let after = stage.inspect(&web).await.unwrap();
    assert_eq!(after["HostConfig"]["VolumesFrom"], json!([stage.container("lender")]));
}
