#![allow(clippy::unwrap_used)]
use super::*;
use pretty_assertions::assert_eq;
use proptest::prelude::*;

fn day(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + day * 86_400, 0).unwrap()
}

fn digest(letter: char) -> Digest {
    Digest::new(format!("sha256:{:064x}", u32::from(letter))).unwrap()
}

/// A tag that was built here on a day; each letter is a manifest.
fn built(tag: &str, letter: char, pushed: i64) -> RetentionTag {
    RetentionTag {
        tag: Tag::new(tag).unwrap(),
        digest: Some(digest(letter)),
        parts: Vec::new(),
        read: true,
        at: Some(day(pushed)),
        foreign: false,
        write_once: false,
        newest: false,
        used_by: None,
    }
}

fn newest(count: u32) -> RetentionRule {
    RetentionRule { keep_newest: Some(count), keep_days: None, keep_pattern: None, include_foreign: false }
}

/// What becomes of the tags on day 100: `-` goes, else the reason.
fn reasons(rule: &RetentionRule, tags: &[RetentionTag]) -> Vec<Option<KeepReason>> {
    let decided = decide(rule, tags, day(100)).unwrap();
    decided.into_iter().map(|verdict| verdict.kept.map(|kept| kept.reason)).collect()
}

#[test]
fn each_condition_keeps_and_what_none_keeps_goes() {
    use KeepReason::{AmongNewest, Newest, Pattern, Recent};
    let tags =
        [built("a", 'a', 1), built("v1.0", 'b', 2), built("c", 'c', 50), built("d", 'd', 90), built("e", 'e', 99)];
    let days = RetentionRule { keep_newest: None, keep_days: Some(30), ..newest(1) };
    let table = [
        (newest(1), [None, None, None, None, Some(Newest)]),
        (newest(3), [None, None, Some(AmongNewest), Some(AmongNewest), Some(Newest)]),
        (days.clone(), [None, None, None, Some(Recent), Some(Newest)]),
        (RetentionRule { keep_days: Some(50), ..days.clone() }, [None, None, Some(Recent), Some(Recent), Some(Newest)]),
        (RetentionRule { keep_newest: Some(2), ..days }, [None, None, None, Some(AmongNewest), Some(Newest)]),
        (
            RetentionRule { keep_pattern: Some(r"v\d+\.\d+".into()), ..newest(1) },
            [None, Some(Pattern), None, None, Some(Newest)],
        ),
        // As a whole: the pattern does not match a part of a tag.
        (RetentionRule { keep_pattern: Some("v".into()), ..newest(1) }, [None, None, None, None, Some(Newest)]),
    ];
    for (rule, expected) in table {
        assert_eq!(reasons(&rule, &tags), expected, "{rule:?}");
    }
}

#[test]
fn what_must_never_go_stays_whatever_the_rule_says() {
    use KeepReason::{AgeUnknown, Attachment, Foreign, Newest, Unread, Used, WriteOnce};
    let table = [
        (RetentionTag { read: false, ..built("a", 'a', 1) }, Unread),
        (built(&format!("sha256-{}.sig", "a".repeat(64)), 'a', 1), Attachment),
        (RetentionTag { write_once: true, ..built("a", 'a', 1) }, WriteOnce),
        (RetentionTag { used_by: Some("web".into()), ..built("a", 'a', 1) }, Used),
        (RetentionTag { at: None, ..built("a", 'a', 1) }, AgeUnknown),
        (RetentionTag { newest: true, ..built("a", 'a', 1) }, Newest),
    ];
    for (one, expected) in table {
        let tags = [one, built("z", 'z', 99)];
        for include_foreign in [false, true] {
            let rule = RetentionRule { include_foreign, ..newest(1) };
            assert_eq!(reasons(&rule, &tags)[0], Some(expected), "{:?}", tags[0]);
        }
    }
    let others = RetentionTag { foreign: true, ..built("a", 'a', 1) };
    let tags = [others, built("z", 'z', 99)];
    assert_eq!(reasons(&newest(1), &tags)[0], Some(Foreign));
    assert_eq!(reasons(&RetentionRule { include_foreign: true, ..newest(1) }, &tags)[0], None);
    let used = RetentionTag { used_by: Some("web".into()), ..built("a", 'a', 1) };
    let verdict = decide(&newest(1), &[used, built("z", 'z', 99)], day(100)).unwrap().remove(0);
    assert_eq!(verdict.kept.unwrap().by.as_deref(), Some("web"));
}

