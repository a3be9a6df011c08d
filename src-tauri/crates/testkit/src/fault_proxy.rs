//! One proxy for every border: in front of an engine, a registry, a code host or a keychain, it passes bytes on until it is
//! told to make trouble.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What happens to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends.
    Cut,
    /// The request arrives, its answer does not: the connection ends when it comes.
    CutAnswer,
    /// Nothing passes in either direction. What waited goes on when the fault is over.
    Stall,
    /// At most 4 KiB pass at once, and then nothing for this long.
    Slow(Duration),
    /// The request does not arrive; this is the answer: what follows `HTTP/1.1 `, lines apart by `\r\n`, and a body.
    Answer(&'static str, &'static str),
}

impl Fault {
    /// What a wireless network answers whatever is asked, before one has signed in to it.
    pub const PORTAL: Self = Self::Answer(
        "200 OK\r\ncontent-type: text/html",
        "<!doctype html><html><head><title>Welcome</title></head><body>Please sign in to use this network</body></html>",
    );
}

/// The trouble that is wanted, and how often there was any.
#[derive(Debug, Clone, Default)]
struct Wish {
    /// A part of the request's first line; without one the fault is for everything.
    to: Option<&'static str>,
    fault: Option<Fault>,
    left: usize,
    struck: usize,
}

/// A door in front of one target. Dropping it cuts what passes.
#[derive(Debug)]
pub struct FaultProxy {
    own: Place,
    target: Place,
    wish: Arc<watch::Sender<Wish>>,
    accepting: Mutex<JoinSet<()>>,
    _folder: Option<TempDir>,
}

#[derive(Debug, Clone)]
enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}
type Connection = Box<dyn Stream>;

impl FaultProxy {
    /// Opens a door on a loopback port in front of `address` (`127.0.0.1:5000`).
    pub async fn before_address(address: &str) -> Self {
        let target = Place::Tcp(address.parse().expect("a target is named by address and port"));
        // Not one of those that systems hand out: nobody else is given it while the door is away.
        let own = Place::Tcp(SocketAddr::from(([127, 0, 0, 1], crate::free_port())));
        let listener = Listener::open(&own).await;
        Self::start(own, target, listener, None)
    }

    /// Opens a door on a socket of its own in front of the socket `path`.
    pub async fn before_socket(path: impl Into<PathBuf>) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let own = Place::Unix(folder.path().join("door.sock"));
        let listener = Listener::open(&own).await;
        Self::start(own, Place::Unix(path.into()), listener, Some(folder))
    }

    fn start(own: Place, target: Place, listener: Listener, folder: Option<TempDir>) -> Self {
        let wish = Arc::new(watch::Sender::new(Wish::default()));
        let proxy = Self { own, target, wish, accepting: Mutex::default(), _folder: folder };
        proxy.accept(listener);
        proxy
    }

    /// Returns `127.0.0.1:PORT` of a door in front of an address.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.own {
            Place::Tcp(address) => address.to_string(),
            Place::Unix(_) => panic!("this door is a socket"),
        }
    }

    /// Returns the path of a door in front of a socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        match &self.own {
            Place::Unix(path) => path,
            Place::Tcp(_) => panic!("this door has an address"),
        }
    }

    /// Makes trouble for everything from now on, for connections that stand too, until [`Self::heal`].
    pub fn fail(&self, fault: Fault) {
        self.wish.send_replace(Wish { fault: Some(fault), left: usize::MAX, ..Wish::default() });
    }

    /// Makes trouble for the next `times` requests that have `part` in their first line (`PUT /v2/… HTTP/1.1`).
    pub fn fail_at(&self, part: &'static str, times: usize, fault: Fault) {
        self.wish.send_replace(Wish { to: Some(part), fault: Some(fault), left: times, struck: 0 });
    }

    /// Ends the trouble, and returns how many requests and connections met it.
    pub fn heal(&self) -> usize {
        self.wish.send_replace(Wish::default()).struck
    }

    /// Returns how many requests and connections met the trouble that was wanted last.
    #[must_use]
    pub fn struck(&self) -> usize {
        self.wish.borrow().struck
    }

    /// Cuts everything and listens no more, as a target that is restarted does, until [`Self::come_back`].
    pub async fn go_away(&self) {
        let mut accepting = std::mem::take(&mut *self.accepting());
        accepting.shutdown().await;
        if let Place::Unix(path) = &self.own {
            std::fs::remove_file(path).expect("the socket is where it was made");
        }
    }

    /// Listens again at the same place.
    pub async fn come_back(&self) {
        self.accept(Listener::open(&self.own).await);
    }

    fn accepting(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.accepting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(&self, listener: Listener) {
        let (target, wish) = (self.target.clone(), Arc::clone(&self.wish));
        self.accepting().spawn(async move {
            // They end with this task.
            let mut connections = JoinSet::new();
            while let Ok(client) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                connections.spawn(Passage::run(client, target.clone(), Arc::clone(&wish)));
            }
        });
    }
}

