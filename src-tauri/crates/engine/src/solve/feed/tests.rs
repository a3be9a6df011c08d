#![allow(clippy::unwrap_used)]
use super::*;
use async_trait::async_trait;
use bollard_buildkit_proto::google::protobuf::Timestamp;
use bollard_buildkit_proto::moby::buildkit::v1::control_server::{Control, ControlServer};
use bollard_buildkit_proto::moby::buildkit::v1::{
    BuildHistoryEvent, BuildHistoryRequest, BytesMessage, DiskUsageRequest, DiskUsageResponse, InfoRequest,
    InfoResponse, ListWorkersRequest, ListWorkersResponse, PruneRequest, SolveRequest, SolveResponse,
    UpdateBuildHistoryRequest, UpdateBuildHistoryResponse, UsageRecord, Vertex, VertexLog,
};
use futures::StreamExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use slipway_core::image::Platform;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tonic::{Request, Response};

/// How much of a log BuildKit sends in one message.
const MESSAGE: usize = 1 << 20;
/// Bytes of one piece of a log.
const PIECE: usize = 4096;

/// A build on an engine with BuildKit 0.8.
#[derive(Clone, Default)]
struct OldBuild(Arc<Mutex<OldBuildState>>);

#[derive(Default)]
struct OldBuildState {
    printed: i64,
    completed: bool,
    over: bool,
    readers: Vec<Arc<Reader>>,
}

/// What waits to be sent over one status stream.
#[derive(Default)]
struct Reader {
    waiting: Mutex<Vec<VertexLog>>,
    wake: Notify,
}

impl OldBuild {
    /// Prints so many pieces at once.
    fn print(&self, pieces: usize) {
        self.print_and(pieces, false);
    }

    /// Prints so many pieces at once; the step may be over with them.
    fn print_and(&self, pieces: usize, completed: bool) {
        let mut state = self.0.lock().unwrap();
        state.completed = completed;
        for _ in 0..pieces {
            state.printed += 1;
            let log = VertexLog {
                vertex: "sha256:1".into(),
                timestamp: Some(Timestamp { seconds: state.printed, nanos: 0 }),
                stream: 1,
                msg: vec![b'x'; PIECE],
            };
            for reader in &state.readers {
                reader.waiting.lock().unwrap().push(log.clone());
            }
        }
        state.readers.iter().for_each(|reader| reader.wake.notify_one());
    }

    fn end(&self) {
        let mut state = self.0.lock().unwrap();
        state.over = true;
        state.readers.iter().for_each(|reader| reader.wake.notify_one());
    }

    fn readers(&self) -> usize {
        self.0.lock().unwrap().readers.len()
    }

    /// Sends what waits as BuildKit 0.8 does: the first mebibyte, then piece by piece, then nothing for ever.
    async fn tell(self, reader: Arc<Reader>, messages: mpsc::Sender<Result<StatusResponse, Status>>) {
        loop {
            let batch = std::mem::take(&mut *reader.waiting.lock().unwrap());
            if batch.is_empty() {
                if self.0.lock().unwrap().over {
                    return;
                }
                reader.wake.notified().await;
                continue;
            }
            let step = |completed| Vertex {
                digest: "sha256:1".into(),
                started: Some(Timestamp::default()),
                completed: Some(Timestamp::default()).filter(|_| completed),
                ..Default::default()
            };
            let mut vertexes = vec![step(self.0.lock().unwrap().completed)];
            let (mut logs, mut bytes, mut breaks) = (Vec::new(), 0, false);
            for log in batch {
                bytes += log.msg.len();
                logs.push(log);
                if bytes > MESSAGE {
                    breaks = true;
                    let (logs, vertexes) = (std::mem::take(&mut logs), std::mem::take(&mut vertexes));
                    let message = StatusResponse { logs, vertexes, ..Default::default() };
                    if messages.send(Ok(message)).await.is_err() {
                        return;
                    }
                }
            }
            loop {
                let (logs, vertexes) = (std::mem::take(&mut logs), std::mem::take(&mut vertexes));
                let message = StatusResponse { logs, vertexes, ..Default::default() };
                if messages.send(Ok(message)).await.is_err() {
                    return;
                }
                if !breaks {
                    break;
                }
            }
        }
    }
}

type Never<T> = futures::stream::Empty<Result<T, Status>>;

#[async_trait]
impl Control for OldBuild {
    type StatusStream = tokio_stream::wrappers::ReceiverStream<Result<StatusResponse, Status>>;
    type PruneStream = Never<UsageRecord>;
    type SessionStream = Never<BytesMessage>;
    type ListenBuildHistoryStream = Never<BuildHistoryEvent>;

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<Self::StatusStream>, Status> {
        let reader = Arc::new(Reader::default());
        let mut state = self.0.lock().unwrap();
        if state.over {
            return Err(Status::unknown("no such job"));
        }
        state.readers.push(Arc::clone(&reader));
        let (sender, receiver) = mpsc::channel(8);
        tokio::spawn(self.clone().tell(reader, sender));
        Ok(Response::new(receiver.into()))
    }

