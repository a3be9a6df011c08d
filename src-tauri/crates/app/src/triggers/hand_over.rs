//! From tag events to firings: each trigger of the repository is asked, and fires once for what came together.

use crate::fail_point::fail_point;
use crate::triggers::keep;
use crate::{AppEvent, Parts};
use slipway_core::Failure;
use slipway_core::deploy::DeployImage;
use slipway_core::ids::{BuildId, ImageRepositoryId};
use slipway_core::image::ImageReference;
use slipway_core::trigger::{ConditionMatcher, FiringState, TargetVersion};
use slipway_store::{FiringRecord, NewFiring, TagEventRecord, TriggerRecord};
use std::sync::Arc;

/// Hands what a build published to the triggers, and returns the firings.
pub(crate) async fn of_build(parts: &Arc<Parts>, build: BuildId) -> Result<Vec<FiringRecord>, Failure> {
    let events = parts.store.open_tag_events_of_build(build).await?;
    hand_over(parts, &events).await
}

/// Hands everything that was seen elsewhere, and what builds left behind that ended badly, to the triggers.
pub(crate) async fn everything_open(parts: &Arc<Parts>) -> Result<(), Failure> {
    let mut rest = parts.store.open_tag_events().await?;
    while let Some(first) = rest.first() {
        let build = first.build;
        let together = |event: &TagEventRecord| build.is_some() && event.build == build;
        let (mut group, others): (Vec<_>, Vec<_>) = rest.iter().cloned().partition(together);
        if group.is_empty() {
            group = vec![first.clone()];
            rest.remove(0);
        } else {
            rest = others;
        }
        hand_over(parts, &group).await?;
    }
    Ok(())
}

/// Hands events that belong together (the tags of one build, or one tag) to the triggers: several tags of one image are one
/// reason to fire, by the first that matches.
async fn hand_over(parts: &Arc<Parts>, events: &[TagEventRecord]) -> Result<Vec<FiringRecord>, Failure> {
    let Some(first) = events.first() else { return Ok(Vec::new()) };
    let mut new = Vec::new();
    for trigger in parts.store.triggers(Some(first.repository)).await? {
        if !trigger.spec.enabled {
            continue;
        }
        let Some(matcher) = matcher_of(&trigger) else { continue };
        if let Some(event) = events.iter().find(|event| matcher.matches(&event.tag)) {
            new.push(NewFiring { trigger: trigger.id, event: event.id, version: version(parts, event).await? });
        }
    }
    let ids: Vec<_> = events.iter().map(|event| event.id).collect();
    let firings = parts.store.hand_over(&ids, &new, parts.now()).await?;
    if !firings.is_empty() {
        fail_point("firing.row");
    }
    for firing in &firings {
        if firing.state == FiringState::Waiting {
            keep::while_waiting(parts, firing).await;
        }
        announce(parts, firing);
    }
    parts.firing_wake.notify_one();
    Ok(firings)
}

/// Returns the condition of a trigger, ready to match. It was checked when it was saved; one that does not compile any more
/// matches nothing, and keeps no other trigger from firing.
pub(crate) fn matcher_of(trigger: &TriggerRecord) -> Option<ConditionMatcher> {
    match ConditionMatcher::new(&trigger.spec.condition) {
        Ok(matcher) => Some(matcher),
        Err(failure) => {
            tracing::warn!(trigger = %trigger.id, %failure, "the condition of a trigger cannot be used");
            None
        }
    }
}

async fn version(parts: &Parts, event: &TagEventRecord) -> Result<TargetVersion, Failure> {
    let reference = reference(parts, event.repository, event.tag.as_str()).await?;
    Ok(TargetVersion {
        tag: Some(event.tag.clone()),
        image: DeployImage {
            reference: reference.to_string(),
            digest: event.digest.clone(),
            id: event.image.clone(),
            content: event.content.clone(),
        },
    })
}

/// Returns the full name of a tag; of *Local engine* it is one of the engine's own store.
pub(crate) async fn reference(
    parts: &Parts,
    repository: ImageRepositoryId,
    tag: &str,
) -> Result<ImageReference, Failure> {
    let record = parts.store.image_repository(repository).await?;
    let registry = parts.store.registry(record.spec.registry).await?;
    let host = registry.host.as_ref().map_or("docker.io", |host| host.as_str());
    ImageReference::parse(&format!("{host}/{}:{tag}", record.spec.name))
}

pub(crate) fn announce(parts: &Parts, firing: &FiringRecord) {
    parts.announce(AppEvent::FiringChanged { firing: firing.id, target: firing.target });
}
