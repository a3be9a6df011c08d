//! What people send by hand: files in pieces, the folders that keep what builds need of them, and images uploaded into a
//! repository (a local image, or an archive as `docker save` writes it).

mod image_archive;
mod staging;

pub(crate) use image_archive::open as open_archive;
pub(crate) use staging::{Sent, Uploads};

pub use image_archive::ArchiveImage;

use crate::dockerfile_builds::upload_inputs;
use crate::fail_point::fail_point;
use crate::pipeline::is_write_once;
use crate::{Parts, Slipway};
use slipway_core::build::{BuildKind, Upload};
use slipway_core::ids::{BuildId, ImageRepositoryId};
use slipway_core::image::{EngineImageSummary, ImageReference, Tag};
use slipway_core::rule::BuildOptions;
use slipway_core::version::FuzzySearch;
use slipway_core::{ErrorCode, Failure};
use slipway_store::ImageRepositoryRecord;
use std::path::{Path, PathBuf};

/// Where an uploaded image comes from.
#[derive(Debug, Clone)]
pub enum ImageUpload {
    /// An image of the local engine, by a name of it.
    Local(String),
    /// An archive on this machine, by its whole path.
    Archive(PathBuf),
    /// An archive that was sent.
    Sent(String),
}

/// An image to upload.
#[derive(Debug, Clone)]
pub struct UploadImage {
    /// Into this image repository.
    pub repository: ImageRepositoryId,
    /// Under this tag.
    pub tag: Tag,
    /// Where it comes from.
    pub source: ImageUpload,
    /// Which image of an archive; needed when it has several.
    pub image: Option<String>,
    /// Take it also when it is for another platform than the engine's.
    pub other_platform: bool,
}

impl Slipway {
    /// Begins to receive a file of so many bytes; returns its id.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] when too much is under way.
    pub fn begin_upload(&self, name: &str, size: u64) -> Result<String, Failure> {
        self.parts.uploads.begin(name, size)
    }

    /// Takes a piece of a file; returns how many bytes are there now. A piece that came already is no error.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`]; [`ErrorCode::InvalidField`] at `offset` for a piece out of order.
    pub async fn append_upload(&self, id: &str, offset: u64, bytes: Vec<u8>) -> Result<u64, Failure> {
        let (uploads, id) = (self.parts.uploads.clone(), id.to_owned());
        on_worker(move || uploads.append(&id, offset, &bytes)).await
    }

    /// Forgets a file that was being sent. Missing is fine.
    pub fn discard_upload(&self, id: &str) {
        self.parts.uploads.discard(id);
    }

