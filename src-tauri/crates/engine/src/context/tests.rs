#![allow(clippy::unwrap_used)]
use super::select::{Question, Selection};
use super::walk::walk;
use slipway_core::Failure;
use slipway_core::ports::{ContentId, ContextEntry, ContextKind, ContextTree};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Mutex;

/// Paths; `a -> b` is a link, all others are files.
struct Paths {
    entries: BTreeMap<String, ContextKind>,
    listed: Mutex<BTreeSet<String>>,
}

fn tree(paths: &[&str]) -> Paths {
    let kind = |path: &str| match path.split_once(" -> ") {
        Some((path, target)) => (path.to_owned(), ContextKind::Symlink { target: target.to_owned() }),
        None => {
            (path.to_owned(), ContextKind::File { id: ContentId(path.as_bytes().to_vec()), size: 1, executable: false })
        }
    };
    Paths { entries: paths.iter().map(|path| kind(path)).collect(), listed: Mutex::default() }
}

impl ContextTree for Paths {
    fn list(&self, folder: &str) -> Result<Vec<ContextEntry>, Failure> {
        self.listed.lock().unwrap().insert(folder.to_owned());
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut found = BTreeMap::new();
        for (path, kind) in &self.entries {
            match path.strip_prefix(&prefix).map(|rest| rest.split_once('/').ok_or(rest)) {
                Some(Ok((folder, _))) => found.insert(folder.to_owned(), ContextKind::Folder),
                Some(Err(name)) => found.insert(name.to_owned(), kind.clone()),
                None => None,
            };
        }
        Ok(found.into_iter().map(|(name, kind)| ContextEntry { name, kind }).collect())
    }

    fn open(&self, _: &ContentId) -> Result<Box<dyn std::io::Read + Send>, Failure> {
        Err(Failure::internal("walking reads nothing"))
    }
}

fn question(follow: &[&str], exclude: &[&str]) -> Question {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Question { follow: texts(follow), exclude: texts(exclude), ..Question::default() }
}

fn shown(tree: &Paths, question: &Question) -> Vec<String> {
    let selection = Selection::new(question, tree).unwrap();
    tree.listed.lock().unwrap().clear();
    let mut paths = Vec::new();
    let ended = walk(tree, &selection, &mut |stat, _| {
        paths.push(stat.path);
        ControlFlow::Continue(())
    });
    assert!(ended.unwrap().is_continue());
    paths
}

#[test]
fn folders_come_before_what_they_hold_and_names_go_by_their_bytes() {
    let tree = tree(&["a.txt", "a/b", "a-b", "B", "中/x", "a/b2/c"]);
    let order = ["B", "a", "a/b", "a/b2", "a/b2/c", "a-b", "a.txt", "中", "中/x"];
    assert_eq!(shown(&tree, &question(&[], &[])), order);
}

#[test]
fn only_needed_paths_are_shown_and_only_their_folders_listed() {
    let tree = tree(&["src/a/b.c", "src/z", "docs/x", "conf/a.yml", "conf/b.txt", "top"]);
    for (follow, expected) in [
        (&["src/a/b.c"][..], &["src", "src/a", "src/a/b.c"][..]),
        (&["src"], &["src", "src/a", "src/a/b.c", "src/z"]),
        (&["conf/*.yml", "top"], &["conf", "conf/a.yml", "top"]),
        (&["src/gone/x"], &["src"]),
        (&["gone"], &[]),
    ] {
        assert_eq!(shown(&tree, &question(follow, &[])), expected, "{follow:?}");
        assert!(!tree.listed.lock().unwrap().contains("docs"), "{follow:?}");
    }
    assert_eq!(shown(&tree, &question(&["src", "."], &[])).len(), 10, "the root means everything");
}

#[test]
fn links_are_followed_inside_the_context_only() {
    let tree = tree(&[
        "link -> real/file",
        "real/file",
        "real/other",
        "abs -> /real",
        "up -> ../../../real/file",
        "loop -> loop",
        "ping -> pong/x",
        "pong -> ping",
        "dir/in -> ../chain",
        "chain -> link",
        "l1.so -> real/other",
        "dangling -> no/where",
    ]);
    for (follow, expected) in [
        (&["link"][..], &["link", "real", "real/file"][..]),
        (&["abs/other"], &["abs", "real", "real/other"]),
        (&["up"], &["real", "real/file", "up"]),
        (&["loop"], &["loop"]),
        (&["ping"], &["ping", "pong"]),
        (&["dir/in"], &["chain", "dir", "dir/in", "link", "real", "real/file"]),
        (&["*.so"], &["l1.so", "real", "real/other"]),
        (&["dangling"], &["dangling"]),
    ] {
        assert_eq!(shown(&tree, &question(follow, &[])), expected, "{follow:?}");
    }
}

#[test]
fn ignored_paths_are_left_out_and_exceptions_bring_their_folders() {
    let tree = tree(&["a/b/keep", "a/b/x", "a/y", "n/m/1", "n/m/2", "z"]);
    assert_eq!(shown(&tree, &question(&[], &["a", "!a/b/keep", "n"])), ["a", "a/b", "a/b/keep", "z"]);
    assert!(!tree.listed.lock().unwrap().contains("n"), "an ignored folder is not even listed");
    assert_eq!(shown(&tree, &question(&["a/b"], &["**/x"])), ["a", "a/b", "a/b/keep"]);
    assert_eq!(shown(&tree, &question(&["n/m/1"], &["n"])), Vec::<String>::new());
}
