//! GitLab has no list that tells pushes in time: `last_activity_at` moves at most once an hour.

use super::Gitlab;
use crate::gate::SWEEP;
use crate::provider::Moves;
use crate::session::Session;
use async_trait::async_trait;
use slipway_core::Failure;
use slipway_core::host::{Moved, MovedMark, RateState, RepositoryPath, WhatMoved};
use std::time::Duration;

/// Each repository is asked for its refs, so the rhythm is that of git requests (1,000 a minute at GitLab.com).
const USUAL: Duration = Duration::from_secs(60);

#[async_trait]
impl Moves for Gitlab {
    async fn what_moved(
        &self,
        session: &Session<'_>,
        _watched: &[RepositoryPath],
        _mark: Option<&MovedMark>,
    ) -> Result<WhatMoved, Failure> {
        Ok(WhatMoved {
            moved: Moved::CannotTell,
            mark: None,
            next_after: USUAL,
            sweep_after: SWEEP,
            rate: RateState::default(),
            requests: session.requests(),
        })
    }
}
