//! An image archive as `docker save` writes it, or in the OCI layout. Its own tar is never given to the engine: that would give
//! images of the archive whatever names it says. One image is picked, checked, and sent under the build's private name.

use super::staging::private_folder;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use slipway_core::image::{Digest, ImageReference, Platform};
use slipway_core::image_config::ImageConfig;
use slipway_core::{ErrorCode, Failure};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Entries of one archive.
const MOST_ENTRIES: usize = 100_000;
/// Manifests and configurations are small.
const MOST_JSON: u64 = 8 * 1024 * 1024;
/// Unpacked bytes of a packed archive.
const MOST_UNPACKED: u64 = 64 * 1024 * 1024 * 1024;
/// Indexes inside each other.
const DEEPEST: usize = 4;
/// Indexes and manifests that are read in all: few that name each other often would be read for ever.
const MOST_READ: usize = 1000;
/// Bytes that are sent at once.
const PIECE: usize = 256 * 1024;

/// An image of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveImage {
    /// Its names; none when it has none.
    pub names: Vec<String>,
    /// Its platform.
    pub platform: Platform,
    /// Bytes of its layers in the archive.
    pub size: u64,
}

/// An archive with a list of what is where in it.
pub(crate) struct OpenedArchive {
    path: PathBuf,
    files: HashMap<String, (u64, u64)>,
    images: Vec<Found>,
    /// Removed with this: the unpacked form of a packed archive.
    _unpacked: Option<Scratch>,
}

struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An image whose files were found.
struct Found {
    names: Vec<String>,
    config: Vec<u8>,
    platform: Platform,
    layers: Vec<Layer>,
}

/// Where a layer lies, and what its bytes must hash to. The engine does not look at a layer that it has already: a damaged
/// archive would go unnoticed.
struct Layer {
    start: u64,
    size: u64,
    digest: Option<String>,
}

/// The image that was picked.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) platform: Platform,
    index: usize,
}

fn bad(reason: &str, why: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::BadArchive, why).at("source").with("reason", reason)
}

fn damaged(why: impl std::fmt::Display) -> Failure {
    bad("damaged", format!("the archive is damaged: {why}"))
}

/// One line of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
struct Descriptor {
    digest: Digest,
    #[serde(default)]
    annotations: Option<HashMap<String, String>>,
}

/// Opens an archive; a packed one is unpacked into `scratch` first.
pub(crate) fn open(path: &Path, scratch: &Path) -> Result<OpenedArchive, Failure> {
    let unreadable = |error: std::io::Error| bad("unreadable", format!("the archive cannot be read: {}", error.kind()));
    let mut file = File::open(path).map_err(unreadable)?;
    let mut magic = [0; 2];
    let packed = file.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    let unpacked = if packed { Some(unpack(path, scratch)?) } else { None };
    let path = unpacked.as_ref().map_or(path, |scratch| &scratch.0).to_owned();
    let mut archive = OpenedArchive { files: list(&path)?, path, images: Vec::new(), _unpacked: unpacked };
    archive.images = archive.find()?;
    if archive.images.is_empty() {
        return Err(bad("no_image", "there is no image in this archive"));
    }
    Ok(archive)
}

fn unpack(path: &Path, scratch: &Path) -> Result<Scratch, Failure> {
    private_folder(scratch)?;
    let mut name = [0; 8];
    getrandom::fill(&mut name).map_err(Failure::internal)?;
    let scratch = Scratch(scratch.join(hex::encode(name)));
    let disk = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::StorageFull => Failure::new(ErrorCode::DiskFull, "the data folder's disk is full"),
        _ => damaged(error),
    };
    let from = BufReader::new(File::open(path).map_err(damaged)?);
    let mut into = BufWriter::new(File::create(&scratch.0).map_err(Failure::internal)?);
    let copied = std::io::copy(&mut MultiGzDecoder::new(from).take(MOST_UNPACKED + 1), &mut into).map_err(disk)?;
    into.flush().map_err(disk)?;
    if copied > MOST_UNPACKED {
        return Err(bad("too_large", "the archive is larger than 64 GiB when it is unpacked"));
    }
    Ok(scratch)
}

