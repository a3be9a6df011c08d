//! The registry port against a scripted HTTP registry: logins, refusals, broken and hostile answers.
#![allow(clippy::unwrap_used)]

mod answers;
mod hostile;
mod lists;
mod logins;
mod projects;
mod rights;
mod server;
