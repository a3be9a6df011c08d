//! What a commit's page is told about a build (`product.md` section 5). The build's row decides what to tell; where telling
//! stands has a row of its own, and never delays or fails the build.

use crate::build::{BuildNumber, BuildState};
use crate::code::{CommitId, RefName};
use crate::image::RepositoryName;
use crate::{ErrorClass, Failure};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How a build stands, for its commit's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ReportState {
    /// Queued or running.
    Pending,
    /// Built and pushed.
    Success,
    /// Failed.
    Failure,
    /// Cancelled or superseded: says nothing about the code.
    Cancelled,
}

impl From<BuildState> for ReportState {
    fn from(state: BuildState) -> Self {
        match state {
            BuildState::Queued | BuildState::Running | BuildState::Paused => Self::Pending,
            BuildState::Succeeded => Self::Success,
            BuildState::Failed => Self::Failure,
            BuildState::Cancelled | BuildState::Superseded | BuildState::Skipped => Self::Cancelled,
        }
    }
}

/// A report on a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitReport {
    /// The commit.
    pub commit: CommitId,
    /// The ref that was built, where there is one.
    pub ref_name: Option<RefName>,
    /// How it stands.
    pub state: ReportState,
    /// Names the report; a later one of the same name replaces it, see [`Self::context_of`].
    pub context: String,
    /// One line with the build number; cut to what the host takes.
    pub description: String,
    /// A page about it, when there is one that others can open.
    pub target_url: Option<String>,
    /// What an earlier report of this build returned (Gitee's check-run).
    pub previous: Option<String>,
}

impl CommitReport {
    /// Names the reports of a rule: builds of two rules on one commit stand side by side, a build that repeats another takes
    /// its place.
    #[must_use]
    pub fn context_of(repository: &RepositoryName, rule: &str) -> String {
        format!("slipway/{repository} ({rule})")
    }
}

/// What a report says about a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedBuild {
    /// Its number.
    pub number: BuildNumber,
    /// Its state.
    pub state: BuildState,
    /// What it failed with.
    pub failed: Option<ErrorClass>,
    /// How long it took.
    pub took: Option<TimeDelta>,
}

impl ReportedBuild {
    /// Returns the one line of the report, in English as everything on commits' pages. It goes to a page that others read:
    /// nothing of this machine, of the log or of the registry is in it.
    #[must_use]
    pub fn description(&self) -> String {
        let build = format!("Build #{}", self.number.0);
        match self.state {
            BuildState::Queued | BuildState::Running | BuildState::Paused => format!("{build} is under way"),
            BuildState::Succeeded => match self.took {
                Some(took) => format!("{build} succeeded in {} s", took.num_seconds().max(1)),
                None => format!("{build} succeeded"),
            },
            BuildState::Failed => match self.failed {
                Some(class) => format!("{build} failed: {}", at_fault(class)),
                None => format!("{build} failed"),
            },
            BuildState::Cancelled => format!("{build} was cancelled"),
            BuildState::Superseded | BuildState::Skipped => format!("{build} was not needed: a newer one covers it"),
        }
    }
}

const fn at_fault(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::CodeSource => "code source",
        ErrorClass::Dockerfile => "Dockerfile",
        ErrorClass::BaseImage => "base image",
        ErrorClass::Engine => "engine",
        ErrorClass::Registry => "registry",
        ErrorClass::Target => "deploy target",
        ErrorClass::Disk => "disk",
        ErrorClass::Network => "network",
        ErrorClass::Keychain => "keychain",
        ErrorClass::Cancelled => "cancelled",
        ErrorClass::Timeout => "timeout",
        ErrorClass::Input => "settings",
        ErrorClass::Internal => "internal error",
    }
}

/// Where telling the host about a build stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ReportStanding {
    /// The host knows how the build stands.
    Reported {
        /// What it was told.
        state: ReportState,
        /// When.
        at: DateTime<Utc>,
    },
    /// The host is to be told.
    Waiting {
        /// What the last try failed with.
        failure: Option<Failure>,
        /// When it is tried again; none is as soon as the account can.
        next_try_at: Option<DateTime<Utc>>,
    },
    /// The host does not take it; it is not tried again for this build.
    Refused {
        /// Why.
        failure: Failure,
    },
    /// A later build of the same rule and commit reports in its place.
    Replaced,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_report_has_the_number_and_nothing_of_this_machine() {
        let build = |state, failed, seconds: Option<i64>| ReportedBuild {
            number: BuildNumber(12),
            state,
            failed,
            took: seconds.map(TimeDelta::seconds),
        };
        for (build, said) in [
            (build(BuildState::Queued, None, None), "Build #12 is under way"),
            (build(BuildState::Running, None, None), "Build #12 is under way"),
            (build(BuildState::Paused, None, None), "Build #12 is under way"),
            (build(BuildState::Succeeded, None, Some(42)), "Build #12 succeeded in 42 s"),
            (build(BuildState::Succeeded, None, Some(0)), "Build #12 succeeded in 1 s"),
            (build(BuildState::Failed, Some(ErrorClass::Dockerfile), Some(3)), "Build #12 failed: Dockerfile"),
            (build(BuildState::Cancelled, Some(ErrorClass::Cancelled), None), "Build #12 was cancelled"),
            (build(BuildState::Superseded, None, None), "Build #12 was not needed: a newer one covers it"),
        ] {
            assert_eq!(build.description(), said);
        }
    }

    #[test]
    fn every_state_of_a_build_has_one_on_the_commits_page() {
        let said: Vec<ReportState> = BuildState::ALL.into_iter().map(ReportState::from).collect();
        use ReportState::{Cancelled, Failure, Pending, Success};
        assert_eq!(said, [Pending, Pending, Success, Failure, Cancelled, Cancelled, Cancelled, Pending]);
    }

    #[test]
    fn two_rules_of_one_repository_have_two_reports() {
        let name = RepositoryName::new("team/app").unwrap();
        assert_eq!(CommitReport::context_of(&name, "main"), "slipway/team/app (main)");
    }
}
