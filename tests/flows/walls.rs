//! What the whole program leaves alone: the network before somebody sets something up, the person's own Docker set-up, and code
//! that nobody checked.

use crate::house::{House, assert_code};
use serde_json::{Value, json};
use slipway_flows::{Product, program};
use slipway_testkit::{Engine, OwnedProcess, SecretService, TempDataDir};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Counters of a network of its own that count whatever is tried to be sent, also where there is no way out.
fn tried(process: &str) -> Vec<(String, u64)> {
    let mut counts = Vec::new();
    let text = std::fs::read_to_string(format!("/proc/{process}/net/snmp")).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    for pair in lines.chunks(2) {
        for (name, count) in pair[0].iter().zip(&pair[1]).skip(1) {
            counts.push((format!("{}{name}", pair[0][0]), count.parse::<i64>().unwrap().unsigned_abs()));
        }
    }
    let text = std::fs::read_to_string(format!("/proc/{process}/net/snmp6")).unwrap_or_default();
    counts.extend(text.lines().filter_map(|line| {
        let (name, count) = line.split_once(char::is_whitespace)?;
        Some((name.to_owned(), count.trim().parse().ok()?))
    }));
    let sent = [
        "Ip:OutRequests",
        "Ip:OutNoRoutes",
        "Tcp:ActiveOpens",
        "Udp:OutDatagrams",
        "Ip6OutNoRoutes",
        "Udp6OutDatagrams",
    ];
    counts.into_iter().filter(|(name, count)| *count > 0 && sent.contains(&name.as_str())).collect()
}

/// Starts a program in a network of its own, without any way out.
fn alone(program: &str, prepare: impl FnOnce(&mut tokio::process::Command)) -> OwnedProcess {
    OwnedProcess::start("unshare", "apt-get install util-linux (or `make setup`)", |command| {
        command.args(["--map-current-user", "--net", "--", program]).stdout(Stdio::piped()).stderr(Stdio::inherit());
        prepare(command);
    })
}

#[tokio::test]
async fn t26_a_first_run_sends_nothing_to_anybody() {
    // The counters see a program that only tries.
    let mut witness = alone("bash", |command| {
        command.args(["-c", "exec 2>/dev/null; (exec 3<>/dev/tcp/192.0.2.1/443); echo tried; exec sleep 60"]);
    });
    let output = witness.child().stdout.take().unwrap();
    assert_eq!(BufReader::new(output).lines().next_line().await.unwrap().as_deref(), Some("tried"));
    assert_ne!(tried(&witness.id().to_string()), [], "an attempt is seen");
    witness.kill().await;

    let (keyring, data_dir) = (SecretService::start().await, TempDataDir::new());
    let mut product = alone(program("slipway-devhost").to_str().unwrap(), |command| {
        command.arg("--data-dir").arg(data_dir.path()).envs(keyring.environment());
    });
    let mut output = BufReader::new(product.child().stdout.take().unwrap()).lines();
    let hello = tokio::time::timeout(Duration::from_secs(30), output.next_line());
    assert!(hello.await.unwrap().unwrap().is_some_and(|line| line.contains("token")), "it runs");
    // What it does by itself in its first seconds, with nothing set up.
    let _ = tokio::time::timeout(Duration::from_secs(5), product.child().wait()).await;
    assert!(product.child().try_wait().unwrap().is_none(), "it still runs");
    assert_eq!(tried(&product.id().to_string()), []);
}

