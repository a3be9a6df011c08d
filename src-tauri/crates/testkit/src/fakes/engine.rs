use super::registries::image_id;
use super::{FakeRegistries, Gate, Script, hash, lock};
use async_trait::async_trait;
use bytes::Bytes;
use slipway_core::build::BuiltImage;
use slipway_core::disk_budget::{BuildCacheUse, StoredImage, StoredLayer};
use slipway_core::ids::BuildId;
use slipway_core::image::{
    ContentIdentity, Digest, EngineImage, EngineImageSummary, ImageId, ImageReference, Platform, RegistryLogin,
};
use slipway_core::log::{BuildEvent, LogStream, PushProgress, StepKey, StepUpdate};
use slipway_core::ports::{
    BuildEngine, ContextKind, ContextTree, EngineBuild, EngineContainer, EngineImageDetails, EngineInfo, ImageNews,
};
use slipway_core::{ErrorCode, Failure};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What one build of the fake engine does; builds without a script succeed.
#[derive(Clone, Default)]
pub struct FakeBuild {
    /// Log lines, written by one step.
    pub lines: Vec<String>,
    /// How it ends; `None` succeeds.
    pub failure: Option<Failure>,
    /// The image is finished although the call fails (the connection broke, the engine went on).
    pub finishes_anyway: bool,
    /// Never ends before it is cancelled or dropped.
    pub hangs: bool,
    /// The call panics, as a fault of Slipway would.
    pub panics: bool,
}

/// What the fake kept of a build request.
#[derive(Clone)]
pub struct SeenBuild {
    /// Which build.
    pub build: BuildId,
    /// Labels that it asked for.
    pub labels: BTreeMap<String, String>,
    /// Build arguments.
    pub args: BTreeMap<String, String>,
    /// Platforms.
    pub platforms: Vec<Platform>,
}

#[derive(Default)]
struct Images {
    by_id: HashMap<ImageId, EngineImage>,
    names: HashMap<String, ImageId>,
    built: HashMap<BuildId, BuiltImage>,
    /// What each image is made of, labels included.
    contents: HashMap<ImageId, String>,
}

/// A Docker engine in memory. Pushes go to its [`FakeRegistries`].
pub struct FakeEngine {
    registries: Arc<FakeRegistries>,
    images: Mutex<Images>,
    scripts: Mutex<VecDeque<FakeBuild>>,
    seen: Mutex<Vec<SeenBuild>>,
    unresolvable: Mutex<HashSet<String>>,
    absent: Mutex<bool>,
    pushes_after_storing: Mutex<VecDeque<Failure>>,
    listeners: Mutex<Vec<mpsc::Sender<ImageNews>>>,
    used: Mutex<HashSet<ImageId>>,
    containers: Mutex<Vec<EngineContainer>>,
    /// Bytes of the build cache.
    cache: Mutex<u64>,
    /// Bytes of an image that is built.
    image_size: Mutex<u64>,
    script: Script,
    builds: Gate,
    pushes: Gate,
}

impl FakeEngine {
    /// Makes an engine that pushes into these registries.
    pub fn new(registries: Arc<FakeRegistries>) -> Self {
        Self {
            registries,
            images: Mutex::default(),
            scripts: Mutex::default(),
            seen: Mutex::default(),
            unresolvable: Mutex::default(),
            absent: Mutex::default(),
            pushes_after_storing: Mutex::default(),
            listeners: Mutex::default(),
            used: Mutex::default(),
            containers: Mutex::default(),
            cache: Mutex::new(5_000_000_000),
            image_size: Mutex::new(1000),
            script: Script::default(),
            builds: Gate::default(),
            pushes: Gate::default(),
        }
    }

    /// Scripts the next build that has none yet.
    pub fn next_build(&self, build: FakeBuild) {
        lock(&self.scripts).push_back(build);
    }

    /// Takes the engine away, or brings it back.
    pub fn set_absent(&self, absent: bool) {
        *lock(&self.absent) = absent;
    }

    /// Fails the next calls of a method (`info`, `build`, `push`, `tag`, …) before anything happened.
    pub fn fail(&self, call: &'static str, failure: Failure, times: usize) {
        self.script.fail(call, failure, times);
    }

    /// Fails the next push after the registry stored the manifest.
    pub fn fail_push_after_storing(&self, failure: Failure) {
        lock(&self.pushes_after_storing).push_back(failure);
    }

