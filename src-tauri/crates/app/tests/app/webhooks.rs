//! Webhooks: made, looked after and removed at the host; a delivery over a real socket wakes the watcher and does nothing else.

use crate::accounts::{PLACE, ready};
use crate::world::{Ready, World, failure, minutes};
use slipway_app::Slipway;
use slipway_app::webhooks::{ListenerSettings, ListenerState, WebhookState};
use slipway_core::ErrorCode;
use slipway_core::host::Need;
use slipway_core::ids::SourceAccountId;
use slipway_core::rule::RuleSpec;
use slipway_core::webhook::WebhookRefusal;
use slipway_store::WebhookRecord;
use slipway_testkit::eventually;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PUSH: &str = r#"{"ref":"refs/heads/main"}"#;
const SOON: Duration = Duration::from_secs(10);

fn listener(address: &str, public_url: Option<&str>) -> ListenerSettings {
    ListenerSettings { enabled: true, address: address.parse().unwrap(), public_url: public_url.map(str::to_owned) }
}

async fn listen(app: &Slipway) -> SocketAddr {
    app.set_webhook_listener(&listener("127.0.0.1:0", None)).await.unwrap();
    match app.webhook_listener().await.unwrap().state {
        ListenerState::Listening(address) => address,
        other => panic!("{other:?}"),
    }
}

async fn only(app: &Slipway) -> (WebhookRecord, WebhookState) {
    let mut all = app.webhooks().await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// An account with code, a rule over it, a listener, and the webhook switched on.
async fn hooked(world: &World) -> (Ready, SourceAccountId, SocketAddr) {
    let (ready, account) = ready(world).await;
    let address = listen(&ready.app).await;
    ready.app.switch_webhook_on(ready.code).await.unwrap();
    assert_eq!(only(&ready.app).await.1, WebhookState::Registered);
    (ready, account, address)
}

/// Sends bytes and returns the status; 0 when the connection was closed without an answer.
async fn send(address: SocketAddr, request: &[u8]) -> u16 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has seen enough closes before everything is written.
    let _ = stream.write_all(request).await;
    status(&mut stream).await
}

