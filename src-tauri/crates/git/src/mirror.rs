//! The bare repositories on disk, one per code repository (and one per submodule), and which commits they keep.

use crate::error::{in_mirror, on_disk};
use crate::library;
use git2::{ObjectType, Oid, Repository, RepositoryInitOptions};
use slipway_core::code::{CommitId, RefName};
use slipway_core::ids::CodeRepositoryId;
use slipway_core::{ErrorCode, Failure};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// A file of this name in a mirror says that something in it could not be read: the next fetch begins anew.
const DAMAGED: &str = "slipway-damaged";
/// So many commits are offered to a host as already here.
const MOST_HAVES: usize = 512;
/// So many of them are tips of other refs than those that are fetched.
const MOST_TIPS: usize = 128;

/// Who writes a mirror now; shared by the parts of one fetch.
pub(crate) type MirrorLock = Arc<OwnedMutexGuard<Swept>>;

/// Whether what a killed run left in a mirror was taken away in this run.
#[derive(Debug, Default)]
pub(crate) struct Swept(bool);

/// Where the mirrors are, and who writes which.
#[derive(Debug)]
pub(crate) struct Mirrors {
    folder: PathBuf,
    locks: Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<Swept>>>>,
}

impl Mirrors {
    /// Uses this folder; nothing is created yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, locks: Mutex::default() }
    }

    /// Returns the mirror of a code repository.
    pub(crate) fn of_repository(&self, id: CodeRepositoryId) -> PathBuf {
        self.folder.join(format!("{id}.git"))
    }

    /// Returns the mirror of a submodule that lives at this address.
    pub(crate) fn of_submodule(&self, address: &str) -> Result<PathBuf, Failure> {
        let hash = Oid::hash_object(ObjectType::Blob, address.as_bytes()).map_err(|error| in_mirror(&error))?;
        Ok(self.folder.join("modules").join(format!("{hash}.git")))
    }

    /// Waits until nobody else writes this mirror.
    pub(crate) async fn lock(&self, mirror: &Path) -> MirrorLock {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(locks.entry(mirror.to_owned()).or_default())
        };
        let mut held = lock.lock_owned().await;
        if !held.0 {
            let folder = mirror.to_owned();
            // One that cannot be swept says so when it is written.
            let _ = tokio::task::spawn_blocking(move || remove_locks(&folder)).await;
            held.0 = true;
        }
        Arc::new(held)
    }
}

/// Removes the lock files of refs and configuration that a killed run left: nobody but this program writes its mirrors, and
/// Git's library waits for no lock that is there.
fn remove_locks(mirror: &Path) {
    let mut folders = vec![mirror.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            // Of the folders at the top only that of the refs: packs and objects have no such locks.
            if is_folder && (folder != mirror || path.ends_with("refs")) {
                folders.push(path);
            } else if !is_folder && path.extension().is_some_and(|end| end == "lock") {
                tracing::info!(file = %path.display(), "a killed run left a lock in a mirror");
                if let Err(error) = std::fs::remove_file(&path) {
                    tracing::warn!(%error, "the lock stays");
                }
            }
        }
    }
}

/// Opens a mirror for reading; `None` when there is none.
pub(crate) fn open(mirror: &Path) -> Result<Option<Repository>, Failure> {
    library::prepare();
    match Repository::open_bare(mirror) {
        Ok(repository) => Ok(Some(repository)),
        Err(_) if !mirror.exists() => Ok(None),
        Err(error) => {
            mark_damaged(mirror);
            Err(Failure::new(ErrorCode::MirrorDamaged, format!("the mirror cannot be opened: {}", error.message())))
        }
    }
}

/// Opens a mirror for writing: creates it when it is not there, begins anew when it is damaged.
pub(crate) fn open_or_create(mirror: &Path) -> Result<Repository, Failure> {
    library::prepare();
    if mirror.exists() {
        if !mirror.join(DAMAGED).exists()
            && let Ok(repository) = Repository::open_bare(mirror)
        {
            return Ok(repository);
        }
        tracing::warn!("a damaged mirror is fetched anew");
        remove(mirror)?;
    }
    // No template: it could bring hooks.
    let mut options = RepositoryInitOptions::new();
    options.bare(true).mkpath(true).external_template(false).initial_head("slipway-none");
    let repository = Repository::init_opts(mirror, &options).map_err(|error| cannot_write(mirror, &error))?;
    // Without a template the library still makes an empty folder for them.
    remove(&mirror.join("hooks"))?;
    let mut config = repository.config().map_err(|error| in_mirror(&error))?;
    // For a person who runs git here: no hooks, and no collection of what builds may still need.
    config.set_str("core.hooksPath", "/dev/null").map_err(|error| in_mirror(&error))?;
    config.set_i32("gc.auto", 0).map_err(|error| in_mirror(&error))?;
    drop(config);
    Ok(repository)
}

