//! Removing versions. At a registry a manifest goes with every tag on it: all of them are looked for and shown first, and a
//! person agrees to exactly these. On *Local engine* only names of the repository are taken away. What a running container
//! uses stays in both.

use super::book::VersionBook;
use super::needs::Needs;
use super::{Place, Shelf};
use crate::{AppEvent, Slipway};
use futures::StreamExt as _;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{Digest, ImageId, ImageReference, RegistryAccess, Tag};
use slipway_core::ports::{BuildEngine, EngineContainer};
use slipway_core::version::{ContainerUse, Version, VersionRemoval, VersionRemovalGroup};
use slipway_core::{ErrorCode, Failure};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// Requests under way while every tag is asked for its digest.
const AT_ONCE: usize = 16;
/// Every tag of a large repository is asked for its digest within this.
const DEADLINE: Duration = Duration::from_secs(5 * 60);

impl Slipway {
    /// Returns what goes when these tags go.
    ///
    /// # Errors
    /// What the registry or the engine says.
    pub async fn version_removal(&self, id: ImageRepositoryId, tags: &[Tag]) -> Result<VersionRemoval, Failure> {
        Shelf::open(&self.parts, id).await?.removal(tags).await
    }

    /// Removes the manifests under these tags (*Local engine*: the names). `tags` names every tag that goes.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] at `tags` when other tags would go too: nothing is removed then; [`ErrorCode::InUse`] when a
    /// running container uses one; [`ErrorCode::ReadOnlyRepository`]; [`ErrorCode::RegistryUnsupported`] where the registry
    /// does not delete.
    pub async fn delete_versions(&self, id: ImageRepositoryId, tags: &[Tag]) -> Result<(), Failure> {
        self.writable_repository(id).await?;
        let shelf = Shelf::open(&self.parts, id).await?;
        let removal = shelf.removal(tags).await?;
        let agreed: BTreeSet<&str> = tags.iter().map(Tag::as_str).collect();
        let more: Vec<&str> = removal.tags.iter().map(Tag::as_str).filter(|tag| !agreed.contains(tag)).collect();
        if !more.is_empty() {
            let list = more.join(", ");
            let message = format!("these tags hold the same image and would go too: {list}");
            return Err(Failure::new(ErrorCode::WrongState, message).at("tags").with("tags", list));
        }
        let used = removal.groups.iter().flat_map(|group| &group.containers).map(|one| one.name.as_str());
        let used: BTreeSet<&str> = used.collect();
        if !used.is_empty() {
            let list = used.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!("running containers use this image: {list}");
            return Err(Failure::new(ErrorCode::InUse, message).at("tags").with("containers", list));
        }
        let result = shelf.remove(&removal).await;
        if let Place::Registry(access) = &shelf.place {
            self.parts.versions.forget(&shelf.key(access));
        }
        self.parts.announce(AppEvent::VersionsChanged { repository: id });
        result
    }
}

