//! Which of our images something needs, and which carry a name that is not ours to take away.

use crate::Parts;
use crate::triggers::keep::{self, VERSIONS_KEPT};
use slipway_core::Failure;
use slipway_core::build::Upload;
use slipway_core::deploy::{DeployImage, DeployOutcome, Planned};
use slipway_core::disk_budget::{ImageNeed, StoredImage};
use slipway_core::ids::{BuildId, ImageRepositoryId};
use slipway_core::image::{ImageId, ImageReference, RegistryKind, Tag};
use slipway_core::ports::BuildEngine;
use slipway_core::trigger::FiringState;
use slipway_store::{FiringFilter, FiringRecord, ImageRepositoryFilter};
use std::collections::{HashMap, HashSet};

/// Firings of a pinned target that are looked through for what it left out: it goes on with the newest only.
const LEFT_OUT: u32 = 50;
/// The repositories of our private names.
const PRIVATE: &str = "slipway.local/";

/// What is needed on an engine now.
#[derive(Default)]
pub(super) struct Needs {
    images: HashMap<ImageId, ImageNeed>,
    /// Digests of images that an update or a way back names.
    digests: HashSet<String>,
    /// Private names of firings that are needed.
    firing_names: HashSet<String>,
    firing_prefix: String,
    /// Private names of builds that are not over.
    build_names: HashSet<String>,
    build_prefix: String,
    /// Repositories of *Local engine*.
    local: HashSet<String>,
    /// Repositories at registries.
    remote: HashMap<String, ImageRepositoryId>,
    /// Where each image was published.
    published: HashMap<ImageId, HashSet<(ImageRepositoryId, Tag)>>,
}

impl Needs {
    pub(super) async fn read(parts: &Parts, engine: &dyn BuildEngine, ours: &[&ImageId]) -> Result<Self, Failure> {
        let mut needs = Self {
            firing_prefix: keep::prefix(parts),
            firing_names: keep::wanted(parts).await?,
            build_prefix: engine.private_name(BuildId(0)).trim_end_matches('0').to_owned(),
            published: parts.store.published_as(ours).await?,
            ..Self::default()
        };
        needs.read_repositories(parts).await?;
        needs.read_deploys(parts).await?;
        for build in parts.store.non_final().await? {
            needs.build_names.insert(engine.private_name(build.id));
            if let Some(Upload::LocalImage { image, .. }) = &build.inputs.upload {
                needs.need(image, ImageNeed::Build);
            }
            if let Some(image) = &build.image {
                needs.need(&image.id, ImageNeed::Build);
            }
        }
        Ok(needs)
    }

    async fn read_repositories(&mut self, parts: &Parts) -> Result<(), Failure> {
        let registries = parts.store.registries().await?;
        for summary in parts.store.image_repositories(&ImageRepositoryFilter::default()).await?.items {
            let (spec, id) = (summary.record.spec, summary.record.id);
            let Some(registry) = registries.iter().find(|one| one.id == spec.registry) else { continue };
            let host = registry.host.as_ref().map_or("docker.io", |host| host.as_str());
            let repository = ImageReference::parse(&format!("{host}/{}", spec.name))?.repository();
            match registry.kind {
                RegistryKind::LocalEngine => drop(self.local.insert(repository)),
                RegistryKind::Oci => drop(self.remote.insert(repository, id)),
            }
        }
        Ok(())
    }

    async fn read_deploys(&mut self, parts: &Parts) -> Result<(), Failure> {
        for firing in parts.store.unfinished_firings().await? {
            self.need_of(&firing);
        }
        for event in parts.store.open_tag_events().await? {
            if let Some(image) = &event.image {
                self.need(image, ImageNeed::Deploy);
            }
        }
        for target in parts.store.targets().await? {
            for firing in parts.store.deployed_firings(target.id, VERSIONS_KEPT).await? {
                self.need_of(&firing);
            }
            let Some(pin) = target.pin else { continue };
            self.need_image(&pin.version.image);
            let filter = FiringFilter { target: Some(target.id), ..FiringFilter::default() };
            for firing in parts.store.list_firings(&filter, None, LEFT_OUT).await?.items {
                if firing.id > pin.firing && firing.state == FiringState::Skipped {
                    self.need_image(&firing.version.image);
                }
            }
        }
        Ok(())
    }

    /// What a firing brings or brought, what ran before it, and what ran after.
    fn need_of(&mut self, firing: &FiringRecord) {
        self.need_image(&firing.version.image);
        let before = match &firing.plan {
            Some(Planned::Ready { plan }) => plan.before.image.as_ref(),
            _ => None,
        };
        let after = match &firing.outcome {
            Some(DeployOutcome::Deployed { after, .. }) => after.image.as_ref(),
            _ => None,
        };
        for id in [before, after].into_iter().flatten().filter_map(|running| running.id.as_ref()) {
            self.need(id, ImageNeed::Deploy);
        }
    }

    fn need_image(&mut self, image: &DeployImage) {
        if let Some(id) = &image.id {
            self.need(id, ImageNeed::Deploy);
        }
        self.digests.extend(image.digest.as_ref().map(|digest| digest.as_str().to_owned()));
    }

    fn need(&mut self, image: &ImageId, need: ImageNeed) {
        let known = self.images.entry(image.clone()).or_insert(need);
        *known = need.min(*known);
    }

    /// Returns why an image stays: the nearest need.
    pub(super) fn of(&self, image: &StoredImage) -> Option<ImageNeed> {
        let container = image.in_use.then_some(ImageNeed::Container);
        let known = self.images.get(&image.id).copied();
        let named = image.names.iter().filter_map(|name| self.of_name(&image.id, name));
        let digests = image.digests.iter().filter_map(|digest| self.of_digest(image, digest));
        container.into_iter().chain(known).chain(named).chain(digests).min()
    }

    fn of_name(&self, image: &ImageId, name: &str) -> Option<ImageNeed> {
        if self.firing_names.contains(name) {
            return Some(ImageNeed::Deploy);
        }
        if self.build_names.contains(name) {
            return Some(ImageNeed::Build);
        }
        let of_build = name.strip_prefix(&self.build_prefix);
        let of_build = of_build.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        if of_build || name.starts_with(&self.firing_prefix) {
            return None;
        }
        let Ok(reference) = ImageReference::parse(name) else { return Some(ImageNeed::OtherName) };
        let repository = reference.repository();
        if self.local.contains(&repository) {
            return Some(ImageNeed::Version);
        }
        let at_registry = self.remote.get(&repository).zip(reference.tag).is_some_and(|(id, tag)| {
            // A name that was never seen at the registry may be all that there is.
            self.published.get(image).is_some_and(|names| names.contains(&(*id, tag)))
        });
        (!at_registry).then_some(ImageNeed::OtherName)
    }

    fn of_digest(&self, image: &StoredImage, digest: &str) -> Option<ImageNeed> {
        if digest.rsplit_once('@').is_some_and(|(_, digest)| self.digests.contains(digest)) {
            return Some(ImageNeed::Deploy);
        }
        let repository = |name: &str| ImageReference::parse(name).map(|name| name.repository()).ok();
        let Some(of) = repository(digest) else { return Some(ImageNeed::OtherName) };
        // With the containerd store each tag comes with a digest of its repository.
        let goes_with_tag = || image.names.iter().any(|name| repository(name).as_ref() == Some(&of));
        let ours = self.remote.contains_key(&of) || self.local.contains(&of) || of.starts_with(PRIVATE);
        (!ours && !goes_with_tag()).then_some(ImageNeed::OtherName)
    }
}
