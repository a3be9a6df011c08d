//! When to look at a code repository next. Pure: times come in, a time goes out.

use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::ErrorCode;
use std::time::Duration;

/// Longest pause after failures.
const LONGEST_BACKOFF: TimeDelta = TimeDelta::minutes(15);
/// A person works on it: looks come three times as often for this long after a move.
const ACTIVE_FOR: TimeDelta = TimeDelta::minutes(10);
/// A jump of the wall clock past the monotonic one that means that the machine slept, or that the clock was set.
const RESUME_JUMP: Duration = Duration::from_secs(20);

/// What is known when a look is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LookFacts {
    /// The interval that the person or the settings ask for.
    pub(crate) interval: TimeDelta,
    /// File events tell when something moved; looks are only a net.
    pub(crate) has_file_events: bool,
    /// An account tells when something moved; looks are only a net, and drift apart from each other.
    pub(crate) is_net: bool,
    /// Looks that failed in a row.
    pub(crate) failures: u32,
    /// What the host asked to wait.
    pub(crate) retry_after: Option<TimeDelta>,
    /// When a ref moved last.
    pub(crate) last_move: Option<DateTime<Utc>>,
    /// A number in 0..1 that spreads looks of many repositories.
    pub(crate) spread: f64,
}

/// Code that cannot be looked at for so long is told in the inbox.
const TELL_AFTER: TimeDelta = TimeDelta::minutes(10);

/// Returns whether looks fail long enough for a word in the inbox. Where the code host answered with a refusal, waiting
/// changes nothing.
pub(crate) fn is_worth_telling(failing_for: TimeDelta, code: ErrorCode) -> bool {
    let refused = matches!(code, ErrorCode::SourceUnauthorized | ErrorCode::SourceNotFound | ErrorCode::SourceTls);
    refused || failing_for >= TELL_AFTER
}

/// Returns when to look next.
pub(crate) fn next_look(now: DateTime<Utc>, facts: &LookFacts) -> DateTime<Utc> {
    let calm = if facts.has_file_events { facts.interval.max(TimeDelta::minutes(5)) } else { facts.interval };
    let wait = if facts.failures > 0 {
        let factor = 1 << facts.failures.min(10);
        (facts.interval * factor).min(LONGEST_BACKOFF.max(facts.interval))
    } else if !facts.is_net && facts.last_move.is_some_and(|moved| now - moved < ACTIVE_FOR) {
        (calm / 3).max(TimeDelta::seconds(5).min(calm))
    } else {
        calm
    };
    let (least, width) = if facts.is_net { (1.0 / 3.0, 2.0 / 3.0) } else { (0.9, 0.2) };
    let jitter = least + width * facts.spread.clamp(0.0, 1.0);
    #[allow(clippy::cast_possible_truncation, reason = "a wait is far below 2^53 milliseconds")]
    let spread = TimeDelta::milliseconds((wait.num_milliseconds() as f64 * jitter) as i64);
    now + spread.max(facts.retry_after.unwrap_or_default())
}

/// Returns whether the machine slept (or its clock was set forward) between two readings.
pub(crate) fn resumed(wall: TimeDelta, monotonic: Duration) -> bool {
    wall.to_std().is_ok_and(|wall| wall > monotonic + RESUME_JUMP)
}

/// Returns whether a stored time is due. One that lies further ahead than any pause can be was written before the clock was
/// set back, and counts as due.
pub(crate) fn is_due(now: DateTime<Utc>, next: Option<DateTime<Utc>>, interval: TimeDelta) -> bool {
    next.is_none_or(|next| next <= now || next - now > (interval * 2).max(LONGEST_BACKOFF * 4))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn facts() -> LookFacts {
        LookFacts {
            interval: TimeDelta::seconds(30),
            has_file_events: false,
            is_net: false,
            failures: 0,
            retry_after: None,
            last_move: None,
            spread: 0.5,
        }
    }

    fn wait(facts: &LookFacts) -> i64 {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        (next_look(now, facts) - now).num_seconds()
    }

    #[test]
    fn the_pause_follows_what_happened() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let table = [
            ("calm", facts(), 30),
            ("file events make looks a net", LookFacts { has_file_events: true, ..facts() }, 300),
            ("activity makes it faster", LookFacts { last_move: Some(now - TimeDelta::minutes(1)), ..facts() }, 10),
            ("old activity does not", LookFacts { last_move: Some(now - TimeDelta::hours(1)), ..facts() }, 30),
            ("first failure doubles", LookFacts { failures: 1, ..facts() }, 60),
            ("third failure", LookFacts { failures: 3, ..facts() }, 240),
            ("at most fifteen minutes", LookFacts { failures: 40, ..facts() }, 900),
            ("what the host asks", LookFacts { failures: 1, retry_after: Some(TimeDelta::hours(1)), ..facts() }, 3600),
            ("spread down", LookFacts { spread: 0.0, ..facts() }, 27),
            ("spread up", LookFacts { spread: 1.0, ..facts() }, 33),
            ("a net is spread widely", LookFacts { is_net: true, spread: 0.0, ..facts() }, 10),
            ("and never beyond its interval", LookFacts { is_net: true, spread: 1.0, ..facts() }, 30),
            ("whatever moves", LookFacts { is_net: true, last_move: Some(now), spread: 1.0, ..facts() }, 30),
        ];
        for (name, facts, seconds) in table {
            assert_eq!(wait(&facts), seconds, "{name}");
        }
    }

    #[test]
    fn a_short_trouble_is_not_worth_a_word_and_a_refusal_is() {
        assert!(!is_worth_telling(TimeDelta::minutes(9), ErrorCode::SourceUnreachable));
        assert!(is_worth_telling(TimeDelta::minutes(10), ErrorCode::SourceUnreachable));
        assert!(is_worth_telling(TimeDelta::zero(), ErrorCode::SourceUnauthorized));
        assert!(!is_worth_telling(TimeDelta::zero(), ErrorCode::SourceRateLimited));
    }

    #[test]
    fn f22_sleep_is_seen_by_the_jump_between_clocks() {
        assert!(resumed(TimeDelta::seconds(90), Duration::from_secs(1)));
        assert!(!resumed(TimeDelta::seconds(30), Duration::from_secs(30)));
        assert!(!resumed(TimeDelta::seconds(-3600), Duration::from_secs(30)), "a clock set back is no sleep");
    }

    #[test]
    fn f21_a_clock_that_jumps_neither_storms_nor_stalls() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let interval = TimeDelta::seconds(30);
        assert!(is_due(now, None, interval));
        assert!(is_due(now, Some(now), interval));
        assert!(!is_due(now, Some(now + interval), interval));
        assert!(is_due(now - TimeDelta::days(1), Some(now), interval), "set back a day: look now, not tomorrow");
    }
}
