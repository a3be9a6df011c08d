//! One life: what people and others do to the program, until it is killed; and what is done while it is dead.

use crate::house::House;
use crate::random::Random;
use base64::Engine as _;
use serde_json::{Value, json};
use std::time::Duration;

/// Something that happens in a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// A commit on main.
    Push,
    /// A commit on another branch.
    PushAside,
    /// A git tag.
    Tag,
    /// A commit whose image ends at once.
    PushBad,
    /// The newest build that is over is run again.
    Rerun,
    /// A build by hand that is cancelled.
    Cancel,
    /// The record of an old build is deleted.
    Delete,
    /// An uploaded Dockerfile with a folder.
    UploadDockerfile,
    /// An image archive, sent in pieces.
    UploadArchive,
    /// An image is run as a new container.
    Run,
    /// A credential is added, changed and removed.
    Credential,
    /// The container is rolled back.
    RollBack,
    /// The container gets an image that only the registry has.
    Elsewhere,
}

/// When the program dies.
#[derive(Debug, Clone)]
pub(crate) enum Death {
    /// At a fail point.
    At(String),
    /// At one fail point, and in its next run at another.
    AtThenAt(String, String),
    /// So long after the life began, and perhaps once more so long after its next start.
    After(Duration, Option<Duration>),
}

/// One life.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) acts: Vec<Act>,
    /// Pause before each act.
    pub(crate) pauses: Vec<Duration>,
    pub(crate) death: Death,
    /// A push that happens while the program is dead.
    pub(crate) push_while_dead: bool,
}

impl Life {
    /// Returns the life of a seed.
    pub(crate) fn of_seed(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let choices = [
            Act::Push,
            Act::Push,
            Act::PushAside,
            Act::Tag,
            Act::PushBad,
            Act::Rerun,
            Act::Cancel,
            Act::Delete,
            Act::UploadDockerfile,
            Act::UploadArchive,
            Act::Run,
            Act::Credential,
            Act::RollBack,
        ];
        let mut acts = vec![Act::Push];
        for _ in 0..random.below(4) {
            acts.push(choices[usize::try_from(random.below(choices.len() as u64)).unwrap_or_default()]);
        }
        if acts.contains(&Act::PushBad) {
            // What is served in the end is known: the last push is a good one.
            acts.push(Act::Push);
        }
        let mut moment = |most| Duration::from_millis(random.below(most));
        let pauses = acts.iter().map(|_| moment(400)).collect();
        let first = moment(4500);
        let second = moment(3);
        let again = moment(2500);
        let death = Death::After(first, (second.is_zero()).then_some(again));
        Self { acts, pauses, death, push_while_dead: moment(2).is_zero() }
    }

    /// Returns a life that gets to a fail point.
    pub(crate) fn to_point(point: &str) -> Self {
        let undo = ["remove_new", "restore_name", "start_old", "check_old"];
        let acts = if undo.iter().any(|step| point.contains(&format!(".{step}."))) {
            vec![Act::PushBad]
        } else {
            match point.split('.').next().unwrap_or_default() {
                "cancel" => vec![Act::Cancel],
                "record" => vec![Act::Push, Act::Delete],
                "secret" => vec![Act::Credential],
                "run" => vec![Act::Run],
                "pin" => vec![Act::RollBack],
                "upload" if matches!(point, "upload.kept" | "upload.row") => vec![Act::UploadDockerfile],
                "upload" => vec![Act::UploadArchive],
                _ if point.starts_with("step.pull.") => vec![Act::Elsewhere],
                _ => vec![Act::Push],
            }
        };
        let death = if point == "firing.again" {
            Death::AtThenAt("step.stop_old.acted".to_owned(), point.to_owned())
        } else {
            Death::At(point.to_owned())
        };
        let pauses = vec![Duration::ZERO; acts.len()];
        Self { acts, pauses, death, push_while_dead: false }
    }
}

impl House {
    /// Does one thing. Answers are noted; when the program is dead nobody answers, and that is fine.
    pub(crate) async fn act(&mut self, act: Act, number: usize) {
        match act {
            Act::Push => self.push("main", true).await,
            Act::PushAside => self.push("side", true).await,
            Act::PushBad => self.push("main", false).await,
            Act::Tag => self.tag().await,
            Act::Rerun => {
                if let Some((id, _)) = self.succeeded().await.pop() {
                    let started = self.product.try_call("builds.rerun", &json!({ "id": id })).await;
                    self.note(started);
                }
            }
            Act::Cancel => {
                let target = json!({ "kind": "ref", "name": "refs/heads/main" });
                let started =
                    self.product.try_call("builds.start", &json!({ "rule": self.rule, "target": target })).await;
                if let Some(id) = self.note(started) {
                    self.product.try_call("builds.cancel", &json!({ "id": id })).await;
                }
            }
            Act::Delete => {
                // The records of heads stay: they say that each push was built. So do those that no check has seen.
                let builds = self.succeeded().await;
                let is_head = |commit: &String| self.ledger.heads.values().any(|head| head == commit);
                let is_seen = |id: &i64| self.ledger.published.keys().any(|(build, _)| build == id);
                if let Some((id, _)) = builds.into_iter().find(|(id, commit)| !is_head(commit) && is_seen(id)) {
                    self.ledger.deleted.insert(id);
                    self.product.try_call("builds.delete", &json!({ "id": id })).await;
                }
            }
            Act::UploadDockerfile => self.upload_dockerfile(number).await,
            Act::UploadArchive => self.upload_archive(number).await,
            Act::Run => {
                let request = json!({
                    "name": format!("{}-run-{number}", self.mark),
                    "image": { "kind": "tag", "repository": self.repository, "tag": "latest" },
                    "run_as": { "kind": "container", "restart": false },
                    "gate": { "stay_up_seconds": 1, "deadline_seconds": 30 },
                });
                self.product.try_call("targets.run_image", &request).await;
            }
            Act::Credential => self.credential(number).await,
            Act::RollBack => self.roll_back().await,
            Act::Elsewhere => {
                self.push_from_elsewhere().await;
                let image = json!({ "kind": "tag", "repository": self.repository, "tag": "elsewhere" });
                let gate = json!({ "stay_up_seconds": 1, "deadline_seconds": 60 });
                let request = json!({ "target": self.container, "image": image, "gate": gate });
                self.product.try_call("targets.update_now", &request).await;
            }
        }
    }

