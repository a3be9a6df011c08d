//! Images in the engine's store: reading, naming, and taking away names that we gave. Nothing here is removed by id, and
//! nothing anywhere by force, so images and names of others stay (invariant 7).

use crate::client::{EngineClient, encode};
use crate::typed_calls::{bounded, status_of};
use bollard::query_parameters::{ListImagesOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder};
use futures::stream::{StreamExt, TryStreamExt};
use slipway_core::build::BuiltImage;
use slipway_core::content::content_identity;
use slipway_core::ids::BuildId;
use slipway_core::image::{EngineImage, EngineImageSummary, ImageId, ImageReference, Platform};
use slipway_core::image_config::{HistoryEntry, mark_empty_layers};
use slipway_core::ports::{EngineContainer, EngineImageDetails};
use slipway_core::{ErrorCode, Failure};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many images are inspected at the same time.
const INSPECTIONS: usize = 8;

/// The private name that keeps a build's image alive until it is published, as an engine without an owner gives it.
#[must_use]
pub fn private_tag(build: BuildId) -> String {
    private_tag_of("", build)
}

/// The private name of an owner's build. Build ids count from 1 in every data folder: only the owner keeps two of them apart
/// on one engine.
pub(crate) fn private_tag_of(owner: &str, build: BuildId) -> String {
    let dash = if owner.is_empty() { "" } else { "-" };
    format!("slipway.local/build:{owner}{dash}{build}")
}

/// The image store of one engine.
pub(crate) struct Images {
    client: EngineClient,
    docker: bollard::Docker,
    deadline: Duration,
}

impl Images {
    pub(crate) fn new(client: EngineClient, docker: bollard::Docker, deadline: Duration) -> Self {
        Self { client, docker, deadline }
    }

    /// Reads an image by id or name. The answer is read as the engine sends it, not through bollard's types: a field of
    /// the configuration that a type does not know would drop out of the content identity.
    pub(crate) async fn image(&self, name: &str) -> Result<Option<EngineImage>, Failure> {
        let answer = self.client.call(http::Method::GET, &format!("/images/{}/json", encode(name))).await?;
        match answer.status.as_u16() {
            200 => Ok(Some(answer.json::<Inspected>()?.into_image())),
            404 => Ok(None),
            _ => Err(answer.failure()),
        }
    }

    /// Returns what the build left behind. On the containerd store an image has several platforms.
    pub(crate) async fn built_image(&self, name: &str) -> Result<Option<BuiltImage>, Failure> {
        let (image, platforms) = tokio::join!(self.image(name), self.platforms(name));
        let Some(image) = image? else { return Ok(None) };
        let platforms = platforms?;
        let platforms = if platforms.is_empty() { vec![image.platform] } else { platforms };
        Ok(Some(BuiltImage { id: image.id, content: image.content, size: image.size, platforms }))
    }

    /// Asks for the manifests behind a name; engines before 28 and graph drivers have no answer to that.
    async fn platforms(&self, name: &str) -> Result<Vec<Platform>, Failure> {
        let path = format!("/images/{}/json?manifests=1", encode(name));
        let answer = self.client.call(http::Method::GET, &path).await?;
        if !answer.status.is_success() {
            return Ok(Vec::new());
        }
        let manifests = answer.json::<Manifests>()?.manifests.unwrap_or_default();
        Ok(manifests.into_iter().filter(|m| m.available).filter_map(|m| Some(m.image?.platform.into())).collect())
    }

    pub(crate) async fn tag(&self, image: &ImageId, target: &ImageReference) -> Result<(), Failure> {
        let tag = target.tag.as_ref().ok_or_else(|| {
            Failure::new(ErrorCode::BadImageReference, format!("{target} has no tag to give to an image"))
        })?;
        let repository = target.repository();
        let options = TagImageOptionsBuilder::new().repo(&repository).tag(tag.as_str()).build();
        match bounded(self.deadline, self.docker.tag_image(&image.0, Some(options))).await {
            Err(failure) if status_of(&failure) == Some(404) => {
                Err(Failure::new(ErrorCode::ImageGone, format!("the image {} is gone from the engine", image.0))
                    .with("image", &image.0))
            }
            other => other,
        }
    }

    /// Takes a name away. An id is refused: removing by id would take every name, also those of others.
    pub(crate) async fn untag(&self, name: &str) -> Result<(), Failure> {
        let is_id = name.starts_with("sha256:") || (name.len() >= 12 && name.bytes().all(|b| b.is_ascii_hexdigit()));
        if is_id {
            return Err(Failure::new(ErrorCode::InvalidField, format!("{name:?} is an image id, not a name")));
        }
        let name = ImageReference::parse(name)?.to_string();
        // noprune: parents without a name are somebody's cache.
        let options = RemoveImageOptionsBuilder::new().force(false).noprune(true).build();
        match bounded(self.deadline, self.docker.remove_image(&name, Some(options), None)).await {
            Ok(_) => Ok(()),
            Err(failure) => match status_of(&failure) {
                Some(404) => Ok(()),
                Some(409) => Err(Failure { code: ErrorCode::InUse, ..failure }.with("image", name)),
                _ => Err(failure),
            },
        }
    }

