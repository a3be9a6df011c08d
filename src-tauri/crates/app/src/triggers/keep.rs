//! Images that firings need are kept by private names (`slipway.local/firing:<owner>-<firing>`): what waits, what runs, and
//! the way back. Nothing that such a name holds is lost to a tag that moves on, or to somebody's prune of nameless images.

use crate::Parts;
use slipway_core::deploy::{DeployTarget, RunningImage, TargetState};
use slipway_core::ids::{FiringId, TargetId};
use slipway_core::image::{ImageId, ImageReference};
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
    format!("{REPOSITORY}:{}-{firing}{suffix}", parts.owner)
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

/// Takes away the private names on an engine that nothing needs any more.
pub(crate) async fn tidy(parts: &Parts, engine: &str) {
    let tidying = async {
        let engine = parts.engine(engine)?;
        let wanted = wanted(parts).await?;
        let prefix = format!("{REPOSITORY}:{}-", parts.owner);
        for image in engine.images().await? {
            for name in image.tags.iter().filter(|name| name.starts_with(&prefix) && !wanted.contains(*name)) {
                match engine.untag(name).await {
                    // The last name of an image that a container has: it goes when the container has gone.
                    Err(failure) if failure.code == ErrorCode::InUse => {}
                    untagged => untagged?,
                }
            }
        }
        Ok::<(), Failure>(())
    };
    match tokio::time::timeout(DEADLINE, tidying).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => tracing::warn!(%failure, engine, "private names stay on the engine"),
        Err(_) => tracing::warn!(engine, "the engine did not answer; private names stay on it"),
    }
}

/// Returns the private names that are needed.
async fn wanted(parts: &Parts) -> Result<HashSet<String>, Failure> {
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
