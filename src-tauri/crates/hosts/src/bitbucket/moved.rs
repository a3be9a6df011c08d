//! One short request per workspace that somebody watches. `updated_on` may move for other changes, which costs one look.

use super::{Bitbucket, Values};
use crate::gate::{Row, SWEEP, Seen, advice, compare};
use crate::lists::MOST_PAGES;
use crate::provider::Moves;
use crate::session::Session;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::host::{Moved, MovedMark, RateState, RepositoryPath, WhatMoved};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A thousand requests an hour are the least that an account has.
const USUAL: Duration = Duration::from_secs(120);

#[derive(Deserialize)]
struct Updated {
    uuid: String,
    full_name: String,
    updated_on: Option<DateTime<Utc>>,
}

#[async_trait]
impl Moves for Bitbucket {
    async fn what_moved(
        &self,
        session: &Session<'_>,
        watched: &[RepositoryPath],
        mark: Option<&MovedMark>,
    ) -> Result<WhatMoved, Failure> {
        let known: BTreeMap<String, Seen> =
            mark.and_then(|mark| serde_json::from_str(&mark.0).ok()).unwrap_or_default();
        let workspaces: BTreeSet<&str> = watched.iter().filter_map(|path| Some(path.0.split_once('/')?.0)).collect();
        let mut seen = BTreeMap::new();
        let mut all = Some(Vec::new());
        let mut rate = RateState::default();
        for workspace in workspaces {
            let before = known.get(workspace);
            let (moved, after, budget) = look(session, workspace, before).await?;
            seen.insert(workspace.to_owned(), after);
            rate = budget;
            match moved {
                Moved::Unchanged => {}
                Moved::Repositories(rows) => all.iter_mut().for_each(|all| all.extend(rows.iter().cloned())),
                Moved::CannotTell => all = None,
            }
        }
        let mark = serde_json::to_string(&seen).map_err(Failure::internal)?;
        let requests = session.requests();
        Ok(WhatMoved {
            moved: match all {
                None => Moved::CannotTell,
                Some(rows) if rows.is_empty() => Moved::Unchanged,
                Some(rows) => Moved::Repositories(rows),
            },
            mark: Some(MovedMark(mark)),
            next_after: advice(USUAL, &rate, requests, Utc::now()),
            sweep_after: SWEEP,
            rate,
            requests,
        })
    }
}

async fn look(
    session: &Session<'_>,
    workspace: &str,
    known: Option<&Seen>,
) -> Result<(Moved, Seen, RateState), Failure> {
    let mut asked = session
        .get(&["repositories", workspace])
        .query("role", "member")
        .query("sort", "-updated_on")
        .query("pagelen", "100")
        .query("fields", "next,values.uuid,values.full_name,values.updated_on");
    let mut rows = Vec::new();
    let mut first = None;
    let mut whole = false;
    for _ in 0..MOST_PAGES {
        let answer = asked.send().await?;
        first.get_or_insert((answer.date().unwrap_or(answer.received_at), answer.rate()));
        let page: Values<Updated> = answer.json()?;
        let next = page.next(&answer);
        rows.extend(page.values.into_iter().map(|one| Row { id: one.uuid, path: one.full_name, at: one.updated_on }));
        whole = next.is_none() || Seen::is_read_far_enough(known, &rows);
        let Some(next) = next.filter(|_| !whole) else { break };
        asked = session.next(&next);
    }
    let (now, rate) = first.unwrap_or_default();
    let (moved, seen) = compare(known, &rows, None, now);
    Ok((if whole { moved } else { Moved::CannotTell }, seen, rate))
}
