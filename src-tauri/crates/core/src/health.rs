//! How the program itself stands: room on its disks, and secrets that cannot be opened any more.

use crate::Failure;
use crate::ids::{
    ChannelId, CodeRepositoryId, CredentialId, ImageRepositoryId, RegistryId, RuleId, SourceAccountId, TriggerId,
    WebhookId,
};
use serde::{Deserialize, Serialize};

/// Nothing new is begun, because the data folder's disk is full or cannot be written. It ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct RoomShortage {
    /// `disk_full` or `data_read_only`, with the folder in its details.
    pub failure: Failure,
    /// Bytes that are free; `None` where the system does not say.
    pub free_bytes: Option<u64>,
    /// Work goes on when so many bytes are free.
    pub needed_bytes: u64,
}

/// What a sealed secret belongs to, by the name that a person knows it by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecretOwner {
    /// The password of a Git URL.
    CodeRepository {
        /// Which.
        id: CodeRepositoryId,
        /// Its name.
        name: String,
    },
    /// The tokens of an authorized account.
    SourceAccount {
        /// Which.
        id: SourceAccountId,
        /// Its login name.
        name: String,
        /// The address of its host.
        host: String,
    },
    /// The client secret of an OAuth application.
    OauthApplication {
        /// The address of its host.
        host: String,
    },
    /// The password or token of a registry.
    Credential {
        /// Which.
        id: CredentialId,
        /// Its registry.
        registry: RegistryId,
        /// Its name.
        name: String,
        /// The registry's name.
        registry_name: String,
    },
    /// A secret that a rule's builds mount.
    Rule {
        /// Which.
        id: RuleId,
        /// Its image repository.
        repository: ImageRepositoryId,
        /// Its name.
        name: String,
    },
    /// A header or the signing key of a trigger's webhook.
    Trigger {
        /// Which.
        id: TriggerId,
        /// Whose tags fire it.
        repository: ImageRepositoryId,
        /// Its name.
        name: String,
    },
    /// What deliveries of a code host are signed with.
    Webhook {
        /// Which.
        id: WebhookId,
        /// The repository's path at the host.
        name: String,
    },
    /// The address or the secret of a notification channel.
    Channel {
        /// Which.
        id: ChannelId,
        /// Its name.
        name: String,
    },
    /// The password of the proxy towards code hosts.
    CodeProxy,
    /// The password of the proxy towards registries.
    RegistryProxy,
}

/// Secrets that cannot be opened now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ClosedSecrets {
    /// Why: the keychain is locked or away (they open again by themselves), or its key is lost (they are entered again).
    pub failure: Failure,
    /// What they belong to, each once.
    pub owners: Vec<SecretOwner>,
}
