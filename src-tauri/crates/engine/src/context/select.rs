//! Which entries of a context the engine asks about: what COPY needs, without what is ignored.

use super::follow::follow;
use slipway_core::dockerignore::{FolderState, Ignore};
use slipway_core::ports::ContextTree;
use slipway_core::{ErrorCode, Failure};
use tonic::metadata::MetadataMap;

/// What one call asks, from its headers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// `context` or `dockerfile`.
    pub(super) folder: String,
    /// Paths (with wildcards) that are needed, followed through symbolic links; empty means all.
    pub(super) follow: Vec<String>,
    /// Patterns of which one must match; empty means all.
    pub(super) include: Vec<String>,
    /// Ignore patterns, in order.
    pub(super) exclude: Vec<String>,
}

impl Question {
    /// Reads a call's headers.
    pub(super) fn read(metadata: &MetadataMap) -> Self {
        Self {
            folder: texts(metadata, "dir-name").into_iter().next().unwrap_or_default(),
            follow: texts(metadata, "followpaths"),
            include: texts(metadata, "include-patterns"),
            exclude: texts(metadata, "exclude-patterns"),
        }
    }
}

/// All values of a header; `<name>-encoded: 1` says that they are query-escaped (they are when one is not ASCII).
fn texts(metadata: &MetadataMap, name: &str) -> Vec<String> {
    let values = metadata.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    if metadata.get(format!("{name}-encoded")).is_some_and(|flag| matches!(flag.as_bytes(), b"1" | b"true")) {
        values.map(|value| unescape(&value)).collect()
    } else {
        values.collect()
    }
}

fn unescape(value: &str) -> String {
    // A value of a form, without name: `=` and `&` are escaped inside.
    url::form_urlencoded::parse(format!("v={value}").as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// The answer to "is this entry wanted?".
pub(super) struct Selection {
    /// `None` means all.
    include: Option<Include>,
    exclude: Option<Ignore>,
}

/// Paths without wildcards are compared, the others matched.
struct Include {
    plain: Vec<String>,
    globs: Option<Ignore>,
    /// What stands before the first wildcard part of each glob.
    glob_roots: Vec<String>,
}

impl Selection {
    /// Prepares a question about this tree.
    ///
    /// # Errors
    /// What listing the tree gives; [`ErrorCode::BadIgnoreFile`] for patterns that cannot be read.
    pub(super) fn new(question: &Question, tree: &dyn ContextTree) -> Result<Self, Failure> {
        let mut include = question.include.clone();
        let followed = if question.follow.is_empty() { None } else { follow(tree, &question.follow)? };
        // Following to the root means everything, so only the given patterns remain.
        include.extend(followed.unwrap_or_default());
        Ok(Self {
            include: if include.is_empty() { None } else { Some(Include::new(&include)?) },
            exclude: if question.exclude.is_empty() { None } else { Some(patterns(&question.exclude)?) },
        })
    }

    /// Returns the state of the context's root, where a walk begins.
    pub(super) fn root(&self) -> IgnoreState {
        self.exclude.as_ref().map(Ignore::root)
    }

    /// Returns true when the engine wants to know of this entry, which is no folder.
    pub(super) fn wants(&self, path: &str, parent: &IgnoreState) -> bool {
        self.include.as_ref().is_none_or(|include| include.matches(path))
            && !self.exclude.as_ref().zip(parent.as_ref()).is_some_and(|(exclude, parent)| exclude.file(parent, path))
    }

    /// Decides about a folder. One on the way to a needed path is wanted, so that the engine names the whole path when it is
    /// missing.
    pub(super) fn folder(&self, path: &str, parent: &IgnoreState) -> FolderAnswer {
        let include = self.include.as_ref();
        let decision = self.exclude.as_ref().zip(parent.as_ref()).map(|(exclude, parent)| exclude.folder(parent, path));
        FolderAnswer {
            wanted: include.is_none_or(|include| include.matches(path) || include.leads_on(path))
                && !decision.as_ref().is_some_and(|decision| decision.ignored),
            may_hold: include.is_none_or(|include| include.may_hold(path))
                && !decision.as_ref().is_some_and(|decision| decision.may_skip),
            state: decision.map(|decision| decision.state),
        }
    }
}

/// What the ignore patterns say of the folders above; `None` without patterns.
pub(super) type IgnoreState = Option<FolderState>;

/// The answer about a folder.
pub(super) struct FolderAnswer {
    /// The engine wants to know of it.
    pub(super) wanted: bool,
    /// Something inside may be wanted.
    pub(super) may_hold: bool,
    /// For the questions about its entries.
    pub(super) state: IgnoreState,
}

impl Include {
    fn new(include: &[String]) -> Result<Self, Failure> {
        let (globs, plain): (Vec<_>, Vec<_>) = include.iter().cloned().partition(|path| has_wildcard(path));
        let glob_roots = globs
            .iter()
            .map(|glob| glob.split('/').take_while(|part| !has_wildcard(part)).collect::<Vec<_>>().join("/"))
            .collect();
        let globs = if globs.is_empty() { None } else { Some(patterns(&globs)?) };
        Ok(Self { plain, globs, glob_roots })
    }

    fn matches(&self, path: &str) -> bool {
        self.plain.iter().any(|plain| is_within(path, plain))
            || self.globs.as_ref().is_some_and(|globs| globs.is_ignored(path))
    }

    fn leads_on(&self, folder: &str) -> bool {
        self.plain.iter().any(|plain| is_within(plain, folder))
    }

    fn may_hold(&self, folder: &str) -> bool {
        let related = |other: &String| is_within(folder, other) || is_within(other, folder);
        self.plain.iter().any(related) || self.glob_roots.iter().any(related)
    }
}

/// Returns true for a folder and for everything below it.
fn is_within(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) fn has_wildcard(path: &str) -> bool {
    path.contains(['*', '?', '[', '\\'])
}

pub(super) fn patterns(patterns: &[String]) -> Result<Ignore, Failure> {
    Ignore::from_patterns(patterns).map_err(|failure| Failure { code: ErrorCode::BadIgnoreFile, ..failure })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn headers_are_read_plain_and_escaped() {
        let mut metadata = MetadataMap::new();
        metadata.insert("dir-name", "context".parse().unwrap());
        metadata.append("followpaths", "a%20b".parse().unwrap());
        metadata.append("exclude-patterns", "%E4%B8%AD+%E6%96%87%2F%2A".parse().unwrap());
        metadata.append("exclude-patterns", "a%26b%3Dc".parse().unwrap());
        metadata.append("exclude-patterns-encoded", "1".parse().unwrap());
        let question = Question::read(&metadata);
        assert_eq!(question.folder, "context");
        assert_eq!(question.follow, ["a%20b"], "not marked as escaped");
        assert_eq!(question.exclude, ["中 文/*", "a&b=c"]);
    }
}
