//! Clones on this machine: reading their refs, and copying what they point at into a mirror. A clone is never written, and
//! nothing of its configuration or hooks is executed.

use crate::blocking::go_on;
use crate::error::{in_mirror, plain};
use crate::library;
use git2::{ObjectType, Odb, OdbLookupFlags, Oid, PackBuilder, Repository, RepositoryOpenFlags};
use slipway_core::code::{CommitId, RefName, RemoteRef, RemoteRefs};
use slipway_core::{ErrorCode, Failure};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// One new commit with at most so many new objects is written object by object, which takes less time than a pack.
const FEW_OBJECTS: usize = 256;
/// Folders nested deeper are an attack on the stack; Git's own limit is 2048, and paths end long before.
const DEEPEST_FOLDER: usize = 1000;

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

fn in_clone(error: &git2::Error) -> Failure {
    Failure::new(ErrorCode::SourceServerError, format!("the clone cannot be read: {}", plain(error.message())))
}

/// Objects that the mirror does not have, children before what refers to them.
struct Missing<'a> {
    clone: &'a Repository,
    mirror: Odb<'a>,
    seen: HashSet<Oid>,
    objects: Vec<(Oid, String)>,
    commits: usize,
    stop: &'a AtomicBool,
}

impl Missing<'_> {
    /// True the first time that an object which the mirror lacks is met. Each mirror holds, with an object, all that it refers
    /// to: whatever is there ends the search.
    fn is_new(&mut self, id: Oid) -> bool {
        self.seen.insert(id) && !self.mirror.exists_ext(id, OdbLookupFlags::NO_REFRESH)
    }

    fn add_history(&mut self, tips: &[Oid]) -> Result<(), Failure> {
        let mut found = Vec::new();
        let mut pending = tips.to_vec();
        while let Some(id) = pending.pop() {
            go_on(self.stop)?;
            if !self.is_new(id) {
                continue;
            }
            let object = self.clone.find_object(id, None).map_err(|error| in_clone(&error))?;
            match object.kind() {
                Some(ObjectType::Commit) => {
                    let commit = object.peel_to_commit().map_err(|error| in_clone(&error))?;
                    // A shallow clone has no parents at its edge.
                    pending.extend(commit.parent_ids().filter(|parent| self.clone.find_commit(*parent).is_ok()));
                    found.push((id, Some(commit.tree_id())));
                    self.commits += 1;
                }
                Some(ObjectType::Tag) => {
                    let tag = object.peel_to_tag().map_err(|error| in_clone(&error))?;
                    pending.push(tag.target_id());
                    found.push((id, None));
                }
                Some(ObjectType::Tree) => {
                    self.seen.remove(&id);
                    self.add_tree(id, "", 0)?;
                }
                _ => self.objects.push((id, String::new())),
            }
        }
        for (id, tree) in found.into_iter().rev() {
            if let Some(tree) = tree {
                self.add_tree(tree, "", 0)?;
            }
            self.objects.push((id, String::new()));
        }
        Ok(())
    }

    fn add_tree(&mut self, id: Oid, path: &str, depth: usize) -> Result<(), Failure> {
        go_on(self.stop)?;
        if !self.is_new(id) {
            return Ok(());
        }
        if depth > DEEPEST_FOLDER {
            return Err(Failure::new(ErrorCode::BadFileName, "folders of the commit are nested too deep"));
        }
        let tree = self.clone.find_tree(id).map_err(|error| in_clone(&error))?;
        for entry in tree.iter() {
            // The name groups versions of one file for delta compression.
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            match entry.kind() {
                Some(ObjectType::Tree) => self.add_tree(entry.id(), &name, depth + 1)?,
                Some(ObjectType::Blob) if self.is_new(entry.id()) => self.objects.push((entry.id(), name)),
                _ => {}
            }
        }
        self.objects.push((id, path.to_owned()));
        Ok(())
    }
}

/// Copies everything that these objects of the clone refer to, and that the mirror lacks, into the mirror.
pub(crate) fn copy(clone: &Repository, mirror: &Repository, tips: &[Oid], stop: &AtomicBool) -> Result<(), Failure> {
    let odb = mirror.odb().map_err(|error| in_mirror(&error))?;
    let mut missing = Missing { clone, mirror: odb, seen: HashSet::new(), objects: Vec::new(), commits: 0, stop };
    missing.add_history(tips)?;
    let Missing { mirror: odb, objects, commits, .. } = missing;
    if objects.is_empty() {
        return Ok(());
    }
    // Written one by one, a commit comes last, so a crash leaves no commit without its files. Several commits go into one
    // pack, which appears as a whole.
    if commits <= 1 && objects.len() <= FEW_OBJECTS {
        copy_each(clone, &odb, &objects, stop)
    } else {
        copy_pack(clone, &odb, &objects, stop)
    }
}

fn copy_each(clone: &Repository, odb: &Odb<'_>, objects: &[(Oid, String)], stop: &AtomicBool) -> Result<(), Failure> {
    let source = clone.odb().map_err(|error| in_clone(&error))?;
    for (id, _) in objects {
        go_on(stop)?;
        let object = source.read(*id).map_err(|error| in_clone(&error))?;
        odb.write(object.kind(), object.data()).map_err(|error| in_mirror(&error))?;
    }
    Ok(())
}

fn copy_pack(clone: &Repository, odb: &Odb<'_>, objects: &[(Oid, String)], stop: &AtomicBool) -> Result<(), Failure> {
    let mut builder: PackBuilder<'_> = clone.packbuilder().map_err(|error| in_clone(&error))?;
    builder.set_threads(0);
    builder.set_progress_callback(|_, _, _| go_on(stop).is_ok()).map_err(|error| in_clone(&error))?;
    for (id, name) in objects {
        builder
            .insert_object(*id, Some(name.as_str()).filter(|name| !name.is_empty() && !name.contains('\0')))
            .map_err(|error| in_clone(&error))?;
    }
    let mut writer = odb.packwriter().map_err(|error| in_mirror(&error))?;
    let mut written = Ok(());
    let built = builder.foreach(|bytes| {
        written = go_on(stop).and_then(|()| {
            writer.write_all(bytes).map_err(|error| Failure::internal(format!("the mirror cannot be written: {error}")))
        });
        written.is_ok()
    });
    go_on(stop)?;
    written?;
    built.map_err(|error| in_clone(&error))?;
    writer.commit().map_err(|error| in_mirror(&error))?;
    Ok(())
}

/// The address of the clone's `origin`, where relative addresses of submodules begin.
pub(crate) fn origin(path: &Path) -> Option<String> {
    let clone = open(path).ok()?;
    let remote = clone.find_remote("origin").ok()?;
    std::str::from_utf8(remote.url_bytes()).ok().map(str::to_owned)
}
