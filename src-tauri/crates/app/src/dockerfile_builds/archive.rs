//! An archive as a context: tar, tar.gz or zip. Everything in it is foreign: paths that leave it, links that lead out of it,
//! bombs and missing ends are refused, and nothing of it becomes a file of that name here.

use super::stored::{ContextWriter, bad, disk};
use flate2::read::MultiGzDecoder;
use slipway_core::Failure;
use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

/// An archive may grow to this many times its size when it is unpacked, once it is larger than [`FREE`].
const MOST_GROWTH: u64 = 200;
/// Growth below this is fine whatever the ratio.
const FREE: u64 = 64 * 1024 * 1024;
/// The bytes of a link's target in a zip.
const LONGEST_TARGET: u64 = 4096;
/// Unix modes in a zip's attributes.
const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;

/// Copies an archive.
pub(crate) fn read(path: &Path, into: &mut ContextWriter) -> Result<(), Failure> {
    let mut file =
        File::open(path).map_err(|error| bad("unreadable", format!("the archive cannot be read: {}", error.kind())))?;
    let size = file.metadata().map_err(|error| disk(&error))?.len();
    let mut head = Vec::new();
    (&mut file).take(512).read_to_end(&mut head).map_err(|error| disk(&error))?;
    file.seek(SeekFrom::Start(0)).map_err(|error| disk(&error))?;
    let budget = Budget { left: FREE.max(size.saturating_mul(MOST_GROWTH)) };
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        read_zip(file, budget, into)
    } else if head.starts_with(&[0x1f, 0x8b]) {
        let left = budget.left;
        read_tar(budget.reader(MultiGzDecoder::new(BufReader::new(file))), left, into)
    } else if head.get(257..262) == Some(b"ustar") || (head.len() == 512 && head.iter().all(|byte| *byte == 0)) {
        read_tar(BufReader::new(file), budget.left, into)
    } else {
        Err(bad("format", "this is no archive: tar, tar.gz and zip can be read"))
    }
}

/// How many bytes may still come out.
struct Budget {
    left: u64,
}

impl Budget {
    fn reader<R: Read>(self, inner: R) -> Bounded<R> {
        Bounded { inner, left: self.left }
    }
}

/// Stops a bomb: what is packed much more tightly than anything that a person packs.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => Err(std::io::Error::other("it grows to more than 200 times its size")),
        }
    }
}

fn damaged(error: &std::io::Error) -> Failure {
    bad("damaged", format!("the archive is damaged or its end is missing: {error}"))
}

/// `left` is what may come out of the files: sparse ones pretend to hold what is not in the archive.
fn read_tar(reader: impl Read, mut left: u64, into: &mut ContextWriter) -> Result<(), Failure> {
    let mut archive = tar::Archive::new(EndSeen { inner: reader, tail: [1; 512], any: false });
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let name = entry.path_bytes().into_owned();
        let Some(path) = clean(&name)? else { continue };
        let kind = entry.header().entry_type();
        let target = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        if kind.is_dir() {
            into.folder(&path)?;
        } else if kind.is_symlink() {
            into.link(&path, &inside(&path, &target)?)?;
        } else if kind.is_hard_link() {
            let earlier = clean(&target)?.unwrap_or_default();
            into.same_file(&path, &earlier)?;
        } else if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
            let executable = entry.header().mode().map_err(|error| damaged(&error))? & 0o100 != 0;
            let mut bounded = Bounded { inner: &mut entry, left };
            into.file(&path, executable, &mut bounded)?;
            left = bounded.left;
        } else if !(kind.is_pax_global_extensions() || kind.is_pax_local_extensions()) {
            return Err(bad("kind", format!("{path} is a device or a pipe")).with("path", path));
        }
    }
    let mut inner = archive.into_inner();
    // What stands behind the end counts too: it is where a cut archive shows.
    std::io::copy(&mut inner, &mut std::io::sink()).map_err(|error| damaged(&error))?;
    if inner.any && inner.tail.iter().any(|byte| *byte != 0) {
        return Err(bad("damaged", "the archive's end is missing"));
    }
    Ok(())
}

