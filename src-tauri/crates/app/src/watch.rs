//! Watching: one task for each code repository, whatever the number of its rules. A poll, a file event or a question only
//! means "look now"; what the remote has against what was handled decides what is built (`look`).

mod look;
mod schedule;

use crate::queue::retry_after;
use crate::{AppEvent, Parts};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use look::Look;
pub(crate) use look::inputs_of;
use schedule::{LookFacts, is_due, is_worth_telling, next_look, resumed};
use slipway_core::code::CodeLocation;
use slipway_core::ids::CodeRepositoryId;
use slipway_core::{ErrorCode, Failure};
use slipway_store::{CodeRepositoryRecord, LookResult};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A task that has nothing to do looks at its row this often at most.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// All watched code repositories.
pub(crate) struct Watch {
    parts: Arc<Parts>,
    repositories: Mutex<HashMap<CodeRepositoryId, Arc<Watched>>>,
    /// Code whose account says what moved: how rarely it is looked at regardless, and when the account looks next.
    told: Mutex<HashMap<CodeRepositoryId, (TimeDelta, DateTime<Utc>)>>,
    changed: Notify,
}

/// One watched code repository.
struct Watched {
    memory: tokio::sync::Mutex<Memory>,
    checking: AtomicBool,
    started: AtomicBool,
    wake: Notify,
    stop: CancellationToken,
}

/// What the schedule remembers between looks; lost with the process, which costs nothing but an early look.
#[derive(Default)]
struct Memory {
    failures: u32,
    /// Looks fail since then; a sleep of the machine starts it anew.
    failing_since: Option<DateTime<Utc>>,
    last_move: Option<DateTime<Utc>>,
}

impl Watch {
    /// Starts watching everything that the store knows.
    pub(crate) fn start(parts: Arc<Parts>, tasks: &TaskTracker) -> Arc<Self> {
        let watch =
            Arc::new(Self { parts, repositories: Mutex::default(), told: Mutex::default(), changed: Notify::new() });
        let (this, tracker) = (Arc::clone(&watch), tasks.clone());
        tasks.spawn(async move { this.supervise(&tracker).await });
        watch
    }

    /// A code repository was added or removed.
    pub(crate) fn repositories_changed(&self) {
        self.changed.notify_one();
    }

    /// A code repository has another place now: its task begins anew.
    pub(crate) fn repository_edited(&self, id: CodeRepositoryId) {
        if let Some(watched) = self.lock().remove(&id) {
            watched.stop.cancel();
        }
        self.changed.notify_one();
    }

    /// An account looked: with `tells`, it says what moves in its code from now on.
    pub(crate) fn account_looked(&self, code: &[CodeRepositoryRecord], tells: Option<(TimeDelta, DateTime<Utc>)>) {
        let mut told = self.told();
        for one in code {
            match tells {
                Some(tells) => told.insert(one.id, tells),
                None => told.remove(&one.id),
            };
        }
    }

    /// Something may have moved there.
    pub(crate) fn look_soon(&self, id: CodeRepositoryId) {
        self.watched(id).wake.notify_one();
    }

    /// Returns when the account of this code looks next.
    pub(crate) fn account_looks_at(&self, id: CodeRepositoryId) -> Option<DateTime<Utc>> {
        self.told().get(&id).map(|(_, next)| *next)
    }

    /// Returns whether a look at it is going on.
    pub(crate) fn is_checking(&self, id: CodeRepositoryId) -> bool {
        self.lock().get(&id).is_some_and(|watched| watched.checking.load(Ordering::Relaxed))
    }

    /// Looks now at every ref and returns when the look is over.
    pub(crate) async fn check_now(&self, id: CodeRepositoryId) -> Result<(), Failure> {
        let watched = self.watched(id);
        self.look(id, &watched, true).await
    }

