//! Action *Kubernetes*, against the scripted cluster that `kubectl` takes for a real one.

use pretty_assertions::assert_eq;
use serde_json::json;
use slipway_core::ErrorCode;
use slipway_core::deploy::{
    DeployAction, DeployImage, DeployJob, DeployKey, DeployOutcome, DeployTarget, HealthGate, Planned, Refusal,
    ServiceDirectory, ServiceGroup, Standing, StepKind, TargetHealth, WorkloadKind, deploy, resume,
};
use slipway_core::image::{Digest, RegistryLogin};
use slipway_core::ports::Deadlines;
use slipway_deploy::{KubernetesAction, KubernetesDirectory, kube_contexts};
use slipway_testkit::fakes::MemoryJournal;
use slipway_testkit::{ClusterFault, KubernetesCluster, PrivateCa, Rollout, eventually};
use std::path::Path;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const OLD: &str = "registry.example/shop/web:1";

fn cluster() -> KubernetesCluster {
    let cluster = KubernetesCluster::start();
    cluster.add_workload("Deployment", "shop", "web", 2, &[("web", OLD), ("proxy", "proxy:1")]);
    cluster
}

fn action() -> KubernetesAction {
    KubernetesAction::new(Deadlines { request: Duration::from_secs(5), ..Deadlines::default() })
}

fn target_with(config: &Path, kind: WorkloadKind, allowed_exec: Option<&str>) -> DeployTarget {
    DeployTarget::KubernetesContainer {
        kubeconfig: config.to_str().unwrap().to_owned(),
        context: "test".into(),
        namespace: "shop".into(),
        workload_kind: kind,
        workload: "web".into(),
        container: "web".into(),
        allowed_exec: allowed_exec.map(ToOwned::to_owned),
    }
}

fn target(cluster: &KubernetesCluster) -> DeployTarget {
    target_with(&cluster.token_kubeconfig(), WorkloadKind::Deployment, None)
}

fn image(tag: &str) -> DeployImage {
    let digest = Digest::new(KubernetesCluster::digest_of(tag)).unwrap();
    let reference = format!("registry.example/shop/web:{tag}");
    DeployImage { reference, digest: Some(digest), id: None, content: None }
}

fn spec_image(tag: &str) -> String {
    format!("registry.example/shop/web:{tag}@{}", KubernetesCluster::digest_of(tag))
}

fn job(target: DeployTarget, tag: &str) -> DeployJob {
    DeployJob {
        key: DeployKey(format!("owner-{tag}-1")),
        target,
        image: image(tag),
        login: RegistryLogin::Anonymous,
        gate: HealthGate { stay_up_seconds: 1, deadline_seconds: 30 },
        secrets: std::collections::BTreeMap::new(),
        occurred_at: chrono::DateTime::UNIX_EPOCH,
    }
}

async fn attempt(job: &DeployJob) -> (DeployOutcome, MemoryJournal) {
    let journal = MemoryJournal::default();
    let outcome = deploy(&action(), job, &journal, &CancellationToken::new(), async |_| Ok(())).await.unwrap();
    (outcome, journal)
}

/// What the cluster took. While a rollout moves, a patch may meet a newer version and is sent again.
fn patches(cluster: &KubernetesCluster) -> usize {
    cluster.patches_taken()
}

fn web(cluster: &KubernetesCluster) -> String {
    cluster.image("Deployment", "shop", "web", "web").unwrap()
}

fn deployed(outcome: &DeployOutcome) {
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
}

fn rolled_back(outcome: DeployOutcome) -> slipway_core::Failure {
    let DeployOutcome::RolledBack { failure, after } = outcome else { panic!("{outcome:?}") };
    assert_eq!(after.health, TargetHealth::Healthy, "proven");
    assert_eq!(after.image.unwrap().reference, OLD);
    failure
}

fn failed(outcome: DeployOutcome) -> slipway_core::Failure {
    let DeployOutcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    failure
}

