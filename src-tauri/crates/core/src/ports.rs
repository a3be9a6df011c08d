//! What the outside must be able to do. Each port has a real implementation in its crate and a scripted fake in `testkit`.
//!
//! Rules for every port:
//! - each call has a deadline of its own, chosen by the implementation from [`Deadlines`], and fails with
//!   [`crate::ErrorCode::TimedOut`] or the more exact code of what hung;
//! - a cancelled token ends the call within a second with [`crate::Failure::cancelled`], with the work outside stopped;
//! - calling again after a failure, a crash or a lost answer is safe.

use crate::Failure;
use crate::Secret;
use crate::build::BuiltImage;
use crate::code::{ChangedPaths, CodeAccess, CommitDetails, CommitId, RefName, RemoteRefs, RepoPath, TreeEntry};
use crate::disk_budget::{BuildCacheUse, StoredImage};
use crate::ids::{BuildId, CodeRepositoryId};
use crate::image::{
    Digest, EngineImage, EngineImageSummary, ImageId, ImageReference, Platform, RegistryAccess, RegistryLogin,
    RepositoryName, Tag,
};
use crate::image_config::HistoryEntry;
use crate::log::{BuildEvent, PushProgress};
use crate::namespace::Project;
use crate::rule::{BuildNetwork, NameValue};
use crate::version::CommitsBetween;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The wall clock. Ordering never uses it; durations within one run use the monotonic clock.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time now.
    fn now(&self) -> DateTime<Utc>;
    /// Returns the machine's offset from UTC at that moment, in seconds east.
    fn local_offset_seconds(&self, at: DateTime<Utc>) -> i32;
}

/// How long the outside may take.
#[derive(Debug, Clone)]
pub struct Deadlines {
    /// A small request: refs, a manifest, an inspect.
    pub request: Duration,
    /// No byte for this long on a transfer means it hangs.
    pub idle: Duration,
    /// A whole fetch.
    pub fetch: Duration,
    /// A whole push of one tag.
    pub push: Duration,
    /// A credential helper or command.
    pub helper: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            fetch: Duration::from_secs(30 * 60),
            push: Duration::from_secs(60 * 60),
            helper: Duration::from_secs(10),
        }
    }
}

