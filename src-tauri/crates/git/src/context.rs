//! A folder of a commit as a build context: listed and read straight from git objects, nothing is checked out.
//!
//! The bytes are the commit's as Git stores them: no end-of-line conversion, no `export-ignore`, no filter.

use crate::error::broken_object;
use crate::mirror;
use gix::ObjectId;
use gix::objs::tree::EntryKind;
use slipway_core::code::RepoPath;
use slipway_core::ports::{ContentId, ContextEntry, ContextKind, ContextTree};
use slipway_core::{ErrorCode, Failure};
use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Bytes of decoded objects that one reader keeps as bases of deltas. Without it histories with deep deltas read ten times
/// slower (measured).
const DELTA_CACHE: usize = 256 << 20;
/// So many readers, each with its cache, are kept between calls.
const IDLE_READERS: usize = 2;
/// Git LFS pointers are shorter than this and begin like that (its specification).
const LFS_POINTER_SIZE: u64 = 1024;
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// A tree of one of the repositories that the context is made of.
#[derive(Debug, Clone, Copy)]
enum Folder {
    /// A tree object.
    Tree { source: usize, id: ObjectId },
    /// A gitlink that `.gitmodules` does not know: Git itself checks out an empty folder.
    Empty,
}

/// One mirror, with readers that keep their caches between calls.
struct Source {
    mirror: PathBuf,
    repository: gix::ThreadSafeRepository,
    idle: Mutex<Vec<gix::Repository>>,
}

impl Source {
    fn open(mirror: &Path) -> Result<Self, Failure> {
        let repository = gix::open::Options::isolated()
            .open_path_as_is(true)
            .open(mirror)
            .map_err(|error| Failure::new(ErrorCode::MirrorDamaged, format!("the mirror cannot be opened: {error}")));
        let repository = mirror::noting_damage(mirror, repository)?;
        Ok(Self { mirror: mirror.to_owned(), repository, idle: Mutex::default() })
    }

    /// Runs one read with a reader of this thread's own; what cannot be read marks the mirror.
    fn read<T>(&self, work: impl FnOnce(&gix::Repository) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = idle.unwrap_or_else(|| {
            let mut reader = self.repository.to_thread_local();
            reader.objects.set_pack_cache(|| {
                Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(DELTA_CACHE / IDLE_READERS))
            });
            reader
        });
        let result = mirror::noting_damage(&self.mirror, work(&reader));
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(reader);
        }
        result
    }
}

/// A submodule that was brought into a mirror of its own.
#[derive(Debug, Clone)]
pub(crate) struct FetchedModule {
    /// Its path from the repository's root.
    pub(crate) path: String,
    /// The mirror that holds it.
    pub(crate) mirror: PathBuf,
    /// The tree of its pinned commit.
    pub(crate) tree: git2::Oid,
}

/// Facts about a file that was listed.
#[derive(Debug, Clone)]
struct Listed {
    source: usize,
    /// The path, for files so small that they may be a Git LFS pointer.
    small: Option<Box<str>>,
}

/// See the module's documentation.
pub(crate) struct GitContext {
    sources: Vec<Source>,
    /// The context's folder, from the repository's root.
    folder: RepoPath,
    /// Submodules by their path from the repository's root.
    modules: HashMap<String, Folder>,
    /// Folders that were met, by their path from the repository's root.
    folders: Mutex<HashMap<String, Folder>>,
    listed: Mutex<HashMap<ObjectId, Listed>>,
}

impl GitContext {
    /// Opens the folder of a commit's tree.
    ///
    /// # Errors
    /// [`ErrorCode::ContextMissing`] when there is no such folder, [`ErrorCode::BadRepositoryPath`] when it goes through a
    /// symbolic link.
    pub(crate) fn open(
        mirror: &Path,
        tree: git2::Oid,
        folder: &RepoPath,
        modules: &[FetchedModule],
    ) -> Result<Self, Failure> {
        let mut sources = vec![Source::open(mirror)?];
        let mut by_path = HashMap::new();
        for module in modules {
            let source = match sources.iter().position(|source| source.mirror == module.mirror) {
                Some(known) => known,
                None => {
                    sources.push(Source::open(&module.mirror)?);
                    sources.len() - 1
                }
            };
            by_path.insert(module.path.clone(), Folder::Tree { source, id: object_id(module.tree)? });
        }
        let root = Folder::Tree { source: 0, id: object_id(tree)? };
        let context = Self {
            sources,
            folder: folder.clone(),
            modules: by_path,
            folders: Mutex::new(HashMap::from([(String::new(), root)])),
            listed: Mutex::default(),
        };
        context.find(folder.as_str())?;
        Ok(context)
    }

