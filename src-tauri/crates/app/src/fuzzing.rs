//! Doors to the readers of foreign bytes, for `tests/fuzz` alone: the product does not use them.

use crate::dockerfile_builds::StoredContext;
use crate::dockerfile_builds::archive;
use crate::dockerfile_builds::stored::ContextWriter;
use crate::uploads::{ArchiveImage, open_archive};
use crate::webhooks::door::Door;
use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use slipway_core::Failure;
use slipway_core::configuration::{ImportChoice, ImportReport};
use slipway_core::ports::ContextTree;
use slipway_core::webhook::WebhookRefusal;
use slipway_store::ImportedConfiguration;
use std::net::SocketAddr;
use std::path::Path;

/// Takes an archive as a build's context into a folder; returns it with the number of its files and their bytes.
///
/// # Errors
/// Why the archive is refused.
pub fn read_context(archive: &Path, place: &Path) -> Result<(Box<dyn ContextTree>, u64, u64), Failure> {
    let mut writer = ContextWriter::create(place)?;
    archive::read(archive, &mut writer)?;
    let (files, bytes) = writer.finish()?;
    Ok((Box::new(StoredContext::open(place)?), files, bytes))
}

/// What an image archive holds, and the bytes that an engine would get of its first image.
pub type ReadArchive = (Vec<ArchiveImage>, Result<Vec<u8>, Failure>);

/// Opens an image archive and sends its first image under a name, as an engine would get it.
///
/// # Errors
/// Why the archive, or the image in it, is refused.
pub fn read_image_archive(archive: &Path, scratch: &Path, name: &str) -> Result<ReadArchive, Failure> {
    let opened = open_archive(archive, scratch)?;
    let images = opened.images()?;
    let wanted = images.iter().flat_map(|image| image.names.first()).next().cloned();
    let sent = opened.choose(wanted.as_deref()).and_then(|chosen| {
        let (into, mut pieces) = tokio::sync::mpsc::channel::<Result<Bytes, Failure>>(4);
        let taking = std::thread::spawn(move || {
            let mut whole = Vec::new();
            while let Some(Ok(piece)) = pieces.blocking_recv() {
                whole.extend_from_slice(&piece);
            }
            whole
        });
        let sent = opened.send(&chosen, name, into, &|_| {});
        let whole = taking.join().map_err(|_| Failure::internal("the archive's taker ended"))?;
        sent.map(|()| whole)
    });
    Ok((images, sent))
}

/// Checks the head of a request to the webhook listener; the webhook's path when it may come in.
///
/// # Errors
/// Why it is refused.
pub fn check_delivery<'a>(
    public_url: Option<&str>,
    local: SocketAddr,
    method: &Method,
    uri: &'a Uri,
    headers: &HeaderMap,
) -> Result<&'a str, WebhookRefusal> {
    Door::new(public_url).check(local, method, uri, headers)
}

/// Plans an import of a configuration file into a new product: what it tells, and what it would write.
///
/// # Errors
/// Why the file is refused.
pub fn plan_import(text: &str, choice: ImportChoice) -> Result<(ImportReport, ImportedConfiguration), Failure> {
    crate::configuration::plan_alone(text, choice)
}
