//! The queue: rows in the store, taken in the order of their ids by as many workers as the settings allow per engine. Memory
//! only wakes: whatever is lost with it is in the rows. Never do two builds of one rule and ref run at the same time.

mod backoff;
mod settle;

use crate::fail_point::fail_point;
use crate::{AppEvent, Parts, pipeline, room};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use slipway_core::build::{BuildReason, BuildState, WaitReason};
use slipway_core::code::RefName;
use slipway_core::ids::{BuildId, RuleId};
use slipway_core::log::PushProgress;
use slipway_core::{ErrorCode, Failure};
use slipway_store::{BuildPatch, BuildRecord, Change};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use backoff::{pause, retry_after};
pub(crate) use settle::Ended;

/// Tries of one step before its failure is final (or, for a push, before it waits long).
pub(crate) const RETRY_BUDGET: u32 = 3;
/// An engine has to say that it is there within this.
const PROBE_DEADLINE: Duration = Duration::from_secs(15);

/// Nothing in the queue waits longer than this for its next try, whatever the outside asks for.
pub(crate) const LONGEST_WAIT: TimeDelta = TimeDelta::days(1);

/// The running queue.
pub(crate) struct Queue {
    parts: Arc<Parts>,
    running: Mutex<HashMap<BuildId, Running>>,
    /// Engines that are away.
    away: Mutex<HashMap<String, Away>>,
}

/// A build in the hands of a worker.
struct Running {
    cancel: CancellationToken,
    engine: String,
    lane: Option<(RuleId, RefName)>,
    pushing: BTreeMap<String, PushProgress>,
}

/// An engine that is away.
#[derive(Clone)]
struct Away {
    failure: Failure,
    probes: u32,
    /// On the monotonic clock: whatever happens to the wall clock, the engine is asked again.
    next_probe: Instant,
}

/// One unfinished build with the reason why it does not run.
#[derive(Debug, Clone)]
pub struct QueuedBuild {
    /// The build.
    pub build: BuildRecord,
    /// Why it waits; `None` while it runs.
    pub waits_for: Option<WaitReason>,
}

impl Queue {
    /// Starts taking builds.
    pub(crate) fn start(parts: Arc<Parts>, tasks: &TaskTracker) -> Arc<Self> {
        let queue = Arc::new(Self { parts, running: Mutex::default(), away: Mutex::default() });
        let (this, tracker) = (Arc::clone(&queue), tasks.clone());
        tasks.spawn(async move { this.dispatch_for_ever(&tracker).await });
        queue
    }

    /// Stops the worker of a build; the row holds the wish already.
    pub(crate) fn stop_worker(&self, build: BuildId) {
        if let Some(running) = self.running().get(&build) {
            running.cancel.cancel();
        }
    }

    /// Notes how far a layer of a push is.
    pub(crate) fn push_progressed(&self, build: BuildId, progress: PushProgress) {
        if let Some(running) = self.running().get_mut(&build) {
            running.pushing.insert(progress.layer.clone(), progress);
        }
        self.parts.announce(AppEvent::PushProgressed { build });
    }

    /// Returns how far the layers of a running push are.
    pub(crate) fn push_progress(&self, build: BuildId) -> Vec<PushProgress> {
        self.running().get(&build).map(|running| running.pushing.values().cloned().collect()).unwrap_or_default()
    }

    /// Returns everything unfinished, oldest first, with the reason why each build waits.
    pub(crate) async fn view(&self) -> Result<Vec<QueuedBuild>, Failure> {
        let builds = self.parts.store.non_final().await?;
        let now = self.parts.now();
        let mut ahead: HashMap<String, usize> = HashMap::new();
        let view = builds
            .into_iter()
            .map(|build| {
                let waits_for = (build.state != BuildState::Running).then(|| {
                    let ahead = ahead.entry(build.engine.clone()).or_default();
                    let reason = self.wait_reason(&build, *ahead, now);
                    *ahead += 1;
                    reason
                });
                QueuedBuild { build, waits_for }
            })
            .collect();
        Ok(view)
    }

