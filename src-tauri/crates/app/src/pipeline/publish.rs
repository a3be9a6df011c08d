//! The push stage: one row for each tag before anything moves. What is there already is taken as done, so that an attempt
//! after a crash or a lost answer moves nothing twice; only a later observation may overwrite a tag.

use super::Run;
use super::checkout::{immutable, is_write_once};
use super::registry_side::Held;
use crate::AppEvent;
use crate::fail_point::fail_point;
use crate::queue::{RETRY_BUDGET, pause};
use slipway_core::build::{BuiltImage, PublicationState, Stage};
use slipway_core::failure::Retry;
use slipway_core::image::{EngineImage, ImageReference, RegistryAccess, Tag};
use slipway_core::ports::Deadlines;
use slipway_core::{ErrorCode, Failure};
use slipway_store::{BuildRecord, NewPublication, PublicationRecord};
use tokio::sync::mpsc;

/// The label of every image that we built.
const BUILT_HERE: &str = "slipway.build";

/// A page in the registry's place is taken for its answer after so many tries: an hour, with the pauses between them.
const PAGES_AT_MOST: u32 = 17;

/// How one tag was published.
struct Placed {
    state: PublicationState,
    /// What the registry holds now; `None` on *Local engine*.
    held: Option<Held>,
}

impl Run<'_> {
    pub(super) async fn publish(&self, record: &BuildRecord) -> Result<(), Failure> {
        let (Some(image), Some(tags)) = (&record.image, &record.tags) else {
            return Err(Failure::internal("a build without image or tags cannot be published"));
        };
        // Opened anew for every attempt: a token may live an hour only.
        let (_, access) = self.parts.repository_access(&self.repository).await?;
        let host = access.as_ref().map(|access| access.host.as_str());
        let intents = tags
            .iter()
            .map(|tag| Ok(NewPublication { tag: tag.clone(), target: self.target(host, tag)?.to_string() }))
            .collect::<Result<Vec<_>, Failure>>()?;
        // The manifest that this build put there, whose bytes serve its further tags.
        let mut ours: Option<Held> = None;
        let publications = self.parts.store.create_publications(self.id, &intents).await?;
        fail_point("push.intended");
        for publication in publications {
            if let Some(held) = self.publish_one(record, image, access.as_ref(), &publication, ours.as_ref()).await? {
                ours = Some(held);
            }
            self.announce();
        }
        Ok(())
    }

    /// Publishes one tag and writes how it went. Returns what the registry holds, when this build put it there.
    async fn publish_one(
        &self,
        record: &BuildRecord,
        image: &BuiltImage,
        access: Option<&RegistryAccess>,
        publication: &PublicationRecord,
        ours: Option<&Held>,
    ) -> Result<Option<Held>, Failure> {
        let store = &self.parts.store;
        if !matches!(publication.state, PublicationState::Waiting | PublicationState::Pushing) {
            return Ok(None);
        }
        let tag = &publication.tag;
        let _turn = self.parts.tag_turns.wait(self.repository.id, tag).await;
        if self.newer(record, tag).await?.is_some() {
            self.say(Stage::Push, &format!("{tag} stays: a later push has moved it"))?;
            let now = self.parts.now();
            store.finish_publication(publication.id, PublicationState::KeptNewer, None, None, now).await?;
            return Ok(None);
        }
        store.start_publication(publication.id).await?;
        fail_point("push.started");
        let placed = match access {
            Some(access) => self.place_at_registry(image, access, publication, ours).await,
            None => self.place_on_engine(image, publication).await,
        };
        match placed {
            Ok(placed) => {
                let digest = placed.held.as_ref().map(|held| &held.head.digest);
                fail_point("push.verified");
                store.finish_publication(publication.id, placed.state, digest, None, self.parts.now()).await?;
                fail_point("push.written");
                let word = if placed.state == PublicationState::Unchanged { "unchanged" } else { "published" };
                let digest = digest.map(|digest| format!(" {digest}")).unwrap_or_default();
                self.say(Stage::Push, &format!("{word} {}{digest}", publication.target))?;
                self.tell_versions(access);
                Ok(placed.held)
            }
            Err(failure) => Err(self.failed_to_place(publication, failure).await?),
        }
    }

    /// What is remembered about the repository's tags is over.
    fn tell_versions(&self, access: Option<&RegistryAccess>) {
        if let Some(access) = access {
            self.parts.versions.forget(&format!("{}/{}", access.host.as_str(), self.repository.spec.name));
        }
        self.parts.announce(AppEvent::VersionsChanged { repository: self.repository.id });
    }

    /// Writes a failed attempt: to be tried again, or final. Returns the failure that the build goes on with.
    async fn failed_to_place(&self, publication: &PublicationRecord, failure: Failure) -> Result<Failure, Failure> {
        let store = &self.parts.store;
        let tries = publication.attempt + 1;
        let may_pass = match failure.code {
            // A token that ended in the middle gets one more attempt with a fresh login (F11).
            ErrorCode::RegistryUnauthorized => tries < RETRY_BUDGET - 1,
            // A captive portal or a proxy answered in the registry's place (F13), or there is no registry any more.
            ErrorCode::NotARegistry => tries <= PAGES_AT_MOST,
            _ => false,
        };
        let failure = if may_pass { Failure { code: ErrorCode::PushInterrupted, ..failure } } else { failure };
        let failure = self.masked(failure);
        self.say(Stage::Push, &format!("attempt {tries} for {}: {}", publication.target, failure.message))?;
        if failure.code == ErrorCode::Cancelled {
            return Ok(failure);
        }
        if failure.code.retry() == Retry::Never {
            let now = self.parts.now();
            store.finish_publication(publication.id, PublicationState::Failed, None, Some(&failure), now).await?;
        } else {
            let pace = &self.parts.pace;
            let until = self.parts.now() + pause(pace.retry_base, pace.retry_cap, tries, &failure, self.parts.now());
            store.retry_publication(publication.id, Some(until), Some(&failure)).await?;
        }
        Ok(failure)
    }

    /// *Local engine*: the tag is a name in the engine's own store.
    async fn place_on_engine(&self, image: &BuiltImage, publication: &PublicationRecord) -> Result<Placed, Failure> {
        let target = publication.target_reference()?;
        let held = self.engine.image(&target.to_string()).await?;
        let same_image = held.as_ref().is_some_and(|held| held.id == image.id);
        let same_content = held.as_ref().is_some_and(|held| held.content == image.content);
        if let Some(_other) = held.filter(|_| !same_image) {
            self.refuse_write_once(&publication.tag)?;
        }
        if !same_image {
            self.engine.tag(&image.id, &target).await?;
        }
        // An earlier attempt of this build that set the name itself was a change.
        let moved_before = same_image && publication.attempt > 0;
        let state = if same_content && !moved_before { PublicationState::Unchanged } else { PublicationState::Done };
        Ok(Placed { state, held: None })
    }

    async fn place_at_registry(
        &self,
        image: &BuiltImage,
        access: &RegistryAccess,
        publication: &PublicationRecord,
        ours: Option<&Held>,
    ) -> Result<Placed, Failure> {
        let tag = publication.tag.as_str();
        if let Some(held) = self.held(access, tag).await? {
            if held.is(&image.id) {
                let state = if publication.attempt > 0 { PublicationState::Done } else { PublicationState::Unchanged };
                return Ok(Placed { state, held: Some(held) });
            }
            self.refuse_write_once(&publication.tag)?;
        }
        if let Some(ours) = ours
            && let Some(held) = self.copy_manifest(access, &publication.tag, ours).await?
        {
            return Ok(Placed { state: PublicationState::Done, held: Some(held) });
        }
        let held = self.push(image, access, &publication.target_reference()?).await?;
        Ok(Placed { state: PublicationState::Done, held: Some(held) })
    }

    /// Puts the bytes of a manifest that is there already under one more tag. `None` where the registry does not take it.
    async fn copy_manifest(&self, access: &RegistryAccess, tag: &Tag, ours: &Held) -> Result<Option<Held>, Failure> {
        let name = &self.repository.spec.name;
        let bytes = ours.bytes.clone();
        match self.parts.ports.registries.put_manifest(access, name, tag, &ours.head.media_type, bytes).await {
            Ok(_) => {}
            Err(failure) if matches!(failure.code, ErrorCode::RegistryUnsupported | ErrorCode::ManifestInvalid) => {
                return Ok(None);
            }
            Err(failure) => {
                // Cut after it was stored: what the registry holds decides.
                let held = self.held(access, tag.as_str()).await.ok().flatten();
                return match held.filter(|held| held.head.digest == ours.head.digest) {
                    Some(held) => Ok(Some(held)),
                    None => Err(failure),
                };
            }
        }
        fail_point("push.copied");
        let held = self.held(access, tag.as_str()).await?;
        match held.filter(|held| held.head.digest == ours.head.digest) {
            Some(held) => Ok(Some(held)),
            None => Err(mismatch(tag.as_str())),
        }
    }

    /// Gives the image the name that the engine pushes. What had it before goes with it when a build of ours published it there,
    /// unless a container or another name needs it: on the engine it would stay without a name for ever.
    async fn name_for_push(&self, image: &BuiltImage, target: &ImageReference) -> Result<(), Failure> {
        let name = target.to_string();
        if let Some(held) = self.engine.image(&name).await?
            && held.id != image.id
            && self.was_published_by_us(&held, target).await?
        {
            match self.engine.untag(&name).await {
                Err(failure) if failure.code == ErrorCode::InUse => {}
                untagged => untagged?,
            }
        }
        self.engine.tag(&image.id, target).await
    }

    /// Whether a build of this data folder made the image and the registry held it under this name. The label alone says neither:
    /// what others build `FROM` an image of ours carries it too.
    async fn was_published_by_us(&self, held: &EngineImage, target: &ImageReference) -> Result<bool, Failure> {
        let made = self.parts.store.made_images(&[&held.id]).await?;
        let is_ours = |build: &String| made.get(&held.id).is_some_and(|record| record.build.to_string() == *build);
        if !held.labels.get(BUILT_HERE).is_some_and(is_ours) {
            return Ok(false);
        }
        let published = self.parts.store.published_as(&[&held.id]).await?;
        let (Some(names), Some(tag)) = (published.get(&held.id), &target.tag) else { return Ok(false) };
        Ok(names.contains(&(self.repository.id, tag.clone())))
    }

    /// Lets the engine push and verifies at the registry what arrived.
    async fn push(
        &self,
        image: &BuiltImage,
        access: &RegistryAccess,
        target: &ImageReference,
    ) -> Result<Held, Failure> {
        self.name_for_push(image, target).await?;
        fail_point("push.tagged");
        let tag = target.tag.as_ref().map_or("latest", Tag::as_str);
        let (progress, mut received) = mpsc::channel(64);
        let following = async {
            while let Some(layer) = received.recv().await {
                fail_point("push.going");
                self.queue.push_progressed(self.id, layer);
            }
        };
        let pushing = tokio::time::timeout(
            Deadlines::default().push,
            self.engine.push(target, &access.login, progress, self.cancel),
        );
        let (pushed, ()) = tokio::join!(pushing, following);
        let pushed = pushed.unwrap_or_else(|_| Err(Failure::new(ErrorCode::TimedOut, "the push took too long")));
        let said = match pushed {
            Ok(said) => said,
            Err(failure) if failure.code == ErrorCode::Cancelled => return Err(failure),
            Err(failure) => {
                // F10: the connection may have broken after the registry stored everything.
                let held = self.held(access, tag).await.ok().flatten();
                return held.filter(|held| held.is(&image.id)).ok_or(failure);
            }
        };
        fail_point("push.pushed");
        let held = self.held(access, tag).await?;
        let is_ours = |held: &Held| held.is(&image.id) || said.as_ref().is_some_and(|said| *said == held.head.digest);
        held.filter(is_ours).ok_or_else(|| mismatch(tag))
    }

    fn refuse_write_once(&self, tag: &Tag) -> Result<(), Failure> {
        if is_write_once(&self.repository.spec.write_once, tag)? { Err(immutable(tag)) } else { Ok(()) }
    }
}

fn mismatch(tag: &str) -> Failure {
    Failure::new(ErrorCode::DigestMismatch, format!("after the push the registry holds another image under {tag}"))
        .with("tag", tag)
}
