//! Watching a rolling update, or its way back, to its end.

use super::service::{self, Service, Task};
use crate::docker::EngineCalls;
use slipway_core::deploy::{DeployJournal, DeployKey, HealthGate};
use slipway_core::{ErrorCode, Failure};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the swarm is asked.
const EVERY: Duration = Duration::from_millis(250);

/// What one look at a service says.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Go on watching.
    NotYet,
    /// It ended well.
    Done,
    /// It ended badly.
    Failed(String),
    /// Somebody else changed the service.
    Changed,
}

/// Looks until the update ended. The deadline of the gate counts from the last task that came up: a service with many
/// replicas may take its time.
pub(super) async fn watch(
    calls: &EngineCalls,
    name: &str,
    gate: &HealthGate,
    journal: &dyn DeployJournal,
    cancel: &CancellationToken,
    judge: impl Fn(&Service, &[Task]) -> Verdict + Sync,
) -> Result<(), Failure> {
    let deadline = Duration::from_secs(gate.deadline_seconds.into());
    let stay_up = Duration::from_secs(gate.stay_up_seconds.into());
    let mut moved = Instant::now();
    let mut settled: Option<(Instant, Vec<String>)> = None;
    let mut up = usize::MAX;
    loop {
        let service = service::find(calls, name).await?;
        let tasks = service::tasks(calls, &service).await?;
        let why = match judge(&service, &tasks) {
            Verdict::Done => {
                // A task that ends at once is up for a moment: the same ones have to stay.
                let mut live: Vec<String> = tasks.iter().filter(|t| t.is_wanted()).map(|t| t.id().to_owned()).collect();
                live.sort();
                let same = settled.take().filter(|(_, before)| *before == live);
                let (since, live) = same.unwrap_or_else(|| (Instant::now(), live));
                if since.elapsed() >= stay_up {
                    return Ok(());
                }
                settled = Some((since, live));
                None
            }
            Verdict::Changed => return Err(service::changed(name)),
            Verdict::Failed(why) => Some(why),
            Verdict::NotYet if cancel.is_cancelled() => return Err(Failure::cancelled()),
            Verdict::NotYet => None,
        };
        let running = tasks.iter().filter(|task| task.runs() && task.image() == service.image()).count();
        if running != up {
            (up, moved) = (running, Instant::now());
            journal.line(&format!("{running} of {} tasks run the image", service.wanted(&tasks))).await;
        }
        let late = moved.elapsed() >= deadline;
        if let Some(why) = why.or_else(|| late.then(|| format!("nothing came up within {} s", deadline.as_secs()))) {
            let mut errors: Vec<String> = tasks.iter().filter_map(Task::error).collect();
            errors.sort();
            errors.dedup();
            for error in &errors {
                journal.line(&format!("{name}: {error}")).await;
            }
            return Err(Failure::new(ErrorCode::TargetUnhealthy, format!("the update of {name} failed: {why}"))
                .with("service", name)
                .with("errors", errors.join("; ")));
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Judges our update: `earlier` is when the one before it began, which is shown until ours begins.
pub(super) fn forward(service: &Service, tasks: &[Task], key: &DeployKey, image: &str, earlier: &str) -> Verdict {
    let ours = service.deploy_key() == Some(&key.0);
    match service.update_state() {
        // A way back puts the old specification in place, without our mark.
        "rollback_started" | "rollback_paused" | "rollback_completed" if !ours => {
            Verdict::Failed(service.update_message())
        }
        _ if !ours => Verdict::Changed,
        _ if service.update_began() == earlier => Verdict::NotYet,
        "paused" => Verdict::Failed(service.update_message()),
        "completed" => settled(service, tasks, image),
        _ => Verdict::NotYet,
    }
}

/// Done when as many tasks as are wanted run the image, and nothing else does.
pub(super) fn settled(service: &Service, tasks: &[Task], image: &str) -> Verdict {
    let wanted: Vec<&Task> = tasks.iter().filter(|task| task.is_wanted()).collect();
    let serves = wanted.iter().all(|task| task.image() == image && task.runs());
    if serves && wanted.len() >= service.wanted(tasks) && service.update_state() != "rollback_started" {
        Verdict::Done
    } else {
        Verdict::NotYet
    }
}