impl Shelf<'_> {
    async fn removal(&self, tags: &[Tag]) -> Result<VersionRemoval, Failure> {
        if tags.is_empty() {
            return Err(Failure::new(ErrorCode::InvalidField, "at least one tag is needed").at("tags"));
        }
        let containers = self.running_containers().await;
        let mut removal = match &self.place {
            Place::Registry(access) => {
                let all = self.every_digest(access).await?;
                self.removal_at_registry(access, &all, tags, &containers?).await?
            }
            Place::Engine(engine) => self.removal_on_engine(engine.as_ref(), tags, &containers?).await?,
        };
        self.fill_in_needs(&mut removal.groups).await?;
        Ok(removal)
    }

    pub(super) async fn fill_in_needs(&self, groups: &mut [VersionRemovalGroup]) -> Result<(), Failure> {
        let mut images = Vec::with_capacity(groups.len());
        for group in &*groups {
            images.push(self.image_behind(group).await?);
        }
        let digests = groups.iter().filter_map(|group| group.digest.as_ref()).collect();
        let needs = Needs::read(self.parts, &digests, &images.iter().flatten().collect()).await?;
        for (group, image) in groups.iter_mut().zip(&images) {
            group.needed = needs.of(group.digest.as_ref(), image.as_ref());
        }
        Ok(())
    }

    /// The id that an engine has for what goes; of what is at a registry, when it was built here.
    pub(super) async fn image_behind(&self, group: &VersionRemovalGroup) -> Result<Option<ImageId>, Failure> {
        if group.image.is_some() {
            return Ok(group.image.clone());
        }
        let names: Vec<&Tag> = group.tags.iter().collect();
        let origins = self.parts.store.tag_origins(self.repository.id, &names).await?;
        Ok(origins.into_values().filter(|origin| origin.digest == group.digest).find_map(|origin| origin.image))
    }

    /// Returns what runs on this machine's engine.
    pub(super) async fn running_containers(&self) -> Result<Vec<EngineContainer>, Failure> {
        let containers = match self.parts.engine("local") {
            Ok(engine) => engine.running_containers().await,
            Err(failure) => Err(failure),
        };
        // Without an engine nothing of what is at a registry runs.
        containers.or_else(|failure| match failure.code {
            ErrorCode::EngineAbsent | ErrorCode::EngineForbidden if matches!(self.place, Place::Registry(_)) => {
                Ok(Vec::new())
            }
            _ => Err(failure),
        })
    }

    /// Returns what goes with these tags, of a repository of which every tag's digest was asked for.
    pub(super) async fn removal_at_registry(
        &self,
        access: &RegistryAccess,
        all: &HashMap<String, Digest>,
        wanted: &[Tag],
        containers: &[EngineContainer],
    ) -> Result<VersionRemoval, Failure> {
        let mut by_digest: BTreeMap<&str, (Digest, Vec<Tag>)> = BTreeMap::new();
        let digests: BTreeSet<&str> =
            wanted.iter().filter_map(|tag| all.get(tag.as_str())).map(Digest::as_str).collect();
        let mut names: Vec<(&String, &Digest)> = all.iter().collect();
        names.sort();
        for (name, digest) in names {
            if digests.contains(digest.as_str()) {
                let group = by_digest.entry(digest.as_str()).or_insert_with(|| (digest.clone(), Vec::new()));
                group.1.push(Tag::new(name.as_str())?);
            }
        }
        let mut groups = Vec::new();
        for (digest, tags) in by_digest.into_values() {
            let rows = self.rows(&tags, |_| Some(digest.clone())).await?;
            let same_name = |container: &&EngineContainer| {
                ImageReference::parse(&container.image).is_ok_and(|image| {
                    image.repository() == self.name()
                        && (image.digest.as_ref() == Some(&digest)
                            || image.tag.as_ref().is_some_and(|tag| tags.contains(tag)))
                })
            };
            let named: Vec<EngineContainer> = containers.iter().filter(same_name).cloned().collect();
            // Only then the manifest has to be read.
            let images = if named.is_empty() { BTreeSet::new() } else { self.image_ids(access, &digest).await? };
            let uses = |container: &EngineContainer| images.contains(&container.image_id.0);
            let containers = &named;
            groups.push(group(Some(digest.clone()), None, tags.clone(), wanted, &rows, containers, uses));
        }
        let missing = wanted.iter().filter(|tag| !all.contains_key(tag.as_str())).cloned().collect();
        Ok(removal(groups, missing))
    }

    /// Ids that an engine may have given to the images of a manifest: its own digest, or those of its configurations.
    async fn image_ids(&self, access: &RegistryAccess, digest: &Digest) -> Result<BTreeSet<String>, Failure> {
        let mut ids = BTreeSet::from([digest.as_str().to_owned()]);
        let manifest = self.manifest(access, digest.as_str()).await?;
        let registries = self.parts.ports.registries.as_ref();
        let (images, _) = super::describe::images(registries, access, &self.repository.spec.name, &manifest).await?;
        for image in images {
            ids.extend([image.digest, image.config_digest].into_iter().flatten().map(|one| one.as_str().to_owned()));
        }
        Ok(ids)
    }

    /// Asks every tag for its digest: a sibling that was missed would go without having been shown.
    pub(super) async fn every_digest(&self, access: &RegistryAccess) -> Result<HashMap<String, Digest>, Failure> {
        let source = self.source(access);
        let listed = VersionBook::tags(self.parts, &source, true).await?;
        let (registries, name) = (self.parts.ports.registries.as_ref(), &source.name);
        let asking = async {
            let mut digests = HashMap::new();
            let mut heads = futures::stream::iter(listed.tags.iter().cloned())
                .map(|tag| async move {
                    let head = registries.head(access, name, tag.as_str()).await;
                    (tag, head)
                })
                .buffer_unordered(AT_ONCE);
            while let Some((tag, head)) = heads.next().await {
                if let Some(head) = head? {
                    digests.insert(tag.as_str().to_owned(), head.digest);
                }
            }
            Ok(digests)
        };
        let too_long = |_| {
            Err(Failure::new(ErrorCode::TimedOut, "asking every tag of the repository for its digest took too long"))
        };
        tokio::time::timeout(DEADLINE, asking).await.unwrap_or_else(too_long)
    }

    pub(super) async fn removal_on_engine(
        &self,
        engine: &dyn BuildEngine,
        wanted: &[Tag],
        containers: &[EngineContainer],
    ) -> Result<VersionRemoval, Failure> {
        let versions = self.engine_versions(engine).await?;
        let mut groups = Vec::new();
        let mut missing = Vec::new();
        for tag in wanted {
            let Some(version) = versions.iter().find(|version| version.tag == *tag) else {
                missing.push(tag.clone());
                continue;
            };
            let image = version.image.clone();
            let names = match &image {
                Some(id) => engine.image(&id.0).await?.map(|image| image.tags).unwrap_or_default(),
                None => Vec::new(),
            };
            let repository = ImageReference::parse(&format!("docker.io/{}", self.repository.spec.name))?.repository();
            let goes = |name: &String| {
                ImageReference::parse(name).is_ok_and(|one| {
                    one.repository() == repository && one.tag.as_ref().is_some_and(|tag| wanted.contains(tag))
                })
            };
            let last_name = names.iter().all(goes);
            let uses = |container: &EngineContainer| {
                let by_name = ImageReference::parse(&container.image)
                    .is_ok_and(|one| one.repository() == repository && one.tag.as_ref() == Some(tag));
                Some(&container.image_id) == image.as_ref() && (by_name || last_name)
            };
            let rows = std::slice::from_ref(version);
            groups.push(group(None, image.clone(), vec![tag.clone()], wanted, rows, containers, uses));
        }
        Ok(removal(groups, missing))
    }

    async fn remove(&self, removal: &VersionRemoval) -> Result<(), Failure> {
        for group in &removal.groups {
            self.remove_group(group).await?;
        }
        Ok(())
    }

    pub(super) async fn remove_group(&self, group: &VersionRemovalGroup) -> Result<(), Failure> {
        match (&self.place, &group.digest) {
            (Place::Registry(access), Some(digest)) => {
                let deleted = self.parts.ports.registries.delete(access, &self.repository.spec.name, digest).await;
                deleted.map_err(|failure| refused(failure, access))?;
            }
            (Place::Engine(engine), _) => {
                for tag in &group.tags {
                    engine.untag(&format!("docker.io/{}:{tag}", self.repository.spec.name)).await?;
                }
            }
            (Place::Registry(_), None) => {}
        }
        Ok(())
    }
}

