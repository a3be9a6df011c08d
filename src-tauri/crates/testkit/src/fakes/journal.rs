//! A deploy journal in memory, which can stop the world at any of its writes: what a killed process leaves behind.

use async_trait::async_trait;
use slipway_core::Failure;
use slipway_core::deploy::{DeployJournal, JournalEntry, JournalMark, StepKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// A journal that several "processes" share, one after another. Clones share what is written.
#[derive(Debug, Clone, Default)]
pub struct MemoryJournal {
    written: Arc<Mutex<Written>>,
    stop_at: Option<usize>,
    stopped: CancellationToken,
}

#[derive(Debug, Default)]
struct Written {
    entries: Vec<JournalEntry>,
    lines: Vec<String>,
}

impl MemoryJournal {
    /// The same journal for a process that dies at write number `at` (from 0): before the result of a step is written, after
    /// the intent of one is.
    #[must_use]
    pub fn dying_at(&self, at: usize) -> Self {
        Self { written: Arc::clone(&self.written), stop_at: Some(at), stopped: CancellationToken::new() }
    }

    /// The same journal for the next process.
    #[must_use]
    pub fn next_process(&self) -> Self {
        Self { written: Arc::clone(&self.written), stop_at: None, stopped: CancellationToken::new() }
    }

    /// Runs the work of a process until it ends or dies; `None` when it died.
    pub async fn until_death<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stopped.cancelled() => None,
            result = work => Some(result),
        }
    }

    /// Returns the lines of the log.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    /// Returns the steps that are done, in order, with their subjects.
    #[must_use]
    pub fn done(&self) -> Vec<(StepKind, String)> {
        let written = self.lock();
        let done = written.entries.iter().filter(|entry| entry.mark == JournalMark::Done);
        done.map(|entry| (entry.kind, entry.subject.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn die(&self) {
        self.stopped.cancel();
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl DeployJournal for MemoryJournal {
    async fn write(&self, entry: JournalEntry) -> Result<(), Failure> {
        let (dies, intent) = (self.stop_at == Some(self.lock().entries.len()), entry.mark == JournalMark::Intended);
        if dies && !intent {
            self.die().await;
        }
        self.lock().entries.push(entry);
        if dies {
            self.die().await;
        }
        Ok(())
    }

    async fn entries(&self) -> Result<Vec<JournalEntry>, Failure> {
        Ok(self.lock().entries.clone())
    }

    async fn line(&self, text: &str) {
        self.lock().lines.push(text.to_owned());
    }
}
