//! Commit statuses.

use super::Gitlab;
use crate::provider::Statuses;
use crate::session::Session;
use async_trait::async_trait;
use http::Method;
use slipway_core::Failure;
use slipway_core::code::RefName;
use slipway_core::control::one_line;
use slipway_core::host::{CommitReport, ReportState, RepositoryPath};

const LONGEST_DESCRIPTION: usize = 255;

#[async_trait]
impl Statuses for Gitlab {
    async fn report(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        report: &CommitReport,
    ) -> Result<Option<String>, Failure> {
        let mut body = serde_json::json!({
            "state": match report.state {
                ReportState::Pending => "running",
                ReportState::Success => "success",
                ReportState::Failure => "failed",
                ReportState::Cancelled => "canceled",
            },
            "name": report.context,
            "description": one_line(&report.description, LONGEST_DESCRIPTION),
        });
        if let Some(url) = &report.target_url {
            body["target_url"] = url.as_str().into();
        }
        if let Some(name) = &report.ref_name {
            body["ref"] = RefName::short(name).into();
        }
        let segments = ["projects", &path.0, "statuses", report.commit.as_str()];
        let answer = session.ask(Method::POST, &segments).json(body).answer().await?;
        // Saying the same again is refused, and is what was wanted.
        let same = answer.message().is_some_and(|said| said.contains("Cannot transition status"));
        if answer.status.is_success() || answer.status.as_u16() == 400 && same {
            return Ok(None);
        }
        Err(session.failure(&answer))
    }
}
