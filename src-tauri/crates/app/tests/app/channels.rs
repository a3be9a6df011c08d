//! Notification channels: what they are told, how long, and what happens to it when the outside or the machine fails.

use crate::world::{Ready, World, failure, minutes};
use chrono::TimeDelta;
use slipway_app::channels::{ChannelInput, ChannelStanding};
use slipway_app::{Settings, Slipway};
use slipway_core::channel::{ChannelAnswer, ChannelEvent, ChannelKind};
use slipway_core::host::PageLanguage;
use slipway_core::ids::ChannelId;
use slipway_core::notice::NoticeKind;
use slipway_core::{ErrorCode, Failure, Secret};
use slipway_deploy::ChannelSender;
use slipway_testkit::eventually;
use slipway_testkit::fakes::{FakeBuild, SeenCall};
use std::sync::Arc;
use std::time::Duration;

const WITHIN: Duration = Duration::from_secs(20);
const ADDRESS: &str = "https://hooks.test/robot/send?key=0123456789abcdef";

pub(crate) fn input(kind: ChannelKind, events: &[ChannelEvent]) -> ChannelInput {
    ChannelInput {
        name: "team".to_owned(),
        kind,
        address: Some(Secret::new(ADDRESS)),
        secret: None,
        allow_private: false,
        events: events.to_vec(),
        enabled: true,
    }
}

async fn build(world: &World, ready: &Ready, fails: bool) {
    if fails {
        world.engine.next_build(FakeBuild { failure: Some(failure(ErrorCode::StepFailed)), ..FakeBuild::default() });
    }
    let known = ready.builds().await.len();
    world.remote().push("main", &format!("@all push {known}"), &[("index.html", &known.to_string())]);
    ready.look().await;
    ready.idle().await;
}

async fn standing(app: &Slipway) -> ChannelStanding {
    app.channels().await.unwrap().pop().unwrap()
}

/// Waits until nothing waits to be told.
async fn told(app: &Slipway) -> ChannelStanding {
    eventually("everything is told", WITHIN, async || match standing(app).await {
        now if now.waiting == 0 => Ok(now),
        now => Err(now),
    })
    .await
}

pub(crate) async fn arrived(world: &World, count: usize) -> Vec<SeenCall> {
    eventually("the calls arrive", WITHIN, async || match world.channels.seen() {
        seen if seen.len() == count => Ok(seen),
        seen => Err(seen),
    })
    .await
}

fn answer(status: u16, retry_after: Option<&str>, body: &str) -> Result<ChannelAnswer, Failure> {
    Ok(ChannelAnswer { status, retry_after: retry_after.map(str::to_owned), body: body.to_owned() })
}

fn unreachable() -> Result<ChannelAnswer, Failure> {
    Err(failure(ErrorCode::ChannelUnreachable))
}

