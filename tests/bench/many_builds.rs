//! B7: 100,000 builds in the store.

use crate::figures::{Figure, median, millis, percentile_95};
use serde_json::{Value, json};
use slipway_core::build::{BuildInputs, BuildKind, BuildState};
use slipway_core::code::{CommitDetails, CommitId, RefName, RepoPath};
use slipway_core::ids::{CodeRepositoryId, ObservationId, RuleId};
use slipway_core::rule::{BuildOptions, VersionRule};
use slipway_flows::{Product, walkthrough};
use slipway_testkit::GitRepository;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{Connection as _, SqliteConnection};
use std::path::Path;
use std::time::Instant;

const BUILDS: i64 = 100_000;
const REPOSITORIES: usize = 20;
const RULES_PER_REPOSITORY: usize = 3;
/// Requests for each kind of filter.
const REQUESTS: usize = 40;
const STARTS: usize = 7;

/// `B7.list`: pages of 50 over the api of the running program, with filters of many kinds; the figure is the 95th percentile of
/// the slowest kind. `B7.start`: the program's start until its greeting, after it was killed.
pub(crate) async fn list_and_start() -> [Figure; 2] {
    let mut product = Product::start().await;
    let places = places(&product).await;
    product.kill().await;
    fill(&product.data_dir().join("state.db"), &places).await;
    product.kill_and_start_again().await;
    let list = list(&product, &places).await;
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        product.kill().await;
        let begun = Instant::now();
        product.kill_and_start_again().await;
        starts.push(millis(begun.elapsed()));
    }
    let worst = starts.iter().copied().fold(0.0, f64::max);
    let start = Figure {
        value: median(&starts),
        ours_ms: Some(median(&starts)),
        peer_ms: None,
        runs: STARTS,
        note: format!("slowest start {worst:.0} ms"),
    };
    [list, start]
}

/// Where builds belong: an image repository, one of its rules, their code.
struct Place {
    repository: i64,
    rule: i64,
    code: i64,
}

async fn places(product: &Product) -> Vec<Place> {
    let code = GitRepository::new().await;
    code.write("Dockerfile", "FROM scratch\n").commit("first").await;
    let code = walkthrough::add_clone(product, "code", &code).await;
    let registries = product.must("registries.list", json!({})).await;
    let local = registries.as_array().into_iter().flatten().find(|one| one["kind"] == "local_engine");
    let registry = local.expect("the local engine is a registry of every product")["id"].clone();
    let id = |value: &Value| value.as_i64().expect("ids are numbers");
    let mut places = Vec::new();
    for number in 0..REPOSITORIES {
        let name = format!("team/service-{number}");
        let repository = walkthrough::add_repository(product, &registry, &Value::Null, &name).await;
        for rule in 0..RULES_PER_REPOSITORY {
            let rule = walkthrough::add_rule(product, &repository, &code, &format!("rule-{rule}")).await;
            places.push(Place { repository: id(&repository), rule: id(&rule), code: id(&code) });
        }
    }
    places
}

/// Writes the builds straight into the database, as many years of use would have left them.
async fn fill(database: &Path, places: &[Place]) {
    let options = SqliteConnectOptions::new().filename(database).synchronous(SqliteSynchronous::Off);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the database opens");
    let mut tx = connection.begin().await.expect("a transaction begins");
    for build in 1..=BUILDS {
        let made = Made::new(build, places);
        sqlx::query(
            "INSERT INTO builds (id, repository_id, number, rule_id, kind, code_repository_id, ref_name, observation_id, \
             commit_id, state, stage, engine, attempt, created_at, started_at, ended_at, image_id, content_identity, \
             image_size, log_lines, log_bytes, platforms, tags, inputs, commit_details) VALUES \
             (?1, ?2, ?1, ?3, ?4, ?5, ?6, ?1, ?7, ?8, 'push', 'local', 1, ?9, ?9, ?9, ?10, ?10, 4096, 40, 4000, '[]', ?11, \
             ?12, ?13)",
        )
        .bind(build)
        .bind(made.place.repository)
        .bind(made.place.rule)
        .bind(made.kind)
        .bind(made.place.code)
        .bind(made.ref_name.as_str())
        .bind(made.commit.id.as_str())
        .bind(made.state.as_str())
        .bind(made.commit.committed_at.timestamp_millis())
        .bind(format!("sha256:{build:064}"))
        .bind(json!([format!("main-{}", made.commit.id.short())]).to_string())
        .bind(serde_json::to_string(&made.inputs()).expect("inputs are JSON"))
        .bind(serde_json::to_string(&made.commit).expect("a commit is JSON"))
        .execute(&mut *tx)
        .await
        .expect("a build fits its table");
        sqlx::query("INSERT INTO build_search (rowid, text) VALUES (?, ?)")
            .bind(build)
            .bind(made.search_text(build))
            .execute(&mut *tx)
            .await
            .expect("a text fits its table");
    }
    for statement in [
        "UPDATE image_repositories SET next_build_number = 200000",
        "INSERT INTO publications (build_id, tag, target, state, attempt, moved_at) SELECT id, 'main-' || substr(commit_id, 1, 7), \
         'docker.io/team/service:main', 'done', 1, ended_at FROM builds WHERE state = 'succeeded'",
        "INSERT INTO build_stages (build_id, stage, started_at, ended_at, outcome) SELECT builds.id, json_each.value, \
         started_at, ended_at, 'succeeded' FROM builds, json_each('[\"checkout\", \"build\", \"push\", \"triggers\"]')",
        "INSERT INTO tag_moves (repository_id, tag, build_id, image_id, content_identity, changed, moved_at) SELECT \
         repository_id, 'latest', id, image_id, content_identity, 1, ended_at FROM builds WHERE state = 'succeeded'",
    ] {
        sqlx::query(statement).execute(&mut *tx).await.expect("the rows fit their tables");
    }
    tx.commit().await.expect("the builds are stored");
    connection.close().await.expect("the database closes");
}

