use super::{Gate, Script, hash, lock};
use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use slipway_core::image::{Digest, ImageId, Platform, RegistryAccess, RepositoryName, Tag};
use slipway_core::namespace::Project;
use slipway_core::ports::{Hop, HopReport, ManifestHead, Registries};
use slipway_core::{ErrorCode, Failure};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// The media type of the fakes' manifests.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[derive(Default)]
struct Repository {
    manifests: HashMap<Digest, (String, Bytes)>,
    blobs: HashMap<Digest, Bytes>,
    tags: BTreeMap<String, Digest>,
    moves: Vec<(String, Digest)>,
}

/// Registries in memory, by host and name.
#[derive(Default)]
pub struct FakeRegistries {
    repositories: Mutex<HashMap<(String, String), Repository>>,
    script: Script,
    deletes: Gate,
    deletes_left: Mutex<Option<usize>>,
    protected: Mutex<HashMap<Digest, Failure>>,
    time: Mutex<Option<DateTime<Utc>>>,
}

/// The configuration of the fakes' image for a platform and a content.
fn image_config(platform: &str, content: &str) -> Vec<u8> {
    let (os, architecture) = platform.split_once('/').unwrap_or(("linux", platform));
    let layer = format!("sha256:{}", hash(&[content.as_bytes()]));
    serde_json::json!({
        "os": os, "architecture": architecture, "config": {}, "rootfs": {"type": "layers", "diff_ids": [layer]},
    })
    .to_string()
    .into_bytes()
}

/// The id that an engine with a graph driver gives to that image: the digest of its configuration.
pub(super) fn image_id(platform: &str, content: &str) -> String {
    digest_of(&image_config(platform, content)).as_str().to_owned()
}

fn digest_of(bytes: &[u8]) -> Digest {
    use sha2::Digest as _;
    let hex: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Digest::new(format!("sha256:{hex}")).unwrap_or_else(|failure| panic!("{failure}"))
}

impl FakeRegistries {
    /// Fails the next calls of a method (`head`, `manifest`, `put_manifest`, `tags`, `test`, …).
    pub fn fail(&self, call: &'static str, failure: Failure, times: usize) {
        self.script.fail(call, failure, times);
    }

    /// Fails a method until it is told otherwise.
    pub fn fail_always(&self, call: &'static str, failure: Option<Failure>) {
        self.script.always(call, failure);
    }

    /// Lets so many manifests be removed; whoever removes more waits until it is `None`.
    pub fn hold_deletes_after(&self, count: Option<usize>) {
        *lock(&self.deletes_left) = count;
        self.deletes.set_shut(count == Some(0));
    }

    /// Returns once a removal waits.
    pub async fn wait_for_held_delete(&self) {
        self.deletes.wait_for_callers(1).await;
    }

    /// Refuses to remove one manifest.
    pub fn protect(&self, digest: &Digest, failure: Failure) {
        lock(&self.protected).insert(digest.clone(), failure);
    }

    /// Sets the registry's clock; without one it does not say what time it is.
    pub fn set_time(&self, time: DateTime<Utc>) {
        *lock(&self.time) = Some(time);
    }

    /// How often a method was called.
    pub fn calls(&self, call: &'static str) -> usize {
        self.script.calls(call)
    }

    /// What a tag of `host/name` points at.
    pub fn tag(&self, host: &str, name: &str, tag: &str) -> Option<Digest> {
        lock(&self.repositories).get(&(host.to_owned(), name.to_owned()))?.tags.get(tag).cloned()
    }

    /// Every move of a tag of `host/name`, in order.
    pub fn moves(&self, host: &str, name: &str, tag: &str) -> Vec<Digest> {
        lock(&self.repositories)
            .get(&(host.to_owned(), name.to_owned()))
            .map(|repository| {
                repository.moves.iter().filter(|(moved, _)| moved == tag).map(|(_, digest)| digest.clone()).collect()
            })
            .unwrap_or_default()
    }