    fn wait_reason(&self, build: &BuildRecord, ahead: usize, now: DateTime<Utc>) -> WaitReason {
        if let Some(short) = self.parts.room.shortage() {
            return WaitReason::Outside { failure: short.failure };
        }
        if let Some(BuildReason::Waiting { failure }) = &build.reason {
            return WaitReason::Outside { failure: failure.clone() };
        }
        if let (Some(until), Some(failure)) = (build.not_before.filter(|at| *at > now), &build.failure) {
            return WaitReason::Backoff { until, failure: failure.clone() };
        }
        if let Some(away) = self.away().get(&build.engine) {
            return WaitReason::Outside { failure: away.failure.clone() };
        }
        let lane = lane(build);
        let same = self.running().iter().find(|(_, running)| lane.is_some() && running.lane == lane).map(|(id, _)| *id);
        same.map_or(WaitReason::Slots { ahead }, |build| WaitReason::SameRef { build })
    }

    async fn dispatch_for_ever(self: Arc<Self>, tasks: &TaskTracker) {
        loop {
            let pause = match self.dispatch(tasks).await {
                Ok(pause) => pause,
                Err(failure) => {
                    tracing::error!(%failure, "the queue cannot be read");
                    self.parts.room.note(&failure);
                    self.parts.pace.recheck
                }
            };
            tokio::select! {
                () = self.parts.stop.cancelled() => return,
                () = self.parts.queue_wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Gives waiting builds to workers; returns when to look again without being woken.
    async fn dispatch(self: &Arc<Self>, tasks: &TaskTracker) -> Result<Duration, Failure> {
        if self.parts.room.shortage().is_some() {
            return Ok(self.parts.pace.recheck);
        }
        let slots = self.parts.settings().await?.concurrency;
        let mut pause = self.parts.pace.recheck;
        // A lane whose first build has to wait stays shut for this pass: a later one must not overtake it.
        let mut shut = HashSet::new();
        for build in self.parts.store.non_final().await? {
            if build.state == BuildState::Running || self.parts.stop.is_cancelled() {
                continue;
            }
            let now = self.parts.now();
            let wait = build.not_before.map_or(TimeDelta::zero(), |at| at - now);
            if wait > LONGEST_WAIT {
                // Written before the clock was set back (F21): nothing waits that long.
                self.forget_wait(&build).await?;
            } else if wait > TimeDelta::zero() {
                pause = pause.min(wait.to_std().unwrap_or_default());
                continue;
            }
            let lane = lane(&build);
            if lane.as_ref().is_some_and(|lane| shut.contains(lane)) {
                continue;
            }
            let is_free = {
                let running = self.running();
                running.values().filter(|one| one.engine == build.engine).count() < slots
                    && !running.values().any(|one| lane.is_some() && one.lane == lane)
            };
            if !is_free {
                shut.extend(lane);
                continue;
            }
            if let Err(wait) = self.engine_is_there(&build.engine).await {
                pause = pause.min(wait);
                continue;
            }
            if self.parts.store.claim(build.id, &self.parts.boot_id, now).await? {
                fail_point("build.claimed");
                self.run(build, lane, tasks);
            }
        }
        Ok(pause.max(Duration::from_millis(1)))
    }

    async fn forget_wait(&self, build: &BuildRecord) -> Result<(), Failure> {
        let other = if build.state == BuildState::Queued { BuildState::Paused } else { BuildState::Queued };
        let patch = BuildPatch { not_before: Change::Clear, ..BuildPatch::default() };
        self.parts.store.transition(build.id, build.state, other, &patch, self.parts.now()).await?;
        Ok(())
    }

    fn run(self: &Arc<Self>, build: BuildRecord, lane: Option<(RuleId, RefName)>, tasks: &TaskTracker) {
        let cancel = self.parts.stop.child_token();
        let running = Running { cancel: cancel.clone(), engine: build.engine.clone(), lane, pushing: BTreeMap::new() };
        self.running().insert(build.id, running);
        self.announce(&build);
        let this = Arc::clone(self);
        tasks.spawn(async move {
            let work = pipeline::run(&this.parts, &this, build.id, &cancel);
            let result = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                Err(Failure::internal("the build's worker ended unexpectedly; the application's log has the place"))
            });
            while let Err(failure) = settle::settle(&this, &build, &result).await {
                tracing::error!(build = %build.id, %failure, "the end of a build could not be written");
                if !room::is_about_room(&failure) {
                    // The row stays as it is; the next start settles it.
                    break;
                }
                this.parts.room.note(&failure);
                tokio::select! {
                    () = this.parts.stop.cancelled() => break,
                    () = this.parts.room.again() => {}
                }
            }
            this.running().remove(&build.id);
            this.announce(&build);
            this.parts.queue_wake.notify_one();
        });
    }

    /// Returns whether work can be given to an engine; `Err` with the time until the next probe when it is away.
    async fn engine_is_there(&self, name: &str) -> Result<(), Duration> {
        let Some(away) = self.away().get(name).cloned() else { return Ok(()) };
        let wait = away.next_probe.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            return Err(wait);
        }
        let probe = async { self.parts.engine(name)?.info().await };
        let answer = tokio::time::timeout(PROBE_DEADLINE, probe).await;
        match answer {
            Ok(Ok(_)) => {
                self.away().remove(name);
                self.parts.announce(AppEvent::HealthChanged);
                self.parts.announce(AppEvent::QueueChanged);
                Ok(())
            }
            Ok(Err(failure)) => Err(self.engine_went_away(name, failure)),
            Err(_) => {
                Err(self.engine_went_away(name, Failure::new(ErrorCode::EngineAbsent, "the engine does not answer")))
            }
        }
    }

