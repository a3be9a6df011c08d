//! How long to wait before trying again. Pure.

use chrono::TimeDelta;
use slipway_core::Failure;
use std::time::Duration;

/// Returns the pause before try number `tries` + 1: doubling from `base` up to `cap`, and at least what the outside asks for.
pub(crate) fn pause(base: Duration, cap: Duration, tries: u32, failure: &Failure) -> TimeDelta {
    let doubled = base.saturating_mul(1 << tries.saturating_sub(1).min(20)).min(cap);
    let asked = crate::watch::retry_after(failure).unwrap_or_default();
    TimeDelta::from_std(doubled).unwrap_or(TimeDelta::MAX).max(asked).min(super::LONGEST_WAIT)
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
            let got = pause(Duration::from_secs(5), Duration::from_secs(300), tries, failure);
            assert_eq!(got, TimeDelta::seconds(seconds), "try {tries}");
        }
    }
}
