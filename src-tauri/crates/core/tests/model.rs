//! The rules that the types of the model keep: refs, paths, image references, platforms, states, error codes.
#![allow(clippy::unwrap_used)]

use pretty_assertions::assert_eq;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use slipway_core::build::BuildState;
use slipway_core::code::{CommitId, RefKind, RefName, RepoPath};
use slipway_core::image::{Digest, ImageReference, Platform, RegistryHost, RepositoryName, Tag};
use slipway_core::{ErrorCode, Failure, Secret};
use std::collections::BTreeSet;

#[test]
fn t30_ref_names_follow_git_and_are_never_options() {
    let long = "a".repeat(1024);
    for good in ["main", "feature/x", "v1.0", "a-b", "中文", "a@b", "a{b", "x#1", "$(id)", "a;b", long.as_str()] {
        let name = RefName::branch(good).unwrap();
        assert_eq!(
            (name.short(), name.kind(), name.as_str()),
            (good, RefKind::Branch, format!("refs/heads/{good}").as_str())
        );
        assert_eq!(RefName::tag(good).unwrap().kind(), RefKind::Tag);
    }
    let too_long = "a".repeat(1025);
    for bad in [
        "",
        "/a",
        "a/",
        "a//b",
        "a..b",
        "a.",
        ".a",
        "a/.b",
        "a.lock",
        "a.lock/b",
        "@",
        "a@{b",
        "a b",
        "a~",
        "a^",
        "a:b",
        "a?b",
        "a*b",
        "a[b",
        "a\\b",
        "a\nb",
        "a\u{7f}b",
        "--upload-pack=x",
        "-x",
        too_long.as_str(),
    ] {
        assert_eq!(RefName::branch(bad).unwrap_err().code, ErrorCode::BadRefName, "{bad:?}");
    }
    for bad in ["main", "refs/pull/1/merge", "refs/remotes/origin/main", "refs/heads", "HEAD", "refs/heads/"] {
        assert_eq!(RefName::new(bad).unwrap_err().code, ErrorCode::BadRefName, "{bad:?}");
    }
    assert!(serde_json::from_str::<RefName>("\"refs/heads/-x\"").is_err());
}

#[test]
fn commit_ids_are_whole_and_lower_case() {
    let sha1 = "ABCDEF0123456789abcdef0123456789abcdef01";
    let id = CommitId::new(sha1).unwrap();
    assert_eq!((id.as_str(), id.short()), (sha1.to_lowercase().as_str(), "abcdef0"));
    assert!(CommitId::new("a".repeat(64)).is_ok());
    for bad in ["", "abc", &"a".repeat(39), &"a".repeat(41), &"g".repeat(40), &"é".repeat(20)] {
        assert_eq!(CommitId::new(bad).unwrap_err().code, ErrorCode::InvalidField, "{bad:?}");
    }
}

#[test]
fn t13_repository_paths_stay_inside_the_repository() {
    let table = [
        ("", ""),
        (".", ""),
        ("./", ""),
        ("a/b", "a/b"),
        ("./a//b/", "a/b"),
        ("a/./b", "a/b"),
        ("..a/b..", "..a/b.."),
        (".github/x", ".github/x"),
        ("a b/中", "a b/中"),
        ("a/C:", "a/C:"),
    ];
    for (typed, expected) in table {
        assert_eq!(RepoPath::new(typed).unwrap().as_str(), expected, "{typed:?}");
    }
    let too_long = "a".repeat(4097);
    for bad in [
        "/",
        "/etc/passwd",
        "..",
        "a/../b",
        "a/..",
        "a\\b",
        "C:",
        "C:/x",
        "a\0b",
        "a\nb",
        ".git/config",
        "a/.GIT",
        too_long.as_str(),
    ] {
        assert_eq!(RepoPath::new(bad).unwrap_err().code, ErrorCode::BadRepositoryPath, "{bad:?}");
    }
    let path = RepoPath::new("a/b/c").unwrap();
    assert_eq!(
        (path.file_name(), path.parent().as_str(), path.parent().parent().parent().is_root()),
        ("c", "a/b", true)
    );
    assert_eq!(RepoPath::root().join("x").join("y").as_str(), "x/y");
    assert_eq!(RepoPath::root().to_string(), ".");
    assert!(serde_json::from_str::<RepoPath>("\"../x\"").is_err());
}

