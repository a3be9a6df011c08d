//! Trouble at a border (code host, engine, keychain; the registry's is in `registry_troubles`): each ends with a clear code or
//! with a recovery, and nothing is stuck afterwards.

use crate::house::{DEADLINE, House, assert_code};
use serde_json::{Value, json};
use slipway_flows::Product;
use slipway_testkit::{Engine, Fault, FaultProxy, GitRepository, GitServer, SecretService, eventually};
use std::time::Duration;

const REFUSED: Fault = Fault::Answer("401 Unauthorized\r\nwww-authenticate: Basic realm=\"git\"", "");
const TOO_MANY: Fault = Fault::Answer("429 Too Many Requests\r\nretry-after: 1", "");
const ILL: Fault = Fault::Answer("503 Service Unavailable\r\ncontent-type: application/json", "{\"message\":\"ill\"}");

/// A house whose code lies on a git server behind a door.
async fn house_with_a_git_server() -> (House, FaultProxy, GitServer, GitRepository, Value, Value) {
    let house = House::open().await;
    house.product.must("settings.save", json!({ "concurrency": 2, "poll_seconds": 3600 })).await;
    let server = GitServer::start(None, None).await;
    let door = FaultProxy::before_address(&format!("127.0.0.1:{}", server.port())).await;
    let code = house.code("COPY index.html /\n").await;
    server.publish("team/app.git", &code).await;
    let url = format!("http://{}/team/app.git", door.address());
    let form = json!({ "name": "server", "location": { "kind": "git_url", "url": url, "allow_plain_http": true } });
    let code_id = house.product.must("code_repositories.add", json!({ "form": form })).await["id"].clone();
    house.look(&code_id).await;
    let repository = house.repository("team/app").await;
    house.rule(&repository, &code_id, json!({ "strategy": "every_push" })).await;
    (house, door, server, code, code_id, repository)
}

#[tokio::test]
async fn f09_f13_f35_each_trouble_of_a_code_host_has_its_code_and_loses_no_push() {
    let (house, door, server, code, code_id, repository) = house_with_a_git_server().await;
    let mut commits = Vec::new();
    let check = async || house.product.call("code_repositories.check", json!({ "id": code_id })).await;
    let cases = [
        ("cut", Some(Fault::Cut), "source_unreachable"),
        ("answer cut", Some(Fault::CutAnswer), "source_unreachable"),
        ("401", Some(REFUSED), "source_unauthorized"),
        ("429", Some(TOO_MANY), "source_rate_limited"),
        ("503", Some(ILL), "source_server_error"),
        ("portal", Some(Fault::PORTAL), "source_not_git"),
        ("away", None, "source_unreachable"),
    ];
    for (name, fault, expected) in cases {
        code.write("index.html", format!("{name}\n"));
        commits.push(code.commit(name).await);
        code.push("main").await;
        match fault {
            Some(fault) => door.fail(fault),
            None => door.go_away().await,
        }
        let failure = check().await.expect_err(name);
        assert_eq!(failure["code"], expected, "{name}: {failure}");
        assert_code(&failure, expected);
        if fault.is_none() {
            door.come_back().await;
        }
        assert!(fault.is_none() || door.heal() > 0, "{name}");
        // What the host asked to wait is waited.
        eventually(&format!("{name}: it is well again"), DEADLINE, async || check().await).await;
    }
    // The repository itself is gone for a while.
    let (there, away) = (server.path_of("team/app.git"), server.path_of("away.git"));
    std::fs::rename(&there, &away).unwrap();
    let failure = check().await.unwrap_err();
    assert_code(&failure, "source_not_found");
    std::fs::rename(&away, &there).unwrap();
    eventually("it is there again", DEADLINE, async || check().await).await;

    let builds = house.all_over(&repository).await;
    let built: Vec<&str> = builds.iter().filter_map(|build| build["commit"]["id"].as_str()).collect();
    assert_eq!(built, commits, "each push is built once, in order");
    assert!(builds.iter().all(|build| build["state"] == "succeeded"), "{builds:?}");
    house.close().await;
}