/// Remembers the last block: a tar ends with zeros, and one that does not was cut.
struct EndSeen<R> {
    inner: R,
    tail: [u8; 512],
    any: bool,
}

impl<R: Read> Read for EndSeen<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.any |= read > 0;
        let new = &buffer[..read];
        if read >= 512 {
            self.tail.copy_from_slice(&new[read - 512..]);
        } else {
            self.tail.rotate_left(read);
            self.tail[512 - read..].copy_from_slice(new);
        }
        Ok(read)
    }
}

fn read_zip(file: File, mut budget: Budget, into: &mut ContextWriter) -> Result<(), Failure> {
    let broken = |error: zip::result::ZipError| {
        bad("damaged", format!("the archive is damaged, its end is missing, or it is encrypted: {error}"))
    };
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let name = entry.name_raw().to_vec();
        let is_folder = entry.is_dir();
        let Some(path) = clean(&name)? else { continue };
        let mode = entry.unix_mode().unwrap_or(0o644);
        let mut bounded = Bounded { inner: &mut entry, left: budget.left };
        if is_folder {
            into.folder(&path)?;
        } else if mode & KIND == LINK {
            let mut target = Vec::new();
            (&mut bounded).take(LONGEST_TARGET).read_to_end(&mut target).map_err(|error| damaged(&error))?;
            into.link(&path, &inside(&path, &target)?)?;
        } else {
            into.file(&path, mode & 0o100 != 0, &mut bounded)?;
        }
        budget.left = bounded.left;
    }
    Ok(())
}

