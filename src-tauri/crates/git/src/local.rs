//! Clones on this machine: opening them and reading their refs. A clone is never written, and nothing of its configuration or
//! hooks is executed.

use crate::error::{in_clone, plain};
use crate::library;
use git2::{ObjectType, Repository, RepositoryOpenFlags};
use slipway_core::code::{CommitId, RefName, RemoteRef, RemoteRefs};
use slipway_core::{ErrorCode, Failure};
use std::ffi::OsStr;
use std::path::Path;

/// Opens a clone: a work tree, a linked work tree or a bare repository.
///
/// # Errors
/// [`ErrorCode::BadCodeLocation`] when the path is relative or no repository that can be read.
pub(crate) fn open(path: &Path) -> Result<Repository, Failure> {
    library::prepare();
    let bad = |why: String| {
        Err(Failure::new(ErrorCode::BadCodeLocation, format!("{}: {why}", path.display()))
            .at("path")
            .with("path", path.display().to_string()))
    };
    if !path.is_absolute() {
        return bad("the folder must be given as a whole path".to_owned());
    }
    let no_search = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::CROSS_FS;
    match Repository::open_ext(path, no_search, std::iter::empty::<&OsStr>()) {
        Ok(repository) => Ok(repository),
        Err(error) => bad(format!("this is no Git repository that can be read ({})", plain(error.message()))),
    }
}

/// Reads branches and tags; `only` narrows the question to some refs.
pub(crate) fn refs(clone: &Repository, only: Option<&[RefName]>) -> Result<RemoteRefs, Failure> {
    let mut refs = RemoteRefs { default_branch: default_branch(clone), ..RemoteRefs::default() };
    match only {
        Some(names) => names.iter().for_each(|name| take(&mut refs, clone, name.as_str())),
        None => {
            let mut all = clone.references().map_err(|error| in_clone(&error))?;
            for name in all.names() {
                match name {
                    Ok(name) if name.starts_with("refs/heads/") || name.starts_with("refs/tags/") => {
                        take(&mut refs, clone, name);
                    }
                    Ok(_) => {}
                    // A name that is not UTF-8.
                    Err(_) => refs.unusable += 1,
                }
            }
        }
    }
    refs.refs.sort_by(|a, b| a.name.cmp(&b.name));
    refs.refs.dedup_by(|a, b| a.name == b.name);
    Ok(refs)
}

fn default_branch(clone: &Repository) -> Option<RefName> {
    let head = clone.find_reference("HEAD").ok()?;
    RefName::new(std::str::from_utf8(head.symbolic_target_bytes()?).ok()?).ok()
}

fn take(refs: &mut RemoteRefs, clone: &Repository, name: &str) {
    let reference = match clone.find_reference(name).and_then(|reference| reference.resolve()) {
        Ok(reference) => reference,
        // Deleted meanwhile, or a symbolic branch that points nowhere.
        Err(error) if error.code() == git2::ErrorCode::NotFound => return,
        // A packed name that is too long for a file cannot be looked up.
        Err(_) => {
            refs.unusable += 1;
            return;
        }
    };
    let Some(object) = reference.target() else { return };
    let (Ok(name), Ok(id)) = (RefName::new(name), CommitId::new(object.to_string())) else {
        refs.unusable += 1;
        return;
    };
    let commit = match clone.find_object(object, None) {
        Ok(found) if found.kind() == Some(ObjectType::Tag) => {
            found.peel_to_commit().ok().and_then(|commit| CommitId::new(commit.id().to_string()).ok())
        }
        _ => Some(id.clone()),
    };
    refs.refs.push(RemoteRef { name, object: id, commit });
}

/// The address of the clone's `origin`, where relative addresses of submodules begin.
pub(crate) fn origin(path: &Path) -> Option<String> {
    let clone = open(path).ok()?;
    let remote = clone.find_remote("origin").ok()?;
    std::str::from_utf8(remote.url_bytes()).ok().map(str::to_owned)
}