    /// The id and the platform of the image behind a tag or digest of `host/name`.
    pub(super) fn image_at(&self, host: &str, name: &str, version: &str) -> Option<(ImageId, Platform)> {
        let repositories = lock(&self.repositories);
        let repository = repositories.get(&(host.to_owned(), name.to_owned()))?;
        let digest = repository.tags.get(version).cloned().or_else(|| Digest::new(version).ok())?;
        let (_, manifest) = repository.manifests.get(&digest)?;
        let manifest: serde_json::Value = serde_json::from_slice(manifest).ok()?;
        let id = manifest.pointer("/config/digest")?.as_str()?;
        let config: serde_json::Value = serde_json::from_slice(repository.blobs.get(&Digest::new(id).ok()?)?).ok()?;
        let text = |field: &str| Some(config.get(field)?.as_str()?.to_owned());
        let platform = Platform { os: text("os")?, architecture: text("architecture")?, variant: text("variant") };
        Some((ImageId(id.to_owned()), platform))
    }

    /// Stores an image as an engine's push or another client would; returns its manifest digest.
    pub fn store_image(&self, host: &str, name: &str, tag: &str, platform: &str, content: &str) -> Digest {
        let config = image_config(platform, content);
        let config_digest = digest_of(&config);
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest.as_str(), "size": config.len()},
            "layers": [],
        })
        .to_string()
        .into_bytes();
        let digest = digest_of(&manifest);
        let mut repositories = lock(&self.repositories);
        let repository = repositories.entry((host.to_owned(), name.to_owned())).or_default();
        repository.blobs.insert(config_digest, Bytes::from(config));
        repository.manifests.insert(digest.clone(), (MANIFEST.to_owned(), Bytes::from(manifest)));
        repository.tags.insert(tag.to_owned(), digest.clone());
        repository.moves.push((tag.to_owned(), digest.clone()));
        digest
    }
}

#[async_trait]
impl Registries for FakeRegistries {
    async fn head(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        reference: &str,
    ) -> Result<Option<ManifestHead>, Failure> {
        self.script.enter("head")?;
        Ok(self.manifest_of(access, name, reference).map(|(head, _)| head))
    }

    async fn manifest(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        reference: &str,
    ) -> Result<Option<(ManifestHead, Bytes)>, Failure> {
        self.script.enter("manifest")?;
        Ok(self.manifest_of(access, name, reference))
    }

