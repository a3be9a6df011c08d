//! How long to wait before trying again. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::Failure;
use std::time::Duration;

/// Returns the pause before try number `tries` + 1: doubling from `base` up to `cap`, and at least what the outside asks for.
pub(crate) fn pause(base: Duration, cap: Duration, tries: u32, failure: &Failure, now: DateTime<Utc>) -> TimeDelta {
    let doubled = base.saturating_mul(1 << tries.saturating_sub(1).min(20)).min(cap);
    let asked = retry_after(failure, now).unwrap_or_default();
    TimeDelta::from_std(doubled).unwrap_or(TimeDelta::MAX).max(asked).min(super::LONGEST_WAIT)
}

/// Returns how long the outside asked to wait, one day at most: `Retry-After` as it came, in seconds or as a date.
pub(crate) fn retry_after(failure: &Failure, now: DateTime<Utc>) -> Option<TimeDelta> {
    let value = failure.details.get("retry_after")?.trim();
    let asked = match value.parse() {
        Ok(seconds) => TimeDelta::try_seconds(seconds)?,
        Err(_) => DateTime::parse_from_rfc2822(value).ok()?.to_utc() - now,
    };
    Some(asked.clamp(TimeDelta::zero(), super::LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::ErrorCode;

    #[test]
    fn f09_pauses_double_up_to_the_cap_and_honour_what_was_asked() {
        let calm = Failure::new(ErrorCode::RegistryServerError, "500");
        let asking = calm.clone().with("retry_after", "90");
        let table =
            [(1, &calm, 5), (2, &calm, 10), (3, &calm, 20), (30, &calm, 300), (1, &asking, 90), (30, &asking, 300)];
        for (tries, failure, seconds) in table {
            let got = pause(Duration::from_secs(5), Duration::from_secs(300), tries, failure, DateTime::UNIX_EPOCH);
            assert_eq!(got, TimeDelta::seconds(seconds), "try {tries}");
        }
    }

    #[test]
    fn f09_retry_after_is_a_number_or_a_date_and_never_more_than_a_day() {
        let now = DateTime::parse_from_rfc3339("2026-03-01T12:00:00Z").map(|at| at.to_utc()).unwrap_or_default();
        let table = [
            ("17", Some(TimeDelta::seconds(17))),
            (" 0 ", Some(TimeDelta::zero())),
            ("-5", Some(TimeDelta::zero())),
            ("9000000000000", Some(TimeDelta::days(1))),
            ("9223372036854775807", None),
            ("Sun, 01 Mar 2026 12:01:30 GMT", Some(TimeDelta::seconds(90))),
            ("Sun, 01 Mar 2026 11:00:00 GMT", Some(TimeDelta::zero())),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(TimeDelta::days(1))),
            ("soon", None),
            ("", None),
        ];
        for (value, wait) in table {
            let failure = Failure::new(ErrorCode::SourceRateLimited, "429").with("retry_after", value);
            assert_eq!(retry_after(&failure, now), wait, "{value:?}");
        }
    }
}
