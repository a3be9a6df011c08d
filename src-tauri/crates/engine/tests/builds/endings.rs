//! Builds that do not run to their end.

use super::support::{Tree, build_at, build_until, client, engine, fresh, request};
use slipway_core::ErrorCode;
use slipway_core::log::BuildEvent;
use slipway_core::ports::BuildEngine;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

/// Far below the minutes that the steps, or a build that nobody listens to, would take; a busy engine needs its time too.
const AT_ONCE: Duration = Duration::from_secs(20);
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// Returns true while a process of this machine has the word in its command line.
fn runs(word: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit())
            && std::fs::read(entry.path().join("cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
    })
}

async fn gone_within(word: &str, limit: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if !runs(word) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn cancelling_ends_the_call_at_once_and_the_step_with_it() {
    let (engine, base) = engine().await;
    let word = fresh();
    let dockerfile = format!("FROM {base}\nCOPY . /c/\nRUN echo started; sleep 300; echo {word}\n");
    let tree = Tree::files(&[("a", &word)]);
    let cancel = CancellationToken::new();
    let mut began = None;
    let ran = build_until(&engine, request(tree.clone(), &dockerfile), &cancel, |event| {
        if matches!(event, BuildEvent::Log { .. }) && began.is_none() {
            assert!(runs(&word), "the step runs");
            began = Some(Instant::now());
            cancel.cancel();
        }
    })
    .await;
    assert_eq!(ran.failure().code, ErrorCode::Cancelled);
    assert!(began.unwrap().elapsed() < AT_ONCE, "{:?}", began.unwrap().elapsed());
    assert_eq!(Arc::strong_count(&tree), 1, "no task outlives the build");
    assert!(gone_within(&word, GONE_WITHIN).await, "the step still runs");
}

#[tokio::test]
async fn a_receiver_that_went_away_does_not_stop_the_build() {
    let (engine, base) = engine().await;
    let tree = Tree::files(&[("a", &fresh())]);
    let wanted = request(tree.clone(), &format!("FROM {base}\nCOPY . /c/\nRUN cat /c/a\n"));
    let name = format!("slipway.local/build:{}", wanted.build);
    let (events, receiver) = tokio::sync::mpsc::channel(1);
    drop(receiver);
    client(engine.endpoint()).build(wanted, events, &CancellationToken::new()).await.unwrap();
    assert_eq!(Arc::strong_count(&tree), 1, "no task outlives the build");
    engine.docker_ok(&["rmi", &name]).await;
}

#[tokio::test]
async fn cancelling_works_while_nobody_reads_the_events() {
    let (engine, base) = engine().await;
    let (events, mut receiver) = tokio::sync::mpsc::channel(1);
    let cancel = CancellationToken::new();
    let wanted = request(Tree::files(&[]), &format!("FROM {base}\nRUN echo {}; yes | head -n 100000\n", fresh()));
    let engine = client(engine.endpoint());
    let reader = async {
        receiver.recv().await.unwrap();
        cancel.cancel();
        Instant::now()
    };
    let (result, since) = tokio::join!(engine.build(wanted, events, &cancel), reader);
    assert_eq!(result.unwrap_err().code, ErrorCode::Cancelled);
    assert!(since.elapsed() < AT_ONCE, "{:?}", since.elapsed());
}

#[tokio::test]
async fn dropping_the_call_ends_the_step_too() {
    let (engine, base) = engine().await;
    let word = fresh();
    let dockerfile = format!("FROM {base}\nRUN echo started; sleep 300; echo {word}\n");
    let (started, wait) = tokio::sync::oneshot::channel();
    let mut started = Some(started);
    let never = CancellationToken::new();
    let wanted = request(Tree::files(&[]), &dockerfile);
    tokio::select! {
        ran = build_until(&engine, wanted, &never, |event| {
            if matches!(event, BuildEvent::Log { .. }) && let Some(started) = started.take() {
                started.send(()).unwrap();
            }
        }) => panic!("it ended: {:?}", ran.result),
        _ = wait => assert!(runs(&word), "the step runs"),
    }
    assert!(gone_within(&word, GONE_WITHIN).await, "the step still runs");
}

/// A way to the engine that can be cut.
struct Wire {
    folder: tempfile::TempDir,
    forward: tokio::task::JoinHandle<()>,
}

impl Wire {
    fn lay(endpoint: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = endpoint.strip_prefix("unix://").expect("this test goes through a Unix socket").to_owned();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let forward = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let engine = engine.clone();
                open.spawn(async move {
                    let mut far = UnixStream::connect(engine).await.unwrap();
                    tokio::io::copy_bidirectional(&mut near, &mut far).await
                });
            }
        });
        Self { folder, forward }
    }

    fn endpoint(&self) -> String {
        format!("unix://{}/s", self.folder.path().display())
    }
}

#[tokio::test]
async fn f07_an_engine_that_goes_away_in_the_middle_is_lost_and_never_a_success() {
    let (engine, base) = engine().await;
    let wire = Wire::lay(engine.endpoint());
    let word = fresh();
    let dockerfile = format!("FROM {base}\nRUN echo started; sleep 300; echo {word}\n");
    let ran = build_at(&wire.endpoint(), request(Tree::files(&[]), &dockerfile), &CancellationToken::new(), |event| {
        if matches!(event, BuildEvent::Log { .. }) {
            wire.forward.abort();
        }
    })
    .await;
    assert_eq!(ran.failure().code, ErrorCode::EngineLost, "{:?}", ran.failure());
    assert!(gone_within(&word, GONE_WITHIN).await, "the step still runs");
}

#[tokio::test]
async fn f07_no_engine_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("unix://{}/none", folder.path().display());
    let ran = build_at(&endpoint, request(Tree::files(&[]), "FROM x\n"), &CancellationToken::new(), |_| {}).await;
    assert_eq!(ran.failure().code, ErrorCode::EngineAbsent, "{:?}", ran.failure());
}
