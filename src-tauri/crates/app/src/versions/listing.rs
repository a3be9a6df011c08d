//! A page of versions at a registry.

use super::book::{Source, VersionBook};
use super::{Shelf, VersionQuery, describe};
use slipway_core::Failure;
use slipway_core::image::{Digest, RegistryAccess, Tag};
use slipway_core::version::{FuzzySearch, VersionPage, VersionSort};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::time::Duration;

/// A page waits so long for details that are not known yet; what comes later is announced.
const PATIENCE: Duration = Duration::from_millis(100);
/// While somebody types a search, each letter asks for another page.
const PATIENCE_OF_SEARCH: Duration = Duration::from_millis(10);

impl Shelf<'_> {
    pub(super) fn source(&self, access: &RegistryAccess) -> Source {
        Source {
            key: self.key(access),
            repository: self.repository.id,
            name: self.repository.spec.name.clone(),
            access: access.clone(),
        }
    }

    pub(super) async fn registry_page(
        &self,
        access: &RegistryAccess,
        query: &VersionQuery,
    ) -> Result<VersionPage, Failure> {
        let source = self.source(access);
        let book = &self.parts.versions;
        let listed = VersionBook::tags(self.parts, &source, query.refresh).await?;
        let search = FuzzySearch::new(&query.search);
        let fits = |tag: &Tag| search.rank(tag.as_str());
        let mut found: Vec<(u8, &Tag)> = listed.tags.iter().filter_map(|tag| Some((fits(tag)?, tag))).collect();
        if query.ascending {
            found.reverse();
        }
        let sorted = self.sort(&source, query, &mut found).await?;
        let page: Vec<Tag> = found.iter().skip(query.offset).take(query.limit).map(|(_, tag)| (*tag).clone()).collect();
        if let Some(reading) = VersionBook::read(self.parts, &source, &page) {
            let patience = if query.search.is_empty() { PATIENCE } else { PATIENCE_OF_SEARCH };
            // What is not there by then is announced when it is.
            let _ = tokio::time::timeout(patience, reading).await;
        }
        let mut items = self.rows(&page, |tag| book.digest(&source.key, tag)).await?;
        let digests: Vec<Digest> = items.iter().filter_map(|row| row.digest.clone()).collect();
        let facts = book.facts(&digests).await;
        let mut pending = 0;
        for row in &mut items {
            row.failure = book.failure(&source.key, &row.tag);
            match row.digest.as_ref().and_then(|digest| facts.get(digest)) {
                Some(facts) => describe::fill_in(row, facts),
                None if row.failure.is_none() => pending += 1,
                None => {}
            }
        }
        Ok(VersionPage {
            items,
            total: found.len() as u64,
            all: listed.tags.len() as u64,
            pending,
            sorted,
            checked_at: listed.asked_at,
            local: false,
        })
    }

    /// Sorts tags, which come in the order of their names; better matches of a search come first. Returns how many could be
    /// sorted.
    async fn sort(&self, source: &Source, query: &VersionQuery, found: &mut [(u8, &Tag)]) -> Result<u64, Failure> {
        let all = found.len() as u64;
        // Newest, greatest first unless asked otherwise; what is not known stands last either way.
        let turned = |order: Ordering| if query.ascending { order } else { order.reverse() };
        let known: HashMap<String, i64> = match query.sort {
            VersionSort::Name => {
                found.sort_by_key(|(rank, _)| *rank);
                return Ok(all);
            }
            VersionSort::Pushed => {
                let times = self.parts.store.tag_times(self.repository.id).await?;
                times.into_iter().map(|(tag, at)| (tag, at.timestamp_millis())).collect()
            }
            VersionSort::Created | VersionSort::Size => {
                let book = &self.parts.versions;
                let digests = book.digests(&source.key);
                let facts = book.facts(&digests.values().cloned().collect::<Vec<_>>()).await;
                let value = |digest: &Digest| {
                    let facts = facts.get(digest)?;
                    match query.sort {
                        VersionSort::Size => i64::try_from(facts.size).ok(),
                        _ => Some(facts.created?.timestamp_millis()),
                    }
                };
                let unknown: Vec<Tag> = found
                    .iter()
                    .filter(|(_, tag)| digests.get(tag.as_str()).is_none_or(|digest| !facts.contains_key(digest)))
                    .map(|(_, tag)| (*tag).clone())
                    .collect();
                // In the background: each part that is there moves to its place with an event.
                drop(VersionBook::read(self.parts, source, &unknown));
                digests.iter().filter_map(|(tag, digest)| Some((tag.clone(), value(digest)?))).collect()
            }
        };
        let value = |tag: &Tag| known.get(tag.as_str());
        // Stable: what is equal stays in the order of the names.
        found.sort_by(|(rank_a, a), (rank_b, b)| {
            rank_a.cmp(rank_b).then_with(|| match (value(a), value(b)) {
                (Some(x), Some(y)) => turned(x.cmp(y)),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            })
        });
        let sorted = found.iter().filter(|(_, tag)| value(tag).is_some()).count() as u64;
        Ok(if query.sort == VersionSort::Pushed { all } else { sorted })
    }
}
