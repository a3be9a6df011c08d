//! Cleans foreign text (commit messages, logs, names, errors of others) for showing on one line and for copying
//! (`reference/reliability-security.md` T07, T08). The console renders text as text anyway; this keeps terminals, the
//! clipboard and the eye from being deceived.

/// Cleans a text for copying and storing: escape sequences and C0/C1 control characters go, except line feed and tab;
/// characters that are invisible or turn the reading direction become visible as `<U+202E>`.
#[must_use]
pub fn clean_text(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\u{1b}' => after_escape(after),
            '\u{9b}' => after_csi(after),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => after_string(after),
            '\n' | '\t' => {
                clean.push(c);
                after
            }
            _ if c.is_control() => after,
            _ if is_deceptive(c) && !joins(&clean, c, after) => {
                clean.push_str(&format!("<U+{:04X}>", u32::from(c)));
                after
            }
            _ => {
                clean.push(c);
                after
            }
        };
    }
    clean
}

/// Cleans a text for one line: as [`clean_text`], runs of white space become one space, and what is longer than `most`
/// characters is cut and ends in `…`.
#[must_use]
pub fn one_line(text: &str, most: usize) -> String {
    let words: Vec<String> = clean_text(text).split_whitespace().map(str::to_owned).collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        None => line,
        Some(_) => line.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Skips what follows an ESC.
fn after_escape(rest: &str) -> &str {
    let mut chars = rest.chars();
    match chars.next() {
        Some('[') => after_csi(chars.as_str()),
        Some(']' | 'P' | 'X' | '^' | '_') => after_string(chars.as_str()),
        Some(' '..='/') => {
            let end = chars.as_str().trim_start_matches(|c| matches!(c, ' '..='/'));
            end.strip_prefix(|c| matches!(c, '0'..='~')).unwrap_or(end)
        }
        Some('0'..='~') => chars.as_str(),
        _ => rest,
    }
}

/// Skips parameters and the final character of a control sequence.
fn after_csi(rest: &str) -> &str {
    let end = rest.trim_start_matches(|c| matches!(c, ' '..='?'));
    end.strip_prefix(|c| matches!(c, '@'..='~')).unwrap_or(end)
}

/// Skips a control string (OSC and the like) up to its end. One that does not end on its line hides nothing: only its
/// introducer goes.
fn after_string(rest: &str) -> &str {
    let end = rest.find(['\u{7}', '\u{9c}', '\u{1b}', '\n']).unwrap_or(rest.len());
    let tail = &rest[end..];
    match tail.chars().next() {
        Some(c @ ('\u{7}' | '\u{9c}')) => &tail[c.len_utf8()..],
        Some('\u{1b}') => tail.strip_prefix("\u{1b}\\").unwrap_or(tail),
        _ => rest,
    }
}

/// Zero-width characters, marks and overrides of the reading direction, and the invisible tag characters.
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// A zero-width (non-)joiner between two characters beyond ASCII is part of an emoji or of a script that needs it.
fn joins(before: &str, c: char, after: &str) -> bool {
    let beyond_ascii = |c: char| !c.is_ascii() && !c.is_control() && !is_deceptive(c);
    matches!(c, '\u{200c}' | '\u{200d}')
        && before.chars().next_back().is_some_and(beyond_ascii)
        && after.chars().next().is_some_and(beyond_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    #[test]
    fn t08_escapes_and_deceptive_characters_are_taken_out() {
        let table = [
            ("plain text 中文 é", "plain text 中文 é"),
            ("a\n\tb", "a\n\tb"),
            ("a\r\nb\rc", "a\nbc"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}[2J\u{1b}[Hgone", "gone"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]52;c;cm0gLXJm\u{7}x", "x"),
            ("\u{9d}0;title\u{9c}x", "x"),
            ("\u{1b}]0;never ends", "0;never ends"),
            ("\u{1b}]0;line\nnext", "0;line\nnext"),
            ("\u{1b}Pq\u{1b}\\x", "x"),
            ("\u{1b}(Bx\u{1b}7y\u{1b}cz", "xyz"),
            ("a\u{1b}", "a"),
            ("a\u{1b}中", "a中"),
            ("a\u{0}b\u{8}c\u{7f}d\u{85}e", "abcde"),
            ("user\u{202e}gpj.exe", "user<U+202E>gpj.exe"),
            ("a\u{200b}b\u{feff}c\u{2066}d", "a<U+200B>b<U+FEFF>c<U+2066>d"),
            ("x\u{e0041}y", "x<U+E0041>y"),
            ("pay\u{200d}pal", "pay<U+200D>pal"),
            ("👩\u{200d}💻", "👩\u{200d}💻"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
        ];
        for (text, expected) in table {
            assert_eq!(clean_text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn one_line_is_one_line_of_limited_length() {
        let table = [
            ("  a\n\n b\tc ", 10, "a b c"),
            ("abcdef", 6, "abcdef"),
            ("abcdefg", 6, "abcde…"),
            ("中文中文", 3, "中文…"),
            ("\u{1b}[1mbold\u{1b}[0m", 4, "bold"),
            ("", 5, ""),
            ("ab", 1, "…"),
        ];
        for (text, most, expected) in table {
            assert_eq!(one_line(text, most), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn t08_nothing_dangerous_is_left(text in proptest::collection::vec(
            prop_oneof![any::<char>(), prop::sample::select("\u{1b}\u{9b}[]\\;0m\u{7}\n\u{202e}\u{200d}é".chars().collect::<Vec<_>>())],
            0..40,
        )) {
            let text: String = text.into_iter().collect();
            let clean = clean_text(&text);
            prop_assert!(clean.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')));
            let hidden = clean.contains(['\u{202e}', '\u{200b}', '\u{feff}']);
            prop_assert!(!hidden);
            prop_assert_eq!(clean_text(&clean), clean);
        }
    }
}
