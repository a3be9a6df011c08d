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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILES: &[StarterFile] = &[
        StarterFile { name: "Dockerfile", text: "FROM scratch\n" },
        StarterFile { name: ".dockerignore", text: ".git\n" },
    ];

    fn clone() -> tempfile::TempDir {
        let clone = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(clone.path().join(".git")).unwrap();
        std::fs::create_dir_all(clone.path().join("web/app")).unwrap();
        clone
    }

    fn folder(path: &str) -> RepoPath {
        RepoPath::new(path).unwrap()
    }

    #[test]
    fn new_files_are_written_and_others_stay() {
        let clone = clone();
        std::fs::write(clone.path().join("web/app/.dockerignore"), "mine").unwrap();
        let done = write(clone.path(), &folder("web/app"), FILES).unwrap();
        let place = clone.path().join("web/app");
        assert_eq!((done.written, done.kept), (vec![place.join("Dockerfile")], vec![place.join(".dockerignore")]));
        assert_eq!(std::fs::read_to_string(place.join("Dockerfile")).unwrap(), "FROM scratch\n");
        assert_eq!(std::fs::read_to_string(place.join(".dockerignore")).unwrap(), "mine");
        assert_eq!(write(clone.path(), &RepoPath::root(), FILES).unwrap().written.len(), 2);
    }

    #[test]
    fn a_dockerfile_that_is_there_is_never_replaced() {
        let clone = clone();
        std::fs::write(clone.path().join("Dockerfile"), "mine").unwrap();
        let refused = write(clone.path(), &RepoPath::root(), FILES).unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::WrongState, Some("folder")));
        assert_eq!(std::fs::read_to_string(clone.path().join("Dockerfile")).unwrap(), "mine");
        assert!(!clone.path().join(".dockerignore").exists());
    }

    #[cfg(unix)]
    #[test]
    fn t13_links_lead_nowhere() {
        let (clone, outside) = (clone(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), clone.path().join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("x"), clone.path().join("web/Dockerfile")).unwrap();
        assert_eq!(write(clone.path(), &folder("out"), FILES).unwrap_err().code, ErrorCode::BadRepositoryPath);
        assert_eq!(write(clone.path(), &folder("web"), FILES).unwrap_err().code, ErrorCode::WrongState);
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_must_be_there_and_the_clone_must_have_a_work_tree() {
        let clone = clone();
        assert_eq!(write(clone.path(), &folder("none"), FILES).unwrap_err().code, ErrorCode::BadRepositoryPath);
        let bare = tempfile::tempdir().unwrap();
        assert_eq!(write(bare.path(), &RepoPath::root(), FILES).unwrap_err().code, ErrorCode::WrongState);
    }
}
