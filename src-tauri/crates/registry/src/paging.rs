//! `Link: <…>; rel="next"` (RFC 8288), and the address of the next page (`reference/registries.md` section 1.3).

use reqwest::Url;

/// Returns the target of the first link whose relation is `next`.
pub(crate) fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let after = &rest[start + 1..];
        let end = after.find('>')?;
        let target = &after[..end];
        let parameters = &after[end + 1..];
        let close = end_of_parameters(parameters);
        if names_next(&parameters[..close]) {
            return Some(target);
        }
        rest = &parameters[close..];
    }
    None
}

/// Finds the comma that ends a link's parameters; commas inside quotes do not count.
fn end_of_parameters(text: &str) -> usize {
    let mut quoted = false;
    text.find(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .unwrap_or(text.len())
}

fn names_next(parameters: &str) -> bool {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("rel")
            && value.trim().trim_matches('"').split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("next"))
    })
}

/// Returns the address that the registry means, on the registry's own origin. A registry behind a TLS proxy often names
/// itself with `http:` or an inner port: then its path and query are taken and our own scheme and port kept, so that a login
/// never goes anywhere else. `None` when another host is named.
pub(crate) fn on_own_origin(base: &Url, current: &Url, named: &str) -> Option<Url> {
    let target = current.join(named).ok()?;
    if target.host() != base.host() || !matches!(target.scheme(), "http" | "https") {
        return None;
    }
    let mut own = base.clone();
    own.set_path(target.path());
    own.set_query(target.query());
    own.set_fragment(None);
    Some(own)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_next_page() {
        let cases = [
            (r#"</v2/a/tags/list?n=2&last=b>; rel="next""#, Some("/v2/a/tags/list?n=2&last=b")),
            ("<https://x/y?next_page=a%2Cb>;rel=next", Some("https://x/y?next_page=a%2Cb")),
            (r#"<a>; rel="prev", <b>; title="x, y; rel=next"; rel="last next""#, Some("b")),
            (r#"<a>; REL="NEXT""#, Some("a")),
            ("<>; rel=next", Some("")),
            (r#"<a>; rel="prev""#, None),
            ("<a", None),
            ("", None),
        ];
        for (header, expected) in cases {
            assert_eq!(next_link(header), expected, "{header:?}");
        }
    }

    #[test]
    fn t02_pages_stay_on_the_registry() {
        let base = Url::parse("https://reg.example:8443/v2/").unwrap();
        let current = base.join("/v2/a/tags/list?n=2").unwrap();
        let cases = [
            ("/v2/a/tags/list?last=b", Some("https://reg.example:8443/v2/a/tags/list?last=b")),
            ("?last=b", Some("https://reg.example:8443/v2/a/tags/list?last=b")),
            ("http://reg.example/v2/x?last=b", Some("https://reg.example:8443/v2/x?last=b")),
            ("https://evil.example/v2/x", None),
            ("//evil.example/v2/x", None),
            ("https://reg.example.evil/v2/x", None),
            ("https://reg.example@evil.example/x", None),
            ("https://user@reg.example/v2/x", Some("https://reg.example:8443/v2/x")),
            ("ftp://reg.example/x", None),
            ("javascript:alert(1)", None),
        ];
        for (named, expected) in cases {
            let found = on_own_origin(&base, &current, named).map(String::from);
            assert_eq!(found.as_deref(), expected, "{named:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(header in any::<String>()) {
            if let Some(target) = next_link(&header) {
                prop_assert!(header.contains(target));
            }
        }

        #[test]
        fn never_panics_near_the_grammar(header in "[<>;=, \"relnxté]{0,40}") {
            if let Some(target) = next_link(&header) {
                prop_assert!(!target.contains('>'));
            }
        }
    }
}
