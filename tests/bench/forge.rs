//! A code host in the shape of GitHub: lists with entity tags, limits in headers, and git at the same address. It counts what
//! goes over the wire.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use slipway_testkit::{GitRepository, GitServer};
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Who owns all repositories.
const OWNER: &str = "acme";
const PAGE: usize = 100;
/// Requests an hour, as GitHub.com grants them to a person.
const LIMIT: u64 = 5_000;
/// The repository that all others begin as; nobody watches it.
const TEMPLATE: &str = "template.git";
/// Addresses that GitHub puts into each repository of a list, beside those that mean something here.
const LINKS: [&str; 36] = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
];

/// What went over the wire.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    /// Requests to the API.
    pub(crate) api: u64,
    /// Those of them that count towards the limit: "not modified" does not.
    pub(crate) api_counted: u64,
    /// Requests to git.
    pub(crate) git: u64,
    /// Lists of refs that were asked for.
    pub(crate) looks: u64,
    /// Bytes in both directions, headers included.
    pub(crate) bytes: u64,
}

impl std::ops::Sub for Traffic {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            api: self.api - earlier.api,
            api_counted: self.api_counted - earlier.api_counted,
            git: self.git - earlier.git,
            looks: self.looks - earlier.looks,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

/// The running host.
pub(crate) struct Forge {
    url: String,
    state: Arc<State>,
    git: GitServer,
    /// Commits that nobody has pushed yet.
    commits: Mutex<Vec<String>>,
    _running: DropGuard,
}

struct State {
    origin: String,
    upstream: String,
    client: reqwest::Client,
    repositories: Mutex<BTreeMap<String, Hosted>>,
    /// Answers of git for repositories that are as the template still is.
    kept: Mutex<HashMap<(String, Bytes), (String, Bytes)>>,
    traffic: Mutex<Traffic>,
    bytes: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
struct Hosted {
    id: usize,
    pushed_at: SystemTime,
    /// It has a folder of its own, behind the real git.
    moves: bool,
}

impl Forge {
    /// Starts a host with so many repositories, of which the first `moving` can be pushed to, so often altogether.
    pub(crate) async fn start(count: usize, moving: usize, pushes: usize) -> Self {
        let git = GitServer::start(None, None).await;
        let code = GitRepository::new().await;
        code.write("Dockerfile", "FROM scratch\nCOPY page /\n").write("page", "first\n");
        let first = code.commit("first").await;
        let mut commits = Vec::new();
        for number in 0..pushes {
            commits.push(code.write("page", format!("page {number}\n")).commit("a page").await);
        }
        git.publish(TEMPLATE, &code).await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port is free");
        let url = format!("http://127.0.0.1:{}", listener.local_addr().expect("it is bound").port());
        let long_ago = SystemTime::now() - Duration::from_secs(90 * 24 * 3_600);
        let repositories = (0..count).map(|id| {
            let pushed_at = long_ago + Duration::from_secs(id as u64 * 60);
            (format!("{OWNER}/r{id:04}"), Hosted { id, pushed_at, moves: id < moving })
        });
        let state = Arc::new(State {
            origin: url.clone(),
            upstream: git.url(),
            client: reqwest::Client::new(),
            repositories: Mutex::new(repositories.collect()),
            kept: Mutex::default(),
            traffic: Mutex::default(),
            bytes: Arc::default(),
        });
        let stop = CancellationToken::new();
        tokio::spawn(stop.clone().run_until_cancelled_owned(accept(listener, Arc::clone(&state))));
        let forge = Self { url, state, git, commits: Mutex::new(commits), _running: stop.drop_guard() };
        forge.set_main(TEMPLATE, &first);
        for id in 0..moving {
            forge.make_folder(&format!("{}.git", Self::name(id)), &first);
        }
        forge
    }

    /// Returns the path of a repository.
    pub(crate) fn name(id: usize) -> String {
        format!("{OWNER}/r{id:04}")
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns what went over the wire until now.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic { bytes: self.state.bytes.load(Ordering::Relaxed), ..*unpoisoned(&self.state.traffic) }
    }