/// Checks a path of an archive. `None` for the root itself.
fn clean(name: &[u8]) -> Result<Option<String>, Failure> {
    let shown = || String::from_utf8_lossy(name).chars().take(200).collect::<String>();
    let text = std::str::from_utf8(name).map_err(|_| bad("path", format!("a path in it is not UTF-8: {}", shown())))?;
    if text.contains('\0') || text.contains('\\') {
        return Err(bad("path", format!("a path in it has characters that no path has: {}", shown())));
    }
    if text.starts_with('/') || text.split('/').any(|part| part == "..") {
        let why = format!("a path in it leaves the archive: {}", shown());
        return Err(bad("escape", why).with("path", shown()));
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok((!parts.is_empty()).then(|| parts.join("/")))
}

/// Checks that a link stays inside the archive.
fn inside(path: &str, target: &[u8]) -> Result<String, Failure> {
    let text = String::from_utf8(target.to_vec())
        .map_err(|_| bad("path", format!("the link {path} is not UTF-8")).with("path", path))?;
    let leaves = || Err(bad("escape", format!("the link {path} leads out of the archive: {text}")).with("path", path));
    if text.starts_with('/') {
        return leaves();
    }
    let mut depth = path.split('/').count() - 1;
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return leaves(),
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::stored::StoredContext;
    use super::*;
    use slipway_core::ErrorCode;
    use slipway_core::ports::{ContextKind, ContextTree};
    use std::io::Write as _;

    /// What an archive has to say about one path.
    enum Part<'a> {
        File(&'a str, &'a [u8]),
        Link(&'a str, &'a str),
        Hard(&'a str, &'a str),
        Pipe(&'a str),
    }

    fn tar_of(parts: &[Part<'_>]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for part in parts {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o755);
            let nothing: &[u8] = &[];
            let (name, kind, bytes, target) = match *part {
                Part::File(name, bytes) => (name, tar::EntryType::Regular, bytes, None),
                Part::Link(name, target) => (name, tar::EntryType::Symlink, nothing, Some(target)),
                Part::Hard(name, target) => (name, tar::EntryType::Link, nothing, Some(target)),
                Part::Pipe(name) => (name, tar::EntryType::Fifo, nothing, None),
            };
            // Written past the library's own checks, as a hostile archive is.
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            if let Some(target) = target {
                header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
            }
            header.set_entry_type(kind);
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            builder.append(&header, bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zip_of(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes, mode) in files {
            let options = zip::write::SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Deflated)
                .unix_permissions(*mode);
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn taken(bytes: &[u8]) -> Result<(tempfile::TempDir, StoredContext), Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        std::fs::write(&path, bytes).unwrap();
        let mut writer = ContextWriter::create(folder.path())?;
        read(&path, &mut writer)?;
        writer.finish()?;
        let context = StoredContext::open(folder.path())?;
        Ok((folder, context))
    }

    /// Every path with its content or target, `x` in front of what may be executed.
    fn shown(context: &StoredContext, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        for entry in context.list(folder).unwrap() {
            let path = if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
            match entry.kind {
                ContextKind::Folder => found.extend(shown(context, &path)),
                ContextKind::Symlink { target } => found.push(format!("{path} -> {target}")),
                ContextKind::File { id, executable, .. } => {
                    let mut text = String::new();
                    context.open(&id).unwrap().read_to_string(&mut text).unwrap();
                    found.push(format!("{}{path}={text}", if executable { "x " } else { "" }));
                }
            }
        }
        found
    }

    #[test]
    fn all_kinds_of_archive_hold_the_same() {
        let parts = [
            Part::File("./app/run", b"one"),
            Part::File("app/same", b"one"),
            Part::Link("app/link", "../top"),
            Part::Hard("top", "app/run"),
        ];
        let tar = tar_of(&parts);
        let expected = ["x app/run=one", "x app/same=one", "app/link -> ../top", "x top=one"];
        let sorted = |mut list: Vec<String>| {
            list.sort();
            list
        };
        let mut wanted: Vec<String> = expected.iter().map(|one| (*one).to_owned()).collect();
        wanted.sort();
        for bytes in [tar.clone(), packed(&tar)] {
            let (folder, context) = taken(&bytes).unwrap();
            assert_eq!(sorted(shown(&context, "")), wanted);
            assert_eq!(
                std::fs::read(folder.path().join("context.data")).unwrap(),
                b"one",
                "equal content is kept once"
            );
        }
        let zip = zip_of(&[("app/run", b"one", 0o755), ("plain", b"two", 0o644)]);
        let (_folder, context) = taken(&zip).unwrap();
        assert_eq!(shown(&context, ""), ["x app/run=one", "plain=two"]);
    }

    #[test]
    fn t14_hostile_and_broken_archives_are_refused_with_a_reason_each() {
        let file = |name| tar_of(&[Part::File(name, b"x")]);
        let whole = tar_of(&[Part::File("a", &[7; 5000])]);
        let table: Vec<(&str, Vec<u8>, &str)> = vec![
            ("dots", file("../evil"), "escape"),
            ("inner dots", file("a/../../evil"), "escape"),
            ("root", file("/etc/evil"), "escape"),
            ("link up", tar_of(&[Part::Link("a/b", "../../x")]), "escape"),
            ("link to the root", tar_of(&[Part::Link("a", "/etc/passwd")]), "escape"),
            ("hard link out", tar_of(&[Part::Hard("a", "../x")]), "escape"),
            ("hard link to nothing", tar_of(&[Part::Hard("a", "b")]), "link"),
            ("through a link", tar_of(&[Part::Link("a", "b"), Part::File("a/c", b"x")]), "path"),
            ("pipe", tar_of(&[Part::Pipe("a")]), "kind"),
            ("cut in a file", whole[..2000].to_vec(), "damaged"),
            ("cut before the end", whole[..512 + 5120].to_vec(), "damaged"),
            ("cut gzip", packed(&whole)[..40].to_vec(), "damaged"),
            ("bomb", packed(&tar_of(&[Part::File("a", &vec![0; 80 << 20])])), "damaged"),
            ("no archive", b"FROM scratch\n".to_vec(), "format"),
            ("empty", Vec::new(), "format"),
            ("zip dots", zip_of(&[("../evil", b"x", 0o644)]), "escape"),
            ("zip backslashes", zip_of(&[("..\\evil", b"x", 0o644)]), "path"),
            ("cut zip", zip_of(&[("a", b"x", 0o644)])[..30].to_vec(), "damaged"),
        ];
        for (what, bytes, reason) in table {
            let Err(failure) = taken(&bytes) else { panic!("{what} was taken") };
            assert_eq!(failure.code, ErrorCode::BadArchive, "{what}: {failure:?}");
            let found = failure.details.get("reason").map_or("", String::as_str);
            assert_eq!(found, reason, "{what}: {failure:?}");
        }
    }
}
