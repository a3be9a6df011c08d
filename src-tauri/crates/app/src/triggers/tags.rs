//! Seeing tags move: by the engine's own news for *Local engine*, by cheap digest checks for registries, and only where an
//! enabled trigger can match. What a build of ours published is known already and is not asked for again. News and polls only
//! mean "look now"; what the tags hold against what they held decides.

use crate::Parts;
use crate::queue::pause;
use crate::triggers::hand_over::matcher_of;
use chrono::TimeDelta;
use futures::StreamExt;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{ImageReference, RegistryAccess, Tag};
use slipway_core::ports::ImageNews;
use slipway_core::trigger::{ConditionMatcher, TagEventSource};
use slipway_core::{ErrorCode, Failure};
use slipway_store::{ImageRepositoryRecord, KnownTag, SeenTag};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long somebody who saves a trigger waits for a look.
pub(crate) const SHORT: Duration = Duration::from_secs(10);
/// Time between two looks at a registry; doubles after failures.
const INTERVAL: Duration = Duration::from_secs(60);
/// Longest time after failures, unless the registry asks for more.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// A whole look.
const LOOK_DEADLINE: Duration = Duration::from_secs(120);
/// Tags whose digest is asked for in one look; the others have their turn in the next ones.
const HEADS: usize = 60;
const HEADS_AT_ONCE: usize = 8;
/// The engine's news are a hint: without any, its names are looked at this often. BuildKit of engine 20.10 tells no news when
/// it names what it built.
const NET: Duration = Duration::from_secs(30);

/// How much a look asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// What others may have pushed.
    Others,
    /// Also tags that a build of ours set last: somebody pushed from this machine, or a person asks.
    Everything,
}

/// Repositories with an enabled trigger, with the conditions.
async fn watched(parts: &Parts) -> Result<HashMap<ImageRepositoryId, Vec<ConditionMatcher>>, Failure> {
    let mut watched: HashMap<_, Vec<_>> = HashMap::new();
    for trigger in parts.store.triggers(None).await? {
        if trigger.spec.enabled {
            watched.entry(trigger.repository).or_default().extend(matcher_of(&trigger));
        }
    }
    Ok(watched)
}

/// Looks at registries when they are due, until the application stops.
pub(crate) async fn run_registries(parts: Arc<Parts>) {
    if !parts.pace.polling {
        return;
    }
    let mut changed = parts.tags_changed.subscribe();
    loop {
        let wait = match look_at_due(&parts).await {
            Ok(wait) => wait,
            Err(failure) => {
                tracing::warn!(%failure, "watched tags cannot be listed");
                parts.pace.recheck
            }
        };
        tokio::select! {
            () = parts.stop.cancelled() => return,
            _ = changed.changed() => {}
            () = tokio::time::sleep(wait.min(parts.pace.recheck)) => {}
        }
    }
}

async fn look_at_due(parts: &Arc<Parts>) -> Result<Duration, Failure> {
    let now = parts.now();
    let mut wait = TimeDelta::from_std(INTERVAL).unwrap_or_default();
    let mut looks = Vec::new();
    for repository in watched(parts).await?.into_keys() {
        let record = parts.store.image_repository(repository).await?;
        if is_local(parts, &record).await? {
            continue;
        }
        let left = parts.store.tag_watch(repository).await?.next_look_at.map_or(TimeDelta::zero(), |at| at - now);
        // A time beyond any pause was written before the clock was set back.
        if left <= TimeDelta::zero() || left > crate::queue::LONGEST_WAIT {
            looks.push(async move { look(parts, &record, Look::Others).await });
        } else {
            wait = wait.min(left);
        }
    }
    for failure in futures::future::join_all(looks).await.into_iter().filter_map(Result::err) {
        tracing::debug!(%failure, "a look at a registry's tags failed");
    }
    Ok(wait.to_std().unwrap_or_default().max(Duration::from_millis(100)))
}

