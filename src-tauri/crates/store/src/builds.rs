//! `builds`: one row per run. This module creates, reads and removes records; [`crate::queue`] moves them.

use crate::row::{Columns, json, json_of, millis, word, word_of};
use crate::{Store, StoreError, commit_reports, rule_refs};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::build::{BuildInputs, BuildKind, BuildNumber, BuildReason, BuildState, BuiltImage, Stage};
use slipway_core::code::{CommitDetails, CommitId, RefKind, RefName};
use slipway_core::ids::{BuildId, CodeRepositoryId, ImageRepositoryId, ObservationId, RuleId};
use slipway_core::image::{ContentIdentity, ImageId, Platform, Tag};
use slipway_core::rule::Strategy;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use std::collections::HashSet;

/// A build to create. Rule, code, ref, observation, commit and engine are those of the inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBuild {
    /// The repository that it fills; gives the number.
    pub repository: ImageRepositoryId,
    /// Why.
    pub kind: BuildKind,
    /// [`BuildState::Queued`], or [`BuildState::Skipped`] with a reason, or [`BuildState::Failed`] with a failure.
    pub state: BuildState,
    /// Why it is skipped.
    pub reason: Option<BuildReason>,
    /// Why it failed before it began.
    pub failure: Option<Failure>,
    /// The inputs.
    pub inputs: BuildInputs,
    /// The commit, when it is known already.
    pub commit: Option<CommitDetails>,
    /// The build that this one repeats.
    pub rerun_of: Option<BuildId>,
}

/// What [`Store::create_build`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedBuild {
    /// The build.
    pub id: BuildId,
    /// Its number.
    pub number: BuildNumber,
    /// False when this push has its build already; nothing was written then.
    pub created: bool,
    /// Waiting builds that it took the place of.
    pub superseded: Vec<BuildId>,
}

/// One build.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildRecord {
    /// Its id.
    pub id: BuildId,
    /// The repository that it fills.
    pub repository: ImageRepositoryId,
    /// Its number for people.
    pub number: BuildNumber,
    /// The rule that started it.
    pub rule: Option<RuleId>,
    /// Why it exists.
    pub kind: BuildKind,
    /// Which code; `None` for an uploaded Dockerfile, or when the code repository was removed.
    pub code: Option<CodeRepositoryId>,
    /// Which ref.
    pub ref_name: Option<RefName>,
    /// The observation that started it.
    pub observation: Option<ObservationId>,
    /// The commit's id.
    pub commit_id: Option<CommitId>,
    /// What is shown about the commit.
    pub commit: Option<CommitDetails>,
    /// Where it stands.
    pub state: BuildState,
    /// The stage it is in, or was in when it ended.
    pub stage: Option<Stage>,
    /// Why it was skipped, superseded or paused.
    pub reason: Option<BuildReason>,
    /// Its inputs.
    pub inputs: BuildInputs,
    /// The rendered tags; `None` until they are rendered, once.
    pub tags: Option<Vec<Tag>>,
    /// Which engine builds it.
    pub engine: String,
    /// How often it was claimed.
    pub attempt: u32,
    /// The run of the application that holds it.
    pub boot_id: Option<String>,
    /// Not to be claimed before.
    pub not_before: Option<DateTime<Utc>>,
    /// When the present stage has to be over.
    pub deadline_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was claimed first.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was over.
    pub ended_at: Option<DateTime<Utc>>,
    /// The image that it made.
    pub image: Option<BuiltImage>,
    /// What it failed with.
    pub failure: Option<Failure>,
    /// The build that took its place.
    pub covered_by: Option<BuildId>,
    /// The build that it repeats.
    pub rerun_of: Option<BuildId>,
    /// A person asked to cancel it.
    pub cancel_requested: bool,
    /// Lines in its log.
    pub log_lines: u64,
    /// Bytes in its log.
    pub log_bytes: u64,
}

