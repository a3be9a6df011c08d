//! Does a push to a ref start a rule? (`product.md` section 4, 触发规则)

use crate::code::{RefKind, RefName};
use crate::rule::PushTriggers;
use crate::{ErrorCode, Failure};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest regular expression that can be saved, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1000;
/// Largest compiled regular expression, in bytes. Matching is linear in the text; this bounds the constant.
const COMPILED_LIMIT: usize = 1 << 20;

/// Compiles a regular expression that a person typed, with limits on its size. Not anchored.
///
/// # Errors
/// [`ErrorCode::BadRegex`] at `field` when it is empty, too long, does not compile or is too large.
pub fn compile_regex(pattern: &str, field: &str) -> Result<Regex, Failure> {
    let bad = |why: String| Failure::new(ErrorCode::BadRegex, why).at(field);
    if pattern.is_empty() {
        return Err(bad("the regular expression is empty".to_owned()));
    }
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(bad(format!("the regular expression is longer than {MAX_PATTERN_BYTES} bytes")));
    }
    RegexBuilder::new(pattern)
        .size_limit(COMPILED_LIMIT)
        .dfa_size_limit(COMPILED_LIMIT)
        .nest_limit(50)
        .build()
        .map_err(|error| bad(error.to_string()))
}

/// Which trigger a ref matched first, in the order of the rule editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedTrigger {
    /// It is one of the named branches.
    Branch,
    /// Any branch was asked for.
    AnyBranch,
    /// Any tag was asked for.
    NewTag,
    /// The regular expression matches.
    Pattern,
}

/// A ref that starts the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefMatch {
    /// Which trigger matched.
    pub trigger: MatchedTrigger,
    /// The pattern's capture groups on this ref, by number (`1`, …) and by name; empty when the pattern does not match.
    /// A group that took no part is absent.
    pub groups: BTreeMap<String, String>,
}

/// The triggers of a rule, ready to match.
#[derive(Debug, Clone)]
pub struct TriggerMatcher {
    triggers: PushTriggers,
    pattern: Option<Regex>,
}

impl TriggerMatcher {
    /// Compiles the triggers.
    ///
    /// # Errors
    /// [`ErrorCode::BadRegex`] at `triggers.pattern`.
    pub fn new(triggers: &PushTriggers) -> Result<Self, Failure> {
        let pattern = triggers.pattern.as_deref().map(|text| compile_regex(text, "triggers.pattern")).transpose()?;
        Ok(Self { triggers: triggers.clone(), pattern })
    }

    /// Returns how a push to this ref starts the rule; `None` when it does not.
    #[must_use]
    pub fn matches(&self, name: &RefName) -> Option<RefMatch> {
        let is_branch = name.kind() == RefKind::Branch;
        let groups = self.groups(name);
        let trigger = if is_branch && self.triggers.branches.iter().any(|branch| branch == name.short()) {
            MatchedTrigger::Branch
        } else if is_branch && self.triggers.any_branch {
            MatchedTrigger::AnyBranch
        } else if !is_branch && self.triggers.new_tag {
            MatchedTrigger::NewTag
        } else if groups.is_some() {
            MatchedTrigger::Pattern
        } else {
            return None;
        };
        Some(RefMatch { trigger, groups: groups.unwrap_or_default() })
    }

    /// Returns the pattern's capture groups on this ref, whatever trigger starts it; `None` when the pattern does not match
    /// or there is none. The short name is tried first: `(.+)-rc` then gives what people see, without `refs/heads/`.
    #[must_use]
    pub fn groups(&self, name: &RefName) -> Option<BTreeMap<String, String>> {
        let pattern = self.pattern.as_ref()?;
        let found = pattern.captures(name.short()).or_else(|| pattern.captures(name.as_str()))?;
        let named = pattern.capture_names().flatten().filter_map(|name| Some((name.to_owned(), found.name(name)?)));
        let numbered = (1..found.len()).filter_map(|number| Some((number.to_string(), found.get(number)?)));
        Some(numbered.chain(named).map(|(key, group)| (key, group.as_str().to_owned())).collect())
    }
}

