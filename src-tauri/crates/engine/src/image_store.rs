//! What fills an engine's disk: every image with its layers, and the build cache; and taking away what Slipway made.

use crate::client::{EngineClient, encode};
use crate::engine_facts::DiskUse;
use crate::images::Images;
use crate::typed_calls::{bounded, status_of};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder};
use futures::stream::{StreamExt, TryStreamExt};
use sha2::{Digest as _, Sha256};
use slipway_core::disk_budget::{BuildCacheUse, StoredImage, StoredLayer};
use slipway_core::image::{EngineImage, ImageReference};
use slipway_core::{ErrorCode, Failure};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The label of every image that a Slipway built; its value is the build's id.
const BUILD: &str = "slipway.build";
/// How many images are inspected at the same time.
const INSPECTIONS: usize = 8;
/// The engine walks through every record of the cache.
const COUNTING: Duration = Duration::from_secs(15);
/// Removing gigabytes of cache takes its time.
const SHRINKING: Duration = Duration::from_secs(5 * 60);

/// The disk of one engine, as far as images and cache fill it.
pub(crate) struct ImageStore {
    client: EngineClient,
    docker: bollard::Docker,
    deadline: Duration,
    /// Layers by image id: an image never changes.
    layers: Mutex<HashMap<String, Vec<StoredLayer>>>,
}

impl ImageStore {
    pub(crate) fn new(client: EngineClient, docker: bollard::Docker, deadline: Duration) -> Self {
        Self { client, docker, deadline, layers: Mutex::default() }
    }

    /// Lists every image, those without a name too. Images first, containers after: one that is made in between counts.
    pub(crate) async fn all(&self, images: &Images) -> Result<Vec<StoredImage>, Failure> {
        let options = ListImagesOptionsBuilder::new().build();
        let listed = bounded(self.deadline, self.docker.list_images(Some(options))).await?;
        let ids: HashSet<&str> = listed.iter().map(|one| one.id.as_str()).collect();
        self.known().retain(|id, _| ids.contains(id.as_str()));
        let found: Vec<StoredImage> = futures::stream::iter(listed)
            .map(|one| async move {
                let build = one.labels.get(BUILD).cloned();
                // Removed since the list was made: nothing is left of it.
                let Some(layers) = self.layers(images, &one.id, build.is_some()).await? else { return Ok(None) };
                let named = |names: Vec<String>| names.into_iter().filter(|name| !is_nameless(name)).collect();
                let (names, digests) = (named(one.repo_tags), named(one.repo_digests));
                let id = slipway_core::image::ImageId(one.id);
                Ok(Some(StoredImage { id, names, digests, build, layers, in_use: false }))
            })
            .buffered(INSPECTIONS)
            .try_filter_map(|image| async move { Ok::<_, Failure>(image) })
            .try_collect()
            .await?;
        let options = ListContainersOptionsBuilder::new().all(true).build();
        let containers = bounded(self.deadline, self.docker.list_containers(Some(options))).await?;
        let used: HashSet<String> = containers.into_iter().filter_map(|one| one.image_id).collect();
        Ok(found.into_iter().map(|image| StoredImage { in_use: used.contains(&image.id.0), ..image }).collect())
    }

    async fn layers(&self, images: &Images, id: &str, sized: bool) -> Result<Option<Vec<StoredLayer>>, Failure> {
        if let Some(layers) = self.known().get(id) {
            return Ok(Some(layers.clone()));
        }
        let (image, sizes) = if sized {
            let Some(details) = images.details(id).await? else { return Ok(None) };
            (details.image, details.layer_sizes)
        } else {
            // Of somebody else's image only what it shares with ours matters.
            let Some(image) = images.image(id).await? else { return Ok(None) };
            (image, Vec::new())
        };
        let layers = chained(&image, &sizes, sized);
        self.known().insert(id.to_owned(), layers.clone());
        Ok(Some(layers))
    }

