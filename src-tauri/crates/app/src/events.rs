//! What the application announces. An event only says "look again": it never carries work or data that must not be lost.

use slipway_core::ids::{
    BuildId, CodeRepositoryId, FiringId, ImageRepositoryId, NoticeId, RegistryId, RuleId, TargetId, TriggerId,
};

/// One announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AppEvent {
    /// A build's row, stages, steps or publications changed.
    BuildChanged {
        /// Which build.
        build: BuildId,
        /// Its image repository.
        repository: ImageRepositoryId,
    },
    /// A build's log has more lines.
    LogAppended {
        /// Which build.
        build: BuildId,
        /// How many lines it has now.
        upto_line: u64,
    },
    /// A layer of a push moved on.
    PushProgressed {
        /// Which build.
        build: BuildId,
    },
    /// The queue, or a reason why something in it waits, changed.
    QueueChanged,
    /// A source account was authorized, changed, paused or unbound, or its host answered.
    AccountsChanged,
    /// A code repository was added, changed or removed.
    CodeRepositoriesChanged,
    /// A code repository was looked at.
    CodeRepositoryChecked {
        /// Which.
        code: CodeRepositoryId,
    },
    /// A registry or one of its credentials changed.
    RegistryChanged {
        /// Which.
        registry: RegistryId,
    },
    /// An image repository was added, changed or removed.
    ImageRepositoryChanged {
        /// Which.
        repository: ImageRepositoryId,
    },
    /// A rule was added, changed or removed.
    RuleChanged {
        /// Which.
        rule: RuleId,
        /// Its image repository.
        repository: ImageRepositoryId,
    },
    /// The tags of an image repository changed, or more is known about them.
    VersionsChanged {
        /// Which repository.
        repository: ImageRepositoryId,
    },
    /// A trigger was added, changed, paused, resumed or removed.
    TriggerChanged {
        /// Which.
        trigger: TriggerId,
        /// Whose tags fire it.
        repository: ImageRepositoryId,
    },
    /// A firing was made, goes on or ended.
    FiringChanged {
        /// Which.
        firing: FiringId,
        /// What it updates.
        target: TargetId,
    },
    /// The log of a firing has more lines.
    FiringLogged {
        /// Which.
        firing: FiringId,
    },
    /// What runs where may have changed.
    TargetsChanged,
    /// A webhook or its listener changed, or a delivery came.
    WebhooksChanged,
    /// Images or build cache were removed from the engine's disk.
    DiskChanged,
    /// Room on a disk, or what can be opened with the keychain, changed.
    HealthChanged,
    /// A setting changed.
    SettingsChanged,
    /// A notification channel was added, changed or removed, or was told something.
    ChannelsChanged,
    /// The inbox has a new notice.
    NoticeAdded {
        /// Which.
        notice: NoticeId,
    },
    /// Notices were read or removed.
    InboxChanged,
}
