//! Scripted fakes of the ports: everything in memory, failures and pauses on demand, every call counted. They honour the
//! contracts of `slipway_core::ports`: cancellation ends a call at once, and calling again is safe.

mod channels;
mod clock;
mod code;
mod engine;
mod hosts;
mod journal;
mod registries;
mod targets;
mod vault;

pub use channels::{FakeChannels, SeenCall};
pub use clock::FakeClock;
pub use code::{FakeCodeStore, FakeRepository};
pub use engine::{FakeBuild, FakeEngine, SeenBuild};
pub use hosts::FakeHosts;
pub use journal::MemoryJournal;
pub use registries::FakeRegistries;
pub use targets::FakeTargets;
pub use vault::MemoryVault;

use slipway_core::Failure;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Failures waiting for calls by name, and how often each was called.
#[derive(Default)]
pub(crate) struct Script {
    failures: Mutex<HashMap<&'static str, VecDeque<Failure>>>,
    always: Mutex<HashMap<&'static str, Failure>>,
    calls: Mutex<HashMap<&'static str, usize>>,
}

impl Script {
    /// Counts a call and returns the failure that was scripted for it.
    pub(crate) fn enter(&self, call: &'static str) -> Result<(), Failure> {
        *lock(&self.calls).entry(call).or_default() += 1;
        if let Some(failure) = lock(&self.always).get(call) {
            return Err(failure.clone());
        }
        match lock(&self.failures).get_mut(call).and_then(VecDeque::pop_front) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    pub(crate) fn fail(&self, call: &'static str, failure: Failure, times: usize) {
        lock(&self.failures).entry(call).or_default().extend(std::iter::repeat_n(failure, times));
    }

    pub(crate) fn always(&self, call: &'static str, failure: Option<Failure>) {
        match failure {
            Some(failure) => lock(&self.always).insert(call, failure),
            None => lock(&self.always).remove(call),
        };
    }

    pub(crate) fn calls(&self, call: &'static str) -> usize {
        lock(&self.calls).get(call).copied().unwrap_or(0)
    }
}

/// A door that calls wait at while it is shut.
pub(crate) struct Gate {
    shut: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { shut: watch::Sender::new(false), waiting: watch::Sender::new(0) }
    }
}

impl Gate {
    pub(crate) fn set_shut(&self, shut: bool) {
        self.shut.send_replace(shut);
    }

    /// Waits until the door is open or the call is cancelled.
    pub(crate) async fn pass(&self, cancel: &CancellationToken) -> Result<(), Failure> {
        let mut shut = self.shut.subscribe();
        if !*shut.borrow_and_update() {
            return Ok(());
        }
        let _waiting = Waiting::new(&self.waiting);
        tokio::select! {
            () = cancel.cancelled() => Err(Failure::cancelled()),
            _ = shut.wait_for(|shut| !shut) => Ok(()),
        }
    }

    /// Returns once at least so many calls wait at the door.
    pub(crate) async fn wait_for_callers(&self, count: usize) {
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting >= count).await;
    }
}

/// Counts one caller at a gate for as long as it lives, dropped futures included.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Locks a mutex of a fake; a panicking test has failed already.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// SHA-256 of some parts in hex.
pub(crate) fn hash(parts: &[&[u8]]) -> String {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
