//! Telling channels. The rows are the truth: a message goes with its row when the receiver took it. A crash between the two
//! sends it once more, with the same key. Nothing here delays a build or an update, or makes it fail.

use crate::queue::pause;
use crate::{AppEvent, Parts};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use slipway_core::failure::Retry;
use slipway_core::ids::ChannelId;
use slipway_core::{ErrorCode, Failure};
use slipway_store::OpenMessage;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// After this long the news are old.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::hours(1);
/// Old news are tried so often all the same: the machine may have slept that hour, and its network may come back a little
/// later than it. Only changes are told, so nothing else would say what happened.
const LEAST_TRIES: u32 = 4;
/// More than the pauses allow in that time: holds where a clock was set back.
const MOST_TRIES: u32 = 30;

/// Tells until the application stops.
pub(crate) async fn run(parts: Arc<Parts>) {
    loop {
        let pause = round(&parts).await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "messages to channels cannot be read");
            parts.pace.recheck
        });
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = parts.channel_wake.notified() => {}
            // A net under the wakes, as everywhere.
            () = tokio::time::sleep(pause.min(parts.pace.recheck)) => {}
        }
    }
}

/// Tries the oldest message of each channel; returns the time until the next try is due. Channels do not wait for each
/// other; the messages of one keep their order.
async fn round(parts: &Parts) -> Result<Duration, Failure> {
    let now = parts.now();
    let mut oldest: BTreeMap<ChannelId, OpenMessage> = BTreeMap::new();
    for message in parts.store.open_messages().await? {
        oldest.entry(message.channel).or_insert(message);
    }
    let mut next = parts.pace.recheck;
    let mut due = Vec::new();
    for message in oldest.into_values() {
        match wait(&message, now) {
            Some(wait) => next = next.min(wait),
            None => due.push(message),
        }
    }
    let told = join_all(due.iter().map(async |message| {
        let told = tell(parts, message).await;
        if let Err(failure) = &told {
            tracing::warn!(%failure, message = %message.id, "what became of a message could not be noted");
        }
        told.is_ok()
    }))
    .await;
    // Whoever had one may have more.
    if told.contains(&true) {
        next = Duration::ZERO;
    }
    Ok(next.max(Duration::from_millis(1)))
}

/// Returns how long a try has to wait still. A time further ahead than a message lives was written before the clock was
/// set back (F21).
fn wait(message: &OpenMessage, now: DateTime<Utc>) -> Option<Duration> {
    let wait = message.next_try_at? - now;
    (wait <= GIVEN_UP_AFTER).then(|| wait.to_std().ok()).flatten().filter(|wait| !wait.is_zero())
}

async fn tell(parts: &Parts, message: &OpenMessage) -> Result<(), Failure> {
    let channel = match parts.store.channel(message.channel).await {
        Ok(channel) => channel,
        // Removed since the list was made, and its messages with it.
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let is_old = parts.now() - message.created_at > GIVEN_UP_AFTER;
    if is_old && message.attempt >= LEAST_TRIES || message.attempt >= MOST_TRIES {
        let late = || Failure::new(ErrorCode::TimedOut, "the message could not be sent within an hour");
        let failure = message.failure.clone().unwrap_or_else(late);
        parts.store.message_given_up(message, &failure, parts.now()).await?;
        parts.announce(AppEvent::ChannelsChanged);
        return Ok(());
    }
    let key = format!("{}-message-{}", parts.owner, message.id);
    let sending = async {
        let opened = parts.opened_channel(&channel.spec).await?;
        parts.tell_channel(&opened, &key, &message.message).await
    };
    let answer = tokio::select! {
        // The next start sends it.
        () = parts.stop.cancelled() => return Ok(()),
        answer = sending => answer,
    };
    let now = parts.now();
    match answer {
        Ok(_) => parts.store.message_taken(message, now).await?,
        Err(failure) if failure.code.retry() == Retry::Never => {
            tracing::info!(code = failure.code.as_str(), channel = %channel.id, "a channel does not take a message");
            parts.store.message_given_up(message, &failure, now).await?;
        }
        Err(failure) => {
            tracing::info!(code = failure.code.as_str(), channel = %channel.id, "a channel is told later");
            let wait = pause(parts.pace.retry_base, parts.pace.retry_cap, message.attempt + 1, &failure, now);
            parts.store.message_waits(message, &failure, now + wait.min(GIVEN_UP_AFTER)).await?;
        }
    }
    parts.announce(AppEvent::ChannelsChanged);
    Ok(())
}
