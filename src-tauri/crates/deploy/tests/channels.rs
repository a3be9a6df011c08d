//! The sender of notification channels, against a server that does what the test says.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use pretty_assertions::assert_eq;
use slipway_core::channel::{ChannelCall, ChannelPost};
use slipway_core::{ErrorCode, Secret};
use slipway_deploy::{ChannelSender, Resolve, system_resolver};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Leads to these addresses, one look after the other; the last stays.
fn names(answers: &[SocketAddr]) -> Resolve {
    let (answers, asked) = (answers.to_vec(), AtomicUsize::new(0));
    Arc::new(move |_, _| {
        let found = answers[asked.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
        Box::pin(async move { Ok(vec![found]) })
    })
}

/// Answers `/big` with more than is read, `/moved` with a redirect to `/ok`, `/silent` never, all else with what came.
async fn receiver() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = hyper::service::service_fn(async |request: Request<Incoming>| {
                let (head, body) = request.into_parts();
                let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
                let key = head.headers["idempotency-key"].to_str().unwrap().to_owned();
                let (status, said) = match head.uri.path() {
                    "/big" => (200, "x".repeat(1 << 20)),
                    "/moved" => (307, String::new()),
                    "/silent" => std::future::pending().await,
                    path => (429, format!("{} {path} {key} {body}", head.method)),
                };
                let response = Response::builder().status(status).header("retry-after", "7").header("location", "/ok");
                Ok::<_, std::io::Error>(response.body(Full::new(Bytes::from(said))).unwrap())
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn call(address: String, allow_private: bool) -> ChannelCall {
    let headers = vec![("idempotency-key", Secret::new("k-1")), ("content-type", Secret::new("text/plain"))];
    ChannelCall { address: Secret::new(address), allow_private, headers, body: b"hello".to_vec() }
}

#[tokio::test]
async fn a_call_arrives_once_and_its_answer_is_read_up_to_a_limit() {
    let at = receiver().await;
    let sender = ChannelSender::default();
    let post = async |path: &str| sender.post(&call(format!("http://{at}/{path}"), true)).await;
    let answer = post("x?key=1").await.unwrap();
    assert_eq!((answer.status, answer.retry_after.as_deref()), (429, Some("7")));
    assert_eq!(answer.body, "POST /x k-1 hello");
    assert_eq!(post("big").await.unwrap().body.len(), 4096);
    // A redirect is an answer like any other: nobody follows it.
    assert_eq!(post("moved").await.unwrap().status, 307);
}

#[tokio::test]
async fn t19_private_addresses_wait_for_consent_and_silence_ends() {
    let at = receiver().await;
    let sender = ChannelSender::new(system_resolver(), Duration::from_millis(200));
    let refused = sender.post(&call(format!("http://{at}/x"), false)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::PrivateAddress);
    let silent = sender.post(&call(format!("http://{at}/silent?key=0123456789"), true)).await.unwrap_err();
    assert_eq!(silent.code, ErrorCode::ChannelUnreachable);
    assert!(!format!("{silent:?}").contains("0123456789"), "{silent:?}");
    // A name that leads into the private network is no way around.
    let named = ChannelSender::new(names(&[at]), Duration::from_millis(200));
    let address = Secret::new("https://hooks.example/x");
    let refused = named.check(&address, false).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::PrivateAddress, Some("allow_private")));
    named.check(&address, true).await.unwrap();
    let never = named.check(&Secret::new("https://169.254.169.254/"), true).await.unwrap_err();
    assert_eq!((never.code, never.field.as_deref()), (ErrorCode::InvalidField, Some("address")));
}

/// An address for documentation (RFC 5737): nobody's, and public.
const PUBLIC: &str = "203.0.113.1:80";

#[tokio::test]
async fn t19_with_consent_the_key_goes_to_no_public_address_in_clear_text() {
    let sender = ChannelSender::new(names(&[PUBLIC.parse().unwrap()]), Duration::from_millis(200));
    for address in ["http://hooks.example/x?key=0123456789", "http://203.0.113.1/x?key=0123456789"] {
        let refused = sender.check(&Secret::new(address), true).await.unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidField, Some("address")), "{address}");
        assert!(!format!("{refused:?}").contains("0123456789"), "{refused:?}");
    }
    sender.check(&Secret::new("https://hooks.example/x"), true).await.unwrap();
    let literal = sender.post(&call("http://203.0.113.1/x".to_owned(), true)).await.unwrap_err();
    assert_eq!((literal.code, literal.field.as_deref()), (ErrorCode::InvalidField, Some("address")));
    let named = sender.post(&call("http://hooks.example/x".to_owned(), true)).await.unwrap_err();
    assert_eq!(named.code, ErrorCode::ChannelUnreachable, "the name may lead home again: {named:?}");
    assert!(named.message.contains("https://"), "{named:?}");
}

#[tokio::test]
async fn t19_a_name_that_leads_astray_for_a_while_is_called_when_it_leads_back() {
    let at = receiver().await;
    // A network that wants a login first, and one without an answer of its own; then the right one.
    let astray = ["169.254.1.1:80", PUBLIC].map(|address| address.parse().unwrap());
    let sender = ChannelSender::new(names(&[astray[0], astray[1], at]), Duration::from_secs(5));
    let address = format!("http://hooks.example:{}/big", at.port());
    for _ in astray {
        let failure = sender.post(&call(address.clone(), true)).await.unwrap_err();
        assert_eq!((failure.code, failure.details["host"].as_str()), (ErrorCode::ChannelUnreachable, "hooks.example"));
    }
    assert_eq!(sender.post(&call(address, true)).await.unwrap().status, 200);
    let sender = ChannelSender::new(names(&[at]), Duration::from_secs(5));
    let private = sender.post(&call("https://hooks.example/x".to_owned(), false)).await.unwrap_err();
    assert_eq!(private.code, ErrorCode::ChannelUnreachable);
}
