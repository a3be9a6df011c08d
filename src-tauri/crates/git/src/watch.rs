//! Seeing that a ref of a local clone may have moved.
//!
//! Watched is the folder that all work trees of a clone share: `refs/heads`, `refs/tags` and `packed-refs`. The index, the work
//! tree, remote-tracking refs and stashes never wake anybody.

use crate::local;
use notify::{EventKind, RecursiveMode, Watcher};
use slipway_core::{ErrorCode, Failure};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A burst of changes has ended when nothing more came for this long; one commit writes its ref within far less.
const QUIET: Duration = Duration::from_millis(10);
/// A burst that does not end is reported after this long.
const LONGEST_BURST: Duration = Duration::from_millis(50);

/// Watches the refs of a clone: one unit for every burst of changes.
///
/// # Errors
/// [`ErrorCode::BadCodeLocation`] when the folder is no repository or cannot be watched.
pub(crate) fn watch(clone: &Path) -> Result<mpsc::Receiver<()>, Failure> {
    // Events carry the real path, links resolved.
    let common = local::open(clone)?.commondir().canonicalize().map_err(|error| cannot_watch(clone, &error))?;
    let (changed, changes) = mpsc::channel(1);
    let filter = common.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let wakes = match event {
            Ok(event) => {
                event.need_rescan()
                    || (!matches!(event.kind, EventKind::Access(_))
                        && event.paths.iter().any(|path| concerns_refs(&filter, path)))
            }
            Err(_) => true,
        };
        if wakes {
            // One waiting signal is enough.
            let _ = changed.try_send(());
        }
    })
    .map_err(|error| cannot_watch(clone, &error))?;
    for (folder, mode) in
        [(common.clone(), RecursiveMode::NonRecursive), (common.join("refs"), RecursiveMode::Recursive)]
    {
        watcher.watch(&folder, mode).map_err(|error| cannot_watch(clone, &error))?;
    }
    // One burst may wait while another is being handled; more would say nothing new.
    let (wake, woken) = mpsc::channel(1);
    tokio::spawn(report(common, watcher, changes, wake));
    Ok(woken)
}

async fn report(
    common: PathBuf,
    _watcher: notify::RecommendedWatcher,
    mut changes: mpsc::Receiver<()>,
    wake: mpsc::Sender<()>,
) {
    loop {
        tokio::select! {
            () = wake.closed() => return,
            change = changes.recv() => if change.is_none() { return },
        }
        let end = Instant::now() + LONGEST_BURST;
        while Instant::now() < end
            && let Ok(Some(())) = tokio::time::timeout_at(end.min(Instant::now() + QUIET), changes.recv()).await
        {
        }
        if !common.join("HEAD").exists() {
            // The clone is gone: the channel closes.
            return;
        }
        if wake.try_send(()).is_err_and(|error| matches!(error, mpsc::error::TrySendError::Closed(()))) {
            return;
        }
    }
}

/// Tells whether a change of this file may be a move of a branch or tag, or the end of the clone.
fn concerns_refs(common: &Path, path: &Path) -> bool {
    let Ok(inside) = path.strip_prefix(common) else { return false };
    if inside.extension().is_some_and(|extension| extension == "lock") {
        return false;
    }
    inside == Path::new("")
        || inside == Path::new("HEAD") && !path.exists()
        || inside == Path::new("packed-refs")
        || inside == Path::new("refs")
        || inside.starts_with("refs/heads")
        || inside.starts_with("refs/tags")
}

fn cannot_watch(clone: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::BadCodeLocation, format!("{} cannot be watched: {error}", clone.display()))
        .with("path", clone.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_branches_and_tags_concern() {
        let common = Path::new("/c/.git");
        for (path, expected) in [
            ("/c/.git/refs/heads/main", true),
            ("/c/.git/refs/heads/feature/x", true),
            ("/c/.git/refs/tags/v1", true),
            ("/c/.git/packed-refs", true),
            ("/c/.git/refs/heads/main.lock", false),
            ("/c/.git/packed-refs.lock", false),
            ("/c/.git/refs/remotes/origin/main", false),
            ("/c/.git/refs/stash", false),
            ("/c/.git/index", false),
            ("/c/.git/COMMIT_EDITMSG", false),
            ("/elsewhere", false),
        ] {
            assert_eq!(concerns_refs(common, Path::new(path)), expected, "{path}");
        }
    }
}
