//! A context as it is kept: one file with the bytes of all files, each content once, and a list of paths. Names from an archive
//! never become names of files here, so none can lead anywhere.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use slipway_core::ports::{ContentId, ContextEntry, ContextKind, ContextTree};
use slipway_core::{ErrorCode, Failure};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Entries of one context.
const MOST_ENTRIES: usize = 200_000;
/// Bytes of all files of one context.
const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The longest path; file systems stop there too.
const LONGEST_PATH: usize = 4096;

const DOCKERFILE: &str = "Dockerfile";
const IGNORE: &str = "dockerignore";
const DATA: &str = "context.data";
const LIST: &str = "context.json";

/// One entry of the list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Entry {
    File { id: String, offset: u64, size: u64, executable: bool },
    Link { target: String },
    Folder,
}

/// Returns the failure for a context that cannot be taken; `reason` is for the translated sentence.
pub(super) fn bad(reason: &str, why: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::BadArchive, why).at("context").with("reason", reason)
}

pub(super) fn disk(error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => ErrorCode::DataReadOnly,
        _ => ErrorCode::Internal,
    };
    Failure::new(code, format!("the data folder: {error}"))
}

pub(super) fn write_dockerfile(place: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(place.join(DOCKERFILE), bytes).map_err(|error| disk(&error))
}

pub(super) fn write_ignore(place: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(place.join(IGNORE), bytes).map_err(|error| disk(&error))
}

/// Reads the Dockerfile that was kept.
pub(crate) fn read_dockerfile(place: &Path) -> Result<bytes::Bytes, Failure> {
    std::fs::read(place.join(DOCKERFILE)).map(Into::into).map_err(|_| gone())
}

/// Reads the ignore file that lay beside the Dockerfile.
pub(crate) fn read_ignore(place: &Path) -> Option<bytes::Bytes> {
    std::fs::read(place.join(IGNORE)).map(Into::into).ok()
}

fn gone() -> Failure {
    Failure::new(ErrorCode::NotFound, "what was uploaded for this build is not in the data folder any more")
}

/// Writes a context.
pub(crate) struct ContextWriter {
    list: PathBuf,
    data: BufWriter<File>,
    offset: u64,
    places: HashMap<String, (u64, u64)>,
    entries: BTreeMap<String, Entry>,
    /// Bytes of all files, the same content counted each time.
    bytes: u64,
}

impl ContextWriter {
    pub(crate) fn create(place: &Path) -> Result<Self, Failure> {
        let data = File::create(place.join(DATA)).map_err(|error| disk(&error))?;
        Ok(Self {
            list: place.join(LIST),
            data: BufWriter::new(data),
            offset: 0,
            places: HashMap::new(),
            entries: BTreeMap::new(),
            bytes: 0,
        })
    }

    pub(super) fn folder(&mut self, path: &str) -> Result<(), Failure> {
        self.parents(path)?;
        match self.entries.get(path) {
            None => self.put(path, Entry::Folder),
            Some(Entry::Folder) => Ok(()),
            Some(_) => Err(bad("twice", format!("{path} is in it twice, as different things")).with("path", path)),
        }
    }

    pub(super) fn link(&mut self, path: &str, target: &str) -> Result<(), Failure> {
        self.parents(path)?;
        self.put(path, Entry::Link { target: target.to_owned() })
    }

