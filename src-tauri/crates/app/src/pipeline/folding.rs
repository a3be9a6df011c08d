//! The end of the thread that writes what the engine says.

use slipway_core::Failure;
use tokio::task::JoinHandle;

/// The thread that writes what the engine says, also when the stage that began it was dropped.
#[derive(Default)]
pub(super) struct Folding(tokio::sync::Mutex<Option<JoinHandle<Result<(), Failure>>>>);

impl Folding {
    /// Begins the one of this attempt.
    pub(super) async fn begin(&self, fold: impl FnOnce() -> Result<(), Failure> + Send + 'static) {
        *self.0.lock().await = Some(tokio::task::spawn_blocking(fold));
    }

    /// Waits until everything that was said is written. May be dropped and called again.
    pub(super) async fn end(&self) -> Result<(), Failure> {
        let mut running = self.0.lock().await;
        let Some(fold) = running.as_mut() else { return Ok(()) };
        let folded = fold.await;
        *running = None;
        folded.map_err(Failure::internal)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn what_was_said_before_a_stage_was_dropped_is_waited_for() {
        let folding = Folding::default();
        assert!(folding.end().await.is_ok(), "nothing was begun");
        let (go_on, waits) = std::sync::mpsc::channel::<()>();
        folding.begin(move || waits.recv().map_err(Failure::internal)).await;
        assert!(
            tokio::time::timeout(Duration::ZERO, folding.end()).await.is_err(),
            "the stage is dropped while it waits"
        );
        go_on.send(()).unwrap_or_else(|_| panic!("the fold has ended"));
        assert!(folding.end().await.is_ok());
        let gone = std::sync::mpsc::channel::<()>().1;
        folding.begin(move || gone.recv().map_err(Failure::internal)).await;
        assert!(folding.end().await.is_err(), "how it ended is told");
        assert!(folding.end().await.is_ok(), "once");
    }
}
