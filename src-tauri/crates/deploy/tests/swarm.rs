//! Action *Swarm service*, on an engine of our own that is a swarm.

use crate::support::{Stage, attempt};
use pretty_assertions::assert_eq;
use slipway_core::ErrorCode;
use slipway_core::deploy::{
    DeployAction, DeployImage, DeployOutcome, DeployTarget, PlanNote, Planned, Refusal, ServiceDirectory, ServiceGroup,
    Standing, StepKind, TargetHealth, resume,
};
use slipway_deploy::{EngineDirectory, SwarmAction};
use slipway_testkit::fakes::MemoryJournal;
use slipway_testkit::{OwnEngine, eventually};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Answers `text`, goes on answering for two seconds after it was asked to stop: what is on its way gets there.
fn patient_web(text: &str) -> String {
    format!(
        "CMD [\"sh\", \"-c\", \"mkdir -p /tmp/w; echo {text} > /tmp/w/index.html; httpd -f -p 80 -h /tmp/w & trap 'sleep 2; exit 0' TERM; \
         while :; do sleep 0.1; done\"]"
    )
}

fn target(name: &str) -> DeployTarget {
    DeployTarget::SwarmService { engine: "local".into(), name: name.to_owned() }
}

async fn service(stage: &Stage, name: &str, tag: &str, arguments: &[&str]) -> String {
    let (name, image) = (stage.container(name), stage.engine.image_id(&stage.reference(tag)).await.unwrap());
    let first = ["service", "create", "--quiet", "--no-resolve-image", "--name", &name, "--label", &stage.label];
    let restart = ["--restart-delay", "200ms", "--update-monitor", "1s", "--stop-grace-period", "4s"];
    stage.engine.docker_ok(&[&first, restart.as_slice(), arguments, &[image.as_str()]].concat()).await;
    name
}

async fn spec_image(stage: &Stage, name: &str) -> String {
    let format = "{{.Spec.TaskTemplate.ContainerSpec.Image}}";
    stage.engine.docker_ok(&["service", "inspect", "--format", format, name]).await
}

#[tokio::test]
async fn services_of_a_swarm() {
    let own = OwnEngine::start().await;
    let stage = Stage::on(own.engine().clone(), "swarm").await;
    let action = SwarmAction::new(stage.calls.clone());
    let directory = EngineDirectory::new("local", stage.calls.clone());
    let gone = action.inspect(&target("nothing")).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::TargetGone, "an engine without a swarm has no services");
    assert_eq!(directory.groups().await.unwrap(), []);
    own.make_swarm().await;
    // A task counts, and is found by its name, when it is healthy. On a slow machine the first looks may find nobody.
    let healthy = "HEALTHCHECK --interval=300ms --timeout=20s --retries=100 CMD wget -q -O /dev/null http://127.0.0.1/";
    stage.image("a", &[&patient_web("one"), healthy]).await;
    stage.image("b", &[&patient_web("two"), healthy]).await;
    stage.image("exits", &["CMD [\"sh\", \"-c\", \"exit 3\"]"]).await;
    stage.image("sick", &["CMD [\"sleep\", \"1000\"]", "HEALTHCHECK --interval=200ms --retries=2 CMD false"]).await;
    let network = stage.container("net");
    stage
        .engine
        .docker_ok(&["network", "create", "--driver", "overlay", "--attachable", "--label", &stage.label, &network])
        .await;

    under_load_no_request_is_lost(&stage, &action, &network).await;
    bad_images_are_rolled_back(&stage, &action).await;
    what_the_service_says_about_updates_is_respected(&stage, &action).await;
    killed_processes_leave_one_version(&stage, &action).await;

    let groups = directory.groups().await.unwrap();
    assert!(groups.iter().any(|group| matches!(group, ServiceGroup::SwarmServices { count: 1.. })), "{groups:?}");
    let listed = directory.services(&ServiceGroup::SwarmServices { count: 0 }).await.unwrap();
    assert!(listed.iter().any(|listed| listed.target == target(&stage.container("web"))), "{listed:?}");
    let services = stage.engine.docker_ok(&["service", "ls", "--quiet"]).await;
    for id in services.split_whitespace() {
        stage.engine.docker_ok(&["service", "rm", id]).await;
    }
    stage.engine.docker_ok(&["swarm", "leave", "--force"]).await;
}

