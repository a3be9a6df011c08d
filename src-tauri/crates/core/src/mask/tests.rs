#![allow(clippy::unwrap_used)]
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use pretty_assertions::assert_eq;
use proptest::prelude::*;

fn masker(secrets: &[&str]) -> Masker {
    let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(*text)).collect();
    Masker::new(&secrets).0
}

fn chunked(masker: &Masker, text: &[u8], size: usize) -> Vec<u8> {
    let mut stream = masker.stream();
    let mut out: Vec<u8> = text.chunks(size).flat_map(|chunk| stream.push(chunk)).collect();
    out.extend(stream.finish());
    out
}

#[test]
fn t10_every_form_of_a_secret_is_masked() {
    let secret = "p@ss w/rd+<\"中>?&";
    let masker = masker(&[secret]);
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let forms = [
        secret.to_owned(),
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        hex::encode(secret),
        hex::encode_upper(secret),
        url,
        "p%40ss%20w%2Frd%2B%3C%22%E4%B8%AD%3E%3F%26".to_owned(),
        "p%40ss%20w%2frd%2b%3c%22%e4%b8%ad%3e%3f%26".to_owned(),
        serde_json::to_string(secret).unwrap().trim_matches('"').to_owned(),
        "p@ss w/rd+\\u003c\\\"中\\u003e?\\u0026".to_owned(),
    ];
    for form in forms {
        assert_eq!(masker.mask_text(&format!("<{form}>")), "<***>", "{form}");
    }
}

#[test]
fn t10_base64_of_a_longer_text_shows_nothing_of_the_secret() {
    let secret = "correct-horse";
    let masker = masker(&[secret]);
    for before in ["", "u", "us", "user:", "user1:"] {
        for after in ["", "\n", "xy", "xyz"] {
            for encoded in [
                STANDARD.encode(format!("{before}{secret}{after}")),
                URL_SAFE.encode(format!("{before}{secret}{after}")),
            ] {
                let masked = masker.mask_text(&encoded);
                assert!(masked.contains(MASK), "{encoded} is not masked");
                // Two digits may stay on each side: they are shared with the neighbours.
                let rest = encoded.len() - (secret.len() * 8 / 6 - 2);
                assert!(masked.len() <= rest + MASK.len(), "{encoded} -> {masked}");
            }
        }
    }
}

#[test]
fn t10_lines_of_a_key_are_masked_one_by_one_and_as_a_whole() {
    let key = "-----BEGIN KEY-----\nAAAAbbbbCCCC\nddddEEEE\nab\n-----END KEY-----\n";
    let masker = masker(&[key]);
    assert_eq!(masker.mask_text("x ddddEEEE y AAAAbbbbCCCC"), "x *** y ***");
    assert_eq!(masker.mask_text(&format!("[{}]", key.trim())), "[***]");
    assert_eq!(masker.mask_text(&format!("[{}]", key.trim().replace('\n', "\r\n"))), "[***]");
    assert_eq!(masker.mask_text(&serde_json::to_string(key).unwrap()), "\"***\"");
    let wrapped: Vec<String> =
        STANDARD.encode(key).as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    assert!(wrapped.len() > 1);
    for line in wrapped {
        assert_eq!(masker.mask_text(&line), MASK);
    }
}

#[test]
fn short_secrets_are_refused_and_reported() {
    let secrets = ["12345", "123456", "", "中文中文中", "中文中文中文", " 12345 "].map(Secret::new);
    let (masker, unmaskable) = Masker::new(&secrets);
    assert_eq!(unmaskable, [0, 3, 5]);
    assert_eq!(masker.mask_text("12345 123456 中文中文中 中文中文中文"), "12345 *** 中文中文中 ***");
}

#[test]
fn overlapping_and_touching_secrets_leave_no_rest() {
    let masker = masker(&["abcdefgh", "defghijk", "abcdef"]);
    for size in 1..12 {
        assert_eq!(chunked(&masker, b"-abcdefghijk-abcdefX-abcdefghabcdef-", size), b"-***-***X-***-", "{size}");
    }
}

#[test]
fn only_what_may_begin_a_secret_is_held_back() {
    let masker = masker(&["secret-value"]);
    let mut stream = masker.stream();
    assert_eq!(stream.push(b"a line\n"), b"a line\n");
    assert_eq!(stream.push(b"key=secret-"), b"key=");
    assert_eq!(stream.push(b"valve "), b"secret-valve ");
    assert_eq!(stream.push(b"secret-val"), b"");
    assert_eq!(stream.finish(), b"secret-val");
    assert_eq!(stream.push(b"ue"), b"ue");
}

#[test]
fn without_secrets_everything_passes() {
    let masker = masker(&[]);
    assert_eq!(chunked(&masker, b"\xff\x00text", 2), b"\xff\x00text");
    assert_eq!(masker.mask_text("text"), "text");
}

#[test]
fn t01_printing_a_masker_shows_no_secret() {
    let masker = masker(&["canary-value"]);
    let printed = format!("{masker:?} {:?}", masker.stream());
    assert!(!printed.contains("canary"), "{printed}");
}

#[test]
fn t22_huge_and_repetitive_secrets_are_masked_in_pieces() {
    for line in ["x9".repeat(30_000), "ab1".repeat(3_000), (0..3_000).map(|n| n.to_string()).collect()] {
        let masker = masker(&[&line]);
        assert_eq!(masker.mask_text(&format!("a {line} b")), "a *** b");
        assert_eq!(chunked(&masker, format!("a {line} b").as_bytes(), 1000), b"a *** b");
        assert_eq!(masker.mask_text(&line[..line.len() / 2]).matches(MASK).count(), 1, "a cut secret is masked too");
    }
}

proptest! {
    #[test]
    fn t10_no_canary_variant_survives_any_chunking(
        secret in "[a-zA-Z0-9/+=% \"<&\\n]{0,10}[a-zA-Z0-9]{8,20}",
        noise in proptest::collection::vec("[a-z \\n]{0,12}", 8),
        sizes in proptest::collection::vec(1_usize..20, 1..40),
    ) {
        let trimmed = secret.trim();
        let masker = masker(&[&secret]);
        let forms = [
            trimmed.to_owned(),
            STANDARD.encode(&secret),
            URL_SAFE_NO_PAD.encode(&secret),
            hex::encode(&secret),
            url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            serde_json::to_string(&secret).unwrap().trim_matches('"').to_owned(),
        ];
        let text: String = forms.iter().zip(&noise).map(|(form, noise)| format!("{noise}|{form}|")).collect();
        let mut stream = masker.stream();
        let (mut out, mut rest, mut sizes) = (Vec::new(), text.as_bytes(), sizes.iter().cycle());
        while !rest.is_empty() {
            let (chunk, tail) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            out.extend(stream.push(chunk));
            rest = tail;
        }
        out.extend(stream.finish());
        let shown = String::from_utf8(out).unwrap();
        for form in &forms {
            prop_assert!(!shown.contains(form.as_str()), "{:?} in {:?}", form, shown);
        }
        prop_assert_eq!(shown, masker.mask_text(&text));
    }

    #[test]
    fn text_without_a_secret_is_unchanged(text in "[a-f ]{0,200}", size in 1_usize..30) {
        let masker = masker(&["abcdefgh", "zzzzzz"]);
        prop_assume!(!text.contains("abcdefgh"));
        prop_assert_eq!(chunked(&masker, text.as_bytes(), size), text.as_bytes());
    }
}
