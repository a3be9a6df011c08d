//! Offers Dockerfiles that may be meant when there is none at the rule's path (`product.md` section 4).

use crate::code::{TreeEntry, TreeEntryKind};

/// Most suggestions.
const MOST: usize = 5;

/// Returns the files of the same folder that look like the wanted Dockerfile, best first, at most five: the same name in
/// another case, then `Dockerfile.prod`, `prod.Dockerfile` and `Containerfile` with its kin.
#[must_use]
pub fn near_misses<'folder>(wanted: &str, entries: &'folder [TreeEntry]) -> Vec<&'folder str> {
    let wanted_lower = wanted.to_lowercase();
    let mut found: Vec<(u8, &str)> = entries
        .iter()
        .filter(|entry| matches!(entry.kind, TreeEntryKind::File | TreeEntryKind::Executable) && entry.name != wanted)
        .filter_map(|entry| Some((rank(&entry.name.to_lowercase(), &wanted_lower)?, entry.name.as_str())))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, name)| name).take(MOST).collect()
}

/// Smaller is nearer.
fn rank(name: &str, wanted: &str) -> Option<u8> {
    if name.ends_with(".dockerignore") {
        return None;
    }
    if name == wanted {
        return Some(0);
    }
    ["dockerfile", "containerfile"].iter().zip([1, 4]).find_map(|(kind, base)| {
        let rest = name.strip_prefix(kind);
        match rest {
            Some("") => Some(base),
            Some(rest) if rest.starts_with(['.', '-', '_']) => Some(base + 1),
            _ if name.ends_with(&format!(".{kind}")) => Some(base + 2),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn entries(names: &[&str]) -> Vec<TreeEntry> {
        let file = |name: &&str| TreeEntry { name: (*name).to_owned(), kind: TreeEntryKind::File, size: None };
        names.iter().map(file).collect()
    }

    #[test]
    fn the_nearest_files_come_first() {
        let table: &[(&str, &[&str], &[&str])] = &[
            ("Dockerfile", &["README.md", "dockerfile"], &["dockerfile"]),
            ("Dockerfile", &["Dockerfile.prod", "DOCKERFILE", "src"], &["DOCKERFILE", "Dockerfile.prod"]),
            ("Dockerfile", &["Containerfile", "web.Dockerfile"], &["web.Dockerfile", "Containerfile"]),
            ("Dockerfile.dev", &["Dockerfile", "Dockerfile.prod"], &["Dockerfile", "Dockerfile.prod"]),
            ("Dockerfile", &["Dockerfile.dockerignore", "Dockerfiles", "mydockerfile"], &[]),
            ("build", &["Build"], &["Build"]),
            ("Dockerfile", &[], &[]),
        ];
        for (wanted, names, expected) in table {
            assert_eq!(near_misses(wanted, &entries(names)), *expected, "{wanted} in {names:?}");
        }
    }

    #[test]
    fn only_files_are_offered_and_not_too_many() {
        let mut folder =
            entries(&["a.dockerfile", "b.dockerfile", "c.dockerfile", "d.dockerfile", "e.dockerfile", "f.dockerfile"]);
        assert_eq!(near_misses("Dockerfile", &folder).len(), 5);
        for kind in [TreeEntryKind::Folder, TreeEntryKind::Symlink, TreeEntryKind::Submodule] {
            folder = vec![TreeEntry { name: "dockerfile".to_owned(), kind, size: None }];
            assert!(near_misses("Dockerfile", &folder).is_empty(), "{kind:?}");
        }
    }
}
