//! SIGKILL between any two steps: whatever a process left behind, the next one leaves exactly one serving container.

use crate::support::{Stage, calls_while};
use slipway_core::deploy::{DeployAction, DeployJob, DeployJournal, DeployOutcome, JournalEntry, deploy, resume};
use slipway_core::{ErrorCode, Failure};
use slipway_deploy::ContainerAction;
use slipway_testkit::fakes::MemoryJournal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

/// Runs the attempt in a process that dies at write `at`, then in a second one that dies at write `again` of the whole, and
/// then to the end. Returns how many processes it took, or nothing when none died.
async fn killed(
    action: &(dyn Fn() -> Box<dyn DeployAction> + Sync),
    job: &DeployJob,
    at: usize,
    again: Option<usize>,
) -> Option<DeployOutcome> {
    let cancel = CancellationToken::new();
    let first = MemoryJournal::default().dying_at(at);
    let (object, planned) = (action(), async |_| Ok(()));
    if first.until_death(deploy(object.as_ref(), job, &first, &cancel, planned)).await.is_some() {
        return None;
    }
    let mut journal = first.next_process();
    if let Some(more) = again {
        journal = first.dying_at(at + more);
        if let Some(ended) = journal.until_death(resume(action().as_ref(), job, &journal, &cancel)).await {
            return Some(ended.unwrap().unwrap_or(DeployOutcome::Failed { failure: Failure::cancelled() }));
        }
        journal = first.next_process();
    }
    let ended = resume(action().as_ref(), job, &journal, &cancel).await.unwrap();
    Some(ended.unwrap_or(DeployOutcome::Failed { failure: Failure::cancelled() }))
}

/// What must be true after each of them, whichever way it ended.
async fn one_serves(stage: &Stage, name: &str, outcome: &DeployOutcome, at: usize) {
    let containers: Vec<String> =
        stage.containers().await.into_iter().filter(|line| line.split([' ', '-']).next() == Some(name)).collect();
    let running: Vec<&String> = containers.iter().filter(|line| line.ends_with(" running")).collect();
    assert_eq!(running, [&format!("{name} running")], "killed at {at}: {outcome:?}: {containers:?}");
    let page = stage.page(name).await;
    match outcome {
        DeployOutcome::Deployed { .. } => {
            assert_eq!((page.as_str(), containers.len()), ("two", 2), "killed at {at}: {containers:?}");
        }
        DeployOutcome::RolledBack { .. } | DeployOutcome::Failed { .. } => {
            assert_eq!((page.as_str(), containers.len()), ("one", 1), "killed at {at}: {containers:?}");
        }
        other => panic!("killed at {at}: {other:?}"),
    }
    let policy = &stage.inspect(&stage.container(name)).await.unwrap()["HostConfig"]["RestartPolicy"]["Name"];
    assert_eq!(policy, "always", "killed at {at}");
}

#[tokio::test]
async fn p3_f30_killed_between_any_two_steps_exactly_one_container_serves() {
    let stage = Stage::new("f30").await;
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    let calls = stage.calls.clone();
    let action = move || -> Box<dyn DeployAction> { Box::new(ContainerAction::new(calls.clone())) };
    let (stage, action) = (&stage, &action);
    // Nine steps, two writes each; the last three are killed once more while they are undone or finished.
    let cases = (0..18).map(|at| (at, None)).chain((8..18).map(|at| (at, Some(1 + at % 3))));
    let outcomes = futures::stream::iter(cases.enumerate().map(|(number, (at, again))| async move {
        let name = format!("w{number}");
        stage.run(&name, "a", &["--publish", "127.0.0.1::80", "--restart", "always"]).await;
        let job = stage.job(stage.target(&name), "b").await;
        let outcome = killed(action, &job, at, again).await.expect("the attempt has more than 18 writes");
        one_serves(stage, &name, &outcome, at).await;
        stage.engine.docker_ok(&["rm", "--force", &stage.container(&name)]).await;
        matches!(outcome, DeployOutcome::Deployed { .. })
    }));
    let outcomes: Vec<bool> = futures::StreamExt::collect(futures::StreamExt::buffered(outcomes, 4)).await;
    // Both ways out have been taken.
    assert!(outcomes.contains(&true) && outcomes.contains(&false), "{outcomes:?}");
    let job = stage.job(stage.target("late"), "b").await;
    stage.run("late", "a", &["--restart", "always"]).await;
    assert!(killed(action, &job, 18, None).await.is_none(), "the attempt has 18 writes, so every one was tried");
}

/// A journal at whose write number `at` the engine goes away.
struct Cutting {
    journal: MemoryJournal,
    at: usize,
    there: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl DeployJournal for Cutting {
    async fn write(&self, entry: JournalEntry) -> Result<(), Failure> {
        if self.journal.entries().await?.len() == self.at {
            self.there.store(false, Ordering::SeqCst);
        }
        self.journal.write(entry).await
    }

    async fn entries(&self) -> Result<Vec<JournalEntry>, Failure> {
        self.journal.entries().await
    }

    async fn line(&self, text: &str) {
        self.journal.line(text).await;
    }
}

#[tokio::test]
async fn f05_an_engine_that_goes_away_half_way_is_waited_for() {
    let stage = Stage::new("f05").await;
    stage.web("a", "one", &[]).await;
    stage.web("b", "two", &[]).await;
    let cancel = CancellationToken::new();
    // Before the candidate starts, while it is checked, before the stop, after the rename, before the start, at the check.
    for (number, at) in [0, 3, 8, 11, 14, 16].into_iter().enumerate() {
        let name = format!("w{number}");
        stage.run(&name, "a", &["--publish", "127.0.0.1::80", "--restart", "always"]).await;
        let there = Arc::new(AtomicBool::new(true));
        let action = ContainerAction::new(calls_while(&stage.engine, Arc::clone(&there)));
        let job = stage.job(stage.target(&name), "b").await;
        let journal = Cutting { journal: MemoryJournal::default(), at, there: Arc::clone(&there) };
        let open = deploy(&action, &job, &journal, &cancel, async |_| Ok(())).await.unwrap_err();
        assert_eq!(open.code, ErrorCode::EngineLost, "{at}");
        assert_eq!(resume(&action, &job, &journal, &cancel).await.unwrap_err().code, ErrorCode::EngineLost);
        there.store(true, Ordering::SeqCst);
        let outcome = resume(&action, &job, &journal.journal, &cancel).await.unwrap();
        let outcome = outcome.unwrap_or(DeployOutcome::Failed { failure: Failure::cancelled() });
        one_serves(&stage, &name, &outcome, at).await;
        stage.engine.docker_ok(&["rm", "--force", &stage.container(&name)]).await;
    }
}
