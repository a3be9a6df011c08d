//! Writing a starter into a work tree: new files only, never through a link.

use super::StarterFile;
use slipway_core::code::RepoPath;
use slipway_core::{ErrorCode, Failure};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// New files.
    pub written: Vec<PathBuf>,
    /// Files that were there and stay as they are.
    pub kept: Vec<PathBuf>,
}

pub(super) fn not_here(why: &str) -> Failure {
    Failure::new(ErrorCode::WrongState, why).at("code")
}

/// Writes the files that are not there yet. The first one is the Dockerfile: where it is, nothing is written.
pub(super) fn write(clone: &Path, folder: &RepoPath, files: &[StarterFile]) -> Result<Written, Failure> {
    // A work tree has `.git`, as a folder or (a linked one) as a file; a bare repository has neither.
    if clone.join(".git").symlink_metadata().is_err() {
        return Err(not_here("this clone has no work tree"));
    }
    let target = plain_folder(clone, folder)?;
    let mut result = Written::default();
    for (index, file) in files.iter().enumerate() {
        let path = target.join(file.name);
        // Made anew or not at all: what a person wrote in the same moment stays, and a link is not followed.
        match std::fs::OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut new) => {
                new.write_all(file.text.as_bytes()).map_err(|error| file_failure(&path, &error))?;
                result.written.push(path);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && index == 0 => {
                return Err(Failure::new(ErrorCode::WrongState, format!("{} is there already", path.display()))
                    .at("folder")
                    .with("path", path.display().to_string()));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => result.kept.push(path),
            Err(error) => return Err(file_failure(&path, &error)),
        }
    }
    Ok(result)
}

/// Returns the folder's place; every part of the way is a real folder.
fn plain_folder(clone: &Path, folder: &RepoPath) -> Result<PathBuf, Failure> {
    let mut place = clone.to_owned();
    for part in folder.as_str().split('/').filter(|part| !part.is_empty()) {
        place.push(part);
        if !place.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(Failure::new(ErrorCode::BadRepositoryPath, format!("{folder}: there is no such folder"))
                .at("folder")
                .with("path", folder.as_str()));
        }
    }
    Ok(place)
}

fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ErrorCode::DiskFull,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotFound => ErrorCode::WrongState,
        _ => ErrorCode::Internal,
    };
    Failure::new(code, format!("cannot write {}: {error}", path.display())).with("path", path.display().to_string())
}
