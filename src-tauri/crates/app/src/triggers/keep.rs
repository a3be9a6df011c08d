//! Images that firings need are kept by private names (`slipway.local/firing:<owner>-<firing>`): what waits, what runs, and
//! the way back. Nothing that such a name holds is lost to a tag that moves on, or to somebody's prune of nameless images.

use crate::Parts;
use slipway_core::deploy::{DeployTarget, RunningImage, TargetState};
use slipway_core::failure::Retry;
use slipway_core::ids::{FiringId, TargetId};
use slipway_core::image::{ImageId, ImageReference};
use slipway_core::ports::BuildEngine;
use slipway_core::{ErrorCode, Failure};
use slipway_store::FiringRecord;
use std::collections::HashSet;
use std::time::Duration;

/// The repository of the private names.
const REPOSITORY: &str = "slipway.local/firing";
/// So many images of a target are kept for going back, beside what was there before the first.
pub(crate) const VERSIONS_KEPT: u32 = 5;
/// An engine that is slow must not keep an update from going on.
const DEADLINE: Duration = Duration::from_secs(10);

fn name(parts: &Parts, firing: FiringId, suffix: &str) -> String {
    format!("{}{firing}{suffix}", prefix(parts))
}

/// Returns how all private names of this data folder's firings begin.
pub(crate) fn prefix(parts: &Parts) -> String {
    format!("{REPOSITORY}:{}-", parts.owner)
}

/// Keeps the image of a firing until its turn comes.
pub(crate) async fn while_waiting(parts: &Parts, firing: &FiringRecord) {
    if let Some(id) = &firing.version.image.id {
        keep(parts, &firing.deploy_target, id, &name(parts, firing.id, "")).await;
    }
}

/// Keeps what a target ran before.
pub(crate) async fn before(parts: &Parts, firing: &FiringRecord, before: &TargetState) {
    if let Some(RunningImage { id: Some(id), .. }) = &before.image {
        keep(parts, &firing.deploy_target, id, &name(parts, firing.id, "-before")).await;
    }
}

/// Keeps what a target runs now, and lets go of what no way back needs any more.
pub(crate) async fn after(parts: &Parts, firing: &FiringRecord, after: &TargetState) {
    if let Some(RunningImage { id: Some(id), .. }) = &after.image {
        keep(parts, &firing.deploy_target, id, &name(parts, firing.id, "")).await;
    }
}

async fn keep(parts: &Parts, target: &DeployTarget, image: &ImageId, name: &str) {
    let Some(engine) = target.engine() else { return };
    let keeping = async {
        let reference = ImageReference::parse(name)?;
        parts.engine(engine)?.tag(image, &reference).await
    };
    match tokio::time::timeout(DEADLINE, keeping).await {
        Ok(Ok(())) => {}
        // An image of another engine is not here: the action gets it, or says that it cannot.
        Ok(Err(failure)) => tracing::debug!(%failure, name, "an image could not be kept"),
        Err(_) => tracing::warn!(name, "the engine did not answer; an image is not kept"),
    }
}

/// Takes away the private names on an engine that nothing needs any more. Returns whether none is left.
pub(crate) async fn tidy(parts: &Parts, engine: &str) -> bool {
    let tidying = async {
        let engine = parts.engine(engine)?;
        // In this order: what is named after the list was made belongs to a firing that waits.
        let images = engine.images().await?;
        let wanted = wanted(parts).await?;
        let prefix = prefix(parts);
        let is_left = |name: &&String| name.starts_with(&prefix) && !wanted.contains(*name);
        untag_all(engine.as_ref(), images.iter().flat_map(|image| &image.tags).filter(is_left)).await
    };
    match tokio::time::timeout(DEADLINE, tidying).await {
        Ok(Ok(())) => return true,
        Ok(Err(failure)) => tracing::warn!(%failure, engine, "private names stay on the engine for now"),
        Err(_) => tracing::warn!(engine, "the engine did not answer; private names stay on it for now"),
    }
    false
}

/// Takes these names away; one that the engine refuses does not keep the others. Returns the first refusal.
pub(crate) async fn untag_all(engine: &dyn BuildEngine, names: impl Iterator<Item = &String>) -> Result<(), Failure> {
    let mut refused = None;
    for name in names {
        match engine.untag(name).await {
            // The last name of an image that a container has: it goes when the container has gone.
            Err(failure) if failure.code == ErrorCode::InUse => {}
            Err(failure) if failure.code.retry() == Retry::WhenBack => return Err(failure),
            Err(failure) => drop(refused.get_or_insert(failure)),
            Ok(()) => {}
        }
    }
    refused.map_or(Ok(()), Err)
}

/// Returns the private names that are needed.
pub(crate) async fn wanted(parts: &Parts) -> Result<HashSet<String>, Failure> {
    let mut wanted = HashSet::new();
    for firing in parts.store.unfinished_firings().await? {
        wanted.insert(name(parts, firing.id, ""));
        wanted.insert(name(parts, firing.id, "-before"));
    }
    for target in parts.store.targets().await? {
        wanted.extend(of_target(parts, target.id).await?);
        if let Some(pin) = target.pin {
            wanted.insert(name(parts, pin.firing, ""));
        }
    }
    Ok(wanted)
}

async fn of_target(parts: &Parts, target: TargetId) -> Result<Vec<String>, Failure> {
    let deployed = parts.store.deployed_firings(target, VERSIONS_KEPT).await?;
    Ok(deployed.iter().flat_map(|firing| [name(parts, firing.id, ""), name(parts, firing.id, "-before")]).collect())
}
