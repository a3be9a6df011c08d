//! Next pages: `Link: <…>; rel="next"` (RFC 8288), addresses inside bodies, page numbers. None leads away from the host.

use super::answer::Answer;
use super::link::same_origin;
use reqwest::Url;
use slipway_core::host::PageMark;

impl Answer {
    /// Returns the next page that the `Link` header names, when it stands on the answer's own origin. A host behind a TLS
    /// proxy often names itself with `http:` or an inner port: then its path and query are taken.
    pub(crate) fn next_link(&self) -> Option<PageMark> {
        let named =
            self.headers.get_all(http::header::LINK).iter().find_map(|value| next_link(value.to_str().ok()?))?;
        on_own_origin(&self.url, named).map(|url| mark(&url))
    }
}

/// What a mark holds: path and query, so that it means nothing anywhere else.
fn mark(url: &Url) -> PageMark {
    PageMark(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

/// Returns the address that `named` means, on the origin of `own`; `None` when another host is named.
pub(crate) fn on_own_origin(own: &Url, named: &str) -> Option<Url> {
    let target = own.join(named).ok()?;
    if target.host() != own.host() || !matches!(target.scheme(), "http" | "https") {
        return None;
    }
    let mut url = own.clone();
    url.set_path(target.path());
    url.set_query(target.query());
    url.set_fragment(None);
    same_origin(&url, own).then_some(url)
}

/// Reads a mark that is a page number; anything else is the first page.
pub(crate) fn page_number(mark: Option<&PageMark>) -> u32 {
    mark.and_then(|mark| mark.0.parse().ok()).filter(|page| *page > 0).unwrap_or(1)
}

/// Returns the target of the first link whose relation is `next`.
pub(crate) fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let after = &rest[start + 1..];
        let end = after.find('>')?;
        let parameters = &after[end + 1..];
        let close = end_of_parameters(parameters);
        if names_next(&parameters[..close]) {
            return Some(&after[..end]);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_the_next_page() {
        for (header, expected) in [
            (
                r#"<https://api.github.com/user/repos?page=3>; rel="next", <x>; rel="last""#,
                Some("https://api.github.com/user/repos?page=3"),
            ),
            (r#"<a>; rel="prev", <b>; title="x, y; rel=next"; rel="last next""#, Some("b")),
            (r#"<a>; rel="prev""#, None),
            ("<a", None),
        ] {
            assert_eq!(next_link(header), expected, "{header:?}");
        }
    }

    #[test]
    fn t02_pages_stay_on_the_host() {
        let own = Url::parse("https://git.example:8443/api/v4/projects?page=1").unwrap();
        for (named, expected) in [
            ("/api/v4/projects?page=2", Some("https://git.example:8443/api/v4/projects?page=2")),
            ("http://git.example/api/v4/x?page=2", Some("https://git.example:8443/api/v4/x?page=2")),
            ("https://user@git.example/x", Some("https://git.example:8443/x")),
            ("https://evil.example/api/v4/projects", None),
            ("//evil.example/x", None),
            ("https://git.example@evil/x", None),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(on_own_origin(&own, named).map(String::from).as_deref(), expected, "{named:?}");
        }
    }

    #[test]
    fn a_mark_that_is_no_number_is_the_first_page() {
        for (text, expected) in [("7", 7), ("0", 1), ("-1", 1), ("x", 1), ("99999999999999", 1)] {
            assert_eq!(page_number(Some(&PageMark(text.to_owned()))), expected, "{text}");
        }
        assert_eq!(page_number(None), 1);
    }

    proptest! {
        #[test]
        fn never_panics(header in any::<String>()) {
            if let Some(target) = next_link(&header) {
                prop_assert!(header.contains(target));
            }
        }
    }
}
