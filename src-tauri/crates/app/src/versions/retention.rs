//! Old versions go by a rule (`slipway_core::retention`). The preview decides by what the registry has said lately; a removal
//! asks every tag first, in rounds, and right before a manifest goes its tags and whatever may need it are asked once more.
//! What a person removes by hand and what a rule removes goes the same way ([`super::removal`]).

use super::book::VersionBook;
use super::needs::Needs;
use super::{Place, Shelf, describe};
use crate::retention::{EVERY, is_building};
use crate::{AppEvent, Parts};
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{Digest, ImageId, ImageReference, RegistryAccess, Tag};
use slipway_core::ports::{BuildEngine, EngineContainer};
use slipway_core::retention::{RetentionPreview, RetentionRule, RetentionTag, RetentionVerdict, age_from, decide};
use slipway_core::version::{Version, VersionOrigin, VersionRemovalGroup, natural_order};
use slipway_core::{ErrorCode, Failure};
use slipway_store::ManifestFacts;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A preview waits so long for details that are not known yet; what comes later is announced.
const PATIENCE: Duration = Duration::from_secs(1);
/// Manifests that are read at once before a removal.
const AT_ONCE: usize = 8;
/// Manifests that go before every tag is asked anew: somebody may have put one of them under another tag meanwhile.
const ROUND: usize = 500;
/// Manifests that go between two announcements, and between two looks for names that came since.
const ANNOUNCED: usize = 20;
/// So many refusals, with nothing removed, say that the registry removes nothing at all.
const REFUSALS: u32 = 3;

/// How far a removal is.
pub(crate) trait Watched: Send + Sync {
    /// So many tags have gone of so many that are to go.
    fn at(&self, removed: u64, of: u64);
}

/// What a removal did.
#[derive(Debug, Default)]
pub(crate) struct Removed {
    /// Tags that went.
    pub(crate) tags: u64,
    /// Tags that were to go and stayed.
    pub(crate) left: u64,
    /// Why the registry did not let one go.
    pub(crate) refused: Option<Failure>,
    /// Manifests that it did not let go, though nothing says that they are protected.
    refusals: u32,
}

/// What a tag holds, as far as it is known.
#[derive(Default)]
struct Held {
    digest: Option<Digest>,
    /// Its details could be read.
    read: bool,
    facts: ManifestFacts,
}

/// What goes in one round.
struct Going {
    /// The manifests (*Local engine*: names), the oldest first.
    groups: Vec<VersionRemovalGroup>,
    /// The tags that were chosen, those too that turned out to be needed.
    chosen: Vec<Tag>,
    /// Every name that was asked.
    names: HashSet<String>,
    /// Tags that the rule lets go in all.
    all: u64,
}

/// Returns what a rule would do now.
pub(crate) async fn preview(
    parts: &Arc<Parts>,
    id: ImageRepositoryId,
    rule: &RetentionRule,
) -> Result<RetentionPreview, Failure> {
    rule.pattern()?;
    let shelf = Shelf::open(parts, id).await?;
    let (tags, pending) = match &shelf.place {
        Place::Registry(access) => shelf.known_tags(access).await?,
        Place::Engine(engine) => (shelf.engine_tags(engine.as_ref()).await?, 0),
    };
    let mut tags = decide(rule, &tags, parts.now())?;
    tags.sort_by(|a, b| {
        let order = a.kept.is_some().cmp(&b.kept.is_some()).then(Reverse(a.at).cmp(&Reverse(b.at)));
        order.then_with(|| natural_order(b.tag.as_str(), a.tag.as_str()))
    });
    let removed = tags.iter().filter(|verdict| verdict.kept.is_none()).count() as u64;
    Ok(RetentionPreview { tags, removed, pending })
}

