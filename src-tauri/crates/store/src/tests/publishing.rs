//! Publications and the history of tags.

use super::{Setup, at, branch, setup};
use crate::{NewPublication, StoreError};
use slipway_core::build::{BuildState, BuiltImage, PublicationState};
use slipway_core::ids::{BuildId, ObservationId};
use slipway_core::image::{ContentIdentity, Digest, ImageId, Tag};
use slipway_core::{ErrorCode, Failure};

fn latest() -> Tag {
    Tag::new("latest").unwrap()
}

fn publication() -> NewPublication {
    NewPublication { tag: latest(), target: "registry.example.com/team/app:latest".into() }
}

async fn built(s: &Setup, digit: char) -> (BuildId, ObservationId) {
    let main = branch("main");
    let observation = s.push(&main, digit).await;
    let build = s.store.create_build(&s.push_build(&main, digit, observation), at(1)).await.unwrap().id;
    s.store.claim(build, "boot", at(1)).await.unwrap();
    let image = BuiltImage {
        id: ImageId(format!("sha256:{digit}")),
        content: ContentIdentity(digit.to_string()),
        size: 1,
        platforms: vec![],
    };
    s.store.set_result(build, &image).await.unwrap();
    (build, observation)
}

#[tokio::test]
async fn f01_a_build_that_ended_leaves_no_publication_open_after_a_crash() {
    let s = setup().await;
    let (open, _) = built(&s, 'a').await;
    let (ended, _) = built(&s, 'b').await;
    let failure = Failure::new(ErrorCode::PushInterrupted, "cut");
    for build in [open, ended] {
        let id = s.store.create_publications(build, &[publication()]).await.unwrap()[0].id;
        s.store.start_publication(id).await.unwrap();
    }
    s.store.finish(ended, BuildState::Failed, Some(&failure), None, at(2)).await.unwrap();
    s.store.end_publications_of_ended_builds().await.unwrap();
    let state = async |build| s.store.publications(build).await.unwrap().remove(0);
    assert_eq!(state(open).await.state, PublicationState::Pushing);
    let of_ended = state(ended).await;
    assert_eq!((of_ended.state, of_ended.failure), (PublicationState::Failed, Some(failure)));
}

#[tokio::test]
async fn p2_a_tag_moves_at_most_once_per_build() {
    let s = setup().await;
    let (build, observation) = built(&s, 'a').await;
    let digest = Digest::new(format!("sha256:{}", "1".repeat(64))).unwrap();
    let created = s.store.create_publications(build, &[publication(), publication()]).await.unwrap();
    assert_eq!(created.len(), 1);
    let id = created[0].id;
    assert_eq!(created[0].target_reference().unwrap().host.as_str(), "registry.example.com");
    assert!(s.store.start_publication(id).await.unwrap());
    let failure = Failure::new(ErrorCode::PushInterrupted, "cut");
    assert!(s.store.retry_publication(id, Some(at(9)), Some(&failure)).await.unwrap());
    let waiting = s.store.publications(build).await.unwrap().remove(0);
    assert_eq!((waiting.state, waiting.attempt), (PublicationState::Waiting, 1));
    assert_eq!((waiting.not_before, waiting.failure), (Some(at(9)), Some(failure)));
    assert!(s.store.start_publication(id).await.unwrap());
    for expected in [true, false] {
        let done = s.store.finish_publication(id, PublicationState::Done, Some(&digest), None, at(10)).await.unwrap();
        assert_eq!(done, expected);
    }
    assert!(!s.store.start_publication(id).await.unwrap());
    // Saying the intent again changes nothing.
    let again = s.store.create_publications(build, &[publication()]).await.unwrap();
    assert_eq!(
        (again[0].state, again[0].attempt, again[0].digest.clone()),
        (PublicationState::Done, 2, Some(digest.clone()))
    );

    let history = s.store.tag_moves_since(s.repository, 0).await.unwrap();
    assert_eq!(history.len(), 1);
    let last = s.store.last_move(s.repository, &latest()).await.unwrap().unwrap();
    assert_eq!((last.build, last.observation, last.digest), (Some(build), Some(observation), Some(digest)));
    assert_eq!((last.image, last.content), (Some(ImageId("sha256:a".into())), Some(ContentIdentity("a".into()))));
    assert!(last.changed);
}

#[tokio::test]
async fn an_unchanged_tag_counts_for_newer_and_outlives_its_record() {
    let s = setup().await;
    let (build, observation) = built(&s, 'a').await;
    let id = s.store.create_publications(build, &[publication()]).await.unwrap()[0].id;
    s.store.finish_publication(id, PublicationState::Unchanged, None, None, at(2)).await.unwrap();
    s.store.finish(build, BuildState::Succeeded, None, None, at(3)).await.unwrap();
    s.store.delete_record(build).await.unwrap();
    let last = s.store.last_move(s.repository, &latest()).await.unwrap().unwrap();
    assert_eq!((last.build, last.observation, last.changed), (None, Some(observation), false));
    // A build by hand moves it afterwards: the newest observation still stands.
    let manual = s.store.create_build(&s.manual_build(), at(4)).await.unwrap().id;
    let id = s.store.create_publications(manual, &[publication()]).await.unwrap()[0].id;
    s.store.finish_publication(id, PublicationState::Done, None, None, at(5)).await.unwrap();
    assert_eq!(s.store.last_move(s.repository, &latest()).await.unwrap().unwrap().observation, None);
    assert_eq!(s.store.newest_observation_of_tag(s.repository, &latest()).await.unwrap(), Some(observation));
    assert_eq!(s.store.last_move(s.repository, &Tag::new("none").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn p7_a_push_that_was_interrupted_while_it_moved_the_tag_is_the_newest() {
    let s = setup().await;
    let newest = async || s.store.newest_observation_of_tag(s.repository, &latest()).await.unwrap();
    let (build, observation) = built(&s, 'a').await;
    let id = s.store.create_publications(build, &[publication()]).await.unwrap()[0].id;
    assert_eq!(newest().await, None, "an intent moves nothing");
    s.store.start_publication(id).await.unwrap();
    assert_eq!(newest().await, Some(observation), "the registry may have it");
    s.store.finish_publication(id, PublicationState::Failed, None, None, at(2)).await.unwrap();
    assert_eq!(newest().await, None, "it does not have it");
}

#[tokio::test]
async fn what_did_not_move_the_tag_is_not_in_its_history() {
    let s = setup().await;
    for (digit, state) in [('a', PublicationState::KeptNewer), ('b', PublicationState::Failed)] {
        let (build, _) = built(&s, digit).await;
        let id = s.store.create_publications(build, &[publication()]).await.unwrap()[0].id;
        assert!(s.store.finish_publication(id, state, None, None, at(2)).await.unwrap());
        assert_eq!(s.store.publications(build).await.unwrap()[0].moved_at, None);
        let open = s.store.finish_publication(id, PublicationState::Pushing, None, None, at(2)).await.unwrap_err();
        assert!(matches!(open, StoreError::WrongState(_)));
    }
    assert_eq!(s.store.tag_moves_since(s.repository, 0).await.unwrap(), vec![]);
    let nobody = s.store.create_publications(BuildId(999), &[publication()]).await.unwrap_err();
    assert!(matches!(nobody, StoreError::NotFound { .. }));
}
