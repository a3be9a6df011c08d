//! What must be true whenever the program has come to rest after it was killed.

use crate::database::{Database, Firing};
use crate::house::{APP, House, soon};
use serde_json::{Value, json};
use slipway_flows::walkthrough;
use slipway_testkit::CanaryScan;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Firings whose images stay for going back, for each target, and what ran before each.
const KEPT_NAMES: usize = 2 * 6;

impl House {
    /// Waits until nothing is left to do, and asserts that nothing was lost, doubled, stuck or left behind.
    pub(crate) async fn at_rest(&mut self) {
        let database = Database::open(self.product.data_dir()).await;
        soon("every push is built and nothing is stuck", async || {
            let open = database.unfinished().await;
            let missing = self.unbuilt(&database).await;
            if open.is_empty() && missing.is_empty() {
                Ok(())
            } else {
                Err((open, missing, database.builds_in_short().await))
            }
        })
        .await;
        self.nothing_answered_is_lost(&database).await;
        self.tags_are_right(&database).await;
        self.logs_are_whole().await;
        self.updates_happened_once(&database).await;
        self.one_serves(&database).await;
        self.nothing_is_left(&database).await;
        database.is_sound().await;
    }

    /// Returns the refs whose newest commit has no image yet. P1.
    async fn unbuilt(&self, database: &Database) -> Vec<String> {
        let built = database.pushes_built().await;
        let missing =
            self.ledger.heads.iter().filter(|(name, commit)| !built.contains(&((*name).clone(), (*commit).clone())));
        missing.map(|(name, commit)| format!("{name} at {commit}")).collect()
    }

    async fn nothing_answered_is_lost(&self, database: &Database) {
        let known = database.build_ids().await;
        for id in self.ledger.answered.difference(&self.ledger.deleted) {
            assert!(known.contains(id), "build {id} was answered for and is gone");
        }
    }

    /// Each tag holds what the records say, and moved at most once for each build. P2.
    async fn tags_are_right(&mut self, database: &Database) {
        let published = database.published().await;
        self.ledger.published.extend(published);
        self.ledger.overtaken.extend(database.overtaken().await);
        for (repository, tag, digest) in database.last_moves().await {
            let held = self.registry.digest(&repository, &tag).await;
            if tag != "elsewhere" {
                assert_eq!(held.as_deref(), Some(digest.as_str()), "{repository}:{tag} is not what the record says");
            }
        }
        let latest = self.registry.digest(APP, "latest").await;
        // The news come one after another: when the last move is told, all are.
        let arrived = soon("the registry has told about the last move", async || {
            let arrived = self.listener.arrived();
            let last = arrived.iter().rev().find(|one| one.repository == APP && one.tag == "latest");
            if last.map(|last| &last.digest) == latest.as_ref() { Ok(arrived) } else { Err(arrived.len()) }
        })
        .await;
        let mut moves: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut puts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for one in arrived {
            let tag = (one.repository, one.tag);
            *puts.entry(tag.clone()).or_default() += 1;
            let digests = moves.entry(tag).or_default();
            if digests.last() != Some(&one.digest) {
                digests.push(one.digest);
            }
        }
        for ((repository, tag), digests) in moves {
            if tag == "elsewhere" {
                continue;
            }
            let place = format!("{repository}:{tag}");
            let builds: Vec<&String> = self
                .ledger
                .published
                .iter()
                .filter(|((_, of), (to, _))| *of == tag && *to == repository)
                .map(|(_, (_, digest))| digest)
                .collect();
            let overtaken = self.ledger.overtaken.iter().filter(|(_, to, of)| *of == tag && *to == repository).count();
            let mut without_record = 0;
            for digest in &digests {
                let moved = digests.iter().filter(|one| *one == digest).count();
                let wanted = builds.iter().filter(|one| **one == digest).count();
                without_record += usize::from(wanted == 0);
                if wanted > 0 {
                    assert!(
                        moved <= wanted,
                        "{place} moved {moved} times to {digest} for {wanted} builds: {digests:?}"
                    );
                }
            }
            let how = database.publications_in_short(&tag).await;
            assert!(without_record <= overtaken, "{place} moved without a record: {digests:?} {how:#?}");
            let puts = puts.get(&(repository.clone(), tag.clone())).copied().unwrap_or_default();
            // The engine may go on with a push whose caller was killed: then the same manifest comes once more.
            let most = builds.len() + self.ledger.kills;
            assert!(puts <= most, "{place} was put {puts} times for {} builds", builds.len());
        }
    }

