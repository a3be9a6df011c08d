//! The program's database, read from outside.

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(crate) struct Database(SqlitePool);

/// A firing with its journal.
#[derive(Debug)]
pub(crate) struct Firing {
    pub(crate) id: i64,
    /// Kind of its target.
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) steps: Vec<(i64, Value)>,
}

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

    /// What is not over, in words.
    pub(crate) async fn unfinished(&self) -> Vec<String> {
        let builds = "SELECT 'build ' || id || ' is ' || state || ' in ' || COALESCE(stage, '-') || ', try ' || attempt || ': ' \
             || COALESCE(reason, failure, '') FROM builds WHERE state IN ('queued', 'running', 'paused')";
        let firings = "SELECT 'firing ' || id || ' is ' || state || ' at ' || COALESCE(step, '-') || ', try ' || attempt || ': ' \
             || COALESCE(reason, failure, '') FROM firings WHERE state IN ('waiting', 'running')";
        let events = "SELECT 'tag event ' || id || ' is open' FROM tag_events WHERE handled = 0";
        let publications = "SELECT 'publication ' || id || ' of build ' || build_id || ' is ' || state FROM publications \
             WHERE state IN ('waiting', 'pushing')";
        let stages = "SELECT 'stage ' || stage || ' of build ' || build_id || ' is open' FROM build_stages WHERE ended_at IS NULL";
        let untold = "SELECT 'the end of build ' || build_id || ' is not told' FROM untold_ends \
             UNION ALL SELECT 'the end of firing ' || firing_id || ' is not told' FROM untold_updates";
        let mut open = Vec::new();
        for query in [builds, firings, events, publications, stages, untold] {
            open.extend(self.rows(query, |row| row.get::<String, _>(0)).await);
        }
        open
    }

    /// Refs with the commits that were built for a push of them.
    pub(crate) async fn pushes_built(&self) -> BTreeSet<(String, String)> {
        let query = "SELECT ref_name, commit_id FROM builds WHERE kind = 'push' AND state = 'succeeded'";
        self.rows(query, |row| (row.get(0), row.get(1))).await.into_iter().collect()
    }

    /// The digest that the newest event of a tag told.
    pub(crate) async fn newest_event(&self, tag: &str) -> Option<String> {
        let query = format!("SELECT digest FROM tag_events WHERE tag = '{tag}' ORDER BY id DESC LIMIT 1");
        self.rows(&query, |row| row.get::<Option<String>, _>(0)).await.pop().flatten()
    }

    pub(crate) async fn build_ids(&self) -> BTreeSet<i64> {
        self.rows("SELECT id FROM builds", |row| row.get(0)).await.into_iter().collect()
    }

    /// What builds published: `(build, tag)` to `(repository, digest)`.
    pub(crate) async fn published(&self) -> BTreeMap<(i64, String), (String, String)> {
        let query = "SELECT p.build_id, p.tag, r.name, p.digest FROM publications p JOIN builds b ON b.id = p.build_id \
             JOIN image_repositories r ON r.id = b.repository_id WHERE p.digest IS NOT NULL";
        let rows = self.rows(query, |row| ((row.get(0), row.get(1)), (row.get(2), row.get(3)))).await;
        rows.into_iter().collect()
    }

    /// Publications that were begun, and then left to a later push: build, repository, tag.
    pub(crate) async fn overtaken(&self) -> Vec<(i64, String, String)> {
        let query = "SELECT p.build_id, r.name, p.tag FROM publications p JOIN builds b ON b.id = p.build_id \
             JOIN image_repositories r ON r.id = b.repository_id WHERE p.state = 'kept_newer' AND p.attempt > 0";
        self.rows(query, |row| (row.get(0), row.get(1), row.get(2))).await
    }

    /// What each tag got last: repository, tag, digest.
    pub(crate) async fn last_moves(&self) -> Vec<(String, String, String)> {
        let query = "SELECT r.name, m.tag, m.digest FROM tag_moves m JOIN image_repositories r ON r.id = m.repository_id \
             WHERE m.id IN (SELECT MAX(id) FROM tag_moves GROUP BY repository_id, tag)";
        self.rows(query, |row| (row.get(0), row.get(1), row.get(2))).await
    }

    /// Triggers and events with more than one firing.
    pub(crate) async fn doubled_firings(&self) -> Vec<(i64, i64)> {
        let query = "SELECT trigger_id, event_id FROM firings WHERE kind = 'trigger' GROUP BY 1, 2 HAVING COUNT(*) > 1";
        self.rows(query, |row| (row.get(0), row.get(1))).await
    }

    pub(crate) async fn firings(&self) -> Vec<Firing> {
        let query = "SELECT f.id, json_extract(f.target, '$.kind'), f.state, \
             (SELECT json_group_array(json_array(j.attempt, json(j.entry))) FROM \
             (SELECT * FROM firing_journal WHERE firing_id = f.id ORDER BY id) j) FROM firings f ORDER BY f.id";
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let steps: Vec<(i64, Value)> =
                serde_json::from_str(&row.get::<String, _>(3)).expect("the journal is readable");
            Firing { id: row.get(0), kind: row.get(1), state: row.get(2), steps }
        };
        self.rows(query, read).await
    }

    /// The last firings with their ends, for a failing check.
    pub(crate) async fn firings_in_short(&self) -> Vec<String> {
        let query = "SELECT f.id || ' ' || json_extract(f.target, '$.kind') || ' ' || f.kind || ' ' || COALESCE(f.tag, '') || ' ' \
             || f.state || ' try ' || f.attempt || ' ' || COALESCE(f.reason, f.failure, '') \
             || COALESCE(' undo: ' || json_extract(f.outcome, '$.undo'), '') FROM firings f ORDER BY id DESC LIMIT 12";
        self.rows(query, |row| row.get(0)).await
    }

    /// The last builds with their ends, for a failing check.
    pub(crate) async fn builds_in_short(&self) -> Vec<String> {
        let query = "SELECT id || ' ' || kind || ' ' || COALESCE(ref_name, '') || ' ' || substr(COALESCE(commit_id, ''), 1, 7) || ' ' \
             || state || ' ' || COALESCE(reason, failure, '') FROM builds ORDER BY id DESC LIMIT 8";
        self.rows(query, |row| row.get(0)).await
    }

    /// How a tag was published, newest first, for a failing check.
    pub(crate) async fn publications_in_short(&self, tag: &str) -> Vec<String> {
        let query = "SELECT p.tag, 'build ' || b.id || ' ' || b.kind || ' of ' || COALESCE(b.observation_id, '-') || ' ' || b.state \
             || ', ' || p.state || ' try ' || p.attempt || ' ' || COALESCE(p.digest, '') FROM publications p \
             JOIN builds b ON b.id = p.build_id ORDER BY b.id DESC";
        let rows: Vec<(String, String)> = self.rows(query, |row| (row.get(0), row.get(1))).await;
        rows.into_iter().filter(|(of, _)| of == tag).map(|(_, text)| text).take(12).collect()
    }

    /// Firings that ran an image as something new: target and state.
    pub(crate) async fn runs(&self) -> Vec<(Value, String)> {
        let query = "SELECT target, state FROM firings WHERE kind = 'run'";
        let target = |text: String| serde_json::from_str(&text).expect("a target is JSON");
        self.rows(query, |row| (target(row.get(0)), row.get(1))).await
    }

    /// The commit that was observed last among those whose image is good and published.
    pub(crate) async fn newest_good_commit(&self, bad: &BTreeSet<String>) -> String {
        let query = "SELECT commit_id FROM builds WHERE kind <> 'upload' AND commit_id IS NOT NULL AND state = 'succeeded' \
             AND repository_id = (SELECT MIN(id) FROM image_repositories) ORDER BY observation_id DESC, id DESC";
        let commits: Vec<String> = self.rows(query, |row| row.get(0)).await;
        commits.into_iter().find(|commit| !bad.contains(commit)).expect("something was built")
    }

    /// The name of this data folder on engines.
    pub(crate) async fn owner(&self) -> String {
        let query = "SELECT json_extract(value, '$') FROM settings WHERE key = 'installation'";
        self.rows(query, |row| row.get(0)).await.pop().expect("the folder has a name")
    }

    pub(crate) async fn targets(&self) -> usize {
        self.rows("SELECT id FROM targets", |row| row.get::<i64, _>(0)).await.len()
    }

    pub(crate) async fn pinned(&self) -> Vec<i64> {
        self.rows("SELECT id FROM targets WHERE pin IS NOT NULL", |row| row.get(0)).await
    }

    /// Folders of uploads that records name.
    pub(crate) async fn upload_folders(&self) -> BTreeSet<String> {
        let query = "SELECT json_extract(inputs, '$.upload.folder') FROM builds \
             WHERE json_extract(inputs, '$.upload.folder') IS NOT NULL";
        self.rows(query, |row| row.get(0)).await.into_iter().collect()
    }

    /// The file is whole, and its rows fit each other.
    pub(crate) async fn is_sound(&self) {
        assert_eq!(self.rows("PRAGMA integrity_check", |row| row.get::<String, _>(0)).await, ["ok"]);
        let astray = self.rows("PRAGMA foreign_key_check", |row| row.get::<String, _>(0)).await;
        assert_eq!(astray, Vec::<String>::new(), "rows name others that are gone");
        let numbers = "SELECT repository_id FROM builds GROUP BY repository_id HAVING MAX(number) >= \
             (SELECT next_build_number FROM image_repositories r WHERE r.id = builds.repository_id)";
        assert_eq!(
            self.rows(numbers, |row| row.get::<i64, _>(0)).await,
            Vec::<i64>::new(),
            "a number would be used again"
        );
    }
}
