//! One build on the engine: `Control.Solve` with `Control.Status` beside it, over the build's own session.

mod dockerfile_lines;
mod progress;
mod request;
mod step_name;

use crate::build_errors;
use crate::context::{DockerfileFolder, FileSyncService};
use crate::session::{self, BuildTasks, FirstFailure, LastCall, Offer};
use crate::transport::Transport;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{StatusRequest, StatusResponse};
use futures::{Stream, StreamExt, TryFutureExt};
use progress::Progress;
use slipway_core::image::ImageId;
use slipway_core::log::BuildEvent;
use slipway_core::ports::{EngineBuild, EngineInfo};
use slipway_core::{ErrorClass, ErrorCode, Failure};
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long the last events may take to arrive after the engine said how the build ended.
const DRAIN: Duration = Duration::from_secs(3);
/// An engine that called the session's health service and then says nothing for so long hangs.
const SILENCE: Duration = Duration::from_secs(60);
/// Largest message of the engine: many log pieces travel in one.
const MESSAGE_BYTES: usize = 64 << 20;

/// What the engine says about a finished build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SolveOutcome {
    /// The engine's id of the image: config digest on graph drivers, manifest or index digest on the containerd store.
    pub(crate) image: ImageId,
}

/// Builds and waits for the end, sending events as they come; the image is then in the engine's store under
/// `name`. Cancelling or dropping the future hangs up, which makes the engine stop its work.
///
/// # Errors
/// What [`build_errors`] makes of the engine's words, what the context gives, what dialling gives;
/// [`ErrorCode::EnginePlatforms`], [`ErrorCode::EngineUnsupported`], [`ErrorCode::EngineLost`], [`ErrorCode::Cancelled`].
pub(crate) async fn build(
    transport: &Transport,
    info: &EngineInfo,
    request: EngineBuild,
    name: &str,
    events: mpsc::Sender<BuildEvent>,
    cancel: &CancellationToken,
) -> Result<SolveOutcome, Failure> {
    if request.platforms.len() > 1 && !info.containerd_store {
        return Err(Failure::new(
            ErrorCode::EnginePlatforms,
            "this engine keeps images of one platform only: its containerd image store is off",
        ));
    }
    let (tasks, running) = BuildTasks::new();
    let built = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Failure::cancelled()),
        built = run(transport, &tasks, request, name, events) => built,
    };
    running.end().await;
    built
}

async fn run(
    transport: &Transport,
    tasks: &BuildTasks,
    request: EngineBuild,
    name: &str,
    events: mpsc::Sender<BuildEvent>,
) -> Result<SolveOutcome, Failure> {
    let (session_id, solve_id) = (request::random_id()?, request::random_id()?);
    let solve = request::solve_request(&request, name, &session_id, &solve_id);
    let mut progress = Progress::new(&request.dockerfile, &request.secrets);
    let (failure, last_call) = (FirstFailure::default(), LastCall::default());
    let dockerfile = DockerfileFolder::new(request.dockerfile, request.dockerfile_ignore);
    let offer = Offer {
        files: FileSyncService::new(request.context, dockerfile, tasks.clone(), failure.clone()),
        logins: request.logins,
        secrets: request.secrets,
    };
    session::open(transport, tasks, &session_id, &request.shared_key, offer, last_call.clone()).await?;
    let channel = session::control(transport, tasks).await?;
    let mut control = ControlClient::with_origin(channel, http::Uri::from_static("http://docker"))
        .max_decoding_message_size(MESSAGE_BYTES);

    let mut updates = pin!(updates(control.clone(), solve_id));
    let mut solving = pin!(control.solve(solve));
    let solved = loop {
        tokio::select! {
            solved = &mut solving => break solved,
            Some(update) = updates.next() => {
                last_call.heard();
                send(progress.events(update), &events).await;
            }
            () = last_call.silent_for(SILENCE) => return Err(Failure::new(
                ErrorCode::EngineLost,
                format!("the engine has said nothing for {} seconds", SILENCE.as_secs()),
            )),
        }
    };
    while let Ok(Some(update)) = tokio::time::timeout(DRAIN, updates.next()).await {
        send(progress.events(update), &events).await;
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

/// The status stream; it ends with the build or, on its own failure, early: how a build ended is told by Solve alone.
fn updates(mut control: ControlClient<session::EngineChannel>, solve_id: String) -> impl Stream<Item = StatusResponse> {
    let opened =
        async move { control.status(StatusRequest { r#ref: solve_id }).await.map(tonic::Response::into_inner) };
    opened
        .try_flatten_stream()
        .take_while(|update| {
            if let Err(status) = update {
                tracing::debug!(%status, "the build's status stream ended");
            }
            std::future::ready(update.is_ok())
        })
        .filter_map(|update| std::future::ready(update.ok()))
        .fuse()
}

/// Sends events; a receiver that went away does not stop the build.
async fn send(new: Vec<BuildEvent>, events: &mpsc::Sender<BuildEvent>) {
    for event in new {
        if events.send(event).await.is_err() {
            return;
        }
    }
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