#[test]
fn tags_of_others_take_no_place_among_the_newest_unless_they_may_go_too() {
    use KeepReason::{AmongNewest, Foreign, Newest};
    let others = |tag, letter, day| RetentionTag { foreign: true, ..built(tag, letter, day) };
    let tags = [built("a", 'a', 1), built("b", 'b', 2), others("x", 'x', 50), others("y", 'y', 60)];
    assert_eq!(reasons(&newest(2), &tags), [Some(AmongNewest), Some(Newest), Some(Foreign), Some(Foreign)]);
    let all = RetentionRule { include_foreign: true, ..newest(2) };
    assert_eq!(reasons(&all, &tags), [None, None, Some(AmongNewest), Some(Newest)]);
}

#[test]
fn a_manifest_goes_with_all_its_tags_or_stays() {
    use KeepReason::{Newest, PartOfIndex, Pattern, SameImage};
    let index = RetentionTag { parts: vec![digest('p'), digest('q')], ..built("v1", 'i', 5) };
    let tags = [
        built("main-1", 'a', 1),
        built("stable", 'a', 2),
        built("main-2", 'b', 3),
        index,
        built("v1-amd64", 'p', 4),
        built("v1-other", 'p', 4),
        built("main-9", 'z', 99),
    ];
    let rule = RetentionRule { keep_pattern: Some("stable|v1".into()), ..newest(1) };
    let expected =
        [Some(SameImage), Some(Pattern), None, Some(Pattern), Some(PartOfIndex), Some(PartOfIndex), Some(Newest)];
    assert_eq!(reasons(&rule, &tags), expected);
    let decided = decide(&rule, &tags, day(100)).unwrap();
    assert_eq!(decided[0].kept.as_ref().unwrap().by.as_deref(), Some("stable"));
    assert_eq!(decided[4].kept.as_ref().unwrap().by.as_deref(), Some("v1"));
    // On the local engine a name goes alone.
    let names = [
        RetentionTag { digest: None, ..built("a", 'a', 1) },
        RetentionTag { digest: None, ..built("b", 'a', 2) },
        RetentionTag { digest: None, ..built("c", 'a', 3) },
    ];
    assert_eq!(reasons(&newest(1), &names), [None, None, Some(Newest)]);
}

#[test]
fn a_creation_time_from_before_docker_is_no_age() {
    let time = |text: &str| Some(text.parse::<DateTime<Utc>>().unwrap());
    let pushed = time("2026-05-01T00:00:00Z");
    for none in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1980-01-01T00:00:01Z"] {
        assert_eq!(age_from(None, time(none)), None, "{none}");
        assert_eq!(age_from(pushed, time(none)), pushed);
    }
    let created = time("2020-01-01T00:00:00Z");
    assert_eq!((age_from(None, created), age_from(pushed, created)), (created, pushed));
}

#[test]
fn a_rule_that_says_too_little_or_nonsense_names_its_field() {
    let pattern = |text: &str| RetentionRule { keep_pattern: Some(text.into()), ..newest(1) };
    let table = [
        (RetentionRule { keep_newest: None, ..newest(1) }, ErrorCode::InvalidField, "rule.keep_newest"),
        (RetentionRule { keep_newest: None, ..pattern("v.*") }, ErrorCode::InvalidField, "rule.keep_newest"),
        (newest(0), ErrorCode::InvalidField, "rule.keep_newest"),
        (newest(MOST_KEPT + 1), ErrorCode::InvalidField, "rule.keep_newest"),
        (RetentionRule { keep_days: Some(0), ..newest(1) }, ErrorCode::InvalidField, "rule.keep_days"),
        (pattern(""), ErrorCode::BadRegex, "rule.keep_pattern"),
        (pattern("a)(b"), ErrorCode::BadRegex, "rule.keep_pattern"),
    ];
    for (rule, code, field) in table {
        let failure = decide(&rule, &[], day(100)).unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (code, Some(field)), "{rule:?}");
    }
}