#[tokio::test]
async fn every_kind_of_workload_gets_the_image_and_nothing_else_changes() {
    for (kind, name) in [
        (WorkloadKind::Deployment, "Deployment"),
        (WorkloadKind::StatefulSet, "StatefulSet"),
        (WorkloadKind::DaemonSet, "DaemonSet"),
        (WorkloadKind::CronJob, "CronJob"),
    ] {
        let cluster = KubernetesCluster::start();
        cluster.add_workload(name, "shop", "web", 2, &[("proxy", "proxy:1"), ("web", OLD)]);
        let before = cluster.workload(name, "shop", "web").unwrap();
        let target = target_with(&cluster.token_kubeconfig(), kind, None);
        let (outcome, journal) = attempt(&job(target.clone(), "2")).await;
        let DeployOutcome::Deployed { after, gap_ms: None } = outcome else { panic!("{outcome:?}") };
        assert_eq!(after.image.as_ref().unwrap().reference, spec_image("2"));
        if kind != WorkloadKind::CronJob {
            assert_eq!((after.health, after.replicas.wanted, after.replicas.ready), (TargetHealth::Healthy, 2, 2));
            assert_eq!(
                after.image.unwrap().digests,
                [format!("registry.example/shop/web@{}", KubernetesCluster::digest_of("2"))]
            );
            assert_eq!(after.instances.len(), 2);
        }
        let steps = [(StepKind::UpdateSpec, "web".to_owned()), (StepKind::WatchRollout, "web".to_owned())];
        assert_eq!(journal.done(), steps);
        let now = cluster.workload(name, "shop", "web").unwrap();
        let text = now["spec"].to_string().replace(&spec_image("2"), OLD);
        assert_eq!(text, before["spec"].to_string());
        // The same content again restarts nothing, whatever its tag.
        let mut again = job(target.clone(), "2");
        again.key = DeployKey("owner-9-1".into());
        again.image.reference = "registry.example/shop/web:stable".into();
        let (outcome, _) = attempt(&again).await;
        assert!(matches!(outcome, DeployOutcome::Unchanged { .. }), "{outcome:?}");
        assert_eq!(patches(&cluster), 1);
        // A → B → A deploys A again.
        deployed(&attempt(&job(target.clone(), "3")).await.0);
        let mut back = job(target, "2");
        back.key = DeployKey("owner-10-1".into());
        deployed(&attempt(&back).await.0);
        assert_eq!(cluster.image(name, "shop", "web", "web"), Some(spec_image("2")));
    }
}

#[tokio::test]
async fn what_a_tag_led_to_counts_and_not_its_name() {
    let cluster = cluster();
    let mut job = job(target(&cluster), "2");
    job.image.digest = Some(Digest::new(KubernetesCluster::digest_of(OLD)).unwrap());
    let (outcome, _) = attempt(&job).await;
    assert!(matches!(outcome, DeployOutcome::Unchanged { .. }), "{outcome:?}");
    assert_eq!((patches(&cluster), web(&cluster)), (0, OLD.to_owned()));
}

#[tokio::test]
async fn f31_a_conflict_is_patched_again_on_a_fresh_look() {
    let cluster = cluster();
    cluster.fault(ClusterFault::Conflict);
    cluster.fault(ClusterFault::Conflict);
    deployed(&attempt(&job(target(&cluster), "2")).await.0);
    let sent = cluster.seen().iter().filter(|request| request.starts_with("PATCH")).count();
    assert!(sent >= 3, "{sent}");
    assert_eq!((patches(&cluster), web(&cluster)), (1, spec_image("2")));
    assert_eq!(cluster.faults_left(), []);
}

#[tokio::test]
async fn f31_watches_that_are_cut_or_too_old_are_no_end() {
    let cluster = cluster();
    for fault in [ClusterFault::CutWatch, ClusterFault::ExpireWatch, ClusterFault::RefuseWatchAsGone] {
        cluster.fault(fault);
    }
    deployed(&attempt(&job(target(&cluster), "2")).await.0);
    assert_eq!(cluster.faults_left(), []);
    assert_eq!(patches(&cluster), 1);
}

#[tokio::test]
async fn f31_a_lost_answer_makes_no_second_rollout() {
    let cluster = cluster();
    cluster.fault(ClusterFault::LosePatchAnswer);
    deployed(&attempt(&job(target(&cluster), "2")).await.0);
    assert_eq!(patches(&cluster), 1);
    let generation = cluster.workload("Deployment", "shop", "web").unwrap()["metadata"]["generation"].clone();
    assert_eq!(generation, 2);
}

