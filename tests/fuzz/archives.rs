//! Archives that people upload: contexts, and images as `docker save` writes them.

use super::recipe::Recipe;
use flate2::Compression;
use flate2::write::GzEncoder;
use slipway_app::fuzzing::{read_context, read_image_archive};
use slipway_core::ErrorCode;
use slipway_core::ports::{ContextKind, ContextTree};
use slipway_testkit::TempDataDir;
use std::io::{Read as _, Write as _};

/// An archive as a context: everything lies inside, has its bytes, and nothing else was written.
pub(super) fn context(bytes: &[u8]) {
    let folder = TempDataDir::new();
    let (path, place) = (folder.path().join("sent"), folder.path().join("place"));
    let archive = archive_of(bytes);
    std::fs::write(&path, &archive).expect("a file can be written");
    std::fs::create_dir(&place).expect("a folder can be made");
    let taken = read_context(&path, &place);
    let written: u64 = files_of(&place, &["context.data", "context.json"]);
    let most = 200 * archive.len() as u64 + (66 << 20);
    assert!(written <= most, "{} bytes of archive became {written}", archive.len());
    match taken {
        Ok((tree, files, _)) => {
            let mut seen = (0, 0);
            walk(&*tree, "", 0, &mut seen);
            assert_eq!(seen.0, files, "files are lost");
        }
        Err(failure) => {
            assert_eq!(failure.code, ErrorCode::BadArchive, "{failure}");
            super::can_be_shown(&failure);
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder can be read").count(), 2, "files beside the place");
}

/// Bytes of the files of a folder, which are these.
fn files_of(folder: &std::path::Path, known: &[&str]) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder can be read").flatten();
    let sizes = entries.map(|entry| {
        assert!(known.iter().any(|known| entry.file_name() == *known), "{:?} was written", entry.path());
        entry.metadata().expect("a file has a size").len()
    });
    sizes.sum()
}

fn walk(tree: &dyn ContextTree, folder: &str, depth: usize, seen: &mut (u64, u64)) {
    for entry in tree.list(folder).expect("a folder of a context can be listed") {
        let name = entry.name.as_str();
        assert!(!matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0']), "{name:?} in {folder:?}");
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        match entry.kind {
            ContextKind::Folder => walk(tree, &path, depth + 1, seen),
            ContextKind::File { id, size, .. } => {
                let mut content = Vec::new();
                let mut file = tree.open(&id).expect("a file of a context can be opened");
                file.read_to_end(&mut content).expect("a file of a context can be read");
                assert_eq!(content.len() as u64, size, "{path} has another size");
                *seen = (seen.0 + 1, seen.1 + size);
            }
            ContextKind::Symlink { target } => {
                assert!(!target.starts_with('/'), "{path} leads to {target}");
                let mut inside = depth;
                for part in target.split('/') {
                    match part {
                        "" | "." => {}
                        ".." => inside = inside.checked_sub(1).unwrap_or_else(|| panic!("{path} leads to {target}")),
                        _ => inside += 1,
                    }
                }
            }
        }
    }
}

/// An image archive: what is sent on has one name, ours, and files of ours.
pub(super) fn image(bytes: &[u8]) {
    let folder = TempDataDir::new();
    let path = folder.path().join("sent");
    std::fs::write(&path, archive_of(bytes)).expect("a file can be written");
    let scratch = folder.path().join("scratch");
    match read_image_archive(&path, &scratch, "slipway.local/build:1") {
        Ok((images, sent)) => {
            assert!(!images.is_empty());
            match sent {
                Ok(sent) => is_ours(&sent),
                Err(failure) => {
                    assert_eq!(failure.code, ErrorCode::BadArchive, "{failure}");
                    super::can_be_shown(&failure);
                }
            }
        }
        Err(failure) => {
            assert_eq!(failure.code, ErrorCode::BadArchive, "{failure}");
            super::can_be_shown(&failure);
        }
    }
    if scratch.exists() {
        assert_eq!(files_of(&scratch, &[]), 0);
    }
}

fn is_ours(sent: &[u8]) {
    let mut archive = tar::Archive::new(sent);
    for entry in archive.entries().expect("what is sent is a tar") {
        let mut entry = entry.expect("what is sent is whole");
        assert!(entry.header().entry_type().is_file());
        let name = entry.path().expect("what is sent has names").to_str().expect("they are text").to_owned();
        if name == "manifest.json" {
            let manifest: serde_json::Value = serde_json::from_reader(&mut entry).expect("it is JSON");
            assert_eq!(manifest[0]["RepoTags"], serde_json::json!(["slipway.local/build:1"]));
            assert!(manifest.as_array().is_some_and(|images| images.len() == 1));
        } else {
            let is_layer = name.strip_suffix("/layer.tar").is_some_and(|number| number.parse::<usize>().is_ok());
            let is_config = name.strip_suffix(".json").is_some_and(|hash| hash.len() == 64);
            assert!(is_layer || is_config, "{name} is sent");
        }
    }
}

/// Bytes as they are, or an archive made of them: a tar, a packed tar or a zip whose entries they describe.
fn archive_of(bytes: &[u8]) -> Vec<u8> {
    let (kind, rest) = bytes.split_first().unwrap_or((&0, &[]));
    match kind {
        1 => tar_of(Recipe(rest)),
        2 => {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(&tar_of(Recipe(rest))).expect("memory can be written");
            packed.finish().expect("memory can be written")
        }
        3 => zip_of(Recipe(rest)),
        4 => {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(rest).expect("memory can be written");
            packed.finish().expect("memory can be written")
        }
        _ => rest.to_vec(),
    }
}

fn tar_of(mut recipe: Recipe<'_>) -> Vec<u8> {
    const KINDS: &[u8] = b"0125012501250SLKxg3467";
    let mut archive = Vec::new();
    while !recipe.is_empty() && archive.len() < 1 << 20 {
        let kind = KINDS[usize::from(recipe.byte()) % KINDS.len()];
        let (name, target, content) = (recipe.bytes(), recipe.bytes(), recipe.bytes());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o755);
        header.set_mtime(0);
        let size = if kind == b'0' || kind > b'9' { content.len() } else { 0 };
        header.set_size(size as u64);
        header.set_entry_type(tar::EntryType::new(kind));
        let raw = header.as_old_mut();
        raw.name[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
        raw.linkname[..target.len().min(100)].copy_from_slice(&target[..target.len().min(100)]);
        if kind == b'S'
            && let Some(sparse) = header.as_gnu_mut()
        {
            // One block of data at a place that the recipe says, and the size that it pretends to have.
            let far = u64::from_le_bytes(std::array::from_fn(|at| content.get(at).copied().unwrap_or(0)));
            sparse.sparse[0].offset.copy_from_slice(format!("{:011o}\0", (far % (1 << 30)) & !511).as_bytes());
            sparse.sparse[0].numbytes.copy_from_slice(format!("{size:011o}\0").as_bytes());
            let real = ((far % (1 << 30)) & !511) + size as u64;
            sparse.realsize.copy_from_slice(format!("{real:011o}\0").as_bytes());
        }
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(&content[..size]);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn zip_of(mut recipe: Recipe<'_>) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut entries = 0;
    while !recipe.is_empty() && entries < 64 {
        entries += 1;
        let (kind, name, content) = (recipe.byte(), recipe.text(), recipe.bytes());
        let method = if kind & 8 == 0 { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
        let options = zip::write::SimpleFileOptions::default().compression_method(method).unix_permissions(0o755);
        // Names that the library itself refuses to write are left out.
        let _ = match kind % 3 {
            0 => archive.start_file(name, options).is_ok() && archive.write_all(content).is_ok(),
            1 => archive.add_directory(name, options).is_ok(),
            _ => archive.add_symlink(name, String::from_utf8_lossy(content), options).is_ok(),
        };
    }
    archive.finish().map(std::io::Cursor::into_inner).unwrap_or_default()
}