/// Follows the local engine's names until the application stops. It is asked only while a trigger needs it.
pub(crate) async fn run_engine(parts: Arc<Parts>) {
    let mut changed = parts.tags_changed.subscribe();
    let mut news: Option<mpsc::Receiver<ImageNews>> = None;
    loop {
        match watched(&parts).await {
            Ok(watched) if watched.is_empty() => news = None,
            Ok(_) => {
                if news.is_none() {
                    // First listen, then look: nothing falls between.
                    news = listen(&parts).await;
                }
                if let Err(failure) = look_at_engine(&parts).await {
                    tracing::debug!(%failure, "a look at the engine's names failed");
                }
            }
            Err(failure) => tracing::warn!(%failure, "watched tags cannot be listed"),
        }
        let told = tokio::select! {
            () = parts.stop.cancelled() => return,
            _ = changed.changed() => continue,
            told = next(&mut news) => told,
            () = tokio::time::sleep(NET) => continue,
        };
        let Some(first) = told else {
            news = None;
            // The engine went away: it is asked again after a while.
            tokio::select! {
                () = parts.stop.cancelled() => return,
                () = tokio::time::sleep(parts.pace.probe_base.max(Duration::from_millis(50))) => continue,
            }
        };
        let mut all = vec![first];
        while let Some(Ok(more)) = news.as_mut().map(mpsc::Receiver::try_recv) {
            all.push(more);
        }
        for pushed in all.iter().filter(|news| news.pushed) {
            look_at_pushed(&parts, &pushed.name).await;
        }
    }
}

/// Returns the next news; never ends while nobody is listened to.
async fn next(news: &mut Option<mpsc::Receiver<ImageNews>>) -> Option<ImageNews> {
    let Some(receiver) = news else { return std::future::pending().await };
    loop {
        let told = receiver.recv().await?;
        // Our own private names move with every build and update.
        if !told.name.starts_with("slipway.local/") {
            return Some(told);
        }
    }
}

async fn listen(parts: &Parts) -> Option<mpsc::Receiver<ImageNews>> {
    let listening = async { parts.engine("local")?.image_news().await };
    match tokio::time::timeout(SHORT, listening).await {
        Ok(Ok(receiver)) => Some(receiver),
        Ok(Err(failure)) => {
            tracing::debug!(%failure, "the engine tells no news now");
            None
        }
        Err(_) => None,
    }
}

async fn look_at_engine(parts: &Arc<Parts>) -> Result<(), Failure> {
    for repository in watched(parts).await?.into_keys() {
        let record = parts.store.image_repository(repository).await?;
        if is_local(parts, &record).await? {
            look(parts, &record, Look::Others).await?;
        }
    }
    Ok(())
}

/// Somebody pushed from this engine: if it went to a watched repository, the registry is asked at once.
async fn look_at_pushed(parts: &Arc<Parts>, name: &str) {
    let looking = async {
        let pushed = ImageReference::parse(name)?.repository();
        for repository in watched(parts).await?.into_keys() {
            let record = parts.store.image_repository(repository).await?;
            let registry = parts.store.registry(record.spec.registry).await?;
            let host = registry.host.as_ref().map(|host| host.as_str());
            if host.is_some_and(|host| format!("{host}/{}", record.spec.name) == pushed) {
                look(parts, &record, Look::Everything).await?;
            }
        }
        Ok::<(), Failure>(())
    };
    if let Err(failure) = looking.await {
        tracing::debug!(%failure, name, "a pushed tag could not be looked at");
    }
}

async fn is_local(parts: &Parts, repository: &ImageRepositoryRecord) -> Result<bool, Failure> {
    Ok(parts.store.registry(repository.spec.registry).await?.host.is_none())
}

