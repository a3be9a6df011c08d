//! Engines that are away, hang, break off, or cannot be used.

use crate::support::{Desk, ScriptedEngine, short};
use slipway_core::ids::BuildId;
use slipway_core::image::{ImageId, ImageReference, RegistryLogin};
use slipway_core::ports::{BuildEngine, Deadlines};
use slipway_core::{ErrorCode, Failure};
use slipway_engine::{DockerEngine, Transport};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn answer(status: &str, body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

async fn push(engine: &DockerEngine) -> Result<(), Failure> {
    let target = ImageReference::parse("r.example/a/b:1").unwrap();
    let (progress, _reports) = mpsc::channel(8);
    engine.push(&target, &RegistryLogin::Anonymous, progress, &CancellationToken::new()).await.map(|_| ())
}

#[tokio::test]
async fn f06_an_engine_that_says_nothing_runs_into_the_deadline() {
    let silent = ScriptedEngine::new(short(), |_| None);
    let engine = &silent.engine;
    let image = ImageReference::parse("a/b:1").unwrap();
    let lost = [
        engine.info().await.map(|_| ()),
        engine.image("a").await.map(|_| ()),
        engine.images_of("a/b").await.map(|_| ()),
        engine.built_image(BuildId(1)).await.map(|_| ()),
        engine.forget_build(BuildId(1)).await,
        engine.tag(&ImageId("sha256:1".into()), &image).await,
        engine.can_resolve(&image, None, &RegistryLogin::Anonymous).await,
    ];
    for (call, result) in lost.into_iter().enumerate() {
        assert_eq!(result.unwrap_err().code, ErrorCode::EngineLost, "call {call}");
    }
    assert_eq!(push(engine).await.unwrap_err().code, ErrorCode::PushInterrupted);
}

#[tokio::test]
async fn f06_an_answer_that_stops_in_the_middle_is_a_lost_engine() {
    let half = |_: &str| Some("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned());
    for stays_open in [true, false] {
        let broken = ScriptedEngine::staying(stays_open, short(), half);
        assert_eq!(broken.engine.image("a").await.unwrap_err().code, ErrorCode::EngineLost);
        assert_eq!(broken.engine.info().await.unwrap_err().code, ErrorCode::EngineLost);
    }
}

#[tokio::test]
async fn f07_an_engine_that_comes_later_is_simply_there() {
    let desk = Desk::new().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let engine = DockerEngine::new(Transport::unix(&socket), Some("later".into()), Deadlines::default()).unwrap();
    let absent = engine.info().await.unwrap_err();
    assert_eq!(absent.code, ErrorCode::EngineAbsent);
    assert_eq!(absent.details["endpoint"], format!("unix://{}", socket.display()));
    std::os::unix::fs::symlink(desk.witness.endpoint().strip_prefix("unix://").unwrap(), &socket).unwrap();
    assert_eq!(engine.info().await.unwrap().context.as_deref(), Some("later"));
}

#[tokio::test]
async fn the_real_engine_tells_its_facts() {
    let desk = Desk::new().await;
    let info = desk.engine.info().await.unwrap();
    assert_eq!(
        (info.version.as_str(), info.api_version.as_str()),
        (desk.witness.version(), desk.witness.api_version())
    );
    assert_eq!(info.endpoint, desk.witness.endpoint());
    assert_eq!(info.platform.os, "linux");
    assert!(info.insecure_registries.iter().any(|network| network == "127.0.0.0/8"));
    // Counting may take an engine longer than is waited, and an engine of 20.10 refuses to count for two at once.
    slipway_testkit::eventually("the engine counts its disk", Duration::from_secs(60), async || {
        let transport = Transport::open(desk.witness.endpoint(), None, false).unwrap();
        let engine = DockerEngine::new(transport, None, Deadlines::default()).unwrap();
        let counted = engine.info().await.unwrap().disk_bytes;
        if counted.is_some_and(|bytes| bytes > 0) { Ok(()) } else { Err(counted) }
    })
    .await;
}

#[tokio::test]
async fn engines_without_buildkit_or_too_old_are_refused() {
    for (api, grpc) in [("1.40", "500 Internal Server Error"), ("1.41", "404 Not Found")] {
        let engine = ScriptedEngine::new(Deadlines::default(), move |line| {
            if line.contains("/version ") {
                answer("200 OK", &format!(r#"{{"Version":"x","ApiVersion":"{api}","Os":"linux","Arch":"amd64"}}"#))
            } else if line.contains("/info ") {
                answer("200 OK", "{}")
            } else {
                answer(grpc, r#"{"message":"no upgrade proto in request"}"#)
            }
        });
        assert_eq!(engine.engine.info().await.unwrap_err().code, ErrorCode::EngineUnsupported, "{api}");
    }
}

#[tokio::test]
async fn f05_a_push_report_that_breaks_off_is_never_success() {
    let line = r#"{"status":"Pushing","progressDetail":{"current":1,"total":2},"id":"abc"}"#;
    let cases = [
        // The stream ends in good order without a digest.
        (answer("200 OK", line), ErrorCode::PushInterrupted),
        // The connection ends in the middle.
        (Some(format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{line}\n")), ErrorCode::EngineLost),
        (answer("404 Not Found", r#"{"message":"No such image: r.example/a/b:1"}"#), ErrorCode::ImageGone),
        (answer("500 Internal Server Error", r#"{"message":"never seen before"}"#), ErrorCode::RegistryServerError),
        (answer("200 OK", "<html>captive portal</html>"), ErrorCode::EngineError),
        (Some(String::new()), ErrorCode::EngineLost),
    ];
    for (script, code) in cases {
        let shown = format!("{script:?}");
        let engine = ScriptedEngine::new(Deadlines::default(), move |_| script.clone());
        assert_eq!(push(&engine.engine).await.unwrap_err().code, code, "{shown}");
    }
}

/// Closing the connection is how an engine is told to stop a push.
#[tokio::test]
async fn a_cancelled_push_hangs_up_on_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::UnixListener::bind(folder.path().join("docker.sock")).unwrap();
    let transport = Transport::unix(folder.path().join("docker.sock"));
    let engine = DockerEngine::new(transport, None, Deadlines::default()).unwrap();
    let target = ImageReference::parse("r.example/a/b:1").unwrap();
    let (progress, mut reports) = mpsc::channel(8);
    let cancel = CancellationToken::new();

    let engine_side = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let line = r#"{"status":"Pushing","progressDetail":{"current":1,"total":2},"id":"abc"}"#;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{line}\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        String::from_utf8(received).unwrap()
    };
    let our_side = async {
        let login = RegistryLogin::Anonymous;
        let push = engine.push(&target, &login, progress, &cancel);
        let cancelling = async {
            let report = reports.recv().await.unwrap();
            cancel.cancel();
            report
        };
        tokio::join!(push, cancelling)
    };
    let both = async { tokio::join!(engine_side, our_side) };
    let (request, (result, report)) = tokio::time::timeout(Duration::from_secs(5), both).await.unwrap();
    assert_eq!(result.unwrap_err().code, ErrorCode::Cancelled);
    assert_eq!((report.layer.as_str(), report.current, report.total), ("abc", 1, 2));
    assert!(request.starts_with("POST /images/r.example/a/b/push?tag=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("\r\nx-registry-auth: e30=\r\n"), "{request}");
}
