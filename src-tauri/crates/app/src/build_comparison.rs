//! A build beside the one of its rule before it: which files of the build directory differ between their commits.

use crate::Slipway;
use slipway_core::Failure;
use slipway_core::build::BuildState;
use slipway_core::code::{ChangedPaths, CommitId};
use slipway_core::dockerignore::Ignore;
use slipway_core::ids::{BuildId, CodeRepositoryId};
use slipway_store::{BuildFilter, BuildRecord};

/// Larger than any ignore file that a person writes.
const IGNORE_BYTES: u64 = 1024 * 1024;
/// Where the ignore file changed: paths that are looked for in a commit; further ones are named without a look.
const MOST_LOOKS: usize = 500;

/// What a build is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildComparison {
    /// The newest earlier build of the same rule that succeeded or failed.
    pub before: BuildId,
    /// Paths of the context that differ, as the Dockerfile would name them, sorted, without what the ignore file leaves out; `None` when the builds do not
    /// come from commits of the same code, or one of these commits is gone.
    pub files: Option<Vec<String>>,
}

impl Slipway {
    /// Compares a build with the one before it; `None` when there is none, or no rule started it.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::NotFound`].
    pub async fn compare_build(&self, id: BuildId) -> Result<Option<BuildComparison>, Failure> {
        let build = self.parts.store.build(id).await?;
        if build.rule.is_none() {
            return Ok(None);
        }
        let filter = BuildFilter {
            repository: Some(build.repository),
            rule: build.rule,
            states: vec![BuildState::Succeeded, BuildState::Failed],
            ..BuildFilter::default()
        };
        let Some(before) = self.parts.store.list_builds(&filter, Some(id), 1).await?.items.pop() else {
            return Ok(None);
        };
        let files = self.changed_files(&before, &build).await;
        Ok(Some(BuildComparison { before: before.id, files }))
    }

    async fn changed_files(&self, before: &BuildRecord, after: &BuildRecord) -> Option<Vec<String>> {
        let code = after.code.filter(|code| before.code == Some(*code))?;
        let (from, to) = (before.commit_id.as_ref()?, after.commit_id.as_ref()?);
        let found = match self.parts.ports.code.changed_paths(code, from, to).await {
            Ok(ChangedPaths::Known { paths }) => below(after.inputs.context_dir.as_str(), paths),
            Ok(ChangedPaths::UnknownBase) => return None,
            // The commits may have gone from the mirror: the rest of the comparison stands without them.
            Err(failure) => {
                tracing::debug!(build = %after.id, %failure, "what changed between two builds is not known");
                return None;
            }
        };
        let (old, new) = (self.ignore_of(code, from, before).await, self.ignore_of(code, to, after).await);
        let mut sent = Vec::new();
        let mut looks = 0;
        for path in found {
            let is_in = match in_context(&path, &old, &new) {
                InContext::Of(_) if looks == MOST_LOOKS => true,
                InContext::Of(which) => {
                    looks += 1;
                    let commit = if which == Which::Old { from } else { to };
                    let whole = after.inputs.context_dir.join(&path);
                    // Too large for this look is there, too.
                    !matches!(self.parts.ports.code.read_file(code, commit, &whole, IGNORE_BYTES).await, Ok(None))
                }
                InContext::Sure => true,
                InContext::Never => false,
            };
            if is_in {
                sent.push(path);
            }
        }
        Some(sent)
    }

    /// Returns what was left out of a build's context, and the file that says so, as the Dockerfile would name it.
    async fn ignore_of(&self, code: CodeRepositoryId, commit: &CommitId, build: &BuildRecord) -> (Ignore, String) {
        let (dockerfile, folder) = (&build.inputs.dockerfile_path, &build.inputs.context_dir);
        let beside = dockerfile.parent().join(&format!("{}.dockerignore", dockerfile.file_name()));
        for path in [beside, folder.join(".dockerignore")] {
            // One that cannot be read left nothing out: its build came to no context.
            if let Ok(Some(bytes)) = self.parts.ports.code.read_file(code, commit, &path, IGNORE_BYTES).await {
                let name = below(folder.as_str(), vec![path.as_str().to_owned()]).pop().unwrap_or_default();
                return (Ignore::parse(&bytes).unwrap_or_default(), name);
            }
        }
        (Ignore::default(), String::new())
    }
}

/// One of two builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Old,
    New,
}

/// Whether a path that differs between two commits was in the context of one of their builds.
#[derive(Debug, PartialEq, Eq)]
enum InContext {
    Sure,
    Never,
    /// If it is in this one's commit: only there it was not left out.
    Of(Which),
}

/// The file that leaves paths out is always named: with it others come and go.
fn in_context(path: &str, (old, old_file): &(Ignore, String), (new, new_file): &(Ignore, String)) -> InContext {
    if path == old_file || path == new_file {
        return InContext::Sure;
    }
    match (old.is_ignored(path), new.is_ignored(path)) {
        (false, false) => InContext::Sure,
        (true, true) => InContext::Never,
        (false, true) => InContext::Of(Which::Old),
        (true, false) => InContext::Of(Which::New),
    }
}

/// Returns those of the paths that are below a folder, seen from there.
fn below(folder: &str, paths: Vec<String>) -> Vec<String> {
    let folder = folder.trim_matches('/');
    let seen = |path: String| match folder {
        "" | "." => Some(path),
        folder => path.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned),
    };
    let mut found: Vec<String> = paths.into_iter().filter_map(seen).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::{Ignore, InContext, Which, below, in_context};

    #[test]
    fn paths_are_seen_from_the_build_directory() {
        let paths = || ["web/b.html", "web/a.html", "website/c.html", "d"].map(str::to_owned).to_vec();
        assert_eq!(below("", paths()), ["d", "web/a.html", "web/b.html", "website/c.html"]);
        assert_eq!(below("web", paths()), ["a.html", "b.html"]);
        assert!(below("none", paths()).is_empty());
    }

    #[test]
    fn what_both_contexts_left_out_did_not_change_anything() {
        let ignore = |text: &str| (Ignore::parse(text.as_bytes()).unwrap_or_default(), ".dockerignore".to_owned());
        let (old, new) = (ignore("docs\n*.md\n.*"), ignore("*.md\n!README.md\n.*"));
        for (path, expected) in [
            ("index.html", InContext::Sure),
            ("notes.md", InContext::Never),
            ("docs/index.html", InContext::Of(Which::New)),
            ("README.md", InContext::Of(Which::New)),
            (".env", InContext::Never),
            (".dockerignore", InContext::Sure),
        ] {
            assert_eq!(in_context(path, &old, &new), expected, "{path}");
        }
    }
}