async fn under_load_no_request_is_lost(stage: &Stage, action: &SwarmAction, network: &str) {
    let web = service(
        stage,
        "web",
        "a",
        &[
            "--replicas",
            "2",
            "--network",
            network,
            "--endpoint-mode",
            "dnsrr",
            "--update-order",
            "start-first",
            "--update-delay",
            "1s",
            "--update-failure-action",
            "rollback",
        ],
    )
    .await;
    // A visitor who asks all the time, and writes down what was answered.
    let script = format!(
        "while :; do timeout 5 wget -q -O - http://{web}/ >> /tmp/answers 2>> /tmp/errors || echo lost >> /tmp/errors; done"
    );
    let visitor = stage.container("visitor");
    let image = stage.reference("a");
    stage
        .engine
        .docker_ok(&[
            "run",
            "--detach",
            "--label",
            &stage.label,
            "--name",
            &visitor,
            "--network",
            network,
            &image,
            "sh",
            "-c",
            &format!("touch /tmp/errors; until wget -q -O - http://{web}/; do sleep 0.1; done; {script}"),
        ])
        .await;
    let read = async |file: &str| {
        let output = stage.engine.docker(&["exec", &visitor, "cat", file]).await;
        String::from_utf8(output.stdout).unwrap()
    };
    let count = async |text: &str| read("/tmp/answers").await.lines().filter(|line| *line == text).count();
    let seen_more_than = async |text: &str, few: usize| {
        eventually("the visitor is answered", Duration::from_secs(60), async || match count(text).await {
            seen if seen > few => Ok(seen),
            seen => Err((seen, read("/tmp/errors").await)),
        })
        .await
    };
    seen_more_than("one", 20).await;

    let job = stage.job(target(&web), "b").await;
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!() };
    let kinds: Vec<StepKind> = plan.steps.iter().map(|step| step.kind).collect();
    assert_eq!(
        (kinds, plan.notes),
        (vec![StepKind::UpdateSpec, StepKind::WatchRollout], vec![PlanNote::LocalImageOnly])
    );
    assert_eq!(plan.steps[0].facts["order"], "start-first");
    let (outcome, journal) = attempt(action, &job).await;
    let DeployOutcome::Deployed { after, gap_ms } = outcome else { panic!("{outcome:?} {:?}", journal.lines()) };
    assert_eq!((after.health, after.replicas.wanted, after.replicas.ready), (TargetHealth::Running, 2, 2));
    assert_eq!((gap_ms, after.mixed), (None, false));
    seen_more_than("two", count("two").await + 20).await;
    assert_eq!(read("/tmp/errors").await, "", "every request was answered");
    stage.engine.docker_ok(&["rm", "--force", &visitor]).await;

    // The same content again: nothing restarts.
    let (outcome, journal) = attempt(action, &stage.job(target(&web), "b").await).await;
    assert!(matches!(outcome, DeployOutcome::Unchanged { .. }), "{outcome:?}");
    assert_eq!(journal.done(), []);
    let (outcome, _) = attempt(action, &stage.job(target(&web), "a").await).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "A, B, A deploys A again: {outcome:?}");
}

async fn bad_images_are_rolled_back(stage: &Stage, action: &SwarmAction) {
    // One service rolls back by itself, the other pauses and is rolled back by us.
    let itself = service(stage, "itself", "a", &["--replicas", "1", "--update-failure-action", "rollback"]).await;
    let paused = service(stage, "paused", "a", &["--replicas", "1"]).await;
    for (name, tag) in [(&itself, "exits"), (&paused, "exits"), (&paused, "sick")] {
        let before = spec_image(stage, name).await;
        let job = stage.job(target(name), tag).await;
        let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!() };
        assert_eq!(plan.notes.contains(&PlanNote::RollbackAdded), *name == paused);
        let (outcome, journal) = attempt(action, &job).await;
        let DeployOutcome::RolledBack { failure, after } = outcome else { panic!("{outcome:?} {:?}", journal.lines()) };
        assert_eq!((failure.code, after.replicas.ready), (ErrorCode::TargetUnhealthy, 1));
        assert_eq!(spec_image(stage, name).await, before);
        assert!(!failure.details["errors"].is_empty(), "{failure:?}");
    }
    // An image that no node can get.
    let image = DeployImage {
        reference: "127.0.0.1:1/nobody/has:this".into(),
        digest: Some(slipway_core::image::Digest::new(format!("sha256:{}", "a".repeat(64))).unwrap()),
        id: None,
        content: None,
    };
    let mut job = stage.job_for(target(&paused), image);
    job.gate.deadline_seconds = 10;
    let (outcome, journal) = attempt(action, &job).await;
    assert!(matches!(outcome, DeployOutcome::RolledBack { .. }), "{outcome:?} {:?}", journal.lines());
}