#[tokio::test]
async fn f12_f35_a_code_host_that_hangs_or_is_slow_delays_only_itself() {
    let (house, door, _server, code, code_id, repository) = house_with_a_git_server().await;
    code.write("index.html", "slow\n");
    let commit = code.commit("slow").await;
    code.push("main").await;
    let other = house.code("COPY index.html /other\n").await;
    door.fail(Fault::Stall);
    let look = house.product.call("code_repositories.check", json!({ "id": code_id }));
    let others = async {
        eventually("the look hangs", DEADLINE, async || if door.struck() > 0 { Ok(()) } else { Err(()) }).await;
        // Other code and other builds go on meanwhile.
        let other_id = house.clone_of(&other).await;
        let other_repository = house.repository("team/other").await;
        let rule = house.rule(&other_repository, &other_id, json!({ "triggers": {} })).await;
        assert_eq!(house.build(&rule, "main").await["state"], "succeeded");
        door.fail(Fault::Slow(Duration::from_millis(5)));
    };
    let (looked, ()) = tokio::join!(look, others);
    looked.expect("it goes on where it waited");
    let builds = house.all_over(&repository).await;
    assert_eq!(builds.len(), 1, "{builds:?}");
    assert_eq!((&builds[0]["state"], &builds[0]["commit"]["id"]), (&json!("succeeded"), &json!(commit)));
    house.close().await;
}

/// A house whose engine is behind a door.
async fn house_with_a_door_to_the_engine() -> (House, FaultProxy) {
    let engine = Engine::require().await;
    let door = FaultProxy::before_socket(engine.endpoint().strip_prefix("unix://").unwrap()).await;
    let host = format!("unix://{}", door.socket().display());
    (House::open_with(Product::start_with(&[("DOCKER_HOST", &host)]).await).await, door)
}

