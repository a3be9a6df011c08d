//! Variables in `FROM`: `$x`, `${x}`, `${x:-default}`, `${x:+alternative}`, `${x-…}`, `${x+…}`, `${x?…}`, and the escape character.

use std::collections::HashMap;

/// Bytes of an expanded word. Arguments that name each other twice double with each line: forty of them are a terabyte.
const LONGEST: usize = 64 * 1024;

/// Expands a word. An unset variable becomes nothing, as BuildKit does.
///
/// # Errors
/// What is wrong with the word, for a sentence.
pub(super) fn expand(word: &str, variables: &HashMap<String, String>, escape: char) -> Result<String, String> {
    let mut expander = Expander { rest: word, variables, escape, depth: 0 };
    let expanded = expander.word(None)?;
    Ok(expanded)
}

struct Expander<'a> {
    rest: &'a str,
    variables: &'a HashMap<String, String>,
    escape: char,
    depth: u8,
}

impl Expander<'_> {
    fn take(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }

    /// Expands up to `end`, which is consumed, or the end of the word.
    fn word(&mut self, end: Option<char>) -> Result<String, String> {
        let mut expanded = String::new();
        while let Some(next) = self.take() {
            match next {
                _ if Some(next) == end => return Ok(expanded),
                '\'' => expanded.push_str(&self.quoted()?),
                // Inside double quotes expansion goes on; the quotes themselves go.
                '"' => {}
                '$' => expanded.push_str(&self.variable()?),
                _ if next == self.escape => expanded.extend(self.take()),
                _ => expanded.push(next),
            }
            if expanded.len() > LONGEST {
                return Err("it expands to more than 64 KiB".to_owned());
            }
        }
        if end.is_some() { Err("a ${ is not closed".to_owned()) } else { Ok(expanded) }
    }

    fn quoted(&mut self) -> Result<String, String> {
        let (inside, after) = self.rest.split_once('\'').ok_or("a quote is not closed")?;
        self.rest = after;
        Ok(inside.to_owned())
    }

    fn name(&mut self) -> String {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, after) = self.rest.split_at(end);
        self.rest = after;
        name.to_owned()
    }

    fn variable(&mut self) -> Result<String, String> {
        let Some(inside) = self.rest.strip_prefix('{') else {
            let name = self.name();
            // A dollar that begins no name stands for itself.
            return Ok(if name.is_empty() { "$".to_owned() } else { self.value(&name).unwrap_or_default() });
        };
        self.rest = inside;
        if self.depth == 16 {
            return Err("variables are nested too deeply".to_owned());
        }
        let name = self.name();
        if name.is_empty() {
            return Err("${} has no name".to_owned());
        }
        let value = self.value(&name);
        let (colon, operator) = match self.take() {
            Some('}') => return Ok(value.unwrap_or_default()),
            Some(':') => (true, self.take()),
            other => (false, other),
        };
        self.depth += 1;
        let word = self.word(Some('}'))?;
        self.depth -= 1;
        // With a colon an empty value counts as unset.
        let set = value.as_ref().is_some_and(|value| !colon || !value.is_empty());
        match operator {
            Some('-') => Ok(if set { value.unwrap_or_default() } else { word }),
            Some('+') => Ok(if set { word } else { String::new() }),
            Some('?') if set => Ok(value.unwrap_or_default()),
            Some('?') => Err(format!("{name}: {word}")),
            _ => Err(format!("${{{name}}} has an operator that is not supported")),
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_expand_as_the_shell_does() {
        let variables = HashMap::from([("a".to_owned(), "1".to_owned()), ("empty".to_owned(), String::new())]);
        for (word, expected) in [
            ("plain:1", "plain:1"),
            ("x:$a", "x:1"),
            ("x:${a}-slim", "x:1-slim"),
            ("$a/$a", "1/1"),
            ("${no}", ""),
            ("${no:-d}", "d"),
            ("${empty:-d}", "d"),
            ("${empty-d}", ""),
            ("${no-d}", "d"),
            ("${a:+set}", "set"),
            ("${no:+set}", ""),
            ("${no:-${a}}", "1"),
            ("${no:-x:${no:-y}}", "x:y"),
            ("\\$a", "$a"),
            ("'$a'", "$a"),
            ("\"$a\"", "1"),
            ("a$", "a$"),
        ] {
            assert_eq!(expand(word, &variables, '\\').unwrap(), expected, "{word}");
        }
        for bad in ["${", "${a", "${}", "${a~x}", "${no:?must be set}", "'a"] {
            assert!(expand(bad, &variables, '\\').is_err(), "{bad}");
        }
        assert_eq!(expand(&"${a:-".repeat(40), &variables, '\\').unwrap_err(), "variables are nested too deeply");
    }
}
