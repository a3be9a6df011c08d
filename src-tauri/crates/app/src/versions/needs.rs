//! Which deploy targets need an image that is to be removed: an update to it waits, it runs, or it is a way back.

use crate::Parts;
use crate::deploy_needs::{self, NeededImage};
use futures::future::join_all;
use slipway_core::deploy::DeployTarget;
use slipway_core::image::{Digest, ImageId};
use slipway_core::version::{DeployNeed, DeployNeedKind};
use slipway_core::{ErrorCode, Failure};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

/// A place that hangs counts as there.
const DEADLINE: Duration = Duration::from_secs(5);

/// What deploy targets need of some images.
pub(super) struct Needs(Vec<NeededImage>);

impl Needs {
    /// Reads who needs one of these images. A target that is gone needs nothing but the updates to it: they may make it.
    pub(super) async fn read(
        parts: &Parts,
        digests: &HashSet<&Digest>,
        images: &HashSet<&ImageId>,
    ) -> Result<Self, Failure> {
        let mut found = deploy_needs::read(parts).await?;
        found.retain(|one| {
            let is_one = one.digests.iter().any(|digest| digests.contains(digest))
                || one.image.as_ref().is_some_and(|image| images.contains(image));
            // A webhook runs nothing; a call that waits names an image that somebody fetches then.
            is_one && (is_update(one) || !matches!(one.need.target, DeployTarget::Webhook { .. }))
        });
        let targets: BTreeMap<String, &DeployTarget> =
            found.iter().filter(|one| !is_update(one)).map(|one| (one.need.target.key(), &one.need.target)).collect();
        let looked =
            join_all(targets.into_iter().map(async |(key, target)| (is_there(parts, target).await, key))).await;
        let gone: BTreeSet<String> = looked.into_iter().filter(|(there, _)| !there).map(|(_, key)| key).collect();
        found.retain(|one| is_update(one) || !gone.contains(&one.need.target.key()));
        Ok(Self(found))
    }

    /// Returns the targets that need an image, each with the nearest need.
    pub(super) fn of(&self, digest: Option<&Digest>, image: Option<&ImageId>) -> Vec<DeployNeed> {
        let is_it = |one: &&NeededImage| {
            digest.is_some_and(|digest| one.digests.contains(digest)) || image.is_some() && one.image.as_ref() == image
        };
        let mut found: BTreeMap<String, DeployNeed> = BTreeMap::new();
        for one in self.0.iter().filter(is_it) {
            let known = found.entry(one.need.target.key()).or_insert_with(|| one.need.clone());
            known.why = known.why.min(one.need.why);
        }
        found.into_values().collect()
    }
}

fn is_update(one: &NeededImage) -> bool {
    one.need.why == DeployNeedKind::Update
}

async fn is_there(parts: &Parts, target: &DeployTarget) -> bool {
    let looking = async { (parts.ports.actions)(target)?.inspect(target).await };
    match tokio::time::timeout(DEADLINE, looking).await {
        Ok(Err(failure)) => failure.code != ErrorCode::TargetGone,
        Ok(Ok(_)) | Err(_) => true,
    }
}
