//! `.dockerignore` as `moby/patternmatcher` implements it (`reference/registries.md` section 5): anchored patterns, the last
//! line that matches decides, and a line that matches a parent folder matches everything below it.

use crate::{ErrorCode, Failure};
use regex::Regex;

mod pattern;

/// A parsed ignore file.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    /// A `!` line: what it matches is kept.
    exception: bool,
    shape: Shape,
    /// The text up to its first wildcard, and whether that is all of it; says where an exception may match.
    literal: String,
    has_wildcard: bool,
}

/// How a line is compared, with the shortcuts of the original library, which show through.
#[derive(Debug, Clone)]
enum Shape {
    Exact(String),
    /// `dir/**`: a plain prefix test on `dir/`.
    Prefix(String),
    /// `**/x` and `**x`: a plain suffix test.
    Suffix(String),
    Regex(Regex),
}

impl Shape {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path == text,
            Self::Prefix(prefix) => path.starts_with(prefix),
            Self::Suffix(suffix) => path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path),
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

/// What a walker knows about a folder: for each line, whether it matches the folder or one of its parents. It makes asking
/// about the folder's children cheap.
#[derive(Debug, Clone)]
pub struct FolderState {
    matched: Vec<bool>,
}

/// The answer about a folder.
#[derive(Debug, Clone)]
pub struct FolderDecision {
    /// The folder itself is ignored.
    pub ignored: bool,
    /// It is ignored and nothing below it can be kept: a walker need not look inside.
    pub may_skip: bool,
    /// For the questions about its children.
    pub state: FolderState,
}

impl Ignore {
    /// Parses the bytes of an ignore file.
    ///
    /// # Errors
    /// [`ErrorCode::BadIgnoreFile`] with `line` (counted from 1) for a lone `!` or a broken pattern.
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        let mut lines = Vec::new();
        for (index, line) in text.split('\n').enumerate() {
            let Some(pattern) = pattern::read_line(line) else { continue };
            let parsed = Line::new(&pattern).map_err(|why| {
                let number = index + 1;
                Failure::new(ErrorCode::BadIgnoreFile, format!("line {number}: {:?}: {why}", line.trim()))
                    .with("line", number.to_string())
                    .with("pattern", line.trim())
            })?;
            lines.extend(parsed);
        }
        Ok(Self { lines })
    }

    /// Takes patterns that were read from a file before, such as those that the engine sends with a session's request.
    ///
    /// # Errors
    /// [`ErrorCode::BadIgnoreFile`] with `pattern`.
    pub fn from_patterns<S: AsRef<str>>(patterns: &[S]) -> Result<Self, Failure> {
        let mut lines = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            let parsed = Line::new(pattern).map_err(|why| {
                Failure::new(ErrorCode::BadIgnoreFile, format!("{pattern:?}: {why}")).with("pattern", pattern)
            })?;
            lines.extend(parsed);
        }
        Ok(Self { lines })
    }

    /// Returns true when there is no line: nothing is ignored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns whether a path (relative to the context's root, `/` between parts) is ignored. The root never is.
    /// For whole trees [`Self::root`], [`Self::folder`] and [`Self::file`] are cheaper.
    #[must_use]
    pub fn is_ignored(&self, path: &str) -> bool {
        if matches!(path, "" | ".") {
            return false;
        }
        let matches = |line: &Line| {
            line.shape.matches(path) || path.match_indices('/').any(|(end, _)| line.shape.matches(&path[..end]))
        };
        self.lines.iter().rev().find(|line| matches(line)).is_some_and(|line| !line.exception)
    }

    /// Returns whether a folder is ignored and no exception can match below it. For a walker that keeps no state.
    #[must_use]
    pub fn may_skip_folder(&self, folder: &str) -> bool {
        if matches!(folder, "" | ".") {
            return false;
        }
        let mut state = self.root();
        for (end, _) in folder.match_indices('/') {
            state = self.folder(&state, &folder[..end]).state;
        }
        self.folder(&state, folder).may_skip
    }

    /// Returns the state of the context's root, where a walk begins.
    #[must_use]
    pub fn root(&self) -> FolderState {
        FolderState { matched: vec![false; self.lines.len()] }
    }

    /// Decides about a folder, given the state of the folder that holds it. `path` is the whole path from the root.
    #[must_use]
    pub fn folder(&self, parent: &FolderState, path: &str) -> FolderDecision {
        let matched: Vec<bool> =
            self.lines.iter().zip(&parent.matched).map(|(line, known)| *known || line.shape.matches(path)).collect();
        let deciding = matched.iter().rposition(|matched| *matched);
        let ignored = deciding.is_some_and(|index| !self.lines[index].exception);
        // What matches the folder matches everything below it, so only an exception after the deciding line can keep a child.
        let may_skip = ignored
            && deciding.is_some_and(|index| self.lines[index + 1..].iter().all(|line| !line.may_keep_below(path)));
        FolderDecision { ignored, may_skip, state: FolderState { matched } }
    }

    /// Decides about anything that is no folder, given the state of the folder that holds it.
    #[must_use]
    pub fn file(&self, parent: &FolderState, path: &str) -> bool {
        let matching = self.lines.iter().zip(&parent.matched).rev();
        let mut matching = matching.filter(|(line, known)| **known || line.shape.matches(path));
        matching.next().is_some_and(|(line, _)| !line.exception)
    }
}

impl Line {
    /// Parses one pattern; `None` for an empty one.
    fn new(pattern: &str) -> Result<Option<Self>, String> {
        let pattern = pattern.trim();
        if pattern.is_empty() {
            return Ok(None);
        }
        let cleaned = pattern::clean_path(pattern);
        let (exception, text) = match cleaned.strip_prefix('!') {
            Some("") => return Err("an exception names nothing".to_owned()),
            Some(rest) => (true, rest),
            None => (false, cleaned.as_str()),
        };
        let shape = pattern::compile(text)?;
        let wildcard = text.find(['*', '?', '[', '\\']);
        let literal = text[..wildcard.unwrap_or(text.len())].to_owned();
        Ok(Some(Self { exception, shape, literal, has_wildcard: wildcard.is_some() }))
    }

    /// Returns whether this is an exception that may match something inside the folder.
    fn may_keep_below(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        self.exception && (self.literal.starts_with(&below) || (self.has_wildcard && below.starts_with(&self.literal)))
    }
}

#[cfg(test)]
mod tests;