/// One build, made from its number alone.
struct Made<'places> {
    place: &'places Place,
    kind: &'static str,
    state: BuildState,
    ref_name: RefName,
    commit: CommitDetails,
    observation: i64,
}

impl<'places> Made<'places> {
    fn new(build: i64, places: &'places [Place]) -> Self {
        let mut dice = Dice(u64::try_from(build).expect("ids are positive").wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let place = &places[dice.below(places.len())];
        let kind = match dice.below(20) {
            0 => "rerun",
            1 => "manual",
            _ => "push",
        };
        let state = match dice.below(100) {
            0..=84 => BuildState::Succeeded,
            85..=93 => BuildState::Failed,
            94 | 95 => BuildState::Cancelled,
            96 | 97 => BuildState::Superseded,
            _ => BuildState::Skipped,
        };
        let branch = match dice.below(10) {
            0..=3 => "main".to_owned(),
            4 => format!("release/1.{}", dice.below(40)),
            5 => format!("修复-{}", dice.below(300)),
            _ => format!("feature-{}", dice.below(3_000)),
        };
        let word = |dice: &mut Dice, words: &[&'static str]| words[dice.below(words.len())];
        let verb = word(&mut dice, &["Fix", "Add", "Remove", "Rework", "Explain", "Test", "升级"]);
        let thing =
            word(&mut dice, &["the door", "login page", "retry logic", "timeouts", "a flaky test", "文档", "cache"]);
        let author = word(&mut dice, &["Ann", "Bo Chen", "Émile", "Fatima", "李雷", "Jürgen", "Olga", "Tom"]);
        let id =
            CommitId::new(format!("{:016x}{:016x}{:08x}", dice.next(), dice.next(), build)).expect("40 hex digits");
        let at = chrono::DateTime::from_timestamp(1_700_000_000 + build * 300, 0).expect("it is a time");
        let summary = format!("{verb} {thing} ({})", dice.below(5_000));
        Self {
            place,
            kind,
            state,
            ref_name: RefName::branch(&branch).expect("it is a branch name"),
            commit: commit(id, summary, author, at),
            observation: build,
        }
    }

    fn inputs(&self) -> BuildInputs {
        BuildInputs {
            rule: Some(RuleId(self.place.rule)),
            rule_name: Some("rule".to_owned()),
            code: Some(CodeRepositoryId(self.place.code)),
            ref_name: Some(self.ref_name.clone()),
            commit: Some(self.commit.id.clone()),
            observation: Some(ObservationId(self.observation)),
            dockerfile_path: RepoPath::new("Dockerfile").expect("it is a path"),
            context_dir: RepoPath::root(),
            version: VersionRule::Templates { templates: vec!["{branch}-{short_sha}".to_owned()] },
            fixed_tags: Vec::new(),
            groups: std::collections::BTreeMap::new(),
            overwrite_tag: None,
            options: BuildOptions::default(),
            strategy: slipway_core::rule::Strategy::default(),
            upload: None,
        }
    }

    /// The text that the store looks for words in.
    fn search_text(&self, build: i64) -> String {
        let (commit, branch) = (&self.commit, self.ref_name.short());
        format!("#{build}\n{branch}\n{}\nrule\n{}\n{}", commit.id, commit.summary, commit.author).to_lowercase()
    }
}

/// xorshift64: the same builds in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).expect("limits are small")).expect("it is below the limit")
    }
}

