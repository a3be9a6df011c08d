//! Waiting for a state with a deadline: the one way in which tests wait.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Looks until `look` returns `Ok`, and returns that value. Panics after `deadline` with `what` was awaited and the last
/// state seen, which is the `Err` of the last look.
pub async fn eventually<T, Seen: Debug>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Result<T, Seen>,
) -> T {
    let begun = Instant::now();
    loop {
        match look().await {
            Ok(value) => return value,
            Err(seen) if begun.elapsed() > deadline => {
                panic!("{what}: not within {deadline:?}; last seen: {seen:?}")
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
