#![allow(clippy::unwrap_used)]
use super::*;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// Renders at 2026-03-01 22:30:05 UTC on a machine two hours east.
fn render(rule: &VersionRule, full: Option<&str>, groups: &[(&str, &str)]) -> Result<Vec<String>, Failure> {
    let name = full.map(|full| RefName::new(full).unwrap());
    let commit = CommitId::new(SHA).unwrap();
    let groups = groups.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let context = TagContext {
        ref_name: name.as_ref(),
        commit: Some(&commit),
        number: BuildNumber(12),
        started_at: "2026-03-01T22:30:05Z".parse().unwrap(),
        offset_seconds: 7200,
        groups: &groups,
    };
    Ok(render_tags(rule, &context)?.into_iter().map(|tag| tag.as_str().to_owned()).collect())
}

fn templates(texts: &[&str]) -> VersionRule {
    VersionRule::Templates { templates: texts.iter().map(|text| (*text).to_owned()).collect() }
}

fn parts(prefix: &str, ref_name: bool, update_time: bool, commit: bool) -> VersionRule {
    VersionRule::Parts { prefix: prefix.to_owned(), ref_name, update_time, commit }
}

#[test]
fn check_values_of_the_reference() {
    let table = [
        ("feature/ABC-1_x", Some("feature-ABC-1_x")),
        ("-x", Some("x")),
        (".github", Some("github")),
        ("v1.0.0+meta", Some("v1.0.0-meta")),
        ("feature/my branch", Some("feature-my-branch")),
        ("中文", None),
        ("", None),
        ("-.-", None),
        ("a中文b", Some("a-b")),
        ("UPPER", Some("UPPER")),
        ("_x", Some("_x")),
        ("x-", Some("x-")),
    ];
    for (text, expected) in table {
        assert_eq!(clean_tag(text, text).as_ref().map(Tag::as_str), expected, "{text:?}");
    }
}

#[test]
fn a_long_name_is_cut_and_stays_apart_from_its_neighbour() {
    let fits = "a".repeat(128);
    assert_eq!(clean_tag(&fits, "x").unwrap().as_str(), fits);
    let names = ["a".repeat(129), "a".repeat(130)].map(|short| format!("refs/heads/{short}"));
    let tags = names.each_ref().map(|full| render(&templates(&["{branch}"]), Some(full), &[]).unwrap().remove(0));
    for (tag, full) in tags.iter().zip(&names) {
        assert_eq!(tag.len(), 128);
        assert_eq!(*tag, format!("{}-{}", "a".repeat(119), &hex::encode(Sha256::digest(full))[..8]));
    }
    assert!(tags[0] != tags[1]);
}

#[test]
fn ticks_are_joined_in_the_order_of_the_original() {
    let (branch, tag) = (Some("refs/heads/feature/x"), Some("refs/tags/v1.0"));
    let table = [
        (parts("p", true, true, true), branch, "p-feature-x-20260302003005-0123456"),
        (parts("", true, false, false), branch, "feature-x"),
        (parts("", true, false, false), tag, "v1.0"),
        (parts("", false, true, false), branch, "20260302003005"),
        (parts("", false, false, true), branch, "0123456"),
        (parts("rel", false, false, false), branch, "rel"),
        (parts("", true, false, true), Some("refs/heads/中文"), "0123456"),
        (parts("", true, false, false), None, "0123456"),
        (parts("p", true, false, true), None, "p-0123456"),
    ];
    for (rule, full, expected) in table {
        assert_eq!(render(&rule, full, &[]).unwrap(), [expected], "{rule:?} on {full:?}");
    }
}

