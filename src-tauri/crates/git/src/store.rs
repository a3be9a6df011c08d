//! The code store: every call with its deadline, its cancellation and the lock of its mirror.

use crate::blocking::{guarded, on_worker};
use crate::context::GitContext;
use crate::error::not_found;
use crate::fetch::{Fetcher, Wanted, clone_path};
use crate::http::HttpClients;
use crate::mirror::{self, Mirrors};
use crate::ssh::SshSetup;
use crate::{inspect, watch};
use async_trait::async_trait;
use bytes::Bytes;
use slipway_core::code::{
    ChangedPaths, CodeAccess, CodeLocation, CommitDetails, CommitId, RefName, RemoteRefs, RepoPath, TreeEntry,
};
use slipway_core::ids::CodeRepositoryId;
use slipway_core::ports::{CodeStore, ContextTree, Deadlines};
use slipway_core::ssh::SshAddress;
use slipway_core::version::CommitsBetween;
use slipway_core::{ErrorCode, Failure};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Code repositories with one bare mirror each in a folder of its own.
#[derive(Debug)]
pub struct GitCodeStore {
    fetcher: Arc<Fetcher>,
}

impl GitCodeStore {
    /// Keeps the mirrors in this folder, which is created when it is needed, and the keys of SSH hosts that a person
    /// confirmed in this file.
    #[must_use]
    pub fn new(mirrors: PathBuf, known_hosts: PathBuf, deadlines: Deadlines) -> Self {
        Self::with_ssh_program("ssh".into(), mirrors, known_hosts, deadlines)
    }

    /// As [`Self::new`], with another `ssh` program than the one on the search path.
    #[must_use]
    pub fn with_ssh_program(program: OsString, mirrors: PathBuf, known_hosts: PathBuf, deadlines: Deadlines) -> Self {
        let ssh = Arc::new(SshSetup { program, known_hosts, deadlines: deadlines.clone() });
        let mirrors = Mirrors::new(mirrors);
        Self { fetcher: Arc::new(Fetcher { mirrors, clients: HttpClients::default(), ssh, deadlines }) }
    }

    /// Runs a question about a mirror on a worker thread.
    async fn ask<T: Send + 'static>(
        &self,
        id: CodeRepositoryId,
        what: String,
        question: impl FnOnce(&git2::Repository) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let mirror = self.fetcher.mirrors.of_repository(id);
        self.within_request(on_worker(move |_| inspect::ask(&mirror, &what, question))).await
    }

    async fn within_request<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        guarded("reading the mirror", self.fetcher.deadlines.request, &CancellationToken::new(), work).await
    }
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
        let deadline = self.fetcher.deadlines.request + self.fetcher.deadlines.idle;
        guarded("asking for refs", deadline, cancel, self.fetcher.remote_refs(access, only)).await
    }

    async fn fetch(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        refs: &[RefName],
        cancel: &CancellationToken,
    ) -> Result<RemoteRefs, Failure> {
        let folder = self.fetcher.mirrors.of_repository(id);
        guarded(
            "a fetch",
            self.fetcher.deadlines.fetch,
            cancel,
            self.fetcher.fetch(&folder, access, Wanted::Refs(refs)),
        )
        .await
    }

    async fn fetch_commit(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        commit: &CommitId,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let folder = self.fetcher.mirrors.of_repository(id);
        let oid = mirror::oid(commit).ok_or_else(|| not_found(commit.as_str()))?;
        guarded(
            "a fetch",
            self.fetcher.deadlines.fetch,
            cancel,
            self.fetcher.fetch(&folder, access, Wanted::Commit(oid)),
        )
        .await
        .map(drop)
    }

    async fn find_commit(&self, id: CodeRepositoryId, abbreviated: &str) -> Result<CommitId, Failure> {
        let (mirror, text) = (self.fetcher.mirrors.of_repository(id), abbreviated.to_owned());
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
        let fetcher = Arc::clone(&self.fetcher);
        let work = async {
            let wanted = commit.clone();
            let tree = self
                .ask(id, wanted.to_string(), move |repository| Ok(inspect::find(repository, &wanted)?.tree_id()))
                .await?;
            let modules = fetcher.fetch_submodules(id, access, tree, folder).await?;
            let (mirror, folder) = (fetcher.mirrors.of_repository(id), folder.clone());
            let context = on_worker(move |_| GitContext::open(&mirror, tree, &folder, &modules)).await?;
            Ok(Arc::new(context) as Arc<dyn ContextTree>)
        };
        guarded("opening the context", self.fetcher.deadlines.fetch, cancel, work).await
    }

    async fn commits_between(
        &self,
        id: CodeRepositoryId,
        from: &CommitId,
        to: &CommitId,
        limit: usize,
    ) -> Result<CommitsBetween, Failure> {
        let (from, to) = (from.clone(), to.clone());
        self.ask(id, to.to_string(), move |repository| inspect::between(repository, &from, &to, limit)).await
    }

    async fn trust_host_key(
        &self,
        access: &CodeAccess,
        fingerprint: &str,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        let CodeLocation::Ssh { url } = &access.location else {
            return Err(Failure::new(ErrorCode::BadCodeLocation, "only an SSH host has a key to confirm").at("url"));
        };
        let address = SshAddress::parse(url)?;
        let ssh = &self.fetcher.ssh;
        // Two connections, which have deadlines of their own.
        guarded("asking for the host's key", ssh.deadlines.request * 2, cancel, ssh.trust(&address, fingerprint)).await
    }

    async fn watch(&self, access: &CodeAccess) -> Result<mpsc::Receiver<()>, Failure> {
        let path = clone_path(access).ok_or_else(|| {
            Failure::new(ErrorCode::BadCodeLocation, "only a local clone can be watched").at("location")
        })?;
        let deadline: Duration = self.fetcher.deadlines.request;
        let runtime = tokio::runtime::Handle::current();
        let work = on_worker(move |_| {
            let _entered = runtime.enter();
            watch::watch(&path)
        });
        guarded("watching the clone", deadline, &CancellationToken::new(), work).await
    }

    async fn remove_mirror(&self, id: CodeRepositoryId) -> Result<(), Failure> {
        let folder = self.fetcher.mirrors.of_repository(id);
        let work = async {
            let lock = self.fetcher.mirrors.lock(&folder).await;
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
