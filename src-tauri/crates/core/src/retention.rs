//! Retention (版本保留): which tags of an image repository may go, and why each of the others stays (`product.md` section 8).
//! A tag goes only when nothing keeps it. At a registry a manifest goes with every tag on it, so what keeps one tag keeps the
//! others on the same manifest, and the images of an index that stays.

use crate::image::{Digest, Tag};
use crate::version::natural_order;
use crate::{ErrorCode, Failure, matching};
use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Largest number of tags or days that a rule can keep.
pub const MOST_KEPT: u32 = 100_000;
/// Docker's first year. Builders that make the same bytes each time write an earlier creation time (1970, 1980), which says
/// nothing about the age.
const FIRST_IMAGES: i64 = 1_356_998_400;

/// What is kept. What none of the conditions keeps may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RetentionRule {
    /// The newest so many tags.
    pub keep_newest: Option<u32>,
    /// What was pushed, or else made, within so many days.
    pub keep_days: Option<u32>,
    /// Tags that this regular expression matches as a whole.
    pub keep_pattern: Option<String>,
    /// Tags that somebody else pushed may go too.
    pub include_foreign: bool,
}

/// A tag, with what decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionTag {
    /// The tag.
    pub tag: Tag,
    /// The manifest at a registry; none on *Local engine*, where a name goes alone, and while it is not read.
    pub digest: Option<Digest>,
    /// The manifests of an index, which it needs.
    pub parts: Vec<Digest>,
    /// What it holds was read.
    pub read: bool,
    /// When it was pushed or made, see [`age_from`].
    pub at: Option<DateTime<Utc>>,
    /// Somebody else put it there.
    pub foreign: bool,
    /// It is written once.
    pub write_once: bool,
    /// It holds what the newest build made.
    pub newest: bool,
    /// The container or deploy target that needs what it holds.
    pub used_by: Option<String>,
}

/// Why a tag stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum KeepReason {
    /// What it holds could not be read, or not yet.
    Unread,
    /// It is a signature or another attachment of an image.
    Attachment,
    /// It is written once.
    WriteOnce,
    /// A container or a deploy target needs it.
    Used,
    /// Somebody else pushed it.
    Foreign,
    /// Nothing says how old it is.
    AgeUnknown,
    /// It is the newest.
    Newest,
    /// It is among the newest that are kept.
    AmongNewest,
    /// It is not old enough.
    Recent,
    /// The pattern matches it.
    Pattern,
    /// Another tag that stays holds the same image, and a registry removes both or none.
    SameImage,
    /// It is a part of an image for several platforms that stays.
    PartOfIndex,
}

/// Why a tag stays, and for whose sake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Kept {
    /// Why.
    pub reason: KeepReason,
    /// The container, the deploy target or the other tag.
    pub by: Option<String>,
}

/// What becomes of a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RetentionVerdict {
    /// The tag.
    pub tag: Tag,
    /// When it was pushed or made.
    pub at: Option<DateTime<Utc>>,
    /// Why it stays; none: it goes.
    pub kept: Option<Kept>,
}

/// What a rule would do now (模拟执行).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RetentionPreview {
    /// Every tag, those that go first, each part newest first.
    pub tags: Vec<RetentionVerdict>,
    /// How many go.
    pub removed: u64,
    /// Tags that are still being read and count as kept; an event says when more is known.
    pub pending: u64,
}

/// How a removal by rule went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RetentionRun {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// A person started it.
    pub by_person: bool,
    /// Tags that went.
    pub removed: u64,
    /// Tags that were to go and stayed, because something changed meanwhile, or the engine or the registry refused.
    pub left: u64,
    /// Why the registry refused to remove one of those that stayed.
    #[serde(default)]
    pub refused: Option<Failure>,
    /// Why it broke off.
    pub failure: Option<Failure>,
}

impl RetentionRule {
    /// Checks the fields and compiles the pattern.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidField`] or [`ErrorCode::BadRegex`] at a field of `rule`.
    pub fn pattern(&self) -> Result<Option<Regex>, Failure> {
        let invalid = |field: &str, why: String| Err(Failure::new(ErrorCode::InvalidField, why).at(field));
        if self.keep_newest.is_none() && self.keep_days.is_none() {
            return invalid("rule.keep_newest", "say how many tags or how many days are kept".to_owned());
        }
        for (value, field) in [(self.keep_newest, "rule.keep_newest"), (self.keep_days, "rule.keep_days")] {
            if value.is_some_and(|value| !(1..=MOST_KEPT).contains(&value)) {
                return invalid(field, format!("a number from 1 to {MOST_KEPT}"));
            }
        }
        let Some(pattern) = &self.keep_pattern else { return Ok(None) };
        let field = "rule.keep_pattern";
        // Alone first: `a)(b` is none, although it becomes one between the brackets.
        matching::compile_regex(pattern, field)?;
        matching::compile_regex(&format!("^(?:{pattern})$"), field).map(Some)
    }
}