#[tokio::test]
async fn f31_a_cluster_in_trouble_is_waited_for() {
    let cluster = cluster();
    let job = job(target(&cluster), "2");
    let action = action();
    let (journal, cancel) = (MemoryJournal::default(), CancellationToken::new());
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!("it can be planned") };
    action.apply(&job, &plan, &journal, &cancel).await.unwrap();
    for status in [500, 503, 429] {
        cluster.fault(ClusterFault::Refuse(status));
    }
    cluster.set_away(true);
    let (watched, ()) = tokio::join!(action.watch(&job, &journal, &cancel), async {
        let looks = cluster.seen().len();
        tokio::time::sleep(Duration::from_millis(500)).await;
        cluster.set_away(false);
        eventually("it looks again", Duration::from_secs(20), async || {
            let seen = cluster.seen().len();
            if seen > looks + 3 { Ok(()) } else { Err(seen) }
        })
        .await;
    });
    assert_eq!(watched.unwrap().health, TargetHealth::Healthy);
    assert_eq!((cluster.faults_left(), patches(&cluster)), (vec![], 1));
}

#[tokio::test]
async fn f29_what_does_not_come_up_is_taken_back_and_the_reason_named() {
    let pull =
        |reason: &str| Rollout::PullFails { reason: reason.into(), message: "unauthorized: no\u{7} basic auth".into() };
    for (tag, fate, deadline, word) in [
        ("pull", pull("ErrImagePull"), 2, "ErrImagePull: unauthorized: no basic auth"),
        ("name", pull("InvalidImageName"), 600, "InvalidImageName"),
        ("stuck", Rollout::ExceedsDeadline, 600, "progress deadline"),
        ("sick", Rollout::NeverReady, 2, "nothing came up within 2 s"),
        ("crash", Rollout::Crashes, 2, "nothing came up within 2 s"),
        ("unseen", Rollout::NeverObserved, 2, "nothing came up within 2 s"),
    ] {
        let cluster = cluster();
        cluster.script("shop", "web", &spec_image(tag), fate);
        let mut job = job(target(&cluster), tag);
        job.gate.deadline_seconds = deadline;
        let (outcome, journal) = attempt(&job).await;
        let failure = rolled_back(outcome);
        assert_eq!(failure.code, ErrorCode::TargetUnhealthy);
        assert!(failure.message.contains(word), "{tag}: {failure:?}");
        assert_eq!((web(&cluster), patches(&cluster)), (OLD.to_owned(), 2));
        assert_eq!(journal.done().last().unwrap().0, StepKind::CheckOld);
        let marks = cluster.workload("Deployment", "shop", "web").unwrap()["metadata"]["annotations"].clone();
        assert_eq!(marks, json!({}), "nothing of the attempt is left");
        // Undoing twice is safe.
        assert!(action().undo(&job, &journal).await.unwrap().is_some());
        assert_eq!(patches(&cluster), 2);
    }
}

#[tokio::test]
async fn a_rollout_can_be_cancelled() {
    let cluster = cluster();
    cluster.script("shop", "web", &spec_image("2"), Rollout::NeverReady);
    let (job, action) = (job(target(&cluster), "2"), action());
    let (journal, cancel) = (MemoryJournal::default(), CancellationToken::new());
    let (outcome, ()) = tokio::join!(deploy(&action, &job, &journal, &cancel, async |_| Ok(())), async {
        eventually("it is patched", Duration::from_secs(20), async || {
            if patches(&cluster) == 1 { Ok(()) } else { Err(cluster.seen()) }
        })
        .await;
        cancel.cancel();
    });
    assert_eq!(rolled_back(outcome.unwrap()).code, ErrorCode::Cancelled);
    assert_eq!(web(&cluster), OLD);
}

#[tokio::test]
async fn f29_what_somebody_else_changed_is_theirs() {
    let theirs = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "theirs:1"}]}}}});
    // Between plan and update.
    let cluster = cluster();
    let (job, action, cancel) = (job(target(&cluster), "2"), action(), CancellationToken::new());
    let journal = MemoryJournal::default();
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!("it can be planned") };
    cluster.change("Deployment", "shop", "web", &theirs);
    let failure = action.apply(&job, &plan, &journal, &cancel).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::TargetChanged);
    assert_eq!(action.undo(&job, &journal).await.unwrap(), None);
    assert_eq!((web(&cluster), patches(&cluster)), ("theirs:1".to_owned(), 0));
    // In the middle of the rollout.
    let cluster = self::cluster();
    cluster.script("shop", "web", &spec_image("2"), Rollout::NeverReady);
    let job = self::job(target(&cluster), "2");
    let (outcome, ()) = tokio::join!(attempt(&job), async {
        eventually("it is patched", Duration::from_secs(20), async || {
            if web(&cluster) == spec_image("2") { Ok(()) } else { Err(cluster.seen()) }
        })
        .await;
        cluster.change("Deployment", "shop", "web", &theirs);
    });
    let DeployOutcome::Broken { failure, undo } = outcome.0 else { panic!("{:?}", outcome.0) };
    assert_eq!((failure.code, undo.code), (ErrorCode::TargetChanged, ErrorCode::TargetChanged));
    assert_eq!((web(&cluster), patches(&cluster)), ("theirs:1".to_owned(), 1));
}

