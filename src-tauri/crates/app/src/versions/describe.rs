//! What a manifest says: platforms, sizes, layers and the instructions that made them.

use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::image::{Digest, Platform, RegistryAccess, RepositoryName};
use slipway_core::image_config::{ImageConfig, layers_with_instructions, platform_of, version_config};
use slipway_core::ports::{ManifestHead, Registries};
use slipway_core::version::{Version, VersionImage};
use slipway_store::ManifestFacts;

/// An image's configuration is a few kilobytes; with a long history some more.
const CONFIG_BYTES: u64 = 4 * 1024 * 1024;
/// Images of an index that are looked into.
const MOST_IMAGES: usize = 32;
/// Requests under way for one index.
const AT_ONCE: usize = 4;

/// A manifest or an index.
pub(super) struct Manifest {
    pub(super) head: ManifestHead,
    pub(super) bytes: bytes::Bytes,
    parsed: WireManifest,
}

#[derive(Deserialize)]
struct WireManifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
struct Descriptor {
    digest: Digest,
    #[serde(default)]
    size: u64,
    platform: Option<WirePlatform>,
}

#[derive(Clone, Deserialize)]
struct WirePlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

impl Descriptor {
    fn platform(&self) -> Option<Platform> {
        let platform = self.platform.as_ref()?;
        platform_of(&platform.os, &platform.architecture, platform.variant.as_deref())
    }
}

/// Reads a manifest; `None` when it is not there.
pub(super) async fn manifest(
    registries: &dyn Registries,
    access: &RegistryAccess,
    name: &RepositoryName,
    reference: &str,
) -> Result<Option<Manifest>, Failure> {
    let Some((head, bytes)) = registries.manifest(access, name, reference).await? else { return Ok(None) };
    // Foreign artifacts are shown without what only images have.
    let parsed = serde_json::from_slice(&bytes).unwrap_or(WireManifest {
        config: None,
        layers: Vec::new(),
        manifests: Vec::new(),
    });
    Ok(Some(Manifest { head, bytes, parsed }))
}

/// Reads what a list shows.
pub(super) async fn facts(
    registries: &dyn Registries,
    access: &RegistryAccess,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<ManifestFacts, Failure> {
    let Some(manifest) = manifest(registries, access, name, digest.as_str()).await? else {
        return Ok(ManifestFacts::default());
    };
    let facts = facts_of(&images(registries, access, name, &manifest).await?.0);
    Ok(ManifestFacts { parts: parts(&manifest), ..facts })
}

/// The manifests that an index needs.
pub(super) fn parts(manifest: &Manifest) -> Vec<Digest> {
    manifest.parsed.manifests.iter().map(|part| part.digest.clone()).collect()
}

/// Sums images up.
pub(super) fn facts_of(images: &[VersionImage]) -> ManifestFacts {
    ManifestFacts {
        size: images.iter().map(|image| image.size).sum(),
        platforms: images.iter().filter_map(|image| image.platform.clone()).collect(),
        created: images.iter().filter_map(|image| image.created).max(),
        parts: Vec::new(),
    }
}

/// Writes what is known about a manifest into a row.
pub(super) fn fill_in(version: &mut Version, facts: &ManifestFacts) {
    version.size = Some(facts.size);
    version.platforms.clone_from(&facts.platforms);
    version.created = facts.created;
}

/// Reads every image behind a manifest, in the index's order, and counts what is no image.
pub(super) async fn images(
    registries: &dyn Registries,
    access: &RegistryAccess,
    name: &RepositoryName,
    manifest: &Manifest,
) -> Result<(Vec<VersionImage>, u64), Failure> {
    if manifest.parsed.manifests.is_empty() {
        let image = image(registries, access, name, &manifest.parsed, &manifest.head.digest, None).await?;
        return Ok((image.into_iter().collect(), 0));
    }
    let parts = &manifest.parsed.manifests;
    let wanted: Vec<(Digest, Platform)> =
        parts.iter().filter_map(|part| Some((part.digest.clone(), part.platform()?))).take(MOST_IMAGES).collect();
    let attachments = parts.len() - parts.iter().filter(|part| part.platform().is_some()).count();
    let found: Vec<Option<VersionImage>> = futures::stream::iter(wanted)
        .map(|(digest, platform)| async move {
            // Registries that copy on demand lack platforms that nobody asked for yet.
            let Some(part) = self::manifest(registries, access, name, digest.as_str()).await? else { return Ok(None) };
            image(registries, access, name, &part.parsed, &digest, Some(platform)).await
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok((found.into_iter().flatten().collect(), attachments as u64))
}

async fn image(
    registries: &dyn Registries,
    access: &RegistryAccess,
    name: &RepositoryName,
    manifest: &WireManifest,
    digest: &Digest,
    platform: Option<Platform>,
) -> Result<Option<VersionImage>, Failure> {
    let Some(config) = &manifest.config else { return Ok(None) };
    let bytes = registries.blob(access, name, &config.digest, CONFIG_BYTES).await?;
    let layers: Vec<(String, u64)> =
        manifest.layers.iter().map(|layer| (layer.digest.as_str().to_owned(), layer.size)).collect();
    let parsed = ImageConfig::parse(&bytes);
    let history = parsed.as_ref().and_then(|config| config.history.clone()).unwrap_or_default();
    let (rows, fits) = layers_with_instructions(&layers, &history);
    Ok(Some(VersionImage {
        platform: platform.or_else(|| parsed.as_ref()?.platform()),
        digest: Some(digest.clone()),
        config_digest: Some(config.digest.clone()),
        size: manifest.layers.iter().map(|layer| layer.size).sum::<u64>() + config.size,
        created: parsed.as_ref().and_then(|config| config.created),
        author: parsed.as_ref().and_then(|config| config.author.clone()).filter(|author| !author.is_empty()),
        layers: rows,
        unaligned: !fits,
        config: parsed.map(|config| version_config(&config.config)).unwrap_or_default(),
    }))
}
