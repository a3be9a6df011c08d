//! The code store: every call with its deadline, its cancellation and the lock of its mirror.

use crate::blocking::{guarded, on_worker};
use crate::context::{FetchedModule, GitContext};
use crate::error::{in_mirror, not_found};
use crate::http::{GitHttp, HttpClients};
use crate::mirror::{self, Mirrors};
use crate::protocol::{Fetched, GitHost};
use crate::{inspect, local, pack, submodules, watch};
use async_trait::async_trait;
use bytes::Bytes;
use git2::Oid;
use slipway_core::code::{
    ChangedPaths, CodeAccess, CodeLocation, CommitDetails, CommitId, RefName, RemoteRefs, RepoPath, TreeEntry,
};
use slipway_core::ids::CodeRepositoryId;
use slipway_core::ports::{CodeStore, ContextTree, Deadlines};
use slipway_core::{ErrorCode, Failure};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Submodules of submodules are followed so deep, and so many of them in all.
const DEEPEST_SUBMODULE: usize = 10;
const MOST_SUBMODULES: usize = 500;
/// Parts of a pack that wait between the network and the disk.
const PACK_PARTS: usize = 64;

/// Code repositories with one bare mirror each in a folder of its own.
#[derive(Debug)]
pub struct GitCodeStore {
    inner: Arc<Inner>,
    deadlines: Deadlines,
}

#[derive(Debug)]
struct Inner {
    mirrors: Mirrors,
    clients: HttpClients,
    deadlines: Deadlines,
}

/// What a fetch is after.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    /// Some refs as they are now.
    Refs(&'a [RefName]),
    /// One commit, wherever it hangs.
    Commit(Oid),
}

impl GitCodeStore {
    /// Keeps the mirrors in this folder, which is created when it is needed.
    #[must_use]
    pub fn new(mirrors: PathBuf, deadlines: Deadlines) -> Self {
        let inner =
            Inner { mirrors: Mirrors::new(mirrors), clients: HttpClients::default(), deadlines: deadlines.clone() };
        Self { inner: Arc::new(inner), deadlines }
    }

    /// Runs a question about a mirror on a worker thread.
    async fn ask<T: Send + 'static>(
        &self,
        id: CodeRepositoryId,
        what: String,
        question: impl FnOnce(&git2::Repository) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let mirror = self.inner.mirrors.of_repository(id);
        self.within_request(on_worker(move |_| inspect::ask(&mirror, &what, question))).await
    }

    async fn within_request<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        guarded("reading the mirror", self.deadlines.request, &CancellationToken::new(), work).await
    }
}

/// The folder of a local clone, `None` for a remote location.
fn clone_path(access: &CodeAccess) -> Option<PathBuf> {
    match &access.location {
        CodeLocation::LocalClone { path } => Some(path.clone()),
        CodeLocation::GitUrl { .. } => None,
    }
}

impl Inner {
    async fn connect(&self, access: &CodeAccess) -> Result<GitHost, Failure> {
        GitHost::connect(GitHttp::new(access, &self.clients, &self.deadlines)?).await
    }

    async fn remote_refs(&self, access: &CodeAccess, only: Option<&[RefName]>) -> Result<RemoteRefs, Failure> {
        match clone_path(access) {
            Some(path) => {
                let only = only.map(<[RefName]>::to_vec);
                on_worker(move |_| local::refs(&local::open(&path)?, only.as_deref())).await
            }
            None => self.connect(access).await?.refs(only).await,
        }
    }

    /// Fetches into a mirror that nobody else writes meanwhile; a damaged mirror is made anew once.
    async fn fetch(&self, folder: &Path, access: &CodeAccess, wanted: Wanted<'_>) -> Result<RemoteRefs, Failure> {
        let lock = self.mirrors.lock(folder).await;
        match self.fetch_once(folder, &lock, access, wanted).await {
            Err(failure) if failure.code == ErrorCode::MirrorDamaged => {
                let broken = folder.to_owned();
                let held = Arc::clone(&lock);
                on_worker(move |_| {
                    let _held = held;
                    mirror::remove(&broken)
                })
                .await?;
                self.fetch_once(folder, &lock, access, wanted).await
            }
            other => other,
        }
    }