    /// How often a method was called.
    pub fn calls(&self, call: &'static str) -> usize {
        self.script.calls(call)
    }

    /// Lets builds wait at their start.
    pub fn hold_builds(&self, hold: bool) {
        self.builds.set_shut(hold);
    }

    /// Returns once so many builds wait.
    pub async fn builds_waiting(&self, count: usize) {
        self.builds.wait_for_callers(count).await;
    }

    /// Lets pushes wait at their start.
    pub fn hold_pushes(&self, hold: bool) {
        self.pushes.set_shut(hold);
    }

    /// Returns once so many pushes wait.
    pub async fn pushes_waiting(&self, count: usize) {
        self.pushes.wait_for_callers(count).await;
    }

    /// Makes an image that `can_resolve` cannot find.
    pub fn unresolvable(&self, image: &str) {
        lock(&self.unresolvable).insert(image.to_owned());
    }

    /// Every build request so far.
    pub fn seen_builds(&self) -> Vec<SeenBuild> {
        lock(&self.seen).clone()
    }

    /// Gives an image of its own a name, as another client of the engine would, and tells whoever listens.
    pub fn tag_from_elsewhere(&self, name: &str, content: &str) -> ImageId {
        let platform = Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None };
        let id = ImageId(image_id(&platform.to_string(), content));
        let mut images = lock(&self.images);
        images.contents.insert(id.clone(), content.to_owned());
        images.names.insert(name.to_owned(), id.clone());
        images.by_id.insert(
            id.clone(),
            EngineImage {
                id: id.clone(),
                tags: Vec::new(),
                digests: Vec::new(),
                size: 1000,
                platform,
                created: None,
                labels: BTreeMap::new(),
                content: ContentIdentity(hash(&[content.as_bytes()])),
                layers: Vec::new(),
            },
        );
        drop(images);
        self.tell(name, false);
        id
    }

    /// Gives an image a label, as one has that was built `FROM` an image of ours.
    pub fn label(&self, image: &ImageId, name: &str, value: &str) {
        if let Some(image) = lock(&self.images).by_id.get_mut(image) {
            image.labels.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Tells whoever listens that something happened to a name.
    pub fn tell(&self, name: &str, pushed: bool) {
        let news = ImageNews { name: name.to_owned(), pushed };
        lock(&self.listeners)
            .retain(|listener| !matches!(listener.try_send(news.clone()), Err(mpsc::error::TrySendError::Closed(_))));
    }

    /// Every name that begins like this.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> =
            lock(&self.images).names.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        names.sort();
        names
    }

    /// The image that a name points at.
    pub fn named(&self, name: &str) -> Option<ImageId> {
        lock(&self.images).names.get(name).cloned()
    }

    /// Says how large the images of later builds are.
    pub fn set_image_size(&self, bytes: u64) {
        *lock(&self.image_size) = bytes;
    }

    /// Gives an image a container.
    pub fn use_image(&self, image: &ImageId) {
        lock(&self.used).insert(image.clone());
    }

    /// Runs a container of this name that was made from this image.
    pub fn run_container(&self, name: &str, image: &str) {
        let (id, name, image) = (name.to_owned(), name.to_owned(), image.to_owned());
        let image_id = ImageId(format!("sha256:{}", hash(&[image.as_bytes()])));
        lock(&self.containers).push(EngineContainer { id, name, image, image_id });
    }

    /// Returns whether an image is there, named or not.
    pub fn has_image(&self, image: &ImageId) -> bool {
        lock(&self.images).by_id.contains_key(image)
    }

    /// Returns whether the private name of a build is gone.
    pub fn built_image_is_forgotten(&self, build: BuildId) -> bool {
        !lock(&self.images).built.contains_key(&build)
    }

    /// Stores an image at the registry as a push does whose answer nobody heard.
    pub fn store_as_pushed(&self, image: &ImageId, host: &str, name: &str, tag: &str) -> Option<Digest> {
        let images = lock(&self.images);
        let (found, whole) = (images.by_id.get(image)?, images.contents.get(image)?);
        Some(self.registries.store_image(host, name, tag, &found.platform.to_string(), whole))
    }

    /// Forgets every image, as a prune would.
    pub fn lose_images(&self) {
        *lock(&self.images) = Images::default();
    }

    fn enter(&self, call: &'static str) -> Result<(), Failure> {
        self.script.enter(call)?;
        if *lock(&self.absent) {
            return Err(Failure::new(ErrorCode::EngineAbsent, "no engine answers"));
        }
        Ok(())
    }

    fn finish(&self, request: &EngineBuild) -> Result<BuiltImage, Failure> {
        let mut content = Vec::new();
        read_context(request.context.as_ref(), "", &mut content)?;
        let mut parts: Vec<&[u8]> = content.iter().map(Vec::as_slice).collect();
        parts.push(&request.dockerfile);
        for arg in &request.args {
            parts.push(arg.name.as_bytes());
            parts.push(arg.value.as_bytes());
        }
        let content = hash(&parts);
        let labels: BTreeMap<String, String> =
            request.labels.iter().map(|label| (label.name.clone(), label.value.clone())).collect();
        let platform = request.platforms.first().cloned().unwrap_or(Platform {
            os: "linux".into(),
            architecture: "amd64".into(),
            variant: None,
        });
        let whole = format!("{content} {labels:?}");
        let id = ImageId(image_id(&platform.to_string(), &whole));
        let built = BuiltImage {
            id: id.clone(),
            content: ContentIdentity(content.clone()),
            size: *lock(&self.image_size),
            platforms: vec![platform.clone()],
        };
        let mut images = lock(&self.images);
        images.by_id.insert(
            id.clone(),
            EngineImage {
                id: id.clone(),
                tags: Vec::new(),
                digests: Vec::new(),
                size: *lock(&self.image_size),
                platform,
                created: None,
                // As engines get it from the adapter.
                labels: labels.into_iter().chain([("slipway.build".to_owned(), request.build.to_string())]).collect(),
                content: ContentIdentity(content),
                layers: Vec::new(),
            },
        );
        images.contents.insert(id, whole);
        images.built.insert(request.build, built.clone());
        Ok(built)
    }
}

