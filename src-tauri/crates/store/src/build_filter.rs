//! The lists of builds: filters, pages by id, totals. Filters are answered from covering indexes and the search table;
//! only the rows of one page are read.

use crate::builds::{BuildRecord, record};
use crate::{Store, StoreError};
use slipway_core::build::{BuildKind, BuildState};
use slipway_core::ids::{BuildId, ImageRepositoryId, RuleId};
use sqlx::{QueryBuilder, Sqlite};

/// Which builds. Empty fields do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildFilter {
    /// Of this repository.
    pub repository: Option<ImageRepositoryId>,
    /// Of this rule.
    pub rule: Option<RuleId>,
    /// In one of these states.
    pub states: Vec<BuildState>,
    /// Whose full ref name contains this.
    pub ref_contains: String,
    /// Of this kind.
    pub kind: Option<BuildKind>,
    /// Whose number, ref, commit, rule, commit summary or author contains this, whatever the case.
    pub search: String,
}

impl BuildFilter {
    /// Returns the part of a ref's name when the trigram index can be asked for it. The texts hold names without `refs/heads/`
    /// and folded: what has a slash, or stands in what they lack, may be found in a name and not in its text.
    fn indexed_ref(&self) -> Option<&str> {
        let part = self.ref_contains.as_str();
        let in_texts = part.is_ascii() && part.len() >= TRIGRAM && !part.contains('/');
        (in_texts && !["refs", "heads", "tags"].iter().any(|left_out| left_out.contains(part))).then_some(part)
    }
}

/// A page of builds.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildPage {
    /// The builds, newest first.
    pub items: Vec<BuildRecord>,
    /// How many fit the filter in all.
    pub total: u64,
    /// False when a search found more than it counted: there are `total` or more.
    pub total_is_exact: bool,
    /// Ask for builds before this one to get the next page; `None` on the last page.
    pub next: Option<BuildId>,
}

/// With a text to look for, in a ref or anywhere, a total is counted up to here: further hits cost time and tell a person nothing.
const SEARCH_TOTAL_LIMIT: i64 = 1_000;

/// A filter that leaves fewer builds than this is answered first, and the text is looked for in what it leaves.
const FEW_BUILDS: i64 = 20_000;
/// A part of a ref that stands in fewer texts than this is looked for in these, else in the indexes of the builds.
const FEW_HITS: i64 = 2_000;
/// The trigram index knows texts from this many characters on.
const TRIGRAM: usize = 3;

/// What is read first, newest first and one by one, so that a page that fills up early ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// The indexes of the builds: without a text, or when the other filters leave few.
    Builds,
    /// The trigram index: finds a rare text at once.
    Trigrams,
    /// All texts, for one that is too short for the trigram index. FTS5's own table of texts is half the way of a scan
    /// through FTS5.
    Texts,
}

impl First {
    /// Returns the id of a build in this order.
    const fn id(self) -> &'static str {
        match self {
            Self::Builds => "builds.id",
            Self::Trigrams => "build_search.rowid",
            Self::Texts => "texts.id",
        }
    }
}

/// `FROM` and `WHERE`.
fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &BuildFilter, first: First) -> Result<(), StoreError> {
    let search = filter.search.trim();
    match first {
        First::Builds if search.is_empty() => match filter.kind.filter(|_| is_of_a_kind_only(filter)) {
            Some(kind) => {
                query.push(" FROM builds INDEXED BY builds_kind WHERE kind = ").push_bind(crate::row::word(&kind)?);
            }
            None => {
                query.push(" FROM builds WHERE 1");
            }
        },
        First::Builds => {
            query.push(" FROM builds CROSS JOIN build_search_content AS texts ON texts.id = builds.id WHERE ");
            push_contains(query, search);
        }
        First::Trigrams => {
            let text = if search.is_empty() { filter.ref_contains.as_str() } else { search };
            query.push(" FROM build_search CROSS JOIN builds ON builds.id = build_search.rowid WHERE text GLOB ");
            query.push_bind(contains_pattern(text));
        }
        First::Texts => {
            query.push(" FROM build_search_content AS texts CROSS JOIN builds ON builds.id = texts.id WHERE ");
            push_contains(query, search);
        }
    }
    push_fields(query, filter)
}