    /// Returns the builds that succeeded, oldest first, with their commits.
    async fn succeeded(&self) -> Vec<(i64, String)> {
        let request = json!({ "repository": self.repository, "limit": 500 });
        let Some(Ok(page)) = self.product.try_call("builds.list", &request).await else { return Vec::new() };
        let builds = page["items"].as_array().into_iter().flatten().filter(|build| build["state"] == "succeeded");
        let mut builds: Vec<(i64, String)> = builds
            .filter_map(|build| Some((build["id"].as_i64()?, build["commit"]["id"].as_str()?.to_owned())))
            .collect();
        builds.sort_unstable();
        builds
    }

    fn note(&mut self, answer: Option<Result<Value, Value>>) -> Option<i64> {
        let id = answer?.ok()?["id"].as_i64()?;
        self.ledger.answered.insert(id);
        Some(id)
    }

    async fn upload_dockerfile(&mut self, number: usize) {
        let text = format!("FROM {}\nRUN echo {} {number} > /uploaded\nCOPY . /ctx/\n", self.base, self.mark);
        let request = json!({
            "repository": self.uploads,
            "tag": format!("dockerfile-{number}"),
            "dockerfile": { "kind": "text", "text": text },
            "context": { "kind": "folder", "path": self.code.path() },
            "options": { "labels": [{ "name": "test.kill", "value": self.mark }] },
        });
        let started = self.product.try_call("uploads.dockerfile", &request).await;
        self.note(started);
    }

    async fn upload_archive(&mut self, number: usize) {
        let begin = json!({ "name": "image.tar", "size": self.archive.len() });
        let Some(Ok(begun)) = self.product.try_call("uploads.begin", &begin).await else { return };
        let mut offset = 0;
        for piece in self.archive.chunks(1024 * 1024) {
            let data = base64::engine::general_purpose::STANDARD.encode(piece);
            let request = json!({ "id": begun["id"], "offset": offset, "data": data });
            if !matches!(self.product.try_call("uploads.append", &request).await, Some(Ok(_))) {
                return;
            }
            offset += piece.len();
        }
        let request = json!({
            "repository": self.uploads,
            "tag": format!("archive-{number}"),
            "source": { "kind": "sent", "id": begun["id"] },
        });
        let started = self.product.try_call("uploads.image", &request).await;
        self.note(started);
    }

    async fn credential(&self, number: usize) {
        let form = |password: &str| json!({ "kind": "password", "username": "robot", "password": password });
        let name = format!("more-{number}");
        let first = self.canary.text();
        let add = json!({ "registry": self.registry_id, "name": name, "form": form(first) });
        let Some(Ok(added)) = self.product.try_call("registries.add_credential", &add).await else { return };
        let edit = json!({ "id": added["id"], "name": name, "form": form(&format!("{first}-next")) });
        self.product.try_call("registries.edit_credential", &edit).await;
        self.product.try_call("registries.delete_credential", &json!({ "id": added["id"] })).await;
    }

    async fn roll_back(&self) {
        let target = json!({ "target": self.container });
        let Some(Ok(detail)) = self.product.try_call("targets.get", &target).await else { return };
        let earlier = detail["versions"].as_array().into_iter().flatten().find(|version| version["current"] == false);
        let Some(earlier) = earlier else { return };
        let back = json!({ "firing": earlier["firing"], "before": earlier["before"] });
        self.product.try_call("targets.roll_back", &back).await;
        // A person who goes on at once.
        if let Some(Ok(detail)) = self.product.try_call("targets.get", &target).await {
            self.product.try_call("targets.resume", &json!({ "id": detail["target"]["id"] })).await;
        }
    }

    /// Notes the lines of unfinished builds' logs as they are shown now.
    pub(crate) async fn watch_logs(
        product: &slipway_flows::Product,
        shown: &mut std::collections::BTreeMap<i64, Vec<String>>,
    ) {
        let Some(Ok(queue)) = product.try_call("builds.queue", &json!({})).await else { return };
        for row in queue.as_array().into_iter().flatten() {
            let Some(id) = row["build"]["id"].as_i64() else { continue };
            let request = json!({ "id": id, "from": 0, "count": 5000 });
            let Some(Ok(page)) = product.try_call("builds.log", &request).await else { continue };
            let lines = page["lines"].as_array().into_iter().flatten();
            let lines = lines.filter_map(|line| line["text"].as_str().map(str::to_owned)).collect();
            shown.insert(id, lines);
        }
    }
}
