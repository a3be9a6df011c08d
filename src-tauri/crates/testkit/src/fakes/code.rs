use super::{Gate, Script, hash, lock};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use slipway_core::code::{
    ChangedPaths, CodeAccess, CodeLocation, CommitDetails, CommitId, RefName, RemoteRef, RemoteRefs, RepoPath,
    TreeEntry, TreeEntryKind,
};
use slipway_core::ids::CodeRepositoryId;
use slipway_core::ports::{CodeStore, ContentId, ContextEntry, ContextKind, ContextTree};
use slipway_core::version::CommitsBetween;
use slipway_core::{ErrorCode, Failure};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

type Files = BTreeMap<String, Bytes>;

#[derive(Clone)]
struct Commit {
    details: CommitDetails,
    files: Files,
}

#[derive(Default)]
struct Remote {
    refs: BTreeMap<RefName, CommitId>,
    /// Tag objects of annotated tags, to their commits.
    tag_objects: HashMap<CommitId, CommitId>,
    default_branch: Option<RefName>,
    watchers: Vec<mpsc::Sender<()>>,
}

/// Git in memory: remotes by their place, commits with files, and which commits each mirror holds.
#[derive(Default)]
pub struct FakeCodeStore {
    remotes: Mutex<HashMap<String, Remote>>,
    commits: Mutex<HashMap<CommitId, Commit>>,
    mirrors: Mutex<HashMap<CodeRepositoryId, HashSet<CommitId>>>,
    accesses: Mutex<HashMap<String, CodeAccess>>,
    hanging: watch::Sender<Vec<String>>,
    script: Script,
    gate: Gate,
}

/// One remote of a [`FakeCodeStore`].
pub struct FakeRepository {
    store: Arc<FakeCodeStore>,
    key: String,
}

fn key(location: &CodeLocation) -> String {
    match location {
        CodeLocation::GitUrl { url, .. } | CodeLocation::Ssh { url } => url.clone(),
        CodeLocation::LocalClone { path } => path.display().to_string(),
    }
}

impl FakeCodeStore {
    /// Makes or finds the remote at this URL or folder.
    pub fn repository(self: &Arc<Self>, place: &str) -> FakeRepository {
        lock(&self.remotes).entry(place.to_owned()).or_default();
        FakeRepository { store: Arc::clone(self), key: place.to_owned() }
    }

    /// What the last question for refs of a remote came with.
    pub fn last_access(&self, place: &str) -> Option<CodeAccess> {
        lock(&self.accesses).get(place).cloned()
    }

    /// Fails the next calls of a method (`remote_refs`, `fetch`, `fetch_commit`, `open_context`, …).
    pub fn fail(&self, call: &'static str, failure: Failure, times: usize) {
        self.script.fail(call, failure, times);
    }

    /// Fails a method until it is told otherwise.
    pub fn fail_always(&self, call: &'static str, failure: Option<Failure>) {
        self.script.always(call, failure);
    }

    /// Lets questions for the refs of places that begin like this hang from now on.
    pub fn hang(&self, place: &str) {
        self.hanging.send_modify(|hanging| hanging.push(place.to_owned()));
    }

    /// Lets no question hang any more.
    pub fn go_on(&self) {
        self.hanging.send_modify(Vec::clear);
    }

    /// How often a method was called.
    pub fn calls(&self, call: &'static str) -> usize {
        self.script.calls(call)
    }

    /// Lets fetches of commits wait.
    pub fn hold_fetches(&self, hold: bool) {
        self.gate.set_shut(hold);
    }

    /// Returns once so many fetches wait.
    pub async fn fetches_waiting(&self, count: usize) {
        self.gate.wait_for_callers(count).await;
    }

    fn with_remote<T>(&self, access: &CodeAccess, read: impl FnOnce(&mut Remote) -> T) -> Result<T, Failure> {
        let place = key(&access.location);
        lock(&self.remotes)
            .get_mut(&place)
            .map(read)
            .ok_or_else(|| Failure::new(ErrorCode::SourceNotFound, format!("no repository at {place}")))
    }

    fn stored(&self, id: CodeRepositoryId, object: &CommitId) -> Result<Commit, Failure> {
        let missing =
            || Failure::new(ErrorCode::RefNotFound, format!("commit {} is not in the mirror", object.short()));
        let commit = lock(&self.remotes)
            .values()
            .find_map(|remote| remote.tag_objects.get(object).cloned())
            .unwrap_or_else(|| object.clone());
        if !lock(&self.mirrors).get(&id).is_some_and(|mirror| mirror.contains(&commit)) {
            return Err(missing());
        }
        lock(&self.commits).get(&commit).cloned().ok_or_else(missing)
    }

