//! Base images through ordered mirrors, before the engine builds: what a mirror gave stands in the engine's store under the
//! original name, where the build finds it. What no mirror has is left to the engine and the upstream.

use super::Run;
use slipway_core::Failure;
use slipway_core::image::{ImageReference, Platform, RegistryHost};
use slipway_core::network::RegistryMirrors;
use slipway_core::ports::{EngineBuild, LoginSource};
use slipway_engine::dockerfile::{PulledImage, inspect};

impl Run<'_> {
    /// Pulls the base images whose hosts have mirrors and that the engine does not hold (all of them when base images are
    /// asked for anew).
    pub(super) async fn pull_through_mirrors(&self, request: &mut EngineBuild) -> Result<(), Failure> {
        let settings = self.parts.settings().await?;
        if settings.mirrors.is_empty() {
            return Ok(());
        }
        let (args, target) = (&request.args, request.target.as_deref());
        // A Dockerfile that cannot be read here is the build's own failure.
        let Ok(facts) = inspect(&request.dockerfile, args, target, request.platforms.first()) else { return Ok(()) };
        let mut all = !facts.images.is_empty();
        for image in &facts.images {
            let mirrors = settings.mirrors_of(&image.reference.host);
            // A digest cannot be given as a name, so the engine alone can pull it.
            let by_tag = image.reference.tag.is_some() && image.reference.digest.is_none();
            // A name that is there is never moved, unless the rule asks for base images anew.
            let wanted = by_tag
                && !mirrors.mirrors.is_empty()
                && (request.always_pull || self.engine.image(&image.reference.to_string()).await?.is_none());
            all &= wanted && self.pull_through(&mirrors, image, request).await?;
        }
        // The engine would ask the upstream for every image anew: nothing is left that it could get there.
        request.always_pull &= !all;
        Ok(())
    }

    /// Returns whether one of the mirrors gave the image.
    async fn pull_through(
        &self,
        mirrors: &RegistryMirrors,
        image: &PulledImage,
        request: &EngineBuild,
    ) -> Result<bool, Failure> {
        let platforms: Vec<Option<&Platform>> = match &image.platform {
            Some(fixed) => vec![Some(fixed)],
            None if request.platforms.is_empty() => vec![None],
            None => request.platforms.iter().map(Some).collect(),
        };
        let original = &image.reference;
        for mirror in &mirrors.mirrors {
            let at_mirror = ImageReference { host: RegistryHost::new(mirror.as_str())?, ..original.clone() };
            match self.pull_as(&at_mirror, original, &platforms, request.always_pull).await {
                Ok(()) => {
                    self.say_of_mirrors(&format!("pulled {original} through mirror {mirror}"))?;
                    return Ok(true);
                }
                Err(failure) if self.cancel.is_cancelled() => return Err(failure),
                Err(failure) => {
                    self.say_of_mirrors(&format!("mirror {mirror} did not give {original}: {}", failure.message))?;
                }
            }
        }
        Ok(false)
    }

    async fn pull_as(
        &self,
        at_mirror: &ImageReference,
        original: &ImageReference,
        platforms: &[Option<&Platform>],
        replace: bool,
    ) -> Result<(), Failure> {
        let name = at_mirror.to_string();
        // A name that somebody else gave stays.
        let was_there = self.engine.image(&name).await?.is_some();
        let login = self.logins().login(at_mirror.host.as_str()).await;
        for platform in platforms {
            self.engine.pull(at_mirror, *platform, &login, self.cancel).await?;
        }
        let named = match self.engine.image(&name).await? {
            // Somebody else may have given the name meanwhile.
            Some(_) if !replace && self.engine.image(&original.to_string()).await?.is_some() => Ok(()),
            Some(pulled) => self.engine.tag(&pulled.id, original).await,
            None => Err(Failure::new(
                slipway_core::ErrorCode::ImageGone,
                format!("the engine pulled {name} and then lost it"),
            )),
        };
        if !was_there {
            self.engine.untag(&name).await?;
        }
        named
    }

    fn say_of_mirrors(&self, text: &str) -> Result<(), Failure> {
        self.say_in("slipway:mirrors", "Base images from mirrors", text)
    }
}
