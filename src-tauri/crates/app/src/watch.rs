//! Watching: one schedule for all code repositories, whatever the number of rules. A poll, a file event, a delivery or a
//! question only means "look now"; what the remote has against what was handled decides what is built (`look`).

mod lanes;
mod look;
mod schedule;

use crate::queue::retry_after;
use crate::{AppEvent, Parts};
use chrono::{DateTime, TimeDelta, Utc};
use lanes::{Closed, Lanes, lane_of};
use look::Look;
pub(crate) use look::inputs_of;
use schedule::{LookFacts, is_due, is_worth_telling, next_look, resumed};
use slipway_core::code::CodeLocation;
use slipway_core::ids::{CodeRepositoryId, SourceAccountId};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{CodeRepositoryRecord, LookResult};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a host is left alone that asks to slow down without saying for how long.
const SLOWER: TimeDelta = TimeDelta::minutes(1);

/// All watched code repositories.
pub(crate) struct Watch {
    parts: Arc<Parts>,
    plan: Mutex<Plan>,
    /// What accounts say about their code; one that was not asked since the start is not in it.
    told: Mutex<HashMap<SourceAccountId, Telling>>,
    /// The rows have to be read again.
    changed: Notify,
    /// Something became due, or a look ended.
    wake: Notify,
}

/// Whether an account says what moves in its code.
#[derive(Debug, Clone, Copy)]
enum Telling {
    /// It does: how rarely the code is looked at regardless, and when the account is asked next.
    Tells(TimeDelta, DateTime<Utc>),
    /// It cannot.
    Silent,
}

struct Plan {
    lanes: Lanes,
    repositories: HashMap<CodeRepositoryId, Entry>,
}

/// A code repository in the schedule.
struct Entry {
    watched: Arc<Watched>,
    /// `None` until its row was read.
    lane: Option<String>,
    account: Option<SourceAccountId>,
    /// When it is looked at next; `None` is at once.
    next: Option<DateTime<Utc>>,
    /// When `next` was planned: a row that was read before knows less.
    planned_at: Option<Instant>,
    asked: bool,
    running: bool,
}

/// One watched code repository.
struct Watched {
    memory: tokio::sync::Mutex<Memory>,
    checking: AtomicBool,
    has_file_events: AtomicBool,
    failing: AtomicBool,
    stop: CancellationToken,
}

/// What is remembered between looks; lost with the process, which costs nothing but an early look.
#[derive(Default)]
struct Memory {
    failures: u32,
    /// Looks fail since then; a sleep of the machine starts it anew.
    failing_since: Option<DateTime<Utc>>,
    last_move: Option<DateTime<Utc>>,
    /// The inbox knows that looks succeed.
    told_reachable: bool,
}

/// A scheduled look that goes on; dropped, its place is free again.
struct Going {
    watch: Arc<Watch>,
    id: CodeRepositoryId,
    watched: Arc<Watched>,
    lane: String,
}

impl Drop for Going {
    fn drop(&mut self) {
        let mut plan = self.watch.plan();
        plan.lanes.leave(&self.lane);
        if let Some(entry) = plan.entry(self.id, &self.watched) {
            entry.running = false;
        }
        drop(plan);
        self.watch.wake.notify_one();
    }
}

impl Plan {
    /// Returns the entry, unless another took its place meanwhile.
    fn entry(&mut self, id: CodeRepositoryId, watched: &Arc<Watched>) -> Option<&mut Entry> {
        self.repositories.get_mut(&id).filter(|entry| Arc::ptr_eq(&entry.watched, watched))
    }
}

impl Watch {
    /// Starts watching everything that the store knows.
    pub(crate) fn start(parts: Arc<Parts>, tasks: &TaskTracker) -> Arc<Self> {
        let plan = Plan { lanes: Lanes::new(parts.pace.look_gap), repositories: HashMap::new() };
        let watch = Arc::new(Self {
            parts,
            plan: Mutex::new(plan),
            told: Mutex::default(),
            changed: Notify::new(),
            wake: Notify::new(),
        });
        let (this, tracker) = (Arc::clone(&watch), tasks.clone());
        tasks.spawn(async move { this.run(&tracker).await });
        watch
    }