    pub(super) fn file(&mut self, path: &str, executable: bool, from: &mut dyn Read) -> Result<(), Failure> {
        self.parents(path)?;
        let start = self.offset;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer).map_err(|error| unreadable(path, &error))?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            self.data.write_all(&buffer[..read]).map_err(|error| disk(&error))?;
            self.offset += read as u64;
            self.bytes += read as u64;
            if self.bytes > MOST_BYTES {
                return Err(bad("too_large", "the context has more than 2 GiB"));
            }
        }
        let (id, size) = (hex::encode(hash.finalize()), self.offset - start);
        let place = *self.places.entry(id.clone()).or_insert((start, size));
        if place.0 != start {
            // This content is there already.
            self.data.seek(SeekFrom::Start(start)).map_err(|error| disk(&error))?;
            self.offset = start;
        }
        self.put(path, Entry::File { id, offset: place.0, size, executable })
    }

    /// A second name for a file that came before.
    pub(super) fn same_file(&mut self, path: &str, earlier: &str) -> Result<(), Failure> {
        self.parents(path)?;
        match self.entries.get(earlier).cloned() {
            Some(entry @ Entry::File { .. }) => self.put(path, entry),
            _ => Err(bad("link", format!("{path} is a link to {earlier}, which is not in it")).with("path", path)),
        }
    }

    fn put(&mut self, path: &str, entry: Entry) -> Result<(), Failure> {
        if path.len() > LONGEST_PATH {
            return Err(bad("path", "a path in it is longer than 4,096 bytes"));
        }
        if self.entries.len() >= MOST_ENTRIES {
            return Err(bad("too_many", "the context has more than 200,000 entries"));
        }
        if matches!(self.entries.get(path), Some(Entry::Folder)) {
            return Err(bad("twice", format!("{path} is in it twice, as different things")).with("path", path));
        }
        self.entries.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Makes the folders above a path. What lies there must not be anything else: a link on the way would lead elsewhere.
    fn parents(&mut self, path: &str) -> Result<(), Failure> {
        for (end, _) in path.match_indices('/') {
            let folder = &path[..end];
            match self.entries.get(folder) {
                Some(Entry::Folder) => {}
                None => self.put(folder, Entry::Folder)?,
                Some(_) => {
                    let why = format!("{path} goes through {folder}, which is no folder");
                    return Err(bad("path", why).with("path", path));
                }
            }
        }
        Ok(())
    }

    /// Writes the list. Returns how many files there are and their bytes.
    pub(crate) fn finish(mut self) -> Result<(u64, u64), Failure> {
        self.data.flush().map_err(|error| disk(&error))?;
        let data = self.data.get_mut();
        data.set_len(self.offset).and_then(|()| data.sync_all()).map_err(|error| disk(&error))?;
        let text = serde_json::to_vec(&self.entries).map_err(Failure::internal)?;
        let mut list = File::create(&self.list).map_err(|error| disk(&error))?;
        list.write_all(&text).and_then(|()| list.sync_all()).map_err(|error| disk(&error))?;
        let files = self.entries.values().filter(|entry| matches!(entry, Entry::File { .. })).count();
        Ok((files as u64, self.bytes))
    }
}

fn unreadable(path: &str, error: &std::io::Error) -> Failure {
    bad("damaged", format!("{path} cannot be read: {error}")).with("path", path)
}

/// A kept context, opened.
pub(crate) struct StoredContext {
    data: PathBuf,
    folders: HashMap<String, Vec<ContextEntry>>,
    places: HashMap<Vec<u8>, (u64, u64)>,
}

impl StoredContext {
    pub(crate) fn open(place: &Path) -> Result<Self, Failure> {
        let text = std::fs::read(place.join(LIST)).map_err(|_| gone())?;
        let entries: BTreeMap<String, Entry> = serde_json::from_slice(&text).map_err(Failure::internal)?;
        let mut folders: HashMap<String, Vec<ContextEntry>> = HashMap::from([(String::new(), Vec::new())]);
        let mut places = HashMap::new();
        for (path, entry) in entries {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            let kind = match entry {
                Entry::Folder => {
                    folders.entry(path.clone()).or_default();
                    ContextKind::Folder
                }
                Entry::Link { target } => ContextKind::Symlink { target },
                Entry::File { id, offset, size, executable } => {
                    let id = hex::decode(id).map_err(Failure::internal)?;
                    places.insert(id.clone(), (offset, size));
                    ContextKind::File { id: ContentId(id), size, executable }
                }
            };
            folders.entry(folder.to_owned()).or_default().push(ContextEntry { name: name.to_owned(), kind });
        }
        for entries in folders.values_mut() {
            entries.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        }
        Ok(Self { data: place.join(DATA), folders, places })
    }
}

impl ContextTree for StoredContext {
    fn list(&self, folder: &str) -> Result<Vec<ContextEntry>, Failure> {
        let missing = || Failure::new(ErrorCode::ContextMissing, format!("{folder} is not in the context"));
        self.folders.get(folder).cloned().ok_or_else(missing)
    }

    fn open(&self, id: &ContentId) -> Result<Box<dyn Read + Send>, Failure> {
        let (offset, size) = *self.places.get(&id.0).ok_or_else(gone)?;
        let mut file = File::open(&self.data).map_err(|_| gone())?;
        file.seek(SeekFrom::Start(offset)).map_err(|error| disk(&error))?;
        Ok(Box::new(file.take(size)))
    }
}
