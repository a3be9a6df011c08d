//! One container takes another's place: a candidate proves the image, the old one is stopped and kept, the new one starts
//! under its name. Used for single containers and for each container of a Compose service.

mod config;
mod recover;
mod start;
mod state;

pub(crate) use recover::{finish, standing, undo};
pub(crate) use state::{LABEL_RUN, managed_by, refusals, target_state};

use crate::docker::EngineCalls;
use crate::docker::containers::{self, Container, OLD_MARK};
use crate::docker::gate::{self, Watched};
use crate::docker::images::{self, StoredImage};
use crate::trail::{Facts, Trail};
use config::{Successor, chosen_ports, why_no_candidate};
use serde_json::Value;
use slipway_core::deploy::{
    Applied, DeployJob, DeployJournal, DeployPlan, PlanNote, PlanStep, Planned, StepKind, TargetState,
};
use slipway_core::image::ImageReference;
use slipway_core::{ErrorCode, Failure};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Facts of a [`StepKind::StopOld`] entry.
const FACT_OLD: &str = "old";
const FACT_RESTART: &str = "restart";
const FACT_OF: &str = "of";
const FACT_GAP: &str = "gap_ms";

/// What one attempt needs at hand.
pub(crate) struct Attempt<'a> {
    pub(crate) calls: &'a EngineCalls,
    pub(crate) job: &'a DeployJob,
    pub(crate) journal: &'a dyn DeployJournal,
    pub(crate) cancel: &'a CancellationToken,
}

/// Decides what is done with these containers. `image` is the job's, when the engine has it already.
pub(crate) fn plan(
    job: &DeployJob,
    olds: &[Container],
    before: TargetState,
    image: Option<&StoredImage>,
    more: Vec<PlanNote>,
) -> Result<Planned, Failure> {
    if runs_already(&before, job, image)? {
        return Ok(Planned::Unchanged { before });
    }
    if !before.problems.is_empty() {
        return Ok(Planned::Refused { reasons: before.problems.clone(), before });
    }
    let notes = notes(olds).into_iter().chain(more).collect();
    Ok(Planned::Ready {
        plan: DeployPlan { before, steps: steps(job, olds, image.is_none()), notes, basis: basis(olds) },
    })
}

/// Content decides, not the name: as far as it is known without getting the image.
pub(crate) fn runs_already(
    before: &TargetState,
    job: &DeployJob,
    image: Option<&StoredImage>,
) -> Result<bool, Failure> {
    let reference = job.image.check()?;
    let Some(running) = before.image.as_ref().filter(|_| !before.mixed) else { return Ok(false) };
    let wanted = image.map(StoredImage::content).or_else(|| job.image.content.clone());
    let same_digest = job.image.digest.is_some()
        && running
            .digests
            .iter()
            .filter_map(|known| ImageReference::parse(known).ok())
            .any(|known| known.repository() == reference.repository() && known.digest == job.image.digest);
    Ok(same_digest || (wanted.is_some() && wanted == running.content))
}

/// The steps for these containers, one after another.
fn steps(job: &DeployJob, olds: &[Container], pull: bool) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    if pull {
        steps.push(PlanStep::new(StepKind::Pull, &job.image.reference));
    }
    for old in olds {
        let step = |kind| PlanStep::new(kind, old.name());
        if why_no_candidate(old).is_none() {
            steps.extend([StepKind::StartCandidate, StepKind::CheckCandidate, StepKind::RemoveCandidate].map(step));
        }
        steps.push(step(StepKind::Create).with("image", &job.image.reference));
        steps.push(step(StepKind::StopOld));
        steps.push(step(StepKind::RenameOld).with("to", old_name(job, old)));
        steps.extend([StepKind::RenameNew, StepKind::StartNew, StepKind::CheckNew].map(step));
    }
    steps
}

