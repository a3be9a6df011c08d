//! Words in a commit message that say "do not build this" (`product.md` section 4).

/// The words, as they are shown; found in any case, anywhere in the message.
pub const SKIP_WORDS: [&str; 4] = ["[skip ci]", "[ci skip]", "[skip build]", "[build skip]"];

/// Returns the first skip word of the list that the message holds.
#[must_use]
pub fn find_skip_word(message: &str) -> Option<&'static str> {
    let lower = message.to_ascii_lowercase();
    SKIP_WORDS.into_iter().find(|word| lower.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn skip_words_count_in_any_case_and_anywhere() {
        let table = [
            ("fix", None),
            ("fix [skip ci]", Some("[skip ci]")),
            ("[CI Skip] docs", Some("[ci skip]")),
            ("docs\n\nlong text\n[Skip Build]\n", Some("[skip build]")),
            ("[build skip]", Some("[build skip]")),
            ("修正[SKIP CI]", Some("[skip ci]")),
            ("skip ci", None),
            ("[skip  ci]", None),
            ("[skip-ci]", None),
            ("", None),
        ];
        for (message, expected) in table {
            assert_eq!(find_skip_word(message), expected, "{message:?}");
        }
    }
}
