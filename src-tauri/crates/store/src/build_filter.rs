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

/// With a search text a total is counted up to here: further hits cost time and tell a person nothing.
const SEARCH_TOTAL_LIMIT: i64 = 1_000;

/// `FROM` and `WHERE`. The search table comes first in the join: it gives its rows newest first, one by one, so that a page
/// of a frequent text is found at once, and a rare text through the trigram index.
fn push_filter(query: &mut QueryBuilder<Sqlite>, filter: &BuildFilter) -> Result<(), StoreError> {
    let search = filter.search.trim();
    if search.is_empty() {
        query.push(" FROM builds WHERE 1");
    } else {
        query.push(
            " FROM build_search CROSS JOIN builds ON builds.id = build_search.rowid WHERE build_search.text GLOB ",
        );
        query.push_bind(contains_pattern(search));
    }
    if let Some(repository) = filter.repository {
        query.push(" AND repository_id = ").push_bind(repository.0);
    }
    if let Some(rule) = filter.rule {
        query.push(" AND rule_id = ").push_bind(rule.0);
    }
    if let Some(kind) = filter.kind {
        query.push(" AND kind = ").push_bind(crate::row::word(&kind)?);
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
        let searching = !filter.search.trim().is_empty();
        let id = if searching { "build_search.rowid" } else { "id" };
        let mut count = QueryBuilder::new("SELECT COUNT(*) FROM (SELECT 1");
        push_filter(&mut count, filter)?;
        count.push(" LIMIT ").push_bind(if searching { SEARCH_TOTAL_LIMIT } else { -1 }).push(")");
        let total: i64 = count.build_query_scalar().fetch_one(self.read()).await?;

        let limit = limit.clamp(1, 500);
        // Ids first, from an index; then the wide rows of this page alone.
        let mut query = QueryBuilder::new(format!("SELECT * FROM builds WHERE id IN (SELECT {id}"));
        push_filter(&mut query, filter)?;
        if let Some(before) = before {
            query.push(format!(" AND {id} < ")).push_bind(before.0);
        }
        query.push(format!(" ORDER BY {id} DESC LIMIT ")).push_bind(i64::from(limit) + 1).push(") ORDER BY id DESC");
        let rows = query.build().fetch_all(self.read()).await?;
        let more = rows.len() > limit as usize;
        let items = rows.iter().take(limit as usize).map(record).collect::<Result<Vec<_>, _>>()?;
        let next = if more { items.last().map(|build| build.id) } else { None };
        let total_is_exact = !searching || total < SEARCH_TOTAL_LIMIT;
        Ok(BuildPage { items, total: u64::try_from(total).unwrap_or(0), total_is_exact, next })
    }
}
