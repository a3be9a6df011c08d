//! Follows needed paths through the symbolic links of a context, so that a link's target travels with it (the rule of fsutil's
//! `FollowLinks`): an absolute link starts at the context's root, and nothing leads out of it.

use super::select::{has_wildcard, patterns};
use slipway_core::Failure;
use slipway_core::ports::{ContextEntry, ContextKind, ContextTree};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// Returns the paths and every link and target on their way, without those that lie inside another. `None` means everything.
///
/// # Errors
/// What listing the tree gives.
pub(super) fn follow(tree: &dyn ContextTree, paths: &[String]) -> Result<Option<Vec<String>>, Failure> {
    let mut links = Links { tree, found: BTreeSet::new(), folders: HashMap::new() };
    let mut waiting: Vec<String> = paths.to_vec();
    while let Some(path) = waiting.pop() {
        links.follow(&clean(&path), &mut waiting)?;
    }
    if links.found.contains("") {
        return Ok(None);
    }
    let mut outer: Vec<String> = Vec::new();
    for path in links.found {
        let inside =
            outer.iter().any(|kept| path.strip_prefix(kept.as_str()).is_some_and(|rest| rest.starts_with('/')));
        if !inside {
            outer.push(path);
        }
    }
    Ok(Some(outer))
}

struct Links<'a> {
    tree: &'a dyn ContextTree,
    found: BTreeSet<String>,
    folders: HashMap<String, Rc<Vec<ContextEntry>>>,
}

impl Links<'_> {
    /// Walks down one path. At the first link it stops, notes the link, and puts the link's target with the rest on the list.
    fn follow(&mut self, path: &str, waiting: &mut Vec<String>) -> Result<(), Failure> {
        let mut folder = String::new();
        let mut rest = path;
        while !rest.is_empty() {
            let (part, after) = rest.split_once('/').unwrap_or((rest, ""));
            let here = join(&folder, part);
            let targets = self.targets(&folder, part)?;
            if !targets.is_empty() {
                if self.found.insert(here) {
                    waiting.extend(targets.iter().map(|target| join(target, after)));
                }
                return Ok(());
            }
            folder = here;
            rest = after;
        }
        self.found.insert(folder);
        Ok(())
    }

    /// Where the links lead that have this name, or match it.
    fn targets(&mut self, folder: &str, name: &str) -> Result<Vec<String>, Failure> {
        let matcher = if has_wildcard(name) { Some(patterns(&[name.to_owned()])?) } else { None };
        let entries = self.list(folder)?;
        let targets = entries.iter().filter_map(|entry| match &entry.kind {
            ContextKind::Symlink { target }
                if entry.name == name || matcher.as_ref().is_some_and(|matcher| matcher.is_ignored(&entry.name)) =>
            {
                Some(if target.starts_with('/') { clean(target) } else { clean(&join(folder, target)) })
            }
            _ => None,
        });
        Ok(targets.collect())
    }

    fn list(&mut self, folder: &str) -> Result<Rc<Vec<ContextEntry>>, Failure> {
        if let Some(known) = self.folders.get(folder) {
            return Ok(known.clone());
        }
        // Only a folder can be listed; anything else on the way holds no links.
        let (parent, name) = folder.rsplit_once('/').unwrap_or(("", folder));
        let is_folder = folder.is_empty()
            || self.list(parent)?.iter().any(|entry| entry.name == name && entry.kind == ContextKind::Folder);
        let entries = Rc::new(if is_folder { self.tree.list(folder)? } else { Vec::new() });
        self.folders.insert(folder.to_owned(), entries.clone());
        Ok(entries)
    }
}

fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}

/// Removes `.` and empty parts and resolves `..`, which stays at the root.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