pub(crate) fn record(row: &SqliteRow) -> Result<BuildRecord, StoreError> {
    Ok(BuildRecord {
        id: BuildId(row.int("id")?),
        repository: ImageRepositoryId(row.int("repository_id")?),
        number: BuildNumber(row.int("number")?),
        rule: row.int_of("rule_id")?.map(RuleId),
        kind: row.word("kind")?,
        code: row.int_of("code_repository_id")?.map(CodeRepositoryId),
        ref_name: row.word_of("ref_name")?,
        observation: row.int_of("observation_id")?.map(ObservationId),
        commit_id: row.word_of("commit_id")?,
        commit: row.json_of("commit_details")?,
        state: row.word("state")?,
        stage: row.word_of("stage")?,
        reason: row.json_of("reason")?,
        inputs: row.json("inputs")?,
        tags: row.json_of("tags")?,
        engine: row.text("engine")?,
        attempt: row.small("attempt")?,
        boot_id: row.text_of("boot_id")?,
        not_before: row.time_of("not_before")?,
        deadline_at: row.time_of("deadline_at")?,
        created_at: row.time("created_at")?,
        started_at: row.time_of("started_at")?,
        ended_at: row.time_of("ended_at")?,
        image: image(row)?,
        failure: row.json_of("failure")?,
        covered_by: row.int_of("covered_by")?.map(BuildId),
        rerun_of: row.int_of("rerun_of")?.map(BuildId),
        cancel_requested: row.flag("cancel_requested")?,
        log_lines: row.count("log_lines")?,
        log_bytes: row.count("log_bytes")?,
    })
}

fn image(row: &SqliteRow) -> Result<Option<BuiltImage>, StoreError> {
    let (Some(id), Some(content)) = (row.text_of("image_id")?, row.text_of("content_identity")?) else {
        return Ok(None);
    };
    let platforms: Option<Vec<Platform>> = row.json_of("platforms")?;
    Ok(Some(BuiltImage {
        id: ImageId(id),
        content: ContentIdentity(content),
        size: row.count("image_size")?,
        platforms: platforms.unwrap_or_default(),
    }))
}

impl Store {
    /// Creates a build: one transaction that takes the repository's next number (never reused), writes the row, marks the
    /// push as handled for the rule, and, for a queued branch build under [`Strategy::NewestPerRef`], supersedes the push
    /// builds of the same rule and ref that came from an earlier observation and never began.
    ///
    /// The same push (rule, ref, observation) twice is answered with the build that exists.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without the repository; [`StoreError::WrongState`] when the state is none to begin with or
    /// a push build lacks rule, ref or observation.
    pub async fn create_build(&self, new: &NewBuild, now: DateTime<Utc>) -> Result<CreatedBuild, StoreError> {
        if !matches!(new.state, BuildState::Queued | BuildState::Skipped | BuildState::Failed) {
            return Err(StoreError::WrongState(format!("a build does not begin as {}", new.state.as_str())));
        }
        let push = match (new.kind, new.inputs.rule, &new.inputs.ref_name, new.inputs.observation) {
            (BuildKind::Push, Some(rule), Some(ref_name), Some(observation)) => Some((rule, ref_name, observation)),
            (BuildKind::Push, ..) => {
                return Err(StoreError::WrongState("a push build needs a rule, a ref and an observation".into()));
            }
            _ => None,
        };
        let mut tx = self.write().await?;
        if let Some((rule, ref_name, observation)) = push
            && let Some(existing) = existing_push(&mut tx, rule, ref_name, observation).await?
        {
            return Ok(existing);
        }
        let number: i64 = sqlx::query_scalar(
            "UPDATE image_repositories SET next_build_number = next_build_number + 1 WHERE id = ? \
             RETURNING next_build_number - 1",
        )
        .bind(new.repository.0)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or_else(|| StoreError::not_found("image repository", new.repository))?;
        let id = insert(&mut tx, new, number, now).await?;
        write_search(&mut tx, id, number, &new.inputs, new.commit.as_ref()).await?;
        // What never begins is no news about the commit.
        if new.state != BuildState::Skipped {
            commit_reports::wish(&mut tx, id).await?;
        }
        let mut superseded = Vec::new();
        if let Some((rule, ref_name, observation)) = push {
            rule_refs::set_handled(&mut tx, rule, ref_name, observation).await?;
            if new.state == BuildState::Queued
                && ref_name.kind() == RefKind::Branch
                && new.inputs.strategy == Strategy::NewestPerRef
            {
                superseded = supersede(&mut tx, id, rule, ref_name, observation, now).await?;
            }
        }
        tx.commit().await?;
        Ok(CreatedBuild { id, number: BuildNumber(number), created: true, superseded })
    }