/// Looks at a repository's tags and writes down what moved.
pub(crate) async fn look(parts: &Arc<Parts>, repository: &ImageRepositoryRecord, look: Look) -> Result<(), Failure> {
    let Some(matchers) = watched(parts).await?.remove(&repository.id) else { return Ok(()) };
    let watch = parts.store.tag_watch(repository.id).await?;
    let known = parts.store.known_tags(repository.id).await?;
    let local = is_local(parts, repository).await?;
    let looking = async {
        if local {
            return on_engine(parts, repository, &matchers, &known).await;
        }
        let (_, access) = parts.repository_access(repository).await?;
        let access = access.ok_or_else(|| Failure::internal("a registry without a host"))?;
        let question = Question { parts, repository, access: &access, matchers: &matchers, known: &known, look };
        question.at_registry(watch.baseline).await
    };
    let late = |_| Err(Failure::new(ErrorCode::TimedOut, "the registry took too long to show its tags"));
    let found = tokio::time::timeout(LOOK_DEADLINE, looking).await.unwrap_or_else(late);
    let now = parts.now();
    let after = |failure: &Failure| now + pause(INTERVAL, LONGEST, watch.failures + 1, failure, now);
    let found = match found {
        Ok(found) => found,
        Err(failure) => {
            parts.store.record_tag_look_failure(repository.id, &failure, after(&failure)).await?;
            return Err(failure);
        }
    };
    // Half of a first look would make news of the other half.
    if found.failure.is_none() || !watch.baseline {
        let source = if local { TagEventSource::Local } else { TagEventSource::Registry };
        let next = now + INTERVAL;
        let seen = &found.seen;
        let events =
            parts.store.record_tag_look(repository.id, watch.began, source, seen, &found.gone, Some(next), now).await?;
        if !events.is_empty() {
            parts.firing_wake.notify_one();
        }
    }
    match found.failure {
        Some(failure) => {
            parts.store.record_tag_look_failure(repository.id, &failure, after(&failure)).await?;
            Err(failure)
        }
        None => Ok(()),
    }
}

/// What a look found.
#[derive(Default)]
struct Found {
    seen: Vec<SeenTag>,
    gone: Vec<Tag>,
    /// Some tags could not be asked for.
    failure: Option<Failure>,
}

async fn on_engine(
    parts: &Parts,
    repository: &ImageRepositoryRecord,
    matchers: &[ConditionMatcher],
    known: &BTreeMap<Tag, KnownTag>,
) -> Result<Found, Failure> {
    let wanted = format!("docker.io/{}", repository.spec.name);
    let mut found = Found::default();
    for image in parts.engine("local")?.images().await? {
        for name in &image.tags {
            let Some(tag) = tag_of(name, &wanted) else { continue };
            if matchers.iter().any(|matcher| matcher.matches(&tag)) {
                found.seen.push(SeenTag { tag, digest: None, image: Some(image.id.clone()), content: None });
            }
        }
    }
    let there: BTreeSet<&Tag> = found.seen.iter().map(|seen| &seen.tag).collect();
    found.gone = known.keys().filter(|tag| !there.contains(tag)).cloned().collect();
    Ok(found)
}

/// Returns the tag of a name of this repository (`host/name`); `None` for another one's.
fn tag_of(name: &str, repository: &str) -> Option<Tag> {
    let parsed = ImageReference::parse(name).ok()?;
    (parsed.repository() == repository).then_some(parsed.tag).flatten()
}

/// What to ask a registry for.
struct Question<'a> {
    parts: &'a Parts,
    repository: &'a ImageRepositoryRecord,
    access: &'a RegistryAccess,
    matchers: &'a [ConditionMatcher],
    known: &'a BTreeMap<Tag, KnownTag>,
    look: Look,
}

