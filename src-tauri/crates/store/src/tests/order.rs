//! Lists of builds that are sorted by a column.

use super::{Setup, at, repository_spec, rule_spec, setup};
use crate::{BuildFilter, StoreError};
use slipway_core::build::{BuildColumn, BuildOrder, BuildState};
use slipway_core::ids::{BuildId, ImageRepositoryId, RuleId};
use std::cmp::Reverse;

/// What a build is sorted by in these tests.
#[derive(Debug, Clone)]
struct Made {
    id: BuildId,
    state: BuildState,
    repository: &'static str,
    rule: Option<&'static str>,
    took: Option<i64>,
    shown: i64,
}

const STATES: [BuildState; 4] = [BuildState::Failed, BuildState::Succeeded, BuildState::Running, BuildState::Skipped];

/// 60 builds of two repositories and three rules; some without a rule, some without a duration.
async fn fill(s: &Setup) -> Vec<Made> {
    let registry = s.store.local_engine().await.unwrap().id;
    let other = s.store.insert_image_repository(&repository_spec(registry, "a/web"), None, at(0)).await.unwrap();
    let mut rules: Vec<(ImageRepositoryId, &'static str, Option<RuleId>, Option<&'static str>)> =
        vec![(s.repository, "team/app", Some(s.rule), Some("main")), (other, "a/web", None, None)];
    for (repository, owner, name) in [(s.repository, "team/app", "Beta"), (other, "a/web", "alpha")] {
        let rule = s.store.insert_rule(repository, &rule_spec(s.code, name), at(0)).await.unwrap();
        rules.push((repository, owner, Some(rule), Some(name)));
    }
    let mut made = Vec::new();
    for i in 0..60_usize {
        let (repository, owner, rule, name) = rules[i * 7 % rules.len()];
        let mut new = s.manual_build();
        new.repository = repository;
        new.inputs.rule = rule;
        let id = s.store.create_build(&new, at(i64::try_from(i).unwrap())).await.unwrap().id;
        let state = STATES[i % STATES.len()];
        let number = i64::try_from(i).unwrap();
        let started = (state != BuildState::Skipped).then_some(1_000_000 + number);
        let took = (state != BuildState::Running).then_some(number * 31 % 9);
        let ended = took.map(|took| 1_000_000 + number + took);
        let mut tx = s.store.write().await.unwrap();
        sqlx::query("UPDATE builds SET state = ?, started_at = ?, ended_at = ?, created_at = ? WHERE id = ?")
            .bind(state.as_str())
            .bind(started)
            .bind(ended)
            .bind(500 + number)
            .bind(id.0)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let took = took.filter(|_| started.is_some());
        made.push(Made { id, state, repository: owner, rule: name, took, shown: ended.unwrap_or(500 + number) });
    }
    made
}

fn order(column: BuildColumn, descending: bool) -> BuildOrder {
    BuildOrder { column, descending }
}

/// All pages of a few builds each, together.
async fn read(s: &Setup, filter: &BuildFilter, order: BuildOrder, limit: u32) -> Vec<BuildId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = s.store.sorted_builds(filter, order, after, limit).await.unwrap();
        found.extend(page.items.iter().map(|build| build.id));
        after = page.next;
        if after.is_none() {
            assert_eq!((page.total, page.total_is_exact), (found.len() as u64, true));
            return found;
        }
    }
}

/// The same by plain sorting.
fn expected(made: &[Made], order: BuildOrder) -> Vec<BuildId> {
    let mut made = made.to_vec();
    made.sort_by_key(|one| Reverse(one.id));
    let turn = |text: &str| text.to_lowercase();
    let rank = |state| {
        [BuildState::Running, BuildState::Failed, BuildState::Succeeded, BuildState::Skipped]
            .iter()
            .position(|one| *one == state)
    };
    match (order.column, order.descending) {
        (BuildColumn::State, false) => made.sort_by_key(|one| rank(one.state)),
        (BuildColumn::State, true) => made.sort_by_key(|one| Reverse(rank(one.state))),
        (BuildColumn::Repository, false) => made.sort_by_key(|one| one.repository),
        (BuildColumn::Repository, true) => made.sort_by_key(|one| Reverse(one.repository)),
        (BuildColumn::Rule, false) => made.sort_by_key(|one| (one.rule.is_none(), one.rule.map(turn))),
        (BuildColumn::Rule, true) => made.sort_by_key(|one| (one.rule.is_none(), Reverse(one.rule.map(turn)))),
        (BuildColumn::Duration, false) => {
            made.sort_by_key(|one| (one.took.is_none(), one.took, one.took.map(|_| one.id)));
        }
        (BuildColumn::Duration, true) => made.sort_by_key(|one| (one.took.is_none(), Reverse(one.took))),
        (BuildColumn::Time, false) => made.sort_by_key(|one| (one.shown, one.id)),
        (BuildColumn::Time, true) => made.sort_by_key(|one| Reverse((one.shown, one.id))),
    }
    made.into_iter().map(|one| one.id).collect()
}

