//! Build contexts, sent to the engine file by file: it is shown what is there and asks for what it lacks.
//!
//! The protocol is fsutil's `DiffCopy` (`reference/engine-and-git-facts.md`, "Filesync"): stats of all entries in path order, an
//! empty stat, requests by index, data ended by an empty piece, `FIN` both ways.

mod dockerfile_folder;
mod follow;
mod select;
mod stat;
mod walk;

pub(crate) use dockerfile_folder::{DOCKERFILE, DockerfileFolder};

use crate::session::{BuildTasks, FirstFailure};
use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};
use bollard_buildkit_proto::moby::filesync::v1::file_sync_server::FileSync;
use futures::stream::{self, BoxStream, StreamExt as _};
use select::{Question, Selection};
use slipway_core::Failure;
use slipway_core::ports::{ContentId, ContextTree};
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Bytes of one piece of a file.
const PIECE: usize = 128 << 10;
/// Batches that wait for the connection; the reading threads wait when it is full.
const WAITING: usize = 16;
/// Stats that travel together: thousands of entries are few wake-ups and few frames.
const STATS: usize = 128;

/// Packets that go out together; an error ends the call.
type Batch = Vec<Result<Packet, Status>>;

/// Serves the context and the folder with the Dockerfile.
#[derive(Clone)]
pub(crate) struct FileSyncService {
    context: Arc<dyn ContextTree>,
    dockerfile: Arc<dyn ContextTree>,
    tasks: BuildTasks,
    failure: FirstFailure,
}

impl FileSyncService {
    /// Serves these two folders. What goes wrong while reading them is kept in `failure`.
    pub(crate) fn new(
        context: Arc<dyn ContextTree>,
        dockerfile: DockerfileFolder,
        tasks: BuildTasks,
        failure: FirstFailure,
    ) -> Self {
        Self { context, dockerfile: Arc::new(dockerfile), tasks, failure }
    }
}

#[tonic::async_trait]
impl FileSync for FileSyncService {
    type DiffCopyStream = BoxStream<'static, Result<Packet, Status>>;

    async fn diff_copy(&self, request: Request<Streaming<Packet>>) -> Result<Response<Self::DiffCopyStream>, Status> {
        let question = Question::read(request.metadata());
        let tree = match question.folder.as_str() {
            "context" => self.context.clone(),
            "dockerfile" => self.dockerfile.clone(),
            other => return Err(Status::not_found(format!("no folder is called {other:?}"))),
        };
        let (packets, answer) = mpsc::channel(WAITING);
        // At most one number per file of the context.
        let (wanted, asked) = mpsc::unbounded_channel();
        let copy =
            Copy { tree, packets, offered: Arc::default(), tasks: self.tasks.clone(), failure: self.failure.clone() };
        let shown = copy.clone();
        self.tasks.spawn_blocking(move || shown.show(&question));
        let sent = copy.clone();
        self.tasks.spawn_blocking(move || sent.send(asked));
        self.tasks.spawn(copy.listen(request.into_inner(), wanted));
        Ok(Response::new(ReceiverStream::new(answer).flat_map(stream::iter).boxed()))
    }

    type TarStreamStream = ReceiverStream<Result<Packet, Status>>;

    async fn tar_stream(&self, _: Request<Streaming<Packet>>) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("files are sent by DiffCopy"))
    }
}

/// One call of `DiffCopy`.
#[derive(Clone)]
struct Copy {
    tree: Arc<dyn ContextTree>,
    packets: mpsc::Sender<Batch>,
    /// Files that were shown and not asked for yet, by index.
    offered: Arc<Mutex<HashMap<u32, ContentId>>>,
    tasks: BuildTasks,
    failure: FirstFailure,
}

