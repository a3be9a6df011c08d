//! What a mirror knows: commits, differences, folders and files.

use crate::error::{in_mirror, not_found};
use crate::mirror;
use bytes::Bytes;
use chrono::DateTime;
use git2::{Commit, Delta, DiffOptions, ObjectType, Oid, Repository, Tree};
use slipway_core::code::{ChangedPaths, CommitDetails, CommitId, RepoPath, TreeEntry, TreeEntryKind};
use slipway_core::version::CommitsBetween;
use slipway_core::{ErrorCode, Failure};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// A commit message is kept up to this many bytes.
const LONGEST_MESSAGE: usize = 64 * 1024;
/// Abbreviated ids are at least this long.
const SHORTEST_ID: usize = 4;

const LINK: i32 = 0o120_000;
const EXECUTABLE: i32 = 0o100_755;

/// Opens the mirror and runs a question against it; a damaged mirror is marked so that the next fetch begins anew.
pub(crate) fn ask<T>(
    folder: &Path,
    what: &str,
    question: impl FnOnce(&Repository) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let answer = match mirror::open(folder)? {
        Some(repository) => question(&repository),
        None => Err(not_found(what)),
    };
    mirror::noting_damage(folder, answer)
}

/// The commit that an object is or leads to (an annotated tag).
///
/// # Errors
/// [`ErrorCode::RefNotFound`] when it is not in the mirror or leads to no commit.
pub(crate) fn find<'a>(repository: &'a Repository, id: &CommitId) -> Result<Commit<'a>, Failure> {
    let oid = mirror::oid(id).ok_or_else(|| not_found(id.as_str()))?;
    if !mirror::has(repository, oid)? {
        return Err(not_found(id.as_str()));
    }
    let object = repository.find_object(oid, None).map_err(|error| in_mirror(&error))?;
    match object.kind() {
        Some(ObjectType::Commit | ObjectType::Tag) => object.peel_to_commit().map_err(|error| match error.code() {
            git2::ErrorCode::InvalidSpec | git2::ErrorCode::Peel => not_found(id.as_str()),
            _ => in_mirror(&error),
        }),
        _ => Err(not_found(id.as_str())),
    }
}

/// Finds a commit by its full or abbreviated id.
///
/// # Errors
/// [`ErrorCode::RefNotFound`], with the detail `ambiguous` when several commits begin like this.
pub(crate) fn find_abbreviated(folder: &Path, abbreviated: &str) -> Result<CommitId, Failure> {
    let hex = abbreviated.trim().to_ascii_lowercase();
    if hex.len() < SHORTEST_ID || hex.len() > 40 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(not_found(&crate::error::plain(abbreviated)));
    }
    ask(folder, &hex, |_| {
        let repository = gix::open_opts(folder, gix::open::Options::isolated())
            .map_err(|error| crate::error::broken_object(&hex, error))?;
        let prefix = gix::hash::Prefix::from_hex(&hex).map_err(|_| not_found(&hex))?;
        let mut candidates = HashSet::new();
        repository
            .objects
            .lookup_prefix(prefix, Some(&mut candidates))
            .map_err(|error| crate::error::broken_object(&hex, error))?;
        let mut commits = candidates
            .into_iter()
            .filter(|id| repository.find_header(*id).is_ok_and(|header| header.kind() == gix::objs::Kind::Commit));
        match (commits.next(), commits.next()) {
            (None, _) => Err(not_found(&hex)),
            (Some(only), None) => CommitId::new(only.to_string()),
            (Some(_), Some(_)) => {
                Err(Failure::new(ErrorCode::RefNotFound, format!("several commits begin with {hex}"))
                    .with("ref", &*hex)
                    .with("ambiguous", "true"))
            }
        }
    })
}

