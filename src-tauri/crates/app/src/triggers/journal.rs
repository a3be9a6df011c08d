//! The journal of an attempt in the store.

use crate::fail_point::fail_point_of_step;
use crate::{AppEvent, Parts};
use async_trait::async_trait;
use slipway_core::Failure;
use slipway_core::deploy::{DeployJournal, JournalEntry, JournalMark};
use slipway_core::ids::{FiringId, TargetId};
use std::sync::Arc;

/// The journal of one attempt of a firing.
pub(crate) struct RowJournal {
    pub(crate) parts: Arc<Parts>,
    pub(crate) firing: FiringId,
    pub(crate) target: TargetId,
    pub(crate) attempt: u32,
}

#[async_trait]
impl DeployJournal for RowJournal {
    async fn write(&self, entry: JournalEntry) -> Result<(), Failure> {
        if entry.mark != JournalMark::Intended {
            fail_point_of_step(entry.kind, "acted");
        }
        let now = self.parts.now();
        self.parts.store.add_firing_entry(self.firing, self.attempt, &entry, now).await?;
        if entry.mark == JournalMark::Intended {
            fail_point_of_step(entry.kind, "intended");
        }
        self.parts.announce(AppEvent::FiringChanged { firing: self.firing, target: self.target });
        Ok(())
    }

    async fn entries(&self) -> Result<Vec<JournalEntry>, Failure> {
        let entries = self.parts.store.firing_entries(self.firing, self.attempt).await?;
        Ok(entries.into_iter().map(|(_, entry)| entry).collect())
    }

    async fn line(&self, text: &str) {
        if let Err(error) = self.parts.store.add_firing_line(self.firing, text, self.parts.now()).await {
            tracing::warn!(firing = %self.firing, %error, "a line of a firing's log is lost");
        }
        self.parts.announce(AppEvent::FiringLogged { firing: self.firing });
    }
}
