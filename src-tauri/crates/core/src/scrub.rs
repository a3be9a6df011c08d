//! Takes out of a text what must not leave the machine with it (threat T27): known secrets in every form, what looks like one,
//! logins and queries inside addresses, the home folder.

use crate::Secret;
use crate::mask::{MASK, Masker};
use regex::{Captures, Regex};

/// What looks like a secret whoever wrote it; the groups that are named `keep` stay.
const PATTERNS: &[&str] = &[
    // Colours and other control sequences of a terminal.
    r"(?P<keep>)\x1b\[[0-9;?]*[ -/]*[@-~]",
    r"(?s)(?P<keep>-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)",
    // The login of an address, up to the last @: a password may hold any sign.
    r"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]*://)\S*@",
    // Queries of addresses carry codes and tokens.
    r"(?P<keep>\b[A-Za-z][A-Za-z0-9+.-]*://[^\s?#]*[?#])[^\s]+",
    r"(?i)(?P<keep>\b(?:proxy-)?authorization\W{1,4})[^\r\n]+",
    r"(?i)(?P<keep>\b(?:set-)?cookie\W{1,4})[^\r\n]+",
    r"(?i)(?P<keep>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}",
    r#"(?i)(?P<keep>\b[a-z0-9_-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key)[a-z0-9_-]*["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&]+)"#,
    r"(?P<keep>)\b(?:gh[opsur]_|github_pat_|glpat-|gloas-|dckr_pat_|xox[abps]-|AKIA|ATBB|eyJ[A-Za-z0-9_-]+\.)[A-Za-z0-9._-]{8,}",
];

/// Scrubs texts.
pub struct Scrubber {
    masker: Masker,
    patterns: Vec<Regex>,
    home: Option<String>,
}

impl Scrubber {
    /// Prepares to take out these secrets, and to write `~` for the home folder.
    #[must_use]
    pub fn new(secrets: &[Secret], home: Option<&str>) -> Self {
        let home = home.map(|home| home.trim_end_matches(['/', '\\'])).filter(|home| home.len() > 1);
        Self {
            masker: Masker::new(secrets).0,
            // The patterns are constants that a test compiles.
            patterns: PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect(),
            home: home.map(str::to_owned),
        }
    }

    /// Returns the text without what must not leave; control characters but line ends and tabs go too.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut text = self.masker.mask_text(text);
        for pattern in &self.patterns {
            let replaced = pattern.replace_all(&text, |found: &Captures<'_>| {
                let mask = if found[0].starts_with('\u{1b}') { "" } else { MASK };
                let at = if found[0].ends_with('@') { "@" } else { "" };
                format!("{}{mask}{at}", &found["keep"])
            });
            text = replaced.into_owned();
        }
        if let Some(home) = &self.home {
            text = text.replace(home, "~");
        }
        text.retain(|sign| matches!(sign, '\n' | '\t') || !sign.is_control());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t27_every_pattern_compiles() {
        assert_eq!(Scrubber::new(&[], None).patterns.len(), PATTERNS.len());
    }

    #[test]
    fn t27_what_looks_like_a_secret_goes_and_the_rest_stays() {
        let scrubber = Scrubber::new(&[Secret::new("correct horse")], Some("/home/ann/"));
        let table = [
            ("it said correct horse twice", "it said *** twice"),
            ("Y29ycmVjdCBob3JzZQ==", "***"),
            ("clone https://ann:p%40ss@code.test/a.git failed", "clone https://***@code.test/a.git failed"),
            ("https://a@b@code.test/a", "https://***@code.test/a"),
            ("https://ann:a/b?c#d@code.test/a", "https://***@code.test/a"),
            ("GET https://code.test/cb?code=1&state=2 400", "GET https://code.test/cb?*** 400"),
            ("authorization: Basic YWJjOmRlZg==", "authorization: ***"),
            ("sent Bearer abc.def-ghi", "sent Bearer ***"),
            ("the token was ghp_0123456789abcdef", "the token was ***"),
            (r#"{"access_token":"x y","n":1}"#, r#"{"access_token":***,"n":1}"#),
            ("REGISTRY_PASSWORD=hunter2 make", "REGISTRY_PASSWORD=*** make"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nok",
                "-----BEGIN RSA PRIVATE KEY-----***\nok",
            ),
            ("-----BEGIN PRIVATE KEY-----\ncut", "-----BEGIN PRIVATE KEY-----***"),
            ("open /home/ann/.local/share/slipway/state.db", "open ~/.local/share/slipway/state.db"),
            ("\u{1b}[2m2026\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m a\u{7}b", "2026  WARN ab"),
            ("tokens of 3 accounts, no secret here", "tokens of 3 accounts, no secret here"),
            ("localhost:5000/team/app@sha256:abc", "localhost:5000/team/app@sha256:abc"),
        ];
        for (text, expected) in table {
            assert_eq!(scrubber.scrub(text), expected, "{text}");
        }
    }
}