/// What is shown about a commit.
pub(crate) fn details(repository: &Repository, id: &CommitId) -> Result<CommitDetails, Failure> {
    let commit = find(repository, id)?;
    let message = String::from_utf8_lossy(commit.message_bytes());
    let end = message.floor_char_boundary(LONGEST_MESSAGE);
    let author = commit.author();
    Ok(CommitDetails {
        id: CommitId::new(commit.id().to_string())?,
        summary: message.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim().to_owned(),
        message: message[..end].to_owned(),
        author: String::from_utf8_lossy(author.name_bytes()).into_owned(),
        author_email: String::from_utf8_lossy(author.email_bytes()).into_owned(),
        committed_at: DateTime::from_timestamp(commit.time().seconds(), 0).unwrap_or_default(),
        parents: commit.parent_ids().map(|parent| CommitId::new(parent.to_string())).collect::<Result<_, _>>()?,
    })
}

/// The paths that differ between two commits; both names of a rename.
pub(crate) fn changed_paths(repository: &Repository, from: &CommitId, to: &CommitId) -> Result<ChangedPaths, Failure> {
    let after = find(repository, to)?.tree().map_err(|error| in_mirror(&error))?;
    let before = match find(repository, from) {
        Ok(commit) => commit.tree().map_err(|error| in_mirror(&error))?,
        Err(failure) if failure.code == ErrorCode::RefNotFound => return Ok(ChangedPaths::UnknownBase),
        Err(failure) => return Err(failure),
    };
    let mut options = DiffOptions::new();
    options.include_typechange(true).skip_binary_check(true).ignore_submodules(false);
    let diff = repository
        .diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options))
        .map_err(|error| in_mirror(&error))?;
    let paths: BTreeSet<String> = diff
        .deltas()
        .filter(|delta| delta.status() != Delta::Unmodified)
        .flat_map(|delta| [delta.old_file().path_bytes(), delta.new_file().path_bytes()])
        .flatten()
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect();
    Ok(ChangedPaths::Known { paths: paths.into_iter().collect() })
}

/// What is at a path of a commit.
pub(crate) enum At<'a> {
    /// A folder.
    Folder(Tree<'a>),
    /// A regular file.
    File(Oid),
    /// A symbolic link, at the end or on the way.
    Link,
    /// A submodule, at the end or on the way.
    Submodule,
    /// Nothing, or a file where a folder is needed.
    Nothing,
}

/// Walks down a tree without following anything.
pub(crate) fn at<'a>(repository: &'a Repository, root: Tree<'a>, path: &RepoPath) -> Result<At<'a>, Failure> {
    let mut folder = root;
    if path.is_root() {
        return Ok(At::Folder(folder));
    }
    let mut parts = path.as_str().split('/').peekable();
    while let Some(part) = parts.next() {
        let Some((id, kind, mode)) =
            folder.get_name_bytes(part.as_bytes()).map(|entry| (entry.id(), entry.kind(), entry.filemode()))
        else {
            return Ok(At::Nothing);
        };
        match kind {
            Some(ObjectType::Tree) => folder = repository.find_tree(id).map_err(|error| in_mirror(&error))?,
            Some(ObjectType::Commit) => return Ok(At::Submodule),
            _ if mode == LINK => return Ok(At::Link),
            _ if parts.peek().is_some() => return Ok(At::Nothing),
            _ => return Ok(At::File(id)),
        }
    }
    Ok(At::Folder(folder))
}

/// The failure for a path that cannot be used because of what is there.
pub(crate) fn bad_path(path: &RepoPath, why: &str) -> Failure {
    Failure::new(ErrorCode::BadRepositoryPath, format!("{path}: {why}")).with("path", path.as_str())
}

/// The failure for a build directory that is not there.
pub(crate) fn no_folder(path: &RepoPath) -> Failure {
    Failure::new(ErrorCode::ContextMissing, format!("{path} is no folder of this commit")).with("path", path.as_str())
}

/// Returns the commits that one of two has and the other has not.
pub(crate) fn between(
    repository: &Repository,
    from: &CommitId,
    to: &CommitId,
    limit: usize,
) -> Result<CommitsBetween, Failure> {
    let (from, to) = (find(repository, from)?.id(), find(repository, to)?.id());
    let (added, added_total) = only_in(repository, to, from, limit)?;
    let (removed, removed_total) = only_in(repository, from, to, limit)?;
    Ok(CommitsBetween { added, added_total, removed, removed_total })
}