    async fn fetch_once(
        &self,
        folder: &Path,
        lock: &mirror::MirrorLock,
        access: &CodeAccess,
        wanted: Wanted<'_>,
    ) -> Result<RemoteRefs, Failure> {
        if let Wanted::Commit(commit) = wanted {
            let (folder, held) = (folder.to_owned(), Arc::clone(lock));
            let here = on_worker(move |_| {
                let _held = held;
                let repository = mirror::open_or_create(&folder)?;
                let here = mirror::has(&repository, commit)?;
                if here {
                    mirror::keep_commit(&repository, commit)?;
                }
                Ok(here)
            });
            if here.await? {
                return Ok(RemoteRefs::default());
            }
        }
        match clone_path(access) {
            Some(path) => fetch_from_clone(path, folder, lock, wanted).await,
            None => self.fetch_from_host(folder, lock, access, wanted).await,
        }
    }

    async fn fetch_from_host(
        &self,
        folder: &Path,
        lock: &mirror::MirrorLock,
        access: &CodeAccess,
        wanted: Wanted<'_>,
    ) -> Result<RemoteRefs, Failure> {
        let host = self.connect(access).await?;
        let names = match wanted {
            Wanted::Refs(names) => names,
            Wanted::Commit(commit) => {
                // By id where the host gives it, else everything: the commit may hang on any ref.
                match receive(&host, folder, lock, vec![commit], Vec::new()).await? {
                    Fetched::Pack => {}
                    Fetched::Refused(refusal) => {
                        let refs = host.refs(None).await?;
                        let tips = objects(&refs);
                        if let Fetched::Refused(failure) = receive(&host, folder, lock, tips, Vec::new()).await? {
                            return Err(failure);
                        }
                        tracing::debug!(%refusal, "the host gives no commit by id");
                    }
                }
                keep(folder, lock, RemoteRefs::default(), Some(commit)).await?;
                return Ok(RemoteRefs::default());
            }
        };
        let refs = host.refs(Some(names)).await?;
        if refs.refs.is_empty() {
            return Err(nothing_found(&host.refs(None).await?, names));
        }
        match receive(&host, folder, lock, objects(&refs), names.to_vec()).await? {
            Fetched::Pack => keep(folder, lock, refs, None).await,
            // The ref moved between the two questions, and the old object is gone.
            Fetched::Refused(failure) => Err(failure),
        }
    }

    /// Brings every submodule that the context needs into a mirror of its own.
    async fn fetch_submodules(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        tree: Oid,
        folder: &RepoPath,
    ) -> Result<Vec<FetchedModule>, Failure> {
        let mut fetched: Vec<FetchedModule> = Vec::new();
        let mut pending = VecDeque::from([Outer {
            mirror: self.mirrors.of_repository(id),
            tree,
            path: String::new(),
            access: access.clone(),
            depth: 0,
        }]);
        while let Some(outer) = pending.pop_front() {
            let (mirror, tree, prefix, wanted) = (outer.mirror.clone(), outer.tree, outer.path.clone(), folder.clone());
            let declared = on_worker(move |_| {
                inspect::ask(&mirror, "the commit", |repository| {
                    let tree = repository.find_tree(tree).map_err(|error| in_mirror(&error))?;
                    submodules::declared(repository, &tree, &prefix, &wanted)
                })
            })
            .await?;
            for module in declared {
                if outer.depth >= DEEPEST_SUBMODULE || fetched.len() >= MOST_SUBMODULES {
                    return Err(submodules::failed(&module.path, "there are too many submodules, or too deep ones"));
                }
                let inner = self.fetch_submodule(&outer, &module).await.map_err(|failure| match failure.code {
                    ErrorCode::Cancelled | ErrorCode::SubmoduleFailed | ErrorCode::DiskFull => failure,
                    cause => submodules::failed(&module.path, &failure.message).with("cause", cause.as_str()),
                })?;
                fetched.push(FetchedModule {
                    path: inner.path.clone(),
                    mirror: inner.mirror.clone(),
                    tree: inner.tree,
                });
                pending.push_back(inner);
            }
        }
        Ok(fetched)
    }

