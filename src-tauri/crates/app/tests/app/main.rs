//! The application with the real store in a temporary folder and scripted fakes of everything outside.
#![allow(clippy::unwrap_used)]

mod accounts;
mod authorizing;
mod cancel;
mod channels;
mod commit_reports;
mod configuration;
mod configuration_threats;
mod diagnostics;
mod disk_budget;
mod inbox;
mod keychain;
mod mirrors;
mod path;
mod publish;
mod restart;
mod retention;
mod room;
mod rules;
mod sample;
mod secrets;
mod shared_schedule;
mod triggers;
mod updates;
mod watching;
mod webhooks;
mod world;
