//! Notices of the in-app inbox: what changed, as a kind with facts. The console makes the sentence, in its language.

use crate::build::BuildNumber;
use crate::code::RefName;
use crate::failure::ErrorCode;
use crate::ids::{BuildId, CodeRepositoryId, CredentialId, ImageRepositoryId, RegistryId, RuleId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Something works again.
    Success,
    /// Something needs a look soon.
    Warning,
    /// Something failed.
    Error,
}

/// The kinds of notices; settings name those that nobody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A rule's build of a ref failed, and the one before it had not.
    BuildFailed,
    /// A rule's build of a ref succeeded after failures.
    BuildRecovered,
    /// A rule does not build any more, and nobody switched it off.
    RulePaused,
    /// A paused rule builds again.
    RuleResumed,
    /// A code repository could not be looked at for long.
    CodeUnreachable,
    /// It can be looked at again.
    CodeReachable,
    /// A registry refused a credential.
    CredentialRefused,
    /// The database was damaged at start.
    DatabaseRecovered,
    /// Nobody watched for a while: the application was off, or the machine slept.
    Away,
}

impl NoticeKind {
    /// Returns how much notices of the kind matter.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::BuildFailed | Self::CredentialRefused => Severity::Error,
            Self::RulePaused | Self::CodeUnreachable | Self::DatabaseRecovered => Severity::Warning,
            Self::BuildRecovered | Self::RuleResumed | Self::CodeReachable => Severity::Success,
            Self::Away => Severity::Info,
        }
    }
}

/// The build that a notice is about. Names are those of the moment: the objects may be gone later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NoticedBuild {
    /// The build.
    pub build: BuildId,
    /// Its number.
    pub number: BuildNumber,
    /// Its image repository.
    pub repository: ImageRepositoryId,
    /// The repository's name.
    pub repository_name: String,
    /// The rule's name; none for an uploaded Dockerfile.
    pub rule_name: Option<String>,
    /// The ref; none for a bare commit or an uploaded Dockerfile.
    pub ref_name: Option<RefName>,
}

/// The rule that a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NoticedRule {
    /// The rule.
    pub rule: RuleId,
    /// Its name.
    pub rule_name: String,
    /// Its image repository.
    pub repository: ImageRepositoryId,
    /// The repository's name.
    pub repository_name: String,
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoticeFacts {
    /// See [`NoticeKind::BuildFailed`].
    BuildFailed {
        /// Which.
        build: NoticedBuild,
        /// What it failed with.
        code: ErrorCode,
    },
    /// See [`NoticeKind::BuildRecovered`].
    BuildRecovered {
        /// Which.
        build: NoticedBuild,
    },
    /// See [`NoticeKind::RulePaused`].
    RulePaused {
        /// Which.
        rule: NoticedRule,
        /// Why.
        code: ErrorCode,
    },
    /// See [`NoticeKind::RuleResumed`].
    RuleResumed {
        /// Which.
        rule: NoticedRule,
    },
    /// See [`NoticeKind::CodeUnreachable`].
    CodeUnreachable {
        /// Which.
        code_repository: CodeRepositoryId,
        /// Its name.
        name: String,
        /// What the last look failed with.
        code: ErrorCode,
        /// Looks fail since then.
        since: DateTime<Utc>,
    },
    /// See [`NoticeKind::CodeReachable`].
    CodeReachable {
        /// Which.
        code_repository: CodeRepositoryId,
        /// Its name.
        name: String,
    },
    /// See [`NoticeKind::CredentialRefused`].
    CredentialRefused {
        /// The registry.
        registry: RegistryId,
        /// Its name.
        registry_name: String,
        /// The credential.
        credential: CredentialId,
        /// Its name.
        credential_name: String,
        /// How it was refused.
        code: ErrorCode,
    },
    /// See [`NoticeKind::DatabaseRecovered`].
    DatabaseRecovered {
        /// Where the damaged file is now.
        kept_aside: String,
        /// The backup that took its place; none when the store began empty.
        restored_from: Option<String>,
    },
    /// See [`NoticeKind::Away`].
    Away {
        /// The last moment that is known to have been watched.
        from: DateTime<Utc>,
        /// When watching began again.
        to: DateTime<Utc>,
        /// Builds for pushes of that time.
        caught_up: u64,
    },
}

impl NoticeFacts {
    /// Returns the kind.
    #[must_use]
    pub const fn kind(&self) -> NoticeKind {
        match self {
            Self::BuildFailed { .. } => NoticeKind::BuildFailed,
            Self::BuildRecovered { .. } => NoticeKind::BuildRecovered,
            Self::RulePaused { .. } => NoticeKind::RulePaused,
            Self::RuleResumed { .. } => NoticeKind::RuleResumed,
            Self::CodeUnreachable { .. } => NoticeKind::CodeUnreachable,
            Self::CodeReachable { .. } => NoticeKind::CodeReachable,
            Self::CredentialRefused { .. } => NoticeKind::CredentialRefused,
            Self::DatabaseRecovered { .. } => NoticeKind::DatabaseRecovered,
            Self::Away { .. } => NoticeKind::Away,
        }
    }

    /// Returns the console's page about it, as an address inside the window.
    #[must_use]
    pub fn route(&self) -> String {
        match self {
            Self::BuildFailed { build, .. } | Self::BuildRecovered { build } => format!("/builds/{}", build.build),
            Self::RulePaused { rule, .. } | Self::RuleResumed { rule } => {
                format!("/repositories/{}/build", rule.repository)
            }
            Self::CodeUnreachable { .. } | Self::CodeReachable { .. } => "/sources".to_owned(),
            Self::CredentialRefused { .. } => "/registries".to_owned(),
            Self::DatabaseRecovered { .. } => "/".to_owned(),
            Self::Away { .. } => "/builds".to_owned(),
        }
    }
}
