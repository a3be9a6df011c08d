//! Notices of the in-app inbox: what changed, as a kind with facts. The console makes the sentence, in its language.

use crate::build::BuildNumber;
use crate::code::RefName;
use crate::failure::ErrorCode;
use crate::ids::{
    BuildId, CodeRepositoryId, CredentialId, FiringId, ImageRepositoryId, RegistryId, RuleId, SourceAccountId,
};
use crate::trigger::FiringState;
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
    /// An update of a target failed, and the one before it had not.
    UpdateFailed,
    /// An update of a target succeeded after failures.
    UpdateRecovered,
    /// A code host does not take an account's token any more: its rules wait.
    AccountPaused,
    /// It takes the account's token again: its rules go on.
    AccountResumed,
    /// A code repository could not be looked at for long.
    CodeUnreachable,
    /// It can be looked at again.
    CodeReachable,
    /// A registry refused a credential.
    CredentialRefused,
    /// Old versions could not be removed by a retention rule, and the time before they could.
    RetentionFailed,
    /// The database was found damaged while it was in use.
    DatabaseDamaged,
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
            Self::BuildFailed | Self::UpdateFailed | Self::CredentialRefused | Self::DatabaseDamaged => Severity::Error,
            Self::AccountPaused | Self::CodeUnreachable | Self::RetentionFailed | Self::DatabaseRecovered => {
                Severity::Warning
            }
            Self::BuildRecovered | Self::UpdateRecovered | Self::AccountResumed | Self::CodeReachable => {
                Severity::Success
            }
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

/// The update that a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NoticedUpdate {
    /// The record.
    pub firing: FiringId,
    /// What was updated, as people call it.
    pub target_name: String,
    /// The tag that it was to get; its image's name when no tag named it.
    pub version: String,
    /// The trigger's name; none when a person wanted it.
    pub trigger_name: Option<String>,
}

/// The source account that a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct NoticedAccount {
    /// The account.
    pub account: SourceAccountId,
    /// Its login name.
    pub login: String,
    /// The host's name.
    pub host: String,
    /// How many rules hang on it.
    pub rules: u64,
}

/// A rule by name, with its image repository.
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
    /// See [`NoticeKind::UpdateFailed`].
    UpdateFailed {
        /// Which.
        update: NoticedUpdate,
        /// What it failed with.
        code: ErrorCode,
        /// Failed (nothing was touched), rolled back (the earlier image serves), or broken.
        state: FiringState,
    },
    /// See [`NoticeKind::UpdateRecovered`].
    UpdateRecovered {
        /// Which.
        update: NoticedUpdate,
    },
    /// See [`NoticeKind::AccountPaused`].
    AccountPaused {
        /// Which.
        account: NoticedAccount,
        /// Why.
        code: ErrorCode,
    },
    /// See [`NoticeKind::AccountResumed`].
    AccountResumed {
        /// Which.
        account: NoticedAccount,
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
    /// See [`NoticeKind::RetentionFailed`].
    RetentionFailed {
        /// The image repository.
        repository: ImageRepositoryId,
        /// Its name.
        repository_name: String,
        /// Why.
        code: ErrorCode,
    },
    /// See [`NoticeKind::DatabaseDamaged`]. The next start puts it right.
    DatabaseDamaged,
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
            Self::UpdateFailed { .. } => NoticeKind::UpdateFailed,
            Self::UpdateRecovered { .. } => NoticeKind::UpdateRecovered,
            Self::AccountPaused { .. } => NoticeKind::AccountPaused,
            Self::AccountResumed { .. } => NoticeKind::AccountResumed,
            Self::CodeUnreachable { .. } => NoticeKind::CodeUnreachable,
            Self::CodeReachable { .. } => NoticeKind::CodeReachable,
            Self::CredentialRefused { .. } => NoticeKind::CredentialRefused,
            Self::RetentionFailed { .. } => NoticeKind::RetentionFailed,
            Self::DatabaseDamaged => NoticeKind::DatabaseDamaged,
            Self::DatabaseRecovered { .. } => NoticeKind::DatabaseRecovered,
            Self::Away { .. } => NoticeKind::Away,
        }
    }

    /// Returns the console's page about it, as an address inside the window.
    #[must_use]
    pub fn route(&self) -> String {
        match self {
            Self::BuildFailed { build, .. } | Self::BuildRecovered { build } => format!("/builds/{}", build.build),
            Self::UpdateFailed { update, .. } | Self::UpdateRecovered { update } => {
                format!("/targets?dialog=record.{}", update.firing)
            }
            Self::AccountPaused { .. }
            | Self::AccountResumed { .. }
            | Self::CodeUnreachable { .. }
            | Self::CodeReachable { .. } => "/sources".to_owned(),
            Self::CredentialRefused { .. } => "/registries".to_owned(),
            Self::RetentionFailed { repository, .. } => format!("/repositories/{repository}/versions?dialog=retention"),
            Self::DatabaseDamaged | Self::DatabaseRecovered { .. } => "/".to_owned(),
            Self::Away { .. } => "/builds".to_owned(),
        }
    }
}
