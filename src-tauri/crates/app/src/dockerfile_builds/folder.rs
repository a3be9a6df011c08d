//! A folder of this machine as a context. Links are kept as links and never followed; what the ignore file leaves out is not
//! copied at all.

use super::stored::{ContextWriter, bad};
use slipway_core::Failure;
use slipway_core::dockerignore::{FolderState, Ignore};
use std::fs::{DirEntry, FileType};
use std::path::Path;

/// Folders inside each other.
const DEEPEST: usize = 256;

/// Copies a folder. `ignore` is the file beside the Dockerfile, which wins over the folder's `.dockerignore`.
pub(super) fn read(folder: &Path, ignore: Option<&[u8]>, into: &mut ContextWriter) -> Result<(), Failure> {
    let own = std::fs::read(folder.join(".dockerignore")).ok();
    let ignore =
        Ignore::parse(ignore.or(own.as_deref()).unwrap_or_default()).map_err(|failure| failure.at("context"))?;
    walk(folder, "", &ignore, &ignore.root(), 0, into)
}

fn walk(
    folder: &Path,
    prefix: &str,
    ignore: &Ignore,
    state: &FolderState,
    depth: usize,
    into: &mut ContextWriter,
) -> Result<(), Failure> {
    if depth > DEEPEST {
        return Err(bad("path", format!("{prefix} lies deeper than {DEEPEST} folders")));
    }
    let failed = |error: &std::io::Error| unreadable(prefix, error);
    let mut entries =
        std::fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<DirEntry>, _>>).map_err(|e| failed(&e))?;
    entries.sort_by_key(DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(bad("path", format!("a name in the folder {prefix:?} is not UTF-8")));
        };
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            let decision = ignore.folder(state, &path);
            if !decision.ignored {
                into.folder(&path)?;
            }
            if !decision.may_skip {
                walk(&entry.path(), &path, ignore, &decision.state, depth + 1, into)?;
            }
        } else if !ignore.file(state, &path) || is_read_by_the_engine(&path) {
            one(&entry, &path, kind, into)?;
        }
    }
    Ok(())
}

/// The engine reads the ignore file itself, also where it leaves itself out.
fn is_read_by_the_engine(path: &str) -> bool {
    path == ".dockerignore"
}

fn one(entry: &DirEntry, path: &str, kind: FileType, into: &mut ContextWriter) -> Result<(), Failure> {
    if kind.is_symlink() {
        let target = std::fs::read_link(entry.path()).map_err(|error| unreadable(path, &error))?;
        let target = target.to_str().ok_or_else(|| bad("path", format!("the link {path} is not UTF-8")))?;
        return into.link(path, target);
    }
    // Sockets, pipes and devices hold nothing that could be copied.
    if !kind.is_file() {
        return Ok(());
    }
    let mut file = std::fs::File::open(entry.path()).map_err(|error| unreadable(path, &error))?;
    let executable = is_executable(&file.metadata().map_err(|error| unreadable(path, &error))?);
    into.file(path, executable, &mut file)
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &std::fs::Metadata) -> bool {
    false
}

fn unreadable(path: &str, error: &std::io::Error) -> Failure {
    let shown = if path.is_empty() { "the folder" } else { path };
    bad("unreadable", format!("{shown} cannot be read: {}", error.kind())).with("path", path)
}