/// Lists where each file of a tar lies. Links are followed inside the archive only: older engines write them for layers that
/// stand in it twice.
fn list(path: &Path) -> Result<HashMap<String, (u64, u64)>, Failure> {
    let file = File::open(path).map_err(damaged)?;
    let length = file.metadata().map_err(damaged)?.len();
    let mut archive = tar::Archive::new(file);
    let mut files = HashMap::new();
    let mut links = Vec::new();
    for entry in archive.entries_with_seek().map_err(damaged)? {
        let entry =
            entry.map_err(|error| bad("damaged", format!("this is no image archive, or it is damaged: {error}")))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let kind = entry.header().entry_type();
        if kind.is_file() {
            let (start, size) = (entry.raw_file_position(), entry.size());
            if start.checked_add(size).is_none_or(|end| end > length) {
                return Err(bad("damaged", "the archive's end is missing"));
            }
            files.insert(name, (start, size));
        } else if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name_bytes().unwrap_or_default();
            links.push((name, String::from_utf8_lossy(&target).into_owned(), kind.is_symlink()));
        }
        if files.len() + links.len() > MOST_ENTRIES {
            return Err(bad("too_many", "the archive has more than 100,000 entries"));
        }
    }
    for (name, target, relative) in links {
        let folder = if relative { name.rsplit_once('/').map_or("", |(folder, _)| folder) } else { "" };
        if let Some(place) = resolve(folder, &target).and_then(|path| files.get(&path).copied()) {
            files.insert(name, place);
        }
    }
    Ok(files)
}

/// Returns the path that a link means; `None` when it leads out of the archive.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if target.starts_with('/') {
        return None;
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

impl OpenedArchive {
    fn bytes(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let (start, size) = *self.files.get(name).ok_or_else(|| damaged(format_args!("{name} is missing")))?;
        if size > MOST_JSON {
            return Err(damaged(format_args!("{name} is larger than any such file")));
        }
        let mut file = File::open(&self.path).map_err(damaged)?;
        file.seek(SeekFrom::Start(start)).map_err(damaged)?;
        let mut bytes = Vec::new();
        file.take(size).read_to_end(&mut bytes).map_err(damaged)?;
        Ok(bytes)
    }

    /// A file whose name is its digest.
    fn blob(&self, digest: &Digest) -> Result<Vec<u8>, Failure> {
        let name = digest.as_str().replacen(':', "/", 1);
        let bytes = self.bytes(&format!("blobs/{name}"))?;
        let found = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        if digest.as_str().starts_with("sha256:") && found != digest.as_str() {
            return Err(damaged(format_args!("{digest} holds {found}")));
        }
        Ok(bytes)
    }

    fn find(&self) -> Result<Vec<Found>, Failure> {
        let json = |bytes: &[u8], name: &str| -> Result<Vec<SavedImage>, Failure> {
            serde_json::from_slice(bytes).map_err(|error| damaged(format_args!("{name}: {error}")))
        };
        if self.files.contains_key("manifest.json") {
            let saved = json(&self.bytes("manifest.json")?, "manifest.json")?;
            return saved.into_iter().map(|image| self.saved(image)).collect();
        }
        if self.files.contains_key("index.json") {
            let mut found = Vec::new();
            let index = self.index(&self.bytes("index.json")?)?;
            self.oci(&index, &[], 0, &mut MOST_READ.clone(), &mut found)?;
            return Ok(found);
        }
        Err(bad("no_image", "this is no image archive: neither manifest.json nor index.json is in it"))
    }

    fn index(&self, bytes: &[u8]) -> Result<Index, Failure> {
        serde_json::from_slice(bytes).map_err(damaged)
    }