/// Everything in a folder, by name.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.insert(path.clone(), Vec::new());
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn f33_t31_the_persons_docker_set_up_and_things_of_others_are_as_they_were() {
    let docker = TempDataDir::new();
    let config = json!({ "auths": { "elsewhere.example": { "auth": "dTpw" } }, "currentContext": "default", "psFormat": "table" });
    std::fs::write(docker.path().join("config.json"), config.to_string()).unwrap();
    let meta = docker.path().join("contexts/meta/3b1c");
    std::fs::create_dir_all(&meta).unwrap();
    std::fs::write(meta.join("meta.json"), json!({ "Name": "theirs", "Endpoints": {} }).to_string()).unwrap();
    let before = contents(docker.path());
    let engine = Engine::require().await;
    let environment = [("DOCKER_CONFIG", docker.path().to_str().unwrap()), ("DOCKER_HOST", engine.endpoint())];
    let mut house = House::open_with(Product::start_with(&environment).await).await;

    let (theirs, label) = (format!("theirs-{}", house.mark), format!("test.flow={}", house.mark));
    // One that looks like ours, of another data folder, and one that nobody names.
    let private = format!("slipway.local/build:{theirs}");
    for name in [format!("{theirs}:1"), private.clone()] {
        house.engine.docker_ok(&["tag", &house.base, &name]).await;
    }
    house.engine.docker_ok(&["create", "--name", &theirs, "--label", &label, &house.base, "true"]).await;
    house.engine.docker_ok(&["volume", "create", &theirs]).await;
    house.engine.docker_ok(&["network", "create", &theirs]).await;
    let inventory = async |engine: &Engine| {
        let mut seen = Vec::new();
        for (kind, name) in [
            ("image", theirs.as_str()),
            ("image", &private),
            ("container", &theirs),
            ("volume", &theirs),
            ("network", &theirs),
        ] {
            let name = if kind == "image" && name == theirs { format!("{name}:1") } else { name.to_owned() };
            let text = engine.docker_ok(&[kind, "inspect", &name]).await;
            let mut value: Value = serde_json::from_str(&text).unwrap();
            // Other tests name and run the base image meanwhile.
            for moving in ["RepoTags", "RepoDigests", "Metadata"] {
                value[0].as_object_mut().unwrap().remove(moving);
            }
            seen.push((kind, name, value));
        }
        seen
    };
    let theirs_before = inventory(&house.engine).await;

    // A build, one that fails, one that is cancelled, a kill, tidying at the start, and records that go.
    let (code, _, repository, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    let good = house.build(&rule, "main").await;
    assert_eq!(good["state"], "succeeded", "{good}");
    code.write("Dockerfile", house.dockerfile("RUN false\n"));
    code.commit("fails").await;
    let bad = house.build(&rule, "main").await;
    assert_code(&bad["failure"], "step_failed");
    code.write("Dockerfile", house.dockerfile("RUN sleep 300\n"));
    code.commit("endless").await;
    let endless = house.start(&rule, "main").await;
    house.in_stage(&endless, "build").await;
    house.product.kill_and_start_again().await;
    house.product.must("builds.cancel", json!({ "id": endless })).await;
    house.over(&endless).await;
    for build in [&good["id"], &bad["id"]] {
        house.product.must("builds.delete", json!({ "id": build })).await;
    }
    house.product.must("rules.delete", json!({ "id": rule })).await;
    house.product.must("image_repositories.delete", json!({ "id": repository })).await;
    house.product.kill_and_start_again().await;

    assert_eq!(contents(docker.path()), before, "the Docker client's own files");
    assert_eq!(inventory(&house.engine).await, theirs_before);
    house.engine.docker(&["rm", "--force", &theirs]).await;
    house.engine.docker(&["volume", "rm", &theirs]).await;
    house.engine.docker(&["network", "rm", &theirs]).await;
    house.engine.docker(&["rmi", &format!("{theirs}:1"), &private]).await;
    house.close().await;
}

#[test]
fn t24_every_dependency_is_named_with_its_checksum_and_comes_from_its_registry() {
    let lock = read("Cargo.lock");
    let mut packages = 0;
    for package in lock.split("[[package]]").skip(1) {
        let Some(source) = package.lines().find(|line| line.starts_with("source = ")) else { continue };
        packages += 1;
        assert_eq!(source, r#"source = "registry+https://github.com/rust-lang/crates.io-index""#, "{package}");
        assert!(package.contains("\nchecksum = \""), "{package}");
    }
    assert!(packages > 100, "{packages}");
    // What a page could use to run programs or to be replaced is not even linked.
    for plugin in ["shell", "http", "process", "updater"] {
        assert!(!lock.contains(&format!("name = \"tauri-plugin-{plugin}\"")), "{plugin}");
    }
    for path in ["ui/package-lock.json", "tests/hosts/package-lock.json"] {
        let lock: Value = serde_json::from_str(&read(path)).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert!(packages.len() > 10, "{path}");
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")), "{path}: {name}");
            let from = package["resolved"].as_str().unwrap_or("https://registry.npmjs.org/");
            assert!(from.starts_with("https://registry.npmjs.org/"), "{path}: {name}: {from}");
        }
    }
    // The locks decide: nothing is resolved anew on the way.
    let (setup, check, test) = (read("scripts/setup"), read("scripts/check"), read("scripts/test"));
    assert!(setup.contains("npm ci") && !setup.contains("npm install"));
    for script in [check, test] {
        let of_cargo = |line: &&str| {
            ["cargo clippy", "cargo build", "cargo test", "cargo nextest run"].iter().any(|part| line.contains(part))
        };
        for line in script.lines().filter(|line| !line.trim_start().starts_with('#')).filter(of_cargo) {
            assert!(line.contains("--locked"), "{line}");
        }
    }
}

#[test]
fn t05_the_only_window_is_made_without_an_address_and_signing_in_is_for_the_browser() {
    let config: Value = serde_json::from_str(&read("tauri.conf.json")).unwrap();
    let windows = config["app"]["windows"].as_array().unwrap();
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0].get("url"), None, "it shows what was packed");
    assert_eq!(config["build"]["frontendDist"].as_str().map(|path| path.contains("://")), Some(false));
    let mut makers = Vec::new();
    for entry in std::fs::read_dir(root().join("src-tauri/src")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["WebviewWindowBuilder::", "WebviewBuilder", "WebviewUrl", ".navigate("] {
            if text.contains(word) {
                makers.push((path.file_name().unwrap().to_str().unwrap().to_owned(), word));
            }
        }
    }
    assert_eq!(makers, [("window.rs".to_owned(), "WebviewWindowBuilder::")]);
    assert!(read("src-tauri/src/window.rs").contains("WebviewWindowBuilder::from_config(app, description)"));
}