    /// Reads an image with its configuration and history.
    pub(crate) async fn details(&self, name: &str) -> Result<Option<EngineImageDetails>, Failure> {
        let answer = self.client.call(http::Method::GET, &format!("/images/{}/json", encode(name))).await?;
        let inspected: Inspected = match answer.status.as_u16() {
            200 => answer.json()?,
            404 => return Ok(None),
            _ => return Err(answer.failure()),
        };
        let config = inspected.config.clone();
        let image = inspected.into_image();
        // By id: the name may have moved since.
        let answer = self.client.call(http::Method::GET, &format!("/images/{}/history", encode(&image.id.0))).await?;
        let mut lines: Vec<HistoryLine> = match answer.status.as_u16() {
            200 => answer.json()?,
            404 => return Ok(None),
            _ => return Err(answer.failure()),
        };
        lines.reverse();
        let sizes: Vec<u64> = lines.iter().map(|line| u64::try_from(line.size).unwrap_or(0)).collect();
        let mut history: Vec<HistoryEntry> = lines
            .into_iter()
            .map(|line| HistoryEntry {
                created: chrono::DateTime::from_timestamp(line.created, 0),
                created_by: Some(line.created_by),
                empty_layer: false,
            })
            .collect();
        mark_empty_layers(&mut history, &sizes, image.layers.len());
        let layer_sizes = history.iter().zip(sizes).filter(|(entry, _)| !entry.empty_layer).map(|(_, size)| size);
        Ok(Some(EngineImageDetails { layer_sizes: layer_sizes.collect(), image, config, history }))
    }

    /// Lists every named image.
    pub(crate) async fn all(&self) -> Result<Vec<EngineImageSummary>, Failure> {
        let listed =
            bounded(self.deadline, self.docker.list_images(Some(ListImagesOptionsBuilder::new().build()))).await?;
        let mut images: Vec<EngineImageSummary> = listed
            .into_iter()
            .map(|summary| EngineImageSummary {
                ours: summary.labels.contains_key("slipway.build"),
                tags: summary.repo_tags.into_iter().filter(|tag| !tag.starts_with("<none>")).collect(),
                size: u64::try_from(summary.size).unwrap_or(0),
                created: chrono::DateTime::from_timestamp(summary.created, 0),
                id: ImageId(summary.id),
            })
            .filter(|image| !image.tags.is_empty())
            .collect();
        images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.0.cmp(&b.id.0)));
        Ok(images)
    }

    /// Lists the containers that run now, with the image that each was made from.
    pub(crate) async fn running_containers(&self) -> Result<Vec<EngineContainer>, Failure> {
        let listed = bounded(self.deadline, self.docker.list_containers(None)).await?;
        let containers = listed.into_iter().filter_map(|one| {
            let name = one.names.unwrap_or_default().into_iter().next().unwrap_or_default();
            Some(EngineContainer {
                id: one.id?,
                name: name.trim_start_matches('/').to_owned(),
                image: one.image.unwrap_or_default(),
                image_id: ImageId(one.image_id.unwrap_or_default()),
            })
        });
        Ok(containers.collect())
    }

    /// Lists images whose repository this is, newest first.
    pub(crate) async fn images_of(&self, repository: &str) -> Result<Vec<EngineImage>, Failure> {
        let wanted = ImageReference::parse(repository)?.repository();
        // The engine's filter compares with the short form that it shows.
        let shown = wanted.strip_prefix("docker.io/").unwrap_or(&wanted);
        let shown = shown.strip_prefix("library/").unwrap_or(shown);
        let filters = std::collections::HashMap::from([("reference", vec![shown])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let listed = bounded(self.deadline, self.docker.list_images(Some(options))).await?;
        let of_repository = |image: &EngineImage| {
            let names = image.tags.iter().chain(&image.digests);
            names.filter_map(|name| ImageReference::parse(name).ok()).any(|name| name.repository() == wanted)
        };
        let mut images: Vec<EngineImage> = futures::stream::iter(listed)
            // One may have been removed since the list was made.
            .map(|summary| async move { self.image(&summary.id).await })
            .buffer_unordered(INSPECTIONS)
            .try_filter_map(|image| async move { Ok(image) })
            .try_collect()
            .await?;
        images.retain(of_repository);
        images.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.0.cmp(&b.id.0)));
        Ok(images)
    }
}

/// The fields of `GET /images/{name}/json` that are read. Engines leave out what is empty.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    repo_digests: Option<Vec<String>>,
    #[serde(default)]
    size: i64,
    #[serde(flatten)]
    platform: WirePlatform,
    #[serde(default)]
    created: Option<String>,
    #[serde(default)]
    config: serde_json::Value,
    #[serde(rename = "RootFS", default)]
    root: Option<RootFs>,
}