/// Code repositories: refs at the remote, the mirror on disk, and contexts straight from it. One mirror per
/// [`CodeRepositoryId`]; calls for one repository may run at the same time.
#[async_trait]
pub trait CodeStore: Send + Sync + 'static {
    /// Returns branches and tags as the remote has them now, without fetching. `only` narrows the question to some refs.
    async fn remote_refs(
        &self,
        access: &CodeAccess,
        only: Option<&[RefName]>,
        cancel: &CancellationToken,
    ) -> Result<RemoteRefs, Failure>;

    /// Brings what these refs point at into the mirror. Afterwards their commits are kept, whatever the remote forgets.
    async fn fetch(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        refs: &[RefName],
        cancel: &CancellationToken,
    ) -> Result<RemoteRefs, Failure>;

    /// Makes sure that one commit is in the mirror (fetching by id, else everything), and keeps it.
    async fn fetch_commit(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        commit: &CommitId,
        cancel: &CancellationToken,
    ) -> Result<(), Failure>;

    /// Finds a commit in the mirror by full or abbreviated id.
    async fn find_commit(&self, id: CodeRepositoryId, abbreviated: &str) -> Result<CommitId, Failure>;

    /// Returns what is shown about a commit, or about the commit that an annotated tag's object leads to.
    async fn commit(&self, id: CodeRepositoryId, object: &CommitId) -> Result<CommitDetails, Failure>;

    /// Returns the paths that differ between two commits of the mirror.
    async fn changed_paths(
        &self,
        id: CodeRepositoryId,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<ChangedPaths, Failure>;

    /// Lists a folder of a commit, folders first, then by name.
    async fn list_folder(
        &self,
        id: CodeRepositoryId,
        commit: &CommitId,
        folder: &RepoPath,
    ) -> Result<Vec<TreeEntry>, Failure>;

    /// Reads a file of a commit, at most `limit` bytes; `None` when nothing is at this path. A symbolic link on the way or
    /// at the end is [`crate::ErrorCode::BadRepositoryPath`].
    async fn read_file(
        &self,
        id: CodeRepositoryId,
        commit: &CommitId,
        path: &RepoPath,
        limit: u64,
    ) -> Result<Option<bytes::Bytes>, Failure>;

    /// Opens a folder of a commit as a build context: submodules resolved (private ones on the same host with the same
    /// login), Git LFS pointers refused when they are read.
    async fn open_context(
        &self,
        id: CodeRepositoryId,
        access: &CodeAccess,
        commit: &CommitId,
        folder: &RepoPath,
        cancel: &CancellationToken,
    ) -> Result<Arc<dyn ContextTree>, Failure>;

    /// Keeps the key that an SSH host shows now, beside the user's own list of known hosts, when it is the one with this
    /// fingerprint (`SHA256:…`), which a person has confirmed. A host that is known by another key is refused
    /// ([`crate::ErrorCode::SshHostKeyChanged`]), and so is a key with another fingerprint
    /// ([`crate::ErrorCode::SshHostKeyUnknown`]).
    async fn trust_host_key(
        &self,
        access: &CodeAccess,
        fingerprint: &str,
        cancel: &CancellationToken,
    ) -> Result<(), Failure>;

    /// Watches a local clone: sends one unit for every burst of changes that may have moved a ref. Fails when the folder is
    /// no git repository. Dropping the receiver ends the watch; when the folder goes away the channel closes.
    async fn watch(&self, access: &CodeAccess) -> Result<mpsc::Receiver<()>, Failure>;

    /// Returns the commits of the mirror that lie between two, at most `limit` of each side, newest first.
    async fn commits_between(
        &self,
        id: CodeRepositoryId,
        from: &CommitId,
        to: &CommitId,
        limit: usize,
    ) -> Result<CommitsBetween, Failure>;

    /// Forgets the mirror.
    async fn remove_mirror(&self, id: CodeRepositoryId) -> Result<(), Failure>;
}

/// A folder of files as a build sees it; blocking, called from worker threads. Names are UTF-8; `/` separates.
pub trait ContextTree: Send + Sync {
    /// Lists one folder (`""` is the context's root), sorted by the bytes of the name.
    fn list(&self, folder: &str) -> Result<Vec<ContextEntry>, Failure>;
    /// Opens a file of the context, from its [`ContextKind::File::id`].
    fn open(&self, id: &ContentId) -> Result<Box<dyn std::io::Read + Send>, Failure>;
}

/// Identity of a file's bytes (a git blob id, or a hash of an uploaded file): equal ids mean equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentId(pub Vec<u8>);

/// One entry of a context folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextEntry {
    /// Its name inside the folder.
    pub name: String,
    /// What it is.
    pub kind: ContextKind,
}

/// What a context entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextKind {
    /// A regular file.
    File {
        /// Identity of its bytes.
        id: ContentId,
        /// Bytes.
        size: u64,
        /// Has the exec bit: 0755, else 0644.
        executable: bool,
    },
    /// A symbolic link, given to the engine as it is.
    Symlink {
        /// Where it points.
        target: String,
    },
    /// A folder.
    Folder,
}

/// Facts about an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// Version (`28.5.2`).
    pub version: String,
    /// API version (`1.51`).
    pub api_version: String,
    /// Its own platform.
    pub platform: Platform,
    /// The endpoint that was used (`unix:///var/run/docker.sock`).
    pub endpoint: String,
    /// Name of the Docker context, when one was used.
    pub context: Option<String>,
    /// True with the containerd image store, which keeps several platforms.
    pub containerd_store: bool,
    /// Hosts and networks that may be plain HTTP.
    pub insecure_registries: Vec<String>,
    /// Mirrors that the engine uses for Docker Hub.
    pub mirrors: Vec<String>,
    /// Bytes that images and the build cache take; `None` when it did not answer in time.
    pub disk_bytes: Option<u64>,
}

