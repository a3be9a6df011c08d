//! Action *container*: the good way, every bad image, every refusal.

use crate::support::{Stage, attempt, attempt_with};
use pretty_assertions::assert_eq;
use slipway_core::ErrorCode;
use slipway_core::deploy::{
    DeployAction, DeployOutcome, DeployPlan, DeployTarget, ManagedBy, PlanNote, Planned, Refusal, StepKind,
    TargetHealth,
};
use slipway_deploy::ContainerAction;
use slipway_testkit::fakes::MemoryJournal;

fn failure_of(outcome: &DeployOutcome) -> ErrorCode {
    match outcome {
        DeployOutcome::Failed { failure } | DeployOutcome::RolledBack { failure, .. } => failure.code,
        other => panic!("{other:?}"),
    }
}

async fn plan_of(action: &ContainerAction, stage: &Stage, name: &str, tag: &str) -> Planned {
    action.plan(&stage.job(stage.target(name), tag).await).await.unwrap()
}

#[tokio::test]
async fn a_b_a_is_deployed_each_time_and_the_same_content_restarts_nothing() {
    let stage = Stage::new("aba").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &["EXPOSE 80"]).await;
    // Only labels of ours differ: the same content under another id.
    stage.web("c", "two", &["EXPOSE 80", "LABEL slipway.build=7"]).await;
    stage.run("web", "a", &["--publish", "127.0.0.1::80", "--restart", "always"]).await;
    let before = action.inspect(&stage.target("web")).await.unwrap();
    assert_eq!((before.health, before.addresses.len(), before.problems), (TargetHealth::Running, 1, vec![]));

    let mut gaps = Vec::new();
    for (tag, page) in [("b", "two"), ("a", "one"), ("b", "two")] {
        let (outcome, journal) = attempt(&action, &stage.job(stage.target("web"), tag).await).await;
        let DeployOutcome::Deployed { after, gap_ms } = outcome else { panic!("{outcome:?} {:?}", journal.lines()) };
        assert_eq!(stage.page("web").await, page);
        assert_eq!(after.addresses, before.addresses, "the port that the engine chose stays");
        assert_eq!(after.image.unwrap().reference, stage.reference(tag));
        gaps.push(gap_ms.unwrap());
        // One serves, one old one is kept: not the one before it.
        let states = stage.containers().await;
        assert_eq!(states.len(), 2, "{states:?}");
        assert!(states[1].starts_with("web-slipway-old-") && states[1].ends_with(" exited"), "{states:?}");
        assert_eq!(states[0], "web running");
    }
    // Somebody else may be given the free port in a gap, which then lasts until it is free again.
    gaps.sort_unstable();
    assert!(gaps[0] >= 1 && gaps[1] < 20_000, "{gaps:?}");
    // The old one would come back with the engine if it kept its policy.
    let old = stage.containers().await[1].replace(" exited", "");
    assert_eq!(stage.inspect(&stage.container(&old)).await.unwrap()["HostConfig"]["RestartPolicy"]["Name"], "no");
    let new = stage.inspect(&stage.container("web")).await.unwrap();
    assert_eq!(new["HostConfig"]["RestartPolicy"]["Name"], "always");

    let (outcome, journal) = attempt(&action, &stage.job(stage.target("web"), "c").await).await;
    assert!(matches!(outcome, DeployOutcome::Unchanged { .. }), "{outcome:?}");
    assert_eq!(journal.done(), []);
    assert_eq!(stage.inspect(&stage.container("web")).await.unwrap()["Id"], new["Id"]);
}

/// Takes a port of this machine as soon as it is free, and keeps it until the journal says that it is waited for.
fn snatch(port: u16, journal: MemoryJournal) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let begun = std::time::Instant::now();
        let mut taken = None;
        while !journal.lines().iter().any(|line| line.starts_with(WAITING)) {
            taken = taken.or_else(|| std::net::TcpListener::bind(("127.0.0.1", port)).ok());
            assert!(begun.elapsed().as_secs() < 60, "the port was never waited for (taken: {})", taken.is_some());
            std::thread::yield_now();
        }
    })
}

const WAITING: &str = "waiting for a port: ";