    async fn fetch_submodule(&self, outer: &Outer, module: &submodules::Declared) -> Result<Outer, Failure> {
        if let Some(inner) = self.submodule_of_clone(outer, module).await? {
            return Ok(inner);
        }
        let (parent, plain) = match &outer.access.location {
            CodeLocation::GitUrl { url, allow_plain_http, .. } => (Some(url.clone()), *allow_plain_http),
            CodeLocation::LocalClone { path } => {
                let path = path.clone();
                (on_worker(move |_| Ok(local::origin(&path))).await?, false)
            }
        };
        let url = submodules::resolve(parent.as_deref(), &module.url, plain)
            .map_err(|why| submodules::failed(&module.path, &why))?;
        let access = access_of_submodule(&outer.access, url.clone());
        let mirror = self.mirrors.of_submodule(&url)?;
        self.fetch(&mirror, &access, Wanted::Commit(module.pinned)).await?;
        outer.inner(module, mirror, access).await
    }

    /// A clone with its submodules checked out has their objects: what the user sees there needs no network.
    async fn submodule_of_clone(&self, outer: &Outer, module: &submodules::Declared) -> Result<Option<Outer>, Failure> {
        let Some(path) = clone_path(&outer.access).filter(|_| submodules::safe_name(&module.name)) else {
            return Ok(None);
        };
        let (name, pinned) = (module.name.clone(), module.pinned);
        let found = on_worker(move |_| {
            let inside = local::open(&path)?.commondir().join("modules").join(&name);
            let has = local::open(&inside).is_ok_and(|clone| clone.find_commit(pinned).is_ok());
            Ok(has.then_some(inside))
        })
        .await?;
        let Some(inside) = found else { return Ok(None) };
        let access = CodeAccess {
            location: CodeLocation::LocalClone { path: inside.clone() },
            password: None,
            proxy: outer.access.proxy.clone(),
        };
        let mirror = self.mirrors.of_submodule(&inside.to_string_lossy())?;
        self.fetch(&mirror, &access, Wanted::Commit(module.pinned)).await?;
        outer.inner(module, mirror, access).await.map(Some)
    }
}

/// A repository whose submodules are being looked for.
#[derive(Debug)]
struct Outer {
    mirror: PathBuf,
    tree: Oid,
    path: String,
    access: CodeAccess,
    depth: usize,
}

impl Outer {
    async fn inner(&self, module: &submodules::Declared, mirror: PathBuf, access: CodeAccess) -> Result<Self, Failure> {
        let (folder, pinned) = (mirror.clone(), CommitId::new(module.pinned.to_string())?);
        let tree = on_worker(move |_| {
            inspect::ask(&folder, pinned.as_str(), |repository| Ok(inspect::find(repository, &pinned)?.tree_id()))
        })
        .await?;
        Ok(Self { mirror, tree, path: module.path.clone(), access, depth: self.depth + 1 })
    }
}

/// The same login for the same scheme, host and port; nothing for any other place (T02).
fn access_of_submodule(parent: &CodeAccess, url: String) -> CodeAccess {
    if let CodeLocation::GitUrl { url: of_parent, username, password, ca_pem, allow_plain_http } = &parent.location {
        let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        let same = origin(of_parent).is_some() && origin(of_parent) == origin(&url);
        return CodeAccess {
            location: CodeLocation::GitUrl {
                url,
                username: username.clone().filter(|_| same),
                password: password.filter(|_| same),
                ca_pem: ca_pem.clone(),
                allow_plain_http: *allow_plain_http && same,
            },
            password: parent.password.clone().filter(|_| same),
            proxy: parent.proxy.clone(),
        };
    }
    let location = CodeLocation::GitUrl { url, username: None, password: None, ca_pem: None, allow_plain_http: false };
    CodeAccess { location, password: None, proxy: parent.proxy.clone() }
}

fn objects(refs: &RemoteRefs) -> Vec<Oid> {
    refs.refs.iter().filter_map(|found| mirror::oid(&found.object)).collect()
}

/// Why none of the asked refs was found.
fn nothing_found(all: &RemoteRefs, names: &[RefName]) -> Failure {
    if all.refs.is_empty() && all.unusable == 0 {
        return Failure::new(ErrorCode::SourceEmpty, "the repository has no commit yet");
    }
    not_found(names.first().map_or("the ref", RefName::as_str))
}