const COLUMNS: [BuildColumn; 5] =
    [BuildColumn::State, BuildColumn::Repository, BuildColumn::Rule, BuildColumn::Duration, BuildColumn::Time];

#[tokio::test]
async fn every_column_sorts_both_ways_over_pages_and_filters() {
    let s = setup().await;
    let made = fill(&s).await;
    type Fits = fn(&Made) -> bool;
    let rule = BuildFilter { rule: Some(s.rule), ..BuildFilter::default() };
    let cases: [(BuildFilter, Fits); 6] = [
        (BuildFilter::default(), |_| true),
        (BuildFilter { repository: Some(s.repository), ..BuildFilter::default() }, |one| one.repository == "team/app"),
        (rule, |one| one.rule == Some("main")),
        (BuildFilter { states: vec![BuildState::Failed], ..BuildFilter::default() }, |one| {
            one.state == BuildState::Failed
        }),
        (BuildFilter { ref_contains: "nowhere".into(), ..BuildFilter::default() }, |_| false),
        // Found by a text: put in order among themselves.
        (BuildFilter { search: "the door".into(), repository: Some(s.repository), ..BuildFilter::default() }, |one| {
            one.repository == "team/app"
        }),
    ];
    for (filter, fits) in cases {
        let wanted: Vec<_> = made.iter().filter(|one| fits(one)).cloned().collect();
        for column in COLUMNS {
            for descending in [false, true] {
                let order = order(column, descending);
                for limit in [7, 500] {
                    let found = read(&s, &filter, order, limit).await;
                    assert_eq!(found, expected(&wanted, order), "{order:?} {filter:?} {limit}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_page_after_a_build_that_was_removed_is_refused() {
    let s = setup().await;
    fill(&s).await;
    let gone = BuildId(9_999);
    for search in ["", "the door"] {
        let filter = BuildFilter { search: search.into(), ..BuildFilter::default() };
        let page = s.store.sorted_builds(&filter, order(BuildColumn::Duration, true), Some(gone), 10).await;
        assert!(matches!(page, Err(StoreError::NotFound { .. })), "{page:?}");
    }
}

#[tokio::test]
async fn a_sorted_page_never_reads_the_wide_rows_and_sorts_nothing() {
    let s = setup().await;
    let mut tx = s.store.write().await.unwrap();
    for query in [
        "SELECT id FROM builds INDEXED BY builds_took WHERE took IS NOT NULL AND state = 'failed' \
         AND (took, id) < (5, 7) ORDER BY took DESC, id DESC LIMIT 51",
        "SELECT id FROM builds INDEXED BY builds_took WHERE took IS NULL AND repository_id = 1 ORDER BY id DESC LIMIT 51",
        "SELECT id FROM builds INDEXED BY builds_shown_at WHERE shown_at IS NOT NULL AND kind = 'push' \
         AND repository_id = 1 ORDER BY shown_at ASC, id ASC LIMIT 51",
        "SELECT id FROM builds WHERE state = 'failed' AND id < 9 ORDER BY id DESC LIMIT 51",
        "SELECT id FROM builds WHERE rule_id IS NULL AND state IN ('failed') ORDER BY id DESC LIMIT 51",
    ] {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")));
        let rows = plan.fetch_all(&mut *tx).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
        assert!(plan.iter().any(|line| line.contains("COVERING INDEX")), "{query}: {plan:?}");
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{query}: {plan:?}");
    }
}