#[tokio::test]
async fn f30_killed_between_any_two_steps_it_ends_with_one_rollout() {
    for (at, good) in [
        (0, true),
        (1, true),
        (2, true),
        (3, true),
        (2, false),
        (3, false),
        (4, false),
        (5, false),
        (6, false),
        (7, false),
    ] {
        let cluster = cluster();
        if !good {
            cluster.script("shop", "web", &spec_image("2"), Rollout::ExceedsDeadline);
        }
        let (job, action, cancel) = (job(target(&cluster), "2"), action(), CancellationToken::new());
        let journal = MemoryJournal::default();
        let dying = journal.dying_at(at);
        let died = dying.until_death(deploy(&action, &job, &dying, &cancel, async |_| Ok(()))).await;
        assert!(died.is_none(), "it dies at write {at}");
        let journal = journal.next_process();
        let outcome = match resume(&action, &job, &journal, &cancel).await.unwrap() {
            Some(outcome) => outcome,
            None => {
                assert_eq!((at, patches(&cluster)), (0, 0), "nothing was done yet");
                deploy(&action, &job, &journal, &cancel, async |_| Ok(())).await.unwrap()
            }
        };
        if good {
            deployed(&outcome);
            assert_eq!((web(&cluster), patches(&cluster)), (spec_image("2"), 1), "killed at {at}");
            assert_eq!(action.standing(&job, &journal).await.unwrap(), Standing::InPlace);
        } else {
            rolled_back(outcome);
            assert_eq!((web(&cluster), patches(&cluster)), (OLD.to_owned(), 2), "killed at {at}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_updated_is_refused_with_the_reason() {
    let refused = async |patch: serde_json::Value| {
        let cluster = cluster();
        cluster.change("Deployment", "shop", "web", &patch);
        let (outcome, _) = attempt(&job(target(&cluster), "2")).await;
        assert_eq!(patches(&cluster), 0);
        let DeployOutcome::Refused { reasons } = outcome else { panic!("{outcome:?}") };
        reasons
    };
    assert_eq!(refused(json!({"spec": {"paused": true}})).await, [Refusal::Paused]);
    assert_eq!(refused(json!({"spec": {"replicas": 0}})).await, [Refusal::ScaledToZero]);
    let owner = json!([{"kind": "Website", "name": "shop", "controller": true}]);
    let owned = refused(json!({"metadata": {"ownerReferences": owner}})).await;
    assert_eq!(owned, [Refusal::OwnedBy { owner: "Website/shop".into() }]);
    let on_delete = refused(json!({"spec": {"updateStrategy": {"type": "OnDelete"}}})).await;
    assert!(matches!(&on_delete[..], [Refusal::Unfaithful { .. }]), "{on_delete:?}");

    let cluster = cluster();
    let mut other = job(target(&cluster), "2");
    if let DeployTarget::KubernetesContainer { container, .. } = &mut other.target {
        *container = "nothing".into();
    }
    let DeployOutcome::Refused { reasons } = attempt(&other).await.0 else { panic!("there is no such container") };
    assert_eq!(reasons, [Refusal::NoSuchContainer { names: vec!["web".into(), "proxy".into()] }]);
    let mut local = job(target(&cluster), "2");
    (local.image.digest, local.image.id) = (None, Some(slipway_core::image::ImageId("sha256:1".into())));
    let DeployOutcome::Refused { reasons } = attempt(&local).await.0 else { panic!("no cluster can get it") };
    assert!(matches!(&reasons[..], [Refusal::Unfaithful { setting, .. }] if setting == "image"), "{reasons:?}");
    for name in ["..", "../../api", "a/b", "Web", ""] {
        let mut odd = job(target(&cluster), "2");
        if let DeployTarget::KubernetesContainer { workload, .. } = &mut odd.target {
            name.clone_into(workload);
        }
        assert_eq!(failed(attempt(&odd).await.0).code, ErrorCode::InvalidField, "{name}");
    }
    cluster.remove("Deployment", "shop", "web");
    assert_eq!(failed(attempt(&job(target(&cluster), "2")).await.0).code, ErrorCode::TargetGone);
    assert_eq!(patches(&cluster), 0);
}

#[tokio::test]
async fn logins_that_are_not_taken_are_named_and_new_ones_used() {
    let cluster = cluster();
    let target = target(&cluster);
    cluster.set_token("second-token");
    let failure = failed(attempt(&job(target.clone(), "2")).await.0);
    assert_eq!(failure.code, ErrorCode::ClusterUnauthorized);
    assert!(!format!("{failure:?}").contains("first-token"));
    // It ends in the middle of a rollout, and the file has a new one by then.
    let target = self::target(&cluster);
    let (job, action, cancel) = (job(target, "2"), action(), CancellationToken::new());
    let journal = MemoryJournal::default();
    let Planned::Ready { plan } = action.plan(&job).await.unwrap() else { panic!("it can be planned") };
    cluster.script("shop", "web", &spec_image("2"), Rollout::NeverObserved);
    action.apply(&job, &plan, &journal, &cancel).await.unwrap();
    let (watched, ()) = tokio::join!(action.watch(&job, &journal, &cancel), async {
        eventually("it watches", Duration::from_secs(20), async || {
            let seen = cluster.seen();
            if seen.iter().any(|request| request.starts_with("WATCH")) { Ok(()) } else { Err(seen) }
        })
        .await;
        cluster.set_token("third-token");
        let _ = cluster.token_kubeconfig();
        cluster.script("shop", "web", &spec_image("2"), Rollout::Completes);
    });
    assert_eq!(watched.unwrap().health, TargetHealth::Healthy);
    cluster.fault(ClusterFault::Refuse(403));
    let failure = action.inspect(&job.target).await.unwrap_err();
    assert_eq!(failure.code, ErrorCode::ClusterForbidden);
}

#[tokio::test]
async fn t20_context_and_cluster_are_those_that_were_chosen() {
    let cluster = cluster();
    let (config, action) = (cluster.token_kubeconfig(), action());
    // The file's current context leads nowhere, and nobody looks at it.
    let named = target_with(&config, WorkloadKind::Deployment, None);
    assert_eq!(action.inspect(&named).await.unwrap().image.unwrap().reference, OLD);
    let in_context = |name: &str| {
        let mut target = named.clone();
        if let DeployTarget::KubernetesContainer { context, .. } = &mut target {
            name.clone_into(context);
        }
        target
    };
    assert_eq!(action.inspect(&in_context("elsewhere")).await.unwrap_err().code, ErrorCode::ClusterUnreachable);
    assert_eq!(action.inspect(&in_context("gone")).await.unwrap_err().code, ErrorCode::KubeconfigInvalid);
    // A certificate of somebody else's.
    let text = std::fs::read_to_string(&config).unwrap();
    let at = text.find("certificate-authority-data\": \"").unwrap() + 30;
    let end = at + text[at..].find('"').unwrap();
    use base64::Engine as _;
    let foreign = base64::engine::general_purpose::STANDARD.encode(PrivateCa::new().pem());
    std::fs::write(&config, format!("{}{foreign}{}", &text[..at], &text[end..])).unwrap();
    assert_eq!(action.inspect(&named).await.unwrap_err().code, ErrorCode::ClusterTls);
    std::fs::remove_file(&config).unwrap();
    assert_eq!(action.inspect(&named).await.unwrap_err().code, ErrorCode::KubeconfigInvalid);
}

#[cfg(unix)]
#[tokio::test]
async fn t20_a_program_runs_only_as_it_was_seen_and_allowed() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = cluster();
    let (ran, program) = (cluster.folder().join("ran"), cluster.folder().join("login"));
    let script = format!(
        "#!/bin/sh\necho \"$KUBERNETES_EXEC_INFO $1 $WHO\" >> '{}'\n[ \"$1\" = hang ] && exec sleep 1000\n[ \"$1\" = fail ] && exit 1\n\
         echo '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{{\"token\":\"{}\"}}}}'\n",
        ran.display(),
        cluster.token()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let exec = |argument: &str| {
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "args": [argument],
            "env": [{"name": "WHO", "value": "ann"}], "interactiveMode": "IfAvailable"}})
    };
    let config = cluster.kubeconfig("exec", &exec("give"));
    let path = config.to_str().unwrap();
    let contexts = kube_contexts(path).await.unwrap();
    let command = contexts.iter().find(|one| one.name == "test").unwrap().exec.clone().unwrap();
    assert_eq!(command, "WHO=ann ./login give");

    let action = KubernetesAction::new(Deadlines { request: Duration::from_secs(5), ..Deadlines::default() });
    let refusal = Refusal::ExecNotAllowed { command: command.clone() };
    for allowed in [None, Some("./login give"), Some("WHO=ann ./login other")] {
        let job = job(target_with(&config, WorkloadKind::Deployment, allowed), "2");
        let Planned::Refused { reasons, .. } = action.plan(&job).await.unwrap() else { panic!("it is not allowed") };
        assert_eq!(reasons, std::slice::from_ref(&refusal));
        assert_eq!(action.inspect(&job.target).await.unwrap().problems, reasons);
        let directory = KubernetesDirectory::new(path, "test", allowed, Deadlines::default());
        let failure = directory.groups().await.unwrap_err();
        assert_eq!((failure.code, &failure.details["command"]), (ErrorCode::TargetRefused, &command));
    }
    assert!(!ran.exists(), "nothing ran");
    assert!(cluster.seen().is_empty());

    let allowed = target_with(&config, WorkloadKind::Deployment, Some(&command));
    deployed(&attempt(&job(allowed.clone(), "2")).await.0);
    let told = std::fs::read_to_string(&ran).unwrap();
    assert!(told.contains("\"kind\":\"ExecCredential\"") && told.contains("give ann"), "{told}");
    // The file changes: what was allowed is not what would run.
    let _ = cluster.kubeconfig("exec", &exec("other"));
    assert!(matches!(action.inspect(&allowed).await.unwrap().problems[..], [Refusal::ExecNotAllowed { .. }]));
    for (argument, word) in [("hang", "did not end in time"), ("fail", "failed")] {
        let config = cluster.kubeconfig("exec", &exec(argument));
        let command = format!("WHO=ann ./login {argument}");
        let failure =
            action.inspect(&target_with(&config, WorkloadKind::Deployment, Some(&command))).await.unwrap_err();
        assert_eq!(failure.code, ErrorCode::ClusterUnauthorized);
        assert!(failure.message.contains(word), "{failure:?}");
    }
}

