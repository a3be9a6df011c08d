//! The account's repositories, the last pushed first. Gitee promises no conditional requests and no limits: one a minute.

use super::Gitee;
use super::repositories::{Repository, own_list};
use crate::gate::{Row, SWEEP, Seen, advice, compare};
use crate::lists::{MOST_PAGES, next_number};
use crate::provider::Moves;
use crate::session::Session;
use async_trait::async_trait;
use slipway_core::Failure;
use slipway_core::host::{Moved, MovedMark, RateState, RepositoryPath, WhatMoved};
use std::time::Duration;

const USUAL: Duration = Duration::from_secs(60);

#[async_trait]
impl Moves for Gitee {
    async fn what_moved(
        &self,
        session: &Session<'_>,
        _watched: &[RepositoryPath],
        mark: Option<&MovedMark>,
    ) -> Result<WhatMoved, Failure> {
        let known = Seen::read(mark);
        let mut rows = Vec::new();
        let (mut rate, mut now) = (RateState::default(), None);
        let mut whole = false;
        for page in 1..=MOST_PAGES {
            let answer =
                own_list(session, "owner,collaborator,organization_member,enterprise_member", page).send().await?;
            rate = answer.rate();
            // The oldest answer's time: what came after it may be missing from that page.
            now.get_or_insert(answer.date().unwrap_or(answer.received_at));
            let found: Vec<Repository> = answer.json()?;
            let next = next_number(&answer, page, found.len(), 100);
            rows.extend(found.into_iter().map(|one| Row {
                id: one.id.to_string(),
                path: one.full_name,
                at: one.pushed_at,
            }));
            whole = next.is_none() || Seen::is_read_far_enough(known.as_ref(), &rows);
            if whole {
                break;
            }
        }
        let now = now.unwrap_or_default();
        let (moved, seen) = compare(known.as_ref(), &rows, None, now);
        let requests = session.requests();
        Ok(WhatMoved {
            moved: if whole { moved } else { Moved::CannotTell },
            mark: Some(seen.mark()),
            next_after: advice(USUAL, &rate, requests, now),
            sweep_after: SWEEP,
            rate,
            requests,
        })
    }
}