impl Listener {
    async fn open(place: &Place) -> Self {
        match place {
            Place::Tcp(address) => Self::Tcp(TcpListener::bind(address).await.expect("the port is free")),
            Place::Unix(path) => Self::Unix(UnixListener::bind(path).expect("the socket can be made")),
        }
    }

    async fn accept(&self) -> std::io::Result<Connection> {
        Ok(match self {
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

/// One connection through the door.
struct Passage {
    wish: Arc<watch::Sender<Wish>>,
    changes: watch::Receiver<Wish>,
    /// The answer that comes next does not arrive.
    doomed: bool,
    /// What is wanted for everything was counted for this connection.
    counted: bool,
}

impl Passage {
    async fn run(client: Connection, target: Place, wish: Arc<watch::Sender<Wish>>) {
        let server: std::io::Result<Connection> = match target {
            Place::Tcp(address) => TcpStream::connect(address).await.map(|stream| Box::new(stream) as Connection),
            Place::Unix(path) => UnixStream::connect(path).await.map(|stream| Box::new(stream) as Connection),
        };
        let changes = wish.subscribe();
        // A side that goes away ends the passage: the other one sees its connection end.
        if let Ok(server) = server {
            let _ = Self { wish, changes, doomed: false, counted: false }.pass(client, server).await;
        }
    }

    async fn pass(mut self, client: Connection, server: Connection) -> std::io::Result<()> {
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_server, mut to_server) = tokio::io::split(server);
        let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
        let mut client_speaks = true;
        loop {
            match self.wanted_for_everything() {
                Some(Fault::Cut) => return Ok(()),
                Some(Fault::Stall) => {
                    self.changed().await;
                    continue;
                }
                _ => {}
            }
            tokio::select! {
                () = self.changed() => {}
                read = from_client.read(&mut asked), if client_speaks => {
                    let bytes = &asked[..read?];
                    if bytes.is_empty() {
                        client_speaks = false;
                        to_server.shutdown().await?;
                        continue;
                    }
                    match self.strikes(bytes) {
                        Some(Fault::Cut) => return Ok(()),
                        Some(Fault::CutAnswer) => self.doomed = true,
                        Some(Fault::Stall) => self.changed().await,
                        Some(Fault::Answer(head, body)) => {
                            let length = body.len();
                            let answer =
                                format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                            to_client.write_all(answer.as_bytes()).await?;
                            return to_client.shutdown().await;
                        }
                        Some(Fault::Slow(_)) | None => {}
                    }
                    self.send(bytes, &mut to_server).await?;
                }
                read = from_server.read(&mut answered) => {
                    let bytes = &answered[..read?];
                    if bytes.is_empty() || self.doomed {
                        return Ok(());
                    }
                    self.send(bytes, &mut to_client).await?;
                }
            }
        }
    }

    /// Waits until something else is wanted.
    async fn changed(&mut self) {
        // The door that is gone takes this task with it.
        let _ = self.changes.changed().await;
        self.counted = false;
    }

    fn wanted_for_everything(&mut self) -> Option<Fault> {
        let wish = self.changes.borrow_and_update().clone();
        let fault = wish.fault.filter(|_| wish.to.is_none())?;
        if matches!(fault, Fault::Cut | Fault::Stall | Fault::Slow(_)) && !self.counted {
            self.counted = true;
            self.count();
        }
        Some(fault)
    }

    /// Tells what happens to these bytes of the client when they begin a request that was meant.
    fn strikes(&self, bytes: &[u8]) -> Option<Fault> {
        let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = str::from_utf8(line).ok().filter(|line| line.ends_with(" HTTP/1.1"))?;
        let mut struck = None;
        self.wish.send_if_modified(|wish| {
            if wish.left > 0 && wish.to.is_none_or(|part| line.contains(part)) {
                struck = wish.fault;
            }
            let counts =
                struck.is_some_and(|fault| wish.to.is_some() || matches!(fault, Fault::CutAnswer | Fault::Answer(..)));
            if counts {
                wish.struck += 1;
                wish.left = wish.left.saturating_sub(1);
            }
            // Nobody is told: a count is no change of what is wanted.
            false
        });
        struck
    }

    fn count(&self) {
        self.wish.send_if_modified(|wish| {
            wish.struck += 1;
            false
        });
    }

    async fn send(&self, bytes: &[u8], to: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
        let slow = match self.wish.borrow().clone() {
            Wish { fault: Some(Fault::Slow(pause)), to: None, .. } => Some(pause),
            _ => None,
        };
        let Some(pause) = slow else { return to.write_all(bytes).await };
        for chunk in bytes.chunks(4096) {
            to.write_all(chunk).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}
