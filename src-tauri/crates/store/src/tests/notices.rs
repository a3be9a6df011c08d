//! The inbox: pages, reading, the cap, and changes of state that are told once.

use super::{at, branch, empty, setup};
use crate::notices::Which;
use slipway_core::build::BuildState;
use slipway_core::ids::NoticeId;
use slipway_core::image::CredentialSource;
use slipway_core::notice::NoticeFacts;
use slipway_core::{ErrorCode, Failure};

fn away(caught_up: u64) -> NoticeFacts {
    NoticeFacts::Away { from: at(0), to: at(600), caught_up }
}

#[tokio::test]
async fn pages_are_newest_first_and_count_what_is_unread() {
    let (_dir, store) = empty().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(store.insert_notice(Some(&away(number)), None, at(1)).await.unwrap().unwrap());
    }
    let first = store.notices(None, 2, false).await.unwrap();
    assert_eq!(first.items.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[4], ids[3]]);
    assert_eq!((first.unread, first.total, first.next), (5, 5, Some(ids[3])));
    assert_eq!(first.items[0].facts, away(4));
    let last = store.notices(Some(ids[1]), 2, false).await.unwrap();
    assert_eq!((last.items.len(), last.next), (1, None));

    store.mark_notices_read(Which::One(ids[4]), at(2)).await.unwrap();
    store.mark_notices_read(Which::UpTo(ids[1]), at(3)).await.unwrap();
    store.mark_notices_read(Which::UpTo(ids[1]), at(9)).await.unwrap();
    assert_eq!(store.notice(ids[0]).await.unwrap().read_at, Some(at(3)), "read once");
    let unread = store.notices(None, 10, true).await.unwrap();
    assert_eq!(unread.items.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[3], ids[2]]);
    assert_eq!((unread.unread, unread.total), (2, 5));

    store.forget_read_notices(at(3)).await.unwrap();
    assert_eq!(store.notices(None, 10, false).await.unwrap().total, 4, "only what was read before that");
    store.clear_notices(ids[2]).await.unwrap();
    let rest = store.notices(None, 10, false).await.unwrap();
    assert_eq!(rest.items.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[3]], "what came later stays");
    assert_eq!(Failure::from(store.notice(ids[0]).await.unwrap_err()).code, ErrorCode::NotFound);
}

#[tokio::test]
async fn the_inbox_keeps_the_newest_five_hundred() {
    let (_dir, store) = empty().await;
    let mut last = NoticeId(0);
    for number in 0..503 {
        last = store.insert_notice(Some(&away(number)), None, at(1)).await.unwrap().unwrap();
    }
    let page = store.notices(None, 1000, false).await.unwrap();
    assert_eq!((page.total, page.items[0].id), (500, last));
    assert_eq!(page.items[499].facts, away(3));
}

#[tokio::test]
async fn a_change_of_state_is_told_once() {
    let s = setup().await;
    let gone = NoticeFacts::CodeUnreachable {
        code_repository: s.code,
        name: "app".into(),
        code: ErrorCode::SourceUnreachable,
        since: at(0),
    };
    let back = NoticeFacts::CodeReachable { code_repository: s.code, name: "app".into() };
    assert_eq!(
        s.store.tell_unreachable(s.code, false, Some(&back), None, at(1)).await.unwrap(),
        None,
        "it was never away"
    );
    assert!(s.store.tell_unreachable(s.code, true, Some(&gone), None, at(2)).await.unwrap().is_some());
    assert_eq!(s.store.tell_unreachable(s.code, true, Some(&gone), None, at(3)).await.unwrap(), None);
    // An unwanted kind leaves no notice, and the state is known all the same.
    assert_eq!(s.store.tell_unreachable(s.code, false, None, None, at(4)).await.unwrap(), None);
    assert!(s.store.tell_unreachable(s.code, true, Some(&gone), None, at(5)).await.unwrap().is_some());

    let registry = s.store.local_engine().await.unwrap().id;
    let credential = s.store.insert_credential(registry, "ci", &CredentialSource::Anonymous).await.unwrap();
    assert!(s.store.tell_refused(credential, true, Some(&away(0)), None, at(6)).await.unwrap().is_some());
    assert_eq!(s.store.tell_refused(credential, true, Some(&away(0)), None, at(7)).await.unwrap(), None);
    s.store.update_credential(credential, "ci", &CredentialSource::DockerConfig).await.unwrap();
    let again = s.store.tell_refused(credential, true, Some(&away(0)), None, at(8)).await.unwrap();
    assert!(again.is_some(), "a changed credential may be refused anew");
}

#[tokio::test]
async fn the_outcome_before_a_build_is_that_of_its_rule_and_ref() {
    let s = setup().await;
    let main = branch("main");
    let mut builds = Vec::new();
    for (digit, state) in [('a', BuildState::Failed), ('b', BuildState::Cancelled), ('c', BuildState::Succeeded)] {
        let observation = s.push(&main, digit).await;
        let build = s.store.create_build(&s.push_build(&main, digit, observation), at(1)).await.unwrap().id;
        s.store.claim(build, "boot", at(1)).await.unwrap();
        s.store.finish(build, state, None, None, at(2)).await.unwrap();
        builds.push(build);
    }
    let before = |build| s.store.outcome_before(s.rule, Some(&main), build);
    assert_eq!(before(builds[0]).await.unwrap(), None);
    assert_eq!(before(builds[2]).await.unwrap(), Some(BuildState::Failed), "a cancelled build says nothing");
    assert_eq!(s.store.outcome_before(s.rule, Some(&branch("other")), builds[2]).await.unwrap(), None);
    assert_eq!(s.store.outcome_before(s.rule, None, builds[2]).await.unwrap(), None);
    assert_eq!(s.store.pushes_between(at(0), at(1)).await.unwrap(), 3);
    assert_eq!(s.store.pushes_between(at(2), at(3)).await.unwrap(), 0);
}
