//! The account's repositories, the last changed first. `updated_at` moves for other changes too, which costs one look.

use super::Gitea;
use super::account::User;
use super::repositories::{Found, list};
use crate::gate::{Row, SWEEP, Seen, advice, compare};
use crate::lists::MOST_PAGES;
use crate::provider::Moves;
use crate::session::Session;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use slipway_core::Failure;
use slipway_core::host::{Moved, MovedMark, RepositoryPath, WhatMoved};
use std::time::Duration;

const USUAL: Duration = Duration::from_secs(60);
/// Public forges run on donations.
const GENTLE: Duration = Duration::from_secs(120);
const PUBLIC_FORGES: &[&str] = &["codeberg.org", "gitea.com"];

/// What is remembered: the account's id as well, so that a look is one request.
#[derive(Serialize, Deserialize)]
struct Mark {
    account: String,
    seen: Seen,
}

#[async_trait]
impl Moves for Gitea {
    async fn what_moved(
        &self,
        session: &Session<'_>,
        _watched: &[RepositoryPath],
        mark: Option<&MovedMark>,
    ) -> Result<WhatMoved, Failure> {
        let known: Option<Mark> = mark.and_then(|mark| serde_json::from_str(&mark.0).ok());
        let (account, known) = match known {
            Some(mark) => (mark.account, Some(mark.seen)),
            None => (session.get(&["user"]).read::<User>().await?.id.to_string(), None),
        };
        let first = list(session, &account, false).send().await?;
        let (rate, now) = (first.rate(), first.date().unwrap_or(first.received_at));
        let mut rows = read(first.json()?);
        let mut next = first.next_link();
        for _ in 1..MOST_PAGES {
            if Seen::is_read_far_enough(known.as_ref(), &rows) {
                break;
            }
            let Some(page) = next else { break };
            let answer = session.next(&page).send().await?;
            next = answer.next_link();
            rows.extend(read(answer.json()?));
        }
        let whole = next.is_none() || Seen::is_read_far_enough(known.as_ref(), &rows);
        let (moved, seen) = compare(known.as_ref(), &rows, None, now);
        let mark = serde_json::to_string(&Mark { account, seen }).map_err(Failure::internal)?;
        let is_public = PUBLIC_FORGES.contains(&session.address.base.host());
        let requests = session.requests();
        let usual = if is_public { GENTLE } else { USUAL };
        Ok(WhatMoved {
            moved: if whole { moved } else { Moved::CannotTell },
            mark: Some(MovedMark(mark)),
            next_after: advice(usual, &rate, requests, first.received_at),
            sweep_after: SWEEP,
            rate,
            requests,
        })
    }
}

fn read(found: Found) -> Vec<Row> {
    let rows = found.data.into_iter();
    rows.map(|one| Row { id: one.id.to_string(), path: one.full_name, at: one.updated_at }).collect()
}
