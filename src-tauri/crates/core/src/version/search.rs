//! Finding and ordering versions by name.

/// A search over names, read once. Letters of both cases are the same; words apart must all be contained.
#[derive(Debug, Clone)]
pub struct FuzzySearch {
    text: String,
}

impl FuzzySearch {
    /// Takes what a person typed; empty finds everything.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.trim().to_ascii_lowercase() }
    }

    /// Returns how well a name fits: 0 is equal, then begins with, contains, has these letters in this order. `None` when it
    /// does not fit.
    #[must_use]
    pub fn rank(&self, name: &str) -> Option<u8> {
        let search = self.text.as_str();
        if search.is_empty() {
            return Some(0);
        }
        let name = name.to_ascii_lowercase();
        if name == search {
            return Some(0);
        }
        if name.starts_with(search) {
            return Some(1);
        }
        if search.split_whitespace().all(|word| name.contains(word)) {
            return Some(2);
        }
        let mut letters = name.chars();
        search.chars().filter(|letter| !letter.is_whitespace()).all(|letter| letters.any(|c| c == letter)).then_some(3)
    }
}

/// Compares names with runs of digits as numbers: `v1.9` before `v1.10`.
#[must_use]
pub fn natural_order(a: &str, b: &str) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    loop {
        match (left.first(), right.first()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, rest_left) = digits(left);
                let (y, rest_right) = digits(right);
                match x.len().cmp(&y.len()).then_with(|| x.cmp(y)) {
                    Ordering::Equal => (left, right) = (rest_left, rest_right),
                    other => return other,
                }
            }
            (Some(x), Some(y)) => match x.cmp(y) {
                Ordering::Equal => (left, right) = (&left[1..], &right[1..]),
                other => return other,
            },
        }
    }
}

/// Cuts a run of digits off, without leading zeros.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    let start = run.iter().position(|b| *b != b'0').unwrap_or(run.len());
    (&run[start..], rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn searches_are_fuzzy() {
        let table = [
            ("v1.2.3", "", Some(0)),
            ("latest", "LATEST", Some(0)),
            ("v1.2.3", "v1", Some(1)),
            ("main-20260102-abc1234", "abc", Some(2)),
            ("main-20260102-abc1234", "abc main", Some(2)),
            ("main-20260102-abc1234", "mnabc", Some(3)),
            ("main", "mainx", None),
            ("main", "nm", None),
        ];
        for (tag, search, expected) in table {
            assert_eq!(FuzzySearch::new(search).rank(tag), expected, "{tag} {search}");
        }
    }

    #[test]
    fn digits_are_numbers() {
        let mut names = vec!["v1.10", "v1.9", "v1.09", "v2", "v10", "latest", "v1.9-rc1", "a"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "latest", "v1.09", "v1.9", "v1.9-rc1", "v1.10", "v2", "v10"]);
    }
}