#[tokio::test]
async fn a_channel_is_told_what_it_wants_in_the_persons_language() {
    let world = World::new();
    let ready = world.ready().await;
    // What nobody wants in the inbox may still be wanted by a group.
    let settings = Settings { muted_notices: vec![NoticeKind::BuildFailed], ..Settings::default() };
    ready.app.set_settings(&settings).await.unwrap();
    let changes = [ChannelEvent::BuildFailed, ChannelEvent::BuildRecovered];
    let id = ready.app.add_channel(&input(ChannelKind::Slack, &changes)).await.unwrap();
    build(&world, &ready, true).await;
    build(&world, &ready, true).await;
    // In the language that is spoken when it is sent.
    arrived(&world, 1).await;
    ready.app.speak(PageLanguage::Chinese).await.unwrap();
    build(&world, &ready, false).await;
    build(&world, &ready, false).await;
    let seen = arrived(&world, 2).await;
    assert!(seen[0].body.contains("Slipway · Build failed: team/app #"), "{}", seen[0].body);
    assert!(seen[0].body.contains("＠all push") && !seen[0].body.contains("@all"), "{}", seen[0].body);
    assert!(seen[1].body.contains("Slipway · 构建已恢复：team/app #"), "{}", seen[1].body);
    assert!(seen.iter().all(|call| call.address == ADDRESS) && seen[0].key != seen[1].key, "{seen:?}");
    assert!(told(&ready.app).await.record.sent_at.is_some());

    let all = ChannelInput { address: None, ..input(ChannelKind::Generic, &[ChannelEvent::BuildEnded]) };
    ready.app.edit_channel(id, &all).await.unwrap();
    build(&world, &ready, false).await;
    let seen = arrived(&world, 3).await;
    assert!(seen[2].body.contains(r#""event":"build_ended""#) && seen[2].address == ADDRESS, "{}", seen[2].body);

    ready.app.switch_channel(id, false).await.unwrap();
    build(&world, &ready, true).await;
    assert_eq!(standing(&ready.app).await.waiting, 0);
    assert_eq!(world.channels.seen().len(), 3);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn a_message_is_tried_again_with_its_key_and_not_before_it_may() {
    let world = World::new();
    let ready = world.ready().await;
    ready.app.add_channel(&input(ChannelKind::Wecom, &[ChannelEvent::BuildEnded])).await.unwrap();
    let busy = r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#;
    world.channels.answer([unreachable(), answer(200, Some("90"), busy), answer(200, None, r#"{"errcode":0}"#)]);
    build(&world, &ready, false).await;
    let seen = arrived(&world, 2).await;
    let waits = eventually("the second failure is noted", WITHIN, async || match standing(&ready.app).await {
        now if now.trouble.as_ref().is_some_and(|one| one.code == ErrorCode::ChannelBusy) => Ok(now),
        now => Err(now),
    })
    .await;
    assert_eq!(waits.waiting, 1);
    assert_eq!(waits.trouble.unwrap().details["host"], "hooks.test");
    assert!(waits.next_try_at.unwrap() > slipway_core::ports::Clock::now(&*world.clock) + TimeDelta::seconds(80));
    world.clock.advance(TimeDelta::seconds(91));
    let all = arrived(&world, 3).await;
    assert!(all.iter().all(|call| *call == seen[0]), "{all:?}");
    assert_eq!(told(&ready.app).await.trouble, None);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn a_message_is_given_up_after_an_hour_and_a_few_tries_and_the_channel_says_so_until_one_arrives() {
    let world = World::new();
    let ready = world.ready().await;
    ready.app.add_channel(&input(ChannelKind::Slack, &[ChannelEvent::BuildEnded])).await.unwrap();
    world.channels.answer([answer(503, Some("3000"), "down")]);
    build(&world, &ready, false).await;
    arrived(&world, 1).await;
    eventually("the failure is noted", WITHIN, async || match standing(&ready.app).await {
        now if now.trouble.is_some() => Ok(()),
        now => Err(now),
    })
    .await;
    world.channels.answer((0..3).map(|_| unreachable()));
    world.clock.advance(minutes(61));
    let (why, _) = told(&ready.app).await.record.failed.unwrap();
    assert_eq!(why.code, ErrorCode::ChannelUnreachable);
    assert_eq!(world.channels.seen().len(), 4, "old news are not tried for ever");

    // What is refused is not tried again at all.
    world.channels.answer([answer(404, None, "no_service")]);
    build(&world, &ready, false).await;
    let (why, _) = told(&ready.app).await.record.failed.unwrap();
    assert_eq!((why.code, why.details["answer"].as_str()), (ErrorCode::ChannelRefused, "no_service"));
    assert_eq!(world.channels.seen().len(), 5);

    build(&world, &ready, false).await;
    assert_eq!(told(&ready.app).await.record.failed, None);
    ready.app.shutdown().await;
}

#[tokio::test]
async fn f22_what_a_machine_slept_over_is_told_once_its_network_is_back() {
    let world = World::new();
    let ready = world.ready().await;
    ready.app.add_channel(&input(ChannelKind::Slack, &[ChannelEvent::BuildFailed])).await.unwrap();
    // The lid is closed before the first try has an answer.
    world.channels.be_silent(true);
    build(&world, &ready, true).await;
    arrived(&world, 1).await;
    ready.app.shutdown().await;
    world.channels.be_silent(false);
    world.clock.advance(minutes(8 * 60));
    // Awake, the network is still on its way.
    world.channels.answer([unreachable(), unreachable()]);
    let app = world.open().await;
    assert!(told(&app).await.record.sent_at.is_some());
    assert_eq!(world.channels.seen().len(), 4);
    app.shutdown().await;
}

#[tokio::test]
async fn f01_a_crash_between_sending_and_noting_sends_the_same_once_more() {
    let world = World::new();
    let ready = world.ready().await;
    ready.app.add_channel(&input(ChannelKind::Generic, &[ChannelEvent::BuildEnded])).await.unwrap();
    world.channels.be_silent(true);
    build(&world, &ready, false).await;
    let first = arrived(&world, 1).await;
    ready.app.shutdown().await;
    world.channels.be_silent(false);
    let app = world.open().await;
    let all = arrived(&world, 2).await;
    assert_eq!(all[1], first[0], "the receiver knows it by its key");
    assert!(told(&app).await.record.sent_at.is_some());
    app.shutdown().await;
    // What was noted is not told again.
    let app = world.open().await;
    assert_eq!(standing(&app).await.waiting, 0);
    assert_eq!(world.channels.seen().len(), 2);
    app.shutdown().await;
}

#[tokio::test]
async fn t19_a_private_address_needs_consent_and_one_that_is_refused_leaves_nothing() {
    let world = World::new();
    let app = world.open_with(|ports| ports.channels = Arc::new(ChannelSender::default())).await;
    let private = |allow_private| ChannelInput {
        address: Some(Secret::new("https://127.0.0.1:9/hook/0123456789abcdef")),
        allow_private,
        ..input(ChannelKind::Slack, &[ChannelEvent::BuildFailed])
    };
    let refused = app.add_channel(&private(false)).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::PrivateAddress, Some("allow_private")));
    let refused = app.test_channel(None, Some(&private(false))).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::PrivateAddress, Some("allow_private")));
    let clear = ChannelInput { address: Some(Secret::new("http://203.0.113.1/x")), ..private(true) };
    for tried in [app.add_channel(&clear).await.map(|_| ()), app.test_channel(None, Some(&clear)).await.map(|_| ())] {
        let refused = tried.unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidField, Some("address")));
    }
    assert_eq!(app.store().secret_owners().await.unwrap(), []);
    app.add_channel(&private(true)).await.unwrap();
    let never = ChannelInput { address: Some(Secret::new("https://169.254.169.254/x")), ..private(true) };
    let refused = app.add_channel(&never).await.unwrap_err();
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidField, Some("address")));
    app.shutdown().await;
}