    /// Returns a build.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn build(&self, id: BuildId) -> Result<BuildRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM builds WHERE id = ?").bind(id.0).fetch_optional(self.read()).await?;
        record(&row.ok_or_else(|| StoreError::not_found("build", id))?)
    }

    /// Returns the ids of all builds.
    ///
    /// # Errors
    /// As every read.
    pub async fn build_ids(&self) -> Result<HashSet<BuildId>, StoreError> {
        let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM builds").fetch_all(self.read()).await?;
        Ok(ids.into_iter().map(BuildId).collect())
    }

    /// Returns the names of the engines that builds ran on.
    ///
    /// # Errors
    /// As every read.
    pub async fn engines_of_builds(&self) -> Result<HashSet<String>, StoreError> {
        let names: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT engine FROM builds").fetch_all(self.read()).await?;
        Ok(names.into_iter().collect())
    }

    /// Returns a build by its number in a repository.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn build_by_number(
        &self,
        repository: ImageRepositoryId,
        number: BuildNumber,
    ) -> Result<BuildRecord, StoreError> {
        let row = sqlx::query("SELECT * FROM builds WHERE repository_id = ? AND number = ?")
            .bind(repository.0)
            .bind(number.0)
            .fetch_optional(self.read())
            .await?;
        record(&row.ok_or_else(|| StoreError::not_found("build", format!("#{}", number.0)))?)
    }

    /// Notes the commit that a build resolved to, also in its inputs.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_commit(&self, id: BuildId, commit: &CommitDetails) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let row = sqlx::query("SELECT number, inputs FROM builds WHERE id = ?")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| StoreError::not_found("build", id))?;
        let mut inputs: BuildInputs = row.json("inputs")?;
        inputs.commit = Some(commit.id.clone());
        sqlx::query("UPDATE builds SET commit_id = ?, commit_details = ?, inputs = ? WHERE id = ?")
            .bind(commit.id.as_str())
            .bind(json(commit)?)
            .bind(json(&inputs)?)
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        write_search(&mut tx, id, row.int("number")?, &inputs, Some(commit)).await?;
        Ok(tx.commit().await?)
    }

    /// Notes the rendered tags. Tags are rendered once: when they stand already, those stay. Returns what stands.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_tags(&self, id: BuildId, tags: &[Tag]) -> Result<Vec<Tag>, StoreError> {
        let mut tx = self.write().await?;
        let row = sqlx::query("UPDATE builds SET tags = COALESCE(tags, ?) WHERE id = ? RETURNING tags")
            .bind(json(&tags)?)
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| StoreError::not_found("build", id))?;
        tx.commit().await?;
        row.json("tags")
    }

    /// Notes the image that a build made.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_result(&self, id: BuildId, image: &BuiltImage) -> Result<(), StoreError> {
        let size = i64::try_from(image.size).unwrap_or(i64::MAX);
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE builds SET image_id = ?, content_identity = ?, image_size = ?, platforms = ? WHERE id = ?",
        )
        .bind(&image.id.0)
        .bind(&image.content.0)
        .bind(size)
        .bind(json(&image.platforms)?)
        .bind(id.0)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::not_found("build", id));
        }
        Ok(tx.commit().await?)
    }

    /// Notes how long a build's log is.
    ///
    /// # Errors
    /// As every write.
    pub async fn set_log_size(&self, id: BuildId, lines: u64, bytes: u64) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE builds SET log_lines = ?, log_bytes = ? WHERE id = ?")
            .bind(i64::try_from(lines).unwrap_or(i64::MAX))
            .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
            .bind(id.0)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Removes the record of a build that is over, with its stages, steps and publications. Its number is not used again;
    /// observations and the tags' history stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongState`] while it is not over.
    pub async fn delete_record(&self, id: BuildId) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let row = sqlx::query("SELECT state FROM builds WHERE id = ?")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| StoreError::not_found("build", id))?;
        let state: BuildState = row.word("state")?;
        if !state.is_final() {
            return Err(StoreError::WrongState(format!("build {id} is {} and not over", state.as_str())));
        }
        sqlx::query("DELETE FROM builds WHERE id = ?").bind(id.0).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

