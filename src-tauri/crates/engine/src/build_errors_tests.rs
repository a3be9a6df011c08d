#![allow(clippy::unwrap_used)]
use super::*;
use bollard_buildkit_proto::google::protobuf::Any;

/// The engine's words, the step that failed, what they mean and which facts they hold.
type Shape = (String, Option<&'static str>, ErrorCode, &'static [(&'static str, &'static str)]);

/// The shapes of `reference/engine-and-git-facts.md`, "Error shapes", and their relatives.
#[test]
fn words_of_all_engines_have_a_meaning() {
    use ErrorCode::*;
    let lld = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: ";
    let load = "[internal] load metadata for docker.io/library/nosuch:1";
    #[rustfmt::skip]
    let table: Vec<Shape> = vec![
        (format!("{lld}dockerfile parse error line 3: unknown instruction: COPPY"), None, DockerfileSyntax, &[("line", "3")]),
        ("failed to solve: dockerfile parse error on line 3: unknown instruction: COPPY (did you mean COPY?)".into(), None, DockerfileSyntax, &[("line", "3")]),
        ("dockerfile parse error on line 7: RUN echo exit code: x".into(), None, DockerfileSyntax, &[("line", "7")]),
        (format!("{lld}the Dockerfile cannot be empty"), None, DockerfileSyntax, &[]),
        ("the Dockerfile cannot be empty".into(), None, DockerfileSyntax, &[]),
        (format!("{lld}failed to parse stage name \"A:B:C\": invalid reference format"), None, DockerfileSyntax, &[]),
        ("failed to solve with frontend dockerfile.v0: failed to read dockerfile: open /var/lib/docker/tmp/buildkit-mount1/Dockerfile: no such file or directory".into(), None, DockerfileMissing, &[]),
        ("failed to read dockerfile: open Dockerfile: no such file or directory".into(), None, DockerfileMissing, &[]),
        (format!("{lld}target stage zzz could not be found"), None, TargetMissing, &[("target", "zzz")]),
        ("target stage \"zzz\" could not be found".into(), None, TargetMissing, &[("target", "zzz")]),
        ("failed to compute cache key: \"/X\" not found: not found".into(), Some("[2/2] COPY X /"), CopySourceMissing, &[("path", "/X")]),
        ("failed to compute cache key: failed to calculate checksum of ref abc::def: \"/dir/X y\": not found".into(), Some("[2/2] COPY"), CopySourceMissing, &[("path", "/dir/X y")]),
        ("failed to compute cache key: failed to walk /var/lib/docker/tmp/buildkit-mount123/a: lstat /var/lib/docker/tmp/buildkit-mount123/a: no such file or directory".into(), None, CopySourceMissing, &[("path", "/a")]),
        ("executor failed running [/bin/sh -c exit 3]: exit code: 3".into(), Some("[2/2] RUN exit 3"), StepFailed, &[("exit_code", "3")]),
        ("process \"/bin/sh -c echo \\\"x\\\" not found\" did not complete successfully: exit code: 127".into(), None, StepFailed, &[("exit_code", "127")]),
        ("executor failed running [/bin/sh -c echo no space left on device; exit 1]: exit code: 1".into(), None, StepFailed, &[("exit_code", "1")]),
        ("executor failed running [/bin/sh -c x]: runc did not terminate sucessfully".into(), None, StepFailed, &[]),
        ("process \"/bin/sh -c x\" did not complete successfully: cannot allocate memory".into(), None, StepFailed, &[]),
        ("nosuch:1: failed to resolve source metadata for docker.io/library/nosuch:1: docker.io/library/nosuch:1: not found".into(), None, BaseImageMissing, &[("image", "docker.io/library/nosuch:1")]),
        (format!("{lld}docker.io/library/nosuch:1: not found"), Some(load), BaseImageMissing, &[("image", "docker.io/library/nosuch:1")]),
        (format!("{lld}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"), Some(load), BaseImageMissing, &[]),
        (format!("{lld}failed to do request: Head \"https://registry-1.docker.io/v2/library/nosuch/manifests/1\": dial tcp: lookup registry-1.docker.io: no such host"), Some(load), BaseImageUnreachable, &[("image", "docker.io/library/nosuch:1")]),
        ("x: failed to resolve source metadata for docker.io/library/x: failed to do request: Head \"https://r\": dial tcp 1.2.3.4:443: connect: connection refused".into(), None, BaseImageUnreachable, &[]),
        (format!("{lld}unexpected status code [manifests 1]: 503 Service Unavailable"), Some(load), BaseImageUnreachable, &[]),
        (format!("{lld}toomanyrequests: You have reached your pull rate limit"), Some(load), BaseImageRateLimited, &[]),
        (format!("{lld}no match for platform in manifest sha256:ab: not found"), Some(load), BaseImagePlatform, &[]),
        (format!("{lld}failed to do request: Head \"https://registry-1.docker.io\": dial tcp: i/o timeout"), Some("resolve image config for docker.io/docker/dockerfile:1"), BaseImageUnreachable, &[("image", "docker.io/docker/dockerfile:1")]),
        ("failed to copy: httpReadSeeker: failed open: unexpected status code https://r/v2/x/blobs/sha256:1: 500 Internal Server Error".into(), Some("[1/2] FROM docker.io/library/x:1@sha256:aa"), BaseImageUnreachable, &[("image", "docker.io/library/x:1")]),
        ("failed to load cache key: failed to do request: Head \"https://registry-1.docker.io/v2/library/x/manifests/latest\": dial tcp: no such host".into(), Some("[2/2] COPY --from=x"), BaseImageUnreachable, &[("image", "docker.io/library/x:latest")]),
        ("failed to load cache key: Get \"http://127.0.0.1:1/x\": dial tcp 127.0.0.1:1: connect: connection refused".into(), Some("[2/2] ADD http://127.0.0.1:1/x /x"), EngineError, &[]),
        ("failed to solve: secret npm: not found".into(), Some("[2/2] RUN"), SecretMissing, &[("secret", "npm")]),
        ("rpc error: code = Unknown desc = secret npm not found: not found".into(), None, SecretMissing, &[("secret", "npm")]),
        ("failed to solve: write /var/lib/docker/x/context: no space left on device".into(), None, EngineDiskFull, &[]),
        ("failed to solve: failed to load LLB: network.host is not allowed".into(), None, EntitlementRefused, &[("entitlement", "network.host")]),
        ("security.insecure is not allowed".into(), None, EntitlementRefused, &[("entitlement", "security.insecure")]),
        ("multiple platforms feature is currently not supported for docker driver".into(), None, EnginePlatforms, &[]),
        ("something new".into(), Some("[2/2] RUN x"), EngineError, &[]),
    ];
    for (words, step, code, details) in table {
        let failure = classify(&words, step);
        assert_eq!(failure.code, code, "{words}");
        for (name, value) in details {
            assert_eq!(failure.details.get(*name).map(String::as_str), Some(*value), "{name} of {words}");
        }
    }
}

