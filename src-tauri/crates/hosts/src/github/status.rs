//! Commit statuses.

use super::Github;
use crate::provider::Statuses;
use crate::session::{Session, owner_and_name};
use async_trait::async_trait;
use http::Method;
use slipway_core::Failure;
use slipway_core::control::one_line;
use slipway_core::host::{CommitReport, ReportState, RepositoryPath};

/// GitHub's limit for a description.
const LONGEST_DESCRIPTION: usize = 140;

#[async_trait]
impl Statuses for Github {
    async fn report(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        report: &CommitReport,
    ) -> Result<Option<String>, Failure> {
        let (owner, name) = owner_and_name(path)?;
        let mut body = serde_json::json!({
            "state": match report.state {
                ReportState::Pending => "pending",
                ReportState::Success => "success",
                ReportState::Failure => "failure",
                ReportState::Cancelled => "error",
            },
            "context": report.context,
            "description": one_line(&report.description, LONGEST_DESCRIPTION),
        });
        if let Some(url) = &report.target_url {
            body["target_url"] = url.as_str().into();
        }
        let segments = ["repos", owner, name, "statuses", report.commit.as_str()];
        session.ask(Method::POST, &segments).json(body).send().await?;
        Ok(None)
    }
}
