//! Which exact image a person means: a tag of one of our repositories, or a full name.

use crate::Parts;
use crate::triggers::hand_over::reference;
use slipway_core::deploy::DeployImage;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{CredentialSource, ImageReference, RegistryAccess, RegistryKind, RegistryLogin, Tag};
use slipway_core::trigger::TargetVersion;
use slipway_core::{ErrorCode, Failure};
use std::time::Duration;

/// A registry or an engine that hangs must not keep a dialog open.
const DEADLINE: Duration = Duration::from_secs(20);

/// An image as a person names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenImage {
    /// A tag of an image repository.
    Tag {
        /// Which repository.
        repository: ImageRepositoryId,
        /// Which tag.
        tag: Tag,
    },
    /// A full name, such as `nginx:1.27`.
    Name {
        /// As typed.
        name: String,
    },
}

impl Parts {
    /// Returns the exact image behind a choice now: by digest from a registry, by id from an engine's own store.
    pub(crate) async fn chosen(&self, chosen: &ChosenImage, engine: &str) -> Result<TargetVersion, Failure> {
        let resolving = async {
            match chosen {
                ChosenImage::Tag { repository, tag } => self.tag_version(*repository, tag).await,
                ChosenImage::Name { name } => self.named_version(name, engine).await,
            }
        };
        let late = |_| Err(Failure::new(ErrorCode::TimedOut, "nobody said in time which image this is"));
        tokio::time::timeout(DEADLINE, resolving).await.unwrap_or_else(late)
    }

    async fn tag_version(&self, repository: ImageRepositoryId, tag: &Tag) -> Result<TargetVersion, Failure> {
        let record = self.store.image_repository(repository).await?;
        let named = reference(self, repository, tag.as_str()).await?;
        let (_, access) = self.repository_access(&record).await?;
        let image = match access {
            Some(access) => self.at_registry(&access, &named).await?,
            None => self.on_engine(&named, "local").await?.ok_or_else(|| missing(&named))?,
        };
        Ok(TargetVersion { tag: Some(tag.clone()), image })
    }

    async fn named_version(&self, name: &str, engine: &str) -> Result<TargetVersion, Failure> {
        let named = ImageReference::parse(name.trim()).map_err(|failure| failure.at("image.name"))?;
        // What the engine has under this name is what a person sees there; otherwise the registry is asked.
        let image = match self.on_engine(&named, engine).await? {
            Some(image) => image,
            None => self.at_registry(&self.access_to(&named).await?, &named).await?,
        };
        Ok(TargetVersion { tag: named.tag, image })
    }

    async fn on_engine(&self, named: &ImageReference, engine: &str) -> Result<Option<DeployImage>, Failure> {
        let found = self.engine(engine)?.image(&named.to_string()).await?;
        Ok(found.map(|image| DeployImage {
            reference: named.to_string(),
            digest: named.digest.clone(),
            id: Some(image.id),
            content: Some(image.content),
        }))
    }

    async fn at_registry(&self, access: &RegistryAccess, named: &ImageReference) -> Result<DeployImage, Failure> {
        let wanted = match (&named.digest, &named.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag.as_str(),
            (None, None) => "latest",
        };
        let head = self.ports.registries.head(access, &named.name, wanted).await?;
        let digest = head.ok_or_else(|| missing(named))?.digest;
        Ok(DeployImage { reference: named.to_string(), digest: Some(digest), id: None, content: None })
    }

    /// Returns the access to the registry of a full name: one of ours with its first credential, else anonymously or with what
    /// the Docker client knows.
    async fn access_to(&self, named: &ImageReference) -> Result<RegistryAccess, Failure> {
        let registries = self.store.registries().await?;
        let ours = registries
            .into_iter()
            .find(|registry| registry.kind == RegistryKind::Oci && registry.host.as_ref() == Some(&named.host));
        if let Some(registry) = ours {
            let credential = self.store.credentials(Some(registry.id)).await?.into_iter().next();
            let access = self.registry_access(&registry, credential.map(|credential| credential.id)).await?;
            return access.ok_or_else(|| Failure::internal("a registry without a host"));
        }
        let proxy = self.proxy(self.settings().await?.registry_proxy).await?;
        let login = self.ports.outside_logins.login(&CredentialSource::DockerConfig, &named.host).await;
        let login = login.unwrap_or(RegistryLogin::Anonymous);
        Ok(RegistryAccess { host: named.host.clone(), plain_http: false, ca_pem: None, proxy, login })
    }

    /// Returns the login that a target's engine or cluster needs to get an image.
    pub(crate) async fn login_for(
        &self,
        repository: Option<ImageRepositoryId>,
        image: &DeployImage,
    ) -> Result<RegistryLogin, Failure> {
        if let Some(repository) = repository {
            let record = self.store.image_repository(repository).await?;
            return Ok(self
                .repository_access(&record)
                .await?
                .1
                .map_or(RegistryLogin::Anonymous, |access| access.login));
        }
        if image.digest.is_none() {
            return Ok(RegistryLogin::Anonymous);
        }
        Ok(self.access_to(&ImageReference::parse(&image.reference)?).await?.login)
    }
}

fn missing(named: &ImageReference) -> Failure {
    Failure::new(ErrorCode::ManifestUnknown, format!("there is no {named}")).with("image", named.to_string())
}
