//! Work with a deadline that a person can cancel.

use slipway_core::{ErrorCode, Failure};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Raised when its owner goes away; blocking work looks at it between objects.
#[derive(Debug, Default)]
pub(crate) struct StopOnDrop(Arc<AtomicBool>);

impl StopOnDrop {
    /// Returns the flag that the work looks at.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Fails when the owner of the flag went away.
pub(crate) fn go_on(stop: &AtomicBool) -> Result<(), Failure> {
    if stop.load(Ordering::Relaxed) { Err(Failure::cancelled()) } else { Ok(()) }
}

/// Runs a future until it ends, the token is cancelled or the deadline passes.
pub(crate) async fn guarded<T>(
    what: &str,
    deadline: Duration,
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::cancelled()),
        result = tokio::time::timeout(deadline, work) => result.unwrap_or_else(|_| Err(timed_out(what, deadline))),
    }
}

/// The failure of a step that took longer than it may.
pub(crate) fn timed_out(what: &str, deadline: Duration) -> Failure {
    Failure::new(ErrorCode::TimedOut, format!("{what} took longer than {} seconds", deadline.as_secs()))
        .with("seconds", deadline.as_secs().to_string())
}

/// Runs blocking work on a worker thread. When the returned future is dropped the work's flag is raised.
pub(crate) async fn on_worker<T: Send + 'static>(
    work: impl FnOnce(&AtomicBool) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let owner = StopOnDrop::default();
    let stop = owner.flag();
    match tokio::task::spawn_blocking(move || work(&stop)).await {
        Ok(result) => result,
        Err(error) => Err(Failure::internal(format!("a worker ended early: {error}"))),
    }
}
