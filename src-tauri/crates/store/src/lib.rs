//! SQLite: migrations and one module per table.
//!
//! # Transactions
//! Every public method that changes something is exactly one transaction, and every state change is one such method:
//! a caller never has to combine two calls to keep the data consistent. What belongs together (a new build, its number,
//! its push marked as handled, the builds that it supersedes) is therefore written by one method. All writes go through
//! one connection with `synchronous = FULL`: when a method has returned, its effect survives a power cut. Reads use a
//! pool of read-only connections and see the last finished transaction.
//!
//! [`Store::open`] guards the data folder (lock, permissions, damage, schema); [`data_dir`] says what is where in it.

pub mod accounts;
pub mod build_filter;
mod build_order;
pub mod build_stages;
pub mod build_steps;
pub mod builds;
pub mod channels;
pub mod code_repositories;
pub mod commit_reports;
pub mod configuration;
mod counts;
pub mod data_dir;
mod error;
pub mod firing_lists;
pub mod firings;
pub mod hand_over;
mod health;
pub mod image_repositories;
mod made_images;
pub mod notices;
pub mod oauth_applications;
pub mod observations;
mod open;
pub mod publications;
pub mod queue;
pub mod registries;
pub mod retention;
mod row;
pub mod rule_refs;
pub mod rules;
pub mod secret_owners;
mod secrets;
mod settings;
pub mod tag_events;
pub mod tag_moves;
pub mod targets;
pub mod triggers;
pub mod version_cache;
pub mod versions;
pub mod webhooks;

pub use accounts::{AccountChecked, AccountFacts, AccountRemovalRows, SourceAccountRecord};
pub use build_filter::{BuildFilter, BuildPage};
pub use build_steps::StepRecord;
pub use builds::{BuildRecord, CreatedBuild, NewBuild};
pub use channels::{ChannelRecord, ChannelSpec, OpenMessage};
pub use code_repositories::{AccountPlace, CodeRepositoryRecord, LookResult};
pub use commit_reports::OpenReport;
pub use configuration::{
    ImportedConfiguration, ImportedCredential, ImportedRepository, ImportedRows, ImportedRule, ImportedSource,
    ImportedTrigger, RowRef,
};
pub use data_dir::DataDir;
pub use error::StoreError;
pub use firing_lists::{FiringFilter, FiringLine, FiringPage};
pub use firings::{ClaimedFiring, FiringRecord};
pub use hand_over::{NewFiring, PersonsFiring};
pub use image_repositories::{
    ImageRepositoryFilter, ImageRepositoryPage, ImageRepositoryRecord, ImageRepositorySummary,
};
pub use made_images::MadeImageRecord;
pub use notices::{NoticePage, NoticeRecord};
pub use oauth_applications::OauthApplication;
pub use observations::{ObservationRecord, RecordedMoves, RefMove};
pub use open::{Opened, Recovery, Store};
pub use publications::{NewPublication, PublicationRecord};
pub use queue::{BuildPatch, Change};
pub use registries::{CredentialRecord, RegistryRecord, RegistrySpec};
pub use retention::RetentionRecord;
pub use rule_refs::RuleRefRecord;
pub use rules::{DeletedRule, RuleRecord};
pub use tag_events::{KnownTag, LookBegan, SeenTag, TagEventRecord, TagWatch};
pub use tag_moves::TagMoveRecord;
pub use targets::TargetRecord;
pub use triggers::TriggerRecord;
pub use version_cache::{ManifestFacts, VersionCache};
pub use versions::{CopiedTag, TagOrigin};
pub use webhooks::{NewWebhook, WebhookChecked, WebhookRecord};

#[cfg(test)]
mod tests;