prop_compose! {
    fn any_tag()(
        letter in prop::sample::select(vec!['a', 'b', 'c', 'd', 'e', 'f']),
        part in prop::option::of(prop::sample::select(vec!['a', 'b', 'c', 'd', 'e', 'f'])),
        pushed in prop::option::of(0i64..120),
        flags in any::<[bool; 3]>(),
        rare in prop::sample::select(vec![0, 0, 0, 0, 0, 1, 2]),
    ) -> RetentionTag {
        RetentionTag {
            digest: (letter != 'f').then(|| digest(letter)),
            parts: part.map(digest).into_iter().collect(),
            at: pushed.map(day),
            foreign: flags[0],
            newest: flags[1] && flags[2] && rare == 2,
            write_once: rare == 1,
            used_by: (rare == 2).then(|| "web".to_owned()),
            ..built("t", letter, 0)
        }
    }
}

prop_compose! {
    fn any_tags()(tags in prop::collection::vec(any_tag(), 0..40)) -> Vec<RetentionTag> {
        let named = |(index, one): (usize, RetentionTag)| RetentionTag { tag: Tag::new(format!("t{index}")).unwrap(), ..one };
        tags.into_iter().enumerate().map(named).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_goes_that_something_keeps(
        tags in any_tags(), count in prop::option::of(1u32..8), days in 1u32..120, foreign in any::<bool>(),
    ) {
        let rule = RetentionRule { keep_newest: count, keep_days: Some(days), keep_pattern: Some("t1.*".into()), include_foreign: foreign };
        let decided = decide(&rule, &tags, day(100)).unwrap();
        let goes: Vec<&RetentionTag> =
            tags.iter().zip(&decided).filter(|(_, verdict)| verdict.kept.is_none()).map(|(one, _)| one).collect();
        let stays: Vec<&RetentionTag> =
            tags.iter().zip(&decided).filter(|(_, verdict)| verdict.kept.is_some()).map(|(one, _)| one).collect();
        let governed: Vec<&RetentionTag> = tags.iter().filter(|one| one.at.is_some() && (foreign || !one.foreign)).collect();
        for one in &goes {
            let at = one.at.unwrap();
            prop_assert!(!one.write_once && !one.newest && one.used_by.is_none());
            prop_assert!(foreign || !one.foreign);
            prop_assert!(at < day(100 - i64::from(days)));
            prop_assert!(!one.tag.as_str().starts_with("t1"));
            // At least as many as are kept are as new, and never all go.
            let as_new = governed.iter().filter(|other| other.tag != one.tag && other.at.unwrap() >= at).count();
            prop_assert!(as_new >= count.unwrap_or(1) as usize);
            for other in &stays {
                prop_assert!(one.digest.is_none() || other.digest != one.digest, "a kept tag would go too");
                prop_assert!(one.digest.iter().all(|digest| !other.parts.contains(digest)), "a kept index would break");
            }
        }
        // What is left is decided alike: a run that is broken off goes on the same way.
        let left: Vec<RetentionTag> = stays.iter().map(|one| (*one).clone()).collect();
        prop_assert!(decide(&rule, &left, day(100)).unwrap().iter().all(|verdict| verdict.kept.is_some()));
        let after_some: Vec<RetentionTag> = tags
            .iter()
            .filter(|one| goes.first().is_none_or(|gone| one.tag != gone.tag && (one.digest.is_none() || one.digest != gone.digest)))
            .cloned()
            .collect();
        let again = decide(&rule, &after_some, day(100)).unwrap();
        let kept_before = |tag: &Tag| decided.iter().any(|verdict| verdict.tag == *tag && verdict.kept.is_some());
        prop_assert!(again.iter().all(|verdict| verdict.kept.is_some() == kept_before(&verdict.tag)));
    }

    #[test]
    fn a_larger_rule_keeps_at_least_as_much(tags in any_tags(), count in 1u32..8, more in 0u32..8) {
        let small = decide(&newest(count), &tags, day(100)).unwrap();
        let large = decide(&newest(count + more), &tags, day(100)).unwrap();
        for (small, large) in small.iter().zip(&large) {
            prop_assert!(small.kept.is_none() || large.kept.is_some());
        }
    }
}
