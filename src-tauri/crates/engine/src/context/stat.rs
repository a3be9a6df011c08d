//! How an entry is described to the engine.

use bollard_buildkit_proto::fsutil::types::Stat;
use sha2::{Digest, Sha256};
use slipway_core::ports::{ContentId, ContextKind};

/// 2000-01-01T00:00:00Z: layers keep whole seconds, so this is what a copied file has in the image.
const SECONDS: i64 = 946_684_800;
const NANOSECONDS: i64 = 1_000_000_000;
/// Go's `os.FileMode` bits.
const DIRECTORY: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;

/// Describes an entry. Owner is root and modes are git's, so that images do not depend on who builds them.
///
/// The engine takes a file with equal path, size, mode and time for unchanged, without looking at its bytes. So the time's
/// nanoseconds are made of the content: a same-size edit is another time (`reference/engine-and-git-facts.md`, "TRAP").
pub(super) fn stat(path: &str, kind: &ContextKind) -> (Stat, Option<ContentId>) {
    let described = |mode: u32, size: u64, link: &str, nanoseconds: i64| Stat {
        path: path.to_owned(),
        mode,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        mod_time: SECONDS * NANOSECONDS + nanoseconds,
        linkname: link.to_owned(),
        ..Default::default()
    };
    match kind {
        ContextKind::File { id, size, executable } => {
            let mode = if *executable { 0o755 } else { 0o644 };
            (described(mode, *size, "", nanoseconds(&id.0)), Some(id.clone()))
        }
        ContextKind::Symlink { target } => {
            (described(SYMLINK | 0o777, target.len() as u64, target, nanoseconds(target.as_bytes())), None)
        }
        ContextKind::Folder => (described(DIRECTORY | 0o755, 0, "", 0), None),
    }
}

fn nanoseconds(identity: &[u8]) -> i64 {
    let digest = Sha256::digest(identity);
    let head = digest.iter().take(7).fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
    head % NANOSECONDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &[u8], executable: bool) -> ContextKind {
        ContextKind::File { id: ContentId(id.to_vec()), size: 3, executable }
    }

    #[test]
    fn equal_bytes_have_equal_times_and_other_bytes_another_within_one_second() {
        let time = |kind: &ContextKind| stat("a", kind).0.mod_time;
        assert_eq!(time(&file(b"1", false)), time(&file(b"1", false)));
        assert_ne!(time(&file(b"1", false)), time(&file(b"2", false)));
        let link = |target: &str| ContextKind::Symlink { target: target.to_owned() };
        assert_ne!(time(&link("a")), time(&link("b")));
        for number in 0..1000_u32 {
            assert_eq!(time(&file(&number.to_be_bytes(), false)) / NANOSECONDS, SECONDS);
        }
    }

    #[test]
    fn modes_are_those_of_go() {
        assert_eq!(stat("a", &file(b"1", true)).0.mode, 0o755);
        assert_eq!(stat("a", &file(b"1", false)).0.mode, 0o644);
        assert_eq!(stat("a", &ContextKind::Folder).0.mode, 0x8000_0000 | 0o755);
        let link = stat("a", &ContextKind::Symlink { target: "b/c".into() }).0;
        assert_eq!((link.mode, link.size, link.linkname.as_str()), (0x0800_0000 | 0o777, 3, "b/c"));
    }
}