/// What a person should know about replacing these containers.
fn notes(olds: &[Container]) -> Vec<PlanNote> {
    let mut notes = vec![PlanNote::ShortGap];
    for old in olds {
        notes.extend(why_no_candidate(old).map(|why| PlanNote::NoCandidate { why }));
        for (_, bindings) in chosen_ports(old) {
            let port = |binding: &Value| binding["HostPort"].as_str()?.parse().ok();
            let ports = bindings.as_array().into_iter().flatten().filter_map(port);
            notes.extend(ports.map(|port| PlanNote::PortKept { port }));
        }
    }
    notes
}

fn spare_name(job: &DeployJob, old: &Container, what: &str) -> String {
    format!("{}-slipway-{what}-{}", old.name(), job.key.0)
}

fn old_name(job: &DeployJob, old: &Container) -> String {
    format!("{}{OLD_MARK}{}", old.name(), job.key.0)
}

/// Gets the image and replaces one container after another; each but the last is checked before the next begins.
/// `adjust` has the last word on a create body.
pub(crate) async fn apply(
    attempt: &Attempt<'_>,
    plan: &DeployPlan,
    olds: &[Container],
    adjust: &(dyn Fn(&mut Value, &StoredImage) + Sync),
) -> Result<Applied, Failure> {
    unchanged_since(plan, olds)?;
    let Attempt { calls, job, journal, cancel } = attempt;
    let get = images::find_or_pull(calls, &job.image, &job.login, cancel);
    let image = match images::find(calls, &job.image).await? {
        Some(image) => image,
        None => Trail(*journal).step(PlanStep::new(StepKind::Pull, &job.image.reference), get).await?,
    };
    let mut inherited = Vec::new();
    for old in olds {
        let image = images::image(calls, old.image_id()).await?;
        inherited.push(image.ok_or_else(|| {
            Failure::new(ErrorCode::TargetChanged, format!("the image of {} is gone from the engine", old.name()))
        })?);
    }
    if inherited.iter().all(|running| running.content() == image.content()) {
        return Ok(Applied::Unchanged);
    }
    fits(&image, &inherited)?;
    for (at, (old, inherited)) in olds.iter().zip(&inherited).enumerate() {
        let new = replace_one(attempt, old, inherited.config(), &image, olds.len(), adjust).await?;
        if at + 1 < olds.len() {
            let check = gate::pass(calls, (&new, Watched::New), &job.gate, *journal, cancel);
            Trail(*journal).step(PlanStep::new(StepKind::CheckNew, old.name()), check).await?;
        }
    }
    Ok(Applied::InPlace)
}

/// The basis of a plan for these containers.
fn basis(olds: &[Container]) -> Facts {
    olds.iter().map(|old| (old.name().to_owned(), old.id().to_owned())).collect()
}

fn unchanged_since(plan: &DeployPlan, olds: &[Container]) -> Result<(), Failure> {
    if basis(olds) == plan.basis && olds.iter().all(Container::serves) {
        return Ok(());
    }
    Err(Failure::new(ErrorCode::TargetChanged, "the containers are not the ones that the plan was made for"))
}

/// An image for another processor fails after the switch at the latest; this says it before.
fn fits(image: &StoredImage, running: &[StoredImage]) -> Result<(), Failure> {
    let platform = image.platform();
    let differs = |other: &&StoredImage| {
        let other = other.platform();
        other.os != platform.os || other.architecture != platform.architecture
    };
    match running.iter().find(differs).map(StoredImage::platform) {
        None => Ok(()),
        Some(other) => Err(Failure::new(
            ErrorCode::ImagePlatform,
            format!("the image is made for {platform}, and the target runs {other}"),
        )
        .with("image", platform.to_string())
        .with("target", other.to_string())),
    }
}