/// Says what a registry means that does not delete (`reference/registries.md` section 1.6).
fn refused(failure: Failure, access: &RegistryAccess) -> Failure {
    match failure.code {
        ErrorCode::RegistryUnsupported => Failure {
            message: format!("{} does not allow deleting images: {}", access.host.as_str(), failure.message),
            ..failure
        }
        .with("host", access.host.as_str()),
        _ => failure,
    }
}

fn group(
    digest: Option<Digest>,
    image: Option<ImageId>,
    tags: Vec<Tag>,
    wanted: &[Tag],
    rows: &[Version],
    containers: &[EngineContainer],
    uses: impl Fn(&EngineContainer) -> bool,
) -> VersionRemovalGroup {
    let mut builds: Vec<_> = rows.iter().filter_map(|row| row.build.clone()).collect();
    builds.sort_by_key(|build| build.id);
    builds.dedup_by_key(|build| build.id);
    let used = containers.iter().filter(|container| uses(container)).map(|container| ContainerUse {
        id: container.id.clone(),
        name: container.name.clone(),
        image: container.image.clone(),
    });
    VersionRemovalGroup {
        digest,
        image,
        siblings: tags.iter().filter(|tag| !wanted.contains(tag)).cloned().collect(),
        tags,
        builds,
        containers: used.collect(),
        needed: Vec::new(),
    }
}

fn removal(groups: Vec<VersionRemovalGroup>, missing: Vec<Tag>) -> VersionRemoval {
    VersionRemoval { tags: groups.iter().flat_map(|group| group.tags.iter().cloned()).collect(), groups, missing }
}