/// Whether nothing that has an index of its own is asked for besides the kind.
fn is_of_a_kind_only(filter: &BuildFilter) -> bool {
    filter.repository.is_none() && filter.rule.is_none() && filter.states.is_empty()
}

/// The text without an index. GLOB is the faster of the two where the text begins with ASCII, and the slower elsewhere.
fn push_contains(query: &mut QueryBuilder<Sqlite>, search: &str) {
    if search.starts_with(|c: char| c.is_ascii()) {
        query.push("texts.c0 GLOB ").push_bind(contains_pattern(search));
    } else {
        query.push("instr(texts.c0, ").push_bind(search.to_lowercase()).push(") > 0");
    }
}

/// Everything but the text.
pub(crate) fn push_fields(query: &mut QueryBuilder<Sqlite>, filter: &BuildFilter) -> Result<(), StoreError> {
    if let Some(repository) = filter.repository {
        query.push(" AND repository_id = ").push_bind(repository.0);
    }
    if let Some(rule) = filter.rule {
        query.push(" AND rule_id = ").push_bind(rule.0);
    }
    if let Some(kind) = filter.kind {
        // With the sign no index is looked for: without statistics SQLite would take a kind for as rare as a repository.
        query.push(" AND +kind = ").push_bind(crate::row::word(&kind)?);
    }
    if !filter.states.is_empty() {
        query.push(" AND state IN (");
        let mut list = query.separated(", ");
        for state in &filter.states {
            list.push_bind(state.as_str());
        }
        query.push(")");
    }
    if !filter.ref_contains.is_empty() {
        query.push(" AND instr(ref_name, ").push_bind(filter.ref_contains.clone()).push(") > 0");
    }
    Ok(())
}

/// A GLOB pattern for "contains", which the trigram index answers from three characters on. The text is folded as the
/// search table's is.
pub(crate) fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from("*");
    for c in text.to_lowercase().chars() {
        if matches!(c, '*' | '?' | '[') {
            pattern.extend(['[', c, ']']);
        } else {
            pattern.push(c);
        }
    }
    pattern.push('*');
    pattern
}

impl Store {
    /// Returns a page of builds, newest first: at most `limit` (1 to 500) with ids below `before`.
    ///
    /// # Errors
    /// As every read.
    pub async fn list_builds(
        &self,
        filter: &BuildFilter,
        before: Option<BuildId>,
        limit: u32,
    ) -> Result<BuildPage, StoreError> {
        let first = self.read_first(filter).await?;
        let id = first.id();
        let limit = limit.clamp(1, 500);
        if before.is_none() && (!filter.search.trim().is_empty() || !filter.ref_contains.is_empty()) {
            return self.search_builds(filter, first, limit).await;
        }
        // Ids first, from an index; then the wide rows of this page alone.
        let mut query = QueryBuilder::new(format!("SELECT * FROM builds WHERE id IN (SELECT {id}"));
        push_filter(&mut query, filter, first)?;
        if let Some(before) = before {
            query.push(format!(" AND {id} < ")).push_bind(before.0);
        }
        query.push(format!(" ORDER BY {id} DESC LIMIT ")).push_bind(i64::from(limit) + 1).push(") ORDER BY id DESC");
        let rows = query.build().fetch_all(self.read()).await?;
        let more = rows.len() > limit as usize;
        let items = rows.iter().take(limit as usize).map(record).collect::<Result<Vec<_>, _>>()?;
        let next = if more { items.last().map(|build| build.id) } else { None };
        let (total, total_is_exact) = if before.is_none() && !more {
            // The only page.
            (items.len() as u64, true)
        } else {
            self.total(filter, first).await?
        };
        Ok(BuildPage { items, total, total_is_exact, next })
    }

