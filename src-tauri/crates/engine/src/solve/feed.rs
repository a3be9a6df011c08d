//! The engine's status messages, all of them.
//!
//! BuildKit 0.8 (Docker 20.10) breaks its own status stream: once more than 1 MiB of log waited to be sent at a time, it says
//! that much and then empty messages for ever, faster than anybody can read them, and never again anything else (its
//! `control.go` does not reset the flag that asks for one more round). Later lines would be lost and a reader that waits for
//! silence would wait for ever. So a second stream is held open there and not read: over a connection of its own with next to
//! no room, so that the engine soon waits and keeps for it what it has to say. When the first one breaks the second goes on,
//! and what was heard before is left out.

use crate::session::{self, BuildTasks, EngineChannel};
use crate::transport::Transport;
use bollard_buildkit_proto::moby::buildkit::v1::control_client::ControlClient;
use bollard_buildkit_proto::moby::buildkit::v1::{StatusRequest, StatusResponse};
use slipway_core::ports::EngineInfo;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::time::Duration;
use tokio::sync::oneshot;
use tonic::{Status, Streaming};

/// So many messages without a word in a row are the broken stream; a healthy one sends none.
const BROKEN: u32 = 16;
/// How long a fresh stream may take to say its first words. Where a step prints much it takes a moment; where none does,
/// nothing can be lost.
const FRESH: Duration = Duration::from_millis(250);
/// Room of a stream that is held open, bytes.
const STANDBY_WINDOW: u32 = 16 << 10;
/// Largest message of the engine: many log pieces travel in one.
const MESSAGE_BYTES: usize = 64 << 20;
/// The first major version of Docker whose BuildKit says everything.
const MENDED: u32 = 23;

/// Returns whether this engine's status stream can break.
fn breaks(info: &EngineInfo) -> bool {
    let major = info.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major < MENDED)
}

/// The engine's build API over this channel.
pub(super) fn client(channel: EngineChannel) -> ControlClient<EngineChannel> {
    ControlClient::with_origin(channel, http::Uri::from_static("http://docker"))
        .max_decoding_message_size(MESSAGE_BYTES)
}

/// What the engine says about one build.
pub(super) struct StatusFeed {
    source: Source,
    reading: StatusStream,
    /// Held open and not read, where the stream can break.
    standby: Option<StatusStream>,
    /// Takes the standby's place while that becomes the one that is read.
    fresh: Option<StatusStream>,
    /// Time of the newest piece of each output.
    heard: HashMap<Output, Time>,
    /// The same, of what an earlier stream said.
    said_before: HashMap<Output, Time>,
    /// Steps that began and are not known to be over.
    running: HashSet<String>,
    silent: u32,
    /// Another stream broke before the one that is read.
    changed: bool,
    over: bool,
    ended: bool,
}

impl StatusFeed {
    /// Begins to listen; the build may begin afterwards.
    pub(super) fn open(
        control: &ControlClient<EngineChannel>,
        transport: &Transport,
        tasks: &BuildTasks,
        solve: &str,
        info: &EngineInfo,
    ) -> Self {
        let source = Source { transport: transport.clone(), tasks: tasks.clone(), solve: solve.to_owned() };
        Self {
            reading: source.stream(std::future::ready(Ok(control.clone()))),
            standby: breaks(info).then(|| source.standby()),
            source,
            fresh: None,
            heard: HashMap::new(),
            said_before: HashMap::new(),
            running: HashSet::new(),
            silent: 0,
            changed: false,
            over: false,
            ended: false,
        }
    }

