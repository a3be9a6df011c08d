//! One conditional request per look: the account's repositories, the last pushed first. "Not modified" costs nothing.

use super::Github;
use super::repositories::{Repository, own_list};
use crate::gate::{Row, SWEEP, Seen, advice, compare};
use crate::provider::Moves;
use crate::session::Session;
use async_trait::async_trait;
use http::StatusCode;
use http::header::IF_NONE_MATCH;
use slipway_core::Failure;
use slipway_core::host::{Moved, MovedMark, RepositoryPath, WhatMoved};
use std::time::Duration;

/// GitHub's own wish for polling is a minute; half of it is free as long as nothing moves.
const USUAL: Duration = Duration::from_secs(30);
/// After a long pause more pages than this would cost more than asking the watched repositories.
const MOST_PAGES: usize = 10;

#[async_trait]
impl Moves for Github {
    async fn what_moved(
        &self,
        session: &Session<'_>,
        _watched: &[RepositoryPath],
        mark: Option<&MovedMark>,
    ) -> Result<WhatMoved, Failure> {
        let known = Seen::read(mark);
        let mut asked = own_list(session, "owner,collaborator,organization_member");
        if let Some(etag) = known.as_ref().and_then(|known| known.etag.as_deref()) {
            asked = asked.header(IF_NONE_MATCH, etag);
        }
        let first = asked.send().await?;
        let (rate, now) = (first.rate(), first.date().unwrap_or(first.received_at));
        let usual = first
            .header("x-poll-interval")
            .and_then(|seconds| seconds.parse().ok())
            .map_or(USUAL, |seconds| Duration::from_secs(seconds).clamp(USUAL, SWEEP));
        let (moved, mark) = if first.status == StatusCode::NOT_MODIFIED {
            (Moved::Unchanged, mark.cloned())
        } else {
            let mut rows = read(first.json()?);
            let mut next = first.next_link();
            let mut pages = 1;
            while !Seen::is_read_far_enough(known.as_ref(), &rows) && pages < MOST_PAGES {
                let Some(page) = next else { break };
                let answer = session.next(&page).send().await?;
                next = answer.next_link();
                rows.extend(read(answer.json()?));
                pages += 1;
            }
            let whole = next.is_none() || Seen::is_read_far_enough(known.as_ref(), &rows);
            let (moved, seen) = compare(known.as_ref(), &rows, first.etag(), now);
            (if whole { moved } else { Moved::CannotTell }, Some(seen.mark()))
        };
        let requests = session.requests();
        let next_after = advice(usual, &rate, requests, first.received_at);
        Ok(WhatMoved { moved, mark, next_after, sweep_after: SWEEP, rate, requests })
    }
}

fn read(page: Vec<Repository>) -> Vec<Row> {
    page.into_iter().map(|one| Row { id: one.id.to_string(), path: one.full_name, at: one.pushed_at }).collect()
}
