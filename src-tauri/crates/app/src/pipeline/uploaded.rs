//! Builds of what a person uploaded: a Dockerfile with its context, or an image that only has to be taken in.

use super::Run;
use super::checkout::{Checkout, Ready};
use crate::dockerfile_builds::{StoredContext, read_dockerfile, read_ignore};
use crate::fail_point::fail_point;
use crate::uploads::{ARCHIVE, open_archive};
use slipway_core::build::{BuiltImage, Stage, Upload};
use slipway_core::image::Tag;
use slipway_core::log::{LayerState, PushProgress};
use slipway_core::ports::ContextTree;
use slipway_core::{ErrorCode, Failure};
use slipway_store::BuildRecord;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Pieces of an archive on their way to the engine.
const PIECES: usize = 8;
/// Progress is told each time that so many bytes more have gone.
const TOLD_EVERY: u64 = 4 * 1024 * 1024;

impl Run<'_> {
    /// The checkout of an uploaded Dockerfile: all that it needs lies in the data folder.
    pub(super) async fn checkout_upload(&self, record: &BuildRecord, folder: &str) -> Result<Checkout, Failure> {
        let tags = self.tags(record, None).await?;
        if let Some(reason) = self.check_tags(record, &tags).await? {
            return Ok(Checkout::Covered(reason));
        }
        let place = self.parts.uploads.folder(folder);
        let opened = crate::uploads::on_worker(move || {
            let context: Arc<dyn ContextTree> = Arc::new(StoredContext::open(&place)?);
            Ok((context, read_dockerfile(&place)?, read_ignore(&place)))
        });
        let (context, dockerfile, ignore_file) = opened.await?;
        let platforms = self.platforms(record).await?;
        let names = tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ");
        self.say(Stage::Checkout, &format!("uploaded Dockerfile, tags {names}"))?;
        Ok(Checkout::Ready(Box::new(Ready { context, dockerfile, ignore_file, commit: None, platforms, tags })))
    }

    /// The checkout of an uploaded image: may its tag be published at all?
    pub(super) async fn checkout_image(&self, record: &BuildRecord) -> Result<(), Failure> {
        let tags = self.tags(record, None).await?;
        self.check_tags(record, &tags).await?;
        let names = tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ");
        self.say(Stage::Checkout, &format!("uploaded image, tags {names}"))
    }

    /// The build stage of an uploaded image.
    pub(super) async fn take_image(&self, record: &BuildRecord, upload: &Upload) -> Result<(), Failure> {
        let image = match upload {
            Upload::LocalImage { name, image } => {
                let gone = || {
                    let why = format!("the engine does not have the image any more that {name} was");
                    Failure::new(ErrorCode::ImageGone, why).with("image", name.as_str())
                };
                let found = self.engine.image(&image.0).await?.ok_or_else(gone)?;
                self.say(Stage::Build, &format!("local image {name}, {}", image.0))?;
                let platforms = vec![found.platform];
                BuiltImage { id: found.id, content: found.content, size: found.size, platforms }
            }
            Upload::Archive { folder, path, image } => {
                let file = match folder {
                    Some(folder) => self.parts.uploads.folder(folder).join(ARCHIVE),
                    None => PathBuf::from(path),
                };
                self.say(Stage::Build, &format!("image archive {path}"))?;
                match self.left_behind(record).await? {
                    Some(image) => image,
                    None => self.load(&file, image.as_deref()).await?,
                }
            }
            Upload::Dockerfile { .. } => return Err(Failure::internal("an uploaded Dockerfile is built")),
        };
        self.say(Stage::Build, &format!("image {}", image.id.0))?;
        Ok(self.parts.store.set_result(self.id, &image).await?)
    }

    /// Loads one image of an archive into the engine, under the build's private name.
    async fn load(&self, file: &Path, wanted: Option<&str>) -> Result<BuiltImage, Failure> {
        let (file, scratch, wanted) = (file.to_owned(), self.parts.uploads.scratch(), wanted.map(str::to_owned));
        let opened = crate::uploads::on_worker(move || {
            let archive = open_archive(&file, &scratch)?;
            let chosen = archive.choose(wanted.as_deref())?;
            Ok((archive, chosen))
        });
        let (archive, chosen) = opened.await?;
        let total = archive.bytes_of(&chosen);
        let name = self.engine.private_name(self.id);
        fail_point("upload.loading");
        let (pieces, body) = mpsc::channel(PIECES);
        let (told, mut heard) = mpsc::unbounded_channel();
        let sending = tokio::task::spawn_blocking(move || {
            let last = std::cell::Cell::new(0);
            let tell = |sent: u64| {
                if sent == total || sent >= last.get() + TOLD_EVERY {
                    last.set(sent);
                    // Nobody listening is no reason to stop.
                    let _ = told.send(sent);
                }
            };
            let failed = pieces.clone();
            let result = archive.send(&chosen, &name, pieces, &tell);
            if let Err(failure) = &result {
                // The engine must not take a part for the whole.
                let _ = failed.blocking_send(Err(failure.clone()));
            }
            result
        });
        let following = async {
            while let Some(current) = heard.recv().await {
                let state = if current >= total { LayerState::Pushed } else { LayerState::Pushing };
                self.queue.push_progressed(self.id, PushProgress { layer: "archive".into(), state, current, total });
            }
        };
        let (loaded, ()) = tokio::join!(self.engine.load(body, self.cancel), following);
        let sent = sending.await.map_err(Failure::internal)?;
        match (loaded, sent) {
            (Ok(()), sent) => sent?,
            // The engine only saw that the transfer broke off: the sender knows why.
            (Err(_), Err(failure)) if failure.code != ErrorCode::EngineLost => return Err(failure),
            (Err(failure), _) => return Err(failure),
        }
        let gone = || Failure::new(ErrorCode::ImageGone, "the engine took the archive and has no image of it");
        self.engine.built_image(self.id).await?.ok_or_else(gone)
    }
}