/// What to build.
#[derive(Clone)]
pub struct EngineBuild {
    /// Our build: names the private tag `slipway.local/build:<id>` and the label that make it findable after a crash.
    pub build: BuildId,
    /// One pool of transferred files per key: `<code repository>` + engine, so that only changed files travel.
    pub shared_key: String,
    /// The context.
    pub context: Arc<dyn ContextTree>,
    /// The Dockerfile's bytes and its name for messages.
    pub dockerfile: bytes::Bytes,
    /// The Dockerfile's path relative to the repository, for messages.
    pub dockerfile_name: String,
    /// `<Dockerfile>.dockerignore` beside the Dockerfile, when it exists; wins over the context's `.dockerignore`.
    pub dockerfile_ignore: Option<bytes::Bytes>,
    /// Build arguments, in order.
    pub args: Vec<NameValue>,
    /// Secrets by id.
    pub secrets: Vec<(String, Secret)>,
    /// Target stage.
    pub target: Option<String>,
    /// Labels written into the image.
    pub labels: Vec<NameValue>,
    /// Platforms; empty means the engine's own.
    pub platforms: Vec<Platform>,
    /// Do not use the cache.
    pub no_cache: bool,
    /// Ask for base images anew.
    pub always_pull: bool,
    /// Network of RUN steps.
    pub network: BuildNetwork,
    /// Logins for base images, asked by host at the moment that the engine needs one.
    pub logins: Arc<dyn LoginSource>,
}

/// Finds the login for a registry host, for base images.
#[async_trait]
pub trait LoginSource: Send + Sync {
    /// Returns the login for this host; [`RegistryLogin::Anonymous`] when there is none.
    async fn login(&self, host: &str) -> RegistryLogin;
}

/// An image with what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineImageDetails {
    /// The image.
    pub image: EngineImage,
    /// `Config` of the engine's answer.
    pub config: serde_json::Value,
    /// Instructions, oldest first.
    pub history: Vec<HistoryEntry>,
    /// Bytes of each layer, as far as the history tells, in the order of the layers.
    pub layer_sizes: Vec<u64>,
}

/// A container that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineContainer {
    /// The engine's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image as it was named when the container was made.
    pub image: String,
    /// The image's id.
    pub image_id: ImageId,
}

/// A name in an engine's image store was set, removed or pushed, by whomever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageNews {
    /// The name as the engine says it; an id where it says no name.
    pub name: String,
    /// It was pushed: a registry may hold something new.
    pub pushed: bool,
}