#[tokio::test]
async fn a_port_that_somebody_takes_for_a_moment_is_waited_for() {
    let stage = Stage::new("port").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    stage.run("web", "a", &["--publish", "127.0.0.1::80"]).await;
    let before = action.inspect(&stage.target("web")).await.unwrap();
    let port = before.addresses[0].host_port;
    let journal = MemoryJournal::default();
    let snatched = snatch(port, journal.next_process());
    let outcome = attempt_with(&action, &stage.job(stage.target("web"), "b").await, &journal).await;
    snatched.join().unwrap();
    let DeployOutcome::Deployed { after, .. } = outcome else { panic!("{outcome:?} {:?}", journal.lines()) };
    assert_eq!(after.addresses, before.addresses);
    assert!(journal.lines().iter().any(|line| line.starts_with(WAITING)), "{:?}", journal.lines());
}

#[tokio::test]
async fn f29_each_failing_image_leaves_the_old_one_serving() {
    let stage = Stage::new("f29").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("good", "good", &[]).await;
    stage.image("exits", &["CMD [\"sh\", \"-c\", \"echo last words; exit 3\"]"]).await;
    stage.image("missing", &["CMD [\"/no/such/program\"]"]).await;
    stage.web("sick", "sick", &["HEALTHCHECK --interval=200ms --retries=1 CMD false"]).await;
    stage.web("slow", "slow", &["HEALTHCHECK --interval=100s CMD true"]).await;
    stage.run("web", "good", &["--publish", "127.0.0.1::80", "--restart", "unless-stopped"]).await;
    // Two cannot write to one volume, so there is no candidate: the switch itself has to be undone.
    let volume = format!("{}-data:/data", stage.name);
    stage.engine.docker_ok(&["volume", "create", "--label", &stage.label, volume.split(':').next().unwrap()]).await;
    stage.run("data", "good", &["--volume", &volume, "--restart", "always"]).await;

    for name in ["web", "data"] {
        let before = stage.inspect(&stage.container(name)).await.unwrap();
        for tag in ["exits", "missing", "sick", "slow"] {
            let mut job = stage.job(stage.target(name), tag).await;
            job.gate.deadline_seconds = 3;
            let (outcome, journal) = attempt(&action, &job).await;
            assert_eq!(failure_of(&outcome), ErrorCode::TargetUnhealthy, "{tag}: {outcome:?}");
            let rolled_back = matches!(outcome, DeployOutcome::RolledBack { .. });
            assert_eq!(rolled_back, name == "data", "a candidate's failure touches nothing: {outcome:?}");
            if tag == "exits" {
                assert!(journal.lines().iter().any(|line| line.contains("last words")), "{:?}", journal.lines());
            }
            let after = stage.inspect(&stage.container(name)).await.unwrap();
            assert_eq!((&after["Id"], &after["State"]["Status"]), (&before["Id"], &"running".into()));
            assert_eq!(after["HostConfig"]["RestartPolicy"], before["HostConfig"]["RestartPolicy"]);
            assert_eq!(stage.page(name).await, "good");
            assert_eq!(stage.containers().await, ["data running", "web running"], "{tag}");
        }
    }
}

#[tokio::test]
async fn a_candidate_is_healthy_first_and_leaves_nothing_behind() {
    let stage = Stage::new("gate").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &[]).await;
    // On a slow machine the first looks may find nobody.
    let healthy = "HEALTHCHECK --interval=200ms --retries=100 CMD wget -q -O /dev/null http://127.0.0.1/";
    stage.web("b", "two", &[healthy, "VOLUME /own"]).await;
    stage.run("web", "a", &["--env", "X=1"]).await;
    let Planned::Ready { plan: DeployPlan { steps, notes, .. } } = plan_of(&action, &stage, "web", "b").await else {
        panic!()
    };
    let kinds: Vec<StepKind> = steps.iter().map(|step| step.kind).collect();
    use StepKind as K;
    let expected = [
        K::StartCandidate,
        K::CheckCandidate,
        K::RemoveCandidate,
        K::Create,
        K::StopOld,
        K::RenameOld,
        K::RenameNew,
        K::StartNew,
        K::CheckNew,
    ];
    assert_eq!((kinds.as_slice(), notes), (expected.as_slice(), vec![PlanNote::ShortGap]));

    let (outcome, journal) = attempt(&action, &stage.job(stage.target("web"), "b").await).await;
    let DeployOutcome::Deployed { after, .. } = outcome else { panic!("{outcome:?} {:?}", journal.lines()) };
    assert_eq!(after.health, TargetHealth::Healthy);
    assert_eq!(journal.done().iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), expected);
    assert_eq!(stage.containers().await.len(), 2);
    // The candidate's own volume went with it: the new one's is the only one.
    let own = stage.inspect(&stage.container("web")).await.unwrap()["Mounts"][0]["Name"].as_str().unwrap().to_owned();
    let dangling = ["volume", "ls", "--quiet", "--filter", "dangling=true"];
    assert!(!stage.engine.docker_ok(&dangling).await.contains(&own));
}

