//! Tag events, triggers, firings: at most one effect, newest wins, pins.

use super::{Setup, at, branch, setup};
use crate::notices::Ended;
use crate::{ClaimedFiring, FiringFilter, FiringRecord, NewFiring, NewPublication, PersonsFiring, SeenTag, StoreError};
use slipway_core::build::PublicationState;
use slipway_core::deploy::{DeployImage, DeployTarget, HealthGate, JournalEntry, JournalMark, StepKind};
use slipway_core::ids::{FiringId, ObservationId, TagEventId, TriggerId};
use slipway_core::image::{ImageId, Tag};
use slipway_core::notice::NoticeFacts;
use slipway_core::trigger::{
    FiringKind, FiringReason, FiringState, TagCondition, TagEventSource, TargetVersion, TriggerSpec,
};
use slipway_core::{ErrorCode, Failure};
use std::collections::BTreeMap;

fn tag(text: &str) -> Tag {
    Tag::new(text).unwrap()
}

fn container(name: &str) -> DeployTarget {
    DeployTarget::Container { engine: "local".into(), name: name.into() }
}

fn spec(name: &str) -> TriggerSpec {
    TriggerSpec {
        name: name.into(),
        condition: TagCondition::All,
        target: container("web"),
        gate: HealthGate::default(),
        enabled: true,
    }
}

fn version(id: &str) -> TargetVersion {
    let image = DeployImage {
        reference: format!("docker.io/team/app:{id}"),
        digest: None,
        id: Some(ImageId(id.into())),
        content: None,
    };
    TargetVersion { tag: Some(tag(id)), image }
}

fn seen(name: &str, image: &str) -> SeenTag {
    SeenTag { tag: tag(name), digest: None, image: Some(ImageId(image.into())), content: None }
}

impl Setup {
    async fn trigger(&self, name: &str) -> TriggerId {
        self.store.insert_trigger(self.repository, &spec(name), at(0)).await.unwrap()
    }

    /// Looks and finds these; returns the events.
    async fn look(&self, tags: &[SeenTag]) -> Vec<TagEventId> {
        let began = self.store.tag_watch(self.repository).await.unwrap().began;
        let source = TagEventSource::Local;
        self.store.record_tag_look(self.repository, began, source, tags, &[], None, at(2)).await.unwrap()
    }

    async fn fire(&self, trigger: TriggerId, event: TagEventId) -> Option<FiringRecord> {
        let new = NewFiring { trigger, event, version: version("v") };
        self.store.hand_over(&[event], &[new], at(3)).await.unwrap().pop()
    }

    /// An event of a build whose push was observed then.
    async fn published(&self, observation: ObservationId, name: &str) -> TagEventId {
        let build = self.store.create_build(&self.push_build(&branch(name), 'a', observation), at(1)).await.unwrap().id;
        let new = [NewPublication { tag: tag(name), target: format!("docker.io/team/app:{name}") }];
        let publication = self.store.create_publications(build, &new).await.unwrap().remove(0);
        self.store.start_publication(publication.id).await.unwrap();
        self.store.finish_publication(publication.id, PublicationState::Done, None, None, at(2)).await.unwrap();
        let events = self.store.open_tag_events_of_build(build).await.unwrap();
        assert_eq!((events.len(), events[0].observation), (1, Some(observation)));
        events[0].id
    }

    async fn ends(&self, firing: FiringId, state: FiringState) {
        assert!(matches!(self.store.claim_firing(firing, at(4)).await.unwrap(), ClaimedFiring::Claimed(_)));
        assert!(self.store.finish_firing(firing, state, None, None, at(5)).await.unwrap());
    }

    async fn state(&self, firing: FiringId) -> (FiringState, Option<FiringReason>) {
        let firing = self.store.firing(firing).await.unwrap();
        (firing.state, firing.reason)
    }
}

