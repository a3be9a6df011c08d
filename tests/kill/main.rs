//! `make test-kill`: the real program is killed at every fail point and at seeded random moments of a life, started again, and
//! must come to rest with nothing lost, doubled, stuck or left behind (faults F01, F02, F30; promises P1 to P8).
//!
//! `slipway-kill [--seeds 100] [--from 1] [--seed N] [--point BEGINNING-OF-A-NAME] [--no-points] [--lives 3]`. A failure names its seed or
//! point, which repeats it. The last line is `test-kill: ok (N points, M seeds)`.

mod checks;
mod database;
mod dying;
mod house;
mod ledger;
mod life;
mod listener;
mod random;

use futures::FutureExt as _;
use house::House;
use life::Life;
use slipway_testkit::Engine;
use std::collections::VecDeque;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Lives that one house has before it is built anew.
const LIVES_OF_A_HOUSE: usize = 20;

/// Points of a swarm's update: an engine of its own is needed there, and `services_of_a_swarm` of the deploy crate kills it at
/// each of its steps.
const OF_A_SWARM: [&str; 3] = ["step.update_spec.", "step.watch_rollout.", "step.restore_spec."];

struct Wishes {
    seeds: Vec<u64>,
    points: Vec<String>,
    lives: usize,
}

/// What is to be lived.
#[derive(Debug, Clone)]
enum Task {
    Point(String),
    Seed(u64),
}

impl Task {
    fn name(&self) -> String {
        match self {
            Self::Point(point) => format!("point {point}"),
            Self::Seed(seed) => format!("seed {seed}"),
        }
    }

    fn life(&self) -> Life {
        match self {
            Self::Point(point) => Life::to_point(point),
            Self::Seed(seed) => Life::of_seed(*seed),
        }
    }
}

fn main() -> ExitCode {
    let wishes = match wishes(std::env::args().skip(1)) {
        Ok(wishes) => wishes,
        Err(why) => {
            say(&format!("test-kill: {why}"));
            return ExitCode::FAILURE;
        }
    };
    let failures = run(&wishes);
    if failures.is_empty() {
        say(&format!("test-kill: ok ({} points, {} seeds)", wishes.points.len(), wishes.seeds.len()));
        return ExitCode::SUCCESS;
    }
    for (name, why) in &failures {
        say(&format!("test-kill: {name} failed: {why}"));
    }
    say(&format!("test-kill: FAILED ({} of {})", failures.len(), wishes.points.len() + wishes.seeds.len()));
    ExitCode::FAILURE
}

fn wishes(mut arguments: impl Iterator<Item = String>) -> Result<Wishes, String> {
    let (mut seeds, mut from, mut lives) = (100, 1, 3);
    let (mut one_seed, mut one_point, mut points) = (None, None, true);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        match name.as_str() {
            "--seeds" => seeds = number(value()?)?,
            "--from" => from = number(value()?)?,
            "--seed" => one_seed = Some(number(value()?)?),
            "--point" => one_point = Some(value()?),
            "--no-points" => points = false,
            "--lives" => lives = usize::try_from(number(value()?)?).unwrap_or(1).max(1),
            other => return Err(format!("unknown argument {other}")),
        }
    }
    let all = || -> Vec<String> {
        let all = slipway_app::fail_point::all();
        all.into_iter().filter(|point| !OF_A_SWARM.iter().any(|swarm| point.starts_with(swarm))).collect()
    };
    Ok(match (one_seed, one_point) {
        (Some(seed), _) => Wishes { seeds: vec![seed], points: Vec::new(), lives: 1 },
        (None, Some(point)) => {
            let points: Vec<String> = all().into_iter().filter(|one| one.starts_with(&point)).collect();
            let lives = lives.min(points.len()).max(1);
            Wishes { seeds: Vec::new(), points, lives }
        }
        (None, None) => {
            Wishes { seeds: (from..from + seeds).collect(), points: if points { all() } else { Vec::new() }, lives }
        }
    })
}

/// Lives everything, several houses side by side; returns what failed, with why.
fn run(wishes: &Wishes) -> Vec<(String, String)> {
    let points = wishes.points.iter().cloned().map(Task::Point);
    let tasks: VecDeque<Task> = points.chain(wishes.seeds.iter().copied().map(Task::Seed)).collect();
    let tasks = Mutex::new(tasks);
    std::thread::scope(|scope| {
        let lines: Vec<_> = (0..wishes.lives)
            .map(|line| {
                let tasks = &tasks;
                // A thread of its own: programs die with the thread that started them.
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime can be made").block_on(line_of_houses(line, tasks))
                })
            })
            .collect();
        lines
            .into_iter()
            .flat_map(|line| line.join().unwrap_or_else(|panic| vec![("a line of houses".to_owned(), words(&*panic))]))
            .collect()
    })
}

async fn line_of_houses(line: usize, tasks: &Mutex<VecDeque<Task>>) -> Vec<(String, String)> {
    let engine = Engine::require().await;
    let mut failures = Vec::new();
    let mut standing: Option<House> = None;
    let mut lived = 0;
    let mut houses = 0;
    loop {
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(task) = task else { break };
        let begun = Instant::now();
        let house = match standing.take() {
            Some(house) if lived < LIVES_OF_A_HOUSE => house,
            old => {
                if let Some(old) = old {
                    old.close().await;
                }
                (lived, houses) = (0, houses + 1);
                House::open(&format!("kill-{}-{line}-{houses}", std::process::id())).await
            }
        };
        lived += 1;
        let (number, mark) = (lived, house.mark.clone());
        let opened = begun.elapsed().as_secs_f64();
        let (life, last) = (task.life(), lived == LIVES_OF_A_HOUSE);
        let living = async move {
            let mut house = house;
            house.live(&life, number).await;
            if last || number % 5 == 1 {
                house.no_secret_on_disk();
            }
            house
        };
        match AssertUnwindSafe(living).catch_unwind().await {
            Ok(house) => {
                standing = Some(house);
                say(&format!("{:6.2} s  {}", begun.elapsed().as_secs_f64() - opened, task.name()));
            }
            Err(panic) => {
                // The house is gone with its program; what it made on the engine is not.
                house::clean(&engine, &mark).await;
                let why = words(&*panic);
                say(&format!("FAILED   {} in {mark}, life {number}: {why}", task.name()));
                failures.push((task.name(), why));
            }
        }
    }
    if let Some(house) = standing {
        house.no_secret_on_disk();
        house.close().await;
    }
    failures
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn say(line: &str) {
    // Nobody to read it is no failure.
    let _ = writeln!(std::io::stdout(), "{line}");
}