/// The vectors of `reference/registries.md` 6.3 and the product's own rules there.
#[test]
fn image_reference_vectors() {
    let table = [
        ("ubuntu", "docker.io/library/ubuntu:latest"),
        ("user/app", "docker.io/user/app:latest"),
        ("myhost/app", "docker.io/myhost/app:latest"),
        ("docker.io/app", "docker.io/library/app:latest"),
        ("index.docker.io/app", "docker.io/library/app:latest"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("myhost:5000/app", "myhost:5000/app:latest"),
        ("[::1]:5000/app", "[::1]:5000/app:latest"),
        ("localhost:5000", "docker.io/library/localhost:5000"),
        ("MyHost/app", "MyHost/app:latest"),
        ("User/app", "User/app:latest"),
        ("a__b/c", "docker.io/a__b/c:latest"),
        ("a--b/c", "docker.io/a--b/c:latest"),
        ("a---b/c", "docker.io/a---b/c:latest"),
        ("a/b:_x", "docker.io/a/b:_x"),
    ];
    for (text, expected) in table {
        let parsed = ImageReference::parse(text).unwrap();
        assert_eq!(parsed.to_string(), expected, "{text}");
        assert_eq!(ImageReference::parse(expected).unwrap(), parsed, "{text}: normal form");
    }
    let hex64 = "a".repeat(64);
    for bad in [
        "",
        "user/App",
        "a_b.io/x",
        "h.io:99999999/a",
        "h.io:0/a",
        "h.io:/a",
        "a___b/c",
        "a._b",
        "a..b",
        "-a/b",
        "a/b:",
        "a/b:.x",
        "a/b:-x",
        "a/b:v+1",
        "https://ghcr.io/o/a",
        "ghcr.io/o/a/",
        "ghcr.io//a",
        "::1/app",
        "[fe80::1%25eth0]/app",
        "a/b@sha256:abc",
        "a b",
        "a/b\n",
        "é/b",
        hex64.as_str(),
    ] {
        let failure = ImageReference::parse(bad).unwrap_err();
        assert_eq!(failure.code, ErrorCode::BadImageReference, "{bad:?}");
    }
}

#[test]
fn image_reference_limits_and_digests() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let parsed = ImageReference::parse(&format!("h.io/a/b:v1@{digest}")).unwrap();
    assert_eq!(parsed.digest.as_ref().map(Digest::as_str), Some(digest.as_str()));
    assert_eq!(parsed.tag.as_ref().map(Tag::as_str), Some("v1"));
    assert_eq!(ImageReference::parse(&format!("a@{digest}")).unwrap().tag, None);
    assert_eq!(parsed.repository(), "h.io/a/b");
    assert!(Tag::new("a".repeat(128)).is_ok() && Tag::new("a".repeat(129)).is_err());
    assert!(RepositoryName::new("a".repeat(255)).is_ok() && RepositoryName::new("a".repeat(256)).is_err());
    for bad in
        ["", "sha256", "sha256:", "sha256:zz", &format!("sha256:{}", "a".repeat(63)), &format!("1a:{}", "a".repeat(64))]
    {
        assert!(Digest::new(bad).is_err(), "{bad:?}");
    }
    assert!(Digest::new(format!("sha512:{}", "a".repeat(128))).is_ok());
    for (host, good) in [
        ("h.io", true),
        ("h.io:443", true),
        ("localhost", true),
        ("10.0.0.1:5000", true),
        ("[::1]", true),
        ("[::1]:5000", true),
        ("", false),
        ("-h", false),
        ("h-.io", false),
        ("h..io", false),
        ("h:65536", false),
        ("h:x", false),
        ("u@h.io", false),
        ("h.io/x", false),
        ("[::1", false),
        ("[::1]x", false),
        ("h.io\n", false),
    ] {
        assert_eq!(RegistryHost::new(host).is_ok(), good, "{host:?}");
    }
}

