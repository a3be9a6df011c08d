//! How often one webhook may call: a burst of pushes passes, a flood does not.

use std::time::{Duration, Instant};

/// Deliveries that may come at once.
const BURST: f64 = 30.0;
/// One more after this long.
const EACH: Duration = Duration::from_secs(2);

/// What one webhook may still send.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    pub(super) fn full() -> Self {
        Self { left: BURST, at: Instant::now() }
    }

    /// Takes one delivery; false when there is none left.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() / EACH.as_secs_f64();
        self.left = (self.left + gained).min(BURST);
        self.at = now;
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f27_a_burst_passes_and_a_flood_does_not() {
        let mut budget = Budget::full();
        let start = budget.at;
        let taken = |budget: &mut Budget, seconds: u64| {
            (0..1000).filter(|_| budget.take(start + Duration::from_secs(seconds))).count()
        };
        assert_eq!(taken(&mut budget, 0), 30);
        assert_eq!(taken(&mut budget, 1), 0);
        assert_eq!(taken(&mut budget, 20), 10);
        assert_eq!(taken(&mut budget, 86_400), 30, "waiting long gains no more than a burst");
    }
}
