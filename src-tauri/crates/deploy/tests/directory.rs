//! Live lists and "Run this image".

use crate::support::{Stage, attempt};
use pretty_assertions::assert_eq;
use slipway_core::ErrorCode;
use slipway_core::deploy::{
    DeployImage, DeployKey, DeployOutcome, DeployTarget, HealthGate, ManagedBy, NetworkChoice, PublishedPort, RunAs,
    RunImage, RunVolume, ServiceDirectory, ServiceGroup, TargetHealth,
};
use slipway_core::image::{ImageId, RegistryLogin};
use slipway_core::rule::NameValue;
use slipway_deploy::{ContainerAction, EngineDirectory};
use slipway_testkit::eventually;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

async fn request(stage: &Stage, name: &str, tag: &str) -> RunImage {
    let reference = stage.reference(tag);
    let id = stage.engine.image_id(&reference).await.map(ImageId);
    RunImage {
        key: DeployKey(format!("run-{name}")),
        name: stage.container(name),
        image: DeployImage { reference, digest: None, id, content: None },
        run_as: RunAs::Container { restart: true },
        ports: vec![PublishedPort { container_port: 80, host_port: None, only_local: true, protocol: "tcp".into() }],
        environment: vec![NameValue { name: "MINE".into(), value: "1".into() }],
        volumes: vec![RunVolume { volume: stage.container("data"), path: "/data".into(), read_only: true }],
        network: NetworkChoice::Default,
        gate: HealthGate { stay_up_seconds: 1, deadline_seconds: 10 },
    }
}

#[tokio::test]
async fn seed_4_an_image_runs_opens_and_is_updated() {
    let stage = Stage::new("run").await;
    let directory = EngineDirectory::new("local", stage.calls.clone());
    // They stop when they are told to: this container is given the engine's ten seconds for it.
    for (tag, text) in [("a", "one"), ("b", "two")] {
        let serve = format!("mkdir /w; echo {text} > /w/index.html; trap 'exit 0' TERM; httpd -f -p 80 -h /w & wait");
        stage.image(tag, &[&format!("CMD [\"sh\", \"-c\", \"{serve}\"]")]).await;
    }
    stage.image("exits", &["CMD [\"sh\", \"-c\", \"echo no such luck; exit 3\"]"]).await;
    let (cancel, anonymous) = (CancellationToken::new(), RegistryLogin::Anonymous);
    let wanted = request(&stage, "web", "a").await;
    let made = directory.run_image(&wanted, &anonymous, &cancel).await.unwrap();
    assert_eq!((&made.target, made.state.health), (&stage.target("web"), TargetHealth::Running));
    assert_eq!((&made.state.managed_by, &made.state.problems), (&Some(ManagedBy::Slipway), &vec![]));
    let address = made.state.addresses[0].clone();
    let url = format!("http://{}:{}/", address.host_ip, address.host_port);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async || client.get(&url).send().await?.text().await;
    // Whoever has just started may not listen yet.
    let open = async || eventually("the page is there", Duration::from_secs(20), get).await;
    assert_eq!(open().await, "one\n");
    // The answer was lost and it is asked again; then somebody else takes the name.
    assert_eq!(directory.run_image(&wanted, &anonymous, &cancel).await.unwrap(), made);
    let other = RunImage { key: DeployKey("run-other".into()), ..wanted.clone() };
    let taken = directory.run_image(&other, &anonymous, &cancel).await.unwrap_err();
    assert_eq!((taken.code, taken.field.as_deref()), (ErrorCode::NameTaken, Some("name")));

    let action = ContainerAction::new(stage.calls.clone());
    let (outcome, _) = attempt(&action, &stage.job(made.target.clone(), "b").await).await;
    let DeployOutcome::Deployed { after, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((open().await.as_str(), after.managed_by), ("two\n", Some(ManagedBy::Slipway)));

    let bad = request(&stage, "bad", "exits").await;
    let failed = directory.run_image(&bad, &anonymous, &cancel).await.unwrap_err();
    assert_eq!(failed.code, ErrorCode::TargetUnhealthy);
    assert!(failed.details["log"].contains("no such luck"), "{failed:?}");
    assert!(stage.inspect(&stage.container("bad")).await.is_none());
}

#[tokio::test]
async fn lists_have_what_can_be_chosen_and_no_spares() {
    let stage = Stage::new("lists").await;
    let directory = EngineDirectory::new("context:far", stage.calls.clone());
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    stage.run("single", "a", &[]).await;
    let (outcome, _) =
        attempt(&ContainerAction::new(stage.calls.clone()), &stage.job(stage.target("single"), "b").await).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
    let project = format!("com.docker.compose.project={}", stage.name);
    for (name, service, one_off) in
        [("c1", "web", "False"), ("c2", "web", "False"), ("c3", "db", "False"), ("c4", "web", "True")]
    {
        let service = format!("com.docker.compose.service={service}");
        let one_off = format!("com.docker.compose.oneoff={one_off}");
        stage.run(name, "a", &["--label", &project, "--label", &service, "--label", &one_off]).await;
    }
    stage.run("pod", "a", &["--label", "io.kubernetes.pod.name=p"]).await;

    let groups = directory.groups().await.unwrap();
    let group = ServiceGroup::ComposeProject { name: stage.name.clone(), count: 2 };
    assert!(groups.contains(&group), "{groups:?}");
    assert!(groups.iter().any(|group| matches!(group, ServiceGroup::Containers { count: 1.. })), "{groups:?}");
    let services = directory.services(&group).await.unwrap();
    let named: Vec<_> = services
        .iter()
        .map(|listed| match &listed.target {
            DeployTarget::ComposeService { engine, service, .. } => {
                (engine.as_str(), service.as_str(), listed.state.replicas.wanted)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(named, [("context:far", "db", 1), ("context:far", "web", 2)]);
    let single = directory.services(&ServiceGroup::Containers { count: 0 }).await.unwrap();
    let mine: Vec<_> = single
        .iter()
        .filter_map(|listed| match &listed.target {
            DeployTarget::Container { name, .. } => name.strip_prefix(&format!("{}-", stage.name)),
            _ => None,
        })
        .collect();
    assert_eq!(mine, ["single"]);
}
