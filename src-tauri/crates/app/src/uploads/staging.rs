//! Files on their way in, and the folders that keep what builds need. A folder belongs to whoever makes it until a build's row
//! names it; what no row names goes away, at the latest at the next start.

use slipway_core::{ErrorCode, Failure};
use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Files that may be on their way at the same time.
const MOST_SENT: usize = 16;
/// The largest file that is taken.
const LARGEST: u64 = 64 * 1024 * 1024 * 1024;
/// The longest name that is kept of a file.
const LONGEST_NAME: usize = 255;

/// The folder `uploads` of the data folder.
#[derive(Clone)]
pub(crate) struct Uploads {
    root: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Files on their way, by id.
    sent: HashMap<String, Arriving>,
    /// Folders that are being filled.
    filling: HashSet<String>,
}

struct Arriving {
    name: String,
    size: u64,
    received: u64,
}

/// A file that is there whole; it goes away with this.
pub(crate) struct Sent {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

impl Drop for Sent {
    fn drop(&mut self) {
        // It was moved away, or nobody needs it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A folder that is being filled; it goes away with this unless it is kept.
pub(crate) struct NewFolder {
    uploads: Uploads,
    name: String,
    kept: bool,
}

impl NewFolder {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.uploads.folder(&self.name)
    }

    /// A build's row names it now.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        self.uploads.lock().filling.remove(&self.name);
        if !self.kept {
            remove(&self.path());
        }
    }
}

fn remove(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, folder = %folder.display(), "an upload could not be removed");
    }
}

impl Uploads {
    /// Begins with what the last run left: files half sent are gone.
    pub(crate) fn open(root: PathBuf) -> Self {
        let uploads = Self { root, state: Arc::default() };
        for folder in [uploads.root.join("sent"), uploads.scratch()] {
            remove(&folder);
        }
        uploads
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the folder of an upload that a build names.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A place for files that are needed for a moment.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    pub(crate) fn new_folder(&self) -> Result<NewFolder, Failure> {
        let folder = NewFolder { uploads: self.clone(), name: random_name()?, kept: false };
        self.lock().filling.insert(folder.name.clone());
        private_folder(&folder.path())?;
        Ok(folder)
    }

    /// Removes every folder that is neither needed nor being filled.
    pub(super) fn tidy(&self, needed: &HashSet<String>) {
        let Ok(entries) = std::fs::read_dir(&self.root) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = name == "sent" || name == "scratch" || self.lock().filling.contains(&name);
            if !ours && !needed.contains(&name) {
                remove(&entry.path());
            }
        }
    }

    pub(super) fn begin(&self, name: &str, size: u64) -> Result<String, Failure> {
        if size > LARGEST {
            return Err(Failure::new(ErrorCode::InvalidField, "the file is larger than 64 GiB").at("size"));
        }
        let id = random_name()?;
        let mut state = self.lock();
        if state.sent.len() >= MOST_SENT {
            return Err(Failure::new(ErrorCode::WrongState, "too many files are on their way already"));
        }
        private_folder(&self.root.join("sent"))?;
        private_file(&self.sent_file(&id))?;
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        state.sent.insert(id.clone(), Arriving { name, size, received: 0 });
        Ok(id)
    }

    pub(super) fn append(&self, id: &str, offset: u64, bytes: &[u8]) -> Result<u64, Failure> {
        let length = bytes.len() as u64;
        let mut state = self.lock();
        let arriving = state.sent.get_mut(id).ok_or_else(missing)?;
        // The answer to this piece got lost, and it comes again.
        if offset < arriving.received && offset + length <= arriving.received {
            return Ok(arriving.received);
        }
        if offset != arriving.received || offset + length > arriving.size {
            return Err(Failure::new(ErrorCode::InvalidField, "this piece does not go on where the last one ended")
                .at("offset")
                .with("received", arriving.received.to_string()));
        }
        let mut file = OpenOptions::new().append(true).open(self.sent_file(id)).map_err(|error| disk(&error))?;
        file.write_all(bytes).map_err(|error| disk(&error))?;
        arriving.received += length;
        Ok(arriving.received)
    }

    pub(super) fn discard(&self, id: &str) {
        if self.lock().sent.remove(id).is_some() {
            let _ = std::fs::remove_file(self.sent_file(id));
        }
    }

    /// Returns the path of a file that is there whole.
    pub(super) fn path(&self, id: &str) -> Result<PathBuf, Failure> {
        let state = self.lock();
        let arriving = state.sent.get(id).ok_or_else(missing)?;
        if arriving.received != arriving.size {
            return Err(Failure::new(ErrorCode::WrongState, "the file is not there whole yet"));
        }
        Ok(self.sent_file(id))
    }

    /// Takes a file that is there whole.
    pub(crate) fn take(&self, id: &str) -> Result<Sent, Failure> {
        let path = self.path(id)?;
        let arriving = self.lock().sent.remove(id).ok_or_else(missing)?;
        Ok(Sent { path, name: arriving.name })
    }

    fn sent_file(&self, id: &str) -> PathBuf {
        self.root.join("sent").join(id)
    }
}

fn missing() -> Failure {
    Failure::new(ErrorCode::NotFound, "there is no such file on its way").with("what", "upload")
}

fn disk(error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => ErrorCode::DataReadOnly,
        _ => ErrorCode::Internal,
    };
    Failure::new(code, format!("the data folder: {error}"))
}

fn random_name() -> Result<String, Failure> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(Failure::internal)?;
    Ok(hex::encode(bytes))
}

pub(super) fn private_folder(path: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| disk(&error))
}

fn private_file(path: &Path) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(|error| disk(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pieces_come_in_order_and_a_repeated_one_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(dir.path().join("uploads"));
        let id = uploads.begin("../../etc/evil.tar", 6).unwrap();
        assert_eq!(uploads.append(&id, 0, b"abc").unwrap(), 3);
        assert_eq!(uploads.append(&id, 0, b"abc").unwrap(), 3);
        assert_eq!(uploads.append(&id, 4, b"x").unwrap_err().details["received"], "3");
        assert_eq!(uploads.append(&id, 3, b"defg").unwrap_err().code, ErrorCode::InvalidField);
        assert_eq!(uploads.path(&id).unwrap_err().code, ErrorCode::WrongState);
        assert_eq!(uploads.append(&id, 3, b"def").unwrap(), 6);
        let sent = uploads.take(&id).unwrap();
        assert_eq!(
            (std::fs::read(&sent.path).unwrap().as_slice(), sent.name.as_str()),
            (b"abcdef".as_slice(), "evil.tar")
        );
        let path = sent.path.clone();
        drop(sent);
        assert!(!path.exists());
        assert_eq!(uploads.append(&id, 6, b"").unwrap_err().code, ErrorCode::NotFound);
    }

    #[test]
    fn folders_that_nobody_needs_go_away() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(dir.path().join("uploads"));
        let (kept, dropped, filling) =
            (uploads.new_folder().unwrap(), uploads.new_folder().unwrap(), uploads.new_folder().unwrap());
        let name = kept.name().to_owned();
        let gone = dropped.path();
        kept.keep();
        drop(dropped);
        assert!(!gone.exists());
        uploads.tidy(&HashSet::from([name.clone()]));
        assert!(uploads.folder(&name).exists() && filling.path().exists());
        uploads.tidy(&HashSet::new());
        assert!(!uploads.folder(&name).exists() && filling.path().exists());
    }
}