#[test]
fn platforms_have_two_or_three_parts() {
    for good in ["linux/amd64", "linux/arm/v7", "linux/arm64", "windows/amd64", "linux/x86_64"] {
        assert_eq!(good.parse::<Platform>().unwrap().to_string(), good);
    }
    for bad in
        ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "Linux/amd64", "linux/amd 64", "linux/arm/", "linux,amd64"]
    {
        assert_eq!(bad.parse::<Platform>().unwrap_err().code, ErrorCode::InvalidField, "{bad:?}");
    }
}

#[test]
fn builds_move_between_states_only_as_the_table_says() {
    use BuildState::{Cancelled, Failed, Paused, Queued, Running, Skipped, Succeeded, Superseded};
    let table: [(BuildState, &[BuildState]); 8] = [
        (Queued, &[Running, Failed, Cancelled, Superseded, Skipped, Paused]),
        (Running, &[Queued, Succeeded, Failed, Cancelled, Skipped, Paused]),
        (Paused, &[Queued, Running, Failed, Cancelled, Superseded]),
        (Succeeded, &[]),
        (Failed, &[]),
        (Cancelled, &[]),
        (Superseded, &[]),
        (Skipped, &[]),
    ];
    for (from, allowed) in table {
        for to in BuildState::ALL {
            assert_eq!(from.may_become(to), allowed.contains(&to), "{from:?} -> {to:?}");
        }
        assert_eq!(from.is_final(), allowed.is_empty(), "{from:?}");
        assert_eq!(serde_json::to_value(from).unwrap(), from.as_str());
    }
}

#[test]
fn error_codes_are_one_closed_list_with_one_text_each() {
    let texts: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(texts.len(), ErrorCode::ALL.len());
    for code in ErrorCode::ALL {
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        assert_eq!(serde_json::from_value::<ErrorCode>(code.as_str().into()).unwrap(), *code);
    }
    let failure = Failure::new(ErrorCode::BadGlob, "bad").at("paths").with("glob", "[");
    let stored = serde_json::to_string(&failure).unwrap();
    assert_eq!(serde_json::from_str::<Failure>(&stored).unwrap(), failure);
}

#[test]
fn t01_a_secret_is_not_printed() {
    let secret = Secret::new("canary-value");
    assert_eq!((format!("{secret:?}"), secret.expose()), ("[redacted]".to_owned(), "canary-value"));
    assert!(Secret::default().is_empty() && !secret.is_empty());
}

proptest! {
    #[test]
    fn any_reference_is_refused_or_has_a_stable_normal_form(text in "[a-zA-Z0-9./:@_\\-\\[\\]]{0,40}") {
        if let Ok(parsed) = ImageReference::parse(&text) {
            prop_assert_eq!(&ImageReference::parse(&parsed.to_string()).unwrap(), &parsed);
            prop_assert!(!parsed.host.as_str().is_empty());
        }
    }

    #[test]
    fn any_path_is_refused_or_clean(typed in any::<String>()) {
        if let Ok(path) = RepoPath::new(&typed) {
            prop_assert!(path.is_root() || path.as_str().split('/').all(|part| !matches!(part, "" | "." | "..")));
            prop_assert_eq!(RepoPath::new(path.as_str()), Ok(path.clone()));
        }
    }

    #[test]
    fn any_ref_is_refused_or_safe_in_an_argument(short in any::<String>()) {
        if let Ok(name) = RefName::branch(&short) {
            prop_assert!(!name.short().starts_with('-') && !name.as_str().chars().any(char::is_control));
        }
    }
}