    /// Finds a folder by its path from the repository's root.
    fn find(&self, path: &str) -> Result<Folder, Failure> {
        if let Some(known) = self.folders.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(*known);
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let missing = || {
            Failure::new(ErrorCode::ContextMissing, format!("{path:?} is no folder of this commit")).with("path", path)
        };
        let Folder::Tree { source, id } = self.find(parent)? else { return Err(missing()) };
        let entry = self.sources[source].read(|repository| {
            let tree = repository.find_tree(id).map_err(|error| broken_object(id, error))?;
            let tree = tree.decode().map_err(|error| broken_object(id, error))?;
            Ok(tree
                .entries
                .iter()
                .find(|entry| entry.filename == name)
                .map(|entry| (entry.mode.kind(), entry.oid.to_owned())))
        })?;
        let folder = match entry {
            Some((EntryKind::Tree, id)) => Folder::Tree { source, id },
            Some((EntryKind::Commit, _)) => self.module(path),
            Some((EntryKind::Link, _)) => {
                return Err(Failure::new(
                    ErrorCode::BadRepositoryPath,
                    format!("{path:?} goes through a symbolic link"),
                )
                .with("path", path));
            }
            _ => return Err(missing()),
        };
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), folder);
        Ok(folder)
    }

    fn module(&self, path: &str) -> Folder {
        self.modules.get(path).copied().unwrap_or(Folder::Empty)
    }

    fn entry(
        &self,
        repository: &gix::Repository,
        source: usize,
        folder: &str,
        entry: &gix::objs::tree::EntryRef<'_>,
    ) -> Result<ContextEntry, Failure> {
        let bad_name = |shown: &str| {
            let path = join(folder, shown);
            Failure::new(ErrorCode::BadFileName, format!("the engine cannot be given a file named {path:?}"))
                .with("path", path)
        };
        let bytes: &[u8] = entry.filename;
        let name = std::str::from_utf8(bytes).map_err(|_| bad_name(&String::from_utf8_lossy(bytes)))?;
        // Git refuses to check out such names: they would leave the folder or hide Git's own.
        if name.is_empty()
            || name.contains(['/', '\0'])
            || name == "."
            || name == ".."
            || name.eq_ignore_ascii_case(".git")
        {
            return Err(bad_name(name));
        }
        let id = entry.oid.to_owned();
        let path = join(folder, name);
        let kind = match entry.mode.kind() {
            EntryKind::Tree => {
                self.remember_folder(path, Folder::Tree { source, id });
                ContextKind::Folder
            }
            EntryKind::Commit => {
                let module = self.module(&path);
                self.remember_folder(path, module);
                ContextKind::Folder
            }
            EntryKind::Link => {
                let target = repository.find_object(id).map_err(|error| broken_object(id, error))?;
                let target = std::str::from_utf8(&target.data).map_err(|_| bad_name(name))?;
                ContextKind::Symlink { target: target.to_owned() }
            }
            mode @ (EntryKind::Blob | EntryKind::BlobExecutable) => {
                let size = repository.find_header(id).map_err(|error| broken_object(id, error))?.size();
                let small = (size < LFS_POINTER_SIZE).then(|| path.into_boxed_str());
                if source > 0 || small.is_some() {
                    let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
                    listed.insert(id, Listed { source, small });
                }
                ContextKind::File {
                    id: ContentId(id.as_slice().to_vec()),
                    size,
                    executable: mode == EntryKind::BlobExecutable,
                }
            }
        };
        Ok(ContextEntry { name: name.to_owned(), kind })
    }

    fn remember_folder(&self, path: String, folder: Folder) {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).insert(path, folder);
    }
}

impl ContextTree for GitContext {
    fn list(&self, folder: &str) -> Result<Vec<ContextEntry>, Failure> {
        let path = if folder.is_empty() { self.folder.as_str().to_owned() } else { join(self.folder.as_str(), folder) };
        let Folder::Tree { source, id } = self.find(&path)? else { return Ok(Vec::new()) };
        let mut entries = self.sources[source].read(|repository| {
            let tree = repository.find_tree(id).map_err(|error| broken_object(id, error))?;
            let tree = tree.decode().map_err(|error| broken_object(id, error))?;
            tree.entries.iter().map(|entry| self.entry(repository, source, &path, entry)).collect::<Result<Vec<_>, _>>()
        })?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn open(&self, id: &ContentId) -> Result<Box<dyn Read + Send>, Failure> {
        let id = ObjectId::try_from(id.0.as_slice()).map_err(Failure::internal)?;
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let source = listed.as_ref().map_or(0, |listed| listed.source);
        let data = self.sources[source].read(|repository| {
            let object = repository.find_object(id).map_err(|error| broken_object(id, error))?;
            Ok(object.detach().data)
        })?;
        if (data.len() as u64) < LFS_POINTER_SIZE && data.starts_with(LFS_POINTER) {
            let path = listed.and_then(|listed| listed.small).unwrap_or_default();
            return Err(Failure::new(
                ErrorCode::LfsPointer,
                format!("{path:?} is a Git LFS pointer; the file itself is not in the repository"),
            )
            .with("path", path.into_string()));
        }
        Ok(Box::new(Cursor::new(data)))
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn object_id(id: git2::Oid) -> Result<ObjectId, Failure> {
    ObjectId::try_from(id.as_bytes()).map_err(Failure::internal)
}