/// Receives what the mirror lacks of these objects.
async fn receive(
    host: &GitHost,
    folder: &Path,
    lock: &mirror::MirrorLock,
    wants: Vec<Oid>,
    names: Vec<RefName>,
) -> Result<Fetched, Failure> {
    let (path, held) = (folder.to_owned(), Arc::clone(lock));
    let (wants, haves) = on_worker(move |_| {
        let _held = held;
        let repository = mirror::open_or_create(&path)?;
        let mut missing = Vec::new();
        for want in wants {
            if !mirror::has(&repository, want)? && !missing.contains(&want) {
                missing.push(want);
            }
        }
        let haves = if missing.is_empty() { Vec::new() } else { mirror::haves(&repository, &names)? };
        Ok((missing, haves))
    })
    .await?;
    if wants.is_empty() {
        return Ok(Fetched::Pack);
    }
    let (parts, channel) = mpsc::channel::<Bytes>(PACK_PARTS);
    let (path, held) = (folder.to_owned(), Arc::clone(lock));
    let writing = on_worker(move |stop| {
        let _held = held;
        pack::write_pack(&path, channel, stop)
    });
    let asking = host.fetch(&wants, &haves, parts);
    let (asked, written) = tokio::join!(asking, writing);
    match asked? {
        Fetched::Pack => written.map(|bytes| {
            tracing::debug!(bytes, "received a pack");
            Fetched::Pack
        }),
        refused => Ok(refused),
    }
}

/// Copies from a clone what the mirror lacks.
async fn fetch_from_clone(
    path: PathBuf,
    folder: &Path,
    lock: &mirror::MirrorLock,
    wanted: Wanted<'_>,
) -> Result<RemoteRefs, Failure> {
    let (names, commit) = match wanted {
        Wanted::Refs(names) => (names.to_vec(), None),
        Wanted::Commit(commit) => (Vec::new(), Some(commit)),
    };
    let (folder, held) = (folder.to_owned(), Arc::clone(lock));
    on_worker(move |stop| {
        let _held = held;
        let clone = local::open(&path)?;
        let repository = mirror::open_or_create(&folder)?;
        if let Some(commit) = commit {
            if clone.find_commit(commit).is_err() {
                return Err(not_found(&commit.to_string()));
            }
            local::copy(&clone, &repository, &[commit], stop)?;
            mirror::keep_commit(&repository, commit)?;
            return Ok(RemoteRefs::default());
        }
        let refs = local::refs(&clone, Some(&names))?;
        if refs.refs.is_empty() {
            return Err(nothing_found(&local::refs(&clone, None)?, &names));
        }
        local::copy(&clone, &repository, &objects(&refs), stop)?;
        keep_all(&repository, &refs)?;
        Ok(refs)
    })
    .await
}

fn keep_all(repository: &git2::Repository, refs: &RemoteRefs) -> Result<(), Failure> {
    for found in &refs.refs {
        let object = mirror::oid(&found.object).ok_or_else(|| not_found(found.object.as_str()))?;
        mirror::keep_ref(repository, &found.name, object)?;
    }
    Ok(())
}

/// Checks that what was fetched is there, and keeps it.
async fn keep(
    folder: &Path,
    lock: &mirror::MirrorLock,
    refs: RemoteRefs,
    commit: Option<Oid>,
) -> Result<RemoteRefs, Failure> {
    let (folder, held) = (folder.to_owned(), Arc::clone(lock));
    on_worker(move |_| {
        let _held = held;
        let repository = mirror::open_or_create(&folder)?;
        for object in objects(&refs).into_iter().chain(commit) {
            if !mirror::has(&repository, object)? {
                return Err(not_found(&object.to_string()));
            }
        }
        keep_all(&repository, &refs)?;
        if let Some(commit) = commit {
            mirror::keep_commit(&repository, commit)?;
        }
        Ok(refs)
    })
    .await
}

#[async_trait]
impl CodeStore for GitCodeStore {
    async fn remote_refs(
        &self,
        access: &CodeAccess,
        only: Option<&[RefName]>,
        cancel: &CancellationToken,
    ) -> Result<RemoteRefs, Failure> {
        // An answer with very many refs may take a few idle times, but each byte has its own deadline.
        let deadline = self.deadlines.request + self.deadlines.idle;
        guarded("asking for refs", deadline, cancel, self.inner.remote_refs(access, only)).await
    }