impl Question<'_> {
    async fn at_registry(&self, baseline: bool) -> Result<Found, Failure> {
        let mut found = Found::default();
        let named: BTreeSet<Tag> =
            self.matchers.iter().filter_map(ConditionMatcher::named_tags).flatten().cloned().collect();
        let mut asked: Vec<Tag> = named.iter().filter(|tag| self.is_asked(tag)).cloned().collect();
        if self.matchers.iter().any(|matcher| matcher.named_tags().is_none()) {
            let listed = self.listed().await?;
            found.gone = self.known.keys().filter(|tag| !listed.contains(*tag)).cloned().collect();
            let (old, new): (Vec<Tag>, Vec<Tag>) =
                listed.into_iter().filter(|tag| !named.contains(tag)).partition(|tag| self.known.contains_key(tag));
            if baseline {
                // There before: a later look fills in their digests.
                let listed_only = |tag| SeenTag { tag, digest: None, image: None, content: None };
                found.seen.extend(new.into_iter().map(listed_only));
            } else {
                asked.extend(new);
            }
            let mut old: Vec<Tag> = old.into_iter().filter(|tag| self.is_asked(tag)).collect();
            old.sort_by_key(|tag| self.known.get(tag).map(|known| known.checked_at));
            old.truncate(HEADS.saturating_sub(asked.len()));
            asked.extend(old);
        }
        let registries = &self.parts.ports.registries;
        let mut answers = futures::stream::iter(asked.into_iter().map(|tag| async move {
            let head = registries.head(self.access, &self.repository.spec.name, tag.as_str()).await;
            (tag, head)
        }))
        .buffer_unordered(HEADS_AT_ONCE);
        while let Some((tag, head)) = answers.next().await {
            match head {
                Ok(Some(head)) => {
                    found.seen.push(SeenTag { tag, digest: Some(head.digest), image: None, content: None });
                }
                Ok(None) if self.known.contains_key(&tag) && !found.gone.contains(&tag) => found.gone.push(tag),
                Ok(None) => {}
                Err(failure) if failure.code == ErrorCode::RegistryNameUnknown => {}
                // The others are not asked any more: a registry that asks to slow down means it.
                Err(failure) => {
                    found.failure = Some(failure);
                    break;
                }
            }
        }
        drop(answers);
        // Events count in the order of the tags, not of the answers.
        found.seen.sort_by(|a, b| a.tag.cmp(&b.tag));
        Ok(found)
    }

    /// What a build of ours put there is known; nobody asks for it while nothing says that somebody else pushed.
    fn is_asked(&self, tag: &Tag) -> bool {
        self.look == Look::Everything || self.known.get(tag).is_none_or(|known| !known.ours)
    }

    async fn listed(&self) -> Result<BTreeSet<Tag>, Failure> {
        let listed = match self.parts.ports.registries.tags(self.access, &self.repository.spec.name).await {
            Err(failure) if failure.code == ErrorCode::RegistryNameUnknown => Vec::new(),
            listed => listed?,
        };
        let tags = listed.into_iter().filter_map(|tag| Tag::new(tag).ok());
        Ok(tags.filter(|tag| self.matchers.iter().any(|matcher| matcher.matches(tag))).collect())
    }
}

/// Returns the tags of a repository as they are now, sorted.
pub(crate) async fn tags_now(parts: &Parts, repository: ImageRepositoryId) -> Result<Vec<Tag>, Failure> {
    let record = parts.store.image_repository(repository).await?;
    let (_, access) = parts.repository_access(&record).await?;
    let mut tags: Vec<Tag> = match access {
        Some(access) => {
            let listed = match parts.ports.registries.tags(&access, &record.spec.name).await {
                Err(failure) if failure.code == ErrorCode::RegistryNameUnknown => Vec::new(),
                listed => listed?,
            };
            listed.into_iter().filter_map(|tag| Tag::new(tag).ok()).collect()
        }
        None => {
            let wanted = format!("docker.io/{}", record.spec.name);
            let images = parts.engine("local")?.images().await?;
            images.iter().flat_map(|image| &image.tags).filter_map(|name| tag_of(name, &wanted)).collect()
        }
    };
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}
