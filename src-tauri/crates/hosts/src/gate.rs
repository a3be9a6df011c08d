//! "What moved" from a list of repositories with the time of their last push (`reference/source-hosts.md` section 8).
//!
//! Times at hosts have whole seconds and lists lag: a repository that was pushed to within the last seconds is not remembered
//! as seen, so that it is reported once more, and a time that appears late is still noticed for a quarter of an hour.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use slipway_core::host::{Moved, MovedMark, MovedRepository, RateState, RepositoryPath};
use std::collections::BTreeMap;
use std::time::Duration;

/// A time younger than this may be used by one more push.
const SETTLED: TimeDelta = TimeDelta::seconds(5);
/// How late a list may learn of a push and still be believed.
const LATE: TimeDelta = TimeDelta::minutes(15);
/// How often all repositories should be asked regardless.
pub(crate) const SWEEP: Duration = Duration::from_secs(15 * 60);
/// Longest advice: a person should not wait longer for a budget that might be refilled.
const LONGEST_ADVICE: Duration = Duration::from_secs(15 * 60);

/// One row of such a list.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) path: String,
    /// `None` for a repository that was never pushed to.
    pub(crate) at: Option<DateTime<Utc>>,
}

/// What is remembered of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Entity tag of the first page, where the host has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    /// The newest time that was seen, in epoch seconds.
    newest: i64,
    /// Times near it, by repository id.
    recent: BTreeMap<String, i64>,
}

impl Seen {
    /// Reads a mark; one of another shape is as good as none.
    pub(crate) fn read(mark: Option<&MovedMark>) -> Option<Self> {
        serde_json::from_str(&mark?.0).ok()
    }

    /// Makes the mark.
    pub(crate) fn mark(&self) -> MovedMark {
        MovedMark(serde_json::to_string(self).unwrap_or_default())
    }

    /// Returns whether a list that goes from new to old has been read far enough.
    pub(crate) fn is_read_far_enough(known: Option<&Self>, rows: &[Row]) -> bool {
        let Some(known) = known else { return true };
        rows.iter().filter_map(|row| row.at).any(|at| at.timestamp() <= known.floor())
    }

    fn floor(&self) -> i64 {
        self.newest - LATE.num_seconds()
    }
}

/// Compares a list with what is remembered. `now` is the host's time of the answer.
pub(crate) fn compare(known: Option<&Seen>, rows: &[Row], etag: Option<&str>, now: DateTime<Utc>) -> (Moved, Seen) {
    let times = || rows.iter().filter_map(|row| Some((row, row.at?.timestamp())));
    let newest = times().map(|(_, at)| at).chain(known.map(|known| known.newest)).max().unwrap_or(0);
    let settled = (now - SETTLED).timestamp();
    let floor = newest - LATE.num_seconds();
    let recent: BTreeMap<String, i64> =
        times().filter(|(_, at)| *at > floor && *at <= settled).map(|(row, at)| (row.id.clone(), at)).collect();
    let everything_settled = newest <= settled;
    let seen = Seen { etag: etag.filter(|_| everything_settled).map(str::to_owned), newest, recent };
    let Some(known) = known else { return (Moved::CannotTell, seen) };
    let moved: Vec<MovedRepository> = times()
        .filter(|(row, at)| *at > known.floor() && known.recent.get(&row.id) != Some(at))
        .map(|(row, _)| MovedRepository { id: row.id.clone(), path: RepositoryPath(row.path.clone()) })
        .collect();
    (if moved.is_empty() { Moved::Unchanged } else { Moved::Repositories(moved) }, seen)
}

