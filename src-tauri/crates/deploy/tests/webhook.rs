//! Action *Webhook*, against a server that does what the test says.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use pretty_assertions::assert_eq;
use slipway_core::deploy::{
    DeployAction, DeployImage, DeployJob, DeployJournal, DeployKey, DeployOutcome, DeployTarget, HealthGate, Planned,
    Refusal, StepKind, WebhookHeader, deploy, resume,
};
use slipway_core::ids::SecretId;
use slipway_core::image::{Digest, ImageId, RegistryLogin};
use slipway_core::{ErrorCode, Secret};
use slipway_deploy::{Resolve, WebhookAction, WebhookPace, system_resolver};
use slipway_testkit::fakes::MemoryJournal;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What a receiver does with a call.
#[derive(Clone)]
enum Mood {
    Answer(u16),
    RedirectTo(String),
    Hang,
    HangUp,
}

/// A receiver of webhooks.
struct Receiver {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    _running: DropGuard,
}

impl Receiver {
    /// One that follows the script; the last mood stays.
    async fn start(script: Vec<Mood>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<(HeaderMap, Bytes)>>> = Arc::default();
        let stop = CancellationToken::new();
        let (stopped, calls) = (stop.clone(), Arc::clone(&seen));
        tokio::spawn(stopped.run_until_cancelled_owned(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, calls) = (script.clone(), Arc::clone(&calls));
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                        let (script, calls) = (script.clone(), Arc::clone(&calls));
                        async move {
                            let (head, body) = request.into_parts();
                            assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/hook"));
                            let body = body.collect().await.unwrap().to_bytes();
                            let number = {
                                let mut calls = calls.lock().unwrap();
                                calls.push((head.headers, body));
                                calls.len() - 1
                            };
                            let mood = script.get(number).or(script.last()).unwrap().clone();
                            let response = Response::builder();
                            let response = match mood {
                                Mood::Answer(status) => response.status(status),
                                Mood::RedirectTo(to) => response.status(307).header("location", to),
                                Mood::Hang => std::future::pending().await,
                                Mood::HangUp => return Err(std::io::Error::other("it goes away in the middle")),
                            };
                            Ok(response.body(Full::new(Bytes::from_static(b"ok"))).unwrap())
                        }
                    });
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        }));
        Self { address, seen, _running: stop.drop_guard() }
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    fn seen(&self) -> Vec<(HeaderMap, Bytes)> {
        self.seen.lock().unwrap().clone()
    }

    fn target(&self) -> DeployTarget {
        target(&self.url(), true)
    }
}

fn target(url: &str, allow_private: bool) -> DeployTarget {
    DeployTarget::Webhook {
        url: url.to_owned(),
        headers: vec![WebhookHeader { name: "Authorization".into(), value: SecretId(1) }],
        signing_secret: Some(SecretId(2)),
        allow_private,
    }
}

fn job(target: DeployTarget) -> DeployJob {
    let digest = Digest::new(format!("sha256:{}", "a".repeat(64))).unwrap();
    DeployJob {
        key: DeployKey("owner-7-1".into()),
        target,
        image: DeployImage {
            reference: "registry.example/team/shop/web:1.2".into(),
            digest: Some(digest),
            id: Some(ImageId("sha256:1".into())),
            content: None,
        },
        login: RegistryLogin::Anonymous,
        gate: HealthGate { stay_up_seconds: 1, deadline_seconds: 60 },
        secrets: [(SecretId(1), Secret::new("Bearer opens-doors")), (SecretId(2), Secret::new("It's a Secret"))].into(),
        occurred_at: chrono::DateTime::from_timestamp(1_586_922_308, 0).unwrap(),
    }
}

fn pace() -> WebhookPace {
    WebhookPace { answer: Duration::from_secs(2), tries: 3, first_pause: Duration::from_millis(10) }
}

fn action() -> WebhookAction {
    WebhookAction::new(pace(), system_resolver())
}

/// A way to look names up that gives these answers, one after another; the last one stays.
fn names(answers: Vec<Vec<SocketAddr>>) -> Resolve {
    let asked = AtomicUsize::new(0);
    Arc::new(move |_, _| {
        let number = asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let found = answers[number].clone();
        Box::pin(async move { Ok(found) })
    })
}

