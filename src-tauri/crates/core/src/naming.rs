//! From a ref and a commit to tags (`product.md` section 4, 版本规则; `reference/registries.md` 7.2).
//!
//! - `{branch}` has a value on branches only, `{tag}` on tags only, `{ref}` on both; the ticks' *branch/tag* is `{ref}`.
//! - `{semver}` has a value on tags that are a semantic version with an optional `v`; `{semver.major}` and `{semver.minor}`
//!   (plain numbers) only when it is no pre-release, so that `2.0.0-rc.1` never moves the tag `2`.
//! - A template of which a placeholder has no value on this ref is left out; it is an error when none is left.
//! - A bare commit has no ref: the ticks' *branch/tag* is then the commit's seven digits.
//! - Times are those of the build's start in the machine's zone.

use crate::build::BuildNumber;
use crate::code::{CommitId, RefKind, RefName};
use crate::image::Tag;
use crate::rule::VersionRule;
use crate::{ErrorCode, Failure};
use chrono::{DateTime, Duration, Utc};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

mod template;

/// Longest tag, in characters.
const LONGEST_TAG: usize = 128;

/// What tags are rendered from.
#[derive(Debug, Clone, Copy)]
pub struct TagContext<'build> {
    /// The ref; `None` for a bare commit or an uploaded Dockerfile.
    pub ref_name: Option<&'build RefName>,
    /// The commit; `None` for an uploaded Dockerfile.
    pub commit: Option<&'build CommitId>,
    /// The build's number for people (`{n}`).
    pub number: BuildNumber,
    /// When the build starts.
    pub started_at: DateTime<Utc>,
    /// The machine's offset from UTC then, in seconds east.
    pub offset_seconds: i32,
    /// Capture groups of the rule's pattern on this ref.
    pub groups: &'build BTreeMap<String, String>,
}

/// Renders the tags of a build, cleaned, each once, in the rule's order.
///
/// # Errors
/// [`ErrorCode::BadTagTemplate`] when no template gives a legal tag on this ref, or one is not valid.
pub fn render_tags(rule: &VersionRule, context: &TagContext<'_>) -> Result<Vec<Tag>, Failure> {
    let texts: Vec<String> = match rule {
        VersionRule::Parts { .. } => vec![context.parts(rule)],
        VersionRule::Templates { templates } => {
            let mut texts = Vec::new();
            for (index, text) in templates.iter().enumerate() {
                let parts = template::parse(text).map_err(|why| bad_template(index, text, &why))?;
                texts.extend(template::render(&parts, context));
            }
            texts
        }
    };
    let mut tags = Vec::new();
    for text in texts {
        if let Some(tag) = clean_tag(&text, &context.origin())
            && !tags.contains(&tag)
        {
            tags.push(tag);
        }
    }
    if tags.is_empty() {
        let origin = context.origin();
        return Err(Failure::new(
            ErrorCode::BadTagTemplate,
            format!("the version rule gives no legal tag for {origin:?}"),
        )
        .at("version")
        .with("ref", origin));
    }
    Ok(tags)
}

/// Checks a version rule before it is saved. `groups` are the names and numbers of the groups of the rule's pattern.
///
/// # Errors
/// [`ErrorCode::BadTagTemplate`] at `version.templates[0]` or `version`: an unknown placeholder, a brace without its partner,
/// no template, no tick.
pub fn validate(rule: &VersionRule, groups: &[String]) -> Result<(), Failure> {
    let bad = |why: &str| Err(Failure::new(ErrorCode::BadTagTemplate, why).at("version"));
    match rule {
        VersionRule::Parts { prefix, ref_name: false, update_time: false, commit: false } => {
            if clean_tag(prefix, "").is_none() {
                return bad("nothing is ticked and the prefix holds no legal character");
            }
        }
        VersionRule::Parts { .. } => {}
        VersionRule::Templates { templates } => {
            if templates.is_empty() {
                return bad("there is no template");
            }
            for (index, text) in templates.iter().enumerate() {
                template::parse(text)
                    .and_then(|parts| template::check(&parts, groups))
                    .map_err(|why| bad_template(index, text, &why))?;
            }
        }
    }
    Ok(())
}

