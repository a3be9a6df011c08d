//! What is secret inside addresses: logins, and parameters whose names say so. A file has a mask in their place, so that it
//! shows that something belongs there, and says the same when it is exported again.

use slipway_core::mask::MASK;
use slipway_core::rule_check::looks_like_credential;

/// Blanks what is secret in the addresses of a text: one address, or a list of them as `GOPROXY` is one.
pub(super) fn blanked(text: &str) -> String {
    without_parameters(&without_logins(text))
}

/// Returns whether something was blanked in a text.
pub(super) fn is_blanked(text: &str) -> bool {
    text.contains(&format!("://{MASK}@")) || text.contains(&format!("={MASK}"))
}

/// A token may stand alone before the `@`, so a name is blanked too; not that of SSH, which takes no password there.
fn without_logins(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((scheme, after)) = rest.split_once("://") {
        clean.push_str(scheme);
        clean.push_str("://");
        let ends = |sign: char| matches!(sign, '/' | '?' | '#') || sign.is_whitespace();
        let authority = &after[..after.find(ends).unwrap_or(after.len())];
        rest = match authority.rfind('@') {
            Some(at) if !scheme.ends_with("ssh") || authority[..at].contains(':') => {
                clean.push_str(MASK);
                &after[at..]
            }
            _ => after,
        };
    }
    clean + rest
}

fn without_parameters(text: &str) -> String {
    let ends = |sign: char| matches!(sign, '&' | '#') || sign.is_whitespace();
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['?', '&', '#']) {
        let (before, after) = rest.split_at(at + 1);
        clean.push_str(before);
        rest = after;
        if let Some((name, value)) = after.split_once('=')
            && is_secret(name)
        {
            let end = value.find(ends).unwrap_or(value.len());
            if end > 0 {
                clean.push_str(name);
                clean.push('=');
                clean.push_str(MASK);
                rest = &value[end..];
            }
        }
    }
    clean + rest
}

/// Returns whether a parameter's name says that it opens something: those of arguments, and what hooks of code hosts, clouds
/// and chats call theirs.
fn is_secret(name: &str) -> bool {
    let is_name = name.chars().all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.' | '[' | ']'));
    let lower = name.to_ascii_lowercase();
    let is_known = matches!(lower.as_str(), "code" | "pass" | "sig" | "sign") || lower.ends_with("signature");
    is_name && (is_known || looks_like_credential(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t28_logins_and_keys_in_addresses_are_blanked_and_the_rest_stays() {
        let table = [
            (
                "https://ann:tok@go.test,https://proxy.golang.org,direct",
                "https://***@go.test,https://proxy.golang.org,direct",
            ),
            ("https://a:b@x.test|https://c:d@y.test", "https://***@x.test|https://***@y.test"),
            ("--index https://tok@pypi.test/simple --no-cache", "--index https://***@pypi.test/simple --no-cache"),
            ("https://ann:p@ss@code.test/a", "https://***@code.test/a"),
            ("ssh://git:pw@code.test/a", "ssh://***@code.test/a"),
            ("https://hooks.test/srv-1?key=abc", "https://hooks.test/srv-1?key=***"),
            ("https://hooks.test/?v=2&access_token=a?b/c&x=1#top", "https://hooks.test/?v=2&access_token=***&x=1#top"),
            (
                "https://f.test/run?code=a%3D%3D&Sig=x&X-Amz-Signature=y",
                "https://f.test/run?code=***&Sig=***&X-Amz-Signature=***",
            ),
            ("https://u:p@h.test?a&password=x", "https://***@h.test?a&password=***"),
        ];
        for (text, expected) in table {
            assert_eq!(blanked(text), expected, "{text}");
            assert_eq!(blanked(expected), expected, "blanked once is blanked");
            assert!(is_blanked(expected) && !is_blanked(text), "{text}");
        }
        for text in [
            "",
            "direct",
            "ann@code.test",
            "https://registry.test/@scope/package",
            "ssh://git@code.test/a",
            "git+ssh://git@code.test/a",
            "https://hooks.test/?site=web&key=&keyboard=x",
            "FLAGS=-O2 && token = three",
            "a=b",
        ] {
            assert_eq!((blanked(text).as_str(), is_blanked(text)), (text, false));
        }
    }
}
