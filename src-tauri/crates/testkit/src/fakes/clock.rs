use super::lock;
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::ports::Clock;
use std::sync::Mutex;

/// A wall clock that stands still until it is moved, in either direction.
pub struct FakeClock {
    now: Mutex<DateTime<Utc>>,
    offset_seconds: Mutex<i32>,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self {
            now: Mutex::new(DateTime::from_timestamp(1_750_000_000, 0).unwrap_or_default()),
            offset_seconds: Mutex::new(0),
        }
    }
}

impl FakeClock {
    /// Moves the clock; a negative span moves it back.
    pub fn advance(&self, span: TimeDelta) {
        *lock(&self.now) += span;
    }

    /// Sets the clock.
    pub fn set(&self, now: DateTime<Utc>) {
        *lock(&self.now) = now;
    }

    /// Sets the machine's zone, in seconds east of UTC.
    pub fn set_offset(&self, seconds: i32) {
        *lock(&self.offset_seconds) = seconds;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        *lock(&self.now)
    }

    fn local_offset_seconds(&self, _at: DateTime<Utc>) -> i32 {
        *lock(&self.offset_seconds)
    }
}
