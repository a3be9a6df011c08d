//! What a channel is told, as facts. They are kept until the message is sent, so that a later start tells the same.

use super::ChannelEvent;
use crate::build::BuildState;
use crate::code::CommitId;
use crate::failure::ErrorCode;
use crate::notice::{NoticeFacts, NoticedBuild, NoticedUpdate, Severity};
use crate::trigger::FiringState;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The commit that a build is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCommit {
    /// Its id.
    pub id: CommitId,
    /// Its first line, as it came.
    pub title: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MessageFacts {
    /// A build is over.
    Build {
        /// Which.
        build: NoticedBuild,
        /// How it ended.
        state: BuildState,
        /// It succeeded after failures.
        recovered: bool,
        /// What it failed with.
        code: Option<ErrorCode>,
        /// The commit; none for an uploaded Dockerfile.
        commit: Option<MessageCommit>,
        /// The references that it published.
        images: Vec<String>,
    },
    /// An update of a target is over.
    Update {
        /// Which.
        update: NoticedUpdate,
        /// How it ended.
        state: FiringState,
        /// It succeeded after failures.
        recovered: bool,
        /// A person went back to an earlier image.
        by_person: bool,
        /// What it failed with.
        code: Option<ErrorCode>,
    },
    /// Something that the inbox tells of.
    Attention {
        /// Its notice.
        notice: NoticeFacts,
    },
    /// A person tries the channel.
    Test,
}

/// One message: to be told to the channels that want one of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelMessage {
    /// What it is, the most telling first; never empty.
    pub events: Vec<ChannelEvent>,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub facts: MessageFacts,
}

impl ChannelMessage {
    /// The message of a person who tries a channel.
    #[must_use]
    pub fn test(at: DateTime<Utc>) -> Self {
        Self { events: vec![ChannelEvent::Test], at, facts: MessageFacts::Test }
    }

    /// Returns the message about a notice that asks for a person; `None` for one of the others, which have more to say
    /// than their notice, or nothing that a group needs to know.
    #[must_use]
    pub fn of_notice(notice: &NoticeFacts, at: DateTime<Utc>) -> Option<Self> {
        let is_wanted = !matches!(
            notice,
            NoticeFacts::BuildFailed { .. }
                | NoticeFacts::BuildRecovered { .. }
                | NoticeFacts::UpdateFailed { .. }
                | NoticeFacts::UpdateRecovered { .. }
                | NoticeFacts::Away { .. }
        );
        is_wanted.then(|| Self {
            events: vec![ChannelEvent::Attention],
            at,
            facts: MessageFacts::Attention { notice: notice.clone() },
        })
    }

    /// Returns how much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match &self.facts {
            MessageFacts::Build { state, .. } if *state == BuildState::Failed => Severity::Error,
            MessageFacts::Update { state: FiringState::RolledBack, .. } => Severity::Warning,
            MessageFacts::Update { state: FiringState::Failed | FiringState::Broken, .. } => Severity::Error,
            MessageFacts::Build { .. } | MessageFacts::Update { .. } => Severity::Success,
            MessageFacts::Attention { notice } => notice.kind().severity(),
            MessageFacts::Test => Severity::Info,
        }
    }
}
