//! What is remembered about the tags of registries, and the reading of what is not known yet: a few requests at a time, for
//! the rows that somebody looks at.

use super::describe;
use crate::{AppEvent, Parts};
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use slipway_core::Failure;
use slipway_core::ids::ImageRepositoryId;
use slipway_core::image::{Digest, RegistryAccess, RepositoryName, Tag};
use slipway_core::version::natural_order;
use slipway_store::{ManifestFacts, VersionCache};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// A list of tags younger than this is taken as it is; an older one is shown, and asked for anew behind it.
const FRESH: Duration = Duration::from_secs(15);
/// A list older than this is not shown any more.
const STALE: Duration = Duration::from_secs(10 * 60);
/// Requests under way for the details of one repository.
const AT_ONCE: usize = 8;
/// Repositories whose tags are remembered.
const REMEMBERED: usize = 32;

/// What is known about a tag.
#[derive(Clone)]
struct Head {
    digest: Digest,
    /// When the registry said so; none for what an earlier run remembered.
    seen: Option<Instant>,
}

/// The tags of one place (`host/name`).
struct Listing {
    /// By name, greatest first, runs of digits as numbers.
    tags: Arc<[Tag]>,
    asked: Instant,
    asked_at: DateTime<Utc>,
    heads: HashMap<String, Head>,
    failures: HashMap<String, (Failure, Instant)>,
    reading: HashSet<String>,
    refreshing: bool,
}

/// Everything that is remembered.
pub(crate) struct VersionBook {
    cache: VersionCache,
    listings: Mutex<HashMap<String, Listing>>,
}

/// Tags with the time when they were asked for.
pub(super) struct Tags {
    pub(super) tags: Arc<[Tag]>,
    pub(super) asked_at: DateTime<Utc>,
}

/// Which repository is read.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) key: String,
    pub(super) repository: ImageRepositoryId,
    pub(super) name: RepositoryName,
    pub(super) access: RegistryAccess,
}

impl VersionBook {
    pub(crate) fn new(cache: VersionCache) -> Self {
        Self { cache, listings: Mutex::default() }
    }

    pub(crate) async fn close(&self) {
        self.cache.close().await;
    }

