//! What is done once a day whatever else happens: a look at every page of the database and a backup of it, and the inbox
//! without what was read long ago. The look is taken after every start too.

use crate::Parts;
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::Failure;
use slipway_core::notice::NoticeFacts;
use std::sync::Arc;

/// The setting that says when the last backup was made.
const LAST_BACKUP: &str = "last_backup_at";
const EVERY: TimeDelta = TimeDelta::days(1);

/// Runs until the application stops. The wall clock is looked at anew each time, because machines sleep.
pub(crate) async fn run(parts: Arc<Parts>) {
    if let Err(failure) = is_sound(&parts).await {
        tracing::warn!(%failure, "the database could not be looked at");
    }
    loop {
        if let Err(failure) = backup_when_due(&parts).await {
            tracing::warn!(%failure, "the daily backup failed, it is tried again");
        }
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = tokio::time::sleep(parts.pace.recheck * 10) => {}
        }
    }
}

async fn backup_when_due(parts: &Parts) -> Result<(), Failure> {
    let now = parts.now();
    let last = parts.store.setting::<DateTime<Utc>>(LAST_BACKUP).await?;
    // A time in the future was written before the clock was set back.
    if last.is_some_and(|last| now - last < EVERY && last <= now) {
        return Ok(());
    }
    // Nothing is worth a backup on the first day, and one of a damaged database would take a good one's place.
    if last.is_some() && is_sound(parts).await? {
        parts.store.backup(now).await?;
    }
    parts.forget_old_notices().await?;
    Ok(parts.store.set_setting(LAST_BACKUP, &now).await?)
}

/// Returns whether every page of the database is sound, and tells the person when one is not.
async fn is_sound(parts: &Parts) -> Result<bool, Failure> {
    let Some(damage) = parts.store.check().await? else { return Ok(true) };
    tracing::error!(%damage, "the database is damaged");
    parts.notify(&NoticeFacts::DatabaseDamaged).await?;
    Ok(false)
}
