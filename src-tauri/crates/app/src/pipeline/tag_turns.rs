//! One build at a time moves a tag. Builds of several refs share tags such as `latest`: between "has a later push moved it?"
//! and the push itself nobody else may come.

use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::Tag;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// The tags that are being published now.
#[derive(Default)]
pub(crate) struct TagTurns {
    taken: Mutex<HashSet<(ImageRepositoryId, Tag)>>,
    freed: Notify,
}

/// The turn of one build to move one tag; it ends with this.
pub(super) struct TagTurn<'turns> {
    turns: &'turns TagTurns,
    key: (ImageRepositoryId, Tag),
}

impl TagTurns {
    /// Waits for the turn.
    pub(super) async fn wait(&self, repository: ImageRepositoryId, tag: &Tag) -> TagTurn<'_> {
        let key = (repository, tag.clone());
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Before the look, so that no end falls between the two.
            freed.as_mut().enable();
            if self.taken().insert(key.clone()) {
                return TagTurn { turns: self, key };
            }
            freed.await;
        }
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, HashSet<(ImageRepositoryId, Tag)>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TagTurn<'_> {
    fn drop(&mut self) {
        self.turns.taken().remove(&self.key);
        self.turns.freed.notify_waiters();
    }
}