    /// What was shown of a log before a kill is there after it, in the same order.
    async fn logs_are_whole(&mut self) {
        let shown = std::mem::take(&mut self.ledger.shown);
        for (id, lines) in shown {
            if self.ledger.deleted.contains(&id) {
                continue;
            }
            let page = self.product.must("builds.log", json!({ "id": id, "from": 0, "count": 5000 })).await;
            let now: Vec<&str> =
                page["lines"].as_array().into_iter().flatten().filter_map(|line| line["text"].as_str()).collect();
            assert!(now.len() >= lines.len(), "build {id} lost lines: {lines:?} became {now:?}");
            assert_eq!(now[..lines.len()], lines, "build {id} lost lines");
        }
    }

    /// At most one effect of a tag event through a trigger. P3.
    async fn updates_happened_once(&self, database: &Database) {
        let doubled = database.doubled_firings().await;
        assert_eq!(doubled, [], "a trigger fired twice for one event");
        for firing in database.firings().await {
            let effects = effects(&firing);
            assert!(effects <= 1, "firing {} took effect {effects} times: {:?}", firing.id, firing.steps);
        }
        let owner = database.owner().await;
        let calls = self.listener.calls();
        for firing in database.firings().await.into_iter().filter(|one| one.kind == "webhook") {
            let prefix = format!("{owner}-{}-", firing.id);
            let keys: Vec<&String> = calls.keys().filter(|key| key.starts_with(&prefix)).collect();
            match firing.state.as_str() {
                "succeeded" => assert_eq!(keys.len(), 1, "firing {} called with the keys {keys:?}", firing.id),
                "superseded" | "skipped" => assert!(keys.len() <= 1, "firing {} called with {keys:?}", firing.id),
                other => panic!("firing {} of the webhook is {other}", firing.id),
            }
        }
    }

    /// Exactly one container serves for each target, with the image of what was observed last. F30, P7.
    async fn one_serves(&self, database: &Database) {
        let expected = database.newest_good_commit(&self.ledger.bad).await;
        let text = &self.ledger.texts[&expected];
        let format = "{{.Names}} {{.State}}";
        let filter = format!("name={}", self.mark);
        let listed = self.engine.docker_ok(&["ps", "--all", "--filter", &filter, "--format", format]).await;
        let service = format!("{}-web-1", self.mark);
        let (mut serving, mut kept) = (BTreeSet::new(), 0);
        for line in listed.lines() {
            let (name, state) = line.split_once(' ').unwrap_or_default();
            if name == self.mark || name == service {
                assert_eq!(state, "running", "{listed}");
                serving.insert(name.to_owned());
            } else if name.starts_with(&format!("{}-slipway-old-", self.mark)) {
                assert_eq!(state, "exited", "{listed}");
                kept += 1;
            } else if !name.starts_with(&format!("{}-run-", self.mark)) {
                panic!("{name} is left behind: {listed}");
            }
        }
        assert_eq!(serving.len(), 2, "{listed}");
        assert!(kept <= 1, "one earlier container is kept: {listed}");
        for target in [&self.container, &self.service] {
            let site = walkthrough::site(&self.product, target).await;
            soon(&format!("{target} serves {text}"), async || match walkthrough::page(&site.url).await {
                Ok(page) if page == *text => Ok(()),
                other => Err((other, database.firings_in_short().await)),
            })
            .await;
        }
    }

