//! Commit statuses.

use super::Gitea;
use crate::provider::Statuses;
use crate::session::{Session, owner_and_name};
use async_trait::async_trait;
use http::Method;
use slipway_core::Failure;
use slipway_core::control::one_line;
use slipway_core::host::{CommitReport, ReportState, RepositoryPath};

const LONGEST_DESCRIPTION: usize = 255;

#[async_trait]
impl Statuses for Gitea {
    async fn report(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        report: &CommitReport,
    ) -> Result<Option<String>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let body = serde_json::json!({
            "state": match report.state {
                ReportState::Pending => "pending",
                ReportState::Success => "success",
                ReportState::Failure => "failure",
                ReportState::Cancelled => "error",
            },
            "context": report.context,
            "description": one_line(&report.description, LONGEST_DESCRIPTION),
            "target_url": report.target_url.as_deref().unwrap_or_default(),
        });
        let segments = ["repos", owner, name, "statuses", report.commit.as_str()];
        session.ask(Method::POST, &segments).json(body).send().await?;
        Ok(None)
    }
}
