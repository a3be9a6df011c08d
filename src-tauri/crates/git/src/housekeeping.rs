//! Keeping a mirror quick to read: every fetch leaves a small pack, and each lookup asks all of them.

use crate::copy::write_pack;
use crate::error::{in_mirror, on_disk};
use git2::{Oid, Repository};
use slipway_core::Failure;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// So many small packs are joined into one.
const MANY_PACKS: usize = 40;
/// Bytes of a pack that counts as small.
const SMALL_PACK: u64 = 4 << 20;

/// Joins the small packs of a mirror when there are many. Nothing is lost at any moment: the new pack is there before the old
/// ones go, and who reads meanwhile finds the objects in the new one.
pub(crate) fn join_small_packs(mirror: &Repository, stop: &AtomicBool) -> Result<(), Failure> {
    let folder = mirror.path().join("objects").join("pack");
    let before = indexes(&folder)?;
    let is_small =
        |index: &PathBuf| std::fs::metadata(index.with_extension("pack")).is_ok_and(|pack| pack.len() <= SMALL_PACK);
    let small: Vec<&PathBuf> = before.iter().filter(|index| is_small(index)).collect();
    if small.len() < MANY_PACKS {
        return Ok(());
    }
    let mut builder = mirror.packbuilder().map_err(|error| in_mirror(&error))?;
    for index in &small {
        let file = gix::odb::pack::index::File::at(index.as_path(), gix::hash::Kind::Sha1)
            .map_err(|error| crate::error::broken_object("index of a pack", error))?;
        for entry in file.iter() {
            let id = Oid::from_bytes(entry.oid.as_slice()).map_err(|error| in_mirror(&error))?;
            builder.insert_object(id, None).map_err(|error| in_mirror(&error))?;
        }
    }
    write_pack(&mut builder, &mirror.odb().map_err(|error| in_mirror(&error))?, stop)?;
    if indexes(&folder)?.is_subset(&before) {
        // One of the packs held everything already, and has the name of the new one.
        return Ok(());
    }
    for index in small {
        // The index first: a pack without one is not used, an index without its pack is an error.
        for file in [index.clone(), index.with_extension("pack")] {
            std::fs::remove_file(file).map_err(|error| on_disk("the mirror cannot be written", &error))?;
        }
    }
    Ok(())
}

fn indexes(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let files = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        files => files.map_err(|error| on_disk("the mirror cannot be read", &error))?,
    };
    Ok(files
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "idx"))
        .collect())
}
