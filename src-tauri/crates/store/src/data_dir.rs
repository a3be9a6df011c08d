//! The data folder: what is where, who may read it, and the lock that keeps a second Slipway out.

use crate::StoreError;
use chrono::{DateTime, Utc};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The layout of a data folder. Everything in it belongs to the user alone (0700, files 0600).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Names a data folder; nothing is touched.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the file that carries the operating system's lock.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Returns the database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// Returns the folder of build logs.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Returns the folder of git mirrors.
    #[must_use]
    pub fn mirrors(&self) -> PathBuf {
        self.root.join("mirrors")
    }

    /// Returns the list of SSH hosts whose keys a person confirmed.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.root.join("known_hosts")
    }

    /// Returns the folder of what was uploaded by hand for builds.
    #[must_use]
    pub fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// Returns the folder of database backups.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// Returns the name for a backup made now; names sort by time.
    pub(crate) fn backup_file(&self, now: DateTime<Utc>) -> PathBuf {
        self.backups().join(format!("state-{}.db", stamp(now)))
    }

    /// Returns the name under which a damaged database is kept.
    pub(crate) fn corrupt_file(&self, now: DateTime<Utc>) -> PathBuf {
        self.root.join(format!("state.db.corrupt-{}", stamp(now)))
    }

    /// Returns the empty file that says that the database was found damaged while it was in use.
    pub(crate) fn damaged_mark(&self) -> PathBuf {
        self.root.join("state.db.damaged")
    }

    /// Returns the place where a restored backup is prepared before it becomes the database.
    pub(crate) fn restoring_file(&self) -> PathBuf {
        self.root.join("state.db.restoring")
    }

    /// Returns the backups, newest first.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn list_backups(&self) -> Result<Vec<PathBuf>, StoreError> {
        let folder = self.backups();
        let entries = std::fs::read_dir(&folder).map_err(|e| StoreError::io("list", &folder, e))?;
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| StoreError::io("list", &folder, e))?;
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| name.starts_with("state-") && name.ends_with(".db")) {
                found.push(entry.path());
            }
        }
        found.sort();
        found.reverse();
        Ok(found)
    }

    /// Makes the folders, for the user alone.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`], [`StoreError::DiskFull`], or another file error.
    pub(crate) fn create(&self) -> Result<(), StoreError> {
        for folder in [self.root.clone(), self.logs(), self.mirrors(), self.backups(), self.uploads()] {
            std::fs::create_dir_all(&folder).map_err(|e| StoreError::io("create", &folder, e))?;
            private_folder(&folder)?;
        }
        Ok(())
    }

    /// Takes the lock. It is the operating system's: it goes with the process, however that ends.
    ///
    /// # Errors
    /// [`StoreError::AlreadyRunning`] when another process (or handle) holds it.
    pub(crate) fn lock(&self) -> Result<File, StoreError> {
        let path = self.lock_file();
        let file = private_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyRunning(self.root.clone())),
            Err(TryLockError::Error(e)) => Err(StoreError::io("lock", path, e)),
        }
    }
}

fn stamp(now: DateTime<Utc>) -> String {
    now.format("%Y%m%dT%H%M%S%3fZ").to_string()
}

/// Opens a file for writing, makes it when it is missing, and gives it to the user alone. Its content stays.
pub(crate) fn private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        let file = options.open(path).map_err(|e| StoreError::io("open", path, e))?;
        let mode = file.metadata().map_err(|e| StoreError::io("read", path, e))?.permissions().mode() & 0o777;
        if mode != 0o600 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))
                .map_err(|e| StoreError::io("protect", path, e))?;
        }
        Ok(file)
    }
    #[cfg(not(unix))]
    options.open(path).map_err(|e| StoreError::io("open", path, e))
}

#[cfg(unix)]
fn private_folder(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_err(|e| StoreError::io("read", path, e))?.permissions().mode() & 0o777;
    if mode == 0o700 {
        return Ok(());
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
        .map_err(|e| StoreError::io("protect", path, e))
}

#[cfg(not(unix))]
fn private_folder(_path: &Path) -> Result<(), StoreError> {
    // The platform's data folder is the user's own already.
    Ok(())
}

/// Makes renames inside a folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|e| StoreError::io("sync", path, e))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
