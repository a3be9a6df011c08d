#![allow(clippy::unwrap_used)]
use super::*;
use pretty_assertions::assert_eq;

fn container(config: Value, host: Value) -> Container {
    Container(json!({
        "Id": "0123456789abcdef", "Name": "/web", "Image": "sha256:old",
        "Config": config, "HostConfig": host, "Mounts": [],
        "NetworkSettings": {"Ports": {}, "Networks": {"bridge": {"NetworkID": "b1"}}},
    }))
}

fn made(old: &Container, inherited: &Value) -> Value {
    successor(old, inherited, "app:2", "k1").body
}

#[test]
fn the_old_images_defaults_are_not_frozen_and_a_persons_settings_are_kept() {
    let inherited = json!({
        "Env": ["PATH=/bin", "A=1"], "User": "app", "WorkingDir": "/srv", "StopSignal": "SIGQUIT",
        "Labels": {"vendor": "x", "version": "1"}, "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/data": {}},
        "Healthcheck": {"Test": ["CMD", "true"]}, "Cmd": ["serve"], "Entrypoint": ["/init"],
    });
    let mut config = inherited.clone();
    config["Hostname"] = json!("0123456789ab");
    config["Image"] = json!("app:1");
    let labels = |body: &Value| {
        object(&body["Labels"]).keys().filter(|l| !l.starts_with("slipway.")).cloned().collect::<Vec<_>>()
    };

    let body = made(&container(config.clone(), json!({})), &inherited);
    for field in ["Hostname", "User", "WorkingDir", "StopSignal", "Healthcheck", "Cmd", "Entrypoint"] {
        assert_eq!(body[field], Value::Null, "{field}");
    }
    assert_eq!((&body["Env"], &body["ExposedPorts"], &body["Volumes"]), (&json!([]), &json!({}), &json!({})));
    assert_eq!(labels(&body), Vec::<String>::new());
    assert_eq!(body["Image"], "app:2");

    config["Env"] = json!(["A=2", "B=3", "PATH=/bin"]);
    config["User"] = json!("root");
    // The beginning of the id, but not the name that the engine gives.
    config["Hostname"] = json!("01");
    config["Labels"] =
        json!({"vendor": "x", "version": "2", "mine": "", "slipway.previous": "gone", "slipway.deploy": "k0"});
    config["ExposedPorts"] = json!({"80/tcp": {}, "81/tcp": {}});
    let body = made(&container(config, json!({})), &inherited);
    assert_eq!(body["Env"], json!(["A=2", "B=3"]));
    assert_eq!(
        (&body["User"], &body["Hostname"], &body["ExposedPorts"]),
        (&json!("root"), &json!("01"), &json!({"81/tcp": {}}))
    );
    assert_eq!(labels(&body), ["version", "mine"]);
    assert_eq!(body["Labels"][LABEL_DEPLOY], "k1");
    assert_eq!(body["Labels"][LABEL_PREVIOUS], "0123456789abcdef");
}

#[test]
fn command_and_entry_point_follow_the_engines_merge() {
    let cases = [
        // image (entry point, command), container, expected in the body
        ((json!(["/i"]), json!(["c"])), (json!(["/i"]), json!(["c"])), (Value::Null, Value::Null)),
        ((json!(["/i"]), json!(["c"])), (json!(["/i"]), json!(["d"])), (Value::Null, json!(["d"]))),
        // Entry point given again without a command: the image's command must not come back.
        ((json!(["/i"]), json!(["c"])), (json!(["/i"]), Value::Null), (json!(["/i"]), Value::Null)),
        // With an entry point of its own the command is its own too, even an equal one.
        ((json!(["/i"]), json!(["c"])), (json!(["/j"]), json!(["c"])), (json!(["/j"]), json!(["c"]))),
        ((json!(["/i"]), json!(["c"])), (Value::Null, json!(["d"])), (json!([""]), json!(["d"]))),
        ((Value::Null, json!(["c"])), (Value::Null, json!(["c"])), (Value::Null, Value::Null)),
        ((Value::Null, json!(["c"])), (json!([]), json!(["d"])), (Value::Null, json!(["d"]))),
        ((Value::Null, Value::Null), (json!(["/j"]), Value::Null), (json!(["/j"]), Value::Null)),
    ];
    for ((entrypoint, command), (given_entrypoint, given_command), (expected_entrypoint, expected_command)) in cases {
        let inherited = json!({"Entrypoint": entrypoint, "Cmd": command});
        let body =
            made(&container(json!({"Entrypoint": given_entrypoint, "Cmd": given_command}), json!({})), &inherited);
        let got = (body["Entrypoint"].clone(), body["Cmd"].clone());
        assert_eq!(got, (expected_entrypoint, expected_command), "{inherited} with {given_entrypoint} {given_command}");
    }
}