fn only_in(repository: &Repository, of: Oid, not: Oid, limit: usize) -> Result<(Vec<CommitDetails>, u64), Failure> {
    let walk = || -> Result<_, git2::Error> {
        let mut walk = repository.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME)?;
        walk.push(of)?;
        walk.hide(not)?;
        walk.collect::<Result<Vec<Oid>, _>>()
    };
    let found = walk().map_err(|error| in_mirror(&error))?;
    let shown = found.iter().take(limit).map(|id| details(repository, &CommitId::new(id.to_string())?));
    Ok((shown.collect::<Result<_, _>>()?, found.len() as u64))
}

/// Lists a folder, folders and submodules first, then by name. Bytes of a name that are not UTF-8 are shown as replacements.
pub(crate) fn list(repository: &Repository, commit: &CommitId, path: &RepoPath) -> Result<Vec<TreeEntry>, Failure> {
    let root = find(repository, commit)?.tree().map_err(|error| in_mirror(&error))?;
    let folder = match at(repository, root, path)? {
        At::Folder(folder) => folder,
        At::Link => return Err(bad_path(path, "it goes through a symbolic link")),
        At::Submodule => return Err(bad_path(path, "it lies in a submodule")),
        At::File(_) | At::Nothing => return Err(no_folder(path)),
    };
    let odb = repository.odb().map_err(|error| in_mirror(&error))?;
    let mut entries = Vec::with_capacity(folder.len());
    for entry in folder.iter() {
        let kind = match (entry.kind(), entry.filemode()) {
            (Some(ObjectType::Tree), _) => TreeEntryKind::Folder,
            (Some(ObjectType::Commit), _) => TreeEntryKind::Submodule,
            (_, LINK) => TreeEntryKind::Symlink,
            (_, EXECUTABLE) => TreeEntryKind::Executable,
            _ => TreeEntryKind::File,
        };
        let size = match kind {
            TreeEntryKind::File | TreeEntryKind::Executable => {
                Some(odb.read_header(entry.id()).map_err(|error| in_mirror(&error))?.0 as u64)
            }
            _ => None,
        };
        entries.push(TreeEntry { name: String::from_utf8_lossy(entry.name_bytes()).into_owned(), kind, size });
    }
    let file = |entry: &TreeEntry| !matches!(entry.kind, TreeEntryKind::Folder | TreeEntryKind::Submodule);
    entries.sort_by(|a, b| (file(a), &a.name).cmp(&(file(b), &b.name)));
    Ok(entries)
}

/// Reads a file; `None` when nothing is at this path.
///
/// # Errors
/// [`ErrorCode::BadRepositoryPath`] for a symbolic link, a folder, a path into a submodule, or a file of more than `limit` bytes.
pub(crate) fn read(
    repository: &Repository,
    commit: &CommitId,
    path: &RepoPath,
    limit: u64,
) -> Result<Option<Bytes>, Failure> {
    let root = find(repository, commit)?.tree().map_err(|error| in_mirror(&error))?;
    let id = match at(repository, root, path)? {
        At::File(id) => id,
        At::Nothing => return Ok(None),
        At::Folder(_) => return Err(bad_path(path, "it is a folder")),
        At::Link => return Err(bad_path(path, "it goes through a symbolic link")),
        At::Submodule => return Err(bad_path(path, "it lies in a submodule")),
    };
    let odb = repository.odb().map_err(|error| in_mirror(&error))?;
    if odb.read_header(id).map_err(|error| in_mirror(&error))?.0 as u64 > limit {
        return Err(bad_path(path, &format!("it is larger than {limit} bytes")));
    }
    let object = odb.read(id).map_err(|error| in_mirror(&error))?;
    Ok(Some(Bytes::copy_from_slice(object.data())))
}
