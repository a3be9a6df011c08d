#![allow(clippy::unwrap_used)]
use super::*;
use crate::code::RepoPath;
use crate::ids::{CodeRepositoryId, SecretId};
use crate::rule::{PathFilters, PushTriggers, RuleSecret, Strategy};
use pretty_assertions::assert_eq;

fn good() -> RuleSpec {
    RuleSpec {
        name: "main".to_owned(),
        code: CodeRepositoryId(1),
        triggers: PushTriggers {
            branches: vec!["main".to_owned()],
            pattern: Some("^v(?<major>\\d+)".to_owned()),
            ..PushTriggers::default()
        },
        paths: PathFilters { include: vec!["src/**".to_owned()], exclude: vec!["*.md".to_owned()] },
        skip_words: true,
        dockerfile_path: RepoPath::new("docker/Dockerfile").unwrap(),
        context_dir: RepoPath::root(),
        version: VersionRule::Templates { templates: vec!["{1}-{major}".to_owned(), "{branch}".to_owned()] },
        overwrite_tag: None,
        options: BuildOptions {
            platforms: vec!["linux/amd64".parse().unwrap(), "linux/arm64".parse().unwrap()],
            args: vec![pair("HTTP_PROXY", "http://x"), pair("_a1", "")],
            secrets: vec![secret("npm"), secret(".npmrc-2_x")],
            target: Some("build-1".to_owned()),
            labels: vec![pair("com.example.team/x", "a b")],
            timeout_seconds: Some(10),
            engine: Some("context:my-box".to_owned()),
            ..BuildOptions::default()
        },
        strategy: Strategy::NewestPerRef,
        auto_trigger: true,
        report_status: false,
    }
}

fn pair(name: &str, value: &str) -> NameValue {
    NameValue { name: name.to_owned(), value: value.to_owned() }
}

fn secret(id: &str) -> RuleSecret {
    RuleSecret { id: id.to_owned(), secret: SecretId(1) }
}

/// Changes the good rule and returns the code and field of everything that is then wrong.
fn wrong(change: impl FnOnce(&mut RuleSpec)) -> Vec<(ErrorCode, String)> {
    let mut spec = good();
    change(&mut spec);
    spec.check().into_iter().map(|failure| (failure.code, failure.field.unwrap())).collect()
}

#[test]
fn a_good_rule_has_no_problem_and_no_warning() {
    assert_eq!(good().check(), []);
    assert_eq!(good().warnings(), []);
}

