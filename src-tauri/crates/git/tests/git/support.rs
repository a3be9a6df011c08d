//! What the tests share: a store in a temporary folder, accesses, and a host that answers with fixed bytes.

use slipway_core::Secret;
use slipway_core::code::{CodeAccess, CodeLocation, CommitId, RefName, RepoPath};
use slipway_core::ids::CodeRepositoryId;
use slipway_core::ports::{CodeStore, ContextEntry, ContextKind, ContextTree, Deadlines};
use slipway_git::GitCodeStore;
use slipway_testkit::{GitRepository, GitServer, Login};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

pub(crate) const ID: CodeRepositoryId = CodeRepositoryId(1);

/// A store whose mirrors are removed with it.
pub(crate) struct TestStore {
    pub(crate) store: GitCodeStore,
    pub(crate) folder: TempDir,
}

impl std::ops::Deref for TestStore {
    type Target = GitCodeStore;
    fn deref(&self) -> &GitCodeStore {
        &self.store
    }
}

pub(crate) fn store() -> TestStore {
    store_with(Deadlines::default())
}

pub(crate) fn store_with(deadlines: Deadlines) -> TestStore {
    let folder = TempDir::new().unwrap();
    TestStore {
        store: GitCodeStore::new(folder.path().join("mirrors"), folder.path().join("known_hosts"), deadlines),
        folder,
    }
}

impl TestStore {
    /// The same mirrors as another run of the program finds them.
    pub(crate) fn started_again(self) -> Self {
        let Self { folder, .. } = self;
        let place = |name: &str| folder.path().join(name);
        Self { store: GitCodeStore::new(place("mirrors"), place("known_hosts"), Deadlines::default()), folder }
    }

    pub(crate) async fn fetch_branch(&self, access: &CodeAccess, short: &str) -> CommitId {
        let refs = self.store.fetch(ID, access, &[branch(short)], &never()).await.unwrap();
        refs.refs[0].object.clone()
    }

    pub(crate) async fn context(&self, access: &CodeAccess, commit: &CommitId, folder: &str) -> Arc<dyn ContextTree> {
        self.store.open_context(ID, access, commit, &path(folder), &never()).await.unwrap()
    }
}

pub(crate) fn never() -> CancellationToken {
    CancellationToken::new()
}

pub(crate) fn branch(short: &str) -> RefName {
    RefName::branch(short).unwrap()
}

pub(crate) fn tag(short: &str) -> RefName {
    RefName::tag(short).unwrap()
}

pub(crate) fn commit(hex: &str) -> CommitId {
    CommitId::new(hex).unwrap()
}

pub(crate) fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

pub(crate) fn local(path: &Path) -> CodeAccess {
    CodeAccess { location: CodeLocation::LocalClone { path: path.to_owned() }, password: None, proxy: None }
}

pub(crate) fn of(repository: &GitRepository) -> CodeAccess {
    local(repository.path())
}

pub(crate) fn at_server(server: &GitServer, url: &str, login: Option<&Login>) -> CodeAccess {
    at_url(url, server.ca().map(|ca| ca.pem().to_owned()), login)
}

pub(crate) fn at_url(url: &str, ca_pem: Option<String>, login: Option<&Login>) -> CodeAccess {
    CodeAccess {
        location: CodeLocation::GitUrl {
            url: url.to_owned(),
            username: login.map(|login| login.user.clone()),
            password: None,
            ca_pem,
            allow_plain_http: url.starts_with("http://"),
        },
        password: login.map(|login| Secret::new(login.password.clone())),
        proxy: None,
    }
}

/// Reads a whole file of a context.
pub(crate) fn read(context: &dyn ContextTree, entry: &ContextEntry) -> Result<Vec<u8>, slipway_core::Failure> {
    let ContextKind::File { id, .. } = &entry.kind else { panic!("{} is no file", entry.name) };
    let mut bytes = Vec::new();
    context.open(id)?.read_to_end(&mut bytes).unwrap();
    Ok(bytes)
}

/// Every path of a context with a mark of what it is, in the order of a walk.
pub(crate) fn walk(context: &dyn ContextTree, folder: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in context.list(folder).unwrap() {
        let path = if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
        match &entry.kind {
            ContextKind::Folder => {
                paths.push(format!("{path}/"));
                paths.extend(walk(context, &path));
            }
            ContextKind::Symlink { target } => paths.push(format!("{path} -> {target}")),
            ContextKind::File { executable: true, .. } => paths.push(format!("{path}*")),
            ContextKind::File { .. } => paths.push(path),
        }
    }
    paths
}

/// At the end of an answer: nothing more comes, and the connection stays open.
pub(crate) const HANG: &str = "<hang>";

/// A plain HTTP host that sends fixed answers, one for each request, and keeps the requests.
pub(crate) struct FixedHost {
    pub(crate) url: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

impl FixedHost {
    pub(crate) async fn start(answers: Vec<String>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut answers = VecDeque::from(answers);
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Some(answer) = answers.pop_front() {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if connection.read(&mut byte).await.unwrap() == 0 {
                        break;
                    }
                    request.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&request).into_owned();
                let lower = head.to_lowercase();
                let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                connection.read_exact(&mut body).await.unwrap();
                seen.lock().unwrap().push(head);
                connection.write_all(answer.strip_suffix(HANG).unwrap_or(&answer).as_bytes()).await.unwrap();
                if answer.ends_with(HANG) {
                    open.push(connection);
                } else {
                    connection.shutdown().await.unwrap();
                }
            }
            // Held open until the test's runtime ends.
            std::future::pending::<()>().await;
            drop(open);
        });
        Self { url, requests }
    }
}

/// An HTTP answer with these headers and body, after which the connection closes.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

/// A line in Git's packet format.
pub(crate) fn packet(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}
