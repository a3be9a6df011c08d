//! What is done once a day whatever else happens: a backup of the database, and the inbox without what was read long ago.

use crate::Parts;
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::Failure;
use std::sync::Arc;

/// The setting that says when the last backup was made.
const LAST_BACKUP: &str = "last_backup_at";
const EVERY: TimeDelta = TimeDelta::days(1);

/// Runs until the application stops. The wall clock is looked at anew each time, because machines sleep.
pub(crate) async fn run(parts: Arc<Parts>) {
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
    match parts.store.setting::<DateTime<Utc>>(LAST_BACKUP).await? {
        // A time in the future was written before the clock was set back.
        Some(last) if now - last < EVERY && last <= now => return Ok(()),
        Some(_) => {
            parts.store.backup(now).await?;
        }
        // Nothing is worth a backup on the first day.
        None => {}
    }
    parts.forget_old_notices().await?;
    Ok(parts.store.set_setting(LAST_BACKUP, &now).await?)
}