#[tokio::test]
async fn names_are_unique_whatever_their_case_until_deleted() {
    let setup = setup().await;
    let first = setup.trigger("Web").await;
    let again = setup.store.insert_trigger(setup.repository, &spec("web"), at(0)).await.unwrap_err();
    assert!(matches!(again, StoreError::NameTaken { field: "spec.name" }), "{again}");
    setup.store.delete_trigger(first, at(1)).await.unwrap();
    setup.trigger("web").await;
    assert_eq!(setup.store.triggers(Some(setup.repository)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_first_look_fires_nothing_and_later_ones_fire_what_moved() {
    let setup = setup().await;
    setup.trigger("web").await;
    assert_eq!(setup.look(&[seen("v1", "a"), seen("latest", "a")]).await, []);
    assert_eq!(setup.look(&[seen("v1", "a"), seen("latest", "a")]).await, []);
    assert_eq!(setup.look(&[seen("v1", "a"), seen("latest", "b")]).await.len(), 1);
    assert_eq!(setup.look(&[seen("v2", "c")]).await.len(), 1);
    // Another trigger may match tags that nobody looked at before: those are no news.
    setup.trigger("other").await;
    assert_eq!(setup.look(&[seen("old", "d"), seen("latest", "e")]).await.len(), 1, "only the one that moved");
}

#[tokio::test]
async fn a_tag_that_went_away_and_comes_back_is_created() {
    let setup = setup().await;
    setup.trigger("web").await;
    setup.look(&[seen("v1", "a")]).await;
    let began = setup.store.tag_watch(setup.repository).await.unwrap().began;
    setup
        .store
        .record_tag_look(setup.repository, began, TagEventSource::Local, &[], &[tag("v1")], None, at(3))
        .await
        .unwrap();
    assert_eq!(setup.look(&[seen("v1", "a")]).await.len(), 1);
}

#[tokio::test]
async fn our_own_push_is_one_event_however_the_look_falls() {
    let setup = setup().await;
    setup.trigger("web").await;
    setup.look(&[seen("main", "old")]).await;
    let push = setup.push(&branch("main"), 'a').await;
    let build = setup.store.create_build(&setup.push_build(&branch("main"), 'a', push), at(1)).await.unwrap().id;
    setup.store.claim(build, "boot", at(1)).await.unwrap();
    let new = [NewPublication { tag: tag("main"), target: "docker.io/team/app:main".into() }];
    let publication = setup.store.create_publications(build, &new).await.unwrap().remove(0);
    setup.store.start_publication(publication.id).await.unwrap();
    assert_eq!(setup.look(&[seen("main", "new")]).await, [], "the build is at it and will say so");
    // A look that began before the push ended and saw what was there before.
    let began = setup.store.tag_watch(setup.repository).await.unwrap().began;
    setup.store.finish_publication(publication.id, PublicationState::Done, None, None, at(2)).await.unwrap();
    let late = setup
        .store
        .record_tag_look(setup.repository, began, TagEventSource::Local, &[seen("main", "old")], &[], None, at(3))
        .await
        .unwrap();
    assert_eq!(late, []);
    assert_eq!(setup.store.open_tag_events_of_build(build).await.unwrap().len(), 1);
}

#[tokio::test]
async fn p3_an_event_has_one_effect_through_a_trigger() {
    let setup = setup().await;
    let trigger = setup.trigger("web").await;
    setup.look(&[]).await;
    let event = setup.look(&[seen("v1", "a")]).await[0];
    assert_eq!(setup.store.open_tag_events().await.unwrap().len(), 1);
    let firing = setup.fire(trigger, event).await.unwrap();
    assert_eq!((firing.state, firing.order.event), (FiringState::Waiting, event));
    assert_eq!(setup.fire(trigger, event).await, None, "handed over twice");
    assert_eq!(setup.store.open_tag_events().await.unwrap(), []);
    let page = setup.store.list_firings(&FiringFilter::default(), None, 10).await.unwrap();
    assert_eq!((page.items.len(), page.total, page.more), (1, 1, false));
}

#[tokio::test]
async fn the_newest_waiting_firing_of_a_target_wins() {
    let setup = setup().await;
    let (one, two) = (setup.trigger("web-one").await, setup.trigger("web-two").await);
    setup.look(&[]).await;
    let first = setup.look(&[seen("v1", "a")]).await[0];
    let second = setup.look(&[seen("v2", "b")]).await[0];
    let older = setup.fire(one, first).await.unwrap().id;
    let newer = setup.fire(two, second).await.unwrap().id;
    let superseded = (FiringState::Superseded, Some(FiringReason::SupersededBy { firing: newer }));
    assert_eq!(setup.state(older).await, superseded);
    // What comes late, but was observed before, is a record only.
    let late = setup.fire(two, first).await.unwrap();
    assert_eq!((late.state, late.reason), (FiringState::Superseded, Some(FiringReason::NewerRuns { firing: newer })));
}

#[tokio::test]
async fn the_build_of_an_earlier_push_never_replaces_a_later_one() {
    let setup = setup().await;
    let trigger = setup.trigger("web").await;
    let earlier = setup.push(&branch("old"), 'a').await;
    let later = setup.push(&branch("new"), 'b').await;
    // The build of the later push ends first.
    let of_later = setup.published(later, "new").await;
    let firing = setup.fire(trigger, of_later).await.unwrap().id;
    setup.ends(firing, FiringState::Succeeded).await;
    let of_earlier = setup.published(earlier, "old").await;
    let late = setup.fire(trigger, of_earlier).await.unwrap();
    assert_eq!((late.state, late.reason), (FiringState::Superseded, Some(FiringReason::NewerRuns { firing })));
}

#[tokio::test]
async fn a_failed_newer_one_does_not_keep_an_older_one_away() {
    let setup = setup().await;
    let trigger = setup.trigger("web").await;
    setup.look(&[]).await;
    let first = setup.look(&[seen("v1", "a")]).await[0];
    let second = setup.look(&[seen("v2", "b")]).await[0];
    let newer = setup.fire(trigger, second).await.unwrap().id;
    setup.ends(newer, FiringState::RolledBack).await;
    assert_eq!(setup.fire(trigger, first).await.unwrap().state, FiringState::Waiting);
}

#[tokio::test]
async fn a_rollback_pins_the_target_and_resuming_catches_up_with_the_newest() {
    let setup = setup().await;
    let trigger = setup.trigger("web").await;
    setup.look(&[]).await;
    let first = setup.look(&[seen("v1", "a")]).await[0];
    let deployed = setup.fire(trigger, first).await.unwrap().id;
    setup.ends(deployed, FiringState::Succeeded).await;
    let wish = PersonsFiring {
        kind: FiringKind::RollBack,
        target: container("web"),
        repository: Some(setup.repository),
        gate: HealthGate::default(),
        version: version("v0"),
        back_to: Some(deployed),
    };
    let rollback = setup.store.insert_persons_firing(&wish, at(6)).await.unwrap();
    setup.ends(rollback, FiringState::Succeeded).await;
    let record = setup.store.trigger(trigger).await.unwrap();
    assert_eq!(record.pin.as_ref().map(|pin| (pin.firing, &pin.version)), Some((rollback, &version("v0"))));
    assert!(matches!(setup.store.delete_firing(rollback).await.unwrap_err(), StoreError::WrongState(_)));

    let mut left_out = Vec::new();
    for (name, image) in [("v2", "b"), ("v3", "c")] {
        let event = setup.look(&[seen(name, image)]).await[0];
        let firing = setup.fire(trigger, event).await.unwrap();
        assert_eq!((firing.state, firing.reason), (FiringState::Skipped, Some(FiringReason::Paused)));
        left_out.push(firing.id);
    }
    assert_eq!(setup.store.unpin_target(record.target, at(9)).await.unwrap(), Some(left_out[1]));
    assert_eq!(setup.state(left_out[0]).await.0, FiringState::Skipped);
    setup.ends(left_out[1], FiringState::Succeeded).await;
    assert!(matches!(setup.store.unpin_target(record.target, at(9)).await.unwrap_err(), StoreError::WrongState(_)));
    setup.store.delete_firing(rollback).await.unwrap();
}

#[tokio::test]
async fn resuming_without_anything_missed_leaves_the_target_where_it_is() {
    let setup = setup().await;
    let trigger = setup.trigger("web").await;
    let target = setup.store.trigger(trigger).await.unwrap().target;
    let wish = PersonsFiring {
        kind: FiringKind::RollBack,
        target: container("web"),
        repository: None,
        gate: HealthGate::default(),
        version: version("v0"),
        back_to: None,
    };
    setup.store.insert_persons_firing(&wish, at(6)).await.unwrap();
    assert_eq!(setup.store.unpin_target(target, at(7)).await.unwrap(), None);
}

#[tokio::test]
async fn what_waits_ends_when_its_trigger_is_switched_off() {
    let setup = setup().await;
    let trigger = setup.trigger("web").await;
    setup.look(&[]).await;
    let event = setup.look(&[seen("v1", "a")]).await[0];
    let firing = setup.fire(trigger, event).await.unwrap().id;
    setup.store.update_trigger(trigger, &TriggerSpec { enabled: false, ..spec("web") }, at(4)).await.unwrap();
    assert_eq!(setup.state(firing).await, (FiringState::Skipped, Some(FiringReason::SwitchedOff)));
    let event = setup.look(&[seen("v2", "b")]).await[0];
    assert_eq!(setup.fire(trigger, event).await, None, "off: new tags count as seen");
    setup.store.update_trigger(trigger, &spec("web"), at(5)).await.unwrap();
    assert_eq!(setup.fire(trigger, event).await, None, "on again: nothing old fires");
}

#[tokio::test]
async fn an_attempt_has_its_journal_its_step_and_its_lines() {
    let setup = setup().await;
    let trigger = setup.trigger("web").await;
    setup.look(&[]).await;
    let event = setup.look(&[seen("v1", "a")]).await[0];
    let firing = setup.fire(trigger, event).await.unwrap().id;
    setup.store.claim_firing(firing, at(4)).await.unwrap();
    let entry = |mark| JournalEntry { kind: StepKind::Create, subject: "web".into(), mark, facts: BTreeMap::new() };
    for mark in [JournalMark::Intended, JournalMark::Done] {
        setup.store.add_firing_entry(firing, 1, &entry(mark), at(5)).await.unwrap();
    }
    setup.store.add_firing_line(firing, "made web", at(6)).await.unwrap();
    assert_eq!(setup.store.firing(firing).await.unwrap().step, Some(StepKind::Create));
    let entries = setup.store.firing_entries(firing, 1).await.unwrap();
    assert_eq!(
        entries.iter().map(|(_, entry)| entry.mark).collect::<Vec<_>>(),
        [JournalMark::Intended, JournalMark::Done]
    );
    assert_eq!(setup.store.firing_entries(firing, 2).await.unwrap(), []);
    assert_eq!(setup.store.firing_lines(firing).await.unwrap()[0].text, "made web");
    assert!(matches!(setup.store.delete_firing(firing).await.unwrap_err(), StoreError::WrongState(_)));
    assert_eq!(setup.store.request_cancel_of_firing(firing, at(7)).await.unwrap(), FiringState::Running);
    assert!(setup.store.firing(firing).await.unwrap().cancel_requested);
    setup.store.finish_firing(firing, FiringState::Cancelled, None, None, at(8)).await.unwrap();
    setup.store.delete_firing(firing).await.unwrap();
}

#[tokio::test]
async fn the_end_of_an_update_is_untold_until_it_is_told_once() {
    let setup = setup().await;
    let trigger = setup.trigger("web").await;
    let mut firings = Vec::new();
    setup.look(&[seen("latest", "before")]).await;
    for image in ["a", "b"] {
        let event = setup.look(&[seen("latest", image)]).await.remove(0);
        let firing = setup.fire(trigger, event).await.unwrap().id;
        setup.ends(firing, FiringState::Failed).await;
        firings.push(firing);
    }
    let [first, second] = firings[..] else { panic!("{firings:?}") };
    let why = Failure::new(ErrorCode::Internal, "again");
    assert!(!setup.store.finish_firing(first, FiringState::Broken, None, Some(&why), at(6)).await.unwrap());
    assert_eq!(setup.store.untold_ends().await.unwrap(), [Ended::Update(first), Ended::Update(second)]);
    let facts = NoticeFacts::Away { from: at(0), to: at(1), caught_up: 0 };
    assert!(setup.store.tell_end(Ended::Update(first), Some(&facts), None, at(7)).await.unwrap().is_some());
    assert_eq!(setup.store.tell_end(Ended::Update(first), Some(&facts), None, at(8)).await.unwrap(), None);
    // A record that a person removed meanwhile has nothing to tell.
    setup.store.delete_firing(second).await.unwrap();
    assert_eq!(setup.store.untold_ends().await.unwrap(), []);
    assert_eq!(setup.store.notices(None, 10, false).await.unwrap().total, 1);
}
