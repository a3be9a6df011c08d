//! One firing from its claim to its end: the action plans, applies, watches, undoes; the row says how it ended.

use crate::Parts;
use crate::fail_point::fail_point;
use crate::queue::{RETRY_BUDGET, pause};
use crate::triggers::journal::RowJournal;
use crate::triggers::worker::Firings;
use crate::triggers::{keep, secrets_of};
use slipway_core::deploy::{
    DeployAction, DeployJob, DeployJournal, DeployKey, DeployOutcome, ManagedBy, Planned, Refusal, TargetHealth,
    deploy, resume, take_back,
};
use slipway_core::failure::Retry;
use slipway_core::ids::FiringId;
use slipway_core::trigger::{DeployPlace, FiringKind, FiringReason, FiringState};
use slipway_core::{ErrorCode, Failure};
use slipway_store::FiringRecord;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Everything but the health gate: getting the image above all.
const DEADLINE: Duration = Duration::from_secs(60 * 60);
/// How often bringing back what served before is tried once more: a busy engine refuses for a moment what it does later.
const MORE_WAYS_BACK: u32 = 4;

/// Who began the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begun {
    /// This worker.
    Now,
    /// An earlier run of the application, which stopped in the middle.
    Earlier,
}

/// Runs a claimed firing to its end, or back into the queue.
pub(crate) async fn run(
    firings: &Firings,
    firing: &FiringRecord,
    begun: Begun,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let parts = firings.parts();
    let journal =
        RowJournal { parts: Arc::clone(parts), firing: firing.id, target: firing.target, attempt: firing.attempt };
    let gate = Duration::from_secs(firing.gate.deadline_seconds.into());
    let late = AtomicBool::new(false);
    let outcome = {
        let work = async {
            if firing.kind == FiringKind::Run {
                let _turn = disk_turn(parts, firing).await;
                run_service(firings, firing, begun, cancel).await
            } else {
                update(parts, firing, begun, &journal, cancel).await
            }
        };
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => outcome,
            () = tokio::time::sleep(DEADLINE + gate * 2) => {
                late.store(true, Ordering::Relaxed);
                cancel.cancel();
                work.await
            }
        }
    };
    let outcome = if late.load(Ordering::Relaxed) { timed_out(outcome) } else { outcome };
    settle(parts, firing, &journal, outcome).await
}

/// No image is removed from an engine while an update there may begin to use it. What an unfinished one needs is known besides:
/// one that waits for its target holds up nothing.
async fn disk_turn<'a>(parts: &'a Parts, firing: &FiringRecord) -> Option<tokio::sync::RwLockReadGuard<'a, ()>> {
    match firing.deploy_target.engine() {
        Some(crate::disk_budget::ENGINE) => Some(parts.disk_turn.read().await),
        _ => None,
    }
}

/// What a person would call cancelled was the deadline.
fn timed_out(outcome: DeployOutcome) -> DeployOutcome {
    let failure = Failure::new(ErrorCode::TimedOut, "the update took longer than its deadline");
    match outcome {
        DeployOutcome::Failed { .. } => DeployOutcome::Failed { failure },
        DeployOutcome::RolledBack { after, .. } => DeployOutcome::RolledBack { failure, after },
        DeployOutcome::Broken { undo, .. } => DeployOutcome::Broken { failure, undo },
        other => other,
    }
}

/// Updates an existing target. Ends only with an outcome: while a begun attempt can neither be finished nor undone, because
/// the target cannot be reached, it is tried again and again.
async fn update(
    parts: &Arc<Parts>,
    firing: &FiringRecord,
    begun: Begun,
    journal: &RowJournal,
    cancel: &CancellationToken,
) -> DeployOutcome {
    let mut begun = begun;
    let mut tries = 0;
    loop {
        let turn = disk_turn(parts, firing).await;
        let stepped = step(parts, firing, begun, journal, cancel).await;
        drop(turn);
        let failure = match stepped {
            Ok(Some(outcome)) => return bring_back(parts, firing, journal, outcome).await,
            // Nothing of the earlier attempt can be seen: it begins anew, unless a person wants it to end.
            Ok(None) if cancel.is_cancelled() => return DeployOutcome::Failed { failure: Failure::cancelled() },
            Ok(None) => {
                begun = Begun::Now;
                continue;
            }
            Err(failure) => failure,
        };
        begun = Begun::Earlier;
        tries += 1;
        journal.line(&format!("the target cannot be reached now, it is tried again: {}", failure.message)).await;
        rest(parts, tries, &failure).await;
    }
}

/// Waits as long as after so many tries on a target.
async fn rest(parts: &Parts, tries: u32, failure: &Failure) {
    let wait = pause(parts.pace.probe_base, parts.pace.probe_cap, tries, failure, parts.now());
    tokio::time::sleep(wait.to_std().unwrap_or_default().max(Duration::from_millis(10))).await;
}

