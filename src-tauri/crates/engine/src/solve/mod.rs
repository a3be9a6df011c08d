//! One build on the engine: `Control.Solve` with `Control.Status` beside it, over the build's own session.

mod dockerfile_lines;
mod feed;
pub(crate) mod progress;
mod request;
mod step_name;

use crate::build_errors;
use crate::context::{DockerfileFolder, FileSyncService};
use crate::session::{self, BuildTasks, FirstFailure, LastCall, Offer};
use crate::transport::Transport;
use feed::StatusFeed;
use progress::Progress;
use slipway_core::image::ImageId;
use slipway_core::log::BuildEvent;
use slipway_core::ports::{EngineBuild, EngineInfo};
use slipway_core::{ErrorClass, ErrorCode, Failure};
use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long the last events may take to arrive after the engine said how the build ended.
const DRAIN: Duration = Duration::from_secs(3);
/// The same where nothing seems to be left to say.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// An engine that called the session's health service and then says nothing for so long hangs.
const SILENCE: Duration = Duration::from_secs(60);

/// What the engine says about a finished build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SolveOutcome {
    /// The engine's id of the image: config digest on graph drivers, manifest or index digest on the containerd store.
    pub(crate) image: ImageId,
}

/// Builds and waits for the end, sending events as they come; the image is then in the engine's store under
/// `name`. What the engine is (`facts`) is asked while the connections open. Cancelling or dropping the future hangs up, which makes the engine stop its work.
///
/// # Errors
/// What [`build_errors`] makes of the engine's words, what the context gives, what dialling gives;
/// [`ErrorCode::EnginePlatforms`], [`ErrorCode::EngineUnsupported`], [`ErrorCode::EngineLost`], [`ErrorCode::Cancelled`].
pub(crate) async fn build(
    transport: &Transport,
    facts: impl Future<Output = Result<EngineInfo, Failure>>,
    request: EngineBuild,
    name: &str,
    events: mpsc::Sender<BuildEvent>,
    cancel: &CancellationToken,
) -> Result<SolveOutcome, Failure> {
    let (tasks, running) = BuildTasks::new();
    let built = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::cancelled()),
        built = run(transport, &tasks, facts, request, name, events) => built,
    };
    running.end().await;
    built
}

async fn run(
    transport: &Transport,
    tasks: &BuildTasks,
    facts: impl Future<Output = Result<EngineInfo, Failure>>,
    request: EngineBuild,
    name: &str,
    events: mpsc::Sender<BuildEvent>,
) -> Result<SolveOutcome, Failure> {
    let (session_id, solve_id) = (request::random_id()?, request::random_id()?);
    let solve = request::solve_request(&request, name, &session_id, &solve_id);
    let platforms = request.platforms.len();
    let mut progress = Progress::new(&request.dockerfile, &request.secrets);
    let (failure, last_call) = (FirstFailure::default(), LastCall::default());
    let dockerfile = DockerfileFolder::new(request.dockerfile, request.dockerfile_ignore);
    let offer = Offer {
        files: FileSyncService::new(request.context, dockerfile, tasks.clone(), failure.clone()),
        logins: request.logins,
        secrets: request.secrets,
    };
    let (info, opened, control) = tokio::join!(
        facts,
        session::open(transport, tasks, &session_id, &request.shared_key, offer, last_call.clone()),
        session::control(transport, tasks, session::WINDOW),
    );
    // What the engine is says more than which of the others it refused.
    let info = info?;
    opened?;
    if platforms > 1 && !info.containerd_store {
        return Err(Failure::new(
            ErrorCode::EnginePlatforms,
            "this engine keeps images of one platform only: its containerd image store is off",
        ));
    }
    let mut control = feed::client(control?);

    let mut feed = StatusFeed::open(&control, transport, tasks, &solve_id, &info);
    let mut solving = pin!(control.solve(solve));
    let mut listening = true;
    let solved = loop {
        tokio::select! {
            solved = &mut solving => break solved,
            update = feed.next(), if listening => match update {
                Some(update) => {
                    last_call.heard();
                    send(progress.events(update), &events).await;
                }
                None => listening = false,
            },
            () = last_call.silent_for(SILENCE) => return Err(Failure::new(
                ErrorCode::EngineLost,
                format!("the engine has said nothing for {} seconds", SILENCE.as_secs()),
            )),
        }
    };
    let mut heard = Instant::now();
    while listening {
        match tokio::time::timeout(LAST_WORDS, feed.next()).await {
            Ok(Some(update)) => {
                send(progress.events(update), &events).await;
                heard = Instant::now();
            }
            Ok(None) => listening = false,
            Err(_) => listening = !feed.is_whole() && heard.elapsed() < DRAIN,
        }
    }
    if !feed.is_whole() {
        send(vec![end_is_missing()], &events).await;
    }
    match solved {
        Ok(response) => outcome(&response.into_inner().exporter_response),
        Err(status) => {
            let failure = failure.get().unwrap_or_else(|| build_errors::from_status(&status, progress.failed_step()));
            let failure = match failure.code.class() {
                ErrorClass::Dockerfile | ErrorClass::BaseImage => failure.with("dockerfile", request.dockerfile_name),
                _ => failure,
            };
            Err(progress.conceal(failure))
        }
    }
}

/// Sends events; a receiver that went away does not stop the build.
async fn send(new: Vec<BuildEvent>, events: &mpsc::Sender<BuildEvent>) {
    for event in new {
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// What the log says when the engine stopped reporting before the build was over.
fn end_is_missing() -> BuildEvent {
    let message = "the engine stopped reporting before the build was over: the end of this log is missing".to_owned();
    BuildEvent::Warning { key: None, message, line: None }
}

/// Success is an image id that was seen.
fn outcome(exporter_response: &HashMap<String, String>) -> Result<SolveOutcome, Failure> {
    let image = exporter_response
        .get("containerimage.digest")
        .cloned()
        .ok_or_else(|| Failure::new(ErrorCode::EngineError, "the engine ended the build without naming an image"))?;
    Ok(SolveOutcome { image: ImageId(image) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn success_is_an_image_id_that_was_seen() {
        let answer = HashMap::from([("containerimage.digest".to_owned(), "sha256:1".to_owned())]);
        assert_eq!(outcome(&answer).unwrap().image.0, "sha256:1");
        assert_eq!(outcome(&HashMap::new()).unwrap_err().code, ErrorCode::EngineError);
    }
}
