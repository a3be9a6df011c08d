//! The platform of an image repository's newest tag, which a rule without a platform builds for.

use crate::Parts;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use serde::Deserialize;
use slipway_core::image::{Digest, Platform, RegistryAccess, RepositoryName};
use slipway_core::ports::{BuildEngine, Registries};
use slipway_core::{ErrorCode, Failure};
use slipway_store::ImageRepositoryRecord;
use std::time::Duration;

/// A registry's list of tags has no times: so many are looked at, the last ones of the list and `latest`.
const TAGS_LOOKED_AT: usize = 8;
/// An image's configuration is a few kilobytes.
const CONFIG_BYTES: u64 = 1024 * 1024;
/// A registry that hangs must not keep a build from beginning.
const DEADLINE: Duration = Duration::from_secs(10);

impl Parts {
    /// Returns the platforms of the repository's newest tag: what Slipway itself moved last, else the newest image that the
    /// registry (or the engine, for *Local engine*) shows. Empty when there is none.
    pub(crate) async fn newest_platforms(
        &self,
        repository: &ImageRepositoryRecord,
        engine: &dyn BuildEngine,
    ) -> Result<Vec<Platform>, Failure> {
        let last = self.store.last_move_of_repository(repository.id).await?;
        if let Some(build) = last.and_then(|moved| moved.build)
            && let Some(image) = self.store.build(build).await?.image
        {
            return Ok(image.platforms);
        }
        let name = &repository.spec.name;
        let looking = async {
            match self.repository_access(repository).await? {
                (_, Some(access)) => at_registry(self.ports.registries.as_ref(), &access, name).await,
                (_, None) => {
                    let images = engine.images_of(name.as_str()).await?;
                    Ok(images.into_iter().next().map(|image| image.platform).into_iter().collect())
                }
            }
        };
        let too_long = |_| Err(Failure::new(ErrorCode::TimedOut, "the registry took too long to show its newest tag"));
        tokio::time::timeout(DEADLINE, looking).await.unwrap_or_else(too_long)
    }
}

/// What an image says about itself.
struct Described {
    platforms: Vec<Platform>,
    created: Option<DateTime<Utc>>,
}

async fn at_registry(
    registries: &dyn Registries,
    access: &RegistryAccess,
    name: &RepositoryName,
) -> Result<Vec<Platform>, Failure> {
    let tags = match registries.tags(access, name).await {
        Err(failure) if failure.code == ErrorCode::RegistryNameUnknown => return Ok(Vec::new()),
        tags => tags?,
    };
    let (latest, others): (Vec<&String>, Vec<&String>) = tags.iter().partition(|tag| *tag == "latest");
    let looked_at = latest.into_iter().chain(others.into_iter().rev()).take(TAGS_LOOKED_AT);
    let answers = join_all(looked_at.map(|tag| described(registries, access, name, tag))).await;
    let mut newest: Option<Described> = None;
    let mut failed = None;
    for answer in answers {
        match answer {
            Ok(Some(one)) if newest.as_ref().is_none_or(|newest| one.created > newest.created) => newest = Some(one),
            Ok(_) => {}
            Err(failure) => failed = Some(failure),
        }
    }
    match (newest, failed) {
        (Some(newest), _) => Ok(newest.platforms),
        (None, Some(failure)) => Err(failure),
        (None, None) => Ok(Vec::new()),
    }
}

#[derive(Deserialize)]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: Digest,
    platform: Option<WirePlatform>,
}

#[derive(Deserialize)]
struct WirePlatform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

impl WirePlatform {
    /// Foreign text that is no platform (also `unknown/unknown` of attestations) is none.
    fn platform(&self) -> Option<Platform> {
        let variant = self.variant.as_ref().filter(|variant| !variant.is_empty());
        let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
        let platform: Platform = format!("{}/{}{variant}", self.os, self.architecture).parse().ok()?;
        (platform.os != "unknown").then_some(platform)
    }
}

#[derive(Deserialize)]
struct Config {
    #[serde(flatten)]
    platform: WirePlatform,
    created: Option<DateTime<Utc>>,
}

/// Reads an image, or the first of an index; `None` for what is no image.
async fn described(
    registries: &dyn Registries,
    access: &RegistryAccess,
    name: &RepositoryName,
    tag: &str,
) -> Result<Option<Described>, Failure> {
    let Some(mut manifest) = manifest(registries, access, name, tag).await? else { return Ok(None) };
    let parts = manifest.manifests.iter();
    let parts: Vec<_> = parts.filter_map(|one| Some((&one.digest, one.platform.as_ref()?.platform()?))).collect();
    let platforms: Vec<Platform> = parts.iter().map(|(_, platform)| platform.clone()).collect();
    if let Some((digest, _)) = parts.first() {
        let Some(first) = self::manifest(registries, access, name, digest.as_str()).await? else { return Ok(None) };
        manifest = first;
    }
    let Some(config) = manifest.config else { return Ok(None) };
    let bytes = registries.blob(access, name, &config.digest, CONFIG_BYTES).await?;
    let Ok(config) = serde_json::from_slice::<Config>(&bytes) else { return Ok(None) };
    let platforms = if platforms.is_empty() { config.platform.platform().into_iter().collect() } else { platforms };
    Ok((!platforms.is_empty()).then_some(Described { platforms, created: config.created }))
}

async fn manifest(
    registries: &dyn Registries,
    access: &RegistryAccess,
    name: &RepositoryName,
    reference: &str,
) -> Result<Option<Manifest>, Failure> {
    let found = registries.manifest(access, name, reference).await?;
    Ok(found.and_then(|(_, bytes)| serde_json::from_slice(&bytes).ok()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn configurations_as_registries_hold_them() {
        let table = [
            (
                r#"{"os":"linux","architecture":"amd64","created":"2026-01-02T03:04:05.6Z","config":{}}"#,
                Some("linux/amd64"),
            ),
            (r#"{"os":"linux","architecture":"arm","variant":"v7"}"#, Some("linux/arm/v7")),
            (r#"{"os":"linux","architecture":"arm64","variant":""}"#, Some("linux/arm64")),
            (r#"{"os":"unknown","architecture":"unknown"}"#, None),
            (r#"{"os":"linux","architecture":"amd64;rm"}"#, None),
            ("{}", None),
        ];
        for (text, platform) in table {
            let config: Config = serde_json::from_str(text).unwrap();
            assert_eq!(config.platform.platform().map(|one| one.to_string()).as_deref(), platform, "{text}");
        }
        let dated: Config = serde_json::from_str(table[0].0).unwrap();
        assert_eq!(dated.created.unwrap().timestamp(), 1_767_323_045);
    }
}