async fn existing_push(
    tx: &mut SqliteConnection,
    rule: RuleId,
    ref_name: &RefName,
    observation: ObservationId,
) -> Result<Option<CreatedBuild>, StoreError> {
    let row = sqlx::query(
        "SELECT id, number FROM builds WHERE kind = 'push' AND rule_id = ? AND ref_name = ? AND observation_id = ?",
    )
    .bind(rule.0)
    .bind(ref_name.as_str())
    .bind(observation.0)
    .fetch_optional(tx)
    .await?;
    row.map(|row| {
        Ok(CreatedBuild {
            id: BuildId(row.int("id")?),
            number: BuildNumber(row.int("number")?),
            created: false,
            superseded: Vec::new(),
        })
    })
    .transpose()
}

async fn insert(
    tx: &mut SqliteConnection,
    new: &NewBuild,
    number: i64,
    now: DateTime<Utc>,
) -> Result<BuildId, StoreError> {
    let inputs = &new.inputs;
    let id = sqlx::query_scalar(
        "INSERT INTO builds (repository_id, number, rule_id, kind, code_repository_id, ref_name, observation_id, commit_id, \
         commit_details, state, reason, failure, inputs, engine, created_at, ended_at, rerun_of) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(new.repository.0)
    .bind(number)
    .bind(inputs.rule.map(|id| id.0))
    .bind(word(&new.kind)?)
    .bind(inputs.code.map(|id| id.0))
    .bind(word_of(inputs.ref_name.as_ref())?)
    .bind(inputs.observation.map(|id| id.0))
    .bind(word_of(inputs.commit.as_ref())?)
    .bind(json_of(new.commit.as_ref())?)
    .bind(new.state.as_str())
    .bind(json_of(new.reason.as_ref())?)
    .bind(json_of(new.failure.as_ref())?)
    .bind(json(inputs)?)
    .bind(inputs.options.engine.as_deref().unwrap_or("local"))
    .bind(millis(now))
    .bind(new.state.is_final().then(|| millis(now)))
    .bind(new.rerun_of.map(|id| id.0))
    .fetch_one(tx)
    .await?;
    Ok(BuildId(id))
}

/// Writes the folded text that the list's search looks into.
async fn write_search(
    tx: &mut SqliteConnection,
    id: BuildId,
    number: i64,
    inputs: &BuildInputs,
    commit: Option<&CommitDetails>,
) -> Result<(), StoreError> {
    let mut text = format!("#{number}");
    let commit_id = inputs.commit.as_ref().map(CommitId::as_str);
    let parts = [
        inputs.ref_name.as_ref().map(RefName::short),
        commit_id,
        inputs.rule_name.as_deref(),
        commit.map(|commit| commit.summary.as_str()),
        commit.map(|commit| commit.author.as_str()),
    ];
    for part in parts.into_iter().flatten() {
        text.push('\n');
        text.push_str(part);
    }
    sqlx::query("INSERT OR REPLACE INTO build_search (rowid, text) VALUES (?, ?)")
        .bind(id.0)
        .bind(text.to_lowercase())
        .execute(tx)
        .await?;
    Ok(())
}

async fn supersede(
    tx: &mut SqliteConnection,
    by: BuildId,
    rule: RuleId,
    ref_name: &RefName,
    observation: ObservationId,
    now: DateTime<Utc>,
) -> Result<Vec<BuildId>, StoreError> {
    let rows = sqlx::query(
        "UPDATE builds SET state = 'superseded', covered_by = ?1, reason = ?2, ended_at = ?3, not_before = NULL, \
         deadline_at = NULL WHERE kind = 'push' AND rule_id = ?4 AND ref_name = ?5 AND observation_id < ?6 \
         AND state IN ('queued', 'paused') AND started_at IS NULL RETURNING id",
    )
    .bind(by.0)
    .bind(json(&BuildReason::SupersededBy { build: by })?)
    .bind(millis(now))
    .bind(rule.0)
    .bind(ref_name.as_str())
    .bind(observation.0)
    .fetch_all(tx)
    .await?;
    let mut ids = rows.iter().map(|row| row.int("id").map(BuildId)).collect::<Result<Vec<_>, _>>()?;
    ids.sort();
    Ok(ids)
}