/// Tries a few times more to bring back what served before, when it was the engine that refused it. A person is called only
/// for what stays.
async fn bring_back(
    parts: &Arc<Parts>,
    firing: &FiringRecord,
    journal: &RowJournal,
    outcome: DeployOutcome,
) -> DeployOutcome {
    let mut outcome = outcome;
    for tries in 1..=MORE_WAYS_BACK {
        let DeployOutcome::Broken { failure, undo } = &outcome else { break };
        if undo.code != ErrorCode::EngineError {
            break;
        }
        journal.line("bringing back what served before is tried again").await;
        rest(parts, tries, undo).await;
        let again = async {
            let action = (parts.ports.actions)(&firing.deploy_target)?;
            take_back(action.as_ref(), &job_of(parts, firing).await?, journal, failure.clone()).await
        };
        if let Ok(next) = again.await {
            outcome = next;
        }
    }
    outcome
}

/// Tries once. `Ok(None)` when an earlier attempt left nothing; `Err` when it stays open.
async fn step(
    parts: &Arc<Parts>,
    firing: &FiringRecord,
    begun: Begun,
    journal: &RowJournal,
    cancel: &CancellationToken,
) -> Result<Option<DeployOutcome>, Failure> {
    let prepared = async {
        let action = (parts.ports.actions)(&firing.deploy_target)?;
        Ok::<_, Failure>((action, job_of(parts, firing).await?))
    };
    let (action, job): (Arc<dyn DeployAction>, DeployJob) = match prepared.await {
        Ok(prepared) => prepared,
        Err(failure) if begun == Begun::Now => return Ok(Some(DeployOutcome::Failed { failure })),
        Err(failure) => return Err(failure),
    };
    if begun == Begun::Earlier {
        journal.line("the application stopped in the middle: looking at what the target runs").await;
        return resume(action.as_ref(), &job, journal, cancel).await;
    }
    if cancel.is_cancelled() {
        return Ok(Some(DeployOutcome::Failed { failure: Failure::cancelled() }));
    }
    let image = &firing.version.image;
    let exact = image.digest.as_ref().map(|digest| digest.as_str()).or(image.id.as_ref().map(|id| id.0.as_str()));
    journal.line(&format!("attempt {}: {} {}", firing.attempt, image.reference, exact.unwrap_or_default())).await;
    let planned = |planned: Planned| async move {
        parts.store.set_firing_plan(firing.id, &planned).await?;
        fail_point("firing.planned");
        if let Planned::Ready { plan } = &planned {
            keep::before(parts, firing, &plan.before).await;
            fail_point("firing.before_kept");
        }
        Ok(())
    };
    match deploy(action.as_ref(), &job, journal, cancel, planned).await {
        Ok(outcome) => Ok(Some(outcome)),
        // Nothing was begun: it waits in the queue, where something newer may overtake it, and not in this worker.
        Err(failure) if journal.entries().await.is_ok_and(|entries| entries.is_empty()) => {
            Ok(Some(DeployOutcome::Failed { failure }))
        }
        Err(failure) => Err(failure),
    }
}

async fn job_of(parts: &Parts, firing: &FiringRecord) -> Result<DeployJob, Failure> {
    let mut secrets = BTreeMap::new();
    for id in secrets_of(&firing.deploy_target) {
        secrets.insert(id, parts.open_secret(id).await?);
    }
    Ok(DeployJob {
        key: key_of(parts, firing),
        target: firing.deploy_target.clone(),
        image: firing.version.image.clone(),
        login: parts.login_for(firing.repository, &firing.version.image).await?,
        gate: firing.gate,
        secrets,
        occurred_at: firing.observed_at,
    })
}

fn key_of(parts: &Parts, firing: &FiringRecord) -> DeployKey {
    DeployKey(format!("{}-{}-{}", parts.owner, firing.id, firing.attempt))
}

/// Runs an image as a new service.
async fn run_service(
    firings: &Firings,
    firing: &FiringRecord,
    begun: Begun,
    cancel: &CancellationToken,
) -> DeployOutcome {
    let parts = firings.parts();
    let failed = |failure| DeployOutcome::Failed { failure };
    let result = async {
        let place = DeployPlace::of(&firing.deploy_target).ok_or_else(|| Failure::internal("nowhere to run"))?;
        let request = match (begun, firings.take_request(firing.id).await) {
            (Begun::Now, Some(request)) => request,
            // It was begun by an earlier run: either it is there, or it is not.
            _ => return already_there(parts, firing).await,
        };
        let login = parts.login_for(firing.repository, &firing.version.image).await?;
        let directory = (parts.ports.directories)(&place)?;
        fail_point("run.begun");
        let state = directory.run_image(&request, &login, cancel).await?.state;
        fail_point("run.serves");
        Ok(state)
    };
    match result.await {
        Ok(after) => DeployOutcome::Deployed { after, gap_ms: None },
        Err(failure) => failed(failure),
    }
}

