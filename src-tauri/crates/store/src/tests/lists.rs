//! The lists of builds: filters, pages, totals, search.

use super::{Setup, at, branch, commit, setup};
use crate::BuildFilter;
use crate::build_filter::contains_pattern;
use slipway_core::build::{BuildKind, BuildState};
use slipway_core::code::RefName;
use slipway_core::ids::BuildId;

/// Adds copies of one build by SQL alone: `count` rows over 20 refs, every seventh failed, the rest succeeded.
async fn fill(s: &Setup, count: i64) -> BuildId {
    let template = s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id;
    s.store.request_cancel(template, at(1)).await.unwrap();
    let mut tx = s.store.write().await.unwrap();
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
         INSERT INTO builds (repository_id, number, rule_id, kind, code_repository_id, ref_name, commit_id, state, engine, \
         created_at, started_at, ended_at, inputs, commit_details) \
         SELECT repository_id, number + i, rule_id, CASE i % 3 WHEN 0 THEN 'rerun' ELSE 'manual' END, code_repository_id, \
         'refs/heads/feature-' || (i % 20), commit_id, CASE i % 7 WHEN 0 THEN 'failed' ELSE 'succeeded' END, engine, \
         created_at, created_at, created_at, inputs, commit_details FROM builds, n WHERE id = ?2",
    )
    .bind(count)
    .bind(template.0)
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO build_search (rowid, text) SELECT id, '#' || number || char(10) || substr(ref_name, 12) || char(10) || \
         'fix the door ' || number FROM builds WHERE id > ?",
    )
    .bind(template.0)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    template
}

#[tokio::test]
async fn f37_filters_pages_and_totals_agree_on_20_000_builds() {
    let s = setup().await;
    let template = fill(&s, 20_000).await;
    let all: Vec<_> = (1..=20_000_i64).map(|i| (template.0 + i, i)).collect();
    type Expected = fn(i64) -> bool;
    let of_ref = |part: &str| BuildFilter { ref_contains: part.into(), ..Default::default() };
    let cases: [(BuildFilter, Expected); 11] = [
        (of_ref("ture-19"), |i| i % 20 == 19),
        (BuildFilter { kind: Some(BuildKind::Rerun), ..of_ref("ture-19") }, |i| i % 20 == 19 && i % 3 == 0),
        (BuildFilter { repository: Some(s.repository), ..of_ref("ture-19") }, |i| i % 20 == 19),
        (of_ref("s/feature-19"), |i| i % 20 == 19),
        (of_ref("Feature"), |_| false),
        (BuildFilter { rule: Some(s.rule), repository: Some(s.repository), ..Default::default() }, |_| true),
        (BuildFilter { states: vec![BuildState::Failed, BuildState::Running], ..Default::default() }, |i| i % 7 == 0),
        (BuildFilter { kind: Some(BuildKind::Rerun), ..Default::default() }, |i| i % 3 == 0),
        (
            BuildFilter {
                ref_contains: "heads/feature-19".into(),
                repository: Some(s.repository),
                ..Default::default()
            },
            |i| i % 20 == 19,
        ),
        (BuildFilter { search: " Feature-19\n".into(), states: vec![BuildState::Failed], ..Default::default() }, |i| {
            i % 20 == 19 && i % 7 == 0
        }),
        // Too many for looking into each text.
        (BuildFilter { search: "feature-19".into(), repository: Some(s.repository), ..Default::default() }, |i| {
            i % 20 == 19
        }),
    ];
    for (filter, expected) in cases {
        let mut wanted: Vec<_> = all.iter().filter(|(_, i)| expected(*i)).map(|(id, _)| BuildId(*id)).collect();
        wanted.reverse();
        // The first filter also fits the build that all others are copies of.
        if filter.rule.is_some() {
            wanted.push(template);
        }
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let page = s.store.list_builds(&filter, before, 500).await.unwrap();
            assert_eq!(page.total, wanted.len() as u64, "{filter:?}");
            assert!(page.items.len() <= 500);
            found.extend(page.items.iter().map(|build| build.id));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, wanted, "{filter:?}");
    }
    // What stands in more texts than are looked at one by one.
    let frequent = BuildFilter { states: vec![BuildState::Failed], kind: Some(BuildKind::Rerun), ..of_ref("feature") };
    assert_eq!(s.store.list_builds(&frequent, None, 500).await.unwrap().total, 952);
    // What stands in every full name, and in no text that is looked into.
    let page = s.store.list_builds(&of_ref("ead"), None, 500).await.unwrap();
    assert_eq!((page.items.len(), page.total, page.total_is_exact), (500, 1_000, false));
}

