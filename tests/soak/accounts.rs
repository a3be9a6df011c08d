//! What must be true when the load is over: every push is accounted for, and nothing is left behind.

use crate::place::Place;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};

/// The program's database, read from outside.
pub(crate) struct Database(SqlitePool);

impl Database {
    pub(crate) async fn open(data_dir: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(data_dir.join("state.db")).read_only(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        Self(pool.expect("the database can be read"))
    }

    async fn rows<T>(&self, query: &str, read: impl Fn(&sqlx::sqlite::SqliteRow) -> T) -> Vec<T> {
        let rows = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(&self.0).await;
        rows.unwrap_or_else(|error| panic!("{query}: {error}")).iter().map(read).collect()
    }

    pub(crate) async fn rows_by_table(&self) -> BTreeMap<String, f64> {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut counts = BTreeMap::new();
        for table in self.rows(tables, |row| row.get::<String, _>(0)).await {
            let count = self.rows(&format!("SELECT COUNT(*) FROM {table}"), |row| row.get::<i64, _>(0)).await;
            counts.insert(table, count[0] as f64);
        }
        counts
    }

    /// What is not over, in words.
    async fn unfinished(&self) -> Vec<String> {
        let builds = "SELECT 'build ' || id || ' is ' || state || ' in ' || COALESCE(stage, '-') || ', try ' || attempt || ': ' \
             || COALESCE(reason, failure, '') FROM builds WHERE state IN ('queued', 'running', 'paused')";
        let publications = "SELECT 'publication ' || id || ' of build ' || build_id || ' is ' || state FROM publications \
             WHERE state IN ('waiting', 'pushing')";
        let events = "SELECT 'tag event ' || id || ' is open' FROM tag_events WHERE handled = 0";
        let mut open = Vec::new();
        for query in [builds, publications, events] {
            open.extend(self.rows(query, |row| row.get::<String, _>(0)).await);
        }
        open
    }

    /// What was observed: number, code, ref, commit.
    async fn observations(&self) -> Vec<(i64, i64, String, Option<String>)> {
        let query = "SELECT id, code_repository_id, ref_name, commit_id FROM observations ORDER BY id";
        self.rows(query, |row| (row.get(0), row.get(1), row.get(2), row.get(3))).await
    }

    /// Builds of pushes: code, ref, observation, state and why, the commit.
    async fn builds(&self) -> Vec<Build> {
        let query = "SELECT id, code_repository_id, ref_name, observation_id, state, COALESCE(reason, failure, ''), commit_id \
             FROM builds WHERE kind = 'push'";
        let read = |row: &sqlx::sqlite::SqliteRow| Build {
            id: row.get(0),
            code: row.get(1),
            name: row.get(2),
            observation: row.get(3),
            state: row.get(4),
            why: row.get(5),
            commit: row.get(6),
        };
        self.rows(query, read).await
    }

    /// What builds published: `(build, tag)` to the digest.
    async fn published(&self) -> HashMap<(i64, String), String> {
        let query = "SELECT build_id, tag, digest FROM publications WHERE digest IS NOT NULL";
        self.rows(query, |row| ((row.get(0), row.get(1)), row.get(2))).await.into_iter().collect()
    }

    /// The name of this data folder on engines.
    async fn owner(&self) -> String {
        let query = "SELECT json_extract(value, '$') FROM settings WHERE key = 'installation'";
        self.rows(query, |row| row.get(0)).await.pop().unwrap_or_default()
    }
}

#[derive(Debug)]
struct Build {
    id: i64,
    code: i64,
    name: String,
    observation: i64,
    state: String,
    why: String,
    commit: String,
}

/// Waits until everything has come to rest; returns what does not hold then.
pub(crate) async fn settle(place: &Place, deadline: Duration) -> Vec<String> {
    let database = Database::open(place.product.data_dir()).await;
    let begun = Instant::now();
    let open = loop {
        let mut open = database.unfinished().await;
        let observed: BTreeSet<(i64, String, Option<String>)> =
            database.observations().await.into_iter().map(|(_, code, name, commit)| (code, name, commit)).collect();
        for ((clone, name), push) in place.heads() {
            if !observed.contains(&(place.code[clone], name.clone(), Some(push.commit.clone()))) {
                open.push(format!("the last push of {name} in clone {clone} was not seen"));
            }
        }
        if open.is_empty() || begun.elapsed() > deadline {
            break open;
        }
        // It is polled: how long it takes is shown, not judged, below the deadline.
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    let mut wrong: Vec<String> = open.into_iter().map(|one| format!("not at rest: {one}")).collect();
    let builds = database.builds().await;
    wrong.extend(pushes(place, &database, &builds).await);
    wrong.extend(tags(place, &database, &builds).await);
    wrong.extend(left_behind(place, &database).await);
    wrong
}

/// A push is accounted for by its own build, whatever became of that, or by a later push of its ref that was seen in its place.
async fn pushes(place: &Place, database: &Database, builds: &[Build]) -> Vec<String> {
    let mut wrong = Vec::new();
    let observations = database.observations().await;
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    let mut newest: HashMap<(i64, &str), i64> = HashMap::new();
    for (id, code, name, _) in &observations {
        newest.insert((*code, name), *id);
    }
    for push in &place.pushes {
        let code = place.code[push.clone];
        let own = observations
            .iter()
            .find(|(_, of, name, commit)| *of == code && *name == push.name && commit.as_ref() == Some(&push.commit));
        let Some((observation, ..)) = own else {
            // Between two looks several pushes are one move, to the newest of them.
            let later = place.pushes.iter().rev().take_while(|one| one.commit != push.commit).any(|one| {
                one.clone == push.clone
                    && one.name == push.name
                    && observations.iter().any(|(_, of, _, commit)| *of == code && commit.as_ref() == Some(&one.commit))
            });
            *states.entry("seen as a later push").or_default() += 1;
            if !later {
                wrong.push(format!("the push {} of {} was never seen, nor a later one", push.commit, push.name));
            }
            continue;
        };
        let build = builds
            .iter()
            .find(|build| build.code == code && build.name == push.name && build.observation == *observation);
        match build {
            Some(build) => {
                *states.entry(known_state(&build.state)).or_default() += 1;
                if build.commit != push.commit {
                    wrong.push(format!("build {} of {} has the commit {}", build.id, push.commit, build.commit));
                }
            }
            // A newer push was there before this one was handed to its rule.
            None if newest.get(&(code, push.name.as_str())).is_some_and(|newest| newest > observation) => {
                *states.entry("left to a later push").or_default() += 1;
            }
            None => wrong.push(format!("the push {} of {} was seen and has no build", push.commit, push.name)),
        }
    }
    for (state, count) in &states {
        crate::say(&format!("{state:24} {count:5}"));
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for build in builds.iter().filter(|build| build.state == "failed") {
        *reasons.entry(build.why.split("\"message\"").next().unwrap_or_default()).or_default() += 1;
    }
    for (why, count) in reasons {
        crate::say(&format!("  failed {count:5} {why}"));
    }
    wrong
}

fn known_state(state: &str) -> &'static str {
    ["succeeded", "failed", "superseded", "skipped", "cancelled"]
        .into_iter()
        .find(|known| *known == state)
        .unwrap_or("something else")
}

/// Each tag holds the image of the last push of its branch.
async fn tags(place: &Place, database: &Database, builds: &[Build]) -> Vec<String> {
    let mut wrong = Vec::new();
    let published = database.published().await;
    for ((clone, name), push) in place.heads() {
        let tag = name.trim_start_matches("refs/heads/").to_owned();
        let held = place.registry.digest(&format!("team/app{clone}"), &tag).await;
        let built = builds.iter().filter(|build| build.commit == push.commit && build.name == name);
        let built: Vec<&Build> = built.collect();
        let wanted = built.iter().find_map(|build| published.get(&(build.id, tag.clone())));
        if held.is_none() || held.as_ref() != wanted {
            wrong.push(format!("team/app{clone}:{tag} holds {held:?} and not {wanted:?}, of {built:?}"));
        }
    }
    wrong
}

/// No container, private name, file or process is left.
async fn left_behind(place: &Place, database: &Database) -> Vec<String> {
    let mut wrong = Vec::new();
    let owner = database.owner().await;
    for kind in ["build", "firing"] {
        let reference = format!("reference=slipway.local/{kind}:{owner}-*");
        let listed = place.engine.docker_ok(&["images", "--filter", &reference, "--format", "{{.Tag}}"]).await;
        wrong.extend(listed.lines().map(|tag| format!("the private name {kind}:{tag} is left")));
    }
    let filter = format!("label=test.soak={}", place.mark);
    let containers = place.engine.docker_ok(&["ps", "--all", "--quiet", "--filter", &filter]).await;
    wrong.extend(containers.lines().map(|id| format!("the container {id} is left")));
    let files = std::fs::read_dir(place.temp.path()).into_iter().flatten().flatten();
    wrong.extend(files.map(|file| format!("the temporary file {:?} is left", file.file_name())));
    let folder = place.product.data_dir().to_string_lossy().into_owned();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if id != place.product.process_id() && line.contains(&folder) {
            wrong.push(format!("the process {line} is left"));
        }
    }
    wrong
}