#[tokio::test]
async fn f05_f06_f13_each_trouble_of_an_engine_ends_with_its_code_or_is_waited_for() {
    let (house, door) = house_with_a_door_to_the_engine().await;
    let (code, _, repository, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    let cases = [
        ("cut before the build", "POST /grpc", Fault::Cut, None),
        ("no answer to the build", "POST /grpc", Fault::CutAnswer, None),
        ("cut before the push", "/push?", Fault::Cut, None),
        ("no answer to the push", "/push?", Fault::CutAnswer, None),
        ("the push is refused by somebody between", "/push?", Fault::PORTAL, Some("engine_error")),
        ("the build is refused by somebody between", "POST /grpc", Fault::PORTAL, Some("engine_unsupported")),
    ];
    for (name, at, fault, expected) in cases {
        code.write("index.html", format!("{name} {}\n", house.mark));
        code.commit(name).await;
        door.fail_at(at, 1, fault);
        let build = house.build(&rule, "main").await;
        assert_eq!(door.heal(), 1, "{name}: the trouble happened");
        match expected {
            None => assert_eq!(build["state"], "succeeded", "{name}: {build}"),
            Some(code) => {
                assert_eq!(
                    (&build["state"], &build["failure"]["code"]),
                    (&json!("failed"), &json!(code)),
                    "{name}: {build}"
                );
                let again = house.product.must("builds.rerun", json!({ "id": build["id"] })).await["id"].clone();
                assert_eq!(house.over(&again).await["state"], "succeeded", "{name}: run again");
            }
        }
    }
    assert_eq!(house.product.must("builds.queue", json!({})).await, json!([]), "nothing is stuck");
    assert!(house.builds(&repository).await.len() >= cases.len());
    house.close().await;
}

#[tokio::test]
async fn f06_f34_an_engine_that_hangs_in_the_middle_goes_on_or_is_cancelled() {
    let (house, door) = house_with_a_door_to_the_engine().await;
    let gate = format!("gate-{}", house.mark);
    let run = format!("ARG SECONDS=8\nRUN sleep $SECONDS; : {gate}\nCOPY index.html /\n");
    let (_code, _, _, rule) = house.all(&run, json!({ "triggers": {} })).await;
    let runs = async || {
        eventually("the step runs", DEADLINE, async || if House::is_running(&gate) { Ok(()) } else { Err(()) }).await;
    };
    let hangs = house.start(&rule, "main").await;
    runs().await;
    door.fail(Fault::Stall);
    eventually("the step is over", DEADLINE, async || if House::is_running(&gate) { Err(()) } else { Ok(()) }).await;
    let build = house.get(&hangs).await;
    assert_eq!((&build["state"], &build["stage"]), (&json!("running"), &json!("build")), "nothing is made up: {build}");
    door.heal();
    assert_eq!(house.over(&hangs).await["state"], "succeeded");

    let args = json!([{ "name": "SECONDS", "value": "300" }]);
    let request = json!({ "rule": rule, "target": { "kind": "ref", "name": "refs/heads/main" },
        "overrides": { "options": house.spec(&json!(0), &json!({ "options": { "args": args } }))["options"] } });
    let id = house.product.must("builds.start", request).await["id"].clone();
    runs().await;
    door.fail(Fault::Stall);
    house.product.must("builds.cancel", json!({ "id": id })).await;
    assert_eq!(house.over(&id).await["state"], "cancelled", "although the engine says nothing");
    door.heal();
    eventually("the step is stopped", DEADLINE, async || if House::is_running(&gate) { Err(()) } else { Ok(()) }).await;
    house.close().await;
}

#[tokio::test]
async fn f13_an_engine_that_forgot_the_image_before_the_push_says_so_and_builds_it_again_when_asked() {
    let house = House::open().await;
    let (_code, _, _, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    let mut house = house;
    house.registry.stop().await;
    let id = house.start(&rule, "main").await;
    let waits = eventually("the push waits", DEADLINE, async || {
        let build = house.get(&id).await;
        if build["publications"][0]["failure"].is_null() { Err(build) } else { Ok(build) }
    })
    .await;
    house.engine.docker_ok(&["rmi", "--force", waits["image"]["id"].as_str().unwrap()]).await;
    house.registry.start_again().await;
    let build = house.over(&id).await;
    assert_code(&build["failure"], "image_gone");
    let again = house.product.must("builds.rerun", json!({ "id": id })).await["id"].clone();
    assert_eq!(house.over(&again).await["state"], "succeeded");
    house.close().await;
}

#[tokio::test]
async fn f15_a_keychain_that_hangs_is_cut_off_or_restarted_is_waited_for_and_one_that_forgot_is_asked_for() {
    let keyring = SecretService::start().await;
    let door = FaultProxy::before_socket(keyring.socket()).await;
    let bus = ("DBUS_SESSION_BUS_ADDRESS".to_owned(), format!("unix:path={}", door.socket().display()));
    let mut house = House::open_with(Product::start_beside(keyring, vec![bus]).await).await;
    let (_code, _, _, rule) = house.all("COPY index.html /\n", json!({ "triggers": {} })).await;
    let waits_with = async |house: &House, id: &Value, code: &str| {
        eventually(&format!("the build says {code}"), DEADLINE, async || {
            let build = house.get(id).await;
            if build["reason"]["failure"]["code"] == code { Ok(()) } else { Err(build) }
        })
        .await;
    };

    // The key is asked for by each run of the program, once.
    house.product.kill().await;
    door.fail(Fault::Stall);
    house.product.kill_and_start_again().await;
    let id = house.start(&rule, "main").await;
    eventually("the keychain is asked", DEADLINE, async || if door.struck() > 0 { Ok(()) } else { Err(()) }).await;
    let status = house.product.must("system.status", json!({})).await;
    assert_eq!(status["engine"]["kind"], "ready", "the rest goes on: {status}");
    door.heal();
    assert_eq!(house.over(&id).await["state"], "succeeded");

    house.product.kill().await;
    door.go_away().await;
    house.product.kill_and_start_again().await;
    let id = house.start(&rule, "main").await;
    waits_with(&house, &id, "keychain_absent").await;
    door.come_back().await;
    assert_eq!(house.over(&id).await["state"], "succeeded", "it goes on by itself");

    house.product.stop_keychain().await;
    house.product.keychain().forget();
    house.product.keychain().start_keyring().await;
    house.product.kill_and_start_again().await;
    let id = house.start(&rule, "main").await;
    let build = eventually("the build says what is lost", DEADLINE, async || {
        let build = house.get(&id).await;
        let told = build.to_string().contains("keychain_key_lost");
        if told { Ok(build) } else { Err(build) }
    })
    .await;
    if build["ended_at"].is_null() {
        house.product.must("builds.cancel", json!({ "id": id })).await;
    }
    house.over(&id).await;
    house.close().await;
}