    async fn supervise(self: Arc<Self>, tasks: &TaskTracker) {
        loop {
            match self.parts.store.code_repositories().await {
                Ok(records) => {
                    self.lock().retain(|id, watched| {
                        let keep = records.iter().any(|record| record.id == *id);
                        if !keep {
                            watched.stop.cancel();
                        }
                        keep
                    });
                    for record in records {
                        let watched = self.watched(record.id);
                        if !watched.started.swap(true, Ordering::Relaxed) {
                            let this = Arc::clone(&self);
                            tasks.spawn(async move {
                                let watching = AssertUnwindSafe(this.watch_one(record.id, &watched));
                                if watching.catch_unwind().await.is_err() {
                                    tracing::error!(code = %record.id, "watching ended unexpectedly, it begins anew");
                                }
                                watched.started.store(false, Ordering::Relaxed);
                            });
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "code repositories cannot be listed"),
            }
            tokio::select! {
                () = self.parts.stop.cancelled() => return,
                () = self.changed.notified() => {}
                // A net under the notification, as everywhere.
                () = tokio::time::sleep(self.parts.pace.recheck) => {}
            }
        }
    }

    /// The task of one code repository.
    async fn watch_one(&self, id: CodeRepositoryId, watched: &Watched) {
        let mut events: Option<mpsc::Receiver<()>> = None;
        let mut seen = (self.parts.now(), Instant::now());
        let mut asked = false;
        loop {
            let Ok(record) = self.parts.store.code_repository(id).await else { return };
            let interval = self.interval(&record).await;
            let now = self.parts.now();
            let slept = resumed(now - seen.0, seen.1.elapsed());
            seen = (now, Instant::now());
            if slept {
                watched.memory.lock().await.failing_since = None;
            }
            let wants_events = matches!(record.location, CodeLocation::LocalClone { .. });
            if wants_events && events.is_none() {
                // Before the look, so that no move falls between the two.
                events = self.file_events(id).await;
            }
            let first = record.first_looked_at.is_none() && record.last_check_at.is_none();
            let due =
                asked || slept || first || (self.parts.pace.polling && is_due(now, record.next_check_at, interval));
            // Nothing is tried with a token that the host refused; authorizing again begins this task anew.
            let paused = self.is_paused(&record).await;
            if due && !paused {
                // The failure is in the repository's health.
                let _ = self.look(id, watched, false).await;
            }
            let Ok(record) = self.parts.store.code_repository(id).await else { return };
            let pause = record.next_check_at.map_or(TimeDelta::zero(), |next| next - self.parts.now());
            let shortest = if paused { self.parts.pace.recheck } else { SHORTEST_PAUSE };
            let pause = pause.to_std().unwrap_or_default().max(shortest).min(self.parts.pace.recheck);
            asked = tokio::select! {
                () = self.parts.stop.cancelled() => return,
                () = watched.stop.cancelled() => return,
                () = self.parts.watch_wake.notified() => false,
                () = watched.wake.notified() => true,
                () = tokio::time::sleep(pause) => false,
                event = next_event(&mut events) => event,
            };
        }
    }

    async fn file_events(&self, id: CodeRepositoryId) -> Option<mpsc::Receiver<()>> {
        let access = self.parts.code_access(id).await.ok()?;
        match self.parts.ports.code.watch(&access).await {
            Ok(events) => Some(events),
            Err(failure) => {
                tracing::debug!(%failure, code = %id, "no file events, polling instead");
                None
            }
        }
    }

    async fn is_paused(&self, record: &CodeRepositoryRecord) -> bool {
        let Some(place) = &record.account else { return false };
        match place.account {
            Some(account) => {
                self.parts.store.source_account(account).await.is_ok_and(|account| account.paused.is_some())
            }
            None => true,
        }
    }

    async fn interval(&self, record: &CodeRepositoryRecord) -> TimeDelta {
        let seconds = match record.poll_interval_seconds {
            Some(seconds) => seconds,
            None => self.parts.settings().await.unwrap_or_default().poll_seconds,
        };
        let own = TimeDelta::seconds(i64::from(seconds));
        let rarely = self.told().get(&record.id).map(|(rarely, _)| *rarely);
        // What a person asked for on this code stays.
        rarely.filter(|_| record.poll_interval_seconds.is_none()).map_or(own, |rarely| rarely.max(own))
    }

    /// One look, with its result in the repository's health and the next one planned.
    async fn look(&self, id: CodeRepositoryId, watched: &Watched, every_ref: bool) -> Result<(), Failure> {
        let mut memory = watched.memory.lock().await;
        watched.checking.store(true, Ordering::Relaxed);
        let cancel = self.parts.stop.child_token();
        let result = Look { parts: &self.parts, code: id, cancel: &cancel }.run(every_ref).await;
        watched.checking.store(false, Ordering::Relaxed);
        let now = self.parts.now();
        let record = self.parts.store.code_repository(id).await?;
        let (look_result, retry_after) = match &result {
            Ok(seen) => {
                memory.failures = 0;
                memory.failing_since = None;
                if seen.moved {
                    memory.last_move = Some(now);
                }
                (LookResult::Ok { default_branch: seen.default_branch.clone() }, None)
            }
            Err(failure) if failure.code == ErrorCode::Cancelled => return Err(failure.clone()),
            Err(failure) => {
                memory.failures += 1;
                (LookResult::Failed(failure.clone()), retry_after(failure, now))
            }
        };
        let facts = LookFacts {
            interval: self.interval(&record).await,
            has_file_events: matches!(record.location, CodeLocation::LocalClone { .. }),
            failures: memory.failures,
            retry_after,
            last_move: memory.last_move,
            spread: spread(),
        };
        self.parts.store.record_look(id, &look_result, Some(next_look(now, &facts)), now).await?;
        match &result {
            Ok(_) => self.parts.tell_code(id, None).await,
            Err(failure) => {
                let since = *memory.failing_since.get_or_insert(now);
                if is_worth_telling(now - since, failure.code) {
                    self.parts.tell_code(id, Some((failure, since))).await;
                }
            }
        }
        self.parts.announce(AppEvent::CodeRepositoryChecked { code: id });
        result.map(|_| ())
    }

    fn watched(&self, id: CodeRepositoryId) -> Arc<Watched> {
        let fresh = || {
            Arc::new(Watched {
                memory: tokio::sync::Mutex::default(),
                checking: AtomicBool::new(false),
                started: AtomicBool::new(false),
                wake: Notify::new(),
                stop: self.parts.stop.child_token(),
            })
        };
        Arc::clone(self.lock().entry(id).or_insert_with(fresh))
    }

    fn told(&self) -> std::sync::MutexGuard<'_, HashMap<CodeRepositoryId, (TimeDelta, DateTime<Utc>)>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CodeRepositoryId, Arc<Watched>>> {
        self.repositories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a file event; for ever where there are none. A folder that went away ends the events.
async fn next_event(events: &mut Option<mpsc::Receiver<()>>) -> bool {
    match events {
        Some(receiver) => {
            if receiver.recv().await.is_none() {
                *events = None;
            }
            true
        }
        None => std::future::pending().await,
    }
}

/// A number in 0..1 that differs between repositories and looks.
fn spread() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness all looks keep their distance from each other anyway.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
