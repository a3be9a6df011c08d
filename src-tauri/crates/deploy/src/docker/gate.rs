//! The health gate: HEALTHCHECK when there is one, else stays up for some seconds.

use super::calls::EngineCalls;
use super::containers::{Container, inspect, last_lines};
use slipway_core::deploy::{DeployJournal, HealthGate};
use slipway_core::{ErrorCode, Failure};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the engine is asked.
const EVERY: Duration = Duration::from_millis(100);

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watched {
    /// A container that was just made: the engine must not have had to start it again.
    New,
    /// One that served before, perhaps for long.
    Old,
}

/// Waits until a container that was started counts as serving. When it does not, its last words go to the journal.
pub(crate) async fn pass(
    calls: &EngineCalls,
    (id, watched): (&str, Watched),
    gate: &HealthGate,
    journal: &dyn DeployJournal,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let mut first: Option<(Container, Instant)> = None;
    loop {
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let now = inspect(calls, id).await?.ok_or_else(|| unhealthy("the container went away while it was watched"))?;
        // The time counts from the first look: a slow engine must not make it short.
        let (before, begun) = first.get_or_insert_with(|| (now.clone(), Instant::now()));
        let restarts = if watched == Watched::New { 0 } else { before.restarts() };
        match verdict(restarts, before.started_text(), &now, begun.elapsed(), gate) {
            Some(Ok(())) => return Ok(()),
            Some(Err(why)) => {
                for line in last_lines(calls, &now).await.unwrap_or_default() {
                    journal.line(&format!("{}: {line}", now.name())).await;
                }
                return Err(unhealthy(&format!("{} {why}", now.name())).with("container", now.name()));
            }
            None => {}
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

fn unhealthy(message: &str) -> Failure {
    Failure::new(ErrorCode::TargetUnhealthy, message)
}

/// Decides from how it was at first and how it is now; `None` is "not yet".
fn verdict(
    restarts: i64,
    started: &str,
    now: &Container,
    elapsed: Duration,
    gate: &HealthGate,
) -> Option<Result<(), String>> {
    match now.status() {
        "running" => {}
        "restarting" => return Some(Err(format!("ended with code {} and is started again", now.exit_code()))),
        "paused" => return Some(Err("was paused".to_owned())),
        "created" => return Some(Err("was not started".to_owned())),
        _ => return Some(Err(format!("ended with code {}", now.exit_code()))),
    }
    if now.restarts() > restarts || now.started_text() != started {
        return Some(Err("ended and was started again".to_owned()));
    }
    let late = elapsed >= Duration::from_secs(gate.deadline_seconds.into());
    match now.health_check() {
        Some("healthy") => Some(Ok(())),
        Some("unhealthy") => Some(Err(format!("is unhealthy by its own check{}", said(now)))),
        Some(_) if late => Some(Err(format!("was not healthy within {} s{}", gate.deadline_seconds, said(now)))),
        Some(_) => None,
        None => (elapsed >= Duration::from_secs(gate.stay_up_seconds.into())).then_some(Ok(())),
    }
}

/// What the last health check printed.
fn said(container: &Container) -> String {
    let checks = container.0["State"]["Health"]["Log"].as_array();
    let last = checks.and_then(|checks| checks.last()).and_then(|check| check["Output"].as_str());
    let text = super::calls::printable(last.unwrap_or_default());
    if text.is_empty() { String::new() } else { format!(": {}", text.chars().take(200).collect::<String>()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn container(state: Value, restarts: i64) -> Container {
        Container(json!({"Id": "1", "Name": "/web", "RestartCount": restarts, "State": state}))
    }

    #[test]
    fn f29_the_gate_sees_every_way_of_not_serving() {
        let gate = HealthGate { stay_up_seconds: 5, deadline_seconds: 60 };
        let up =
            |health: &str| container(json!({"Status": "running", "StartedAt": "a", "Health": {"Status": health}}), 0);
        let at = Duration::from_secs;
        for (now, elapsed, expected) in [
            (up("none"), 4, None),
            (up("none"), 5, Some(true)),
            (up("starting"), 5, None),
            (up("starting"), 60, Some(false)),
            (up("healthy"), 0, Some(true)),
            (up("unhealthy"), 0, Some(false)),
            (container(json!({"Status": "exited", "ExitCode": 0}), 0), 0, Some(false)),
            (container(json!({"Status": "dead"}), 0), 0, Some(false)),
            (container(json!({"Status": "created"}), 0), 0, Some(false)),
            (container(json!({"Status": "paused"}), 0), 0, Some(false)),
            (container(json!({"Status": "restarting"}), 1), 0, Some(false)),
            // It flaps between two looks.
            (container(json!({"Status": "running", "StartedAt": "a"}), 1), 9, Some(false)),
            (container(json!({"Status": "running", "StartedAt": "b"}), 0), 9, Some(false)),
        ] {
            let result = verdict(0, "a", &now, at(elapsed), &gate).map(|verdict| verdict.is_ok());
            assert_eq!(result, expected, "{:?} after {elapsed} s", now.0["State"]);
        }
    }
}