/// A Docker engine.
#[async_trait]
pub trait BuildEngine: Send + Sync + 'static {
    /// Connects and returns the engine's facts. Cheap enough for a health check every few seconds.
    async fn info(&self) -> Result<EngineInfo, Failure>;

    /// Builds, sending events as they come (the sender waits when the receiver is slow). The image is loaded into the
    /// engine's store under the private tag of the build before this returns. Success is an image id that was seen, never
    /// just the end of a stream. Dropping the future or cancelling stops the engine's work.
    async fn build(
        &self,
        request: EngineBuild,
        events: mpsc::Sender<BuildEvent>,
        cancel: &CancellationToken,
    ) -> Result<BuiltImage, Failure>;

    /// Returns the image that the build left behind, by its private tag: the answer to "did it finish before the crash?".
    async fn built_image(&self, build: BuildId) -> Result<Option<BuiltImage>, Failure>;

    /// Returns an image of the store by id or name.
    async fn image(&self, name: &str) -> Result<Option<EngineImage>, Failure>;

    /// Gives an image one more name.
    async fn tag(&self, image: &ImageId, target: &ImageReference) -> Result<(), Failure>;

    /// Takes a name away; the image goes with its last name. Missing is fine.
    async fn untag(&self, name: &str) -> Result<(), Failure>;

    /// Pushes one tag. Returns what the engine said the digest is, if it said so; the caller verifies it at the registry.
    async fn push(
        &self,
        target: &ImageReference,
        login: &RegistryLogin,
        progress: mpsc::Sender<PushProgress>,
        cancel: &CancellationToken,
    ) -> Result<Option<Digest>, Failure>;

    /// Pulls one image into the engine's store, under its own name. Without a platform it is the engine's own.
    async fn pull(
        &self,
        image: &ImageReference,
        platform: Option<&Platform>,
        login: &RegistryLogin,
        cancel: &CancellationToken,
    ) -> Result<(), Failure>;

    /// Returns whether the engine can resolve a base image for a platform: from its own store, else from the registry.
    async fn can_resolve(
        &self,
        image: &ImageReference,
        platform: Option<&Platform>,
        login: &RegistryLogin,
    ) -> Result<(), Failure>;

    /// Images of the store whose repository is this, newest first (for *Local engine* versions and the default platform).
    async fn images_of(&self, repository: &str) -> Result<Vec<EngineImage>, Failure>;

    /// Returns an image of the store with its configuration and history.
    async fn image_details(&self, name: &str) -> Result<Option<EngineImageDetails>, Failure>;

    /// Returns every named image of the store, newest first, without looking inside.
    async fn images(&self) -> Result<Vec<EngineImageSummary>, Failure>;

    /// Returns every image of the store, those without a name too, with what each is made of.
    async fn stored_images(&self) -> Result<Vec<StoredImage>, Failure>;

    /// Removes an image with its names, never by force: one that a container has, or that got a name of another repository
    /// since `image` was looked at, stays with [`crate::ErrorCode::InUse`]. Missing is fine.
    async fn remove_image(&self, image: &StoredImage) -> Result<(), Failure>;

    /// Returns what the build cache takes, whoever's builds filled it. Counting may take long.
    async fn build_cache(&self) -> Result<BuildCacheUse, Failure>;

    /// Removes what was not used longest from the build cache, whoever's builds filled it, until it takes at most `keep`
    /// bytes. Returns the bytes that came free.
    async fn shrink_build_cache(&self, keep: u64) -> Result<u64, Failure>;

    /// Returns the containers that run now.
    async fn running_containers(&self) -> Result<Vec<EngineContainer>, Failure>;

    /// Listens to what happens to names in the store. What happened before this returned is not told: look afterwards. The
    /// channel closes when the connection breaks; dropping the receiver ends it. News may be left out when the receiver is
    /// slow, but never all since it read last.
    async fn image_news(&self) -> Result<mpsc::Receiver<ImageNews>, Failure>;

    /// Returns the private name under which this engine keeps what a build made.
    fn private_name(&self, build: BuildId) -> String;

    /// Loads an archive as `docker save` writes it. A failure sent in place of bytes breaks the load off.
    async fn load(
        &self,
        archive: mpsc::Receiver<Result<bytes::Bytes, Failure>>,
        cancel: &CancellationToken,
    ) -> Result<(), Failure>;

    /// Removes what Slipway left for this build (the private tag). Missing is fine.
    async fn forget_build(&self, build: BuildId) -> Result<(), Failure>;
}

/// The answer to a HEAD of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestHead {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Bytes of the manifest itself.
    pub size: u64,
}

/// One hop of a registry test, in order: name lookup, connection, TLS, API, login, read right, push right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HopReport {
    /// Which hop.
    pub hop: Hop,
    /// How it went; an error names the hop at fault, later hops are not tried.
    pub result: Result<String, Failure>,
}