    /// Notes that an engine is away; returns the time until it is asked again.
    fn engine_went_away(&self, name: &str, failure: Failure) -> Duration {
        let mut engines = self.away();
        let probes = engines.get(name).map_or(0, |away| away.probes) + 1;
        let wait = pause(self.parts.pace.probe_base, self.parts.pace.probe_cap, probes, &failure, self.parts.now());
        let wait = wait.to_std().unwrap_or_default();
        engines.insert(name.to_owned(), Away { failure, probes, next_probe: Instant::now() + wait });
        wait
    }

    /// Notes that an engine's disk is full. Whether there is room only a build shows: the next one is let through later, and
    /// later each time.
    fn engine_is_full(&self, row: &BuildRecord, failure: &Failure) {
        let pace = &self.parts.pace;
        let wait = pause(pace.retry_base, pace.retry_cap, row.attempt, failure, self.parts.now());
        let next_probe = Instant::now() + wait.to_std().unwrap_or_default();
        self.away().insert(row.engine.clone(), Away { failure: failure.clone(), probes: row.attempt, next_probe });
        self.parts.announce(AppEvent::HealthChanged);
        self.parts.announce(AppEvent::QueueChanged);
    }

    /// Returns the engines whose disk is full, as far as builds showed.
    pub(crate) fn full_engines(&self) -> Vec<String> {
        let away = self.away();
        let mut full: Vec<String> = away
            .iter()
            .filter(|(_, away)| away.failure.code == ErrorCode::EngineDiskFull)
            .map(|(name, _)| name.clone())
            .collect();
        full.sort();
        full
    }

    /// Lets the next build through to every engine: a person says that it may be there again.
    pub(crate) fn ask_engines_now(&self) {
        for away in self.away().values_mut() {
            away.next_probe = Instant::now();
        }
        self.parts.queue_wake.notify_one();
    }

    fn announce(&self, build: &BuildRecord) {
        self.parts.announce(AppEvent::BuildChanged { build: build.id, repository: build.repository });
        self.parts.announce(AppEvent::QueueChanged);
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<BuildId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn away(&self) -> std::sync::MutexGuard<'_, HashMap<String, Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Builds of one lane never run at the same time.
fn lane(build: &BuildRecord) -> Option<(RuleId, RefName)> {
    build.rule.zip(build.ref_name.clone())
}
