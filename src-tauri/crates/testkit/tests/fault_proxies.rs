//! What a fault proxy says it does is what a plain client sees, over a port and over a socket.

use slipway_testkit::{Fault, FaultProxy, GitServer};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What works answers long before, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

async fn get(proxy: &FaultProxy, path: &str) -> Result<(u16, String), String> {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let answer = client.get(format!("http://{}{path}", proxy.address())).send().await;
    let answer = answer.map_err(|error| if error.is_timeout() { "timeout".to_owned() } else { "broken".to_owned() })?;
    Ok((answer.status().as_u16(), answer.text().await.map_err(|error| error.to_string())?))
}

#[tokio::test]
async fn each_fault_is_seen_by_what_it_is_meant_for_and_ends() {
    let server = GitServer::start(None, None).await;
    server.answer_json("/api", "\"here\"");
    server.answer_json("/other", "\"there\"");
    let proxy = FaultProxy::before_address(&format!("127.0.0.1:{}", server.port())).await;
    let fine = Ok((200, "\"here\"".to_owned()));
    assert_eq!(get(&proxy, "/api").await, fine);

    let cases = [
        (Fault::Cut, Err("broken".to_owned()), false),
        (Fault::CutAnswer, Err("broken".to_owned()), true),
        (Fault::Answer("429 Too Many Requests\r\nretry-after: 1", ""), Ok((429, String::new())), false),
        // The last one: what waited arrives when the fault is over.
        (Fault::Stall, Err("timeout".to_owned()), false),
    ];
    for (fault, seen, arrives) in cases {
        let _ = server.take_seen();
        proxy.fail_at("GET /api", 1, fault);
        assert_eq!(get(&proxy, "/other").await, Ok((200, "\"there\"".to_owned())), "{fault:?} is for another request");
        assert_eq!(get(&proxy, "/api").await, seen, "{fault:?}");
        let asked = server.take_seen().iter().any(|request| request.target == "/api");
        assert_eq!(asked, arrives, "{fault:?}");
        assert_eq!(get(&proxy, "/api").await, fine, "{fault:?} once");
        assert_eq!(proxy.heal(), 1, "{fault:?}");
    }
    proxy.fail(Fault::PORTAL);
    assert!(get(&proxy, "/api").await.unwrap().1.contains("sign in"));
    proxy.fail(Fault::Slow(PATIENCE * 2));
    assert_eq!(get(&proxy, "/api").await, Err("timeout".to_owned()));
    proxy.heal();
    proxy.go_away().await;
    assert_eq!(get(&proxy, "/api").await, Err("broken".to_owned()));
    proxy.come_back().await;
    assert_eq!(get(&proxy, "/api").await, fine);
}

#[tokio::test]
async fn a_connection_that_stands_is_held_up_goes_on_and_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target.sock");
    let listener = tokio::net::UnixListener::bind(&target).unwrap();
    let proxy = FaultProxy::before_socket(&target).await;
    let mut near = tokio::net::UnixStream::connect(proxy.socket()).await.unwrap();
    let (mut far, _) = listener.accept().await.unwrap();
    let mut byte = [0];
    near.write_all(b"1").await.unwrap();
    far.read_exact(&mut byte).await.unwrap();

    proxy.fail(Fault::Stall);
    near.write_all(b"2").await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(200), far.read_exact(&mut byte)).await;
    assert!(waits.is_err(), "it passed: {byte:?}");
    proxy.heal();
    far.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"2", "what waited goes on");
    proxy.fail(Fault::Cut);
    assert_eq!(
        (near.read(&mut byte).await.unwrap(), far.read(&mut byte).await.unwrap()),
        (0, 0),
        "both sides see the end"
    );
}