/// libgit2 tells no input/output error's kind; asking the file system again does.
fn cannot_write(mirror: &Path, error: &git2::Error) -> Failure {
    match std::fs::create_dir_all(mirror) {
        Err(io) => on_disk("the mirror cannot be created", &io),
        Ok(()) => in_mirror(error),
    }
}

/// Remembers that something in the mirror could not be read.
pub(crate) fn mark_damaged(mirror: &Path) {
    if mirror.is_dir()
        && let Err(error) = std::fs::write(mirror.join(DAMAGED), b"")
    {
        tracing::warn!(%error, "a damaged mirror cannot be marked");
    }
}

/// Deletes a mirror.
pub(crate) fn remove(mirror: &Path) -> Result<(), Failure> {
    match std::fs::remove_dir_all(mirror) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(on_disk("the mirror cannot be removed", &error))
        }
        _ => Ok(()),
    }
}

/// Marks the mirror when the result says that it is damaged.
pub(crate) fn noting_damage<T>(mirror: &Path, result: Result<T, Failure>) -> Result<T, Failure> {
    if result.as_ref().is_err_and(|failure| failure.code == ErrorCode::MirrorDamaged) {
        mark_damaged(mirror);
    }
    result
}

/// Turns a checked id into the library's type; `None` for an id that this library cannot hold (SHA-256).
pub(crate) fn oid(id: &CommitId) -> Option<Oid> {
    Oid::from_str(id.as_str()).ok().filter(|_| id.as_str().len() == 40)
}

/// Returns true when the mirror has this object.
pub(crate) fn has(repository: &Repository, id: Oid) -> Result<bool, Failure> {
    Ok(repository.odb().map_err(|error| in_mirror(&error))?.exists(id))
}

/// The ref of the mirror that keeps what a ref of the remote pointed at. Its last part is a hash of the name: names that differ
/// only in case, that contain each other (`a`, `a/b`) or that are longer than a file name may be must not meet on disk.
fn kept_name(name: &RefName) -> Result<String, Failure> {
    let folder = if name.as_str().starts_with("refs/tags/") { "tags" } else { "heads" };
    let hash = Oid::hash_object(ObjectType::Blob, name.as_str().as_bytes()).map_err(|error| in_mirror(&error))?;
    Ok(format!("refs/slipway/{folder}/{hash}"))
}

/// Keeps what a ref points at now. What it pointed at before stays kept as well when it is no part of the new history.
pub(crate) fn keep_ref(repository: &Repository, name: &RefName, to: Oid) -> Result<(), Failure> {
    let kept = kept_name(name)?;
    if let Ok(before) = repository.find_reference(&kept)
        && let Some(old) = before.target()
        && old != to
        && !repository.graph_descendant_of(to, old).unwrap_or(false)
    {
        keep_commit(repository, old)?;
    }
    repository.reference(&kept, to, true, "").map(drop).map_err(|error| in_mirror(&error))
}

/// Keeps one commit, whatever the refs do.
pub(crate) fn keep_commit(repository: &Repository, id: Oid) -> Result<(), Failure> {
    repository
        .reference(&format!("refs/slipway/commits/{id}"), id, true, "")
        .map(drop)
        .map_err(|error| in_mirror(&error))
}

/// Chooses commits of the mirror that a host is told about, so that it sends only what is new: what these refs pointed at
/// before, then other tips, then newer history.
pub(crate) fn haves(repository: &Repository, refs: &[RefName]) -> Result<Vec<Oid>, Failure> {
    let mut chosen = Vec::new();
    let mut seen = HashSet::new();
    for name in refs {
        if let Some(id) = repository.find_reference(&kept_name(name)?).ok().and_then(|kept| kept.target())
            && seen.insert(id)
        {
            chosen.push(id);
        }
    }
    for reference in repository.references_glob("refs/slipway/*").map_err(|error| in_mirror(&error))? {
        let reference = reference.map_err(|error| in_mirror(&error))?;
        if let Some(id) = reference.target()
            && chosen.len() < MOST_TIPS
            && seen.insert(id)
        {
            chosen.push(id);
        }
    }
    let odb = repository.odb().map_err(|error| in_mirror(&error))?;
    if chosen.iter().any(|id| !odb.exists(*id)) {
        return Err(Failure::new(ErrorCode::MirrorDamaged, "the mirror has lost commits"));
    }
    let mut walk = repository.revwalk().map_err(|error| in_mirror(&error))?;
    for id in &chosen {
        // A tag of something else than a commit has no history.
        let _ = walk.push(*id);
    }
    // A shallow history ends in an error: what came before it is enough.
    chosen.extend(walk.map_while(Result::ok).filter(|id| seen.insert(*id)).take(MOST_HAVES));
    chosen.truncate(MOST_HAVES);
    Ok(chosen)
}
