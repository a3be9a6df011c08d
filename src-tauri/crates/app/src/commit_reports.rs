//! Telling code hosts how builds stand, beside the commits. The build's row is the truth: whatever was not told yet is told
//! now, the newest state alone. Nothing here delays a build or makes it fail.

use crate::queue::{LONGEST_WAIT, pause};
use crate::{AppEvent, Parts};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use slipway_core::failure::Retry;
use slipway_core::host::{CommitReport, ReportState, ReportedBuild};
use slipway_core::ids::{BuildId, SourceAccountId};
use slipway_core::{ErrorCode, Failure};
use slipway_store::OpenReport;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};

/// After this long nobody looks at a commit's page for the result any more.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(1);
/// A person who deletes a record waits this long for its host.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// Reports until the application stops.
pub(crate) async fn run(parts: Arc<Parts>, mut events: broadcast::Receiver<AppEvent>) {
    loop {
        let pause = round(&parts).await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "builds to report cannot be read");
            parts.pace.recheck
        });
        tokio::select! {
            () = parts.stop.cancelled() => return,
            () = changed(&mut events) => {}
            // A net under the events, as everywhere.
            () = tokio::time::sleep(pause.min(parts.pace.recheck)) => {}
        }
    }
}

/// Waits until a build or an account changed, or some news was missed.
async fn changed(events: &mut broadcast::Receiver<AppEvent>) {
    loop {
        match events.recv().await {
            Ok(AppEvent::BuildChanged { .. } | AppEvent::AccountsChanged) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Tells whatever is to be told now; returns the time until the next try is due. Accounts do not wait for each other; the
/// reports of one are sent in the order of their builds.
async fn round(parts: &Parts) -> Result<Duration, Failure> {
    let now = parts.now();
    let mut next = parts.pace.recheck;
    let mut due: BTreeMap<SourceAccountId, Vec<OpenReport>> = BTreeMap::new();
    for report in parts.store.open_reports().await? {
        if report.build.ended_at.is_some_and(|ended| now - ended > GIVEN_UP_AFTER) {
            let why = || Failure::new(ErrorCode::TimedOut, "the code host could not be told within a day");
            parts.store.report_failed(report.build.id, &report.failure.clone().unwrap_or_else(why), None).await?;
            continue;
        }
        let Some(account) = report.account else { continue };
        if report.reported == Some(report.build.state.into()) || report.build.commit_id.is_none() {
            continue;
        }
        match wait(report.next_try_at, now) {
            Some(wait) => next = next.min(wait),
            None => due.entry(account).or_default().push(report),
        }
    }
    join_all(due.into_iter().map(|(account, reports)| async move {
        for report in reports {
            if let Err(failure) = tell(parts, account, &report).await {
                tracing::warn!(%failure, build = %report.build.id, "a commit's report could not be noted");
            }
        }
    }))
    .await;
    Ok(next.max(Duration::from_millis(1)))
}

/// Returns how long a try has to wait still. A time that lies further ahead than any pause can be was written before the
/// clock was set back (F21).
fn wait(next_try_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Duration> {
    let wait = next_try_at? - now;
    (wait <= LONGEST_WAIT).then(|| wait.to_std().ok()).flatten().filter(|wait| !wait.is_zero())
}

/// Makes sure that deleting a build's record leaves no "pending" at its host: what the host was told to begin is told to its
/// end first. Where nobody can tell it any more (the account is paused or unbound), nothing is waited for.
///
/// # Errors
/// [`ErrorCode::WrongState`] while the host cannot be told; that ends by itself within a day.
pub(crate) async fn before_deletion(parts: &Parts, build: BuildId) -> Result<(), Failure> {
    let open = async || -> Result<Option<OpenReport>, Failure> {
        let open = parts.store.open_reports().await?.into_iter().find(|report| report.build.id == build);
        Ok(open.filter(|report| report.build.state.is_final() && report.reported == Some(ReportState::Pending)))
    };
    let Some(report) = open().await? else { return Ok(()) };
    let Some(account) = report.account else { return Ok(()) };
    if wait(report.next_try_at, parts.now()).is_none() {
        // Told late is told all the same: the answer is in the rows.
        let _ = tokio::time::timeout(TOLD_WITHIN, tell(parts, account, &report)).await;
    }
    match open().await? {
        None => Ok(()),
        Some(_) => Err(Failure::new(
            ErrorCode::WrongState,
            "the code host shows this build as pending and cannot be told how it ended now; it is tried again by itself",
        )),
    }
}

async fn tell(parts: &Parts, account: SourceAccountId, report: &OpenReport) -> Result<(), Failure> {
    let build = &report.build;
    let state = ReportState::from(build.state);
    let answer = send(parts, account, report, state).await;
    match answer {
        Ok(handle) => parts.store.report_told(build.id, state, handle.as_deref(), parts.now()).await?,
        // The next start tells it.
        Err(failure) if failure.code == ErrorCode::Cancelled => return Ok(()),
        Err(failure) => {
            tracing::info!(%failure, build = %build.id, "the code host was not told about a build");
            let now = parts.now();
            let wait = pause(parts.pace.retry_base, parts.pace.retry_cap, report.attempt + 1, &failure, now);
            // A refused token pauses the account; the report waits for the next one.
            let again = failure.code.retry() != Retry::Never || failure.code == ErrorCode::SourceUnauthorized;
            parts.store.report_failed(build.id, &failure, again.then_some(now + wait)).await?;
        }
    }
    parts.announce(AppEvent::BuildChanged { build: build.id, repository: build.repository });
    Ok(())
}

async fn send(
    parts: &Parts,
    account: SourceAccountId,
    report: &OpenReport,
    state: ReportState,
) -> Result<Option<String>, Failure> {
    let build = &report.build;
    let gone = |what: &str| Failure::new(ErrorCode::NotFound, format!("the build has no {what} any more"));
    let commit = build.commit_id.clone().ok_or_else(|| gone("commit"))?;
    let code = parts.store.code_repository(build.code.ok_or_else(|| gone("code"))?).await?;
    let place = code.account.ok_or_else(|| gone("account"))?;
    let opened = parts.open_account(account).await?;
    let said = ReportedBuild {
        number: build.number,
        state: build.state,
        failed: build.failure.as_ref().map(|failure| failure.code.class()),
        took: build.ended_at.zip(build.started_at).map(|(ended, started)| ended - started),
    };
    let report = CommitReport {
        commit,
        ref_name: build.ref_name.clone(),
        state,
        context: report.context.clone(),
        description: said.description(),
        // Slipway has no page that others can open.
        target_url: None,
        previous: report.handle.clone(),
    };
    let answer = parts.ports.hosts.report(&opened.access, &place.path, &report, &parts.stop.child_token()).await;
    parts.noted(&opened.record, answer).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f21_a_try_waits_for_its_time_and_not_for_a_clock_that_was_set_back() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        for (next, seconds) in [
            (None, None),
            (Some(now), None),
            (Some(now - TimeDelta::seconds(1)), None),
            (Some(now + TimeDelta::seconds(7)), Some(7)),
            (Some(now + LONGEST_WAIT), Some(86_400)),
            (Some(now + LONGEST_WAIT + TimeDelta::seconds(1)), None),
        ] {
            assert_eq!(wait(next, now).map(|wait| wait.as_secs()), seconds, "{next:?}");
        }
    }
}