    fn saved(&self, image: SavedImage) -> Result<Found, Failure> {
        let config = self.bytes(&image.config)?;
        // The file's name is the digest of what is in it.
        let named = image.config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let found = hex::encode(Sha256::digest(&config));
        if named.len() == 64 && named != found {
            return Err(damaged(format_args!("the configuration {named} holds {found}")));
        }
        let layers = image.layers.iter().map(|name| {
            let place = self.files.get(name).copied();
            place.ok_or_else(|| damaged(format_args!("the layer {name} is missing")))
        });
        let mut found = self.image(image.repo_tags.unwrap_or_default(), config, layers.collect::<Result<_, _>>()?)?;
        let expected = ImageConfig::parse(&found.config).and_then(|config| config.rootfs.diff_ids).unwrap_or_default();
        for (layer, diff_id) in found.layers.iter_mut().zip(expected) {
            // The diff id is that of the unpacked layer.
            layer.digest = (!self.is_packed(layer.start)?).then_some(diff_id);
        }
        Ok(found)
    }

    fn is_packed(&self, start: u64) -> Result<bool, Failure> {
        let mut file = File::open(&self.path).map_err(damaged)?;
        file.seek(SeekFrom::Start(start)).map_err(damaged)?;
        let mut magic = Vec::new();
        file.take(4).read_to_end(&mut magic).map_err(damaged)?;
        Ok(magic.starts_with(&[0x1f, 0x8b]) || magic == [0x28, 0xb5, 0x2f, 0xfd])
    }

    fn image(&self, names: Vec<String>, config: Vec<u8>, layers: Vec<(u64, u64)>) -> Result<Found, Failure> {
        let parsed = ImageConfig::parse(&config).ok_or_else(|| damaged("a configuration is none"))?;
        let platform = parsed.platform().ok_or_else(|| damaged("an image does not say its platform"))?;
        let expected = parsed.rootfs.diff_ids.unwrap_or_default().len();
        if expected != layers.len() {
            return Err(damaged(format_args!("an image has {expected} layers and the archive {}", layers.len())));
        }
        let layers = layers.into_iter().map(|(start, size)| Layer { start, size, digest: None }).collect();
        Ok(Found { names, config, platform, layers })
    }

    fn oci(
        &self,
        index: &Index,
        names: &[String],
        depth: usize,
        left: &mut usize,
        found: &mut Vec<Found>,
    ) -> Result<(), Failure> {
        *left = left.checked_sub(1).filter(|_| depth <= DEEPEST).ok_or_else(|| damaged("its index does not end"))?;
        if let Some(config) = &index.config {
            let config = self.blob(&config.digest)?;
            let layers = index.layers.iter().map(|layer| {
                let name = format!("blobs/{}", layer.digest.as_str().replacen(':', "/", 1));
                self.files
                    .get(&name)
                    .copied()
                    .ok_or_else(|| damaged(format_args!("the layer {} is missing", layer.digest)))
            });
            let layers = layers.collect::<Result<_, _>>()?;
            // Signatures and provenance have no platform.
            if ImageConfig::parse(&config).and_then(|config| config.platform()).is_some() {
                let mut image = self.image(names.to_vec(), config, layers)?;
                for (layer, named) in image.layers.iter_mut().zip(&index.layers) {
                    let digest = named.digest.as_str();
                    layer.digest = digest.starts_with("sha256:").then(|| digest.to_owned());
                }
                found.push(image);
            }
            return Ok(());
        }
        for part in &index.manifests {
            let named = |key: &str| part.annotations.as_ref().and_then(|all| all.get(key)).cloned();
            let own = named("io.containerd.image.name").or_else(|| named("org.opencontainers.image.ref.name"));
            let own = own.map_or_else(|| names.to_vec(), |name| vec![name]);
            // A layout may hold some platforms of an index only.
            let name = format!("blobs/{}", part.digest.as_str().replacen(':', "/", 1));
            if self.files.contains_key(&name) {
                let inner = self.index(&self.blob(&part.digest)?)?;
                self.oci(&inner, &own, depth + 1, left, found)?;
            }
        }
        Ok(())
    }

    /// Returns what is in it.
    pub(crate) fn images(&self) -> Result<Vec<ArchiveImage>, Failure> {
        Ok(self
            .images
            .iter()
            .map(|image| ArchiveImage {
                names: image.names.clone(),
                platform: image.platform.clone(),
                size: image.layers.iter().map(|layer| layer.size).sum(),
            })
            .collect())
    }

