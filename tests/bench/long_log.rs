//! B4: a RUN that prints 200,000 lines, on an engine whose step-log limits are off.

use crate::figures::{Figure, Turns, millis};
use crate::peer::DockerCli;
use crate::place::Place;
use serde_json::{Value, json};
use slipway_testkit::{GitRepository, TempDataDir};
use std::collections::HashSet;
use std::process::Output;
use std::time::Instant;

const RUNS: usize = 5;
const LINES: usize = 200_000;
/// Letters after each number: 15.7 MB in all.
const PADDING: usize = 72;

/// Ours: a commit in a local clone until the build is over (tagged in the engine's store), through the whole product, its log
/// on disk. The other side: `docker buildx build` of the same Dockerfile, its output read. Lost are the numbers that are not
/// in our stored log, the greatest loss of all runs.
pub(crate) async fn lost_and_time(place: &Place) -> [Figure; 2] {
    let code = GitRepository::new().await;
    write(place, &code, "ours", RUNS);
    code.commit("first").await;
    let mut watched = place.watch_for_engine("bench/long-log", code).await;
    let folder = TempDataDir::new();
    let theirs = GitRepository::at(folder.path().join("code")).await;
    let docker = DockerCli::find(&place.engine).await;
    let mut turns = Turns::default();
    let (mut lost, mut peer_lost, mut peer_gave_up) = (0, 0, 0);
    for run in 0..RUNS {
        write(place, &watched.code, "ours", run);
        let (took, build) = place.commit_to_end(&mut watched, "print").await;
        turns.ours.push(millis(took));
        lost = lost.max(LINES - numbers_in_log(place, &build).await);
        write(place, &theirs, "theirs", run);
        let begun = Instant::now();
        let output = docker.try_build(theirs.path(), "slipway-test/bench:b4").await;
        turns.peer.push(millis(begun.elapsed()));
        let (delivered, gave_up) = judge(&output);
        peer_lost = peer_lost.max(LINES - delivered);
        peer_gave_up += usize::from(gave_up);
    }
    let note = format!("the stored log of each of {RUNS} builds was read line by line");
    #[expect(clippy::cast_precision_loss, reason = "at most 200,000")]
    let lost = Figure { value: lost as f64, ours_ms: None, peer_ms: None, runs: RUNS, note };
    let mut time = turns.ratio();
    if peer_gave_up > 0 {
        time.note = format!(
            "{}; the peer gave up in {peer_gave_up} runs and lost up to {peer_lost} lines: it reads on for 3 s after the build",
            time.note
        );
    }
    [lost, time]
}

/// Returns how many lines buildx delivered and whether it gave up: BuildKit's client hangs up 3 s after Solve has ended,
/// whatever the engine has still to say, and then fails. BuildKit 0.8 says it that slowly when its limits are off.
fn judge(output: &Output) -> (usize, bool) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        !text.contains("[output clipped"),
        "the engine clips logs: start it with BUILDKIT_STEP_LOG_MAX_SIZE and BUILDKIT_STEP_LOG_MAX_SPEED of 1073741824, or \
         run `make bench`, which starts one"
    );
    let gave_up = !output.status.success() && text.contains("failed to receive status");
    assert!(output.status.success() || gave_up, "docker buildx build: {}", text.lines().last().unwrap_or_default());
    let padding = format!(" {}", "x".repeat(PADDING - 1));
    let delivered = text.lines().filter(|line| line.ends_with(&padding) && !line.contains("RUN")).count();
    (delivered.min(LINES), gave_up)
}

/// A line is its number and padding. The first words of the RUN make its cache key new.
fn write(place: &Place, code: &GitRepository, what: &str, run: usize) {
    let (base, fresh) = (place.base.reference(), place.fresh(what, run));
    let padding = "x".repeat(PADDING - 1);
    let dockerfile = format!("FROM {base}\nRUN : {} && seq {LINES} | sed 's/$/ {padding}/'\n", fresh.trim());
    code.write("Dockerfile", dockerfile);
}

/// Returns how many of the numbers are in the build's stored log, each counted once.
async fn numbers_in_log(place: &Place, build: &Value) -> usize {
    let padding = format!(" {}", "x".repeat(PADDING - 1));
    let mut numbers = HashSet::new();
    let mut from = 0;
    loop {
        let page = place.product.must("builds.log", json!({ "id": build, "from": from, "count": 10_000 })).await;
        let lines = page["lines"].as_array().cloned().unwrap_or_default();
        let Some(last) = lines.last() else { return numbers.len() };
        from = last["number"].as_u64().expect("lines are numbered") + 1;
        let texts = lines.iter().filter_map(|line| line["text"].as_str());
        let found = texts.filter_map(|text| text.strip_suffix(&padding)?.parse::<usize>().ok());
        numbers.extend(found.filter(|number| (1..=LINES).contains(number)));
    }
}
