//! Watching through accounts: one cheap question per account says which repositories moved; only those are looked at. What an
//! account does not tell is found by the looks at each repository, which come rarely then.

use crate::queue::retry_after;
use crate::watch::Watch;
use crate::{AppEvent, Parts};
use chrono::TimeDelta;
use slipway_core::host::{Moved, RepositoryPath, WhatMoved};
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use slipway_core::{ErrorCode, Failure};
use slipway_store::CodeRepositoryRecord;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// First pause after a failed look; doubles each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Longest pause after failures, unless the host asks for more.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(15);
/// No account is asked more often.
const SHORTEST: TimeDelta = TimeDelta::seconds(10);

/// Asks all accounts when their time has come: one task, one schedule.
pub(crate) async fn run(parts: Arc<Parts>, watch: Arc<Watch>) {
    let mut failures: HashMap<SourceAccountId, u32> = HashMap::new();
    loop {
        if parts.pace.polling
            && let Err(failure) = round(&parts, &watch, &mut failures).await
        {
            tracing::warn!(%failure, "accounts cannot be asked what moved");
        }
        // A short pause: reading a few rows costs nothing, and a new account is asked at once.
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = tokio::time::sleep(parts.pace.recheck.min(Duration::from_secs(1))) => {}
        }
    }
}

async fn round(parts: &Parts, watch: &Watch, failures: &mut HashMap<SourceAccountId, u32>) -> Result<(), Failure> {
    for account in parts.store.source_accounts().await? {
        let now = parts.now();
        // One that lies far ahead was written before the clock was set back.
        let due = account.next_look_at.is_none_or(|next| next <= now || next - now > LONGEST_PAUSE * 8);
        if !due || account.paused.is_some() {
            continue;
        }
        let code = parts.store.code_repositories_of(account.id).await?;
        if code.is_empty() {
            continue;
        }
        match look(parts, account.id, &code).await {
            Ok((seen, moved)) => {
                failures.remove(&account.id);
                let next = parts.now() + from(seen.next_after).max(SHORTEST);
                parts
                    .store
                    .record_account_look(account.id, seen.mark.as_ref(), Some(&seen.rate), &moved, next, parts.now())
                    .await?;
                let tells = seen.moved != Moved::CannotTell;
                watch.account_looked(&code, tells.then(|| (from(seen.sweep_after), next)));
                for one in moved {
                    watch.look_soon(one);
                }
            }
            Err(failure) if failure.code == ErrorCode::Cancelled => return Ok(()),
            Err(failure) => {
                tracing::info!(%failure, account = %account.id, "an account does not say what moved");
                let count = failures.entry(account.id).or_default();
                *count += 1;
                let now = parts.now();
                let next = now + pause(*count, retry_after(&failure, now));
                parts.store.record_account_look(account.id, None, None, &[], next, now).await?;
                // Without it each repository is looked at in its own rhythm.
                watch.account_looked(&code, None);
            }
        }
        parts.announce(AppEvent::AccountsChanged);
    }
    Ok(())
}

async fn look(
    parts: &Parts,
    account: SourceAccountId,
    code: &[CodeRepositoryRecord],
) -> Result<(WhatMoved, Vec<CodeRepositoryId>), Failure> {
    let opened = parts.open_account(account).await?;
    let watched: Vec<RepositoryPath> = code.iter().filter_map(|one| Some(one.account.as_ref()?.path.clone())).collect();
    let cancel = parts.stop.child_token();
    let mark = opened.record.mark.as_ref();
    let seen = parts.ports.hosts.what_moved(&opened.access, &watched, mark, &cancel).await;
    let seen = parts.noted(&opened.record, seen).await?;
    let moved = match &seen.moved {
        Moved::Repositories(moved) => code
            .iter()
            .filter(|one| {
                one.account.as_ref().is_some_and(|place| {
                    moved
                        .iter()
                        .any(|moved| moved.id == place.repository || moved.path.0.eq_ignore_ascii_case(&place.path.0))
                })
            })
            .map(|one| one.id)
            .collect(),
        Moved::Unchanged | Moved::CannotTell => Vec::new(),
    };
    Ok((seen, moved))
}

fn from(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(LONGEST_PAUSE)
}

fn pause(failures: u32, asked: Option<TimeDelta>) -> TimeDelta {
    (FIRST_PAUSE * (1 << (failures.clamp(1, 10) - 1))).min(LONGEST_PAUSE).max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_a_host_that_asks_for_more_gets_it() {
        for (failures, asked, seconds) in
            [(1, None, 30), (2, None, 60), (3, None, 120), (40, None, 900), (1, Some(3600), 3600), (2, Some(1), 60)]
        {
            assert_eq!(pause(failures, asked.map(TimeDelta::seconds)).num_seconds(), seconds, "{failures} {asked:?}");
        }
    }
}