    /// Picks the image that is meant: the one with that name, else the only one.
    pub(crate) fn choose(&self, wanted: Option<&str>) -> Result<Chosen, Failure> {
        let same = |name: &str, wanted: &str| match (ImageReference::parse(name), ImageReference::parse(wanted)) {
            (Ok(name), Ok(wanted)) => name == wanted,
            _ => name == wanted,
        };
        let fits = |image: &Found| wanted.is_none_or(|wanted| image.names.iter().any(|name| same(name, wanted)));
        let mut found = self.images.iter().enumerate().filter(|(_, image)| fits(image));
        let names = || self.images.iter().flat_map(|image| image.names.clone()).collect::<Vec<_>>().join("\n");
        match (found.next(), found.next(), wanted) {
            (Some((index, image)), None, _) => Ok(Chosen { platform: image.platform.clone(), index }),
            (None, _, wanted) => {
                let why = format!("there is no image {} in this archive", wanted.unwrap_or_default());
                Err(bad("no_such_image", why).at("image").with("names", names()))
            }
            (Some(_), Some(_), _) => {
                let why = "there are several images in this archive: say which";
                Err(bad("several_images", why).at("image").with("names", names()))
            }
        }
    }

    /// Returns how many bytes [`Self::send`] sends, about.
    pub(crate) fn bytes_of(&self, chosen: &Chosen) -> u64 {
        self.images[chosen.index].layers.iter().map(|layer| layer.size).sum()
    }

    /// Writes the chosen image as an archive of its own, under one name, into a channel. Blocks.
    pub(crate) fn send(
        &self,
        chosen: &Chosen,
        name: &str,
        into: mpsc::Sender<Result<Bytes, Failure>>,
        progress: &dyn Fn(u64),
    ) -> Result<(), Failure> {
        let image = &self.images[chosen.index];
        let mut builder = tar::Builder::new(BufWriter::with_capacity(PIECE, Pieces(into)));
        let config_name = format!("{}.json", hex::encode(Sha256::digest(&image.config)));
        let layer_names: Vec<String> = (0..image.layers.len()).map(|number| format!("{number}/layer.tar")).collect();
        let manifest = serde_json::json!([{"Config": config_name, "RepoTags": [name], "Layers": layer_names}]);
        let manifest = manifest.to_string().into_bytes();
        append(&mut builder, &config_name, image.config.len() as u64, &mut image.config.as_slice())?;
        append(&mut builder, "manifest.json", manifest.len() as u64, &mut manifest.as_slice())?;
        let mut sent = 0;
        for (layer, name) in image.layers.iter().zip(&layer_names) {
            let mut file = File::open(&self.path).map_err(damaged)?;
            file.seek(SeekFrom::Start(layer.start)).map_err(damaged)?;
            let mut read = Counted { inner: file.take(layer.size), hash: Sha256::new(), sent: &mut sent, progress };
            append(&mut builder, name, layer.size, &mut read)?;
            let found = format!("sha256:{}", hex::encode(read.hash.finalize()));
            if let Some(expected) = layer.digest.as_ref().filter(|expected| **expected != found) {
                return Err(damaged(format_args!("the layer {expected} holds {found}")));
            }
        }
        let mut pieces = builder.into_inner().map_err(sending)?;
        pieces.flush().map_err(sending)
    }
}

fn sending(error: std::io::Error) -> Failure {
    match error.kind() {
        // Whoever took the pieces is gone, and says why.
        std::io::ErrorKind::BrokenPipe => Failure::new(ErrorCode::EngineLost, "the engine stopped taking the archive"),
        _ => damaged(error),
    }
}

fn append(builder: &mut tar::Builder<impl Write>, name: &str, size: u64, from: &mut dyn Read) -> Result<(), Failure> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    builder.append_data(&mut header, name, from).map_err(sending)
}

/// Tells how much was read, and what it hashes to.
struct Counted<'a, R> {
    inner: R,
    hash: Sha256,
    sent: &'a mut u64,
    progress: &'a dyn Fn(u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        *self.sent += read as u64;
        (self.progress)(*self.sent);
        Ok(read)
    }
}

/// Writes into a channel; blocks while it is full.
struct Pieces(mpsc::Sender<Result<Bytes, Failure>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(|_| std::io::Error::new(std::io::ErrorKind::BrokenPipe, "nobody takes it any more"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
