#![allow(clippy::unwrap_used)]
use super::*;

fn facts(text: &str) -> DockerfileFacts {
    inspect(text.as_bytes(), &[], None, None).unwrap()
}

fn images(facts: &DockerfileFacts) -> Vec<String> {
    facts.images.iter().map(|image| image.reference.to_string()).collect()
}

fn error(bytes: &[u8]) -> (ErrorCode, Option<String>) {
    let failure = inspect(bytes, &[], None, None).unwrap_err();
    (failure.code, failure.details.get("line").cloned())
}

/// The fourteen shapes of `reference/engine-and-git-facts.md` section 11: text, images pulled, instructions.
#[test]
fn the_fourteen_shapes() {
    for (name, text, pulled, count) in [
        ("lowercase", "from busybox\nrun echo hi\n", &["docker.io/library/busybox:latest"][..], 2),
        ("heredoc", "FROM a\nRUN <<EOF\necho FROM b\nFROM c\nEOF\nUSER x\n", &["docker.io/library/a:latest"], 3),
        ("copy heredoc", "FROM a\nCOPY <<EOF /x\nhello\nEOF\n", &["docker.io/library/a:latest"], 2),
        ("copy flags", "FROM a\nCOPY --chown=1:1 --chmod=644 --link x y /z/\n", &["docker.io/library/a:latest"], 2),
        (
            "run mounts",
            "FROM a\nRUN --mount=type=cache,target=/c --mount=type=bind,from=b:1,target=/b ls\n",
            &["docker.io/library/a:latest", "docker.io/library/b:1"],
            2,
        ),
        (
            "comment in continuation",
            "FROM a\nRUN echo 1 \\\n# comment\n  && echo 2\n",
            &["docker.io/library/a:latest"],
            2,
        ),
        ("escape directive", "# escape=`\nFROM a\nRUN dir `\n  c:\\\n", &["docker.io/library/a:latest"], 2),
        ("several args", "ARG A=1 B=2\nFROM a:$A-$B\n", &["docker.io/library/a:1-2"], 2),
        ("byte order mark", "\u{feff}FROM a\n", &["docker.io/library/a:latest"], 1),
        ("crlf", "FROM a\r\nRUN echo \\\r\n  hi\r\n", &["docker.io/library/a:latest"], 2),
        ("exec form", "FROM a\nCMD [\"sh\", \"-c\", \"echo\"]\n", &["docker.io/library/a:latest"], 2),
        (
            "stages",
            "FROM a AS build\nFROM build AS test\nFROM scratch\nCOPY --from=test /x /x\nCOPY --from=0 /y /y\n",
            &["docker.io/library/a:latest"],
            5,
        ),
        (
            "healthcheck",
            "FROM a\nHEALTHCHECK --interval=5s CMD true\nONBUILD RUN ls\n",
            &["docker.io/library/a:latest"],
            3,
        ),
    ] {
        let facts = facts(text);
        assert_eq!(images(&facts), pulled, "{name}");
        assert_eq!(facts.instructions.len(), count, "{name}");
    }
    assert_eq!(error(b"FROM a\n\nCOPPY x y\n"), (ErrorCode::DockerfileSyntax, Some("3".into())));
}

