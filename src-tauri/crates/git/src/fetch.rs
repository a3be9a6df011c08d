//! Fetching into a mirror, from a host or from a clone on this machine.

use crate::blocking::on_worker;
use crate::error::not_found;
use crate::http::{GitHttp, HttpClients};
use crate::mirror::{self, Mirrors};
use crate::protocol::{Fetched, GitHost};
use crate::ssh::{GitSsh, SshSetup};
use crate::transport::Transport;
use crate::{copy, housekeeping, local, pack};
use bytes::Bytes;
use git2::Oid;
use slipway_core::code::{CodeAccess, CodeLocation, RefName, RemoteRefs};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::mpsc;

/// Parts of a pack that wait between the network and the disk.
const PACK_PARTS: usize = 64;

/// What a fetch is after.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// Some refs as they are now.
    Refs(&'a [RefName]),
    /// One commit, wherever it hangs.
    Commit(Oid),
}

/// Reaches code repositories and fills their mirrors.
#[derive(Debug)]
pub(crate) struct Fetcher {
    pub(crate) mirrors: Mirrors,
    pub(crate) clients: HttpClients,
    pub(crate) ssh: Arc<SshSetup>,
    pub(crate) deadlines: Deadlines,
}

/// The folder of a local clone, `None` for a remote location.
pub(crate) fn clone_path(access: &CodeAccess) -> Option<PathBuf> {
    match &access.location {
        CodeLocation::LocalClone { path } => Some(path.clone()),
        CodeLocation::GitUrl { .. } | CodeLocation::Ssh { .. } => None,
    }
}

impl Fetcher {
    async fn connect(&self, access: &CodeAccess) -> Result<GitHost, Failure> {
        let transport = match &access.location {
            CodeLocation::Ssh { url } => Transport::Ssh(GitSsh::new(&self.ssh, url)?),
            _ => Transport::Http(GitHttp::new(access, &self.clients, &self.deadlines)?),
        };
        GitHost::connect(transport).await
    }

    /// Branches and tags as they are now.
    pub(crate) async fn remote_refs(
        &self,
        access: &CodeAccess,
        only: Option<&[RefName]>,
    ) -> Result<RemoteRefs, Failure> {
        match clone_path(access) {
            Some(path) => {
                let only = only.map(<[RefName]>::to_vec);
                on_worker(move |_| local::refs(&local::open(&path)?, only.as_deref())).await
            }
            None => self.connect(access).await?.refs(only).await,
        }
    }

    /// Fetches into a mirror that nobody else writes meanwhile; a damaged mirror is made anew once.
    pub(crate) async fn fetch(
        &self,
        folder: &Path,
        access: &CodeAccess,
        wanted: Wanted<'_>,
    ) -> Result<RemoteRefs, Failure> {
        if matches!(wanted, Wanted::Refs([])) {
            return Ok(RemoteRefs::default());
        }
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
                        if tips.is_empty() {
                            return Err(nothing_found(&refs, &commit.to_string()));
                        }
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
            return Err(nothing_found(&host.refs(None).await?, &first_name(names)));
        }
        match receive(&host, folder, lock, objects(&refs), names.to_vec()).await? {
            Fetched::Pack => keep(folder, lock, refs, None).await,
            // The ref moved between the two questions, and the old object is gone.
            Fetched::Refused(failure) => Err(failure),
        }
    }
}

fn objects(refs: &RemoteRefs) -> Vec<Oid> {
    refs.refs.iter().filter_map(|found| mirror::oid(&found.object)).collect()
}

/// Why nothing of what was asked for was found.
fn nothing_found(all: &RemoteRefs, what: &str) -> Failure {
    if all.refs.is_empty() && all.unusable == 0 {
        return Failure::new(ErrorCode::SourceEmpty, "the repository has no commit yet");
    }
    not_found(what)
}

fn first_name(names: &[RefName]) -> String {
    names.first().map_or("the ref", RefName::as_str).to_owned()
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
            if clone.find_object(commit, None).is_err() {
                return Err(nothing_found(&local::refs(&clone, None)?, &commit.to_string()));
            }
            copy::copy(&clone, &repository, &[commit], stop)?;
            mirror::keep_commit(&repository, commit)?;
            return Ok(RemoteRefs::default());
        }
        let refs = local::refs(&clone, Some(&names))?;
        if refs.refs.is_empty() {
            return Err(nothing_found(&local::refs(&clone, None)?, &first_name(&names)));
        }
        copy::copy(&clone, &repository, &objects(&refs), stop)?;
        keep_all(&repository, &refs)?;
        tidy(&repository, stop);
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

/// What was fetched is kept already: a mirror that cannot be tidied is tidied by a later fetch.
fn tidy(repository: &git2::Repository, stop: &AtomicBool) {
    if let Err(failure) = housekeeping::join_small_packs(repository, stop) {
        tracing::warn!(%failure, "the packs of a mirror were not joined");
    }
}

/// Checks that what was fetched is there, and keeps it.
async fn keep(
    folder: &Path,
    lock: &mirror::MirrorLock,
    refs: RemoteRefs,
    commit: Option<Oid>,
) -> Result<RemoteRefs, Failure> {
    let (folder, held) = (folder.to_owned(), Arc::clone(lock));
    on_worker(move |stop| {
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
        tidy(&repository, stop);
        Ok(refs)
    })
    .await
}