/// Returns the refs that start a rule with these triggers, in the given order: the live preview of the rule editor.
///
/// # Errors
/// As [`TriggerMatcher::new`].
pub fn matching_refs<'refs>(
    triggers: &PushTriggers,
    refs: impl IntoIterator<Item = &'refs RefName>,
) -> Result<Vec<(&'refs RefName, RefMatch)>, Failure> {
    let matcher = TriggerMatcher::new(triggers)?;
    Ok(refs.into_iter().filter_map(|name| Some((name, matcher.matches(name)?))).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn pattern(text: &str) -> PushTriggers {
        PushTriggers { pattern: Some(text.to_owned()), ..PushTriggers::default() }
    }

    fn ref_name(full: &str) -> RefName {
        RefName::new(full).unwrap()
    }

    #[test]
    fn each_trigger_matches_what_its_tick_says() {
        use MatchedTrigger::{AnyBranch, Branch, NewTag, Pattern};
        let named = PushTriggers { branches: vec!["main".into(), "a/b".into()], ..PushTriggers::default() };
        let any = PushTriggers { any_branch: true, ..PushTriggers::default() };
        let tags = PushTriggers { new_tag: true, ..PushTriggers::default() };
        let all = PushTriggers { any_branch: true, new_tag: true, pattern: Some("x".into()), ..named.clone() };
        let table = [
            (&named, "refs/heads/main", Some(Branch)),
            (&named, "refs/heads/a/b", Some(Branch)),
            (&named, "refs/heads/Main", None),
            (&named, "refs/heads/b", None),
            (&named, "refs/tags/main", None),
            (&any, "refs/heads/new", Some(AnyBranch)),
            (&any, "refs/tags/new", None),
            (&tags, "refs/tags/v1", Some(NewTag)),
            (&tags, "refs/heads/v1", None),
            (&all, "refs/heads/main", Some(Branch)),
            (&all, "refs/heads/x", Some(AnyBranch)),
            (&all, "refs/tags/x", Some(NewTag)),
            (&pattern("^v\\d"), "refs/tags/v1.0", Some(Pattern)),
            (&pattern("^v\\d"), "refs/heads/v1.0", Some(Pattern)),
            (&pattern("^v\\d"), "refs/tags/dev1", None),
            (&pattern("^refs/tags/v"), "refs/tags/v1.0", Some(Pattern)),
            (&pattern("^refs/tags/v"), "refs/heads/v1.0", None),
            (&pattern("lease"), "refs/heads/release/1", Some(Pattern)),
            (&PushTriggers::default(), "refs/heads/main", None),
        ];
        for (triggers, full, expected) in table {
            let found = TriggerMatcher::new(triggers).unwrap().matches(&ref_name(full)).map(|found| found.trigger);
            assert_eq!(found, expected, "{triggers:?} on {full}");
        }
    }

    #[test]
    fn groups_come_from_the_short_name_by_number_and_by_name() {
        let matcher = TriggerMatcher::new(&pattern(r"(.+)-rc(?<candidate>\d+)(x)?")).unwrap();
        let groups = matcher.matches(&ref_name("refs/tags/v2-rc7")).unwrap().groups;
        let expected = [("1", "v2"), ("2", "7"), ("candidate", "7")];
        assert_eq!(groups, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        let full = TriggerMatcher::new(&pattern("^refs/heads/(.+)$")).unwrap();
        assert_eq!(full.groups(&ref_name("refs/heads/a/b")).unwrap()["1"], "a/b");
    }

    #[test]
    fn groups_are_there_even_when_another_trigger_starts_the_rule() {
        let triggers = PushTriggers { any_branch: true, ..pattern("release/(.*)") };
        let matcher = TriggerMatcher::new(&triggers).unwrap();
        let found = matcher.matches(&ref_name("refs/heads/release/1.2")).unwrap();
        assert_eq!((found.trigger, found.groups["1"].as_str()), (MatchedTrigger::AnyBranch, "1.2"));
        assert!(matcher.matches(&ref_name("refs/heads/main")).unwrap().groups.is_empty());
    }

    #[test]
    fn a_pattern_that_cannot_be_used_names_its_field() {
        let too_long = "a".repeat(MAX_PATTERN_BYTES + 1);
        for bad in ["", "(", "[z-a]", "a{2,1}", "(?=x)", "\\1", "(a{500}){500}", too_long.as_str()] {
            let failure = TriggerMatcher::new(&pattern(bad)).unwrap_err();
            assert_eq!(failure.code, ErrorCode::BadRegex, "{bad}");
            assert_eq!(failure.field.as_deref(), Some("triggers.pattern"), "{bad}");
        }
    }

    #[test]
    fn preview_lists_the_matching_refs_in_order() {
        let refs = ["refs/heads/main", "refs/tags/v1", "refs/heads/v"].map(ref_name);
        let found = matching_refs(&pattern("v"), &refs).unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.short()).collect();
        assert_eq!(names, ["v1", "v"]);
    }

    #[test]
    fn t21_nested_quantifiers_stay_linear() {
        let long = ref_name(&format!("refs/heads/{}!", "a".repeat(1000)));
        for corpus in [
            "(a+)+$",
            "^(a*)*$",
            "^(a|a)*$",
            "(a|aa)+$",
            "^([a-z]+)*$",
            "(a?){50}a{50}$",
            "^(([a-z])+.)+[A-Z]$",
            "(.*a){20}$",
        ] {
            let matcher = TriggerMatcher::new(&pattern(corpus)).unwrap();
            // The best of a few runs, so that a busy machine does not decide; backtracking would take for ever.
            let best = (0..5)
                .map(|_| {
                    let start = std::time::Instant::now();
                    assert!(matcher.groups(&long).is_none(), "{corpus}");
                    start.elapsed()
                })
                .min()
                .unwrap();
            assert!(best < std::time::Duration::from_millis(50), "{corpus} took {best:?}");
        }
    }

    proptest! {
        #[test]
        fn t21_any_pattern_is_compiled_or_refused(text in "\\PC{0,60}", short in "[a-z/.0-9]{1,20}") {
            if let (Ok(matcher), Ok(name)) = (TriggerMatcher::new(&pattern(&text)), RefName::branch(&short)) {
                let found = matcher.matches(&name);
                prop_assert_eq!(found.is_some(), matcher.groups(&name).is_some());
            }
        }
    }
}