#[test]
fn every_problem_stands_beside_its_field() {
    use ErrorCode::{BadGlob, BadRefName, BadRegex, BadRepositoryPath, BadTagTemplate, InvalidField};
    type Change = fn(&mut RuleSpec);
    let table: &[(Change, ErrorCode, &str)] = &[
        (|s| s.name.clear(), InvalidField, "spec.name"),
        (|s| s.name = "a".repeat(65), InvalidField, "spec.name"),
        (|s| s.name = " a".to_owned(), InvalidField, "spec.name"),
        (|s| s.name = "a\u{7}b".to_owned(), InvalidField, "spec.name"),
        (|s| s.triggers.branches.push("a..b".to_owned()), BadRefName, "spec.triggers.branches[1]"),
        (|s| s.paths.include.push("[".to_owned()), BadGlob, "spec.paths.include[1]"),
        (|s| s.paths.exclude[0].clear(), BadGlob, "spec.paths.exclude[0]"),
        (
            |s| s.version = VersionRule::Templates { templates: vec!["{2}".to_owned()] },
            BadTagTemplate,
            "spec.version.templates[0]",
        ),
        (|s| s.version = VersionRule::Templates { templates: vec![] }, BadTagTemplate, "spec.version"),
        (|s| s.dockerfile_path = RepoPath::root(), BadRepositoryPath, "spec.dockerfile_path"),
        (|s| s.options.platforms[1].os = "Linux".to_owned(), InvalidField, "spec.options.platforms[1]"),
        (|s| s.options.platforms[1] = s.options.platforms[0].clone(), InvalidField, "spec.options.platforms[1]"),
        (|s| s.options.args.push(pair("1a", "")), InvalidField, "spec.options.args[2].name"),
        (|s| s.options.args.push(pair("a-b", "")), InvalidField, "spec.options.args[2].name"),
        (|s| s.options.args.push(pair("", "")), InvalidField, "spec.options.args[2].name"),
        (|s| s.options.args.push(pair("_a1", "")), InvalidField, "spec.options.args[2].name"),
        (|s| s.options.args[0].value = "\0".to_owned(), InvalidField, "spec.options.args[0].value"),
        (|s| s.options.secrets.push(secret("npm")), InvalidField, "spec.options.secrets[2].id"),
        (|s| s.options.secrets.push(secret("a b")), InvalidField, "spec.options.secrets[2].id"),
        (|s| s.options.secrets.push(secret("a,b")), InvalidField, "spec.options.secrets[2].id"),
        (|s| s.options.secrets.push(secret("")), InvalidField, "spec.options.secrets[2].id"),
        (|s| s.options.labels.push(pair("A", "")), InvalidField, "spec.options.labels[1].name"),
        (|s| s.options.labels.push(pair("a.", "")), InvalidField, "spec.options.labels[1].name"),
        (|s| s.options.labels.push(pair("a=b", "")), InvalidField, "spec.options.labels[1].name"),
        (|s| s.options.labels.push(pair("slipway.build", "")), InvalidField, "spec.options.labels[1].name"),
        (|s| s.options.target = Some("a b".to_owned()), InvalidField, "spec.options.target"),
        (|s| s.options.target = Some(String::new()), InvalidField, "spec.options.target"),
        (|s| s.options.timeout_seconds = Some(9), InvalidField, "spec.options.timeout_seconds"),
        (|s| s.options.timeout_seconds = Some(86_401), InvalidField, "spec.options.timeout_seconds"),
        (|s| s.options.engine = Some("tcp://x".to_owned()), InvalidField, "spec.options.engine"),
        (|s| s.options.engine = Some("context:../x".to_owned()), InvalidField, "spec.options.engine"),
    ];
    for (change, code, field) in table {
        assert_eq!(wrong(change), [(*code, (*field).to_owned())], "{field}");
    }
    // Without its groups the pattern's placeholders are wrong too.
    let found = wrong(|spec| spec.triggers.pattern = Some("(".to_owned()));
    assert_eq!(found[0], (BadRegex, "spec.triggers.pattern".to_owned()));
}

#[test]
fn all_problems_are_told_at_once() {
    let found = wrong(|spec| {
        spec.name.clear();
        spec.options.args.push(pair("-", ""));
        spec.options.timeout_seconds = Some(0);
    });
    assert_eq!(found.len(), 3);
}

#[test]
fn t09_an_argument_that_looks_like_a_credential_is_warned_about() {
    let table = [
        ("NPM_TOKEN", true),
        ("db_password", true),
        ("DbPassword", true),
        ("DBPASSWORD", true),
        ("API_KEY", true),
        ("apiKey", true),
        ("AWS_SECRET_ACCESS_KEY", true),
        ("GITHUB_PAT", true),
        ("PUBLIC_KEY", false),
        ("KEYBOARD", false),
        ("PATH_PREFIX", false),
        ("AUTHOR", false),
        ("VERSION", false),
    ];
    for (name, expected) in table {
        assert_eq!(looks_like_credential(name), expected, "{name}");
    }
    let mut spec = good();
    spec.options.args.push(pair("NPM_TOKEN", "x"));
    assert_eq!(spec.check(), []);
    let warnings = spec.warnings();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].field.as_deref(), Some("spec.options.args[2].name"));
    assert_eq!(warnings[0].details["warning"], "credential_argument");
}

#[test]
fn a_rule_whose_tags_never_change_is_warned_about() {
    let mut spec = good();
    spec.version = VersionRule::Templates { templates: vec!["latest".to_owned()] };
    assert_eq!(spec.warnings()[0].details["warning"], "fixed_tags");
}
