//! The queue of firings: rows in the store, one at a time for each target, several targets at the same time. Memory only
//! wakes; at start what an earlier run left open is resumed before anything new begins on the same target.

use crate::fail_point::fail_point;
use crate::triggers::attempt::{self, Begun};
use crate::triggers::{hand_over, keep};
use crate::{AppEvent, Parts};
use chrono::TimeDelta;
use futures::FutureExt;
use slipway_core::Failure;
use slipway_core::deploy::RunImage;
use slipway_core::ids::{FiringId, TargetId};
use slipway_core::trigger::FiringState;
use slipway_store::{ClaimedFiring, FiringRecord, PersonsFiring};
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Targets that are updated at the same time.
const AT_ONCE: usize = 4;
/// A worker that ended unexpectedly so often is not begun again.
const CRASHES: u32 = 3;

/// The running queue.
pub(crate) struct Firings {
    parts: Arc<Parts>,
    running: Mutex<HashMap<FiringId, Running>>,
    crashes: Mutex<HashMap<FiringId, u32>>,
    /// What is to be run as a new service: it lives as long as the wish in this process; a row whose request is gone ends.
    requests: tokio::sync::Mutex<HashMap<FiringId, RunImage>>,
}

struct Running {
    target: TargetId,
    cancel: CancellationToken,
}

impl Firings {
    /// Starts taking firings.
    pub(crate) fn start(parts: Arc<Parts>, tasks: &TaskTracker) -> Arc<Self> {
        let firings = Arc::new(Self {
            parts,
            running: Mutex::default(),
            crashes: Mutex::default(),
            requests: tokio::sync::Mutex::default(),
        });
        let (this, tracker) = (Arc::clone(&firings), tasks.clone());
        tasks.spawn(async move { this.dispatch_for_ever(&tracker).await });
        firings
    }

    /// Stops the worker of a firing; the row holds the wish already.
    pub(crate) fn stop_worker(&self, firing: FiringId) {
        if let Some(running) = lock(&self.running).get(&firing) {
            running.cancel.cancel();
        }
    }

    /// Writes the wish to run an image as a new service, with what it needs.
    pub(crate) async fn insert_run(
        &self,
        wish: &PersonsFiring,
        request: impl FnOnce(FiringId) -> RunImage,
    ) -> Result<FiringId, Failure> {
        // Held over both: whoever takes the row finds the request.
        let mut requests = self.requests.lock().await;
        let id = self.parts.store.insert_persons_firing(wish, self.parts.now()).await?;
        fail_point("run.row");
        requests.insert(id, request(id));
        Ok(id)
    }

    pub(crate) async fn take_request(&self, id: FiringId) -> Option<RunImage> {
        self.requests.lock().await.remove(&id)
    }

    async fn dispatch_for_ever(self: Arc<Self>, tasks: &TaskTracker) {
        if let Ok(unfinished) = self.parts.store.unfinished_firings().await {
            for firing in unfinished.iter().filter(|firing| firing.state == FiringState::Waiting) {
                keep::while_waiting(&self.parts, firing).await;
            }
        }
        loop {
            let pause = match self.dispatch(tasks).await {
                Ok(pause) => pause,
                Err(failure) => {
                    tracing::error!(%failure, "firings cannot be read");
                    self.parts.room.note(&failure);
                    self.parts.pace.recheck
                }
            };
            tokio::select! {
                () = self.parts.stop.cancelled() => return,
                () = self.parts.firing_wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Gives firings to workers; returns when to look again without being woken.
    async fn dispatch(self: &Arc<Self>, tasks: &TaskTracker) -> Result<Duration, Failure> {
        if self.parts.room.shortage().is_some() {
            return Ok(self.parts.pace.recheck);
        }
        hand_over::everything_open(&self.parts).await?;
        let mut pause = self.parts.pace.recheck;
        let mut unfinished = self.parts.store.unfinished_firings().await?;
        // What an earlier run began on a target ends before anything else begins there.
        unfinished.sort_by_key(|firing| (firing.state != FiringState::Running, firing.id));
        for firing in unfinished {
            let busy = {
                let running = lock(&self.running);
                running.len() >= AT_ONCE || running.values().any(|one| one.target == firing.target)
            };
            if busy || self.parts.stop.is_cancelled() {
                continue;
            }
            if firing.state == FiringState::Running {
                self.run(firing, Begun::Earlier, tasks);
                continue;
            }
            let now = self.parts.now();
            let wait = firing.not_before.map_or(TimeDelta::zero(), |at| at - now);
            // A time beyond any pause was written before the clock was set back.
            if wait > TimeDelta::zero() && wait <= crate::queue::LONGEST_WAIT {
                pause = pause.min(wait.to_std().unwrap_or_default());
                continue;
            }
            match self.parts.store.claim_firing(firing.id, now).await? {
                ClaimedFiring::Claimed(claimed) => {
                    fail_point("firing.claimed");
                    self.run(*claimed, Begun::Now, tasks);
                }
                ClaimedFiring::Ended => hand_over::announce(&self.parts, &firing),
                ClaimedFiring::Gone => {}
            }
        }
        Ok(pause.max(Duration::from_millis(1)))
    }

    fn run(self: &Arc<Self>, firing: FiringRecord, begun: Begun, tasks: &TaskTracker) {
        // No child of the stop: when the application stops the work is dropped where it stands, and the next start resumes.
        let cancel = CancellationToken::new();
        if firing.cancel_requested {
            cancel.cancel();
        }
        lock(&self.running).insert(firing.id, Running { target: firing.target, cancel: cancel.clone() });
        hand_over::announce(&self.parts, &firing);
        let this = Arc::clone(self);
        tasks.spawn(async move {
            let work = AssertUnwindSafe(attempt::run(&this, &firing, begun, &cancel)).catch_unwind();
            let ended = tokio::select! {
                () = this.parts.stop.cancelled() => None,
                ended = work => Some(ended),
            };
            match ended {
                None | Some(Ok(Ok(()))) => {}
                Some(Ok(Err(failure))) => {
                    tracing::error!(firing = %firing.id, %failure, "the end of an update could not be written");
                    this.parts.room.note(&failure);
                }
                Some(Err(_)) => this.crashed(&firing).await,
            }
            lock(&this.running).remove(&firing.id);
            hand_over::announce(&this.parts, &firing);
            this.parts.announce(AppEvent::TargetsChanged);
            this.parts.firing_wake.notify_one();
        });
    }

    /// A fault of Slipway: the attempt is resumed as after a crash, a few times.
    async fn crashed(&self, firing: &FiringRecord) {
        let crashes = {
            let mut crashes = lock(&self.crashes);
            let crashes = crashes.entry(firing.id).or_default();
            *crashes += 1;
            *crashes
        };
        if crashes >= CRASHES {
            let failure = Failure::internal("the worker ended unexpectedly; the application's log has the place");
            let ended = attempt::end(&self.parts, firing.id, FiringState::Broken, None, Some(&failure)).await;
            if let Err(error) = ended {
                tracing::error!(firing = %firing.id, %error, "the end of an update could not be written");
            }
        }
    }

    pub(crate) fn parts(&self) -> &Arc<Parts> {
        &self.parts
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