    /// Pushes a new commit to `main` of a repository that moves, and returns the commit with the moment at which the host had
    /// it.
    pub(crate) fn push(&self, id: usize) -> (String, SystemTime) {
        let commit = unpoisoned(&self.commits).pop().expect("there is a commit for each push");
        self.set_main(&format!("{}.git", Self::name(id)), &commit);
        let now = SystemTime::now();
        let mut repositories = unpoisoned(&self.state.repositories);
        let hosted = repositories.get_mut(&Self::name(id)).expect("it is hosted");
        assert!(hosted.moves, "{id} cannot be pushed to");
        hosted.pushed_at = now;
        (commit, now)
    }

    /// Gives a repository so many more branches, `main` apart.
    pub(crate) fn add_branches(&self, id: usize, count: usize) {
        let folder = self.git.path_of(&format!("{}.git", Self::name(id)));
        let main = std::fs::read_to_string(folder.join("refs/heads/main")).expect("there is a main");
        let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for number in 0..count {
            packed.push_str(&format!("{} refs/heads/feature-{number:05}\n", main.trim()));
        }
        std::fs::write(folder.join("packed-refs"), packed).expect("branches can be written");
    }

    /// Makes a repository that borrows its objects from the template.
    fn make_folder(&self, name: &str, commit: &str) {
        let folder = self.git.path_of(name);
        let objects = self.git.path_of(TEMPLATE).join("objects");
        for part in ["objects/info", "refs/heads"] {
            std::fs::create_dir_all(folder.join(part)).expect("a folder can be made");
        }
        let write = |path: &str, text: String| std::fs::write(folder.join(path), text).expect("a file can be written");
        write("HEAD", "ref: refs/heads/main\n".to_owned());
        write("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n".to_owned());
        write("objects/info/alternates", format!("{}\n", objects.display()));
        self.set_main(name, commit);
    }

    fn set_main(&self, name: &str, commit: &str) {
        let main = self.git.path_of(name).join("refs/heads/main");
        // As git does it: nobody sees half of it.
        let new = main.with_extension("lock");
        std::fs::create_dir_all(main.parent().expect("it lies in a folder")).expect("a folder can be made");
        std::fs::write(&new, format!("{commit}\n")).expect("a ref can be written");
        std::fs::rename(new, main).expect("a ref can be moved");
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let counted = Counted { connection, bytes: Arc::clone(&state.bytes) };
            let service = service_fn(move |request| {
                let state = Arc::clone(&state);
                async move { Ok::<_, Infallible>(answer(&state, request).await) }
            });
            // A client that goes away is none of the host's business.
            let _ = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(counted), service)
                .await;
        });
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let Some(api) = path.strip_prefix("/api/v3/") else { return git(state, request).await };
    let (status, body, next) = match api {
        "user" => (StatusCode::OK, json!({ "id": 1, "login": "ada", "name": "Ada" }), None),
        "user/repos" => {
            let query = request.uri().query().unwrap_or_default();
            let page = query.split('&').find_map(|pair| pair.strip_prefix("page=")?.parse().ok()).unwrap_or(1);
            let (rows, more) = state.page(page);
            let next = more.then(|| {
                format!(
                    "<{}{path}?affiliation=owner&sort=pushed&per_page=100&page={}>; rel=\"next\"",
                    state.origin,
                    page + 1
                )
            });
            (StatusCode::OK, rows, next)
        }
        one => {
            let hosted = unpoisoned(&state.repositories).get(one.strip_prefix("repos/").unwrap_or_default()).cloned();
            match hosted {
                Some(hosted) => (StatusCode::OK, state.row(one.trim_start_matches("repos/"), &hosted), None),
                None => (StatusCode::NOT_FOUND, json!({ "message": "Not Found" }), None),
            }
        }
    };
    let body = body.to_string();
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&body, &mut hasher);
    let etag = format!("W/\"{:016x}\"", std::hash::Hasher::finish(&hasher));
    let is_known =
        request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    let (status, body) = if is_known { (StatusCode::NOT_MODIFIED, String::new()) } else { (status, body) };
    let used = {
        let mut traffic = unpoisoned(&state.traffic);
        traffic.api += 1;
        traffic.api_counted += u64::from(!is_known);
        traffic.api_counted
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(header::ETAG, etag)
        .header("x-oauth-scopes", "read:org, repo")
        .header("x-ratelimit-limit", LIMIT)
        .header("x-ratelimit-remaining", LIMIT.saturating_sub(used))
        .header("x-ratelimit-reset", seconds(SystemTime::now()) + 3_000);
    if let Some(next) = next {
        response = response.header(header::LINK, next);
    }
    response.body(Full::new(Bytes::from(body))).expect("the answer is well formed")
}