async fn attempt(action: &WebhookAction, job: &DeployJob) -> (DeployOutcome, MemoryJournal) {
    let journal = MemoryJournal::default();
    let outcome = deploy(action, job, &journal, &CancellationToken::new(), async |_| Ok(())).await.unwrap();
    (outcome, journal)
}

fn code(outcome: &DeployOutcome) -> ErrorCode {
    match outcome {
        DeployOutcome::Failed { failure } => failure.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_call_has_harbors_shape_and_is_signed() {
    let receiver = Receiver::start(vec![Mood::Answer(202)]).await;
    let (outcome, journal) = attempt(&action(), &job(receiver.target())).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { gap_ms: None, .. }), "{outcome:?}");
    let [(headers, body)] = receiver.seen().try_into().unwrap();
    let event: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        event,
        serde_json::json!({
            "type": "PUSH_ARTIFACT",
            "occur_at": 1_586_922_308,
            "operator": "slipway",
            "event_data": {
                "resources": [{
                    "tag": "1.2",
                    "resource_url": "registry.example/team/shop/web:1.2",
                    "digest": format!("sha256:{}", "a".repeat(64)),
                }],
                "repository": {
                    "date_created": 1_586_922_308,
                    "name": "web",
                    "namespace": "team/shop",
                    "repo_full_name": "team/shop/web",
                    "repo_type": "private",
                },
            },
        })
    );
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["idempotency-key"], "owner-7-1");
    assert_eq!(headers["authorization"], "Bearer opens-doors");
    // An independent way to the same signature.
    let mut openssl = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", "It's a Secret", "-r"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut openssl.stdin.take().unwrap(), &body).unwrap();
    let expected = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    let expected = format!("sha256={}", expected.split_whitespace().next().unwrap());
    assert_eq!(headers["x-hub-signature-256"], expected.as_str());
    assert_eq!(journal.done(), [(StepKind::Call, "127.0.0.1".to_owned())]);
}

#[tokio::test]
async fn what_may_go_better_is_tried_again_with_the_same_key() {
    for script in [
        vec![Mood::Answer(500), Mood::Answer(200)],
        vec![Mood::Answer(503), Mood::Hang, Mood::Answer(204)],
        vec![Mood::HangUp, Mood::Answer(200)],
    ] {
        let calls = script.len();
        let receiver = Receiver::start(script).await;
        let (outcome, _) = attempt(&action(), &job(receiver.target())).await;
        assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
        let seen = receiver.seen();
        assert_eq!(seen.len(), calls);
        for (headers, body) in &seen {
            assert_eq!((&headers["idempotency-key"], body), (&seen[0].0["idempotency-key"], &seen[0].1));
        }
    }
}

#[tokio::test]
async fn what_will_not_go_better_ends_soon_and_says_so() {
    let free = slipway_testkit::free_port();
    let elsewhere = Receiver::start(vec![Mood::Answer(200)]).await;
    for (script, calls) in [
        (vec![Mood::Hang], 3),
        (vec![Mood::Answer(502)], 3),
        (vec![Mood::Answer(401)], 1),
        (vec![Mood::Answer(429)], 1),
        (vec![Mood::RedirectTo(elsewhere.url())], 1),
    ] {
        let receiver = Receiver::start(script).await;
        let (outcome, _) = attempt(&action(), &job(receiver.target())).await;
        assert_eq!((code(&outcome), receiver.seen().len()), (ErrorCode::WebhookFailed, calls));
    }
    assert!(elsewhere.seen().is_empty(), "a redirect is not followed");
    let nobody = target(&format!("http://127.0.0.1:{free}/hook"), true);
    assert_eq!(code(&attempt(&action(), &job(nobody)).await.0), ErrorCode::WebhookFailed);
}

#[tokio::test]
async fn the_deadline_is_for_all_tries_together() {
    let receiver = Receiver::start(vec![Mood::Answer(500)]).await;
    let mut job = job(receiver.target());
    job.gate.deadline_seconds = 1;
    let pace = WebhookPace { tries: 1000, first_pause: Duration::from_millis(600), ..pace() };
    let (outcome, _) = attempt(&WebhookAction::new(pace, system_resolver()), &job).await;
    assert_eq!(code(&outcome), ErrorCode::WebhookFailed);
    assert!((1..=2).contains(&receiver.seen().len()), "at 0 and 600 ms; the next pause would be past the end");
}