/// A kind of filter: its name, and its request of the nth time.
type Kind = (&'static str, fn(usize, &[Place]) -> Value);

const KINDS: [Kind; 28] = [
    ("no filter", |_, _| json!({})),
    ("a page further down", |n, _| json!({ "before": 99_000 - 2_400 * n })),
    ("repository", |n, places| json!({ "repository": places[n % places.len()].repository })),
    ("rule", |n, places| json!({ "rule": places[n % places.len()].rule })),
    ("failed", |n, _| json!({ "states": ["failed"], "before": 100_000 - 2_000 * n })),
    ("two states", |_, _| json!({ "states": ["cancelled", "superseded"] })),
    ("running", |_, _| json!({ "states": ["queued", "running", "paused"] })),
    ("rare kind", |_, _| json!({ "kind": "rerun" })),
    ("frequent kind", |_, _| json!({ "kind": BuildKind::Push })),
    ("kind that is not there", |_, _| json!({ "kind": "dockerfile" })),
    ("frequent ref", |_, _| json!({ "ref_contains": "main" })),
    ("rare ref", |n, _| json!({ "ref_contains": format!("feature-12{n}") })),
    ("ref that is not there", |n, _| json!({ "ref_contains": format!("nowhere-{n}") })),
    ("repository, state, ref", |n, places| {
        let repository = places[n % places.len()].repository;
        json!({ "repository": repository, "states": ["failed"], "ref_contains": "feature" })
    }),
    ("frequent word", |n, _| json!({ "search": (["door", "test", "文档", "Ann"][n % 4]) })),
    ("rare text", |n, _| json!({ "search": format!("({n}12)") })),
    ("number", |n, _| json!({ "search": format!("#{}", 4_321 + 97 * n) })),
    ("one or two letters", |n, _| json!({ "search": (["a", "ch", "李", "修复"][n % 4]) })),
    ("text that is not there", |n, _| json!({ "search": (["zq", "~", "no such words", "卡"][n % 4]) })),
    (
        "words in a repository's failed builds",
        |n, places| json!({ "repository": places[n % places.len()].repository, "states": ["failed"], "search": "retry" }),
    ),
    ("the longest", |_, _| json!({ "order": { "column": "duration", "descending": true } })),
    (
        "the shortest of a repository",
        |n, places| json!({ "repository": places[n % places.len()].repository, "order": { "column": "duration" } }),
    ),
    ("by time, the oldest", |_, _| json!({ "order": { "column": "time" } })),
    ("by rule", |_, _| json!({ "order": { "column": "rule" } })),
    ("by rule, rare kind", |_, _| json!({ "kind": "rerun", "order": { "column": "rule", "descending": true } })),
    ("by repository", |_, _| json!({ "order": { "column": "repository", "descending": true } })),
    ("by state, kind that is not there", |_, _| json!({ "kind": "dockerfile", "order": { "column": "state" } })),
    (
        "frequent word, by duration",
        |n, _| json!({ "search": (["door", "test", "文档", "Ann"][n % 4]), "order": { "column": "duration" } }),
    ),
];

async fn list(product: &Product, places: &[Place]) -> Figure {
    let (mut slowest, mut all) = ((0.0, ""), Vec::new());
    let mut found = 0;
    for (name, request) in KINDS {
        let mut times = Vec::new();
        for n in 0..REQUESTS {
            let request = request(n, places);
            let begun = Instant::now();
            let page = product.must("builds.list", request).await;
            times.push(millis(begun.elapsed()));
            found += page["items"].as_array().map_or(0, Vec::len);
        }
        let high = percentile_95(&times);
        if high > slowest.0 {
            slowest = (high, name);
        }
        crate::detail(&format!("B7.list {name}: median {:.1} ms, 95th percentile {high:.1} ms", median(&times)));
        all.extend(times);
    }
    assert!(found > REQUESTS * KINDS.len(), "the lists are nearly empty");
    let note = format!("slowest kind of filter: {}; all requests together {:.1} ms", slowest.1, percentile_95(&all));
    Figure { value: slowest.0, ours_ms: Some(median(&all)), peer_ms: None, runs: REQUESTS * KINDS.len(), note }
}

fn commit(id: CommitId, summary: String, author: &str, at: chrono::DateTime<chrono::Utc>) -> CommitDetails {
    CommitDetails {
        id,
        message: format!("{summary}\n\nMore about it, as people write it: what was wrong, and why this is right.\n"),
        summary,
        author: author.to_owned(),
        author_email: "somebody@example.com".to_owned(),
        committed_at: at,
        parents: Vec::new(),
    }
}
