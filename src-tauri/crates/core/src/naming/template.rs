//! Tag templates: literal text and `{placeholder}`s.

use super::TagContext;
use crate::code::RefKind;

/// One part of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'text> {
    Literal(&'text str),
    Placeholder(&'text str),
}

const KNOWN: [&str; 11] =
    ["branch", "tag", "ref", "sha", "short_sha", "date", "time", "n", "semver", "semver.major", "semver.minor"];

/// Cuts a template into its parts.
pub(super) fn parse(text: &str) -> Result<Vec<Part<'_>>, String> {
    if text.trim().is_empty() {
        return Err("the template is empty".to_owned());
    }
    if text.len() > 1000 {
        return Err("the template is longer than 1000 bytes".to_owned());
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(brace) = rest.find(['{', '}']) {
        if brace > 0 {
            parts.push(Part::Literal(&rest[..brace]));
        }
        let opened = rest[brace..].strip_prefix('{').ok_or("a } stands without its {")?;
        let end = opened.find(['{', '}']).filter(|end| opened[*end..].starts_with('}'));
        let end = end.ok_or("a { is not closed")?;
        parts.push(Part::Placeholder(&opened[..end]));
        rest = &opened[end + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    Ok(parts)
}

/// Checks that every placeholder is known or one of the pattern's groups.
pub(super) fn check(parts: &[Part<'_>], groups: &[String]) -> Result<(), String> {
    let unknown = parts.iter().find_map(|part| match part {
        Part::Placeholder(name) if !KNOWN.contains(name) && !groups.iter().any(|group| group == name) => Some(name),
        _ => None,
    });
    unknown.map_or(Ok(()), |name| Err(format!("{{{name}}} is neither a placeholder nor a group of the pattern")))
}

/// Fills in the values; `None` when one has no value on this ref.
pub(super) fn render(parts: &[Part<'_>], context: &TagContext<'_>) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Placeholder(name) => text.push_str(&value(name, context)?),
        }
    }
    Some(text)
}

fn value(name: &str, context: &TagContext<'_>) -> Option<String> {
    match name {
        "branch" => context.short_of(RefKind::Branch),
        "tag" => context.short_of(RefKind::Tag),
        "ref" => context.ref_name.map(|name| name.short().to_owned()),
        "sha" => context.commit.map(|commit| commit.as_str().to_owned()),
        "short_sha" => context.commit.map(|commit| commit.short().to_owned()),
        "date" => Some(context.time("%Y%m%d")),
        "time" => Some(context.time("%H%M%S")),
        "n" => Some(context.number.0.to_string()),
        "semver" => semver(context).map(|version| version.whole),
        "semver.major" => semver(context)?.release.map(|(major, _)| major),
        "semver.minor" => semver(context)?.release.map(|(_, minor)| minor),
        group => context.groups.get(group).cloned(),
    }
}

struct SemanticVersion {
    /// Without the `v`.
    whole: String,
    /// Major and minor number, when it is no pre-release.
    release: Option<(String, String)>,
}

/// Reads the tag as a semantic version (semver.org 2.0.0), with an optional `v` in front.
fn semver(context: &TagContext<'_>) -> Option<SemanticVersion> {
    let tag = context.short_of(RefKind::Tag)?;
    let whole = tag.strip_prefix('v').unwrap_or(&tag);
    let (rest, build) = whole.split_once('+').map_or((whole, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_number = |text: &str| is_digits(text) && (text == "0" || !text.starts_with('0'));
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let numbers: Vec<&str> = core.split('.').collect();
    let legal = numbers.len() == 3
        && numbers.iter().all(|number| is_number(number))
        && pre.is_none_or(|pre| pre.split('.').all(|word| is_word(word) && (!is_digits(word) || is_number(word))))
        && build.is_none_or(|build| build.split('.').all(is_word));
    legal.then(|| SemanticVersion {
        whole: whole.to_owned(),
        release: pre.is_none().then(|| (numbers[0].to_owned(), numbers[1].to_owned())),
    })
}
