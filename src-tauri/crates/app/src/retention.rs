//! Retention rules (版本保留): saved for an image repository, tried out, and carried out by a person at once or by themselves,
//! at most daily and after a push at the earliest. A run leaves a record; it may be broken off anywhere, because the next one
//! decides anew by what is there.

use crate::versions::retention::{Watched, preview, remove};
use crate::{AppEvent, Parts, Slipway};
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::failure::Retry;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::Tag;
use slipway_core::notice::NoticeFacts;
use slipway_core::retention::{RetentionPreview, RetentionRule, RetentionRun};
use slipway_core::{ErrorClass, ErrorCode, Failure};
use slipway_store::RetentionRecord;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{RwLock, RwLockReadGuard};
use tokio_util::sync::CancellationToken;

/// A repository's old versions go by themselves at most so often.
pub(crate) const EVERY: TimeDelta = TimeDelta::days(1);

/// How the retention of an image repository stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionStanding {
    /// The saved rule; none: switched off.
    pub rule: Option<RetentionRule>,
    /// How the last run went.
    pub last_run: Option<RetentionRun>,
    /// The run that is under way.
    pub running: Option<RetentionProgress>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionProgress {
    /// Tags that went.
    pub removed: u64,
    /// Tags that are to go; 0 while they are still looked for.
    pub of: u64,
}

/// The runs that are under way: at most one for each repository.
#[derive(Default)]
pub(crate) struct RetentionRuns {
    running: Mutex<HashMap<ImageRepositoryId, Arc<Running>>>,
    /// Shared while something is copied to a tag.
    copies: RwLock<()>,
}

impl RetentionRuns {
    fn of(&self, repository: ImageRepositoryId) -> Option<Arc<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).get(&repository).cloned()
    }

    /// Lets something be copied to a tag of a repository: while it lasts no run begins to remove there.
    ///
    /// # Errors
    /// [`ErrorCode::WrongState`] while a run is under way: the copied image may be what goes next, with every tag on it.
    pub(crate) async fn copying(&self, repository: ImageRepositoryId) -> Result<RwLockReadGuard<'_, ()>, Failure> {
        let copying = self.copies.read().await;
        if self.of(repository).is_some() {
            let why =
                "old versions of this repository are being removed: copy when that is over, or stop it under Retention";
            return Err(Failure::new(ErrorCode::WrongState, why));
        }
        Ok(copying)
    }
}

struct Running {
    removed: AtomicU64,
    of: AtomicU64,
    stop: CancellationToken,
}

impl Watched for Running {
    fn at(&self, removed: u64, of: u64) {
        self.removed.store(removed, Ordering::Relaxed);
        self.of.store(of, Ordering::Relaxed);
    }
}

/// A repository's place among the runs; it ends with this.
struct Turn {
    parts: Arc<Parts>,
    repository: ImageRepositoryId,
    running: Arc<Running>,
}

impl Turn {
    fn take(parts: &Arc<Parts>, repository: ImageRepositoryId) -> Option<Self> {
        let stop = parts.stop.child_token();
        let running = Arc::new(Running { removed: AtomicU64::new(0), of: AtomicU64::new(0), stop });
        let mut runs = parts.retention_runs.running.lock().unwrap_or_else(PoisonError::into_inner);
        if runs.contains_key(&repository) {
            return None;
        }
        runs.insert(repository, Arc::clone(&running));
        Some(Self { parts: Arc::clone(parts), repository, running })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.parts.retention_runs.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.repository);
        self.parts.announce(AppEvent::VersionsChanged { repository: self.repository });
    }
}