impl Copy {
    /// Shows everything that is asked about, in path order.
    fn show(self, question: &Question) {
        let mut index = 0_u32;
        let mut stats = Vec::with_capacity(STATS);
        let shown = Selection::new(question, &*self.tree).and_then(|selection| {
            walk::walk(&*self.tree, &selection, &mut |stat, content| {
                if let Some(content) = content {
                    self.offered.lock().unwrap_or_else(PoisonError::into_inner).insert(index, content);
                }
                index += 1;
                stats.push(Ok(stat_packet(Some(stat))));
                if self.tasks.stopped() {
                    ControlFlow::Break(())
                } else if stats.len() < STATS {
                    ControlFlow::Continue(())
                } else {
                    self.batch(std::mem::replace(&mut stats, Vec::with_capacity(STATS)))
                }
            })
        });
        match shown {
            Ok(ControlFlow::Continue(())) => {
                stats.push(Ok(stat_packet(None)));
                // The engine may hang up before the end.
                let _ = self.batch(stats);
            }
            Ok(ControlFlow::Break(())) => {}
            Err(failure) => self.fail(failure),
        }
    }

    /// Sends the files that the engine asks for, one after the other.
    fn send(self, mut asked: mpsc::UnboundedReceiver<u32>) {
        let mut buffer = vec![0; PIECE];
        while let Some(index) = asked.blocking_recv() {
            let content = self.offered.lock().unwrap_or_else(PoisonError::into_inner).remove(&index);
            let Some(content) = content else {
                return self.fail(Failure::internal(format!("the engine asks for entry {index}, which is no file")));
            };
            match self.send_file(index, &content, &mut buffer) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => return,
                Err(failure) => return self.fail(failure),
            }
        }
    }

    fn send_file(&self, index: u32, content: &ContentId, buffer: &mut [u8]) -> Result<ControlFlow<()>, Failure> {
        let mut file = self.tree.open(content)?;
        loop {
            let read = match file.read(buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(read_failure(error)),
            };
            if self.tasks.stopped() {
                return Ok(ControlFlow::Break(()));
            }
            let sent = self.packet(Packet {
                r#type: PacketType::PacketData.into(),
                id: index,
                data: buffer[..read].to_vec(),
                ..Default::default()
            });
            if read == 0 || sent.is_break() {
                return Ok(sent);
            }
        }
    }

    /// Reads what the engine says until it is content.
    async fn listen(self, mut calls: Streaming<Packet>, wanted: mpsc::UnboundedSender<u32>) {
        loop {
            let Ok(Some(call)) = calls.message().await else { return };
            match call.r#type() {
                PacketType::PacketReq => {
                    if wanted.send(call.id).is_err() {
                        return;
                    }
                }
                PacketType::PacketFin => {
                    let fin = Packet { r#type: PacketType::PacketFin.into(), ..Default::default() };
                    // When nobody listens any more there is nobody to tell.
                    let _ = self.packets.send(vec![Ok(fin)]).await;
                    return;
                }
                PacketType::PacketErr => {
                    tracing::debug!(error = %String::from_utf8_lossy(&call.data), "the engine gave up on a context");
                    return;
                }
                PacketType::PacketStat | PacketType::PacketData => {}
            }
        }
    }

    fn packet(&self, packet: Packet) -> ControlFlow<()> {
        self.batch(vec![Ok(packet)])
    }

    /// Sends packets, waiting for room; breaks when the engine hung up.
    fn batch(&self, packets: Batch) -> ControlFlow<()> {
        match self.packets.blocking_send(packets) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    /// Ends the call, so that the engine never builds from half a context.
    fn fail(&self, failure: Failure) {
        let message = failure.message.clone();
        self.failure.keep(failure);
        let error =
            Packet { r#type: PacketType::PacketErr.into(), data: message.clone().into_bytes(), ..Default::default() };
        // An engine that hung up does not need to be told.
        let _ = self.packet(error);
        let _ = self.batch(vec![Err(Status::aborted(message))]);
    }
}

/// A failure that a reader carried through `io::Error` comes out as it went in.
fn read_failure(error: std::io::Error) -> Failure {
    let message = format!("a file of the context cannot be read: {error}");
    match error.into_inner().map(|inner| inner.downcast::<Failure>()) {
        Some(Ok(failure)) => *failure,
        _ => Failure::internal(message),
    }
}

fn stat_packet(stat: Option<Stat>) -> Packet {
    Packet { r#type: PacketType::PacketStat.into(), stat, ..Default::default() }
}

#[cfg(test)]
mod tests;