fn read_context(tree: &dyn ContextTree, folder: &str, into: &mut Vec<Vec<u8>>) -> Result<(), Failure> {
    for entry in tree.list(folder)? {
        let path = if folder.is_empty() { entry.name.clone() } else { format!("{folder}/{}", entry.name) };
        into.push(path.clone().into_bytes());
        match entry.kind {
            ContextKind::Folder => read_context(tree, &path, into)?,
            ContextKind::Symlink { target } => into.push(target.into_bytes()),
            ContextKind::File { id, .. } => {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut tree.open(&id)?, &mut bytes).map_err(Failure::internal)?;
                into.push(bytes);
            }
        }
    }
    Ok(())
}

fn step(key: &StepKey, completed: bool, error: Option<String>) -> BuildEvent {
    let at = chrono::DateTime::from_timestamp(1_750_000_000, 0);
    BuildEvent::Step(StepUpdate {
        key: key.clone(),
        name: "[1/1] RUN make".to_owned(),
        stage: None,
        position: Some((1, 1)),
        internal: false,
        started: at,
        completed: completed.then_some(at).flatten(),
        cached: false,
        error,
        lines: Some((2, 2)),
    })
}

#[async_trait]
impl BuildEngine for FakeEngine {
    async fn info(&self) -> Result<EngineInfo, Failure> {
        self.enter("info")?;
        Ok(EngineInfo {
            version: "29.0.0".to_owned(),
            api_version: "1.51".to_owned(),
            platform: Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None },
            endpoint: "unix:///fake".to_owned(),
            context: None,
            containerd_store: false,
            insecure_registries: Vec::new(),
            mirrors: Vec::new(),
            disk_bytes: None,
        })
    }

    async fn build(
        &self,
        request: EngineBuild,
        events: mpsc::Sender<BuildEvent>,
        cancel: &CancellationToken,
    ) -> Result<BuiltImage, Failure> {
        self.enter("build")?;
        lock(&self.seen).push(SeenBuild {
            build: request.build,
            labels: request.labels.iter().map(|label| (label.name.clone(), label.value.clone())).collect(),
            args: request.args.iter().map(|arg| (arg.name.clone(), arg.value.clone())).collect(),
            platforms: request.platforms.clone(),
        });
        let script = lock(&self.scripts).pop_front().unwrap_or_default();
        let key = StepKey("sha256:step".to_owned());
        // A receiver that went away only means that nobody reads the log.
        let _ = events.send(step(&key, false, None)).await;
        for line in &script.lines {
            let bytes = Bytes::from(format!("{line}\n"));
            let _ = events.send(BuildEvent::Log { key: key.clone(), stream: LogStream::Out, bytes, at: None }).await;
        }
        self.builds.pass(cancel).await?;
        assert!(!script.panics, "a scripted panic");
        if script.hangs {
            cancel.cancelled().await;
            return Err(Failure::cancelled());
        }
        match script.failure {
            Some(failure) => {
                if script.finishes_anyway {
                    self.finish(&request)?;
                }
                let _ = events.send(step(&key, true, Some(failure.message.clone()))).await;
                Err(failure)
            }
            None => {
                let built = self.finish(&request)?;
                let _ = events.send(step(&key, true, None)).await;
                Ok(built)
            }
        }
    }

    async fn built_image(&self, build: BuildId) -> Result<Option<BuiltImage>, Failure> {
        self.enter("built_image")?;
        Ok(lock(&self.images).built.get(&build).cloned())
    }

    async fn image(&self, name: &str) -> Result<Option<EngineImage>, Failure> {
        self.enter("image")?;
        let images = lock(&self.images);
        let id = images.names.get(name).cloned().unwrap_or_else(|| ImageId(name.to_owned()));
        Ok(images.by_id.get(&id).cloned())
    }

    async fn tag(&self, image: &ImageId, target: &ImageReference) -> Result<(), Failure> {
        self.enter("tag")?;
        let mut images = lock(&self.images);
        if !images.by_id.contains_key(image) {
            return Err(Failure::new(ErrorCode::ImageGone, format!("no image {}", image.0)));
        }
        images.names.insert(target.to_string(), image.clone());
        Ok(())
    }

    async fn untag(&self, name: &str) -> Result<(), Failure> {
        self.enter("untag")?;
        lock(&self.images).names.remove(name);
        Ok(())
    }

    async fn push(
        &self,
        target: &ImageReference,
        _login: &RegistryLogin,
        progress: mpsc::Sender<PushProgress>,
        cancel: &CancellationToken,
    ) -> Result<Option<Digest>, Failure> {
        self.enter("push")?;
        self.pushes.pass(cancel).await?;
        let (image, whole) = {
            let images = lock(&self.images);
            let id = images.names.get(&target.to_string());
            id.and_then(|id| Some((images.by_id.get(id).cloned()?, images.contents.get(id).cloned()?)))
                .ok_or_else(|| Failure::new(ErrorCode::ImageGone, format!("no image {target}")))?
        };
        let layer = PushProgress {
            layer: "0123456789ab".to_owned(),
            state: slipway_core::log::LayerState::Pushed,
            current: 1000,
            total: 1000,
        };
        let _ = progress.send(layer).await;
        let tag = target.tag.as_ref().map_or("latest", |tag| tag.as_str());
        let digest = self.registries.store_image(
            target.host.as_str(),
            target.name.as_str(),
            tag,
            &image.platform.to_string(),
            &whole,
        );
        match lock(&self.pushes_after_storing).pop_front() {
            Some(failure) => Err(failure),
            None => Ok(Some(digest)),
        }
    }

    async fn pull(
        &self,
        image: &ImageReference,
        platform: Option<&Platform>,
        _login: &RegistryLogin,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        self.enter("pull")?;
        if cancel.is_cancelled() {
            return Err(Failure::cancelled());
        }
        let version = match (&image.digest, &image.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag.as_str(),
            (None, None) => "latest",
        };
        let found = self.registries.image_at(image.host.as_str(), image.name.as_str(), version);
        let (id, offered) =
            found.ok_or_else(|| Failure::new(ErrorCode::BaseImageMissing, format!("{image} does not exist")))?;
        if platform.is_some_and(|wanted| *wanted != offered) {
            return Err(Failure::new(ErrorCode::BaseImagePlatform, format!("{image} is for {offered} only")));
        }
        let mut images = lock(&self.images);
        images.contents.insert(id.clone(), id.0.clone());
        images.names.insert(image.to_string(), id.clone());
        images.by_id.insert(
            id.clone(),
            EngineImage {
                content: ContentIdentity(hash(&[id.0.as_bytes()])),
                id,
                tags: Vec::new(),
                digests: Vec::new(),
                size: 1000,
                platform: offered,
                created: None,
                labels: BTreeMap::new(),
                layers: Vec::new(),
            },
        );
        Ok(())
    }

    async fn can_resolve(
        &self,
        image: &ImageReference,
        _platform: Option<&Platform>,
        _login: &RegistryLogin,
    ) -> Result<(), Failure> {
        self.enter("can_resolve")?;
        if lock(&self.unresolvable).contains(&image.to_string()) {
            return Err(Failure::new(ErrorCode::BaseImageMissing, format!("{image} does not exist")));
        }
        Ok(())
    }

    async fn images_of(&self, repository: &str) -> Result<Vec<EngineImage>, Failure> {
        self.enter("images_of")?;
        let images = lock(&self.images);
        let prefix = format!("{repository}:");
        Ok(images
            .names
            .iter()
            .filter(|(name, _)| name.starts_with(&prefix) || name.starts_with(&format!("docker.io/{prefix}")))
            .filter_map(|(_, id)| images.by_id.get(id).cloned())
            .collect())
    }

    async fn image_details(&self, name: &str) -> Result<Option<EngineImageDetails>, Failure> {
        let image = self.image(name).await?;
        Ok(image.map(|image| EngineImageDetails {
            image,
            config: serde_json::Value::Null,
            history: Vec::new(),
            layer_sizes: Vec::new(),
        }))
    }

    async fn images(&self) -> Result<Vec<EngineImageSummary>, Failure> {
        self.enter("images")?;
        let images = lock(&self.images);
        Ok(images
            .names
            .iter()
            .map(|(name, id)| EngineImageSummary {
                id: id.clone(),
                tags: vec![name.clone()],
                size: 1000,
                created: None,
                ours: false,
            })
            .collect())
    }

    async fn stored_images(&self) -> Result<Vec<StoredImage>, Failure> {
        self.enter("stored_images")?;
        let (images, used) = (lock(&self.images), lock(&self.used));
        let mut all: Vec<StoredImage> = images
            .by_id
            .values()
            .map(|image| {
                let mut names: Vec<String> =
                    images.names.iter().filter(|(_, id)| **id == image.id).map(|(name, _)| name.clone()).collect();
                let built = images.built.iter().filter(|(_, built)| built.id == image.id);
                names.extend(built.map(|(build, _)| self.private_name(*build)));
                names.sort();
                StoredImage {
                    id: image.id.clone(),
                    names,
                    digests: image.digests.clone(),
                    build: image.labels.get("slipway.build").cloned(),
                    layers: vec![StoredLayer { chain: image.id.0.clone(), bytes: image.size }],
                    in_use: used.contains(&image.id),
                }
            })
            .collect();
        all.sort_by(|a, b| a.id.0.cmp(&b.id.0));
        Ok(all)
    }

    async fn remove_image(&self, image: &StoredImage) -> Result<(), Failure> {
        self.enter("remove_image")?;
        if lock(&self.used).contains(&image.id) {
            return Err(Failure::new(ErrorCode::InUse, "a container has this image"));
        }
        let mut images = lock(&self.images);
        images.names.retain(|_, id| *id != image.id);
        images.by_id.remove(&image.id);
        Ok(())
    }

    async fn build_cache(&self) -> Result<BuildCacheUse, Failure> {
        self.enter("build_cache")?;
        Ok(BuildCacheUse { bytes: *lock(&self.cache) })
    }

    async fn shrink_build_cache(&self, keep: u64) -> Result<u64, Failure> {
        self.enter("shrink_build_cache")?;
        let mut cache = lock(&self.cache);
        let freed = cache.saturating_sub(keep);
        *cache -= freed;
        Ok(freed)
    }

    async fn running_containers(&self) -> Result<Vec<EngineContainer>, Failure> {
        self.enter("running_containers")?;
        Ok(lock(&self.containers).clone())
    }

    async fn image_news(&self) -> Result<mpsc::Receiver<ImageNews>, Failure> {
        self.enter("image_news")?;
        let (sender, receiver) = mpsc::channel(64);
        lock(&self.listeners).push(sender);
        Ok(receiver)
    }

    fn private_name(&self, build: BuildId) -> String {
        format!("slipway.local/build:{build}")
    }

    async fn load(
        &self,
        mut archive: mpsc::Receiver<Result<Bytes, Failure>>,
        _cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        self.enter("load")?;
        while let Some(part) = archive.recv().await {
            part?;
        }
        Ok(())
    }

    async fn forget_build(&self, build: BuildId) -> Result<(), Failure> {
        self.enter("forget_build")?;
        lock(&self.images).built.remove(&build);
        Ok(())
    }
}