fn bad_template(index: usize, text: &str, why: &str) -> Failure {
    Failure::new(ErrorCode::BadTagTemplate, format!("{text:?}: {why}"))
        .at(format!("version.templates[{index}]"))
        .with("template", text)
}

/// One tag that several refs would get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCollision {
    /// The tag.
    pub tag: Tag,
    /// The refs that give it, in the given order; at least two.
    pub refs: Vec<RefName>,
}

/// Returns the tags that more than one ref gives: `a/b` and `a-b` both become `a-b`. A warning, sorted by tag.
#[must_use]
pub fn collisions(rendered: &[(RefName, Vec<Tag>)]) -> Vec<TagCollision> {
    let mut refs_by_tag: BTreeMap<&Tag, Vec<RefName>> = BTreeMap::new();
    for (name, tags) in rendered {
        for tag in tags {
            refs_by_tag.entry(tag).or_default().push(name.clone());
        }
    }
    refs_by_tag
        .into_iter()
        .filter(|(_, refs)| refs.len() > 1)
        .map(|(tag, refs)| TagCollision { tag: tag.clone(), refs })
        .collect()
}

/// Makes a legal tag of a text, keeping its case: runs of illegal characters become one `-`, leading `.` and `-` go, and a
/// long one is cut and gets eight digits of `origin`'s hash, so that two long branches stay apart. `None` when nothing is left.
#[must_use]
pub fn clean_tag(text: &str, origin: &str) -> Option<Tag> {
    let mut cleaned = String::with_capacity(text.len());
    let mut in_illegal_run = false;
    for c in text.chars() {
        let legal = c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if legal {
            cleaned.push(c);
        } else if !in_illegal_run {
            cleaned.push('-');
        }
        in_illegal_run = !legal;
    }
    let trimmed = cleaned.trim_start_matches(['.', '-']);
    if trimmed.len() <= LONGEST_TAG {
        return Tag::new(trimmed).ok();
    }
    let hash = hex::encode(Sha256::digest(origin));
    Tag::new(format!("{}-{}", &trimmed[..LONGEST_TAG - 9], &hash[..8])).ok()
}

impl TagContext<'_> {
    /// What the tags stand for: the full ref, else the commit.
    fn origin(&self) -> String {
        match (self.ref_name, self.commit) {
            (Some(name), _) => name.as_str().to_owned(),
            (None, Some(commit)) => commit.as_str().to_owned(),
            (None, None) => String::new(),
        }
    }

    /// The ticks joined by `-`, empty ones left out.
    fn parts(&self, rule: &VersionRule) -> String {
        let VersionRule::Parts { prefix, ref_name, update_time, commit } = rule else { return String::new() };
        let short = self.commit.map(|commit| commit.short().to_owned());
        let mut parts = vec![prefix.clone()];
        if *ref_name {
            match self.ref_name {
                Some(name) => parts.push(name.short().to_owned()),
                // The commit stands in for the ref, once.
                None if *commit => {}
                None => parts.extend(short.clone()),
            }
        }
        if *update_time {
            parts.push(self.time("%Y%m%d%H%M%S"));
        }
        if *commit {
            parts.extend(short);
        }
        parts.retain(|part| !part.is_empty());
        parts.join("-")
    }

    fn time(&self, format: &str) -> String {
        (self.started_at + Duration::seconds(self.offset_seconds.into())).format(format).to_string()
    }

    fn short_of(&self, kind: RefKind) -> Option<String> {
        self.ref_name.filter(|name| name.kind() == kind).map(|name| name.short().to_owned())
    }
}

#[cfg(test)]
mod tests;
