//! Being away: the application was off, or the machine slept. A moment that was watched is written down about every minute;
//! where the next one is much later, the time between is told, with what was caught up.

use crate::Parts;
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::Failure;
use slipway_core::notice::NoticeFacts;
use std::sync::Arc;
use std::time::Duration;

/// The setting that holds the last moment that was watched.
const ALIVE: &str = "watched_at";
const TICK: Duration = Duration::from_secs(60);
/// A shorter time away is not worth a word.
const LONG: TimeDelta = TimeDelta::minutes(5);
/// Code that does not answer within this time after being away is not waited for.
const LOOKS_WITHIN: TimeDelta = TimeDelta::minutes(2);

/// Runs until the application stops. `opened` is the moment before anything began to watch.
pub(crate) async fn run(parts: Arc<Parts>, opened: DateTime<Utc>) {
    match parts.store.setting::<DateTime<Utc>>(ALIVE).await {
        Ok(Some(from)) if opened - from > LONG => {
            // Until it is told the old moment stays: a crash in between loses nothing.
            if tell(&parts, from, opened, opened).await.is_none() {
                return;
            }
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "when the application was last alive is unknown"),
    }
    let tick = TimeDelta::from_std(TICK).unwrap_or_default();
    let mut written = DateTime::UNIX_EPOCH;
    loop {
        let seen = parts.now();
        if (seen - written).abs() >= tick {
            match parts.store.set_setting(ALIVE, &seen).await {
                Ok(()) => written = seen,
                Err(error) => tracing::warn!(%error, "that the application is alive could not be written"),
            }
        }
        tokio::select! {
            () = parts.stop.cancelled() => {
                // Whoever stops it knows until when it watched.
                let _ = parts.store.set_setting(ALIVE, &parts.now()).await;
                return;
            }
            () = tokio::time::sleep(TICK.min(parts.pace.recheck * 2)) => {}
        }
        let now = parts.now();
        // The pause is measured by the monotonic clock and the result by the wall clock: what is more was slept.
        if now - seen > tick + LONG && tell(&parts, seen, now, now - tick).await.is_none() {
            return;
        }
    }
}

/// Waits until everything was looked at and tells what was caught up; `None` when the application stops meanwhile.
async fn tell(parts: &Parts, from: DateTime<Utc>, to: DateTime<Utc>, looks_since: DateTime<Utc>) -> Option<()> {
    loop {
        let pending = match parts.store.code_repositories().await {
            Ok(all) if all.is_empty() => return Some(()),
            Ok(all) => all.iter().any(|one| one.last_ok_at.is_none_or(|at| at < looks_since)),
            Err(_) => true,
        };
        if !pending || !(to..to + LOOKS_WITHIN).contains(&parts.now()) {
            break;
        }
        tokio::select! {
            () = parts.stop.cancelled() => return None,
            () = tokio::time::sleep(parts.pace.recheck.min(Duration::from_secs(1))) => {}
        }
    }
    let told = async {
        let caught_up = parts.store.pushes_between(looks_since, parts.now()).await?;
        parts.notify(&NoticeFacts::Away { from, to, caught_up }).await
    };
    let told: Result<(), Failure> = told.await;
    if let Err(failure) = told {
        tracing::warn!(%failure, "the time away is not in the inbox");
    }
    Some(())
}
