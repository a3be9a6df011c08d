//! Every way to fail has its code and its facts.

use super::support::{Ran, Thing, Tree, build, client, engine, file, forget, fresh, request, secret};
use slipway_core::ErrorCode;
use slipway_core::image::Platform;
use slipway_core::ports::BuildEngine as _;

fn detail<'a>(ran: &'a Ran, name: &str) -> &'a str {
    let failure = ran.failure();
    failure.details.get(name).unwrap_or_else(|| panic!("no {name} in {failure:?}"))
}

#[tokio::test]
async fn a_failing_step_has_exit_code_line_and_output() {
    let (engine, base) = engine().await;
    let dockerfile = format!("FROM {base}\n\n# a comment\nRUN echo before && \\\n    exit 3\n");
    let mut wanted = request(Tree::files(&[]), &dockerfile);
    wanted.no_cache = true;
    let ran = build(&engine, wanted).await;
    assert_eq!(ran.failure().code, ErrorCode::StepFailed);
    assert_eq!((detail(&ran, "exit_code"), detail(&ran, "line")), ("3", "4"));
    assert_eq!(detail(&ran, "dockerfile"), "Dockerfile");
    assert!(detail(&ran, "step").contains("exit 3") && ran.log().contains("before"));
    assert!(ran.step("exit 3").error.is_some());
}

#[tokio::test]
async fn dockerfiles_that_cannot_be_built_say_where() {
    let (engine, base) = engine().await;
    for (dockerfile, code, line) in [
        (format!("FROM {base}\nRUN true\nCOPPY a b\n"), ErrorCode::DockerfileSyntax, Some("3")),
        (format!("FROM {base}\nRUN --mount=type=nothing true\n"), ErrorCode::DockerfileSyntax, Some("2")),
        ("FROM A:b:c\n".to_owned(), ErrorCode::DockerfileSyntax, None),
        (String::new(), ErrorCode::DockerfileSyntax, None),
        ("# nothing\n".to_owned(), ErrorCode::DockerfileSyntax, None),
        ("RUN true\n".to_owned(), ErrorCode::DockerfileSyntax, None),
    ] {
        let ran = build(&engine, request(Tree::files(&[]), &dockerfile)).await;
        assert_eq!(ran.failure().code, code, "{dockerfile:?}: {:?}", ran.failure());
        if let Some(line) = line {
            assert_eq!(detail(&ran, "line"), line, "{dockerfile:?}");
        }
    }
}

#[tokio::test]
async fn a_missing_copy_source_is_named() {
    let (engine, base) = engine().await;
    for (copy, path) in
        [("COPY a gone /c/", "/gone"), ("COPY dir/gone.txt /c", "/dir/gone.txt"), ("ADD gone/ /c/", "/gone")]
    {
        let tree = Tree::files(&[("a", &fresh()), ("dir/x", "x")]);
        let ran = build(&engine, request(tree, &format!("FROM {base}\nRUN true\n{copy}\n"))).await;
        assert_eq!(ran.failure().code, ErrorCode::CopySourceMissing, "{copy}: {:?}", ran.failure());
        assert_eq!((detail(&ran, "path"), detail(&ran, "line")), (path, "3"), "{copy}");
    }
}

#[tokio::test]
async fn a_missing_target_is_named() {
    let (engine, base) = engine().await;
    let mut wanted = request(Tree::files(&[]), &format!("FROM {base}\n"));
    wanted.target = Some("zzz".into());
    let ran = build(&engine, wanted).await;
    assert_eq!((ran.failure().code, detail(&ran, "target")), (ErrorCode::TargetMissing, "zzz"));
}

#[tokio::test]
async fn a_missing_secret_is_named() {
    let (engine, base) = engine().await;
    let dockerfile = format!("FROM {base}\nRUN --mount=type=secret,id=npm,required=true echo {}\n", fresh());
    let mut wanted = request(Tree::files(&[]), &dockerfile);
    wanted.secrets = vec![secret("other", "long enough")];
    let ran = build(&engine, wanted).await;
    assert_eq!(ran.failure().code, ErrorCode::SecretMissing, "{:?}", ran.failure());
    assert_eq!((detail(&ran, "secret"), detail(&ran, "line")), ("npm", "2"));
}