    /// Removes an image by its id, which the engine does without force while all its names are of one repository: other names
    /// of ours go first. So what got a name of somebody's or a container in the meantime stays.
    pub(crate) async fn remove(&self, images: &Images, image: &StoredImage) -> Result<(), Failure> {
        let kept = image.names.first().or(image.digests.first());
        let kept = kept.and_then(|name| ImageReference::parse(name).ok()).map(|name| name.repository());
        for name in image.names.iter().skip(1).chain(&image.digests) {
            let reference = ImageReference::parse(name)?;
            if reference.tag.is_none() && Some(reference.repository()) == kept {
                continue;
            }
            // The name may have gone to another image since.
            if images.image(name).await?.is_some_and(|found| found.id == image.id) {
                images.untag(name).await?;
            }
        }
        // noprune: parents without a name are somebody's cache.
        let options = RemoveImageOptionsBuilder::new().force(false).noprune(true).build();
        match bounded(self.deadline, self.docker.remove_image(&encode(&image.id.0), Some(options), None)).await {
            Ok(_) => Ok(()),
            Err(failure) => match status_of(&failure) {
                Some(404) => Ok(()),
                Some(409) => Err(Failure { code: ErrorCode::InUse, ..failure }.with("image", &image.id.0)),
                _ => Err(failure),
            },
        }
    }

    pub(crate) async fn build_cache(&self) -> Result<BuildCacheUse, Failure> {
        let client = EngineClient::new(self.client.transport().clone(), COUNTING);
        let answer = client.call(http::Method::GET, "/system/df?type=build-cache").await?;
        if !answer.status.is_success() {
            return Err(answer.failure());
        }
        Ok(BuildCacheUse { bytes: answer.json::<DiskUse>()?.cache_bytes() })
    }

    /// Engines before API 1.48 know `keep-storage`, later ones call it `reserved-space`; each passes over the other.
    pub(crate) async fn shrink_build_cache(&self, keep: u64) -> Result<u64, Failure> {
        let client = EngineClient::new(self.client.transport().clone(), SHRINKING);
        let path = format!("/build/prune?keep-storage={keep}&reserved-space={keep}");
        let answer = client.call(http::Method::POST, &path).await?;
        if !answer.status.is_success() {
            return Err(answer.failure());
        }
        Ok(u64::try_from(answer.json::<Shrunk>()?.space_reclaimed).unwrap_or(0))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<StoredLayer>>> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(serde::Deserialize)]
struct Shrunk {
    #[serde(rename = "SpaceReclaimed", default)]
    space_reclaimed: i64,
}

/// What engines say in place of a name.
fn is_nameless(name: &str) -> bool {
    name.starts_with("<none>") || name.starts_with("moby-dangling@")
}

/// Gives each layer the id of itself on all below it. Where the history does not tell the layers' sizes the topmost has all.
fn chained(image: &EngineImage, sizes: &[u64], sized: bool) -> Vec<StoredLayer> {
    let mut chain = String::new();
    let exact = sizes.len() == image.layers.len();
    let last = image.layers.len().saturating_sub(1);
    let layers = image.layers.iter().enumerate().map(|(at, layer)| {
        chain = hex::encode(Sha256::digest(format!("{chain} {layer}")));
        let bytes = match (sized, exact) {
            (false, _) => 0,
            (true, true) => sizes.get(at).copied().unwrap_or(0),
            (true, false) => image.size * u64::from(at == last),
        };
        StoredLayer { chain: chain.clone(), bytes }
    });
    layers.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use slipway_core::image::{ContentIdentity, ImageId, Platform};

    fn image(layers: &[&str]) -> EngineImage {
        EngineImage {
            id: ImageId("sha256:1".into()),
            tags: Vec::new(),
            digests: Vec::new(),
            size: 100,
            platform: "linux/amd64".parse::<Platform>().unwrap(),
            created: None,
            labels: std::collections::BTreeMap::new(),
            content: ContentIdentity(String::new()),
            layers: layers.iter().map(|layer| (*layer).to_owned()).collect(),
        }
    }

    #[test]
    fn a_layer_is_the_same_on_the_same_layers_only() {
        let (one, two) = (chained(&image(&["a", "b"]), &[3, 4], true), chained(&image(&["x", "b"]), &[3, 4], true));
        let three = chained(&image(&["a"]), &[], false);
        assert_eq!(one[0].chain, three[0].chain);
        assert_ne!(one[1].chain, two[1].chain);
        assert_eq!(one.iter().map(|layer| layer.bytes).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(three[0].bytes, 0);
    }

    #[test]
    fn without_a_history_the_whole_size_counts_once() {
        let layers = chained(&image(&["a", "b"]), &[7], true);
        assert_eq!(layers.iter().map(|layer| layer.bytes).collect::<Vec<_>>(), [0, 100]);
    }

    #[test]
    fn what_stands_in_place_of_a_name_is_none() {
        assert!(is_nameless("<none>:<none>") && is_nameless("<none>@<none>") && is_nameless("moby-dangling@sha256:1"));
        assert!(!is_nameless("a/b:c"));
    }
}
