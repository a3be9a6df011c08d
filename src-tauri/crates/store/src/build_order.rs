//! Pages of builds that are sorted by a column. A column with few values (state, repository, rule) is walked value by value,
//! each newest first, through the indexes of the lists; the others have an index of their own. What is found by a text is put
//! in order among itself.

use crate::build_filter::{BuildFilter, BuildPage, First, push_fields};
use crate::builds::{BuildRecord, record};
use crate::row::Columns;
use crate::{Store, StoreError};
use slipway_core::build::{BuildColumn, BuildOrder, BuildState};
use slipway_core::ids::{BuildId, ImageRepositoryId, RuleId};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};
use std::collections::HashMap;

/// Ascending: what needs looking at first.
const STATES: [BuildState; 8] = [
    BuildState::Running,
    BuildState::Queued,
    BuildState::Paused,
    BuildState::Failed,
    BuildState::Succeeded,
    BuildState::Cancelled,
    BuildState::Superseded,
    BuildState::Skipped,
];

/// A stretch of the sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    State(BuildState),
    Repository(ImageRepositoryId),
    Rule(Option<RuleId>),
    /// All with a value in a column that has many.
    Known(Value),
    /// All without.
    Unknown(Value),
}

/// A column with many values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    Took,
    ShownAt,
}

impl Value {
    const fn name(self) -> &'static str {
        match self {
            Self::Took => "took",
            Self::ShownAt => "shown_at",
        }
    }

    /// The index is named: without statistics SQLite would rather read the wide rows of one repository.
    const fn index(self) -> &'static str {
        match self {
            Self::Took => " FROM builds INDEXED BY builds_took WHERE 1",
            Self::ShownAt => " FROM builds INDEXED BY builds_shown_at WHERE 1",
        }
    }
}

/// What decides a build's place.
#[derive(Debug, Clone, Copy)]
struct Place {
    id: i64,
    state: BuildState,
    repository: ImageRepositoryId,
    rule: Option<RuleId>,
    took: Option<i64>,
    shown_at: Option<i64>,
}

const PLACE: &str = "SELECT id, state, repository_id, rule_id, took, shown_at FROM builds WHERE id ";

impl Place {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.int("id")?,
            state: row.word("state")?,
            repository: ImageRepositoryId(row.int("repository_id")?),
            rule: row.int_of("rule_id")?.map(RuleId),
            took: row.int_of("took")?,
            shown_at: row.int_of("shown_at")?,
        })
    }

    fn value(&self, value: Value) -> Option<i64> {
        match value {
            Value::Took => self.took,
            Value::ShownAt => self.shown_at,
        }
    }

    fn is_in(&self, part: Part) -> bool {
        match part {
            Part::State(state) => self.state == state,
            Part::Repository(repository) => self.repository == repository,
            Part::Rule(rule) => self.rule == rule,
            Part::Known(value) => self.value(value).is_some(),
            Part::Unknown(value) => self.value(value).is_none(),
        }
    }
}

impl Store {
    /// Returns a page of builds sorted by a column: at most `limit` (1 to 500), those that come after `after` in this order.
    /// With a text to look for, the newest thousand that hold it are sorted.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when `after` was removed; else as every read.
    pub async fn sorted_builds(
        &self,
        filter: &BuildFilter,
        order: BuildOrder,
        after: Option<BuildId>,
        limit: u32,
    ) -> Result<BuildPage, StoreError> {
        let limit = limit.clamp(1, 500) as usize;
        let parts = self.parts(filter, order).await?;
        let (mut ids, total, total_is_exact) = if filter.search.trim().is_empty() {
            let ids = self.walk(filter, order, &parts, after, limit + 1).await?;
            let (total, exact) = self.total(filter, First::Builds).await?;
            (ids, total, exact)
        } else {
            let (hits, exact) = self.newest_hits(filter).await?;
            let total = hits.len() as u64;
            let mut sorted = self.sort(hits, order, &parts).await?;
            if let Some(after) = after {
                let place = sorted.iter().position(|id| *id == after.0);
                sorted.drain(..=place.ok_or_else(|| StoreError::not_found("build", after))?);
            }
            (sorted, total, exact)
        };
        let more = ids.len() > limit;
        ids.truncate(limit);
        let items = self.builds_in_order(&ids).await?;
        let next = if more { ids.last().map(|id| BuildId(*id)) } else { None };
        Ok(BuildPage { items, total, total_is_exact, next })
    }

    /// Returns the stretches of the list in their order.
    async fn parts(&self, filter: &BuildFilter, order: BuildOrder) -> Result<Vec<Part>, StoreError> {
        let mut parts: Vec<Part> = match order.column {
            BuildColumn::State => STATES.map(Part::State).to_vec(),
            BuildColumn::Duration => return Ok(vec![Part::Known(Value::Took), Part::Unknown(Value::Took)]),
            BuildColumn::Time => return Ok(vec![Part::Known(Value::ShownAt)]),
            BuildColumn::Repository => match filter.repository {
                Some(repository) => vec![Part::Repository(repository)],
                None => {
                    let query = "SELECT id FROM image_repositories ORDER BY name COLLATE NOCASE, id";
                    let ids: Vec<i64> = sqlx::query_scalar(query).fetch_all(self.read()).await?;
                    ids.into_iter().map(|id| Part::Repository(ImageRepositoryId(id))).collect()
                }
            },
            BuildColumn::Rule => match filter.rule {
                Some(rule) => vec![Part::Rule(Some(rule))],
                None => {
                    let mut query = QueryBuilder::new("SELECT id FROM build_rules");
                    if let Some(repository) = filter.repository {
                        query.push(" WHERE repository_id = ").push_bind(repository.0);
                    }
                    query.push(" ORDER BY name COLLATE NOCASE, id");
                    let ids: Vec<i64> = query.build_query_scalar().fetch_all(self.read()).await?;
                    ids.into_iter().map(|id| Part::Rule(Some(RuleId(id)))).collect()
                }
            },
        };
        if order.descending {
            parts.reverse();
        }
        if order.column == BuildColumn::Rule && filter.rule.is_none() {
            parts.push(Part::Rule(None));
        }
        Ok(parts)
    }