#[tokio::test]
async fn search_finds_parts_of_any_length_in_any_script_and_takes_text_literally() {
    let s = setup().await;
    let tricky = RefName::branch("feature/100%_[x]-é").ok();
    let mut new = s.manual_build();
    new.inputs.ref_name = Some(tricky.unwrap_or_else(|| branch("feature/100%_x-é")));
    new.commit = Some(commit('a', "修复 登录 ÄRGER a*b? [wip]"));
    let build = s.store.create_build(&new, at(1)).await.unwrap().id;
    let plain = s.store.create_build(&s.manual_build(), at(1)).await.unwrap().id;
    for (text, hit) in [
        ("修复", true),
        ("登", true),
        ("ärger", true),
        ("ÄRGER", true),
        ("100%_", true),
        ("a*b?", true),
        ("a*p", false),
        ("[wip]", true),
        ("100%x", false),
        ("-É", true),
        ("#1", true),
        ("李雷", true),
        ("aaaaaaa", true),
        ("nowhere", false),
    ] {
        for repository in [None, Some(s.repository)] {
            let filter = BuildFilter { search: text.into(), repository, ..BuildFilter::default() };
            let page = s.store.list_builds(&filter, None, 10).await.unwrap();
            let found = page.items.iter().any(|found| found.id == build);
            assert_eq!(found, hit, "{filter:?}");
            assert_eq!(page.total as usize, page.items.len(), "{filter:?}");
        }
    }
    assert_eq!(contains_pattern("A*[b]?"), "*a[*][[]b][?]*");
    // What is deleted is not found, and a commit that is known later is.
    s.store.request_cancel(build, at(2)).await.unwrap();
    s.store.delete_record(build).await.unwrap();
    s.store.set_commit(plain, &commit('b', "登录 again")).await.unwrap();
    let filter = BuildFilter { search: "登录".into(), ..BuildFilter::default() };
    let page = s.store.list_builds(&filter, None, 10).await.unwrap();
    assert_eq!(page.items.iter().map(|build| build.id).collect::<Vec<_>>(), [plain]);
}

#[tokio::test]
async fn a_search_counts_no_further_than_a_person_reads() {
    let s = setup().await;
    fill(&s, 1_500).await;
    for (text, total, exact) in [("the door", 1_000, false), ("the door 1499", 1, true)] {
        let filter = BuildFilter { search: text.into(), ..BuildFilter::default() };
        let page = s.store.list_builds(&filter, None, 500).await.unwrap();
        assert_eq!((page.total, page.total_is_exact), (total, exact), "{text}");
        assert_eq!(page.next.is_some(), !exact, "{text}");
    }
}

#[tokio::test]
async fn counting_never_reads_the_wide_rows() {
    let s = setup().await;
    let mut tx = s.store.write().await.unwrap();
    for condition in [
        "1",
        "repository_id = 1",
        "rule_id = 1",
        "repository_id = 1 AND state IN ('failed')",
        "state IN ('failed', 'running') AND kind = 'push'",
        "repository_id = 1 AND rule_id = 1 AND instr(ref_name, 'x') > 0",
    ] {
        for query in [
            format!("SELECT COUNT(*) FROM builds WHERE {condition}"),
            format!("SELECT id FROM builds WHERE {condition} AND id < 50 ORDER BY id DESC LIMIT 51"),
        ] {
            let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}")));
            let rows = plan.fetch_all(&mut *tx).await.unwrap();
            let plan: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
            assert!(plan.iter().any(|line| line.contains("COVERING INDEX")), "{query}: {plan:?}");
        }
    }
}