    /// Returns the first page of builds with a text in them. Looking for it is what takes time, so it is done once: for the page
    /// and for the total.
    async fn search_builds(&self, filter: &BuildFilter, first: First, limit: u32) -> Result<BuildPage, StoreError> {
        let (ids, total_is_exact) = self.hits(filter, first).await?;
        let page = &ids[..ids.len().min(limit as usize)];
        let items = self.builds_in_order(page).await?;
        let next = if page.len() < ids.len() { page.last().map(|id| BuildId(*id)) } else { None };
        Ok(BuildPage { items, total: ids.len() as u64, total_is_exact, next })
    }

    /// Returns the newest builds with a text in them, and whether these are all.
    pub(crate) async fn newest_hits(&self, filter: &BuildFilter) -> Result<(Vec<i64>, bool), StoreError> {
        let first = self.read_first(filter).await?;
        self.hits(filter, first).await
    }

    async fn hits(&self, filter: &BuildFilter, first: First) -> Result<(Vec<i64>, bool), StoreError> {
        let id = first.id();
        let mut query = QueryBuilder::new(format!("SELECT {id}"));
        push_filter(&mut query, filter, first)?;
        query.push(format!(" ORDER BY {id} DESC LIMIT ")).push_bind(SEARCH_TOTAL_LIMIT);
        let ids: Vec<i64> = query.build_query_scalar().fetch_all(self.read()).await?;
        let all = ids.len() < usize::try_from(SEARCH_TOTAL_LIMIT).unwrap_or(usize::MAX);
        Ok((ids, all))
    }

    /// Returns how many builds fit, and whether they were counted to the end.
    pub(crate) async fn total(&self, filter: &BuildFilter, first: First) -> Result<(u64, bool), StoreError> {
        let searching = !filter.search.trim().is_empty() || !filter.ref_contains.is_empty();
        let mut count = QueryBuilder::new("SELECT COUNT(*)");
        if searching {
            count.push(" FROM (SELECT 1");
            push_filter(&mut count, filter, first)?;
            count.push(" LIMIT ").push_bind(SEARCH_TOTAL_LIMIT).push(")");
        } else {
            // Without the limit's inner query: that would make SQLite hand over row by row, ten times slower.
            push_filter(&mut count, filter, first)?;
        }
        let total: i64 = count.build_query_scalar().fetch_one(self.read()).await?;
        Ok((u64::try_from(total).unwrap_or(0), !searching || total < SEARCH_TOTAL_LIMIT))
    }

    /// Decides what is read first.
    async fn read_first(&self, filter: &BuildFilter) -> Result<First, StoreError> {
        let search = filter.search.trim();
        if search.is_empty() {
            return match filter.indexed_ref() {
                Some(part) if self.is_rare(part).await? => Ok(First::Trigrams),
                _ => Ok(First::Builds),
            };
        }
        let by_text = if search.chars().count() < TRIGRAM { First::Texts } else { First::Trigrams };
        if *filter == (BuildFilter { search: filter.search.clone(), ..BuildFilter::default() }) {
            return Ok(by_text);
        }
        let mut count = QueryBuilder::new("SELECT COUNT(*) FROM (SELECT 1 FROM builds WHERE 1");
        push_fields(&mut count, filter)?;
        count.push(" LIMIT ").push_bind(FEW_BUILDS).push(")");
        let left: i64 = count.build_query_scalar().fetch_one(self.read()).await?;
        Ok(if left < FEW_BUILDS { First::Builds } else { by_text })
    }

    /// Returns whether few texts hold a part of a ref: commits and authors stand in them too, and each hit is looked at.
    async fn is_rare(&self, part: &str) -> Result<bool, StoreError> {
        let hits = "SELECT COUNT(*) FROM (SELECT 1 FROM build_search WHERE text GLOB ? LIMIT ?)";
        let hits: i64 =
            sqlx::query_scalar(hits).bind(contains_pattern(part)).bind(FEW_HITS).fetch_one(self.read()).await?;
        Ok(hits < FEW_HITS)
    }
}
