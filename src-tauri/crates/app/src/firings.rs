//! Use cases on firings, the records of triggers and of what people did to targets.

use crate::triggers::hand_over::announce;
use crate::{AppEvent, Slipway};
use slipway_core::Failure;
use slipway_core::deploy::JournalEntry;
use slipway_core::ids::FiringId;
use slipway_core::trigger::FiringState;
use slipway_store::{FiringFilter, FiringLine, FiringPage, FiringRecord};

/// Everything about one firing.
#[derive(Debug, Clone)]
pub struct FiringDetail {
    /// The row.
    pub firing: FiringRecord,
    /// What its last attempt did, with the time of each entry.
    pub journal: Vec<(chrono::DateTime<chrono::Utc>, JournalEntry)>,
}

impl Slipway {
    /// Returns a page of firings, newest first.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn firings(
        &self,
        filter: &FiringFilter,
        before: Option<FiringId>,
        limit: u32,
    ) -> Result<FiringPage, Failure> {
        Ok(self.parts.store.list_firings(filter, before, limit).await?)
    }

    /// Returns everything about a firing but its log.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn firing_detail(&self, id: FiringId) -> Result<FiringDetail, Failure> {
        let firing = self.parts.store.firing(id).await?;
        Ok(FiringDetail { journal: self.parts.store.firing_entries(id, firing.attempt).await?, firing })
    }

    /// Returns the log of a firing.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn firing_log(&self, id: FiringId) -> Result<Vec<FiringLine>, Failure> {
        self.parts.store.firing(id).await?;
        Ok(self.parts.store.firing_lines(id).await?)
    }

    /// Cancels a firing: a waiting one at once; a running one undoes what it did. Again does nothing more.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn cancel_firing(&self, id: FiringId) -> Result<FiringState, Failure> {
        let state = self.parts.store.request_cancel_of_firing(id, self.parts.now()).await?;
        self.firings.stop_worker(id);
        announce(&self.parts, &self.parts.store.firing(id).await?);
        Ok(state)
    }

    /// Removes the record of a firing that is over.
    ///
    /// # Errors
    /// `WrongState` while it is not over, or while its target is pinned to it.
    pub async fn delete_firing(&self, id: FiringId) -> Result<(), Failure> {
        let firing = self.parts.store.firing(id).await?;
        self.parts.store.delete_firing(id).await?;
        announce(&self.parts, &firing);
        self.parts.announce(AppEvent::TargetsChanged);
        Ok(())
    }
}