async fn status(stream: &mut TcpStream) -> u16 {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

fn request(start: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{start} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{text}\r\n{body}").into_bytes()
}

/// A delivery as the host sends it, with headers put in place of its own.
async fn deliver(world: &World, app: &Slipway, body: &str, changes: &[(&str, &str)]) -> u16 {
    let url = url::Url::parse(&only(app).await.0.url.unwrap()).unwrap();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let signature = world.hosts.signature(url.as_str(), body);
    let own = [("host", &*host), ("content-type", "application/json"), ("x-fake-signature", &*signature)];
    let kept = own.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let headers: Vec<_> = kept.chain(changes.iter().copied().filter(|(_, value)| !value.is_empty())).collect();
    send(host.parse().unwrap(), &request(&format!("POST {}", url.path()), &headers, body)).await
}

async fn builds_come(ready: &Ready, count: usize) {
    eventually("the watcher looks", SOON, async || {
        let builds = ready.builds().await;
        if builds.len() == count { Ok(()) } else { Err(builds.len()) }
    })
    .await;
}

#[tokio::test]
async fn seed_0_5_a_push_is_seen_at_once_where_the_host_can_call_and_by_polls_where_it_cannot() {
    let world = World::new();
    let (ready, _, _) = hooked(&world).await;
    // Polling is off in this world: without the delivery nothing would look.
    world.code.repository(PLACE).push("main", "second", &[("index.html", "two")]);
    let looks = world.code.calls("remote_refs");
    assert_eq!(deliver(&world, &ready.app, r#"{"zen":"ping"}"#, &[]).await, 202);
    assert_eq!(world.code.calls("remote_refs"), looks, "a ping needs no look");
    assert_eq!(deliver(&world, &ready.app, PUSH, &[]).await, 202);
    builds_come(&ready, 1).await;
    let record = only(&ready.app).await.0;
    assert_eq!((record.delivered, record.refused), (2, 0));
    assert!(record.last_delivery_at.is_some());
    // Nobody has to reach this machine: a look finds the next push as well.
    world.code.repository(PLACE).push("main", "third", &[("index.html", "three")]);
    assert_eq!(ready.look().await.len(), 2);
}

#[tokio::test]
async fn t18_a_delivery_only_wakes_and_a_forged_or_repeated_one_does_nothing() {
    let world = World::new();
    let (ready, _, _) = hooked(&world).await;
    let before = world.code.calls("remote_refs");
    for (changes, status, why) in [
        (vec![("x-fake-signature", "")], 401, WebhookRefusal::Unsigned),
        (vec![("x-fake-signature", "00")], 401, WebhookRefusal::WrongSignature),
    ] {
        assert_eq!(deliver(&world, &ready.app, PUSH, &changes).await, status);
        assert_eq!(only(&ready.app).await.0.last_refusal, Some(why));
    }
    assert_eq!(world.code.calls("remote_refs"), before, "nothing is asked for a forged one");
    // It claims a push that is not there: the remote decides.
    assert_eq!(deliver(&world, &ready.app, PUSH, &[]).await, 202);
    eventually("the watcher looks", SOON, async || {
        let looks = world.code.calls("remote_refs");
        if looks > before { Ok(()) } else { Err(looks) }
    })
    .await;
    assert_eq!(deliver(&world, &ready.app, PUSH, &[]).await, 200, "taken before");
    let record = only(&ready.app).await.0;
    assert_eq!((record.delivered, record.refused, record.last_refusal), (1, 3, Some(WebhookRefusal::Replayed)));
    assert!(ready.builds().await.is_empty());
    ready.app.shutdown().await;
    let again = world.open().await;
    eventually("it listens again", SOON, async || match again.webhook_listener().await.unwrap().state {
        ListenerState::Listening(_) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    eventually("it is at the new port", SOON, async || {
        let (record, state) = only(&again).await;
        let at = again.webhook_listener().await.unwrap().reached_at.unwrap();
        if state == WebhookState::Registered && record.url.as_ref().unwrap().starts_with(&at) {
            Ok(())
        } else {
            Err(record)
        }
    })
    .await;
    assert_eq!(world.hosts.all_hooks().len(), 1, "what delivered to the old port is gone");
    assert_eq!(deliver(&world, &again, PUSH, &[]).await, 200, "remembered over a restart");
    world.vault.set_locked(true);
    assert_eq!(deliver(&world, &again, "{}", &[]).await, 503);
    assert_eq!(only(&again).await.0.last_refusal, Some(WebhookRefusal::NotChecked));
}

#[tokio::test]
async fn t17_what_a_web_page_or_a_stranger_sends_has_no_effect() {
    let world = World::new();
    let (ready, _, address) = hooked(&world).await;
    let before = world.code.calls("remote_refs");
    let refused = async || ready.app.webhook_listener().await.unwrap().refused;
    for (changes, status, why) in [
        (vec![("host", "evil.example")], 403, WebhookRefusal::Host),
        (vec![("origin", "https://evil.example")], 403, WebhookRefusal::Origin),
        (vec![("content-type", "text/plain")], 415, WebhookRefusal::ContentType),
    ] {
        assert_eq!(deliver(&world, &ready.app, PUSH, &changes).await, status);
        assert_eq!(refused().await.last.unwrap().0, why);
    }
    let host = address.to_string();
    let headers = [("host", &*host), ("content-type", "application/json")];
    let guessed = format!("/hooks/{}", "0".repeat(32));
    for (start, status, why) in [
        ("POST /".to_owned(), 404, WebhookRefusal::Path),
        (format!("POST {guessed}"), 404, WebhookRefusal::Path),
        (format!("GET {guessed}"), 405, WebhookRefusal::Method),
    ] {
        assert_eq!(send(address, &request(&start, &headers, PUSH)).await, status, "{start}");
        assert_eq!(refused().await.last.unwrap().0, why);
    }
    assert_eq!(refused().await.count, 6);
    assert_eq!(send(address, b"\x16\x03\x01 no http\r\n\r\n").await, 400);
    assert_eq!(world.code.calls("remote_refs"), before);
    assert_eq!(only(&ready.app).await.0.delivered, 0);
}

#[tokio::test]
async fn f27_large_slow_and_many_requests_are_cut_off() {
    let world = World::new();
    let (ready, _, address) = hooked(&world).await;
    let url = only(&ready.app).await.0.url.unwrap();
    let path = url::Url::parse(&url).unwrap().path().to_owned();
    let head = |length: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{length}\r\n\r\n")
    };
    // It says how large it is: refused before a byte of it.
    assert_eq!(send(address, head("content-length: 26214400").as_bytes()).await, 413);
    // It does not: cut where the limit is.
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    let chunked = head("transfer-encoding: chunked") + &chunk.repeat(6) + "0\r\n\r\n";
    assert!(matches!(send(address, chunked.as_bytes()).await, 413 | 0));
    assert_eq!(only(&ready.app).await.0.last_refusal, Some(WebhookRefusal::TooLarge));
    assert_eq!(send(address, &request("POST /", &[("x", &"y".repeat(64 * 1024))], "")).await, 431);

    // One that sends a byte now and then, and one that sends its head and then nothing.
    let began = Instant::now();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"POST /hooks/").await.unwrap();
    let mut silent = TcpStream::connect(address).await.unwrap();
    silent.write_all(head("content-length: 100").as_bytes()).await.unwrap();
    let (first, second) = tokio::join!(status(&mut slow), status(&mut silent));
    assert!(matches!(first, 0 | 408), "{first}");
    assert_eq!(second, 0);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(ready.app.webhook_listener().await.unwrap().refused.last.unwrap().0, WebhookRefusal::TooSlow);

    // A flood of one webhook.
    let mut answers = Vec::new();
    for batch in [0..20, 20..40] {
        // At the same time, however slow each is: what is allowed grows again with the time.
        let bodies: Vec<String> = batch.map(|number| format!("{{\"n\":{number}}}")).collect();
        let sent = bodies.iter().map(|body| deliver(&world, &ready.app, body, &[]));
        answers.extend(futures::future::join_all(sent).await);
    }
    assert!(answers.contains(&202) && answers.contains(&429), "{answers:?}");

    // Connections that say nothing take all places, and no more than there are.
    let mut idle = Vec::new();
    for _ in 0..64 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    eventually("the listener is full", SOON, async || {
        let last = ready.app.webhook_listener().await.unwrap().refused.last.unwrap().0;
        if last == WebhookRefusal::TooMany { Ok(()) } else { Err(last) }
    })
    .await;
    drop(idle);
    eventually("there is place again", SOON, async || {
        let status = send(address, &request("GET /", &[("host", &address.to_string())], "")).await;
        if status == 405 { Ok(()) } else { Err(status) }
    })
    .await;
}

#[tokio::test]
async fn t17_nothing_listens_until_somebody_wants_it_and_a_taken_port_says_so() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    let detail = ready.app.webhook_listener().await.unwrap();
    assert_eq!((detail.state, detail.reached_at), (ListenerState::Off, None));
    assert!(!detail.settings.enabled && detail.settings.address.ip().is_loopback());
    let off = ready.app.switch_webhook_on(ready.code).await.unwrap_err();
    assert_eq!((off.code, &*off.details["reason"]), (ErrorCode::WrongState, "not_reachable"));
    assert!(ready.app.webhooks().await.unwrap().is_empty());

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    ready.app.set_webhook_listener(&listener(&address.to_string(), None)).await.unwrap();
    let ListenerState::Failed(failure) = ready.app.webhook_listener().await.unwrap().state else {
        panic!("it listens")
    };
    assert_eq!((failure.code, failure.field.as_deref()), (ErrorCode::WebhookListenerFailed, Some("address")));
    assert!(failure.message.contains("another program"), "{failure:?}");
    drop(taken);
    eventually("it listens by itself once the port is free", SOON, async || {
        match ready.app.webhook_listener().await.unwrap().state {
            ListenerState::Listening(found) if found == address => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    ready
        .app
        .set_webhook_listener(&ListenerSettings { enabled: false, ..listener(&address.to_string(), None) })
        .await
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nothing listens any more");
    let bad = ready.app.set_webhook_listener(&listener("127.0.0.1:0", Some("ftp://x"))).await.unwrap_err();
    assert_eq!((bad.code, bad.field.as_deref()), (ErrorCode::InvalidField, Some("public_url")));
    let everywhere = listener("0.0.0.0:0", None);
    ready.app.set_webhook_listener(&everywhere).await.unwrap();
    assert_eq!(ready.app.webhook_listener().await.unwrap().reached_at, None, "nobody said how it is reached");
}

#[tokio::test]
async fn switching_on_makes_the_hook_at_the_host_and_switching_off_removes_it() {
    let world = World::new();
    let (ready, account, _) = hooked(&world).await;
    let needs = ready.app.accounts().await.unwrap().remove(0).record.needs;
    assert_eq!(needs, [Need::Read, Need::Hooks], "authorizing again asks for the right");
    let (path, hook) = world.hosts.all_hooks().remove(0);
    assert_eq!(path.0, "acme/web");
    let record = only(&ready.app).await.0;
    assert_eq!((record.url.as_deref(), record.account), (Some(&*hook.url), Some(account)));
    ready.app.switch_webhook_on(ready.code).await.unwrap();
    assert_eq!(world.hosts.all_hooks().len(), 1, "switching on twice makes one");
    ready.app.switch_webhook_off(ready.code).await.unwrap();
    assert_eq!(world.hosts.all_hooks(), []);
    assert!(ready.app.webhooks().await.unwrap().is_empty());
    let gone = url::Url::parse(&hook.url).unwrap();
    let address: SocketAddr = format!("127.0.0.1:{}", gone.port().unwrap()).parse().unwrap();
    let host = address.to_string();
    let headers = [("host", &*host), ("content-type", "application/json")];
    assert_eq!(send(address, &request(&format!("POST {}", gone.path()), &headers, PUSH)).await, 404);
}

#[tokio::test]
async fn a_missing_scope_is_named_and_the_webhook_is_made_once_it_is_there() {
    let world = World::new();
    let (ready, _) = ready(&world).await;
    listen(&ready.app).await;
    world.hosts.lack(&["admin:repo_hook"]);
    ready.app.switch_webhook_on(ready.code).await.unwrap();
    let (record, state) = only(&ready.app).await;
    let WebhookState::Failing(failure) = state else { panic!("{state:?}") };
    assert_eq!((failure.code, &*failure.details["scopes"]), (ErrorCode::SourceScopesMissing, "admin:repo_hook"));
    assert_eq!(world.hosts.calls("create_hook"), 0);
    world.hosts.lack(&[]);
    ready.app.check_webhook(record.id).await.unwrap();
    assert_eq!(only(&ready.app).await.1, WebhookState::Registered);
}

#[tokio::test]
async fn what_the_host_did_to_a_webhook_is_noticed_and_said() {
    let world = World::new();
    let (ready, _, _) = hooked(&world).await;
    let id = only(&ready.app).await.0.id;
    world.hosts.set_hooks_active(false);
    world.clock.advance(minutes(61));
    state_comes(&ready.app, |state| *state == WebhookState::Inactive).await;
    world.hosts.remove_hooks();
    world.clock.advance(minutes(61));
    state_comes(&ready.app, |state| *state == WebhookState::Vanished).await;
    world.clock.advance(minutes(61));
    assert_eq!(world.hosts.all_hooks(), [], "whoever removed it there may not want it");
    ready.app.check_webhook(id).await.unwrap();
    assert_eq!(only(&ready.app).await.1, WebhookState::Registered);
    assert_eq!(world.hosts.all_hooks().len(), 1);
    world.hosts.fail("hooks", failure(ErrorCode::SourceUnreachable), 1);
    world.clock.advance(minutes(61));
    state_comes(&ready.app, |state| matches!(state, WebhookState::Failing(_))).await;
    world.clock.advance(minutes(6));
    state_comes(&ready.app, |state| *state == WebhookState::Registered).await;
}

async fn state_comes(app: &Slipway, is_it: impl Fn(&WebhookState) -> bool) {
    eventually("the state comes", SOON, async || {
        let state = only(app).await.1;
        if is_it(&state) { Ok(()) } else { Err(state) }
    })
    .await;
}

#[tokio::test]
async fn unbinding_an_account_removes_its_webhooks_or_says_that_one_is_left() {
    let world = World::new();
    let (ready, account, _) = hooked(&world).await;
    world.hosts.fail("delete_hook", failure(ErrorCode::SourceServerError), 9);
    ready.app.delete_account(account).await.unwrap();
    let (record, state) = only(&ready.app).await;
    assert_eq!((state, record.repository.0.as_str()), (WebhookState::LeftBehind, "acme/web"));
    assert_eq!(world.hosts.all_hooks().len(), 1);
    ready.app.forget_webhook(record.id).await.unwrap();
    assert!(ready.app.webhooks().await.unwrap().is_empty());

    let world = World::new();
    let (ready, account, _) = hooked(&world).await;
    ready.app.delete_account(account).await.unwrap();
    assert_eq!(world.hosts.all_hooks(), []);
    assert!(ready.app.webhooks().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_webhook_goes_with_its_last_rule_with_its_code_and_with_its_place() {
    let world = World::new();
    let (ready, _, _) = hooked(&world).await;
    let wanted = only(&ready.app).await.0;
    assert_eq!(ready.app.forget_webhook(wanted.id).await.unwrap_err().code, ErrorCode::WrongState);
    let registry = ready.app.image_repository(ready.repository).await.unwrap().spec.registry;
    ready.app.delete_image_repository(ready.repository).await.unwrap();
    hooks_go(&world, &ready.app, "with its image repository").await;

    ready.app.switch_webhook_on(ready.code).await.unwrap();
    let repository = ready.app.add_image_repository(&crate::world::repository_spec(registry)).await.unwrap();
    let one = ready.app.add_rule(repository, &crate::world::rule_spec(ready.code)).await.unwrap();
    let name = "another".to_owned();
    let other = RuleSpec { name, ..crate::world::rule_spec(ready.code) };
    let other = ready.app.add_rule(repository, &other).await.unwrap();
    ready.app.delete_rule(other, true).await.unwrap();
    assert_eq!(world.hosts.all_hooks().len(), 1, "another rule needs it");
    ready.app.delete_rule(one, true).await.unwrap();
    hooks_go(&world, &ready.app, "with its last rule").await;

    ready.app.switch_webhook_on(ready.code).await.unwrap();
    world.hosts.add_repository("acme/other", &["main"]);
    let account = ready.app.accounts().await.unwrap()[0].record.id;
    ready.app.edit_code_repository(ready.code, &crate::accounts::code_of(account, "acme/other")).await.unwrap();
    hooks_go(&world, &ready.app, "with its place").await;

    ready.app.switch_webhook_on(ready.code).await.unwrap();
    assert_eq!(world.hosts.all_hooks()[0].0.0, "acme/other");
    world.hosts.fail("delete_hook", failure(ErrorCode::SourceUnreachable), 1);
    eventually("nothing is built", SOON, async || ready.app.delete_code_repository(ready.code).await).await;
    state_comes(&ready.app, |state| matches!(state, WebhookState::Removing(Some(_)))).await;
    world.clock.advance(minutes(6));
    hooks_go(&world, &ready.app, "with its code, tried again").await;
}

async fn hooks_go(world: &World, app: &Slipway, why: &str) {
    eventually(why, SOON, async || {
        let (there, rows) = (world.hosts.all_hooks(), app.webhooks().await.unwrap());
        if there.is_empty() && rows.is_empty() { Ok(()) } else { Err((there, rows)) }
    })
    .await;
}
