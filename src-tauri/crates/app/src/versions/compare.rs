//! What differs between two versions.

use super::{Inspected, Shelf};
use crate::Slipway;
use slipway_core::Failure;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::Platform;
use slipway_core::image_config::config_differences;
use slipway_core::version::{ComparedLayer, LayerDifference, VersionComparison, VersionImage, VersionLayer};
use std::collections::HashSet;

/// Commits of each side that are shown.
const COMMITS: usize = 100;

impl Slipway {
    /// Compares two versions of a repository, named by tag or digest, for one platform: the asked one, else the first that
    /// both have.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::ManifestUnknown`]; what the registry or the engine says.
    pub async fn compare_versions(
        &self,
        id: ImageRepositoryId,
        a: &str,
        b: &str,
        platform: Option<&Platform>,
    ) -> Result<VersionComparison, Failure> {
        let shelf = Shelf::open(&self.parts, id).await?;
        let (a, b) = tokio::try_join!(shelf.inspect(a), shelf.inspect(b))?;
        let (commits, commits_failure) = match self.commits_between(&a, &b).await {
            Ok(commits) => (commits, None),
            Err(failure) => (None, Some(failure)),
        };
        let has = |side: &Inspected, platform: &Platform| {
            side.images.iter().any(|image| image.platform.as_ref() == Some(platform))
        };
        let platforms = |side: &Inspected| -> Vec<Platform> {
            side.images.iter().filter_map(|image| image.platform.clone()).collect()
        };
        let shared = platforms(&a).into_iter().find(|one| has(&b, one));
        let platform = platform.filter(|one| has(&a, one) && has(&b, one)).cloned().or(shared);
        let image_of = |side: &Inspected| -> Option<VersionImage> {
            let fits = |image: &&VersionImage| platform.is_none() || image.platform == platform;
            side.images.iter().find(fits).cloned()
        };
        let (first, second) = (image_of(&a), image_of(&b));
        let empty = Vec::new();
        let layers_of =
            |image: &Option<VersionImage>| image.as_ref().map_or(empty.clone(), |image| image.layers.clone());
        let config_of =
            |image: &Option<VersionImage>| image.as_ref().map(|image| image.config.clone()).unwrap_or_default();
        let size_of = |image: &Option<VersionImage>| image.as_ref().map_or(0, |image| signed(image.size));
        let other_platforms = platforms(&a)
            .into_iter()
            .filter(|one| !has(&b, one))
            .chain(platforms(&b).into_iter().filter(|one| !has(&a, one)))
            .collect();
        Ok(VersionComparison {
            layers: layer_differences(&layers_of(&first), &layers_of(&second)),
            config: config_differences(&config_of(&first), &config_of(&second)),
            size_difference: size_of(&second) - size_of(&first),
            platform,
            other_platforms,
            commits,
            commits_failure,
            a: a.version,
            b: b.version,
        })
    }

    async fn commits_between(
        &self,
        a: &Inspected,
        b: &Inspected,
    ) -> Result<Option<slipway_core::version::CommitsBetween>, Failure> {
        let (Some(a), Some(b)) = (&a.version.build, &b.version.build) else { return Ok(None) };
        let (Some(code), true, Some(from), Some(to)) = (a.code, a.code == b.code, &a.commit, &b.commit) else {
            return Ok(None);
        };
        self.parts.ports.code.commits_between(code, &from.id, &to.id, COMMITS).await.map(Some)
    }
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn layer_differences(a: &[VersionLayer], b: &[VersionLayer]) -> Vec<ComparedLayer> {
    let digests = |layers: &[VersionLayer]| -> HashSet<String> {
        layers.iter().filter_map(|layer| layer.digest.clone()).collect()
    };
    let (in_a, in_b) = (digests(a), digests(b));
    let filled = |layer: &&VersionLayer, in_other: &HashSet<String>, shared: bool| {
        layer.digest.as_ref().is_some_and(|digest| in_other.contains(digest) == shared)
    };
    let compared = |difference, layer: &VersionLayer| ComparedLayer { difference, layer: layer.clone() };
    a.iter()
        .filter(|layer| filled(layer, &in_b, true))
        .map(|layer| compared(LayerDifference::Shared, layer))
        .chain(a.iter().filter(|layer| filled(layer, &in_b, false)).map(|l| compared(LayerDifference::Removed, l)))
        .chain(b.iter().filter(|layer| filled(layer, &in_a, false)).map(|l| compared(LayerDifference::Added, l)))
        .collect()
}