    /// Walks the parts until there are enough builds, in one snapshot: a build that goes from one state to the next meanwhile
    /// is not seen twice.
    async fn walk(
        &self,
        filter: &BuildFilter,
        order: BuildOrder,
        parts: &[Part],
        after: Option<BuildId>,
        wanted: usize,
    ) -> Result<Vec<i64>, StoreError> {
        let mut tx = self.read().begin().await?;
        let after = match after {
            None => None,
            Some(after) => {
                let row = sqlx::query(sqlx::AssertSqlSafe(format!("{PLACE} = ?")))
                    .bind(after.0)
                    .fetch_optional(&mut *tx)
                    .await?
                    .ok_or_else(|| StoreError::not_found("build", after))?;
                Some(Place::read(&row)?)
            }
        };
        let first = after.and_then(|after| parts.iter().position(|part| after.is_in(*part))).unwrap_or(0);
        let mut ids: Vec<i64> = Vec::new();
        for (nth, part) in parts.iter().enumerate().skip(first) {
            let after = after.filter(|_| nth == first);
            let mut query = part_query(filter, *part, order.descending, after)?;
            query.push(" LIMIT ").push_bind(i64::try_from(wanted - ids.len()).unwrap_or(i64::MAX));
            ids.extend(query.build_query_scalar::<i64>().fetch_all(&mut *tx).await?);
            if ids.len() >= wanted {
                break;
            }
        }
        Ok(ids)
    }

    /// Puts builds into the order of the parts.
    async fn sort(&self, ids: Vec<i64>, order: BuildOrder, parts: &[Part]) -> Result<Vec<i64>, StoreError> {
        let mut query = QueryBuilder::new(PLACE);
        query.push("IN (SELECT value FROM json_each(").push_bind(crate::row::json(&ids)?).push("))");
        let rows = query.build().fetch_all(self.read()).await?;
        let mut places = rows.iter().map(Place::read).collect::<Result<Vec<_>, _>>()?;
        places.sort_by_cached_key(|place| {
            let part = parts.iter().position(|part| place.is_in(*part)).unwrap_or(parts.len());
            match parts.get(part) {
                Some(Part::Known(value)) if !order.descending => (part, place.value(*value).unwrap_or(0), place.id),
                Some(Part::Known(value)) => (part, -place.value(*value).unwrap_or(0), -place.id),
                _ => (part, 0, -place.id),
            }
        });
        Ok(places.into_iter().map(|place| place.id).collect())
    }

    /// Reads builds in the order of their ids.
    pub(crate) async fn builds_in_order(&self, ids: &[i64]) -> Result<Vec<BuildRecord>, StoreError> {
        let mut query = QueryBuilder::new("SELECT * FROM builds WHERE id IN (SELECT value FROM json_each(");
        query.push_bind(crate::row::json(&ids)?).push("))");
        let rows = query.build().fetch_all(self.read()).await?;
        let mut found =
            rows.iter().map(|row| Ok((row.int("id")?, record(row)?))).collect::<Result<HashMap<_, _>, StoreError>>()?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

/// What is read of one part, up to the limit.
fn part_query(
    filter: &BuildFilter,
    part: Part,
    descending: bool,
    after: Option<Place>,
) -> Result<QueryBuilder<Sqlite>, StoreError> {
    let mut query = QueryBuilder::new("SELECT id");
    if let Part::Known(value) | Part::Unknown(value) = part {
        query.push(value.index());
    } else {
        query.push(" FROM builds WHERE 1");
    }
    push_fields(&mut query, filter)?;
    match part {
        Part::State(state) => query.push(" AND state = ").push_bind(state.as_str()),
        Part::Repository(repository) => query.push(" AND repository_id = ").push_bind(repository.0),
        Part::Rule(Some(rule)) => query.push(" AND rule_id = ").push_bind(rule.0),
        Part::Rule(None) => query.push(" AND rule_id IS NULL"),
        Part::Known(value) => query.push(format!(" AND {} IS NOT NULL", value.name())),
        Part::Unknown(value) => query.push(format!(" AND {} IS NULL", value.name())),
    };
    if let Part::Known(value) = part {
        let (name, than, turn) = if descending { (value.name(), '<', "DESC") } else { (value.name(), '>', "ASC") };
        if let Some(after) = after {
            query.push(format!(" AND ({name}, id) {than} ("));
            query.push_bind(after.value(value)).push(", ").push_bind(after.id).push(")");
        }
        query.push(format!(" ORDER BY {name} {turn}, id {turn}"));
    } else {
        if let Some(after) = after {
            query.push(" AND id < ").push_bind(after.id);
        }
        query.push(" ORDER BY id DESC");
    }
    Ok(query)
}
