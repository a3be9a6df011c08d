//! Builds told about beside their commits: always how they stand, never at their expense.

use crate::accounts::{connect, ready};
use crate::world::{Ready, World, failure, reaches, rule_spec};
use slipway_core::ErrorCode;
use slipway_core::build::BuildState;
use slipway_core::host::{ReportStanding, ReportState};
use slipway_core::ids::BuildId;
use slipway_core::rule::RuleSpec;
use slipway_testkit::eventually;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// Code of an account with a rule that asks for reports.
async fn reporting(world: &World) -> Ready {
    let (ready, _) = ready(world).await;
    let spec = RuleSpec { report_status: true, ..rule_spec(ready.code) };
    ready.app.edit_rule(ready.rule, &spec).await.unwrap();
    ready
}

fn push(world: &World, text: &str) -> String {
    world.code.repository(crate::accounts::PLACE).push("main", text, &[("index.html", text)]).as_str().to_owned()
}

/// What the host was told: commit, state and words.
fn told(world: &World) -> Vec<(String, ReportState, String)> {
    let told = world.hosts.reports();
    assert!(told.iter().all(|(path, one)| path.0 == "acme/web" && one.context == "slipway/team/app (pushes)"));
    told.into_iter().map(|(_, one)| (one.commit.as_str().to_owned(), one.state, one.description)).collect()
}

async fn stands(ready: &Ready, build: BuildId, what: &str, is: impl Fn(&ReportStanding) -> bool) {
    eventually(what, SOON, async || {
        let standing = ready.app.build_detail(build).await.unwrap().report;
        if standing.as_ref().is_some_and(&is) { Ok(()) } else { Err(standing) }
    })
    .await;
}

fn is_reported(state: ReportState) -> impl Fn(&ReportStanding) -> bool {
    move |standing| matches!(standing, ReportStanding::Reported { state: told, .. } if *told == state)
}

#[tokio::test]
async fn a_build_is_told_of_when_it_begins_and_when_it_ends() {
    let world = World::new();
    let ready = reporting(&world).await;
    world.engine.hold_builds(true);
    let good = push(&world, "second");
    let first = ready.look().await.remove(0);
    stands(&ready, first.id, "the beginning is told", is_reported(ReportState::Pending)).await;
    world.engine.hold_builds(false);
    stands(&ready, first.id, "the end is told", is_reported(ReportState::Success)).await;

    world.engine.fail("build", failure(ErrorCode::StepFailed), 1);
    let bad = push(&world, "third");
    let second = ready.look().await.remove(1);
    stands(&ready, second.id, "the failure is told", is_reported(ReportState::Failure)).await;
    let told = told(&world);
    assert_eq!(told[0], (good.clone(), ReportState::Pending, "Build #1 is under way".to_owned()));
    assert_eq!((&told[1].0, told[1].1), (&good, ReportState::Success));
    assert!(told[1].2.starts_with("Build #1 succeeded in "), "{told:?}");
    let last = told.last().unwrap();
    assert_eq!(*last, (bad, ReportState::Failure, "Build #2 failed: Dockerfile".to_owned()));
    assert_eq!(world.hosts.reports()[1].1.previous.as_deref(), Some("report 1"), "the host's own name of the report");
}

#[tokio::test]
async fn f09_a_host_with_a_bad_day_is_told_later_and_delays_no_build() {
    let world = World::new();
    let ready = reporting(&world).await;
    world.hosts.fail("report", failure(ErrorCode::SourceServerError), 1);
    world.hosts.fail("report", failure(ErrorCode::SourceRateLimited).with("retry_after", "600"), 1);
    let commit = push(&world, "second");
    let build = ready.look().await.remove(0);
    let done = reaches(&ready.app, build.id, BuildState::Succeeded).await;
    assert_eq!(done.failure, None);
    let waits = |one: &ReportStanding| matches!(one, ReportStanding::Waiting { failure: Some(why), next_try_at: Some(_) } if why.code == ErrorCode::SourceRateLimited);
    stands(&ready, build.id, "the report waits as long as the host asks", waits).await;
    assert_eq!(world.hosts.calls("report"), 2);
    world.clock.advance(chrono::TimeDelta::seconds(601));
    stands(&ready, build.id, "the end is told", is_reported(ReportState::Success)).await;
    let told = told(&world);
    assert_eq!(told.len(), 1, "only how it stands now");
    assert_eq!((&told[0].0, told[0].1), (&commit, ReportState::Success));
}

