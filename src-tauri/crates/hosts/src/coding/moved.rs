//! Depots with the time of their last push, a hundred per request, in no order: all pages are read.

use super::Coding;
use super::repositories::{PAGE, mine};
use crate::gate::{Row, SWEEP, Seen, compare};
use crate::lists::MOST_PAGES;
use crate::provider::Moves;
use crate::session::Session;
use async_trait::async_trait;
use slipway_core::Failure;
use slipway_core::host::{Moved, MovedMark, RateState, RepositoryPath, WhatMoved};
use std::time::Duration;

/// No limit is published: at most one request a second, however many pages there are.
const USUAL: Duration = Duration::from_secs(60);

#[async_trait]
impl Moves for Coding {
    async fn what_moved(
        &self,
        session: &Session<'_>,
        _watched: &[RepositoryPath],
        mark: Option<&MovedMark>,
    ) -> Result<WhatMoved, Failure> {
        let known = Seen::read(mark);
        let mut begun = None;
        let mut rows = Vec::new();
        let mut whole = false;
        for page in 1..=MOST_PAGES {
            let (found, at) = mine(session, page).await?;
            begun.get_or_insert(at);
            whole = found.len() < PAGE;
            rows.extend(found.into_iter().map(|one| Row {
                id: one.id.to_string(),
                path: one.path(),
                at: one.pushed_at(),
            }));
            if whole {
                break;
            }
        }
        let (moved, seen) = compare(known.as_ref(), &rows, None, begun.unwrap_or_default());
        Ok(WhatMoved {
            moved: if whole { moved } else { Moved::CannotTell },
            mark: Some(seen.mark()),
            next_after: USUAL.max(Duration::from_secs(u64::from(session.requests()))),
            sweep_after: SWEEP,
            rate: RateState::default(),
            requests: session.requests(),
        })
    }
}
