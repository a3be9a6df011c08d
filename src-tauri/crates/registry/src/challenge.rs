//! `WWW-Authenticate`, as RFC 9110 section 11.6.1 writes it: several challenges in one value, quoted values with commas
//! inside. Foreign text: every input gives a list, malformed parts are skipped.

/// One challenge: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// Scheme in lower case (`bearer`).
    pub(crate) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Returns a parameter by its name in lower case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads every challenge of one header value.
pub(crate) fn parse_challenges(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = take_token(rest);
        if word.is_empty() {
            // Nothing legal begins here: step over one character, or end.
            let mut characters = rest.chars();
            if characters.next().is_none() {
                return challenges;
            }
            rest = characters.as_str();
            continue;
        }
        let trimmed = after.trim_start_matches([' ', '\t']);
        match (trimmed.strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, after_value) = take_value(value.trim_start_matches([' ', '\t']));
                challenge.parameters.push((word.to_ascii_lowercase(), value));
                rest = after_value;
            }
            (Some(orphan), None) => rest = orphan,
            (None, _) => {
                challenges.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
                rest = after;
            }
        }
    }
}

/// Takes the characters that RFC 9110 allows in a token.
fn take_token(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))).unwrap_or(text.len());
    text.split_at(end)
}

/// Takes a quoted value (an unclosed one goes to the end), or everything up to a comma or a blank.
fn take_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find([',', ' ', '\t']).unwrap_or(text.len()));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_registries_send() {
        let hub = parse_challenges(
            r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
        );
        assert_eq!(hub.len(), 1);
        assert_eq!(hub[0].scheme, "bearer");
        assert_eq!(hub[0].parameter("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(hub[0].parameter("scope"), Some("repository:a/b:pull,push"));
        assert_eq!(hub[0].parameter("error"), None);

        let two = parse_challenges(r#"Basic realm="a, b", bEARER Realm = "https://x/t" , service=y"#);
        assert_eq!(two.iter().map(|c| c.scheme.as_str()).collect::<Vec<_>>(), ["basic", "bearer"]);
        assert_eq!(two[0].parameter("realm"), Some("a, b"));
        assert_eq!(two[1].parameter("realm"), Some("https://x/t"));
        assert_eq!(two[1].parameter("service"), Some("y"));
    }

    #[test]
    fn reads_odd_values() {
        let cases = [
            ("", vec![]),
            ("Basic", vec!["basic"]),
            ("Negotiate abc==, Basic realm=x", vec!["negotiate", "basic"]),
            ("realm=\"x\"", vec!["x"]),
            (",,, Basic", vec!["basic"]),
        ];
        for (header, schemes) in cases {
            let found: Vec<String> = parse_challenges(header).into_iter().map(|c| c.scheme).collect();
            assert_eq!(found, schemes, "{header:?}");
        }
        let escaped = parse_challenges(r#"Basic realm="a \"b\" \\ c"#);
        assert_eq!(escaped[0].parameter("realm"), Some(r#"a "b" \ c"#));
    }

    proptest! {
        #[test]
        fn never_panics(header in any::<String>()) {
            prop_assert!(parse_challenges(&header).len() <= header.len());
        }

        #[test]
        fn never_panics_near_the_grammar(header in "[Bb]earer [a-z,\"\\\\é][a-z =\",\\\\é]{0,60}") {
            prop_assert!(!parse_challenges(&header).is_empty());
        }

        #[test]
        fn quoting_round_trips(value in "[ -~]{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let parsed = parse_challenges(&format!("Bearer realm=\"{quoted}\",service=s"));
            prop_assert_eq!(parsed.len(), 1);
            prop_assert_eq!(parsed[0].parameter("realm"), Some(value.as_str()));
            prop_assert_eq!(parsed[0].parameter("service"), Some("s"));
        }
    }
}