#[tokio::test]
async fn a_hanging_call_can_be_cancelled() {
    let receiver = Receiver::start(vec![Mood::Hang]).await;
    let pace = WebhookPace { answer: Duration::from_secs(60), ..pace() };
    let action = WebhookAction::new(pace, system_resolver());
    let (job, journal, cancel) = (job(receiver.target()), MemoryJournal::default(), CancellationToken::new());
    let (outcome, ()) = tokio::join!(deploy(&action, &job, &journal, &cancel, async |_| Ok(())), async {
        slipway_testkit::eventually("the call arrives", Duration::from_secs(10), async || {
            if receiver.seen().is_empty() { Err("nothing came") } else { Ok(()) }
        })
        .await;
        cancel.cancel();
    });
    assert_eq!(code(&outcome.unwrap()), ErrorCode::Cancelled);
}

#[tokio::test]
async fn t19_a_private_address_is_called_only_with_consent() {
    let receiver = Receiver::start(vec![Mood::Answer(200)]).await;
    let port = receiver.address.port();
    for url in [receiver.url(), format!("http://localhost:{port}/hook"), format!("http://2130706433:{port}/hook")] {
        let job = job(target(&url, false));
        let (outcome, journal) = attempt(&action(), &job).await;
        let DeployOutcome::Refused { reasons } = outcome else { panic!("{outcome:?}") };
        assert!(matches!(&reasons[..], [Refusal::PrivateAddress { .. }]), "{reasons:?}");
        assert!(journal.done().is_empty());
        assert_eq!(action().inspect(&job.target).await.unwrap().problems, reasons);
    }
    // Where clouds keep credentials nothing is called, with consent neither.
    let metadata = target("http://169.254.169.254/hook", true);
    assert_eq!(code(&attempt(&action(), &job(metadata)).await.0), ErrorCode::InvalidField);
    assert!(receiver.seen().is_empty());
}

#[tokio::test]
async fn t19_a_name_that_changes_its_address_leads_nowhere() {
    let receiver = Receiver::start(vec![Mood::Answer(200)]).await;
    let port = receiver.address.port();
    let (url, clear) = (format!("https://hook.invalid:{port}/hook"), format!("http://hook.invalid:{port}/hook"));
    // An address for documentation (RFC 5737) when it is planned, the machine itself when it is called.
    let outside = SocketAddr::from(([203, 0, 113, 1], port));
    let rebinding = names(vec![vec![outside], vec![receiver.address]]);
    let (outcome, _) = attempt(&WebhookAction::new(pace(), rebinding), &job(target(&url, false))).await;
    assert_eq!(code(&outcome), ErrorCode::TargetRefused);
    // One private address among others is enough.
    let mixed = names(vec![vec![outside, receiver.address]]);
    let (outcome, _) = attempt(&WebhookAction::new(pace(), mixed), &job(target(&url, false))).await;
    assert!(matches!(outcome, DeployOutcome::Refused { .. }), "{outcome:?}");
    assert!(receiver.seen().is_empty());
    // The connection goes to the address that was looked at: no other way knows this name.
    let known = names(vec![vec![receiver.address]]);
    let (outcome, _) = attempt(&WebhookAction::new(pace(), known), &job(target(&clear, true))).await;
    assert!(matches!(outcome, DeployOutcome::Deployed { .. }), "{outcome:?}");
    assert_eq!(receiver.seen()[0].0["host"], format!("hook.invalid:{port}").as_str());
}

#[tokio::test]
async fn t19_headers_go_to_no_public_address_in_clear_text() {
    let receiver = Receiver::start(vec![Mood::Answer(200)]).await;
    let url = format!("http://hook.invalid:{}/hook", receiver.address.port());
    let outside = SocketAddr::from(([203, 0, 113, 1], 80));
    let action = |answers| WebhookAction::new(pace(), names(answers));
    for allow_private in [false, true] {
        let job = job(target(&url, allow_private));
        let (outcome, _) = attempt(&action(vec![vec![outside]]), &job).await;
        let DeployOutcome::Refused { reasons } = outcome else { panic!("{outcome:?}") };
        assert!(matches!(&reasons[..], [Refusal::ClearText { host }] if host == "hook.invalid"), "{reasons:?}");
        assert_eq!(action(vec![vec![outside]]).inspect(&job.target).await.unwrap().problems, reasons);
    }
    // Home when it is planned, outside when it is called.
    let (outcome, _) = attempt(&action(vec![vec![receiver.address], vec![outside]]), &job(target(&url, true))).await;
    let DeployOutcome::Failed { failure } = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.code, failure.details["reasons"].as_str()), (ErrorCode::TargetRefused, "clear_text"));
    assert!(receiver.seen().is_empty());
    // Nothing secret, nothing to protect; and what begins with https:// may go there.
    let mut bare = target(&url, false);
    if let DeployTarget::Webhook { headers, .. } = &mut bare {
        headers.clear();
    }
    for target in [bare, target("https://hook.invalid/hook", false)] {
        assert_eq!(action(vec![vec![outside]]).inspect(&target).await.unwrap().problems, []);
    }
}

