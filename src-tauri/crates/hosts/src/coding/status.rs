//! Commit statuses.

use super::{Coding, act};
use crate::provider::Statuses;
use crate::session::Session;
use async_trait::async_trait;
use slipway_core::Failure;
use slipway_core::control::one_line;
use slipway_core::host::{CommitReport, ReportState, RepositoryPath};

const LONGEST_DESCRIPTION: usize = 140;

#[async_trait]
impl Statuses for Coding {
    async fn report(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        report: &CommitReport,
    ) -> Result<Option<String>, Failure> {
        let parameters = serde_json::json!({
            "DepotPath": path.0,
            "CommitSha": report.commit.as_str(),
            "Context": report.context,
            "State": match report.state {
                ReportState::Pending => "pending",
                ReportState::Success => "success",
                ReportState::Failure => "failure",
                ReportState::Cancelled => "error",
            },
            "Description": one_line(&report.description, LONGEST_DESCRIPTION),
            "TargetURL": report.target_url.as_deref().unwrap_or_default(),
        });
        act::<serde_json::Value>(session, "ModifyGitCommitStatus", parameters).await?;
        Ok(None)
    }
}