#[tokio::test]
async fn a_cluster_is_listed_from_namespaces_to_containers() {
    let cluster = cluster();
    cluster.add_workload("CronJob", "shop", "nightly", 0, &[("job", "job:1")]);
    cluster.add_workload("StatefulSet", "default", "database", 1, &[("database", "database:1")]);
    cluster.change(
        "Deployment",
        "shop",
        "web",
        &json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}),
    );
    let config = cluster.token_kubeconfig();
    let directory = KubernetesDirectory::new(config.to_str().unwrap(), "test", None, Deadlines::default());
    let groups = directory.groups().await.unwrap();
    let namespace = |name: &str| ServiceGroup::Namespace { name: name.into() };
    assert_eq!(groups, [namespace("default"), namespace("shop")]);
    let listed = directory.services(&groups[1]).await.unwrap();
    let names: Vec<_> = listed
        .iter()
        .map(|one| {
            let DeployTarget::KubernetesContainer { workload, container, workload_kind, .. } = &one.target else {
                panic!("{one:?}")
            };
            (workload_kind.as_str(), workload.as_str(), container.as_str(), one.state.health)
        })
        .collect();
    assert_eq!(
        names,
        [
            ("deployment", "web", "web", TargetHealth::Healthy),
            ("deployment", "web", "proxy", TargetHealth::Healthy),
            ("cronjob", "nightly", "job", TargetHealth::None),
        ]
    );
    assert_eq!(listed[0].target, target(&cluster));
    assert!(listed[0].state.managed_by.is_some() && listed[0].state.problems.is_empty());
    assert_eq!(listed[0].state.instances.len(), 2);
    // Who may not list namespaces has the context's.
    cluster.fault(ClusterFault::Refuse(403));
    assert_eq!(directory.groups().await.unwrap(), [namespace("shop")]);
}
