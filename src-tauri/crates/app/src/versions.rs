//! Use cases on versions: lists, details, comparison, removal. Tags are listed at once; what each holds is read for the rows
//! that somebody looks at, a few at a time, and kept: a manifest never changes.

mod book;
mod compare;
mod describe;
mod listing;
mod local;
mod needs;
mod removal;
pub(crate) mod retention;

pub(crate) use book::VersionBook;

use crate::pipeline::is_write_once;
use crate::{Parts, Slipway};
use describe::Manifest;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{Digest, RegistryAccess, Tag};
use slipway_core::ports::BuildEngine;
use slipway_core::version::{
    Version, VersionBuild, VersionCommands, VersionDetail, VersionImage, VersionOrigin, VersionPage, VersionSort,
};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{ImageRepositoryRecord, TagOrigin};
use std::sync::Arc;

/// Which versions.
#[derive(Debug, Clone, Default)]
pub struct VersionQuery {
    /// Fuzzy search over the tags.
    pub search: String,
    /// Order.
    pub sort: VersionSort,
    /// The other way round.
    pub ascending: bool,
    /// Rows before the page.
    pub offset: usize,
    /// Rows of the page.
    pub limit: usize,
    /// Ask the registry now, whatever is remembered.
    pub refresh: bool,
}

/// A version with what it is made of.
struct Inspected {
    version: Version,
    media_type: Option<String>,
    images: Vec<VersionImage>,
    attachments: u64,
}

/// Where a repository's versions are.
enum Place {
    Registry(RegistryAccess),
    Engine(Arc<dyn BuildEngine>),
}

/// A repository with the way to its versions.
struct Shelf<'a> {
    parts: &'a Arc<Parts>,
    repository: ImageRepositoryRecord,
    place: Place,
}

impl Slipway {
    /// Returns a page of versions. Details that are not known yet follow with an [`crate::AppEvent::VersionsChanged`].
    ///
    /// # Errors
    /// What the registry or the engine says.
    pub async fn versions(&self, id: ImageRepositoryId, query: &VersionQuery) -> Result<VersionPage, Failure> {
        let shelf = Shelf::open(&self.parts, id).await?;
        match &shelf.place {
            Place::Registry(access) => shelf.registry_page(access, query).await,
            Place::Engine(engine) => shelf.engine_page(engine.as_ref(), query).await,
        }
    }

    /// Returns everything about one version, named by its tag or digest.
    ///
    /// # Errors
    /// [`ErrorCode::ManifestUnknown`]; what the registry or the engine says.
    pub async fn version(&self, id: ImageRepositoryId, reference: &str) -> Result<VersionDetail, Failure> {
        let shelf = Shelf::open(&self.parts, id).await?;
        let inspected = shelf.inspect(reference).await?;
        let known_siblings = match (&shelf.place, &inspected.version.digest) {
            (Place::Registry(access), Some(digest)) => {
                self.parts.versions.known_siblings(&shelf.key(access), digest, &inspected.version.tag)
            }
            (Place::Registry(_), None) => Vec::new(),
            (Place::Engine(_), _) => shelf.engine_siblings(&inspected.version).await?,
        };
        Ok(VersionDetail {
            commands: shelf.commands(&inspected.version),
            known_siblings,
            media_type: inspected.media_type,
            images: inspected.images,
            attachments: inspected.attachments,
            version: inspected.version,
        })
    }

    /// Returns the exact text of a manifest, named by tag or digest.
    ///
    /// # Errors
    /// [`ErrorCode::ManifestUnknown`]; [`ErrorCode::RegistryUnsupported`] on *Local engine*, which has none.
    pub async fn manifest_text(&self, id: ImageRepositoryId, reference: &str) -> Result<String, Failure> {
        let shelf = Shelf::open(&self.parts, id).await?;
        let Place::Registry(access) = &shelf.place else {
            return Err(Failure::new(ErrorCode::RegistryUnsupported, "images of the local engine have no manifest"));
        };
        let manifest = shelf.manifest(access, reference).await?;
        Ok(String::from_utf8_lossy(&manifest.bytes).into_owned())
    }
}

