//! Path filters: does a push change anything that a rule cares about? (`product.md` section 4)
//!
//! Globs over paths from the repository's root: `*` and `?` stay inside one folder, `**` crosses folders, `[a-z]` and
//! `[!a-z]` are classes, `{a,b}` is a choice, `\` escapes. A leading `/` or `./` is ignored and a trailing `/` means
//! everything below. Exclude is applied first.

use crate::build::BuildReason;
use crate::code::ChangedPaths;
use crate::rule::PathFilters;
use crate::{ErrorCode, Failure};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Longest glob, in bytes.
const MAX_GLOB_BYTES: usize = 500;
/// Most globs in one list.
const MAX_GLOBS: usize = 100;

/// What the path filters say about a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathDecision {
    /// It builds.
    Build,
    /// It does not; always [`BuildReason::PathFilter`].
    Skip(BuildReason),
}

/// The path filters of a rule, ready to match.
#[derive(Debug, Clone)]
pub struct PathMatcher {
    include: Option<GlobSet>,
    exclude: Option<GlobSet>,
}

impl PathMatcher {
    /// Compiles the filters.
    ///
    /// # Errors
    /// [`ErrorCode::BadGlob`] at `paths.include[0]` or the like.
    pub fn new(filters: &PathFilters) -> Result<Self, Failure> {
        Ok(Self {
            include: compile(&filters.include, "paths.include")?,
            exclude: compile(&filters.exclude, "paths.exclude")?,
        })
    }

    /// Returns whether one changed file counts.
    #[must_use]
    pub fn counts(&self, path: &str) -> bool {
        !self.exclude.as_ref().is_some_and(|globs| globs.is_match(path))
            && self.include.as_ref().is_none_or(|globs| globs.is_match(path))
    }

    /// Decides over the files that changed since the last commit that the rule built on the ref. Without filters every push
    /// builds; with filters a push that changes no file (an empty commit) does not; an unknown base always builds.
    #[must_use]
    pub fn decide(&self, changed: &ChangedPaths) -> PathDecision {
        let ChangedPaths::Known { paths } = changed else { return PathDecision::Build };
        let unfiltered = self.include.is_none() && self.exclude.is_none();
        if unfiltered || paths.iter().any(|path| self.counts(path)) {
            return PathDecision::Build;
        }
        PathDecision::Skip(BuildReason::PathFilter { changed: paths.len(), example: paths.first().cloned() })
    }
}