#[tokio::test]
async fn f30_after_a_kill_the_call_is_the_same_call_or_none() {
    for at in 0..2 {
        let receiver = Receiver::start(vec![Mood::Answer(200)]).await;
        let (action, job) = (action(), job(receiver.target()));
        let cancel = CancellationToken::new();
        let journal = MemoryJournal::default();
        let dying = journal.dying_at(at);
        let died = dying.until_death(deploy(&action, &job, &dying, &cancel, async |_| Ok(()))).await;
        assert!(died.is_none(), "it dies at write {at}");
        // Nothing in the journal says that it was taken: it is planned anew, as the same call.
        let journal = journal.next_process();
        assert_eq!(resume(&action, &job, &journal, &cancel).await.unwrap(), None);
        let outcome = deploy(&action, &job, &journal, &cancel, async |_| Ok(())).await.unwrap();
        assert!(matches!(outcome, DeployOutcome::Deployed { .. }));
        let seen = receiver.seen();
        assert_eq!(seen.len(), at + 1, "killed before the call, and before its result was written");
        assert!(seen.iter().all(|(headers, body)| { headers["idempotency-key"] == "owner-7-1" && *body == seen[0].1 }));
        // From here on it was taken.
        let resumed = resume(&action, &job, &journal.next_process(), &cancel).await.unwrap();
        assert!(matches!(resumed, Some(DeployOutcome::Deployed { .. })));
        assert_eq!(receiver.seen().len(), at + 1);
    }
}

#[tokio::test]
async fn t19_what_cannot_be_sent_is_refused_before_anything_is_sent() {
    let receiver = Receiver::start(vec![Mood::Answer(200)]).await;
    for (name, value) in [
        ("Host", "elsewhere.example"),
        ("Idempotency-Key", "mine"),
        ("X-Hub-Signature-256", "sha256=0"),
        ("two words", "x"),
        ("", "x"),
        ("X-Token", "opens\r\nX-More: doors"),
    ] {
        let mut job = job(receiver.target());
        if let DeployTarget::Webhook { headers, .. } = &mut job.target {
            name.clone_into(&mut headers[0].name);
        }
        job.secrets.insert(SecretId(1), Secret::new(value));
        let failure = action().plan(&job).await.unwrap_err();
        assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::InvalidField, Some("headers")), "{name}");
        assert!(!format!("{failure:?}").contains("opens"), "{failure:?}");
    }
    assert!(receiver.seen().is_empty());
}

#[tokio::test]
async fn secrets_and_the_path_stay_out_of_logs_and_plans() {
    for mood in [Mood::Answer(200), Mood::Answer(500), Mood::HangUp, Mood::Answer(403)] {
        let receiver = Receiver::start(vec![mood]).await;
        let mut job = job(receiver.target());
        if let DeployTarget::Webhook { url, .. } = &mut job.target {
            url.push_str("?token=in-the-address");
        }
        let Planned::Ready { plan } = action().plan(&job).await.unwrap() else { panic!("it can be called") };
        let (outcome, journal) = attempt(&action(), &job).await;
        assert_eq!(receiver.seen()[0].0["authorization"], "Bearer opens-doors", "it was sent");
        let entries = journal.entries().await.unwrap();
        let everything = format!("{plan:?} {outcome:?} {entries:?} {:?}", journal.lines());
        for hidden in ["opens-doors", "It's a Secret", "in-the-address", "/hook"] {
            assert!(!everything.contains(hidden), "{hidden} in {everything}");
        }
    }
}
