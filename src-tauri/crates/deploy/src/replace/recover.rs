//! Finishing and undoing from the journal and from what is really there: the same code after a failure and after a crash.

use super::start::start_on_its_ports;
use super::{Attempt, FACT_OF, FACT_OLD, FACT_RESTART};
use crate::docker::EngineCalls;
use crate::docker::containers::{
    self, Container, LABEL_DEPLOY, LABEL_PREVIOUS, LABEL_ROLE, OLD_MARK, ROLE_CANDIDATE, inspect,
};
use crate::docker::gate::{self, Watched};
use crate::trail::Trail;
use serde_json::Value;
use slipway_core::deploy::{DeployJob, DeployJournal, JournalMark, PlanStep, Standing, StepKind};
use slipway_core::{ErrorCode, Failure};
use tokio_util::sync::CancellationToken;

/// One container whose replacing has reached the old one.
struct Unit {
    /// The name, of the old one before and of the new one after.
    name: String,
    /// Id of the old one.
    old: String,
    /// The old one's restart policy.
    restart: Value,
    /// How many units the attempt has.
    of: usize,
}

async fn units(journal: &dyn DeployJournal) -> Result<Vec<Unit>, Failure> {
    let mut units: Vec<Unit> = Vec::new();
    for entry in journal.entries().await? {
        let fact = |name: &str| entry.facts.get(name).cloned().unwrap_or_default();
        let old = fact(FACT_OLD);
        let begins = entry.kind == StepKind::StopOld && entry.mark == JournalMark::Intended;
        if begins && units.iter().all(|unit| unit.old != old) {
            let restart = serde_json::from_str(&fact(FACT_RESTART)).map_err(Failure::internal)?;
            units.push(Unit { name: entry.subject, old, restart, of: fact(FACT_OF).parse().unwrap_or(1) });
        }
    }
    Ok(units)
}

async fn made_by(calls: &EngineCalls, job: &DeployJob) -> Result<Vec<Container>, Failure> {
    containers::labelled(calls, &[&format!("{LABEL_DEPLOY}={}", job.key.0)]).await
}

/// Says where an attempt stands.
pub(crate) async fn standing(
    calls: &EngineCalls,
    job: &DeployJob,
    journal: &dyn DeployJournal,
) -> Result<Standing, Failure> {
    let units = units(journal).await?;
    let made = made_by(calls, job).await?;
    let mut in_place = 0;
    let mut restored = 0;
    for unit in &units {
        let old = inspect(calls, &unit.old).await?;
        let old_serves = old.as_ref().is_some_and(Container::serves);
        let new = made.iter().find(|new| new.label(LABEL_PREVIOUS) == Some(&unit.old));
        in_place += usize::from(!old_serves && new.is_some_and(|new| new.serves() && new.name() == unit.name));
        restored += usize::from(old_serves && old.is_some_and(|old| old.name() == unit.name));
    }
    if units.first().is_some_and(|unit| unit.of == in_place) {
        Ok(Standing::InPlace)
    } else if made.is_empty() && restored == units.len() {
        Ok(Standing::Untouched)
    } else {
        Ok(Standing::Halfway)
    }
}

/// Checks every new container that is not proven yet, and removes what is no longer needed: the old one of the update before
/// (`keep_old`), or the old ones of this update.
pub(crate) async fn finish(attempt: &Attempt<'_>, keep_old: bool) -> Result<(), Failure> {
    let Attempt { calls, job, journal, cancel } = attempt;
    let trail = Trail(*journal);
    let proven = journal.entries().await?;
    let is_proven = |name: &str| {
        proven.iter().any(|e| e.kind == StepKind::CheckNew && e.mark == JournalMark::Done && e.subject == name)
    };
    let units = units(*journal).await?;
    for unit in units.iter().filter(|unit| !is_proven(&unit.name)) {
        let new = inspect(calls, &unit.name).await?;
        let new = new.filter(|new| new.label(LABEL_DEPLOY) == Some(&job.key.0)).ok_or_else(|| {
            Failure::new(ErrorCode::TargetChanged, format!("{} was changed by somebody else", unit.name))
        })?;
        let check = gate::pass(calls, (new.id(), Watched::New), &job.gate, *journal, cancel);
        trail.step(PlanStep::new(StepKind::CheckNew, &unit.name), check).await?;
    }
    for unit in &units {
        let Some(old) = inspect(calls, &unit.old).await? else { continue };
        let spare = match (keep_old, old.label(LABEL_PREVIOUS)) {
            (false, _) => Some(old),
            (true, Some(previous)) => inspect(calls, previous).await?,
            (true, None) => None,
        };
        // Named by us and stopped: anything else is somebody's.
        if let Some(spare) = spare.filter(|spare| spare.name().contains(OLD_MARK) && !spare.state("Running")) {
            let step = PlanStep::new(StepKind::RemoveEarlier, spare.name());
            trail.step(step, containers::remove(calls, spare.id(), false)).await?;
        }
    }
    Ok(())
}

/// Takes away what the attempt made and lets the old ones serve again. Returns whether the target had been touched.
pub(crate) async fn undo(calls: &EngineCalls, job: &DeployJob, journal: &dyn DeployJournal) -> Result<bool, Failure> {
    let trail = Trail(journal);
    let units = units(journal).await?;
    let mut olds = Vec::new();
    for unit in &units {
        // Without the old one the new one is all that is left: it stays as it is.
        olds.push(inspect(calls, &unit.old).await?.ok_or_else(|| {
            Failure::new(ErrorCode::TargetGone, format!("the container that served as {} before is gone", unit.name))
                .with("container", &unit.old)
        })?);
    }
    for made in made_by(calls, job).await? {
        let candidate = made.label(LABEL_ROLE) == Some(ROLE_CANDIDATE);
        let kind = if candidate { StepKind::RemoveCandidate } else { StepKind::RemoveNew };
        trail.step(PlanStep::new(kind, made.name()), containers::remove(calls, made.id(), true)).await?;
    }
    let never = CancellationToken::new();
    for (unit, old) in units.iter().zip(&olds).rev() {
        let step = |kind| PlanStep::new(kind, &unit.name);
        if old.name() != unit.name {
            trail.step(step(StepKind::RestoreName), containers::rename(calls, old.id(), &unit.name)).await?;
        }
        let start = async {
            containers::set_restart(calls, old.id(), &unit.restart).await?;
            start_on_its_ports(calls, old.id(), journal, &never).await
        };
        trail.step(step(StepKind::StartOld), start).await?;
    }
    // They start together, so that they are back soon; the proof may take its time.
    for (unit, old) in units.iter().zip(&olds) {
        let check = gate::pass(calls, (old.id(), Watched::Old), &job.gate, journal, &never);
        trail.step(PlanStep::new(StepKind::CheckOld, &unit.name), check).await?;
    }
    Ok(!units.is_empty())
}
