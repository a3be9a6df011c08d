//! The api over loopback HTTP: browser tests and development now, the unattended service later.
//!
//! - `POST /rpc/<command>`: the request as JSON; 200 with the response, or an error status with a [`slipway_api::Failure`].
//! - `GET /events`: server-sent events, one JSON object each.
//! - `GET /logs/<id>`: the whole log of a build as plain text.
//! - `GET /commands.json`: the command table with its types.
//! - everything else: the built console, under the product's content security policy.
//!
//! Only a caller that holds the token of this start is served, and only under a loopback `Host` and, when a browser says
//! where it comes from, under our own `Origin` (threat T17: a web page in the user's browser is hostile).

mod console;
mod guard;
mod server;

pub use server::{Devhost, DevhostOptions};