    fn keep(&self, id: CodeRepositoryId, commit: CommitId) {
        let mut todo = vec![commit];
        let commits = lock(&self.commits);
        let mut mirrors = lock(&self.mirrors);
        let mirror = mirrors.entry(id).or_default();
        while let Some(commit) = todo.pop() {
            if mirror.insert(commit.clone())
                && let Some(found) = commits.get(&commit)
            {
                todo.extend(found.details.parents.iter().cloned());
            }
        }
    }
}

impl FakeRepository {
    /// The place to give to a code repository.
    pub fn place(&self) -> &str {
        &self.key
    }

    /// Writes files over those of the branch's head, commits with this message and moves the branch.
    pub fn push(&self, branch: &str, message: &str, files: &[(&str, &str)]) -> CommitId {
        let name = RefName::branch(branch).unwrap_or_else(|failure| panic!("{failure}"));
        let parent = self.head(&name);
        let commit = self.commit(parent.as_ref(), message, files);
        self.set(name.as_str(), &commit);
        commit
    }

    /// Makes a commit without moving a ref.
    pub fn commit(&self, parent: Option<&CommitId>, message: &str, files: &[(&str, &str)]) -> CommitId {
        let mut commits = lock(&self.store.commits);
        let mut content = parent.and_then(|parent| commits.get(parent)).map(|c| c.files.clone()).unwrap_or_default();
        for (path, text) in files {
            content.insert((*path).to_owned(), Bytes::copy_from_slice(text.as_bytes()));
        }
        let ordinal = commits.len();
        let digest = hash(&[message.as_bytes(), &ordinal.to_le_bytes()]);
        let id = CommitId::new(&digest[..40]).unwrap_or_else(|failure| panic!("{failure}"));
        let base: DateTime<Utc> = DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default();
        let details = CommitDetails {
            id: id.clone(),
            summary: message.lines().next().unwrap_or_default().to_owned(),
            message: message.to_owned(),
            author: "Ada".to_owned(),
            author_email: "ada@example.org".to_owned(),
            committed_at: base + TimeDelta::minutes(ordinal as i64),
            parents: parent.into_iter().cloned().collect(),
        };
        commits.insert(id.clone(), Commit { details, files: content });
        id
    }

    /// Moves a full ref (`refs/heads/main`) without telling watchers.
    pub fn set(&self, full: &str, commit: &CommitId) {
        let name = RefName::new(full).unwrap_or_else(|failure| panic!("{failure}"));
        let mut remotes = lock(&self.store.remotes);
        let remote = remotes.entry(self.key.clone()).or_default();
        if remote.default_branch.is_none() && full.starts_with("refs/heads/") {
            remote.default_branch = Some(name.clone());
        }
        remote.refs.insert(name, commit.clone());
    }

    /// Makes or re-makes an annotated tag: its object is new even when the commit is not.
    pub fn annotate(&self, tag: &str, commit: &CommitId, note: &str) {
        let object = CommitId::new(&hash(&[tag.as_bytes(), note.as_bytes(), commit.as_str().as_bytes()])[..40])
            .unwrap_or_else(|failure| panic!("{failure}"));
        lock(&self.store.remotes)
            .entry(self.key.clone())
            .or_default()
            .tag_objects
            .insert(object.clone(), commit.clone());
        self.set(&format!("refs/tags/{tag}"), &object);
    }

    /// Deletes a full ref.
    pub fn delete(&self, full: &str) {
        if let Some(remote) = lock(&self.store.remotes).get_mut(&self.key) {
            remote.refs.retain(|name, _| name.as_str() != full);
        }
    }

    /// Returns what a ref points at.
    pub fn head(&self, name: &RefName) -> Option<CommitId> {
        lock(&self.store.remotes).get(&self.key).and_then(|remote| remote.refs.get(name).cloned())
    }

    /// Tells file watchers that something moved.
    pub fn touch(&self) {
        if let Some(remote) = lock(&self.store.remotes).get_mut(&self.key) {
            remote
                .watchers
                .retain(|watcher| !matches!(watcher.try_send(()), Err(mpsc::error::TrySendError::Closed(()))));
        }
    }
}

