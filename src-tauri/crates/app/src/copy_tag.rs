//! Copying a version: the same content under one more tag, without anything being built or carried through this machine.

use crate::pipeline::is_write_once;
use crate::{AppEvent, Slipway};
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{Digest, ImageId, ImageReference, RegistryAccess, Tag};
use slipway_core::ports::{BuildEngine, ManifestHead};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{CopiedTag, ImageRepositoryRecord};

/// What to copy where.
#[derive(Debug, Clone)]
pub struct CopyTag {
    /// From this repository.
    pub repository: ImageRepositoryId,
    /// A tag or a digest.
    pub from: String,
    /// Into this repository; the same one when left out.
    pub into: Option<ImageRepositoryId>,
    /// Under this tag.
    pub to: Tag,
    /// The tag may hold something else now, and that is to be replaced.
    pub overwrite: bool,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCopied {
    /// The manifest; none on *Local engine*.
    pub digest: Option<Digest>,
    /// False when the tag held exactly this already.
    pub changed: bool,
}

impl Slipway {
    /// Puts what a tag or digest holds under another tag.
    ///
    /// # Errors
    /// [`ErrorCode::ManifestUnknown`] at `from`; [`ErrorCode::TagImmutable`] or [`ErrorCode::NameTaken`] at `to`;
    /// [`ErrorCode::InvalidField`] at `into` when that repository is in another registry; [`ErrorCode::ReadOnlyRepository`];
    /// [`ErrorCode::RegistryUnsupported`] where the registry does not take layers over; [`ErrorCode::WrongState`] while old
    /// versions of that repository are being removed.
    pub async fn copy_tag(&self, copy: &CopyTag) -> Result<TagCopied, Failure> {
        let source = self.parts.store.image_repository(copy.repository).await?;
        let target = self.writable_repository(copy.into.unwrap_or(copy.repository)).await?;
        if source.spec.registry != target.spec.registry {
            let why = "both repositories must be in the same registry; pull, tag and push it with Docker instead";
            return Err(Failure::new(ErrorCode::InvalidField, why).at("into"));
        }
        let _copying = self.parts.retention_runs.copying(target.id).await?;
        // The target's credential: it has to write there, and to read both.
        let (_, access) = self.parts.repository_access(&target).await?;
        let (copied, changed) = match &access {
            Some(access) => self.copy_at_registry(access, &source, &target, copy).await?,
            None => self.copy_on_engine(self.parts.engine("local")?.as_ref(), &source, &target, copy).await?,
        };
        self.parts.store.record_copy(target.id, &copied, changed, self.parts.now()).await?;
        if let Some(access) = &access {
            self.parts.versions.forget(&format!("{}/{}", access.host.as_str(), target.spec.name));
        }
        self.parts.announce(AppEvent::VersionsChanged { repository: target.id });
        Ok(TagCopied { digest: copied.digest, changed })
    }

    async fn copy_at_registry(
        &self,
        access: &RegistryAccess,
        source: &ImageRepositoryRecord,
        target: &ImageRepositoryRecord,
        copy: &CopyTag,
    ) -> Result<(CopiedTag, bool), Failure> {
        let registries = &self.parts.ports.registries;
        let found = registries.manifest(access, &source.spec.name, &copy.from).await?;
        let (head, bytes): (ManifestHead, _) = found.ok_or_else(|| unknown(&copy.from))?;
        let held = registries.head(access, &target.spec.name, copy.to.as_str()).await?.map(|head| head.digest);
        let changed = held.as_ref() != Some(&head.digest);
        if changed {
            may_replace(target, copy, held.is_some())?;
            if source.id == target.id {
                registries.put_manifest(access, &target.spec.name, &copy.to, &head.media_type, bytes).await?;
            } else {
                let (from, into) = (&source.spec.name, &target.spec.name);
                registries.copy_across(access, from, &head.digest, into, &copy.to).await?;
            }
            let stored = registries.head(access, &target.spec.name, copy.to.as_str()).await?;
            if stored.is_none_or(|stored| stored.digest != head.digest) {
                let why = format!("after the copy the registry holds another image under {}", copy.to);
                return Err(Failure::new(ErrorCode::DigestMismatch, why).with("tag", copy.to.as_str()));
            }
        }
        Ok((self.copied(source, target, copy, Some(head.digest), None), changed))
    }

    async fn copy_on_engine(
        &self,
        engine: &dyn BuildEngine,
        source: &ImageRepositoryRecord,
        target: &ImageRepositoryRecord,
        copy: &CopyTag,
    ) -> Result<(CopiedTag, bool), Failure> {
        let from = Tag::new(copy.from.as_str()).map_err(|failure| failure.at("from"))?;
        let image = engine.image(&format!("docker.io/{}:{from}", source.spec.name)).await?;
        let image = image.ok_or_else(|| unknown(&copy.from))?;
        let to = ImageReference::parse(&format!("docker.io/{}:{}", target.spec.name, copy.to))?;
        let held = engine.image(&to.to_string()).await?.map(|image| image.id);
        let changed = held.as_ref() != Some(&image.id);
        if changed {
            may_replace(target, copy, held.is_some())?;
            engine.tag(&image.id, &to).await?;
        }
        let copied = self.copied(source, target, copy, None, Some(image.id));
        Ok((CopiedTag { content: Some(image.content), ..copied }, changed))
    }

    fn copied(
        &self,
        source: &ImageRepositoryRecord,
        target: &ImageRepositoryRecord,
        copy: &CopyTag,
        digest: Option<Digest>,
        image: Option<ImageId>,
    ) -> CopiedTag {
        let from = match source.id == target.id {
            true => copy.from.clone(),
            false if Tag::new(copy.from.as_str()).is_ok() => format!("{}:{}", source.spec.name, copy.from),
            false => format!("{}@{}", source.spec.name, copy.from),
        };
        CopiedTag { tag: copy.to.clone(), from, digest, image, content: None }
    }
}

/// A tag that holds something else is replaced on a person's word only, one that is written once never.
fn may_replace(target: &ImageRepositoryRecord, copy: &CopyTag, exists: bool) -> Result<(), Failure> {
    if !exists {
        return Ok(());
    }
    let tag = copy.to.as_str();
    if is_write_once(&target.spec.write_once, &copy.to)? {
        let why = format!("the tag {tag} is written once and exists already");
        return Err(Failure::new(ErrorCode::TagImmutable, why).at("to").with("tag", tag));
    }
    if copy.overwrite {
        return Ok(());
    }
    Err(Failure::new(ErrorCode::NameTaken, format!("the tag {tag} exists and holds another image")).at("to"))
}

fn unknown(reference: &str) -> Failure {
    Failure::new(ErrorCode::ManifestUnknown, format!("there is no {reference}")).at("from").with("reference", reference)
}