    /// A code repository was added or removed.
    pub(crate) fn repositories_changed(&self) {
        self.changed.notify_one();
    }

    /// A code repository has another place or login now: watching it begins anew.
    pub(crate) fn repository_edited(&self, id: CodeRepositoryId) {
        if let Some(entry) = self.plan().repositories.remove(&id) {
            entry.watched.stop.cancel();
        }
        self.changed.notify_one();
    }

    /// An account was asked what moved: with `tells`, it says so from now on.
    pub(crate) fn account_looked(&self, account: SourceAccountId, tells: Option<(TimeDelta, DateTime<Utc>)>) {
        let telling = tells.map_or(Telling::Silent, |(rarely, next)| Telling::Tells(rarely, next));
        let before = self.told().insert(account, telling);
        if tells.is_none() && !matches!(before, Some(Telling::Silent)) {
            // Each repository goes back to its own rhythm.
            self.changed.notify_one();
        }
    }

    /// Something may have moved there.
    pub(crate) fn look_soon(&self, id: CodeRepositoryId) {
        self.watched(id);
        if let Some(entry) = self.plan().repositories.get_mut(&id) {
            entry.asked = true;
        }
        self.wake.notify_one();
    }

    /// Returns when the account of this code is asked next, where it says what moves.
    pub(crate) fn account_looks_at(&self, id: CodeRepositoryId) -> Option<DateTime<Utc>> {
        let account = self.plan().repositories.get(&id)?.account?;
        match self.told().get(&account)? {
            Telling::Tells(_, next) => Some(*next),
            Telling::Silent => None,
        }
    }

    /// Returns whether a look at it is going on.
    pub(crate) fn is_checking(&self, id: CodeRepositoryId) -> bool {
        self.plan().repositories.get(&id).is_some_and(|entry| entry.watched.checking.load(Ordering::Relaxed))
    }

    /// Looks now at every ref and returns when the look is over. A person does not wait for the schedule.
    pub(crate) async fn check_now(&self, id: CodeRepositoryId) -> Result<(), Failure> {
        let watched = self.watched(id);
        self.look(id, &watched, true).await
    }

