//! `make soak`: a long run under load. A push every two seconds over fifty rules while a seeded choice of faults is injected; in
//! the end every push is accounted for, the registry holds what was pushed last, nothing is left behind, and memory, handles,
//! disk and rows have not grown beyond what the pushes themselves ask for.
//!
//! `slipway-soak [--minutes 60] [--seed N]`. Ends with a table and `soak: ok`, or names what does not hold and the seed.

mod accounts;
mod place;
mod samples;
mod trouble;

// The same numbers for the same seed as in `tests/kill`.
#[path = "../kill/random.rs"]
mod random;

use place::Place;
use random::Random;
use samples::Samples;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use trouble::Trouble;

/// A push so often.
const PUSH_EVERY: Duration = Duration::from_secs(2);
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// Of an hour: every ten minutes.
const KILLS: u32 = 6;
/// Everything must have come to rest so long after the last push.
const DRAIN: Duration = Duration::from_secs(600);

fn main() -> ExitCode {
    let (mut minutes, mut seed) = (60, std::time::UNIX_EPOCH.elapsed().map_or(1, |now| now.as_secs()));
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().and_then(|text| text.parse::<u64>().ok());
        match (name.as_str(), value) {
            ("--minutes", Some(number @ 1..)) => minutes = number,
            ("--seed", Some(number)) => seed = number,
            _ => {
                say("soak: --minutes N and --seed N are understood");
                return ExitCode::FAILURE;
            }
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let wrong = runtime.expect("a runtime can be made").block_on(run(Duration::from_secs(minutes * 60), seed));
    if wrong.is_empty() {
        say("soak: ok");
        return ExitCode::SUCCESS;
    }
    for one in &wrong {
        say(&format!("soak: {one}"));
    }
    say(&format!("soak: FAILED (--minutes {minutes} --seed {seed})"));
    ExitCode::FAILURE
}

/// Runs so long; returns what does not hold.
async fn run(length: Duration, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    say(&format!("soak: {} min, seed {seed}", length.as_secs() / 60));
    let mut place = Place::open(&format!("soak-{}", std::process::id())).await;
    let (mut samples, mut trouble) = (Samples::default(), Trouble::default());
    let begun = Instant::now();
    let (mut next_push, mut next_sample) = (Duration::ZERO, Duration::ZERO);
    let mut kills = 0;
    while begun.elapsed() < length {
        let now = begun.elapsed();
        trouble.go_on(now, &mut place, &mut random).await;
        if now >= next_push {
            next_push = (next_push + PUSH_EVERY).max(now);
            place.push(&mut random, trouble.away()).await;
        }
        if now >= next_sample {
            next_sample = now + SAMPLE_EVERY;
            samples.take(now, kills, &place).await;
        }
        if now >= length * (kills + 1) / KILLS {
            kills += 1;
            trouble.end(&mut place).await;
            place.product.kill_and_start_again().await;
        }
        // The pace of the loop, not a wait for something.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    trouble.end(&mut place).await;
    let drained = Instant::now();
    place.push_everywhere().await;
    let mut wrong = accounts::settle(&place, DRAIN).await;
    say(&format!("{} pushes, {kills} kills, at rest after {:.0} s", place.pushed(), drained.elapsed().as_secs_f64()));
    say(&trouble.table());
    say(&samples.table());
    wrong.extend(samples.what_grew());
    place.close().await;
    wrong
}

pub(crate) fn say(line: &str) {
    // Nobody to read it is no failure.
    let _ = writeln!(std::io::stdout(), "{line}");
}