#[tokio::test]
async fn t10_a_secret_goes_to_the_host_that_it_was_entered_for_and_nothing_of_it_is_seen() {
    let world = World::new();
    let app = world.open().await;
    let ntfy = ChannelInput {
        address: Some(Secret::new("https://ntfy.test/topic-0123456789")),
        secret: Some(Secret::new("tk_0123456789")),
        ..input(ChannelKind::Ntfy, &[ChannelEvent::BuildFailed])
    };
    let id = app.add_channel(&ntfy).await.unwrap();
    let taken = app.add_channel(&ntfy).await.unwrap_err();
    assert_eq!((taken.code, taken.field.as_deref()), (ErrorCode::NameTaken, Some("name")));
    let owners = app.store().secret_owners().await.unwrap();
    assert_eq!(owners.len(), 2, "what was sealed for the second is gone: {owners:?}");

    let moved = ChannelInput { address: Some(Secret::new("https://other.test/topic")), secret: None, ..ntfy.clone() };
    for tried in [app.edit_channel(id, &moved).await, app.test_channel(Some(id), Some(&moved)).await.map(|_| ())] {
        let refused = tried.unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::InvalidField, Some("secret")));
    }
    let without = ChannelInput { secret: Some(Secret::new("")), ..moved };
    app.edit_channel(id, &without).await.unwrap();
    assert_eq!(app.store().secret_owners().await.unwrap().len(), 1);
    app.edit_channel(id, &ntfy).await.unwrap();

    world.channels.answer([answer(403, None, "forbidden: topic-0123456789 for tk_0123456789")]);
    let refused = app.test_channel(Some(id), None).await.unwrap_err();
    assert_eq!(refused.details["answer"], "forbidden: *** for ***");
    let seen = format!("{refused:?} {:?} {:?}", app.channels().await.unwrap(), app.diagnostics().await);
    for secret in ["topic-0123456789", "tk_0123456789"] {
        assert!(!seen.contains(secret), "{seen}");
    }
    assert_eq!(app.test_channel(Some(id), None).await.unwrap().answer, "ok");

    app.delete_channel(id).await.unwrap();
    assert_eq!(app.store().secret_owners().await.unwrap(), []);
    assert_eq!(app.test_channel(Some(ChannelId(id.0)), None).await.unwrap_err().code, ErrorCode::NotFound);
    app.shutdown().await;
}
