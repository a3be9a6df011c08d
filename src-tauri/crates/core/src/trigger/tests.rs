#![allow(clippy::unwrap_used)]
use super::*;
use pretty_assertions::assert_eq;

fn tag(text: &str) -> Tag {
    Tag::new(text).unwrap()
}

#[test]
fn names_begin_with_a_letter_and_have_2_to_64_characters() {
    let long = "a".repeat(64);
    for name in ["ab", "A1", "deploy-web", "v1.2_x", long.as_str()] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    let longer = "a".repeat(65);
    for name in ["", "a", "1a", "-a", "a b", "über", "名字", "a/b", longer.as_str(), " ab"] {
        let failure = check_name(name).unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::InvalidField, Some("name")), "{name}");
    }
}

#[test]
fn conditions_match_as_their_editor_says() {
    let list = |list: &str| TagCondition::Tags { list: list.to_owned() };
    let pattern = |pattern: &str| TagCondition::Pattern { pattern: pattern.to_owned() };
    let tags = ["latest", "v1", "v1.2", "release-3", "main-0a1b2c3"];
    let table: &[(TagCondition, &[&str])] = &[
        (TagCondition::All, &tags),
        (list("v1;latest"), &["latest", "v1"]),
        (list("v1, v1.2\n\nmain-0a1b2c3;;"), &["v1", "v1.2", "main-0a1b2c3"]),
        (list("v1；latest，v1"), &["latest", "v1"]),
        (list("V1"), &[]),
        (pattern("release*"), &["release-3"]),
        (pattern("^v1"), &["v1", "v1.2"]),
        (pattern("^v1$"), &["v1"]),
        (pattern("1"), &["v1", "v1.2", "main-0a1b2c3"]),
        (pattern("^nothing$"), &[]),
    ];
    for (condition, expected) in table {
        let matcher = ConditionMatcher::new(condition).unwrap();
        let matching: Vec<&str> = tags.iter().filter(|text| matcher.matches(&tag(text))).copied().collect();
        assert_eq!(matching, *expected, "{condition:?}");
    }
}

#[test]
fn conditions_that_cannot_be_used_name_their_field() {
    let bad = [
        (TagCondition::Tags { list: " ;,\n".to_owned() }, ErrorCode::InvalidField, "condition.list"),
        (TagCondition::Tags { list: "v1;with/slash".to_owned() }, ErrorCode::InvalidField, "condition.list"),
        (TagCondition::Tags { list: "v".repeat(5000) }, ErrorCode::InvalidField, "condition.list"),
        (TagCondition::Pattern { pattern: String::new() }, ErrorCode::BadRegex, "condition.pattern"),
        (TagCondition::Pattern { pattern: "(".to_owned() }, ErrorCode::BadRegex, "condition.pattern"),
        (TagCondition::Pattern { pattern: "a{99}{99}{99}".to_owned() }, ErrorCode::BadRegex, "condition.pattern"),
    ];
    for (condition, code, field) in bad {
        let failure = ConditionMatcher::new(&condition).unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (code, Some(field)), "{condition:?}");
    }
}

#[test]
fn only_a_list_says_beforehand_which_tags_can_match() {
    let list = ConditionMatcher::new(&TagCondition::Tags { list: "a;b;a".to_owned() }).unwrap();
    assert_eq!(list.named_tags(), Some([tag("a"), tag("b")].as_slice()));
    assert!(ConditionMatcher::new(&TagCondition::All).unwrap().named_tags().is_none());
}

#[test]
fn newer_means_observed_later() {
    let order = |event, observation: Option<i64>| EventOrder {
        event: TagEventId(event),
        observation: observation.map(ObservationId),
    };
    let table = [
        ("two tags of one push", order(1, Some(5)), order(2, Some(5)), true),
        ("the build of an earlier push ends later", order(2, Some(4)), order(1, Some(5)), true),
        ("the build of a later push ends later", order(1, Some(4)), order(2, Some(5)), true),
        ("somebody else's push after ours", order(1, Some(9)), order(2, None), true),
        ("our push after somebody else's", order(1, None), order(2, Some(1)), true),
        ("the same", order(1, None), order(1, None), false),
    ];
    for (name, earlier, later, before) in table {
        assert_eq!((earlier.is_before(later), later.is_before(earlier)), (before, false), "{name}");
    }
}

#[test]
fn a_trigger_is_checked_field_by_field() {
    let good = TriggerSpec {
        name: "web".to_owned(),
        condition: TagCondition::All,
        target: DeployTarget::Container { engine: "local".to_owned(), name: "web".to_owned() },
        gate: HealthGate::default(),
        enabled: true,
    };
    assert!(good.check().is_ok());
    let gate = |stay_up_seconds, deadline_seconds| HealthGate { stay_up_seconds, deadline_seconds };
    let bad = [
        (TriggerSpec { name: "1".to_owned(), ..good.clone() }, "name"),
        (
            TriggerSpec { condition: TagCondition::Pattern { pattern: "[".to_owned() }, ..good.clone() },
            "condition.pattern",
        ),
        (TriggerSpec { gate: gate(0, 10), ..good.clone() }, "gate.stay_up_seconds"),
        (TriggerSpec { gate: gate(10, 10), ..good.clone() }, "gate.deadline_seconds"),
        (TriggerSpec { gate: gate(10, 100_000), ..good.clone() }, "gate.deadline_seconds"),
    ];
    for (spec, field) in bad {
        assert_eq!(spec.check().unwrap_err().field.as_deref(), Some(field));
    }
    let stored =
        r#"{"name":"web","condition":{"kind":"all"},"target":{"kind":"container","engine":"local","name":"web"}}"#;
    assert_eq!(serde_json::from_str::<TriggerSpec>(stored).unwrap(), good, "what is left out has its default");
}
