//! A build's log on disk: `logs/<build>.log` holds the masked lines, append-only; `logs/<build>.idx` has one fixed record per
//! line (offset, length, step, stream, time). The index is disposable: what it lacks is found again in the log itself, so a
//! kill in the middle of either file loses nothing. Pages, the tail and the search read only what they need.

mod index;
mod lines;
mod plain;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use plain::PlainLog;
pub use reader::{LogLine, LogSearch, StepLines};
pub use writer::LogWriter;

use slipway_core::Failure;
use slipway_core::ids::BuildId;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Bytes of a line that are shown; the file has all of them.
pub const SHOWN_LINE_BYTES: usize = 16 * 1024;

/// Takes secrets out of a whole line before it is stored. Lines are whole, so no secret lies across a border between chunks.
pub type Mask = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// All logs of a data folder, and who waits for their next lines.
pub struct BuildLogs {
    folder: PathBuf,
    live: Mutex<HashMap<BuildId, watch::Sender<u64>>>,
}

impl BuildLogs {
    /// Opens the folder, making it when it is missing.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::DataReadOnly`] or `DiskFull` when it cannot be made.
    pub fn open(folder: PathBuf) -> Result<Arc<Self>, Failure> {
        std::fs::create_dir_all(&folder).map_err(|error| disk_failure(&error))?;
        Ok(Arc::new(Self { folder, live: Mutex::default() }))
    }

    /// Opens a build's log for appending; what a killed run left half written is repaired first.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::DataReadOnly`] or `DiskFull`.
    pub fn writer(self: &Arc<Self>, build: BuildId, mask: Mask) -> Result<LogWriter, Failure> {
        LogWriter::open(Arc::clone(self), build, mask)
    }

    /// Removes a build's log. Missing is fine.
    pub fn remove(&self, build: BuildId) {
        for path in [self.log_path(build), self.index_path(build)] {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(%build, %error, "a log file could not be removed");
            }
        }
    }

    /// Returns the builds that have a log.
    pub(crate) fn ids(&self) -> HashSet<BuildId> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        files.filter_map(|file| file.path().file_stem()?.to_str()?.parse().ok().map(BuildId)).collect()
    }

    /// Returns the path of the whole log, for a download.
    #[must_use]
    pub fn log_path(&self, build: BuildId) -> PathBuf {
        self.folder.join(format!("{build}.log"))
    }

    /// Waits until the log has more than `lines` lines; returns how many it has. Ends at once, with the count, when the
    /// build does not write any more.
    pub async fn wait_beyond(&self, build: BuildId, lines: u64) -> u64 {
        let receiver = self.lock().get(&build).map(watch::Sender::subscribe);
        if let Some(mut receiver) = receiver
            && let Ok(now) = receiver.wait_for(|now| *now > lines).await
        {
            return *now;
        }
        self.line_count(build).unwrap_or(0)
    }

    fn index_path(&self, build: BuildId) -> PathBuf {
        self.folder.join(format!("{build}.idx"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<BuildId, watch::Sender<u64>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, build: BuildId, lines: u64) {
        self.lock().entry(build).or_insert_with(|| watch::Sender::new(0)).send_replace(lines);
    }

    fn ended(&self, build: BuildId) {
        self.lock().remove(&build);
    }
}

/// Turns an error of the data folder into the failure that says what to do.
pub(crate) fn disk_failure(error: &std::io::Error) -> Failure {
    use slipway_core::ErrorCode;
    let code = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded | std::io::ErrorKind::FileTooLarge => {
            ErrorCode::DiskFull
        }
        std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => ErrorCode::DataReadOnly,
        _ => ErrorCode::Internal,
    };
    Failure::new(code, format!("the data folder: {error}"))
}

/// Opens one of the two files for appending and reading.
fn open_appending(path: &Path) -> Result<std::fs::File, Failure> {
    std::fs::OpenOptions::new().create(true).read(true).append(true).open(path).map_err(|error| disk_failure(&error))
}
