//! A new clone on this machine, made whole or not at all.

use crate::library;
use chrono::{DateTime, Utc};
use git2::{IndexEntry, IndexTime, Repository, RepositoryInitOptions, Signature, Time};
use slipway_core::{ErrorCode, Failure};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A file of a new clone.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'bytes> {
    /// Its name; the clone has no folders.
    pub path: &'bytes str,
    /// What it holds.
    pub bytes: &'bytes [u8],
    /// Has the exec bit.
    pub executable: bool,
}

const FILE: u32 = 0o100_644;
const EXECUTABLE: u32 = 0o100_755;

/// Makes a clone with one commit on `main` and a work tree, where there is none yet. A clone that has a commit stays as it
/// is, with everything that a person did in it. What is there and is no such clone is moved aside, never removed.
/// Blocking.
///
/// # Errors
/// [`ErrorCode::DiskFull`], [`ErrorCode::DataReadOnly`], or an internal failure that names the step.
pub fn begin_clone(folder: &Path, files: &[NewFile<'_>], message: &str, now: DateTime<Utc>) -> Result<(), Failure> {
    library::prepare();
    if is_begun(folder) {
        return Ok(());
    }
    let parent = folder.parent().ok_or_else(|| Failure::internal("a clone needs a folder around it"))?;
    std::fs::create_dir_all(parent).map_err(|error| file_failure("create", parent, &error))?;
    // Made beside its place and renamed: after a crash there is all of it or nothing.
    let unfinished = beside(folder, "unfinished");
    match std::fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(file_failure("remove", &unfinished, &error)),
        _ => {}
    }
    commit_files(&unfinished, files, message, now)?;
    if folder.symlink_metadata().is_ok() {
        let aside = (1..).map(|n| beside(folder, &format!("aside-{n}"))).find(|path| path.symlink_metadata().is_err());
        std::fs::rename(folder, aside.unwrap_or_default()).map_err(|error| file_failure("rename", folder, &error))?;
    }
    std::fs::rename(&unfinished, folder).map_err(|error| file_failure("rename", &unfinished, &error))
}

/// A clone that somebody can go on with.
fn is_begun(folder: &Path) -> bool {
    let Ok(clone) = Repository::open(folder) else { return false };
    let has_commit =
        clone.references().is_ok_and(|mut all| all.names().flatten().any(|name| name.starts_with("refs/heads/")));
    has_commit && !clone.is_bare()
}

fn commit_files(folder: &Path, files: &[NewFile<'_>], message: &str, now: DateTime<Utc>) -> Result<(), Failure> {
    let git = |error: git2::Error| Failure::internal(format!("making a clone: {}", error.message()));
    let mut options = RepositoryInitOptions::new();
    // No template: nothing of this machine's git goes into it.
    options.initial_head("main").external_template(false).mkpath(true);
    let clone = Repository::init_opts(folder, &options).map_err(git)?;
    let mut index = clone.index().map_err(git)?;
    for file in files {
        let path = folder.join(file.path);
        std::fs::write(&path, file.bytes).map_err(|error| file_failure("write", &path, &error))?;
        #[cfg(unix)]
        if file.executable {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, mode).map_err(|error| file_failure("set the mode of", &path, &error))?;
        }
        // By its bytes, so that the exec bit is there on systems without one.
        index.add_frombuffer(&entry(file), file.bytes).map_err(git)?;
    }
    index.write().map_err(git)?;
    let tree = index.write_tree().and_then(|id| clone.find_tree(id)).map_err(git)?;
    let author = Signature::new("Slipway", "sample@slipway.local", &Time::new(now.timestamp(), 0)).map_err(git)?;
    clone.commit(Some("HEAD"), &author, &author, message, &tree, &[]).map_err(git)?;
    Ok(())
}

fn entry(file: &NewFile<'_>) -> IndexEntry {
    IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: if file.executable { EXECUTABLE } else { FILE },
        uid: 0,
        gid: 0,
        file_size: 0,
        id: git2::Oid::ZERO_SHA1,
        flags: 0,
        flags_extended: 0,
        path: file.path.as_bytes().to_vec(),
    }
}

fn beside(folder: &Path, what: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(format!(".{what}"));
    PathBuf::from(name)
}

fn file_failure(action: &str, path: &Path, error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => ErrorCode::DataReadOnly,
        _ => ErrorCode::Internal,
    };
    Failure::new(code, format!("cannot {action} {}: {error}", path.display()))
}