async fn already_there(parts: &Parts, firing: &FiringRecord) -> Result<slipway_core::deploy::TargetState, Failure> {
    let action = (parts.ports.actions)(&firing.deploy_target)?;
    let state = action.inspect(&firing.deploy_target).await?;
    let serves = matches!(state.health, TargetHealth::Healthy | TargetHealth::Running);
    if serves && state.managed_by == Some(ManagedBy::Slipway) {
        return Ok(state);
    }
    let place = DeployPlace::of(&firing.deploy_target).ok_or_else(|| Failure::internal("nowhere to run"))?;
    (parts.ports.directories)(&place)?.forget_run(&key_of(parts, firing)).await?;
    Err(Failure::new(ErrorCode::Interrupted, "the application stopped while the image was started; run it again"))
}

/// Writes how an attempt ended.
async fn settle(
    parts: &Arc<Parts>,
    firing: &FiringRecord,
    journal: &RowJournal,
    outcome: DeployOutcome,
) -> Result<(), Failure> {
    let cancelled = parts.store.firing(firing.id).await?.cancel_requested;
    if let Some(failure) = broken_off(&outcome)
        && !cancelled
        && firing.kind != FiringKind::Run
        && firing.attempt < RETRY_BUDGET
    {
        // Nothing is wrong with the image: what our own end broke off, and was undone, begins anew.
        journal.line("what was broken off was undone; it begins anew").await;
        let now = parts.now();
        let reason = FiringReason::Backoff { until: now, failure: failure.clone() };
        parts.store.wait_firing(firing.id, &reason, failure, now).await?;
        fail_point("firing.again");
        return Ok(());
    }
    let (state, failure) = match &outcome {
        DeployOutcome::Deployed { .. } => (FiringState::Succeeded, None),
        DeployOutcome::Unchanged { .. } => (FiringState::Unchanged, None),
        DeployOutcome::Refused { reasons } => (FiringState::Failed, Some(Refusal::failure(reasons))),
        DeployOutcome::Failed { failure } if !cancelled && firing.kind != FiringKind::Run => {
            if let Some(reason) = try_again(parts, firing, failure) {
                let until = match &reason {
                    FiringReason::Backoff { until, .. } => *until,
                    _ => parts.now() + wait_for(parts, firing, failure),
                };
                journal.line(&format!("it waits and is tried again: {}", failure.message)).await;
                parts.store.wait_firing(firing.id, &reason, failure, until).await?;
                return Ok(());
            }
            (FiringState::Failed, Some(failure.clone()))
        }
        DeployOutcome::Failed { failure } => (FiringState::Failed, Some(failure.clone())),
        DeployOutcome::RolledBack { failure, .. } => (FiringState::RolledBack, Some(failure.clone())),
        DeployOutcome::Broken { failure, .. } => (FiringState::Broken, Some(failure.clone())),
    };
    let ended_by_person = cancelled && matches!(state, FiringState::Failed | FiringState::RolledBack);
    let state = if ended_by_person { FiringState::Cancelled } else { state };
    end(parts, firing.id, state, Some(&outcome), failure.as_ref()).await?;
    if let DeployOutcome::Deployed { after, .. } = &outcome {
        keep::after(parts, firing, after).await;
        fail_point("firing.after_kept");
    }
    if let Some(engine) = firing.deploy_target.engine()
        && !keep::tidy(parts, engine).await
    {
        parts.tidy_wake.notify_one();
    }
    Ok(())
}

/// Writes an end, and tells it.
pub(super) async fn end(
    parts: &Parts,
    id: FiringId,
    state: FiringState,
    outcome: Option<&DeployOutcome>,
    failure: Option<&Failure>,
) -> Result<(), Failure> {
    fail_point("firing.ending");
    parts.store.finish_firing(id, state, outcome, failure, parts.now()).await?;
    fail_point("firing.ended");
    parts.tell_ends().await;
    fail_point("firing.told");
    Ok(())
}

/// Returns the failure of an attempt that was undone for no other reason than that the application stopped in its middle.
fn broken_off(outcome: &DeployOutcome) -> Option<&Failure> {
    match outcome {
        DeployOutcome::Failed { failure } | DeployOutcome::RolledBack { failure, .. } => {
            Some(failure).filter(|failure| failure.code == ErrorCode::Interrupted)
        }
        _ => None,
    }
}

/// Returns why a firing that touched nothing waits for another try; `None` when the same would happen again.
fn try_again(parts: &Parts, firing: &FiringRecord, failure: &Failure) -> Option<FiringReason> {
    match failure.code.retry() {
        Retry::Never => None,
        Retry::WhenBack => Some(FiringReason::Outside { failure: failure.clone() }),
        Retry::Backoff if firing.attempt >= RETRY_BUDGET => None,
        Retry::Backoff => {
            let until = parts.now() + wait_for(parts, firing, failure);
            Some(FiringReason::Backoff { until, failure: failure.clone() })
        }
    }
}

fn wait_for(parts: &Parts, firing: &FiringRecord, failure: &Failure) -> chrono::TimeDelta {
    let pace = &parts.pace;
    let (base, cap) = match failure.code.retry() {
        Retry::WhenBack => (pace.probe_base, pace.probe_cap),
        _ => (pace.retry_base, pace.retry_cap),
    };
    pause(base, cap, firing.attempt, failure, parts.now())
}