#[test]
fn files_that_are_no_dockerfile() {
    let syntax = |line: &str| (ErrorCode::DockerfileSyntax, Some(line.to_owned()));
    let nowhere = (ErrorCode::DockerfileSyntax, None);
    assert_eq!(error(b""), nowhere);
    assert_eq!(error(b"\xef\xbb\xbf \n"), nowhere);
    assert_eq!(error(b"# only a comment\n"), nowhere);
    assert_eq!(error(b"RUN x\n"), syntax("1"));
    assert_eq!(error(b"FROM a\nRUN \xff\n"), syntax("2"));
    assert_eq!(error(b"FROM a\nRUN <<EOF\nnever closed\n").0, ErrorCode::DockerfileSyntax);
    assert_eq!(error(b"FROM a AS x\nFROM b AS x\n"), syntax("2"));
    assert_eq!(error(b"FROM ${NOTHING}\n"), syntax("1"));
    assert_eq!(error(b"\nFROM UPPER/case/Name\n"), syntax("2"));
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain("FROM a".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let failure = inspect(&utf16, &[], None, None).unwrap_err();
    assert_eq!(failure.details.get("encoding").map(String::as_str), Some("utf-16"));
}

#[test]
fn arguments_platform_and_order_of_from() {
    let text = "ARG V=1\nARG IMAGE=base:${V}\nFROM --platform=$BUILDPLATFORM ${IMAGE} AS build\nFROM tool:${TARGETARCH}\nCOPY --from=build / /\n";
    let arm: Platform = "linux/arm64".parse().unwrap();
    let given = [NameValue { name: "V".into(), value: "2".into() }];
    let facts = inspect(text.as_bytes(), &given, None, Some(&arm)).unwrap();
    assert_eq!(images(&facts), ["docker.io/library/base:2", "docker.io/library/tool:arm64"]);
    assert_eq!(facts.images[0].platform, Some(arm));
    assert_eq!(facts.images[0].line, 3);
    assert_eq!(facts.images[1].platform, None);
    // An argument that the file does not declare before FROM has no effect there.
    let other = [NameValue { name: "W".into(), value: "x".into() }];
    assert_eq!(
        inspect(b"FROM a:${W:-d}", &other, None, None).unwrap().images[0].reference.to_string(),
        "docker.io/library/a:d"
    );
}

#[test]
fn only_what_the_target_needs_is_pulled() {
    let text = "FROM a AS one\nFROM b AS two\nRUN --mount=type=secret,id=two x\nFROM c AS three\nCOPY --from=one / /\nCOPY --from=ghcr.io/x/y:1 / /\n";
    let pulled = |target| images(&inspect(text.as_bytes(), &[], target, None).unwrap());
    assert_eq!(pulled(None), ["docker.io/library/a:latest", "docker.io/library/c:latest", "ghcr.io/x/y:1"]);
    assert_eq!(pulled(Some("TWO")), ["docker.io/library/b:latest"]);
    assert_eq!(pulled(Some("0")), ["docker.io/library/a:latest"]);
    assert!(facts(text).secrets.is_empty());
    let missing = inspect(text.as_bytes(), &[], Some("zzz"), None).unwrap();
    assert!(!missing.target_exists);
    assert_eq!(missing.stages.iter().filter_map(|s| s.name.as_deref()).collect::<Vec<_>>(), ["one", "two", "three"]);
}

#[test]
fn secrets_urls_and_lines() {
    let facts = facts(
        "# syntax=docker/dockerfile:1.7\nFROM a\nRUN --mount=type=secret,id=npm,required=true \\\n    npm ci\n\n# about this\nRUN --mount=type=secret,target=/run/x/token <<EOF\n# inside\ncat\nEOF\nRUN --mount=type=secret,id=npm x\nADD https://example.org/a.tgz local /dst/\n",
    );
    assert_eq!(images(&facts), ["docker.io/docker/dockerfile:1.7", "docker.io/library/a:latest"]);
    assert_eq!(facts.images[0].used_by, ImageUse::Syntax);
    assert_eq!(
        facts.secrets,
        [
            SecretMount { id: "npm".into(), required: true, line: 3 },
            SecretMount { id: "token".into(), required: false, line: 7 }
        ]
    );
    assert_eq!(facts.remote_sources, [RemoteSource { url: "https://example.org/a.tgz".into(), line: 12 }]);
    let lines: Vec<_> = facts.instructions.iter().map(|i| (i.keyword, i.first, i.last)).collect();
    assert_eq!(lines, [("FROM", 2, 2), ("RUN", 3, 4), ("RUN", 7, 10), ("RUN", 11, 11), ("ADD", 12, 12)]);
}

#[test]
fn a_foreign_frontend_is_pulled_and_its_grammar_left_alone() {
    let facts = facts("# syntax=ghcr.io/some/frontend:1\nservices:\n  - x\n");
    assert!(facts.foreign_syntax);
    assert_eq!(images(&facts), ["ghcr.io/some/frontend:1"]);
    assert_eq!(error(b"# syntax=docker/dockerfile:1\nNOPE x\n"), (ErrorCode::DockerfileSyntax, Some("2".into())));
}