#[test]
fn placeholders_have_the_values_that_the_manual_says() {
    let (branch, tag) = ("refs/heads/feature/x", "refs/tags/v1.22.3+b.1");
    let table: &[(&str, &str, Option<&str>)] = &[
        ("{branch}", branch, Some("feature-x")),
        ("{branch}", tag, None),
        ("{tag}", tag, Some("v1.22.3-b.1")),
        ("{tag}", branch, None),
        ("{ref}", branch, Some("feature-x")),
        ("{ref}", tag, Some("v1.22.3-b.1")),
        ("{sha}", branch, Some(SHA)),
        ("{short_sha}", branch, Some("0123456")),
        ("{date}", branch, Some("20260302")),
        ("{time}", branch, Some("003005")),
        ("{n}", branch, Some("12")),
        ("{semver}", tag, Some("1.22.3-b.1")),
        ("{semver.major}.{semver.minor}", tag, Some("1.22")),
        ("{semver}", "refs/tags/2.0.0-rc.1", Some("2.0.0-rc.1")),
        ("{semver.major}", "refs/tags/2.0.0-rc.1", None),
        ("{semver}", "refs/tags/v1.2", None),
        ("{semver}", "refs/tags/1.02.3", None),
        ("{semver}", "refs/tags/1.2.3-01", None),
        ("{semver}", "refs/heads/v1.2.3", None),
        ("{1}-{name}", branch, Some("one-two")),
        ("{2}", branch, None),
        ("fixed", branch, Some("fixed")),
        ("r-{n}-{short_sha}", branch, Some("r-12-0123456")),
    ];
    for (template, full, expected) in table {
        let tags = render(&templates(&[template]), Some(full), &[("1", "one"), ("name", "two")]);
        assert_eq!(tags.as_deref().ok().map(|tags| tags[0].as_str()), *expected, "{template} on {full}");
        if let Err(failure) = tags {
            assert_eq!(failure.code, ErrorCode::BadTagTemplate);
            assert_eq!(failure.details["ref"], *full);
        }
    }
}

#[test]
fn templates_without_a_value_are_left_out_and_equal_tags_are_one() {
    let rule = templates(&["{semver}", "{semver.major}", "{tag}", "{ref}", "x-{n}"]);
    assert_eq!(render(&rule, Some("refs/tags/v3.1.4"), &[]).unwrap(), ["3.1.4", "3", "v3.1.4", "x-12"]);
    assert_eq!(render(&rule, Some("refs/heads/main"), &[]).unwrap(), ["main", "x-12"]);
    assert_eq!(render(&rule, None, &[]).unwrap(), ["x-12"]);
}

#[test]
fn an_offset_west_of_utc_moves_the_date_back() {
    let groups = BTreeMap::new();
    let context = TagContext {
        ref_name: None,
        commit: None,
        number: BuildNumber(1),
        started_at: "2026-01-01T00:00:00Z".parse().unwrap(),
        offset_seconds: -1,
        groups: &groups,
    };
    let tags = render_tags(&templates(&["{date}{time}"]), &context).unwrap();
    assert_eq!(tags[0].as_str(), "20251231235959");
}

#[test]
fn a_rule_that_can_never_name_an_image_is_refused_when_saved() {
    let groups = ["1".to_owned(), "name".to_owned()];
    for good in [&["{branch}-{short_sha}"][..], &["{1}", "{name}"], &["latest"], &["{semver.minor}"]] {
        assert_eq!(validate(&templates(good), &groups), Ok(()), "{good:?}");
    }
    assert_eq!(validate(&parts("", false, false, true), &[]), Ok(()));
    assert_eq!(validate(&parts("v", false, false, false), &[]), Ok(()));
    for bad in ["{unknown}", "{2}", "{Branch}", "{", "}", "a{b", "{a{b}}", "{}", "", " "] {
        let failure = validate(&templates(&["ok", bad]), &groups).unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadTagTemplate, "{bad:?}");
        assert_eq!(failure.field.as_deref(), Some("version.templates[1]"), "{bad:?}");
    }
    for rule in [templates(&[]), parts("", false, false, false), parts("中文", false, false, false)] {
        assert_eq!(validate(&rule, &groups).unwrap_err().field.as_deref(), Some("version"), "{rule:?}");
    }
}

#[test]
fn refs_that_give_one_tag_are_reported() {
    let rendered: Vec<(RefName, Vec<Tag>)> = ["a/b", "main", "a-b"]
        .map(|short| (RefName::branch(short).unwrap(), vec![clean_tag(short, short).unwrap()]))
        .into();
    let found = collisions(&rendered);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].tag.as_str(), "a-b");
    assert_eq!(found[0].refs, [rendered[0].0.clone(), rendered[2].0.clone()]);
    assert_eq!(collisions(&rendered[..2]), []);
}

proptest! {
    #[test]
    fn every_text_becomes_a_legal_tag_or_none(text in "\\PC{0,200}") {
        match clean_tag(&text, &text) {
            Some(tag) => prop_assert_eq!(clean_tag(tag.as_str(), ""), Some(tag)),
            None => prop_assert!(!text.bytes().any(|b| b.is_ascii_alphanumeric() || b == b'_')),
        }
    }

    #[test]
    fn what_validates_also_renders(template in "[{}a-c1n ]{1,12}") {
        let rule = templates(&[&template]);
        if validate(&rule, &[]).is_ok() && template.contains(['a', 'b', 'c', '1', 'n']) {
            prop_assert!(render(&rule, Some("refs/heads/main"), &[]).is_ok());
        }
    }
}
