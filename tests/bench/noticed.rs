//! B9: from a push at a host that is asked to the row of its build.

use crate::figures::{Figure, median, percentile_95};
use crate::forge::{Forge, Traffic};
use crate::polling::{add_repositories, image_repository, program, settle};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use slipway_flows::Product;
use slipway_testkit::eventually;
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

/// Pushes come at random moments of this long: several intervals of half a minute.
const PUSHING_FOR: Duration = Duration::from_secs(120);
/// How many, each in a repository of its own, so that none hides another.
const PUSHES: usize = 40;
/// The same for the one repository: as many as follow each other in that time.
const PUSHES_OF_ONE: usize = 12;
const NOTICED_WITHIN: Duration = Duration::from_secs(100);
/// After the start, until the account was asked.
const SETTLED_AFTER: Duration = Duration::from_secs(5);
/// Each repository is looked at once in 5 to 15 minutes regardless.
const SWEEPS_AN_HOUR: f64 = 6.0;

/// The schedule makes at most four looks a second at one host.
const MOST_LOOKS: f64 = 4.0 * 3_600.0;

/// What the product asks of a provider while nothing moves (`hosts/src/*/moved.rs`), and what that allows
/// (`reference/source-hosts.md`).
struct Rhythm {
    provider: &'static str,
    how: &'static str,
    /// Questions to the API in an hour.
    questions: f64,
    /// A question reads all lists of 100.
    reads_all_pages: bool,
    /// Looks at each repository in an hour.
    looks: f64,
    limit: &'static str,
}

const fn list(provider: &'static str, how: &'static str, questions: f64, limit: &'static str) -> Rhythm {
    Rhythm { provider, how, questions, reads_all_pages: false, looks: SWEEPS_AN_HOUR, limit }
}

const RHYTHMS: [Rhythm; 6] = [
    Rhythm {
        looks: 120.0,
        ..list("GitLab", "each repository every 30 s, at most 4 a second", 0.0, "120,000 API and 60,000 git an hour")
    },
    list("Gitee", "a list every 60 s", 60.0, "none published; one a second is kept"),
    Rhythm { reads_all_pages: true, ..list("CODING", "all lists every 60 s", 60.0, "none published") },
    list("Gitea, Forgejo", "a list every 60 s", 60.0, "none by default"),
    list("Codeberg, gitea.com", "a list every 120 s", 30.0, "none published"),
    list("Bitbucket", "a list of a workspace every 120 s", 30.0, "1,000 API and 60,000 git an hour"),
];

/// What was seen with so many repositories.
struct Seen {
    repositories: usize,
    /// Seconds from push to row.
    delays: Vec<f64>,
    traffic: Traffic,
    lasted: Duration,
}

/// The figure at 100 repositories, and what watching asks of each provider in an hour, as a table.
pub(crate) async fn push_to_row() -> (Figure, String) {
    // At the same time: all of them wait nearly always.
    let (one, hundred, thousand) = tokio::join!(measure(1, 1), measure(100, PUSHES), measure(1_000, PUSHES));
    for seen in [&one, &hundred, &thousand] {
        crate::detail(&format!(
            "B9 with {} repositories: {} pushes, median {:.1} s, 95th percentile {:.1} s, slowest {:.1} s",
            seen.repositories,
            seen.delays.len(),
            median(&seen.delays),
            percentile_95(&seen.delays),
            seen.delays.iter().copied().fold(0.0, f64::max),
        ));
    }
    let figure = Figure {
        value: percentile_95(&hundred.delays),
        ours_ms: Some(median(&hundred.delays) * 1_000.0),
        peer_ms: None,
        runs: hundred.delays.len(),
        note: format!(
            "95th percentile with 1 repository {:.1} s, with 1,000 {:.1} s",
            percentile_95(&one.delays),
            percentile_95(&thousand.delays)
        ),
    };
    (figure, providers(&[one, hundred, thousand]))
}

async fn measure(repositories: usize, moving: usize) -> Seen {
    let pushes = if moving == 1 { PUSHES_OF_ONE } else { moving };
    let forge = Forge::start(repositories, moving, pushes).await;
    let mut product = program().await;
    let code = add_repositories(&product, &forge, repositories).await;
    let repository = image_repository(&product, &format!("bench/noticed-{repositories}")).await;
    for (number, code) in code.iter().take(moving).enumerate() {
        let spec = json!({
            "name": format!("rule-{number}"),
            "code": code,
            "triggers": { "any_branch": true },
            "version": { "kind": "templates", "templates": ["{branch}-{short_sha}"] },
        });
        product.must("rules.add", json!({ "repository": repository, "spec": spec })).await;
    }
    settle(&mut product).await;
    tokio::time::sleep(SETTLED_AFTER).await;
    let (before, began) = (forge.traffic(), Instant::now());
    let delays = if moving == 1 {
        one_after_another(&product, &repository, &forge).await
    } else {
        at_random_moments(&product, &repository, &forge, moving).await
    };
    Seen { repositories, delays, traffic: forge.traffic() - before, lasted: began.elapsed() }
}

