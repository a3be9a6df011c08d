//! Row identities. Each is the rowid of one table, never reused (`AUTOINCREMENT`), so a greater id is a later row.

use serde::{Deserialize, Serialize};

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

row_id! {
    /// A place that code comes from: a Git URL or a local clone. Owns one mirror.
    CodeRepositoryId,
    /// A registry: *Local engine* or an OCI registry.
    RegistryId,
    /// One credential of a registry.
    CredentialId,
    /// An image repository: `registry/namespace/name`.
    ImageRepositoryId,
    /// A build rule.
    RuleId,
    /// One observation of a ref: greater means observed later, which is the only meaning of "newer".
    ObservationId,
    /// A build row. Its number for people is per image repository, see [`crate::build::BuildNumber`].
    BuildId,
    /// One tag that a build has to publish.
    PublicationId,
    /// A sealed secret.
    SecretId,
    /// An authorized login at a code host.
    SourceAccountId,
    /// A notice of the inbox.
    NoticeId,
    /// An image trigger.
    TriggerId,
    /// One time that a tag was created or updated: greater means observed later.
    TagEventId,
    /// One firing: a target that is updated, or was to be.
    FiringId,
    /// A deploy target that Slipway has to do with.
    TargetId,
    /// A webhook at a code host.
    WebhookId,
    /// A notification channel.
    ChannelId,
    /// A message that a channel is to be told.
    ChannelMessageId,
}

impl SecretId {
    /// Names a secret that nobody has entered yet: what needs it came from an imported configuration, and those hold none.
    /// No row ever has it.
    pub const NOT_ENTERED: Self = Self(0);
}