impl<'a> Shelf<'a> {
    async fn open(parts: &'a Arc<Parts>, id: ImageRepositoryId) -> Result<Shelf<'a>, Failure> {
        let repository = parts.store.image_repository(id).await?;
        let place = match parts.repository_access(&repository).await? {
            (_, Some(access)) => Place::Registry(access),
            (_, None) => Place::Engine(parts.engine("local")?),
        };
        Ok(Shelf { parts, repository, place })
    }

    /// Names what is remembered about this repository's tags.
    fn key(&self, access: &RegistryAccess) -> String {
        format!("{}/{}", access.host.as_str(), self.repository.spec.name)
    }

    /// `host/name`, as commands want it.
    fn name(&self) -> String {
        match &self.place {
            Place::Registry(access) => format!("{}/{}", access.host.as_str(), self.repository.spec.name),
            Place::Engine(_) => self.repository.spec.name.as_str().to_owned(),
        }
    }

    /// Reads one version whole.
    async fn inspect(&self, reference: &str) -> Result<Inspected, Failure> {
        match &self.place {
            Place::Registry(access) => self.inspect_at_registry(access, reference).await,
            Place::Engine(engine) => self.inspect_on_engine(engine.as_ref(), reference).await,
        }
    }

    async fn manifest(&self, access: &RegistryAccess, reference: &str) -> Result<Manifest, Failure> {
        let registries = self.parts.ports.registries.as_ref();
        let found = describe::manifest(registries, access, &self.repository.spec.name, reference).await?;
        found.ok_or_else(|| self.unknown(reference))
    }

    async fn inspect_at_registry(&self, access: &RegistryAccess, reference: &str) -> Result<Inspected, Failure> {
        let manifest = self.manifest(access, reference).await?;
        let registries = self.parts.ports.registries.as_ref();
        let name = &self.repository.spec.name;
        let (images, attachments) = describe::images(registries, access, name, &manifest).await?;
        let digest = manifest.head.digest.clone();
        let tag = match Tag::new(reference) {
            Ok(tag) => tag,
            // A digest is shown under a tag that holds it, where one is known.
            Err(_) => {
                let origins = self.parts.store.digest_origins(self.repository.id, &[&digest]).await?;
                let known = self.parts.versions.tag_of(&self.key(access), &digest);
                let tag = known.or_else(|| origins.get(&digest).map(|origin| origin.tag.clone()));
                tag.ok_or_else(|| self.unknown(reference))?
            }
        };
        let facts = describe::facts_of(&images);
        let mut rows = self.rows(std::slice::from_ref(&tag), |_| Some(digest.clone())).await?;
        let mut version = rows.pop().ok_or_else(|| self.unknown(reference))?;
        describe::fill_in(&mut version, &facts);
        Ok(Inspected { version, media_type: Some(manifest.head.media_type), images, attachments })
    }

    fn unknown(&self, reference: &str) -> Failure {
        Failure::new(ErrorCode::ManifestUnknown, format!("{} has no {reference}", self.name()))
            .with("reference", reference)
    }

    /// Makes rows of tags at a registry from what the store knows about them.
    async fn rows(&self, tags: &[Tag], digest_of: impl Fn(&Tag) -> Option<Digest>) -> Result<Vec<Version>, Failure> {
        let store = &self.parts.store;
        let names: Vec<&Tag> = tags.iter().collect();
        let mut origins = store.tag_origins(self.repository.id, &names).await?;
        let digests: Vec<Option<Digest>> = tags.iter().map(digest_of).collect();
        // What somebody else put there may still be what was built here.
        let foreign: Vec<&Digest> = tags
            .iter()
            .zip(&digests)
            .filter_map(|(tag, digest)| Some((tag, digest.as_ref()?)))
            .filter(|(tag, digest)| {
                origins.get(*tag).is_none_or(|origin| origin.digest.as_ref() != Some(digest) || origin.build.is_none())
            })
            .map(|(_, digest)| digest)
            .collect();
        let elsewhere = store.digest_origins(self.repository.id, &foreign).await?;
        let newest = self.parts.store.newest_built(self.repository.id).await?.and_then(|(digest, _)| digest);
        let mut rows = Vec::with_capacity(tags.len());
        for (tag, digest) in tags.iter().zip(digests) {
            let mut version = self.bare(tag)?;
            let origin = origins.remove(tag).filter(|origin| digest.is_none() || origin.digest == digest);
            let build = origin.as_ref().and_then(|origin| origin.build.clone());
            let same = digest.as_ref().and_then(|digest| elsewhere.get(digest)).and_then(|origin| origin.build.clone());
            version.newest = digest.is_some() && digest == newest;
            version.pull_by_digest = digest.as_ref().map(|digest| format!("docker pull {}@{digest}", self.name()));
            version.digest = digest;
            told_by(&mut version, origin);
            version.build = build.or(same);
            rows.push(version);
        }
        Ok(rows)
    }

    /// A row of which nothing is known but the tag.
    fn bare(&self, tag: &Tag) -> Result<Version, Failure> {
        let reference = format!("{}:{tag}", self.name());
        let pull = matches!(self.place, Place::Registry(_)).then(|| format!("docker pull {reference}"));
        Ok(Version {
            tag: tag.clone(),
            digest: None,
            image: None,
            size: None,
            platforms: Vec::new(),
            created: None,
            pushed_at: None,
            origin: VersionOrigin::Elsewhere,
            copied_from: None,
            build: None,
            newest: false,
            write_once: is_write_once(&self.repository.spec.write_once, tag)?,
            reference,
            pull,
            pull_by_digest: None,
            failure: None,
        })
    }

    fn commands(&self, version: &Version) -> VersionCommands {
        let login = match &self.place {
            Place::Registry(access) if access.host.as_str() == "docker.io" => Some("docker login".to_owned()),
            Place::Registry(access) => Some(format!("docker login {}", access.host.as_str())),
            Place::Engine(_) => None,
        };
        VersionCommands {
            push: login.as_ref().map(|_| format!("docker push {}", version.reference)),
            login,
            pull: version.pull.clone(),
            pull_by_digest: version.pull_by_digest.clone(),
            tag: format!("docker tag IMAGE {}", version.reference),
            run: format!("docker run --rm {}", version.reference),
        }
    }
}

/// Writes into a row how its content came there.
fn told_by(version: &mut Version, origin: Option<TagOrigin>) {
    let Some(origin) = origin else { return };
    version.pushed_at = Some(origin.moved_at);
    version.origin = match (&origin.build, &origin.copied_from) {
        (Some(VersionBuild { kind: slipway_core::build::BuildKind::Upload, .. }), _) => VersionOrigin::Uploaded,
        (Some(_), _) => VersionOrigin::Built,
        (None, Some(_)) => VersionOrigin::Copied,
        // The build's record was deleted.
        (None, None) => VersionOrigin::Built,
    };
    version.copied_from = origin.copied_from;
    version.build = origin.build;
}