#[tokio::test]
async fn what_cannot_be_made_again_is_refused_with_the_reason() {
    let stage = Stage::new("refuse").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    let web = stage.container("plain");
    stage.run("plain", "a", &[]).await;
    stage.run("temporary", "a", &["--rm"]).await;
    stage.run("linked", "a", &["--link", &web]).await;
    stage.run("sharing", "a", &["--network", &format!("container:{web}")]).await;
    stage.run("paused", "a", &[]).await;
    stage.engine.docker_ok(&["pause", &stage.container("paused")]).await;
    stage.run("stopped", "a", &[]).await;
    stage.engine.docker_ok(&["stop", &stage.container("stopped")]).await;
    stage.run("pod", "a", &["--label", "io.kubernetes.pod.name=p"]).await;
    stage
        .run("composed", "a", &["--label", "com.docker.compose.project=x", "--label", "com.docker.compose.service=y"])
        .await;
    stage.run("nomad", "a", &["--label", "com.hashicorp.nomad.alloc_id=1"]).await;
    let names_before = stage.containers().await;

    let managed = |by| Refusal::Managed { by };
    for (name, expected) in [
        ("temporary", Refusal::AutoRemove),
        ("linked", Refusal::Links { names: vec![web.clone()] }),
        ("plain", Refusal::SharedBy { names: vec![stage.container("sharing")] }),
        ("paused", Refusal::Paused),
        ("stopped", Refusal::Stopped),
        ("pod", managed(ManagedBy::Kubernetes { pod: "p".into() })),
        ("composed", managed(ManagedBy::Compose { project: "x".into(), service: "y".into() })),
        ("nomad", managed(ManagedBy::Other { label: "com.hashicorp.nomad.alloc_id".into() })),
    ] {
        let (outcome, journal) = attempt(&action, &stage.job(stage.target(name), "b").await).await;
        assert_eq!(outcome, DeployOutcome::Refused { reasons: vec![expected] }, "{name}");
        assert_eq!(journal.done(), []);
    }
    assert_eq!(stage.containers().await, names_before, "nothing was touched");
    let gone = stage.job(stage.target("nobody"), "b").await;
    assert_eq!(action.plan(&gone).await.unwrap_err().code, ErrorCode::TargetGone);
    // A part of an id is no name.
    let id = stage.inspect(&web).await.unwrap()["Id"].as_str().unwrap()[..12].to_owned();
    let target = DeployTarget::Container { engine: "local".into(), name: id };
    assert_eq!(action.inspect(&target).await.unwrap_err().code, ErrorCode::TargetGone);
}

#[tokio::test]
async fn f29_a_target_that_was_changed_between_plan_and_update_is_left_alone() {
    let stage = Stage::new("changed").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    stage.run("web", "a", &[]).await;
    let job = stage.job(stage.target("web"), "b").await;
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!() };
    stage.engine.docker_ok(&["rm", "--force", &stage.container("web")]).await;
    let other = stage.run("web", "a", &[]).await;
    let journal = slipway_testkit::fakes::MemoryJournal::default();
    let cancel = tokio_util::sync::CancellationToken::new();
    assert_eq!(action.apply(&job, &plan, &journal, &cancel).await.unwrap_err().code, ErrorCode::TargetChanged);
    assert_eq!(action.undo(&job, &journal).await.unwrap(), None);
    assert_eq!(stage.inspect(&stage.container("web")).await.unwrap()["Id"], other.as_str());
}

#[tokio::test]
async fn t25_a_tag_that_moved_meanwhile_does_not_decide_what_is_deployed() {
    let stage = Stage::new("t25").await;
    let action = ContainerAction::new(stage.calls.clone());
    stage.web("a", "one", &[]).await;
    let wanted = stage.web("moving", "two", &[]).await;
    stage.run("web", "a", &[]).await;
    let job = stage.job(stage.target("web"), "moving").await;
    stage.web("moving", "somebody elses", &[]).await;
    let (outcome, _) = attempt(&action, &job).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
    assert_eq!(stage.page("web").await, "two");
    assert_eq!(stage.inspect(&stage.container("web")).await.unwrap()["Image"], wanted.as_str());
}
