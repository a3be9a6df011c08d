//! Build statuses: the same key overwrites, an address is required.

use super::Bitbucket;
use crate::provider::Statuses;
use crate::session::{Session, owner_and_name};
use async_trait::async_trait;
use http::Method;
use sha2::{Digest as _, Sha256};
use slipway_core::Failure;
use slipway_core::code::RefName;
use slipway_core::control::one_line;
use slipway_core::host::{CommitReport, ReportState, RepositoryPath};

const LONGEST_KEY: usize = 40;
const LONGEST_DESCRIPTION: usize = 255;

#[async_trait]
impl Statuses for Bitbucket {
    async fn report(
        &self,
        session: &Session<'_>,
        path: &RepositoryPath,
        report: &CommitReport,
    ) -> Result<Option<String>, Failure> {
        let (workspace, name) = owner_and_name(path)?;
        // Slipway has no page that others can open: the commit's own stands in.
        let page = || format!("{}/{path}/commits/{}", session.address.base, report.commit);
        let mut body = serde_json::json!({
            "key": key(&report.context),
            "state": match report.state {
                ReportState::Pending => "INPROGRESS",
                ReportState::Success => "SUCCESSFUL",
                ReportState::Failure => "FAILED",
                ReportState::Cancelled => "STOPPED",
            },
            "name": report.context,
            "description": one_line(&report.description, LONGEST_DESCRIPTION),
            "url": report.target_url.clone().unwrap_or_else(page),
        });
        if let Some(name) = &report.ref_name {
            body["refname"] = RefName::short(name).into();
        }
        let segments = ["repositories", workspace, name, "commit", report.commit.as_str(), "statuses", "build"];
        session.ask(Method::POST, &segments).json(body).send().await?;
        Ok(None)
    }
}

/// Keeps short names, and makes long ones short without making two of them equal.
fn key(context: &str) -> String {
    if context.chars().count() <= LONGEST_KEY {
        return context.to_owned();
    }
    let hash = hex::encode(Sha256::digest(context));
    format!("{}-{}", context.chars().take(LONGEST_KEY - 13).collect::<String>(), &hash[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fit_and_differ() {
        let long = "slipway/registry.example.com/team/application";
        assert_eq!(key("slipway/team/app"), "slipway/team/app");
        assert_eq!(key(long).chars().count(), LONGEST_KEY);
        assert_ne!(key(long), key(&format!("{long}2")));
    }
}
