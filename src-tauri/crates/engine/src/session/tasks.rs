//! Every task of a build, so that none outlives it.

use std::future::Future;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long [`RunningTasks::end`] waits for tasks that were told to stop. A blocking read of a context may take this long.
const END: Duration = Duration::from_millis(800);

/// Spawns tasks that end with the build.
#[derive(Clone)]
pub(crate) struct BuildTasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// The owner of a build's tasks: dropping it stops them.
pub(crate) struct RunningTasks {
    tracker: TaskTracker,
    stop: DropGuard,
}

impl BuildTasks {
    /// Makes an empty set and its owner.
    pub(crate) fn new() -> (Self, RunningTasks) {
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let owner = RunningTasks { tracker: tracker.clone(), stop: stop.clone().drop_guard() };
        (Self { tracker, stop }, owner)
    }

    /// Runs a future until it ends or the build does.
    pub(crate) fn spawn<F>(&self, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let stop = self.stop.clone();
        self.tracker.spawn(async move { stop.run_until_cancelled_owned(future).await.is_some() });
    }

    /// Runs blocking work, which has to look at [`BuildTasks::stopped`] between its steps.
    pub(crate) fn spawn_blocking(&self, work: impl FnOnce() + Send + 'static) {
        self.tracker.spawn_blocking(work);
    }

    /// Returns true when the build is over.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.is_cancelled()
    }
}

impl RunningTasks {
    /// Stops all tasks and waits for them.
    pub(crate) async fn end(self) {
        drop(self.stop);
        self.tracker.close();
        if tokio::time::timeout(END, self.tracker.wait()).await.is_err() {
            tracing::warn!(tasks = self.tracker.len(), "tasks of a build take long to stop");
        }
    }
}

impl<F> hyper::rt::Executor<F> for BuildTasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        self.spawn(future);
    }
}