    async fn put_manifest(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        tag: &Tag,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<Digest, Failure> {
        self.script.enter("put_manifest")?;
        let digest = digest_of(&bytes);
        let mut repositories = lock(&self.repositories);
        let repository = repositories.entry((access.host.as_str().to_owned(), name.as_str().to_owned())).or_default();
        repository.manifests.insert(digest.clone(), (media_type.to_owned(), bytes));
        repository.tags.insert(tag.as_str().to_owned(), digest.clone());
        repository.moves.push((tag.as_str().to_owned(), digest.clone()));
        Ok(digest)
    }

    async fn blob(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        digest: &Digest,
        _limit: u64,
    ) -> Result<Bytes, Failure> {
        self.script.enter("blob")?;
        lock(&self.repositories)
            .get(&(access.host.as_str().to_owned(), name.as_str().to_owned()))
            .and_then(|repository| repository.blobs.get(digest).cloned())
            .ok_or_else(|| Failure::new(ErrorCode::ManifestUnknown, format!("no blob {digest}")))
    }

    async fn tags(&self, access: &RegistryAccess, name: &RepositoryName) -> Result<Vec<String>, Failure> {
        self.script.enter("tags")?;
        Ok(lock(&self.repositories)
            .get(&(access.host.as_str().to_owned(), name.as_str().to_owned()))
            .map(|repository| repository.tags.keys().cloned().collect())
            .unwrap_or_default())
    }

    async fn copy_across(
        &self,
        access: &RegistryAccess,
        from: &RepositoryName,
        digest: &Digest,
        to: &RepositoryName,
        tag: &Tag,
    ) -> Result<(), Failure> {
        self.script.enter("copy_across")?;
        let mut repositories = lock(&self.repositories);
        let key = |name: &RepositoryName| (access.host.as_str().to_owned(), name.as_str().to_owned());
        let unknown = || Failure::new(ErrorCode::ManifestUnknown, format!("no manifest {digest}"));
        let source = repositories.get(&key(from)).ok_or_else(unknown)?;
        let (manifest, blobs) = (source.manifests.get(digest).cloned().ok_or_else(unknown)?, source.blobs.clone());
        let target = repositories.entry(key(to)).or_default();
        target.blobs.extend(blobs);
        target.manifests.insert(digest.clone(), manifest);
        target.tags.insert(tag.as_str().to_owned(), digest.clone());
        target.moves.push((tag.as_str().to_owned(), digest.clone()));
        Ok(())
    }

    async fn repositories(&self, access: &RegistryAccess) -> Result<Vec<String>, Failure> {
        self.script.enter("repositories")?;
        let mut names: Vec<String> = lock(&self.repositories)
            .keys()
            .filter(|(host, _)| host == access.host.as_str())
            .map(|(_, name)| name.clone())
            .collect();
        names.sort();
        Ok(names)
    }

    async fn projects(&self, _access: &RegistryAccess) -> Option<Result<Vec<Project>, Failure>> {
        None
    }

    async fn create_project(&self, _access: &RegistryAccess, name: &str, _public: bool) -> Result<(), Failure> {
        Err(Failure::new(ErrorCode::RegistryUnsupported, format!("{name}: this registry has no projects")))
    }

    async fn time(&self, _access: &RegistryAccess) -> Option<DateTime<Utc>> {
        *lock(&self.time)
    }

    async fn delete(&self, access: &RegistryAccess, name: &RepositoryName, digest: &Digest) -> Result<(), Failure> {
        self.script.enter("delete")?;
        if let Some(failure) = lock(&self.protected).get(digest) {
            return Err(failure.clone());
        }
        self.deletes.pass(&CancellationToken::new()).await?;
        if let Some(left) = lock(&self.deletes_left).as_mut() {
            *left = left.saturating_sub(1);
            self.deletes.set_shut(*left == 0);
        }
        if let Some(repository) =
            lock(&self.repositories).get_mut(&(access.host.as_str().to_owned(), name.as_str().to_owned()))
        {
            repository.manifests.remove(digest);
            repository.tags.retain(|_, tagged| tagged != digest);
        }
        Ok(())
    }

    async fn test(&self, _access: &RegistryAccess, _name: &RepositoryName) -> Vec<HopReport> {
        let push = self.script.enter("test").map(|()| "ok".to_owned());
        let fine = |hop| HopReport { hop, result: Ok("ok".to_owned()) };
        vec![
            fine(Hop::Resolve),
            fine(Hop::Connect),
            fine(Hop::Api),
            fine(Hop::Login),
            fine(Hop::Read),
            HopReport { hop: Hop::Push, result: push },
        ]
    }
}

impl FakeRegistries {
    fn manifest_of(
        &self,
        access: &RegistryAccess,
        name: &RepositoryName,
        reference: &str,
    ) -> Option<(ManifestHead, Bytes)> {
        let repositories = lock(&self.repositories);
        let repository = repositories.get(&(access.host.as_str().to_owned(), name.as_str().to_owned()))?;
        let digest = match repository.tags.get(reference) {
            Some(digest) => digest.clone(),
            None => Digest::new(reference).ok()?,
        };
        let (media_type, bytes) = repository.manifests.get(&digest)?;
        let head = ManifestHead { digest, media_type: media_type.clone(), size: bytes.len() as u64 };
        Some((head, bytes.clone()))
    }
}
