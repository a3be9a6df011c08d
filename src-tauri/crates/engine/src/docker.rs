//! A Docker engine behind [`BuildEngine`].

use crate::client::EngineClient;
use crate::engine_facts::EngineFacts;
use crate::image_store::ImageStore;
use crate::images::{Images, private_tag_of};
use crate::transport::Transport;
use crate::typed_calls::bollard_over;
use crate::{load, news, pull, push, resolve, solve};
use async_trait::async_trait;
use slipway_core::build::BuiltImage;
use slipway_core::disk_budget::{BuildCacheUse, StoredImage};
use slipway_core::ids::BuildId;
use slipway_core::image::{Digest, EngineImage, EngineImageSummary, ImageId, ImageReference, Platform, RegistryLogin};
use slipway_core::log::{BuildEvent, PushProgress};
use slipway_core::ports::{
    BuildEngine, Deadlines, EngineBuild, EngineContainer, EngineImageDetails, EngineInfo, ImageNews,
};
use slipway_core::{ErrorCode, Failure};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One engine. Holds no connection: each call dials, so an engine that comes back is simply there again (F05, F07).
pub struct DockerEngine {
    client: EngineClient,
    images: Images,
    store: ImageStore,
    facts: EngineFacts,
    deadlines: Deadlines,
    owner: String,
}

impl DockerEngine {
    /// An engine behind a transport; `context` is the Docker context's name, when one was used. Does not connect.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] when the client library refuses the set-up.
    pub fn new(transport: Transport, context: Option<String>, deadlines: Deadlines) -> Result<Self, Failure> {
        let client = EngineClient::new(transport, deadlines.request);
        let docker = bollard_over(client.clone(), deadlines.request)?;
        Ok(Self {
            images: Images::new(client.clone(), docker.clone(), deadlines.request),
            store: ImageStore::new(client.clone(), docker.clone(), deadlines.request),
            facts: EngineFacts::new(client.clone(), docker, context, deadlines.request),
            client,
            deadlines,
            owner: String::new(),
        })
    }

    /// Says whose builds these are, in lower-case letters and digits: several owners may use one engine.
    #[must_use]
    pub fn owned_by(mut self, owner: &str) -> Self {
        owner.clone_into(&mut self.owner);
        self
    }
}

#[async_trait]
impl BuildEngine for DockerEngine {
    async fn info(&self) -> Result<EngineInfo, Failure> {
        let mut info = self.facts.read().await?;
        info.disk_bytes = self.facts.disk_bytes().await;
        Ok(info)
    }

    async fn build(
        &self,
        request: EngineBuild,
        events: mpsc::Sender<BuildEvent>,
        cancel: &CancellationToken,
    ) -> Result<BuiltImage, Failure> {
        let name = private_tag_of(&self.owner, request.build);
        let facts = self.facts.read();
        let outcome = solve::build(self.client.transport(), facts, request, &name, events, cancel).await?;
        let built = self.images.built_image(&name).await?.ok_or_else(|| {
            Failure::new(ErrorCode::ImageGone, format!("the engine built {} and then lost it", outcome.image.0))
                .with("image", &outcome.image.0)
        })?;
        if built.id != outcome.image {
            tracing::warn!(named = %outcome.image.0, found = %built.id.0, "the private tag names another id");
        }
        Ok(built)
    }

    async fn built_image(&self, build: BuildId) -> Result<Option<BuiltImage>, Failure> {
        self.images.built_image(&private_tag_of(&self.owner, build)).await
    }

    async fn image(&self, name: &str) -> Result<Option<EngineImage>, Failure> {
        self.images.image(name).await
    }

    async fn tag(&self, image: &ImageId, target: &ImageReference) -> Result<(), Failure> {
        self.images.tag(image, target).await
    }

    async fn untag(&self, name: &str) -> Result<(), Failure> {
        self.images.untag(name).await
    }

    async fn push(
        &self,
        target: &ImageReference,
        login: &RegistryLogin,
        progress: mpsc::Sender<PushProgress>,
        cancel: &CancellationToken,
    ) -> Result<Option<Digest>, Failure> {
        push::push(&self.client, &self.deadlines, target, login, progress, cancel).await
    }

    async fn pull(
        &self,
        image: &ImageReference,
        platform: Option<&Platform>,
        login: &RegistryLogin,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        pull::pull(&self.client, &self.deadlines, image, platform, login, cancel).await
    }

    async fn can_resolve(
        &self,
        image: &ImageReference,
        platform: Option<&Platform>,
        login: &RegistryLogin,
    ) -> Result<(), Failure> {
        let platform = match platform {
            Some(platform) => platform.clone(),
            None => self.facts.read().await?.platform,
        };
        resolve::can_resolve(&self.client, &self.images, image, &platform, login).await
    }

    async fn images_of(&self, repository: &str) -> Result<Vec<EngineImage>, Failure> {
        self.images.images_of(repository).await
    }

    async fn image_details(&self, name: &str) -> Result<Option<EngineImageDetails>, Failure> {
        self.images.details(name).await
    }

    async fn images(&self) -> Result<Vec<EngineImageSummary>, Failure> {
        self.images.all().await
    }

    async fn stored_images(&self) -> Result<Vec<StoredImage>, Failure> {
        self.store.all(&self.images).await
    }

    async fn remove_image(&self, image: &StoredImage) -> Result<(), Failure> {
        self.store.remove(&self.images, image).await
    }

    async fn build_cache(&self) -> Result<BuildCacheUse, Failure> {
        self.store.build_cache().await
    }

    async fn shrink_build_cache(&self, keep: u64) -> Result<u64, Failure> {
        self.store.shrink_build_cache(keep).await
    }

    async fn running_containers(&self) -> Result<Vec<EngineContainer>, Failure> {
        self.images.running_containers().await
    }

    async fn image_news(&self) -> Result<mpsc::Receiver<ImageNews>, Failure> {
        news::listen(&self.client, self.deadlines.request).await
    }

    fn private_name(&self, build: BuildId) -> String {
        private_tag_of(&self.owner, build)
    }

    async fn load(
        &self,
        archive: mpsc::Receiver<Result<bytes::Bytes, Failure>>,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        load::load(&self.client, &self.deadlines, archive, cancel).await
    }

    async fn forget_build(&self, build: BuildId) -> Result<(), Failure> {
        self.images.untag(&private_tag_of(&self.owner, build)).await
    }
}
