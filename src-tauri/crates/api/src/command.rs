//! What a command is.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Names a part of what the console shows: reads provide it, writes and events invalidate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CacheTag {
    /// Source accounts with their health.
    Accounts,
    /// Code repositories with their health.
    CodeRepositories,
    /// Registries, credentials and their tests.
    Registries,
    /// Image repositories.
    ImageRepositories,
    /// Build rules.
    Rules,
    /// Builds and the queue.
    Builds,
    /// The log of a build.
    Log,
    /// Settings.
    Settings,
    /// Versions: the tags of image repositories.
    Versions,
    /// The engine's state.
    Engine,
    /// Image triggers.
    Triggers,
    /// Records of triggers and of what people did to targets.
    Firings,
    /// What runs where.
    Targets,
    /// Notices of the inbox.
    Inbox,
    /// Webhooks at code hosts and their listener.
    Webhooks,
    /// Notification channels.
    Channels,
    /// Room on disks and secrets that cannot be opened.
    Health,
    /// What fills the engine's disk.
    Disk,
}

impl CacheTag {
    /// Every tag.
    pub const ALL: &'static [Self] = &[
        Self::Accounts,
        Self::CodeRepositories,
        Self::Registries,
        Self::ImageRepositories,
        Self::Rules,
        Self::Builds,
        Self::Log,
        Self::Settings,
        Self::Versions,
        Self::Engine,
        Self::Triggers,
        Self::Firings,
        Self::Targets,
        Self::Inbox,
        Self::Webhooks,
        Self::Channels,
        Self::Health,
        Self::Disk,
    ];
}

/// Whether a command changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum CommandKind {
    /// It only looks; its tags are those that it provides.
    Read,
    /// It changes something; its tags are those that it invalidates.
    Write,
}

/// One line of the command table.
#[derive(Debug, Clone, Serialize)]
pub struct CommandDescription {
    /// Its name (`rules.save`).
    pub name: &'static str,
    /// What it does, one sentence.
    pub summary: &'static str,
    /// Whether it changes anything.
    pub kind: CommandKind,
    /// Cache tags.
    pub tags: &'static [CacheTag],
    /// The TypeScript type of its request.
    pub request: String,
    /// The TypeScript type of its response.
    pub response: String,
}
