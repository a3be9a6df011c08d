//! Reading and compiling one line of an ignore file.

use super::Shape;
use regex::RegexBuilder;
use std::iter::Peekable;
use std::str::Chars;

/// Largest compiled pattern, in bytes.
const COMPILED_LIMIT: usize = 1 << 20;

/// Reads one line of the file as the Docker client does (`registries.md` 5.2); `None` for a comment or an empty line.
pub(super) fn read_line(line: &str) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return None;
    }
    let (mark, rest) = trimmed.strip_prefix('!').map_or(("", trimmed), |rest| ("!", rest.trim()));
    if rest.is_empty() {
        return Some(mark.to_owned());
    }
    let cleaned = clean_path(rest);
    let relative = if cleaned.len() > 1 { cleaned.strip_prefix('/').unwrap_or(&cleaned) } else { &cleaned };
    Some(format!("{mark}{relative}"))
}

/// Cleans a path by its text alone: no empty parts, no `.`, and `..` takes the part before it away.
pub(super) fn clean_path(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Compiles a cleaned pattern without its `!`.
pub(super) fn compile(pattern: &str) -> Result<Shape, String> {
    let mut regex = String::from("^");
    let mut plain = true;
    let mut ends_open = false;
    let mut starts_open = false;
    let mut chars = pattern.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                // `**/` counts as `**`.
                chars.next_if_eq(&'/');
                if chars.peek().is_none() {
                    if plain && !starts_open {
                        ends_open = true;
                    } else {
                        regex.push_str(".*");
                        plain = false;
                    }
                } else {
                    regex.push_str("(.*/)?");
                    plain = plain && first;
                }
                starts_open |= first;
            }
            '*' => {
                regex.push_str("[^/]*");
                plain = false;
            }
            '?' => {
                regex.push_str("[^/]");
                plain = false;
            }
            '[' => {
                class(&mut chars, &mut regex)?;
                plain = false;
            }
            '\\' => {
                let escaped = chars.next().ok_or("a backslash stands at the end")?;
                push_literal(&mut regex, escaped);
                plain = false;
            }
            other => push_literal(&mut regex, other),
        }
        first = false;
    }
    if plain {
        return Ok(match (starts_open, ends_open) {
            (true, _) => Shape::Suffix(pattern[2..].to_owned()),
            (false, true) => Shape::Prefix(pattern[..pattern.len() - 2].to_owned()),
            (false, false) => Shape::Exact(pattern.to_owned()),
        });
    }
    regex.push('$');
    RegexBuilder::new(&regex)
        .size_limit(COMPILED_LIMIT)
        .build()
        .map(Shape::Regex)
        .map_err(|_| "the pattern is not valid or too large".to_owned())
}

fn push_literal(regex: &mut String, c: char) {
    regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

/// Reads a class after its `[`. `^` negates, `!` is a member like any other; a negated class may match a `/`.
fn class(chars: &mut Peekable<Chars<'_>>, regex: &mut String) -> Result<(), String> {
    regex.push('[');
    if chars.next_if_eq(&'^').is_some() {
        regex.push('^');
    }
    let mut empty = true;
    loop {
        if !empty && chars.next_if_eq(&']').is_some() {
            regex.push(']');
            return Ok(());
        }
        let low = member(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() { member(chars)? } else { low };
        if low > high {
            return Err(format!("the range {low:?}-{high:?} is the wrong way round"));
        }
        regex.push_str(&format!("\\x{{{:x}}}-\\x{{{:x}}}", u32::from(low), u32::from(high)));
        empty = false;
    }
}

fn member(chars: &mut Peekable<Chars<'_>>) -> Result<char, String> {
    match chars.next() {
        Some('\\') => chars.next().ok_or_else(|| "a backslash stands at the end".to_owned()),
        Some(c @ ('-' | ']')) => Err(format!("{c:?} cannot stand here in a class")),
        Some(c) => Ok(c),
        None => Err("the class is not closed".to_owned()),
    }
}