/// Returns the time that a tag's age is counted from: when it was pushed from here, else the creation time written in the
/// image, unless that is one that says nothing.
#[must_use]
pub fn age_from(pushed_at: Option<DateTime<Utc>>, created: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    pushed_at.or_else(|| created.filter(|at| at.timestamp() >= FIRST_IMAGES))
}

/// Decides about all tags of a repository. The answers stand in the order of the tags.
///
/// # Errors
/// As [`RetentionRule::pattern`].
pub fn decide(
    rule: &RetentionRule,
    tags: &[RetentionTag],
    now: DateTime<Utc>,
) -> Result<Vec<RetentionVerdict>, Failure> {
    let pattern = rule.pattern()?;
    let rank = ranks(rule, tags);
    let kept_newest = rule.keep_newest.map_or(0, |count| count as usize);
    let recent = rule.keep_days.map(|days| now - TimeDelta::days(i64::from(days)));
    let own = |index: usize, one: &RetentionTag| {
        let place = rank.get(&index);
        Some(match one {
            one if !one.read => KeepReason::Unread,
            one if is_attachment(&one.tag) => KeepReason::Attachment,
            one if one.write_once => KeepReason::WriteOnce,
            one if one.used_by.is_some() => KeepReason::Used,
            one if one.foreign && !rule.include_foreign => KeepReason::Foreign,
            one if one.at.is_none() => KeepReason::AgeUnknown,
            one if one.newest || place == Some(&0) => KeepReason::Newest,
            _ if place.is_some_and(|place| *place < kept_newest) => KeepReason::AmongNewest,
            one if recent.is_some_and(|since| one.at.is_some_and(|at| at >= since)) => KeepReason::Recent,
            one if pattern.as_ref().is_some_and(|pattern| pattern.is_match(one.tag.as_str())) => KeepReason::Pattern,
            _ => return None,
        })
    };
    let mut kept: Vec<Option<Kept>> = tags
        .iter()
        .enumerate()
        .map(|(index, one)| {
            let reason = own(index, one)?;
            Some(Kept { reason, by: one.used_by.clone().filter(|_| reason == KeepReason::Used) })
        })
        .collect();
    keep_what_they_need(tags, &mut kept);
    let verdict =
        |(one, kept): (&RetentionTag, Option<Kept>)| RetentionVerdict { tag: one.tag.clone(), at: one.at, kept };
    Ok(tags.iter().zip(kept).map(verdict).collect())
}

/// The places of the tags that the rule is about, by age, the newest first. What is as old is ordered by name.
fn ranks(rule: &RetentionRule, tags: &[RetentionTag]) -> HashMap<usize, usize> {
    let governed = |one: &RetentionTag| one.read && one.at.is_some() && (rule.include_foreign || !one.foreign);
    let mut order: Vec<usize> = (0..tags.len()).filter(|index| governed(&tags[*index])).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&tags[*a], &tags[*b]);
        Reverse(a.at).cmp(&Reverse(b.at)).then_with(|| natural_order(b.tag.as_str(), a.tag.as_str()))
    });
    order.into_iter().enumerate().map(|(place, index)| (index, place)).collect()
}

/// Keeps the other tags on manifests that stay, and what indexes that stay consist of.
fn keep_what_they_need(tags: &[RetentionTag], kept: &mut [Option<Kept>]) {
    let mut on: HashMap<&Digest, Vec<usize>> = HashMap::new();
    for (index, one) in tags.iter().enumerate() {
        if let Some(digest) = &one.digest {
            on.entry(digest).or_default().push(index);
        }
    }
    let mut look: Vec<usize> = (0..tags.len()).filter(|index| kept[*index].is_some()).collect();
    while let Some(index) = look.pop() {
        let one = &tags[index];
        let same = one.digest.iter().map(|digest| (digest, KeepReason::SameImage));
        let parts = one.parts.iter().map(|digest| (digest, KeepReason::PartOfIndex));
        for (digest, reason) in same.chain(parts) {
            for other in on.get(digest).into_iter().flatten() {
                if kept[*other].is_none() {
                    kept[*other] = Some(Kept { reason, by: Some(one.tag.as_str().to_owned()) });
                    look.push(*other);
                }
            }
        }
    }
}

/// Signatures and attestations are found by the image's digest in their tag (cosign, the fallback of OCI referrers):
/// `sha256-<hex>`, with or without a suffix.
fn is_attachment(tag: &Tag) -> bool {
    let hex = tag.as_str().strip_prefix("sha256-").and_then(|rest| rest.get(..64));
    hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
