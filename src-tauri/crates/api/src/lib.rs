//! The one table of commands that every host of Slipway offers: the window over IPC, devhost over HTTP.
//!
//! A command stands once in [`table`]: its name, request, response, the cache tags that it reads or invalidates, and the
//! method of the product that does the work. Dispatching, `/commands.json` and the TypeScript bindings are made from it.

pub mod accounts;
pub mod authorizations;
pub mod build_logs;
pub mod builds;
pub mod channels;
pub mod code_repositories;
mod command;
pub mod configuration;
pub mod disk;
mod event;
pub mod firings;
pub mod health;
pub mod image_repositories;
pub mod inbox;
pub mod overview;
pub mod registries;
pub mod retention;
pub mod rules;
pub mod settings;
pub mod starters;
pub mod system;
mod table;
pub mod targets;
pub mod triggers;
pub mod typescript;
pub mod uploads;
pub mod versions;
pub mod webhooks;

pub use command::{CacheTag, CommandDescription, CommandKind};
pub use event::{Event, EventMessage};
pub use slipway_app::build_log::PlainLog;
pub use slipway_core::ids::BuildId;
pub use slipway_core::notice::{NoticeFacts, NoticedBuild, NoticedUpdate, Severity};
pub use slipway_core::trigger::FiringState;
pub use slipway_core::{ErrorClass, ErrorCode, Failure};
pub use table::{COMMANDS, commands_document};

use futures::Stream;
use serde_json::Value;
use slipway_app::Slipway;
use std::sync::Arc;

/// The api over one opened product; cheap to clone.
#[derive(Clone)]
pub struct Api {
    app: Arc<Slipway>,
}

impl Api {
    /// Makes the api of an opened product.
    #[must_use]
    pub fn new(app: Arc<Slipway>) -> Self {
        Self { app }
    }

    /// Runs one command.
    ///
    /// # Errors
    /// The command's failure; [`slipway_core::ErrorCode::UnknownCommand`] and
    /// [`slipway_core::ErrorCode::InvalidField`] for a name or request that does not fit the table.
    pub async fn call(&self, command: &str, request: Value) -> Result<Value, Failure> {
        table::dispatch(&self.app, command, request).await
    }

    /// Opens the whole log of a build as plain text: a file to keep, beside the pages that `builds.log` gives.
    ///
    /// # Errors
    /// [`slipway_core::ErrorCode::NotFound`] for a build that does not exist.
    pub async fn plain_log(&self, build: BuildId) -> Result<PlainLog, Failure> {
        self.app.build_detail(build).await?;
        self.app.logs().plain(build)
    }

    /// Returns what happens from now on. A listener that falls behind gets [`EventMessage::Lagged`] and asks anew.
    pub fn subscribe(&self) -> impl Stream<Item = EventMessage> + Send + use<> {
        event::messages(self.app.events())
    }
}
