//! What happens, on its way to the console: each event names what it is about and the cache tags that it makes stale.

use crate::command::CacheTag;
use futures::Stream;
use serde::Serialize;
use slipway_app::AppEvent;
use slipway_core::ids::{
    BuildId, CodeRepositoryId, FiringId, ImageRepositoryId, NoticeId, RegistryId, RuleId, TargetId, TriggerId,
};
use tokio::sync::broadcast;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use ts_rs::TS;

/// One event with the cache tags that it invalidates.
#[derive(Debug, Clone, Serialize, TS)]
pub struct EventMessage {
    /// What happened.
    pub event: Event,
    /// What must be asked anew.
    pub stale: Vec<CacheTag>,
}

/// What happened.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
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
    /// The queue changed, or a reason why something waits.
    QueueChanged,
    /// A source account was authorized, changed, paused or unbound, or its host answered.
    AccountsChanged,
    /// Code repositories were added, changed or removed.
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
    /// An image repository changed.
    ImageRepositoryChanged {
        /// Which.
        repository: ImageRepositoryId,
    },
    /// A rule changed.
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
    /// The listener fell behind: everything must be asked anew.
    Lagged,
}

/// Turns what the application announces into messages.
pub(crate) fn messages(events: broadcast::Receiver<AppEvent>) -> impl Stream<Item = EventMessage> + Send + 'static {
    BroadcastStream::new(events).map(|received| match received {
        Ok(event) => message(event),
        Err(BroadcastStreamRecvError::Lagged(_)) => {
            EventMessage { event: Event::Lagged, stale: CacheTag::ALL.to_vec() }
        }
    })
}

fn message(event: AppEvent) -> EventMessage {
    use CacheTag::{Builds, CodeRepositories, ImageRepositories, Inbox, Log, Registries, Rules, Settings};
    let (event, stale): (Event, &[CacheTag]) = match event {
        AppEvent::BuildChanged { build, repository } => {
            (Event::BuildChanged { build, repository }, &[Builds, ImageRepositories])
        }
        AppEvent::LogAppended { build, upto_line } => (Event::LogAppended { build, upto_line }, &[Log]),
        AppEvent::PushProgressed { build } => (Event::PushProgressed { build }, &[]),
        AppEvent::QueueChanged => (Event::QueueChanged, &[Builds]),
        AppEvent::AccountsChanged => (Event::AccountsChanged, &[CacheTag::Accounts]),
        AppEvent::CodeRepositoriesChanged => (Event::CodeRepositoriesChanged, &[CodeRepositories]),
        AppEvent::CodeRepositoryChecked { code } => (Event::CodeRepositoryChecked { code }, &[CodeRepositories]),
        AppEvent::RegistryChanged { registry } => (Event::RegistryChanged { registry }, &[Registries]),
        AppEvent::ImageRepositoryChanged { repository } => {
            (Event::ImageRepositoryChanged { repository }, &[ImageRepositories])
        }
        AppEvent::RuleChanged { rule, repository } => (Event::RuleChanged { rule, repository }, &[Rules]),
        AppEvent::VersionsChanged { repository } => (Event::VersionsChanged { repository }, &[CacheTag::Versions]),
        AppEvent::TriggerChanged { trigger, repository } => {
            (Event::TriggerChanged { trigger, repository }, &[CacheTag::Triggers])
        }
        AppEvent::FiringChanged { firing, target } => {
            (Event::FiringChanged { firing, target }, &[CacheTag::Firings, CacheTag::Triggers])
        }
        AppEvent::FiringLogged { firing } => (Event::FiringLogged { firing }, &[]),
        AppEvent::TargetsChanged => (Event::TargetsChanged, &[CacheTag::Targets]),
        AppEvent::WebhooksChanged => (Event::WebhooksChanged, &[CacheTag::Webhooks]),
        AppEvent::DiskChanged => (Event::DiskChanged, &[CacheTag::Disk]),
        AppEvent::HealthChanged => (Event::HealthChanged, &[CacheTag::Health, Builds]),
        AppEvent::SettingsChanged => (Event::SettingsChanged, &[Settings]),
        AppEvent::ChannelsChanged => (Event::ChannelsChanged, &[CacheTag::Channels]),
        AppEvent::NoticeAdded { notice } => (Event::NoticeAdded { notice }, &[Inbox]),
        AppEvent::InboxChanged => (Event::InboxChanged, &[Inbox]),
    };
    EventMessage { event, stale: stale.to_vec() }
}