/// Returns when to look again: the host's usual interval, or longer when less than a fifth of the budget is left, so that the
/// rest lasts until the window ends. Half of the rest is left to the person's other programs.
pub(crate) fn advice(usual: Duration, rate: &RateState, requests: u32, now: DateTime<Utc>) -> Duration {
    let (Some(limit), Some(remaining), Some(resets_at)) = (rate.limit, rate.remaining, rate.resets_at) else {
        return usual;
    };
    if remaining.saturating_mul(5) >= limit {
        return usual;
    }
    let left = (resets_at - now).to_std().unwrap_or_default();
    let looks = u32::try_from(remaining / 2 / u64::from(requests.max(1))).unwrap_or(u32::MAX).max(1);
    (left / looks).clamp(usual, LONGEST_ADVICE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn row(id: &str, seconds: i64) -> Row {
        Row { id: id.to_owned(), path: format!("o/{id}"), at: Some(at(seconds)) }
    }

    fn ids(moved: &Moved) -> Vec<&str> {
        match moved {
            Moved::Repositories(list) => list.iter().map(|one| one.id.as_str()).collect(),
            Moved::Unchanged => vec![],
            Moved::CannotTell => vec!["?"],
        }
    }

    #[test]
    fn a_push_is_reported_once_it_is_seen_and_once_more_while_its_second_is_young() {
        let (first, seen) = compare(None, &[row("a", -100), row("b", -9000)], Some("e1"), at(0));
        assert_eq!((ids(&first), seen.etag.as_deref()), (vec!["?"], Some("e1")));
        let (quiet, seen) = compare(Some(&seen), &[row("a", -100), row("b", -9000)], Some("e1"), at(30));
        assert_eq!(ids(&quiet), Vec::<&str>::new());
        // Two seconds after the push: reported, and not settled, so without a tag that would hide a second push.
        let rows = [row("b", 58), row("a", -100)];
        let (moved, seen) = compare(Some(&seen), &rows, Some("e2"), at(60));
        assert_eq!((ids(&moved), seen.etag.as_deref()), (vec!["b"], None));
        let (again, seen) = compare(Some(&seen), &rows, Some("e2"), at(90));
        assert_eq!((ids(&again), seen.etag.as_deref()), (vec!["b"], Some("e2")));
        let (quiet, _) = compare(Some(&seen), &rows, Some("e2"), at(120));
        assert_eq!(ids(&quiet), Vec::<&str>::new());
    }

    #[test]
    fn a_time_that_appears_late_is_noticed() {
        let (_, seen) = compare(None, &[row("a", -100)], None, at(0));
        let (moved, seen) = compare(Some(&seen), &[row("a", 10), row("b", -500)], None, at(30));
        assert_eq!(ids(&moved), vec!["a", "b"]);
        // `c` was pushed to before `a`, but the list learned of it afterwards.
        let (moved, _) = compare(Some(&seen), &[row("a", 10), row("c", 5), row("b", -500)], None, at(60));
        assert_eq!(ids(&moved), vec!["c"]);
    }

    #[test]
    fn old_and_empty_repositories_never_move() {
        let (_, seen) = compare(None, &[row("a", -100)], None, at(0));
        let empty = Row { at: None, ..row("e", 0) };
        let (moved, _) = compare(Some(&seen), &[row("a", -100), row("old", -90_000), empty], None, at(30));
        assert_eq!(moved, Moved::Unchanged);
    }

    #[test]
    fn a_list_is_read_until_it_is_old_enough() {
        let (_, seen) = compare(None, &[row("a", 0)], None, at(100));
        assert!(!Seen::is_read_far_enough(Some(&seen), &[row("a", 50), row("b", -200)]));
        assert!(Seen::is_read_far_enough(Some(&seen), &[row("a", 50), row("b", -900)]));
        assert!(Seen::is_read_far_enough(None, &[]));
        assert_eq!(Seen::read(Some(&seen.mark())), Some(seen));
        assert_eq!(Seen::read(Some(&MovedMark("x".to_owned()))), None);
    }

    #[test]
    fn a_small_budget_is_spread() {
        let usual = Duration::from_secs(30);
        let rate = |remaining| RateState { limit: Some(5000), remaining: Some(remaining), resets_at: Some(at(600)) };
        assert_eq!(advice(usual, &RateState::default(), 1, at(0)), usual);
        assert_eq!(advice(usual, &rate(4000), 1, at(0)), usual);
        assert_eq!(advice(usual, &rate(900), 1, at(0)), usual);
        assert_eq!(advice(usual, &rate(20), 1, at(0)), Duration::from_secs(60));
        assert_eq!(advice(usual, &rate(20), 5, at(0)), Duration::from_secs(300));
        assert_eq!(advice(usual, &rate(0), 1, at(0)), Duration::from_secs(600));
        assert_eq!(advice(usual, &rate(0), 1, at(900)), usual);
    }
}