async fn replace_one(
    attempt: &Attempt<'_>,
    old: &Container,
    inherited: &Value,
    image: &StoredImage,
    of: usize,
    adjust: &(dyn Fn(&mut Value, &StoredImage) + Sync),
) -> Result<String, Failure> {
    let Attempt { calls, job, journal, cancel } = attempt;
    let trail = Trail(*journal);
    let step = |kind| PlanStep::new(kind, old.name());
    if why_no_candidate(old).is_none() {
        let made = config::candidate(old, inherited, image.id(), &job.key.0);
        let name = spare_name(job, old, "try");
        let start = async {
            let id = make(calls, &name, &made).await?;
            containers::start(calls, &id).await.map_err(not_started)?;
            Ok(id)
        };
        let id = trail.step(step(StepKind::StartCandidate), start).await?;
        let check = gate::pass(calls, (&id, Watched::New), &job.gate, *journal, cancel);
        trail.step(step(StepKind::CheckCandidate), check).await?;
        trail.step(step(StepKind::RemoveCandidate), containers::remove(calls, &id, true)).await?;
    }
    still_wanted(cancel)?;
    let create = make_exactly(attempt, old, inherited, image, adjust);
    let id = trail.step(step(StepKind::Create), create).await?;

    still_wanted(cancel)?;
    let restart = old.host()["RestartPolicy"].clone();
    let stop = step(StepKind::StopOld)
        .with(FACT_OLD, old.id())
        .with(FACT_RESTART, restart.to_string())
        .with(FACT_OF, of.to_string());
    let begun = Instant::now();
    trail
        .step(stop, async {
            // Or it would come back with the engine, beside the new one.
            containers::set_restart(calls, old.id(), &serde_json::json!({"Name": "no"})).await?;
            containers::stop(calls, old).await
        })
        .await?;
    let kept = old_name(job, old);
    let rename = step(StepKind::RenameOld).with("to", &kept);
    trail.step(rename, containers::rename(calls, old.id(), &kept)).await?;
    trail.step(step(StepKind::RenameNew), containers::rename(calls, &id, old.name())).await?;
    let start = async {
        start::start_on_its_ports(calls, &id, *journal, cancel).await.map_err(not_started)?;
        Ok(begun.elapsed())
    };
    let facts = |gap: &std::time::Duration| Facts::from([(FACT_GAP.to_owned(), gap.as_millis().to_string())]);
    trail.step_with(step(StepKind::StartNew), start, facts).await?;
    Ok(id)
}

/// The engine's own refusal to start something: a command that is missing, a port that is taken.
fn not_started(failure: Failure) -> Failure {
    match failure.code {
        ErrorCode::EngineError => Failure { code: ErrorCode::TargetUnhealthy, ..failure },
        _ => failure,
    }
}

fn still_wanted(cancel: &CancellationToken) -> Result<(), Failure> {
    if cancel.is_cancelled() { Err(Failure::cancelled()) } else { Ok(()) }
}

/// Makes a container, not started, in all its networks. One that cannot be finished is removed by the undo, by its label.
async fn make(calls: &EngineCalls, name: &str, made: &Successor) -> Result<String, Failure> {
    let id = containers::create(calls, name, &made.body).await?;
    for (network, endpoint) in &made.networks {
        containers::connect(calls, network, &id, endpoint).await?;
    }
    if let Some(network) = &made.leave {
        containers::disconnect(calls, network, &id).await?;
    }
    Ok(id)
}

/// Makes the new container under a name of its own. The tag is used where it means this image, and is not trusted: what was
/// made must have the image's id (T25).
async fn make_exactly(
    attempt: &Attempt<'_>,
    old: &Container,
    inherited: &Value,
    image: &StoredImage,
    adjust: &(dyn Fn(&mut Value, &StoredImage) + Sync),
) -> Result<String, Failure> {
    let Attempt { calls, job, .. } = attempt;
    let reference = ImageReference::parse(&job.image.reference)?;
    let name = spare_name(job, old, "new");
    for named in [image.name_for(&reference), image.id().to_owned()] {
        let mut made = config::successor(old, inherited, &named, &job.key.0);
        adjust(&mut made.body, image);
        let id = make(calls, &name, &made).await?;
        let found = containers::inspect(calls, &id).await?;
        if found.is_some_and(|found| found.image_id() == image.id()) {
            return Ok(id);
        }
        containers::remove(calls, &id, true).await?;
    }
    Err(Failure::new(ErrorCode::ImageGone, format!("the engine does not use the image {}", image.id())))
}
