//! Walks a context in the order that the engine expects: by the bytes of names within a folder, a folder before what it holds.

use super::select::{IgnoreState, Selection};
use super::stat::stat;
use bollard_buildkit_proto::fsutil::types::Stat;
use slipway_core::Failure;
use slipway_core::ports::{ContentId, ContextEntry, ContextKind, ContextTree};
use std::ops::ControlFlow;

/// What a walk calls for every entry; files come with their content's identity.
pub(super) type Visit<'a> = dyn FnMut(Stat, Option<ContentId>) -> ControlFlow<()> + 'a;

/// A folder that is being walked.
struct Open {
    path: String,
    entries: std::vec::IntoIter<ContextEntry>,
    shown: bool,
    ignore: IgnoreState,
}

/// Visits every selected entry; folders that are not selected themselves are visited before the first selected entry inside.
///
/// # Errors
/// What listing the tree gives.
pub(super) fn walk(
    tree: &dyn ContextTree,
    selection: &Selection,
    visit: &mut Visit<'_>,
) -> Result<ControlFlow<()>, Failure> {
    // A stack of our own: a hostile repository may nest deeper than a thread's stack.
    let entries = tree.list("")?.into_iter();
    let mut open = vec![Open { path: String::new(), entries, shown: true, ignore: selection.root() }];
    while let Some(folder) = open.last_mut() {
        let Some(entry) = folder.entries.next() else {
            open.pop();
            continue;
        };
        let path = if folder.path.is_empty() { entry.name } else { format!("{}/{}", folder.path, entry.name) };
        let inside = (entry.kind == ContextKind::Folder).then(|| selection.folder(&path, &folder.ignore));
        let wanted = inside.as_ref().map_or_else(|| selection.wants(&path, &folder.ignore), |inside| inside.wanted);
        if wanted {
            for parent in open.iter_mut().filter(|parent| !parent.shown) {
                parent.shown = true;
                let (stat, _) = stat(&parent.path, &ContextKind::Folder);
                if visit(stat, None).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let (stat, content) = stat(&path, &entry.kind);
            if visit(stat, content).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if let Some(inside) = inside.filter(|inside| inside.may_hold) {
            let entries = tree.list(&path)?.into_iter();
            open.push(Open { path, entries, shown: wanted, ignore: inside.state });
        }
    }
    Ok(ControlFlow::Continue(()))
}