#[tokio::test]
async fn a_host_that_does_not_take_reports_is_asked_once_a_build() {
    let world = World::new();
    let ready = reporting(&world).await;
    world.hosts.fail("report", failure(ErrorCode::SourceScopesMissing).with("scopes", "repo:status"), 1);
    push(&world, "second");
    let build = ready.look().await.remove(0);
    reaches(&ready.app, build.id, BuildState::Succeeded).await;
    let refused = |one: &ReportStanding| matches!(one, ReportStanding::Refused { failure } if failure.details["scopes"] == "repo:status");
    stands(&ready, build.id, "the refusal stands on the build", refused).await;
    // The next build tries anew: its report comes after whatever the first would have sent.
    let commit = push(&world, "third");
    let next = ready.look().await.remove(1);
    stands(&ready, next.id, "the next build is told of", is_reported(ReportState::Success)).await;
    assert!(told(&world).iter().all(|(told, ..)| *told == commit));
}

#[tokio::test]
async fn f01_what_was_not_told_is_told_by_the_next_start_and_a_refused_token_by_the_next_one() {
    let world = World::new();
    let ready = reporting(&world).await;
    world.hosts.refuse("ada-1");
    world.engine.hold_builds(true);
    let commit = push(&world, "second");
    // The push is known already when the token is refused: git still takes it here.
    let build = ready.look().await.remove(0);
    eventually("the account is paused", SOON, async || {
        let accounts = ready.app.accounts().await.unwrap();
        if accounts[0].record.paused.is_some() { Ok(()) } else { Err(world.hosts.calls("report")) }
    })
    .await;
    ready.app.shutdown().await;
    world.engine.hold_builds(false);
    let Ready { code, repository, rule, .. } = ready;
    let app = world.open().await;
    reaches(&app, build.id, BuildState::Succeeded).await;
    let ready = Ready { app, code, repository, rule };
    assert_eq!(told(&world), []);
    world.hosts.accept_all();
    connect(&ready.app, "ada-2").await;
    stands(&ready, build.id, "the end is told", is_reported(ReportState::Success)).await;
    let told = told(&world);
    assert_eq!((told.len(), &told[0].0), (1, &commit));
}

#[tokio::test]
async fn running_a_commit_again_replaces_its_report() {
    let world = World::new();
    let ready = reporting(&world).await;
    push(&world, "second");
    let first = ready.look().await.remove(0);
    reaches(&ready.app, first.id, BuildState::Succeeded).await;
    stands(&ready, first.id, "the end is told", is_reported(ReportState::Success)).await;
    let again = ready.app.rerun(first.id).await.unwrap();
    stands(&ready, again, "the second end is told", is_reported(ReportState::Success)).await;
    let numbers: Vec<_> = told(&world).into_iter().map(|(.., said)| said[..8].to_owned()).collect();
    assert!(numbers.is_sorted() && numbers.contains(&"Build #2".to_owned()), "{numbers:?}");
}

#[tokio::test]
async fn a_record_is_not_deleted_before_its_host_knows_how_the_build_ended() {
    let world = World::new();
    let ready = reporting(&world).await;
    world.engine.hold_builds(true);
    push(&world, "second");
    let build = ready.look().await.remove(0);
    stands(&ready, build.id, "the beginning is told", is_reported(ReportState::Pending)).await;
    world.hosts.fail("report", failure(ErrorCode::SourceRateLimited).with("retry_after", "600"), 1);
    world.engine.hold_builds(false);
    reaches(&ready.app, build.id, BuildState::Succeeded).await;
    let waits = |one: &ReportStanding| matches!(one, ReportStanding::Waiting { failure: Some(_), .. });
    stands(&ready, build.id, "the host asks to wait", waits).await;
    let calls = world.hosts.calls("report");
    assert_eq!(ready.app.delete_build(build.id).await.unwrap_err().code, ErrorCode::WrongState);
    assert_eq!(world.hosts.calls("report"), calls, "the host is not asked before its time");
    world.clock.advance(chrono::TimeDelta::seconds(601));
    ready.app.delete_build(build.id).await.unwrap();
    assert_eq!(told(&world).last().unwrap().1, ReportState::Success);
    assert!(ready.app.store().build(build.id).await.is_err());
}
