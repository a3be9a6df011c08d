//! Watching through accounts: one cheap question per account says which repositories moved; only those are looked at. What an
//! account does not tell is found by the looks at each repository, which come rarely then.

use crate::queue::retry_after;
use crate::watch::{Watch, spread};
use crate::{AppEvent, Parts};
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::host::{Moved, MovedRepository, RepositoryPath, WhatMoved};
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{AccountChecked, CodeRepositoryRecord};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// First pause after a failed look; doubles each time.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// Longest pause after failures, unless the host asks for more.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(15);
/// No account is asked more often.
const SHORTEST: TimeDelta = TimeDelta::seconds(10);

/// Accounts that are asked at the same time; of one host only one, so that a host that hangs delays nobody else.
const MOST: usize = 8;
/// Somebody works: an account is asked twice as often for this long after something moved.
const ACTIVE_FOR: TimeDelta = TimeDelta::minutes(10);

/// What is remembered of an account between questions; lost with the process, which costs nothing but a calm beginning.
#[derive(Debug, Clone, Copy, Default)]
struct Memory {
    failures: u32,
    last_move: Option<DateTime<Utc>>,
}

/// A question that was answered, or not.
struct Answered {
    account: SourceAccountId,
    host: String,
    result: Result<(WhatMoved, Vec<CodeRepositoryId>), Failure>,
}

/// Asks all accounts when their time has come: one schedule.
pub(crate) async fn run(parts: Arc<Parts>, watch: Arc<Watch>) {
    let mut memory: HashMap<SourceAccountId, Memory> = HashMap::new();
    let mut busy: HashSet<String> = HashSet::new();
    let mut questions: JoinSet<Answered> = JoinSet::new();
    loop {
        if parts.pace.polling
            && let Err(failure) = begin(&parts, &watch, &mut questions, &mut busy).await
        {
            tracing::warn!(%failure, "accounts cannot be asked what moved");
        }
        // A short pause: reading a few rows costs nothing, and a new account is asked at once.
        let answered = tokio::select! {
            () = parts.stop.cancelled() => return,
            Some(answered) = questions.join_next() => answered,
            () = tokio::time::sleep(parts.pace.recheck.min(Duration::from_secs(1))) => continue,
        };
        let Ok(answered) = answered else {
            // Which host it was is lost with it; the others are asked again when they have answered.
            tracing::error!("a question to an account ended unexpectedly");
            questions.abort_all();
            busy.clear();
            continue;
        };
        busy.remove(&answered.host);
        let account = answered.account;
        if let Err(failure) = note(&parts, &watch, memory.entry(account).or_default(), answered).await {
            tracing::warn!(%failure, %account, "what an account said is not stored");
        }
    }
}

/// Asks the accounts whose time has come.
async fn begin(
    parts: &Arc<Parts>,
    watch: &Arc<Watch>,
    questions: &mut JoinSet<Answered>,
    busy: &mut HashSet<String>,
) -> Result<(), Failure> {
    for account in parts.store.source_accounts().await? {
        let now = parts.now();
        // One that lies far ahead was written before the clock was set back.
        let due = account.next_look_at.is_none_or(|next| next <= now || next - now > LONGEST_PAUSE * 8);
        let host = account.base.as_str().to_owned();
        if !due || account.paused.is_some() || busy.contains(&host) || questions.len() >= MOST {
            continue;
        }
        let code = parts.store.code_repositories_of(account.id).await?;
        if code.is_empty() {
            continue;
        }
        busy.insert(host.clone());
        let (parts, watch) = (Arc::clone(parts), Arc::clone(watch));
        questions.spawn(async move {
            let result = look(&parts, &watch, account.id, &code).await;
            Answered { account: account.id, host, result }
        });
    }
    Ok(())
}

/// Stores an answer, wakes what moved, and plans the next question.
async fn note(parts: &Parts, watch: &Watch, memory: &mut Memory, answered: Answered) -> Result<(), Failure> {
    let (id, now) = (answered.account, parts.now());
    match answered.result {
        Ok((seen, moved)) => {
            memory.failures = 0;
            if !moved.is_empty() {
                memory.last_move = Some(now);
            }
            let next = now + next_question(&seen, memory.last_move.map(|moved| now - moved), spread());
            parts.store.record_account_look(id, seen.mark.as_ref(), Some(&seen.rate), &moved, next, now).await?;
            let tells = seen.moved != Moved::CannotTell;
            watch.account_looked(id, tells.then(|| (from(seen.sweep_after), next)));
            for one in moved {
                watch.look_soon(one);
            }
        }
        Err(failure) if failure.code == ErrorCode::Cancelled => return Ok(()),
        Err(failure) => {
            tracing::info!(%failure, account = %id, "an account does not say what moved");
            memory.failures += 1;
            let next = now + pause(memory.failures, retry_after(&failure, now));
            parts.store.record_account_look(id, None, None, &[], next, now).await?;
            parts.store.record_account_check(id, &AccountChecked::Failed(failure), now).await?;
            // Without it each repository is looked at in its own rhythm; a single failure is not worth so many looks.
            if memory.failures > 1 {
                watch.account_looked(id, None);
            }
        }
    }
    parts.announce(AppEvent::AccountsChanged);
    Ok(())
}