#[test]
fn anonymous_volumes_are_kept_by_their_names() {
    let mut old =
        container(json!({}), json!({"Binds": ["named:/n:ro"], "Mounts": [{"Type": "volume", "Target": "/m"}]}));
    old.0["Mounts"] = json!([
        {"Type": "volume", "Name": "named", "Destination": "/n", "RW": false},
        {"Type": "volume", "Name": "a1", "Destination": "/data", "RW": true},
        {"Type": "volume", "Name": "a2", "Destination": "/m", "RW": true},
        {"Type": "bind", "Source": "/x", "Destination": "/y", "RW": false},
    ]);
    let host = &made(&old, &json!({}))["HostConfig"];
    assert_eq!(host["Binds"], json!(["named:/n:ro", "a1:/data"]));
    assert_eq!(host["Mounts"], json!([{"Type": "volume", "Target": "/m", "Source": "a2"}]));
    assert_eq!(why_no_candidate(&old), None);
    old.0["Mounts"][0]["RW"] = json!(true);
    assert_eq!(why_no_candidate(&old).unwrap(), "both would write to /n");
}

#[test]
fn ports_that_the_engine_chose_stay() {
    let host = json!({"PublishAllPorts": true, "PortBindings": {
        "80/tcp": [{"HostIp": "", "HostPort": ""}], "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}],
        "82/tcp": [{"HostIp": "127.0.0.1", "HostPort": "0"}, {"HostIp": "127.0.0.1", "HostPort": "0"}],
    }});
    let mut old = container(json!({"ExposedPorts": {"80/tcp": {}, "90/tcp": {}}}), host);
    old.0["NetworkSettings"]["Ports"] = json!({
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49153"}, {"HostIp": "::", "HostPort": "49153"}],
        "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}],
        "82/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49160"}, {"HostIp": "127.0.0.1", "HostPort": "49161"}],
        "90/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49170"}],
        "91/tcp": null,
    });
    assert_eq!(
        made(&old, &json!({}))["HostConfig"]["PortBindings"],
        json!({
            "80/tcp": [{"HostIp": "", "HostPort": "49153"}],
            "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}],
            "82/tcp": [{"HostIp": "127.0.0.1", "HostPort": "49160"}, {"HostIp": "127.0.0.1", "HostPort": "49161"}],
            "90/tcp": [{"HostIp": "", "HostPort": "49170"}],
        })
    );
    // The image exposed both; the engine would not open a published port that the new image does not expose.
    let inherited = json!({"ExposedPorts": {"80/tcp": {}, "90/tcp": {}}});
    assert_eq!(made(&old, &inherited)["ExposedPorts"], json!({"80/tcp": {}}));
}

#[test]
fn networks_keep_addresses_and_aliases_and_nothing_that_the_engine_made() {
    let mut old = container(json!({}), json!({"NetworkMode": "front"}));
    let endpoint = |id: &str, ip: &str| {
        json!({"NetworkID": id, "EndpointID": "e", "IPAddress": ip, "IPPrefixLen": 24, "MacAddress": if id == "f1" { "02:42:0a:00:00:05" } else { "02:00:00:00:00:01" },
               "GlobalIPv6PrefixLen": 0, "GwPriority": 0, "Links": null, "DNSNames": ["web"], "DriverOpts": null,
               "Aliases": ["www", "0123456789ab"], "IPAMConfig": {"IPv4Address": ip}})
    };
    old.0["NetworkSettings"]["Networks"] =
        json!({"front": endpoint("f1", "10.0.0.5"), "back": endpoint("b1", "10.1.0.5")});
    let kept = |ip: &str| json!({"Aliases": ["www"], "IPAMConfig": {"IPv4Address": ip}});
    // The first one's hardware address was made from its address, the second one's was given.
    let mut second = kept("10.1.0.5");
    second["MacAddress"] = json!("02:00:00:00:00:01");
    let new = successor(&old, &json!({}), "app:2", "k");
    assert_eq!(new.body["NetworkingConfig"]["EndpointsConfig"], json!({"front": kept("10.0.0.5")}));
    assert_eq!((new.networks, new.leave), (vec![("b1".to_owned(), second)], None));
    // The mode may hold the network's id.
    old.0["HostConfig"]["NetworkMode"] = json!("f1");
    let new = successor(&old, &json!({}), "app:2", "k");
    assert_eq!(new.body["NetworkingConfig"]["EndpointsConfig"], json!({"f1": kept("10.0.0.5")}));
    // It was taken out of the network that it was made in.
    old.0["HostConfig"]["NetworkMode"] = json!("gone");
    let new = successor(&old, &json!({}), "app:2", "k");
    assert_eq!((new.networks.len(), new.leave.as_deref()), (2, Some("gone")));

    let tried = candidate(&old, &json!({}), "app:2", "k");
    assert_eq!(tried.networks, [("f1".to_owned(), json!({})), ("b1".to_owned(), json!({}))]);
    assert_eq!(tried.body["Labels"], json!({LABEL_DEPLOY: "k", LABEL_ROLE: ROLE_CANDIDATE}));
    assert_eq!(tried.body["HostConfig"]["PortBindings"], json!({}));
}
