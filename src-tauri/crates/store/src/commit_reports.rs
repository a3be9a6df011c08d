//! `commit_reports`: builds that a code host is told about, and what it was told. Rows are written with their builds
//! ([`crate::builds`]), because the wish must not be lost between the two.

use crate::builds::{BuildRecord, record};
use crate::row::{Columns, json, millis, word};
use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use slipway_core::Failure;
use slipway_core::build::BuildState;
use slipway_core::host::{CommitReport, ReportStanding, ReportState};
use slipway_core::ids::{BuildId, SourceAccountId};
use slipway_core::image::RepositoryName;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

/// Why nothing more is told about a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Closed {
    /// The host knows how it ended.
    Told,
    /// The host does not take it.
    Refused,
    /// A later build reports in its place.
    Replaced,
}

/// A build that the host may have to be told about.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenReport {
    /// The build: what to tell.
    pub build: BuildRecord,
    /// The account to tell it with; `None` while it is paused or unbound.
    pub account: Option<SourceAccountId>,
    /// The report's name at the host.
    pub context: String,
    /// What the host was told last.
    pub reported: Option<ReportState>,
    /// What the host gave for the next report of this build.
    pub handle: Option<String>,
    /// Tries that failed since.
    pub attempt: u32,
    /// Not to be tried before.
    pub next_try_at: Option<DateTime<Utc>>,
    /// What the last try failed with.
    pub failure: Option<Failure>,
}

/// Writes the wish to report a new build, when its rule asks for it and its code belongs to an account. An earlier build of
/// the same commit under the same name is not told about any more.
pub(crate) async fn wish(tx: &mut SqliteConnection, build: BuildId) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT i.name AS repository, r.name AS rule FROM builds b JOIN build_rules r ON r.id = b.rule_id \
         JOIN image_repositories i ON i.id = b.repository_id JOIN code_repositories c ON c.id = b.code_repository_id \
         WHERE b.id = ? AND r.deleted_at IS NULL AND c.account_key IS NOT NULL \
         AND json_extract(r.spec, '$.report_status')",
    )
    .bind(build.0)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let repository: RepositoryName = row.word("repository")?;
    let context = CommitReport::context_of(&repository, &row.text("rule")?);
    sqlx::query(
        "UPDATE commit_reports SET closed = ?1 WHERE closed IS NULL AND context = ?2 AND build_id IN \
         (SELECT old.id FROM builds old JOIN builds new ON new.code_repository_id = old.code_repository_id \
         AND new.commit_id = old.commit_id WHERE new.id = ?3 AND old.id < new.id)",
    )
    .bind(word(&Closed::Replaced)?)
    .bind(&context)
    .bind(build.0)
    .execute(&mut *tx)
    .await?;
    sqlx::query("INSERT INTO commit_reports (build_id, context) VALUES (?, ?)")
        .bind(build.0)
        .bind(&context)
        .execute(tx)
        .await?;
    Ok(())
}

fn open(row: &SqliteRow) -> Result<OpenReport, StoreError> {
    Ok(OpenReport {
        build: record(row)?,
        account: row.int_of("report_account")?.map(SourceAccountId),
        context: row.text("report_context")?,
        reported: row.word_of("reported")?,
        handle: row.text_of("handle")?,
        attempt: row.small("report_attempt")?,
        next_try_at: row.time_of("next_try_at")?,
        failure: row.json_of("report_failure")?,
    })
}

impl Store {
    /// Returns the builds that a host is told about and that have not been told of to their end, oldest first.
    ///
    /// # Errors
    /// As every read.
    pub async fn open_reports(&self) -> Result<Vec<OpenReport>, StoreError> {
        let rows = sqlx::query(
            "SELECT b.*, a.id AS report_account, r.context AS report_context, r.reported, r.handle, \
             r.attempt AS report_attempt, r.next_try_at, r.failure AS report_failure \
             FROM commit_reports r JOIN builds b ON b.id = r.build_id \
             LEFT JOIN code_repositories c ON c.id = b.code_repository_id \
             LEFT JOIN source_accounts a ON a.id = c.account_id AND a.paused IS NULL \
             WHERE r.closed IS NULL ORDER BY r.build_id",
        )
        .fetch_all(self.read())
        .await?;
        rows.iter().map(open).collect()
    }

    /// Returns where telling the host about a build stands; `None` when nobody asked for it.
    ///
    /// # Errors
    /// As every read.
    pub async fn report_standing(&self, build: BuildId) -> Result<Option<ReportStanding>, StoreError> {
        let row = sqlx::query(
            "SELECT r.reported, r.reported_at, r.next_try_at, r.failure, r.closed, b.state FROM commit_reports r \
             JOIN builds b ON b.id = r.build_id WHERE r.build_id = ?",
        )
        .bind(build.0)
        .fetch_optional(self.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let state: BuildState = row.word("state")?;
        let failure: Option<Failure> = row.json_of("failure")?;
        let told = row.word_of::<ReportState>("reported")?.zip(row.time_of("reported_at")?);
        let standing = match (row.word_of::<Closed>("closed")?, failure, told) {
            (Some(Closed::Replaced), ..) => ReportStanding::Replaced,
            (Some(Closed::Refused), Some(failure), _) => ReportStanding::Refused { failure },
            (closed, None, Some((told, at))) if closed.is_some() || told == ReportState::from(state) => {
                ReportStanding::Reported { state: told, at }
            }
            (_, failure, _) => ReportStanding::Waiting { failure, next_try_at: row.time_of("next_try_at")? },
        };
        Ok(Some(standing))
    }

    /// Notes that the host was told. What ends a build is the last thing told about it.
    ///
    /// # Errors
    /// As every write.
    pub async fn report_told(
        &self,
        build: BuildId,
        state: ReportState,
        handle: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let closed = (state != ReportState::Pending).then_some(Closed::Told);
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE commit_reports SET reported = ?, reported_at = ?, handle = COALESCE(?, handle), attempt = 0, \
             next_try_at = NULL, failure = NULL, closed = COALESCE(closed, ?) WHERE build_id = ?",
        )
        .bind(word(&state)?)
        .bind(millis(now))
        .bind(handle)
        .bind(closed.map(|closed| word(&closed)).transpose()?)
        .bind(build.0)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Notes that the host was not told, and when to try again; without a time it is not tried again.
    ///
    /// # Errors
    /// As every write.
    pub async fn report_failed(
        &self,
        build: BuildId,
        failure: &Failure,
        next_try_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let closed = next_try_at.is_none().then_some(Closed::Refused);
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE commit_reports SET attempt = attempt + 1, failure = ?, next_try_at = ?, \
             closed = COALESCE(closed, ?) WHERE build_id = ?",
        )
        .bind(json(failure)?)
        .bind(next_try_at.map(millis))
        .bind(closed.map(|closed| word(&closed)).transpose()?)
        .bind(build.0)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }
}