async fn what_the_service_says_about_updates_is_respected(stage: &Stage, action: &SwarmAction) {
    let name = service(
        stage,
        "settings",
        "a",
        &[
            "--replicas",
            "1",
            "--env",
            "SECRET=x",
            "--limit-memory",
            "64m",
            "--update-order",
            "start-first",
            "--update-max-failure-ratio",
            "0.5",
            "--container-label",
            "mine=yes",
            "--mount",
            "type=volume,target=/data",
        ],
    )
    .await;
    let spec = async || -> serde_json::Value {
        let text = stage.engine.docker_ok(&["service", "inspect", "--format", "{{json .Spec}}", &name]).await;
        serde_json::from_str(&text).unwrap()
    };
    let mut before = spec().await;
    let (outcome, _) = attempt(action, &stage.job(target(&name), "b").await).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
    let mut after = spec().await;
    let image = after["TaskTemplate"]["ContainerSpec"]["Image"].take();
    before["TaskTemplate"]["ContainerSpec"]["Image"].take();
    assert_eq!(image, stage.engine.image_id(&stage.reference("b")).await.unwrap());
    assert!(after["Labels"].as_object_mut().unwrap().remove("slipway.deploy").is_some());
    assert_eq!(before, after, "nothing but the image and our mark changed");

    stage.engine.docker_ok(&["service", "scale", &format!("{name}=0")]).await;
    let (outcome, _) = attempt(action, &stage.job(target(&name), "a").await).await;
    assert_eq!(outcome, DeployOutcome::Refused { reasons: vec![Refusal::ScaledToZero] });

    // Somebody was faster.
    stage.engine.docker_ok(&["service", "scale", &format!("{name}=1")]).await;
    let job = stage.job(target(&name), "a").await;
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!() };
    stage.engine.docker_ok(&["service", "update", "--quiet", "--env-add", "B=1", "--no-resolve-image", &name]).await;
    let (journal, cancel) = (MemoryJournal::default(), CancellationToken::new());
    let refused = action.apply(&job, &plan, &journal, &cancel).await.unwrap_err();
    assert_eq!((refused.code, journal.done()), (ErrorCode::TargetChanged, vec![]));
}

/// F30: the update has two steps with two writes each.
async fn killed_processes_leave_one_version(stage: &Stage, action: &SwarmAction) {
    for (tag, expected) in [("b", true), ("exits", false)] {
        for at in 0..4 {
            let name = service(stage, &format!("k{at}{tag}"), "a", &["--replicas", "1"]).await;
            let before = spec_image(stage, &name).await;
            let job = stage.job(target(&name), tag).await;
            let (first, cancel) = (MemoryJournal::default().dying_at(at), CancellationToken::new());
            let died =
                first.until_death(slipway_core::deploy::deploy(action, &job, &first, &cancel, async |_| Ok(()))).await;
            assert!(died.is_none(), "{at}");
            let journal = first.next_process();
            let standing = action.standing(&job, &journal).await.unwrap();
            let outcome = resume(action, &job, &journal, &cancel).await.unwrap();
            let now = spec_image(stage, &name).await;
            match outcome {
                None => assert_eq!((standing, now, at), (Standing::Untouched, before, 0)),
                Some(DeployOutcome::Deployed { .. }) => {
                    assert!(expected && now == job.image.id.clone().unwrap().0, "{tag} {at}")
                }
                Some(DeployOutcome::RolledBack { after, .. }) => {
                    assert!(!expected && now == before && after.replicas.ready == 1, "{tag} {at}");
                }
                other => panic!("{tag} {at}: {other:?} {:?}", journal.lines()),
            }
            stage.engine.docker_ok(&["service", "rm", &name]).await;
        }
    }
}