/// One line of `GET /images/{name}/history`, newest first.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HistoryLine {
    #[serde(default)]
    created: i64,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    size: i64,
}

#[derive(serde::Deserialize)]
struct RootFs {
    #[serde(rename = "Layers", default)]
    layers: Option<Vec<String>>,
}

#[derive(serde::Deserialize)]
pub(crate) struct WirePlatform {
    #[serde(rename = "Os", alias = "os", default)]
    os: String,
    #[serde(rename = "Architecture", alias = "architecture", default)]
    architecture: String,
    #[serde(rename = "Variant", alias = "variant", default)]
    variant: Option<String>,
}

impl From<WirePlatform> for Platform {
    fn from(wire: WirePlatform) -> Self {
        Self {
            os: wire.os,
            architecture: wire.architecture,
            variant: wire.variant.filter(|variant| !variant.is_empty()),
        }
    }
}

#[derive(serde::Deserialize)]
struct Manifests {
    #[serde(rename = "Manifests", default)]
    manifests: Option<Vec<Manifest>>,
}

/// One entry; attestations have no `ImageData`.
#[derive(serde::Deserialize)]
struct Manifest {
    #[serde(rename = "Available", default)]
    available: bool,
    #[serde(rename = "ImageData", default)]
    image: Option<ManifestImage>,
}

#[derive(serde::Deserialize)]
struct ManifestImage {
    #[serde(rename = "Platform")]
    platform: WirePlatform,
}

impl Inspected {
    fn into_image(self) -> EngineImage {
        let layers = self.root.and_then(|root| root.layers).unwrap_or_default();
        let platform = Platform::from(self.platform);
        let labels: BTreeMap<String, String> = self
            .config
            .get("Labels")
            .and_then(|labels| serde_json::from_value(labels.clone()).ok())
            .unwrap_or_default();
        let named = |names: Option<Vec<String>>| {
            names.unwrap_or_default().into_iter().filter(|name| !name.starts_with("<none>")).collect()
        };
        EngineImage {
            content: content_identity(&layers, &platform, &self.config),
            id: ImageId(self.id),
            tags: named(self.repo_tags),
            digests: named(self.repo_digests),
            size: u64::try_from(self.size).unwrap_or(0),
            platform,
            created: self.created.and_then(|text| Some(chrono::DateTime::parse_from_rfc3339(&text).ok()?.to_utc())),
            labels,
            layers,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn inspect_answers_of_old_and_new_engines_are_read() {
        let old = serde_json::json!({
            "Id": "sha256:1", "RepoTags": null, "RepoDigests": ["<none>@<none>"], "Size": 5, "Os": "linux",
            "Architecture": "arm", "Variant": "v7", "Created": "2024-01-02T03:04:05.678Z",
            "Config": {"Labels": null}, "RootFS": {"Type": "layers", "Layers": ["sha256:a"]}
        });
        let image = serde_json::from_value::<Inspected>(old).unwrap().into_image();
        assert_eq!(image.platform.to_string(), "linux/arm/v7");
        assert!(image.tags.is_empty() && image.digests.is_empty() && image.labels.is_empty());
        assert_eq!(image.layers, ["sha256:a"]);
        assert_eq!(image.created.unwrap().timestamp(), 1_704_164_645);
        // Nothing but an id and a platform, as for an image without layers and configuration.
        let new = serde_json::json!({"Id": "sha256:2", "Os": "linux", "Architecture": "amd64"});
        let image = serde_json::from_value::<Inspected>(new).unwrap().into_image();
        assert_eq!((image.platform.to_string().as_str(), image.created), ("linux/amd64", None));
    }

    #[test]
    fn manifests_of_the_containerd_store_leave_attestations_out() {
        let answer = serde_json::json!({"Manifests": [
            {"Available": true, "Kind": "image", "ImageData": {"Platform": {"os": "linux", "architecture": "arm64"}}},
            {"Available": true, "Kind": "attestation", "AttestationData": {"For": "sha256:1"}},
            {"Available": false, "Kind": "image", "ImageData": {"Platform": {"os": "linux", "architecture": "s390x"}}}
        ]});
        let manifests = serde_json::from_value::<Manifests>(answer).unwrap().manifests.unwrap();
        let available: Vec<_> = manifests
            .into_iter()
            .filter(|m| m.available)
            .filter_map(|m| Some(Platform::from(m.image?.platform)))
            .collect();
        assert_eq!(available, ["linux/arm64".parse().unwrap()]);
    }

    #[test]
    fn the_private_tag_names_the_build() {
        assert_eq!(private_tag(BuildId(12)), "slipway.local/build:12");
        assert_eq!(private_tag_of("9f", BuildId(12)), "slipway.local/build:9f-12");
    }
}