/// The hops of a registry test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Hop {
    /// The host name resolves.
    Resolve,
    /// A TCP connection opens (through the proxy when there is one).
    Connect,
    /// TLS is fine.
    Tls,
    /// A registry answers `/v2/`.
    Api,
    /// The login is accepted by the token server (or by Basic).
    Login,
    /// The repository may be read.
    Read,
    /// The repository may be pushed to (an upload is begun and cancelled).
    Push,
    /// The engine reaches the registry too.
    Engine,
}

/// OCI registries.
#[async_trait]
pub trait Registries: Send + Sync + 'static {
    /// Returns the manifest's head; `None` when the tag or digest does not exist.
    async fn head(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        reference: &str,
    ) -> Result<Option<ManifestHead>, Failure>;

    /// Returns the manifest's exact bytes and media type, verified against its digest.
    async fn manifest(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        reference: &str,
    ) -> Result<Option<(ManifestHead, bytes::Bytes)>, Failure>;

    /// Stores a manifest's bytes under one more tag of the same repository.
    async fn put_manifest(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        tag: &Tag,
        media_type: &str,
        bytes: bytes::Bytes,
    ) -> Result<Digest, Failure>;

    /// Reads a small blob (image configuration), at most `limit` bytes, verified.
    async fn blob(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        digest: &Digest,
        limit: u64,
    ) -> Result<bytes::Bytes, Failure>;

    /// Lists every tag, following pages as the registry gives them. An empty list for `"tags": null`.
    async fn tags(&self, access: &RegistryAccess, name: &RepositoryName) -> Result<Vec<String>, Failure>;

    /// Brings a manifest of one repository, with all that it names, under a tag of another repository of the same registry,
    /// without moving a byte through this machine (cross-mount). [`crate::ErrorCode::RegistryUnsupported`] where the registry
    /// does not do that.
    async fn copy_across(
        &self,
        access: &RegistryAccess,
        from: &RepositoryName,
        digest: &Digest,
        to: &RepositoryName,
        tag: &Tag,
    ) -> Result<(), Failure>;

    /// Lists repositories, where the registry has a catalogue.
    async fn repositories(&self, access: &RegistryAccess) -> Result<Vec<String>, Failure>;

    /// Lists the namespaces of a registry that has an interface of its own to make them (Harbor); `None` where there is none.
    async fn projects(&self, access: &RegistryAccess) -> Option<Result<Vec<Project>, Failure>>;

    /// Makes a namespace through that interface. Fields: `credential`, `name`.
    async fn create_project(&self, access: &RegistryAccess, name: &str, public: bool) -> Result<(), Failure>;

    /// Returns what time it is by the registry's clock; `None` when it does not answer, or does not say.
    async fn time(&self, access: &RegistryAccess) -> Option<DateTime<Utc>>;

    /// Deletes a manifest by digest, with all tags on it. A manifest that the registry protects is
    /// [`crate::ErrorCode::TagImmutable`].
    async fn delete(&self, access: &RegistryAccess, name: &RepositoryName, digest: &Digest) -> Result<(), Failure>;

    /// Tests every hop up to the right to push to this repository.
    async fn test(&self, access: &RegistryAccess, name: &RepositoryName) -> Vec<HopReport>;
}

/// Secrets at rest: sealed bytes go into the store, the key stays in the system keychain.
#[async_trait]
pub trait Vault: Send + Sync + 'static {
    /// Seals a secret. The keychain key is made with the first one.
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, Failure>;
    /// Opens sealed bytes.
    async fn open(&self, sealed: &[u8]) -> Result<Secret, Failure>;
    /// Returns whether the keychain can be used now, proven by writing and reading a canary.
    async fn check(&self) -> Result<(), Failure>;
    /// Forgets a lost or damaged key, so that the next secret is sealed with a new one. What was sealed before stays closed
    /// for ever: only for a person who agreed to enter the secrets again.
    async fn forget_key(&self) -> Result<(), Failure>;
}