    async fn fetch(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        refs: &[RefName],
        cancel: &CancellationToken,
    ) -> Result<RemoteRefs, Failure> {
        let folder = self.inner.mirrors.of_repository(id);
        guarded("a fetch", self.deadlines.fetch, cancel, self.inner.fetch(&folder, access, Wanted::Refs(refs))).await
    }

    async fn fetch_commit(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        commit: &CommitId,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let folder = self.inner.mirrors.of_repository(id);
        let oid = mirror::oid(commit).ok_or_else(|| not_found(commit.as_str()))?;
        guarded("a fetch", self.deadlines.fetch, cancel, self.inner.fetch(&folder, access, Wanted::Commit(oid)))
            .await
            .map(drop)
    }

    async fn find_commit(&self, id: CodeRepositoryId, abbreviated: &str) -> Result<CommitId, Failure> {
        let (mirror, text) = (self.inner.mirrors.of_repository(id), abbreviated.to_owned());
        self.within_request(on_worker(move |_| inspect::find_abbreviated(&mirror, &text))).await
    }

    async fn commit(&self, id: CodeRepositoryId, object: &CommitId) -> Result<CommitDetails, Failure> {
        let object = object.clone();
        self.ask(id, object.to_string(), move |repository| inspect::details(repository, &object)).await
    }

    async fn changed_paths(
        &self,
        id: CodeRepositoryId,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<ChangedPaths, Failure> {
        let (from, to) = (from.clone(), to.clone());
        self.ask(id, to.to_string(), move |repository| inspect::changed_paths(repository, &from, &to)).await
    }

    async fn list_folder(
        &self,
        id: CodeRepositoryId,
        commit: &CommitId,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure> {
        let (commit, folder) = (commit.clone(), folder.clone());
        self.ask(id, commit.to_string(), move |repository| inspect::list(repository, &commit, &folder)).await
    }

    async fn read_file(
        &self,
        id: CodeRepositoryId,
        commit: &CommitId,
        path: &RepoPath,
        limit: u64,
    ) -> Result<Option<Bytes>, Failure> {
        let (commit, path) = (commit.clone(), path.clone());
        self.ask(id, commit.to_string(), move |repository| inspect::read(repository, &commit, &path, limit)).await
    }

    async fn open_context(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        commit: &CommitId,
        folder: &RepoPath,
        cancel: &CancellationToken,
    ) -> Result<Arc<dyn ContextTree>, Failure> {
        let inner = Arc::clone(&self.inner);
        let work = async {
            let wanted = commit.clone();
            let tree = self
                .ask(id, wanted.to_string(), move |repository| Ok(inspect::find(repository, &wanted)?.tree_id()))
                .await?;
            let modules = inner.fetch_submodules(id, access, tree, folder).await?;
            let (mirror, folder) = (inner.mirrors.of_repository(id), folder.clone());
            let context = on_worker(move |_| GitContext::open(&mirror, tree, &folder, &modules)).await?;
            Ok(Arc::new(context) as Arc<dyn ContextTree>)
        };
        guarded("opening the context", self.deadlines.fetch, cancel, work).await
    }

    async fn watch(&self, access: &CodeAccess) -> Result<mpsc::Receiver<()>, Failure> {
        let path = clone_path(access).ok_or_else(|| {
            Failure::new(ErrorCode::BadCodeLocation, "only a local clone can be watched").at("location")
        })?;
        let deadline: Duration = self.deadlines.request;
        let runtime = tokio::runtime::Handle::current();
        let work = on_worker(move |_| {
            let _entered = runtime.enter();
            watch::watch(&path)
        });
        guarded("watching the clone", deadline, &CancellationToken::new(), work).await
    }

    async fn remove_mirror(&self, id: CodeRepositoryId) -> Result<(), Failure> {
        let folder = self.inner.mirrors.of_repository(id);
        let work = async {
            let lock = self.inner.mirrors.lock(&folder).await;
            let path = folder.clone();
            on_worker(move |_| {
                let _held = lock;
                mirror::remove(&path)
            })
            .await
        };
        self.within_request(work).await
    }
}