    async fn disk_usage(&self, _: Request<DiskUsageRequest>) -> Result<Response<DiskUsageResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn prune(&self, _: Request<PruneRequest>) -> Result<Response<Self::PruneStream>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn solve(&self, _: Request<SolveRequest>) -> Result<Response<SolveResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn session(&self, _: Request<Streaming<BytesMessage>>) -> Result<Response<Self::SessionStream>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn list_workers(&self, _: Request<ListWorkersRequest>) -> Result<Response<ListWorkersResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn info(&self, _: Request<InfoRequest>) -> Result<Response<InfoResponse>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn listen_build_history(
        &self,
        _: Request<BuildHistoryRequest>,
    ) -> Result<Response<Self::ListenBuildHistoryStream>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn update_build_history(
        &self,
        _: Request<UpdateBuildHistoryRequest>,
    ) -> Result<Response<UpdateBuildHistoryResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// Serves the build API behind a socket's `/grpc`.
async fn serve(listener: tokio::net::UnixListener, build: OldBuild) {
    while let Ok((mut near, _)) = listener.accept().await {
        let routes = tonic::service::Routes::new(ControlServer::new(build.clone())).prepare();
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(near.read_u8().await.unwrap());
            }
            let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
            near.write_all(answer).await.unwrap();
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            // It ends with the client's connection.
            let _ = server.serve_connection(TokioIo::new(near), TowerToHyperService::new(routes)).await;
        });
    }
}

fn engine(version: &str) -> EngineInfo {
    EngineInfo {
        version: version.to_owned(),
        api_version: String::new(),
        platform: "linux/amd64".parse::<Platform>().unwrap(),
        endpoint: String::new(),
        context: None,
        containerd_store: false,
        insecure_registries: Vec::new(),
        mirrors: Vec::new(),
        disk_bytes: None,
    }
}

/// Reads the numbers of so many pieces.
async fn hear(feed: &mut StatusFeed, pieces: usize) -> Vec<i64> {
    let mut heard = Vec::new();
    while heard.len() < pieces {
        let update = tokio::time::timeout(Duration::from_secs(20), feed.next()).await;
        let Ok(Some(update)) = update else { panic!("heard {heard:?} and then nothing") };
        heard.extend(update.logs.iter().map(|log| log.timestamp.as_ref().unwrap().seconds));
    }
    heard
}

/// Runs a test against this build; returns when the test is over.
async fn with_feed(build: &OldBuild, version: &str, test: impl AsyncFnOnce(&mut StatusFeed)) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let engine_task = tokio::spawn(serve(tokio::net::UnixListener::bind(&socket).unwrap(), build.clone()));
    let (tasks, running) = BuildTasks::new();
    let transport = Transport::unix(socket);
    let control = client(session::control(&transport, &tasks, session::WINDOW).await.unwrap());
    let mut feed = StatusFeed::open(&control, &transport, &tasks, "solve", &engine(version));
    slipway_testkit::eventually("both streams are open", Duration::from_secs(10), async || match build.readers() {
        2 => Ok(()),
        open => Err(open),
    })
    .await;
    test(&mut feed).await;
    running.end().await;
    engine_task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_an_old_engines_stream_breaks_again_and_again() {
    let build = OldBuild::default();
    with_feed(&build, "20.10.24+dfsg1", async |feed| {
        let mut heard = Vec::new();
        for round in 0..3 {
            // A step begins to print: what nobody reads soon waits at the engine.
            for _ in 0..40 {
                build.print(1);
                heard.extend(hear(feed, 1).await);
            }
            build.print(1000);
            heard.extend(hear(feed, 1000).await);
            // Here the stream that was read says nothing any more.
            build.print(10 + round);
            heard.extend(hear(feed, 10 + round).await);
        }
        build.end();
        let rest: Vec<_> = futures::stream::unfold(feed, async |feed| Some((feed.next().await?, feed))).collect().await;
        assert!(rest.iter().all(|update| update.logs.is_empty()), "nothing is said twice");
        let all = 3 * 1040 + 10 + 11 + 12;
        assert_eq!(heard, (1..=all).collect::<Vec<i64>>());
    })
    .await;
}

/// The last stream of an old engine breaks too, and one that is asked for afterwards is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_engine_has_said_all_when_it_told_the_end_of_each_step() {
    for completed in [true, false] {
        let build = OldBuild::default();
        with_feed(&build, "20.10.24+dfsg1", async |feed| {
            for _ in 0..40 {
                build.print(1);
                hear(feed, 1).await;
            }
            build.print_and(1000, completed);
            build.end();
            assert!(!feed.is_whole());
            let mut heard = 0;
            while let Ok(Some(update)) = tokio::time::timeout(Duration::from_secs(20), feed.next()).await {
                heard += update.logs.len();
            }
            assert_eq!((heard, feed.is_whole()), (1000, completed));
        })
        .await;
    }
}

#[test]
fn only_old_engines_need_a_second_stream() {
    for (version, needs) in
        [("20.10.24+dfsg1", true), ("19.03.8", true), ("23.0.1", false), ("28.5.2", false), ("dev", false)]
    {
        assert_eq!(breaks(&engine(version)), needs, "{version}");
    }
}