    fn with<T>(&self, key: &str, work: impl FnOnce(&mut Listing) -> T) -> Option<T> {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner).get_mut(key).map(work)
    }

    /// Forgets the tags of a place: something there changed.
    pub(crate) fn forget(&self, key: &str) {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Returns the tags of a place: remembered ones at once, else what the registry says.
    pub(super) async fn tags(parts: &Arc<Parts>, source: &Source, refresh: bool) -> Result<Tags, Failure> {
        let book = &parts.versions;
        let remembered = book.with(&source.key, |listing| {
            let age = listing.asked.elapsed();
            let again = age > FRESH && !listing.refreshing;
            listing.refreshing |= again;
            (age <= STALE).then(|| (Tags { tags: Arc::clone(&listing.tags), asked_at: listing.asked_at }, again))
        });
        match remembered.flatten().filter(|_| !refresh) {
            Some((tags, again)) => {
                if again {
                    let (parts, source) = (Arc::clone(parts), source.clone());
                    tokio::spawn(async move { Self::refresh(&parts, &source).await });
                }
                Ok(tags)
            }
            None => Self::ask(parts, source).await.map(|(tags, _)| tags),
        }
    }

    async fn refresh(parts: &Arc<Parts>, source: &Source) {
        let changed = match Self::ask(parts, source).await {
            Ok((_, changed)) => changed,
            Err(failure) => {
                tracing::debug!(%failure, "the tags could not be asked for again");
                parts.versions.with(&source.key, |listing| listing.refreshing = false);
                false
            }
        };
        if changed {
            parts.announce(AppEvent::VersionsChanged { repository: source.repository });
        }
    }

    /// Asks the registry for its tags. Returns whether they are others than the remembered ones.
    async fn ask(parts: &Arc<Parts>, source: &Source) -> Result<(Tags, bool), Failure> {
        let named = match parts.ports.registries.tags(&source.access, &source.name).await {
            // Before the first push.
            Err(failure) if failure.code == slipway_core::ErrorCode::RegistryNameUnknown => Vec::new(),
            named => named?,
        };
        let mut tags: Vec<Tag> = named.into_iter().filter_map(|name| Tag::new(name).ok()).collect();
        // Sorted once: every page of every search starts from this order.
        tags.sort_by(|a, b| natural_order(b.as_str(), a.as_str()));
        let tags: Arc<[Tag]> = tags.into();
        let asked_at = parts.now();
        let old = parts.versions.with(&source.key, |listing| {
            let changed = listing.tags != tags;
            (std::mem::take(&mut listing.heads), changed)
        });
        let (heads, changed) = match old {
            Some(known) => known,
            None => {
                let kept = parts.versions.cache.heads(&source.key).await.unwrap_or_default();
                let head = |(tag, digest)| (tag, Head { digest, seen: None });
                (kept.into_iter().map(head).collect(), true)
            }
        };
        let listing = Listing {
            tags: Arc::clone(&tags),
            asked: Instant::now(),
            asked_at,
            heads,
            failures: HashMap::new(),
            reading: HashSet::new(),
            refreshing: false,
        };
        let mut listings = parts.versions.listings.lock().unwrap_or_else(PoisonError::into_inner);
        if listings.len() >= REMEMBERED
            && let Some(oldest) = listings.iter().min_by_key(|(_, one)| one.asked).map(|(key, _)| key.clone())
        {
            listings.remove(&oldest);
        }
        listings.insert(source.key.clone(), listing);
        Ok((Tags { tags, asked_at }, changed))
    }

    /// Returns the digest that a tag is known to have.
    pub(super) fn digest(&self, key: &str, tag: &Tag) -> Option<Digest> {
        self.with(key, |listing| listing.heads.get(tag.as_str()).map(|head| head.digest.clone())).flatten()
    }

    /// Returns the digests of all tags that have a known one.
    pub(super) fn digests(&self, key: &str) -> HashMap<String, Digest> {
        self.with(key, |listing| listing.heads.iter().map(|(tag, head)| (tag.clone(), head.digest.clone())).collect())
            .unwrap_or_default()
    }

    /// Returns the digests that the registry itself has said lately.
    pub(super) fn digests_seen(&self, key: &str) -> HashMap<String, Digest> {
        let lately = |head: &&Head| head.seen.is_some_and(|seen| seen.elapsed() < STALE);
        self.with(key, |listing| {
            let heads = listing.heads.iter().filter(|(_, head)| lately(head));
            heads.map(|(tag, head)| (tag.clone(), head.digest.clone())).collect()
        })
        .unwrap_or_default()
    }

    /// Returns other tags that are known to hold this digest.
    pub(super) fn known_siblings(&self, key: &str, digest: &Digest, but: &Tag) -> Vec<Tag> {
        self.with(key, |listing| {
            let same =
                |tag: &&Tag| *tag != but && listing.heads.get(tag.as_str()).is_some_and(|head| head.digest == *digest);
            listing.tags.iter().filter(same).cloned().collect()
        })
        .unwrap_or_default()
    }

    /// Returns a tag that is known to hold this digest.
    pub(super) fn tag_of(&self, key: &str, digest: &Digest) -> Option<Tag> {
        self.with(key, |listing| {
            listing
                .tags
                .iter()
                .find(|tag| listing.heads.get(tag.as_str()).is_some_and(|head| head.digest == *digest))
                .cloned()
        })
        .flatten()
    }

    /// Returns why the details of a tag could not be read.
    pub(super) fn failure(&self, key: &str, tag: &Tag) -> Option<Failure> {
        self.with(key, |listing| listing.failures.get(tag.as_str()).map(|(failure, _)| failure.clone())).flatten()
    }

    pub(super) async fn facts(&self, digests: &[Digest]) -> HashMap<Digest, ManifestFacts> {
        self.cache.manifests(digests).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the cache cannot be read");
            HashMap::new()
        })
    }

    /// Keeps what was read about some manifests.
    pub(super) async fn keep_facts(&self, facts: &[(Digest, ManifestFacts)], now: DateTime<Utc>) {
        if let Err(error) = self.cache.keep_manifests(facts, now).await {
            tracing::warn!(%error, "the cache cannot be written");
        }
    }

    /// Begins to read what is not known, or not lately, about these tags. The task ends when all of it is there; an event
    /// says that something changed. `None` when nothing is to be read.
    pub(super) fn read(parts: &Arc<Parts>, source: &Source, tags: &[Tag]) -> Option<JoinHandle<()>> {
        let wanted = parts.versions.with(&source.key, |listing| {
            let fresh = |seen: Instant| seen.elapsed() < FRESH;
            let wanted: Vec<Tag> = tags
                .iter()
                .filter(|tag| !listing.reading.contains(tag.as_str()))
                .filter(|tag| !listing.heads.get(tag.as_str()).and_then(|head| head.seen).is_some_and(fresh))
                .filter(|tag| !listing.failures.get(tag.as_str()).is_some_and(|(_, seen)| fresh(*seen)))
                .cloned()
                .collect();
            listing.reading.extend(wanted.iter().map(|tag| tag.as_str().to_owned()));
            wanted
        });
        let wanted = wanted.filter(|wanted| !wanted.is_empty())?;
        let (parts, source) = (Arc::clone(parts), source.clone());
        Some(tokio::spawn(async move {
            let stop = parts.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = Self::read_all(&parts, &source, &wanted) => {}
            }
        }))
    }

    async fn read_all(parts: &Arc<Parts>, source: &Source, tags: &[Tag]) {
        let mut changed = false;
        // Parts of a long list are written and shown as they come.
        for some in tags.chunks(200) {
            changed |= Self::read_some(parts, source, some).await;
            if changed && tags.len() > some.len() {
                parts.announce(AppEvent::VersionsChanged { repository: source.repository });
                changed = false;
            }
        }
        if changed {
            parts.announce(AppEvent::VersionsChanged { repository: source.repository });
        }
    }

    async fn read_some(parts: &Arc<Parts>, source: &Source, tags: &[Tag]) -> bool {
        let registries = parts.ports.registries.as_ref();
        let heads: Vec<(Tag, Result<Option<Digest>, Failure>)> = futures::stream::iter(tags.iter().cloned())
            .map(|tag| async move {
                let head = registries.head(&source.access, &source.name, tag.as_str()).await;
                (tag, head.map(|head| head.map(|head| head.digest)))
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let digests: HashSet<Digest> =
            heads.iter().filter_map(|(_, head)| head.as_ref().ok().cloned().flatten()).collect();
        let known = parts.versions.facts(&digests.iter().cloned().collect::<Vec<_>>()).await;
        let described: Vec<(Digest, Result<ManifestFacts, Failure>)> =
            futures::stream::iter(digests.into_iter().filter(|digest| !known.contains_key(digest)))
                .map(|digest| async move {
                    let facts = describe::facts(registries, &source.access, &source.name, &digest).await;
                    (digest, facts)
                })
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
        let news = !described.is_empty();
        let mut failed: HashMap<Digest, Failure> = HashMap::new();
        let mut facts = Vec::new();
        for (digest, described) in described {
            match described {
                Ok(one) => facts.push((digest, one)),
                Err(failure) => {
                    failed.insert(digest, failure);
                }
            }
        }
        let now = Instant::now();
        let mut kept = Vec::new();
        let changed = parts.versions.with(&source.key, |listing| {
            let mut changed = news;
            for (tag, head) in heads {
                let name = tag.as_str().to_owned();
                listing.reading.remove(&name);
                let failure = match &head {
                    Ok(Some(digest)) => failed.get(digest).cloned(),
                    Ok(None) => None,
                    Err(failure) => Some(failure.clone()),
                };
                match failure {
                    Some(failure) => changed |= listing.failures.insert(name.clone(), (failure, now)).is_none(),
                    None => changed |= listing.failures.remove(&name).is_some(),
                }
                match head {
                    Ok(Some(digest)) => {
                        kept.push((name.clone(), digest.clone()));
                        let old = listing.heads.insert(name, Head { digest: digest.clone(), seen: Some(now) });
                        changed |= old.is_none_or(|old| old.digest != digest);
                    }
                    // Gone since the list was made.
                    Ok(None) => {
                        changed |= listing.heads.remove(&name).is_some();
                        listing.asked = now.checked_sub(FRESH).unwrap_or(now);
                    }
                    Err(_) => {}
                }
            }
            changed
        });
        let cache = &parts.versions.cache;
        let written = async {
            cache.keep_manifests(&facts, parts.now()).await?;
            cache.keep_heads(&source.key, &kept).await
        };
        if let Err(error) = written.await {
            tracing::warn!(%error, "the cache cannot be written");
        }
        changed.unwrap_or(false)
    }
}