    /// Returns the next message, or `None` when the engine has said all or cannot say more: how a build ended is told by
    /// Solve alone. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<StatusResponse> {
        while !self.over {
            if self.silent >= BROKEN {
                self.change_over().await;
            }
            match self.reading.message().await {
                Ok(Some(update)) if is_silent(&update) => self.silent = self.silent.saturating_add(1),
                Ok(Some(update)) => {
                    self.silent = 0;
                    return Some(self.once(update));
                }
                Ok(None) => (self.over, self.ended) = (true, true),
                Err(status) => {
                    tracing::debug!(%status, "the build's status stream broke");
                    self.over = true;
                }
            }
        }
        None
    }

    /// Returns true when all that the engine has to say about a build that is over was heard: it ended its stream; or it has
    /// no answer to a new one, which is how it answers after the build, and the one before told the end of each step.
    pub(super) fn is_whole(&self) -> bool {
        self.ended || (self.changed && self.reading.messages.is_none() && self.running.is_empty())
    }

    /// Reads on from the standby, once the engine keeps its words for a fresh one.
    async fn change_over(&mut self) {
        if self.standby.is_none() {
            tracing::warn!("the engine's status stream is broken");
            self.over = true;
            return;
        }
        self.fresh.get_or_insert_with(|| self.source.standby()).begun().await;
        if let Some(standby) = std::mem::replace(&mut self.standby, self.fresh.take()) {
            self.reading = standby;
        }
        self.said_before.clone_from(&self.heard);
        (self.changed, self.silent) = (true, 0);
    }

    /// Leaves out what another stream said before: pieces of one output carry rising times.
    fn once(&mut self, mut update: StatusResponse) -> StatusResponse {
        update.logs.retain(|log| {
            let Some(time) = log.timestamp.as_ref().map(|time| (time.seconds, time.nanos)) else { return true };
            let output = (log.vertex.clone(), log.stream);
            if self.said_before.get(&output).is_some_and(|before| time <= *before) {
                return false;
            }
            let newest = self.heard.entry(output).or_insert(time);
            *newest = time.max(*newest);
            true
        });
        for step in &update.vertexes {
            if step.completed.is_some() {
                self.running.remove(&step.digest);
            } else if step.started.is_some() {
                self.running.insert(step.digest.clone());
            }
        }
        update
    }
}

/// The digest of a step and the number of its stream.
type Output = (String, i64);
/// Seconds and nanoseconds.
type Time = (i64, i32);

fn is_silent(update: &StatusResponse) -> bool {
    update.vertexes.is_empty() && update.statuses.is_empty() && update.logs.is_empty() && update.warnings.is_empty()
}

/// Where a build's status streams come from.
struct Source {
    transport: Transport,
    tasks: BuildTasks,
    solve: String,
}

impl Source {
    /// Calls `Control.Status`. The engine answers with its first words, so it is awaited aside.
    fn stream(
        &self,
        control: impl Future<Output = Result<ControlClient<EngineChannel>, Status>> + Send + 'static,
    ) -> StatusStream {
        let (answered, answer) = oneshot::channel();
        let request = StatusRequest { r#ref: self.solve.clone() };
        self.tasks.spawn(async move {
            let called = async { control.await?.status(request).await.map(tonic::Response::into_inner) };
            // Nobody waits for it any more when the build is over.
            let _ = answered.send(called.await);
        });
        StatusStream { answer: Some(answer), messages: None }
    }

    fn standby(&self) -> StatusStream {
        let (transport, tasks) = (self.transport.clone(), self.tasks.clone());
        self.stream(async move {
            let channel = session::control(&transport, &tasks, STANDBY_WINDOW).await;
            channel.map(client).map_err(|failure| Status::unavailable(failure.message))
        })
    }
}

/// One status stream.
struct StatusStream {
    answer: Option<oneshot::Receiver<Result<Streaming<StatusResponse>, Status>>>,
    messages: Option<Streaming<StatusResponse>>,
}

impl StatusStream {
    /// Waits for the engine's answer.
    async fn answered(&mut self) -> Result<(), Status> {
        let Some(answer) = &mut self.answer else { return Ok(()) };
        let answered = answer.await;
        self.answer = None;
        self.messages = Some(answered.map_err(|_| Status::cancelled("the build is over"))??);
        Ok(())
    }

    /// Waits until the engine began to speak, or has nothing to say.
    async fn begun(&mut self) {
        if let Ok(Err(status)) = tokio::time::timeout(FRESH, self.answered()).await {
            tracing::debug!(%status, "a fresh status stream was refused");
        }
    }

    /// Returns the next message; `None` at the end.
    async fn message(&mut self) -> Result<Option<StatusResponse>, Status> {
        self.answered().await?;
        match &mut self.messages {
            Some(messages) => messages.message().await,
            None => Err(Status::cancelled("the engine refused the call")),
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