#[tokio::test]
async fn t11_entitlements_are_never_granted() {
    let (engine, base) = engine().await;
    let dockerfile = format!("FROM {base}\nRUN --network=host echo {}\n", fresh());
    let mut wanted = request(Tree::files(&[]), &dockerfile);
    wanted.network = slipway_core::rule::BuildNetwork::Default;
    let ran = build(&engine, wanted).await;
    // The frontend of 20.10 does not know the flag, newer engines refuse the entitlement.
    let code = ran.failure().code;
    assert!(matches!(code, ErrorCode::EntitlementRefused | ErrorCode::DockerfileSyntax), "{:?}", ran.failure());
}

#[tokio::test]
async fn an_unreachable_base_image_is_named() {
    let (engine, base) = engine().await;
    let ran = build(&engine, request(Tree::files(&[]), "FROM 127.0.0.1:1/nosuch/base:9\n")).await;
    assert_eq!(ran.failure().code, ErrorCode::BaseImageUnreachable, "{:?}", ran.failure());
    assert_eq!(detail(&ran, "image"), "127.0.0.1:1/nosuch/base:9");
    let copy = format!("FROM {base}\nCOPY --from=127.0.0.1:1/nosuch/tool:2 /a /b\n");
    let ran = build(&engine, request(Tree::files(&[]), &copy)).await;
    assert_eq!(ran.failure().code, ErrorCode::BaseImageUnreachable, "{:?}", ran.failure());
    assert_eq!(detail(&ran, "image"), "127.0.0.1:1/nosuch/tool:2");
}

#[tokio::test]
async fn a_context_that_cannot_be_read_fails_the_build_with_its_own_words() {
    let (engine, base) = engine().await;
    let tree = Tree::new(&[("big.bin", Thing::Broken(ErrorCode::LfsPointer)), ("a", file(&fresh()))]);
    let ran = build(&engine, request(tree, &format!("FROM {base}\nCOPY . /c/\n"))).await;
    assert_eq!(ran.failure().code, ErrorCode::LfsPointer, "{:?}", ran.failure());
    assert_eq!(ran.failure().message, "big.bin is broken on purpose");
}

#[tokio::test]
async fn a_bad_ignore_file_is_told() {
    let (engine, base) = engine().await;
    let tree = Tree::files(&[(".dockerignore", "ok\n[\n"), ("a", "a")]);
    let ran = build(&engine, request(tree, &format!("FROM {base}\nCOPY . /c/\n"))).await;
    assert_eq!(ran.failure().code, ErrorCode::BadIgnoreFile, "{:?}", ran.failure());
}

/// Two platforms are one image where the engine stores them, and a clear error where it cannot.
#[tokio::test]
async fn several_platforms_need_the_containerd_store() {
    let (engine, _) = engine().await;
    let content = fresh();
    let mut wanted =
        request(Tree::files(&[("a", &content)]), "FROM scratch\nARG TARGETARCH\nCOPY a /a-${TARGETARCH}\n");
    let platform =
        |architecture: &str| Platform { os: "linux".into(), architecture: architecture.into(), variant: None };
    wanted.platforms = vec![platform("amd64"), platform("arm64")];
    let stores_them = client(engine.endpoint()).info().await.unwrap().containerd_store;
    let ran = build(&engine, wanted).await;
    if !stores_them {
        assert_eq!(ran.failure().code, ErrorCode::EnginePlatforms, "{:?}", ran.failure());
        return;
    }
    // An export names every platform of the image in its index.
    let mut saved = engine.docker(&["save", ran.image()]).await.stdout;
    saved.retain(|byte| !byte.is_ascii_whitespace());
    let has = |text: &str| saved.windows(text.len()).any(|window| window == text.as_bytes());
    for architecture in ["amd64", "arm64"] {
        assert!(has(&format!(r#""platform":{{"architecture":"{architecture}""#)), "{architecture} is not in the image");
    }
    forget(&engine, &ran).await;
}