#[async_trait]
impl CodeStore for FakeCodeStore {
    async fn remote_refs(
        &self,
        access: &CodeAccess,
        only: Option<&[RefName]>,
        cancel: &CancellationToken,
    ) -> Result<RemoteRefs, Failure> {
        lock(&self.accesses).insert(key(&access.location), access.clone());
        self.script.enter("remote_refs")?;
        let place = key(&access.location);
        let mut hanging = self.hanging.subscribe();
        tokio::select! {
            () = cancel.cancelled() => {}
            _ = hanging.wait_for(|hanging| !hanging.iter().any(|hanging| place.starts_with(hanging))) => {}
        }
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        self.with_remote(access, |remote| RemoteRefs {
            default_branch: remote.default_branch.clone(),
            refs: remote
                .refs
                .iter()
                .filter(|(name, _)| only.is_none_or(|only| only.contains(name)))
                .map(|(name, object)| RemoteRef {
                    name: name.clone(),
                    object: object.clone(),
                    commit: Some(remote.tag_objects.get(object).unwrap_or(object).clone()),
                })
                .collect(),
            unusable: 0,
        })
    }

    async fn fetch(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        refs: &[RefName],
        cancel: &CancellationToken,
    ) -> Result<RemoteRefs, Failure> {
        self.script.enter("fetch")?;
        let found = self.remote_refs(access, Some(refs), cancel).await?;
        for one in &found.refs {
            if let Some(commit) = &one.commit {
                self.keep(id, commit.clone());
            }
        }
        Ok(found)
    }

    async fn fetch_commit(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        commit: &CommitId,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        self.script.enter("fetch_commit")?;
        self.gate.pass(cancel).await?;
        let commit = self.with_remote(access, |remote| remote.tag_objects.get(commit).unwrap_or(commit).clone())?;
        if !lock(&self.commits).contains_key(&commit) {
            return Err(Failure::new(ErrorCode::RefNotFound, format!("no commit {}", commit.short())));
        }
        self.keep(id, commit);
        Ok(())
    }

    async fn find_commit(&self, id: CodeRepositoryId, abbreviated: &str) -> Result<CommitId, Failure> {
        self.script.enter("find_commit")?;
        lock(&self.mirrors)
            .get(&id)
            .and_then(|mirror| mirror.iter().find(|commit| commit.as_str().starts_with(abbreviated)).cloned())
            .ok_or_else(|| Failure::new(ErrorCode::RefNotFound, format!("no commit {abbreviated}")))
    }

    async fn commit(&self, id: CodeRepositoryId, object: &CommitId) -> Result<CommitDetails, Failure> {
        self.script.enter("commit")?;
        Ok(self.stored(id, object)?.details)
    }

