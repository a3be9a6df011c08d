//! Copying objects from a clone on this machine into a mirror, so that a collection in the clone cannot break a queued build.

use crate::blocking::go_on;
use crate::error::{in_clone, in_mirror, on_disk};
use git2::{ObjectType, Odb, OdbLookupFlags, Oid, PackBuilder, Repository};
use slipway_core::{ErrorCode, Failure};
use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// One new commit with at most so many new objects is written object by object, which takes less time than a pack.
const FEW_OBJECTS: usize = 256;
/// Folders nested deeper are an attack on the stack; Git's own limit is 2048, and paths end long before.
const DEEPEST_FOLDER: usize = 1000;

/// Objects that the mirror does not have, children before what refers to them.
struct Missing<'a> {
    clone: &'a Repository,
    mirror: Odb<'a>,
    seen: HashSet<Oid>,
    objects: Vec<(Oid, String)>,
    commits: usize,
    /// The mirror holds, with an object, all that it refers to: whatever is there ends the search.
    complete: bool,
    stop: &'a AtomicBool,
}

impl Missing<'_> {
    /// True when an object, and what it refers to, must be looked at: once each.
    fn is_new(&mut self, id: Oid) -> bool {
        self.seen.insert(id) && !(self.complete && self.is_there(id))
    }

    fn is_there(&self, id: Oid) -> bool {
        self.mirror.exists_ext(id, OdbLookupFlags::NO_REFRESH)
    }

    /// Notes an object for copying.
    fn add(&mut self, id: Oid, name: String) {
        if self.complete || !self.is_there(id) {
            self.objects.push((id, name));
        }
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
                _ => self.add(id, String::new()),
            }
        }
        for (id, tree) in found.into_iter().rev() {
            if let Some(tree) = tree {
                self.add_tree(tree, "", 0)?;
            }
            self.add(id, String::new());
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
                Some(ObjectType::Blob) if self.is_new(entry.id()) => self.add(entry.id(), name),
                _ => {}
            }
        }
        self.add(id, path.to_owned());
        Ok(())
    }
}

/// Copies everything that these objects of the clone refer to, and that the mirror lacks, into the mirror.
pub(crate) fn copy(clone: &Repository, mirror: &Repository, tips: &[Oid], stop: &AtomicBool) -> Result<(), Failure> {
    // A mirror that keeps nothing yet promises nothing either: an earlier copy may have ended in its middle.
    let complete = mirror.references_glob("refs/slipway/*").map_err(|error| in_mirror(&error))?.next().is_some();
    if !complete {
        copy_packs(clone, mirror, stop)?;
    }
    let odb = mirror.odb().map_err(|error| in_mirror(&error))?;
    odb.refresh().map_err(|error| in_mirror(&error))?;
    let mut missing =
        Missing { clone, mirror: odb, seen: HashSet::new(), objects: Vec::new(), commits: 0, complete, stop };
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
    let mut builder = clone.packbuilder().map_err(|error| in_clone(&error))?;
    for (id, name) in objects {
        let name = Some(name.as_str()).filter(|name| !name.is_empty() && !name.contains('\0'));
        builder.insert_object(*id, name).map_err(|error| in_clone(&error))?;
    }
    write_pack(&mut builder, odb, stop)
}

/// Writes the objects of a builder into a mirror as one pack.
pub(crate) fn write_pack<'a>(
    builder: &mut PackBuilder<'a>,
    odb: &Odb<'_>,
    stop: &'a AtomicBool,
) -> Result<(), Failure> {
    builder.set_threads(0);
    builder.set_progress_callback(|_, _, _| go_on(stop).is_ok()).map_err(|error| in_clone(&error))?;
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

/// Copies the clone's packs as they are. For a first fetch this is many times faster than making a pack anew, which looks for
/// deltas between all objects again. What is loose, or in a borrowed object store, is copied object by object afterwards.
fn copy_packs(clone: &Repository, mirror: &Repository, stop: &AtomicBool) -> Result<(), Failure> {
    let cannot_read = |error: std::io::Error| {
        Failure::new(ErrorCode::SourceServerError, format!("the clone's packs cannot be read: {error}"))
    };
    let cannot_write = |error: std::io::Error| on_disk("the mirror cannot be written", &error);
    let (from, to) = (clone.commondir().join("objects/pack"), mirror.path().join("objects/pack"));
    let Ok(files) = std::fs::read_dir(&from) else { return Ok(()) };
    std::fs::create_dir_all(&to).map_err(cannot_write)?;
    for file in files {
        go_on(stop)?;
        let index = file.map_err(cannot_read)?.path();
        let pack = index.with_extension("pack");
        let Some(name) = index.file_name().filter(|_| has_extension(&index, "idx") && pack.is_file()) else { continue };
        let index_copy = to.join(name);
        // The index comes last: a pack without one is not used.
        for (source, target) in [(&pack, index_copy.with_extension("pack")), (&index, index_copy)] {
            let part = target.with_extension("part");
            match std::fs::copy(source, &part) {
                // Collected meanwhile: its objects are copied one by one from where they are now.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !source.exists() => break,
                copied => copied.and_then(|_| std::fs::rename(&part, &target)).map_err(cannot_write)?,
            }
        }
    }
    Ok(())
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}