fn compile(globs: &[String], field: &str) -> Result<Option<GlobSet>, Failure> {
    if globs.is_empty() {
        return Ok(None);
    }
    if globs.len() > MAX_GLOBS {
        return Err(Failure::new(ErrorCode::BadGlob, format!("there are more than {MAX_GLOBS} path filters")).at(field));
    }
    let mut set = GlobSetBuilder::new();
    for (index, typed) in globs.iter().enumerate() {
        let bad = |why: String| {
            Failure::new(ErrorCode::BadGlob, format!("{typed:?}: {why}"))
                .at(format!("{field}[{index}]"))
                .with("glob", typed)
        };
        let path = typed.strip_prefix("./").unwrap_or(typed);
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return Err(bad("it names no file".to_owned()));
        }
        if path.len() > MAX_GLOB_BYTES {
            return Err(bad(format!("it is longer than {MAX_GLOB_BYTES} bytes")));
        }
        let path = if path.ends_with('/') { format!("{path}**") } else { path.to_owned() };
        let glob = GlobBuilder::new(&path)
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| bad(error.kind().to_string()))?;
        set.add(glob);
    }
    set.build().map(Some).map_err(|error| Failure::new(ErrorCode::BadGlob, error.kind().to_string()).at(field))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn filters(include: &[&str], exclude: &[&str]) -> PathFilters {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        PathFilters { include: owned(include), exclude: owned(exclude) }
    }

    fn changed(paths: &[&str]) -> ChangedPaths {
        ChangedPaths::Known { paths: paths.iter().map(|path| (*path).to_owned()).collect() }
    }

    #[test]
    fn globs_match_like_the_field_says() {
        let table = [
            ("*.md", "README.md", true),
            ("*.md", "docs/a.md", false),
            ("**/*.md", "docs/x/a.md", true),
            ("**/*.md", "README.md", true),
            ("docs/**", "docs/x/a.md", true),
            ("docs/**", "docs2/a", false),
            ("docs/", "docs/x/a.md", true),
            ("/docs/*", "docs/a", true),
            ("./docs/*", "docs/a", true),
            ("docs/*", "docs/x/a", false),
            ("docs", "docs/a", false),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[ab].txt", "b.txt", true),
            ("[!ab].txt", "c.txt", true),
            ("[!ab].txt", "a.txt", false),
            ("src/*.{js,ts}", "src/x.ts", true),
            ("src/*.{js,ts}", "src/x.rs", false),
            ("*", ".hidden", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("README.md", "readme.md", false),
            ("中文/**", "中文/文件", true),
        ];
        for (glob, path, expected) in table {
            let matcher = PathMatcher::new(&filters(&[glob], &[])).unwrap();
            assert_eq!(matcher.counts(path), expected, "{glob} on {path}");
        }
    }

    #[test]
    fn exclude_comes_first_and_one_file_that_counts_is_enough() {
        type Row<'row> = (&'row [&'row str], &'row [&'row str], &'row [&'row str], bool);
        let table: &[Row<'_>] = &[
            (&[], &[], &["a"], true),
            (&[], &[], &[], true),
            (&["src/**"], &[], &["src/a"], true),
            (&["src/**"], &[], &["docs/a"], false),
            (&["src/**"], &[], &["docs/a", "src/a"], true),
            (&[], &["**/*.md"], &["a.md", "d/b.md"], false),
            (&[], &["**/*.md"], &["a.md", "a.rs"], true),
            (&["src/**"], &["src/gen/**"], &["src/gen/a"], false),
            (&["src/gen/keep"], &["src/gen/**"], &["src/gen/keep"], false),
            (&["src/**"], &[], &[], false),
        ];
        for (include, exclude, paths, builds) in table {
            let matcher = PathMatcher::new(&filters(include, exclude)).unwrap();
            let decision = matcher.decide(&changed(paths));
            assert_eq!(decision == PathDecision::Build, *builds, "{include:?} {exclude:?} {paths:?}");
        }
    }

    #[test]
    fn a_skip_says_how_much_changed() {
        let matcher = PathMatcher::new(&filters(&["src/**"], &[])).unwrap();
        let reason = BuildReason::PathFilter { changed: 2, example: Some("a.md".into()) };
        assert_eq!(matcher.decide(&changed(&["a.md", "b.md"])), PathDecision::Skip(reason));
    }

    #[test]
    fn an_unknown_base_builds() {
        let matcher = PathMatcher::new(&filters(&["src/**"], &["**"])).unwrap();
        assert_eq!(matcher.decide(&ChangedPaths::UnknownBase), PathDecision::Build);
    }

    #[test]
    fn t21_bad_and_huge_globs_name_their_field() {
        let long = "*a".repeat(MAX_GLOB_BYTES);
        for bad in ["[", "[z-a]", "{a", "a}", "", "/", "\\", long.as_str()] {
            let failure = PathMatcher::new(&filters(&["ok"], &["ok", bad])).unwrap_err();
            assert_eq!(failure.code, ErrorCode::BadGlob, "{bad}");
            assert_eq!(failure.field.as_deref(), Some("paths.exclude[1]"), "{bad}");
        }
        let many = PathFilters { include: vec!["a".to_owned(); MAX_GLOBS + 1], exclude: Vec::new() };
        assert_eq!(PathMatcher::new(&many).unwrap_err().field.as_deref(), Some("paths.include"));
        let bomb = PathMatcher::new(&filters(&[&"*a".repeat(100)], &[])).unwrap();
        assert!(!bomb.counts(&"a".repeat(5000).replace("aaaaa", "aaaab")[..4999].replace('a', "c")));
    }

    proptest! {
        #[test]
        fn any_glob_is_compiled_or_refused(glob in "[a-c*?/\\[\\]{},!\\\\.-]{0,20}", path in "[a-c/.]{0,20}") {
            if let Ok(matcher) = PathMatcher::new(&filters(&[&glob], &[])) {
                let decision = matcher.decide(&changed(&[&path]));
                prop_assert_eq!(decision == PathDecision::Build, matcher.counts(&path));
            }
        }

        #[test]
        fn a_plain_path_matches_itself(path in "[a-z]{1,5}(/[a-z.]{1,5}){0,3}") {
            prop_assert!(PathMatcher::new(&filters(&[&path], &[])).unwrap().counts(&path));
        }
    }
}
