//! Image triggers: which new tags update what (`product.md` section 7). A tag event meets the conditions of its
//! repository's triggers; each match is a firing, and a firing updates one target at most once.

use crate::deploy::{DeployTarget, HealthGate};
use crate::ids::{ObservationId, TagEventId};
use crate::image::Tag;
use crate::matching::compile_regex;
use crate::{ErrorCode, Failure};
use regex::Regex;
use serde::{Deserialize, Serialize};

mod firing;
mod place;
pub use firing::{FiringKind, FiringReason, FiringState, TargetPin, TargetVersion};
pub use place::DeployPlace;

/// Longest list of tags that can be saved, in bytes.
const MAX_LIST_BYTES: usize = 4000;

/// Everything that a person says in the trigger editor. Stored as JSON; a field added later needs a serde default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TriggerSpec {
    /// Unique among all triggers, see [`check_name`].
    pub name: String,
    /// Which tags fire it.
    pub condition: TagCondition,
    /// What it updates.
    pub target: DeployTarget,
    /// When the new image counts as serving.
    #[serde(default)]
    pub gate: HealthGate,
    /// Off: new tags are ignored and count as seen.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

impl TriggerSpec {
    /// Checks what can be checked without asking anybody.
    ///
    /// # Errors
    /// The first problem with its field: name, condition, or the gate's seconds.
    pub fn check(&self) -> Result<(), Failure> {
        check_name(&self.name)?;
        ConditionMatcher::new(&self.condition)?;
        let HealthGate { stay_up_seconds, deadline_seconds } = self.gate;
        let bad = |field: &str, why: &str| Err(Failure::new(ErrorCode::InvalidField, why).at(field));
        if !(1..=3600).contains(&stay_up_seconds) {
            return bad("gate.stay_up_seconds", "between 1 and 3600 seconds");
        }
        if deadline_seconds <= stay_up_seconds || deadline_seconds > 86_400 {
            return bad("gate.deadline_seconds", "more than the seconds that it must stay up, and a day at most");
        }
        Ok(())
    }
}

/// Which tags fire a trigger (触发条件).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TagCondition {
    /// Any tag that is created or updated (全部触发).
    All,
    /// One of these tags (指定 Tag 触发).
    Tags {
        /// As typed: separated by `;`, `,` or lines.
        list: String,
    },
    /// The tag matches this regular expression, not anchored (正则触发).
    Pattern {
        /// The expression.
        pattern: String,
    },
}

/// A condition, ready to match.
#[derive(Debug, Clone)]
pub struct ConditionMatcher(Matcher);

#[derive(Debug, Clone)]
enum Matcher {
    All,
    Tags(Vec<Tag>),
    Pattern(Regex),
}

impl ConditionMatcher {
    /// Compiles a condition.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] at `condition.list`, [`ErrorCode::BadRegex`] at `condition.pattern`.
    pub fn new(condition: &TagCondition) -> Result<Self, Failure> {
        Ok(Self(match condition {
            TagCondition::All => Matcher::All,
            TagCondition::Tags { list } => Matcher::Tags(tags_of_list(list)?),
            TagCondition::Pattern { pattern } => Matcher::Pattern(compile_regex(pattern, "condition.pattern")?),
        }))
    }

    /// Returns whether a tag fires.
    #[must_use]
    pub fn matches(&self, tag: &Tag) -> bool {
        match &self.0 {
            Matcher::All => true,
            Matcher::Tags(tags) => tags.contains(tag),
            Matcher::Pattern(pattern) => pattern.is_match(tag.as_str()),
        }
    }

    /// Returns the only tags that can match; `None` when the repository's list has to be asked.
    #[must_use]
    pub fn named_tags(&self) -> Option<&[Tag]> {
        match &self.0 {
            Matcher::Tags(tags) => Some(tags),
            Matcher::All | Matcher::Pattern(_) => None,
        }
    }
}

/// Reads a list of tags separated by `;`, `,` or white space, each once.
fn tags_of_list(list: &str) -> Result<Vec<Tag>, Failure> {
    let bad = |why: String| Failure::new(ErrorCode::InvalidField, why).at("condition.list");
    if list.len() > MAX_LIST_BYTES {
        return Err(bad(format!("the list of tags is longer than {MAX_LIST_BYTES} bytes")));
    }
    let mut tags: Vec<Tag> = Vec::new();
    for word in list.split(|c: char| matches!(c, ';' | ',' | '；' | '，') || c.is_whitespace()) {
        if word.is_empty() {
            continue;
        }
        let tag = Tag::new(word).map_err(|failure| bad(failure.message).with("value", word))?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.is_empty() { Err(bad("name at least one tag".to_owned())) } else { Ok(tags) }
}

/// Checks a trigger's name: a letter first, then letters, digits, `-`, `_` and `.`, 2 to 64 characters
/// (`tencent-console.md` section 7.2).
///
/// # Errors
/// [`ErrorCode::InvalidField`] at `name`.
pub fn check_name(name: &str) -> Result<(), Failure> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && (2..=64).contains(&name.len()) && name.chars().all(legal) {
        return Ok(());
    }
    let why = "a trigger's name begins with a letter and has 2 to 64 letters, digits, '-', '_' or '.'";
    Err(Failure::new(ErrorCode::InvalidField, why).at("name"))
}

/// Where a tag event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TagEventSource {
    /// A build of ours published it.
    Build,
    /// A person uploaded an image.
    Upload,
    /// The name moved in the engine's own store (`docker tag`, `docker load`, another client).
    Local,
    /// The registry shows another digest: somebody else pushed.
    Registry,
    /// A person chose this tag.
    Manual,
}

/// The place of a tag event in time: what was observed later is newer, whatever clocks and ancestry say (invariant 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventOrder {
    /// The event.
    pub event: TagEventId,
    /// The push to the code that it comes from, when it does.
    pub observation: Option<ObservationId>,
}

impl EventOrder {
    /// Returns whether this was observed before the other one. Two pushes are compared by when the pushes were seen, because
    /// the build of an earlier push may end later; anything else by when the tag was seen.
    #[must_use]
    pub fn is_before(self, other: Self) -> bool {
        match (self.observation, other.observation) {
            (Some(mine), Some(others)) if mine != others => mine < others,
            _ => self.event < other.event,
        }
    }
}

#[cfg(test)]
mod tests;
