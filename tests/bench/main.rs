//! `make bench`: takes the figures of the performance table on this machine, against the Docker CLI with buildx on the same
//! engine. Prints the table in Markdown, writes `target/bench/latest.json`, and ends with status 1 when a figure could not
//! be taken. Both sides take turns within one run, so that a busy machine slows both.
//!
//! `slipway-bench B1 B7` takes some of the figures only and leaves `latest.json` alone.

mod console_log;
mod direct;
mod figures;
mod forge;
mod large_context;
mod long_log;
mod many_builds;
mod many_tags;
mod noticed;
mod one_file;
mod peer;
mod place;
mod polling;
mod process;
mod served;
mod window;

use figures::{Figure, Row, Taken};
use futures::FutureExt as _;
use place::Place;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;

const fn row(id: &'static str, work: &'static str, unit: &'static str, bar: f64) -> Row {
    Row { id, work, unit, bar }
}

const B1: Row = row("B1", "100 MB context, a commit that changes nothing that the image uses", "ratio", 0.35);
const B2: Row = row("B2", "100 MB context, one small file changed: pushed → tag in a local registry", "ratio", 0.7);
const B3: Row = row("B3", "one-file image, commit → tag, beyond bare Solve and push", "ms", 100.0);
const B4_LOST: Row = row("B4.lost", "lines lost of 200,000 (15.7 MB) printed by a RUN", "lines", 0.0);
const B4_TIME: Row = row("B4.time", "time of that build", "ratio", 1.3);
const B5_OPEN: Row = row("B5.open", "log of 1.3 million lines: end shown", "ms", 300.0);
const B5_SEARCH: Row = row("B5.search", "log of 1.3 million lines: exact search", "ms", 150.0);
const B5_MEMORY: Row = row("B5.memory", "log of 1.3 million lines: growth", "MB", 100.0);
const B6_CPU: Row =
    row("B6.cpu", "1,000 repositories behind conditional calls, nothing moving, 30 s interval", "% of one core", 2.0);
const B6_BYTES: Row = row("B6.bytes", "one-branch rule on a repository with 10,000 refs", "bytes a poll", 4096.0);
const B7_LIST: Row = row("B7.list", "100,000 builds: any list page with filters, 95th percentile", "ms", 20.0);
const B7_START: Row = row("B7.start", "100,000 builds: program start → ready", "ms", 500.0);
const B8_PAINT: Row = row("B8.paint", "release window: first usable paint", "ms", 1000.0);
const B8_IDLE: Row = row("B8.idle", "release window: CPU after 30 s", "%", 1.0);
const B8_MEMORY: Row = row("B8.memory", "release window: PSS after 30 s", "MB", 300.0);
const B9: Row = row("B9", "push on a polled host → build row, 100 repositories, 95th percentile", "s", 35.0);
const B10: Row = row("B10", "push → new page served by a container, own share", "ms", 300.0);
const B11: Row = row("B11", "Versions tab with 10,000 tags: first screen", "ms", 300.0);
const B11_SEARCH: Row = row("B11.search", "Versions tab with 10,000 tags: search, 95th percentile", "ms", 50.0);

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("bench: failed: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if runtime.block_on(bench(&wanted)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns false when a figure that can be taken was not.
async fn bench(wanted: &[String]) -> bool {
    let is_wanted = |id: &str| wanted.is_empty() || wanted.iter().any(|one| one == id);
    let place = match AssertUnwindSafe(Place::new()).catch_unwind().await {
        Ok(place) => place,
        Err(panic) => {
            say(&format!("bench: failed: {}", reason(panic.as_ref())));
            return false;
        }
    };
    say(&format!("# Performance on {}\n", place.engine_name()));
    let mut taken: Vec<Taken> = Vec::new();
    if is_wanted("B1") {
        taken.extend(take([B1], async { [large_context::nothing_changed(&place).await] }).await);
    }
    if is_wanted("B2") {
        taken.extend(take([B2], async { [large_context::one_file_changed(&place).await] }).await);
    }
    if is_wanted("B3") {
        taken.extend(take([B3], async { [one_file::excess(&place).await] }).await);
    }
    if is_wanted("B4") {
        taken.extend(take([B4_LOST, B4_TIME], long_log::lost_and_time(&place)).await);
    }
    if is_wanted("B5") {
        taken.extend(take([B5_OPEN, B5_SEARCH, B5_MEMORY], console_log::open_search_memory()).await);
    }
    if is_wanted("B6") {
        taken.extend(take([B6_CPU, B6_BYTES], polling::cpu_and_bytes()).await);
    }
    if is_wanted("B7") {
        taken.extend(take([B7_LIST, B7_START], many_builds::list_and_start()).await);
    }
    if is_wanted("B8") {
        taken.extend(take([B8_PAINT, B8_IDLE, B8_MEMORY], window::paint_idle_and_memory()).await);
    }
    let mut budgets = String::new();
    if is_wanted("B9") {
        let measured = async {
            let (figure, table) = noticed::push_to_row().await;
            budgets = table;
            [figure]
        };
        taken.extend(take([B9], measured).await);
    }
    if is_wanted("B10") {
        taken.extend(take([B10], async { [served::own_share(&place).await] }).await);
    }
    if is_wanted("B11") {
        taken.extend(take([B11, B11_SEARCH], many_tags::first_screen_and_search()).await);
    }
    place.clean_up().await;
    let complete = taken.iter().all(|(_, result)| result.is_ok());
    if wanted.is_empty() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench/latest.json");
        if let Err(error) = figures::write_json(&path, &taken) {
            say(&format!("bench: failed: latest.json cannot be written: {error}"));
            return false;
        }
    }
    say(&figures::table(&taken));
    if !budgets.is_empty() {
        say(&budgets);
    }
    complete
}

/// Measures rows: a step that fails panics with what it saw, which costs these rows only.
async fn take<const N: usize>(rows: [Row; N], measure: impl Future<Output = [Figure; N]>) -> Vec<Taken> {
    let begun = std::time::Instant::now();
    // What a panic leaves half done belongs to the rows that are lost with it.
    let result = AssertUnwindSafe(measure).catch_unwind().await;
    detail(&format!("{} took {:.0} s", rows[0].id, begun.elapsed().as_secs_f64()));
    match result {
        Ok(figures) => rows.into_iter().zip(figures).map(|(row, figure)| (row, Ok(figure))).collect(),
        Err(panic) => {
            let why = format!("not taken: {}", reason(panic.as_ref()));
            rows.into_iter().map(|row| (row, Err(why.clone()))).collect()
        }
    }
}

fn reason(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
    text.lines().next().unwrap_or("without a reason").to_owned()
}

/// Says more than the table holds, beside it.
pub(crate) fn detail(text: &str) {
    let _ = writeln!(std::io::stderr(), "bench: {text}");
}

fn say(text: &str) {
    // Nobody may be reading any more; the exit status says the same.
    let _ = writeln!(std::io::stdout(), "{text}");
}