/// Removes what a rule lets go; with `agreed` only of these tags. It may end anywhere: the next one goes on.
pub(crate) async fn remove(
    parts: &Arc<Parts>,
    id: ImageRepositoryId,
    rule: &RetentionRule,
    agreed: Option<&HashSet<Tag>>,
    watched: &dyn Watched,
    stop: &CancellationToken,
) -> (Removed, Option<Failure>) {
    let mut removed = Removed::default();
    let mut tried = HashSet::new();
    let result = loop {
        let working = round(parts, id, rule, agreed, &mut tried, &mut removed, watched);
        let result = tokio::select! {
            // A request that is under way is dropped: whether it arrived, the next run sees.
            () = stop.cancelled() => Err(Failure::cancelled()),
            result = working => result,
        };
        match result {
            Ok(true) => {}
            Ok(false) => break None,
            Err(failure) => break Some(failure),
        }
    };
    if removed.tags > 0
        && let Ok(shelf) = Shelf::open(parts, id).await
        && let Place::Registry(access) = &shelf.place
    {
        parts.versions.forget(&shelf.key(access));
    }
    (removed, result)
}

/// One round: every tag is asked, then some manifests go. Returns whether there is more to do.
async fn round(
    parts: &Arc<Parts>,
    id: ImageRepositoryId,
    rule: &RetentionRule,
    agreed: Option<&HashSet<Tag>>,
    tried: &mut HashSet<Tag>,
    removed: &mut Removed,
    watched: &dyn Watched,
) -> Result<bool, Failure> {
    let shelf = Shelf::open(parts, id).await?;
    let mut going = shelf.going(rule, agreed, tried).await?;
    let of = removed.tags + going.all;
    let more = going.all > going.chosen.len() as u64;
    tried.extend(going.chosen);
    let mut waiting = going.groups.iter().map(|group| group.tags.len() as u64).sum::<u64>();
    let mut named_since = HashSet::new();
    for (index, group) in going.groups.into_iter().enumerate() {
        // A build may make again what is to go: its new tag would go with it.
        if is_building(parts, id).await? {
            removed.left += waiting;
            return Ok(false);
        }
        waiting -= group.tags.len() as u64;
        watched.at(removed.tags, of);
        if index % ANNOUNCED == 0 {
            parts.announce(AppEvent::VersionsChanged { repository: id });
            named_since.extend(shelf.named_since(&mut going.names).await?);
        }
        let count = group.tags.len() as u64;
        let has_new_name = group.digest.as_ref().is_some_and(|digest| named_since.contains(digest));
        if has_new_name || !shelf.may_still_go(&group).await? {
            removed.left += count;
            continue;
        }
        match shelf.remove_group(&group).await {
            Ok(()) => {
                tracing::info!(repository = %shelf.name(), tags = ?group.tags, "versions were removed by a rule");
                removed.tags += count;
            }
            // The engine lets nothing go that a container was made from, also when that is stopped.
            Err(failure) if failure.code == ErrorCode::InUse => removed.left += count,
            Err(failure) if is_refusal(&failure) => {
                tracing::info!(repository = %shelf.name(), tags = ?group.tags, %failure, "versions stay: the registry refuses");
                removed.left += count;
                removed.refusals += u32::from(failure.code != ErrorCode::TagImmutable);
                if removed.tags == 0 && removed.refusals >= REFUSALS {
                    return Err(failure);
                }
                removed.refused.get_or_insert(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(more)
}

/// The registry answered, and it may be about this manifest alone: one that is protected, or damaged.
fn is_refusal(failure: &Failure) -> bool {
    use ErrorCode::{ManifestInvalid, RegistryDenied, RegistryServerError, RegistryUnsupported, TagImmutable};
    let codes = [ManifestInvalid, RegistryDenied, RegistryServerError, RegistryUnsupported, TagImmutable];
    codes.contains(&failure.code)
}

impl Shelf<'_> {
    /// What is known about the tags at a registry, and how many are still being read.
    async fn known_tags(&self, access: &RegistryAccess) -> Result<(Vec<RetentionTag>, u64), Failure> {
        let source = self.source(access);
        let book = &self.parts.versions;
        let listed = VersionBook::tags(self.parts, &source, false).await?;
        let (mut digests, mut facts) = self.known(&source.key).await;
        let unknown = |digests: &HashMap<String, Digest>, facts: &HashMap<Digest, ManifestFacts>| -> Vec<Tag> {
            let known = |tag: &&Tag| digests.get(tag.as_str()).is_some_and(|digest| facts.contains_key(digest));
            listed.tags.iter().filter(|tag| !known(tag)).cloned().collect()
        };
        if let Some(reading) = VersionBook::read(self.parts, &source, &unknown(&digests, &facts)) {
            // What is not there by then is announced when it is.
            let _ = tokio::time::timeout(PATIENCE, reading).await;
            (digests, facts) = self.known(&source.key).await;
        }
        let no_failure = |tag: &&Tag| book.failure(&source.key, tag).is_none();
        let pending = unknown(&digests, &facts).iter().filter(no_failure).count() as u64;
        let held = |tag: &Tag| {
            let digest = digests.get(tag.as_str()).cloned();
            let known = digest.as_ref().and_then(|digest| facts.get(digest)).cloned();
            Held { digest, read: known.is_some(), facts: known.unwrap_or_default() }
        };
        Ok((self.registry_tags(&listed.tags, held).await?, pending))
    }

    async fn known(&self, key: &str) -> (HashMap<String, Digest>, HashMap<Digest, ManifestFacts>) {
        // What was kept from an earlier run, or long ago, may be another image by now.
        let digests = self.parts.versions.digests_seen(key);
        let different: HashSet<Digest> = digests.values().cloned().collect();
        let facts = self.parts.versions.facts(&different.into_iter().collect::<Vec<_>>()).await;
        (digests, facts)
    }

    /// What is in these manifests. Those that could not be read whole are not kept, and named with what they consist of.
    async fn every_fact(
        &self,
        access: &RegistryAccess,
        all: &HashMap<String, Digest>,
    ) -> Result<(HashMap<Digest, ManifestFacts>, HashMap<Digest, ManifestFacts>), Failure> {
        let different: HashSet<&Digest> = all.values().collect();
        let different: Vec<Digest> = different.into_iter().cloned().collect();
        let mut known = self.parts.versions.facts(&different).await;
        let (registries, name) = (self.parts.ports.registries.as_ref(), &self.repository.spec.name);
        let unknown: Vec<Digest> = different.into_iter().filter(|digest| !known.contains_key(digest)).collect();
        let mut reading = futures::stream::iter(unknown)
            .map(|digest| async move {
                let facts = match describe::facts(registries, access, name, &digest).await {
                    Ok(facts) => Ok((facts, true)),
                    // A damaged image says nothing about itself and stays; what it consists of stays with it.
                    Err(_) => describe::manifest(registries, access, name, digest.as_str()).await.map(|manifest| {
                        let parts = manifest.as_ref().map(describe::parts).unwrap_or_default();
                        (ManifestFacts { parts, ..ManifestFacts::default() }, false)
                    }),
                };
                (digest, facts)
            })
            .buffer_unordered(AT_ONCE);
        let (mut new, mut damaged) = (Vec::new(), HashMap::new());
        while let Some((digest, facts)) = reading.next().await {
            match facts? {
                (facts, true) => new.push((digest, facts)),
                (facts, false) => {
                    damaged.insert(digest, facts);
                }
            }
        }
        drop(reading);
        self.parts.versions.keep_facts(&new, self.parts.now()).await;
        known.extend(new);
        Ok((known, damaged))
    }

    /// Makes what decides of tags at a registry.
    async fn registry_tags(&self, tags: &[Tag], held: impl Fn(&Tag) -> Held) -> Result<Vec<RetentionTag>, Failure> {
        let containers = self.running_containers().await?;
        let names: Vec<&Tag> = tags.iter().collect();
        // The ids that this machine's engine gave to what was built here.
        let origins = self.parts.store.tag_origins(self.repository.id, &names).await?;
        let held: Vec<Held> = tags.iter().map(held).collect();
        let digests: HashMap<&Tag, &Digest> =
            tags.iter().zip(&held).filter_map(|(tag, held)| Some((tag, held.digest.as_ref()?))).collect();
        let images = origins.values().filter_map(|origin| origin.image.as_ref()).collect();
        let needs = Needs::read(self.parts, &digests.values().copied().collect(), &images).await?;
        let rows = self.rows(tags, |tag| digests.get(tag).map(|digest| (*digest).clone())).await?;
        let make = |(version, held): (Version, Held)| {
            let origin = origins.get(&version.tag).filter(|origin| origin.digest == version.digest);
            let image = origin.and_then(|origin| origin.image.as_ref());
            let used_by = self.used_by(&version, image, &containers, &needs);
            retention_tag(version, held.read, held.facts, used_by)
        };
        Ok(rows.into_iter().zip(held).map(make).collect())
    }

    /// What decides about the repository's names in the engine's own store.
    async fn engine_tags(&self, engine: &dyn BuildEngine) -> Result<Vec<RetentionTag>, Failure> {
        let containers = self.running_containers().await?;
        let versions = self.engine_versions(engine).await?;
        let images = versions.iter().filter_map(|version| version.image.as_ref()).collect();
        let needs = Needs::read(self.parts, &HashSet::new(), &images).await?;
        let make = |version: Version| {
            let used_by = self.used_by(&version, version.image.as_ref(), &containers, &needs);
            let facts = ManifestFacts { created: version.created, ..ManifestFacts::default() };
            retention_tag(version, true, facts, used_by)
        };
        Ok(versions.into_iter().map(make).collect())
    }

    /// The container or target that needs what a tag holds. A container counts when it was made under the tag, whatever the
    /// tag holds now, or from the image.
    fn used_by(
        &self,
        version: &Version,
        image: Option<&ImageId>,
        containers: &[EngineContainer],
        needs: &Needs,
    ) -> Option<String> {
        let repository = ImageReference::parse(&version.reference).ok()?.repository();
        let uses = |container: &&EngineContainer| {
            let named = ImageReference::parse(&container.image).is_ok_and(|name| {
                name.repository() == repository
                    && (name.tag.as_ref() == Some(&version.tag)
                        || name.digest.is_some() && name.digest == version.digest)
            });
            named || image == Some(&container.image_id)
        };
        let container = containers.iter().find(uses).map(|container| container.name.clone());
        container.or_else(|| needs.of(version.digest.as_ref(), image).first().map(|need| need.target.name()))
    }

    /// What a rule lets go now, each manifest with all its tags, looked at as a removal by hand is.
    async fn going(
        &self,
        rule: &RetentionRule,
        agreed: Option<&HashSet<Tag>>,
        tried: &HashSet<Tag>,
    ) -> Result<Going, Failure> {
        let now = match agreed {
            Some(_) => self.parts.now(),
            None => self.surely_now().await?,
        };
        let may_go = |tag: &Tag| agreed.is_none_or(|agreed| agreed.contains(tag)) && !tried.contains(tag);
        let choose = |tags: &[RetentionTag]| -> Result<(Vec<Tag>, u64), Failure> {
            let decided = decide(rule, tags, now)?;
            let goes =
                |(_, verdict): &(&RetentionTag, RetentionVerdict)| verdict.kept.is_none() && may_go(&verdict.tag);
            let mut going: Vec<&RetentionTag> = tags.iter().zip(decided).filter(goes).map(|(one, _)| one).collect();
            going.sort_by_key(|one| one.at);
            let all = going.len() as u64;
            let mut manifests: HashSet<&Digest> = HashSet::new();
            let mut names = 0;
            let mut chosen = Vec::new();
            for one in going {
                let fits = manifests.len() + names < ROUND;
                match &one.digest {
                    Some(digest) if fits || manifests.contains(digest) => {
                        manifests.insert(digest);
                    }
                    None if fits => names += 1,
                    _ => continue,
                }
                chosen.push(one.tag.clone());
            }
            Ok((chosen, all))
        };
        let mut names = HashSet::new();
        let (mut groups, chosen, all) = match &self.place {
            Place::Registry(access) => {
                let digests = self.every_digest(access).await?;
                names.extend(digests.keys().cloned());
                let (facts, damaged) = self.every_fact(access, &digests).await?;
                let tags: Vec<Tag> = digests.keys().filter_map(|name| Tag::new(name.as_str()).ok()).collect();
                let held = |tag: &Tag| {
                    let Some(digest) = digests.get(tag.as_str()) else { return Held::default() };
                    let (read, facts) = match facts.get(digest) {
                        Some(facts) => (true, facts.clone()),
                        None => (false, damaged.get(digest).cloned().unwrap_or_default()),
                    };
                    Held { digest: Some(digest.clone()), read, facts }
                };
                let (chosen, all) = choose(&self.registry_tags(&tags, held).await?)?;
                let containers = self.running_containers().await?;
                (self.removal_at_registry(access, &digests, &chosen, &containers).await?.groups, chosen, all)
            }
            Place::Engine(engine) => {
                let (chosen, all) = choose(&self.engine_tags(engine.as_ref()).await?)?;
                let containers = self.running_containers().await?;
                (self.removal_on_engine(engine.as_ref(), &chosen, &containers).await?.groups, chosen, all)
            }
        };
        self.fill_in_needs(&mut groups).await?;
        // Whole manifests only, and nothing that anything needs.
        groups.retain(|group| group.siblings.is_empty() && group.containers.is_empty() && group.needed.is_empty());
        let place: HashMap<&Tag, usize> = chosen.iter().enumerate().map(|(place, tag)| (tag, place)).collect();
        groups.sort_by_key(|group| group.tags.iter().filter_map(|tag| place.get(tag)).min().copied());
        Ok(Going { groups, chosen, names, all })
    }

    /// The time that ages are counted to when nobody looks on. This machine's clock may be years ahead, and everything old by
    /// it: it is no later than the registry says, and no more than a day after the last push.
    async fn surely_now(&self) -> Result<DateTime<Utc>, Failure> {
        let mut now = self.parts.now();
        if let Place::Registry(access) = &self.place
            && let Some(time) = self.parts.ports.registries.time(access).await
        {
            now = now.min(time);
        }
        let pushed = self.parts.store.retention(self.repository.id).await?.and_then(|record| record.pushed_at);
        Ok(pushed.map_or(now, |at| now.min(at + EVERY)))
    }

    /// Returns what names hold that the registry has and that were not asked yet: a manifest goes with every tag on it.
    async fn named_since(&self, asked: &mut HashSet<String>) -> Result<HashSet<Digest>, Failure> {
        let mut found = HashSet::new();
        if let Place::Registry(access) = &self.place {
            let (registries, name) = (self.parts.ports.registries.as_ref(), &self.repository.spec.name);
            for tag in registries.tags(access, name).await? {
                if !asked.contains(&tag) {
                    found.extend(registries.head(access, name, &tag).await?.map(|head| head.digest));
                    asked.insert(tag);
                }
            }
        }
        Ok(found)
    }

    /// Returns whether the tags still hold the manifest (*Local engine*: the image), and nothing began to need it.
    async fn may_still_go(&self, group: &VersionRemovalGroup) -> Result<bool, Failure> {
        if let Some(by) = self.user_of(group).await? {
            tracing::info!(repository = %self.name(), tags = ?group.tags, by, "versions that were to go by a rule are needed");
            return Ok(false);
        }
        for tag in &group.tags {
            let same = match &self.place {
                Place::Registry(access) => {
                    let registries = self.parts.ports.registries.as_ref();
                    let head = registries.head(access, &self.repository.spec.name, tag.as_str()).await?;
                    head.is_some_and(|head| Some(&head.digest) == group.digest.as_ref())
                }
                Place::Engine(engine) => {
                    let name = format!("docker.io/{}:{tag}", self.repository.spec.name);
                    engine.image(&name).await?.is_some_and(|image| Some(&image.id) == group.image.as_ref())
                }
            };
            if !same {
                tracing::info!(repository = %self.name(), %tag, "a tag that was to go by a rule has changed and stays");
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The container or target that needs what a group holds, now.
    async fn user_of(&self, group: &VersionRemovalGroup) -> Result<Option<String>, Failure> {
        let containers = self.running_containers().await?;
        let image = self.image_behind(group).await?;
        let digests = group.digest.iter().collect();
        let needs = Needs::read(self.parts, &digests, &image.iter().collect()).await?;
        for tag in &group.tags {
            let version = Version { digest: group.digest.clone(), ..self.bare(tag)? };
            if let Some(by) = self.used_by(&version, image.as_ref(), &containers, &needs) {
                return Ok(Some(by));
            }
        }
        Ok(None)
    }
}

fn retention_tag(version: Version, read: bool, facts: ManifestFacts, used_by: Option<String>) -> RetentionTag {
    RetentionTag {
        at: age_from(version.pushed_at, facts.created),
        foreign: version.origin == VersionOrigin::Elsewhere,
        parts: facts.parts,
        read,
        write_once: version.write_once,
        newest: version.newest,
        digest: version.digest,
        used_by,
        tag: version.tag,
    }
}