    /// Returns the named images of the local engine, newest first, better matches of a search before others.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn engine_images(&self, search: &str) -> Result<Vec<EngineImageSummary>, Failure> {
        let images = self.parts.engine("local")?.images().await?;
        let search = FuzzySearch::new(search);
        let private = |name: &String| name.starts_with("slipway.local/");
        let mut found: Vec<(u8, EngineImageSummary)> = images
            .into_iter()
            .filter_map(|mut image| {
                image.tags.retain(|name| !private(name));
                let rank = image.tags.iter().filter_map(|name| search.rank(name)).min()?;
                Some((rank, image))
            })
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        Ok(found.into_iter().map(|(_, image)| image).collect())
    }

    /// Returns the images of an archive.
    ///
    /// # Errors
    /// [`ErrorCode::BadArchive`].
    pub async fn archive_images(&self, source: &ImageUpload) -> Result<Vec<ArchiveImage>, Failure> {
        let path = match source {
            ImageUpload::Archive(path) => host_path(path, "source")?,
            ImageUpload::Sent(id) => self.parts.uploads.path(id)?,
            ImageUpload::Local(_) => {
                return Err(Failure::new(ErrorCode::InvalidField, "a local image is no archive").at("source"));
            }
        };
        let scratch = self.parts.uploads.scratch();
        on_worker(move || image_archive::open(&path, &scratch)?.images()).await
    }

    /// Uploads an image: it goes through the queue as a build that builds nothing.
    ///
    /// # Errors
    /// [`ErrorCode::BadArchive`]; [`ErrorCode::ImagePlatform`]; [`ErrorCode::ImageGone`] at `source`;
    /// [`ErrorCode::TagImmutable`] at `tag`; [`ErrorCode::ReadOnlyRepository`].
    pub async fn upload_image(&self, upload: &UploadImage) -> Result<BuildId, Failure> {
        let repository = self.writable_repository(upload.repository).await?;
        self.refuse_written_once(&repository, &upload.tag).await?;
        let (kept, folder) = match &upload.source {
            ImageUpload::Local(name) => {
                let gone =
                    || Failure::new(ErrorCode::ImageGone, format!("the engine has no image {name}")).at("source");
                let image = self.parts.engine("local")?.image(name).await?.ok_or_else(gone)?;
                (Upload::LocalImage { name: name.clone(), image: image.id }, None)
            }
            ImageUpload::Archive(path) => {
                let path = host_path(path, "source")?;
                let image = self.choose(&path, upload).await?;
                (Upload::Archive { folder: None, path: path.display().to_string(), image }, None)
            }
            ImageUpload::Sent(id) => {
                let image = self.choose(&self.parts.uploads.path(id)?, upload).await?;
                let sent = self.parts.uploads.take(id)?;
                let folder = self.parts.uploads.new_folder()?;
                std::fs::rename(&sent.path, folder.path().join(ARCHIVE)).map_err(Failure::internal)?;
                fail_point("upload.moved");
                let (name, path) = (folder.name().to_owned(), sent.name.clone());
                (Upload::Archive { folder: Some(name), path, image }, Some(folder))
            }
        };
        let inputs = upload_inputs(kept, &upload.tag, BuildOptions::default())?;
        let id = self.create(upload.repository, BuildKind::Upload, inputs, None, None).await?;
        if let Some(folder) = folder {
            folder.keep();
        }
        Ok(id)
    }

    /// Finds the image that is meant, before anything waits in a queue.
    async fn choose(&self, path: &Path, upload: &UploadImage) -> Result<Option<String>, Failure> {
        let (path, scratch, wanted) = (path.to_owned(), self.parts.uploads.scratch(), upload.image.clone());
        let chosen = on_worker(move || image_archive::open(&path, &scratch)?.choose(wanted.as_deref())).await?;
        let engine = self.parts.engine("local")?.info().await?.platform;
        let same = chosen.platform.os == engine.os && chosen.platform.architecture == engine.architecture;
        if !same && !upload.other_platform {
            let why = format!("the image is for {}, the engine for {engine}", chosen.platform);
            return Err(Failure::new(ErrorCode::ImagePlatform, why)
                .at("source")
                .with("platform", chosen.platform.to_string())
                .with("engine", engine.to_string()));
        }
        Ok(upload.image.clone())
    }

    /// A tag that is written once and exists cannot be uploaded to; the queue asks again.
    pub(crate) async fn refuse_written_once(
        &self,
        repository: &ImageRepositoryRecord,
        tag: &Tag,
    ) -> Result<(), Failure> {
        if !is_write_once(&repository.spec.write_once, tag)? {
            return Ok(());
        }
        let name = &repository.spec.name;
        let exists = match self.parts.repository_access(repository).await? {
            (_, Some(access)) => self.parts.ports.registries.head(&access, name, tag.as_str()).await?.is_some(),
            (_, None) => self.parts.engine("local")?.image(&local_name(name.as_str(), tag)?).await?.is_some(),
        };
        if !exists {
            return Ok(());
        }
        let why = format!("the tag {tag} is written once and exists already");
        Err(Failure::new(ErrorCode::TagImmutable, why).at("tag").with("tag", tag.as_str()))
    }
}

fn local_name(name: &str, tag: &Tag) -> Result<String, Failure> {
    Ok(ImageReference::parse(&format!("docker.io/{name}:{tag}"))?.to_string())
}

/// The name of an archive in its folder.
pub(crate) const ARCHIVE: &str = "image.tar";

impl Parts {
    /// Removes the folders that no build needs any more. What cannot be removed is tried again at the next start.
    pub(crate) async fn tidy_uploads(&self) {
        match self.store.upload_folders().await {
            Ok(needed) => self.uploads.tidy(&needed),
            Err(error) => tracing::warn!(%error, "uploads could not be tidied"),
        }
    }
}

/// Checks a path of this machine that a person chose or typed: whole, and there.
pub(crate) fn host_path(path: &Path, field: &str) -> Result<PathBuf, Failure> {
    if !path.is_absolute() {
        return Err(Failure::new(ErrorCode::InvalidField, "give the whole path, from the root").at(field));
    }
    path.canonicalize().map_err(|error| {
        Failure::new(ErrorCode::InvalidField, format!("{} cannot be opened: {}", path.display(), error.kind()))
            .at(field)
    })
}

/// Runs work that blocks on a thread of its own.
pub(crate) async fn on_worker<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?
}