/// Returns how long until the next question: the host's advice, half of it while somebody works and the budget is more than
/// half full, a little more or less each time.
fn next_question(seen: &WhatMoved, moved_ago: Option<TimeDelta>, spread: f64) -> TimeDelta {
    let is_active = moved_ago.is_some_and(|ago| ago < ACTIVE_FOR) && seen.moved != Moved::CannotTell;
    let has_plenty = match (seen.rate.limit, seen.rate.remaining) {
        (Some(limit), Some(remaining)) => remaining.saturating_mul(2) >= limit,
        _ => true,
    };
    let wait = if is_active && has_plenty { seen.next_after / 2 } else { seen.next_after };
    from(wait.mul_f64(0.9 + 0.2 * spread.clamp(0.0, 1.0))).max(SHORTEST)
}

async fn look(
    parts: &Parts,
    watch: &Watch,
    account: SourceAccountId,
    code: &[CodeRepositoryRecord],
) -> Result<(WhatMoved, Vec<CodeRepositoryId>), Failure> {
    let opened = parts.open_account(account).await?;
    let watched: Vec<RepositoryPath> = code.iter().filter_map(|one| Some(one.account.as_ref()?.path.clone())).collect();
    let cancel = parts.stop.child_token();
    let mark = opened.record.mark.as_ref();
    let seen = parts.ports.hosts.what_moved(&opened.access, &watched, mark, &cancel).await;
    let seen = parts.noted(&opened.record, seen).await?;
    if let Moved::Repositories(moved) = &seen.moved {
        for one in code {
            follow(parts, watch, one, moved).await;
        }
    }
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

/// Follows a repository that was renamed or moved within its host: its id stays, and so do its rules and builds. One that
/// cannot be followed now is found under its old name as long as the host redirects, and tried again when it moves again.
async fn follow(parts: &Parts, watch: &Watch, code: &CodeRepositoryRecord, moved: &[MovedRepository]) {
    let Some((old, account)) = code.account.as_ref().and_then(|place| Some((place, place.account?))) else { return };
    let now_at = moved.iter().find(|one| one.id == old.repository).map(|one| &one.path);
    let Some(path) = now_at.filter(|path| !path.0.eq_ignore_ascii_case(&old.path.0)) else { return };
    let followed = async {
        let (location, place) = parts.place_at_host(account, path).await?;
        if place.repository != old.repository {
            // Somebody else's repository has that name by now.
            return Ok(());
        }
        if parts.store.follow_code_repository(code, &location, &place).await? {
            tracing::info!(code = %code.id, from = %old.path, to = %place.path, "a code repository was renamed at its host");
            watch.repository_edited(code.id);
            parts.announce(AppEvent::CodeRepositoriesChanged);
        }
        Ok::<_, Failure>(())
    };
    if let Err(failure) = followed.await {
        tracing::warn!(%failure, code = %code.id, "a renamed code repository cannot be followed");
    }
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
    use slipway_core::host::RateState;

    #[test]
    fn the_next_question_follows_the_host_its_budget_and_the_person() {
        let seen = |moved, remaining| WhatMoved {
            moved,
            mark: None,
            next_after: Duration::from_secs(60),
            sweep_after: Duration::from_secs(900),
            rate: RateState { limit: Some(5000), remaining, resets_at: None },
            requests: 1,
        };
        let (just_now, long_ago) = (Some(TimeDelta::minutes(1)), Some(TimeDelta::minutes(11)));
        for (name, seen, moved_ago, spread, seconds) in [
            ("calm", seen(Moved::Unchanged, Some(5000)), None, 0.5, 60),
            ("less", seen(Moved::Unchanged, Some(5000)), None, 0.0, 54),
            ("more", seen(Moved::Unchanged, Some(5000)), None, 1.0, 66),
            ("somebody works", seen(Moved::Unchanged, Some(5000)), just_now, 0.5, 30),
            ("no budget is told", seen(Moved::Unchanged, None), just_now, 0.5, 30),
            ("that was long ago", seen(Moved::Unchanged, Some(5000)), long_ago, 0.5, 60),
            ("the budget runs low", seen(Moved::Unchanged, Some(2000)), just_now, 0.5, 60),
            ("it says nothing anyway", seen(Moved::CannotTell, Some(5000)), just_now, 0.5, 60),
        ] {
            assert_eq!(next_question(&seen, moved_ago, spread).num_seconds(), seconds, "{name}");
        }
        let hasty = WhatMoved { next_after: Duration::from_secs(1), ..seen(Moved::Unchanged, None) };
        assert_eq!(next_question(&hasty, just_now, 0.5), SHORTEST);
    }

    #[test]
    fn pauses_double_and_a_host_that_asks_for_more_gets_it() {
        for (failures, asked, seconds) in
            [(1, None, 30), (2, None, 60), (3, None, 120), (40, None, 900), (1, Some(3600), 3600), (2, Some(1), 60)]
        {
            assert_eq!(pause(failures, asked.map(TimeDelta::seconds)).num_seconds(), seconds, "{failures} {asked:?}");
        }
    }
}
