//! The command table: every command stands here once.

use crate::command::{CacheTag, CommandDescription, CommandKind};
use crate::{
    accounts, authorizations, build_logs, builds, channels, code_repositories, configuration, disk, firings, health,
    image_repositories, inbox, overview, registries, retention, rules, settings, starters, system, targets, triggers,
    uploads, versions, webhooks,
};
use serde::Serialize;
use serde_json::Value;
use slipway_app::Slipway;
use slipway_core::{ErrorCode, Failure};
use ts_rs::{Config, TS, TypeVisitor};

macro_rules! commands {
    ($($(#[doc = $summary:literal])+ $kind:ident $name:literal $request:ty => $response:ty, [$($tag:ident),*], $run:path;)+) => {
        /// Describes every command, in the order of the table.
        pub static COMMANDS: &[fn(&Config) -> CommandDescription] = &[$(
            |config| CommandDescription {
                name: $name,
                summary: concat!($($summary),+).trim_ascii(),
                kind: CommandKind::$kind,
                tags: &[$(CacheTag::$tag),*],
                request: <$request as TS>::name(config),
                response: <$response as TS>::name(config),
            },
        )+];

        pub(crate) async fn dispatch(app: &Slipway, command: &str, request: Value) -> Result<Value, Failure> {
            match command {
                $($name => {
                    let request: $request = read(request)?;
                    // Boxed: otherwise the future of the dispatcher is as large as all commands together.
                    let response: $response = Box::pin($run(app, request)).await?;
                    written(&response)
                })+
                unknown => Err(Failure::new(ErrorCode::UnknownCommand, format!("there is no command {unknown:?}"))
                    .with("command", unknown)),
            }
        }

        pub(crate) fn visit_types(visitor: &mut impl TypeVisitor) {
            $(
                visitor.visit::<$request>();
                visitor.visit::<$response>();
            )+
        }
    };
}

fn read<T: serde::de::DeserializeOwned>(request: Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(request).map_err(|error| {
        let field = error.path().to_string();
        let words = error.inner().to_string();
        // A type that was refused by its own rules says why, with a code of its own.
        let failure = Failure::in_words(&words).unwrap_or_else(|| Failure::new(ErrorCode::InvalidField, words));
        if field == "." { failure } else { failure.at(field) }
    })
}

fn written<T: Serialize>(response: &T) -> Result<Value, Failure> {
    serde_json::to_value(response).map_err(Failure::internal)
}

/// Returns what `/commands.json` shows.
#[must_use]
pub fn commands_document() -> Vec<CommandDescription> {
    let config = crate::typescript::config();
    COMMANDS.iter().map(|describe| describe(&config)).collect()
}

include!("commands.rs");