impl Slipway {
    /// Returns how the retention of an image repository stands.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub async fn retention(&self, id: ImageRepositoryId) -> Result<RetentionStanding, Failure> {
        self.parts.store.image_repository(id).await?;
        let record = self.parts.store.retention(id).await?;
        let running = self.parts.retention_runs.of(id).map(|running| RetentionProgress {
            removed: running.removed.load(Ordering::Relaxed),
            of: running.of.load(Ordering::Relaxed),
        });
        let (rule, last_run) = record.map(|record| (record.rule, record.last_run)).unwrap_or_default();
        Ok(RetentionStanding { rule, last_run, running })
    }

    /// Returns what a rule would do now; nothing is changed. Tags that are still being read count as kept, and an
    /// [`AppEvent::VersionsChanged`] says when more is known.
    ///
    /// # Errors
    /// As [`RetentionRule::pattern`]; what the registry or the engine says.
    pub async fn retention_preview(
        &self,
        id: ImageRepositoryId,
        rule: &RetentionRule,
    ) -> Result<RetentionPreview, Failure> {
        preview(&self.parts, id, rule).await
    }

    /// Saves the rule of an image repository, or switches it off.
    ///
    /// # Errors
    /// As [`RetentionRule::pattern`]; [`ErrorCode::ReadOnlyRepository`], [`ErrorCode::NotFound`].
    pub async fn save_retention(&self, id: ImageRepositoryId, rule: Option<&RetentionRule>) -> Result<(), Failure> {
        if let Some(rule) = rule {
            self.writable_repository(id).await?;
            rule.pattern()?;
        }
        Ok(self.parts.store.save_retention(id, rule, self.parts.now()).await?)
    }

    /// Begins to remove what a rule lets go, of the tags that a person agreed to. How it goes is in
    /// [`Slipway::retention`].
    ///
    /// # Errors
    /// As [`RetentionRule::pattern`]; [`ErrorCode::ReadOnlyRepository`]; [`ErrorCode::InUse`] while something is built for it;
    /// [`ErrorCode::WrongState`] while a run is under way.
    pub async fn start_retention(
        &self,
        id: ImageRepositoryId,
        rule: &RetentionRule,
        agreed: Vec<Tag>,
    ) -> Result<(), Failure> {
        self.writable_repository(id).await?;
        rule.pattern()?;
        if is_building(&self.parts, id).await? {
            return Err(Failure::new(ErrorCode::InUse, "builds of this repository are not over"));
        }
        let Some(turn) = Turn::take(&self.parts, id) else {
            return Err(Failure::new(
                ErrorCode::WrongState,
                "old versions of this repository are being removed already",
            ));
        };
        self.parts.announce(AppEvent::VersionsChanged { repository: id });
        let rule = rule.clone();
        self.tasks.spawn(async move { run(&turn, &rule, Some(agreed.into_iter().collect())).await });
        Ok(())
    }

    /// Stops the run that is under way, if any. What went is gone.
    pub fn stop_retention(&self, id: ImageRepositoryId) {
        if let Some(running) = self.parts.retention_runs.of(id) {
            running.stop.cancel();
        }
    }
}

/// Carries a rule out and writes how it went. A run that the end of the application broke off leaves no record: it is due
/// again.
async fn run(turn: &Turn, rule: &RetentionRule, agreed: Option<HashSet<Tag>>) -> Option<RetentionRun> {
    let (parts, repository, stop) = (&turn.parts, turn.repository, &turn.running.stop);
    // Copies that began before are waited for, and from now on none begins.
    tokio::select! {
        () = stop.cancelled() => {}
        _ = parts.retention_runs.copies.write() => {}
    }
    let (removed, failure) = remove(parts, repository, rule, agreed.as_ref(), turn.running.as_ref(), stop).await;
    if parts.stop.is_cancelled() {
        return None;
    }
    let left = match (&agreed, &failure) {
        (Some(agreed), None) => (agreed.len() as u64).saturating_sub(removed.tags),
        _ => removed.left,
    };
    let (at, by_person, refused) = (parts.now(), agreed.is_some(), removed.refused);
    let run = RetentionRun { at, by_person, removed: removed.tags, left, refused, failure };
    if let Err(failure) = parts.store.note_retention_run(repository, &run).await {
        tracing::warn!(%repository, %failure, "how the removal of old versions went could not be written");
    }
    Some(run)
}

/// Runs rules when they are due, until the application stops.
pub(crate) async fn run_when_due(parts: Arc<Parts>) {
    loop {
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = tokio::time::sleep(parts.pace.recheck * 2) => {}
        }
        if let Err(failure) = run_all_due(&parts).await {
            tracing::warn!(%failure, "old versions could not be removed by their rules");
        }
    }
}

async fn run_all_due(parts: &Arc<Parts>) -> Result<(), Failure> {
    for record in parts.store.retention_rules().await? {
        if parts.stop.is_cancelled() {
            return Ok(());
        }
        let Some(rule) = &record.rule else { continue };
        if !is_due(&record, parts.now()) || !may_run(parts, record.repository).await? {
            continue;
        }
        let Some(turn) = Turn::take(parts, record.repository) else { continue };
        let Some(done) = run(&turn, rule, None).await else { return Ok(()) };
        drop(turn);
        tell(parts, &record, &done).await?;
    }
    Ok(())
}