/// A push in the one repository at a random moment after the one before was noticed, again and again.
async fn one_after_another(product: &Product, repository: &Value, forge: &Forge) -> Vec<f64> {
    let mut dice = Dice::new(1);
    let began = Instant::now();
    let mut delays = Vec::new();
    while began.elapsed() < PUSHING_FOR && delays.len() < PUSHES_OF_ONE {
        tokio::time::sleep(Duration::from_secs(10).mul_f64(dice.next())).await;
        let (commit, pushed_at) = forge.push(0);
        let rows = wait_for_rows(product, repository, &[commit.as_str()]).await;
        delays.push(between(pushed_at, rows[&commit]));
    }
    delays
}

/// A push in each of so many repositories, at random moments.
async fn at_random_moments(product: &Product, repository: &Value, forge: &Forge, moving: usize) -> Vec<f64> {
    let mut dice = Dice::new(moving as u64);
    let mut moments: Vec<Duration> = (0..moving).map(|_| PUSHING_FOR.mul_f64(dice.next())).collect();
    moments.sort_unstable();
    let began = tokio::time::Instant::now();
    let mut pushes: HashMap<String, SystemTime> = HashMap::new();
    for (id, moment) in moments.into_iter().enumerate() {
        tokio::time::sleep_until(began + moment).await;
        let (commit, pushed_at) = forge.push(id);
        pushes.insert(commit, pushed_at);
    }
    let commits: Vec<&str> = pushes.keys().map(String::as_str).collect();
    let rows = wait_for_rows(product, repository, &commits).await;
    pushes.iter().map(|(commit, pushed_at)| between(*pushed_at, rows[commit])).collect()
}

/// Waits until each commit has its build, and returns when each row was written.
async fn wait_for_rows(product: &Product, repository: &Value, commits: &[&str]) -> HashMap<String, DateTime<Utc>> {
    eventually("each push has its build", NOTICED_WITHIN, async || {
        let page = product.must("builds.list", json!({ "repository": repository })).await;
        let rows: HashMap<String, DateTime<Utc>> = page["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|row| {
                Some((row["commit"]["id"].as_str()?.to_owned(), row["created_at"].as_str()?.parse().ok()?))
            })
            .collect();
        let missing = commits.iter().filter(|commit| !rows.contains_key(**commit)).count();
        if missing == 0 { Ok(rows) } else { Err(missing) }
    })
    .await
}

fn between(pushed_at: SystemTime, row: DateTime<Utc>) -> f64 {
    let delay = row - DateTime::<Utc>::from(pushed_at);
    #[allow(clippy::cast_precision_loss, reason = "a delay is far below 2^53 milliseconds")]
    let milliseconds = delay.num_milliseconds() as f64;
    milliseconds / 1_000.0
}

/// Requests and bytes in an hour beside what each provider allows. GitHub's are measured, pushes included; the others follow
/// from the product's rhythm (`hosts/src/*/moved.rs`) and the measured size of a look.
fn providers(seen: &[Seen; 3]) -> String {
    let mut text = String::from(
        "B9: requests and bytes in an hour for 1 / 100 / 1,000 repositories, beside each provider's limit\n\n\
         | provider | how | API requests | git requests | MB | limit |\n|---|---|---|---|---|---|\n",
    );
    let an_hour = |seen: &Seen, count: u64| count as f64 * 3_600.0 / seen.lasted.as_secs_f64();
    let each =
        |value: &dyn Fn(&Seen) -> f64| seen.iter().map(|seen| thousands(value(seen))).collect::<Vec<_>>().join(" / ");
    let counted = each(&|seen| an_hour(seen, seen.traffic.api_counted));
    text.push_str(&format!(
        "| GitHub | measured while {PUSHES} pushes come in two minutes; of the API requests {counted} count | {} | {} | {} | \
         5,000 API an hour, \"not modified\" free |\n",
        each(&|seen| an_hour(seen, seen.traffic.api)),
        each(&|seen| an_hour(seen, seen.traffic.git)),
        each(&|seen| an_hour(seen, seen.traffic.bytes) / 1e6),
    ));
    let thousand = &seen[2].traffic;
    // Two requests, and what both take.
    let bytes_of_a_look = 2_000.0_f64.min(thousand.bytes as f64 / thousand.looks.max(1) as f64);
    for rhythm in &RHYTHMS {
        let of = |value: &dyn Fn(f64) -> f64| [1.0, 100.0, 1_000.0].map(|count| thousands(value(count))).join(" / ");
        let looks = |count: f64| (count * rhythm.looks).min(MOST_LOOKS);
        let pages = |count: f64| if rhythm.reads_all_pages { (count / 100.0_f64).ceil() } else { 1.0 };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} (git) | {} |\n",
            rhythm.provider,
            rhythm.how,
            of(&|count| rhythm.questions * pages(count)),
            of(&|count| 2.0 * looks(count)),
            of(&|count| looks(count) * bytes_of_a_look / 1e6),
            rhythm.limit,
        ));
    }
    text
}

fn thousands(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// xorshift64: the same moments in every run.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number in 0..1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
        let number = (self.0 >> 11) as f64;
        number / (1_u64 << 53) as f64
    }
}