    async fn run(self: Arc<Self>, tasks: &TaskTracker) {
        let mut seen = (self.parts.now(), Instant::now());
        let mut read_at = None;
        loop {
            let now = self.parts.now();
            let slept = resumed(now - seen.0, seen.1.elapsed());
            seen = (now, Instant::now());
            // Read again now and then whoever changed them: a net under the notifications, as everywhere.
            if read_at.is_none_or(|at: Instant| at.elapsed() >= self.parts.pace.recheck) {
                match self.read().await {
                    Ok(()) => read_at = Some(Instant::now()),
                    Err(failure) => tracing::error!(%failure, "code repositories cannot be listed"),
                }
            }
            if slept {
                self.resume().await;
            }
            let pause = self.begin(tasks);
            tokio::select! {
                () = self.parts.stop.cancelled() => return,
                () = self.changed.notified() => read_at = None,
                () = self.parts.watch_wake.notified() => read_at = None,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Brings the schedule in line with the rows.
    async fn read(&self) -> Result<(), Failure> {
        let began = Instant::now();
        let records = self.parts.store.code_repositories().await?;
        let usual = self.parts.settings().await.unwrap_or_default().poll_seconds;
        let known: HashSet<CodeRepositoryId> = records.iter().map(|record| record.id).collect();
        let now = self.parts.now();
        let mut plan = self.plan();
        plan.repositories.retain(|id, entry| {
            let keep = known.contains(id);
            if !keep {
                entry.watched.stop.cancel();
            }
            keep
        });
        for record in records {
            let interval = self.interval(&record, usual);
            let account = record.account.as_ref().and_then(|place| place.account);
            let telling = account.and_then(|account| self.told().get(&account).copied());
            let entry = plan.repositories.entry(record.id).or_insert_with(|| self.fresh());
            entry.account = account;
            if entry.running || entry.planned_at.is_some_and(|at| at >= began) {
                continue;
            }
            let stored = record.next_check_at.filter(|next| !is_due(now, Some(*next), interval));
            if entry.lane.is_none() {
                entry.lane = Some(lane_of(&record.location));
                entry.next = stored;
                // File events begin with a look.
                let is_local = matches!(record.location, CodeLocation::LocalClone { .. });
                entry.asked |= is_local || record.first_looked_at.is_none() && record.last_check_at.is_none();
            }
            entry.next = entry.next.zip(stored).map(|(next, stored)| next.min(stored));
            // A shorter interval counts at once, and so does an account that says nothing any more. While its account has
            // not been asked since the start, code waits for that.
            let by_itself = account.is_none() || matches!(telling, Some(Telling::Silent));
            let is_calm = !entry.watched.failing.load(Ordering::Relaxed)
                && !entry.watched.has_file_events.load(Ordering::Relaxed);
            if by_itself && is_calm && entry.next.is_some_and(|next| next > now + interval * 11 / 10) {
                entry.next = Some(now + interval);
            }
        }
        Ok(())
    }

    /// The machine slept: what no account tells is looked at as soon as the lanes let it.
    async fn resume(&self) {
        let all: Vec<(CodeRepositoryId, Arc<Watched>)> =
            self.plan().repositories.iter().map(|(id, entry)| (*id, Arc::clone(&entry.watched))).collect();
        for (id, watched) in all {
            let is_told = self.account_looks_at(id).is_some();
            if let Ok(mut memory) = watched.memory.try_lock() {
                memory.failing_since = None;
            }
            if let Some(entry) = self.plan().entry(id, &watched).filter(|_| !is_told) {
                entry.asked = true;
            }
        }
    }

    /// Begins what is due, as far as the lanes let it, and returns when to look at the schedule again.
    fn begin(self: &Arc<Self>, tasks: &TaskTracker) -> Duration {
        let (now, at) = (self.parts.now(), Instant::now());
        let mut pause = self.parts.pace.recheck;
        if self.parts.room.shortage().is_some() {
            return pause;
        }
        let mut plan = self.plan();
        let Plan { lanes, repositories } = &mut *plan;
        let mut due = Vec::new();
        for (id, entry) in repositories.iter() {
            if entry.running || entry.lane.is_none() {
                continue;
            }
            match entry.next.filter(|next| *next > now) {
                _ if entry.asked => due.push((false, None, *id)),
                _ if !self.parts.pace.polling => {}
                None => due.push((true, entry.next, *id)),
                Some(next) => pause = pause.min((next - now).to_std().unwrap_or_default()),
            }
        }
        // What was asked for first, then what waits longest.
        due.sort_unstable();
        for (_, _, id) in due {
            let Some(entry) = repositories.get_mut(&id) else { continue };
            let Some(lane) = entry.lane.clone() else { continue };
            match lanes.enter(&lane, entry.asked, now, at) {
                Ok(()) => {}
                Err(Closed::For(wait)) => {
                    pause = pause.min(wait);
                    continue;
                }
                Err(Closed::HostIsBusy) => continue,
                Err(Closed::AllAreBusy) => break,
            }
            (entry.asked, entry.running) = (false, true);
            let watched = Arc::clone(&entry.watched);
            let going = Going { watch: Arc::clone(self), id, watched, lane };
            tasks.spawn(async move { going.watch.scheduled_look(&going).await });
        }
        pause
    }

    async fn scheduled_look(self: &Arc<Self>, going: &Going) {
        let (id, watched) = (going.id, &going.watched);
        // Until the look plans better: what breaks off is not tried again at once.
        let recheck = TimeDelta::from_std(self.parts.pace.recheck).unwrap_or_default();
        self.plan_next(id, watched, Some(self.parts.now() + recheck));
        let Ok(record) = self.parts.store.code_repository(id).await else { return };
        // Nothing is tried with a token that the host refused; authorizing again begins anew.
        if self.is_paused(&record).await {
            return;
        }
        if matches!(record.location, CodeLocation::LocalClone { .. })
            && !watched.has_file_events.load(Ordering::Relaxed)
            && let Some(events) = self.file_events(id).await
        {
            // Before the look, so that no move falls between the two.
            watched.has_file_events.store(true, Ordering::Relaxed);
            tokio::spawn(Arc::clone(self).follow(id, Arc::clone(watched), events));
        }
        let result = self.look(id, watched, false).await;
        if let Err(failure) = result
            && failure.code == ErrorCode::SourceRateLimited
        {
            let now = self.parts.now();
            let wait = retry_after(&failure, now).unwrap_or(SLOWER);
            self.plan().lanes.hold(&going.lane, now + wait);
        }
    }

    /// Looks whenever something happens in a folder.
    async fn follow(self: Arc<Self>, id: CodeRepositoryId, watched: Arc<Watched>, mut events: mpsc::Receiver<()>) {
        loop {
            let event = tokio::select! {
                () = watched.stop.cancelled() => return,
                event = events.recv() => event,
            };
            if event.is_none() {
                // The folder went away; the next look asks for events anew.
                watched.has_file_events.store(false, Ordering::Relaxed);
            }
            if let Some(entry) = self.plan().entry(id, &watched) {
                entry.asked = true;
            }
            self.wake.notify_one();
            if event.is_none() {
                return;
            }
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

    /// How often a repository is looked at: what a person asked for on it stays; where an account tells, looks are a net.
    fn interval(&self, record: &CodeRepositoryRecord, usual_seconds: u32) -> TimeDelta {
        let own = TimeDelta::seconds(i64::from(record.poll_interval_seconds.unwrap_or(usual_seconds)));
        let account = record.account.as_ref().and_then(|place| place.account);
        match account.and_then(|account| self.told().get(&account).copied()) {
            Some(Telling::Tells(rarely, _)) if record.poll_interval_seconds.is_none() => own.max(rarely),
            _ => own,
        }
    }

    fn plan_next(&self, id: CodeRepositoryId, watched: &Arc<Watched>, next: Option<DateTime<Utc>>) {
        if let Some(entry) = self.plan().entry(id, watched) {
            (entry.next, entry.planned_at) = (next, Some(Instant::now()));
        }
    }

    /// One look, with its result in the repository's health and the next one planned.
    async fn look(&self, id: CodeRepositoryId, watched: &Arc<Watched>, every_ref: bool) -> Result<(), Failure> {
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
        watched.failing.store(memory.failures > 0, Ordering::Relaxed);
        let usual = self.parts.settings().await.unwrap_or_default().poll_seconds;
        let facts = LookFacts {
            interval: self.interval(&record, usual),
            has_file_events: watched.has_file_events.load(Ordering::Relaxed),
            is_net: record.poll_interval_seconds.is_none() && self.account_looks_at(id).is_some(),
            failures: memory.failures,
            retry_after,
            last_move: memory.last_move,
            spread: spread(),
        };
        let next = next_look(now, &facts);
        self.parts.store.record_look(id, &look_result, Some(next), now).await?;
        self.plan_next(id, watched, Some(next));
        match &result {
            Ok(_) if memory.told_reachable => {}
            Ok(_) => {
                self.parts.tell_code(id, None).await;
                memory.told_reachable = true;
            }
            Err(failure) => {
                let since = *memory.failing_since.get_or_insert(now);
                if is_worth_telling(now - since, failure.code) {
                    memory.told_reachable = false;
                    self.parts.tell_code(id, Some((failure, since))).await;
                }
            }
        }
        self.parts.announce(AppEvent::CodeRepositoryChecked { code: id });
        result.map(|_| ())
    }

    fn watched(&self, id: CodeRepositoryId) -> Arc<Watched> {
        Arc::clone(&self.plan().repositories.entry(id).or_insert_with(|| self.fresh()).watched)
    }

    fn fresh(&self) -> Entry {
        let watched = Watched {
            memory: tokio::sync::Mutex::default(),
            checking: AtomicBool::new(false),
            has_file_events: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            stop: self.parts.stop.child_token(),
        };
        Entry {
            watched: Arc::new(watched),
            lane: None,
            account: None,
            next: None,
            planned_at: None,
            asked: false,
            running: false,
        }
    }

    fn told(&self) -> MutexGuard<'_, HashMap<SourceAccountId, Telling>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number in 0..1 that differs between looks.
pub(crate) fn spread() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness all looks keep their distance from each other anyway.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