#[test]
fn lines_come_from_typed_details_first() {
    // As Docker 26.1 sends it.
    let source = r#"{"info":{"filename":"Dockerfile","data":"RlJPTSB4Cg==","language":"Dockerfile"},"ranges":[{"start":{"line":4,"character":0},"end":{"line":6,"character":1}}]}"#;
    let detail = |name: &str, value: &str| Any {
        type_url: format!("github.com/moby/buildkit/{name}+json"),
        value: value.as_bytes().to_vec(),
    };
    let details = vec![detail("stack.Stack", r#"{"frames":[]}"#), detail("errdefs.Source", source)];
    let typed = TypedStatus { code: 2, message: String::new(), details };
    let status = tonic::Status::with_details(
        tonic::Code::Unknown,
        "process \"/bin/sh -c false\" did not complete successfully: exit code: 1",
        typed.encode_to_vec().into(),
    );
    let failure = from_status(&status, None);
    assert_eq!((failure.details["line"].as_str(), failure.details["last_line"].as_str()), ("4", "6"));
}

#[test]
fn an_engine_that_hangs_up_is_lost() {
    for (code, words) in [
        (tonic::Code::Unavailable, "the server is going away"),
        (tonic::Code::Unknown, "no active session for abc: context deadline exceeded"),
        (tonic::Code::Cancelled, "context canceled"),
    ] {
        assert_eq!(from_status(&tonic::Status::new(code, words), None).code, ErrorCode::EngineLost, "{words}");
    }
    let broken = tonic::Status::from_error(Box::new(std::io::Error::from(std::io::ErrorKind::ConnectionReset)));
    assert_eq!(from_status(&broken, None).code, ErrorCode::EngineLost);
}

#[test]
fn foreign_words_lose_what_could_confuse_a_terminal_or_a_reader() {
    assert_eq!(clean(" a\u{1b}[31m\r\nb\u{202e}c "), "a[31m bc");
    assert!(clean(&"x".repeat(100_000)).len() < 5000);
}
