//! Tests with a real SQLite in temporary folders.
#![allow(clippy::unwrap_used)]

mod accounts;
mod builds;
mod commit_reports;
mod configuration;
mod lists;
mod made_images;
mod migrating;
mod notices;
mod opening;
mod order;
mod publishing;
mod queue;
mod records;
mod retention;
mod triggers;
mod versions;
mod watching;
mod webhooks;

use crate::{NewBuild, RefMove, Store};
use chrono::{DateTime, Duration, Utc};
use slipway_core::build::{BuildInputs, BuildKind, BuildState};
use slipway_core::code::{CodeLocation, CommitDetails, CommitId, RefName, RepoPath};
use slipway_core::ids::{CodeRepositoryId, ImageRepositoryId, ObservationId, RuleId};
use slipway_core::image::{ImageRepositorySpec, ImageSource, RepositoryName};
use slipway_core::rule::{BuildOptions, PathFilters, PushTriggers, RuleSpec, Strategy, VersionRule};
use tempfile::TempDir;

/// A fixed moment plus some seconds.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + Duration::seconds(seconds)
}

fn commit_id(digit: char) -> CommitId {
    CommitId::new(digit.to_string().repeat(40)).unwrap()
}

fn commit(digit: char, summary: &str) -> CommitDetails {
    CommitDetails {
        id: commit_id(digit),
        summary: summary.into(),
        message: summary.into(),
        author: "李雷".into(),
        author_email: "li@example.com".into(),
        committed_at: at(0),
        parents: vec![],
    }
}

fn branch(name: &str) -> RefName {
    RefName::branch(name).unwrap()
}

fn moved(ref_name: &RefName, digit: Option<char>) -> RefMove {
    RefMove { ref_name: ref_name.clone(), object: digit.map(commit_id), commit: digit.map(commit_id) }
}

fn repository_spec(store_registry: slipway_core::ids::RegistryId, name: &str) -> ImageRepositorySpec {
    ImageRepositorySpec {
        registry: store_registry,
        name: RepositoryName::new(name).unwrap(),
        source: ImageSource::Platform,
        credential: None,
        summary: String::new(),
        description: String::new(),
        write_once: vec![],
    }
}

fn rule_spec(code: CodeRepositoryId, name: &str) -> RuleSpec {
    RuleSpec {
        name: name.into(),
        code,
        triggers: PushTriggers { any_branch: true, new_tag: true, ..PushTriggers::default() },
        paths: PathFilters::default(),
        skip_words: true,
        dockerfile_path: RepoPath::new("Dockerfile").unwrap(),
        context_dir: RepoPath::root(),
        version: VersionRule::Templates { templates: vec!["{branch}".into()] },
        overwrite_tag: None,
        options: BuildOptions::default(),
        strategy: Strategy::NewestPerRef,
        auto_trigger: true,
        report_status: false,
    }
}

/// A store with a code repository that was looked at, an image repository and a rule.
struct Setup {
    dir: TempDir,
    store: Store,
    code: CodeRepositoryId,
    repository: ImageRepositoryId,
    rule: RuleId,
}

async fn empty() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let opened = Store::open(dir.path().join("data"), at(0)).await.unwrap();
    assert_eq!(opened.recovery, None);
    (dir, opened.store)
}

async fn setup() -> Setup {
    let (dir, store) = empty().await;
    let location = CodeLocation::LocalClone { path: "/code/app".into() };
    let code = store.insert_code_repository("app", &location, None, None, at(0)).await.unwrap();
    store.record_moves(code, &[], at(0)).await.unwrap();
    let registry = store.local_engine().await.unwrap().id;
    let repository = store.insert_image_repository(&repository_spec(registry, "team/app"), None, at(0)).await.unwrap();
    let rule = store.insert_rule(repository, &rule_spec(code, "main"), at(0)).await.unwrap();
    Setup { dir, store, code, repository, rule }
}

impl Setup {
    /// Records a push and returns its observation.
    async fn push(&self, ref_name: &RefName, digit: char) -> ObservationId {
        let recorded = self.store.record_moves(self.code, &[moved(ref_name, Some(digit))], at(1)).await.unwrap();
        recorded.observations[0].id
    }

    fn inputs(&self, ref_name: &RefName, digit: char, observation: Option<ObservationId>) -> BuildInputs {
        BuildInputs {
            rule: Some(self.rule),
            rule_name: Some("main".into()),
            code: Some(self.code),
            ref_name: Some(ref_name.clone()),
            commit: Some(commit_id(digit)),
            observation,
            dockerfile_path: RepoPath::new("Dockerfile").unwrap(),
            context_dir: RepoPath::root(),
            version: VersionRule::Templates { templates: vec!["{branch}".into()] },
            fixed_tags: vec![],
            groups: std::collections::BTreeMap::new(),
            overwrite_tag: None,
            options: BuildOptions::default(),
            strategy: Strategy::NewestPerRef,
            upload: None,
        }
    }

    fn push_build(&self, ref_name: &RefName, digit: char, observation: ObservationId) -> NewBuild {
        NewBuild {
            repository: self.repository,
            kind: BuildKind::Push,
            state: BuildState::Queued,
            reason: None,
            failure: None,
            inputs: self.inputs(ref_name, digit, Some(observation)),
            commit: Some(commit(digit, "fix the door")),
            rerun_of: None,
        }
    }

    fn manual_build(&self) -> NewBuild {
        NewBuild {
            kind: BuildKind::Manual,
            inputs: self.inputs(&branch("main"), 'a', None),
            ..self.push_build(&branch("main"), 'a', ObservationId(0))
        }
    }
}