    /// No container, private name, file or process is left behind. P6.
    async fn nothing_is_left(&self, database: &Database) {
        self.containers_that_ran(database).await;
        let owner = database.owner().await;
        let names = async |kind: &str| {
            let reference = format!("reference=slipway.local/{kind}:{owner}-*");
            let listed = self.engine.docker_ok(&["images", "--filter", &reference, "--format", "{{.Tag}}"]).await;
            listed.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        soon("no private name of a finished build is left", async || {
            let left = names("build").await;
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
        let targets = database.targets().await;
        soon("only images that a way back needs are kept", async || {
            let left = names("firing").await;
            if left.len() <= targets * KEPT_NAMES { Ok(()) } else { Err(left) }
        })
        .await;
        let data = self.product.data_dir();
        let builds = database.build_ids().await;
        soon("no log is left of a record that is gone", async || {
            let left: Vec<String> = files(&data.join("logs"))
                .into_iter()
                .filter(|name| {
                    let id = name.split('.').next().and_then(|id| id.parse().ok());
                    id.is_none_or(|id| !builds.contains(&id))
                })
                .collect();
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
        let wanted = database.upload_folders().await;
        soon("no upload is left that no record needs", async || {
            let mut left: Vec<String> =
                files(&data.join("uploads")).into_iter().filter(|name| !wanted.contains(name)).collect();
            left.retain(|name| !files(&data.join("uploads").join(name)).is_empty());
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
        assert_eq!(files(self.temp.path()), Vec::<String>::new(), "temporary files are left");
        let folder = data.to_string_lossy().into_owned();
        let own = self.product.process_id();
        let others: Vec<String> =
            processes_naming(&folder).into_iter().filter(|(id, _)| *id != own).map(|(_, line)| line).collect();
        assert_eq!(others, Vec::<String>::new(), "processes are left");
    }

    /// What was run as a new container either serves or is gone.
    async fn containers_that_ran(&self, database: &Database) {
        for (target, state) in database.runs().await {
            let Some(name) = target["name"].as_str().filter(|name| name.contains("-run-")) else { continue };
            let filter = format!("name=^/{name}$");
            let listed = self.engine.docker_ok(&["ps", "--all", "--filter", &filter, "--format", "{{.State}}"]).await;
            match state.as_str() {
                "succeeded" => assert!(matches!(listed.as_str(), "running" | ""), "{name} is {listed}"),
                _ => assert_eq!(listed, "", "{name} could not be run ({state}) and is left behind"),
            }
            // It has done its duty.
            self.engine.docker(&["rm", "--force", name]).await;
        }
    }

    /// No byte of the registry's password is on the disk. P8.
    pub(crate) fn no_secret_on_disk(&self) {
        let scan = CanaryScan::new(&self.canary);
        for folder in [self.product.data_dir(), self.temp.path()] {
            assert_eq!(scan.folder(folder), [], "a secret is on the disk");
        }
    }

    /// Ends a life: what a person would put right.
    pub(crate) async fn put_right(&mut self) {
        let database = Database::open(self.product.data_dir()).await;
        let credentials = self.product.must("registries.list", json!({})).await;
        let credentials: Vec<Value> = credentials
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|one| one["credentials"].as_array().cloned().unwrap_or_default())
            .filter(|one| one["name"].as_str().is_some_and(|name| name.starts_with("more-")))
            .collect();
        for credential in credentials {
            self.product.must("registries.delete_credential", json!({ "id": credential["id"] })).await;
        }
        for target in database.pinned().await {
            self.product.must("targets.resume", json!({ "id": target })).await;
            // Until something moves, the earlier one is what a person wants.
        }
    }
}

/// Counts the attempts of a firing whose new container took its place and was not taken away again.
fn effects(firing: &Firing) -> usize {
    let mut by_attempt: BTreeMap<(i64, String), bool> = BTreeMap::new();
    for (attempt, entry) in &firing.steps {
        let subject = entry["subject"].as_str().unwrap_or_default().to_owned();
        match (entry["kind"].as_str(), entry["mark"].as_str()) {
            (Some("start_new"), Some("done")) => {
                by_attempt.insert((*attempt, subject), true);
            }
            (Some("start_old"), _) => {
                by_attempt.insert((*attempt, subject), false);
            }
            _ => {}
        }
    }
    by_attempt.values().filter(|stays| **stays).count()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn processes_naming(word: &str) -> Vec<(u32, String)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| {
        let id = entry.file_name().to_string_lossy().parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some((id, String::from_utf8_lossy(&line).replace('\0', " ")))
    });
    lines.filter(|(_, line)| line.contains(word)).collect()
}