impl State {
    /// Returns a page of the list, the last pushed first, and whether there are more.
    fn page(&self, page: usize) -> (Value, bool) {
        let repositories = unpoisoned(&self.repositories);
        let mut all: Vec<_> = repositories.iter().collect();
        all.sort_by_key(|(_, hosted)| std::cmp::Reverse(hosted.pushed_at));
        let rows = all.iter().skip((page - 1) * PAGE).take(PAGE).map(|(name, hosted)| self.row(name, hosted));
        (rows.collect(), all.len() > page * PAGE)
    }

    fn row(&self, full_name: &str, hosted: &Hosted) -> Value {
        let (origin, pushed_at) = (&self.origin, chrono::DateTime::<chrono::Utc>::from(hosted.pushed_at));
        let mut row = json!({
            "id": 1_000 + hosted.id,
            "name": full_name.rsplit('/').next(),
            "full_name": full_name,
            "private": true,
            "archived": false,
            "default_branch": "main",
            "clone_url": format!("{origin}/{full_name}.git"),
            "ssh_url": null,
            "html_url": format!("{origin}/{full_name}"),
            "pushed_at": pushed_at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "owner": { "login": OWNER, "id": 9, "avatar_url": format!("{origin}/avatars/9"), "type": "Organization" },
            "permissions": { "admin": true, "maintain": true, "push": true, "triage": true, "pull": true },
        });
        for link in LINKS {
            row[format!("{link}_url")] = json!(format!("{origin}/api/v3/repos/{full_name}/{link}{{/id}}"));
        }
        row
    }
}

/// Hands a request on to the real git; answers about repositories that are as the template is are remembered.
async fn git(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    {
        let mut traffic = unpoisoned(&state.traffic);
        traffic.git += 1;
        traffic.looks += u64::from(body.windows(15).any(|part| part == b"command=ls-refs"));
    }
    let target = head.uri.path_and_query().map_or("", |target| target.as_str()).to_owned();
    let Some((name, rest)) = target.trim_start_matches('/').split_once(".git") else { return not_found() };
    let Some(hosted) = unpoisoned(&state.repositories).get(name).cloned() else { return not_found() };
    let key = (rest.to_owned(), body.clone());
    if !hosted.moves
        && let Some((kind, kept)) = unpoisoned(&state.kept).get(&key).cloned()
    {
        return git_answer(&kind, kept);
    }
    let folder = if hosted.moves { format!("{name}.git") } else { TEMPLATE.to_owned() };
    let url = format!("{}/{folder}{rest}", state.upstream);
    let mut asked = if head.method == Method::POST { state.client.post(url) } else { state.client.get(url) };
    for name in ["git-protocol", "content-type", "accept"] {
        if let Some(value) = head.headers.get(name) {
            asked = asked.header(name, value.as_bytes());
        }
    }
    let answered = asked.body(body).send().await.expect("git answers");
    if !answered.status().is_success() {
        return not_found();
    }
    let kind = answered.headers()["content-type"].to_str().expect("a content type is text").to_owned();
    let bytes = answered.bytes().await.expect("git answers to the end");
    if !hosted.moves {
        unpoisoned(&state.kept).insert(key, (kind.clone(), bytes.clone()));
    }
    git_answer(&kind, bytes)
}

fn git_answer(kind: &str, bytes: Bytes) -> Response<Full<Bytes>> {
    let answer = Response::builder().header(header::CONTENT_TYPE, kind).header(header::CACHE_CONTROL, "no-cache");
    answer.body(Full::new(bytes)).expect("the answer is well formed")
}

fn not_found() -> Response<Full<Bytes>> {
    let answer = Response::builder().status(StatusCode::NOT_FOUND);
    answer.body(Full::default()).expect("the answer is well formed")
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A connection whose bytes are counted.
struct Counted {
    connection: TcpStream,
    bytes: Arc<AtomicU64>,
}

impl Counted {
    fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.connection).poll_read(cx, buf);
        self.count(buf.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let polled = Pin::new(&mut self.connection).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.count(written);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}