    async fn changed_paths(
        &self,
        id: CodeRepositoryId,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<ChangedPaths, Failure> {
        self.script.enter("changed_paths")?;
        let Ok(from) = self.stored(id, from) else { return Ok(ChangedPaths::UnknownBase) };
        let to = self.stored(id, to)?;
        let names: BTreeSet<&String> = from.files.keys().chain(to.files.keys()).collect();
        let paths = names.into_iter().filter(|name| from.files.get(*name) != to.files.get(*name)).cloned().collect();
        Ok(ChangedPaths::Known { paths })
    }

    async fn list_folder(
        &self,
        id: CodeRepositoryId,
        commit: &CommitId,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure> {
        self.script.enter("list_folder")?;
        let files = self.stored(id, commit)?.files;
        let mut entries: Vec<TreeEntry> = children(&files, folder.as_str())
            .into_iter()
            .map(|(name, size)| TreeEntry {
                name,
                kind: if size.is_some() { TreeEntryKind::File } else { TreeEntryKind::Folder },
                size,
            })
            .collect();
        entries.sort_by_key(|entry| (entry.kind != TreeEntryKind::Folder, entry.name.clone()));
        if entries.is_empty() && !folder.is_root() {
            return Err(
                Failure::new(ErrorCode::ContextMissing, format!("no folder {folder}")).with("path", folder.as_str())
            );
        }
        Ok(entries)
    }

    async fn read_file(
        &self,
        id: CodeRepositoryId,
        commit: &CommitId,
        path: &RepoPath,
        limit: u64,
    ) -> Result<Option<Bytes>, Failure> {
        self.script.enter("read_file")?;
        let file = self.stored(id, commit)?.files.get(path.as_str()).cloned();
        Ok(file.map(|bytes| bytes.slice(..bytes.len().min(usize::try_from(limit).unwrap_or(usize::MAX)))))
    }

    async fn open_context(
        &self,
        id: CodeRepositoryId,
        _access: &CodeAccess,
        commit: &CommitId,
        folder: &RepoPath,
        _cancel: &CancellationToken,
    ) -> Result<Arc<dyn ContextTree>, Failure> {
        self.script.enter("open_context")?;
        let files = self.stored(id, commit)?.files;
        let prefix = if folder.is_root() { String::new() } else { format!("{folder}/") };
        let inside: Files = files
            .iter()
            .filter_map(|(path, bytes)| Some((path.strip_prefix(&prefix)?.to_owned(), bytes.clone())))
            .collect();
        if inside.is_empty() && !folder.is_root() {
            return Err(
                Failure::new(ErrorCode::ContextMissing, format!("no folder {folder}")).with("path", folder.as_str())
            );
        }
        Ok(Arc::new(MemoryContext(inside)))
    }

    async fn commits_between(
        &self,
        id: CodeRepositoryId,
        from: &CommitId,
        to: &CommitId,
        limit: usize,
    ) -> Result<CommitsBetween, Failure> {
        self.script.enter("commits_between")?;
        let line = |start: &CommitId| -> Result<Vec<CommitDetails>, Failure> {
            let mut line = vec![self.stored(id, start)?.details];
            while let Some(parent) = line.last().and_then(|commit| commit.parents.first()).cloned() {
                line.push(self.stored(id, &parent)?.details);
            }
            Ok(line)
        };
        let (old, new) = (line(from)?, line(to)?);
        let only = |of: &[CommitDetails], not: &[CommitDetails]| {
            of.iter().filter(|commit| !not.contains(commit)).cloned().collect::<Vec<_>>()
        };
        let (mut added, mut removed) = (only(&new, &old), only(&old, &new));
        let (added_total, removed_total) = (added.len() as u64, removed.len() as u64);
        added.truncate(limit);
        removed.truncate(limit);
        Ok(CommitsBetween { added, added_total, removed, removed_total })
    }

    async fn trust_host_key(&self, access: &CodeAccess, _: &str, _: &CancellationToken) -> Result<(), Failure> {
        self.script.enter("trust_host_key")?;
        self.with_remote(access, |_| ())
    }

    async fn watch(&self, access: &CodeAccess) -> Result<mpsc::Receiver<()>, Failure> {
        self.script.enter("watch")?;
        let (sender, receiver) = mpsc::channel(1);
        self.with_remote(access, |remote| remote.watchers.push(sender))?;
        Ok(receiver)
    }

    async fn remove_mirror(&self, id: CodeRepositoryId) -> Result<(), Failure> {
        self.script.enter("remove_mirror")?;
        lock(&self.mirrors).remove(&id);
        Ok(())
    }
}

/// Names directly inside a folder; files with their size, folders without.
fn children(files: &Files, folder: &str) -> BTreeMap<String, Option<u64>> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut found = BTreeMap::new();
    for (path, bytes) in files {
        if let Some(rest) = path.strip_prefix(&prefix) {
            match rest.split_once('/') {
                Some((name, _)) => found.insert(name.to_owned(), None),
                None => found.insert(rest.to_owned(), Some(bytes.len() as u64)),
            };
        }
    }
    found
}

struct MemoryContext(Files);

impl ContextTree for MemoryContext {
    fn list(&self, folder: &str) -> Result<Vec<ContextEntry>, Failure> {
        Ok(children(&self.0, folder)
            .into_iter()
            .map(|(name, size)| {
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                let kind = match size {
                    Some(size) => ContextKind::File { id: ContentId(path.into_bytes()), size, executable: false },
                    None => ContextKind::Folder,
                };
                ContextEntry { name, kind }
            })
            .collect())
    }

    fn open(&self, id: &ContentId) -> Result<Box<dyn std::io::Read + Send>, Failure> {
        let path = String::from_utf8_lossy(&id.0);
        let bytes = self.0.get(path.as_ref()).cloned().ok_or_else(|| Failure::internal(format!("no file {path}")))?;
        Ok(Box::new(std::io::Cursor::new(bytes)))
    }
}
