//! Pushes to a real registry.

use crate::support::{Desk, StallingRegistry, short};
use slipway_core::image::{ImageReference, RegistryLogin};
use slipway_core::log::{LayerState, PushProgress};
use slipway_core::ports::{BuildEngine, Deadlines};
use slipway_core::{ErrorCode, Secret};
use slipway_testkit::{Login, RegistryServer, free_port};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn basic(user: &str, password: &str) -> RegistryLogin {
    RegistryLogin::Basic { username: user.into(), password: Secret::new(password) }
}

#[tokio::test]
async fn a_push_reports_its_layers_and_the_registrys_digest() {
    let desk = Desk::new().await;
    let registry = RegistryServer::start(None, true).await;
    let target = desk.image_at(&registry.host(), "v1").await;
    let pushed = desk.push(&target, &RegistryLogin::Anonymous).await;
    let digest = pushed.result.unwrap();
    assert_eq!(digest, registry.digest(&desk.name(), "v1").await);
    assert!(digest.is_some());
    let of = |state| pushed.reports.iter().filter(|report| report.state == state).count();
    assert_eq!(of(LayerState::Pushed), 2, "{:?}", pushed.reports);
    // The containerd store looks ten times a second: a layer of a few bytes is there before.
    let looks_on = !desk.engine.info().await.unwrap().containerd_store;
    let moving = |report: &PushProgress| report.state == LayerState::Pushing && report.current > 0;
    assert!(!looks_on || pushed.reports.iter().any(moving), "{:?}", pushed.reports);

    // Again: nothing travels, and the digest is the same.
    let again = desk.push(&target, &RegistryLogin::Anonymous).await;
    assert_eq!(again.result.unwrap(), digest);
    assert!(again.reports.iter().any(|report| report.state == LayerState::Exists));
    assert!(again.reports.iter().all(|report| report.state != LayerState::Pushing));
}

#[tokio::test]
async fn a_registry_with_a_login_wants_the_right_one() {
    let desk = Desk::new().await;
    let registry = RegistryServer::start(Some(Login::new("builder", "right-pä/ss>")), true).await;
    let target = desk.image_at(&registry.host(), "v1").await;
    for login in [RegistryLogin::Anonymous, basic("builder", "wrong-canary"), basic("nobody", "right-pä/ss>")] {
        let failure = desk.push(&target, &login).await.result.unwrap_err();
        assert_eq!(failure.code, ErrorCode::RegistryUnauthorized);
        assert_eq!(failure.details["host"], registry.host());
        assert!(!format!("{failure:?}").contains("wrong-canary"));
    }
    assert_eq!(registry.digest(&desk.name(), "v1").await, None);
    let digest = desk.push(&target, &basic("builder", "right-pä/ss>")).await.result.unwrap();
    assert_eq!(digest, registry.digest(&desk.name(), "v1").await);
}

#[tokio::test]
async fn f13_registries_that_are_not_there() {
    let desk = Desk::new().await;
    for host in ["registry.nowhere.invalid".to_owned(), format!("127.0.0.1:{}", free_port())] {
        let target = desk.image_at(&host, "v1").await;
        let failure = desk.push(&target, &RegistryLogin::Anonymous).await.result.unwrap_err();
        assert_eq!(failure.code, ErrorCode::RegistryUnreachable, "{host}: {failure}");
    }
}

#[tokio::test]
async fn an_image_without_that_tag_is_gone_and_a_digest_is_no_tag() {
    let desk = Desk::new().await;
    let registry = RegistryServer::start(None, true).await;
    let target = desk.image_at(&registry.host(), "v1").await;
    let other = ImageReference::parse(&format!("{}:v2", target.repository())).unwrap();
    let failure = desk.push(&other, &RegistryLogin::Anonymous).await.result.unwrap_err();
    assert_eq!(failure.code, ErrorCode::ImageGone, "{failure}");
    let digest = format!("{}@sha256:{}", target.repository(), "a".repeat(64));
    let failure = desk.push(&ImageReference::parse(&digest).unwrap(), &RegistryLogin::Anonymous).await.result;
    assert_eq!(failure.unwrap_err().code, ErrorCode::BadImageReference);
}

#[tokio::test]
async fn a_cancelled_push_ends_at_once_in_any_phase_and_twice() {
    let desk = Desk::new().await;
    let mut registry = StallingRegistry::start().await;
    let target = desk.image_at(&registry.host, "v1").await;
    let cancel = CancellationToken::new();
    let (progress, _reports) = mpsc::channel(64);
    let login = RegistryLogin::Anonymous;
    let push = desk.engine.push(&target, &login, progress, &cancel);
    let cancelled_at = async {
        registry.waiting.recv().await.unwrap();
        cancel.cancel();
        Instant::now()
    };
    let (result, at) = tokio::join!(push, cancelled_at);
    assert_eq!(result.unwrap_err().code, ErrorCode::Cancelled);
    assert!(at.elapsed() < Duration::from_secs(20), "cancelling took {:?}", at.elapsed());

    let (progress, _reports) = mpsc::channel(1);
    let again = desk.engine.push(&target, &login, progress, &cancel).await;
    assert_eq!(again.unwrap_err().code, ErrorCode::Cancelled, "a cancelled token stays cancelled");
}

#[tokio::test]
async fn f12_a_registry_that_stalls_runs_into_the_idle_deadline() {
    let deadlines = Deadlines { idle: Duration::from_millis(700), ..Deadlines::default() };
    let desk = Desk::with(deadlines).await;
    let registry = RegistryServer::start(None, true).await;
    let target = desk.image_at(&registry.host(), "v1").await;
    registry.freeze();
    let failure = desk.push(&target, &RegistryLogin::Anonymous).await.result.unwrap_err();
    assert_eq!((failure.code, failure.details["deadline"].as_str()), (ErrorCode::PushInterrupted, "idle"));
    registry.resume();
}

#[tokio::test]
async fn a_whole_push_has_a_deadline_too() {
    let deadlines = Deadlines { push: Duration::from_millis(500), ..Deadlines::default() };
    assert!(short().push > deadlines.push);
    let desk = Desk::with(deadlines).await;
    let registry = RegistryServer::start(None, true).await;
    let target = desk.image_at(&registry.host(), "v1").await;
    registry.freeze();
    let failure = desk.push(&target, &RegistryLogin::Anonymous).await.result.unwrap_err();
    assert_eq!((failure.code, failure.details["deadline"].as_str()), (ErrorCode::TimedOut, "push"));
    registry.resume();
}