/// Something was pushed since the last run and since the rule was saved, a day has passed, and the last run was not refused for
/// good: a registry that does not delete is not asked again before a person saves the rule again.
fn is_due(record: &RetentionRecord, now: DateTime<Utc>) -> bool {
    // A time in the future was written before the clock was set back, and says nothing.
    let last = record.last_run.as_ref().filter(|run| run.at <= now);
    let saved = Some(record.saved_at).filter(|at| *at <= now);
    let since = last.map(|run| run.at).max(saved);
    let refused = last.is_some_and(|run| {
        let for_good =
            |failure: &Failure| failure.code.class() == ErrorClass::Registry && failure.code.retry() == Retry::Never;
        let nothing = !run.by_person && run.removed == 0 && run.failure.as_ref().is_some_and(for_good);
        nothing && Some(run.at) >= saved
    });
    !refused && record.pushed_at > since && last.is_none_or(|run| now - run.at >= EVERY)
}

/// Nothing is being built for it, and it can be written to.
async fn may_run(parts: &Parts, id: ImageRepositoryId) -> Result<bool, Failure> {
    Ok(!is_building(parts, id).await? && parts.store.image_repository(id).await?.read_only_reason.is_none())
}

/// A build of the repository is not over.
pub(crate) async fn is_building(parts: &Parts, id: ImageRepositoryId) -> Result<bool, Failure> {
    Ok(parts.store.non_final().await?.iter().any(|build| build.repository == id))
}

/// Tells that a run failed, unless the one before failed alike.
async fn tell(parts: &Parts, before: &RetentionRecord, run: &RetentionRun) -> Result<(), Failure> {
    let Some(failure) = run.failure.as_ref().filter(|failure| failure.code != ErrorCode::Cancelled) else {
        return Ok(());
    };
    let last = before.last_run.as_ref().filter(|last| !last.by_person);
    if last.and_then(|last| last.failure.as_ref()).is_some_and(|last| last.code == failure.code) {
        return Ok(());
    }
    let repository_name = parts.store.image_repository(before.repository).await?.spec.name.as_str().to_owned();
    let facts = NoticeFacts::RetentionFailed { repository: before.repository, repository_name, code: failure.code };
    parts.notify(&facts).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + hours * 3600, 0).unwrap()
    }

    fn record(saved: i64, pushed: Option<i64>, last: Option<(i64, Option<ErrorCode>)>) -> RetentionRecord {
        let run = |(hour, code): (i64, Option<ErrorCode>)| RetentionRun {
            at: at(hour),
            by_person: false,
            removed: 0,
            left: 0,
            refused: None,
            failure: code.map(|code| Failure::new(code, "no")),
        };
        RetentionRecord {
            repository: ImageRepositoryId(1),
            rule: None,
            saved_at: at(saved),
            last_run: last.map(run),
            pushed_at: pushed.map(at),
        }
    }

    #[test]
    fn a_rule_runs_daily_at_most_and_after_a_push_at_the_earliest() {
        use ErrorCode::{RegistryUnreachable, RegistryUnsupported};
        let table = [
            ("nothing was pushed since it was saved", record(10, Some(9), None), false),
            ("nothing was ever pushed", record(10, None, None), false),
            ("pushed after it was saved", record(10, Some(11), None), true),
            ("a day has not passed", record(10, Some(99), Some((80, None))), false),
            ("a day has passed", record(10, Some(99), Some((76, None))), true),
            ("nothing new since the last run", record(10, Some(70), Some((72, None))), false),
            ("the registry was away", record(10, Some(99), Some((70, Some(RegistryUnreachable)))), true),
            ("the registry does not delete", record(10, Some(99), Some((70, Some(RegistryUnsupported)))), false),
            ("saved again since", record(71, Some(99), Some((70, Some(RegistryUnsupported)))), true),
            ("the clock was set back", record(10, Some(99), Some((500, None))), true),
            ("saved before the clock was set back", record(500, Some(99), None), true),
            ("nothing new since, too", record(500, Some(70), Some((72, None))), false),
            ("refused since, too", record(500, Some(99), Some((70, Some(RegistryUnsupported)))), false),
            ("nothing was ever pushed, too", record(500, None, None), false),
        ];
        for (what, record, expected) in table {
            assert_eq!(is_due(&record, at(100)), expected, "{what}");
        }
        // What goes at a registry that removes something is not refused for good.
        let mut some = record(10, Some(99), Some((70, Some(RegistryUnsupported))));
        some.last_run.as_mut().unwrap().removed = 1;
        assert!(is_due(&some, at(100)));
    }
}
