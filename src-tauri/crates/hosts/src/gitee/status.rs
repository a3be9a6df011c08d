//! Gitee has no commit statuses: a check-run stands in for them, made once and changed afterwards.

use super::Gitee;
use crate::provider::Statuses;
use crate::session::{Session, owner_and_name};
use async_trait::async_trait;
use http::Method;
use serde::Deserialize;
use slipway_core::Failure;
use slipway_core::control::one_line;
use slipway_core::host::{CommitReport, ReportState, RepositoryPath};

const LONGEST_SUMMARY: usize = 255;

#[derive(Deserialize)]
struct CheckRun {
    id: u64,
}

#[async_trait]
impl Statuses for Gitee {
    async fn report(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        report: &CommitReport,
    ) -> Result<Option<String>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let (status, conclusion) = match report.state {
            ReportState::Pending => ("in_progress", None),
            ReportState::Success => ("completed", Some("success")),
            ReportState::Failure => ("completed", Some("failure")),
            ReportState::Cancelled => ("completed", Some("cancelled")),
        };
        let summary = one_line(&report.description, LONGEST_SUMMARY);
        let mut body = serde_json::json!({
            "name": report.context,
            "head_sha": report.commit.as_str(),
            "status": status,
            "output": { "title": report.context, "summary": summary },
        });
        if let Some(conclusion) = conclusion {
            body["conclusion"] = conclusion.into();
        }
        if let Some(url) = &report.target_url {
            body["details_url"] = url.as_str().into();
        }
        let asked = match &report.previous {
            Some(id) => session.ask(Method::PATCH, &["repos", owner, name, "check-runs", id]),
            None => session.ask(Method::POST, &["repos", owner, name, "check-runs"]),
        };
        let run: CheckRun = asked.json(body).read().await?;
        Ok(Some(run.id.to_string()))
    }
}
