//! What becomes of a build when its worker is done with an attempt.

use super::{Queue, RETRY_BUDGET, pause};
use crate::fail_point::fail_point;
use chrono::TimeDelta;
use slipway_core::build::{BuildReason, BuildState, PublicationState};
use slipway_core::failure::Retry;
use slipway_core::{ErrorClass, ErrorCode, Failure};
use slipway_store::{BuildPatch, BuildRecord, Change};

/// The detail of a stored failure that counts the tries so far.
const TRIES: &str = "tries";
/// A push that waits for its registry is given up after this long.
const PUSH_WAITS_AT_MOST: TimeDelta = TimeDelta::hours(24);

/// How an attempt ended well.
pub(crate) enum Ended {
    /// All tags are where they belong.
    Succeeded,
    /// There was nothing to do any more.
    Skipped(BuildReason),
}

/// Writes how an attempt ended. `before` is the row as it was when it was claimed.
pub(super) async fn settle(
    queue: &Queue,
    before: &BuildRecord,
    result: &Result<Ended, Failure>,
) -> Result<(), Failure> {
    let parts = &queue.parts;
    let (store, now) = (&parts.store, parts.now());
    let row = store.build(before.id).await?;
    if row.state.is_final() {
        // Written by an earlier try of this, which found no room for the rest.
        return clean_up(queue, &row).await;
    }
    fail_point("build.ending");
    let failure = match result {
        Ok(Ended::Succeeded) => {
            store.finish(row.id, BuildState::Succeeded, None, None, now).await?;
            return clean_up(queue, &row).await;
        }
        Ok(Ended::Skipped(reason)) => {
            store.finish(row.id, BuildState::Skipped, None, Some(reason), now).await?;
            return clean_up(queue, &row).await;
        }
        Err(failure) => failure.clone(),
    };
    parts.room.note(&failure);
    if row.cancel_requested {
        // Whatever error came after the wish was caused by it.
        store.finish(row.id, BuildState::Cancelled, Some(&Failure::cancelled()), None, now).await?;
        return clean_up(queue, &row).await;
    }
    if parts.stop.is_cancelled() {
        // Broken off by the shutdown: the row says "running" in this boot, and the next start goes on from there.
        return Ok(());
    }
    let pushing = row.image.is_some();
    match failure.code.retry() {
        Retry::WhenBack => {
            if failure.code.class() == ErrorClass::Engine {
                queue.engine_went_away(&row.engine, failure.clone());
            }
            if failure.code == ErrorCode::EngineDiskFull {
                queue.engine_is_full(&row, &failure);
            }
            wait_outside(queue, &row, failure, 1).await
        }
        Retry::Backoff => {
            let tries = tries(before) + 1;
            if tries < RETRY_BUDGET {
                let not_before = now + pause(parts.pace.retry_base, parts.pace.retry_cap, tries, &failure, now);
                let patch = BuildPatch {
                    failure: Change::Set(failure.with(TRIES, tries.to_string())),
                    not_before: Change::Set(not_before),
                    ..BuildPatch::default()
                };
                store.transition(row.id, BuildState::Running, BuildState::Queued, &patch, now).await?;
                return Ok(());
            }
            let waited = now - row.started_at.unwrap_or(now);
            if pushing && waited < PUSH_WAITS_AT_MOST {
                // The image is there: losing the work for a registry's bad day would be wrong.
                return wait_outside(queue, &row, failure, tries).await;
            }
            fail(queue, &row, &failure).await
        }
        Retry::Never => fail(queue, &row, &failure).await,
    }
}

/// Returns how many tries failed before the row was claimed.
fn tries(before: &BuildRecord) -> u32 {
    let waiting = match &before.reason {
        Some(BuildReason::Waiting { failure }) => Some(failure),
        _ => None,
    };
    let stored = before.failure.as_ref().or(waiting);
    stored.and_then(|failure| failure.details.get(TRIES)).and_then(|tries| tries.parse().ok()).unwrap_or(0)
}

/// Pauses a build until something outside is back.
async fn wait_outside(queue: &Queue, row: &BuildRecord, failure: Failure, tries: u32) -> Result<(), Failure> {
    let pace = &queue.parts.pace;
    let now = queue.parts.now();
    // An engine that is away is probed for all its builds at once; the rest is tried again by the build itself.
    let wait = if failure.code.class() == ErrorClass::Engine || failure.code == ErrorCode::EngineDiskFull {
        TimeDelta::zero()
    } else if failure.code.retry() == Retry::WhenBack {
        pause(pace.probe_base, pace.probe_cap, row.attempt, &failure, now)
    } else {
        pause(pace.retry_base, pace.retry_cap, tries, &failure, now)
    };
    let failure = if failure.code.retry() == Retry::Backoff { failure.with(TRIES, tries.to_string()) } else { failure };
    let patch = BuildPatch {
        reason: Change::Set(BuildReason::Waiting { failure }),
        not_before: Change::Set(now + wait),
        ..BuildPatch::default()
    };
    queue.parts.store.transition(row.id, BuildState::Running, BuildState::Paused, &patch, now).await?;
    Ok(())
}

async fn fail(queue: &Queue, row: &BuildRecord, failure: &Failure) -> Result<(), Failure> {
    let (store, now) = (&queue.parts.store, queue.parts.now());
    // A cancellation that nobody asked for and no shutdown explains is a fault of its own.
    let failure = match failure.code {
        ErrorCode::Cancelled => &Failure::new(ErrorCode::Interrupted, "the work was broken off from outside"),
        _ => failure,
    };
    store.finish(row.id, BuildState::Failed, Some(failure), None, now).await?;
    clean_up(queue, row).await
}

/// Ends what a finished build left open: its other publications, and its private tag on the engine.
async fn clean_up(queue: &Queue, row: &BuildRecord) -> Result<(), Failure> {
    let (store, now) = (&queue.parts.store, queue.parts.now());
    fail_point("build.ended");
    let row = store.build(row.id).await?;
    queue.parts.tell_ends().await;
    for publication in store.publications(row.id).await? {
        if matches!(publication.state, PublicationState::Waiting | PublicationState::Pushing) {
            store.finish_publication(publication.id, PublicationState::Failed, None, row.failure.as_ref(), now).await?;
        }
    }
    fail_point("build.tidy");
    let forget = async { queue.parts.engine(&row.engine)?.forget_build(row.id).await };
    match tokio::time::timeout(super::PROBE_DEADLINE, forget).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(failure)) => tracing::warn!(build = %row.id, %failure, "the private tag of a build stays for now"),
        Err(_) => {
            tracing::warn!(build = %row.id, "the engine did not answer; the private tag of a build stays for now")
        }
    }
    queue.parts.tidy_wake.notify_one();
    Ok(())
}
